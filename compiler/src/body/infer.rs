//! The types of names and expressions in a body, as far as they show: enough to say what is certainly wrong and where ids
//! are compared. What does not show is [`Type::Unknown`], and nobody reports an error because of that.

use std::collections::BTreeSet;

use syn::{Expr, GenericArgument, Lit, Pat};

use super::resolve::root;
use super::{literal, scope};
use crate::names::{CallKind, CallRef, Names, ServiceNames};
use crate::types::Type;

/// A name in force.
#[derive(Clone, Debug)]
pub struct Known {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: Type,
    /// Whether the head of the handler binds it, so that it comes from the event.
    pub from_event: bool,
}

/// The names that a body sees, with their types.
pub struct Scope<'a> {
    pub(super) names: &'a Names,
    pub(super) service: &'a ServiceNames,
    index: usize,
    locals: Vec<Known>,
    marks: Vec<usize>,
    acting: Option<&'a BTreeSet<String>>,
}

impl<'a> Scope<'a> {
    /// What a body of the service at `index` sees before it binds anything.
    pub fn new(names: &'a Names, index: usize) -> Scope<'a> {
        let (locals, marks) = (Vec::new(), Vec::new());
        Scope { names, service: &names.services[index], index, locals, marks, acting: None }
    }

    /// Tells which routines do more than change ghosts and give a value.
    pub fn with_acting(self, acting: &'a BTreeSet<String>) -> Scope<'a> {
        Scope { acting: Some(acting), ..self }
    }

    /// Whether a routine does more than change ghosts and give a value.
    pub(super) fn acts(&self, routine: &str) -> bool {
        self.acting.is_some_and(|it| it.contains(routine))
    }

    /// How many locals there are.
    pub(super) fn count(&self) -> usize {
        self.locals.len()
    }

    /// The place of a local among them.
    pub(super) fn depth(&self, name: &str) -> Option<usize> {
        self.locals.iter().rposition(|it| it.name == name)
    }

    /// Says of a local what its type has turned out to be.
    pub(super) fn retype(&mut self, name: &str, ty: Type) {
        if let Some(local) = self.locals.iter_mut().rfind(|it| it.name == name) {
            local.ty = ty;
        }
    }

    pub(super) fn open(&mut self) {
        self.marks.push(self.locals.len());
    }

    pub(super) fn close(&mut self) {
        let mark = self.marks.pop().unwrap_or(0);
        self.locals.truncate(mark);
    }

    /// What a name is, if it is local.
    pub(super) fn local(&self, name: &str) -> Option<&Known> {
        self.locals.iter().rev().find(|it| it.name == name)
    }

    /// Puts a name into scope.
    pub(super) fn add(&mut self, name: &str, ty: Type) {
        self.locals.push(Known { name: name.to_owned(), ty, from_event: false });
    }

    /// Puts the names of a pattern that is matched with a value of type `ty` into scope.
    pub fn bind(&mut self, pattern: &Pat, ty: &Type, from_event: bool) {
        match pattern {
            Pat::Ident(it) => {
                if scope::bindings(pattern).iter().any(|name| **name == it.ident) {
                    self.locals.push(Known { name: it.ident.to_string(), ty: ty.clone(), from_event });
                }
                if let Some((_, inner)) = &it.subpat {
                    self.bind(inner, ty, from_event);
                }
            }
            Pat::Paren(it) => self.bind(&it.pat, ty, from_event),
            Pat::Guard(it) => self.bind(&it.pat, ty, from_event),
            Pat::Reference(it) => {
                let inner = if let Type::Ref(inner) = ty { (**inner).clone() } else { Type::Unknown };
                self.bind(&it.pat, &inner, from_event);
            }
            Pat::Type(it) => {
                let ty = self.names.types.resolve(&it.ty);
                self.bind(&it.pat, &ty, from_event);
            }
            Pat::Tuple(it) if !it.elems.iter().any(|part| matches!(part, Pat::Rest(_))) => {
                for (at, part) in it.elems.iter().enumerate() {
                    let inner = match ty.peeled() {
                        Type::Tuple(parts) => parts.get(at).cloned().unwrap_or(Type::Unknown),
                        _ => Type::Unknown,
                    };
                    self.bind(part, &like(ty, inner), from_event);
                }
            }
            Pat::TupleStruct(it) if it.path.is_ident("Some") && it.elems.len() == 1 => {
                let inner = match ty.peeled() {
                    Type::Option(inner) => like(ty, (**inner).clone()),
                    _ => Type::Unknown,
                };
                self.bind(&it.elems[0], &inner, from_event);
            }
            Pat::Struct(it) => self.bind_fields(it, ty, from_event),
            // All alternatives bind the same names.
            Pat::Or(it) => it.cases.first().into_iter().for_each(|case| self.bind(case, ty, from_event)),
            other => {
                let unknown =
                    |name: &syn::Ident| Known { name: name.to_string(), ty: Type::Unknown, from_event };
                self.locals.extend(scope::bindings(other).into_iter().map(unknown));
            }
        }
    }

    fn bind_fields(&mut self, pattern: &syn::PatStruct, ty: &Type, from_event: bool) {
        let message =
            pattern.path.get_ident().and_then(|it| self.names.message(self.service, &it.to_string()));
        for field in &pattern.fields {
            let syn::Member::Named(name) = &field.member else { continue };
            let name = name.to_string();
            let found = match (message, ty.peeled()) {
                (Some(message), _) => {
                    let fields = &self.names.message_at(self.service, message).fields;
                    let found = fields.iter().find(|it| it.name == name).and_then(|it| it.ty.as_ref());
                    found.map(|it| self.names.types.resolve(it))
                }
                (None, Type::Named(of)) => self.names.types.field(of, &name).map(|it| like(ty, it)),
                _ => None,
            };
            self.bind(&field.pat, &found.unwrap_or(Type::Unknown), from_event);
        }
    }

    /// The type of a variable, parameter or constant of the service, or of its control state.
    pub fn member(&self, name: &str) -> Option<Type> {
        if name == "state" && !self.service.states.is_empty() {
            return Some(Type::State(self.index));
        }
        let variable = self.service.variable(name).map(|it| it.ty.as_ref());
        let declared = variable.or_else(|| self.service.parameter(name).map(|it| it.ty.as_ref()));
        match declared {
            Some(ty) => Some(ty.map_or(Type::Unknown, |it| self.names.types.resolve(it))),
            None => self.service.consts.get(name).map(|it| it.ty.clone()),
        }
    }

    /// The key of a type of this name as the service's file sees it.
    pub(super) fn key(&self, name: &str) -> String {
        let (file, name) = self.names.files.declared(self.service.file, name);
        self.names.files.key(file, name)
    }

    /// The type of an expression.
    pub fn of(&self, expr: &Expr) -> Type {
        match expr {
            Expr::Paren(it) => self.of(&it.expr),
            Expr::Group(it) => self.of(&it.expr),
            Expr::Reference(it) => self.of(&it.expr).referenced(),
            Expr::Unary(it) => match (it.op, self.of(&it.expr)) {
                (syn::UnOp::Deref(_), Type::Ref(inner)) => *inner,
                (syn::UnOp::Deref(_), _) => Type::Unknown,
                (_, inner) => inner.peeled().clone(),
            },
            Expr::Lit(it) => of_literal(&it.lit),
            Expr::Path(it) => it.path.get_ident().map_or(Type::Unknown, |name| self.name(&name.to_string())),
            Expr::Field(it) => self.field(it),
            Expr::Index(it) => match self.of(&it.expr).peeled() {
                Type::Map(_, value) => (**value).clone(),
                Type::Seq(item) if !matches!(&*it.index, Expr::Range(_)) => (**item).clone(),
                _ => Type::Unknown,
            },
            Expr::Binary(it) => self.binary(it),
            Expr::Array(it) => Type::Seq(Box::new(it.elems.first().map_or(Type::Unknown, |it| self.of(it)))),
            Expr::Tuple(it) if !it.elems.is_empty() => {
                Type::Tuple(it.elems.iter().map(|it| self.of(it)).collect())
            }
            Expr::Cast(it) => self.names.types.resolve(&it.ty),
            Expr::Struct(it) => {
                let key = it.path.get_ident().map(|name| self.key(&name.to_string()));
                let declared = key.filter(|key| self.names.types.fields(key).is_some());
                declared.map_or(Type::Unknown, Type::Named)
            }
            Expr::Call(it) => self.call(it),
            Expr::MethodCall(it) => self.method(it),
            _ => Type::Unknown,
        }
    }

    fn name(&self, name: &str) -> Type {
        match self.local(name) {
            Some(local) => local.ty.clone(),
            None if name == "me" => Type::Node(Some(self.index)),
            None if name == "None" => Type::Option(Box::new(Type::Unknown)),
            None => match self.member(name) {
                Some(ty) => ty,
                None if self.service.has_state(name) && self.names.message(self.service, name).is_none() => {
                    Type::State(self.index)
                }
                None => Type::Unknown,
            },
        }
    }

    fn field(&self, it: &syn::ExprField) -> Type {
        let member = match &it.member {
            syn::Member::Named(name) => name.to_string(),
            syn::Member::Unnamed(at) => at.index.to_string(),
        };
        if let (Expr::Path(base), syn::Member::Named(_)) = (&*it.base, &it.member)
            && base.path.is_ident("self")
        {
            return self.member(&member).unwrap_or(Type::Unknown);
        }
        match (self.of(&it.base).peeled(), &it.member) {
            (Type::Named(name), _) => self.names.types.field(name, &member).unwrap_or(Type::Unknown),
            (Type::Tuple(parts), syn::Member::Unnamed(at)) => {
                parts.get(at.index as usize).cloned().unwrap_or(Type::Unknown)
            }
            _ => Type::Unknown,
        }
    }

    fn binary(&self, it: &syn::ExprBinary) -> Type {
        use syn::BinOp::*;
        match it.op {
            Eq(_) | Ne(_) | Lt(_) | Le(_) | Gt(_) | Ge(_) | And(_) | Or(_) => Type::Bool,
            Add(_) | Sub(_) | Mul(_) | Div(_) | Rem(_) => match (self.of(&it.left), self.of(&it.right)) {
                // A number times a duration is a duration.
                (Type::Int(_), Type::Duration) | (Type::Duration, _) => Type::Duration,
                (Type::Instant, Type::Duration) => Type::Instant,
                (Type::Int(of), Type::Int(_)) => Type::Int(of),
                (Type::Float, Type::Float) => Type::Float,
                _ => Type::Unknown,
            },
            BitOr(_) | BitAnd(_) | BitXor(_) => match self.of(&it.left).peeled() {
                set @ (Type::Set(_) | Type::Int(_) | Type::Bool) => set.clone(),
                _ => Type::Unknown,
            },
            _ => Type::Unknown,
        }
    }

    fn call(&self, it: &syn::ExprCall) -> Type {
        let Expr::Path(path) = &*it.func else { return Type::Unknown };
        let Some(name) = path.path.get_ident().map(|it| it.to_string()) else { return Type::Unknown };
        if self.local(&name).is_some() {
            return Type::Unknown;
        }
        if let Some(routine) = self.service.routine(&name) {
            return routine.output.as_ref().map_or(Type::Unknown, |it| self.names.types.resolve(it));
        }
        let first = || it.args.first().map_or(Type::Unknown, |it| self.of(it));
        let item = || first().peeled().element().map_or(Type::Unknown, |it| it.peeled().clone());
        match name.as_str() {
            "Some" => Type::Option(Box::new(first())),
            "now" => Type::Instant,
            "choose" | "choose_or" => item(),
            "random" if !matches!(it.args.first(), Some(Expr::Call(_) | Expr::MethodCall(_))) => item(),
            "subsets" => Type::Seq(Box::new(Type::Set(Box::new(item())))),
            _ => Type::Unknown,
        }
    }

    /// The call that `tree.f(..)` is, where `tree` is a lower layer.
    pub(super) fn layer_call(&self, it: &syn::ExprMethodCall) -> Option<CallRef> {
        let Expr::Path(path) = &*it.receiver else { return None };
        let name = path.path.get_ident()?.to_string();
        let slot = self.service.layer(&name).filter(|_| self.local(&name).is_none())?;
        self.names.layer_call(&self.service.layers[slot], &it.method.to_string())
    }

    /// What `collect::<Vec<_>>()` makes of the items of an iterator.
    fn collected(&self, it: &syn::ExprMethodCall, item: &Type) -> Option<Type> {
        let Some(GenericArgument::Type(ty)) = it.turbofish.as_ref()?.args.first() else { return None };
        let fill = |held: &Type| Box::new(if *held == Type::Unknown { item.clone() } else { held.clone() });
        match self.names.types.resolve(ty) {
            Type::Seq(held) => Some(Type::Seq(fill(&held))),
            Type::Set(held) => Some(Type::Set(fill(&held))),
            _ => None,
        }
    }

    /// Methods of the standard library whose results show.
    fn method(&self, it: &syn::ExprMethodCall) -> Type {
        if let Some(call) = self.layer_call(it) {
            let call = self.names.call_at(call);
            let answer = call.answer.as_ref().filter(|_| call.kind == CallKind::Query);
            return answer.map_or(Type::Unknown, |it| self.names.types.resolve(it));
        }
        let (receiver, method) = (self.of(&it.receiver), it.method.to_string());
        let of = receiver.peeled();
        let by_reference = || of.element_by_reference();
        let seq = |item: Type| Type::Seq(Box::new(item));
        let option = |item: Type| Type::Option(Box::new(item));
        let owned = |item: &Type| item.peeled().clone();
        if matches!(of, Type::Unknown | Type::Named(_)) {
            return if method == "clone" { of.clone() } else { Type::Unknown };
        }
        let found = match (method.as_str(), of) {
            ("clone" | "to_owned", _) => Some(of.clone()),
            ("copied" | "cloned", Type::Option(item)) => Some(option(owned(item))),
            ("copied" | "cloned", Type::Seq(item)) => Some(seq(owned(item))),
            ("len" | "count", Type::Set(_) | Type::Seq(_) | Type::Map(..) | Type::Text) => {
                Some(Type::Int("usize"))
            }
            (
                "is_empty" | "contains" | "contains_key" | "is_some" | "is_none" | "any" | "all"
                | "is_subset" | "is_superset" | "is_disjoint" | "is_some_and" | "is_none_or",
                _,
            ) => Some(Type::Bool),
            ("iter", _) => by_reference().map(seq),
            ("into_iter", Type::Seq(item) | Type::Set(item)) if receiver.references() == 0 => {
                Some(seq((**item).clone()))
            }
            ("keys", Type::Map(key, _)) => Some(seq((**key).clone().referenced())),
            ("values", Type::Map(_, value)) => Some(seq((**value).clone().referenced())),
            (
                "filter" | "skip" | "take" | "rev" | "skip_while" | "take_while" | "chain" | "step_by",
                Type::Seq(_),
            ) => Some(of.clone()),
            ("filter", Type::Option(_)) => Some(of.clone()),
            ("first" | "last", Type::Set(item)) => Some(option((**item).clone().referenced())),
            ("next" | "min" | "max" | "last" | "nth" | "find", Type::Seq(item))
                if is_iterator(&it.receiver) =>
            {
                Some(option((**item).clone()))
            }
            ("first" | "last" | "front" | "back", Type::Seq(item)) => {
                Some(option((**item).clone().referenced()))
            }
            ("pop_first" | "pop_last", Type::Set(item)) => Some(option((**item).clone())),
            ("pop" | "pop_front" | "pop_back", Type::Seq(item)) => Some(option((**item).clone())),
            ("get", Type::Map(_, value)) => Some(option((**value).clone().referenced())),
            ("remove", Type::Map(_, value)) => Some(option((**value).clone())),
            ("unwrap" | "expect" | "unwrap_or" | "unwrap_or_default", Type::Option(item)) => {
                Some((**item).clone())
            }
            ("collect", Type::Seq(item)) => self.collected(it, item),
            ("as_ref", Type::Option(item)) => Some(option((**item).clone().referenced())),
            ("take" | "or", Type::Option(_)) => Some(of.clone()),
            ("min" | "max" | "saturating_sub" | "saturating_add" | "wrapping_add" | "pow", Type::Int(_)) => {
                Some(of.clone())
            }
            _ => None,
        };
        found.unwrap_or(Type::Unknown)
    }
}

/// Whether an expression is an iterator, as its last method says, and not a collection.
pub(super) fn is_iterator(expr: &Expr) -> bool {
    const MAKING: [&str; 13] = [
        "chain",
        "cloned",
        "copied",
        "filter",
        "into_iter",
        "iter",
        "keys",
        "map",
        "rev",
        "skip",
        "take",
        "values",
        "flat_map",
    ];
    match expr {
        Expr::MethodCall(it) => MAKING.contains(&it.method.to_string().as_str()),
        Expr::Paren(it) => is_iterator(&it.expr),
        _ => false,
    }
}

/// `inner` seen through a reference where `outer` is one.
fn like(outer: &Type, inner: Type) -> Type {
    if outer.references() > 0 && inner.references() == 0 { inner.referenced() } else { inner }
}

fn of_literal(literal: &Lit) -> Type {
    match literal {
        Lit::Str(_) => Type::Text.referenced(),
        Lit::Bool(_) => Type::Bool,
        Lit::Int(it) if literal::is_duration(it.suffix()) => Type::Duration,
        Lit::Float(it) if literal::is_duration(it.suffix()) => Type::Duration,
        Lit::Int(it) if literal::unknown_unit(&it.to_string()).is_none() => Type::Int("i32"),
        Lit::Float(it) if literal::unknown_unit(&it.to_string()).is_none() => Type::Float,
        _ => Type::Unknown,
    }
}

/// The variable of the service at the root of a place, if no local hides it.
pub(super) fn variable_at(scope: &Scope<'_>, place: &Expr) -> Option<String> {
    let (ident, qualified) = root(place)?;
    let name = ident.to_string();
    let own = qualified || scope.local(&name).is_none();
    let declared =
        scope.service.variable(&name).is_some() || name == "state" && !scope.service.states.is_empty();
    (own && declared).then_some(name)
}

impl<'a> Scope<'a> {
    /// The same names, for a walk of something that does not live as long.
    pub(super) fn copied(&self) -> Scope<'a> {
        let (locals, marks) = (self.locals.clone(), self.marks.clone());
        Scope { locals, marks, ..*self }
    }
}
