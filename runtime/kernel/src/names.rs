//! Names of nodes for people: while a [`scope`] is open on this thread, a [`NodeId`] prints as its system names it.
//!
//! Names never take part in a step: they are read by `Debug` and `Display` alone.

use std::cell::RefCell;
use std::sync::Arc;

use crate::NodeId;

thread_local! {
    static NAMES: RefCell<Option<Arc<[String]>>> = const { RefCell::new(None) };
}

/// The name of `id` in the scope that is open on this thread, if any.
pub fn of(id: NodeId) -> Option<String> {
    NAMES.with(|names| names.borrow().as_ref().and_then(|names| names.get(id.index()).cloned()))
}

/// Runs `body` with `names[i]` as the name of node `i`; the scope that was open before is restored afterwards.
pub fn scope<R>(names: &Arc<[String]>, body: impl FnOnce() -> R) -> R {
    struct Restore(Option<Arc<[String]>>);
    impl Drop for Restore {
        fn drop(&mut self) {
            NAMES.with(|names| *names.borrow_mut() = self.0.take());
        }
    }
    let _restore = Restore(NAMES.with(|current| current.replace(Some(names.clone()))));
    body()
}
