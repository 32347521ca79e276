//! Names in properties and systems: nodes, groups, parameters, constants, control states, and the members of a node.

use proc_macro2::{Ident, Span as TokenSpan, TokenStream};
use quote::{quote, quote_spanned};

use crate::ast::{self, Expr};
use crate::check::unknown;
use crate::diag::Diagnostic;
use crate::tokens::identifier;
use crate::types::Type;

use super::value::{Home, Lowerer, SystemScope, Value};

/// What is named of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// A variable, a parameter or a layer.
    Field,
    /// A routine or a query.
    Method,
}

impl Lowerer<'_, '_, '_> {
    pub(super) fn path(&mut self, expr: &Expr, path: &ast::Path, expected: Option<&Type>) -> Option<Value> {
        let Some(ident) = path.as_ident() else {
            let written = self.checked.places.stream(path.span);
            let bound = path.segments.last().is_some_and(|it| matches!(it.name.as_str(), "MAX" | "MIN"));
            let integer = path
                .segments
                .first()
                .and_then(|it| crate::types::INTEGERS.iter().find(|known| **known == it.name))
                .filter(|_| bound);
            let ty = integer.map_or_else(|| self.variant_type(path), |it| Type::Int(it));
            return Some(Value::new(written, ty));
        };
        let (name, token) = (ident.name.as_str(), self.checked.places.ident(ident));
        if let Some(ty) = self.local(name) {
            return Some(Value::place(quote!(#token), ty));
        }
        if let Some(value) = self.state(ident, expected) {
            return Some(value);
        }
        match self.home {
            Home::Service { index, own } => {
                if name == "nodes" && !self.binding {
                    let (module, service) = (self.module(index), self.service_ident(index));
                    self.fetch(name, quote!(let nodes = view.running::<#module::#service>();));
                    self.reads_others |= !std::mem::take(&mut self.ranging);
                    return Some(Value::place(quote!(nodes), Type::Seq(Box::new(Type::Node(Some(index))))));
                }
                let names = &self.checked.names.services[index];
                if let Some(constant) = names.consts.get(name) {
                    let module = self.module(index);
                    return Some(Value::place(quote!(#module::#token), constant.ty.clone()));
                }
                if own && (name == "me" || self.member_type(index, name).is_some()) {
                    if name == "me" {
                        return Some(Value::place(quote!(me), Type::Node(Some(index))));
                    }
                    return self.member(index, quote!(me), ident);
                }
                if own && let Some(layer) = self.own_layer(index, ident) {
                    return Some(layer);
                }
            }
            Home::System(scope) => {
                if let Some(value) = self.of_system(scope, name, &token) {
                    return Some(value);
                }
            }
        }
        if self.checked.names.is_rust(self.file(), name) || name == "None" {
            let ty = if name == "None" { Type::Option(Box::new(Type::Unknown)) } else { Type::Unknown };
            return Some(Value::new(quote!(#token), ty));
        }
        self.unknown_name(expr, ident);
        None
    }

    /// The type of `Kind::Loud`: an enum that a file declares, if it is one.
    fn variant_type(&self, path: &ast::Path) -> Type {
        let names = &self.checked.names;
        let (file, of, variant) = match path.segments.as_slice() {
            [of, variant] => {
                let (file, of) = names.files.declared(self.file(), &of.name);
                (Some(file), of, variant)
            }
            [spec, of, variant] => (names.files.spec(self.file(), &spec.name), of.name.as_str(), variant),
            _ => return Type::Unknown,
        };
        let key = file.map(|file| names.files.key(file, of));
        let is_variant =
            variant.name.contains(char::is_lowercase) && variant.name.starts_with(char::is_uppercase);
        match key.filter(|key| is_variant && names.types.is_enum(key)) {
            Some(key) => Type::Named(key),
            None => Type::Unknown,
        }
    }

    pub(super) fn of_system(&mut self, scope: &SystemScope, name: &str, token: &Ident) -> Option<Value> {
        if let Some(at) = scope.groups.iter().position(|(known, ..)| known == name) {
            let (_, service, single) = scope.groups[at];
            self.reads_others = true;
            if single {
                if !scope.building {
                    self.fetch(name, quote!(let #token = view.group(#at)[0];));
                    return Some(Value::place(quote!(#token), Type::Node(Some(service))));
                }
                return Some(Value::new(quote!(#token.only()), Type::Node(Some(service))));
            }
            if !scope.building {
                self.fetch(name, quote!(let #token = view.group(#at);));
            }
            return Some(Value::place(quote!(#token), Type::Group(at)));
        }
        if let Some((_, ty, written, default)) = scope.parameters.iter().find(|(known, ..)| known == name) {
            if !scope.building {
                self.fetch(
                    name,
                    quote!(let #token: #written = view.model().arguments.get(#name, #default).unwrap_or_default();),
                );
            }
            return Some(Value::place(quote!(#token), ty.clone()));
        }
        if name == "nodes" {
            self.reads_others = true;
            let service = common(scope.groups.iter().map(|(_, service, _)| Some(*service)));
            let ty = Type::Seq(Box::new(Type::Node(service)));
            if scope.building {
                return Some(Value::new(quote!(this_model.ids()), ty));
            }
            self.fetch(name, quote!(let nodes = view.all();));
            return Some(Value::place(quote!(nodes), ty));
        }
        None
    }

    /// Whether a list holds nodes and something else, which is reported.
    pub(super) fn mixed(&mut self, exprs: &[Expr], parts: &[Value]) -> bool {
        let node = |part: &Value| match part.ty.peeled() {
            Type::Node(_) | Type::Group(_) => Some(true),
            Type::Unknown => None,
            _ => Some(false),
        };
        let wrong = match parts.iter().any(|it| node(it) == Some(true)) {
            true => parts.iter().position(|it| node(it) == Some(false)),
            false => None,
        };
        let Some(at) = wrong else { return false };
        let message = format!("this list is of nodes, and this is {}", parts[at].ty.describe());
        self.report(Diagnostic::error("E0513", exprs[at].span, message));
        true
    }

    /// Groups and nodes, one after another, as one list of ids.
    pub(super) fn joined(&mut self, parts: Vec<Value>) -> Value {
        let Home::System(scope) = self.home else { return Value::new(quote!([]), Type::Unknown) };
        let service = |part: &Value| match part.ty.peeled() {
            Type::Group(group) => Some(scope.groups[*group].1),
            Type::Node(service) => *service,
            _ => None,
        };
        let ty = Type::Seq(Box::new(Type::Node(common(parts.iter().map(service)))));
        let each = parts.iter().map(|part| {
            let tokens = &part.tokens;
            match part.ty.peeled() {
                Type::Group(_) if scope.building => quote!(this_ids.extend(#tokens.ids());),
                Type::Group(_) => quote!(this_ids.extend(#tokens.iter().copied());),
                _ => quote!(this_ids.push(::foresee::support::id(#tokens));),
            }
        });
        Value::new(quote!({ let mut this_ids: Vec<NodeId> = Vec::new(); #(#each)* this_ids }), ty)
    }

    /// Notes that a node is asked for something of its own. Nobody can while the system is put together.
    pub(super) fn look(&mut self, span: crate::source::Span) -> Option<()> {
        self.looks = true;
        let Home::System(SystemScope { building: true, .. }) = self.home else { return Some(()) };
        let message = "this asks a node, and there is none before the system is put together";
        self.report(
            Diagnostic::error("E0544", span, message)
                .with_label("what stands here is evaluated once, before the first state")
                .with_help("use constants, parameters of the system, groups and nodes"),
        );
        None
    }

    pub(super) fn fetch(&mut self, name: &str, statement: TokenStream) {
        self.prelude.insert(name.to_owned(), statement);
    }

    /// The file in whose module the expression will stand.
    pub(super) fn file(&self) -> usize {
        match self.home {
            Home::Service { index, .. } => self.checked.names.services[index].file,
            Home::System(_) => self.checked.names.files.home,
        }
    }

    /// The path to the module of a service.
    pub(super) fn module(&self, service: usize) -> TokenStream {
        let names = &self.checked.names;
        super::service::module_path(names, &names.services[service])
    }

    pub(super) fn service_ident(&self, index: usize) -> Ident {
        identifier(&self.checked.names.services[index].name, TokenSpan::call_site())
    }

    /// A bare control state: of the service that is expected, else of the only one that has it.
    pub(super) fn state(&mut self, ident: &ast::Ident, expected: Option<&Type>) -> Option<Value> {
        let services = &self.checked.names.services;
        let has = |index: &usize| services[*index].has_state(&ident.name);
        let expected = expected.and_then(|ty| match ty.peeled() {
            Type::State(index) => Some(*index),
            _ => None,
        });
        let home = match self.home {
            Home::Service { index, .. } => Some(index),
            Home::System(_) => None,
        };
        let index = expected.filter(has).or_else(|| home.filter(has)).or_else(|| {
            let mut all = (0..services.len()).filter(has);
            let first = all.next();
            first.filter(|_| all.next().is_none())
        })?;
        let (module, token) = (self.module(index), self.checked.places.ident(ident));
        let span = token.span();
        Some(Value::new(quote_spanned!(span=> #module::State::#token), Type::State(index)))
    }

    pub(super) fn unknown_name(&mut self, expr: &Expr, ident: &ast::Ident) {
        let name = &ident.name;
        let mut known: Vec<String> = self.locals.iter().map(|(name, _)| name.clone()).collect();
        let mut help = None;
        match self.home {
            Home::Service { index, own } => {
                let names = &self.checked.names.services[index];
                if own {
                    known.push("me".into());
                    known.extend((!names.states.is_empty()).then(|| "state".to_owned()));
                    known.extend(names.variables.iter().map(|it| it.name.clone()));
                    known.extend(names.parameters.iter().map(|it| it.name.clone()));
                }
                known.push("nodes".into());
                known.extend(names.states.iter().map(|it| it.name.clone()));
                known.extend(names.consts.keys().cloned());
                let node = self.locals.iter().rev().find(|(_, ty)| matches!(ty.peeled(), Type::Node(_)));
                let node = node.map(|(name, _)| name.as_str());
                let its = node.unwrap_or("n");
                help = match (name.as_str(), node) {
                    ("self", _) if own => {
                        Some("the node itself is `me`, its variables are `self.NAME`".to_owned())
                    }
                    ("self" | "me", _) => Some(format!(
                        "there is one only where the property is `local`; of a node `{its}` write `{its}.NAME`"
                    )),
                    _ if self.member_type(index, name).is_none() => None,
                    (_, None) if self.weighing => Some(format!(
                        "every node has its own: range over them with `for n in nodes`, and write `n.{name}`"
                    )),
                    (_, Some(node)) if self.weighing => {
                        Some(format!("every node has its own: write `{node}.{name}`"))
                    }
                    _ => Some(format!(
                        "every node has its own: write `{its}.{name}`, or make the property `local`"
                    )),
                };
            }
            Home::System(scope) => {
                known.extend(scope.groups.iter().map(|(name, ..)| name.clone()));
                known.extend(scope.parameters.iter().map(|(name, ..)| name.clone()));
                known.extend(
                    self.checked.names.services.iter().flat_map(|it| &it.states).map(|it| it.name.clone()),
                );
            }
        }
        let mut found = unknown("E0501", expr.span, "name", name, known.iter().map(String::as_str));
        if let Some(help) = help {
            found.help = vec![help];
        }
        self.report(found);
    }

    /// The type of a variable or parameter of a service.
    pub(super) fn member_type(&self, service: usize, name: &str) -> Option<Type> {
        let names = &self.checked.names.services[service];
        if name == "state" && !names.states.is_empty() {
            return Some(Type::State(service));
        }
        let ty = |ty: &Option<syn::Type>| {
            ty.as_ref().map_or(Type::Unknown, |ty| self.checked.names.types.resolve(ty))
        };
        let variable = names.variable(name).map(|it| ty(&it.ty));
        variable.or_else(|| names.parameter(name).map(|it| ty(&it.ty)))
    }

    /// `node.name`, where the service is known.
    pub(super) fn member(&mut self, service: usize, node: TokenStream, name: &ast::Ident) -> Option<Value> {
        let ty = self.member_type(service, &name.name)?;
        self.look(name.span)?;
        let token = self.checked.places.ident(name);
        let span = token.span();
        // rustc shows what it has to say of the value from its first token on: that one stands here, too, not at the head of the file.
        let module: TokenStream =
            self.module(service).into_iter().map(|token| respanned(token, span)).collect();
        if self.checked.names.services[service].parameter(&name.name).is_some() {
            return Some(Value::place(quote_spanned!(span=> #module::service(view, #node).#token), ty));
        }
        self.reads.entry(service).or_default().insert(name.name.clone());
        Some(Value::place(quote_spanned!(span=> #module::at(view, #node).#token), ty))
    }

    /// The service whose `name` is meant on a node.
    pub(super) fn service_of(&mut self, node: Option<usize>, name: &ast::Ident, part: Part) -> Option<usize> {
        let names = &self.checked.names;
        let has = |index: usize| match part {
            Part::Method => {
                names.services[index].routine(&name.name).is_some()
                    || self.answers(index, &name.name).is_some()
            }
            Part::Field => {
                self.member_type(index, &name.name).is_some()
                    || names.services[index].layer(&name.name).is_some()
            }
        };
        if let Some(index) = node.filter(|index| has(*index)) {
            return Some(index);
        }
        if let Home::Service { index, .. } = self.home
            && node.is_none()
            && has(index)
        {
            return Some(index);
        }
        // A known service that lacks the name: no other can be meant.
        let candidates: Vec<usize> = match node {
            Some(_) => Vec::new(),
            None => (0..names.services.len()).filter(|index| has(*index)).collect(),
        };
        match candidates.as_slice() {
            [one] => Some(*one),
            [] => {
                self.unknown_member(node, name);
                None
            }
            several => {
                let services: Vec<_> =
                    several.iter().map(|it| format!("`{}`", names.services[*it].name)).collect();
                let message = format!("several services have `{}`: {}", name.name, services.join(", "));
                self.report(
                    Diagnostic::error("E0503", name.span, message)
                        .with_label("which of them runs on this node is not known here")
                        .with_help(
                            "say it in a property of that service, or range over a group of its nodes",
                        ),
                );
                None
            }
        }
    }

    pub(super) fn unknown_member(&mut self, node: Option<usize>, name: &ast::Ident) {
        let services = &self.checked.names.services;
        let of: Vec<usize> = match (node, self.home) {
            (Some(index), _) | (None, Home::Service { index, .. }) => vec![index],
            (None, Home::System(_)) => (0..services.len()).collect(),
        };
        let mut known: Vec<&str> = Vec::new();
        for index in &of {
            known.extend(services[*index].variables.iter().map(|it| it.name.as_str()));
            known.extend(services[*index].parameters.iter().map(|it| it.name.as_str()));
            known.extend(services[*index].routines.iter().map(|it| it.name.as_str()));
            known.extend(services[*index].layers.iter().map(|it| it.name.as_str()));
            known.push("state");
        }
        let message = match of.as_slice() {
            [one] => {
                format!("`{}` has no variable, parameter or routine `{}`", services[*one].name, name.name)
            }
            _ => format!("no service has a variable, parameter or routine `{}`", name.name),
        };
        if of.iter().any(|index| services[*index].timer(&name.name).is_some()) {
            let message = format!("`{}` is a timer, and claims see none", name.name);
            let found = Diagnostic::error("E0504", name.span, message);
            self.report(found.with_help("keep in a variable what is to be claimed of it"));
            return;
        }
        let mut found = Diagnostic::error("E0502", name.span, message);
        let lower = node.map(|node| {
            self.further_down(node, |lower| {
                self.member_type(lower, &name.name).is_some() || services[lower].routine(&name.name).is_some()
            })
        });
        if let Some(meant) = crate::names::closest(&name.name, known) {
            found = found.with_help(format!("did you mean `{meant}`?"));
        } else if let Some((layer, _)) = lower.and_then(|it| it.into_iter().next()) {
            found = found.with_help(format!("the layer `{layer}` has one: write `{layer}.{}`", name.name));
        }
        self.report(found);
    }

    pub(super) fn note_node(&mut self, base: &Expr) {
        let own = self.root_of(base).peeled().as_ident().map(|it| it.name.as_str());
        // A bare layer is the own node's.
        let own = own.map(|name| match self.home {
            Home::Service { index, own: true }
                if self.local(name).is_none() && self.checked.names.services[index].layer(name).is_some() =>
            {
                "me"
            }
            _ => name,
        });
        if self.own_node.is_none() || own != self.own_node.as_deref() {
            self.reads_others = true;
        }
    }
}

/// The service that all have in common, if there is one.
fn common(services: impl IntoIterator<Item = Option<usize>>) -> Option<usize> {
    let mut services = services.into_iter();
    let first = services.next()??;
    services.all(|it| it == Some(first)).then_some(first)
}

fn respanned(mut token: proc_macro2::TokenTree, span: TokenSpan) -> proc_macro2::TokenTree {
    token.set_span(span);
    token
}
