//! From the grammar's pairs to the tree: files, items, services. Systems are in `build_system.rs`, expressions in
//! `climb.rs`.
//!
//! The grammar and these functions agree on which children a rule has; a disagreement is a programmer's mistake and
//! asserted. What the grammar lets through and the language does not is an error of the author and returned.

use std::cell::Cell;
use std::iter::{Filter, Peekable};

use pest::iterators::{Pair, Pairs};

use super::grammar::{Rule, is_mark};
use super::scan::{Comment, CommentKind};
use crate::ast::*;
use crate::diag::Diagnostic;
use crate::source::Span;

/// The result of building a part of the tree.
pub type Built<T> = Result<T, Diagnostic>;

/// What building needs to know beside the pairs.
pub struct Builder<'a> {
    /// The text of the whole file, not masked.
    pub text: &'a str,
    /// All comments of the file.
    pub comments: &'a [Comment],
    /// The offset of the parsed chunk in the file.
    pub base: u32,
    /// How deep the expression or the group of handlers at hand is nested.
    pub depth: Cell<usize>,
}

/// The children of a pair without marks.
pub struct Kids<'i> {
    pairs: Peekable<Filter<Pairs<'i, Rule>, Kept<'i>>>,
}

type Kept<'i> = fn(&Pair<'i, Rule>) -> bool;

impl<'i> Kids<'i> {
    /// The children of a pair.
    pub fn of(pair: Pair<'i, Rule>) -> Kids<'i> {
        fn kept(pair: &Pair<'_, Rule>) -> bool {
            !is_mark(pair.as_rule())
        }
        Kids { pairs: pair.into_inner().filter(kept as Kept<'i>).peekable() }
    }

    /// The next child, if it is of that rule.
    pub fn opt(&mut self, rule: Rule) -> Option<Pair<'i, Rule>> {
        self.pairs.next_if(|pair| pair.as_rule() == rule)
    }

    /// The next child, which the grammar promises.
    pub fn next(&mut self, rule: Rule) -> Pair<'i, Rule> {
        let found = self.pairs.peek().map(Pair::as_rule);
        assert_eq!(found, Some(rule), "the grammar and the builder disagree");
        self.any()
    }

    /// The next child, whatever it is.
    pub fn any(&mut self) -> Pair<'i, Rule> {
        self.pairs.next().expect("the grammar and the builder disagree: a child is missing")
    }

    /// All that are left of that rule.
    pub fn all(&mut self, rule: Rule) -> Vec<Pair<'i, Rule>> {
        std::iter::from_fn(|| self.opt(rule)).collect()
    }

    /// The rule of the next child.
    pub fn peek(&mut self) -> Option<Rule> {
        self.pairs.peek().map(Pair::as_rule)
    }

    /// All that are left.
    pub fn rest(self) -> impl Iterator<Item = Pair<'i, Rule>> {
        self.pairs
    }
}

impl Builder<'_> {
    /// The place of a pair in the file.
    pub fn span(&self, pair: &Pair<'_, Rule>) -> Span {
        // White space before an optional part that is absent belongs to the pair as pest sees it.
        let start = self.base + pair.as_span().start() as u32;
        Span::new(start, start + pair.as_str().trim_end().len() as u32)
    }

    /// The text of a place in the file. A piece that was patched may end one sign after it.
    pub fn text(&self, span: Span) -> &str {
        let range = span.range();
        &self.text[range.start.min(self.text.len())..range.end.min(self.text.len())]
    }

    /// Rust text.
    pub fn fragment(&self, pair: &Pair<'_, Rule>) -> Fragment {
        self.fragment_at(self.span(pair))
    }

    /// Rust text at a place, white space at its ends taken away.
    pub fn fragment_at(&self, span: Span) -> Fragment {
        let text = self.text(span);
        let start = span.start + (text.len() - text.trim_start().len()) as u32;
        let text = text.trim();
        Fragment { span: Span::new(start, start + text.len() as u32), text: text.to_owned() }
    }

    /// A name.
    pub fn ident(&self, pair: Pair<'_, Rule>) -> Ident {
        Ident { name: pair.as_str().to_owned(), span: self.span(&pair) }
    }

    /// `a::b`
    pub fn path(&self, pair: Pair<'_, Rule>) -> Path {
        let span = self.span(&pair);
        Path { segments: Kids::of(pair).rest().map(|it| self.ident(it)).collect(), span }
    }

    /// `a.b`
    pub fn dotted(&self, pair: Pair<'_, Rule>) -> Dotted {
        let span = self.span(&pair);
        Dotted { segments: Kids::of(pair).rest().map(|it| self.ident(it)).collect(), span }
    }

    /// The documentation comments directly before an offset, and where they begin.
    fn doc_at(&self, at: u32) -> (Doc, u32) {
        let mut first = self.comments.partition_point(|comment| comment.span.end <= at);
        let mut lines = vec![];
        let mut start = at;
        while let Some(comment) = first.checked_sub(1).map(|index| self.comments[index]) {
            let between = self.text(Span::new(comment.span.end, start));
            if comment.kind != CommentKind::OuterDoc || !between.trim().is_empty() {
                break;
            }
            lines.push(doc_line(&self.text(comment.span)[3..]));
            (first, start) = (first - 1, comment.span.start);
        }
        lines.reverse();
        ((!lines.is_empty()).then(|| lines.join("\n")), start)
    }

    /// The documentation of what begins at a place.
    pub fn doc(&self, span: Span) -> Doc {
        self.doc_at(span.start).0
    }

    /// The `//!` lines of the file.
    pub fn file_doc(&self) -> Doc {
        let inner = self.comments.iter().filter(|comment| comment.kind == CommentKind::InnerDoc);
        let lines: Vec<_> = inner.map(|comment| doc_line(&self.text(comment.span)[3..])).collect();
        (!lines.is_empty()).then(|| lines.join("\n"))
    }

    /// An item of a file.
    pub fn item(&self, pair: Pair<'_, Rule>) -> Built<Item> {
        Ok(match pair.as_rule() {
            Rule::import => Item::Import(self.import(pair)),
            Rule::rust_item => Item::Rust(self.rust_item(pair)),
            Rule::interface => Item::Interface(self.interface(pair)),
            Rule::messages => Item::Messages(self.messages(pair)),
            Rule::service => Item::Service(self.service(pair)?),
            Rule::system => Item::System(self.system(pair)?),
            Rule::scenario => Item::Scenario(self.scenario(pair)?),
            Rule::allow => Item::Allow(self.allow(pair)),
            rule => unreachable!("the grammar has no item {rule:?}"),
        })
    }

    fn import(&self, pair: Pair<'_, Rule>) -> Import {
        let span = self.span(&pair);
        let mut kids = Kids::of(pair);
        let mut spec = self.path(kids.next(Rule::path));
        let mut names = kids.opt(Rule::import_names).map(|list| {
            let names = Kids::of(list).rest().map(|name| {
                let mut kids = Kids::of(name);
                let name = self.ident(kids.next(Rule::ident));
                ImportName { name, alias: kids.opt(Rule::ident).map(|it| self.ident(it)) }
            });
            names.collect()
        });
        let mut alias = kids.opt(Rule::import_alias).map(|it| self.ident(Kids::of(it).next(Rule::ident)));
        if names.is_none() && spec.segments.len() > 1 {
            let name = spec.segments.pop().expect("there are two segments");
            spec.span = spec.segments[0].span.to(spec.segments[spec.segments.len() - 1].span);
            names = Some(vec![ImportName { name, alias: alias.take() }]);
        }
        Import { doc: self.doc(span), spec, names, alias, span }
    }

    fn rust_item(&self, pair: Pair<'_, Rule>) -> RustItem {
        let span = self.span(&pair);
        let (_, start) = self.doc_at(span.start);
        let fragment = self.fragment_at(Span::new(start, span.end));
        let mut kids = Kids::of(pair);
        while matches!(kids.peek(), Some(Rule::attribute | Rule::visibility)) {
            kids.any();
        }
        let item = kids.any();
        let kind = match item.as_rule() {
            Rule::rust_use => RustItemKind::Use,
            Rule::rust_type => RustItemKind::Type,
            Rule::rust_struct => RustItemKind::Struct,
            Rule::rust_enum => RustItemKind::Enum,
            Rule::rust_const => RustItemKind::Const,
            Rule::rust_fn => RustItemKind::Fn,
            _ => RustItemKind::Impl,
        };
        let name = Kids::of(item).opt(Rule::ident).map(|it| self.ident(it));
        RustItem { kind, name, fragment }
    }

    fn interface(&self, pair: Pair<'_, Rule>) -> Interface {
        let span = self.span(&pair);
        let mut kids = Kids::of(pair);
        let name = self.ident(kids.next(Rule::ident));
        Interface {
            doc: self.doc(span),
            name,
            calls: kids.rest().map(|it| self.interface_call(it)).collect(),
            span,
        }
    }

    /// One line of an interface.
    pub fn interface_call(&self, pair: Pair<'_, Rule>) -> Call {
        let span = self.span(&pair);
        let direction = if pair.as_str().starts_with("upcall") { Direction::Up } else { Direction::Down };
        let mut kids = Kids::of(pair);
        let name = self.ident(kids.next(Rule::ident));
        let params = self.params(kids.next(Rule::params));
        let result = kids.opt(Rule::ty).map(|it| self.fragment(&it));
        Call { doc: self.doc(span), direction, name, params, result, span }
    }

    fn params(&self, pair: Pair<'_, Rule>) -> Vec<Param> {
        let params = Kids::of(pair).rest().map(|param| {
            let doc = self.doc(self.span(&param));
            let mut kids = Kids::of(param);
            let name = self.ident(kids.next(Rule::ident));
            Param { doc, name, ty: self.fragment(&kids.next(Rule::ty)) }
        });
        params.collect()
    }

    /// `messages [over carrier] { .. }`
    pub fn messages(&self, pair: Pair<'_, Rule>) -> Messages {
        let span = self.span(&pair);
        let mut kids = Kids::of(pair);
        let over = kids.opt(Rule::over).map(|it| self.ident(Kids::of(it).next(Rule::ident)));
        Messages { over, messages: kids.rest().map(|it| self.message(it)).collect(), span }
    }

    /// One message.
    pub fn message(&self, pair: Pair<'_, Rule>) -> Message {
        let span = self.span(&pair);
        let mut kids = Kids::of(pair);
        let name = self.ident(kids.next(Rule::ident));
        let fields = kids.opt(Rule::message_fields).map(|it| self.params(it)).unwrap_or_default();
        Message { doc: self.doc(span), name, fields, span }
    }

    fn service(&self, pair: Pair<'_, Rule>) -> Built<Service> {
        let span = self.span(&pair);
        let mut kids = Kids::of(pair);
        let name = self.ident(kids.next(Rule::ident));
        let members = kids.rest().map(|it| self.member(it)).collect::<Built<_>>()?;
        Ok(Service { doc: self.doc(span), name, members, span })
    }

    /// A member of a service.
    pub fn member(&self, pair: Pair<'_, Rule>) -> Built<Member> {
        let span = self.span(&pair);
        Ok(match pair.as_rule() {
            Rule::provides => {
                let mut kids = Kids::of(pair);
                let interface = self.path(kids.next(Rule::path));
                let by = kids.opt(Rule::ident).map(|it| self.ident(it));
                Member::Provides(Provides { interface, by, span })
            }
            Rule::uses => Member::Uses(self.uses(pair)?),
            Rule::const_member => {
                let mut kids = Kids::of(pair);
                let name = self.ident(kids.next(Rule::ident));
                let ty = self.fragment(&kids.next(Rule::ty));
                let value = self.fragment(&kids.next(Rule::value));
                Member::Const(Const { doc: self.doc(span), name, ty, value, span })
            }
            Rule::parameters => Member::Parameters(self.section(pair, Self::parameter)?),
            Rule::states => Member::States(self.section(pair, Self::state)?),
            Rule::variables => Member::Variables(self.section(pair, Self::variable)?),
            Rule::messages => Member::Messages(self.messages(pair)),
            Rule::timers => Member::Timers(self.section(pair, Self::timer)?),
            Rule::transitions => Member::Transitions(self.section(pair, Self::transition)?),
            Rule::routines => Member::Routines(self.section(pair, Self::routine)?),
            Rule::properties => Member::Properties(self.section(pair, Self::property)?),
            Rule::objectives => Member::Objectives(self.section(pair, Self::objective)?),
            Rule::generic => Member::Generic(self.section(pair, Self::sendable)?),
            Rule::fair => Member::Fair(self.fair(pair)),
            Rule::allow => Member::Allow(self.allow(pair)),
            rule => unreachable!("the grammar has no member {rule:?}"),
        })
    }

    /// A section whose entries are all its children.
    pub fn section<T>(
        &self,
        pair: Pair<'_, Rule>,
        entry: impl Fn(&Self, Pair<'_, Rule>) -> Built<T>,
    ) -> Built<Section<T>> {
        let span = self.span(&pair);
        let entries = Kids::of(pair).rest().map(|it| entry(self, it)).collect::<Built<_>>()?;
        Ok(Section { entries, span })
    }

    fn uses(&self, pair: Pair<'_, Rule>) -> Built<Uses> {
        let span = self.span(&pair);
        let mut kids = Kids::of(pair);
        let name = self.ident(kids.next(Rule::ident));
        let interface = self.path(kids.next(Rule::path));
        let default = kids.opt(Rule::stack).map(|it| self.stack(it)).transpose()?;
        Ok(Uses { doc: self.doc(span), name, interface, default, span })
    }

    /// `name: Type = value;`
    pub fn parameter(&self, pair: Pair<'_, Rule>) -> Built<Parameter> {
        let span = self.span(&pair);
        let mut kids = Kids::of(pair);
        let name = self.ident(kids.next(Rule::ident));
        let ty = self.fragment(&kids.next(Rule::ty));
        let default = kids.opt(Rule::value).map(|it| self.fragment(&it));
        Ok(Parameter { doc: self.doc(span), name, ty, default, span })
    }

    fn state(&self, pair: Pair<'_, Rule>) -> Built<State> {
        Ok(State { doc: self.doc(self.span(&pair)), name: self.ident(pair) })
    }

    /// `durable term: u64;`
    pub fn variable(&self, pair: Pair<'_, Rule>) -> Built<Variable> {
        let span = self.span(&pair);
        let mut kids = Kids::of(pair);
        let modifiers = kids.all(Rule::modifier).into_iter().map(|it| {
            let span = self.span(&it);
            let kind = match Kids::of(it).any().as_rule() {
                Rule::w_durable => ModifierKind::Durable,
                Rule::w_export => ModifierKind::Export,
                Rule::w_secret => ModifierKind::Secret,
                _ => ModifierKind::Ghost,
            };
            Modifier { kind, span }
        });
        let modifiers = modifiers.collect();
        let name = self.ident(kids.next(Rule::ident));
        let ty = self.fragment(&kids.next(Rule::ty));
        let initial = kids.opt(Rule::value).map(|it| self.fragment(&it));
        Ok(Variable { doc: self.doc(span), modifiers, name, ty, initial, span })
    }

    /// `resend(slot: Slot);`
    pub fn timer(&self, pair: Pair<'_, Rule>) -> Built<Timer> {
        let span = self.span(&pair);
        let mut kids = Kids::of(pair);
        let name = self.ident(kids.next(Rule::ident));
        let params = kids.opt(Rule::params).map(|it| self.params(it)).unwrap_or_default();
        let every = kids.opt(Rule::value).map(|it| self.fragment(&it));
        Ok(Timer { doc: self.doc(span), name, params, every, span })
    }

    /// `fn majority() -> usize { .. }`
    pub fn routine(&self, pair: Pair<'_, Rule>) -> Built<Routine> {
        let span = self.span(&pair);
        let (_, start) = self.doc_at(span.start);
        let fragment = self.fragment_at(Span::new(start, span.end));
        let mut kids = Kids::of(pair);
        kids.all(Rule::attribute);
        let head = kids.next(Rule::signature);
        let signature = self.fragment(&head);
        let name = self.ident(Kids::of(head).next(Rule::ident));
        Ok(Routine { name, signature, body: self.fragment(&kids.next(Rule::block)), fragment })
    }
}

/// A line of documentation without its marker.
fn doc_line(text: &str) -> String {
    text.strip_prefix(' ').unwrap_or(text).trim_end().to_owned()
}
