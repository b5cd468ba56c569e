//! Families of near-copies: which members are compared with each other, and the limit to that.
//!
//! A form letter with 10^5 variants makes 10^10 pairs, so only the first of a family are all
//! compared with each other. Late members keep the pair with the family's representative and their
//! few most similar ones. Everything is decided in first-seen order by what was seen
//! before, so later articles never take pairs away from earlier ones.

use std::collections::{HashSet, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};

use super::clusters::{Edge, Membership, best_of, connect, cut_at_homes};
use super::verified::{Families, FamilyMember, Pair, Verified};
use crate::agree::{Agreement, allowance, effort};
use crate::error::Error;
use crate::util::{parallel, stop};

/// Members of a family that are all compared with each other, and near-copies of one text that
/// completion looks for.
pub const MAX_FAMILY: usize = 256;
/// Pairs that a member keeps if it joined its family later than those.
pub const MAX_LATE: usize = 32;

/// Families that are known, and members that join them.
pub struct Joining<'a> {
    pub known: &'a Families,
    pub new: Families,
}

impl Joining<'_> {
    pub fn get(&self, item: u32) -> Option<&FamilyMember> {
        self.new.get(item).or_else(|| self.known.get(item))
    }

    pub fn representative(&self, item: u32) -> u32 {
        self.get(item).map_or(item, |m| m.representative)
    }

    fn size(&self, representative: u32) -> usize {
        self.known.size(representative) + self.new.size(representative)
    }

    /// Let an item join a family: the most similar of those that its near-copies belong to. `near`
    /// are its pairs with earlier items, sorted. Returns those it keeps.
    ///
    /// # Errors
    /// Those of comparing.
    pub fn join(
        &mut self,
        near: &[Pair],
        compare: impl FnMut(u32, u32) -> Result<Option<Agreement>, Error>,
    ) -> Result<Vec<Pair>, Error> {
        let item = near[0].right;
        let known = |left: u32| {
            let at = near.binary_search_by_key(&left, |pair| pair.left).ok()?;
            Some(near[at].agreement)
        };
        let leaders = near.iter().map(|pair| self.representative(pair.left));
        let Some(best) = best_of(leaders.collect(), item, known, compare)? else {
            return Ok(near.to_vec());
        };
        let is_late = self.size(best.representative) >= MAX_FAMILY;
        self.new.push(FamilyMember {
            item,
            representative: best.representative,
            is_late,
        });
        Ok(if is_late {
            keep_some(near, item, best)
        } else {
            near.to_vec()
        })
    }
}

/// The pair with the representative and the most similar ones, sorted.
fn keep_some(near: &[Pair], item: u32, best: Membership) -> Vec<Pair> {
    let others = near.iter().filter(|p| p.left != best.representative);
    let mut kept: Vec<Pair> = others.copied().collect();
    // Most similar first, then seen earliest.
    kept.sort_by(|a, b| {
        let likeness = b.agreement.similarity();
        let likeness = likeness.total_cmp(&a.agreement.similarity());
        likeness.then(a.left.cmp(&b.left))
    });
    kept.truncate(MAX_LATE - 1);
    kept.push(Pair {
        left: best.representative,
        right: item,
        agreement: best.agreement,
    });
    kept.sort_unstable_by_key(|pair| pair.left);
    kept
}

/// Compare near-copies of the same item with each other, and so on until nothing new is found (as
/// in nearest-neighbour descent, Dong et al. 2011); none if that takes more than `memory` bytes.
///
/// `was_compared` says which pairs were compared before, and `tokens` how long an item is;
/// `comparer` makes a function that compares two items and adds what they share to the findings.
///
/// # Errors
/// Those of comparing.
pub fn complete<C>(
    pairs: &[Pair],
    families: &Families,
    was_compared: impl Fn(u32, u32) -> bool + Sync,
    tokens: impl Fn(u32) -> u32 + Sync,
    comparer: impl Fn() -> C + Sync,
    threads: usize,
    memory: usize,
) -> Result<Option<Verified>, Error>
where
    C: FnMut(u32, u32, &mut Verified) -> Result<(), Error>,
{
    let early = |pair: &&Pair| !families.is_late(pair.right) && !families.is_late(pair.left);
    let early: Vec<Pair> = pairs.iter().filter(early).copied().collect();
    let edges = connect(&early);
    drop(early);
    let tasks = cut_at_homes(&edges);
    let held = AtomicUsize::new(0);
    let parts = parallel::map(threads, tasks.len(), |task| {
        let mut compare = comparer();
        let mut found = Vec::new();
        for component in tasks[task].chunk_by(|a, b| a.home == b.home) {
            if held.load(Ordering::Relaxed) > memory {
                break;
            }
            let mut growing = Growing::new(component);
            for near in component.chunk_by(|a, b| a.item == b.item) {
                growing.add(near, &was_compared, &tokens, &mut compare)?;
                let bytes = growing.take_bytes();
                if held.fetch_add(bytes, Ordering::Relaxed) + bytes > memory {
                    break;
                }
            }
            found.push(growing.finish());
        }
        Ok(found)
    });
    let mut out = Verified::default();
    let mut full: HashSet<u32> = families.full().collect();
    for part in parts {
        let part: Vec<(Verified, Vec<u32>)> = part?;
        for (completed, items) in part {
            out.extend(completed);
            full.extend(items.into_iter().map(|item| families.representative(item)));
        }
    }
    out.large_families = full.len() as u64;
    // The total does not depend on the order of threads, so neither does whether it is too much.
    Ok((held.into_inner() <= memory).then_some(out))
}

/// Items that pairs connect, in first-seen order; they are referred to by their places in it.
struct Growing {
    items: Vec<u32>,
    /// Near-copies of each item, in the order in which they were found.
    near: Vec<Vec<u32>>,
    /// The items with which each item was compared without success.
    strange: Vec<Vec<u32>>,
    /// Near-copies whose own near-copies were not looked at yet.
    fresh: Vec<Vec<u32>>,
    waiting: VecDeque<u32>,
    /// The cost that each item may still spend on comparisons with earlier ones.
    allowed: Vec<u64>,
    /// When each item was seen last: whether it is in the set that is looked at now.
    seen: Vec<u32>,
    now: u32,
    found: Verified,
    counted: usize,
}

impl Growing {
    fn new(edges: &[Edge]) -> Self {
        let sides = edges.iter().flat_map(|edge| [edge.near, edge.item]);
        let mut items: Vec<u32> = sides.collect();
        items.sort_unstable();
        items.dedup();
        let lists = || vec![Vec::new(); items.len()];
        Self {
            near: lists(),
            strange: lists(),
            fresh: lists(),
            waiting: VecDeque::new(),
            allowed: vec![u64::MAX; items.len()],
            seen: vec![0; items.len()],
            now: 0,
            found: Verified::default(),
            counted: 0,
            items,
        }
    }

    fn place(&self, item: u32) -> u32 {
        self.items.partition_point(|other| *other < item) as u32
    }

    fn is_full(&self, place: u32) -> bool {
        self.near[place as usize].len() >= MAX_FAMILY
    }

    fn link(&mut self, one: u32, other: u32) {
        for (a, b) in [(one, other), (other, one)] {
            self.near[a as usize].push(b);
            self.fresh[a as usize].push(b);
            self.waiting.push_back(a);
        }
    }

    /// Add an item with its earlier near-copies, and find more of them among the added items.
    fn add(
        &mut self,
        edges: &[Edge],
        was_compared: &impl Fn(u32, u32) -> bool,
        tokens: &impl Fn(u32) -> u32,
        compare: &mut impl FnMut(u32, u32, &mut Verified) -> Result<(), Error>,
    ) -> Result<(), Error> {
        for edge in edges {
            self.link(self.place(edge.near), self.place(edge.item));
        }
        while let Some(place) = self.waiting.pop_front() {
            stop::check();
            let mut fresh = std::mem::take(&mut self.fresh[place as usize]);
            if fresh.is_empty() || self.is_full(place) {
                continue;
            }
            self.mark_known(place);
            while let Some(near) = fresh.pop() {
                let others = self.near[near as usize].len().min(MAX_FAMILY);
                for at in 0..others {
                    let other = self.near[near as usize][at];
                    if std::mem::replace(&mut self.seen[other as usize], self.now) == self.now
                        || self.is_full(other)
                        || self.is_full(place)
                    {
                        continue;
                    }
                    if self.try_pair(place, other, was_compared, tokens, compare)? {
                        self.near[place as usize].push(other);
                        self.near[other as usize].push(place);
                        self.fresh[other as usize].push(place);
                        self.waiting.push_back(other);
                        fresh.push(other);
                    } else {
                        self.strange[place as usize].push(other);
                        self.strange[other as usize].push(place);
                    }
                }
            }
        }
        Ok(())
    }

    /// Mark the items with which an item need not be compared.
    fn mark_known(&mut self, place: u32) {
        self.now += 1;
        self.seen[place as usize] = self.now;
        let lists = [&self.near[place as usize], &self.strange[place as usize]];
        for other in lists.into_iter().flatten() {
            self.seen[*other as usize] = self.now;
        }
    }

    /// Compare two items, and note what they share; return whether they are near-copies.
    fn try_pair(
        &mut self,
        one: u32,
        other: u32,
        was_compared: &impl Fn(u32, u32) -> bool,
        tokens: &impl Fn(u32) -> u32,
        compare: &mut impl FnMut(u32, u32, &mut Verified) -> Result<(), Error>,
    ) -> Result<bool, Error> {
        let later = one.max(other) as usize;
        let (left, right) = (self.items[one.min(other) as usize], self.items[later]);
        if was_compared(left, right) {
            return Ok(false);
        }
        let needed = effort(tokens(left), tokens(right));
        let allowed = self.allowed[later].min(allowance(tokens(right)));
        if needed > allowed {
            self.found.costly += 1;
            return Ok(false);
        }
        self.allowed[later] = allowed - needed;
        let before = self.found.pairs.len();
        compare(left, right, &mut self.found)?;
        Ok(self.found.pairs.len() > before)
    }

    /// Bytes that were found since this was asked last.
    fn take_bytes(&mut self) -> usize {
        let bytes = size_of_val(&self.found.pairs[..]) + size_of_val(&self.found.runs[..]);
        bytes - std::mem::replace(&mut self.counted, bytes)
    }

    /// What was found, and the items with as many near-copies as completion looks for.
    fn finish(self) -> (Verified, Vec<u32>) {
        let full = (0..self.items.len()).filter(|place| self.is_full(*place as u32));
        let full = full.map(|place| self.items[place]).collect();
        (self.found, full)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matching::cluster;
    use crate::text::combine;
    use proptest::prelude::*;

    /// How similar two near-copies are.
    fn agree(left: u32, right: u32) -> Agreement {
        Agreement {
            shared: 80 + (combine(u64::from(left), u64::from(right)) % 20) as u32,
            left: 100,
            right: 100,
        }
    }

    fn pair(left: u32, right: u32) -> Pair {
        Pair {
            left,
            right,
            agreement: agree(left, right),
        }
    }

    /// The first few earlier items, some by chance, and those just before.
    fn propose(right: u32) -> Vec<u32> {
        let some = (0..4).map(|n| combine(u64::from(right), n) as u32 % right.max(1));
        let mut lefts: Vec<u32> = (0..2)
            .chain(some)
            .chain(right.saturating_sub(3)..right)
            .collect();
        lefts.retain(|left| *left < right);
        lefts.sort_unstable();
        lefts.dedup();
        lefts
    }

    /// Pair and complete `items` items, as a scan does.
    fn find(items: u32, is_near: impl Fn(u32, u32) -> bool + Sync) -> (Vec<Pair>, Verified) {
        let known = Families::default();
        let mut joining = Joining {
            known: &known,
            new: Families::default(),
        };
        let mut pairs = Vec::new();
        for right in 0..items {
            let near = propose(right)
                .into_iter()
                .filter(|left| is_near(*left, right));
            let near: Vec<Pair> = near.map(|left| pair(left, right)).collect();
            if !near.is_empty() {
                let compare = |l, r| Ok(is_near(l, r).then(|| agree(l, r)));
                pairs.extend(joining.join(&near, compare).unwrap());
            }
        }
        let completed = complete(
            &pairs,
            &joining.new,
            |left, right| propose(right).contains(&left),
            |_| 100,
            || {
                |left: u32, right: u32, out: &mut Verified| {
                    out.pairs
                        .extend(is_near(left, right).then(|| pair(left, right)));
                    Ok(())
                }
            },
            2,
            usize::MAX,
        );
        let completed = completed.unwrap().unwrap();
        pairs.extend(completed.pairs.iter().copied());
        pairs.sort_unstable_by_key(|pair| (pair.left, pair.right));
        (pairs, completed)
    }

    fn sides(pairs: &[Pair]) -> HashSet<(u32, u32)> {
        pairs.iter().map(|pair| (pair.left, pair.right)).collect()
    }

    #[test]
    fn all_members_of_a_large_family_are_gathered_and_few_pairs_are_kept() {
        let items = 5 * MAX_FAMILY as u32;
        let (pairs, found) = find(items, |_, _| true);
        let stars = cluster(&pairs, 2, || |_, _| panic!("the pair was not kept")).unwrap();
        assert_eq!(stars.len() as u32, items - 1);
        assert!(stars.values().all(|m| m.representative == 0));
        let early = MAX_FAMILY * (MAX_FAMILY + 1) / 2;
        assert!(
            pairs.len() <= early + items as usize * MAX_LATE,
            "{} pairs",
            pairs.len()
        );
        assert_eq!(found.large_families, 1);
    }

    #[test]
    fn all_members_of_a_small_family_are_paired() {
        let items = MAX_FAMILY as u32;
        let (pairs, found) = find(items, |_, _| true);
        assert_eq!(pairs.len() as u32, items * (items - 1) / 2);
        assert_eq!(sides(&pairs).len(), pairs.len(), "each once");
        assert_eq!(found.large_families, 0);
    }

    #[test]
    fn late_members_keep_their_representative_and_what_they_are_most_alike() {
        let near: Vec<Pair> = (1..100).map(|left| pair(left, 100)).collect();
        let best = Membership {
            representative: 0,
            agreement: agree(0, 100),
        };
        let kept = keep_some(&near, 100, best);
        assert_eq!(kept.len(), MAX_LATE);
        assert_eq!(kept[0], pair(0, 100));
        assert!(kept.is_sorted_by_key(|pair| pair.left));
        let least = kept[1..]
            .iter()
            .map(|pair| pair.agreement.shared)
            .min()
            .unwrap();
        let more = near.iter().filter(|pair| pair.agreement.shared > least);
        assert!(more.count() < MAX_LATE);
    }

    #[test]
    fn too_many_pairs_for_the_memory_are_no_result() {
        let pairs: Vec<Pair> = (1..40).map(|right| pair(right - 1, right)).collect();
        let complete = |memory| {
            complete(
                &pairs,
                &Families::default(),
                |_, _| false,
                |_| 100,
                || {
                    |left: u32, right: u32, out: &mut Verified| {
                        out.pairs.push(pair(left, right));
                        Ok(())
                    }
                },
                1,
                memory,
            )
        };
        assert!(complete(1000).unwrap().is_none());
        assert_eq!(complete(1 << 20).unwrap().unwrap().pairs.len(), 39 * 38 / 2);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]

        #[test]
        fn completion_finds_what_the_obvious_way_finds(
            places in prop::collection::vec(0u32..60, 2..70),
        ) {
            let is_near = |l: u32, r: u32| places[l as usize].abs_diff(places[r as usize]) <= 3;
            let items = places.len() as u32;
            let mut slow: HashSet<(u32, u32)> = HashSet::new();
            for right in 0..items {
                slow.extend(propose(right).iter().filter(|l| is_near(**l, right)).map(|l| (*l, right)));
            }
            let linked = |slow: &HashSet<(u32, u32)>, a: u32, b: u32| slow.contains(&(a.min(b), a.max(b)));
            loop {
                let before = slow.len();
                for right in 0..items {
                    for left in 0..right {
                        let meet = (0..items).any(|via| linked(&slow, via, left) && linked(&slow, via, right));
                        if meet && is_near(left, right) {
                            slow.insert((left, right));
                        }
                    }
                }
                if slow.len() == before {
                    break;
                }
            }
            prop_assert_eq!(sides(&find(items, is_near).0), slow);
        }

        #[test]
        fn later_items_take_no_pair_from_earlier_ones(
            places in prop::collection::vec(0u32..8, 400..600),
            share in 0.3f64..1.0,
        ) {
            // Families overlap, and are larger than the part that is compared with each other.
            let is_near = |l: u32, r: u32| places[l as usize].abs_diff(places[r as usize]) <= 2;
            let all = places.len() as u32;
            let some = (f64::from(all) * share) as u32;
            let (few, many) = (sides(&find(some, is_near).0), sides(&find(all, is_near).0));
            prop_assert!(few.is_subset(&many));
            prop_assert!(many.len() < all as usize * MAX_FAMILY);
        }
    }
}
