//! Room for recursion: whatever descends into a text runs here, and no text that is within the limits exhausts it.
//!
//! How deep a text may be nested is limited by name (`NESTING_DEPTH_MAX`, `EXPR_NESTING_MAX`, ..), how large the frames of an
//! unoptimised build are is not, and a caller's stack may be as small as that of a test's thread.

/// The stack that is made where less than half of it is left.
const STACK_BYTES: usize = 128 << 20;

/// Runs `work` on the caller's thread, on a stack that the deepest permitted text does not exhaust.
pub(crate) fn deep<T>(work: impl FnOnce() -> T) -> T {
    stacker::maybe_grow(STACK_BYTES / 2, STACK_BYTES, work)
}
