//! What a crate with generated services depends on.
//!
//! ```ignore
//! foresee::include_spec!("ping");
//!
//! fn main() -> std::process::ExitCode {
//!     foresee::app::main(&ping::SPEC)
//! }
//! ```
//!
//! [`include_spec!`] includes what the build script made of `specs/ping.mace`: a module of the spec's name with its
//! services, their messages, and `SPEC`, which every driver starts from. Generated code names this crate and `std`.

pub use foresee_app as app;
pub use foresee_check as check;
pub use foresee_derive::Value;
pub use foresee_kernel as kernel;
pub use foresee_kernel::{NodeId, Reply};
pub use foresee_net as net;
pub use foresee_sim as sim;
pub use foresee_world as world;
pub use serde;

/// Includes the module of the spec `$name`, which the build script compiled.
#[macro_export]
macro_rules! include_spec {
    ($name:literal) => {
        ::core::include!(::core::concat!(::core::env!("OUT_DIR"), "/", $name, ".mace.rs"));
    };
}
