//! What is in a stack: the services of a node group with those below them, by the path of layers that leads there.

use super::Names;
use crate::ast::{Expr, ExprKind, Stack};

/// A service in a stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The layers that lead there, `tree.beats`; empty for the top.
    pub path: String,
    /// Index into [`Names::services`].
    pub service: usize,
}

impl Place {
    /// The name of something of this service, such as an objective, as a system calls it: `tree.depth`.
    pub fn qualified(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }
}

/// The service, with arguments, that an expression names where a layer is bound.
pub fn bound(expr: &Expr) -> Option<Stack> {
    match &expr.peeled().kind {
        ExprKind::Struct(stack) => Some(stack.clone()),
        ExprKind::Path(path) => Some(Stack { path: path.clone(), fields: None, span: path.span }),
        _ => None,
    }
}

impl Names {
    /// The service that a stack has at its top.
    pub fn top(&self, stack: &Stack) -> Option<usize> {
        self.service_at(&stack.path)
    }

    /// What fills the slot of a service that was put there by `stack`: what that says, else the service's own default.
    pub fn filled(&self, stack: &Stack, service: usize, slot: usize) -> Option<Stack> {
        let layer = &self.services[service].layers[slot];
        let given = stack.fields().iter().find(|it| it.name.name == layer.name);
        match given {
            Some(given) => bound(given.value.as_ref()?),
            None => layer.default.clone(),
        }
    }

    /// All services of a stack, the top first. A service that stands in it again is left out there: that is reported.
    pub fn places(&self, stack: &Stack) -> Vec<Place> {
        let mut places = Vec::new();
        self.descend(stack, String::new(), &mut places);
        places
    }

    fn descend(&self, stack: &Stack, path: String, places: &mut Vec<Place>) {
        let Some(service) = self.top(stack) else { return };
        if places.iter().any(|it| it.service == service) {
            return;
        }
        let here = Place { path, service };
        places.push(here.clone());
        for (slot, layer) in self.services[service].layers.iter().enumerate() {
            if let Some(lower) = self.filled(stack, service, slot) {
                self.descend(&lower, here.qualified(&layer.name), places);
            }
        }
    }

    /// The service that a path of layers below `service` leads to, where nothing but defaults is known.
    pub fn default_below(&self, service: usize, slot: usize) -> Option<usize> {
        self.top(self.services[service].layers[slot].default.as_ref()?)
    }
}
