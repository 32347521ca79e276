//! Data that nobody holds any more, kept so that the next value of the same type goes where they are: one step after another
//! then allocates nothing for what it sends and arms.

use std::any::TypeId;

use crate::{Datum, Value};

/// So many data of a type are kept, at the most.
const KEPT_MOST: usize = 1 << 14;

/// Data by their types.
#[derive(Debug, Default)]
pub(crate) struct Spare {
    // There are few types: the messages and timers of a stack.
    shelves: Vec<Shelf>,
}

#[derive(Debug)]
struct Shelf {
    of: TypeId,
    data: Vec<Datum>,
}

impl Spare {
    /// A datum of `value`.
    #[inline]
    pub fn wrap<T: Value>(&mut self, value: T) -> Datum {
        let of = TypeId::of::<T>();
        if let Some(shelf) = self.shelves.iter_mut().find(|shelf| shelf.of == of)
            && let Some(mut datum) = shelf.data.pop()
            && let Some(place) = datum.alone::<T>()
        {
            *place = value;
            return datum;
        }
        Datum::new(value)
    }

    /// Lets go of all.
    pub fn clear(&mut self) {
        self.shelves.iter_mut().for_each(|shelf| shelf.data.clear());
    }

    /// Keeps a datum, if nobody else holds it.
    pub fn keep(&mut self, datum: Datum) {
        if !datum.is_alone() {
            return;
        }
        let of = datum.as_any().type_id();
        match self.shelves.iter_mut().find(|shelf| shelf.of == of) {
            Some(shelf) if shelf.data.len() >= KEPT_MOST => {}
            Some(shelf) => shelf.data.push(datum),
            None => self.shelves.push(Shelf { of, data: vec![datum] }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_goes_where_one_of_its_type_was() {
        let mut spare = Spare::default();
        let place = |datum: &Datum| datum.get::<u32>().map(std::ptr::from_ref);
        let first = spare.wrap(1_u32);
        let (at, held) = (place(&first), first.clone());
        spare.keep(first);
        assert_ne!(place(&spare.wrap(2_u32)), at, "somebody held it");
        assert_eq!(held.get(), Some(&1_u32));
        spare.keep(held);
        assert_eq!(spare.wrap(3_u64).get(), Some(&3_u64), "another type has another place");
        let again = spare.wrap(4_u32);
        assert_eq!((place(&again), again.get()), (at, Some(&4_u32)));
    }

    #[test]
    fn there_is_an_end_to_what_is_kept() {
        let mut spare = Spare::default();
        (0..2 * KEPT_MOST as u32).for_each(|value| spare.keep(Datum::new(value)));
        assert_eq!(spare.shelves[0].data.len(), KEPT_MOST);
    }
}
