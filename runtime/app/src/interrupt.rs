//! Ctrl-C: the first asks a running search to end in good order, the second ends the process.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

static FLAGS: Mutex<Vec<Arc<AtomicBool>>> = Mutex::new(Vec::new());

/// A flag that is set when the user interrupts. Where no handler can be installed it stays clear.
pub fn flag() -> Arc<AtomicBool> {
    let flag = Arc::new(AtomicBool::new(false));
    if let Ok(mut flags) = FLAGS.lock() {
        if flags.is_empty() {
            // An earlier handler of the embedding program stays: then its owner decides.
            let _ = ctrlc::set_handler(|| {
                let Ok(flags) = FLAGS.lock() else { return };
                let again = flags.iter().all(|flag| flag.swap(true, Ordering::Relaxed));
                if again {
                    std::process::exit(i32::from(crate::Exit::Inconclusive.code()));
                }
            });
        }
        flags.push(flag.clone());
    }
    flag
}
