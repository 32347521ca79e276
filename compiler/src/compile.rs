//! The pipeline, and its diagram: text -> tree -> checked -> intermediate form -> Rust.

use proc_macro2::TokenStream;

use crate::ast::Ast;
use crate::body::Places;
use crate::codegen::{self, Sources};
use crate::diag::{Diagnostic, Diagnostics};
use crate::source::SourceFile;
use crate::tokens::TokenIndex;
use crate::{analyse, check, emit, lower, parse};

/// The stack of the compiler where it has a thread of its own.
const STACK_BYTES: usize = 128 << 20;

/// The front end alone: everything that can be said about a file without generating anything.
pub fn front(source: &SourceFile) -> (Ast, Diagnostics) {
    deep(|| look(source))
}

fn look(source: &SourceFile) -> (Ast, Diagnostics) {
    let (ast, mut diagnostics) = parse::parse(source);
    if diagnostics.iter().any(|it| it.code.starts_with("E00")) {
        // The text is no sequence of tokens, or too deep to look at.
        return (ast, diagnostics);
    }
    match TokenIndex::of_source(source) {
        Ok(tokens) => diagnostics.extend(run(source, &ast, &tokens, "spec", |_, _| ()).1),
        // Where the text is no sequence of tokens the parser has said so too, in better words.
        Err(error) if !diagnostics.has_errors() => diagnostics.push(error),
        Err(_) => {}
    }
    diagnostics.sort();
    (ast, diagnostics)
}

/// Readable Rust, formatted: the file of a module. The warnings come with it.
///
/// # Errors
/// Everything that is wrong with the file.
pub fn to_rust(source: &SourceFile, name: &str) -> Result<(String, Diagnostics), Diagnostics> {
    deep(|| {
        let tokens = TokenIndex::of_source(source).map_err(|error| failed(source, error))?;
        let (file, warnings) = generate(source, &tokens, name, codegen::file)?;
        Ok((emit::format(source, name, file), warnings))
    })
}

/// The item `pub mod name { .. }`, each token of a body standing where the index found it.
///
/// # Errors
/// Everything that is wrong with the file.
pub fn to_tokens(source: &SourceFile, tokens: &TokenIndex, name: &str) -> Result<TokenStream, Diagnostics> {
    generate(source, tokens, name, codegen::item).map(|(item, _)| item)
}

fn generate(
    source: &SourceFile,
    tokens: &TokenIndex,
    name: &str,
    write: fn(&crate::ir::Spec, Sources<'_>) -> TokenStream,
) -> Result<(TokenStream, Diagnostics), Diagnostics> {
    let (ast, mut diagnostics) = parse::parse(source);
    let (written, found) = run(source, &ast, tokens, name, write);
    diagnostics.extend(found);
    diagnostics.sort();
    if diagnostics.has_errors() {
        Err(diagnostics)
    } else {
        written.map(|it| (it, diagnostics)).ok_or_else(Diagnostics::new)
    }
}

fn run<T>(
    source: &SourceFile,
    ast: &Ast,
    tokens: &TokenIndex,
    name: &str,
    write: impl FnOnce(&crate::ir::Spec, Sources<'_>) -> T,
) -> (Option<T>, Diagnostics) {
    let (places, mut diagnostics) = (Places { file: source, tokens }, Diagnostics::new());
    let checked = check::check(ast, places, &mut diagnostics);
    let spec = lower::lower(&checked, name, emit::hash(&source.text), &mut diagnostics);
    let mut diagnostics = check::plausible(ast, source, diagnostics);
    // What is unused because its user is wrong needs no word of its own.
    if !diagnostics.has_errors() && ast.broken.is_empty() {
        analyse::warnings(&checked, &mut diagnostics);
    }
    let sources = Sources { names: &checked.names, places };
    let written = (!diagnostics.has_errors() && ast.broken.is_empty()).then(|| write(&spec, sources));
    (written, diagnostics)
}

/// Runs on a stack that the deepest permitted expression does not exhaust, whatever the caller's is.
fn deep<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, work);
        match thread.map(|thread| thread.join()) {
            Ok(Ok(result)) => result,
            Ok(Err(panic)) => std::panic::resume_unwind(panic),
            Err(error) => panic!("no thread for the compiler: {error}"),
        }
    })
}

fn failed(source: &SourceFile, error: Diagnostic) -> Diagnostics {
    let (_, diagnostics) = look(source);
    if diagnostics.has_errors() { diagnostics } else { error.into() }
}
