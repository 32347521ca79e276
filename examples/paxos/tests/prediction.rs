//! Consequence prediction against breadth first, from states in the middle of simulated runs of five Paxos servers: how deep each comes
//! within the same CPU time. A measurement, so it is run by hand, in a release build:
//!
//! `cargo test --release -p paxos --test prediction -- --ignored --nocapture`

#![expect(clippy::print_stdout, reason = "a measurement prints what it measures")]

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use foresee::check::{Options, Progress, Report, Search, check};
use foresee::kernel::{Arguments, Model};
use foresee::world::{Path, narrate};

foresee::include_spec!("paxos");

/// Seeds, and milliseconds at which their runs are left: in the middle, while both calls are under way. Once they are answered there are so
/// few states left that either search sees all.
const STATES: [(u64, u64); 6] = [(1, 60), (2, 80), (3, 100), (4, 80), (5, 80), (6, 100)];

fn model() -> Arc<Model> {
    let system = paxos::SPEC.systems.iter().find(|system| system.name == "Five").expect("there is one");
    Arc::new((system.build)(&Arguments::default()).expect("it has defaults"))
}

/// The way to a state of a run.
fn path(model: &Arc<Model>, (seed, millis): (u64, u64)) -> Path {
    let until = Some(Duration::from_millis(millis));
    let options = foresee::sim::Options { until, trace: true, ..foresee::sim::Options::default() };
    let run = foresee::sim::run(model, seed, &options).expect("it runs");
    let trace = run.trace.expect("it was recorded");
    narrate::replay(model, &trace).expect("it replays").0
}

/// Nanoseconds that a thread of this process was on a processor.
fn on_processor(thread: &str) -> u64 {
    let text = fs::read_to_string(format!("/proc/self/task/{thread}/schedstat")).expect("Linux");
    text.split(' ').next().and_then(|field| field.parse().ok()).expect("a number")
}

/// Searches until so much CPU time was spent.
#[expect(clippy::disallowed_methods, reason = "a measurement looks at the processor's time now and then")]
fn within(model: &Arc<Model>, from: &Path, search: Search, millis: u64) -> Report {
    let options = Options { search, from: Some(from.clone()), keep_going: true, ..Options::default() };
    let progress = Arc::new(Progress::default());
    let thread = fs::read_link("/proc/thread-self").expect("Linux");
    let thread = thread.file_name().expect("its number").to_string_lossy().into_owned();
    let over = AtomicBool::new(false);
    let end = on_processor(&thread) + millis * 1_000_000;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) && on_processor(&thread) < end {
                std::thread::sleep(Duration::from_micros(500));
            }
            progress.cancel();
        });
        let report = check(model, &options, &progress).expect("it can be checked");
        over.store(true, Ordering::Relaxed);
        report
    })
}

#[test]
#[ignore = "a measurement of seconds, for a release build"]
fn prediction_comes_deeper_than_breadth_first() {
    let model = model();
    let mut least = STATES.len() as u32;
    for millis in [100, 1_000] {
        println!(
            "| run | steps so far | breadth first: depth, states | prediction: depth, states | within {millis} ms |"
        );
        println!("|---|---|---|---|---|");
        let mut deeper = 0;
        for state in STATES {
            let from = path(&model, state);
            // What is searched first pays for memory that is touched for the first time: each goes first once, the second counts.
            let searches = [Search::BreadthFirst, Search::Consequences];
            searches.iter().for_each(|search| drop(within(&model, &from, *search, millis / 4)));
            let [breadth, prediction] = searches.map(|search| within(&model, &from, search, millis));
            deeper += u32::from(prediction.depth > breadth.depth);
            println!(
                "| seed {} at {} ms | {} | {}, {} | {}, {} | {:+} |",
                state.0,
                state.1,
                from.moves.len(),
                breadth.depth,
                breadth.unique_states,
                prediction.depth,
                prediction.unique_states,
                i64::from(prediction.depth) - i64::from(breadth.depth),
            );
        }
        least = least.min(deeper);
        println!("\ndeeper in {deeper} of {} at {millis} ms\n", STATES.len());
    }
    assert!(least >= 5, "deeper in {least} of {}", STATES.len());
}
