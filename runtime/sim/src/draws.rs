//! Which numbers are drawn for what: the layout of a seed.
//!
//! | for | place | number |
//! |---|---|---|
//! | a message's loss, doubling and delays | sender, receiver | how many messages the sender sent before it |
//! | the moment of a timer armed with a range | node | how many such moments the node drew before |
//! | a chance in a handler | node | how many chances the node drew before |
//! | a choice in a handler | node | how many choices the node made before |
//! | where a connection of a node is cut off, and how long word of it is under way | node | how many of these before |
//! | a line of the workload or of the faults | line | how many of its numbers before |
//! | how long a node stays up, or down, by a law of churn | node | how many such times the node drew before |
//! | the work of a node on a message | node | how many messages came to it before |
//!
//! So runs of one seed that differ in a choice keep the numbers of all that they have in common. This table is part of
//! the format of a seed; golden hashes test it. An exact solution goes through all that they could be instead ([`Dice`]).

use std::cell::RefCell;
use std::rc::Rc;

use foresee_kernel::NodeId;
use foresee_net::{Purpose, Stream};

use crate::exact::dice::{Dice, Numbers, Place};

const LINK: Purpose = Purpose(1);
const TIMER: Purpose = Purpose(2);
const CHANCE: Purpose = Purpose(3);
const CHOICE: Purpose = Purpose(4);
const OUTAGE: Purpose = Purpose(5);
const CALL: Purpose = Purpose(6);
const FAULT: Purpose = Purpose(7);
const WORK: Purpose = Purpose(9);
const CHURN: Purpose = Purpose(10);

/// The `number`-th draw of a line of the faults in a run of `seed`.
pub fn fault_draw(seed: u64, line: usize, number: u64) -> Stream {
    Stream::new(seed, FAULT, (line as u32, 0), number)
}

/// How much every node has drawn so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Draws {
    seed: u64,
    nodes: Vec<Drawn>,
    /// Where all that could be drawn is gone through.
    dice: Option<Rc<RefCell<Dice>>>,
}

/// In a line of the cache.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(64))]
struct Drawn {
    sends: u64,
    timers: u64,
    chances: u64,
    choices: u64,
    outages: u64,
    works: u64,
    turns: u64,
}

fn next(counter: &mut u64) -> u64 {
    let number = *counter;
    *counter += 1;
    number
}

impl Draws {
    pub fn new(seed: u64, nodes: usize) -> Self {
        Draws { seed, nodes: vec![Drawn::default(); nodes], dice: None }
    }

    /// Where the counts of a node are, to be fetched ahead.
    #[inline]
    pub fn place(&self, node: usize) -> *const u8 {
        self.nodes.as_ptr().wrapping_add(node).cast()
    }

    /// From now on numbers are those of another seed.
    pub fn reseed(&mut self, seed: u64) {
        self.seed = seed;
    }

    /// Lets all that could be drawn be gone through.
    pub fn throw(&mut self, dice: Rc<RefCell<Dice>>) {
        self.dice = Some(dice);
    }

    fn numbers(&self, place: Place, purpose: Purpose, key: (u32, u32), number: u64) -> Numbers {
        let stream = Stream::new(self.seed, purpose, key, number);
        match &self.dice {
            None => Numbers::Drawn(stream),
            Some(dice) => {
                dice.borrow_mut().stand_at(place);
                Numbers::Thrown(dice.clone(), stream)
            }
        }
    }

    /// The number of the next message of `src`.
    pub fn send(&mut self, src: NodeId) -> u64 {
        next(&mut self.nodes[src.index()].sends)
    }

    /// What becomes of the `number`-th message of `src`, sent to `dst`.
    pub fn link(&self, src: NodeId, dst: NodeId, number: u64) -> Numbers {
        self.numbers(Place::Link(src, dst), LINK, (src.index() as u32, dst.index() as u32), number)
    }

    /// The moment of a timer of `node`.
    pub fn timer(&mut self, node: NodeId) -> Numbers {
        let number = next(&mut self.nodes[node.index()].timers);
        self.numbers(Place::Timer(node), TIMER, (node.index() as u32, 0), number)
    }

    /// A chance in a handler of `node`.
    pub fn chance(&mut self, node: NodeId) -> Numbers {
        let number = next(&mut self.nodes[node.index()].chances);
        self.numbers(Place::Node(node), CHANCE, (node.index() as u32, 0), number)
    }

    /// How long `node` stays as it is.
    pub fn turn(&mut self, node: NodeId) -> Numbers {
        let number = next(&mut self.nodes[node.index()].turns);
        self.numbers(Place::Node(node), CHURN, (node.index() as u32, 0), number)
    }

    /// The work of `node` on a message.
    pub fn work(&mut self, node: NodeId) -> Numbers {
        let number = next(&mut self.nodes[node.index()].works);
        self.numbers(Place::Node(node), WORK, (node.index() as u32, 0), number)
    }

    /// An end of a connection of `node`.
    pub fn outage(&mut self, node: NodeId) -> Numbers {
        let number = next(&mut self.nodes[node.index()].outages);
        self.numbers(Place::Outage(node), OUTAGE, (node.index() as u32, 0), number)
    }

    /// The `number`-th draw of a line of the workload.
    pub fn call(&self, line: usize, number: u64) -> Numbers {
        self.numbers(Place::Call(line), CALL, (line as u32, 0), number)
    }

    /// The `number`-th draw of a line of the faults.
    pub fn fault(&self, line: usize, number: u64) -> Numbers {
        self.numbers(Place::Fault(line), FAULT, (line as u32, 0), number)
    }

    /// A choice in a handler of `node`.
    pub fn choice(&mut self, node: NodeId) -> Numbers {
        let number = next(&mut self.nodes[node.index()].choices);
        self.numbers(Place::Node(node), CHOICE, (node.index() as u32, 0), number)
    }
}
