//! The part of the tree below `service`. See `ast.rs` for the conventions.

use super::{
    Allow, Direction, Doc, Dotted, Expr, FairChoice, Fragment, Ident, Messages, Param, Path, Property,
    Sendable, Stack,
};
use crate::source::Span;

/// `service Name { .. }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// The documentation.
    pub doc: Doc,
    /// The name.
    pub name: Ident,
    /// What stands in it, in file order; a section may stand there more than once.
    pub members: Vec<Member>,
    /// The whole.
    pub span: Span,
}

/// A member of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Member {
    /// `provides Log;`
    Provides(Provides),
    /// `uses net: Reliable;`
    Uses(Uses),
    /// `const HOPS_MAX: u8 = 16;`
    Const(Const),
    /// `parameters { .. }`
    Parameters(Section<Parameter>),
    /// `states { .. }`
    States(Section<State>),
    /// `variables { .. }`
    Variables(Section<Variable>),
    /// `messages [over carrier] { .. }`
    Messages(Messages),
    /// `timers { .. }`
    Timers(Section<Timer>),
    /// `transitions { .. }`
    Transitions(Section<Transition>),
    /// `routines { .. }`
    Routines(Section<Routine>),
    /// `properties { .. }`
    Properties(Section<Property>),
    /// `objectives { .. }`
    Objectives(Section<Objective>),
    /// `generic { .. }`
    Generic(Section<Sendable>),
    /// `fair choice ..;`
    Fair(FairChoice),
    /// `allow ..;`
    Allow(Allow),
}

impl Member {
    /// The whole member.
    pub fn span(&self) -> Span {
        match self {
            Member::Provides(it) => it.span,
            Member::Uses(it) => it.span,
            Member::Const(it) => it.span,
            Member::Parameters(it) => it.span,
            Member::States(it) => it.span,
            Member::Variables(it) => it.span,
            Member::Messages(it) => it.span,
            Member::Timers(it) => it.span,
            Member::Transitions(it) => it.span,
            Member::Routines(it) => it.span,
            Member::Properties(it) => it.span,
            Member::Objectives(it) => it.span,
            Member::Generic(it) => it.span,
            Member::Fair(it) => it.span,
            Member::Allow(it) => it.span,
        }
    }
}

/// `keyword { entries }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section<T> {
    /// The entries in file order.
    pub entries: Vec<T>,
    /// From the keyword to the closing brace.
    pub span: Span,
}

/// Generates one accessor that flattens all sections of a kind.
macro_rules! sections {
    ($($(#[$doc:meta])* $name:ident: $variant:ident -> $entry:ty;)*) => {
        $($(#[$doc])*
        pub fn $name(&self) -> impl Iterator<Item = &$entry> {
            let sections = self.members.iter().filter_map(|member| match member {
                Member::$variant(section) => Some(section),
                _ => None,
            });
            sections.flat_map(|section| &section.entries)
        })*
    };
}

impl Service {
    sections! {
        /// The parameters of all sections.
        parameters: Parameters -> Parameter;
        /// The control states of all sections; a node starts in the first.
        states: States -> State;
        /// The variables of all sections.
        variables: Variables -> Variable;
        /// The timers of all sections.
        timers: Timers -> Timer;
        /// The transitions of all sections, groups not opened.
        transitions: Transitions -> Transition;
        /// The routines of all sections.
        routines: Routines -> Routine;
        /// The properties of all sections.
        properties: Properties -> Property;
        /// The objectives of all sections.
        objectives: Objectives -> Objective;
        /// What a generic node may send, of all sections.
        generic: Generic -> Sendable;
    }

    /// The interfaces provided.
    pub fn provides(&self) -> impl Iterator<Item = &Provides> {
        self.members.iter().filter_map(|it| if let Member::Provides(it) = it { Some(it) } else { None })
    }

    /// The interfaces used.
    pub fn uses(&self) -> impl Iterator<Item = &Uses> {
        self.members.iter().filter_map(|it| if let Member::Uses(it) = it { Some(it) } else { None })
    }

    /// The choices declared fair.
    pub fn fair(&self) -> impl Iterator<Item = &FairChoice> {
        self.members.iter().filter_map(|it| if let Member::Fair(it) = it { Some(it) } else { None })
    }

    /// The warnings allowed in it.
    pub fn allows(&self) -> impl Iterator<Item = &Allow> {
        self.members.iter().filter_map(|it| if let Member::Allow(it) = it { Some(it) } else { None })
    }

    /// The constants.
    pub fn consts(&self) -> impl Iterator<Item = &Const> {
        self.members.iter().filter_map(|it| if let Member::Const(it) = it { Some(it) } else { None })
    }

    /// The sections of messages, each with its carrier.
    pub fn messages(&self) -> impl Iterator<Item = &Messages> {
        self.members.iter().filter_map(|it| if let Member::Messages(it) = it { Some(it) } else { None })
    }
}

/// `provides Tree [by tree];`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provides {
    /// The interface, with the file that declares it before it where that is imported as a whole.
    pub interface: Path,
    /// The lower layer that answers in this service's place.
    pub by: Option<Ident>,
    /// The whole.
    pub span: Span,
}

/// `uses tree: Tree [= RandTree { max_children: 2 }];`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uses {
    /// The documentation.
    pub doc: Doc,
    /// The name of the layer.
    pub name: Ident,
    /// The interface, with the file that declares it before it where that is imported as a whole.
    pub interface: Path,
    /// The service bound where a system says nothing else.
    pub default: Option<Stack>,
    /// The whole.
    pub span: Span,
}

/// `const HOPS_MAX: u8 = 16;`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Const {
    /// The documentation.
    pub doc: Doc,
    /// The name.
    pub name: Ident,
    /// The type.
    pub ty: Fragment,
    /// The value, a Rust expression in which durations such as `5s` may stand.
    pub value: Fragment,
    /// The whole.
    pub span: Span,
}

/// `patience: Duration = 1s;`, in a service or a system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// The documentation.
    pub doc: Doc,
    /// The name.
    pub name: Ident,
    /// The type.
    pub ty: Fragment,
    /// The value where none is given; without it one must be given.
    pub default: Option<Fragment>,
    /// The whole.
    pub span: Span,
}

/// A control state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// The documentation.
    pub doc: Doc,
    /// The name.
    pub name: Ident,
}

/// `durable term: u64 = 0;`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// The documentation.
    pub doc: Doc,
    /// The modifiers as written.
    pub modifiers: Vec<Modifier>,
    /// The name.
    pub name: Ident,
    /// The type.
    pub ty: Fragment,
    /// The initial value; none is `Default`.
    pub initial: Option<Fragment>,
    /// The whole, modifiers included.
    pub span: Span,
}

impl Variable {
    /// Whether a modifier is among those written.
    pub fn is(&self, kind: ModifierKind) -> bool {
        self.modifiers.iter().any(|modifier| modifier.kind == kind)
    }
}

/// A modifier of a variable and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Modifier {
    /// Which one.
    pub kind: ModifierKind,
    /// Where it stands.
    pub span: Span,
}

/// The modifiers of variables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ModifierKind {
    /// On disk before the messages of its step leave.
    Durable,
    /// Neighbours' models may know it.
    Export,
    /// Never leaves the node.
    Secret,
    /// For properties alone; survives crashes.
    Ghost,
}

impl ModifierKind {
    /// The keyword.
    pub const fn word(self) -> &'static str {
        match self {
            ModifierKind::Durable => "durable",
            ModifierKind::Export => "export",
            ModifierKind::Secret => "secret",
            ModifierKind::Ghost => "ghost",
        }
    }
}

/// `resend(slot: Slot);` or `beat every EXPR;`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timer {
    /// The documentation.
    pub doc: Doc,
    /// The name.
    pub name: Ident,
    /// The arguments; one timer may be pending for each value of them.
    pub params: Vec<Param>,
    /// The Rust expression after `every`, evaluated at each arming.
    pub every: Option<Fragment>,
    /// The whole.
    pub span: Span,
}

/// What stands in `transitions`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transition {
    /// A handler.
    Handler(Handler),
    /// `in Idle | Leading { .. }`
    In(StateGroup),
    /// `first { .. }`
    First(FirstGroup),
    /// `ignore deliver(_, Bye) in Idle;`
    Ignore(Ignore),
}

impl Transition {
    /// The whole.
    pub fn span(&self) -> Span {
        match self {
            Transition::Handler(it) => it.span,
            Transition::In(it) => it.span,
            Transition::First(it) => it.span,
            Transition::Ignore(it) => it.span,
        }
    }
}

/// `in STATES { .. }`: states for several transitions. A handler inside may narrow them further.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateGroup {
    /// The states.
    pub states: States,
    /// What stands inside.
    pub transitions: Vec<Transition>,
    /// The whole.
    pub span: Span,
}

/// `first { .. }`: of those that apply the first in file order runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirstGroup {
    /// What stands inside.
    pub transitions: Vec<Transition>,
    /// The whole.
    pub span: Span,
}

/// `ignore [KIND] EVENT [in STATES];`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ignore {
    /// The kind, where it is written.
    pub kind: Option<HandlerKind>,
    /// The event.
    pub event: Event,
    /// The states; none is every state.
    pub states: Option<States>,
    /// The whole.
    pub span: Span,
}

/// `Joining | Joined`, after `in`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct States {
    /// The names, at least one.
    pub names: Vec<Ident>,
    /// The whole, without `in`.
    pub span: Span,
}

/// `KIND [NAME:] EVENT [in STATES] [choose x in SET]* [when GUARD | otherwise] { BODY }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handler {
    /// The documentation.
    pub doc: Doc,
    /// The kind.
    pub kind: HandlerKind,
    /// Where the word of the kind stands.
    pub kind_span: Span,
    /// The name before the colon.
    pub name: Option<Ident>,
    /// The event.
    pub event: Event,
    /// The states of the handler's own `in` clause; those of groups around it come in addition.
    pub states: Option<States>,
    /// The `choose` clauses.
    pub chooses: Vec<Choose>,
    /// The condition.
    pub guard: Option<Guard>,
    /// The block, with its braces.
    pub body: Fragment,
    /// The whole.
    pub span: Span,
}

impl Handler {
    /// The head: all but the body.
    pub fn head_span(&self) -> Span {
        Span::new(self.span.start, self.body.span.start.max(self.span.start))
    }
}

/// The kinds of handlers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HandlerKind {
    /// A call from above.
    Downcall,
    /// A call from below, a message, a start, a broken connection.
    Upcall,
    /// A timer.
    Scheduler,
    /// A variable that changed.
    Aspect,
}

impl HandlerKind {
    /// The keyword.
    pub const fn word(self) -> &'static str {
        match self {
            HandlerKind::Downcall => "downcall",
            HandlerKind::Upcall => "upcall",
            HandlerKind::Scheduler => "scheduler",
            HandlerKind::Aspect => "aspect",
        }
    }
}

/// `deliver(src, Join { joiner, .. })`, `tree.moved(_)`, `retry`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The layer before the dot.
    pub layer: Option<Ident>,
    /// The name.
    pub name: Ident,
    /// The arguments; `None` where no parentheses are written.
    pub args: Option<Vec<Arg>>,
    /// The whole.
    pub span: Span,
}

/// An argument of an event: a Rust pattern, with a type if the author likes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arg {
    /// The pattern.
    pub pattern: Fragment,
    /// The type.
    pub ty: Option<Fragment>,
}

/// `choose x in SET`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choose {
    /// The name of the chosen.
    pub name: Ident,
    /// The Rust expression of the set.
    pub set: Fragment,
    /// The whole.
    pub span: Span,
}

/// What decides whether a handler applies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Guard {
    /// `when EXPR`: a Rust expression.
    When(Fragment),
    /// `otherwise`, and where it stands.
    Otherwise(Span),
}

/// `fn majority() -> usize { .. }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Routine {
    /// The name.
    pub name: Ident,
    /// From `fn` to before the body.
    pub signature: Fragment,
    /// The block, with its braces.
    pub body: Fragment,
    /// The whole function, with attributes and the `///` comments before it.
    pub fragment: Fragment,
}

/// `minimize waiting: 0.2 per second for n in nodes while P growing by 1.1 weight 2.0;`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Objective {
    /// The documentation.
    pub doc: Doc,
    /// Up or down.
    pub goal: Goal,
    /// The name.
    pub name: Ident,
    /// The terms, which add up.
    pub terms: Vec<Term>,
    /// Weight, level and the rest.
    pub scale: Scale,
    /// The whole.
    pub span: Span,
}

/// Whether less or more is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Goal {
    /// Less is better.
    Minimize,
    /// More is better.
    Maximize,
}

/// How an objective counts among others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scale {
    /// `weight 2.0`
    pub weight: Option<Expr>,
    /// `level 2`: after all of level 1.
    pub level: Option<Expr>,
    /// `discount 0.99`: the worth of a second from now.
    pub discount: Option<Expr>,
    /// `horizon 60s`: how far it looks.
    pub horizon: Option<Expr>,
}

/// A term: an amount, and what it is paid for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// The amount; without `per` the value of the state at the horizon.
    pub amount: Expr,
    /// What it is paid for.
    pub per: Option<Per>,
    /// The whole.
    pub span: Span,
}

/// What an amount is paid for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Per {
    /// `per message [A | B]`; an empty list is every message.
    Message(Vec<Dotted>),
    /// `per byte [A | B]`, of the messages named.
    Byte(Vec<Dotted>),
    /// `per upcall a | b` or `per downcall a | b`
    Call(Direction, Vec<Dotted>),
    /// `per handler a | b`: whenever one of these handlers runs.
    Handler(Vec<Dotted>),
    /// `per second ..`, once for each of what is bound.
    Second(Box<PerSecond>),
}

/// `per second [for BINDERS [where P]] [while P] [growing ..]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PerSecond {
    /// For each of these.
    pub binders: super::Binders,
    /// As long as this holds.
    pub during: Option<Expr>,
    /// How the price grows while it goes on.
    pub growth: Option<Growth>,
}

/// How a price grows with waiting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Growth {
    /// `growing linearly`
    Linear,
    /// `growing to the power 2`
    Power(Expr),
    /// `growing by 1.1`: that factor each second.
    Factor(Expr),
}
