//! The procedural macro behind `foresee::include_spec!`: the compiler over the text that its call was wrapped round.
//!
//! The build script writes `::foresee_macros::spec! { 0 "name" "path/name.mace"; TEXT }` with the text verbatim, so every token that
//! reaches this macro stands at its own line and column. The text itself is read from that same file, since tokens
//! alone do not show where comments and line breaks are. What the compiler makes of it keeps the tokens' places, and so
//! rustc's errors point at the author's lines. A spec that imports others lists them too: each has such a file of its own,
//! which the module of the first includes, and each call reads all of them. It never writes or prints anything.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use foresee_compiler::diag::{Diagnostic, Diagnostics, Severity};
use foresee_compiler::source::SourceFile;
use foresee_compiler::tokens::TokenIndex;
use foresee_compiler::{compile, emit, import};
use proc_macro2::{Literal, Span, TokenStream, TokenTree};

/// `spec! { 0 "name" "path/name.mace"; TEXT }` becomes `pub mod name { .. }`.
#[proc_macro]
pub fn spec(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let place = proc_macro::Span::call_site().local_file();
    expand(input.into(), place).unwrap_or_else(|(span, message)| error(span, &message)).into()
}

type Failure = (Span, String);

fn expand(input: TokenStream, place: Option<PathBuf>) -> Result<TokenStream, Failure> {
    let mut tokens = input.into_iter();
    let words = tokens.by_ref().map_while(|token| match token {
        TokenTree::Literal(literal) => Some(unquoted(&literal)),
        _ => None,
    });
    let words: Vec<String> = words.collect();
    let index = words.first().and_then(|it| it.parse::<usize>().ok());
    let files: Vec<(String, String)> =
        words.get(1..).unwrap_or(&[]).chunks_exact(2).map(|it| (it[0].clone(), it[1].clone())).collect();
    let Some(index) = index.filter(|it| *it < files.len()) else {
        let message = "`spec!` is written by the build script: use `foresee::include_spec!(\"name\")`";
        return Err((Span::call_site(), message.to_owned()));
    };
    let mut texts: BTreeMap<String, String> = BTreeMap::new();
    for (at, (_, path)) in files.iter().enumerate() {
        texts.insert(path.clone(), read(at, &files, index, place.as_deref())?);
    }
    let (name, path) = &files[0];
    let source = SourceFile::new(path.clone(), texts.remove(path).unwrap_or_default());
    let loaded = import::load(source, &texts);
    if loaded.files.len() != files.len() {
        return Err((
            Span::call_site(),
            format!("`{name}` imports other files now: run the build script (`cargo build`)"),
        ));
    }
    let shift = emit::opener(index, &files).chars().count();
    let index_of = TokenIndex::of_macro_input(&loaded.source, index, tokens.collect(), shift);
    match compile::to_tokens(&loaded, index, &index_of, name) {
        Ok(tokens) => Ok(tokens),
        Err(diagnostics) => Ok(report(&diagnostics, &index_of)),
    }
}

/// The text of the file `at`, between the opener and the closing brace of the file around it. The call stands in the file
/// around the text of `here`.
fn read(at: usize, files: &[(String, String)], here: usize, place: Option<&Path>) -> Result<String, Failure> {
    let folder = place.and_then(|it| if here == 0 { it.parent() } else { it.parent()?.parent() });
    let out = std::env::var_os("OUT_DIR").map(PathBuf::from);
    let (opener, path) = (emit::opener(at, files), emit::wrapper_path(at, files));
    for folder in out.iter().map(PathBuf::as_path).chain(folder) {
        let Ok(file) = std::fs::read_to_string(folder.join(&path)) else { continue };
        let body = file.strip_prefix(&opener).and_then(|rest| rest.trim_end().strip_suffix('}'));
        if let Some(text) = body.and_then(|text| text.strip_suffix('\n')) {
            return Ok(text.to_owned());
        }
    }
    let name = &files[at].0;
    let message = format!("the text of `{name}` cannot be read again: run the build script (`cargo build`)");
    Err((Span::call_site(), message))
}

fn unquoted(literal: &Literal) -> String {
    let text = literal.to_string();
    text.trim_matches('"').replace("\\\\", "\\").replace("\\\"", "\"")
}

/// The errors of the compiler as errors of rustc. The build script has reported them already, unless it did not run.
fn report(diagnostics: &Diagnostics, index: &TokenIndex) -> TokenStream {
    let errors = diagnostics.iter().filter(|it| it.severity == Severity::Error);
    errors
        .map(|it| error(index.compiler_span(it.span).unwrap_or_else(Span::call_site), &wording(it)))
        .collect()
}

fn wording(diagnostic: &Diagnostic) -> String {
    let mut text = format!("[{}] {}", diagnostic.code, diagnostic.message);
    for help in &diagnostic.help {
        text.push_str(&format!("\nhelp: {help}"));
    }
    text
}

/// `::core::compile_error! { "message" }` at a place.
fn error(span: Span, message: &str) -> TokenStream {
    let mut message = Literal::string(message);
    message.set_span(span);
    let call: TokenStream = "::core::compile_error!".parse().unwrap_or_default();
    let mut braces = proc_macro2::Group::new(proc_macro2::Delimiter::Brace, TokenTree::from(message).into());
    braces.set_span(span);
    let call = call.into_iter().map(|mut token| {
        token.set_span(span);
        token
    });
    call.chain([TokenTree::from(braces)]).collect()
}
