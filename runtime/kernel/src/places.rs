//! A handful of small numbers that stand where they are kept: every step reads them, and what it reads should be near.

/// Numbers below 256, such as the layers and carriers that a layer is wired to.
#[derive(Clone, Debug)]
pub(crate) struct Places(Kept);

#[derive(Clone, Debug)]
enum Kept {
    Few { count: u8, places: [u8; FEW] },
    Many(Box<Box<[u8]>>),
}

/// So many stand where they are kept, which takes as much room as the address of more and its length.
const FEW: usize = 14;

impl Places {
    /// No numbers.
    pub const fn new() -> Self {
        Places(Kept::Few { count: 0, places: [0; FEW] })
    }

    /// All of them, in order.
    #[inline]
    pub fn as_slice(&self) -> &[u8] {
        match &self.0 {
            Kept::Few { count, places } => &places[..usize::from(*count)],
            Kept::Many(places) => places,
        }
    }

    /// One more behind them.
    pub fn push(&mut self, place: u8) {
        *self = self.as_slice().iter().copied().chain([place]).collect();
    }

    /// Each by so much more.
    pub fn shift(&mut self, by: u8) {
        *self = self.as_slice().iter().map(|place| place + by).collect();
    }
}

impl FromIterator<u8> for Places {
    fn from_iter<I: IntoIterator<Item = u8>>(places: I) -> Self {
        let all: Vec<u8> = places.into_iter().collect();
        if all.len() > FEW {
            return Places(Kept::Many(Box::new(all.into())));
        }
        let mut places = [0; FEW];
        places[..all.len()].copy_from_slice(&all);
        Places(Kept::Few { count: all.len() as u8, places })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_and_many_are_kept_alike() {
        let mut places = Places::new();
        for place in 0..40 {
            assert_eq!(places.as_slice(), (0..place).collect::<Vec<u8>>());
            places.push(place);
        }
        places.shift(3);
        assert_eq!(places.as_slice(), (3..43).collect::<Vec<u8>>());
        assert_eq!(size_of::<Places>(), 16);
    }
}
