//! The rewriting of calls: `send`, `choose` and their kin, timers, routines, upcalls, and messages as constructors.

use proc_macro2::{Span as TokenSpan, TokenStream};
use quote::{ToTokens, format_ident, quote_spanned};
use syn::visit_mut::VisitMut;
use syn::{Expr, Ident};

use super::facts::{Borrow, Effect, Mode, Site, Window};
use super::resolve::{borrowed, message_path, root, verbatim};
use super::scope::Local;
use super::walk::{Walker, span_of};
use super::{literal, methods, scope};
use crate::diag::Diagnostic;
use crate::names::{MessageRef, closest};

/// The functions of the language, with the number of their arguments.
const BUILTINS: &[(&str, usize)] = &[
    ("answer", 2),
    ("bernoulli", 1),
    ("choose", 1),
    ("choose_or", 2),
    ("doubling", 1),
    ("exponential", 1),
    ("grid", 2),
    ("now", 0),
    ("payload", 1),
    ("random", 1),
    ("send", 2),
    ("subsets", 2),
    ("uniform", 1),
    ("weighted", 1),
];

impl Walker<'_> {
    /// A call `f(..)`.
    pub(super) fn call(&mut self, expr: &mut Expr) {
        let Expr::Call(call) = expr else { return };
        let Some(name) = Self::name_of(&call.func).cloned() else {
            self.visit_expr_mut(&mut call.func);
            call.args.iter_mut().for_each(|it| self.visit_expr_mut(it));
            return;
        };
        let text = name.to_string();
        if self.scopes.find(&text).is_some() {
            self.visit_expr_mut(&mut call.func);
            call.args.iter_mut().for_each(|it| self.visit_expr_mut(it));
            return;
        }
        if self.service.routine(&text).is_some() {
            *expr = self.routine(&name, call.args.iter_mut().collect());
            return;
        }
        if let Some(timer) = self.service.timer(&text) {
            let message = format!("the timer `{text}` is named, and nothing is done with it");
            let call = if timer.params.is_empty() { text.clone() } else { format!("{text}(..)") };
            let place = self.place(name.span());
            let help = format!("write `{call}.set(5s)`, `{call}.cancel()` or `{call}.is_set()`");
            return self.report(Diagnostic::error("E0204", place, message).with_help(help));
        }
        let declared = self.names.is_rust(self.service.file, &text);
        if let Some((_, arity)) = BUILTINS.iter().find(|(known, _)| *known == text && !declared) {
            let (arity, given) = (*arity, call.args.len());
            if given != arity {
                return self.wrong_arity(&name, given, arity);
            }
            let arguments = call.args.iter_mut().collect();
            if let Some(rewritten) = self.builtin(&name, arguments) {
                *expr = rewritten;
            }
            return;
        }
        if scope::is_capitalised(&text) {
            if let Some(message) = self.names.message(self.service, &text) {
                self.facts.messages.insert(message);
                let place = self.place(name.span());
                let fields = &self.names.message_at(self.service, message).fields;
                let fields: Vec<_> = fields.iter().map(|it| format!("{}: ..", it.name)).collect();
                let help = format!("write `{text} {{ {} }}`", fields.join(", "));
                self.report(
                    Diagnostic::error("E0210", place, format!("`{text}` is a message, not a function"))
                        .with_help(help),
                );
            } else {
                self.check_known(&name, "type or message");
            }
        } else {
            self.check_known(&name, "routine or function");
        }
        call.args.iter_mut().for_each(|it| self.visit_expr_mut(it));
    }

    pub(super) fn wrong_arity(&mut self, name: &Ident, given: usize, expected: usize) {
        let place = self.place(name.span());
        let message = crate::check::arity(&name.to_string(), given, expected);
        self.report(Diagnostic::error("E0410", place, message));
    }

    /// A call of a routine: passes on what it borrows.
    fn routine(&mut self, name: &Ident, mut arguments: Vec<&mut Expr>) -> Expr {
        let text = name.to_string();
        let span = name.span();
        let place = self.place(span);
        self.facts.calls.entry(text.clone()).or_insert(place);
        self.facts.uses_self = true;
        if let Some(known) = self.service.routine(&text)
            && known.arity != arguments.len()
        {
            let arity = known.arity;
            self.wrong_arity(name, arguments.len(), arity);
        }
        arguments.iter_mut().for_each(|it| self.visit_expr_mut(it));
        if self.mode == Mode::Constant {
            self.report(
                Diagnostic::error("E0413", place, format!("the routine `{text}` cannot be called here"))
                    .with_label("constants and defaults can only name constants"),
            );
        }
        let Some(shape) = self.routines.get(&text).cloned() else {
            return verbatim(quote_spanned!(span=> self.#name(#(#arguments),*)));
        };
        let mut passed: Vec<TokenStream> = Vec::new();
        match shape.window() {
            Window::Step => passed.push(quote_spanned!(span=> ctx)),
            Window::Below => passed.push(match self.sees_step() {
                true => quote_spanned!(span=> ctx.below()),
                false => quote_spanned!(span=> below),
            }),
            Window::Me => passed.push(self.me(span).into_token_stream()),
            Window::None => {}
        }
        // The author's arguments are evaluated before the variables are borrowed.
        passed.extend(arguments.iter().map(|argument| argument.to_token_stream()));
        for (variable, borrow) in &shape.borrows {
            let variable = format_ident!("{variable}", span = span);
            let lent = borrowed(&variable);
            passed.push(match (self.mode, borrow) {
                (Mode::Routine(_), Borrow::Shared) => quote_spanned!(span=> &*#lent),
                (Mode::Routine(_), Borrow::Mutable) => quote_spanned!(span=> &mut *#lent),
                (_, Borrow::Shared) => quote_spanned!(span=> &this.#variable),
                (_, Borrow::Mutable) => quote_spanned!(span=> &mut this.#variable),
            });
        }
        verbatim(quote_spanned!(span=> self.#name(#(#passed),*)))
    }

    fn builtin(&mut self, name: &Ident, mut arguments: Vec<&mut Expr>) -> Option<Expr> {
        let text = name.to_string();
        let span = name.span();
        match text.as_str() {
            "send" => {
                let [to, message] = arguments.as_mut_slice() else { return None };
                return Some(self.send(span, to, message));
            }
            "now" => {
                let now = verbatim(quote_spanned!(span=> ctx.now()));
                return Some(if self.permitted(Effect::Now, span) {
                    now
                } else {
                    verbatim(quote_spanned!(span=> ()))
                });
            }
            _ => {}
        }
        if matches!(text.as_str(), "choose" | "choose_or" | "random") {
            self.check_options(name, &*arguments[0]);
        }
        let outer = self.binding.take();
        arguments.iter_mut().for_each(|it| self.visit_expr_mut(it));
        self.binding = outer;
        let effect = match text.as_str() {
            "choose" | "choose_or" => Effect::Choose,
            "random" => Effect::Random,
            "answer" => {
                let (reply, value) = (&arguments[0], &arguments[1]);
                let answered = quote_spanned!(span=> ctx.answer(#reply, #value));
                return self.permitted(Effect::Answer, span).then(|| verbatim(answered));
            }
            "payload" => {
                let value = &arguments[0];
                return Some(verbatim(quote_spanned!(span=> ::foresee::kernel::Payload::of(#value))));
            }
            "bernoulli" => {
                let p = &arguments[0];
                return Some(verbatim(quote_spanned!(span=> ::foresee::kernel::choice::bernoulli(#p))));
            }
            "uniform" | "weighted" => {
                let outcomes = &arguments[0];
                return Some(verbatim(
                    quote_spanned!(span=> ::foresee::kernel::Distribution::#name(#outcomes)),
                ));
            }
            "doubling" | "grid" | "subsets" => {
                return Some(verbatim(
                    quote_spanned!(span=> ::foresee::kernel::grid::#name(#(#arguments),*)),
                ));
            }
            _ => {
                return Some(verbatim(
                    quote_spanned!(span=> ::foresee::kernel::time::#name(#(#arguments),*)),
                ));
            }
        };
        if !self.permitted(effect, span) {
            return None;
        }
        let site = self.site(name);
        Some(verbatim(quote_spanned!(span=> ctx.#name(&SITES[#site], #(#arguments),*))))
    }

    /// Reports what has no end of options: a law or a range of moments.
    fn check_options(&mut self, name: &Ident, options: &Expr) {
        let endless = match options {
            Expr::Call(call) => Self::name_of(&call.func)
                .is_some_and(|it| it == "exponential")
                .then_some("a law of any moment"),
            Expr::Range(range) => {
                let ends = [&range.start, &range.end];
                let moments = ends.into_iter().flatten().any(|it| is_duration(it));
                moments.then_some("a range of moments")
            }
            _ => None,
        };
        let Some(what) = endless else { return };
        let place = self.place(span_of(options));
        let written = self.places.file.slice(place);
        let help = match options {
            Expr::Call(_) => {
                format!("say which moments count: `{name}({written}.on(doubling(100ms..=10s)))`")
            }
            _ => format!(
                "say which moments count: `{name}(grid({written}, 10ms))` or `{name}(doubling({written}))`"
            ),
        };
        let message = format!("`{name}` needs finitely many options, and {what} has no end of them");
        self.report(Diagnostic::error("E0419", place, message).with_help(help));
    }

    /// Notes an effect and says whether this place may have it.
    pub(super) fn permitted(&mut self, effect: Effect, span: TokenSpan) -> bool {
        let place = self.place(span);
        self.facts.effects.push((effect, place));
        let (allowed, label) = match self.mode {
            Mode::Handler | Mode::Routine(_) => (true, ""),
            Mode::Query => {
                (effect == Effect::Ask, "a query is answered from variables and lower layers alone")
            }
            Mode::Guard => (effect.is_reading(), "guards and the sets of a head's `choose` only read"),
            Mode::Every => (effect.is_for_intervals(), "an interval may choose, and do nothing else"),
            Mode::Initial | Mode::Constant => (false, "nothing has started yet"),
        };
        if !allowed {
            let help = match self.mode {
                Mode::Guard if effect == Effect::Choose => "put the choice into the head: `choose x in SET`",
                Mode::Guard => "do it in the body",
                Mode::Query if effect == Effect::ReadTimer => "keep what the timer means in a variable",
                Mode::Query => {
                    "make it a command (no result) or a request (`-> Reply<..>`), which may do this"
                }
                Mode::Every => "do it in the timer's handler",
                _ => "do it in `upcall start()`",
            };
            let message = format!("this {}, which is not possible here", effect.describe());
            self.report(Diagnostic::error("E0406", place, message).with_label(label).with_help(help));
        }
        allowed
    }

    /// A comparison in which `now()` stands is a point of the step: whoever has a clock knows the answer, and else nature has.
    pub(super) fn in_time(&mut self, binary: &mut syn::ExprBinary) -> Option<Expr> {
        use syn::BinOp::{Eq, Ge, Gt, Le, Lt, Ne};
        let relation = match binary.op {
            Lt(_) => "Less",
            Le(_) => "AtMost",
            Gt(_) => "Greater",
            Ge(_) => "AtLeast",
            Eq(_) => "Equal",
            Ne(_) => "Other",
            _ => return None,
        };
        let name = [&*binary.left, &binary.right].into_iter().find_map(|operand| self.moment(operand))?;
        let span = span_of(&Expr::Binary(binary.clone()));
        self.visit_expr_mut(&mut binary.left);
        self.visit_expr_mut(&mut binary.right);
        let (site, relation) = (self.site(&name), format_ident!("{relation}"));
        let (left, right) = (&binary.left, &binary.right);
        Some(verbatim(quote_spanned! {span=>
            ctx.compare(&SITES[#site], &(#left), ::foresee::kernel::Relation::#relation, &(#right))
        }))
    }

    /// The name of the present in an operand: that of a call `now()`, or of a local that holds what one gave.
    pub(super) fn moment(&self, operand: &Expr) -> Option<Ident> {
        match operand {
            Expr::Call(call) => match Walker::name_of(&call.func) {
                Some(name) if name == "now" => {
                    let own =
                        self.scopes.find("now").is_some() || self.names.is_rust(self.service.file, "now");
                    (!own).then(|| name.clone())
                }
                Some(name) if name == "Some" => call.args.iter().find_map(|it| self.moment(it)),
                _ => None,
            },
            Expr::Path(path) => {
                let name = path.path.get_ident()?;
                (self.scopes.find(&name.to_string()) == Some(Local::Moment)).then(|| name.clone())
            }
            Expr::Paren(inner) => self.moment(&inner.expr),
            Expr::Reference(inner) => self.moment(&inner.expr),
            Expr::Binary(it) => {
                use syn::BinOp::{Add, Sub};
                let keeps = matches!(it.op, Add(_) | Sub(_));
                let operands = [&*it.left, &it.right].into_iter();
                keeps.then(|| operands.filter_map(|it| self.moment(it)).next()).flatten()
            }
            _ => None,
        }
    }

    /// A new site, named after the handler and what is bound.
    fn site(&mut self, name: &Ident) -> proc_macro2::Literal {
        let bound = self.binding.clone().unwrap_or_else(|| name.to_string());
        let base = if self.owner.is_empty() { bound } else { format!("{}.{bound}", self.owner) };
        let taken = |candidate: &str| self.facts.sites.iter().any(|site| site.name == candidate);
        let mut unique = base.clone();
        for number in 2.. {
            if !taken(&unique) {
                break;
            }
            unique = format!("{base}{number}");
        }
        let line = self.places.line(self.place(name.span()));
        let (chance, open) = (name == "random", name == "choose" || name == "choose_or");
        self.facts.sites.push(Site { name: unique, line, chance, open });
        proc_macro2::Literal::usize_unsuffixed(self.first_site + self.facts.sites.len() - 1)
    }

    /// Reports `self.f(..)`: a service has routines, and they are called as functions are.
    fn call_of_self(&mut self, method: &syn::Ident) {
        let (name, place) = (method.to_string(), self.place(method.span()));
        let routines = self.service.routines.iter().map(|it| it.name.as_str());
        let meant = closest(&name, routines).map(str::to_owned);
        let found = match self.service.routine(&name) {
            Some(_) => {
                Diagnostic::error("E0414", place, format!("the routine `{name}` is called without `self`"))
                    .with_help(format!("write `{name}(..)`"))
            }
            None => Diagnostic::error("E0205", place, format!("there is no routine `{name}`"))
                .with_label(format!("not declared in the `routines` of `{}`", self.service.name)),
        };
        let meant = meant.filter(|_| self.service.routine(&name).is_none());
        self.report(match meant {
            Some(meant) => found.with_help(format!("did you mean `{meant}(..)`, without `self`?")),
            None => found,
        });
    }

    fn send(&mut self, span: TokenSpan, to: &mut Expr, message: &mut Expr) -> Expr {
        if !self.permitted(Effect::Send, span) {
            return verbatim(quote_spanned!(span=> ()));
        }
        let kind = self.kind_of(message);
        self.check_sent(message, kind);
        let place = self.place(span_of(message));
        self.visit_expr_mut(to);
        // What is sent is a message, whatever else has its name.
        match (kind, Self::name_of(message).cloned()) {
            (Some(kind), Some(name)) => {
                self.facts.messages.insert(kind);
                self.check_constructor(&name, kind, None);
                *message = verbatim(message_path(self.names, self.service, kind, &name));
            }
            _ => self.visit_expr_mut(message),
        }
        match kind {
            Some(kind) => {
                self.facts.sends.push((kind, place));
                let slot = self.names.message_at(self.service, kind).slot;
                let slot = proc_macro2::Literal::usize_unsuffixed(slot);
                verbatim(quote_spanned!(span=> ctx.send(#slot, #to, #message)))
            }
            // Which message it is shows at run time alone, and with it the carrier.
            None => verbatim(quote_spanned!(span=> match (#to, #message) {
                (to, message) => ctx.send(message.carrier(), to, message),
            })),
        }
    }

    /// The kind of message that an expression constructs, where that is plain to see.
    fn kind_of(&self, message: &Expr) -> Option<MessageRef> {
        let path = match message {
            Expr::Struct(it) => it.path.get_ident(),
            Expr::Call(it) => Self::name_of(&it.func),
            Expr::Paren(inner) => return self.kind_of(&inner.expr),
            other => Self::name_of(other),
        }?;
        let name = path.to_string();
        self.names.message(self.service, &name).filter(|_| self.scopes.find(&name).is_none())
    }

    /// Reports what is certainly no message.
    fn check_sent(&mut self, message: &Expr, kind: Option<MessageRef>) {
        if kind.is_some() {
            // What a layer without a known interface was meant to be was reported.
            let meant = self.service.layers.iter().any(|it| it.interface.is_none());
            if self.service.carriers.is_empty() && !meant {
                let place = self.place(span_of(message));
                let name = self.service.name.clone();
                self.report(
                    Diagnostic::error("E0206", place, format!("`{name}` has no carrier to send this over"))
                        .with_help(
                            "declare one in the service: `uses net: Reliable;` or `uses net: Datagram;`",
                        ),
                );
            }
            return;
        }
        let name = match message {
            Expr::Struct(it) => it.path.get_ident(),
            other => Self::name_of(other).filter(|ident| scope::is_capitalised(&ident.to_string())),
        };
        let Some(name) = name.cloned() else { return };
        let text = name.to_string();
        let file = self.service.file;
        if self.names.is_rust(file, &text) || self.names.has_globs(file) {
            return;
        }
        let known = self.service.messages.iter().chain(self.names.messages_beside(self.service));
        let known = known.map(|it| it.name.as_str());
        let mut found =
            Diagnostic::error("E0203", self.place(name.span()), format!("there is no message `{text}`"))
                .with_label("neither in this service nor at file level");
        if let Some(meant) = closest(&text, known) {
            found = found.with_help(format!("did you mean `{meant}`?"));
        }
        self.report(found);
    }

    /// `x.f(..)`: timers, upcalls, and methods that change a variable.
    pub(super) fn method_call(&mut self, expr: &mut Expr) {
        let Expr::MethodCall(call) = expr else { return };
        if let Some(rewritten) = self.timer_call(call) {
            *expr = rewritten;
            return;
        }
        if let Some(name) = Self::name_of(&call.receiver).cloned() {
            let text = name.to_string();
            let local = self.scopes.find(&text).is_some();
            if text == "up" && !local {
                *expr = self.upcall(call);
                return;
            }
            if !local && let Some(slot) = self.service.layer(&text) {
                *expr = self.layer_call(slot, call);
                return;
            }
            if text == "self" {
                self.call_of_self(&call.method);
                call.args.iter_mut().for_each(|it| self.visit_expr_mut(it));
                return;
            }
        }
        let method = call.method.to_string();
        let mut key = None;
        if let Some((variable, _)) = root(&call.receiver) {
            let foreign = self.service.variable(&variable.to_string()).is_some_and(|it| it.is_foreign);
            key = self.keyed(&call.receiver, &method);
            if key.is_some() {
                self.writes_entry(&call.receiver);
            } else if methods::changes(self.names, &method, foreign) {
                self.writes(&call.receiver);
            } else if !methods::reads(self.names, &method) {
                self.may_write(&call.receiver);
            }
        }
        self.visit_expr_mut(&mut call.receiver);
        call.args.iter_mut().for_each(|it| self.visit_expr_mut(it));
        if let Some((variable, key)) = key
            && let Some(first) = call.args.first().cloned()
        {
            let span = call.method.span();
            // The key is evaluated before the other arguments, as it is without the note.
            let note = match key {
                methods::Key::Value => quote_spanned!(span=> ctx.touch(#variable, &this_key);),
                methods::Key::Borrowed => quote_spanned!(span=> ctx.touch_borrowed(#variable, this_key);),
            };
            call.args[0] = verbatim(quote_spanned!(span=> this_key));
            *expr = verbatim(quote_spanned!(span=> match #first { this_key => { #note #call } }));
        }
    }

    /// The variable and the way of its key, where `method` changes one entry of a durable map or set.
    fn keyed(&self, receiver: &Expr, method: &str) -> Option<(String, methods::Key)> {
        let key = methods::key(method)?;
        let (ident, qualified) = match receiver {
            Expr::Path(_) | Expr::Field(_) | Expr::Paren(_) => root(receiver)?,
            _ => return None,
        };
        let name = ident.to_string();
        let itself = qualified
            && matches!(receiver, Expr::Field(field) if matches!(&*field.base, Expr::Path(_)))
            || !qualified && Self::name_of(receiver).is_some() && self.scopes.find(&name).is_none();
        let variable = self.service.variable(&name).filter(|it| itself && it.is_durable && it.is_keyed)?;
        Some((variable.name.trim_start_matches("r#").to_owned(), key))
    }

    /// `Join { joiner: me, hops: 0 }`, or a struct of the file.
    pub(super) fn constructor(&mut self, it: &mut syn::ExprStruct) {
        let name = it.path.get_ident().cloned();
        let message = name.as_ref().and_then(|name| self.names.message(self.service, &name.to_string()));
        if let (Some(name), Some(message)) = (&name, message) {
            self.facts.messages.insert(message);
            self.check_constructor(name, message, Some(it));
            if let Ok(path) = syn::parse2(message_path(self.names, self.service, message, name)) {
                it.path = path;
            }
        } else if let Some(name) = &name {
            self.check_known(name, "type or message");
        }
        for field in &mut it.fields {
            let before = Self::name_of(&field.expr).cloned();
            self.visit_expr_mut(&mut field.expr);
            let rewritten = matches!(field.expr, Expr::Verbatim(_));
            if let (None, true, Some(name)) = (field.colon_token, rewritten, before) {
                field.colon_token = Some(syn::Token![:](name.span()));
            }
        }
        if let Some(rest) = &mut it.rest {
            self.visit_expr_mut(rest);
        }
    }

    /// Compares the fields given with those declared; `None` for the bare name.
    pub(super) fn check_constructor(
        &mut self,
        name: &Ident,
        message: MessageRef,
        given: Option<&syn::ExprStruct>,
    ) {
        let declared = self.names.message_at(self.service, message).clone();
        let mut missing: Vec<&str> = declared.fields.iter().map(|it| it.name.as_str()).collect();
        for field in given.iter().flat_map(|it| &it.fields) {
            let syn::Member::Named(field) = &field.member else { continue };
            let text = field.to_string();
            missing.retain(|known| *known != text);
            if !declared.has(&text) {
                self.unknown_field(field, &declared);
            }
        }
        let complete = given.is_some_and(|it| it.rest.is_some());
        if !missing.is_empty() && !complete {
            let list: Vec<_> = missing.iter().map(|it| format!("`{it}`")).collect();
            let message = format!(
                "`{name}` lacks the field{} {}",
                if list.len() == 1 { "" } else { "s" },
                list.join(", ")
            );
            let place = self.place(name.span());
            self.report(
                Diagnostic::error("E0211", place, message)
                    .with_secondary(declared.span, "declared here")
                    .with_help("a message is sent with all of its fields: give each a value"),
            );
        }
    }

    fn unknown_field(&mut self, field: &Ident, declared: &crate::names::MessageName) {
        let text = field.to_string();
        let place = self.place(field.span());
        let message = format!("the message `{}` has no field `{text}`", declared.name);
        let mut found =
            Diagnostic::error("E0210", place, message).with_secondary(declared.span, "declared here");
        let known = || declared.fields.iter().map(|it| it.name.as_str());
        found = match closest(&text, known()) {
            Some(meant) => found.with_help(format!("did you mean `{meant}`?")),
            None if declared.fields.is_empty() => found.with_help("it has no fields at all"),
            None => found.with_help(format!("its fields are: {}", known().collect::<Vec<_>>().join(", "))),
        };
        self.report(found);
    }
}

/// Whether an expression is a literal such as `5s`.
fn is_duration(expr: &Expr) -> bool {
    let Expr::Lit(literal) = expr else { return false };
    match &literal.lit {
        syn::Lit::Int(it) => literal::is_duration(it.suffix()),
        syn::Lit::Float(it) => literal::is_duration(it.suffix()),
        _ => false,
    }
}
