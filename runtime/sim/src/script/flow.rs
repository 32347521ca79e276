//! How a script lets time pass: `run`, `run 10s`, `run until P`.

use std::time::Duration;

use foresee_kernel::View;

use super::{Player, SCRIPT_EVENTS_MAX, Trouble};
use crate::network::nanos;
use crate::queue::Kind;

impl Player {
    /// Messages arrive, in the order of their times, until none is in flight. Timers that come due meanwhile wait.
    pub(super) fn run_quiet(&mut self) -> Result<(), Trouble> {
        let most = self.engine.events + SCRIPT_EVENTS_MAX;
        let mut waiting = Vec::new();
        let mut done = Ok(());
        while self.engine.violation.is_none() {
            let Some(entry) = self.engine.queue.pop() else { break };
            if entry.kind() == Kind::Timer {
                waiting.push(entry);
                continue;
            }
            if self.engine.events == most {
                self.engine.queue.push(entry);
                let reason = format!("messages are still in flight after {SCRIPT_EVENTS_MAX} have arrived");
                done = Err(Trouble::new(reason).with("`run 10s` lets a given time pass"));
                break;
            }
            self.engine.happen(entry);
        }
        waiting.into_iter().for_each(|entry| self.engine.queue.push(entry));
        done
    }

    /// Everything happens that comes within `time`, and the clock stands at its end.
    pub(super) fn run_for(&mut self, time: Duration) -> Result<(), Trouble> {
        let most = self.engine.events + SCRIPT_EVENTS_MAX;
        let end = self.engine.now.get().saturating_add(nanos(time));
        while self.engine.violation.is_none() {
            if self.engine.queue.first().is_none_or(|entry| entry.at > end) {
                self.engine.now.set(end);
                return Ok(());
            }
            if self.engine.events == most {
                return Err(Trouble::new(format!(
                    "more than {SCRIPT_EVENTS_MAX} events come within {time:?}"
                )));
            }
            let Some(entry) = self.engine.queue.pop() else { break };
            self.engine.happen(entry);
        }
        Ok(())
    }

    /// Everything happens that comes, until `holds`.
    pub(super) fn run_until(&mut self, holds: fn(&View<'_>) -> bool) -> Result<(), Trouble> {
        let most = self.engine.events + SCRIPT_EVENTS_MAX;
        while self.engine.violation.is_none() {
            if self.look(&holds)? {
                return Ok(());
            }
            if self.engine.events == most {
                return Err(Trouble::new(format!("this does not hold after {SCRIPT_EVENTS_MAX} events")));
            }
            let before = self.engine.events;
            while self.engine.events == before {
                let Some(entry) = self.engine.queue.pop() else {
                    return Err(Trouble::new("this does not hold, and nothing more will happen"));
                };
                self.engine.happen(entry);
            }
        }
        Ok(())
    }
}
