//! The procedural macro behind `foresee::include_spec!`: the compiler over the text that its call was wrapped round.
//!
//! The build script writes `::foresee_macros::spec! { "name" "path/name.mace"; TEXT }` with the text verbatim, so every token that
//! reaches this macro stands at its own line and column. The text itself is read from that same file, since tokens
//! alone do not show where comments and line breaks are. What the compiler makes of it keeps the tokens' places, and so
//! rustc's errors point at the author's lines. It never writes or prints anything.

use foresee_compiler::diag::{Diagnostic, Diagnostics, Severity};
use foresee_compiler::source::SourceFile;
use foresee_compiler::tokens::TokenIndex;
use foresee_compiler::{compile, emit};
use proc_macro2::{Literal, Span, TokenStream, TokenTree};

/// `spec! { "name" "path/name.mace"; TEXT }` becomes `pub mod name { .. }`.
#[proc_macro]
pub fn spec(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let place = proc_macro::Span::call_site().local_file();
    expand(input.into(), place).unwrap_or_else(|(span, message)| error(span, &message)).into()
}

type Failure = (Span, String);

fn expand(input: TokenStream, place: Option<std::path::PathBuf>) -> Result<TokenStream, Failure> {
    let mut tokens = input.into_iter();
    let (name, path) = match (tokens.next(), tokens.next(), tokens.next()) {
        (Some(TokenTree::Literal(name)), Some(TokenTree::Literal(path)), Some(TokenTree::Punct(_))) => {
            (unquoted(&name), unquoted(&path))
        }
        _ => {
            let message = "`spec!` is written by the build script: use `foresee::include_spec!(\"name\")`";
            return Err((Span::call_site(), message.to_owned()));
        }
    };
    let opener = emit::opener(&name, &path);
    let text = read(&name, place, &opener)?;
    let source = SourceFile::new(path, text);
    let index = TokenIndex::of_macro_input(&source, tokens.collect(), opener.chars().count());
    match compile::to_tokens(&source, &index, &name) {
        Ok(tokens) => Ok(tokens),
        Err(diagnostics) => Ok(report(&diagnostics, &index)),
    }
}

/// The text between the opener and the closing brace of the file that the call stands in.
fn read(name: &str, place: Option<std::path::PathBuf>, opener: &str) -> Result<String, Failure> {
    let wrapped = || {
        std::env::var_os("OUT_DIR")
            .map(|folder| std::path::Path::new(&folder).join(format!("{name}.mace.rs")))
    };
    let candidates = wrapped().into_iter().chain(place);
    for candidate in candidates {
        let Ok(file) = std::fs::read_to_string(&candidate) else { continue };
        let body = file.strip_prefix(opener).and_then(|rest| rest.trim_end().strip_suffix('}'));
        if let Some(text) = body.and_then(|text| text.strip_suffix('\n')) {
            return Ok(text.to_owned());
        }
    }
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
