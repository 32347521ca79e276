//! Names of nodes for people: while a [`scope`] is open on this thread, a [`NodeId`] prints as its system names it.
//!
//! Names never take part in a step: they are read by `Debug` and `Display` alone.

use std::cell::Cell;
use std::ptr;
use std::sync::Arc;

use crate::NodeId;

thread_local! {
    /// The names of the innermost scope that is open; null where none is.
    static NAMES: Cell<*const Arc<[String]>> = const { Cell::new(ptr::null()) };
}

/// The name of `id` in the scope that is open on this thread, if any.
pub fn of(id: NodeId) -> Option<String> {
    // SAFETY: what stands here was borrowed by the call of `scope` that is innermost, which takes it away before it returns or unwinds.
    let names = unsafe { NAMES.get().as_ref() };
    names.and_then(|names| names.get(id.index()).cloned())
}

/// Runs `body` with `names[i]` as the name of node `i`; the scope that was open before is restored afterwards.
pub fn scope<R>(names: &Arc<[String]>, body: impl FnOnce() -> R) -> R {
    struct Restore(*const Arc<[String]>);
    impl Drop for Restore {
        fn drop(&mut self) {
            NAMES.set(self.0);
        }
    }
    // Live nodes open one with every turn: none is counted.
    let _restore = Restore(NAMES.replace(names));
    body()
}
