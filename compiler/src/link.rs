//! From loaded files to one tree: what a file sees of those that it imports.
//!
//! A tree for one file, the *home*: its own items, and behind them those of every file that it needs, except systems and
//! scenarios, which stay where they are. [`Files`] says which names a file sees, so that the same name may be declared
//! in several files. Nothing is looked at twice: a name that an import asks for is only asked to be there.

use std::collections::BTreeMap;

use crate::ast::{Ast, Ident, Import, Item};
use crate::check::unknown;
use crate::diag::{Diagnostic, Diagnostics};
use crate::import::{File, Loaded};
use crate::names::{FileNames, Files, Taken};

/// A file and all that it needs as one.
pub struct Linked {
    /// The tree.
    pub ast: Ast,
    /// What each file sees.
    pub files: Files,
}

/// Puts together the file `home` and what it needs. Reports what is wrong with the imports of `home` itself.
pub fn link(loaded: &Loaded, home: usize, diagnostics: &mut Diagnostics) -> Linked {
    let needed = loaded.needed_by(home);
    let mut ast = Ast { items: vec![], broken: vec![], ..copy(&loaded.files[home].ast) };
    let mut files = Files { home, list: loaded.files.iter().map(alone).collect() };
    for index in needed {
        let file = &loaded.files[index];
        let kept = |item: &&Item| {
            let stays =
                matches!(item, Item::Import(_) | Item::System(_) | Item::Scenario(_) | Item::Allow(_));
            index == home || !stays
        };
        ast.items.extend(file.ast.items.iter().filter(kept).cloned());
        ast.broken.extend(file.ast.broken.iter().cloned());
        let mut ignored = Diagnostics::new();
        let into = if index == home { &mut *diagnostics } else { &mut ignored };
        Linker { loaded, index, diagnostics: into }.imports(&mut files.list[index]);
    }
    Linked { ast, files }
}

fn copy(ast: &Ast) -> Ast {
    Ast { doc: ast.doc.clone(), span: ast.span, ..Ast::default() }
}

fn alone(file: &File) -> FileNames {
    FileNames {
        module: file.module.clone(),
        path: file.path.clone(),
        span: file.span,
        ..FileNames::default()
    }
}

struct Linker<'l, 'd> {
    loaded: &'l Loaded,
    index: usize,
    diagnostics: &'d mut Diagnostics,
}

impl Linker<'_, '_> {
    fn imports(&mut self, names: &mut FileNames) {
        let file = &self.loaded.files[self.index];
        let own = declared(&file.ast);
        for (import, target) in file.ast.imports().zip(&file.imports) {
            let Some(target) = target else {
                // Nothing is known of what should have come from there.
                for taken in import.names.iter().flatten() {
                    let local = taken.alias.as_ref().unwrap_or(&taken.name);
                    self.fresh(names, &own, local);
                    names.lost.insert(local.name.clone());
                }
                continue;
            };
            let other = &self.loaded.files[target.file];
            if target.whole {
                let name = local_name(import);
                self.fresh(names, &own, name);
                names.specs.insert(
                    name.name.clone(),
                    Taken { file: target.file, name: String::new(), span: name.span },
                );
                continue;
            }
            let there = declared(&other.ast);
            for taken in import.names.iter().flatten() {
                let local = taken.alias.as_ref().unwrap_or(&taken.name);
                self.fresh(names, &own, local);
                if !there.contains_key(taken.name.name.as_str()) {
                    if other.is_text() && !other.ast.may_declare(&taken.name.name) {
                        self.missing(other, &taken.name, &there);
                    }
                    names.lost.insert(local.name.clone());
                    continue;
                }
                let name = taken.name.name.clone();
                names.taken.insert(local.name.clone(), Taken { file: target.file, name, span: local.span });
            }
        }
    }

    /// Reports a name that is imported twice, or declared here too.
    fn fresh(&mut self, names: &FileNames, own: &BTreeMap<&str, &Ident>, local: &Ident) {
        let name = local.name.as_str();
        let earlier = names.taken.get(name).or_else(|| names.specs.get(name)).map(|it| it.span);
        let (message, span, label) = match (earlier, own.get(name)) {
            (Some(earlier), _) => (format!("`{name}` is imported twice"), earlier, "first imported here"),
            (None, Some(own)) => {
                (format!("`{name}` is imported, and declared in this file too"), own.span, "declared here")
            }
            (None, None) => return,
        };
        self.diagnostics.push(
            Diagnostic::error("E0223", local.span, message)
                .with_label("imported here")
                .with_secondary(span, label)
                .with_help(format!("import it by another name: `{name} as OTHER`")),
        );
    }

    fn missing(&mut self, other: &File, wanted: &Ident, there: &BTreeMap<&str, &Ident>) {
        let name = wanted.name.as_str();
        let stays = other.ast.items.iter().any(|item| match item {
            Item::System(it) => it.name.name == name,
            Item::Scenario(it) => it.name.name == name,
            _ => false,
        });
        let through = other
            .ast
            .imports()
            .flat_map(|it| it.names.iter().flatten())
            .any(|it| it.alias.as_ref().unwrap_or(&it.name).name == name);
        let mut found = unknown("E0222", wanted.span, "name", name, there.keys().copied());
        found.message = format!("`{}` declares no `{name}`", other.path);
        if stays {
            found.help = vec!["systems and scenarios are not imported: they stay in their file".to_owned()];
        } else if through {
            found.help =
                vec![format!("`{}` imports it itself: import it from where it is declared", other.path)];
        }
        self.diagnostics.push(found);
    }
}

/// The name under which a whole file is imported.
fn local_name(import: &Import) -> &Ident {
    let named = import.names.as_deref().and_then(|names| names.first());
    let named = named.map(|it| it.alias.as_ref().unwrap_or(&it.name)).or(import.alias.as_ref());
    named.or(import.spec.segments.last()).expect("a path has a segment")
}

/// What a file declares and others may import.
fn declared(ast: &Ast) -> BTreeMap<&str, &Ident> {
    let items = ast.items.iter().flat_map(|item| match item {
        Item::Interface(it) => vec![&it.name],
        Item::Service(it) => vec![&it.name],
        Item::Messages(it) => it.messages.iter().map(|message| &message.name).collect(),
        Item::Rust(it) => it.name.iter().collect(),
        Item::Import(_) | Item::System(_) | Item::Scenario(_) | Item::Allow(_) => vec![],
    });
    items.map(|name| (name.name.as_str(), name)).collect()
}
