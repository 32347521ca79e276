//! Where a service runs: in which systems of the file, whether they crash it, and whether a check of them is bounded.

use std::collections::BTreeSet;

use crate::ast::{Ast, CommandKind, Fault, FaultClauseKind, FaultKind, System, SystemMember, Target};
use crate::source::{SourceFile, Span};

/// A system that runs a service.
pub struct Setting<'a> {
    /// The system.
    pub system: &'a System,
    /// Whether it, or a scenario in it, crashes nodes that run the service.
    pub crashes: bool,
    /// Whether such a node comes back.
    pub comes_back: bool,
    /// Whether a group of it may have more than one such node.
    pub several: bool,
}

impl Setting<'_> {
    /// Whether a check of the system ends on states that get ever larger, or is not meant: a system with a horizon and
    /// without `check` is simulated.
    pub fn is_bounded(&self) -> bool {
        let bounds = || self.system.check().any(|it| matches!(it.key.name.as_str(), "depth" | "within"));
        let simulated = self.system.horizons().next().is_some()
            && !self.system.members.iter().any(|it| matches!(it, SystemMember::Check(_)));
        bounds() || simulated
    }
}

/// The systems of a file that run the service of that name.
pub fn settings<'a>(ast: &'a Ast, file: &SourceFile, service: &str) -> Vec<Setting<'a>> {
    let services = above(ast, file, service);
    let runs = |span: Span| services.iter().any(|name| mentions(file.slice(span), name));
    let mut settings = Vec::new();
    for system in ast.systems() {
        let groups: Vec<&str> =
            system.nodes().filter(|it| runs(it.stack.span)).map(|it| it.name.name.as_str()).collect();
        if groups.is_empty() {
            continue;
        }
        let hits = |fault: &&Fault| match &fault.target {
            None | Some(Target::Any(_)) => true,
            Some(Target::Expr(expr)) => groups.iter().any(|group| mentions(file.slice(expr.span), group)),
        };
        let stops = |fault: &&Fault| matches!(fault.kind, FaultKind::Crash | FaultKind::Reset);
        let back = |fault: &Fault| {
            fault.kind == FaultKind::Reset
                || fault.clauses.iter().any(|it| matches!(it.kind, FaultClauseKind::Back(_)))
        };
        let faults: Vec<&Fault> = system.faults().filter(stops).filter(hits).collect();
        let commands =
            ast.scenarios().filter(|it| it.system.name == system.name.name).flat_map(|it| &it.commands);
        let commands: Vec<&CommandKind> = commands.map(|it| &it.kind).collect();
        let scripted = commands.iter().any(|it| matches!(it, CommandKind::Crash(_) | CommandKind::Reset(_)));
        let restarted =
            commands.iter().any(|it| matches!(it, CommandKind::Restart(_) | CommandKind::Reset(_)));
        let one = |text: &str| text.trim() == "1";
        let several = system
            .nodes()
            .filter(|it| runs(it.stack.span))
            .any(|it| it.size.as_ref().is_some_and(|size| !one(file.slice(size.span))));
        settings.push(Setting {
            system,
            several,
            crashes: !faults.is_empty() || scripted,
            comes_back: faults.iter().any(|it| back(it)) || restarted,
        });
    }
    settings
}

/// The service and those that have it, or one that has it, as a layer below where a system says nothing else.
fn above<'a>(ast: &'a Ast, file: &SourceFile, service: &'a str) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::from([service]);
    loop {
        let before = found.len();
        for other in ast.services() {
            let defaults = other.uses().filter_map(|it| it.default.as_ref());
            for stack in defaults {
                if found.iter().any(|name| mentions(file.slice(stack.span), name)) {
                    found.insert(&other.name.name);
                }
            }
        }
        if found.len() == before {
            return found;
        }
    }
}

/// Whether a text has this word.
fn mentions(text: &str, word: &str) -> bool {
    let boundary = |c: Option<char>| !c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    text.match_indices(word).any(|(at, _)| {
        boundary(text[..at].chars().next_back()) && boundary(text[at + word.len()..].chars().next())
    })
}
