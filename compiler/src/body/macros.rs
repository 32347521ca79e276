//! What stands inside a macro call, where it can be read as expressions: `assert!(..)`, `format!(..)`, `vec![x; n]`,
//! `matches!(x, P if g)`. A macro whose arguments are something else is left as it is.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Expr, Lit, Macro, Pat, Token, parse_quote};

use crate::tokens::identifier;

/// The arguments of a macro call.
pub enum Arguments {
    /// `a, b, name = c`; each expression, in order.
    List(Punctuated<Expr, Token![,]>),
    /// `x; n`
    Repeat(Box<Expr>, Token![;], Box<Expr>),
    /// `x, PATTERN` or `x, PATTERN if GUARD`
    Matches(Box<Expr>, Token![,], Box<Pat>),
    /// Something that cannot be read.
    Opaque,
}

/// Reads the arguments of `mac`.
pub fn arguments(mac: &Macro) -> Arguments {
    let name = mac.path.segments.last().map(|it| it.ident.to_string()).unwrap_or_default();
    if matches!(name.as_str(), "matches" | "assert_matches" | "debug_assert_matches") {
        let matches = |input: ParseStream<'_>| {
            let expr: Expr = input.parse()?;
            let comma: Token![,] = input.parse()?;
            let mut pattern = Pat::parse_multi_with_leading_vert(input)?;
            if let Some(if_token) = input.parse::<Option<Token![if]>>()? {
                let guard = Box::new(input.parse()?);
                pattern =
                    Pat::Guard(syn::PatGuard { attrs: vec![], pat: Box::new(pattern), if_token, guard });
            }
            let _: Option<Token![,]> = input.parse()?;
            Ok(Arguments::Matches(Box::new(expr), comma, Box::new(pattern)))
        };
        return matches.parse2(mac.tokens.clone()).unwrap_or(Arguments::Opaque);
    }
    if let Ok(list) = Punctuated::parse_terminated.parse2(mac.tokens.clone()) {
        return Arguments::List(list);
    }
    struct Repeat(Expr, Token![;], Expr);
    impl Parse for Repeat {
        fn parse(input: ParseStream<'_>) -> syn::Result<Repeat> {
            Ok(Repeat(input.parse()?, input.parse()?, input.parse()?))
        }
    }
    match syn::parse2::<Repeat>(mac.tokens.clone()) {
        Ok(Repeat(value, semi, count)) => Arguments::Repeat(Box::new(value), semi, Box::new(count)),
        Err(_) => Arguments::Opaque,
    }
}

impl Arguments {
    /// Back to tokens.
    pub fn into_tokens(self) -> Option<TokenStream> {
        match self {
            Arguments::List(list) => Some(list.into_token_stream()),
            Arguments::Repeat(value, semi, count) => Some(quote!(#value #semi #count)),
            Arguments::Matches(expr, comma, pattern) => Some(quote!(#expr #comma #pattern)),
            Arguments::Opaque => None,
        }
    }
}

/// Calls `visit` with every expression among the arguments, and with every name that a format string takes from its surroundings.
pub fn for_each_expression(mac: &Macro, mut visit: impl FnMut(&Expr)) {
    match arguments(mac) {
        Arguments::List(list) => match format_position(mac) {
            Some(at) => for_each_formatted(&list, at, visit),
            None => list.iter().for_each(visit),
        },
        Arguments::Repeat(value, _, count) => {
            visit(&value);
            visit(&count);
        }
        Arguments::Matches(expr, _, pattern) => {
            visit(&expr);
            if let Pat::Guard(guarded) = &*pattern {
                visit(&guarded.guard);
            }
        }
        Arguments::Opaque => {}
    }
}

/// Those of a macro whose argument `at` is a format string; `name = value` is no assignment there.
fn for_each_formatted(list: &Punctuated<Expr, Token![,]>, at: usize, mut visit: impl FnMut(&Expr)) {
    let mut given = Vec::new();
    for expr in list {
        match expr {
            Expr::Assign(named) => {
                given.push(named.left.to_token_stream().to_string());
                visit(&named.right);
            }
            other => visit(other),
        }
    }
    let Some(format) = list.get(at) else { return };
    for name in inline_names(format).into_iter().filter(|name| !given.contains(name)) {
        let ident = identifier(&name, format.span());
        visit(&parse_quote!(#ident));
    }
}

/// Whether a macro of the standard library may end the step with a fault.
pub fn faults(mac: &Macro) -> bool {
    let name = mac.path.segments.last().map(|it| it.ident.to_string()).unwrap_or_default();
    matches!(
        name.trim_start_matches("debug_"),
        "assert"
            | "assert_eq"
            | "assert_ne"
            | "assert_matches"
            | "panic"
            | "unreachable"
            | "todo"
            | "unimplemented"
    )
}

/// Which argument of a macro of the standard library is its format string.
pub fn format_position(mac: &Macro) -> Option<usize> {
    let name = mac.path.segments.last()?.ident.to_string();
    match name.as_str() {
        "format" | "panic" | "unreachable" | "todo" | "unimplemented" | "format_args" | "print"
        | "println" | "eprint" | "eprintln" => Some(0),
        "assert" | "debug_assert" | "write" | "writeln" => Some(1),
        "assert_eq" | "assert_ne" | "debug_assert_eq" | "debug_assert_ne" => Some(2),
        _ => None,
    }
}

/// The names that a format string takes from its surroundings: `{x}`, `{x:?}`, `{:width$}`.
pub fn inline_names(literal: &Expr) -> Vec<String> {
    let Expr::Lit(syn::ExprLit { lit: Lit::Str(text), .. }) = literal else { return Vec::new() };
    let text = text.value().replace("{{", "").replace("}}", "");
    let mut names = Vec::new();
    let mut add = |name: &str| {
        let starts = name.starts_with(|c: char| c.is_alphabetic() || c == '_');
        if starts && syn::parse_str::<syn::Ident>(name).is_ok() && !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    };
    for hole in text.split('{').skip(1) {
        let hole = hole.split('}').next().unwrap_or_default();
        let (name, format) = hole.split_once(':').unwrap_or((hole, ""));
        add(name.trim());
        for width in format.split_terminator('$').filter(|_| format.contains('$')) {
            let start = width.rfind(|c: char| !(c.is_alphanumeric() || c == '_')).map_or(0, |at| at + 1);
            add(&width[start..]);
        }
    }
    names
}

/// Whether a format string shows something by its address: `{:p}`, `{x:#p}`.
pub fn shows_address(mac: &Macro) -> bool {
    let (Some(at), Arguments::List(list)) = (format_position(mac), arguments(mac)) else { return false };
    let Some(Expr::Lit(syn::ExprLit { lit: Lit::Str(text), .. })) = list.get(at) else { return false };
    let text = text.value().replace("{{", "").replace("}}", "");
    let mut holes = text.split('{').skip(1).map(|hole| hole.split('}').next().unwrap_or_default());
    holes.any(|hole| hole.split_once(':').is_some_and(|(_, format)| format.trim_end().ends_with('p')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inline_names_are_found() {
        let names = |text: &str| inline_names(&syn::parse_str(text).unwrap());
        assert_eq!(names(r#""{a} {{b}} {c:?} {} {0} {a:>width$}""#), ["a", "c", "width"]);
    }

    #[test]
    fn arguments_are_read_and_written_back() {
        let tokens = |text: &str| {
            let mac: Macro = syn::parse_str(text).unwrap();
            arguments(&mac).into_tokens().map(|tokens| tokens.to_string())
        };
        assert_eq!(tokens("vec![0; n]").as_deref(), Some("0 ; n"));
        assert_eq!(tokens("matches!(x, Some(y) if y > z)").as_deref(), Some("x , Some (y) if y > z"));
        assert_eq!(tokens("assert!(a, \"{b}\")").as_deref(), Some("a , \"{b}\""));
        assert_eq!(tokens("my!(a => b)"), None);
    }
}
