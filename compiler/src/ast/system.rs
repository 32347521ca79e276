//! The part of the tree below `system` and `scenario`. See `ast.rs` for the conventions.

use super::{Binders, Doc, Dotted, Expr, Ident, Objective, Parameter, Property, Scale, Section, Stack};
use crate::source::Span;

/// `system Name { .. }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct System {
    /// The documentation.
    pub doc: Doc,
    /// The name.
    pub name: Ident,
    /// What stands in it, in file order; a section may stand there more than once.
    pub members: Vec<SystemMember>,
    /// The whole.
    pub span: Span,
}

/// A member of a system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SystemMember {
    /// `parameters { .. }`
    Parameters(Section<Parameter>),
    /// `nodes { .. }`
    Nodes(Section<NodeGroup>),
    /// `network { .. }`
    Network(Section<Link>),
    /// `faults { .. }`
    Faults(Section<Fault>),
    /// `workload { .. }`
    Workload(Section<Work>),
    /// `horizon 600s;`
    Horizon(Horizon),
    /// `objectives { .. }`
    Objectives(Section<SystemObjective>),
    /// `properties { .. }`
    Properties(Section<Property>),
    /// `check { .. }`
    Check(Section<Bound>),
}

impl SystemMember {
    /// The whole member.
    pub fn span(&self) -> Span {
        match self {
            SystemMember::Parameters(it) => it.span,
            SystemMember::Nodes(it) => it.span,
            SystemMember::Network(it) => it.span,
            SystemMember::Faults(it) => it.span,
            SystemMember::Workload(it) => it.span,
            SystemMember::Horizon(it) => it.span,
            SystemMember::Objectives(it) => it.span,
            SystemMember::Properties(it) => it.span,
            SystemMember::Check(it) => it.span,
        }
    }
}

/// Generates one accessor that flattens all sections of a kind.
macro_rules! sections {
    ($($(#[$doc:meta])* $name:ident: $variant:ident -> $entry:ty;)*) => {
        $($(#[$doc])*
        pub fn $name(&self) -> impl Iterator<Item = &$entry> {
            let sections = self.members.iter().filter_map(|member| match member {
                SystemMember::$variant(section) => Some(section),
                _ => None,
            });
            sections.flat_map(|section| &section.entries)
        })*
    };
}

impl System {
    sections! {
        /// The parameters of all sections.
        parameters: Parameters -> Parameter;
        /// The groups of nodes of all sections.
        nodes: Nodes -> NodeGroup;
        /// The links of all sections.
        network: Network -> Link;
        /// The faults of all sections.
        faults: Faults -> Fault;
        /// The workload of all sections.
        workload: Workload -> Work;
        /// The objectives of all sections.
        objectives: Objectives -> SystemObjective;
        /// The properties of all sections.
        properties: Properties -> Property;
        /// The bounds of all sections.
        check: Check -> Bound;
    }

    /// The horizons; more than one is a mistake.
    pub fn horizons(&self) -> impl Iterator<Item = &Horizon> {
        self.members.iter().filter_map(|it| if let SystemMember::Horizon(it) = it { Some(it) } else { None })
    }
}

/// `n[size]: Example { members: n };` or `extra: Example;`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeGroup {
    /// The documentation.
    pub doc: Doc,
    /// The name of the group.
    pub name: Ident,
    /// How many; `None` is a single node, whose name is an id and not a group.
    pub size: Option<Expr>,
    /// Where `generic` stands: nothing is known of these nodes but what the service says that they may send.
    pub generic: Option<Span>,
    /// The service with its arguments and lower layers.
    pub stack: Stack,
    /// The whole.
    pub span: Span,
}

/// `net: delay 1ms..40ms, loss 0.02, duplicates, reorders;`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The documentation.
    pub doc: Doc,
    /// The carrier, through layers where it is a lower one's: `tree.net`.
    pub carrier: Dotted,
    /// What it does.
    pub clauses: Vec<LinkClause>,
    /// The whole.
    pub span: Span,
}

/// One clause of a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkClause {
    /// What it is.
    pub kind: LinkClauseKind,
    /// The whole.
    pub span: Span,
}

/// What a link does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkClauseKind {
    /// `delay 1ms..40ms`, `delay exponential(20ms)`
    Delay(Expr),
    /// `loss 0.02`
    Loss(Expr),
    /// `duplicates`, `duplicates 0.01`
    Duplicates(Option<Expr>),
    /// `reorders`, `reorders 0.1`
    Reorders(Option<Expr>),
    /// `bandwidth 1_000_000`, bytes per second.
    Bandwidth(Expr),
}

/// `crash n: at most 1, rate 0.001 per second, back within 1s..5s;`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The documentation.
    pub doc: Doc,
    /// The kind.
    pub kind: FaultKind,
    /// Whom it may hit; none is anyone.
    pub target: Option<Target>,
    /// How often, when, for how long.
    pub clauses: Vec<FaultClause>,
    /// The whole.
    pub span: Span,
}

/// The kinds of faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FaultKind {
    /// A node stops.
    Crash,
    /// A node stops and starts again at once; peers learn of it at their next send.
    Reset,
    /// Nodes are cut off from the others.
    Partition,
    /// A connection breaks.
    Cut,
}

impl FaultKind {
    /// The keyword.
    pub const fn word(self) -> &'static str {
        match self {
            FaultKind::Crash => "crash",
            FaultKind::Reset => "reset",
            FaultKind::Partition => "partition",
            FaultKind::Cut => "cut",
        }
    }
}

/// Whom a fault or a bound is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// `any`, and where it stands.
    Any(Span),
    /// A node, a group, or a set such as `n[3].(children)*`.
    Expr(Expr),
}

/// One clause of a fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultClause {
    /// What it is.
    pub kind: FaultClauseKind,
    /// The whole.
    pub span: Span,
}

/// How often and when a fault comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultClauseKind {
    /// `at most 1`
    AtMost(Expr),
    /// `rate 0.001 per second`
    Rate(Rate),
    /// `chance 0.1`: once a run, with that probability.
    Chance(Expr),
    /// `at 60s`
    At(Expr),
    /// `within 0s..30s`: at some moment of that range.
    Within(Expr),
    /// `back`, `back after 3s`, `back within 1s..5s`: the node returns, or the partition heals.
    Back(Option<Back>),
}

/// When a fault is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Back {
    /// `after 3s`
    After(Expr),
    /// `within 5s`, `within 1s..5s`
    Within(Expr),
}

/// `0.001 per second`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many.
    pub amount: Expr,
    /// In what time.
    pub per: RateUnit,
    /// The whole.
    pub span: Span,
}

/// The time that a rate speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RateUnit {
    /// `per second`
    Second,
    /// `per minute`
    Minute,
    /// `per hour`
    Hour,
}

impl RateUnit {
    /// The keyword.
    pub const fn word(self) -> &'static str {
        match self {
            RateUnit::Second => "second",
            RateUnit::Minute => "minute",
            RateUnit::Hour => "hour",
        }
    }
}

/// `once each a in n, within 0s..30s: call a.join([n[0]]);`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Work {
    /// The documentation.
    pub doc: Doc,
    /// Who, how often, when.
    pub clauses: Vec<WorkClause>,
    /// The call, a method call on a node.
    pub call: Expr,
    /// The whole.
    pub span: Span,
}

/// One clause of a workload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkClause {
    /// What it is.
    pub kind: WorkClauseKind,
    /// The whole.
    pub span: Span,
}

/// Who calls, how often and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WorkClauseKind {
    /// `once`
    Once,
    /// `each a in n`
    Each(Binders),
    /// `at most 2`
    AtMost(Expr),
    /// `rate 0.1 per second`
    Rate(Rate),
    /// `at 0s`
    At(Expr),
    /// `within 0s..30s`
    Within(Expr),
    /// `after restart`: again whenever the node has come back.
    AfterRestart,
}

/// `horizon 600s;`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Horizon {
    /// How long a simulation or prediction runs.
    pub value: Expr,
    /// The whole.
    pub span: Span,
}

/// An entry of a system's objectives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SystemObjective {
    /// `tree.depth weight 0.5;`: an objective of a service, weighed anew.
    Reweigh(Reweigh),
    /// An objective of the system's own.
    Own(Objective),
}

/// `tree.depth weight 0.5;`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reweigh {
    /// The objective.
    pub name: Dotted,
    /// The new weight, level and so on; at least one is given.
    pub scale: Scale,
    /// The whole.
    pub span: Span,
}

/// `depth: 40;`, `crash any: at most 1;`, `within: forall a in n: a.term <= 2;`, `timed;`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    /// What is bounded; the checker knows which words mean something.
    pub key: Ident,
    /// Whose.
    pub target: Option<Target>,
    /// The value.
    pub value: BoundValue,
    /// The whole.
    pub span: Span,
}

/// The value of a bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BoundValue {
    /// `key;`
    Flag,
    /// `key: at most 2;`
    AtMost(Expr),
    /// `key: 40;`
    Expr(Expr),
}

/// `scenario name in System { .. }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scenario {
    /// The documentation.
    pub doc: Doc,
    /// The name.
    pub name: Ident,
    /// The system.
    pub system: Ident,
    /// The commands in order.
    pub commands: Vec<Command>,
    /// The whole.
    pub span: Span,
}

/// One command of a scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// What it is.
    pub kind: CommandKind,
    /// The whole, with the semicolon.
    pub span: Span,
}

/// The commands of scenarios.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommandKind {
    /// `n[0].append(Command(1)) [as pick(to: n[1])];`: the application calls.
    Call {
        /// The call.
        call: Expr,
        /// The handler and its choices.
        pin: Option<Pin>,
    },
    /// `deliver Add [from n[0]] to n[1] [as pass(child: n[2])];`
    Deliver {
        /// Which message.
        transfer: Transfer,
        /// The handler and its choices.
        pin: Option<Pin>,
    },
    /// `drop Added to n[0];`
    Drop(Transfer),
    /// `duplicate Added to n[0];`
    Duplicate(Transfer),
    /// `fire retry at n[0] [as ..];`
    Fire {
        /// The timer, through layers where it is a lower one's.
        timer: Dotted,
        /// Its arguments.
        args: Option<Vec<Expr>>,
        /// The node.
        at: Expr,
        /// The handler and its choices.
        pin: Option<Pin>,
    },
    /// `crash n[2];`
    Crash(Expr),
    /// `restart n[2];`
    Restart(Expr),
    /// `reset n[2];`
    Reset(Expr),
    /// `partition [n[0]] from [n[1], n[2]];`
    Partition(Expr, Expr),
    /// `cut n[0] from n[1];`: the connection breaks.
    Cut(Expr, Expr),
    /// `heal;`
    Heal,
    /// `run;`, `run 10s;`, `run until P;`
    Run(RunUntil),
    /// `refuse COMMAND;`: the command within must not be possible.
    Refuse(Box<Command>),
    /// `expect P;`
    Expect(Expr),
}

/// Which message a command is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// The message, through layers where it is a lower one's.
    pub message: Dotted,
    /// The sender.
    pub from: Option<Expr>,
    /// The receiver.
    pub to: Expr,
    /// From the message to the receiver.
    pub span: Span,
}

/// `as pass(child: n[2])`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pin {
    /// The handler.
    pub handler: Dotted,
    /// The choices by name; `None` where no parentheses are written.
    pub choices: Option<Vec<PinChoice>>,
    /// The whole, without `as`.
    pub span: Span,
}

/// `child: n[2]`, `pick.to: n[2]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PinChoice {
    /// The name of the choice, with that of the routine before it where a routine makes it.
    pub name: Dotted,
    /// What is chosen.
    pub value: Expr,
}

/// How far to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunUntil {
    /// Until nothing happens any more.
    Quiet,
    /// For a time.
    For(Expr),
    /// Until something holds.
    Holds(Expr),
}
