//! Faults of a handler: a panic, a failed assertion, a choice from nothing. The step then has no effect.
//!
//! Handlers are run under [`guard`], which turns an unwinding into a [`Fault`] and keeps the process's panic
//! hook from printing. Caveat: a crate built with `panic = "abort"` cannot be guarded.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

/// Why a step had no effect: the built-in safety property `no_fault` is violated.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fault {
    /// What the panic or assertion said.
    pub message: String,
    /// `file:line:column` of the panic, where known.
    pub place: Option<String>,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Some(place) => write!(f, "{} (at {place})", self.message),
            None => f.write_str(&self.message),
        }
    }
}

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

static HOOK: Once = Once::new();

/// Ends the running step with a fault that says `message`. Must be called under [`guard`].
pub fn raise(message: impl Into<String>) -> ! {
    panic::resume_unwind(Box::new(Fault { message: message.into(), place: None }))
}

/// Whether this runs under [`guard`], as every step does.
pub(crate) fn guarded() -> bool {
    GUARDED.with(Cell::get)
}

/// Runs `body`; a panic in it becomes an `Err` and prints nothing.
///
/// # Errors
/// The fault that ended `body`.
pub fn guard<R>(body: impl FnOnce() -> R) -> Result<R, Fault> {
    HOOK.call_once(|| {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if GUARDED.with(Cell::get) {
                let place = info.location().map(ToString::to_string);
                PLACE.with(|slot| *slot.borrow_mut() = place);
            } else {
                previous(info);
            }
        }));
    });
    let outer = GUARDED.with(|flag| flag.replace(true));
    let result = panic::catch_unwind(AssertUnwindSafe(body));
    GUARDED.with(|flag| flag.set(outer));
    result.map_err(|payload| describe(&*payload))
}

fn describe(payload: &(dyn Any + Send)) -> Fault {
    let place = PLACE.with(|slot| slot.borrow_mut().take());
    if let Some(fault) = payload.downcast_ref::<Fault>() {
        return fault.clone();
    }
    let message = match (payload.downcast_ref::<&'static str>(), payload.downcast_ref::<String>()) {
        (Some(text), _) => (*text).to_owned(),
        (_, Some(text)) => text.clone(),
        _ => "a handler panicked".to_owned(),
    };
    Fault { message, place }
}
