//! Resolves the bare names of a body and rewrites them, keeping every token's place.
//!
//! One walk does both: `check` runs it on a copy and keeps the findings and the [`Facts`], `codegen` runs it again and keeps
//! the rewritten tree. Names follow Rust's scoping: a local hides a variable. What is not understood is left to rustc.
//! The rewriting of calls is in `calls.rs`.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::Span as TokenSpan;
use quote::{quote, quote_spanned};
use syn::visit_mut::{self, VisitMut};
use syn::{Expr, Ident, Pat};

use super::macros::{self, Arguments};
use super::scope::{self, Local, Scopes};
use super::{Places, literal};
use crate::diag::{Diagnostic, Diagnostics};
use crate::names::{MessageRef, Names, ServiceNames, closest};
use crate::source::Span;

/// Where an expression stands: decides what it may do and how names are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// A handler's body: variables are fields of `this`.
    Handler,
    /// A guard, or the set of a head's `choose`: reads only.
    Guard,
    /// The interval of a timer that is always on.
    Every,
    /// A routine: variables are borrowed one by one; with `ctx` unless it only needs `me`.
    Routine {
        /// Whether it has the window.
        ctx: bool,
    },
    /// The initial value of a variable: parameters and `me`.
    Initial,
    /// The default of a parameter, or a constant: constants alone.
    Constant,
}

/// How a routine borrows a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Borrow {
    /// `&`
    Shared,
    /// `&mut`
    Mutable,
}

/// What a call of a routine must pass on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoutineShape {
    /// The variables, in order.
    pub borrows: BTreeMap<String, Borrow>,
    /// Whether it needs the window.
    pub ctx: bool,
    /// Whether it needs the node's own id, and no window.
    pub me: bool,
}

/// What a body does besides reading and writing variables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// Sends a message.
    Send,
    /// Arms a timer.
    SetTimer,
    /// Disarms a timer.
    CancelTimer,
    /// Asks whether a timer is armed.
    ReadTimer,
    /// Makes a choice.
    Choose,
    /// Draws chance.
    Random,
    /// Emits to the layer above.
    Up,
}

impl Effect {
    /// How a message to people calls it.
    pub const fn describe(self) -> &'static str {
        match self {
            Effect::Send => "sends a message",
            Effect::SetTimer => "arms a timer",
            Effect::CancelTimer => "disarms a timer",
            Effect::ReadTimer => "asks about a timer",
            Effect::Choose => "makes a choice",
            Effect::Random => "draws chance",
            Effect::Up => "calls the layer above",
        }
    }

    /// Whether it leaves everything as it was.
    pub const fn is_reading(self) -> bool {
        matches!(self, Effect::ReadTimer)
    }
}

/// A place at which a step branches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// Its stable name.
    pub name: String,
    /// Its line.
    pub line: u32,
}

/// What a body does, directly.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Variables that are read or written, `state` among them.
    pub variables: BTreeMap<String, Span>,
    /// Variables that may be written.
    pub writes: BTreeMap<String, Span>,
    /// Whether parameters are read, or routines called.
    pub uses_self: bool,
    /// Whether the node's own id is read.
    pub me: bool,
    /// Everything that needs the window.
    pub effects: Vec<(Effect, Span)>,
    /// Routines called.
    pub calls: BTreeMap<String, Span>,
    /// Messages sent, where the kind is plain to see.
    pub sends: Vec<(MessageRef, Span)>,
    /// Messages named in any way.
    pub messages: BTreeSet<MessageRef>,
    /// Timers armed.
    pub timers_set: BTreeSet<String>,
    /// Control states entered or named.
    pub states: BTreeSet<String>,
    /// Names bound by the head that are used.
    pub head_locals: BTreeSet<String>,
    /// Parameters and constants named.
    pub constants: BTreeSet<String>,
    /// Upcalls emitted.
    pub upcalls: BTreeSet<String>,
    /// Places at which the step branches.
    pub sites: Vec<Site>,
}

/// The walk.
pub struct Walker<'a> {
    pub(super) names: &'a Names,
    pub(super) service: &'a ServiceNames,
    pub(super) places: Places<'a>,
    pub(super) mode: Mode,
    pub(super) routines: &'a BTreeMap<String, RoutineShape>,
    pub(super) scopes: Scopes,
    pub(super) owner: String,
    pub(super) binding: Option<String>,
    pub(super) first_site: usize,
    /// What was found out.
    pub facts: Facts,
    /// What is wrong.
    pub diagnostics: Diagnostics,
}

impl<'a> Walker<'a> {
    /// A walk of something that belongs to `service`.
    pub fn new(
        names: &'a Names,
        service: &'a ServiceNames,
        places: Places<'a>,
        mode: Mode,
        routines: &'a BTreeMap<String, RoutineShape>,
    ) -> Walker<'a> {
        Walker {
            names,
            service,
            places,
            mode,
            routines,
            scopes: Scopes::default(),
            owner: String::new(),
            binding: None,
            first_site: 0,
            facts: Facts::default(),
            diagnostics: Diagnostics::new(),
        }
    }

    /// Names the handler or routine whose body is walked, and the number of sites before it.
    pub fn owned_by(mut self, owner: &str, first_site: usize) -> Self {
        self.owner = owner.to_owned();
        self.first_site = first_site;
        self
    }

    /// Names what the value of the expression is bound to, after which its sites are called.
    pub fn bound_to(mut self, name: &str) -> Self {
        self.binding = Some(name.to_owned());
        self
    }

    /// Adds names that the head binds; `by_reference` where they stand for `(*name)`.
    pub fn with_head<'n>(mut self, names: impl IntoIterator<Item = &'n str>, by_reference: bool) -> Self {
        let local = if by_reference { Local::HeadReference } else { Local::Head };
        names.into_iter().for_each(|name| self.scopes.add(name, local));
        self
    }

    /// Adds arguments of a routine.
    pub fn with_arguments<'p>(mut self, patterns: impl IntoIterator<Item = &'p Pat>) -> Self {
        patterns.into_iter().for_each(|pattern| self.bind(pattern));
        self
    }

    pub(super) fn report(&mut self, diagnostic: Diagnostic) {
        // One place has one mistake: a second finding there follows from the first.
        if !self.diagnostics.iter().any(|known| known.span == diagnostic.span) {
            self.diagnostics.push(diagnostic);
        }
    }

    pub(super) fn place(&self, span: TokenSpan) -> Span {
        self.places.place(span)
    }

    /// Puts the names of a pattern into the current scope.
    fn bind(&mut self, pattern: &Pat) {
        for ident in scope::bindings(pattern) {
            let name = ident.to_string();
            if name == "me" || name == "this" || name == "ctx" || name.starts_with("this_") {
                let message = format!("`{name}` cannot be the name of a local");
                let what = match name.as_str() {
                    "me" => "`me` is the id of this node everywhere",
                    _ => "generated code uses this name around the body",
                };
                let place = self.place(ident.span());
                self.report(Diagnostic::error("E0407", place, message).with_label(what).with_help("choose another name"));
            }
            self.scopes.add(name, Local::Value);
        }
    }

    /// The single name that an expression is, if it is one.
    pub(super) fn name_of(expr: &Expr) -> Option<&Ident> {
        match expr {
            Expr::Path(path) if path.qself.is_none() => path.path.get_ident(),
            Expr::Paren(inner) => Self::name_of(&inner.expr),
            _ => None,
        }
    }

    /// A bare name as an expression, rewritten. `None` leaves it as it is.
    fn resolve(&mut self, ident: &Ident) -> Option<Expr> {
        let name = ident.to_string();
        let span = ident.span();
        match self.scopes.find(&name) {
            Some(Local::Value) => return None,
            Some(Local::Head) => {
                self.facts.head_locals.insert(name);
                return None;
            }
            Some(Local::HeadReference) => {
                self.facts.head_locals.insert(name);
                return Some(verbatim(quote_spanned!(span=> (*#ident))));
            }
            None => {}
        }
        if name == "me" {
            return Some(self.me(span));
        }
        if name == "state" && !self.service.states.is_empty() || self.service.variable(&name).is_some() {
            return Some(self.variable(ident));
        }
        if self.service.parameter(&name).is_some() {
            return Some(self.parameter(ident));
        }
        self.facts.constants.insert(name.clone());
        if self.service.has_state(&name) {
            self.facts.states.insert(name);
            return Some(verbatim(quote_spanned!(span=> State::#ident)));
        }
        if let Some(message) = self.names.message(self.service, &name) {
            self.facts.messages.insert(message);
            self.check_constructor(ident, message, None);
            return Some(verbatim(message_path(message, ident)));
        }
        if let Some(timer) = self.service.timer(&name) {
            let call = if timer.params.is_empty() { name.clone() } else { format!("{name}(..)") };
            let place = self.place(span);
            let help = format!("write `{call}.set(5s)`, `{call}.cancel()` or `{call}.is_set()`");
            let message = format!("the timer `{name}` is named, and nothing is done with it");
            self.report(Diagnostic::error("E0204", place, message).with_help(help));
            return None;
        }
        self.check_known(ident, "name");
        None
    }

    pub(super) fn me(&mut self, span: TokenSpan) -> Expr {
        self.facts.me = true;
        match self.mode {
            Mode::Handler | Mode::Guard | Mode::Every | Mode::Routine { ctx: true } => {
                verbatim(quote_spanned!(span=> ctx.me()))
            }
            Mode::Routine { ctx: false } | Mode::Initial => verbatim(quote_spanned!(span=> me)),
            Mode::Constant => {
                let place = self.place(span);
                self.report(
                    Diagnostic::error("E0413", place, "`me` is not known here")
                        .with_label("a constant or default is the same at every node")
                        .with_help("use `me` in the initial value of a variable or in a body"),
                );
                verbatim(quote_spanned!(span=> me))
            }
        }
    }

    fn variable(&mut self, ident: &Ident) -> Expr {
        let (name, span) = (ident.to_string(), ident.span());
        let place = self.place(span);
        self.facts.variables.entry(name.clone()).or_insert(place);
        match self.mode {
            Mode::Handler | Mode::Guard | Mode::Every => verbatim(quote_spanned!(span=> this.#ident)),
            Mode::Routine { .. } => {
                let borrowed = borrowed(ident);
                verbatim(quote_spanned!(span=> (*#borrowed)))
            }
            Mode::Initial | Mode::Constant => {
                let message = format!("the variable `{name}` has no value yet");
                self.report(
                    Diagnostic::error("E0413", place, message)
                        .with_label("initial values, defaults and constants cannot read variables")
                        .with_help("use parameters and constants here, or set it in `upcall start()`"),
                );
                verbatim(quote_spanned!(span=> this.#ident))
            }
        }
    }

    fn parameter(&mut self, ident: &Ident) -> Expr {
        let span = ident.span();
        self.facts.uses_self = true;
        self.facts.constants.insert(ident.to_string());
        if self.mode == Mode::Constant {
            let place = self.place(span);
            self.report(
                Diagnostic::error("E0413", place, format!("the parameter `{ident}` is not known here"))
                    .with_label("constants and defaults can only name constants")
                    .with_help("use a constant, or compute it where it is needed"),
            );
        }
        verbatim(quote_spanned!(span=> self.#ident))
    }

    /// Reports a single name that stands for nothing.
    pub(super) fn check_known(&mut self, ident: &Ident, what: &str) {
        let name = ident.to_string();
        let known = self.service.consts.contains_key(&name)
            || self.service.routine(&name).is_some()
            || self.service.timer(&name).is_some()
            || self.service.layers.contains_key(&name)
            || self.names.items.contains_key(&name)
            || self.names.imported.contains(&name)
            || PRELUDE.contains(&name.as_str());
        if self.names.globs || (known && name != "self") {
            return;
        }
        let place = self.place(ident.span());
        if name == "self" {
            let found = Diagnostic::error("E0414", place, "`self` alone is nothing here")
                .with_label("only `self.name` has a meaning: the variable or parameter of that name")
                .with_help("use `me` for the id of this node");
            return self.report(found);
        }
        let mut found = Diagnostic::error("E0205", place, format!("there is no {what} `{name}` here"))
            .with_label("not a local, variable, parameter, constant, state, message or routine");
        if let Some(meant) = self.suggestion(&name) {
            found = found.with_help(format!("did you mean `{meant}`?"));
        } else if name == "now" {
            found = found.with_help("a step has no clock: arm a timer instead");
        }
        self.report(found);
    }

    pub(super) fn suggestion(&self, name: &str) -> Option<String> {
        let service = self.service;
        let candidates = self
            .scopes
            .names()
            .chain(service.variables.iter().map(|it| it.name.as_str()))
            .chain(service.parameters.iter().map(|it| it.name.as_str()))
            .chain(service.consts.keys().map(String::as_str))
            .chain(service.states.iter().map(|it| it.name.as_str()))
            .chain(service.messages.iter().chain(&self.names.messages).map(|it| it.name.as_str()))
            .chain(service.timers.iter().map(|it| it.name.as_str()))
            .chain(service.routines.iter().map(|it| it.name.as_str()))
            .chain(self.names.items.keys().map(String::as_str))
            .chain(["me", "state", "send", "choose", "choose_or", "random", "bernoulli"]);
        closest(name, candidates).map(str::to_owned)
    }

    /// Notes that the variable at the root of a place is changed.
    pub(super) fn writes(&mut self, target: &Expr) {
        let Some((ident, qualified)) = root(target) else { return };
        let name = ident.to_string();
        let place = self.place(ident.span());
        if !qualified && self.scopes.find(&name).is_some() {
            return;
        }
        let declared = self.service.variable(&name).is_some() || name == "state" && !self.service.states.is_empty();
        if declared {
            self.facts.writes.entry(name).or_insert(place);
        } else if self.service.parameter(&name).is_some() || self.service.consts.contains_key(&name) || name == "me" {
            let what = match () {
                () if name == "me" => "the id of this node",
                () if self.service.consts.contains_key(&name) => "a constant",
                () => "a parameter",
            };
            self.report(
                Diagnostic::error("E0408", place, format!("`{name}` cannot be changed: it is {what}"))
                    .with_label("changed here")
                    .with_help("declare a variable with this initial value and change that"),
            );
        }
    }

    /// Explains an assignment that cannot do what its author meant.
    fn check_assignment(&mut self, left: &Expr, right: &Expr) {
        let Some(name) = Self::name_of(left) else { return };
        let text = name.to_string();
        let hides = self.scopes.find(&text).is_some() && self.service.variable(&text).is_some();
        let itself = Self::name_of(right).is_some_and(|right| right == name);
        let by_head = matches!(self.scopes.find(&text), Some(Local::Head | Local::HeadReference));
        if hides && (itself || by_head) {
            let place = self.place(name.span());
            let message = match itself {
                true => format!("`{text} = {text}` assigns the local `{text}` to itself"),
                false => format!("this assigns to the local `{text}`, not to the variable"),
            };
            self.report(
                Diagnostic::error("E0409", place, message)
                    .with_label(format!("here `{text}` is a local that hides the variable, as in Rust"))
                    .with_help(format!("write `self.{text} = ..` for the variable")),
            );
        }
        if text == "state" && self.scopes.find("state").is_none() && !self.service.states.is_empty() {
            self.check_state(right);
        }
    }

    fn check_state(&mut self, right: &Expr) {
        let Some(name) = Self::name_of(right) else { return };
        let text = name.to_string();
        let other = self.scopes.find(&text).is_some() || self.service.variable(&text).is_some();
        if self.service.has_state(&text) || other || !scope::is_capitalised(&text) {
            return;
        }
        let states = || self.service.states.iter().map(|it| it.name.as_str());
        let place = self.place(name.span());
        let mut found = Diagnostic::error("E0202", place, format!("there is no control state `{text}`"))
            .with_label("not declared in `states`");
        found = match closest(&text, states()) {
            Some(meant) => found.with_help(format!("did you mean `{meant}`?")),
            None => found.with_help(format!("the states are: {}", states().collect::<Vec<_>>().join(", "))),
        };
        self.report(found);
    }

    /// Visits a condition, whose `let`s bind names in what follows, then `then`, in a scope of their own.
    fn scoped(&mut self, condition: &mut Expr, then: impl FnOnce(&mut Self)) {
        self.scopes.open();
        self.visit_expr_mut(condition);
        then(self);
        self.scopes.close();
    }
}

/// The variable name at the root of a place such as `x.y[i].z`, and whether it was written `self.x`.
pub fn root(target: &Expr) -> Option<(&Ident, bool)> {
    match target {
        Expr::Field(field) => match (&*field.base, &field.member) {
            (Expr::Path(path), syn::Member::Named(member)) if path.path.is_ident("self") => Some((member, true)),
            (base, _) => root(base),
        },
        Expr::Index(index) => root(&index.expr),
        Expr::Paren(inner) => root(&inner.expr),
        Expr::Unary(unary) if matches!(unary.op, syn::UnOp::Deref(_)) => root(&unary.expr),
        Expr::Path(_) => Walker::name_of(target).map(|ident| (ident, false)),
        _ => None,
    }
}

/// The name under which a routine borrows a variable.
pub fn borrowed(variable: &Ident) -> Ident {
    Ident::new(&format!("this_{}", variable.to_string().trim_start_matches("r#")), variable.span())
}

/// The path to a message's variant from within its service's module.
pub(super) fn message_path(message: MessageRef, ident: &Ident) -> proc_macro2::TokenStream {
    let span = ident.span();
    match message.shared {
        true => quote_spanned!(span=> super::Message::#ident),
        false => quote_spanned!(span=> Message::#ident),
    }
}

pub(super) fn verbatim(tokens: proc_macro2::TokenStream) -> Expr {
    Expr::Verbatim(tokens)
}

const PRELUDE: &[&str] = &[
    "self", "Self", "Some", "None", "Ok", "Err", "drop", "Box", "String", "Vec", "Option", "Default", "Duration",
    "BTreeMap", "BTreeSet", "VecDeque", "NodeId", "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32",
    "i64", "i128", "isize", "bool", "char", "str",
];

impl VisitMut for Walker<'_> {
    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        match expr {
            Expr::Path(path) => {
                if let (None, Some(ident)) = (&path.qself, path.path.get_ident().cloned())
                    && let Some(rewritten) = self.resolve(&ident)
                {
                    *expr = rewritten;
                }
            }
            Expr::Field(field) => {
                if let (Expr::Path(base), syn::Member::Named(member)) = (&*field.base, &field.member)
                    && base.path.is_ident("self")
                {
                    let member = member.clone();
                    *expr = self.qualified(&member);
                } else {
                    self.visit_expr_mut(&mut field.base);
                }
            }
            Expr::Lit(literal) => {
                if let Some(rewritten) = self.literal(&literal.lit) {
                    *expr = rewritten;
                }
            }
            Expr::Call(_) => self.call(expr),
            Expr::MethodCall(_) => self.method_call(expr),
            Expr::Struct(it) => self.constructor(it),
            Expr::Assign(assign) => {
                self.check_assignment(&assign.left, &assign.right);
                self.writes(&assign.left);
                visit_mut::visit_expr_assign_mut(self, assign);
            }
            Expr::Binary(binary) => {
                use syn::BinOp::*;
                if let AddAssign(_) | SubAssign(_) | MulAssign(_) | DivAssign(_) | RemAssign(_) | BitXorAssign(_)
                | BitAndAssign(_) | BitOrAssign(_) | ShlAssign(_) | ShrAssign(_) = binary.op
                {
                    self.writes(&binary.left);
                }
                visit_mut::visit_expr_binary_mut(self, binary);
            }
            Expr::Reference(reference) => {
                if reference.mutability.is_some() {
                    self.writes(&reference.expr);
                }
                self.visit_expr_mut(&mut reference.expr);
            }
            _ => self.visit_scoped(expr),
        }
    }

    fn visit_block_mut(&mut self, block: &mut syn::Block) {
        self.scopes.open();
        for stmt in &block.stmts {
            // Items are known in the whole block, whatever their order.
            if let syn::Stmt::Item(syn::Item::Fn(it)) = stmt {
                self.scopes.add(it.sig.ident.to_string(), Local::Value);
            } else if let syn::Stmt::Item(syn::Item::Const(it)) = stmt {
                self.scopes.add(it.ident.to_string(), Local::Value);
            }
        }
        visit_mut::visit_block_mut(self, block);
        self.scopes.close();
    }

    fn visit_local_mut(&mut self, local: &mut syn::Local) {
        if let Some(init) = &mut local.init {
            let name = match scope::bindings(&local.pat).as_slice() {
                [one] => Some(one.to_string()),
                _ => None,
            };
            let outer = std::mem::replace(&mut self.binding, name);
            self.visit_expr_mut(&mut init.expr);
            self.binding = outer;
            if let Some((_, diverge)) = &mut init.diverge {
                self.visit_expr_mut(diverge);
            }
        }
        self.visit_pat_mut(&mut local.pat);
        self.bind(&local.pat);
    }

    fn visit_pat_mut(&mut self, pattern: &mut Pat) {
        match pattern {
            Pat::Ident(it) if it.subpat.is_none() && it.by_ref.is_none() && it.mutability.is_none() => {
                if let Some(path) = self.variant(&it.ident) {
                    *pattern = Pat::Verbatim(path);
                }
            }
            Pat::Struct(it) => {
                if let Some(path) = it.path.get_ident().and_then(|ident| self.variant(ident)) {
                    it.path = syn::parse2(path).unwrap_or_else(|_| it.path.clone());
                }
                it.fields.iter_mut().for_each(|field| self.visit_pat_mut(&mut field.pat));
            }
            Pat::Guard(it) => self.visit_pat_mut(&mut it.pat),
            Pat::Path(_) | Pat::Lit(_) | Pat::Range(_) | Pat::Const(_) => {}
            _ => visit_mut::visit_pat_mut(self, pattern),
        }
    }

    fn visit_macro_mut(&mut self, mac: &mut syn::Macro) {
        let format = macros::format_position(mac);
        let mut arguments = macros::arguments(mac);
        match &mut arguments {
            Arguments::List(list) => self.macro_list(list, format),
            Arguments::Repeat(value, _, count) => {
                self.visit_expr_mut(value);
                self.visit_expr_mut(count);
            }
            Arguments::Matches(expr, _, pattern) => {
                self.visit_expr_mut(expr);
                self.scopes.open();
                self.visit_arm_pattern(pattern);
                self.scopes.close();
            }
            Arguments::Opaque => self.check_opaque(mac),
        }
        if let Some(tokens) = arguments.into_tokens() {
            mac.tokens = tokens;
        }
    }

    fn visit_item_mut(&mut self, _: &mut syn::Item) {
        // An item within a body sees none of the names around it, as in Rust.
    }

    fn visit_type_mut(&mut self, _: &mut syn::Type) {}
}

impl Walker<'_> {
    /// The forms that open scopes.
    fn visit_scoped(&mut self, expr: &mut Expr) {
        match expr {
            Expr::If(it) => {
                let branch = &mut it.then_branch;
                self.scoped(&mut it.cond, |walker| walker.visit_block_mut(branch));
                if let Some((_, otherwise)) = &mut it.else_branch {
                    self.visit_expr_mut(otherwise);
                }
            }
            Expr::While(it) => {
                let body = &mut it.body;
                self.scoped(&mut it.cond, |walker| walker.visit_block_mut(body));
            }
            Expr::Let(it) => {
                self.visit_expr_mut(&mut it.expr);
                self.visit_pat_mut(&mut it.pat);
                self.bind(&it.pat);
            }
            Expr::ForLoop(it) => {
                self.visit_expr_mut(&mut it.expr);
                self.scopes.open();
                self.visit_pat_mut(&mut it.pat);
                self.bind(&it.pat);
                self.visit_block_mut(&mut it.body);
                self.scopes.close();
            }
            Expr::Closure(it) => {
                self.scopes.open();
                for input in &mut it.inputs {
                    self.visit_pat_mut(input);
                    self.bind(input);
                }
                self.visit_expr_mut(&mut it.body);
                self.scopes.close();
            }
            Expr::Match(it) => {
                self.visit_expr_mut(&mut it.expr);
                for arm in &mut it.arms {
                    self.scopes.open();
                    self.visit_arm_pattern(&mut arm.pat);
                    self.visit_expr_mut(&mut arm.body);
                    self.scopes.close();
                }
            }
            other => visit_mut::visit_expr_mut(self, other),
        }
    }

    /// A pattern with its guard, in the current scope.
    fn visit_arm_pattern(&mut self, pattern: &mut Pat) {
        self.visit_pat_mut(pattern);
        self.bind(pattern);
        if let Pat::Guard(guarded) = pattern {
            self.visit_expr_mut(&mut guarded.guard);
        }
    }

    /// `self.x`
    fn qualified(&mut self, member: &Ident) -> Expr {
        let name = member.to_string();
        if name == "state" && !self.service.states.is_empty() || self.service.variable(&name).is_some() {
            return self.variable(member);
        }
        if self.service.parameter(&name).is_some() {
            return self.parameter(member);
        }
        let known = self.service.variables.iter().map(|it| it.name.as_str());
        let known = known.chain(self.service.parameters.iter().map(|it| it.name.as_str()));
        let place = self.place(member.span());
        let mut found = Diagnostic::error("E0205", place, format!("there is no variable or parameter `{name}`"))
            .with_label(format!("not declared in `{}`", self.service.name));
        if let Some(meant) = closest(&name, known) {
            found = found.with_help(format!("did you mean `{meant}`?"));
        }
        self.report(found);
        verbatim(quote!(self.#member))
    }

    /// The path of a control state or message that is named in a pattern.
    fn variant(&mut self, ident: &Ident) -> Option<proc_macro2::TokenStream> {
        let (name, span) = (ident.to_string(), ident.span());
        if self.service.has_state(&name) {
            self.facts.states.insert(name);
            return Some(quote_spanned!(span=> State::#ident));
        }
        let message = self.names.message(self.service, &name)?;
        self.facts.messages.insert(message);
        Some(message_path(message, ident))
    }

    fn literal(&mut self, lit: &syn::Lit) -> Option<Expr> {
        let (suffix, token, span) = match lit {
            syn::Lit::Int(it) => (it.suffix(), it.token(), it.span()),
            syn::Lit::Float(it) => (it.suffix(), it.token(), it.span()),
            _ => return None,
        };
        if !literal::is_duration(suffix) {
            return None;
        }
        match literal::nanoseconds(&token.to_string()) {
            Some(nanoseconds) => Some(verbatim(literal::duration_tokens(nanoseconds, span))),
            None => {
                let place = self.place(span);
                let message = "this duration is too long, or no number of nanoseconds";
                self.report(Diagnostic::error("E0415", place, message).with_help("a duration is at most 584 years"));
                None
            }
        }
    }

    fn macro_list(&mut self, list: &mut syn::punctuated::Punctuated<Expr, syn::Token![,]>, format: Option<usize>) {
        let inline = format.and_then(|at| list.get(at)).map(|it| (macros::inline_names(it), span_of(it)));
        for argument in list.iter_mut() {
            // `name = value` in a format list is no assignment.
            match argument {
                Expr::Assign(named) if format.is_some() => self.visit_expr_mut(&mut named.right),
                other => self.visit_expr_mut(other),
            }
        }
        let Some((names, span)) = inline else { return };
        let given = |list: &syn::punctuated::Punctuated<Expr, syn::Token![,]>, name: &str| {
            list.iter().any(|it| matches!(it, Expr::Assign(named) if Self::name_of(&named.left).is_some_and(|left| left == name)))
        };
        for name in names {
            let ident = Ident::new(&name, span);
            if given(list, &name) {
                continue;
            }
            if let Some(value) = self.resolve(&ident) {
                list.push(verbatim(quote_spanned!(span=> #ident = #value)));
            }
        }
    }

    /// A macro that cannot be read must not name what would have to be rewritten.
    fn check_opaque(&mut self, mac: &syn::Macro) {
        fn idents(tokens: proc_macro2::TokenStream, found: &mut Vec<Ident>) {
            for token in tokens {
                match token {
                    proc_macro2::TokenTree::Ident(ident) => found.push(ident),
                    proc_macro2::TokenTree::Group(group) => idents(group.stream(), found),
                    _ => {}
                }
            }
        }
        let mut found = Vec::new();
        idents(mac.tokens.clone(), &mut found);
        for ident in found {
            let name = ident.to_string();
            let rewritten = self.service.variable(&name).is_some()
                || self.service.parameter(&name).is_some()
                || name == "me"
                || self.scopes.find(&name) == Some(Local::HeadReference);
            if self.scopes.find(&name) == Some(Local::Head) {
                self.facts.head_locals.insert(name);
            } else if rewritten && self.scopes.find(&name) != Some(Local::Value) {
                let place = self.place(ident.span());
                self.report(
                    Diagnostic::error("E0412", place, format!("`{name}` stands inside a macro that cannot be read"))
                        .with_label("names are followed only where the arguments are expressions")
                        .with_help(format!("bind it before: `let value = {name};`, and use `value` in the macro")),
                );
            }
        }
    }
}

pub(super) fn span_of(expr: &Expr) -> TokenSpan {
    use syn::spanned::Spanned;
    expr.span()
}
