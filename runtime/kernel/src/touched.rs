//! What steps say that they change of durable variables, so that a driver need not look at everything to find it.
//!
//! Generated bodies note each change of a durable variable before they make it: the key, where a map or a set changes by one, else
//! the variable. A note is no change: the driver compares what stands there with what it wrote before. Where nobody asks for
//! notes, as in a search, noting one costs a comparison with None.

use std::any::Any;
use std::cell::RefCell;
use std::fmt;

/// A key of a map or a set, of whatever type.
pub type Key = Box<dyn Any + Send>;

/// What was touched of one variable.
#[derive(Debug)]
pub enum Touch {
    /// The entries of these keys.
    Keys(Vec<Key>),
    /// Anything.
    All,
}

/// What was touched of the durable variables of a node, layer by layer, since this was cleared.
#[derive(Default)]
pub struct Touched {
    notes: RefCell<Vec<(u8, &'static str, Touch)>>,
}

impl fmt::Debug for Touched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.notes.borrow().iter().map(|(layer, name, _)| (layer, name))).finish()
    }
}

impl Touched {
    /// Nothing was touched.
    pub fn new() -> Self {
        Touched::default()
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.notes.get_mut().clear();
    }

    /// Whether anything was touched in `layer`.
    pub fn any(&self, layer: u8) -> bool {
        self.notes.borrow().iter().any(|(at, ..)| *at == layer)
    }

    /// What was touched in `layer`.
    pub fn layer(&self, layer: u8) -> TouchedIn<'_> {
        TouchedIn { touched: self, layer }
    }

    /// Notes that the entry of a key may change.
    pub(crate) fn key(&self, layer: usize, variable: &'static str, key: Key) {
        self.note(layer, variable, |touch| match touch {
            Touch::Keys(keys) => keys.push(key),
            Touch::All => {}
        });
    }

    /// Notes that anything of the variable may change.
    pub(crate) fn all(&self, layer: usize, variable: &'static str) {
        self.note(layer, variable, |touch| *touch = Touch::All);
    }

    fn note(&self, layer: usize, variable: &'static str, note: impl FnOnce(&mut Touch)) {
        let mut notes = self.notes.borrow_mut();
        let known = notes.iter().position(|(at, name, _)| usize::from(*at) == layer && *name == variable);
        let place = known.unwrap_or_else(|| {
            notes.push((layer as u8, variable, Touch::Keys(Vec::new())));
            notes.len() - 1
        });
        note(&mut notes[place].2);
    }
}

/// What was touched in one layer.
#[derive(Clone, Copy, Debug)]
pub struct TouchedIn<'t> {
    touched: &'t Touched,
    layer: u8,
}

impl TouchedIn<'_> {
    /// Gives what was touched of `variable`, if anything.
    pub(crate) fn of(&self, variable: &str, look: impl FnOnce(&Touch)) {
        let notes = self.touched.notes.borrow();
        let found = notes.iter().find(|(at, name, _)| *at == self.layer && *name == variable);
        if let Some((.., touch)) = found {
            look(touch);
        }
    }
}
