//! Sets of numbers, a bit each, and numbers for their members.

use serde::{Deserialize, Serialize};

/// A set of numbers, one bit each, so that a look-up needs no search.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct BitSet(Vec<u64>);

impl BitSet {
    pub fn new(len: usize, marked: impl Iterator<Item = u32>) -> Self {
        let mut marks = Self(vec![0; len.div_ceil(64)]);
        marked.for_each(|item| marks.insert(item));
        marks
    }

    #[inline]
    pub fn has(&self, item: u32) -> bool {
        self.0[item as usize / 64] >> (item % 64) & 1 == 1
    }

    #[inline]
    pub fn remove(&mut self, item: u32) {
        self.0[item as usize / 64] &= !(1 << (item % 64));
    }

    #[inline]
    pub fn insert(&mut self, item: u32) {
        self.0[item as usize / 64] |= 1 << (item % 64);
    }
}

/// The members of a set, numbered from 0 by size, with no table of numbers.
#[derive(Default, Serialize, Deserialize)]
pub struct IndexedBitSet {
    marks: BitSet,
    /// Members before each word of the set.
    before: Vec<u32>,
}

impl IndexedBitSet {
    pub fn new(marks: BitSet) -> Self {
        let mut total = 0;
        let count = |word: &u64| {
            total += word.count_ones();
            total - word.count_ones()
        };
        let before = marks.0.iter().map(count).collect();
        Self { marks, before }
    }

    pub fn len(&self) -> usize {
        let last = self.marks.0.last().map_or(0, |word| word.count_ones());
        (self.before.last().unwrap_or(&0) + last) as usize
    }

    /// The members by size.
    pub fn iter(&self) -> impl Iterator<Item = u32> {
        let words = self.marks.0.iter().enumerate();
        words.flat_map(|(at, word)| {
            let bits = (0..64).filter(move |bit| word >> bit & 1 == 1);
            bits.map(move |bit| at as u32 * 64 + bit)
        })
    }

    /// The number of a member; none for any other item, however large.
    #[inline]
    pub fn number(&self, item: u32) -> Option<usize> {
        let (word, bit) = (item as usize / 64, item % 64);
        let members = self.marks.0.get(word).copied().unwrap_or(0);
        let smaller = members & !(u64::MAX << bit);
        (members >> bit & 1 == 1).then(|| (self.before[word] + smaller.count_ones()) as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_numbered_by_size() {
        let members = [0, 3, 63, 64, 130, 191];
        let numbered = IndexedBitSet::new(BitSet::new(200, members.into_iter()));
        assert_eq!(numbered.len(), members.len());
        assert_eq!(numbered.iter().collect::<Vec<u32>>(), members);
        for item in 0..200 {
            assert_eq!(
                numbered.number(item),
                members.iter().position(|m| *m == item)
            );
        }
    }
}
