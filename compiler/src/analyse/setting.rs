//! Where a service runs: in which systems of the file, whether they crash it, and whether a check of them is bounded.

use std::collections::{BTreeMap, BTreeSet};

use crate::ast::{Ast, CommandKind, Fault, FaultClauseKind, FaultKind, System, SystemMember, Target};
use crate::source::SourceFile;

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

/// Which names stand where in a file: looked up for each service, and gathered once.
pub struct Settings<'a> {
    ast: &'a Ast,
    file: &'a SourceFile,
    /// By a name, the services that have it in the defaults of their layers.
    above: BTreeMap<&'a str, BTreeSet<&'a str>>,
    /// By a name, the systems and their groups that have it in their stacks, by their places.
    groups: BTreeMap<&'a str, BTreeSet<(usize, usize)>>,
}

impl<'a> Settings<'a> {
    /// Those of a file.
    pub fn of(ast: &'a Ast, file: &'a SourceFile) -> Self {
        let (mut above, mut groups) = (BTreeMap::new(), BTreeMap::new());
        for service in ast.services() {
            for stack in service.uses().filter_map(|it| it.default.as_ref()) {
                for name in words(file.slice(stack.span)) {
                    let services: &mut BTreeSet<&str> = above.entry(name).or_default();
                    services.insert(service.name.name.as_str());
                }
            }
        }
        for (at, system) in ast.systems().enumerate() {
            for (group, nodes) in system.nodes().enumerate() {
                for name in words(file.slice(nodes.stack.span)) {
                    let places: &mut BTreeSet<(usize, usize)> = groups.entry(name).or_default();
                    places.insert((at, group));
                }
            }
        }
        Settings { ast, file, above, groups }
    }

    /// The systems that run the service of that name.
    pub fn running(&self, service: &'a str) -> Vec<Setting<'a>> {
        let mut found: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
        for name in self.with_above(service) {
            for (system, group) in self.groups.get(name).into_iter().flatten() {
                found.entry(*system).or_default().insert(*group);
            }
        }
        let systems: Vec<&System> = if found.is_empty() { Vec::new() } else { self.ast.systems().collect() };
        found.into_iter().map(|(system, groups)| self.setting(systems[system], &groups)).collect()
    }

    fn setting(&self, system: &'a System, places: &BTreeSet<usize>) -> Setting<'a> {
        let groups: Vec<_> =
            system.nodes().enumerate().filter(|(at, _)| places.contains(at)).map(|(_, it)| it).collect();
        let hits = |fault: &&Fault| match &fault.target {
            None | Some(Target::Any(_)) => true,
            Some(Target::Expr(expr)) => words(self.file.slice(expr.span))
                .any(|word| groups.iter().any(|group| group.name.name == word)),
        };
        let stops = |fault: &&Fault| matches!(fault.kind, FaultKind::Crash | FaultKind::Reset);
        let back = |fault: &Fault| {
            fault.kind == FaultKind::Reset
                || fault.clauses.iter().any(|it| matches!(it.kind, FaultClauseKind::Back(_)))
        };
        let faults: Vec<&Fault> = system.faults().filter(stops).filter(hits).collect();
        let commands =
            self.ast.scenarios().filter(|it| it.system.name == system.name.name).flat_map(|it| &it.commands);
        let commands: Vec<&CommandKind> = commands.map(|it| &it.kind).collect();
        let scripted = commands.iter().any(|it| matches!(it, CommandKind::Crash(_) | CommandKind::Reset(_)));
        let restarted =
            commands.iter().any(|it| matches!(it, CommandKind::Restart(_) | CommandKind::Reset(_)));
        let one = |text: &str| text.trim() == "1";
        let several =
            groups.iter().any(|it| it.size.as_ref().is_some_and(|size| !one(self.file.slice(size.span))));
        Setting {
            system,
            several,
            crashes: !faults.is_empty() || scripted,
            comes_back: faults.iter().any(|it| back(it)) || restarted,
        }
    }

    /// The service and those that have it, or one that has it, as a layer below where a system says nothing else.
    fn with_above(&self, service: &'a str) -> BTreeSet<&'a str> {
        let (mut found, mut work) = (BTreeSet::from([service]), vec![service]);
        while let Some(name) = work.pop() {
            let services = self.above.get(name).into_iter().flatten();
            work.extend(services.filter(|it| found.insert(**it)).copied());
        }
        found
    }
}

/// The words of a text.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|it| !it.is_empty())
}
