//! Types as far as the compiler understands them: enough to follow ids through properties and to refuse what no
//! service can store.
//!
//! [`Type`] is an approximation on purpose: what it cannot know is [`Type::Unknown`], and nobody reports an error
//! because of that. rustc has the last word. Read `check/values.rs` for the refusals.

use std::collections::BTreeMap;

use syn::{GenericArgument, PathArguments};

/// A type, as far as it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    /// `bool`
    Bool,
    /// An integer, by its Rust name.
    Int(&'static str),
    /// `f32`, `f64`
    Float,
    /// `String`, `str`
    Text,
    /// `Duration`
    Duration,
    /// `Instant`: a moment, which only bodies compare, and only with the present.
    Instant,
    /// `NodeId`; the index of the service that runs there, where that is known.
    Node(Option<usize>),
    /// A layer below the service, at a slot, on some node; the index of the service that fills it, where that is known.
    Layer {
        /// The service that uses it.
        service: usize,
        /// Its slot there.
        slot: usize,
        /// What fills it.
        bound: Option<usize>,
    },
    /// The control state of the service at the index.
    State(usize),
    /// `Option<T>`
    Option(Box<Type>),
    /// `BTreeSet<T>`
    Set(Box<Type>),
    /// `Vec<T>`, `VecDeque<T>`, arrays, and iterators: anything that yields `T`s.
    Seq(Box<Type>),
    /// `BTreeMap<K, V>`
    Map(Box<Type>, Box<Type>),
    /// A tuple.
    Tuple(Vec<Type>),
    /// A struct or enum of the file.
    Named(String),
    /// A group of nodes of a system, by its index.
    Group(usize),
    /// A reference.
    Ref(Box<Type>),
    /// Anything else.
    Unknown,
}

impl Type {
    /// Whether values are copied as a matter of course, so that a binder takes them by value.
    pub fn is_copy(&self) -> bool {
        match self {
            Type::Bool
            | Type::Int(_)
            | Type::Float
            | Type::Duration
            | Type::Instant
            | Type::Node(_)
            | Type::Layer { .. }
            | Type::State(_) => true,
            Type::Option(inner) => inner.is_copy(),
            Type::Tuple(parts) => parts.iter().all(Type::is_copy),
            _ => false,
        }
    }

    /// Whether it can be added up and compared as a number.
    pub fn is_number(&self) -> bool {
        matches!(self, Type::Int(_) | Type::Float)
    }

    /// Whether it is an integer that may be below 0.
    pub fn is_signed(&self) -> bool {
        matches!(self, Type::Int(name) if name.starts_with('i'))
    }

    /// Without references around it.
    pub fn peeled(&self) -> &Type {
        let mut inner = self;
        while let Type::Ref(next) = inner {
            inner = next;
        }
        inner
    }

    /// How many references are around it.
    pub fn references(&self) -> usize {
        match self {
            Type::Ref(inner) => 1 + inner.references(),
            _ => 0,
        }
    }

    /// A reference to it.
    pub fn referenced(self) -> Type {
        Type::Ref(Box::new(self))
    }

    /// What it yields when it is taken apart by value, if it is known to be a collection.
    pub fn element(&self) -> Option<Type> {
        match self {
            Type::Option(inner) | Type::Set(inner) | Type::Seq(inner) => Some((**inner).clone()),
            Type::Map(key, value) => Some(Type::Tuple(vec![(**key).clone(), (**value).clone()])),
            _ => None,
        }
    }

    /// What a reference to it yields.
    pub fn element_by_reference(&self) -> Option<Type> {
        match self.peeled() {
            Type::Map(key, value) => {
                Some(Type::Tuple(vec![(**key).clone().referenced(), (**value).clone().referenced()]))
            }
            other => other.element().map(Type::referenced),
        }
    }

    /// Whether instants are compared where values of this type are.
    pub fn has_instant(&self) -> bool {
        match self {
            Type::Instant => true,
            Type::Option(inner) | Type::Set(inner) | Type::Seq(inner) | Type::Ref(inner) => {
                inner.has_instant()
            }
            Type::Map(key, value) => key.has_instant() || value.has_instant(),
            Type::Tuple(parts) => parts.iter().any(Type::has_instant),
            _ => false,
        }
    }

    /// How a message to people calls it.
    pub fn describe(&self) -> String {
        match self {
            Type::Bool => "a truth value".into(),
            Type::Int(_) | Type::Float => "a number".into(),
            Type::Text => "a text".into(),
            Type::Duration => "a duration".into(),
            Type::Instant => "an instant".into(),
            Type::Node(_) => "a node".into(),
            Type::Layer { .. } => "a layer of a node".into(),
            Type::State(_) => "a control state".into(),
            Type::Option(_) => "an `Option`".into(),
            Type::Set(_) | Type::Seq(_) | Type::Map(..) => "a collection".into(),
            Type::Tuple(_) => "a tuple".into(),
            Type::Named(name) => format!("a `{name}`"),
            Type::Group(_) => "a group of nodes".into(),
            Type::Ref(inner) => inner.describe(),
            Type::Unknown => "a value".into(),
        }
    }
}

/// The integer types.
pub const INTEGERS: [&str; 12] =
    ["u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128", "isize"];

/// Whether values of the second integer type fit into the first, as far as that does not depend on the machine.
pub fn is_wider(wide: &str, narrow: &str) -> bool {
    let bits = |name: &str| name[1..].parse::<u32>().unwrap_or(64);
    let signed = |name: &str| name.starts_with('i');
    match (signed(wide), signed(narrow)) {
        (true, false) => bits(wide) > bits(narrow),
        (false, true) => false,
        _ => bits(wide) >= bits(narrow),
    }
}

/// How deep types of the file are followed for the places of ids.
const PLACES_DEPTH_MAX: usize = 6;

/// The types that a file declares.
#[derive(Clone, Debug, Default)]
pub struct Types {
    aliases: BTreeMap<String, syn::Type>,
    fields: BTreeMap<String, Vec<(String, syn::Type)>>,
    /// What stands in the variants of enums: `Some.0`, and its type.
    variants: BTreeMap<String, Vec<(String, syn::Type)>>,
}

impl Types {
    /// The types declared by Rust items.
    pub fn of_items<'a>(items: impl IntoIterator<Item = &'a syn::Item>) -> Types {
        let mut types = Types::default();
        items.into_iter().for_each(|item| types.add(item, str::to_owned));
        types
    }

    /// Adds the type that an item declares, if it does. `key` makes of its name the name by which it is known here.
    pub fn add(&mut self, item: &syn::Item, key: impl Fn(&str) -> String) {
        match item {
            syn::Item::Type(alias) if alias.generics.params.is_empty() => {
                self.aliases.insert(key(&alias.ident.to_string()), (*alias.ty).clone());
            }
            syn::Item::Struct(it) if it.generics.params.is_empty() => {
                let name = |(index, field): (usize, &syn::Field)| match &field.ident {
                    Some(ident) => (ident.to_string(), field.ty.clone()),
                    None => (index.to_string(), field.ty.clone()),
                };
                let fields = it.fields.iter().enumerate().map(name).collect();
                self.fields.insert(key(&it.ident.to_string()), fields);
            }
            syn::Item::Enum(it) => {
                let key = key(&it.ident.to_string());
                self.fields.insert(key.clone(), Vec::new());
                let parts = it.variants.iter().flat_map(|variant| {
                    variant.fields.iter().enumerate().map(|(index, field)| {
                        let name =
                            field.ident.as_ref().map_or_else(|| index.to_string(), ToString::to_string);
                        (format!("{}.{name}", variant.ident), field.ty.clone())
                    })
                });
                self.variants.insert(key, parts.collect());
            }
            _ => {}
        }
    }

    /// What a Rust type stands for.
    pub fn resolve(&self, ty: &syn::Type) -> Type {
        self.resolve_within(ty, 16)
    }

    /// The type of a field of a struct of the file; tuple structs have fields named `0`, `1`.
    pub fn field(&self, name: &str, field: &str) -> Option<Type> {
        let (_, ty) = self.fields.get(name)?.iter().find(|(known, _)| known == field)?;
        Some(self.resolve(ty))
    }

    /// The fields of a struct of the file, by name.
    pub fn fields(&self, name: &str) -> Option<impl Iterator<Item = &str>> {
        Some(self.fields.get(name)?.iter().map(|(name, _)| name.as_str()))
    }

    /// What a key stands for.
    pub fn of_key(&self, key: &str) -> Type {
        match self.aliases.get(key) {
            Some(alias) => self.resolve(alias),
            None if self.fields.contains_key(key) => Type::Named(key.to_owned()),
            None => Type::Unknown,
        }
    }

    /// Whether an enum has this key.
    pub fn is_enum(&self, key: &str) -> bool {
        self.variants.contains_key(key)
    }

    /// The type behind an alias of the file.
    pub fn alias(&self, name: &str) -> Option<&syn::Type> {
        self.aliases.get(name)
    }

    /// Whether ids of nodes certainly stand in values of this type.
    pub fn holds_ids(&self, ty: &Type) -> bool {
        self.holds_ids_within(ty, 8)
    }

    fn holds_ids_within(&self, ty: &Type, depth: u32) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        match ty {
            Type::Node(_) => true,
            Type::Option(one) | Type::Set(one) | Type::Seq(one) | Type::Ref(one) => {
                self.holds_ids_within(one, depth)
            }
            Type::Map(key, value) => self.holds_ids_within(key, depth) || self.holds_ids_within(value, depth),
            Type::Tuple(parts) => parts.iter().any(|it| self.holds_ids_within(it, depth)),
            Type::Named(name) => {
                let fields = self.fields.get(name).into_iter().flatten().map(|(_, ty)| ty);
                let parts = fields.chain(self.variants.get(name).into_iter().flatten().map(|(_, ty)| ty));
                parts.into_iter().any(|it| self.holds_ids_within(&self.resolve(it), depth))
            }
            _ => false,
        }
    }

    /// Where ids of nodes stand in values of a type, each with whether that is certain: a type that the file does not declare may
    /// hold some. The way there is written as `.field`, `[*]` for any element, `{key}` and `{value}` of a map, `?` for what
    /// an `Option` holds, `::Variant.field`.
    pub fn id_places(&self, ty: &syn::Type) -> Vec<(String, bool)> {
        let mut found = Vec::new();
        self.id_places_within(ty, "", &mut Vec::new(), &mut found);
        found
    }

    fn id_places_within<'t>(
        &'t self,
        ty: &syn::Type,
        path: &str,
        around: &mut Vec<&'t str>,
        found: &mut Vec<(String, bool)>,
    ) {
        // What holds itself was looked at where it stands first.
        if around.len() >= PLACES_DEPTH_MAX {
            return;
        }
        let mut inner = |ty: &syn::Type, step: &str, around: &mut Vec<&'t str>| {
            self.id_places_within(ty, &format!("{path}{step}"), around, found);
        };
        let ty = match ty {
            syn::Type::Paren(it) => return inner(&it.elem, "", around),
            syn::Type::Group(it) => return inner(&it.elem, "", around),
            syn::Type::Reference(it) => return inner(&it.elem, "", around),
            syn::Type::Array(it) => return inner(&it.elem, "[*]", around),
            syn::Type::Tuple(it) => {
                return it.elems.iter().enumerate().for_each(|(at, it)| inner(it, &format!(".{at}"), around));
            }
            syn::Type::Path(it) if it.qself.is_none() => it,
            _ => return found.push((path.to_owned(), false)),
        };
        let Some(last) = ty.path.segments.last() else { return };
        let name = key(&ty.path).unwrap_or_else(|| last.ident.to_string());
        if let Some((name, alias)) = self.aliases.get_key_value(&name) {
            around.push(name);
            inner(alias, "", around);
            around.pop();
        } else if let Some((name, fields)) = self.fields.get_key_value(&name) {
            if around.contains(&name.as_str()) {
                return;
            }
            around.push(name);
            for (field, ty) in fields {
                inner(ty, &format!(".{field}"), around);
            }
            for (variant, ty) in self.variants.get(name).into_iter().flatten() {
                inner(ty, &format!("::{variant}"), around);
            }
            around.pop();
        } else {
            let steps: &[&str] = match name.as_str() {
                "NodeId" => return found.push((path.to_owned(), true)),
                "Reply" => return found.push((format!("{path}.origin"), true)),
                "Option" => &["?"],
                "BTreeSet" | "Vec" | "VecDeque" => &["[*]"],
                "BTreeMap" => &["{key}", "{value}"],
                "Box" => &[""],
                _ if matches!(self.resolve(&syn::Type::Path(ty.clone())), Type::Unknown) => {
                    return found.push((path.to_owned(), false));
                }
                _ => &[],
            };
            for (ty, step) in arguments(&last.arguments).into_iter().zip(steps) {
                inner(ty, step, around);
            }
        }
    }

    /// Whether values of this type can be ever more: the states that hold them are not finitely many. `None` where that
    /// does not show.
    pub fn unbounded(&self, ty: &Type) -> Option<bool> {
        self.unbounded_within(ty, 8)
    }

    fn unbounded_within(&self, ty: &Type, depth: u32) -> Option<bool> {
        let depth = depth.checked_sub(1)?;
        match ty {
            Type::Bool | Type::Instant | Type::Node(_) | Type::State(_) | Type::Int("u8" | "i8") => {
                Some(false)
            }
            Type::Int(_) | Type::Float | Type::Duration | Type::Text | Type::Seq(_) => Some(true),
            Type::Option(one) | Type::Set(one) | Type::Ref(one) => self.unbounded_within(one, depth),
            Type::Map(key, value) => any([key, value].into_iter().map(|it| self.unbounded_within(it, depth))),
            Type::Tuple(parts) => any(parts.iter().map(|it| self.unbounded_within(it, depth))),
            Type::Named(name) => {
                let fields = self.fields.get(name).into_iter().flatten().map(|(_, ty)| ty);
                let parts = fields.chain(self.variants.get(name).into_iter().flatten().map(|(_, ty)| ty));
                any(parts.map(|it| self.unbounded_within(&self.resolve(it), depth)))
            }
            _ => None,
        }
    }

    /// Whether a value of this type may hold something that the file does not declare.
    pub fn is_foreign(&self, ty: &syn::Type) -> bool {
        fn known(ty: &Type) -> bool {
            match ty {
                Type::Unknown => false,
                Type::Option(one) | Type::Set(one) | Type::Seq(one) => known(one),
                Type::Map(key, value) => known(key) && known(value),
                Type::Tuple(parts) => parts.iter().all(known),
                _ => true,
            }
        }
        !known(&self.resolve(ty))
    }

    fn resolve_within(&self, ty: &syn::Type, fuel: u32) -> Type {
        let Some(fuel) = fuel.checked_sub(1) else { return Type::Unknown };
        match ty {
            syn::Type::Paren(inner) => self.resolve_within(&inner.elem, fuel),
            syn::Type::Group(inner) => self.resolve_within(&inner.elem, fuel),
            syn::Type::Reference(inner) => self.resolve_within(&inner.elem, fuel),
            syn::Type::Array(inner) => Type::Seq(Box::new(self.resolve_within(&inner.elem, fuel))),
            syn::Type::Tuple(parts) => {
                Type::Tuple(parts.elems.iter().map(|part| self.resolve_within(part, fuel)).collect())
            }
            syn::Type::Path(path) if path.qself.is_none() => {
                let Some(last) = path.path.segments.last() else { return Type::Unknown };
                let arguments = arguments(&last.arguments);
                let arguments: Vec<Type> =
                    arguments.into_iter().map(|argument| self.resolve_within(argument, fuel)).collect();
                self.named(&key(&path.path).unwrap_or_else(|| last.ident.to_string()), arguments, fuel)
            }
            _ => Type::Unknown,
        }
    }

    fn named(&self, name: &str, arguments: Vec<Type>, fuel: u32) -> Type {
        if let Some(alias) = self.aliases.get(name) {
            return self.resolve_within(alias, fuel);
        }
        if self.fields.contains_key(name) {
            return Type::Named(name.to_owned());
        }
        if let Some(integer) = INTEGERS.iter().find(|integer| **integer == name) {
            return Type::Int(integer);
        }
        let mut arguments = arguments.into_iter();
        let mut next = || Box::new(arguments.next().unwrap_or(Type::Unknown));
        match name {
            "bool" => Type::Bool,
            "f32" | "f64" => Type::Float,
            "String" | "str" => Type::Text,
            "Duration" => Type::Duration,
            "Instant" => Type::Instant,
            "NodeId" => Type::Node(None),
            "Option" => Type::Option(next()),
            "BTreeSet" => Type::Set(next()),
            "Vec" | "VecDeque" => Type::Seq(next()),
            "BTreeMap" => Type::Map(next(), next()),
            "Box" => *next(),
            _ => Type::Unknown,
        }
    }
}

/// Whether a type is that of payloads, which carry a value that a layer need not know.
pub fn is_payload(ty: &syn::Type) -> bool {
    matches!(ty, syn::Type::Path(path) if path.path.is_ident("Payload"))
}

/// The module that holds those of imported files.
pub const IMPORTED: &str = "imported";

/// The key of a type of an imported file, `tree::Slot`, by its whole path `imported::tree::Slot`.
pub fn key(path: &syn::Path) -> Option<String> {
    let mut segments = path.segments.iter().map(|it| &it.ident);
    match (segments.next(), segments.next(), segments.next(), segments.next()) {
        (Some(imported), Some(module), Some(name), None) if imported == IMPORTED => {
            Some(format!("{module}::{name}"))
        }
        _ => None,
    }
}

/// Whether one is; `None` where one might be and none certainly is.
fn any(parts: impl IntoIterator<Item = Option<bool>>) -> Option<bool> {
    let parts: Vec<Option<bool>> = parts.into_iter().collect();
    // A part that does not show hides nothing where another certainly is.
    if parts.contains(&Some(true)) {
        return Some(true);
    }
    (!parts.contains(&None)).then_some(false)
}

/// The type arguments of a path's segment.
pub fn arguments(arguments: &PathArguments) -> Vec<&syn::Type> {
    let PathArguments::AngleBracketed(list) = arguments else { return Vec::new() };
    let types = list.args.iter().filter_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    });
    types.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aliases_and_structs_are_followed() {
        let file: syn::File = syn::parse_quote! {
            type Slot = u64;
            type Votes = BTreeMap<Slot, (Ballot, Option<NodeId>)>;
            struct Ballot { round: u64, owner: NodeId }
        };
        let types = Types::of_items(&file.items);
        let votes = types.resolve(&syn::parse_quote!(Votes));
        let pair = Type::Tuple(vec![Type::Named("Ballot".into()), Type::Option(Box::new(Type::Node(None)))]);
        assert_eq!(votes, Type::Map(Box::new(Type::Int("u64")), Box::new(pair)));
        assert_eq!(types.field("Ballot", "owner"), Some(Type::Node(None)));
        assert!(types.is_foreign(&syn::parse_quote!(Vec<Command>)));
        assert!(!types.is_foreign(&syn::parse_quote!(Votes)));
    }

    #[test]
    fn ids_are_found_wherever_they_stand() {
        let file: syn::File = syn::parse_quote! {
            struct Ballot { round: u64, owner: NodeId }
            enum Step { Ask(NodeId), Tell { ballot: Ballot, whom: Vec<Option<NodeId>> }, Rest }
            struct Tree { at: NodeId, below: Vec<Tree>, note: Foreign }
        };
        let types = Types::of_items(&file.items);
        let places = |ty: syn::Type| {
            let places = types.id_places(&ty);
            places
                .into_iter()
                .map(|(path, known)| if known { path } else { path + " perhaps" })
                .collect::<Vec<_>>()
        };
        let votes = syn::parse_quote!(BTreeMap<NodeId, (u64, Option<Ballot>)>);
        assert_eq!(places(votes), ["{key}", "{value}.1?.owner"]);
        let steps = places(syn::parse_quote!(Step));
        assert_eq!(steps, ["::Ask.0", "::Tell.ballot.owner", "::Tell.whom[*]?"]);
        assert_eq!(places(syn::parse_quote!(Tree)), [".at", ".note perhaps"]);
        assert_eq!(places(syn::parse_quote!(NodeId)), [""]);
        assert_eq!(places(syn::parse_quote!(Option<Reply<u8>>)), ["?.origin"]);
        assert!(places(syn::parse_quote!(BTreeSet<(bool, String)>)).is_empty());
    }

    #[test]
    fn an_alias_of_itself_ends() {
        let file: syn::File = syn::parse_quote! { type A = B; type B = A; };
        assert_eq!(Types::of_items(&file.items).resolve(&syn::parse_quote!(A)), Type::Unknown);
    }
}
