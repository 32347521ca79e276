//! From the grammar's pairs to the tree: transitions. See `build.rs` for the conventions.

use pest::iterators::Pair;

use super::build::{Builder, Built, Kids};
use super::grammar::Rule;
use crate::ast::*;
use crate::diag::Diagnostic;
use crate::source::Span;

/// How deep `in` and `first` groups may be nested within each other.
pub const GROUP_NESTING_MAX: usize = 16;

impl Builder<'_> {
    /// A handler, a group or an `ignore`.
    pub fn transition(&self, pair: Pair<'_, Rule>) -> Built<Transition> {
        let span = self.span(&pair);
        Ok(match pair.as_rule() {
            Rule::handler => Transition::Handler(self.handler(pair)),
            Rule::ignore => Transition::Ignore(self.ignore(pair)),
            Rule::first_group => {
                let transitions =
                    Kids::of(pair).rest().map(|it| self.transition(it)).collect::<Built<_>>()?;
                Transition::First(FirstGroup { transitions, span })
            }
            Rule::state_group => {
                let mut kids = Kids::of(pair);
                let states = self.state_names(kids.next(Rule::state_names));
                let transitions = self.group(kids, span)?;
                Transition::In(StateGroup { states, transitions, span })
            }
            rule => unreachable!("the grammar has no transition {rule:?}"),
        })
    }

    /// The transitions of a group.
    fn group(&self, kids: Kids<'_>, span: Span) -> Built<Vec<Transition>> {
        if self.depth.get() == GROUP_NESTING_MAX {
            let message = format!("groups of handlers are nested more than {GROUP_NESTING_MAX} deep");
            return Err(Diagnostic::error("E0006", Span::new(span.start, span.start + 1), message));
        }
        self.depth.set(self.depth.get() + 1);
        let transitions = kids.rest().map(|it| self.transition(it)).collect();
        self.depth.set(self.depth.get() - 1);
        transitions
    }

    /// `A | B`
    pub fn state_names(&self, pair: Pair<'_, Rule>) -> States {
        let span = self.span(&pair);
        States { names: Kids::of(pair).rest().map(|it| self.ident(it)).collect(), span }
    }

    fn in_clause(&self, kids: &mut Kids<'_>) -> Option<States> {
        let clause = kids.opt(Rule::in_clause)?;
        Some(self.state_names(Kids::of(clause).next(Rule::state_names)))
    }

    fn handler_kind(&self, pair: Pair<'_, Rule>) -> HandlerKind {
        match Kids::of(pair).any().as_rule() {
            Rule::w_downcall => HandlerKind::Downcall,
            Rule::w_upcall => HandlerKind::Upcall,
            Rule::w_scheduler => HandlerKind::Scheduler,
            _ => HandlerKind::Aspect,
        }
    }

    fn ignore(&self, pair: Pair<'_, Rule>) -> Ignore {
        let span = self.span(&pair);
        let mut kids = Kids::of(pair);
        let kind = kids.opt(Rule::handler_kind).map(|it| self.handler_kind(it));
        let event = self.event(kids.next(Rule::event));
        Ignore { kind, event, states: self.in_clause(&mut kids), span }
    }

    fn handler(&self, pair: Pair<'_, Rule>) -> Handler {
        let span = self.span(&pair);
        let mut kids = Kids::of(pair);
        let word = kids.next(Rule::handler_kind);
        let kind_span = self.span(&word);
        let kind = self.handler_kind(word);
        let name = kids.opt(Rule::handler_name).map(|it| self.ident(Kids::of(it).next(Rule::ident)));
        let event = self.event(kids.next(Rule::event));
        let states = self.in_clause(&mut kids);
        let chooses = kids.all(Rule::choose).into_iter().map(|it| self.choose(it)).collect();
        let guard = kids.opt(Rule::guard).map(|it| {
            let inner = Kids::of(it).any();
            match inner.as_rule() {
                Rule::w_otherwise => Guard::Otherwise(self.span(&inner)),
                _ => Guard::When(self.fragment(&inner)),
            }
        });
        let body = self.fragment(&kids.next(Rule::block));
        Handler { doc: self.doc(span), kind, kind_span, name, event, states, chooses, guard, body, span }
    }

    fn choose(&self, pair: Pair<'_, Rule>) -> Choose {
        let span = self.span(&pair);
        let mut kids = Kids::of(pair);
        let name = self.ident(kids.next(Rule::ident));
        Choose { name, set: self.fragment(&kids.next(Rule::condition)), span }
    }

    fn event(&self, pair: Pair<'_, Rule>) -> Event {
        let span = self.span(&pair);
        let mut kids = Kids::of(pair);
        let first = self.ident(kids.next(Rule::ident));
        let second = kids.opt(Rule::ident).map(|it| self.ident(it));
        let (layer, name) = match second {
            Some(name) => (Some(first), name),
            None => (None, first),
        };
        let args = kids.opt(Rule::event_args).map(|list| {
            let args = Kids::of(list).rest().map(|arg| {
                let mut kids = Kids::of(arg);
                let pattern = self.fragment(&kids.next(Rule::rust_pattern));
                Arg { pattern, ty: kids.opt(Rule::ty).map(|it| self.fragment(&it)) }
            });
            args.collect()
        });
        Event { layer, name, args, span }
    }
}
