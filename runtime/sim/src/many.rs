//! Many runs on threads, handed over in the order of their seeds: the only place of this crate that has threads.

use std::collections::BTreeMap;
use std::ops::{ControlFlow, Range};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use foresee_kernel::Model;

use crate::{Options, Run, SimError, run};

/// How many runs a thread may be ahead of the one that is handed over next.
const AHEAD_MAX: u64 = 16;

/// Runs `model` once for each of `seeds`, on at most `threads` threads, and hands the runs to `each` in the order of
/// seeds. What `each` is given does not depend on the number of threads.
///
/// # Errors
/// The first seed, in their order, of which there is no run; the runs before it were handed over.
pub fn runs(
    model: &Arc<Model>,
    seeds: Range<u64>,
    threads: usize,
    options: &Options,
    each: &mut dyn FnMut(Run),
) -> Result<(), SimError> {
    runs_while(model, seeds, threads, options, &mut |run| {
        each(run);
        ControlFlow::Continue(())
    })
}

/// As [`runs`], until `each` has seen enough.
///
/// # Errors
/// Those of [`runs`].
pub fn runs_while(
    model: &Arc<Model>,
    seeds: Range<u64>,
    threads: usize,
    options: &Options,
    each: &mut dyn FnMut(Run) -> ControlFlow<()>,
) -> Result<(), SimError> {
    let count = seeds.end.saturating_sub(seeds.start);
    let threads = (threads.max(1) as u64).min(count);
    if threads <= 1 {
        for seed in seeds {
            if each(run(model, seed, options)?).is_break() {
                break;
            }
        }
        return Ok(());
    }
    let crew = Crew::new(seeds.clone(), threads);
    std::thread::scope(|scope| {
        // Whichever way this ends, the crew goes home.
        let _done = Dismissal(&crew);
        for _ in 0..threads {
            scope.spawn(|| crew.work(|seed| run(model, seed, options)));
        }
        for seed in seeds {
            if each(crew.wait_for(seed)?).is_break() {
                break;
            }
        }
        Ok(())
    })
}

/// Threads that make runs, and what they have made.
struct Crew {
    desk: Mutex<Desk>,
    changed: Condvar,
    ahead_max: u64,
}

struct Desk {
    /// The next seed that nobody has taken, and the end of seeds.
    todo: Range<u64>,
    /// The seed that is handed over next.
    wanted: u64,
    made: BTreeMap<u64, Result<Run, SimError>>,
    dismissed: bool,
}

struct Dismissal<'c>(&'c Crew);

impl Drop for Dismissal<'_> {
    fn drop(&mut self) {
        self.0.lock().dismissed = true;
        self.0.changed.notify_all();
    }
}

impl Crew {
    fn new(todo: Range<u64>, threads: u64) -> Self {
        let wanted = todo.start;
        let desk = Desk { todo, wanted, made: BTreeMap::new(), dismissed: false };
        Crew { desk: Mutex::new(desk), changed: Condvar::new(), ahead_max: AHEAD_MAX * threads }
    }

    /// A thread that panicked leaves nothing half done on the desk.
    fn lock(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self, make: impl Fn(u64) -> Result<Run, SimError>) {
        while let Some(seed) = self.take() {
            let made = make(seed);
            self.lock().made.insert(seed, made);
            self.changed.notify_all();
        }
    }

    fn take(&self) -> Option<u64> {
        let mut desk = self.lock();
        loop {
            if desk.dismissed || desk.todo.is_empty() {
                return None;
            }
            if desk.todo.start < desk.wanted.saturating_add(self.ahead_max) {
                return desk.todo.next();
            }
            desk = self.changed.wait(desk).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn wait_for(&self, seed: u64) -> Result<Run, SimError> {
        let mut desk = self.lock();
        loop {
            if let Some(made) = desk.made.remove(&seed) {
                desk.wanted = seed.saturating_add(1);
                drop(desk);
                self.changed.notify_all();
                return made;
            }
            desk = self.changed.wait(desk).unwrap_or_else(PoisonError::into_inner);
        }
    }
}
