//! What a crate with generated services depends on: the runtime's crates under one name.
//!
//! ```text
//! // build.rs
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     foresee_compiler::configure().compile(&["specs/ping.mace"])?;
//!     Ok(())
//! }
//!
//! // src/main.rs
//! foresee::include_spec!("ping");
//!
//! fn main() -> std::process::ExitCode {
//!     foresee::app::main(&ping::SPEC)
//! }
//! ```
//!
//! Generated code names this crate and `std` alone. It never depends on the compiler. Read `kernel` next: what a service is.

pub mod support;

pub use foresee_app as app;
pub use foresee_check as check;
pub use foresee_derive::Value;
pub use foresee_kernel as kernel;
#[cfg(feature = "live")]
pub use foresee_live::{self as live, Host};
pub use foresee_measure as measure;
pub use foresee_net as net;
pub use foresee_predict as predict;
pub use foresee_sim::{self as sim, Sim};
pub use foresee_world as world;
#[doc(hidden)]
pub use serde;

/// Includes the module of the spec `NAME.mace`, which the build script compiled: `include_spec!("NAME")`.
#[macro_export]
macro_rules! include_spec {
    ($name:literal) => {
        include!(concat!(env!("OUT_DIR"), "/", $name, ".mace.rs"));
        // Cargo notes what is asked here: `foresee cargo` answers, so that going from it to plain cargo or back
        // compiles the crate anew, with the right names of files in its errors and panics.
        const _: Option<&str> = option_env!("FORESEE_SPEC_PLACES");
    };
}
