//! How carriers treat what is in flight when time is not modelled.

use foresee_kernel::{CarrierKind, Model};

/// How a carrier treats what is in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Discipline {
    /// In order between each pair of nodes: only the oldest message of a pair may arrive.
    Fifo,
    /// In any order; a message is there as often as it was sent and is gone once it arrived.
    Bag,
    /// In any order, any number of times: a message that was sent is there for ever.
    Set,
}

impl Discipline {
    /// Where a message is put into `queue`, which is kept in the discipline's canonical order. None: it is there.
    pub(crate) fn place<E: Ord, K: Ord>(
        self,
        queue: &[E],
        envelope: &E,
        keep: bool,
        pair: impl Fn(&E) -> K,
    ) -> Option<usize> {
        match self {
            Discipline::Fifo => {
                let key = pair(envelope);
                Some(queue.partition_point(|other| pair(other) <= key))
            }
            Discipline::Bag => Some(queue.partition_point(|other| other < envelope)),
            Discipline::Set => match queue.binary_search(envelope) {
                Ok(_) if keep => None,
                Ok(place) | Err(place) => Some(place),
            },
        }
    }
}

/// The discipline of each carrier of `model`: what the carrier guarantees, and what the system's network adds.
pub fn disciplines(model: &Model) -> Vec<Discipline> {
    let discipline = |kind, duplicates: Option<f64>| match kind {
        CarrierKind::Reliable | CarrierKind::Secure => Discipline::Fifo,
        CarrierKind::Datagram if duplicates.is_some() && model.bounds.duplicates.is_none() => Discipline::Set,
        CarrierKind::Datagram => Discipline::Bag,
    };
    model.carriers.iter().map(|carrier| discipline(carrier.kind, carrier.duplicates)).collect()
}
