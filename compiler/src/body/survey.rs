//! What the analyses want to know of a body: to whom it sends, how its variables change, what it tests, where it goes by the
//! order of ids. A walk of its own over the tree as written; resolving and rewriting names is `walk.rs`.

use std::collections::{BTreeMap, BTreeSet};

use syn::visit::{self, Visit};
use syn::{BinOp, Expr};

use super::infer::{Scope, variable_at};
use super::resolve::targets;
use super::sends::{Origin, Sent};
use super::{Places, ghost, glue, macros, methods};
use crate::diag::Diagnostic;
use crate::source::Span;
use crate::types::Type;

/// What was found out about a body.
#[derive(Clone, Debug, Default)]
pub struct Survey {
    /// The messages that it sends.
    pub sends: Vec<Sent>,
    /// Variables that are read, `state` among them.
    pub reads: BTreeSet<String>,
    /// Routines that are called.
    pub calls: BTreeSet<String>,
    /// Variables that guard and sets of the head read, which `reads` leaves out.
    pub guard_reads: BTreeSet<String>,
    /// Routines that guard and sets of the head call.
    pub guard_calls: BTreeSet<String>,
    /// Timers that it arms whenever it runs: no condition stands around that.
    pub arms: BTreeSet<String>,
    /// Control states that it enters.
    pub entered: BTreeSet<String>,
    /// Whether it enters a control state that does not show.
    pub enters_any: bool,
    /// Variables that get larger: something is added, and nothing taken away at that place.
    pub grown: BTreeMap<String, Span>,
    /// Variables that change in any other way.
    pub replaced: BTreeSet<String>,
    /// Variables that a condition reads.
    pub tested: BTreeSet<String>,
    /// Variables that are compared, by order, with something of the event: the two names.
    pub compared: BTreeSet<(String, String)>,
    /// Variables that are set to something of the event: the two names.
    pub adopted: BTreeSet<(String, String)>,
    /// Places where the order of ids matters, with what is done there.
    pub ordered: Vec<(Span, String)>,
    /// Ghosts that are read for something that is none, each where it is read first.
    pub ghosts: BTreeMap<String, Span>,
    /// Routines called for something that is no ghost.
    pub relied_on: BTreeMap<String, Span>,
    /// What rustc would certainly refuse.
    pub mistakes: Vec<Diagnostic>,
}

impl Survey {
    /// Adds what another body does.
    pub fn absorb(&mut self, other: &Survey) {
        self.sends.extend(other.sends.iter().cloned());
        self.reads.extend(other.reads.iter().cloned());
        self.guard_reads.extend(other.guard_reads.iter().cloned());
        self.arms.extend(other.arms.iter().cloned());
        self.entered.extend(other.entered.iter().cloned());
        self.enters_any |= other.enters_any;
        other.grown.iter().for_each(|(name, span)| {
            self.grown.entry(name.clone()).or_insert(*span);
        });
        self.replaced.extend(other.replaced.iter().cloned());
        self.tested.extend(other.tested.iter().cloned());
        self.compared.extend(other.compared.iter().cloned());
        self.adopted.extend(other.adopted.iter().cloned());
        self.ordered.extend(other.ordered.iter().cloned());
    }
}

/// The walk.
pub struct Surveyor<'a> {
    /// The names in force.
    pub scope: Scope<'a>,
    pub(super) places: Places<'a>,
    /// What was found out.
    pub survey: Survey,
    /// What the request is answered with, in a handler of one.
    pub answer: Option<Type>,
    /// The name by which the body knows the sender of the message that it handles.
    pub sender: Option<String>,
    /// What locals were made of, by name. A later one of the same name takes the place of an earlier.
    pub(super) origins: BTreeMap<String, Origin>,
    /// Locals that hold ids in their order.
    pub(super) by_ids: BTreeSet<String>,
    /// Of each loop through ids that the walk stands in, how many locals there are around it.
    pub(super) loops: Vec<usize>,
    /// How many conditions the walk stands in.
    conditions: usize,
    /// How many branches the walk stands in that need not be taken.
    pub(super) branches: usize,
    /// How many statements the walk stands in that change ghosts alone.
    ghostly: usize,
}

/// Methods that only add.
const GROWING: &[&str] = &[
    "append",
    "entry",
    "extend",
    "extend_from_slice",
    "insert",
    "insert_str",
    "push",
    "push_back",
    "push_front",
    "push_str",
];

impl<'a> Surveyor<'a> {
    /// A walk of a body that sees `scope`.
    pub fn new(scope: Scope<'a>, places: Places<'a>) -> Surveyor<'a> {
        Surveyor {
            scope,
            places,
            survey: Survey::default(),
            answer: None,
            sender: None,
            origins: BTreeMap::new(),
            by_ids: BTreeSet::new(),
            loops: Vec::new(),
            conditions: 0,
            branches: 0,
            ghostly: 0,
        }
    }

    /// Walks an expression as a condition.
    pub fn condition(&mut self, expr: &Expr) {
        self.conditions += 1;
        self.visit_expr(expr);
        self.conditions -= 1;
    }

    /// Walks the set of a `choose` in a head, and binds what is chosen.
    pub fn chosen(&mut self, name: &str, set: &Expr) {
        self.visit_expr(set);
        glue::options(self, set, "choose");
        let item = self.scope.of(set).peeled().element().map_or(Type::Unknown, |it| it.peeled().clone());
        self.scope.add(name, item);
        self.origins.insert(name.to_owned(), Origin { chosen: true, ..self.origin(set) });
    }

    /// Says that the head ends here: what was read so far is what guard and sets read.
    pub fn head_ends(&mut self) {
        self.survey.guard_reads = std::mem::take(&mut self.survey.reads);
        self.survey.guard_calls = std::mem::take(&mut self.survey.calls);
    }

    pub(super) fn place(&self, expr: &Expr) -> Span {
        self.places.place(super::walk::span_of(expr))
    }

    pub(super) fn written(&self, expr: &Expr) -> String {
        self.places.file.slice(self.place(expr)).split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// A place that is filled: what is replaced as a whole is not read.
    fn filled(&mut self, place: &Expr) {
        let whole = match place {
            Expr::Path(_) => true,
            Expr::Field(field) => matches!(&*field.base, Expr::Path(base) if base.path.is_ident("self")),
            _ => false,
        };
        let name = variable_at(&self.scope, place).filter(|_| whole);
        let unread = name.as_ref().is_some_and(|it| !self.survey.reads.contains(it));
        let unused = name.as_ref().is_some_and(|it| !self.survey.ghosts.contains_key(it));
        self.visit_expr(place);
        if let Some(name) = name {
            if unread {
                self.survey.reads.remove(&name);
            }
            if unused {
                self.survey.ghosts.remove(&name);
            }
        }
    }

    fn replaces(&mut self, target: &Expr) {
        self.survey.replaced.extend(variable_at(&self.scope, target));
    }

    /// Notes that `pattern` may change what it is matched with.
    fn matched(&mut self, matched: &Expr, pattern: &syn::Pat) {
        if super::scope::borrows_mutably(pattern) {
            self.replaces(matched);
        }
    }

    fn grows(&mut self, target: &Expr) {
        if let Some(name) = variable_at(&self.scope, target) {
            let place = self.place(target);
            self.survey.grown.entry(name).or_insert(place);
        }
    }

    /// The variables and the names of the event that an expression mentions.
    fn mentions(&self, expr: &Expr) -> (BTreeSet<String>, BTreeSet<String>) {
        struct Mentions<'s, 'a>(&'s Scope<'a>, BTreeSet<String>, BTreeSet<String>);
        impl<'ast> Visit<'ast> for Mentions<'_, '_> {
            fn visit_expr(&mut self, expr: &'ast Expr) {
                self.1.extend(if matches!(expr, Expr::Path(_) | Expr::Field(_)) {
                    variable_at(self.0, expr)
                } else {
                    None
                });
                if let Expr::Path(path) = expr
                    && let Some(name) = path.path.get_ident().map(|it| it.to_string())
                    && self.0.local(&name).is_some_and(|it| it.from_event)
                {
                    self.2.insert(name);
                }
                visit::visit_expr(self, expr);
            }
        }
        let mut found = Mentions(&self.scope, BTreeSet::new(), BTreeSet::new());
        found.visit_expr(expr);
        (found.1, found.2)
    }

    fn assign(&mut self, it: &syn::ExprAssign) {
        if let Some(name) = variable_at(&self.scope, &it.left) {
            let (_, from_event) = self.mentions(&it.right);
            self.survey.adopted.extend(from_event.into_iter().map(|local| (name.clone(), local)));
        }
        if variable_at(&self.scope, &it.left).is_some_and(|name| name == "state") {
            let state = if let Expr::Path(path) = &*it.right { path.path.get_ident() } else { None };
            let state = state.map(|it| it.to_string()).filter(|it| self.scope.service.has_state(it));
            self.survey.enters_any |= state.is_none();
            self.survey.entered.extend(state);
        }
        // `x = x + 1` is growth as `x += 1` is.
        let grows = match &*it.right {
            Expr::Binary(sum) if matches!(sum.op, BinOp::Add(_)) => {
                let same = variable_at(&self.scope, &sum.left);
                same.is_some() && same == variable_at(&self.scope, &it.left)
            }
            _ => false,
        };
        if grows {
            self.grows(&it.left);
        } else {
            targets(&it.left).into_iter().for_each(|place| self.replaces(place));
        }
    }

    fn comparison(&mut self, it: &syn::ExprBinary) {
        glue::comparison(self, it);
        let by_order = matches!(it.op, BinOp::Lt(_) | BinOp::Le(_) | BinOp::Gt(_) | BinOp::Ge(_));
        if by_order {
            let (left, right) = (self.mentions(&it.left), self.mentions(&it.right));
            let variables = left.0.iter().chain(&right.0);
            let pairs = variables.flat_map(|variable| {
                left.1
                    .iter()
                    .chain(&right.1)
                    .map(|local| (variable.clone(), local.clone()))
                    .collect::<Vec<_>>()
            });
            self.survey.compared.extend(pairs.collect::<Vec<_>>());
        }
        self.ordered_comparison(it);
    }

    fn method(&mut self, it: &syn::ExprMethodCall) {
        let method = it.method.to_string();
        if GROWING.contains(&method.as_str()) {
            self.grows(&it.receiver);
        } else if variable_at(&self.scope, &it.receiver).is_some()
            && methods::changes(self.scope.names, &method, true)
        {
            self.replaces(&it.receiver);
        }
        self.ordered_method(it);
        glue::method(self, it);
        if let Expr::Path(path) = &*it.receiver
            && let Some(name) = path.path.get_ident().map(|it| it.to_string())
            && self.scope.local(&name).is_none()
            && let Some(slot) = self.scope.service.layer(&name)
        {
            self.handed(slot, it);
        }
        let timer = match &*it.receiver {
            Expr::Call(timer) => &timer.func,
            other => other,
        };
        if let (Expr::Path(path), "set", 0) = (timer, method.as_str(), self.branches) {
            let name = path.path.get_ident().map(|it| it.to_string());
            self.survey.arms.extend(name.filter(|it| self.scope.service.timer(it).is_some()));
        }
        self.visit_expr(&it.receiver);
        let item = self.scope.of(&it.receiver).peeled().element();
        for argument in &it.args {
            match argument {
                Expr::Closure(closure) => self.closure(closure, item.as_ref(), &method),
                other => self.visit_expr(other),
            }
        }
    }

    /// A closure that is handed to a method of something that yields `item`s.
    fn closure(&mut self, closure: &syn::ExprClosure, item: Option<&Type>, method: &str) {
        const BY_REFERENCE: [&str; 7] =
            ["filter", "find", "inspect", "retain", "skip_while", "take_while", "max_by_key"];
        self.scope.open();
        for (at, input) in closure.inputs.iter().enumerate() {
            let ty = match item {
                Some(item) if at == 0 && closure.inputs.len() == 1 => {
                    if BY_REFERENCE.contains(&method) {
                        item.clone().referenced()
                    } else {
                        item.clone()
                    }
                }
                _ => Type::Unknown,
            };
            self.scope.bind(input, &ty, false);
        }
        self.branching(|survey| survey.visit_expr(&closure.body));
        self.scope.close();
    }

    /// Walks something that need not run.
    fn branching(&mut self, walk: impl FnOnce(&mut Self)) {
        self.branches += 1;
        walk(self);
        self.branches -= 1;
    }

    /// The parts of a condition, whose `let`s bind names in what follows, then `then`, in a scope of their own.
    fn scoped(&mut self, condition: &Expr, then: impl FnOnce(&mut Self)) {
        self.scope.open();
        self.condition(condition);
        self.branching(then);
        self.scope.close();
    }

    fn for_loop(&mut self, it: &syn::ExprForLoop) {
        self.visit_expr(&it.expr);
        let of = self.scope.of(&it.expr);
        let through = self.ordered_loop(it, &of);
        let item = match (of.references(), of.peeled()) {
            (0, of) => of.element(),
            (_, of) => of.element_by_reference(),
        };
        self.scope.open();
        if through {
            self.loops.push(self.scope.count());
        }
        self.scope.bind(&it.pat, &item.unwrap_or(Type::Unknown), false);
        self.visit_block(&it.body);
        if through {
            self.loops.pop();
        }
        self.scope.close();
    }
}

impl<'ast> Visit<'ast> for Surveyor<'_> {
    fn visit_expr(&mut self, expr: &'ast Expr) {
        if self.ghostly == 0
            && let Expr::Path(_) | Expr::Field(_) = expr
            && let Some(name) =
                variable_at(&self.scope, expr).filter(|name| ghost::is_ghost(&self.scope, name))
        {
            let place = self.place(expr);
            self.survey.ghosts.entry(name).or_insert(place);
        }
        if let Expr::Path(_) | Expr::Field(_) = expr {
            let variable = variable_at(&self.scope, expr);
            self.survey.tested.extend(variable.clone().filter(|_| self.conditions > 0));
            self.survey.reads.extend(variable);
        }
        match expr {
            Expr::Field(_) => visit::visit_expr(self, expr),
            Expr::Assign(it) => {
                self.assign(it);
                self.ordered_assign(it);
                glue::assign(self, it);
                targets(&it.left).into_iter().for_each(|place| self.filled(place));
                self.visit_expr(&it.right);
            }
            Expr::Binary(it) => {
                match it.op {
                    BinOp::AddAssign(_) | BinOp::BitOrAssign(_) => self.grows(&it.left),
                    BinOp::Lt(_)
                    | BinOp::Le(_)
                    | BinOp::Gt(_)
                    | BinOp::Ge(_)
                    | BinOp::Eq(_)
                    | BinOp::Ne(_) => {
                        self.comparison(it);
                    }
                    _ if variable_at(&self.scope, &it.left).is_some() && is_assignment(&it.op) => {
                        self.replaces(&it.left)
                    }
                    _ => {}
                }
                visit::visit_expr_binary(self, it);
            }
            Expr::Reference(it) => {
                if it.mutability.is_some() {
                    self.replaces(&it.expr);
                }
                self.visit_expr(&it.expr);
            }
            Expr::Call(it) => {
                if let (Expr::Path(path), [to, message]) =
                    (&*it.func, it.args.iter().collect::<Vec<_>>().as_slice())
                    && path.path.is_ident("send")
                {
                    self.sent(to, message);
                }
                glue::call(self, it);
                if let Expr::Path(path) = &*it.func
                    && let Some(name) = path.path.get_ident().map(|it| it.to_string())
                    && self.scope.local(&name).is_none()
                    && self.scope.service.routine(&name).is_some()
                {
                    self.survey.calls.insert(name.clone());
                    // What it does besides is done whatever comes of its value.
                    if self.ghostly == 0 || self.scope.acts(&name) {
                        let place = self.place(&it.func);
                        self.survey.relied_on.entry(name).or_insert(place);
                    }
                }
                visit::visit_expr_call(self, it);
            }
            Expr::Struct(it) => {
                glue::constructor(self, it);
                visit::visit_expr_struct(self, it);
            }
            Expr::MethodCall(it) => self.method(it),
            Expr::Index(it) => {
                self.ordered_index(it);
                visit::visit_expr_index(self, it);
            }
            Expr::ForLoop(it) => self.for_loop(it),
            Expr::If(it) => {
                self.scoped(&it.cond, |survey| survey.visit_block(&it.then_branch));
                if let Some((_, otherwise)) = &it.else_branch {
                    self.branching(|survey| survey.visit_expr(otherwise));
                }
            }
            Expr::While(it) => self.scoped(&it.cond, |survey| survey.visit_block(&it.body)),
            Expr::Let(it) => {
                self.matched(&it.expr, &it.pat);
                self.visit_expr(&it.expr);
                let ty = self.scope.of(&it.expr);
                self.scope.bind(&it.pat, &ty, false);
            }
            Expr::Match(it) => {
                self.condition(&it.expr);
                let ty = self.scope.of(&it.expr);
                for arm in &it.arms {
                    self.matched(&it.expr, &arm.pat);
                    self.scope.open();
                    self.scope.bind(&arm.pat, &ty, false);
                    if let syn::Pat::Guard(guarded) = &arm.pat {
                        self.condition(&guarded.guard);
                    }
                    self.branching(|survey| survey.visit_expr(&arm.body));
                    self.scope.close();
                }
            }
            Expr::Closure(it) => self.closure(it, None, ""),
            _ => visit::visit_expr(self, expr),
        }
    }

    fn visit_stmt(&mut self, stmt: &'ast syn::Stmt) {
        let alone = matches!(stmt, syn::Stmt::Expr(expr, _) if ghost::changes_ghosts(&self.scope, expr));
        self.ghostly += usize::from(alone);
        visit::visit_stmt(self, stmt);
        self.ghostly -= usize::from(alone);
    }

    fn visit_block(&mut self, block: &'ast syn::Block) {
        self.scope.open();
        visit::visit_block(self, block);
        self.scope.close();
    }

    fn visit_local(&mut self, local: &'ast syn::Local) {
        let mut ty = Type::Unknown;
        if let Some(init) = &local.init {
            self.matched(&init.expr, &local.pat);
            self.visit_expr(&init.expr);
            ty = self.scope.of(&init.expr);
            if let Some((_, diverge)) = &init.diverge {
                self.visit_expr(diverge);
            }
        }
        // What is taken from something of the event is of the event.
        let from_event = local.init.as_ref().is_some_and(|init| !self.mentions(&init.expr).1.is_empty());
        self.scope.bind(&local.pat, &ty, from_event);
        self.ordered_local(local);
        if let Some(init) = &local.init {
            let origin = self.origin(&init.expr);
            for name in super::scope::bindings(&local.pat) {
                self.origins.insert(name.to_string(), origin.clone());
            }
        }
    }

    fn visit_macro(&mut self, mac: &'ast syn::Macro) {
        let name = mac.path.segments.last().map(|it| it.ident.to_string()).unwrap_or_default();
        let tests = matches!(name.as_str(), "assert" | "matches" | "assert_eq" | "assert_ne");
        let writes = matches!(name.as_str(), "format" | "format_args" | "write" | "writeln");
        self.conditions += usize::from(tests);
        macros::for_each_expression(mac, |expr| {
            // Its tokens live no longer than this.
            let mut inner = Surveyor {
                scope: self.scope.copied(),
                places: self.places,
                survey: std::mem::take(&mut self.survey),
                answer: self.answer.clone(),
                sender: self.sender.clone(),
                origins: self.origins.clone(),
                by_ids: self.by_ids.clone(),
                loops: self.loops.clone(),
                conditions: self.conditions,
                branches: self.branches,
                ghostly: self.ghostly,
            };
            inner.visit_expr(expr);
            if writes {
                inner.written_out(expr);
            }
            self.survey = inner.survey;
        });
        self.conditions -= usize::from(tests);
    }

    fn visit_item(&mut self, _: &'ast syn::Item) {
        // An item within a body sees none of the names around it.
    }

    fn visit_type(&mut self, _: &'ast syn::Type) {}
}

/// Whether an operator changes its left side.
pub(super) fn is_assignment(op: &BinOp) -> bool {
    use BinOp::*;
    matches!(
        op,
        AddAssign(_)
            | SubAssign(_)
            | MulAssign(_)
            | DivAssign(_)
            | RemAssign(_)
            | BitXorAssign(_)
            | BitAndAssign(_)
            | BitOrAssign(_)
            | ShlAssign(_)
            | ShrAssign(_)
    )
}
