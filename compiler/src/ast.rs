//! The syntax tree of a specification: what was written, and where.
//!
//! Everything carries its [`Span`]. Rust text (types, patterns, bodies, items) is kept as a [`Fragment`], which
//! nobody here parses; expressions of properties, systems and scenarios have a tree of their own, in `expr.rs`.
//! The tree never holds a resolved name or a type: that is `check`'s work. Systems and scenarios are in
//! `system.rs`. A tree may also be built by hand, with empty spans; `print` writes either kind.

mod expr;
mod remark;
mod service;
mod system;

pub use expr::*;
pub use remark::*;
pub use service::*;
pub use system::*;

use crate::source::Span;

/// An identifier, or a word used as one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ident {
    /// The name as written, with `r#` if it was there.
    pub name: String,
    /// Where it stands.
    pub span: Span,
}

impl Ident {
    /// An identifier that stands in no file.
    pub fn made(name: impl Into<String>) -> Ident {
        Ident { name: name.into(), span: Span::default() }
    }
}

impl PartialEq<str> for Ident {
    fn eq(&self, other: &str) -> bool {
        self.name == other
    }
}

impl PartialEq<&str> for Ident {
    fn eq(&self, other: &&str) -> bool {
        self.name == *other
    }
}

/// Rust text, verbatim: a type, pattern, expression, block (with its braces) or item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fragment {
    /// Where it stands; empty for a fragment made by hand.
    pub span: Span,
    /// The text, without surrounding white space.
    pub text: String,
}

impl Fragment {
    /// A fragment that stands in no file.
    pub fn made(text: impl Into<String>) -> Fragment {
        Fragment { span: Span::default(), text: text.into() }
    }
}

/// `a::b::c`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// The segments, at least one.
    pub segments: Vec<Ident>,
    /// The whole.
    pub span: Span,
}

impl Path {
    /// The last segment, which names the thing itself; there is always one.
    pub fn last(&self) -> &Ident {
        self.segments.last().expect("a path has a segment")
    }

    /// The name, if the path is a single segment.
    pub fn as_ident(&self) -> Option<&Ident> {
        match self.segments.as_slice() {
            [one] => Some(one),
            _ => None,
        }
    }
}

/// `a.b.c`: a name reached through layers, such as the objective `tree.depth`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dotted {
    /// The segments, at least one.
    pub segments: Vec<Ident>,
    /// The whole.
    pub span: Span,
}

impl Dotted {
    /// The name, if there is only one segment.
    pub fn as_ident(&self) -> Option<&Ident> {
        match self.segments.as_slice() {
            [one] => Some(one),
            _ => None,
        }
    }

    /// The last segment and the layers before it; there is always a last one.
    pub fn split_last(&self) -> (&Ident, &[Ident]) {
        self.segments.split_last().expect("a dotted name has a segment")
    }

    /// The layers before the last segment, with dots between.
    pub fn layers(&self) -> String {
        let layers: Vec<&str> = self.split_last().1.iter().map(|it| it.name.as_str()).collect();
        layers.join(".")
    }
}

/// The text of the documentation comments before something, markers removed, lines joined by newlines.
pub type Doc = Option<String>;

/// A file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ast {
    /// The `//!` lines at the start.
    pub doc: Doc,
    /// The items in file order.
    pub items: Vec<Item>,
    /// What could not be parsed, each with a syntax error of its own. See [`Ast::may_declare`].
    pub broken: Vec<Fragment>,
    /// The whole file.
    pub span: Span,
}

/// What stands at file level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// `import rand_tree::{Tree, RandTree};`
    Import(Import),
    /// `use crate::Command;` and other Rust items.
    Rust(RustItem),
    /// `interface Log { .. }`
    Interface(Interface),
    /// `messages { .. }`: spoken by all services of the file.
    Messages(Messages),
    /// `service Name { .. }`
    Service(Service),
    /// `system Name { .. }`
    System(System),
    /// `scenario name in System { .. }`
    Scenario(Scenario),
    /// `allow unused: "reason";`
    Allow(Allow),
}

impl Item {
    /// Where the item stands, without its documentation.
    pub fn span(&self) -> Span {
        match self {
            Item::Import(item) => item.span,
            Item::Rust(item) => item.fragment.span,
            Item::Interface(item) => item.span,
            Item::Messages(item) => item.span,
            Item::Service(item) => item.span,
            Item::System(item) => item.span,
            Item::Scenario(item) => item.span,
            Item::Allow(item) => item.span,
        }
    }
}

impl Ast {
    /// Whether a text that could not be parsed mentions this name, so that it may be declared there: to report the
    /// name as unknown would only repeat the syntax error.
    pub fn may_declare(&self, name: &str) -> bool {
        let boundary = |c: Option<char>| !c.is_some_and(|c| c.is_alphanumeric() || c == '_');
        self.broken.iter().any(|broken| {
            broken.text.match_indices(name).any(|(at, _)| {
                let before = broken.text[..at].chars().next_back();
                boundary(before) && boundary(broken.text[at + name.len()..].chars().next())
            })
        })
    }

    /// The imports in file order.
    pub fn imports(&self) -> impl Iterator<Item = &Import> {
        self.items.iter().filter_map(|item| if let Item::Import(it) = item { Some(it) } else { None })
    }

    /// The Rust items, `use` included, in file order.
    pub fn rust_items(&self) -> impl Iterator<Item = &RustItem> {
        self.items.iter().filter_map(|item| if let Item::Rust(it) = item { Some(it) } else { None })
    }

    /// The interfaces in file order.
    pub fn interfaces(&self) -> impl Iterator<Item = &Interface> {
        self.items.iter().filter_map(|item| if let Item::Interface(it) = item { Some(it) } else { None })
    }

    /// The sections of messages at file level.
    pub fn message_sections(&self) -> impl Iterator<Item = &Messages> {
        self.items.iter().filter_map(|item| if let Item::Messages(it) = item { Some(it) } else { None })
    }

    /// The messages at file level.
    pub fn messages(&self) -> impl Iterator<Item = &Message> {
        self.message_sections().flat_map(|section| &section.messages)
    }

    /// The services in file order.
    pub fn services(&self) -> impl Iterator<Item = &Service> {
        self.items.iter().filter_map(|item| if let Item::Service(it) = item { Some(it) } else { None })
    }

    /// The systems in file order.
    pub fn systems(&self) -> impl Iterator<Item = &System> {
        self.items.iter().filter_map(|item| if let Item::System(it) = item { Some(it) } else { None })
    }

    /// The warnings allowed in the whole file.
    pub fn allows(&self) -> impl Iterator<Item = &Allow> {
        self.items.iter().filter_map(|item| if let Item::Allow(it) = item { Some(it) } else { None })
    }

    /// The scenarios in file order.
    pub fn scenarios(&self) -> impl Iterator<Item = &Scenario> {
        self.items.iter().filter_map(|item| if let Item::Scenario(it) = item { Some(it) } else { None })
    }
}

/// `import rand_tree::{Tree, RandTree};`, `import rand_tree::Tree;`, or the whole: `import rand_tree;`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// The documentation.
    pub doc: Doc,
    /// The other specification.
    pub spec: Path,
    /// The names taken; `None` imports everything under the specification's name.
    pub names: Option<Vec<ImportName>>,
    /// The name here of a specification that is imported as a whole, after `as`.
    pub alias: Option<Ident>,
    /// The whole, with the semicolon.
    pub span: Span,
}

/// One imported name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportName {
    /// The name over there.
    pub name: Ident,
    /// The name here, after `as`.
    pub alias: Option<Ident>,
}

/// A Rust item at file level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RustItem {
    /// What it is.
    pub kind: RustItemKind,
    /// Its name; none for `use` and `impl`.
    pub name: Option<Ident>,
    /// The whole item, with attributes and the `///` comments before it.
    pub fragment: Fragment,
}

/// The kinds of Rust items that may stand in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RustItemKind {
    /// `use ..;`
    Use,
    /// `type A = ..;`
    Type,
    /// `struct A ..`
    Struct,
    /// `enum A { .. }`
    Enum,
    /// `const A: .. = ..;`
    Const,
    /// `fn a(..) { .. }`
    Fn,
    /// `impl .. { .. }`
    Impl,
}

/// `interface Name { .. }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// The documentation.
    pub doc: Doc,
    /// The name.
    pub name: Ident,
    /// The calls, in file order.
    pub calls: Vec<Call>,
    /// The whole.
    pub span: Span,
}

/// One line of an interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The documentation.
    pub doc: Doc,
    /// Up or down.
    pub direction: Direction,
    /// The name.
    pub name: Ident,
    /// The parameters; every one has a type.
    pub params: Vec<Param>,
    /// The type after `->`: none is a command, `Reply<T>` a request, any other a query.
    pub result: Option<Fragment>,
    /// The whole, with the semicolon.
    pub span: Span,
}

/// Which way a call goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// From the layer above to the service.
    Down,
    /// From the service to the layer above.
    Up,
}

/// `name: Type`, in an interface, a message, or the arguments of a timer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Param {
    /// The documentation.
    pub doc: Doc,
    /// The name.
    pub name: Ident,
    /// The type.
    pub ty: Fragment,
}

impl Param {
    /// From the name to the end of the type.
    pub fn span(&self) -> Span {
        self.name.span.to(self.ty.span)
    }
}

/// `messages [over carrier] { .. }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Messages {
    /// The carrier after `over`; none is the first carrier of `uses`. At file level there is none.
    pub over: Option<Ident>,
    /// The messages in file order.
    pub messages: Vec<Message>,
    /// The whole.
    pub span: Span,
}

/// `Join { joiner: NodeId, hops: u8 }` or `Crowned;`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The documentation.
    pub doc: Doc,
    /// The name.
    pub name: Ident,
    /// The fields in file order.
    pub fields: Vec<Param>,
    /// The whole.
    pub span: Span,
}
