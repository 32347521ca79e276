//! Services written by hand against the kernel, for tests of the engines: what they do does not depend on the compiler.
//!
//! [`two_phase_commit`] is shaped as generated code is, and says what the engines need of it.

pub mod two_phase_commit;
