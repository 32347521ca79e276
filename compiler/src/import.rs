//! From a file to all that it imports: where they are, in which order, and what is wrong with the way there.
//!
//! `import a::b::{C};` leads from `dir/x.mace` to `dir/a/b.mace`; `super` leads one folder up. Every file is read and parsed once,
//! however many import it, and appended to the source, so that every place of every file is one span. What the names mean is
//! found out later, in `link.rs`. Files come from a [`Library`]: the file system, or texts at hand. Nothing is checked here.

use std::collections::BTreeMap;
use std::io;

use crate::ast::{Ast, Import};
use crate::diag::{Diagnostic, Diagnostics};
use crate::parse;
use crate::source::{SourceFile, Span};

/// How many files one may import, directly or not.
pub const FILES_MAX: usize = 256;

/// Where files come from.
pub trait Library {
    /// The bytes of a file. Paths have `/` on every system.
    ///
    /// # Errors
    /// A file that is not there or cannot be read.
    fn read(&self, path: &str) -> io::Result<Vec<u8>>;
}

/// The file system.
#[derive(Clone, Copy, Debug)]
pub struct Disk;

impl Library for Disk {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        std::fs::read(path)
    }
}

/// No files at all: every import fails.
#[derive(Clone, Copy, Debug)]
pub struct Nothing;

impl Library for Nothing {
    fn read(&self, _: &str) -> io::Result<Vec<u8>> {
        Err(io::ErrorKind::NotFound.into())
    }
}

/// Texts by their paths.
impl Library for BTreeMap<String, String> {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        self.get(path).map(|text| text.clone().into_bytes()).ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

/// A file with all that it imports.
#[derive(Debug)]
pub struct Loaded {
    /// All texts; the file itself first, the others in the order of `files`.
    pub source: SourceFile,
    /// The files; the first is the one that imports the others.
    pub files: Vec<File>,
    /// What is wrong with the way from file to file.
    pub diagnostics: Diagnostics,
}

/// One file.
#[derive(Debug)]
pub struct File {
    /// The name of its module, which no other file has.
    pub module: String,
    /// Its path; the name of the file itself for the first.
    pub path: String,
    /// Where it stands in the source.
    pub span: Span,
    /// Its tree.
    pub ast: Ast,
    /// Its syntax errors.
    pub syntax: Diagnostics,
    /// Where its imports lead, in the order of the tree; `None` where one leads nowhere.
    pub imports: Vec<Option<Target>>,
}

/// Where an import leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// The file, by its index.
    pub file: usize,
    /// Whether the import is of the whole file, `import a::b;`, where the grammar cannot tell it from a name of a file `a`.
    pub whole: bool,
}

impl File {
    /// Whether the text is a sequence of tokens that is not too deep to look at.
    pub fn is_text(&self) -> bool {
        !self.syntax.iter().any(|it| it.code.starts_with("E00"))
    }
}

impl Loaded {
    /// The files that a file needs, itself first, then in the order in which they are imported.
    pub fn needed_by(&self, file: usize) -> Vec<usize> {
        let mut needed = vec![file];
        let mut at = 0;
        while at < needed.len() {
            for target in self.files[needed[at]].imports.iter().flatten() {
                if !needed.contains(&target.file) {
                    needed.push(target.file);
                }
            }
            at += 1;
        }
        needed
    }

    /// All files, each after those that it needs.
    pub fn bottom_up(&self) -> Vec<usize> {
        let mut order: Vec<(usize, usize)> =
            (0..self.files.len()).map(|it| (self.needed_by(it).len(), it)).collect();
        order.sort();
        order.into_iter().map(|(_, file)| file).collect()
    }
}

/// Reads and parses everything that a file imports, directly or not. Mistakes on the way are in `diagnostics`.
pub fn load(source: SourceFile, library: &dyn Library) -> Loaded {
    let path = normal(&source.name).unwrap_or_else(|| source.name.clone());
    let loaded = Loaded { source, files: vec![], diagnostics: Diagnostics::new() };
    let mut loader = Loader { library, loaded, open: vec![], known: BTreeMap::new() };
    loader.file(path);
    loader.loaded
}

struct Loader<'l> {
    library: &'l dyn Library,
    loaded: Loaded,
    /// The files whose imports are being followed, the outermost first.
    open: Vec<usize>,
    /// Files by their paths; those that cannot be read with the reason.
    known: BTreeMap<String, Result<usize, String>>,
}

impl Loader<'_> {
    /// Parses the last file of the source and follows its imports.
    fn file(&mut self, path: String) -> usize {
        let index = self.loaded.files.len();
        let (ast, syntax) = parse::parse_file(&self.loaded.source, index);
        let imports: Vec<Import> = ast.imports().cloned().collect();
        let (module, span) = (self.module(&path), self.loaded.source.span_of(index));
        self.known.insert(path.clone(), Ok(index));
        self.loaded.files.push(File { module, path, span, ast, syntax, imports: vec![] });
        self.open.push(index);
        for import in imports {
            let target = self.import(index, &import);
            self.loaded.files[index].imports.push(target);
        }
        self.open.pop();
        index
    }

    /// The last part of the path, and a number where another file has that.
    fn module(&self, path: &str) -> String {
        let name = path.rsplit('/').next().unwrap_or(path).trim_end_matches(".mace").to_owned();
        let taken = |name: &str| self.loaded.files.iter().any(|file| file.module == name);
        let numbered = (2..).map(|number| format!("{name}_{number}"));
        std::iter::once(name.clone()).chain(numbered).find(|name| !taken(name)).unwrap_or(name)
    }

    fn import(&mut self, from: usize, import: &Import) -> Option<Target> {
        let segments: Vec<&str> = import.spec.segments.iter().map(|it| it.name.as_str()).collect();
        let here = self.loaded.files[from].path.clone();
        let Some(path) = beside(&here, &segments) else {
            let message = format!("`{}` leads out of all folders", segments.join("::"));
            self.report(
                Diagnostic::error("E0220", import.spec.span, message)
                    .with_help("every `super` is one folder up from the importing file"),
            );
            return None;
        };
        let reason = match self.read(&path) {
            Ok(file) => return self.acyclic(import, Target { file, whole: import.names.is_none() }),
            Err(reason) => reason,
        };
        // `import a::b;` may be the file `a/b.mace` as a whole.
        if let Some([name]) = import.names.as_deref()
            && let Some(path) = beside(&here, &[&segments[..], &[name.name.name.as_str()]].concat())
            && let Ok(file) = self.read(&path)
        {
            return self.acyclic(import, Target { file, whole: true });
        }
        self.report(
            Diagnostic::error("E0220", import.spec.span, format!("cannot import `{path}`: {reason}"))
                .with_label("this file is wanted here")
                .with_help("`import NAME::{..}` reads `NAME.mace` beside the importing file, `import FOLDER::NAME::{..}` one in a folder there"),
        );
        None
    }

    /// The file of a path, read and followed if it is new.
    fn read(&mut self, path: &str) -> Result<usize, String> {
        if let Some(known) = self.known.get(path) {
            return known.clone();
        }
        let found = self.text(path);
        if let Err(reason) = &found {
            self.known.insert(path.to_owned(), Err(reason.clone()));
        }
        found.map(|_| self.file(path.to_owned()))
    }

    fn text(&mut self, path: &str) -> Result<Span, String> {
        if self.loaded.files.len() >= FILES_MAX {
            return Err(format!("at most {FILES_MAX} files are put together"));
        }
        let bytes = self.library.read(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => "there is no such file".to_owned(),
            _ => error.to_string(),
        })?;
        let file = SourceFile::from_bytes(path, bytes).map_err(|error| error.message)?;
        let too_large = || "all files together are too large".to_owned();
        self.loaded.source.append(&file).ok_or_else(too_large)
    }

    /// A file that is still open when it is imported imports itself.
    fn acyclic(&mut self, import: &Import, target: Target) -> Option<Target> {
        let Some(at) = self.open.iter().position(|open| *open == target.file) else { return Some(target) };
        let path = |file: &usize| self.loaded.files[*file].path.as_str();
        let mut round: Vec<&str> = self.open[at..].iter().map(path).collect();
        round.push(path(&target.file));
        let found = Diagnostic::error("E0221", import.span, "imports go round in a circle")
            .with_label(match round.len() {
                2 => "a file cannot import itself".to_owned(),
                _ => format!("`{}` is on the way to this import already", round[0]),
            })
            .with_note(round.join(" imports "))
            .with_help("put what both need into a third file, and import that from both");
        self.report(found);
        None
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        self.loaded.diagnostics.push(diagnostic);
    }
}

/// The path of the file that an import's segments lead to from the file `from`.
fn beside(from: &str, segments: &[&str]) -> Option<String> {
    let folder = from.rfind('/').map_or("", |at| &from[..=at]);
    let steps = segments.iter().map(|it| if *it == "super" { ".." } else { it.trim_start_matches("r#") });
    let path = normal(&format!("{folder}{}", steps.collect::<Vec<_>>().join("/")))?;
    (!path.is_empty() && !path.ends_with("..")).then(|| format!("{path}.mace"))
}

/// A path without steps that lead nowhere; `None` where it leads out of the root. One path, one file.
fn normal(path: &str) -> Option<String> {
    let mut kept: Vec<&str> = vec![];
    for step in path.split('/') {
        match (step, kept.last()) {
            (".", _) => {}
            ("", Some(_)) => {}
            ("..", Some(&"")) => return None,
            ("..", Some(last)) if *last != ".." => {
                kept.pop();
            }
            _ => kept.push(step),
        }
    }
    Some(kept.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn library(files: &[(&str, &str)]) -> BTreeMap<String, String> {
        files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
    }

    fn loaded(name: &str, text: &str, files: &[(&str, &str)]) -> Loaded {
        load(SourceFile::new(name, text), &library(files))
    }

    fn codes(loaded: &Loaded) -> Vec<&str> {
        loaded.diagnostics.iter().map(|it| it.code).collect()
    }

    #[test]
    fn paths_lead_from_the_importing_file() {
        let to = |from: &str, path: &str| beside(from, &path.split("::").collect::<Vec<_>>());
        assert_eq!(to("specs/x.mace", "a").as_deref(), Some("specs/a.mace"));
        assert_eq!(to("x.mace", "a::b").as_deref(), Some("a/b.mace"));
        assert_eq!(to("/w/specs/x.mace", "super::a").as_deref(), Some("/w/a.mace"));
        assert_eq!(to("x.mace", "super::a").as_deref(), Some("../a.mace"));
        assert_eq!(to("../x.mace", "super::a").as_deref(), Some("../../a.mace"));
        assert_eq!(to("./s/x.mace", "r#type").as_deref(), Some("s/type.mace"));
        assert_eq!(to("/x.mace", "super::a"), None);
        assert_eq!(to("s/x.mace", "super"), None);
    }

    #[test]
    fn a_file_is_read_once_and_stands_after_what_imports_it() {
        let files = [
            ("s/tree.mace", "import base::{N};\nservice Tree { }"),
            ("s/base.mace", "type N = u8;"),
            ("s/sub/base.mace", "import super::base;\ntype M = u8;"),
        ];
        let text = "import tree::Tree;\nimport base::N;\nimport sub::base;\nservice A { }";
        let loaded = loaded("s/top.mace", text, &files);
        assert!(loaded.diagnostics.is_empty(), "{:?}", loaded.diagnostics);
        let modules: Vec<&str> = loaded.files.iter().map(|it| it.module.as_str()).collect();
        assert_eq!(modules, ["top", "tree", "base", "base_2"]);
        let paths: Vec<&str> = loaded.files.iter().map(|it| it.path.as_str()).collect();
        assert_eq!(paths, ["s/top.mace", "s/tree.mace", "s/base.mace", "s/sub/base.mace"]);
        let targets: Vec<_> =
            loaded.files[0].imports.iter().flatten().map(|it| (it.file, it.whole)).collect();
        assert_eq!(targets, [(1, false), (2, false), (3, true)]);
        assert_eq!(loaded.needed_by(0), [0, 1, 2, 3]);
        assert_eq!(loaded.needed_by(3), [3, 2]);
        assert_eq!(loaded.bottom_up()[0], 2);
        for (index, file) in loaded.files.iter().enumerate() {
            assert_eq!(loaded.source.span_of(index), file.span);
            assert!(file.ast.items.iter().all(|item| file.span.contains(item.span())));
        }
    }

    #[test]
    fn circles_and_missing_files_are_reported_where_they_are() {
        let files = [("b.mace", "import c::C;"), ("c.mace", "import a::A;"), ("bad.mace", " ")];
        let found = loaded("a.mace", "import b::B;\nimport a::A;\nimport bad::X;\nimport no::X;", &files);
        assert_eq!(codes(&found), ["E0221", "E0221", "E0220", "E0220"]);
        let circle = found.diagnostics.iter().next().unwrap();
        assert_eq!(found.source.name_at(circle.span.start), "c.mace");
        assert_eq!(circle.notes, ["a.mace imports b.mace imports c.mace imports a.mace"]);
    }

    #[test]
    fn a_long_chain_of_imports_ends() {
        let files: Vec<(String, String)> =
            (0..400).map(|at| (format!("f{at}.mace"), format!("import f{}::X;", at + 1))).collect();
        let library: BTreeMap<String, String> = files.into_iter().collect();
        let loaded = load(SourceFile::new("f.mace", "import f0::X;"), &library);
        assert_eq!((loaded.files.len(), codes(&loaded)), (FILES_MAX, vec!["E0220"]));
    }
}
