//! What a body sends: which message, to whom, and which variables it tells of. A part of the walk of `survey.rs`.

use std::collections::BTreeSet;

use quote::ToTokens;
use syn::Expr;
use syn::visit::{self, Visit};

use super::infer::variable_at;
use super::survey::Surveyor;
use crate::names::MessageRef;
use crate::source::Span;
use crate::types::Type;

/// A message that a body sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Which one.
    pub message: MessageRef,
    /// The slot of the lower layer that it is handed to; `None` where it goes over a carrier.
    pub layer: Option<usize>,
    /// To whom, as written.
    pub to: String,
    /// Who that is.
    pub receiver: Receiver,
    /// Where.
    pub span: Span,
    /// Whether it is sent whenever the body runs: no condition stands around it.
    pub always: bool,
    /// The variables that it tells of.
    pub tells: BTreeSet<String>,
}

/// To whom a message goes, as far as the text tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receiver {
    /// The sender of the message that is handled.
    Sender,
    /// The node itself.
    Itself,
    /// What a choice has bound.
    Chosen,
    /// Somebody whom the event names.
    Told,
    /// Nodes that variables or parameters hold.
    Held,
    /// Anyone.
    Open,
}

impl Receiver {
    /// The name of the variant, here and in the runtime's tables.
    pub const fn word(self) -> &'static str {
        match self {
            Receiver::Sender => "Sender",
            Receiver::Itself => "Itself",
            Receiver::Chosen => "Chosen",
            Receiver::Told => "Told",
            Receiver::Held => "Held",
            Receiver::Open => "Open",
        }
    }
}

/// What a local was made of.
#[derive(Clone, Debug, Default)]
pub(super) struct Origin {
    /// Variables that its value tells of.
    pub tells: BTreeSet<String>,
    /// Messages that it may be.
    pub messages: BTreeSet<MessageRef>,
    /// Whether a choice made it.
    pub chosen: bool,
}

impl Surveyor<'_> {
    /// `send(to, message)`
    pub(super) fn sent(&mut self, to: &Expr, message: &Expr) {
        let origin = self.origin(message);
        self.note(&origin, None, to);
    }

    /// `tree.route(to, message)`: what is handed to a lower layer on its way to somebody.
    pub(super) fn handed(&mut self, slot: usize, call: &syn::ExprMethodCall) {
        let is_node = |it: &&Expr| matches!(self.scope.of(it).peeled(), Type::Node(_));
        let to = call.args.iter().find(is_node);
        let origins: Vec<Origin> = call.args.iter().map(|it| self.origin(it)).collect();
        for origin in origins {
            self.note(&origin, Some(slot), to.unwrap_or(&call.receiver));
        }
    }

    fn note(&mut self, origin: &Origin, layer: Option<usize>, to: &Expr) {
        for message in &origin.messages {
            let sent = Sent {
                message: *message,
                layer,
                to: self.text(to),
                receiver: self.receiver(to),
                span: self.place(to),
                always: self.branches == 0 && origin.messages.len() == 1,
                tells: origin.tells.clone(),
            };
            self.survey.sends.push(sent);
        }
    }

    /// An expression as written, from its first token to its last, on one line.
    fn text(&self, expr: &Expr) -> String {
        let tokens: Vec<_> =
            expr.to_token_stream().into_iter().map(|it| self.places.place(it.span())).collect();
        let (Some(first), Some(last)) = (tokens.first(), tokens.last()) else { return String::new() };
        self.places.file.slice(first.to(*last)).split_whitespace().collect::<Vec<_>>().join(" ")
    }

    fn receiver(&self, to: &Expr) -> Receiver {
        let to = bare(to);
        let Expr::Path(path) = to else {
            let origin = self.origin(to);
            return if origin.chosen {
                Receiver::Chosen
            } else if origin.tells.is_empty() {
                Receiver::Open
            } else {
                Receiver::Held
            };
        };
        let Some(name) = path.path.get_ident().map(ToString::to_string) else { return Receiver::Open };
        match self.scope.local(&name) {
            Some(local) if local.from_event => match self.sender.as_ref() == Some(&name) {
                true => Receiver::Sender,
                false => Receiver::Told,
            },
            Some(_) => match self.origins.get(&name) {
                Some(origin) if origin.chosen => Receiver::Chosen,
                Some(origin) if !origin.tells.is_empty() => Receiver::Held,
                _ => Receiver::Open,
            },
            None if name == "me" => Receiver::Itself,
            None if variable_at(&self.scope, to).is_some() || self.scope.member(&name).is_some() => {
                Receiver::Held
            }
            None => Receiver::Open,
        }
    }

    /// What an expression tells of, and which messages it may be.
    pub(super) fn origin(&self, expr: &Expr) -> Origin {
        struct Reader<'s, 'a>(&'s Surveyor<'a>, Origin);
        impl Reader<'_, '_> {
            fn constructs(&mut self, path: &syn::Path) {
                let name = path.get_ident().map(ToString::to_string);
                let scope = &self.0.scope;
                let name = name.filter(|it| scope.local(it).is_none() && !scope.service.has_state(it));
                self.1.messages.extend(name.and_then(|it| scope.names.message(scope.service, &it)));
            }
        }
        impl<'ast> Visit<'ast> for Reader<'_, '_> {
            fn visit_expr(&mut self, expr: &'ast Expr) {
                let scope = &self.0.scope;
                match expr {
                    Expr::Struct(it) => self.constructs(&it.path),
                    Expr::Call(it) => {
                        if let Expr::Path(path) = &*it.func {
                            self.1.chosen |= path.path.is_ident("choose") || path.path.is_ident("choose_or");
                        }
                    }
                    Expr::Path(it) => {
                        self.1.tells.extend(variable_at(scope, expr));
                        let name = it.path.get_ident().map(ToString::to_string).unwrap_or_default();
                        match scope.local(&name) {
                            Some(_) => {
                                if let Some(known) = self.0.origins.get(&name) {
                                    self.1.tells.extend(known.tells.iter().cloned());
                                    self.1.messages.extend(known.messages.iter().copied());
                                    self.1.chosen |= known.chosen;
                                }
                            }
                            None => {
                                self.1.tells.extend(scope.service.parameter(&name).map(|it| it.name.clone()));
                                self.constructs(&it.path);
                            }
                        }
                    }
                    Expr::Field(_) => self.1.tells.extend(variable_at(scope, expr)),
                    _ => {}
                }
                visit::visit_expr(self, expr);
            }
            fn visit_item(&mut self, _: &'ast syn::Item) {}
        }
        let mut reader = Reader(self, Origin::default());
        // A message of the same name as a control state is what is sent.
        match bare(expr) {
            Expr::Path(it) if self.scope.service.has_state(&last(&it.path)) => {
                let message = self.scope.names.message(self.scope.service, &last(&it.path));
                reader.1.messages.extend(message);
            }
            other => reader.visit_expr(other),
        }
        reader.1
    }
}

fn last(path: &syn::Path) -> String {
    path.get_ident().map(ToString::to_string).unwrap_or_default()
}

/// Without what only hands it on: references, parentheses, copies.
fn bare(expr: &Expr) -> &Expr {
    match expr {
        Expr::Reference(it) => bare(&it.expr),
        Expr::Paren(it) => bare(&it.expr),
        Expr::Unary(it) if matches!(it.op, syn::UnOp::Deref(_)) => bare(&it.expr),
        Expr::MethodCall(it)
            if it.args.is_empty()
                && matches!(it.method.to_string().as_str(), "clone" | "copied" | "cloned" | "iter") =>
        {
            bare(&it.receiver)
        }
        other => other,
    }
}
