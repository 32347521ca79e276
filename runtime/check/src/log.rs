//! How each state was reached: its parent, and which of the parent's transitions led to it. Six bytes a state.
//!
//! Every thread writes a log of its own. A state's index says whose log it is in, and where.

use hashbrown::HashMap;

/// The parent of a first state.
pub(crate) const ROOT: u32 = u32::MAX;

const BLOCK: usize = 1 << 14;
/// Stands for an ordinal that is kept in `wide`.
const WIDE: u16 = u16::MAX;

/// See the module's documentation.
pub(crate) struct Log {
    threads: u32,
    /// The index of the next state.
    next: u32,
    blocks: Vec<Block>,
    wide: HashMap<u32, u32>,
}

#[derive(Default)]
struct Block {
    parents: Vec<u32>,
    ordinals: Vec<u16>,
}

impl Log {
    pub(crate) fn new(worker: usize, threads: usize) -> Self {
        let (next, threads) = (worker as u32, threads as u32);
        Log { threads, next, blocks: vec![Block::default()], wide: HashMap::new() }
    }

    /// Notes a state, and gives its index; None where there are no more indices.
    #[inline]
    pub(crate) fn push(&mut self, parent: u32, ordinal: u32) -> Option<u32> {
        let index = self.next;
        self.next = index.checked_add(self.threads)?;
        let mut block = self.blocks.last_mut()?;
        if block.parents.len() == BLOCK {
            self.blocks
                .push(Block { parents: Vec::with_capacity(BLOCK), ordinals: Vec::with_capacity(BLOCK) });
            block = self.blocks.last_mut()?;
        }
        block.parents.push(parent);
        if ordinal < u32::from(WIDE) {
            block.ordinals.push(ordinal as u16);
        } else {
            block.ordinals.push(WIDE);
            self.wide.insert(index / self.threads, ordinal);
        }
        Some(index)
    }

    fn get(&self, place: u32) -> (u32, u32) {
        let Block { parents, ordinals } = &self.blocks[place as usize / BLOCK];
        let ordinal = match ordinals[place as usize % BLOCK] {
            WIDE => self.wide[&place],
            ordinal => u32::from(ordinal),
        };
        (parents[place as usize % BLOCK], ordinal)
    }

    /// Counted bytes.
    pub(crate) fn bytes(&self) -> u64 {
        let last = self.blocks.last().map_or(0, |block| block.parents.capacity());
        ((self.blocks.len() - 1) * BLOCK * 6 + last * 6 + self.wide.len() * 12) as u64
    }
}

/// The number of the first state that leads to the state at `index`, and the transitions from there, in order.
pub(crate) fn trail(logs: &[Log], mut index: u32) -> (u32, Vec<u32>) {
    let mut ordinals = Vec::new();
    loop {
        let log = &logs[index as usize % logs.len()];
        let (parent, ordinal) = log.get(index / logs.len() as u32);
        if parent == ROOT {
            ordinals.reverse();
            return (ordinal, ordinals);
        }
        ordinals.push(ordinal);
        index = parent;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trail_leads_back_through_all_logs() {
        let mut logs = vec![Log::new(0, 3), Log::new(1, 3), Log::new(2, 3)];
        let root = logs[2].push(ROOT, 7).expect("there is room");
        let mut index = root;
        let ordinal = |step: u32| if step.is_multiple_of(1000) { 70_000 + step } else { step % 5 };
        for step in 1..60_000 {
            index = logs[step as usize * 7 % 3].push(index, ordinal(step)).expect("there is room");
        }
        let (start, ordinals) = trail(&logs, index);
        assert_eq!(start, 7);
        assert_eq!(ordinals, (1..60_000).map(ordinal).collect::<Vec<_>>());
    }
}
