//! From the grammar's pairs to the tree: `allow`, `fair choice`, `generic`. See `build.rs` for the conventions.

use pest::iterators::Pair;

use super::build::{Builder, Built, Kids};
use super::grammar::Rule;
use crate::ast::*;

impl Builder<'_> {
    /// `allow grows log: "reason";`
    pub fn allow(&self, pair: Pair<'_, Rule>) -> Allow {
        let span = self.span(&pair);
        let mut kids = Kids::of(pair);
        let warning = self.ident(kids.next(Rule::ident));
        let targets = self.sites(&mut kids);
        let reason = kids.opt(Rule::string).map(|it| self.fragment(&it));
        Allow { warning, targets, reason, span }
    }

    /// `fair choice Join, resend.to;`
    pub fn fair(&self, pair: Pair<'_, Rule>) -> FairChoice {
        let span = self.span(&pair);
        FairChoice { sites: self.sites(&mut Kids::of(pair)), span }
    }

    fn sites(&self, kids: &mut Kids<'_>) -> Vec<Dotted> {
        let sites = kids.opt(Rule::sites).into_iter();
        sites.flat_map(|it| Kids::of(it).rest().map(|it| self.dotted(it)).collect::<Vec<_>>()).collect()
    }

    /// `Beat { load in 0..=3 }`
    pub fn sendable(&self, pair: Pair<'_, Rule>) -> Built<Sendable> {
        let span = self.span(&pair);
        let mut kids = Kids::of(pair);
        let message = self.ident(kids.next(Rule::ident));
        let field = |pair| {
            let mut kids = Kids::of(pair);
            let name = self.ident(kids.next(Rule::ident));
            SendableField { name, set: self.fragment(&kids.next(Rule::set)) }
        };
        let fields = kids.opt(Rule::sendable_fields).into_iter();
        let fields = fields.flat_map(|it| Kids::of(it).rest().map(field).collect::<Vec<_>>()).collect();
        Ok(Sendable { message, fields, span })
    }
}
