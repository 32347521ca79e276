//! Counts the branches of Rust text. What each counts as is in `stats.rs`.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{TokenStream, TokenTree};
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::{BinOp, Expr, Token};

/// What was counted in a piece of Rust.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Branches.
    pub branches: usize,
    /// `&&` and `||`.
    pub operators: usize,
    /// `choose(..)`.
    pub chooses: usize,
    /// `choose_or(..)`.
    pub choose_ors: usize,
    /// The functions called by a bare name.
    pub calls: BTreeSet<String>,
}

/// Counts in a block with its braces.
pub fn block(tokens: TokenStream) -> Tally {
    counted(tokens, syn::parse2::<syn::Block>, |tally, block| tally.visit_block(block))
}

/// Counts in an expression.
pub fn expression(tokens: TokenStream) -> Tally {
    counted(tokens, syn::parse2::<Expr>, |tally, expr| tally.visit_expr(expr))
}

/// Counts in an item.
pub fn item(tokens: TokenStream) -> Tally {
    counted(tokens, syn::parse2::<syn::Item>, |tally, item| tally.visit_item(item))
}

/// Counts in the items of a module.
pub fn items<'a>(items: impl Iterator<Item = &'a syn::Item>) -> Tally {
    let mut tally = Tally::default();
    items.for_each(|item| tally.visit_item(item));
    tally
}

fn counted<T>(
    tokens: TokenStream,
    parse: fn(TokenStream) -> syn::Result<T>,
    count: fn(&mut Tally, &T),
) -> Tally {
    let mut tally = Tally::default();
    match parse(tokens.clone()) {
        Ok(parsed) => count(&mut tally, &parsed),
        // The front end says that this is no Rust; the numbers then need not be exact.
        Err(_) => tally.words(tokens),
    }
    tally
}

impl Tally {
    /// Counts where only words can be told: each `if`, and each `else` before something else than `if`.
    fn words(&mut self, tokens: TokenStream) {
        let mut after_else = false;
        for tree in tokens {
            let word = matches!(&tree, TokenTree::Ident(word) if word == "if");
            self.branches += usize::from(word || after_else);
            after_else = matches!(&tree, TokenTree::Ident(word) if word == "else");
            if let TokenTree::Group(group) = tree {
                self.words(group.stream());
            }
        }
    }
}

impl<'ast> Visit<'ast> for Tally {
    fn visit_expr_if(&mut self, node: &'ast syn::ExprIf) {
        self.branches += 1;
        if let Some((_, other)) = &node.else_branch {
            self.branches += usize::from(!matches!(**other, Expr::If(_)));
        }
        visit::visit_expr_if(self, node);
    }

    fn visit_expr_match(&mut self, node: &'ast syn::ExprMatch) {
        self.branches += node.arms.len().saturating_sub(1);
        visit::visit_expr_match(self, node);
    }

    fn visit_pat_guard(&mut self, node: &'ast syn::PatGuard) {
        self.branches += 1;
        visit::visit_pat_guard(self, node);
    }

    fn visit_local_init(&mut self, node: &'ast syn::LocalInit) {
        self.branches += usize::from(node.diverge.is_some());
        visit::visit_local_init(self, node);
    }

    fn visit_expr_binary(&mut self, node: &'ast syn::ExprBinary) {
        self.operators += usize::from(matches!(node.op, BinOp::And(_) | BinOp::Or(_)));
        visit::visit_expr_binary(self, node);
    }

    fn visit_expr_call(&mut self, node: &'ast syn::ExprCall) {
        if let Expr::Path(path) = &*node.func
            && let Some(name) = path.path.get_ident()
        {
            let name = name.to_string();
            self.chooses += usize::from(name == "choose");
            self.choose_ors += usize::from(name == "choose_or");
            self.calls.insert(name);
        }
        visit::visit_expr_call(self, node);
    }

    fn visit_macro(&mut self, node: &'ast syn::Macro) {
        let list = Punctuated::<Expr, Token![,]>::parse_terminated;
        match list.parse2(node.tokens.clone()) {
            Ok(arguments) => {
                let mut inner = Tally::default();
                arguments.iter().for_each(|argument| inner.visit_expr(argument));
                self.absorb(inner);
            }
            Err(_) => self.words(node.tokens.clone()),
        }
    }
}

impl Tally {
    fn absorb(&mut self, other: Tally) {
        self.branches += other.branches;
        self.operators += other.operators;
        self.chooses += other.chooses;
        self.choose_ors += other.choose_ors;
        self.calls.extend(other.calls);
    }
}

/// The `&&` and `||` of guards, and of the routines that they reach.
#[derive(Debug, Default)]
pub struct Operators {
    in_guards: usize,
    called: BTreeSet<String>,
    routines: BTreeMap<String, Tally>,
}

impl Operators {
    /// Adds a guard.
    pub fn guard(&mut self, tally: Tally) {
        self.in_guards += tally.operators;
        self.called.extend(tally.calls);
    }

    /// Makes a routine known.
    pub fn routine(&mut self, name: &str, tally: Tally) {
        self.routines.insert(name.to_owned(), tally);
    }

    /// All operators that decide whether some handler applies.
    pub fn reached(&self) -> usize {
        let mut open: Vec<&str> = self.called.iter().map(String::as_str).collect();
        let mut seen: BTreeSet<&str> = open.iter().copied().collect();
        let mut sum = self.in_guards;
        while let Some(name) = open.pop() {
            if let Some(tally) = self.routines.get(name) {
                sum += tally.operators;
                open.extend(tally.calls.iter().map(String::as_str).filter(|call| seen.insert(call)));
            }
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn branches(text: &str) -> usize {
        block(format!("{{ {text} }}").parse().unwrap()).branches
    }

    #[test]
    fn branches_are_what_the_module_says() {
        let cases = [
            ("a(); while x { b() }", 0),
            ("if a { b() }", 1),
            ("if let Some(a) = b { c() } else { d() }", 2),
            ("if a { b() } else if c { d() } else { e() }", 3),
            ("match a { B => c(), D => e(), _ => f() }", 2),
            ("match a { }", 0),
            ("match a { B if c => d(), _ => e() }", 2),
            ("let Some(a) = b else { return };", 1),
            ("a.iter().filter(|b| if c { d } else { e }).count();", 2),
            ("assert!(if a { b } else { c });", 2),
            ("matches!(a, B(x) if x > 1);", 1),
            ("if a { if b { c() } }", 2),
            ("retry.set(5s); let x = a? + 1;", 0),
        ];
        for (text, expected) in cases {
            assert_eq!(branches(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_rust_is_counted_by_its_words() {
        let tokens: TokenStream = "{ if a => b else { if } else if x }".parse().unwrap();
        assert_eq!(block(tokens).branches, 4);
    }

    #[test]
    fn choices_and_operators_are_found_within_macros_too() {
        let tally =
            block("{ let a = choose(&x); assert!(b && c || d, \"{}\", choose_or(&y, z)); }".parse().unwrap());
        assert_eq!((tally.chooses, tally.choose_ors, tally.operators), (1, 1, 2));
        assert!(tally.calls.contains("choose"));
    }

    #[test]
    fn guards_answer_for_the_routines_that_they_reach() {
        let mut operators = Operators::default();
        let tally = |text: &str| expression(text.parse().unwrap());
        operators.guard(tally("a && fresh(b)"));
        operators.guard(tally("fresh(c)"));
        operators.routine("fresh", tally("x || known(y)"));
        operators.routine("known", tally("z && w && fresh(z)"));
        operators.routine("other", tally("z && w"));
        assert_eq!(operators.reached(), 1 + 1 + 2);
    }
}
