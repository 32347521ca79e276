//! The pipeline, and its diagram: text -> trees -> linked -> checked -> intermediate form -> Rust.

use std::collections::BTreeMap;

use proc_macro2::TokenStream;

use crate::ast::Ast;
use crate::body::Places;
use crate::codegen::{self, Sources};
use crate::deep::deep;
use crate::diag::{Diagnostic, Diagnostics, Severity};
use crate::import::{self, Library, Loaded, Nothing};
use crate::ir::{Spec, Tables};
use crate::source::SourceFile;
use crate::tokens::TokenIndex;
use crate::{analyse, check, emit, link, lower};

/// Reads a file and all that it imports.
pub fn load(source: SourceFile, library: &dyn Library) -> Loaded {
    deep(|| import::load(source, library))
}

/// The front end alone: everything that can be said about a file and those that it imports without generating anything.
/// Places are those of [`Loaded::source`].
pub fn look(loaded: &Loaded) -> Diagnostics {
    deep(|| whole(loaded, "spec", |_, _| ()).1)
}

/// What the analyses know of the services of the first file, by their names. Nothing where something is wrong with the files: what
/// bodies do is known where their names are.
pub fn describe(loaded: &Loaded) -> BTreeMap<String, Tables> {
    let tables = |spec: &Spec, _: Sources<'_>| {
        let own = spec.services.iter().filter(|it| it.file == 0);
        own.map(|it| (it.ident.to_string(), it.tables.clone())).collect()
    };
    deep(|| finished(whole(loaded, "spec", tables))).map_or_else(|_| BTreeMap::new(), |(tables, _)| tables)
}

/// The front end for a file that imports nothing.
pub fn front(source: &SourceFile) -> (Ast, Diagnostics) {
    let mut loaded = load(source.clone(), &Nothing);
    let diagnostics = look(&loaded);
    (std::mem::take(&mut loaded.files[0].ast), diagnostics)
}

/// Readable Rust, formatted: the file of a module. The warnings come with it.
///
/// # Errors
/// Everything that is wrong with the files.
pub fn write(loaded: &Loaded, name: &str) -> Result<(String, Diagnostics), Diagnostics> {
    deep(|| {
        let (file, warnings) = finished(whole(loaded, name, codegen::file))?;
        Ok((emit::format(&loaded.source, name, file), warnings))
    })
}

/// [`write()`] for a file that imports nothing.
///
/// # Errors
/// Everything that is wrong with the file.
pub fn to_rust(source: &SourceFile, name: &str) -> Result<(String, Diagnostics), Diagnostics> {
    write(&load(source.clone(), &Nothing), name)
}

/// What the procedural macro gives back for one of the files, each token of a body standing where the index found it: the item
/// `pub mod name { .. }` for the first, the contents of its module for any other.
///
/// # Errors
/// Everything that is wrong with the files.
pub fn to_tokens(
    loaded: &Loaded,
    index: usize,
    tokens: &TokenIndex,
    name: &str,
) -> Result<TokenStream, Diagnostics> {
    let write = |spec: &Spec, sources: Sources<'_>| match index {
        0 => codegen::item(spec, sources),
        _ => codegen::part(spec, index, sources),
    };
    finished(one(loaded, 0, tokens, name, write)).map(|(tokens, _)| tokens)
}

fn finished<T>((written, diagnostics): (Option<T>, Diagnostics)) -> Result<(T, Diagnostics), Diagnostics> {
    match written {
        Some(written) if !diagnostics.has_errors() => Ok((written, diagnostics)),
        _ => Err(diagnostics),
    }
}

/// Looks at every file from its own point of view, those first that others need, and writes the first.
fn whole<T>(
    loaded: &Loaded,
    name: &str,
    write: impl FnOnce(&Spec, Sources<'_>) -> T,
) -> (Option<T>, Diagnostics) {
    let mut diagnostics = loaded.diagnostics.clone();
    diagnostics.extend(loaded.files.iter().flat_map(|file| file.syntax.iter().cloned()));
    let files = loaded.files.iter().enumerate();
    // Files that are no sequence of tokens, or too deep to look at.
    let dark: Vec<usize> = files.filter(|(_, file)| !file.is_text()).map(|(index, _)| index).collect();
    let tokens = match TokenIndex::without(&loaded.source, &dark) {
        Ok(tokens) => tokens,
        Err(error) => {
            // The parser has said so too, in better words.
            if !diagnostics.has_errors() {
                diagnostics.push(error);
            }
            diagnostics.sort();
            return (None, diagnostics);
        }
    };
    for index in loaded.bottom_up().into_iter().filter(|index| *index != 0 && !dark.contains(index)) {
        let (_, found) = one(loaded, index, &tokens, name, |_, _| ());
        let own = |it: &Diagnostic| it.severity == Severity::Error && of_file(loaded, index, it);
        diagnostics.extend(found.into_iter().filter(own));
    }
    let mut written = None;
    if !dark.contains(&0) {
        let (first, found) = one(loaded, 0, &tokens, name, write);
        // What is wrong with an imported file was said when that was looked at, and what is unused because its user is
        // wrong needs no word of its own.
        let said = diagnostics.has_errors();
        let news = |it: &Diagnostic| match it.severity {
            Severity::Error => of_file(loaded, 0, it) || !said,
            Severity::Warning => of_file(loaded, 0, it) && !said,
        };
        diagnostics.extend(found.into_iter().filter(news));
        written = first;
    }
    diagnostics.sort();
    (written, diagnostics)
}

fn of_file(loaded: &Loaded, index: usize, found: &Diagnostic) -> bool {
    loaded.source.file_at(found.span.start) == index
}

/// One file with all that it needs, syntax left aside.
fn one<T>(
    loaded: &Loaded,
    index: usize,
    tokens: &TokenIndex,
    name: &str,
    write: impl FnOnce(&Spec, Sources<'_>) -> T,
) -> (Option<T>, Diagnostics) {
    let source = &loaded.source;
    let (places, mut diagnostics) = (Places { file: source, tokens }, Diagnostics::new());
    let linked = link::link(loaded, index, &mut diagnostics);
    let checked = check::check(&linked, places, &mut diagnostics);
    let mut spec = lower::lower(&checked, name, emit::hash(&source.text), &mut diagnostics);
    let mut diagnostics = check::plausible(&linked.ast, source, diagnostics);
    let good = linked.ast.broken.is_empty() && loaded.files.iter().all(|it| !it.syntax.has_errors());
    // What is unused because its user is wrong needs no word of its own.
    if !diagnostics.has_errors() && good {
        spec.learn(analyse::look(&checked, &mut diagnostics));
    }
    let sources = Sources { names: &checked.names, places };
    let written = (!diagnostics.has_errors() && good).then(|| write(&spec, sources));
    (written, diagnostics)
}
