//! A hash table from fingerprints to numbers.

const EMPTY: u32 = u32::MAX;

/// Maps fingerprints, which are already hashes, to numbers below `u32::MAX`.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    /// Fingerprints and numbers; the size is a power of two, of which at most two thirds are in use.
    slots: Vec<(u32, u32)>,
    shift: u32,
    used: usize,
}

impl Table {
    /// Creates a table for `count` entries before it grows.
    pub(crate) fn new(count: usize) -> Self {
        let bits = (count + count / 2 + 2).next_power_of_two().trailing_zeros().clamp(4, 32);
        Self { slots: vec![(0, EMPTY); 1 << bits], shift: 32 - bits, used: 0 }
    }

    #[inline]
    fn slot(&self, key: u32) -> usize {
        let mask = self.slots.len() - 1;
        let mut at = (key >> self.shift) as usize & mask;
        while self.slots[at].1 != EMPTY && self.slots[at].0 != key {
            at = (at + 1) & mask;
        }
        at
    }

    /// The number of a fingerprint.
    #[inline]
    pub(crate) fn get(&self, key: u32) -> Option<u32> {
        let (_, value) = self.slots[self.slot(key)];
        (value != EMPTY).then_some(value)
    }

    /// The number of a fingerprint; a new one gets `value`.
    #[inline]
    pub(crate) fn get_or_insert(&mut self, key: u32, value: u32) -> u32 {
        let at = self.slot(key);
        let slot = &mut self.slots[at];
        if slot.1 != EMPTY {
            return slot.1;
        }
        *slot = (key, value);
        self.used += 1;
        if 3 * self.used > 2 * self.slots.len() && self.shift > 0 {
            self.grow();
        }
        value
    }

    fn grow(&mut self) {
        let mut larger = Self { slots: vec![(0, EMPTY); 2 * self.slots.len()], shift: self.shift - 1, used: self.used };
        for &(key, value) in self.slots.iter().filter(|(_, value)| *value != EMPTY) {
            let at = larger.slot(key);
            larger.slots[at] = (key, value);
        }
        *self = larger;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    proptest! {
        #[test]
        fn it_is_a_map(keys in prop::collection::vec(prop_oneof![0u32..40, any::<u32>()], 0..300)) {
            let (mut table, mut map) = (Table::new(0), HashMap::new());
            for (value, &key) in keys.iter().enumerate() {
                prop_assert_eq!(table.get_or_insert(key, value as u32), *map.entry(key).or_insert(value as u32));
            }
            for key in keys.into_iter().chain(0..60) {
                prop_assert_eq!(table.get(key), map.get(&key).copied());
            }
        }
    }
}
