//! What the pages tell about a service beyond its declarations: where handlers lead, what they send, set, emit and choose.
//!
//! Read off the Rust of bodies by the names in it, through routines; a name that a local hides is taken for what it hides,
//! which a picture can bear. Nothing here refuses a specification.

use std::collections::{BTreeMap, BTreeSet};

use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Expr, Pat, Token};

use crate::ast::{Event, Guard, Handler, Ignore, Service};
use crate::body::Places;
use crate::overlap::{Placed, message_of, placed};
use crate::source::Span;

/// What a body does, as far as its names tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deeds {
    /// Control states that it may enter.
    pub enters: BTreeSet<String>,
    /// Messages that it sends.
    pub sends: BTreeSet<String>,
    /// Timers that it sets.
    pub sets: BTreeSet<String>,
    /// Timers that it cancels.
    pub cancels: BTreeSet<String>,
    /// Upcalls that it emits.
    pub emits: BTreeSet<String>,
    /// Calls of lower layers, `tree.join`.
    pub calls: BTreeSet<String>,
    /// Whether it answers a request.
    pub answers: bool,
    /// `choose(..)`, `choose_or(..)` and `random(..)` with the name that they are bound to.
    pub questions: Vec<Question>,
    /// Routines that it calls.
    pub routines: BTreeSet<String>,
}

/// A place where a body asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// `choose`, `choose_or` or `random`.
    pub verb: String,
    /// What the answer is bound to.
    pub binding: Option<String>,
    /// The arguments as text.
    pub set: String,
}

/// A handler and what is known of it.
#[derive(Clone, Debug)]
pub struct Entry<'a> {
    /// The handler in its place.
    pub placed: Placed<'a>,
    /// The states in which it may apply, in the order of their declaration; `None` is every state.
    pub states: Option<Vec<String>>,
    /// What it does, through routines.
    pub deeds: Deeds,
    /// The name that links use.
    pub anchor: String,
}

/// What is known of a service.
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    /// Its control states.
    pub states: Vec<String>,
    /// Its handlers in file order.
    pub handlers: Vec<Entry<'a>>,
    /// Events that are ignored, with the states.
    pub ignored: Vec<(&'a Ignore, Option<Vec<String>>)>,
}

/// Reads a service.
pub fn facts<'a>(service: &'a Service, places: Places<'_>) -> Facts<'a> {
    let states: Vec<String> = service.states().map(|state| state.name.name.clone()).collect();
    let words = Words {
        states: states.iter().cloned().collect(),
        timers: service.timers().map(|timer| timer.name.name.clone()).collect(),
        layers: service.uses().map(|uses| uses.name.name.clone()).collect(),
        routines: service.routines().map(|routine| routine.name.name.clone()).collect(),
    };
    let own = service
        .routines()
        .map(|routine| (routine.name.name.clone(), deeds(routine.body.span, places, &words)));
    let routines: BTreeMap<String, Deeds> = own.collect();
    let (handlers, ignored) = placed(service);
    let mut anchors = BTreeSet::new();
    let entry = |placed: Placed<'a>| {
        let base = format!("on-{}", handler_name(placed.handler));
        let mut names = std::iter::once(base.clone()).chain((2..).map(|n| format!("{base}-{n}")));
        let within = guarded(placed.handler, placed.states.clone(), &states, places);
        Entry {
            states: ordered(&states, within.as_ref()),
            deeds: through(deeds(placed.handler.body.span, places, &words), &routines),
            anchor: names.find(|name| anchors.insert(name.clone())).unwrap_or(base),
            placed,
        }
    };
    let handlers = handlers.into_iter().map(entry).collect();
    let ignored = ignored.into_iter().map(|it| (it.ignore, ordered(&states, it.states.as_ref()))).collect();
    Facts { states, handlers, ignored }
}

/// The name of a handler, or what its event is called.
pub fn handler_name(handler: &Handler) -> String {
    handler.name.as_ref().map_or_else(|| event_name(&handler.event), |name| name.name.clone())
}

/// The message of a `deliver`, or the name of another event.
pub fn event_name(event: &Event) -> String {
    let name = message_of(event).unwrap_or(&event.name.name);
    match &event.layer {
        Some(layer) => format!("{}.{name}", layer.name),
        None => name.to_owned(),
    }
}

/// Narrows the states by the parts of a guard that say so: `state == Idle && ..`.
fn guarded<'s>(
    handler: &Handler,
    within: Option<BTreeSet<&'s str>>,
    all: &'s [String],
    places: Places<'_>,
) -> Option<BTreeSet<&'s str>> {
    let Some(Guard::When(guard)) = &handler.guard else { return within };
    let Ok(guard) = syn::parse2::<Expr>(places.tokens.slice(guard.span)) else { return within };
    let mut open = vec![&guard];
    let mut states = within;
    while let Some(expr) = open.pop() {
        match expr {
            Expr::Paren(inner) => open.push(&inner.expr),
            Expr::Binary(both) => match (&both.op, name(&both.left).as_deref(), name(&both.right)) {
                (syn::BinOp::And(_), ..) => open.extend([&*both.left, &*both.right]),
                (syn::BinOp::Eq(_), Some("state"), Some(named)) => {
                    let old = states.unwrap_or_else(|| all.iter().map(String::as_str).collect());
                    states = Some(old.into_iter().filter(|state| *state == named).collect());
                }
                (syn::BinOp::Ne(_), Some("state"), Some(named)) => {
                    let old = states.unwrap_or_else(|| all.iter().map(String::as_str).collect());
                    states = Some(old.into_iter().filter(|state| *state != named).collect());
                }
                _ => {}
            },
            _ => {}
        }
    }
    states
}

/// States in the order of their declaration; all of them are every state.
fn ordered(all: &[String], states: Option<&BTreeSet<&str>>) -> Option<Vec<String>> {
    let states = states?;
    let states: Vec<String> = all.iter().filter(|state| states.contains(state.as_str())).cloned().collect();
    (states.len() < all.len()).then_some(states)
}

/// Adds what the routines do that a body reaches.
fn through(mut deeds: Deeds, routines: &BTreeMap<String, Deeds>) -> Deeds {
    let mut open: Vec<String> = deeds.routines.iter().cloned().collect();
    while let Some(name) = open.pop() {
        let Some(inner) = routines.get(&name) else { continue };
        open.extend(inner.routines.difference(&deeds.routines).cloned());
        deeds.absorb(inner.clone());
    }
    deeds
}

impl Deeds {
    fn absorb(&mut self, other: Deeds) {
        self.enters.extend(other.enters);
        self.sends.extend(other.sends);
        self.sets.extend(other.sets);
        self.cancels.extend(other.cancels);
        self.emits.extend(other.emits);
        self.calls.extend(other.calls);
        self.answers |= other.answers;
        self.questions.extend(other.questions);
        self.routines.extend(other.routines);
    }
}

/// The names that mean something in bodies.
struct Words {
    states: BTreeSet<String>,
    timers: BTreeSet<String>,
    layers: BTreeSet<String>,
    routines: BTreeSet<String>,
}

fn deeds(body: Span, places: Places<'_>, words: &Words) -> Deeds {
    let mut reader = Reader { words, places, binding: None, deeds: Deeds::default() };
    if let Ok(block) = syn::parse2::<syn::Block>(places.tokens.slice(body)) {
        reader.visit_block(&block);
    }
    reader.deeds
}

struct Reader<'w> {
    words: &'w Words,
    places: Places<'w>,
    binding: Option<String>,
    deeds: Deeds,
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_local(&mut self, node: &'ast syn::Local) {
        if let Pat::Ident(name) = &node.pat {
            self.binding = Some(name.ident.to_string());
        }
        visit::visit_local(self, node);
        self.binding = None;
    }

    fn visit_expr_assign(&mut self, node: &'ast syn::ExprAssign) {
        let left = match &*node.left {
            Expr::Field(field) => match &field.member {
                syn::Member::Named(name) => Some(name.to_string()),
                syn::Member::Unnamed(_) => None,
            },
            other => name(other),
        };
        if left.as_deref() == Some("state") {
            let mut named = Named { words: &self.words.states, found: &mut self.deeds.enters };
            named.visit_expr(&node.right);
        }
        self.binding = left;
        visit::visit_expr_assign(self, node);
        self.binding = None;
    }

    fn visit_expr_call(&mut self, node: &'ast syn::ExprCall) {
        let called = name(&node.func).unwrap_or_default();
        match called.as_str() {
            "send" => self.deeds.sends.extend(node.args.iter().nth(1).and_then(constructor)),
            "answer" => self.deeds.answers = true,
            "choose" | "choose_or" | "random" => {
                let args: Vec<&str> = node.args.iter().map(|arg| written(arg, self.places)).collect();
                let question =
                    Question { verb: called.clone(), binding: self.binding.clone(), set: args.join(", ") };
                self.deeds.questions.push(question);
            }
            _ if self.words.routines.contains(&called) => drop(self.deeds.routines.insert(called)),
            _ => {}
        }
        visit::visit_expr_call(self, node);
    }

    fn visit_expr_method_call(&mut self, node: &'ast syn::ExprMethodCall) {
        let receiver = match &*node.receiver {
            Expr::Call(call) => name(&call.func),
            other => name(other),
        };
        let (receiver, method) = (receiver.unwrap_or_default(), node.method.to_string());
        if self.words.timers.contains(&receiver) && method == "set" {
            self.deeds.sets.insert(receiver);
        } else if self.words.timers.contains(&receiver) && method == "cancel" {
            self.deeds.cancels.insert(receiver);
        } else if receiver == "up" {
            self.deeds.emits.insert(method);
        } else if self.words.layers.contains(&receiver) {
            self.deeds.calls.insert(format!("{receiver}.{method}"));
        }
        visit::visit_expr_method_call(self, node);
    }

    fn visit_macro(&mut self, node: &'ast syn::Macro) {
        if let Ok(args) = Punctuated::<Expr, Token![,]>::parse_terminated.parse2(node.tokens.clone()) {
            let mut inner = Reader { binding: None, deeds: Deeds::default(), ..*self };
            args.iter().for_each(|arg| inner.visit_expr(arg));
            self.deeds.absorb(inner.deeds);
        }
    }
}

/// Collects the known names in an expression.
struct Named<'w> {
    words: &'w BTreeSet<String>,
    found: &'w mut BTreeSet<String>,
}

impl<'ast> Visit<'ast> for Named<'_> {
    fn visit_ident(&mut self, node: &'ast proc_macro2::Ident) {
        let name = node.to_string();
        if self.words.contains(&name) {
            self.found.insert(name);
        }
    }
}

/// The text of an expression as it was written.
fn written<'a>(expr: &Expr, places: Places<'a>) -> &'a str {
    places.file.slice(places.place(expr.span()))
}

fn name(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Path(path) => path.path.get_ident().map(ToString::to_string),
        Expr::Paren(inner) => name(&inner.expr),
        _ => None,
    }
}

/// `Join` of `Join { .. }`, `Join(..)` and `Join`.
fn constructor(expr: &Expr) -> Option<String> {
    let path = match expr {
        Expr::Struct(it) => &it.path,
        Expr::Path(it) => &it.path,
        Expr::Call(call) => match &*call.func {
            Expr::Path(it) => &it.path,
            _ => return None,
        },
        Expr::Paren(inner) => return constructor(&inner.expr),
        _ => return None,
    };
    let last = path.segments.last()?.ident.to_string();
    last.starts_with(char::is_uppercase).then_some(last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::parse;
    use crate::source::SourceFile;
    use crate::tokens::TokenIndex;

    #[test]
    fn deeds_are_found_through_routines() {
        let file = SourceFile::new(
            "a.mace",
            "service A {
                uses tree: Tree;
                states { Idle, Busy, Done }
                timers { retry; resend(x: u64); }
                transitions {
                    in Idle | Busy {
                        upcall go: deliver(src, Go { .. }) in Idle { again(); send(src, Went { x: 1 }); }
                        upcall go: deliver(_, Go) { state = if a { Idle } else { Done }; }
                    }
                    upcall deliver(_, Other(_)) in Idle | Busy | Done when a > 1 && b { let to = choose(&self.members); tree.join(to); }
                    upcall x: broken(_) when (state != Idle && a) && state != Done { }
                    first { scheduler retry { resend(7).set(1s); retry.cancel(); up.lost(); answer(a, b); } }
                    ignore deliver(_, Went) in Done;
                }
                routines {
                    fn again() { state = Busy; more(); }
                    fn more() { retry.set(5s); again(); assert!(tree.ok()); }
                }
            }",
        );
        let (ast, errors) = parse(&file);
        assert!(errors.is_empty(), "{errors:?}");
        let tokens = TokenIndex::of_source(&file).unwrap();
        let service = ast.services().next().unwrap();
        let facts = facts(service, Places { file: &file, tokens: &tokens });
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
        let anchors: Vec<&str> = facts.handlers.iter().map(|entry| entry.anchor.as_str()).collect();
        assert_eq!(anchors, ["on-go", "on-go-2", "on-Other", "on-x", "on-retry"]);
        let [go, second, other, guarded, retry] = facts.handlers.as_slice() else { panic!("five handlers") };
        assert_eq!(guarded.states.as_deref(), Some(&["Busy".to_owned()][..]));
        assert_eq!(go.states.as_deref(), Some(&["Idle".to_owned()][..]));
        assert_eq!((&go.deeds.enters, &go.deeds.sends), (&set(&["Busy"]), &set(&["Went"])));
        assert_eq!((&go.deeds.sets, &go.deeds.calls), (&set(&["retry"]), &set(&["tree.ok"])));
        assert_eq!(second.deeds.enters, set(&["Idle", "Done"]));
        assert_eq!(other.states, None, "all states are every state");
        assert_eq!(other.deeds.calls, set(&["tree.join"]));
        let asked = Question {
            verb: "choose".to_owned(),
            binding: Some("to".to_owned()),
            set: "&self.members".to_owned(),
        };
        assert_eq!(other.deeds.questions, [asked]);
        assert_eq!((&retry.deeds.sets, &retry.deeds.cancels), (&set(&["resend"]), &set(&["retry"])));
        assert!(retry.deeds.answers && retry.deeds.emits.contains("lost") && retry.placed.first.is_some());
        assert_eq!(facts.ignored[0].1.as_deref(), Some(&["Done".to_owned()][..]));
    }
}
