//! Services written by hand against the kernel, for tests of the engines: what they do does not depend on the compiler.
//!
//! [`two_phase_commit`] is shaped as generated code is, and says what the engines need of it. [`random`] makes small
//! systems from bytes, for engines to be compared on.

pub mod examples;
pub mod random;
pub mod two_phase_commit;
