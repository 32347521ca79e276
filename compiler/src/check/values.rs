//! What services may store and send: ordered, hashable, serialisable values. Other types are refused, with what to write
//! instead; a type that nobody declares is reported.

use crate::ast::{self, Ast, Fragment, Item, Member, ModifierKind, SystemMember};
use crate::body::{Places, Rust};
use crate::diag::{Diagnostic, Diagnostics};
use crate::names::{Names, closest};
use crate::types::{INTEGERS, Type};

pub(super) fn check(
    ast: &Ast,
    rust: &Rust,
    names: &Names,
    places: Places<'_>,
    diagnostics: &mut Diagnostics,
) {
    let mut check = Values { rust, names, places, file: names.files.home, diagnostics };
    for item in &ast.items {
        check.file = names.files.of(item.span());
        match item {
            Item::Rust(item) => check.item(item),
            Item::Messages(section) => check.messages(section),
            Item::Interface(interface) => {
                interface
                    .calls
                    .iter()
                    .flat_map(|call| &call.params)
                    .for_each(|it| check.fragment(&it.ty, "passed in a call"));
            }
            Item::Service(service) => service.members.iter().for_each(|member| check.member(member)),
            Item::System(system) => {
                for member in &system.members {
                    if let SystemMember::Parameters(section) = member {
                        section.entries.iter().for_each(|it| check.argument(it));
                    }
                }
            }
            Item::Import(_) | Item::Scenario(_) | Item::Allow(_) => {}
        }
    }
}

/// What a variable does with its type.
const IN_VARIABLE: &str = "stored in a variable";

struct Values<'a, 'd> {
    rust: &'a Rust,
    names: &'a Names,
    places: Places<'a>,
    /// The file that is looked at.
    file: usize,
    diagnostics: &'d mut Diagnostics,
}

impl Values<'_, '_> {
    fn member(&mut self, member: &Member) {
        match member {
            Member::Variables(section) => {
                for variable in &section.entries {
                    self.fragment(&variable.ty, IN_VARIABLE);
                    self.instant(variable);
                    self.default(variable);
                }
            }
            Member::Messages(section) => self.messages(section),
            Member::Timers(section) => {
                section
                    .entries
                    .iter()
                    .flat_map(|it| &it.params)
                    .for_each(|it| self.fragment(&it.ty, "the argument of a timer"));
            }
            Member::Parameters(section) => {
                for parameter in &section.entries {
                    if let Some(ty) = self.rust.ty(&parameter.ty) {
                        self.known(ty);
                    }
                }
            }
            Member::Const(it) => {
                if let Some(ty) = self.rust.ty(&it.ty) {
                    self.known(ty);
                }
            }
            _ => {}
        }
    }

    fn messages(&mut self, section: &ast::Messages) {
        let fields = section.messages.iter().flat_map(|message| &message.fields);
        fields.for_each(|field| self.fragment(&field.ty, "sent in a message"));
    }

    fn item(&mut self, item: &ast::RustItem) {
        match self.rust.item(&item.fragment) {
            Some(syn::Item::Struct(it)) if it.generics.params.is_empty() => {
                it.fields.iter().for_each(|field| self.value(&field.ty, "part of a value"));
            }
            Some(syn::Item::Enum(it)) if it.generics.params.is_empty() => {
                let fields = it.variants.iter().flat_map(|variant| &variant.fields);
                fields.for_each(|field| self.value(&field.ty, "part of a value"));
            }
            _ => {}
        }
    }

    fn fragment(&mut self, fragment: &Fragment, role: &str) {
        if let Some(ty) = self.rust.ty(fragment) {
            self.value(ty, role);
        }
    }

    /// An instant is of the clock of this life of the node, and of no other node's.
    fn instant(&mut self, variable: &ast::Variable) {
        let Some(ty) = self.rust.ty(&variable.ty) else { return };
        let marks = [ModifierKind::Durable, ModifierKind::Export];
        if let Some(mark) = marks.into_iter().find(|it| variable.is(*it))
            && self.names.types.resolve(ty).has_instant()
        {
            let word = if mark == ModifierKind::Durable { "durable" } else { "exported" };
            let text = format!("an instant cannot be {word}");
            self.diagnostics.push(
                Diagnostic::error("E0301", variable.ty.span, text)
                    .with_label("a moment of the clock of this node, and of this life of it")
                    .with_help("keep it in a variable without the word, or keep a counter"),
            );
        }
    }

    /// A variable without an initial value needs a type with a default.
    fn default(&mut self, variable: &ast::Variable) {
        let Some(ty) = self.rust.ty(&variable.ty) else { return };
        if variable.initial.is_some() {
            return;
        }
        let (message, label, help) = match self.without_default(self.names.types.resolve(ty)) {
            Type::Node(_) => (
                "there is no default node".to_owned(),
                "a `NodeId` always names some node",
                "write `= me`, or make it an `Option<NodeId>`".to_owned(),
            ),
            Type::Instant => (
                "there is no default instant".to_owned(),
                "nothing has happened yet",
                "make it an `Option<Instant>`, and set it in a body: `since = Some(now());`".to_owned(),
            ),
            Type::Named(name) => (
                format!("`{name}` has no default"),
                "a variable without an initial value starts with the default of its type",
                format!("write `= ..`, or `#[derive(Default)]` before `{name}`"),
            ),
            _ => return,
        };
        let message = format!("`{}` needs an initial value: {message}", variable.name.name);
        self.diagnostics
            .push(Diagnostic::error("E0303", variable.ty.span, message).with_label(label).with_help(help));
    }

    /// The part of a type that has no default; [`Type::Unknown`] where all have.
    fn without_default(&self, ty: Type) -> Type {
        match ty {
            Type::Node(_) | Type::Instant => ty,
            Type::Named(ref name) if !self.names.defaults.contains(name) => ty,
            Type::Tuple(parts) => {
                let mut parts = parts.into_iter().map(|part| self.without_default(part));
                parts.find(|part| *part != Type::Unknown).unwrap_or(Type::Unknown)
            }
            _ => Type::Unknown,
        }
    }

    /// A parameter of a system is read from text.
    fn argument(&mut self, parameter: &ast::Parameter) {
        const READABLE: [&str; 10] =
            ["u8", "u16", "u32", "u64", "usize", "i32", "i64", "bool", "f64", "String"];
        let Some(ty) = self.rust.ty(&parameter.ty) else { return };
        let name = match ty {
            syn::Type::Path(path) => path.path.segments.last().map(|it| it.ident.to_string()),
            _ => None,
        };
        let ok = name.is_some_and(|name| READABLE.contains(&name.as_str()) || name == "Duration");
        let aliased =
            matches!(self.names.types.resolve(ty), Type::Int(_) | Type::Bool | Type::Text | Type::Duration);
        if !ok && !aliased {
            self.diagnostics.push(
                Diagnostic::error(
                    "E0305",
                    parameter.ty.span,
                    "a parameter of a system cannot have this type",
                )
                .with_label("it is given on the command line, as text")
                .with_help(format!("use one of {}, Duration", READABLE.join(", "))),
            );
        }
    }

    /// Refuses what is no value, and reports what is unknown.
    fn value(&mut self, ty: &syn::Type, role: &str) {
        match ty {
            syn::Type::Path(path) => self.path(path, role),
            syn::Type::Tuple(parts) => parts.elems.iter().for_each(|part| self.value(part, role)),
            syn::Type::Array(array) => self.value(&array.elem, role),
            syn::Type::Paren(inner) => self.value(&inner.elem, role),
            syn::Type::Group(inner) => self.value(&inner.elem, role),
            other => {
                let (what, help) = match other {
                    syn::Type::Reference(_) => {
                        ("a reference", "store the value itself; `&str` becomes `String`")
                    }
                    syn::Type::FnPtr(_) => {
                        ("a function", "store what the function depends on, and `match` on it")
                    }
                    syn::Type::TraitObject(_) | syn::Type::ImplTrait(_) => {
                        ("a value of unknown type", "use an `enum` of the types that it can be")
                    }
                    syn::Type::Slice(_) => ("a slice", "use `Vec<T>`"),
                    syn::Type::Ptr(_) => ("a pointer", "store the value itself"),
                    _ => return,
                };
                use syn::spanned::Spanned;
                self.refuse(other.span(), &format!("{what} cannot be {role}"), help);
            }
        }
    }

    fn refuse(&mut self, span: proc_macro2::Span, message: &str, help: &str) {
        let place = self.places.place(span);
        self.diagnostics.push(
            Diagnostic::error("E0301", place, message)
                .with_note("values are copied, compared, hashed, ordered and sent: that is how a state is told from another")
                .with_help(help),
        );
    }

    fn path(&mut self, path: &syn::TypePath, role: &str) {
        let Some(last) = path.path.segments.last() else { return };
        let name = last.ident.to_string();
        let help = match name.as_str() {
            _ if let Some(key) = crate::types::key(&path.path) => {
                let (module, name) = key.split_once("::").unwrap_or_default();
                if !self.names.is_declared(module, name) {
                    let message = format!("there is no type `{name}` in the imported file `{module}`");
                    let found = Diagnostic::error("E0302", self.places.place(last.ident.span()), message);
                    self.diagnostics
                        .push(found.with_help("types of other files are named as they are declared there"));
                }
                return crate::types::arguments(&last.arguments)
                    .into_iter()
                    .for_each(|ty| self.value(ty, role));
            }
            _ if path.path.segments.len() == 1 && self.names.item(self.file, &name).is_some() => None,
            "HashMap" => Some("use `BTreeMap`: it has one order, in every run"),
            "HashSet" => Some("use `BTreeSet`: it has one order, in every run"),
            "f32" | "f64" => {
                Some("floats have no total order: use an integer in a smaller unit, such as thousandths")
            }
            "Rc" | "Arc" | "Weak" => Some("store the value itself: the runtime shares states on its own"),
            "RefCell" | "Cell" | "Mutex" | "RwLock" | "OnceCell" => {
                Some("a variable can be changed as it is: leave the cell out")
            }
            "Instant" if path.path.segments.len() == 1 && role == IN_VARIABLE => None,
            "Instant" if path.path.segments.len() == 1 => Some(
                "an instant is one node's own: keep it in a variable, as it is or in an `Option` or a map",
            ),
            "Instant" | "SystemTime" => Some("`now()` gives an `Instant`, which is in scope"),
            "PhantomData" => Some("leave it out"),
            "BinaryHeap" | "LinkedList" => Some("use `BTreeSet`, `BTreeMap` or `VecDeque`"),
            "str" => Some("use `String`"),
            _ => None,
        };
        if let Some(help) = help {
            return self.refuse(last.ident.span(), &format!("`{name}` cannot be {role}"), help);
        }
        self.known_path(path);
        crate::types::arguments(&last.arguments).into_iter().for_each(|ty| self.value(ty, role));
    }

    /// Reports unknown names in a type that need not be a value.
    fn known(&mut self, ty: &syn::Type) {
        if let syn::Type::Path(path) = ty {
            let name = path.path.segments.last().map(|it| it.ident.to_string()).unwrap_or_default();
            if matches!(
                name.as_str(),
                "HashMap" | "HashSet" | "Rc" | "RefCell" | "Cell" | "Instant" | "SystemTime"
            ) {
                return self.path(path, "a parameter or constant");
            }
            self.known_path(path);
            if let Some(last) = path.path.segments.last() {
                crate::types::arguments(&last.arguments).into_iter().for_each(|ty| self.known(ty));
            }
        }
    }

    fn known_path(&mut self, path: &syn::TypePath) {
        const KNOWN: [&str; 19] = [
            "bool", "char", "f32", "f64", "str", "String", "Option", "Result", "Vec", "VecDeque", "BTreeMap",
            "BTreeSet", "Box", "Duration", "Instant", "NodeId", "Reply", "Payload", "Self",
        ];
        let Some(ident) = path.path.segments.first().map(|it| &it.ident) else { return };
        let file = self.file;
        if path.path.segments.len() != 1 || path.qself.is_some() || self.names.has_globs(file) {
            return;
        }
        let name = ident.to_string();
        let known = KNOWN.contains(&name.as_str())
            || INTEGERS.contains(&name.as_str())
            || self.names.item(file, &name).is_some_and(|it| it.is_type)
            || self.names.is_foreign(file, &name);
        if known {
            return;
        }
        let candidates = KNOWN.into_iter().chain(INTEGERS).chain(self.names.items_seen(file));
        let mut found =
            Diagnostic::error("E0302", self.places.place(ident.span()), format!("there is no type `{name}`"))
                .with_label("not declared in this file, not brought in by `use`");
        let message = || {
            let own = self.names.services.iter().filter(|it| it.file == file).flat_map(|it| &it.messages);
            own.chain(&self.names.messages).any(|it| it.name == name)
        };
        found = match closest(&name, candidates) {
            _ if message() => found.with_help(format!(
                "`{name}` is a message, and a message is sent and handled, never stored: declare a struct, and let the message carry it"
            )),
            Some(meant) => found.with_help(format!("did you mean `{meant}`?")),
            None => found.with_help(format!(
                "declare it (`struct {name} {{ .. }}`), or bring it in: `use crate::{name};`"
            )),
        };
        self.diagnostics.push(found);
    }
}
