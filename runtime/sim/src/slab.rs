//! Values under small numbers that are used again: no allocation once it is as large as it gets.

/// Values under numbers.
#[derive(Clone, Debug)]
pub(crate) struct Slab<T> {
    places: Vec<Option<T>>,
    free: Vec<u32>,
}

impl<T> Slab<T> {
    pub fn new() -> Self {
        Slab { places: Vec::new(), free: Vec::new() }
    }

    /// Keeps `value`; the number is its own until it is removed.
    #[inline]
    pub fn insert(&mut self, value: T) -> u32 {
        match self.free.pop() {
            Some(slot) => {
                self.places[slot as usize] = Some(value);
                slot
            }
            None => {
                let slot = u32::try_from(self.places.len()).expect("fewer than 2^32 values at a time");
                self.places.push(Some(value));
                slot
            }
        }
    }

    /// Where the value of `slot` is, to be fetched ahead.
    #[inline]
    pub fn place(&self, slot: u32) -> *const Option<T> {
        self.places.as_ptr().wrapping_add(slot as usize)
    }

    #[inline]
    pub fn get(&self, slot: u32) -> Option<&T> {
        self.places.get(slot as usize)?.as_ref()
    }

    #[inline]
    pub fn get_mut(&mut self, slot: u32) -> Option<&mut T> {
        self.places.get_mut(slot as usize)?.as_mut()
    }

    #[inline]
    pub fn remove(&mut self, slot: u32) -> Option<T> {
        let value = self.places.get_mut(slot as usize)?.take();
        if value.is_some() {
            self.free.push(slot);
        }
        value
    }

    /// All values, in the order of their numbers.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.places.iter().flatten()
    }

    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_used_again() {
        let mut slab = Slab::new();
        let (a, b) = (slab.insert('a'), slab.insert('b'));
        assert_eq!(slab.remove(a), Some('a'));
        assert_eq!(slab.remove(a), None);
        assert_eq!((slab.insert('c'), slab.len()), (a, 2));
        assert_eq!((slab.get(a), slab.get(b), slab.get(9)), (Some(&'c'), Some(&'b'), None));
    }
}
