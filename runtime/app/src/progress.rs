//! Progress on a terminal: a line that is redrawn while a command takes long. Nothing where standard error is no terminal.

use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

const REDRAW: Duration = Duration::from_millis(200);

/// A line that tells how far a search is, redrawn by a thread of its own until it is dropped.
pub struct Ticker {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Ticker {
    /// Starts redrawing what `line` says.
    #[expect(
        clippy::disallowed_methods,
        reason = "a line on the terminal is redrawn as time passes; nothing depends on it"
    )]
    pub fn start(line: impl Fn() -> String + Send + 'static) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        if !io::stderr().is_terminal() {
            return Ticker { stop, thread: None };
        }
        let stopped = stop.clone();
        let thread = thread::spawn(move || {
            let bar = ProgressBar::new_spinner();
            while !stopped.load(Ordering::Relaxed) {
                bar.set_message(line());
                bar.tick();
                thread::sleep(REDRAW);
            }
            bar.finish_and_clear();
        });
        Ticker { stop, thread: Some(thread) }
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // A line that could not be drawn is no reason to fail.
            let _ = thread.join();
        }
    }
}

/// A bar over a known number of runs; hidden where standard error is no terminal.
pub fn bar(runs: u64) -> ProgressBar {
    if !io::stderr().is_terminal() || runs < 2 {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} runs, {eta} to go");
    ProgressBar::new(runs).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
