//! Parts and calls: fields of nodes and structs, indices, methods, routines, functions, lambdas.

use proc_macro2::{Span as TokenSpan, TokenStream};
use quote::{format_ident, quote, quote_spanned};

use crate::ast::{self, Expr, ExprKind};
use crate::body::{Borrow, Window};
use crate::check::unknown;
use crate::diag::Diagnostic;
use crate::types::Type;

use super::layers::LayerAt;
use super::methods;
use super::names::Part;
use super::objective;
use super::value::{Home, Lowerer, SystemScope, Value};

impl Lowerer<'_, '_, '_> {
    pub(super) fn construct(&mut self, it: &ast::Stack, span: TokenSpan) -> Option<Value> {
        let mut fields = Vec::new();
        for field in it.fields() {
            let name = self.checked.places.ident(&field.name);
            let value = match &field.value {
                Some(value) => self.expr(value, None)?,
                None => {
                    let path = ast::Path { segments: vec![field.name.clone()], span: field.name.span };
                    let expr = Expr { kind: ExprKind::Path(path), span: field.name.span };
                    self.expr(&expr, None)?
                }
            };
            let value = self.by_value(value).tokens;
            fields.push(quote!(#name: #value));
        }
        let path = self.checked.places.stream(it.path.span);
        let ty = it.path.as_ident().map_or(Type::Unknown, |it| {
            let (file, name) = self.checked.names.files.declared(self.file(), &it.name);
            self.checked.names.types.of_key(&self.checked.names.files.key(file, name))
        });
        Some(Value::new(quote_spanned!(span=> #path { #(#fields),* }), ty))
    }

    pub(super) fn field(&mut self, base: &Expr, name: &ast::Ident) -> Option<Value> {
        let own = self.own(base);
        let base = own.as_ref().unwrap_or(base);
        let value = self.expr(base, None)?;
        let token = self.checked.places.ident(name);
        let span = token.span();
        match value.ty.peeled().clone() {
            Type::Node(service) => {
                self.note_node(base);
                let node = self.by_value(value).tokens;
                let service = self.service_of(service, name, Part::Field)?;
                if let Some(layer) = self.layer(service, node.clone(), name) {
                    return Some(layer);
                }
                self.member(service, node, name)
            }
            Type::Layer { service, slot, bound } => {
                self.note_node(base);
                self.field_of_layer(LayerAt { service, slot, bound }, self.by_value(value).tokens, name)
            }
            Type::Named(ty) => {
                let tokens = value.tokens;
                let Some(field) = self.checked.names.types.field(&ty, &name.name) else {
                    let known: Vec<&str> = self.checked.names.types.fields(&ty)?.collect();
                    let what = format!("field of `{ty}` named");
                    let found = unknown("E0502", name.span, &what, &name.name, known);
                    self.report(found);
                    return None;
                };
                Some(Value::place(quote_spanned!(span=> #tokens.#token), field))
            }
            Type::Unknown => {
                let tokens = value.tokens;
                Some(Value::place(quote_spanned!(span=> #tokens.#token), Type::Unknown))
            }
            other => {
                let message = format!("{} has no field `{}`", other.describe(), name.name);
                let mut found = Diagnostic::error("E0502", name.span, message);
                if matches!(&other, Type::Option(inner) if matches!(**inner, Type::Node(_))) {
                    let help =
                        format!("bind the node first: `p in {}`", self.checked.places.file.slice(base.span));
                    found = found.with_help(help);
                } else if other.element().is_some() || matches!(other, Type::Group(_)) {
                    found = found.with_help("range over its elements first: `forall x in ..: x.name`");
                }
                self.report(found);
                None
            }
        }
    }

    pub(super) fn tuple_field(&mut self, base: &Expr, number: u32, span: TokenSpan) -> Option<Value> {
        let value = self.expr(base, None)?;
        let ty = match value.ty.peeled() {
            Type::Tuple(parts) => parts.get(number as usize).cloned().unwrap_or(Type::Unknown),
            Type::Named(name) => {
                self.checked.names.types.field(name, &number.to_string()).unwrap_or(Type::Unknown)
            }
            _ => Type::Unknown,
        };
        let (tokens, mut index) = (value.tokens, syn::Index::from(number as usize));
        index.span = span;
        Some(Value::place(quote_spanned!(span=> #tokens.#index), ty))
    }

    pub(super) fn index(&mut self, base: &Expr, index: &Expr, span: TokenSpan) -> Option<Value> {
        let value = self.expr(base, None)?;
        let at = self.expr(index, None)?;
        let tokens = value.tokens;
        let ty = match value.ty.peeled() {
            Type::Group(group) => {
                let Home::System(scope) = self.home else { return None };
                if let Type::Seq(_) = at.ty.peeled() {
                    let message = "a node of a group is named by one number";
                    let text = self.checked.places.file.slice(base.span);
                    let help = format!("write a list: `[{text}[0], {text}[1]]`");
                    self.report(Diagnostic::error("E0513", index.span, message).with_help(help));
                    return None;
                }
                self.within_group(scope, *group, index)?;
                Type::Node(Some(scope.groups[*group].1))
            }
            Type::Seq(inner) => (**inner).clone(),
            Type::Map(_, inner) => {
                let key = self.by_reference(at);
                return Some(Value::place(quote_spanned!(span=> #tokens[#key]), (**inner).clone()));
            }
            _ => Type::Unknown,
        };
        let at = self.by_value(at).tokens;
        Some(Value::place(quote_spanned!(span=> #tokens[#at]), ty))
    }

    /// That a group has a node of that number, as far as that shows.
    fn within_group(&mut self, scope: &SystemScope, group: usize, index: &Expr) -> Option<()> {
        let negative = objective::literal(index).is_some_and(|it| it < 0.0);
        let (number, size) = (objective::whole_number(index), scope.sizes.get(group).copied().flatten());
        let name = &scope.groups[group].0;
        let message = match (number, size) {
            _ if negative => "the nodes of a group are counted from 0".to_owned(),
            (Some(number), Some(size)) if number >= size => match size {
                0 => format!("the group `{name}` has no nodes"),
                1 => format!("the group `{name}` has one node, `{name}[0]`"),
                _ => format!("the group `{name}` has {size} nodes, `{name}[0]` to `{name}[{}]`", size - 1),
            },
            (Some(number), None) if !scope.building && self.conditions == 0 => {
                scope.named.borrow_mut().insert((group, number));
                return Some(());
            }
            _ => return Some(()),
        };
        self.report(Diagnostic::error("E0510", index.span, message).with_label("there is no such node"));
        None
    }

    /// `self` before a dot as the node `me`, where bare names are its variables.
    fn own(&self, base: &Expr) -> Option<Expr> {
        let name = base.as_ident().filter(|it| it.name == "self")?;
        let Home::Service { own: true, .. } = self.home else { return None };
        let me = ast::Ident { name: "me".to_owned(), span: name.span };
        let path = ast::Path { segments: vec![me], span: base.span };
        Some(Expr { kind: ExprKind::Path(path), span: base.span })
    }

    pub(super) fn method(&mut self, call: &ast::MethodCall, span: TokenSpan) -> Option<Value> {
        let own = self.own(&call.base);
        let base = self.expr(own.as_ref().unwrap_or(&call.base), None)?;
        if let Type::Node(service) = *base.ty.peeled()
            && !matches!(call.name.name.as_str(), "index" | "clone" | "cmp" | "max" | "min")
        {
            self.note_node(&call.base);
            let service = self.service_of(service, &call.name, Part::Method)?;
            let node = self.by_value(base).tokens;
            let routine = self.checked.names.services[service].routine(&call.name.name).is_some();
            if let Some(query) = self.answers(service, &call.name.name).filter(|_| !routine) {
                return self.query(service, node, query, call);
            }
            return self.routine(service, node, &call.name, &call.args);
        }
        if let Type::Layer { service, slot, bound } = *base.ty.peeled() {
            self.note_node(&call.base);
            let node = self.by_value(base).tokens;
            return self.method_of_layer(LayerAt { service, slot, bound }, node, call);
        }
        let name = call.name.name.as_str();
        if let (Type::Group(group), "after" | "before") = (base.ty.peeled(), name) {
            return self.neighbour(*group, &base.tokens, call);
        }
        let of = self.listed(base.ty.peeled());
        let parameter = methods::lambda_parameter(&of, name);
        let mut args = Vec::new();
        let mut first = None;
        for arg in &call.args {
            let value = match &arg.kind {
                ExprKind::Lambda(lambda) => self.lambda(lambda, parameter.as_slice(), span)?,
                _ => self.expr(arg, None)?,
            };
            first = first.or_else(|| Some(value.ty.clone()));
            let tokens = match methods::takes_reference(name) {
                true => self.by_reference(value),
                false => self.by_value(value).tokens,
            };
            args.push(tokens);
        }
        let ty = methods::result(&of, name, first.as_ref());
        let (tokens, method) = (base.tokens, self.checked.places.ident(&call.name));
        let turbofish = call.turbofish.as_ref().map(|it| {
            let written = self.checked.places.stream(it.span);
            quote!(::#written)
        });
        let span = method.span();
        Some(Value::new(quote_spanned!(span=> #tokens.#method #turbofish(#(#args),*)), ty))
    }

    /// `n.after(me)`, `n.before(me)`: the neighbour in a group whose nodes stand in a ring.
    fn neighbour(&mut self, group: usize, ring: &TokenStream, call: &ast::MethodCall) -> Option<Value> {
        let Home::System(scope) = self.home else { return None };
        let (name, service) = (&call.name, scope.groups[group].1);
        let [of] = call.args.as_slice() else {
            let message = format!("`{}` takes one node, and {} are given", name.name, call.args.len());
            self.report(Diagnostic::error("E0410", name.span, message));
            return None;
        };
        if !scope.building {
            let message =
                format!("`{}` says who is put beside whom, and claims look at what is there", name.name);
            self.report(
                Diagnostic::error("E0513", name.span, message)
                    .with_help("give the neighbour to the node as a parameter, and read that"),
            );
            return None;
        }
        let node = self.fitting(of, &Type::Node(None))?.tokens;
        let method = self.checked.places.ident(name);
        Some(Value::new(quote!(#ring.#method(#node)), Type::Node(Some(service))))
    }

    /// A group as the list of its nodes; any other type as it is.
    fn listed(&self, ty: &Type) -> Type {
        match (ty, self.home) {
            (Type::Group(group), Home::System(scope)) => {
                Type::Seq(Box::new(Type::Node(Some(scope.groups[*group].1))))
            }
            _ => ty.clone(),
        }
    }

    /// A pure routine of a node.
    pub(super) fn routine(
        &mut self,
        service: usize,
        node: TokenStream,
        name: &ast::Ident,
        args: &[Expr],
    ) -> Option<Value> {
        let args: Vec<Option<Value>> = args.iter().map(|it| self.expr(it, None)).collect();
        let args: Vec<Value> = args.into_iter().collect::<Option<_>>()?;
        self.look(name.span)?;
        self.called.borrow_mut().insert((service, name.name.clone()));
        let facts = &self.checked.services.get(service)?;
        let shape = facts.shapes.get(&name.name)?.clone();
        let declared = self.checked.names.services[service].routine(&name.name)?.clone();
        let mutable = shape.borrows.values().any(|it| *it == Borrow::Mutable);
        if shape.ctx || mutable {
            let effect =
                facts.routines.get(&name.name).and_then(|it| crate::analyse::effects_of(it, &facts.routines));
            let (what, place) = match effect {
                Some((what, place, _)) => (what, place),
                None => ("asks about timers, which no property can see".to_owned(), declared.span),
            };
            self.report(
                Diagnostic::error("E0504", name.span, format!("the routine `{}` {what}", name.name))
                    .with_label("properties can call pure routines alone")
                    .with_secondary(place, "here")
                    .with_help("move what only reads into a routine of its own"),
            );
            return None;
        }
        if declared.arity != args.len() {
            let message = crate::check::arity(&name.name, args.len(), declared.arity);
            self.report(
                Diagnostic::error("E0410", name.span, message).with_secondary(declared.span, "declared here"),
            );
            return None;
        }
        let (module, token) = (self.module(service), self.checked.places.ident(name));
        let span = token.span();
        let mut passed: Vec<TokenStream> = Vec::new();
        match shape.window() {
            Window::Below => passed.push(quote!(below)),
            Window::Me => passed.push(node.clone()),
            Window::Step | Window::None => {}
        }
        if shape.below {
            self.reads_below(service, &name.name);
        }
        passed.extend(args.into_iter().map(|it| self.by_value(it).tokens));
        for variable in shape.borrows.keys() {
            self.reads.entry(service).or_default().insert(variable.clone());
            let variable = format_ident!("{variable}", span = span);
            passed.push(quote!(&#module::at(view, #node).#variable));
        }
        let ty =
            declared.output.as_ref().map_or(Type::Tuple(vec![]), |ty| self.checked.names.types.resolve(ty));
        let mut call = quote_spanned!(span=> #module::service(view, #node).#token(#(#passed),*));
        if shape.below {
            call = self.in_sight(service, &node, call, span);
        }
        Some(Value::new(call, ty))
    }

    pub(super) fn call(&mut self, expr: &Expr, function: &Expr, args: &[Expr]) -> Option<Value> {
        let span = self.span(expr.span);
        if let Some(name) = function.as_ident()
            && self.local(&name.name).is_none()
        {
            if let Home::Service { index, own: true } = self.home
                && self.checked.names.services[index].routine(&name.name).is_some()
            {
                return self.routine(index, quote!(me), name, args);
            }
            let own = self.checked.names.is_rust(self.file(), &name.name);
            match (name.name.as_str(), own, self.home) {
                ("random", false, Home::System(_)) => return self.random(expr, args),
                ("choose" | "choose_or", false, Home::System(_)) => {
                    let message = "what the application and the environment do is nature's, never a choice";
                    let found = Diagnostic::error("E0548", expr.span, message);
                    self.report(
                        found
                            .with_label("a choice is the service's own to make, and is made in its handlers")
                            .with_help("write `random(..)`"),
                    );
                    return None;
                }
                ("payload", false, Home::System(_)) => {
                    let args = self.all(args)?;
                    let args = args.iter().map(|it| &it.tokens);
                    return Some(Value::new(
                        quote_spanned!(span=> kernel::Payload::of(#(#args),*)),
                        Type::Unknown,
                    ));
                }
                _ => {}
            }
            let known = own || matches!(name.name.as_str(), "Some" | "Ok" | "Err" | "Box");
            if !known {
                if let Some(found) = self.elsewhere(name) {
                    self.report(found);
                    return None;
                }
                let functions = self.checked.names.items_seen(self.file());
                let functions = functions.filter(|it| it.starts_with(char::is_lowercase));
                let functions = functions.chain(["Some", "Ok", "Err"]);
                let mut found = unknown("E0501", name.span, "function", &name.name, functions);
                if let Home::Service { index, .. } = self.home
                    && self.checked.names.services[index].routine(&name.name).is_some()
                {
                    found.help = vec![format!("a routine is called on a node: `n.{}(..)`", name.name)];
                }
                self.report(found);
                return None;
            }
            let args = self.all(args)?;
            let ty = match (name.name.as_str(), args.as_slice()) {
                ("Some", [one]) => Type::Option(Box::new(one.ty.clone())),
                _ => Type::Unknown,
            };
            let (token, args) = (self.checked.places.ident(name), args.iter().map(|it| &it.tokens));
            return Some(Value::new(quote_spanned!(span=> #token(#(#args),*)), ty));
        }
        let function = self.expr(function, None)?.tokens;
        let args = self.all(args)?;
        let args = args.iter().map(|it| &it.tokens);
        Some(Value::new(quote_spanned!(span=> #function(#(#args),*)), Type::Unknown))
    }

    /// What is wrong with a function of the language that means nothing here.
    fn elsewhere(&self, name: &ast::Ident) -> Option<Diagnostic> {
        let text = name.name.as_str();
        Some(match text {
            "choose" | "choose_or" | "random" | "send" | "answer" | "now" => {
                let does = match text {
                    "send" | "answer" => "sends",
                    "now" => "reads the clock",
                    "random" => "draws by chance",
                    _ => "makes a choice",
                };
                Diagnostic::error(
                    "E0504",
                    name.span,
                    format!("`{text}` {does}, and a claim looks at a state"),
                )
                .with_help("it stands in bodies; keep in a variable what is to be claimed of it")
            }
            "weighted" | "uniform" | "exponential" | "bernoulli" | "grid" => {
                let message = format!("`{text}` is a distribution, and nothing is drawn here");
                Diagnostic::error("E0548", name.span, message).with_help(
                    "a delay is `5ms`, `1ms..40ms` or `exponential(20ms)`; a call of a workload draws with `random(..)`, from a \
                     range, a group, a list, `bernoulli(p)` or `weighted([..])`",
                )
            }
            _ => return None,
        })
    }

    /// `|x| ..`, where the types of the parameters may be known from what it is given to.
    pub(super) fn lambda(&mut self, lambda: &ast::Lambda, types: &[Type], span: TokenSpan) -> Option<Value> {
        let depth = self.locals.len();
        let mut patterns = Vec::new();
        let mut copies = Vec::new();
        for (at, pattern) in lambda.params.iter().enumerate() {
            let ty = types.get(at).cloned().unwrap_or(Type::Unknown);
            patterns.push(self.pattern(pattern, ty, &mut copies));
        }
        self.conditions += 1;
        let body = self.expr(&lambda.body, None);
        self.conditions -= 1;
        self.locals.truncate(depth);
        let body = self.by_value(body?);
        let tokens = body.tokens;
        Some(Value::new(quote_spanned!(span=> |#(#patterns),*| { #(#copies)* #tokens }), body.ty))
    }
}
