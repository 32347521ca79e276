//! The grammar as code, and what its rules are called in messages. The rules themselves are in `grammar.pest`.

// The parser that is generated from the grammar has no documentation of its own.
#![allow(missing_docs)]

use pest_derive::Parser;

/// The generated parser.
#[derive(Parser)]
#[grammar = "grammar.pest"]
pub struct Grammar;

/// Whether a rule only marks a place: a sign or a keyword that the tree does not keep.
pub fn is_mark(rule: Rule) -> bool {
    rule == Rule::EOI || (Rule::p_semi..=Rule::k_workload).contains(&rule)
}

/// What to call a rule in "expected ..". Nothing for rules that would say no more than others beside them.
pub fn words(rule: Rule) -> Option<String> {
    let name = format!("{rule:?}");
    if let Some(keyword) = name.strip_prefix("k_").or(name.strip_prefix("w_")) {
        return Some(format!("`{keyword}`"));
    }
    let fixed = match rule {
        Rule::p_semi => "`;`",
        Rule::p_comma | Rule::comma => "`,`",
        Rule::p_colon => "`:`",
        Rule::p_eq => "`=`",
        Rule::p_dot => "`.`",
        Rule::p_bar => "`|`",
        Rule::p_arrow => "`->`",
        Rule::p_lparen | Rule::call_args | Rule::params | Rule::event_args => "`(`",
        Rule::p_rparen => "`)`",
        Rule::p_lbracket | Rule::index | Rule::size => "`[`",
        Rule::p_rbracket => "`]`",
        Rule::p_lbrace | Rule::struct_fields | Rule::message_fields => "`{`",
        Rule::p_rbrace => "`}`",
        Rule::op_leads => "`leads to`",
        Rule::op_iff => "`iff`",
        Rule::op_implies => "`implies`",
        Rule::dots | Rule::open_end => "`..`",
        Rule::closure_sign => "`+` or `*` after the closure",
        Rule::infix => "an operator",
        Rule::prefix | Rule::open_range | Rule::macro_args | Rule::turbofish | Rule::EOI | Rule::cast => {
            return None;
        }
        _ => return thing(rule).map(str::to_owned),
    };
    Some(fixed.to_owned())
}

/// Rules that stand for a thing rather than a sign.
fn thing(rule: Rule) -> Option<&'static str> {
    Some(match rule {
        Rule::ident | Rule::path_ident => "a name",
        Rule::path | Rule::dotted | Rule::names => "a name",
        Rule::ty => "a type",
        Rule::block => "a block `{ .. }`",
        Rule::value => "a value",
        Rule::head => "the rest of the head",
        Rule::condition => "an expression",
        Rule::rust_pattern | Rule::pattern | Rule::wild | Rule::tuple_pattern | Rule::ref_pattern => {
            "a pattern"
        }
        Rule::arg => "an argument",
        Rule::expr | Rule::operand | Rule::path_expr | Rule::number => "an expression",
        Rule::quantified
        | Rule::aggregate
        | Rule::paren
        | Rule::array
        | Rule::vec
        | Rule::matches
        | Rule::lambda => "an expression",
        Rule::binders | Rule::binder => "`name in set`",
        Rule::attribute | Rule::visibility | Rule::rust_item => "a Rust item",
        Rule::rust_use | Rule::rust_type | Rule::rust_const | Rule::rust_struct => "a Rust item",
        Rule::rust_enum | Rule::rust_fn | Rule::rust_impl => "a Rust item",
        Rule::import => "`import`",
        Rule::import_alias => "`as`",
        Rule::import_name => "a name",
        Rule::interface => "`interface`",
        Rule::interface_call => "`downcall` or `upcall`",
        Rule::messages => "`messages`",
        Rule::service => "`service`",
        Rule::system => "`system`",
        Rule::scenario => "`scenario`",
        Rule::provides => "`provides`",
        Rule::uses => "`uses`",
        Rule::const_member => "`const`",
        Rule::parameters => "`parameters`",
        Rule::states => "`states`",
        Rule::variables => "`variables`",
        Rule::timers => "`timers`",
        Rule::transitions => "`transitions`",
        Rule::routines => "`routines`",
        Rule::properties => "`properties`",
        Rule::objectives | Rule::system_objectives => "`objectives`",
        Rule::generic => "`generic`",
        Rule::fair => "`fair choice`",
        Rule::allow => "`allow`",
        Rule::sites | Rule::sendable | Rule::sendable_field => "a name",
        Rule::sendable_fields => "`{`",
        Rule::set => "an expression",
        Rule::param | Rule::message | Rule::parameter | Rule::timer | Rule::link | Rule::node_group => {
            "a name"
        }
        Rule::variable => "a variable",
        Rule::modifier => "a modifier",
        Rule::handler | Rule::handler_kind => "a handler (`downcall`, `upcall`, `scheduler` or `aspect`)",
        Rule::state_group | Rule::in_clause => "`in`",
        Rule::first_group => "`first`",
        Rule::ignore => "`ignore`",
        Rule::state_names => "a state",
        Rule::event | Rule::handler_name => "an event",
        Rule::choose => "`choose`",
        Rule::guard => "`when` or `otherwise`",
        Rule::routine | Rule::signature => "`fn`",
        Rule::property | Rule::property_kind => {
            "a property (`safety`, `local`, `reachable`, `liveness` or `statistical`)"
        }
        Rule::objective | Rule::goal => "`minimize` or `maximize`",
        Rule::term => "an amount",
        Rule::scale => "`weight` or `level`",
        Rule::during => "`while`",
        Rule::growing => "`growing`",
        Rule::per_second | Rule::per_message | Rule::per_byte | Rule::per_call | Rule::per_handler => {
            "`second`, `message`, `byte`, `upcall`, `downcall` or `handler`"
        }
        Rule::nodes => "`nodes`",
        Rule::network => "`network`",
        Rule::faults => "`faults`",
        Rule::workload => "`workload`",
        Rule::horizon => "`horizon`",
        Rule::check => "`check`",
        Rule::stack => "a service",
        Rule::link_clause => "a clause such as `delay 1ms..40ms`, `loss 0.01`, `duplicates` or `reorders`",
        Rule::fault | Rule::fault_kind => "a fault (`crash`, `reset`, `partition` or `cut`)",
        Rule::target => "`any` or a node",
        Rule::at_most | Rule::at_time => "`at`",
        Rule::rate => "`rate`",
        Rule::rate_unit => "`second`, `minute` or `hour`",
        Rule::chance => "`chance`",
        Rule::within_clause => "`within`",
        Rule::back => "`back`",
        Rule::back_after => "`after`",
        Rule::work => "`call`, or who calls and when",
        Rule::once => "`once`",
        Rule::each => "`each`",
        Rule::after_restart => "`after restart`",
        Rule::bound | Rule::reweigh | Rule::pin_choice | Rule::field_init => "a name",
        Rule::over => "`over`",
        Rule::pin => "`as`",
        Rule::transfer => "a message",
        Rule::sender => "`from`",
        Rule::filter => "`where`",
        Rule::given => "`given`",
        Rule::run_until => "`until`",
        Rule::deliver | Rule::drop | Rule::duplicate | Rule::fire | Rule::crash | Rule::restart => {
            "a command"
        }
        Rule::reset | Rule::partition | Rule::cut | Rule::heal | Rule::run | Rule::expect => "a command",
        Rule::invoke | Rule::refuse => "a command",
        _ => return None,
    })
}
