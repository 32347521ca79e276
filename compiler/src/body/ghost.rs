//! Ghost variables exist for properties alone: what a body does otherwise must not depend on one.
//!
//! A ghost may be read to change a ghost: in an assignment to one, in a call that changes one, and in a condition or loop around
//! nothing but such statements, none of which does anything else on the side. Everything else that reads one would behave
//! differently where ghosts are left out.

use syn::visit::{self, Visit};
use syn::{BinOp, Expr, Stmt};

use super::infer::{Scope, variable_at};
use super::resolve::{root, targets};
use super::scope::borrows_mutably;
use super::survey::is_assignment;
use super::{macros, methods};
use crate::names::CallKind;

/// Whether an expression, as a statement, changes ghosts and nothing else; or does so with a value in which there is no ghost.
pub(super) fn changes_ghosts(scope: &Scope<'_>, expr: &Expr) -> bool {
    has_form(scope, expr) && (!acts(scope, expr) || is_fed(scope, expr))
}

/// Whether an expression is written as a change of ghosts, whatever stands inside it.
fn has_form(scope: &Scope<'_>, expr: &Expr) -> bool {
    let block =
        |block: &syn::Block| block.stmts.iter().all(|it| is_ghostly(scope, it)) && some_change(scope, block);
    match expr {
        Expr::Assign(it) => ghost_at(scope, &it.left),
        Expr::Binary(it) => {
            is_assignment(&it.op) && !matches!(it.op, BinOp::Eq(_)) && ghost_at(scope, &it.left)
        }
        Expr::MethodCall(it) => {
            methods::changes(scope.names, &it.method.to_string(), true)
                && ghost_at(scope, innermost(&it.receiver))
        }
        Expr::If(it) => {
            let otherwise = it.else_branch.as_ref();
            block(&it.then_branch) && otherwise.is_none_or(|(_, it)| has_form(scope, it))
        }
        Expr::ForLoop(it) => block(&it.body),
        Expr::While(it) => block(&it.body),
        Expr::Block(it) => block(&it.block),
        Expr::Match(it) => {
            let nothing = |expr: &Expr| {
                matches!(expr, Expr::Tuple(it) if it.elems.is_empty())
                    || matches!(expr, Expr::Block(it) if it.block.stmts.is_empty())
            };
            it.arms.iter().all(|arm| nothing(&arm.body) || has_form(scope, &arm.body))
                && it.arms.iter().any(|arm| has_form(scope, &arm.body))
        }
        Expr::Paren(it) => has_form(scope, &it.expr),
        _ => false,
    }
}

fn is_ghostly(scope: &Scope<'_>, stmt: &Stmt) -> bool {
    match stmt {
        Stmt::Expr(expr, _) => has_form(scope, expr),
        // What it binds is seen within the block alone.
        Stmt::Local(_) => true,
        Stmt::Item(_) | Stmt::Macro(_) => false,
    }
}

/// Whether a block does more than bind names.
fn some_change(scope: &Scope<'_>, block: &syn::Block) -> bool {
    block.stmts.iter().any(|stmt| matches!(stmt, Stmt::Expr(expr, _) if has_form(scope, expr)))
}

/// Whether a single change of a ghost takes values that tell of none: what comes of them on the side is the same without ghosts.
fn is_fed(scope: &Scope<'_>, expr: &Expr) -> bool {
    struct Tells<'s, 'a>(&'s Scope<'a>, bool);
    impl<'ast> Visit<'ast> for Tells<'_, '_> {
        fn visit_expr(&mut self, expr: &'ast Expr) {
            self.1 |= match expr {
                // It is given what the ghost holds.
                Expr::Closure(_) => true,
                Expr::Path(_) | Expr::Field(_) => ghost_at(self.0, expr),
                _ => false,
            };
            visit::visit_expr(self, expr);
        }
        fn visit_macro(&mut self, mac: &'ast syn::Macro) {
            macros::for_each_expression(mac, |expr| self.visit_expr(expr));
        }
        fn visit_item(&mut self, _: &'ast syn::Item) {}
    }
    let mut tells = Tells(scope, false);
    match expr {
        Expr::Assign(it) => tells.visit_expr(&it.right),
        Expr::Binary(it) => tells.visit_expr(&it.right),
        Expr::MethodCall(it) => {
            let mut call = it;
            loop {
                call.args.iter().for_each(|it| tells.visit_expr(it));
                let Expr::MethodCall(next) = &*call.receiver else { break };
                call = next;
            }
        }
        _ => return false,
    }
    !tells.1
}

/// Whether an expression does anything besides changing ghosts and giving a value.
fn acts(scope: &Scope<'_>, expr: &Expr) -> bool {
    let mut acts = Acts { scope, bound: Vec::new(), loops: 0, closures: 0, found: false };
    acts.visit_expr(expr);
    acts.found
}

/// The walk of [`acts`].
struct Acts<'s, 'a> {
    scope: &'s Scope<'a>,
    /// The names that are bound within.
    bound: Vec<String>,
    loops: usize,
    closures: usize,
    found: bool,
}

impl Acts<'_, '_> {
    /// Something at a place changes.
    fn changed(&mut self, place: &Expr) {
        let Some((ident, qualified)) = root(place) else { return };
        let name = ident.to_string();
        let within = !qualified && self.bound.contains(&name);
        let outer = !qualified && self.scope.local(&name).is_some();
        let variable = variable_at(self.scope, place).is_some_and(|it| !is_ghost(self.scope, &it));
        self.found |= !within && (outer || variable);
    }

    fn matched(&mut self, matched: &Expr, pattern: &syn::Pat) {
        if borrows_mutably(pattern) {
            self.changed(matched);
        }
    }

    /// The name of the service that a path is, where nothing within hides it.
    fn name(&self, expr: &Expr) -> Option<String> {
        let Expr::Path(path) = expr else { return None };
        let name = path.path.get_ident()?.to_string();
        (self.scope.local(&name).is_none() && !self.bound.contains(&name)).then_some(name)
    }

    fn method(&mut self, it: &syn::ExprMethodCall) {
        let (service, method) = (self.scope.service, it.method.to_string());
        let of = match &*it.receiver {
            Expr::Call(timer) => &timer.func,
            other => other,
        };
        if let Some(name) = self.name(of)
            && service.variable(&name).is_none()
        {
            let asks = |slot| {
                let call = self.scope.names.layer_call(&service.layers[slot], &method);
                call.is_some_and(|at| self.scope.names.call_at(at).kind == CallKind::Query)
            };
            self.found |= name == "up"
                || service.timer(&name).is_some() && method != "is_set"
                || service.layer(&name).is_some_and(|slot| !asks(slot));
        }
        let variable = root(&it.receiver).and_then(|(name, _)| service.variable(&name.to_string()));
        if methods::changes(self.scope.names, &method, variable.is_some_and(|it| it.is_foreign)) {
            self.changed(&it.receiver);
        }
    }
}

impl<'ast> Visit<'ast> for Acts<'_, '_> {
    fn visit_expr(&mut self, expr: &'ast Expr) {
        let is_loop = matches!(expr, Expr::ForLoop(_) | Expr::While(_) | Expr::Loop(_));
        let is_closure = matches!(expr, Expr::Closure(_));
        match expr {
            Expr::Assign(it) => targets(&it.left).into_iter().for_each(|place| self.changed(place)),
            Expr::Binary(it) if is_assignment(&it.op) => self.changed(&it.left),
            Expr::Reference(it) if it.mutability.is_some() => self.changed(&it.expr),
            Expr::MethodCall(it) => self.method(it),
            Expr::Call(it) => {
                let name = self.name(&it.func);
                self.found |= name.is_some_and(|name| {
                    let own = self.scope.names.is_rust(self.scope.service.file, &name);
                    matches!(name.as_str(), "send" | "answer") && !own || self.scope.acts(&name)
                });
            }
            Expr::Let(it) => self.matched(&it.expr, &it.pat),
            Expr::Match(it) => it.arms.iter().for_each(|arm| self.matched(&it.expr, &arm.pat)),
            Expr::Return(_) | Expr::Try(_) => self.found |= self.closures == 0,
            Expr::Break(_) | Expr::Continue(_) => self.found |= self.loops == 0,
            _ => {}
        }
        self.loops += usize::from(is_loop);
        self.closures += usize::from(is_closure);
        visit::visit_expr(self, expr);
        self.loops -= usize::from(is_loop);
        self.closures -= usize::from(is_closure);
    }

    fn visit_local(&mut self, local: &'ast syn::Local) {
        if let Some(init) = &local.init {
            self.matched(&init.expr, &local.pat);
        }
        visit::visit_local(self, local);
    }

    fn visit_pat_ident(&mut self, it: &'ast syn::PatIdent) {
        self.bound.push(it.ident.to_string());
        visit::visit_pat_ident(self, it);
    }

    fn visit_macro(&mut self, mac: &'ast syn::Macro) {
        // A fault that only a ghost brings about.
        self.found |= macros::faults(mac);
        macros::for_each_expression(mac, |expr| self.visit_expr(expr));
    }

    fn visit_item(&mut self, _: &'ast syn::Item) {}
}

/// The place at which a chain of methods begins: `seen` of `seen.entry(x).or_default()`.
fn innermost(expr: &Expr) -> &Expr {
    match expr {
        Expr::MethodCall(it) => innermost(&it.receiver),
        other => other,
    }
}

fn ghost_at(scope: &Scope<'_>, place: &Expr) -> bool {
    variable_at(scope, innermost(place)).is_some_and(|name| is_ghost(scope, &name))
}

/// Whether the variable of that name is a ghost.
pub(super) fn is_ghost(scope: &Scope<'_>, name: &str) -> bool {
    scope.service.variable(name).is_some_and(|it| it.is_ghost)
}
