//! Which methods change what they are called on: decides between `&` and `&mut` for a routine's variables.

use crate::names::Names;

/// Methods of the standard collections, `Option`, numbers and strings that take `&mut self`.
const MUTATING: &[&str] = &[
    "append",
    "as_deref_mut",
    "as_mut",
    "as_mut_slice",
    "back_mut",
    "chunks_mut",
    "clear",
    "dedup",
    "dedup_by",
    "dedup_by_key",
    "drain",
    "entry",
    "extend",
    "extend_from_slice",
    "extend_from_within",
    "extract_if",
    "fill",
    "fill_with",
    "first_entry",
    "first_mut",
    "front_mut",
    "get_many_mut",
    "get_mut",
    "get_or_insert",
    "get_or_insert_default",
    "get_or_insert_with",
    "insert",
    "insert_str",
    "iter_mut",
    "last_entry",
    "last_mut",
    "make_ascii_lowercase",
    "make_ascii_uppercase",
    "make_contiguous",
    "pop",
    "pop_back",
    "pop_first",
    "pop_front",
    "pop_if",
    "pop_last",
    "push",
    "push_back",
    "push_front",
    "push_str",
    "range_mut",
    "remove",
    "remove_entry",
    "replace",
    "reserve",
    "resize",
    "resize_with",
    "retain",
    "retain_mut",
    "reverse",
    "rotate_left",
    "rotate_right",
    "shrink_to_fit",
    "sort",
    "sort_by",
    "sort_by_cached_key",
    "sort_by_key",
    "sort_unstable",
    "sort_unstable_by",
    "sort_unstable_by_key",
    "splice",
    "split_at_mut",
    "split_off",
    "swap",
    "swap_remove",
    "swap_remove_back",
    "swap_remove_front",
    "take",
    "take_if",
    "truncate",
    "values_mut",
];

/// Whether calling `method` on a variable needs it mutable. `foreign` says that the variable's type may hide
/// something that the file does not declare: then an unknown method counts as one that changes it.
pub fn changes(names: &Names, method: &str, foreign: bool) -> bool {
    if names.reading_methods.contains(method) && !names.mutating_methods.contains(method) {
        return false;
    }
    MUTATING.binary_search(&method).is_ok()
        || names.mutating_methods.contains(method)
        || (foreign && !READING.contains(&method))
}

/// Whether `method` is known to leave alone what it is called on, whatever that is.
pub fn reads(names: &Names, method: &str) -> bool {
    READING.contains(&method) && !names.mutating_methods.contains(method)
}

/// How a method of a map or a set is handed the key of the one entry that it changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// By value, as its first argument.
    Value,
    /// By reference, as its first argument.
    Borrowed,
}

/// How `method` of a map or a set names the one entry that it changes; None where it does not, or changes others.
pub fn key(method: &str) -> Option<Key> {
    match method {
        "entry" | "insert" | "replace" => Some(Key::Value),
        "get_mut" | "remove" | "remove_entry" | "take" => Some(Key::Borrowed),
        _ => None,
    }
}

/// Methods that read, whatever they are called on.
const READING: &[&str] = &[
    "as_ref",
    "as_str",
    "chars",
    "clone",
    "cloned",
    "cmp",
    "contains",
    "contains_key",
    "copied",
    "eq",
    "filter",
    "first",
    "first_key_value",
    "get",
    "into_iter",
    "into_keys",
    "into_values",
    "is_disjoint",
    "is_empty",
    "is_none",
    "is_none_or",
    "is_some",
    "is_some_and",
    "is_subset",
    "is_superset",
    "iter",
    "keys",
    "last",
    "last_key_value",
    "len",
    "map",
    "max",
    "min",
    "ne",
    "partial_cmp",
    "range",
    "to_owned",
    "to_string",
    "to_vec",
    "unwrap",
    "unwrap_or",
    "unwrap_or_default",
    "values",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted() {
        assert!(MUTATING.is_sorted());
    }

    #[test]
    fn unknown_methods_of_foreign_types_count_as_changes() {
        let names = Names::default();
        assert!(changes(&names, "insert", false) && changes(&names, "bump", true));
        assert!(!changes(&names, "bump", false) && !changes(&names, "len", true));
    }
}
