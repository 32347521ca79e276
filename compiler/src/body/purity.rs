//! What a body may not do: read a clock, the environment or a file, draw its own chance, share memory, run threads,
//! print, or iterate in the order of a hash. Each finding says why and what to write instead.
//!
//! Caveat: functions of other crates are not looked into.

use proc_macro2::Span;
use syn::visit::{self, Visit};

use crate::diag::Diagnostic;

use super::Places;

/// A thing that bodies may not use, by the names that give it away.
struct Ban {
    names: &'static [&'static str],
    what: &'static str,
    instead: &'static str,
}

const BANS: &[Ban] = &[
    Ban {
        names: &["HashMap", "HashSet", "hash_map", "hash_set"],
        what: "iterates in an order that differs from run to run",
        instead: "use `BTreeMap` or `BTreeSet`, which are in scope",
    },
    Ban {
        names: &["Instant", "SystemTime", "UNIX_EPOCH", "chrono"],
        what: "reads a clock, and a step must come out the same in every driver",
        instead: "`now()` gives the moment of the step; or arm a timer (`retry.set(5s)`)",
    },
    Ban {
        names: &["rand", "fastrand", "getrandom", "thread_rng", "RandomState"],
        what: "draws chance that no driver can replay",
        instead: "use `random(..)` for nature's chance and `choose(..)` for a decision of the system",
    },
    Ban {
        names: &["thread", "tokio", "rayon", "mpsc"],
        what: "leaves the step: a step is atomic and runs on its own",
        instead: "send a message or arm a timer; what happens later is an event of its own",
    },
    Ban {
        names: &["fs", "File", "OpenOptions"],
        what: "touches files, and a step's only effects are messages, timers and calls",
        instead: "keep the data in a `durable` variable: it is on disk before the step's messages leave",
    },
    Ban {
        names: &["net", "TcpStream", "TcpListener", "UdpSocket"],
        what: "opens a connection of its own",
        instead: "use `send(..)` over a carrier declared with `uses net: Reliable;`",
    },
    Ban {
        names: &["env", "process", "stdin", "stdout", "stderr"],
        what: "reads or changes the process around the step",
        instead: "make it a parameter of the service; a step ends with a fault by `assert!` or `panic!`",
    },
    Ban {
        names: &[
            "Rc",
            "RefCell",
            "Cell",
            "UnsafeCell",
            "OnceCell",
            "LazyCell",
            "LazyLock",
            "OnceLock",
            "Mutex",
            "RwLock",
        ],
        what: "shares memory behind the state's back, so a state could not be copied, compared and restored",
        instead: "store the value itself in a variable",
    },
];

/// Names that may well be the file's own, and count only behind their module of the standard library.
const BEHIND: &[(&str, &[&str], &str, &str)] = &[
    (
        "sync",
        &["Arc", "Barrier", "Condvar", "Once"],
        "shares memory or waits behind the state's back, so a state could not be copied, compared and restored",
        "store the value itself in a variable; a message or a timer is waited for",
    ),
    (
        "panic",
        &["set_hook", "take_hook", "update_hook", "catch_unwind", "resume_unwind"],
        "takes faults out of the hands of who runs the step",
        "test before what may fail; a step ends with a fault by `assert!` or `panic!`",
    ),
    (
        "backtrace",
        &["Backtrace"],
        "reads how the step was called, which differs by driver and by build",
        "keep what matters in a `ghost` variable; traces show every variable after every step",
    ),
];

/// Macros that print.
const PRINTING: &[&str] = &["println", "print", "eprintln", "eprint", "dbg"];

/// Macros that read something outside the specification.
const READING: &[&str] = &["include", "include_str", "include_bytes", "env", "option_env"];

/// What is said of a macro that bodies may not use.
fn impure_macro(name: &str) -> Option<(String, &'static str)> {
    Some(match name {
        _ if PRINTING.contains(&name) => (
            format!("`{name}!` prints, and a search runs a step millions of times in any order"),
            "keep it in a `ghost` variable; traces show every variable after every step",
        ),
        _ if READING.contains(&name) => (
            format!("`{name}!` reads something outside the specification"),
            "make it a parameter of the service",
        ),
        "thread_local" => (
            "`thread_local!` outlives the step and differs by thread".to_owned(),
            "keep the value in a variable",
        ),
        "asm" | "global_asm" | "naked_asm" => {
            (format!("`{name}!` could break every promise of a step"), "write it in safe Rust")
        }
        _ => return None,
    })
}

/// Common names that count only as a module, or at the end of a path.
const SCOPED: &[&str] = &["thread", "fs", "net", "env", "process", "stdin", "stdout", "stderr"];

/// The finding about a path such as `std::thread::spawn`, if bodies may not name it.
pub fn impure_path(path: &syn::Path) -> Option<(Span, String, &'static str)> {
    let several = path.segments.len() > 1;
    for (index, segment) in path.segments.iter().enumerate() {
        let name = segment.ident.to_string();
        let last = index + 1 == path.segments.len();
        // The type of what `now()` gives.
        let own = name == "Instant" && !several;
        let ban = BANS.iter().find(|ban| ban.names.contains(&name.as_str()) && !own);
        let ban = ban.filter(|_| {
            // `net` and the like are common names: they count only as a module of `std`, or before `::`.
            let module = SCOPED.contains(&name.as_str());
            let is_type = !name.starts_with(|c: char| c.is_lowercase());
            is_type || (several && (!last || (module && index > 0)))
        });
        if let Some(ban) = ban {
            return Some((segment.ident.span(), format!("`{name}` {}", ban.what), ban.instead));
        }
        let before = index.checked_sub(1).map(|before| path.segments[before].ident.to_string());
        let behind = BEHIND.iter().find(|(module, names, ..)| {
            before.as_ref().is_some_and(|it| it == module) && names.contains(&name.as_str())
        });
        if let Some((_, _, what, instead)) = behind {
            return Some((segment.ident.span(), format!("`{name}` {what}"), instead));
        }
        if name == "NodeId" && !last {
            let what = "`NodeId` is opaque, and nothing makes an id out of something else".to_owned();
            return Some((
                segment.ident.span(),
                what,
                "ids come from `me`, from parameters and from messages",
            ));
        }
        if name.starts_with("Atomic") && name.len() > 6 {
            let what = format!("`{name}` shares memory behind the state's back");
            return Some((segment.ident.span(), what, "store the number itself in a variable"));
        }
    }
    None
}

/// Everything in `body` that a step may not do.
pub fn impurities(visit: impl FnOnce(&mut Purity), places: Places<'_>) -> Vec<Diagnostic> {
    let mut purity = Purity::default();
    visit(&mut purity);
    let report = |(span, message, instead): (Span, String, &'static str)| {
        Diagnostic::error("E0405", places.place(span), message)
            .with_label("not possible in a step")
            .with_note("a step is a pure function of state, event and choices, so that it can be checked and replayed")
            .with_help(instead)
    };
    purity.findings.into_iter().map(report).collect()
}

/// Everything in the file's Rust items that a step could not do.
pub fn impure_items<'a>(items: impl Iterator<Item = &'a syn::Item>, places: Places<'_>) -> Vec<Diagnostic> {
    // Fields are looked at as values.
    let code =
        items.filter(|it| !matches!(it, syn::Item::Struct(_) | syn::Item::Enum(_) | syn::Item::Type(_)));
    impurities(|purity| code.for_each(|item| purity.visit_item(item)), places)
}

/// The visitor; it only collects.
#[derive(Default)]
pub struct Purity {
    findings: Vec<(Span, String, &'static str)>,
}

/// Whether a `use` goes through a module.
fn several(tree: &syn::UseTree) -> bool {
    matches!(tree, syn::UseTree::Path(_))
}

impl Purity {
    fn found(&mut self, span: Span, message: &str, instead: &'static str) {
        self.findings.push((span, message.to_owned(), instead));
    }
}

impl<'ast> Visit<'ast> for Purity {
    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.findings.extend(impure_path(path));
        visit::visit_path(self, path);
    }

    fn visit_use_tree(&mut self, tree: &'ast syn::UseTree) {
        // `use std::collections::HashMap;` is a path with branches: each way from the root is looked at.
        fn ways(
            tree: &syn::UseTree,
            prefix: &mut Vec<syn::Ident>,
            found: &mut Vec<syn::Path>,
            renamed: &mut Vec<syn::Ident>,
        ) {
            let mut end = |ident: &syn::Ident, prefix: &Vec<syn::Ident>| {
                let segments = prefix.iter().chain([ident]).cloned().map(syn::PathSegment::from);
                found.push(syn::Path { leading_colon: None, segments: segments.collect() });
            };
            match tree {
                syn::UseTree::Path(path) => {
                    prefix.push(path.ident.clone());
                    ways(&path.tree, prefix, found, renamed);
                    prefix.pop();
                }
                syn::UseTree::Name(name) => end(&name.ident, prefix),
                syn::UseTree::Rename(rename) => {
                    end(&rename.ident, prefix);
                    renamed.push(rename.ident.clone());
                }
                syn::UseTree::Glob(_) => {
                    if let Some(last) = prefix.pop() {
                        end(&last, prefix);
                        renamed.push(last.clone());
                        prefix.push(last);
                    }
                }
                syn::UseTree::Group(group) => {
                    group.items.iter().for_each(|tree| ways(tree, prefix, found, renamed));
                }
            }
        }
        let (mut found, mut renamed) = (Vec::new(), Vec::new());
        ways(tree, &mut Vec::new(), &mut found, &mut renamed);
        self.findings.extend(found.iter().filter_map(impure_path));
        // Under another name, or without its module, it would not be known where it is used.
        for ident in renamed {
            if let Some((what, instead)) = impure_macro(&ident.to_string())
                && !SCOPED.contains(&ident.to_string().as_str())
            {
                self.found(ident.span(), &what, instead);
            }
            let module = BEHIND.iter().find(|(module, ..)| ident == module && several(tree));
            if let Some((module, _, what, instead)) = module {
                self.found(ident.span(), &format!("`{module}` {what}"), instead);
            }
        }
    }

    fn visit_type_ptr(&mut self, pointer: &'ast syn::TypePtr) {
        let span = pointer.star_token.span;
        self.found(span, "an address differs from run to run", "use the value itself");
        visit::visit_type_ptr(self, pointer);
    }

    fn visit_expr_raw_addr(&mut self, address: &'ast syn::ExprRawAddr) {
        let span = address.raw.span;
        self.found(span, "an address differs from run to run", "use the value itself");
        visit::visit_expr_raw_addr(self, address);
    }

    fn visit_expr_unsafe(&mut self, block: &'ast syn::ExprUnsafe) {
        let span = block.unsafe_token.span;
        self.found(span, "`unsafe` could break every promise of a step", "write it in safe Rust");
        visit::visit_expr_unsafe(self, block);
    }

    fn visit_expr_async(&mut self, block: &'ast syn::ExprAsync) {
        let span = block.async_token.span;
        self.found(
            span,
            "`async` leaves the step: nothing waits within one",
            "arm a timer or send a message",
        );
        visit::visit_expr_async(self, block);
    }

    fn visit_expr_await(&mut self, expr: &'ast syn::ExprAwait) {
        let span = expr.await_token.span;
        self.found(
            span,
            "`.await` leaves the step: nothing waits within one",
            "handle the answer as an event",
        );
        visit::visit_expr_await(self, expr);
    }

    fn visit_item_static(&mut self, item: &'ast syn::ItemStatic) {
        let span = item.static_token.span;
        self.found(
            span,
            "a `static` outlives the step and is shared by all nodes",
            "make it a `const` or a variable",
        );
        visit::visit_item_static(self, item);
    }

    fn visit_signature(&mut self, signature: &'ast syn::Signature) {
        if let Some(token) = &signature.asyncness {
            self.found(
                token.span,
                "an `async fn` leaves the step: nothing waits within one",
                "write a plain `fn`",
            );
        }
        if let syn::Safety::Unsafe(token) = &signature.safety {
            self.found(token.span, "`unsafe` could break every promise of a step", "write a safe `fn`");
        }
        visit::visit_signature(self, signature);
    }

    fn visit_macro(&mut self, mac: &'ast syn::Macro) {
        let name = mac.path.segments.last().map(|it| it.ident.to_string()).unwrap_or_default();
        let span = mac.path.segments.last().map_or_else(Span::call_site, |it| it.ident.span());
        if let Some((what, instead)) = impure_macro(&name) {
            self.found(span, &what, instead);
        }
        if super::macros::shows_address(mac) {
            self.found(
                span,
                "`{:p}` shows an address, which differs from run to run",
                "show the value itself",
            );
        }
        visit::visit_macro(self, mac);
        super::macros::for_each_expression(mac, |expr| self.visit_expr(expr));
    }
}
