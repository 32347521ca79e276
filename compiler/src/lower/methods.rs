//! The types of the standard methods that properties use: what they yield, and how they take their arguments.

use crate::types::Type;

/// Whether the arguments of a method are taken by reference.
pub(super) fn takes_reference(name: &str) -> bool {
    matches!(
        name,
        "contains"
            | "contains_key"
            | "get"
            | "is_subset"
            | "is_superset"
            | "is_disjoint"
            | "union"
            | "intersection"
            | "difference"
            | "symmetric_difference"
            | "starts_with"
            | "ends_with"
            | "cmp"
            | "partial_cmp"
            | "eq"
            | "ne"
    )
}

/// The type of the parameter of a lambda that is given to a method.
pub(super) fn lambda_parameter(base: &Type, name: &str) -> Option<Type> {
    let element = base.element()?;
    match name {
        "all" | "any" | "map" | "flat_map" | "filter_map" | "find_map" | "position" | "is_some_and"
        | "is_none_or" | "map_or" | "and_then" | "for_each" => Some(element),
        "filter" | "find" | "take_while" | "skip_while" | "max_by_key" | "min_by_key" | "partition"
        | "inspect" => Some(element.referenced()),
        _ => None,
    }
}

/// What a method yields; `argument` is the type of its first argument, that of a lambda being what it yields.
pub(super) fn result(base: &Type, name: &str, argument: Option<&Type>) -> Type {
    // Types of the author and of others have methods of their own.
    if matches!(base.peeled(), Type::Named(_) | Type::Unknown) && !matches!(name, "clone" | "to_owned") {
        return Type::Unknown;
    }
    match name {
        "len" | "count" | "index" | "capacity" => return Type::Int("usize"),
        "is_empty" | "contains" | "contains_key" | "is_some" | "is_none" | "is_some_and" | "is_none_or"
        | "is_subset" | "is_superset" | "is_disjoint" | "all" | "any" | "starts_with" | "ends_with"
        | "eq" | "ne" | "is_ok" | "is_err" => {
            return Type::Bool;
        }
        "clone" | "to_owned" => return base.clone(),
        _ => {}
    }
    let argument = argument.cloned().unwrap_or(Type::Unknown);
    match base {
        Type::Map(key, value) => of_map(key.peeled().clone(), value.peeled().clone(), name),
        Type::Set(item) => of_set(item, name),
        Type::Seq(item) => of_sequence(base, item, name, argument),
        Type::Option(item) => of_option(base, item, name, argument),
        Type::Int(_) => match name {
            "abs_diff" if base.is_signed() => Type::Unknown,
            "min" | "max" | "pow" | "abs" | "saturating_sub" | "saturating_add" | "wrapping_add"
            | "wrapping_sub" | "abs_diff" | "div_ceil" | "rem_euclid" => base.clone(),
            "checked_sub" | "checked_add" | "checked_div" => option(base.clone()),
            "count_ones" => Type::Int("u32"),
            _ => Type::Unknown,
        },
        Type::Float => Type::Float,
        Type::Duration => match name {
            "as_secs" => Type::Int("u64"),
            "as_millis" | "as_micros" | "as_nanos" => Type::Int("u128"),
            "as_secs_f64" | "as_secs_f32" => Type::Float,
            _ => Type::Unknown,
        },
        _ => Type::Unknown,
    }
}

fn seq(ty: Type) -> Type {
    Type::Seq(Box::new(ty))
}

fn option(ty: Type) -> Type {
    Type::Option(Box::new(ty))
}

fn of_map(key: Type, value: Type, name: &str) -> Type {
    let (key, value) = (key.referenced(), value.referenced());
    match name {
        "get" => option(value),
        "keys" => seq(key),
        "values" => seq(value),
        "iter" | "range" => seq(Type::Tuple(vec![key, value])),
        "first_key_value" | "last_key_value" => option(Type::Tuple(vec![key, value])),
        _ => Type::Unknown,
    }
}

fn of_set(item: &Type, name: &str) -> Type {
    match name {
        "iter" | "union" | "intersection" | "difference" | "symmetric_difference" | "range" => {
            seq(item.clone().referenced())
        }
        "first" | "last" | "get" => option(item.clone().referenced()),
        "into_iter" => seq(item.clone()),
        _ => Type::Unknown,
    }
}

fn of_sequence(base: &Type, item: &Type, name: &str, argument: Type) -> Type {
    match name {
        "iter" => seq(item.clone().referenced()),
        "first" | "last" | "get" | "front" | "back" => match item {
            // On an iterator these take the items themselves.
            Type::Ref(_) => option(item.clone()),
            _ => option(item.clone().referenced()),
        },
        "copied" | "cloned" => seq(item.peeled().clone()),
        "filter" | "skip" | "take" | "rev" | "chain" | "take_while" | "skip_while" | "into_iter"
        | "step_by" => base.clone(),
        "map" => seq(argument),
        "enumerate" => seq(Type::Tuple(vec![Type::Int("usize"), item.clone()])),
        "filter_map" | "flat_map" | "flatten" => {
            let inner = if name == "flatten" { item.clone() } else { argument };
            seq(inner.peeled().element().unwrap_or(Type::Unknown))
        }
        "max" | "min" | "next" | "find" | "nth" | "max_by_key" | "min_by_key" => option(item.clone()),
        "sum" | "product" => item.peeled().clone(),
        "position" => option(Type::Int("usize")),
        _ => Type::Unknown,
    }
}

fn of_option(base: &Type, item: &Type, name: &str, argument: Type) -> Type {
    match name {
        "unwrap" | "expect" | "unwrap_or" | "unwrap_or_default" | "unwrap_or_else" => item.clone(),
        "copied" | "cloned" => option(item.peeled().clone()),
        "as_ref" => option(item.clone().referenced()),
        "iter" => seq(item.clone().referenced()),
        "into_iter" => seq(item.clone()),
        "map" => option(argument),
        "and_then" | "map_or" => argument,
        "or" | "or_else" | "filter" | "xor" => base.clone(),
        _ => Type::Unknown,
    }
}
