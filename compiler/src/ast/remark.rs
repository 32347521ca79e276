//! What a specification says about itself: warnings that are allowed, choices that are fair, what a generic node may send.

use super::{Dotted, Fragment, Ident};
use crate::source::Span;

/// `allow grows log, seen: "the workload appends at most twice";`, in a service or at file level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allow {
    /// The short name of the warning.
    pub warning: Ident,
    /// What it may be about; nothing is everything around the line.
    pub targets: Vec<Dotted>,
    /// Why it is fine, a string as written, with its quotes.
    pub reason: Option<Fragment>,
    /// The whole.
    pub span: Span,
}

/// `fair choice Join, resend.to;`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FairChoice {
    /// The names of the sites; nothing is every choice of the service.
    pub sites: Vec<Dotted>,
    /// The whole.
    pub span: Span,
}

/// `Beat { load in 0..=3 }`, in `generic`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sendable {
    /// The message.
    pub message: Ident,
    /// For each field, what it may be.
    pub fields: Vec<SendableField>,
    /// The whole.
    pub span: Span,
}

/// `load in 0..=3`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendableField {
    /// The field.
    pub name: Ident,
    /// The values that it may have: a Rust expression as in `choose x in SET`.
    pub set: Fragment,
}
