//! In the steady state a message and a timer cost no allocation: counted by an allocator that counts.

mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use foresee_kernel::{DelayModel, Event, Model, NodeId};
use foresee_sim::{Ending, Options, run};
use support::{Behaviour, Message, Timer, reliable_stage, stage};

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

/// The allocator of the system, which counts what each thread asks of it.
struct Counting;

// SAFETY: all is passed on to the allocator of the system; the counter needs no memory of its own.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller keeps the contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller keeps the contract.
        unsafe { System.realloc(place, layout, size) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract.
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

const NODES: usize = 200;

/// Throws a ball back, puts a timer off with each, arms another in steps, and disarms a third.
const BUSY: Behaviour = |this, event, ctx| match event {
    Event::Start => {
        ctx.set(Timer(0), Duration::from_millis(30));
        ctx.set(Timer(1), Duration::from_millis(7));
        ctx.send(0, NodeId::new((ctx.me().index() as u32 + 1) % NODES as u32), Message::Ball(0));
    }
    Event::Deliver { src, message, .. } => {
        this.count = this.count.wrapping_add(1);
        if let Some(Message::Ball(throws)) = message.get() {
            ctx.send(0, *src, Message::Ball(throws + 1));
        }
        ctx.set(Timer(0), Duration::from_millis(30));
        match ctx.is_set(Timer(2)) {
            true => ctx.cancel(Timer(2)),
            false => ctx.set(Timer(2), Duration::from_millis(3)),
        }
    }
    Event::Timer(timer) if timer.get() == Some(&Timer(1)) => ctx.set(Timer(1), Duration::from_millis(7)),
    _ => {}
};

/// How often a run of so many events allocates.
fn allocations(model: &Arc<Model>, events: u64) -> u64 {
    let options = Options { events_max: Some(events), ..Options::default() };
    let before = ALLOCATIONS.with(Cell::get);
    let run = run(model, 1, &options).expect("it runs");
    let after = ALLOCATIONS.with(Cell::get);
    assert_eq!((run.events, run.ending), (events, Ending::EventsMax));
    after - before
}

/// The first half of a run grows what it needs. What the second half asks for beyond it is room that grew once more, by chance.
#[test]
fn messages_and_timers_allocate_nothing_in_the_steady_state() {
    const HALF: u64 = 200_000;
    const GROWTH_MOST: u64 = HALF / 2_000;
    let delays = [
        DelayModel::Constant(Duration::from_millis(5)),
        DelayModel::Uniform(Duration::from_millis(1), Duration::from_millis(10)),
        DelayModel::Exponential(Duration::from_millis(5)),
    ];
    for delay in delays {
        let datagrams = stage(NODES, BUSY, |carrier| (carrier.delay, carrier.loss) = (delay, 0.000_1));
        let connections = reliable_stage(NODES, BUSY, |carrier| carrier.delay = delay);
        for (name, model) in [("datagrams", datagrams), ("connections", connections)] {
            let model = Arc::new(model);
            let (one, two) = (allocations(&model, HALF), allocations(&model, 2 * HALF));
            let more = two.saturating_sub(one);
            assert!(more <= GROWTH_MOST, "{name}, {delay:?}: {one} in {HALF} events, {two} in twice as many");
        }
    }
}
