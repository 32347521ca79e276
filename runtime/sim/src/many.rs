//! Many runs on threads, handed over in the order of their numbers: the only place of this crate that has threads.

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
    in_order(seeds, threads, &|seed| run(model, seed, options), each)
}

/// What `make` gives for each of `numbers`, made on at most `threads` threads and handed over in the order of numbers until `each` has seen
/// enough.
///
/// # Errors
/// The first that `make` gives, in the order of numbers; what was made for those before it was handed over.
pub(crate) fn in_order<R: Send>(
    numbers: Range<u64>,
    threads: usize,
    make: &(dyn Fn(u64) -> Result<R, SimError> + Sync),
    each: &mut dyn FnMut(R) -> ControlFlow<()>,
) -> Result<(), SimError> {
    let count = numbers.end.saturating_sub(numbers.start);
    let threads = (threads.max(1) as u64).min(count);
    if threads <= 1 {
        for number in numbers {
            if each(make(number)?).is_break() {
                break;
            }
        }
        return Ok(());
    }
    let crew = Crew::new(numbers.clone(), threads);
    std::thread::scope(|scope| {
        // Whichever way this ends, the crew goes home.
        let _done = Dismissal(&crew);
        for _ in 0..threads {
            scope.spawn(|| crew.work(make));
        }
        for number in numbers {
            if each(crew.wait_for(number)?).is_break() {
                break;
            }
        }
        Ok(())
    })
}

/// Threads that make something for each number, and what they have made.
struct Crew<R> {
    desk: Mutex<Desk<R>>,
    changed: Condvar,
    ahead_max: u64,
}

struct Desk<R> {
    /// The next number that nobody has taken, and the end of numbers.
    todo: Range<u64>,
    /// The number that is handed over next.
    wanted: u64,
    made: BTreeMap<u64, Result<R, SimError>>,
    dismissed: bool,
}

struct Dismissal<'c, R>(&'c Crew<R>);

impl<R> Drop for Dismissal<'_, R> {
    fn drop(&mut self) {
        self.0.lock().dismissed = true;
        self.0.changed.notify_all();
    }
}

impl<R> Crew<R> {
    fn new(todo: Range<u64>, threads: u64) -> Self {
        let wanted = todo.start;
        let desk = Desk { todo, wanted, made: BTreeMap::new(), dismissed: false };
        Crew { desk: Mutex::new(desk), changed: Condvar::new(), ahead_max: AHEAD_MAX * threads }
    }

    /// A thread that panicked leaves nothing half done on the desk.
    fn lock(&self) -> MutexGuard<'_, Desk<R>> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self, make: &dyn Fn(u64) -> Result<R, SimError>) {
        while let Some(number) = self.take() {
            let made = make(number);
            self.lock().made.insert(number, made);
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

    fn wait_for(&self, number: u64) -> Result<R, SimError> {
        let mut desk = self.lock();
        loop {
            if let Some(made) = desk.made.remove(&number) {
                desk.wanted = number.saturating_add(1);
                drop(desk);
                self.changed.notify_all();
                return made;
            }
            desk = self.changed.wait(desk).unwrap_or_else(PoisonError::into_inner);
        }
    }
}
