//! Signals. Ctrl-C: the first asks what runs to end in good order, the second ends the process. A file that grows beyond
//! its limit: an error of the write.

use std::sync::Mutex;

type Ask = Box<dyn Fn() + Send>;

/// What to ask to end. Emptied by the first interrupt.
static RUNNING: Mutex<Option<Vec<Ask>>> = Mutex::new(None);

/// Calls `ask` when the user interrupts. Where no handler can be installed, it is never called.
pub fn on_interrupt(ask: impl Fn() + Send + 'static) {
    let Ok(mut running) = RUNNING.lock() else { return };
    if running.is_none() {
        // An earlier handler of the embedding program stays: then its owner decides.
        let _ = ctrlc::set_handler(interrupted);
    }
    running.get_or_insert_with(Vec::new).push(Box::new(ask));
}

/// A write beyond the limit on the size of files is an error like any other from now on, and not the end of the process.
pub fn outlive_full_files() {
    #[cfg(unix)]
    // SAFETY: ignoring a signal installs no handler, and nothing here relies on what the signal did before.
    unsafe {
        libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the second interrupt ends the process without waiting for anything"
)]
fn interrupted() {
    let asked = RUNNING.lock().map(|mut running| running.as_mut().map(std::mem::take).unwrap_or_default());
    let asked = asked.unwrap_or_default();
    if asked.is_empty() {
        std::process::exit(i32::from(crate::Exit::Inconclusive.code()));
    }
    asked.iter().for_each(|ask| ask());
}
