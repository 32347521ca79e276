//! Refuses what the language has and this compiler does not support yet: a clear error at its place, never wrong code.

use crate::ast::{
    Ast, Direction, Growth, Item, LinkClauseKind, Member, Objective, Per, Property, PropertyKind, Scale,
    Service, System, SystemMember, SystemObjective, Transition,
};
use crate::diag::{Diagnostic, Diagnostics};
use crate::source::Span;

pub(super) fn refuse(ast: &Ast, diagnostics: &mut Diagnostics) {
    let imported = ast.imports().flat_map(|it| it.names.iter().flatten()).map(|it| it.name.name.as_str());
    let interfaces = ast.interfaces().map(|it| it.name.name.as_str()).chain(imported).collect();
    let mut refuse = Refuse { interfaces, diagnostics };
    for item in &ast.items {
        match item {
            Item::Import(it) => {
                refuse.not_yet("E0901", it.span, "imports of other specifications", "put both into one file")
            }
            Item::Interface(it) => {
                for call in it.calls.iter().filter(|call| call.direction == Direction::Down) {
                    if let Some(result) = &call.result {
                        let help = "make it a command, and answer with an upcall";
                        refuse.not_yet(
                            "E0903",
                            result.span,
                            "downcalls with a result (queries and requests)",
                            help,
                        );
                    }
                }
            }
            Item::Service(it) => refuse.service(it),
            Item::System(it) => refuse.system(it),
            Item::Scenario(it) => {
                let span = it.name.span;
                refuse.not_yet(
                    "E0909",
                    span,
                    "scenarios",
                    "`check --trace-out` keeps a run, and `replay` repeats it",
                );
            }
            Item::Rust(_) | Item::Messages(_) => {}
        }
    }
}

struct Refuse<'a, 'd> {
    interfaces: Vec<&'a str>,
    diagnostics: &'d mut Diagnostics,
}

impl Refuse<'_, '_> {
    fn not_yet(&mut self, code: &'static str, span: Span, what: &str, help: &str) {
        let found = Diagnostic::error(code, span, format!("not yet supported: {what}"));
        self.diagnostics.push(
            found.with_label("part of the language, but this compiler cannot do it yet").with_help(help),
        );
    }

    fn service(&mut self, service: &Service) {
        for member in &service.members {
            match member {
                Member::Provides(it) if it.by.is_some() => {
                    self.not_yet(
                        "E0902",
                        it.span,
                        "passing an interface through to a lower layer",
                        "leave it out",
                    );
                }
                // An interface that is not there is another mistake.
                Member::Uses(it) if self.interfaces.contains(&it.interface.name.as_str()) => {
                    let help = "a service can use `Reliable`, `Datagram` and `Secure`; put both services' parts into one";
                    self.not_yet("E0902", it.span, "layers below a service", help);
                }
                Member::Transitions(section) => self.transitions(&section.entries),
                Member::Properties(section) => section.entries.iter().for_each(|it| self.property(it)),
                Member::Objectives(section) => section.entries.iter().for_each(|it| self.objective(it)),
                _ => {}
            }
        }
    }

    fn transitions(&mut self, transitions: &[Transition]) {
        for transition in transitions {
            match transition {
                Transition::Handler(it) => {
                    if it.kind == crate::ast::HandlerKind::Aspect {
                        let help = "do it where the variable changes, in a routine";
                        self.not_yet("E0904", it.event.span, "aspects", help);
                    }
                }
                Transition::In(group) => self.transitions(&group.transitions),
                Transition::First(group) => self.transitions(&group.transitions),
                Transition::Ignore(_) => {}
            }
        }
    }

    fn property(&mut self, property: &Property) {
        match property.kind {
            PropertyKind::Liveness => {
                let help =
                    "state as `reachable` that it can come true, or as `safety` what must hold meanwhile";
                self.not_yet("E0905", property.name.span, "liveness properties", help);
            }
            PropertyKind::Statistical => {
                let help = "`simulate` reports objectives and properties over many runs";
                self.not_yet("E0906", property.name.span, "statistical properties", help);
            }
            PropertyKind::Safety | PropertyKind::Local | PropertyKind::Reachable => {}
        }
    }

    fn objective(&mut self, objective: &Objective) {
        self.scale(&objective.scale);
        for term in &objective.terms {
            match &term.per {
                Some(Per::Call(..)) => {
                    self.not_yet(
                        "E0913",
                        term.span,
                        "terms per upcall or downcall",
                        "count them in a `ghost` variable",
                    );
                }
                Some(Per::Handler(_)) => {
                    self.not_yet("E0913", term.span, "terms per handler", "count them in a `ghost` variable");
                }
                Some(Per::Second(second)) => {
                    let span = match &second.growth {
                        None => continue,
                        Some(Growth::Linear) => term.span,
                        Some(Growth::Power(by) | Growth::Factor(by)) => by.span,
                    };
                    self.not_yet("E0911", span, "growing rates", "use a constant rate");
                }
                _ => {}
            }
        }
    }

    fn scale(&mut self, scale: &Scale) {
        if let Some(discount) = &scale.discount {
            self.not_yet(
                "E0911",
                discount.span,
                "discounts",
                "leave it out, or shorten the horizon of the system",
            );
        }
        if let Some(horizon) = &scale.horizon {
            self.not_yet(
                "E0911",
                horizon.span,
                "the horizon of one objective",
                "set the horizon of the system",
            );
        }
    }

    fn system(&mut self, system: &System) {
        for member in &system.members {
            match member {
                SystemMember::Faults(section) => {
                    let help = "losses and doublings are there: `network { net: loss 0.01; }`, `check { drop: at most 1; }`";
                    self.not_yet("E0907", keyword(section.span, "faults"), "faults", help);
                }
                SystemMember::Workload(section) => {
                    let help = "let `upcall start()` or a timer begin the work";
                    self.not_yet("E0908", keyword(section.span, "workload"), "workloads", help);
                }
                SystemMember::Properties(section) => section.entries.iter().for_each(|it| self.property(it)),
                SystemMember::Objectives(section) => {
                    for entry in &section.entries {
                        match entry {
                            SystemObjective::Own(it) => self.objective(it),
                            SystemObjective::Reweigh(it) => self.scale(&it.scale),
                        }
                    }
                }
                SystemMember::Network(section) => {
                    for clause in section.entries.iter().flat_map(|it| &it.clauses) {
                        match &clause.kind {
                            LinkClauseKind::Bandwidth(_) => {
                                self.not_yet("E0912", clause.span, "bandwidth", "model it as a delay");
                            }
                            LinkClauseKind::Reorders(Some(_)) => {
                                self.not_yet(
                                    "E0912",
                                    clause.span,
                                    "a probability of overtaking",
                                    "write `reorders` alone",
                                );
                            }
                            _ => {}
                        }
                    }
                }
                SystemMember::Check(_)
                | SystemMember::Parameters(_)
                | SystemMember::Nodes(_)
                | SystemMember::Horizon(_) => {}
            }
        }
    }
}

/// The keyword at the start of a section.
fn keyword(section: Span, word: &str) -> Span {
    Span::new(section.start, (section.start + word.len() as u32).min(section.end))
}
