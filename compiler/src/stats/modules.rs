//! The Rust modules of the user's crate that a specification uses: found by their paths, and counted.
//!
//! `use crate::a::b::Item;` leads to `src/a/b.rs` or `src/a/b/mod.rs`. An item of the crate's root counts alone, with its
//! `impl` blocks, since the root holds the program too; where the root only re-exports it, its module counts. Items under
//! `#[cfg(test)]` do not count. *Caveats*: `#[path]` attributes, macros that make modules, and items that a root's item uses
//! without a path from `crate` are not followed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Serialize;
use syn::spanned::Spanned;
use syn::{Item, UseTree};

use super::branches;
use super::lines::CodeLines;
use crate::ast::{Ast, RustItemKind};

/// A module, or the items of the crate's root, that a specification uses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Module {
    /// The file, from the folder of the manifest, with `/`.
    pub file: String,
    /// Its lines that count.
    pub lines: usize,
    /// Its branches.
    pub branches: usize,
}

/// What a specification uses of its crate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Modules {
    /// What was found, the crate's root first, then by file.
    pub found: Vec<Module>,
    /// The paths of the specification that lead to nothing that could be read.
    pub missing: Vec<String>,
}

/// The most files that are followed: a crate beyond this has other troubles than its numbers.
const MODULES_MAX: usize = 1000;

/// Finds what the `use` items of `ast` take from the crate whose manifest stands in `manifest`. `read` returns the text of
/// a file, if there is one.
pub fn modules(ast: &Ast, manifest: &Path, read: &dyn Fn(&Path) -> Option<String>) -> Modules {
    let source = manifest.join("src");
    let root = ["lib.rs", "main.rs"].iter().find_map(|name| {
        let path = source.join(name);
        let text = read(&path)?;
        Some(Parsed { items: syn::parse_file(&text).ok()?.items, path, text })
    });
    let root = root.unwrap_or_else(|| Parsed { path: source.clone(), text: String::new(), items: vec![] });
    let mut walk = Walk {
        source,
        read,
        root,
        files: BTreeMap::new(),
        root_items: BTreeSet::new(),
        open: vec![],
        missing: BTreeSet::new(),
    };
    for item in ast.rust_items().filter(|item| item.kind == RustItemKind::Use) {
        if let Ok(item) = syn::parse_str::<syn::ItemUse>(&item.fragment.text) {
            walk.tree(&item.tree);
        }
    }
    walk.run();
    let missing = std::mem::take(&mut walk.missing).into_iter().collect();
    Modules { found: walk.counted(manifest), missing }
}

struct Parsed {
    path: PathBuf,
    text: String,
    items: Vec<Item>,
}

struct Walk<'a> {
    source: PathBuf,
    read: &'a dyn Fn(&Path) -> Option<String>,
    root: Parsed,
    files: BTreeMap<PathBuf, Parsed>,
    root_items: BTreeSet<String>,
    /// Paths within the crate that are still to be followed.
    open: Vec<Vec<String>>,
    missing: BTreeSet<String>,
}

impl Walk<'_> {
    /// Opens every path of a `use` that starts at `crate`.
    fn tree(&mut self, tree: &UseTree) {
        let inside = leaves(tree).into_iter().filter(|path| path.len() > 1 && path[0] == "crate");
        self.open.extend(inside.map(|path| path[1..].to_vec()));
    }

    fn run(&mut self) {
        let mut seen = BTreeSet::new();
        while let Some(path) = self.open.pop() {
            if self.files.len() < MODULES_MAX && seen.insert(path.clone()) {
                self.follow(&path);
            }
        }
    }

    /// Follows a path to the deepest file on it, or to an item of the root.
    fn follow(&mut self, path: &[String]) {
        let deepest = (1..=path.len()).rev().find_map(|length| self.module(&path[..length]));
        let Some(parsed) = deepest else {
            match path {
                [name] if self.root_item(name) => {}
                _ => drop(self.missing.insert(format!("crate::{}", path.join("::")))),
            }
            return;
        };
        for item in &parsed.items {
            if let Item::Use(item) = item {
                self.tree(&item.tree);
            }
        }
        self.files.insert(parsed.path.clone(), parsed);
    }

    fn module(&self, path: &[String]) -> Option<Parsed> {
        let base = path.iter().fold(self.source.clone(), |base, segment| base.join(segment));
        [base.with_extension("rs"), base.join("mod.rs")].into_iter().find_map(|path| {
            let text = (self.read)(&path)?;
            Some(Parsed { items: syn::parse_file(&text).ok()?.items, path, text })
        })
    }

    /// An item of the root, or what the root re-exports under its name; whether there is such a thing.
    fn root_item(&mut self, name: &str) -> bool {
        let opened = self.open.len();
        for path in self.root.items.iter().filter_map(public_use).flat_map(leaves) {
            let here = path.first().is_some_and(|first| first == "self" || first == "crate");
            let path = &path[usize::from(here)..];
            if path.len() > 1 && path.last().is_some_and(|last| last == name) {
                self.open.push(path.to_vec());
            }
        }
        let declared = self.root.items.iter().any(|item| item_name(item).is_some_and(|item| item == name));
        if declared {
            self.root_items.insert(name.to_owned());
        }
        declared || self.open.len() > opened
    }

    fn counted(self, manifest: &Path) -> Vec<Module> {
        let name = |path: &Path| {
            let path = path.strip_prefix(manifest).unwrap_or(path);
            path.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
        };
        let mut modules: Vec<Module> = vec![];
        let wanted = |item: &&Item| item_name(item).is_some_and(|name| self.root_items.contains(&name));
        let root: Vec<&Item> = self.root.items.iter().filter(wanted).collect();
        if !root.is_empty() {
            modules.push(count(name(&self.root.path), &self.root.text, &root));
        }
        for (path, parsed) in &self.files {
            let items: Vec<&Item> = parsed.items.iter().filter(|item| !only_for_tests(item)).collect();
            let mut module = count(name(path), &parsed.text, &items);
            let tests = parsed.items.iter().filter(|item| only_for_tests(item));
            let code = CodeLines::of(&parsed.text);
            module.lines = code.all() - tests.map(|item| lines(&code, item)).sum::<usize>();
            modules.push(module);
        }
        modules
    }
}

fn count(file: String, text: &str, items: &[&Item]) -> Module {
    let code = CodeLines::of(text);
    let sum = items.iter().map(|item| lines(&code, item)).sum();
    Module { file, lines: sum, branches: branches::items(items.iter().copied()).branches }
}

fn lines(code: &CodeLines, item: &Item) -> usize {
    let span = item.span();
    code.between(span.start().line, span.end().line)
}

/// The paths that a `use` names, under the names that things have where they come from; `a::*` is `a`.
fn leaves(tree: &UseTree) -> Vec<Vec<String>> {
    match tree {
        UseTree::Path(node) => {
            let rest = leaves(&node.tree).into_iter();
            rest.map(|rest| std::iter::once(node.ident.to_string()).chain(rest).collect()).collect()
        }
        UseTree::Group(group) => group.items.iter().flat_map(leaves).collect(),
        UseTree::Name(node) => vec![vec![node.ident.to_string()]],
        UseTree::Rename(node) => vec![vec![node.ident.to_string()]],
        UseTree::Glob(_) => vec![vec![]],
    }
}

fn public_use(item: &Item) -> Option<&UseTree> {
    match item {
        Item::Use(item) if !matches!(item.vis, syn::Visibility::Inherited) => Some(&item.tree),
        _ => None,
    }
}

/// The name of an item, or of the type that an `impl` is for.
fn item_name(item: &Item) -> Option<String> {
    let ident = match item {
        Item::Const(it) => &it.ident,
        Item::Enum(it) => &it.ident,
        Item::Fn(it) => &it.sig.ident,
        Item::Static(it) => &it.ident,
        Item::Struct(it) => &it.ident,
        Item::Trait(it) => &it.ident,
        Item::Type(it) => &it.ident,
        Item::Mod(it) => &it.ident,
        Item::Impl(it) => match &*it.self_ty {
            syn::Type::Path(path) => &path.path.segments.last()?.ident,
            _ => return None,
        },
        _ => return None,
    };
    Some(ident.to_string())
}

fn attributes(item: &Item) -> &[syn::Attribute] {
    match item {
        Item::Mod(it) => &it.attrs,
        Item::Fn(it) => &it.attrs,
        Item::Impl(it) => &it.attrs,
        Item::Use(it) => &it.attrs,
        _ => &[],
    }
}

fn only_for_tests(item: &Item) -> bool {
    attributes(item).iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<syn::Ident>().is_ok_and(|condition| condition == "test")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::parse;
    use crate::source::SourceFile;

    #[test]
    fn modules_are_found_by_their_paths_and_counted_once() {
        let files = [
            (
                "src/main.rs",
                "mod kv;\nmod a;\npub use kv::Key;\nstruct Other;\n\n/// Doc.\nstruct Command(u8);\n\
                             impl Command {\n    fn f(self) -> u8 { if true { 1 } else { 2 } }\n}\nfn main() {\n}\n",
            ),
            (
                "src/kv.rs",
                "use crate::a::b::Deep;\npub struct Key(Deep); // x\n\n#[cfg(test)]\nmod tests {\n    fn t() {}\n}\n",
            ),
            ("src/a/mod.rs", "pub mod b;"),
            ("src/a/b.rs", "/* c */\npub struct Deep;\nuse crate::kv::Key;\n"),
            ("src/unused.rs", "pub struct Unused;"),
        ];
        let read = |path: &Path| {
            let path = path.strip_prefix("root").ok()?.to_str()?.replace('\\', "/");
            files.iter().find(|(name, _)| *name == path).map(|(_, text)| (*text).to_owned())
        };
        let text = "use crate::{Command, Key, Gone};\nuse crate::away::Gone;\nuse std::collections::BTreeMap;\nservice A { }";
        let (ast, _) = parse(&SourceFile::new("a.mace", text));
        let found = modules(&ast, Path::new("root"), &read);
        let expected = [("src/main.rs", 4, 2), ("src/a/b.rs", 2, 0), ("src/kv.rs", 2, 0)];
        let expected =
            expected.map(|(file, lines, branches)| Module { file: file.to_owned(), lines, branches });
        assert_eq!(found.found, expected);
        assert_eq!(found.missing, ["crate::Gone", "crate::away::Gone"]);
        let elsewhere = modules(&ast, Path::new("elsewhere"), &read);
        assert!(elsewhere.found.is_empty() && elsewhere.missing.len() == 4, "{elsewhere:?}");
    }
}
