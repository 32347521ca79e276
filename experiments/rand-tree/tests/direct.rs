//! What the protocol whose places are taken at once is good for, and what it is not.

use std::ffi::OsString;

use foresee::app::Exit;

foresee::include_spec!("rand_tree_direct");

fn run(args: &[&str]) -> (Exit, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let args = ["rand-tree-direct"].iter().chain(args).map(OsString::from);
    let exit = foresee::app::run(&rand_tree_direct::SPEC, args, &mut out, &mut err);
    (exit, [out, err].map(|text| String::from_utf8(text).expect("UTF-8")).concat())
}

/// Four nodes and one crash are enough for it. So `rand_tree` asks the root.
#[test]
fn nodes_that_move_at_once_can_come_to_stand_below_each_other() {
    let (exit, told) = run(&["check", "--system", "Small", "--param", "size=4", "--property", "no_loop"]);
    assert_eq!(exit, Exit::Violation, "{told}");
    assert!(told.contains("`no_loop` (") && told.contains("is violated"), "{told}");
}

#[test]
fn whole_subtrees_that_fail_and_return_break_nothing() {
    let (exit, told) = run(&["simulate", "--system", "Internet", "--seeds", "0..20", "--until", "300s"]);
    assert_eq!(exit, Exit::Held, "{told}");
}
