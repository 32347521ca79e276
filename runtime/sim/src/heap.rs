//! A heap of entries with four children a place, which has half the levels of a binary one and keeps siblings in one or two
//! cache lines.

use crate::queue::Entry;

/// Entries, the earliest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Heap {
    entries: Vec<Entry>,
}

const CHILDREN: usize = 4;

impl Heap {
    pub fn push(&mut self, entry: Entry) {
        self.entries.push(entry);
        let mut hole = self.entries.len() - 1;
        while hole > 0 {
            let parent = (hole - 1) / CHILDREN;
            if !entry.before(&self.entries[parent]) {
                break;
            }
            self.entries[hole] = self.entries[parent];
            hole = parent;
        }
        self.entries[hole] = entry;
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Takes all entries out, in no order.
    pub fn take(&mut self) -> Vec<Entry> {
        std::mem::take(&mut self.entries)
    }

    /// Moves all entries to `out`, in no order.
    pub fn drain_to(&mut self, out: &mut Vec<Entry>) {
        out.append(&mut self.entries);
    }

    /// All entries, in no order.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }

    /// The entry that is next.
    pub fn first(&self) -> Option<&Entry> {
        self.entries.first()
    }

    pub fn pop(&mut self) -> Option<Entry> {
        let last = self.entries.pop()?;
        let Some(first) = self.entries.first().copied() else { return Some(last) };
        let heap = self.entries.as_mut_slice();
        let mut hole = 0;
        loop {
            let from = hole * CHILDREN + 1;
            let to = (from + CHILDREN).min(heap.len());
            if from >= to {
                break;
            }
            let mut least = from;
            for child in from + 1..to {
                if heap[child].before(&heap[least]) {
                    least = child;
                }
            }
            if !heap[least].before(&last) {
                break;
            }
            heap[hole] = heap[least];
            hole = least;
        }
        heap[hole] = last;
        Some(first)
    }
}
