//! Specs of `ui/pass`: rustc takes what is generated from them, and each system can be looked at. `build.rs` has compiled them.

include!(concat!(env!("OUT_DIR"), "/pass.rs"));

#[test]
fn every_good_spec_becomes_rust_that_compiles() {
    // That this file was compiled is the test. One of them in use, so that the module is no mere text:
    assert_eq!(systems::SPEC.name, "systems");
}
