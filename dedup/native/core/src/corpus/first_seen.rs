//! The first of items with equal identities, however many there are of one.

/// The items pushed so far, reduced to one of each identity when there are too many.
pub struct Firsts<F> {
    order: F,
    rows: Vec<([u64; 2], u32)>,
    /// (copy, an earlier item with the same identity). The other one may be a copy in a later pair.
    copies: Vec<(u32, u32)>,
    /// Rows to hold before copies among them are dropped.
    most: usize,
}

impl<K: Ord, F: Fn(u32) -> K> Firsts<F> {
    /// Hold `most` items, 24 bytes each; more only if more than half of them are different.
    pub fn new(most: usize, order: F) -> Self {
        Self {
            order,
            rows: Vec::new(),
            copies: Vec::new(),
            most,
        }
    }

    pub fn push(&mut self, item: u32, identity: u128) {
        let key = [(identity >> 64) as u64, identity as u64];
        self.rows.push((key, item));
        if self.rows.len() >= self.most {
            self.collapse();
            self.most = self.most.max(2 * self.rows.len());
        }
    }

    fn collapse(&mut self) {
        let order = &self.order;
        self.rows
            .sort_unstable_by(|(a, p), (b, q)| a.cmp(b).then_with(|| order(*p).cmp(&order(*q))));
        self.rows.dedup_by(|later, first| {
            let is_copy = later.0 == first.0;
            if is_copy {
                self.copies.push((later.1, first.1));
            }
            is_copy
        });
    }

    /// Pairs of a copy and another item, from which `resolve` finds the first of each copy.
    pub fn finish(mut self) -> Vec<(u32, u32)> {
        self.collapse();
        self.copies
    }
}

/// Give each copy its first in `first`, which holds every item itself so far.
pub fn resolve(copies: Vec<(u32, u32)>, first: &mut [u32]) {
    // An item that was first for a while is a copy in a later pair.
    for (copy, of) in copies.into_iter().rev() {
        first[copy as usize] = first[of as usize];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_by_order_is_found_however_few_are_held() {
        // Five identities in turn; later items come first.
        let identity = |item: u32| u128::from(item * item % 5) << 80;
        for most in [1, 2, 3, 7, 1000] {
            let mut firsts = Firsts::new(most, |item| 40 - item);
            (0..40).for_each(|item| firsts.push(item, identity(item)));
            let mut first: Vec<u32> = (0..40).collect();
            resolve(firsts.finish(), &mut first);
            let expected = (0..40).map(|item| {
                let equal = (0..40).filter(|other| identity(*other) == identity(item));
                equal.max().unwrap()
            });
            assert!(first.iter().copied().eq(expected), "holding {most}");
        }
    }

    #[test]
    fn copies_of_one_item_are_not_held() {
        let mut firsts = Firsts::new(100, |item| item);
        (0..10_000).for_each(|item| firsts.push(item, 7));
        assert!(firsts.rows.capacity() <= 200);
    }
}
