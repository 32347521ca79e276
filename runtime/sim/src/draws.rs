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
//!
//! So runs of one seed that differ in a choice keep the numbers of all that they have in common. This table is part of
//! the format of a seed; golden hashes test it.

use foresee_kernel::NodeId;
use foresee_net::{Purpose, Stream};

const LINK: Purpose = Purpose(1);
const TIMER: Purpose = Purpose(2);
const CHANCE: Purpose = Purpose(3);
const CHOICE: Purpose = Purpose(4);
const OUTAGE: Purpose = Purpose(5);
const CALL: Purpose = Purpose(6);
const FAULT: Purpose = Purpose(7);

/// How much every node has drawn so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Draws {
    seed: u64,
    nodes: Vec<Drawn>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Drawn {
    sends: u64,
    timers: u64,
    chances: u64,
    choices: u64,
    outages: u64,
}

fn next(counter: &mut u64) -> u64 {
    let number = *counter;
    *counter += 1;
    number
}

impl Draws {
    pub fn new(seed: u64, nodes: usize) -> Self {
        Draws { seed, nodes: vec![Drawn::default(); nodes] }
    }

    /// The number of the next message of `src`.
    pub fn send(&mut self, src: NodeId) -> u64 {
        next(&mut self.nodes[src.index()].sends)
    }

    /// What becomes of the `number`-th message of `src`, sent to `dst`.
    pub fn link(&self, src: NodeId, dst: NodeId, number: u64) -> Stream {
        Stream::new(self.seed, LINK, (src.index() as u32, dst.index() as u32), number)
    }

    /// The moment of a timer of `node`.
    pub fn timer(&mut self, node: NodeId) -> Stream {
        let number = next(&mut self.nodes[node.index()].timers);
        Stream::new(self.seed, TIMER, (node.index() as u32, 0), number)
    }

    /// A chance in a handler of `node`.
    pub fn chance(&mut self, node: NodeId) -> Stream {
        let number = next(&mut self.nodes[node.index()].chances);
        Stream::new(self.seed, CHANCE, (node.index() as u32, 0), number)
    }

    /// An end of a connection of `node`.
    pub fn outage(&mut self, node: NodeId) -> Stream {
        let number = next(&mut self.nodes[node.index()].outages);
        Stream::new(self.seed, OUTAGE, (node.index() as u32, 0), number)
    }

    /// The `number`-th draw of a line of the workload.
    pub fn call(&self, line: usize, number: u64) -> Stream {
        Stream::new(self.seed, CALL, (line as u32, 0), number)
    }

    /// The `number`-th draw of a line of the faults.
    pub fn fault(&self, line: usize, number: u64) -> Stream {
        Stream::new(self.seed, FAULT, (line as u32, 0), number)
    }

    /// A choice in a handler of `node`.
    pub fn choice(&mut self, node: NodeId) -> Stream {
        let number = next(&mut self.nodes[node.index()].choices);
        Stream::new(self.seed, CHOICE, (node.index() as u32, 0), number)
    }
}
