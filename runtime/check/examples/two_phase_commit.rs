//! How fast two-phase commit is checked: `cargo run --release -p foresee-check --example two_phase_commit -- 8 bfs 1`.
//!
//! Prints unique states, transitions, CPU seconds, unique states per CPU second, and bytes a state, by what holds them.

#![allow(clippy::print_stdout, clippy::disallowed_methods)]

use std::sync::Arc;
use std::time::Instant;

use foresee_check::{Options, Progress, Search, check};
use foresee_tests::two_phase_commit;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let number = |place: usize, default: usize| {
        arguments.get(place).and_then(|text| text.parse().ok()).unwrap_or(default)
    };
    let (rms, threads) = (number(1, 8), number(3, 1));
    let search = match arguments.get(2).map(String::as_str) {
        Some("dfs") => Search::DepthFirst,
        _ => Search::BreadthFirst,
    };
    let model = Arc::new(two_phase_commit::model(rms, false));
    let options = Options { search, threads, ..Options::default() };
    let (wall, cpu) = (Instant::now(), cpu_seconds());
    let report = check(&model, &options, &Arc::new(Progress::default())).expect("it can be checked");
    let (wall, cpu) = (wall.elapsed().as_secs_f64(), cpu_seconds() - cpu);
    let states = report.unique_states as f64;
    println!(
        "rms {rms} {search:?} threads {threads}: {} states, {} transitions, {:?}; {cpu:.3} s CPU, {wall:.3} s; \
         {:.0} k states/CPU s, {:.1} M transitions/CPU s",
        report.unique_states,
        report.transitions,
        report.verdict,
        states / cpu / 1e3,
        report.transitions as f64 / cpu / 1e6,
    );
    let memory = report.memory;
    println!(
        "  peak {:.1} bytes a state, counted {:.1}: visited {:.1}, frontier {:.1}, log {:.1}, interner {:.2}, memo {:.2}; {:?}",
        memory.peak_rss.unwrap_or(0) as f64 / states,
        memory.counted() as f64 / states,
        memory.visited as f64 / states,
        memory.frontier as f64 / states,
        memory.log as f64 / states,
        memory.interner as f64 / states,
        memory.memo as f64 / states,
        report.memo,
    );
}

/// User and system time of this process so far.
#[cfg(unix)]
fn cpu_seconds() -> f64 {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: the call fills in the structure; zeroed is a value of it even where the call fails.
    let usage = unsafe {
        libc::getrusage(libc::RUSAGE_SELF, usage.as_mut_ptr());
        usage.assume_init()
    };
    let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
    seconds(usage.ru_utime) + seconds(usage.ru_stime)
}

#[cfg(not(unix))]
fn cpu_seconds() -> f64 {
    0.0
}
