//! Who takes a service's steps: whoever comes with something for it, if nobody else does just then.
//!
//! ```text
//!   the task of a connection ──┐                          ┌──▶ what was sent, written at once
//!   a program's call ──────────┼──▶ Helm: one at a time ──┤
//!   the service's own task ────┘      │                   └──▶ answers, upcalls, changes for the disk
//!                                 what finds it taken waits in a queue
//! ```
//!
//! A message that arrives is handled by the task that read it, and what the step sends is written by that task too; a task of the service's own
//! would have to be woken in between, and its peer's as well. Whoever finds the helm taken leaves what it has in one of the queues
//! and goes on; whoever has the helm looks at them before it goes ([`Helm::drive`]). So nobody ever waits for a step of somebody else's.
//! What has to be waited for (the disk, the clock, room for upcalls) is the business of the service's own task.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering, fence};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use foresee_kernel::{Datum, NodeId, names};
use tokio::sync::Notify;

use crate::leaving::Leaving;
use crate::link::Input;
use crate::service::{Ask, Datagram, End, Service};
use crate::steps::{Life, Next};

/// The most steps that are taken in one go, before others that run in the same thread have their turn.
const STEPS_MAX: usize = 256;

/// A service that lives.
pub(crate) struct Core {
    pub service: Service,
    pub life: Life,
    /// Why the life ended, once it has.
    pub end: Option<End>,
    /// Whether something may still wait in a queue that there was no time for.
    pub more: bool,
}

/// The place where the steps of a service are taken, one after another.
pub(crate) struct Helm {
    /// The names of the nodes. It knows nothing else of the host: handles of a program keep it, and the host's ports are free when it stops.
    names: Arc<[String]>,
    /// None between lives.
    core: Mutex<Option<Core>>,
    /// Something was left in a queue.
    again: AtomicBool,
    stopped: AtomicBool,
    /// Calls the service's own task.
    pub call: Notify,
}

impl Helm {
    pub(crate) fn new(names: Arc<[String]>) -> Self {
        let (again, stopped) = (AtomicBool::new(false), AtomicBool::new(false));
        Helm { names, core: Mutex::new(None), again, stopped, call: Notify::new() }
    }

    /// Begins a life; nobody has the helm for long before.
    pub(crate) fn begin(&self, core: Core) {
        *self.core.lock().unwrap_or_else(PoisonError::into_inner) = Some(core);
    }

    /// The helm, if nobody has it.
    fn take(&self) -> Option<MutexGuard<'_, Option<Core>>> {
        match self.core.try_lock() {
            Ok(held) => Some(held),
            Err(TryLockError::Poisoned(held)) => Some(held.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// Takes the helm for the service's own task, and has all steps taken that can be, after `first`. The core, if its life has ended.
    pub(crate) async fn turn(&self, first: impl FnOnce(&mut Core)) -> Result<Look, Box<Core>> {
        loop {
            if let Some(held) = self.take() {
                return self.turn_with(held, first);
            }
            // Others have their turn meanwhile, and a step that takes long blocks none of them.
            tokio::task::yield_now().await;
        }
    }

    fn turn_with(
        &self,
        mut held: MutexGuard<'_, Option<Core>>,
        first: impl FnOnce(&mut Core),
    ) -> Result<Look, Box<Core>> {
        let Some(core) = &mut *held else { return Ok(Look::default()) };
        let more = names::scope(&self.names, || {
            core.life.tick();
            first(core);
            core.turn();
            std::mem::take(&mut core.more)
        });
        let (look, leaving) = (core.look(more), core.take_leaving());
        let ended = if core.end.is_some() { held.take() } else { None };
        drop(held);
        leaving.leave();
        self.catch_up();
        match ended {
            Some(core) => Err(Box::new(core)),
            None => Ok(look),
        }
    }

    /// Has steps taken for what was left in a queue: by the caller, or by whoever takes some.
    pub(crate) fn drive(&self) {
        self.again.store(true, Ordering::SeqCst);
        self.catch_up();
    }

    fn catch_up(&self) {
        loop {
            // Who leaves something says so before it finds the helm taken; who had it looks after it has let go. One of them sees the other.
            fence(Ordering::SeqCst);
            if !self.again.load(Ordering::SeqCst) {
                return;
            }
            let Some(mut held) = self.take() else { return };
            self.again.store(false, Ordering::SeqCst);
            if self.stopped.load(Ordering::SeqCst) {
                let core = held.take();
                drop(held);
                drop(core);
                continue;
            }
            let Some(core) = &mut *held else { continue };
            let leaving = self.turn_by_the_way(core, Core::turn);
            drop(held);
            leaving.leave();
        }
    }

    /// Hands over messages that came from `from`, as many as are taken now; the others stay.
    pub(crate) fn deliver(&self, life: u64, from: NodeId, carrier: u8, messages: &mut VecDeque<Datum>) {
        self.at_once(|core| {
            while core.life.number == life
                && core.is_ready(true)
                && let Some(message) = messages.pop_front()
            {
                core.happen(Next::Input(Input::Message { from, carrier, message }));
            }
        });
    }

    /// Hands over a datagram; it comes back where it is not taken now.
    pub(crate) fn datagram(&self, datagram: Datagram) -> Option<Datagram> {
        let mut datagram = Some(datagram);
        self.at_once(|core| {
            if core.is_ready(true)
                && let Some((from, carrier, message)) = datagram.take()
            {
                core.happen(Next::Input(Input::Message { from, carrier, message }));
            }
        });
        datagram
    }

    /// Does what a program asks; it comes back where there is no time for it now.
    pub(crate) fn ask(&self, ask: Ask) -> Option<Ask> {
        let mut ask = Some(ask);
        self.at_once(|core| {
            if core.is_ready(false)
                && let Some(ask) = ask.take()
            {
                core.happen(Next::Ask(ask));
            }
        });
        ask
    }

    /// Takes the helm if nobody has it.
    fn at_once(&self, steps: impl FnOnce(&mut Core)) {
        if let Some(mut held) = self.take()
            && let Some(core) = &mut *held
        {
            let leaving = self.turn_by_the_way(core, steps);
            drop(held);
            leaving.leave();
        }
        self.catch_up();
    }

    /// Takes steps for somebody who has other business.
    fn turn_by_the_way(&self, core: &mut Core, steps: impl FnOnce(&mut Core)) -> Leaving {
        let more = names::scope(&self.names, || {
            core.life.tick();
            steps(core);
            // What else waits in the queues was put there by somebody who has it looked at.
            if !core.life.is_clear() {
                core.turn();
            }
            std::mem::take(&mut core.more)
        });
        if more || core.wants_its_task() {
            self.call.notify_one();
        }
        core.take_leaving()
    }

    /// Takes no more steps, and lets go of the service.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::SeqCst);
        self.drive();
    }
}

/// What the service's own task has to wait for.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Look {
    /// The next timer.
    pub timer: Option<tokio::time::Instant>,
    /// Whether upcalls wait for room.
    pub upcalls: bool,
    /// Whether there is more to do at once.
    pub more: bool,
}

impl Core {
    /// Takes steps for whatever waits, in turn, as far as it may happen now.
    fn turn(&mut self) {
        for _ in 0..STEPS_MAX {
            if self.end.is_some() {
                return;
            }
            if let Err(reason) = self.service.release(&mut self.life) {
                self.end = Some(End::Disk(reason));
                return;
            }
            let Some(next) = self.service.next(&mut self.life) else { return };
            self.happen(next);
        }
        self.more = true;
    }

    fn happen(&mut self, next: Next) {
        if let Err(fault) = self.service.happen(&mut self.life, next) {
            self.end = Some(End::Fault(fault));
        }
    }

    /// Whether the next thing may happen at once: nothing waits before it. `reads` where it comes from the network.
    fn is_ready(&mut self, reads: bool) -> bool {
        if !self.life.is_clear() || !self.service.is_first(&self.life, reads) {
            self.turn();
            if !self.service.is_first(&self.life, reads) {
                return false;
            }
        }
        !self.more && self.end.is_none() && self.service.is_ready(&mut self.life, reads)
    }

    /// Whether the service's own task must look: the life has ended, or there is something to wait for that it does not know of.
    fn wants_its_task(&mut self) -> bool {
        self.end.is_some() || self.life.has_news()
    }

    fn look(&mut self, more: bool) -> Look {
        self.life.has_news();
        Look { timer: self.life.next_timer(), upcalls: self.life.holds_upcalls(), more }
    }

    fn take_leaving(&mut self) -> Leaving {
        std::mem::take(&mut self.life.leaving)
    }

    /// Takes one step for the service's own task.
    pub(crate) fn take(&mut self, next: Next) {
        if self.end.is_none() {
            self.happen(next);
        }
    }
}
