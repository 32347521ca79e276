//! Parses every Rust fragment of a tree once, and reports what is no Rust.

use std::collections::BTreeMap;

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::parse::Parser;

use crate::ast::{self, Ast, Fragment, Guard, Ident, Item, Member, SystemMember, Transition};
use crate::diag::{Diagnostic, Diagnostics};
use crate::names::Files;
use crate::source::{SourceFile, Span};
use crate::tokens::{TokenIndex, identifier};

use super::qualify;

/// A file with its tokens: from places in the text to tokens, and back.
#[derive(Clone, Copy)]
pub struct Places<'a> {
    /// The text.
    pub file: &'a SourceFile,
    /// Its tokens.
    pub tokens: &'a TokenIndex,
}

impl Places<'_> {
    /// The tokens that a place covers. Those of a file whose tokens are not known have no places.
    pub fn stream(&self, span: Span) -> TokenStream {
        match self.tokens.covers(span) {
            true => self.tokens.slice(span),
            false => self.file.slice(span).parse().unwrap_or_default(),
        }
    }

    /// The token's own place at the start of `span`, for generated tokens to stand at.
    pub fn token_span(&self, span: Span) -> proc_macro2::Span {
        self.tokens.compiler_span(span).unwrap_or_else(proc_macro2::Span::call_site)
    }

    /// An identifier of the tree as a token.
    pub fn ident(&self, ident: &Ident) -> proc_macro2::Ident {
        identifier(&ident.name, self.token_span(ident.span))
    }

    /// The place of a token in the text; empty where it stands in no file.
    pub fn place(&self, span: proc_macro2::Span) -> Span {
        self.tokens.span_of(span).unwrap_or_default()
    }

    /// The line of a place, from 1.
    pub fn line(&self, span: Span) -> u32 {
        self.file.line_column(span.start).line as u32
    }
}

/// The parsed fragments of a tree, by their place.
#[derive(Default)]
pub struct Rust {
    pub(super) types: BTreeMap<Span, syn::Type>,
    pub(super) exprs: BTreeMap<Span, syn::Expr>,
    pub(super) patterns: BTreeMap<Span, syn::Pat>,
    pub(super) blocks: BTreeMap<Span, syn::Block>,
    pub(super) functions: BTreeMap<Span, syn::ItemFn>,
    pub(super) items: BTreeMap<Span, syn::Item>,
}

macro_rules! lookups {
    ($($(#[$doc:meta])* $name:ident: $table:ident -> $ty:ty;)*) => {
        $($(#[$doc])*
        pub fn $name(&self, fragment: &Fragment) -> Option<&$ty> {
            self.$table.get(&fragment.span)
        })*
    };
}

impl Rust {
    lookups! {
        /// A type; `None` where it is no Rust, which was reported.
        ty: types -> syn::Type;
        /// An expression.
        expr: exprs -> syn::Expr;
        /// A pattern.
        pattern: patterns -> syn::Pat;
        /// A block.
        block: blocks -> syn::Block;
        /// A whole function.
        function: functions -> syn::ItemFn;
        /// An item.
        item: items -> syn::Item;
    }

    /// Parses all fragments of `ast`. Types of imported files are named by their whole paths afterwards.
    pub fn read(ast: &Ast, files: &Files, places: Places<'_>, diagnostics: &mut Diagnostics) -> Rust {
        let mut reader = Reader { places, diagnostics, rust: Rust::default() };
        for item in &ast.items {
            reader.item(item);
        }
        let mut rust = reader.rust;
        if files.list.len() > 1 {
            qualify::all(&mut rust, ast, files);
        }
        rust
    }

    /// The items in file order, with their places.
    pub fn items(&self) -> impl Iterator<Item = (Span, &syn::Item)> {
        self.items.iter().map(|(span, item)| (*span, item))
    }
}

struct Reader<'a, 'd> {
    places: Places<'a>,
    diagnostics: &'d mut Diagnostics,
    rust: Rust,
}

impl Reader<'_, '_> {
    fn item(&mut self, item: &Item) {
        match item {
            Item::Rust(item) => {
                let parsed = self.parse(&item.fragment, "an item", |tokens| match syn::parse2(tokens)? {
                    // What the parser of Rust keeps as it is is no item that means anything here.
                    syn::Item::Verbatim(kept) => Err(syn::Error::new_spanned(kept, "it is not complete")),
                    whole => Ok(whole),
                });
                if let Some(parsed) = parsed {
                    self.rust.items.insert(item.fragment.span, parsed);
                }
            }
            Item::Interface(interface) => {
                for call in &interface.calls {
                    self.params(&call.params);
                    call.result.iter().for_each(|ty| self.ty(ty));
                }
            }
            Item::Messages(section) => section.messages.iter().for_each(|it| self.params(&it.fields)),
            Item::Service(service) => service.members.iter().for_each(|member| self.member(member)),
            Item::System(system) => {
                for member in &system.members {
                    if let SystemMember::Parameters(section) = member {
                        section.entries.iter().for_each(|it| self.parameter(it));
                    }
                }
            }
            Item::Import(_) | Item::Scenario(_) | Item::Allow(_) => {}
        }
    }

    fn member(&mut self, member: &Member) {
        match member {
            Member::Const(it) => {
                self.ty(&it.ty);
                self.expr(&it.value);
            }
            Member::Parameters(section) => section.entries.iter().for_each(|it| self.parameter(it)),
            Member::Variables(section) => {
                for variable in &section.entries {
                    self.ty(&variable.ty);
                    variable.initial.iter().for_each(|it| self.expr(it));
                }
            }
            Member::Messages(section) => section.messages.iter().for_each(|it| self.params(&it.fields)),
            Member::Timers(section) => {
                for timer in &section.entries {
                    self.params(&timer.params);
                    timer.every.iter().for_each(|it| self.expr(it));
                }
            }
            Member::Transitions(section) => section.entries.iter().for_each(|it| self.transition(it)),
            Member::Routines(section) => {
                for routine in &section.entries {
                    let parsed = self.parse(&routine.fragment, "a function", syn::parse2::<syn::ItemFn>);
                    if let Some(parsed) = parsed {
                        self.rust.functions.insert(routine.fragment.span, parsed);
                    }
                }
            }
            Member::Generic(section) => {
                section.entries.iter().flat_map(|it| &it.fields).for_each(|field| self.expr(&field.set));
            }
            Member::Provides(_)
            | Member::Uses(_)
            | Member::Fair(_)
            | Member::Allow(_)
            | Member::States(_)
            | Member::Properties(_)
            | Member::Objectives(_) => {}
        }
    }

    fn transition(&mut self, transition: &Transition) {
        match transition {
            Transition::Handler(handler) => {
                self.event(&handler.event);
                handler.chooses.iter().for_each(|choose| self.expr(&choose.set));
                if let Some(Guard::When(guard)) = &handler.guard {
                    self.expr(guard);
                }
                if let Some(block) = self.parse(&handler.body, "a block", syn::parse2::<syn::Block>) {
                    self.rust.blocks.insert(handler.body.span, block);
                }
            }
            Transition::In(group) => group.transitions.iter().for_each(|it| self.transition(it)),
            Transition::First(group) => group.transitions.iter().for_each(|it| self.transition(it)),
            Transition::Ignore(ignore) => self.event(&ignore.event),
        }
    }

    fn event(&mut self, event: &ast::Event) {
        for arg in event.args.iter().flatten() {
            let pattern = syn::Pat::parse_multi_with_leading_vert;
            let parsed = self.parse(&arg.pattern, "a pattern", |tokens| pattern.parse2(tokens));
            if let Some(parsed) = parsed {
                self.rust.patterns.insert(arg.pattern.span, parsed);
            }
            arg.ty.iter().for_each(|ty| self.ty(ty));
        }
    }

    fn parameter(&mut self, parameter: &ast::Parameter) {
        self.ty(&parameter.ty);
        parameter.default.iter().for_each(|it| self.expr(it));
    }

    fn params(&mut self, params: &[ast::Param]) {
        params.iter().for_each(|param| self.ty(&param.ty));
    }

    fn ty(&mut self, fragment: &Fragment) {
        if let Some(ty) = self.parse(fragment, "a type", syn::parse2::<syn::Type>) {
            self.rust.types.insert(fragment.span, ty);
        }
    }

    fn expr(&mut self, fragment: &Fragment) {
        if let Some(expr) = self.parse(fragment, "an expression", syn::parse2::<syn::Expr>) {
            self.rust.exprs.insert(fragment.span, expr);
        }
    }

    /// Whether the fragment is plain enough to be walked by recursion; reported where it is not.
    fn is_plain(&mut self, fragment: &Fragment, tokens: &TokenStream) -> bool {
        let height = height(tokens.clone());
        if height > HEIGHT_MAX {
            let message = format!("this Rust is too complex: some {height} tokens belong to one expression");
            self.diagnostics.push(
                Diagnostic::error("E0102", fragment.span, message)
                    .with_label(format!("at most {HEIGHT_MAX} may be nested or chained"))
                    .with_help("split it up with `let`, or move a part into a routine"),
            );
        }
        height <= HEIGHT_MAX
    }

    fn parse<T>(
        &mut self,
        fragment: &Fragment,
        what: &str,
        parse: impl FnOnce(TokenStream) -> syn::Result<T>,
    ) -> Option<T> {
        let tokens = self.places.stream(fragment.span);
        if !self.is_plain(fragment, &tokens) {
            return None;
        }
        let error = match parse(tokens) {
            Ok(parsed) => return Some(parsed),
            Err(error) => error,
        };
        for error in error {
            let mut place = self.places.place(error.span());
            // An error at the end has no token to stand at.
            if !fragment.span.contains(place) || place == Span::default() {
                place = Span::new(fragment.span.end.saturating_sub(1), fragment.span.end);
            }
            let found = Diagnostic::error("E0401", place, format!("this is not {what} of Rust: {error}"))
                .with_label("Rust cannot be read from here");
            self.diagnostics.push(found);
        }
        None
    }
}

/// How many tokens one expression may nest or chain. Parsers of Rust recurse, and stacks end.
const HEIGHT_MAX: usize = 500;

/// An upper bound for the height of the syntax tree: the longest run of tokens that nothing separates, with those around it.
fn height(tokens: TokenStream) -> usize {
    let mut highest = 0;
    let mut work = vec![(tokens, 0)];
    while let Some((tokens, around)) = work.pop() {
        let mut run = around;
        let mut tokens = tokens.into_iter().peekable();
        while let Some(token) = tokens.next() {
            run += 1;
            highest = highest.max(run);
            match token {
                TokenTree::Punct(sign) if matches!(sign.as_char(), ';' | ',') => run = around,
                TokenTree::Group(group) => {
                    work.push((group.stream(), run));
                    let chained = matches!(tokens.peek(), Some(TokenTree::Ident(next)) if next == "else")
                        || matches!(tokens.peek(), Some(TokenTree::Punct(_)));
                    if group.delimiter() == Delimiter::Brace && !chained {
                        run = around;
                    }
                }
                _ => {}
            }
        }
    }
    highest
}
