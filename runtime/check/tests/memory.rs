//! The budget of memory ends a search in good order. Alone in its process, since the budget is also on what that has resident.

use std::sync::Arc;

use foresee_check::{Cut, Options, Progress, Report, Search, Status, Verdict, check};
use foresee_kernel::Model;
use foresee_tests::two_phase_commit;

fn run(model: &Arc<Model>, options: &Options) -> Report {
    check(model, options, &Arc::new(Progress::default())).expect("it can be checked")
}

#[test]
fn a_budget_of_memory_ends_the_search_within_it() {
    let model = Arc::new(two_phase_commit::model(9, false));
    let base = run(&model, &Options { max_states: Some(1), ..Options::default() }).memory.peak_rss;
    for (search, threads) in [(Search::BreadthFirst, 1), (Search::DepthFirst, 1), (Search::BreadthFirst, 2)] {
        let most = base.unwrap_or(64 << 20) + (2 << 20);
        let options = Options { search, threads, max_memory: Some(most), ..Options::default() };
        let report = run(&model, &options);
        assert_eq!((report.verdict, report.complete), (Verdict::Inconclusive, false));
        assert_eq!(report.cut_by.iter().map(|cut| cut.by).collect::<Vec<_>>(), [Cut::Memory]);
        assert!(report.properties.iter().all(|property| property.status == Status::Unknown));
        assert!(report.memory.counted() <= most, "{:?}", report.memory);
        assert!(report.unique_states > 1_000, "{search:?}, {threads}: {}", report.unique_states);
    }
}
