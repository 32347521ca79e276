//! Collects the declared names, and reports doubles, reserved words and the wrong case.

use std::collections::{BTreeMap, BTreeSet};

use crate::ast::{self, Ast, Ident, ModifierKind, RustItemKind, Service};
use crate::body::{Places, Rust};
use crate::diag::{Diagnostic, Diagnostics};
use crate::names::{
    ConstName, FieldName, FileNames, Files, ItemName, MessageName, Names, ParameterName, RoutineName,
    ServiceNames, StateName, TimerName, VariableName,
};
use crate::source::Span;
use crate::types::Type;

use super::unknown;

/// Types that every generated module declares or brings into scope.
const RESERVED_TYPES: &[&str] = &[
    "BTreeMap",
    "BTreeSet",
    "Box",
    "Call",
    "Ctx",
    "Datagram",
    "Downcall",
    "Duration",
    "Handle",
    "Instant",
    "Interface",
    "Message",
    "NodeId",
    "Option",
    "Payload",
    "Reliable",
    "Reply",
    "Result",
    "Secure",
    "State",
    "String",
    "Timer",
    "Upcall",
    "Variables",
    "Vec",
    "VecDeque",
];

/// Constants, functions and modules of generated code.
const RESERVED_ITEMS: &[&str] = &[
    "FILE",
    "HANDLERS",
    "INFO",
    "LIVENESS",
    "OBJECTIVES",
    "PAYLOADS",
    "PROPERTIES",
    "SCENARIOS",
    "SITES",
    "SPEC",
    "TABLES",
    "WIRE",
    "at",
    "kernel",
    "service",
];

/// Words with a meaning of their own in bodies and properties.
const RESERVED_WORDS: &[&str] = &["me", "up", "nodes", "this", "ctx", "self", "super", "crate"];

/// Functions of the language.
const FUNCTIONS: &[&str] = &[
    "answer",
    "bernoulli",
    "choose",
    "choose_or",
    "doubling",
    "exponential",
    "grid",
    "now",
    "payload",
    "random",
    "send",
    "subsets",
    "uniform",
    "weighted",
];

/// Methods that generated services have.
const METHODS: &[&str] = &["new", "info", "init", "recover", "step", "query", "control", "fields", "accepts"];

pub(super) fn declare(
    ast: &Ast,
    files: &Files,
    rust: &Rust,
    places: Places<'_>,
    diagnostics: &mut Diagnostics,
) -> Names {
    let mut names = Names { files: files.clone(), ..Names::default() };
    for (span, item) in rust.items() {
        names.types.add(item, |name| files.key(files.of(span), name));
    }
    let mut declare = Declare { rust, diagnostics };
    declare.items(ast, &mut names);
    diagnostics.extend(crate::body::impure_items(rust.items().map(|(_, item)| item), places));
    let mut declare = Declare { rust, diagnostics };
    let mut seen: BTreeMap<usize, Seen> = BTreeMap::new();
    for over in ast.message_sections().filter_map(|it| it.over.as_ref()) {
        let text = "messages of a file have no carrier of their own".to_owned();
        declare.diagnostics.push(
            Diagnostic::error("E0206", over.span, text)
                .with_label("services share them, each with carriers of its own")
                .with_help(format!(
                    "leave `over {}` out: each service sends them over the first carrier that it uses; or declare them in a service",
                    over.name
                )),
        );
    }
    for message in ast.messages() {
        let file = files.of(message.name.span);
        declare.fresh(seen.entry(file).or_default(), &message.name, "message");
        let message = declare.message(message, 0);
        names.messages.push(MessageName { file, ..message });
    }
    for interface in ast.interfaces() {
        let declared = declare.interface(interface, files.of(interface.name.span));
        names.interfaces.push(declared);
    }
    for service in ast.services() {
        let declared = declare.service(service, &names);
        names.add_service(declared);
    }
    names
}

/// Names taken so far in one name space.
pub(super) type Seen = BTreeMap<String, (Span, &'static str)>;

pub(super) struct Declare<'a, 'd> {
    pub rust: &'a Rust,
    pub diagnostics: &'d mut Diagnostics,
}

impl Declare<'_, '_> {
    /// Notes a name, and reports it where it is taken.
    pub(super) fn fresh(&mut self, seen: &mut Seen, ident: &Ident, what: &'static str) {
        match seen.get(&ident.name) {
            None => {
                seen.insert(ident.name.clone(), (ident.span, what));
            }
            Some((earlier, kind)) => {
                let message = match *kind == what {
                    true => format!("there are two {what}s named `{}`", ident.name),
                    false => format!("the {what} `{}` has the name of a {kind}", ident.name),
                };
                self.diagnostics.push(
                    Diagnostic::error("E0201", ident.span, message)
                        .with_label("declared again here")
                        .with_secondary(*earlier, "first declared here")
                        .with_help("give one of them another name"),
                );
            }
        }
    }

    /// Every service and interface is a module, named in snake case: two may differ in their capitals alone.
    fn module(&mut self, modules: &mut Seen, ident: &Ident, what: &str) {
        let module = crate::lower::snake(&ident.name);
        match modules.get(&module) {
            Some((earlier, _)) if *earlier != ident.span => {
                let message =
                    format!("the {what} `{}` would be the module `{module}`, and another one is", ident.name);
                self.diagnostics.push(
                    Diagnostic::error("E0201", ident.span, message)
                        .with_secondary(*earlier, "this one")
                        .with_help("give one of them another name"),
                );
            }
            _ => {
                modules.insert(module, (ident.span, "module"));
            }
        }
    }

    /// Reports a name whose first letter has the wrong case: patterns tell constants from locals by it.
    fn case(&mut self, ident: &Ident, what: &str, capital: bool) {
        let plain = ident.name.trim_start_matches("r#");
        let first = plain.chars().next().unwrap_or('_');
        // No word of Rust has a capital that could be a name all the same, so none needs `r#`.
        let wrong = if capital { !ident.name.starts_with(char::is_uppercase) } else { first.is_uppercase() };
        if wrong {
            let case = if capital { "capital" } else { "small" };
            let fixed: String = match capital {
                true => first.to_uppercase().chain(plain.chars().skip(1)).collect(),
                false => first.to_lowercase().chain(plain.chars().skip(1)).collect(),
            };
            let message = format!("the name of a {what} starts with a {case} letter");
            self.diagnostics.push(
                Diagnostic::error("E0304", ident.span, message)
                    .with_label(format!("`{}` does not", ident.name))
                    .with_note("in patterns a capital letter tells states and messages from new locals")
                    .with_help(format!("write `{fixed}`")),
            );
        }
    }

    fn reserved(&mut self, ident: &Ident, words: &[&str], what: &str) {
        if words.contains(&ident.name.as_str()) {
            let a = if what.starts_with('i') { "an" } else { "a" };
            self.diagnostics.push(
                Diagnostic::error(
                    "E0207",
                    ident.span,
                    format!("`{}` cannot be the name of {a} {what}", ident.name),
                )
                .with_label("this word has a meaning of its own")
                .with_help("choose another name"),
            );
        }
    }

    fn items(&mut self, ast: &Ast, names: &mut Names) {
        let mut taken: BTreeMap<usize, (Seen, Seen)> = BTreeMap::new();
        for item in &ast.items {
            let file = names.files.of(item.span());
            let (seen, modules) =
                taken.entry(file).or_insert_with(|| (Seen::default(), imported(ast, names, file)));
            match item {
                ast::Item::Rust(item) => self.rust_item(item, names, seen),
                ast::Item::Interface(it) => {
                    if !seen.contains_key(&it.name.name) {
                        self.module(modules, &it.name, "interface");
                    }
                    self.fresh(seen, &it.name, "interface");
                    self.case(&it.name, "interface", true);
                    self.reserved(&it.name, RESERVED_TYPES, "interface");
                    self.reserved(&it.name, &["Kernel"], "interface");
                    let mut calls = Seen::default();
                    it.calls.iter().for_each(|call| self.fresh(&mut calls, &call.name, "call"));
                }
                ast::Item::Service(it) => {
                    if !seen.contains_key(&it.name.name) {
                        self.module(modules, &it.name, "service");
                    }
                    self.fresh(seen, &it.name, "service");
                    self.case(&it.name, "service", true);
                    self.reserved(&it.name, RESERVED_TYPES, "service");
                    self.reserved(&it.name, &["Kernel"], "service");
                }
                ast::Item::System(it) => {
                    self.fresh(seen, &it.name, "system");
                    self.case(&it.name, "system", true);
                }
                ast::Item::Scenario(it) => self.fresh(seen, &it.name, "scenario"),
                ast::Item::Import(_) | ast::Item::Messages(_) | ast::Item::Allow(_) => {}
            }
        }
    }

    fn rust_item(&mut self, item: &ast::RustItem, names: &mut Names, seen: &mut Seen) {
        let file = names.files.of(item.fragment.span);
        let is_type = matches!(item.kind, RustItemKind::Type | RustItemKind::Struct | RustItemKind::Enum);
        if let Some(name) = &item.name {
            self.fresh(seen, name, if is_type { "type" } else { "Rust item" });
            if is_type {
                self.reserved(name, RESERVED_TYPES, "type");
            } else {
                self.reserved(name, RESERVED_ITEMS, "Rust item");
            }
            names.items.insert((file, name.name.clone()), ItemName { span: name.span, is_type });
        }
        match self.rust.item(&item.fragment) {
            Some(syn::Item::Use(it)) => {
                if let Some(file) = names.files.list.get_mut(file) {
                    brought(&it.tree, file);
                }
            }
            Some(syn::Item::Struct(it)) if derives_default(&it.attrs) => {
                names.defaults.insert(names.files.key(file, &it.ident.to_string()));
            }
            Some(syn::Item::Enum(it)) if derives_default(&it.attrs) => {
                names.defaults.insert(names.files.key(file, &it.ident.to_string()));
            }
            Some(syn::Item::Impl(it)) => {
                let of = it.trait_.as_ref().and_then(|(path, _)| path.segments.last());
                if let (Some(of), syn::Type::Path(ty)) = (of, &*it.self_ty)
                    && of.ident == "Default"
                {
                    let plain = || ty.path.segments.last().map(|it| it.ident.to_string());
                    names.defaults.extend(crate::types::key(&ty.path).or_else(plain));
                }
                for member in &it.items {
                    let syn::ImplItem::Fn(method) = member else { continue };
                    let name = method.sig.ident.to_string();
                    let mutable = method.sig.receiver().is_some_and(|receiver| match &receiver.kind {
                        syn::ReceiverKind::Reference(_, _, mutability) => mutability.is_some(),
                        _ => false,
                    });
                    let methods =
                        if mutable { &mut names.mutating_methods } else { &mut names.reading_methods };
                    methods.insert(name);
                }
            }
            _ => {}
        }
    }

    fn field(&mut self, param: &ast::Param) -> FieldName {
        self.case(&param.name, "field", false);
        FieldName { name: param.name.name.clone(), ty: self.rust.ty(&param.ty).cloned() }
    }

    pub(super) fn fields(&mut self, params: &[ast::Param], what: &'static str) -> Vec<FieldName> {
        let mut seen = Seen::default();
        params.iter().for_each(|param| self.fresh(&mut seen, &param.name, what));
        params.iter().map(|param| self.field(param)).collect()
    }

    fn message(&mut self, message: &ast::Message, slot: usize) -> MessageName {
        self.case(&message.name, "message", true);
        let fields = self.fields(&message.fields, "field");
        MessageName { name: message.name.name.clone(), span: message.name.span, fields, slot, file: 0 }
    }

    fn service(&mut self, service: &Service, file: &Names) -> ServiceNames {
        let mut names = ServiceNames {
            name: service.name.name.clone(),
            file: file.files.of(service.name.span),
            span: service.name.span,
            ..ServiceNames::default()
        };
        // States and messages are constructors; variables, parameters, constants, timers and layers are values.
        let (mut types, mut states) = (Seen::default(), Seen::default());
        let (mut values, mut functions) = (Seen::default(), Seen::default());
        types.extend(file.messages_beside(&names).map(|it| (it.name.clone(), (it.span, "message"))));
        let taken = file.files.list.get(names.file).into_iter().flat_map(|it| &it.taken);
        types.extend(taken.map(|(name, it)| (name.clone(), (it.span, "imported name"))));
        for uses in service.uses() {
            self.fresh(&mut values, &uses.name, "layer");
            self.uses(uses, file, &mut names);
        }
        for provides in service.provides() {
            self.provides(provides, file, &mut names);
        }
        for it in service.consts() {
            self.fresh(&mut values, &it.name, "constant");
            self.reserved(&it.name, RESERVED_ITEMS, "constant");
            let ty = self.rust.ty(&it.ty).map_or(Type::Unknown, |ty| file.types.resolve(ty));
            names.consts.insert(it.name.name.clone(), ConstName { span: it.name.span, ty });
        }
        for it in service.parameters() {
            self.value(&mut values, &it.name, "parameter");
            names.parameters.push(ParameterName {
                name: it.name.name.clone(),
                span: it.name.span,
                ty: self.rust.ty(&it.ty).cloned(),
                has_default: it.default.is_some(),
            });
        }
        for it in service.states() {
            self.fresh(&mut states, &it.name, "state");
            self.case(&it.name, "state", true);
            names.states.push(StateName { name: it.name.name.clone(), span: it.name.span });
        }
        for it in service.variables() {
            self.value(&mut values, &it.name, "variable");
            self.reserved(&it.name, &["state"], "variable");
            self.modifiers(it);
            let ty = self.rust.ty(&it.ty).cloned();
            names.variables.push(VariableName {
                name: it.name.name.clone(),
                span: it.name.span,
                is_foreign: ty.as_ref().is_none_or(|ty| file.types.is_foreign(ty)),
                is_keyed: ty
                    .as_ref()
                    .is_some_and(|ty| matches!(file.types.resolve(ty), Type::Map(..) | Type::Set(_))),
                ty,
                is_ghost: it.is(ModifierKind::Ghost),
                is_durable: it.is(ModifierKind::Durable),
            });
        }
        for section in service.messages() {
            let slot = self.slot(section, service, &names);
            for message in &section.messages {
                self.fresh(&mut types, &message.name, "message");
                let message = self.message(message, slot);
                names.messages.push(message);
            }
        }
        for it in service.timers() {
            self.value(&mut values, &it.name, "timer");
            let params = self.fields(&it.params, "argument");
            if let (Some(every), false) = (&it.every, it.params.is_empty()) {
                let name = &it.name.name;
                let message = format!("the timer `{name}` has arguments, so it cannot be always on");
                let help = format!("leave the arguments out, or arm it by hand: `{name}(..).set(1s)`");
                self.diagnostics.push(
                    Diagnostic::error("E0416", every.span, message)
                        .with_label("with which arguments it would be armed, nobody says")
                        .with_help(help),
                );
            }
            let (name, is_periodic) = (it.name.name.clone(), it.every.is_some());
            names.timers.push(TimerName { name, span: it.name.span, params, is_periodic });
        }
        for it in service.routines() {
            self.routine(it, &mut functions, &mut names);
        }
        names
    }

    /// Reports modifiers of a variable that contradict or repeat each other.
    fn modifiers(&mut self, variable: &ast::Variable) {
        for (at, one) in variable.modifiers.iter().enumerate() {
            let clash = variable.modifiers[..at].iter().find_map(|other| {
                let both = [other.kind, one.kind];
                let why = match () {
                    () if other.kind == one.kind => "it is written twice",
                    () if both.contains(&ModifierKind::Ghost) => {
                        "a ghost survives crashes anyway, and no live node has one to tell"
                    }
                    () if both.contains(&ModifierKind::Export) && both.contains(&ModifierKind::Secret) => {
                        "what is exported others may know, and what is secret nobody"
                    }
                    () => return None,
                };
                Some((other, why))
            });
            let Some((other, why)) = clash else { continue };
            let message = format!("`{}` does not go with `{}`: {why}", one.kind.word(), other.kind.word());
            self.diagnostics.push(
                Diagnostic::error("E0308", one.span, message)
                    .with_secondary(other.span, "written here")
                    .with_help("leave one of them out"),
            );
        }
    }

    fn value(&mut self, values: &mut Seen, ident: &Ident, what: &'static str) {
        self.fresh(values, ident, what);
        self.case(ident, what, false);
        self.reserved(ident, RESERVED_WORDS, what);
        if ident.name.starts_with("this_") {
            self.diagnostics.push(
                Diagnostic::error(
                    "E0207",
                    ident.span,
                    format!("the name of a {what} cannot start with `this_`"),
                )
                .with_label("generated code uses such names for variables that a routine borrows"),
            );
        }
    }

    fn routine(&mut self, routine: &ast::Routine, functions: &mut Seen, names: &mut ServiceNames) {
        self.fresh(functions, &routine.name, "routine");
        self.case(&routine.name, "routine", false);
        self.reserved(&routine.name, FUNCTIONS, "routine");
        self.reserved(&routine.name, METHODS, "routine");
        let text = &routine.name.name;
        const PREFIXES: [&str; 4] = ["handle_", "take_", "query_", "lower_"];
        if let Some(parameter) = names.parameter(text) {
            self.diagnostics.push(
                Diagnostic::error(
                    "E0201",
                    routine.name.span,
                    format!("the routine `{text}` has the name of a parameter"),
                )
                .with_label("declared again here")
                .with_secondary(parameter.span, "first declared here")
                .with_help("give one of them another name"),
            );
        }
        if PREFIXES.iter().any(|it| text.starts_with(it)) {
            self.diagnostics.push(
                Diagnostic::error(
                    "E0207",
                    routine.name.span,
                    format!("`{text}` cannot be the name of a routine"),
                )
                .with_label("the generated service has a method of this name")
                .with_help("choose another name"),
            );
        }
        if let Some(timer) = names.timer(text) {
            self.diagnostics.push(
                Diagnostic::error(
                    "E0201",
                    routine.name.span,
                    format!("the routine `{text}` has the name of a timer"),
                )
                .with_label("declared again here")
                .with_secondary(timer.span, "first declared here")
                .with_help("give one of them another name"),
            );
        }
        let Some(function) = self.rust.function(&routine.fragment) else {
            names.routines.push(RoutineName {
                name: text.clone(),
                span: routine.name.span,
                arity: 0,
                output: None,
            });
            return;
        };
        if function.sig.receiver().is_some() || !function.sig.generics.params.is_empty() {
            self.diagnostics.push(
                Diagnostic::error(
                    "E0417",
                    routine.signature.span,
                    "a routine has neither `self` nor type parameters",
                )
                .with_note("routines reach variables and parameters by their bare names")
                .with_help("leave it out; a function for any type can stand at file level"),
            );
        }
        let output = match &function.sig.output {
            syn::ReturnType::Default => None,
            syn::ReturnType::Type(_, ty) => Some((**ty).clone()),
        };
        let arity = function.sig.inputs.len();
        names.routines.push(RoutineName { name: text.clone(), span: routine.name.span, arity, output });
    }

    /// The carrier of a section of messages: an index into those of the service.
    fn slot(&mut self, section: &ast::Messages, service: &Service, names: &ServiceNames) -> usize {
        let carriers = &names.carriers;
        match &section.over {
            Some(over) => carriers.iter().position(|it| it.name == over.name).unwrap_or_else(|| {
                let known = carriers.iter().map(|it| it.name.as_str());
                self.diagnostics.push(unknown("E0206", over.span, "carrier", &over.name, known));
                0
            }),
            None => {
                // Without a carrier they can still be the payload of a lower layer.
                if carriers.is_empty() && names.layers.is_empty() && !section.messages.is_empty() {
                    let name = &service.name;
                    self.diagnostics.push(
                        Diagnostic::error(
                            "E0206",
                            name.span,
                            format!("`{}` declares messages and no carrier", name.name),
                        )
                        .with_secondary(section.span, "these messages")
                        .with_help("add `uses net: Reliable;` or `uses net: Datagram;`"),
                    );
                }
                0
            }
        }
    }
}

fn derives_default(attrs: &[syn::Attribute]) -> bool {
    let mut found = false;
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("derive")) {
        let _ = attr.parse_nested_meta(|meta| {
            found |= meta.path.segments.last().is_some_and(|it| it.ident == "Default");
            Ok(())
        });
    }
    found
}

/// The modules that a file imports: services, interfaces, whole files.
fn imported(ast: &Ast, names: &Names, file: usize) -> Seen {
    let Some(seen) = names.files.list.get(file) else { return Seen::default() };
    let services = ast.services().map(|it| &it.name).chain(ast.interfaces().map(|it| &it.name));
    let modules: BTreeSet<(usize, &str)> =
        services.map(|it| (names.files.of(it.span), it.name.as_str())).collect();
    let taken = seen.taken.iter().filter(|(_, it)| modules.contains(&(it.file, it.name.as_str())));
    let taken = taken.map(|(name, it)| (crate::lower::snake(name), (it.span, "module")));
    taken.chain(seen.specs.iter().map(|(name, it)| (name.clone(), (it.span, "module")))).collect()
}

/// The names that a `use` brings in.
fn brought(tree: &syn::UseTree, names: &mut FileNames) {
    match tree {
        syn::UseTree::Path(path) => brought(&path.tree, names),
        syn::UseTree::Name(name) => {
            names.used.insert(name.ident.to_string());
        }
        syn::UseTree::Rename(rename) => {
            names.used.insert(rename.rename.to_string());
        }
        syn::UseTree::Glob(_) => names.globs = true,
        syn::UseTree::Group(group) => group.items.iter().for_each(|tree| brought(tree, names)),
    }
}
