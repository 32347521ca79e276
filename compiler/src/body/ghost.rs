//! Ghost variables exist for properties alone: what a body does otherwise must not depend on one.
//!
//! A ghost may be read to change a ghost: in an assignment to one, in a call that changes one, and in a condition or loop around
//! nothing but such statements. Everything else that reads one would behave differently where ghosts are left out.

use syn::{BinOp, Expr, Stmt};

use super::infer::{Scope, variable_at};
use super::methods;
use super::survey::is_assignment;

/// Whether a statement changes ghosts and nothing else.
pub(super) fn is_ghostly(scope: &Scope<'_>, stmt: &Stmt) -> bool {
    match stmt {
        Stmt::Expr(expr, _) => changes_ghosts(scope, expr),
        // What it binds is seen within the block alone.
        Stmt::Local(_) => true,
        Stmt::Item(_) | Stmt::Macro(_) => false,
    }
}

/// Whether an expression, as a statement, changes ghosts and nothing else.
pub(super) fn changes_ghosts(scope: &Scope<'_>, expr: &Expr) -> bool {
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
            block(&it.then_branch) && otherwise.is_none_or(|(_, it)| changes_ghosts(scope, it))
        }
        Expr::ForLoop(it) => block(&it.body),
        Expr::While(it) => block(&it.body),
        Expr::Block(it) => block(&it.block),
        Expr::Match(it) => {
            let nothing = |expr: &Expr| {
                matches!(expr, Expr::Tuple(it) if it.elems.is_empty())
                    || matches!(expr, Expr::Block(it) if it.block.stmts.is_empty())
            };
            it.arms.iter().all(|arm| nothing(&arm.body) || changes_ghosts(scope, &arm.body))
                && it.arms.iter().any(|arm| changes_ghosts(scope, &arm.body))
        }
        Expr::Paren(it) => changes_ghosts(scope, &it.expr),
        _ => false,
    }
}

/// Whether a block does more than bind names.
fn some_change(scope: &Scope<'_>, block: &syn::Block) -> bool {
    block.stmts.iter().any(|stmt| matches!(stmt, Stmt::Expr(expr, _) if changes_ghosts(scope, expr)))
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
