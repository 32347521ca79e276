//! Waiting states go to disk where memory is short, and nothing that is reported depends on it.

use std::path::PathBuf;
use std::sync::Arc;

use foresee_check::{CheckError, Options, Progress, Report, Tuning, check_with};
use foresee_kernel::Model;
use foresee_tests::two_phase_commit;

fn run(model: &Arc<Model>, options: &Options, frontier_max: Option<u64>) -> Result<Report, CheckError> {
    let tuning = Tuning { frontier_max, ..Tuning::default() };
    check_with(model, options, &tuning, &Arc::new(Progress::default()))
}

#[test]
fn what_is_on_disk_is_explored_as_what_is_in_memory() {
    let model = Arc::new(two_phase_commit::model(6, false));
    for threads in [1, 2] {
        let options = Options { threads, ..Options::default() };
        let inside = run(&model, &options, None).expect("it can be checked");
        let outside = run(&model, &options, Some(0)).expect("it can be checked");
        assert_eq!((inside.memory.spilled, inside.unique_states), (0, 50_816));
        assert!(outside.memory.spilled > 1 << 20, "{:?}", outside.memory);
        assert!(outside.memory.frontier < inside.memory.frontier, "{:?}", outside.memory);
        assert_eq!(outside.unique_states, inside.unique_states, "{threads}");
        assert_eq!(outside.transitions, inside.transitions, "{threads}");
        assert_eq!(outside.depth_histogram, inside.depth_histogram, "{threads}");
        assert_eq!((outside.verdict, outside.properties), (inside.verdict, inside.properties));
    }
}

#[test]
fn a_counterexample_leads_through_what_was_on_disk() {
    let model = Arc::new(two_phase_commit::model(5, true));
    let path = |frontier_max| {
        let report = run(&model, &Options::default(), frontier_max).expect("it can be checked");
        report.counterexample.expect("it is violated")
    };
    assert_eq!(path(Some(0)), path(None));
}

#[test]
fn a_folder_that_takes_nothing_is_an_error_that_names_it() {
    let model = Arc::new(two_phase_commit::model(6, false));
    for threads in [1, 2] {
        let spill_dir = Some(PathBuf::from("/there/is/no/such/folder"));
        let options = Options { threads, spill_dir, ..Options::default() };
        let error = run(&model, &options, Some(0)).expect_err("nothing can be written there");
        assert!(matches!(error, CheckError::Spill { .. }), "{error:?}");
        assert!(error.to_string().contains("/there/is/no/such/folder"), "{error}");
        run(&model, &options, None).expect("it is not needed where there is memory");
    }
}
