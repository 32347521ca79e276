//! What a bare name stands for, and how it is written in generated code. Unknown names are reported here.

use proc_macro2::Span as TokenSpan;
use quote::{quote, quote_spanned};
use syn::{Expr, Ident};

use super::facts::{Mode, Window};
use super::literal;
use super::scope::{self, Local};
use super::walk::Walker;
use crate::diag::Diagnostic;
use crate::names::{MessageRef, Names, ServiceNames, closest};
use crate::tokens::identifier;

impl Walker<'_> {
    /// A bare name as an expression, rewritten. `None` leaves it as it is.
    pub(super) fn resolve(&mut self, ident: &Ident) -> Option<Expr> {
        let name = ident.to_string();
        let span = ident.span();
        match self.scopes.find(&name) {
            Some(Local::Value | Local::Fixed | Local::Moment) => return None,
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
            return Some(verbatim(message_path(self.names, self.service, message, ident)));
        }
        if let Some(timer) = self.service.timer(&name) {
            let call = if timer.params.is_empty() { name.clone() } else { format!("{name}(..)") };
            let place = self.place(span);
            let help = format!("write `{call}.set(5s)`, `{call}.cancel()` or `{call}.is_set()`");
            let message = format!("the timer `{name}` is named, and nothing is done with it");
            self.report(Diagnostic::error("E0204", place, message).with_help(help));
            return None;
        }
        if self.service.layer(&name).is_some() {
            let place = self.place(span);
            let message = format!("the layer `{name}` is named, and nothing is asked of it");
            let help = format!("call it: `{name}.CALL(..)`, with a downcall of its interface");
            self.report(Diagnostic::error("E0209", place, message).with_help(help));
            return None;
        }
        self.check_known(ident, "name");
        None
    }

    pub(super) fn me(&mut self, span: TokenSpan) -> Expr {
        self.facts.me = true;
        match self.mode {
            Mode::Handler | Mode::Guard | Mode::Every | Mode::Routine(Window::Step) => {
                verbatim(quote_spanned!(span=> ctx.me()))
            }
            Mode::Query | Mode::Routine(Window::Below) => verbatim(quote_spanned!(span=> below.me())),
            Mode::Routine(_) | Mode::Initial => verbatim(quote_spanned!(span=> me)),
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

    pub(super) fn variable(&mut self, ident: &Ident) -> Expr {
        let (name, span) = (ident.to_string(), ident.span());
        let place = self.place(span);
        self.facts.variables.entry(name.clone()).or_insert(place);
        match self.mode {
            Mode::Handler | Mode::Guard | Mode::Every | Mode::Query => {
                verbatim(quote_spanned!(span=> this.#ident))
            }
            Mode::Routine(_) => {
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

    pub(super) fn parameter(&mut self, ident: &Ident) -> Expr {
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

    /// `self.x`
    pub(super) fn qualified(&mut self, member: &Ident) -> Expr {
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
        let mut found =
            Diagnostic::error("E0205", place, format!("there is no variable or parameter `{name}`"))
                .with_label(format!("not declared in `{}`", self.service.name));
        if let Some(meant) = closest(&name, known) {
            found = found.with_help(format!("did you mean `{meant}`?"));
        }
        self.report(found);
        verbatim(quote!(self.#member))
    }

    /// The path of a message that is named in a pattern with fields: a control state of that name has none.
    pub(super) fn variant_with_fields(&mut self, ident: &Ident) -> Option<proc_macro2::TokenStream> {
        match self.names.message(self.service, &ident.to_string()) {
            Some(message) => {
                self.facts.messages.insert(message);
                Some(message_path(self.names, self.service, message, ident))
            }
            None => self.variant(ident),
        }
    }

    /// The path of a control state or message that is named in a pattern. Where both have the name it is the state: a message
    /// is met in the head of a `deliver`.
    pub(super) fn variant(&mut self, ident: &Ident) -> Option<proc_macro2::TokenStream> {
        let (name, span) = (ident.to_string(), ident.span());
        if self.service.has_state(&name) {
            self.facts.states.insert(name);
            return Some(quote_spanned!(span=> State::#ident));
        }
        let message = self.names.message(self.service, &name)?;
        self.facts.messages.insert(message);
        Some(message_path(self.names, self.service, message, ident))
    }

    pub(super) fn literal(&mut self, lit: &syn::Lit) -> Option<Expr> {
        let (suffix, token, span) = match lit {
            syn::Lit::Int(it) => (it.suffix(), it.token(), it.span()),
            syn::Lit::Float(it) => (it.suffix(), it.token(), it.span()),
            _ => return None,
        };
        if !literal::is_duration(suffix) {
            if let Some(found) = literal::with_unknown_unit(&token.to_string(), self.place(span)) {
                self.report(found);
            }
            return None;
        }
        match literal::nanoseconds(&token.to_string()) {
            Some(nanoseconds) => Some(verbatim(literal::duration_tokens(nanoseconds, span))),
            None => {
                let place = self.place(span);
                let message = "this duration is too long, or no number of nanoseconds";
                self.report(
                    Diagnostic::error("E0415", place, message).with_help("a duration is at most 584 years"),
                );
                None
            }
        }
    }

    /// Reports a single name that stands for nothing.
    pub(super) fn check_known(&mut self, ident: &Ident, what: &str) {
        let name = ident.to_string();
        let known = self.service.consts.contains_key(&name)
            || self.service.routine(&name).is_some()
            || self.service.timer(&name).is_some()
            || self.service.layer(&name).is_some()
            || self.names.is_rust(self.service.file, &name)
            || PRELUDE.contains(&name.as_str());
        if self.names.has_globs(self.service.file) || (known && name != "self") {
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
            found = found.with_help("write `now()`");
        } else if self.service.carriers.iter().any(|it| it.name == name) {
            found = found.with_help(format!(
                "`{name}` is a carrier, and messages go over it: write `send(to, MESSAGE)`"
            ));
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
            .chain(service.messages.iter().map(|it| it.name.as_str()))
            .chain(self.names.messages_beside(service).map(|it| it.name.as_str()))
            .chain(service.timers.iter().map(|it| it.name.as_str()))
            .chain(service.routines.iter().map(|it| it.name.as_str()))
            .chain(self.names.items_seen(service.file))
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
        let declared =
            self.service.variable(&name).is_some() || name == "state" && !self.service.states.is_empty();
        if declared {
            self.rewrites(&name);
            self.facts.writes.entry(name).or_insert(place);
        } else if self.service.parameter(&name).is_some()
            || self.service.consts.contains_key(&name)
            || name == "me"
        {
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

    /// Notes that one entry of a durable variable is changed, of which the step is told at that place.
    pub(super) fn writes_entry(&mut self, target: &Expr) {
        let Some((ident, _)) = root(target) else { return };
        let (name, place) = (ident.to_string(), self.place(ident.span()));
        self.facts.touches = true;
        self.facts.writes.entry(name).or_insert(place);
    }

    /// Notes that a method which nobody knows may change the variable at the root of a place. A routine has what it does not change
    /// by shared reference, and there rustc knows.
    pub(super) fn may_write(&mut self, target: &Expr) {
        let Some((ident, qualified)) = root(target) else { return };
        let name = ident.to_string();
        if self.mode == Mode::Handler && (qualified || self.scopes.find(&name).is_none()) {
            self.rewrites(&name);
        }
    }

    /// Notes that a variable changes in a way that shows no key.
    fn rewrites(&mut self, name: &str) {
        if self.service.variable(name).is_some_and(|it| it.is_durable) {
            self.facts.touches = true;
            self.facts.rewrites.insert(name.trim_start_matches("r#").to_owned());
        }
    }

    /// Explains an assignment that cannot do what its author meant.
    pub(super) fn check_assignment(&mut self, left: &Expr, right: &Expr) {
        let Some(name) = Self::name_of(left) else { return };
        let text = name.to_string();
        let hides = self.scopes.find(&text).is_some() && self.service.variable(&text).is_some();
        let itself = Self::name_of(right).is_some_and(|right| right == name);
        let fixed =
            matches!(self.scopes.find(&text), Some(Local::Head | Local::HeadReference | Local::Fixed));
        if hides && (itself || fixed) {
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

    pub(super) fn check_state(&mut self, right: &Expr) {
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
}

/// The places that an assignment fills: several where its left side takes a value apart, `(x, self.y) = ..`.
pub(super) fn targets(left: &Expr) -> Vec<&Expr> {
    match left {
        Expr::Paren(it) => targets(&it.expr),
        Expr::Tuple(it) => it.elems.iter().flat_map(targets).collect(),
        Expr::Array(it) => it.elems.iter().flat_map(targets).collect(),
        Expr::Call(it) => it.args.iter().flat_map(targets).collect(),
        Expr::Struct(it) => it.fields.iter().flat_map(|field| targets(&field.expr)).collect(),
        place => vec![place],
    }
}

/// The variable name at the root of a place such as `x.y[i].z`, and whether it was written `self.x`.
pub fn root(target: &Expr) -> Option<(&Ident, bool)> {
    match target {
        Expr::Field(field) => match (&*field.base, &field.member) {
            (Expr::Path(path), syn::Member::Named(member)) if path.path.is_ident("self") => {
                Some((member, true))
            }
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

/// The path to a message's variant from within the module of a service.
pub(super) fn message_path(
    names: &Names,
    service: &ServiceNames,
    message: MessageRef,
    ident: &Ident,
) -> proc_macro2::TokenStream {
    let (span, declared) = (ident.span(), &names.message_at(service, message).name);
    let ident = if ident == declared { ident.clone() } else { identifier(declared, span) };
    let messages = message_type(names, service, message, span);
    quote_spanned!(span=> #messages::#ident)
}

/// The enum of a message from within the module of a service.
pub fn message_type(
    names: &Names,
    service: &ServiceNames,
    message: MessageRef,
    span: TokenSpan,
) -> proc_macro2::TokenStream {
    if !message.shared {
        return quote_spanned!(span=> Message);
    }
    let file = names.messages[message.index].file;
    match names.files.path(file).filter(|_| file != service.file) {
        None => quote_spanned!(span=> super::Message),
        Some(path) => {
            let path = path.map(|it| identifier(it, span));
            quote_spanned!(span=> #(#path::)*Message)
        }
    }
}

pub(super) fn verbatim(tokens: proc_macro2::TokenStream) -> Expr {
    Expr::Verbatim(tokens)
}

const PRELUDE: &[&str] = &[
    "self", "Self", "Some", "None", "Ok", "Err", "drop", "Box", "String", "Vec", "Option", "Default",
    "Duration", "Instant", "BTreeMap", "BTreeSet", "VecDeque", "NodeId", "u8", "u16", "u32", "u64", "u128",
    "usize", "i8", "i16", "i32", "i64", "i128", "isize", "bool", "char", "str",
];
