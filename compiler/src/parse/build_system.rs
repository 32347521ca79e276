//! From the grammar's pairs to the tree: properties, objectives, systems, scenarios. See `build.rs` for the conventions.

use pest::iterators::Pair;

use super::build::{Builder, Built, Kids};
use super::grammar::Rule;
use crate::ast::*;
use crate::diag::Diagnostic;

/// The clauses of a link, as messages list them.
const LINK_CLAUSES: &str = "`delay`, `loss`, `duplicates`, `reorders`, `bandwidth`";

impl Builder<'_> {
    /// `safety agree: EXPR;`
    pub fn property(&self, pair: Pair<'_, Rule>) -> Built<Property> {
        let span = self.span(&pair);
        let mut kids = Kids::of(pair);
        let kind = match Kids::of(kids.next(Rule::property_kind)).any().as_rule() {
            Rule::w_safety => PropertyKind::Safety,
            Rule::w_local => PropertyKind::Local,
            Rule::w_reachable => PropertyKind::Reachable,
            Rule::w_liveness => PropertyKind::Liveness,
            _ => PropertyKind::Statistical,
        };
        let name = self.ident(kids.next(Rule::ident));
        let expr = self.expr(kids.next(Rule::expr))?;
        Ok(Property { doc: self.doc(span), kind, name, expr, span })
    }

    /// `minimize waiting: .. weight 2.0;`
    pub fn objective(&self, pair: Pair<'_, Rule>) -> Built<Objective> {
        let span = self.span(&pair);
        let mut kids = Kids::of(pair);
        let goal = match Kids::of(kids.next(Rule::goal)).any().as_rule() {
            Rule::w_minimize => Goal::Minimize,
            _ => Goal::Maximize,
        };
        let name = self.ident(kids.next(Rule::ident));
        let terms = kids.all(Rule::term).into_iter().map(|it| self.term(it)).collect::<Built<_>>()?;
        let scale = self.scale(kids.all(Rule::scale))?;
        Ok(Objective { doc: self.doc(span), goal, name, terms, scale, span })
    }

    fn scale(&self, pairs: Vec<Pair<'_, Rule>>) -> Built<Scale> {
        let mut scale = Scale::default();
        for pair in pairs {
            let span = self.span(&pair);
            let mut kids = Kids::of(pair);
            let place = match kids.any().as_rule() {
                Rule::w_weight => &mut scale.weight,
                Rule::w_level => &mut scale.level,
                Rule::w_discount => &mut scale.discount,
                _ => &mut scale.horizon,
            };
            if let Some(first) = place {
                return Err(Diagnostic::error("E0105", span, "this clause is given twice")
                    .with_secondary(first.span, "the first is here"));
            }
            *place = Some(self.expr(kids.next(Rule::expr))?);
        }
        Ok(scale)
    }

    fn term(&self, pair: Pair<'_, Rule>) -> Built<Term> {
        let span = self.span(&pair);
        let mut kids = Kids::of(pair);
        let amount = self.expr(kids.next(Rule::expr))?;
        let mut rest = kids.rest();
        let per = rest.next().map(|it| self.per(it)).transpose()?;
        Ok(Term { amount, per, span })
    }

    fn per(&self, pair: Pair<'_, Rule>) -> Built<Per> {
        let rule = pair.as_rule();
        if rule == Rule::per_second {
            return Ok(Per::Second(Box::new(self.per_second(pair)?)));
        }
        let mut kids = Kids::of(pair);
        let direction = match kids.peek() {
            Some(Rule::w_upcall) => Direction::Up,
            _ => Direction::Down,
        };
        if rule == Rule::per_call {
            kids.any();
        }
        let names = kids.opt(Rule::names).map(|it| Kids::of(it).rest().map(|it| self.dotted(it)).collect());
        let names: Vec<Dotted> = names.unwrap_or_default();
        Ok(match rule {
            Rule::per_message => Per::Message(names),
            Rule::per_byte => Per::Byte(names),
            Rule::per_call => Per::Call(direction, names),
            _ => Per::Handler(names),
        })
    }

    fn per_second(&self, pair: Pair<'_, Rule>) -> Built<PerSecond> {
        let mut kids = Kids::of(pair);
        let binders = kids.opt(Rule::binders).map(|it| self.binders(it)).transpose()?.unwrap_or_default();
        let during = kids.opt(Rule::during).map(|it| self.only_expr(it)).transpose()?;
        let growth = kids.opt(Rule::growing).map(|it| -> Built<Growth> {
            let inner = Kids::of(it).any();
            Ok(match inner.as_rule() {
                Rule::w_linearly => Growth::Linear,
                Rule::growing_power => Growth::Power(self.only_expr(inner)?),
                _ => Growth::Factor(self.only_expr(inner)?),
            })
        });
        Ok(PerSecond { binders, during, growth: growth.transpose()? })
    }

    /// The expression that is a rule's only child beside marks.
    fn only_expr(&self, pair: Pair<'_, Rule>) -> Built<Expr> {
        self.expr(Kids::of(pair).next(Rule::expr))
    }

    /// `system Name { .. }`
    pub fn system(&self, pair: Pair<'_, Rule>) -> Built<System> {
        let span = self.span(&pair);
        let mut kids = Kids::of(pair);
        let name = self.ident(kids.next(Rule::ident));
        let members = kids.rest().map(|it| self.system_member(it)).collect::<Built<_>>()?;
        Ok(System { doc: self.doc(span), name, members, span })
    }

    /// A member of a system.
    pub fn system_member(&self, pair: Pair<'_, Rule>) -> Built<SystemMember> {
        let span = self.span(&pair);
        Ok(match pair.as_rule() {
            Rule::parameters => SystemMember::Parameters(self.section(pair, Self::parameter)?),
            Rule::nodes => SystemMember::Nodes(self.section(pair, Self::node_group)?),
            Rule::network => SystemMember::Network(self.section(pair, Self::link)?),
            Rule::faults => SystemMember::Faults(self.section(pair, Self::fault)?),
            Rule::workload => SystemMember::Workload(self.section(pair, Self::work)?),
            Rule::horizon => SystemMember::Horizon(Horizon { value: self.only_expr(pair)?, span }),
            Rule::system_objectives => SystemMember::Objectives(self.section(pair, Self::system_objective)?),
            Rule::properties => SystemMember::Properties(self.section(pair, Self::property)?),
            Rule::check => SystemMember::Check(self.section(pair, Self::bound)?),
            rule => unreachable!("the grammar has no member {rule:?}"),
        })
    }

    /// `n[size]: Example { .. };`
    pub fn node_group(&self, pair: Pair<'_, Rule>) -> Built<NodeGroup> {
        let span = self.span(&pair);
        let mut kids = Kids::of(pair);
        let name = self.ident(kids.next(Rule::ident));
        let size = kids.opt(Rule::size).map(|it| self.only_expr(it)).transpose()?;
        let generic = kids.opt(Rule::w_generic).map(|it| self.span(&it));
        let stack = self.stack(kids.next(Rule::stack))?;
        Ok(NodeGroup { doc: self.doc(span), name, size, generic, stack, span })
    }

    /// `net: delay 1ms..40ms, loss 0.02;`
    pub fn link(&self, pair: Pair<'_, Rule>) -> Built<Link> {
        let span = self.span(&pair);
        let mut kids = Kids::of(pair);
        let carrier = self.dotted(kids.next(Rule::dotted));
        let clauses = kids.rest().map(|it| self.link_clause(it)).collect::<Built<_>>()?;
        Ok(Link { doc: self.doc(span), carrier, clauses, span })
    }

    fn link_clause(&self, pair: Pair<'_, Rule>) -> Built<LinkClause> {
        let span = self.span(&pair);
        let mut kids = Kids::of(pair);
        let word = self.ident(kids.next(Rule::ident));
        let value = kids.opt(Rule::expr).map(|it| self.expr(it)).transpose()?;
        let missing = || {
            let message = format!("`{}` needs a value", word.name);
            Diagnostic::error("E0105", word.span, message)
                .with_help(format!("for example `{}`", link_example(&word.name)))
        };
        let kind = match word.name.as_str() {
            "delay" => LinkClauseKind::Delay(value.ok_or_else(missing)?),
            "loss" => LinkClauseKind::Loss(value.ok_or_else(missing)?),
            "bandwidth" => LinkClauseKind::Bandwidth(value.ok_or_else(missing)?),
            "duplicates" => LinkClauseKind::Duplicates(value),
            "reorders" => LinkClauseKind::Reorders(value),
            other => {
                let message = format!("a link has no clause `{other}`");
                return Err(Diagnostic::error("E0104", word.span, message)
                    .with_help(format!("the clauses of a link are {LINK_CLAUSES}")));
            }
        };
        Ok(LinkClause { kind, span })
    }

    /// `crash n: at most 1, back;`
    pub fn fault(&self, pair: Pair<'_, Rule>) -> Built<Fault> {
        let span = self.span(&pair);
        let mut kids = Kids::of(pair);
        let kind = match Kids::of(kids.next(Rule::fault_kind)).any().as_rule() {
            Rule::w_crash => FaultKind::Crash,
            Rule::w_reset => FaultKind::Reset,
            Rule::w_partition => FaultKind::Partition,
            _ => FaultKind::Cut,
        };
        let target = kids.opt(Rule::target).map(|it| self.target(it)).transpose()?;
        let clauses = kids.rest().map(|it| self.fault_clause(it)).collect::<Built<_>>()?;
        Ok(Fault { doc: self.doc(span), kind, target, clauses, span })
    }

    fn target(&self, pair: Pair<'_, Rule>) -> Built<Target> {
        let span = self.span(&pair);
        let inner = Kids::of(pair).any();
        Ok(match inner.as_rule() {
            Rule::w_any => Target::Any(span),
            _ => Target::Expr(self.expr(inner)?),
        })
    }

    fn fault_clause(&self, pair: Pair<'_, Rule>) -> Built<FaultClause> {
        let span = self.span(&pair);
        let kind = match pair.as_rule() {
            Rule::at_most => FaultClauseKind::AtMost(self.only_expr(pair)?),
            Rule::rate => FaultClauseKind::Rate(self.rate(pair)?),
            Rule::chance => FaultClauseKind::Chance(self.only_expr(pair)?),
            Rule::within_clause => FaultClauseKind::Within(self.only_expr(pair)?),
            Rule::at_time => FaultClauseKind::At(self.only_expr(pair)?),
            _ => {
                let mut kids = Kids::of(pair);
                let time = |it| self.only_expr(it);
                let within = kids.opt(Rule::within_clause).map(time).transpose()?.map(Back::Within);
                let after = kids.opt(Rule::back_after).map(time).transpose()?.map(Back::After);
                FaultClauseKind::Back(within.or(after))
            }
        };
        Ok(FaultClause { kind, span })
    }

    fn rate(&self, pair: Pair<'_, Rule>) -> Built<Rate> {
        let span = self.span(&pair);
        let mut kids = Kids::of(pair);
        let amount = self.expr(kids.next(Rule::expr))?;
        let per = match Kids::of(kids.next(Rule::rate_unit)).any().as_rule() {
            Rule::w_second => RateUnit::Second,
            Rule::w_minute => RateUnit::Minute,
            _ => RateUnit::Hour,
        };
        Ok(Rate { amount, per, span })
    }

    /// `each a in n, rate 0.1 per second: call a.compact(0);`
    pub fn work(&self, pair: Pair<'_, Rule>) -> Built<Work> {
        let span = self.span(&pair);
        let mut parts: Vec<_> = Kids::of(pair).rest().collect();
        let call = parts.pop().expect("a workload ends with its call");
        let call = self.expr(call)?;
        let clauses = parts.into_iter().map(|it| self.work_clause(it)).collect::<Built<_>>()?;
        Ok(Work { doc: self.doc(span), clauses, call, span })
    }

    fn work_clause(&self, pair: Pair<'_, Rule>) -> Built<WorkClause> {
        let span = self.span(&pair);
        let kind = match pair.as_rule() {
            Rule::once => WorkClauseKind::Once,
            Rule::each => WorkClauseKind::Each(self.binders(Kids::of(pair).next(Rule::binders))?),
            Rule::at_most => WorkClauseKind::AtMost(self.only_expr(pair)?),
            Rule::rate => WorkClauseKind::Rate(self.rate(pair)?),
            Rule::at_time => WorkClauseKind::At(self.only_expr(pair)?),
            Rule::within_clause => WorkClauseKind::Within(self.only_expr(pair)?),
            _ => WorkClauseKind::AfterRestart,
        };
        Ok(WorkClause { kind, span })
    }

    /// An entry of a system's objectives.
    pub fn system_objective(&self, pair: Pair<'_, Rule>) -> Built<SystemObjective> {
        if pair.as_rule() == Rule::objective {
            return Ok(SystemObjective::Own(self.objective(pair)?));
        }
        let span = self.span(&pair);
        let mut kids = Kids::of(pair);
        let name = self.dotted(kids.next(Rule::dotted));
        let scale = self.scale(kids.all(Rule::scale))?;
        Ok(SystemObjective::Reweigh(Reweigh { name, scale, span }))
    }

    /// `crash any: at most 1;`
    pub fn bound(&self, pair: Pair<'_, Rule>) -> Built<Bound> {
        let span = self.span(&pair);
        let mut kids = Kids::of(pair);
        let key = self.ident(kids.next(Rule::ident));
        let target = kids.opt(Rule::target).map(|it| self.target(it)).transpose()?;
        let value = match kids.peek() {
            None => BoundValue::Flag,
            Some(Rule::at_most) => BoundValue::AtMost(self.only_expr(kids.any())?),
            Some(_) => BoundValue::Expr(self.expr(kids.any())?),
        };
        Ok(Bound { key, target, value, span })
    }

    /// `scenario name in System { .. }`
    pub fn scenario(&self, pair: Pair<'_, Rule>) -> Built<Scenario> {
        let span = self.span(&pair);
        let mut kids = Kids::of(pair);
        let name = self.ident(kids.next(Rule::ident));
        let system = self.ident(kids.next(Rule::ident));
        let commands = kids.rest().map(|it| self.command(it)).collect::<Built<_>>()?;
        Ok(Scenario { doc: self.doc(span), name, system, commands, span })
    }

    /// One command.
    pub fn command(&self, pair: Pair<'_, Rule>) -> Built<Command> {
        let span = self.span(&pair);
        let rule = pair.as_rule();
        let mut kids = Kids::of(pair);
        let kind = match rule {
            Rule::refuse => CommandKind::Refuse(Box::new(self.command(kids.any())?)),
            Rule::deliver => {
                let transfer = self.transfer(kids.next(Rule::transfer))?;
                CommandKind::Deliver { transfer, pin: self.pin(&mut kids)? }
            }
            Rule::drop => CommandKind::Drop(self.transfer(kids.next(Rule::transfer))?),
            Rule::duplicate => CommandKind::Duplicate(self.transfer(kids.next(Rule::transfer))?),
            Rule::fire => {
                let timer = self.dotted(kids.next(Rule::dotted));
                let args = kids.opt(Rule::call_args).map(|it| self.call_args(it)).transpose()?;
                let at = self.expr(kids.next(Rule::expr))?;
                CommandKind::Fire { timer, args, at, pin: self.pin(&mut kids)? }
            }
            Rule::crash => CommandKind::Crash(self.expr(kids.next(Rule::expr))?),
            Rule::restart => CommandKind::Restart(self.expr(kids.next(Rule::expr))?),
            Rule::reset => CommandKind::Reset(self.expr(kids.next(Rule::expr))?),
            Rule::partition => {
                let one = self.expr(kids.next(Rule::expr))?;
                CommandKind::Partition(one, self.expr(kids.next(Rule::expr))?)
            }
            Rule::cut => {
                let one = self.expr(kids.next(Rule::expr))?;
                CommandKind::Cut(one, self.expr(kids.next(Rule::expr))?)
            }
            Rule::heal => CommandKind::Heal,
            Rule::run => CommandKind::Run(match kids.peek() {
                None => RunUntil::Quiet,
                Some(Rule::run_until) => RunUntil::Holds(self.only_expr(kids.any())?),
                Some(_) => RunUntil::For(self.expr(kids.any())?),
            }),
            Rule::expect => CommandKind::Expect(self.expr(kids.next(Rule::expr))?),
            _ => {
                let call = self.expr(kids.next(Rule::expr))?;
                CommandKind::Call { call, pin: self.pin(&mut kids)? }
            }
        };
        Ok(Command { kind, span })
    }

    fn transfer(&self, pair: Pair<'_, Rule>) -> Built<Transfer> {
        let span = self.span(&pair);
        let mut kids = Kids::of(pair);
        let message = self.dotted(kids.next(Rule::dotted));
        let from = kids.opt(Rule::sender).map(|it| self.only_expr(it)).transpose()?;
        Ok(Transfer { message, from, to: self.expr(kids.next(Rule::expr))?, span })
    }

    fn pin(&self, kids: &mut Kids<'_>) -> Built<Option<Pin>> {
        let Some(pair) = kids.opt(Rule::pin) else { return Ok(None) };
        let mut kids = Kids::of(pair);
        let handler = self.dotted(kids.next(Rule::dotted));
        let mut span = handler.span;
        let choices = kids.opt(Rule::pin_choices).map(|list| -> Built<Vec<PinChoice>> {
            span = span.to(self.span(&list));
            let choices = Kids::of(list).rest().map(|choice| {
                let mut kids = Kids::of(choice);
                let name = self.dotted(kids.next(Rule::dotted));
                Ok(PinChoice { name, value: self.expr(kids.next(Rule::expr))? })
            });
            choices.collect()
        });
        let choices = choices.transpose()?;
        Ok(Some(Pin { handler, choices, span }))
    }
}

/// A clause of a link with a value.
fn link_example(word: &str) -> &'static str {
    match word {
        "delay" => "delay 1ms..40ms",
        "loss" => "loss 0.02",
        _ => "bandwidth 1_000_000",
    }
}
