//! What verification found: pairs, shared runs, and which items belong to one family.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::agree::Agreement;
use crate::sketch::Run;

/// Two distincts that are near-copies, the earlier seen first.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Pair {
    pub left: u32,
    pub right: u32,
    pub agreement: Agreement,
}

impl Pair {
    /// By the later distinct, then by the earlier one, as candidates.
    pub fn order(&self) -> (u32, u32) {
        (self.right, self.left)
    }
}

/// A run of words that two distincts share. Tokens are counted within
/// the paragraphs; the run is in `right` and its source in `left`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SharedRun {
    pub left: u32,
    pub right: u32,
    pub run: Run,
}

impl SharedRun {
    /// By the paragraph it is in, and its place there.
    pub fn order(&self) -> (u32, u32, u32, u32, u32) {
        let run = &self.run;
        (self.right, run.start, run.end, self.left, run.source)
    }

    /// The same words seen from the other side.
    pub fn flipped(self) -> Self {
        let Run { start, end, source } = self.run;
        Self {
            left: self.right,
            right: self.left,
            run: Run {
                start: source,
                end: source + (end - start),
                source: start,
            },
        }
    }
}

#[derive(Default, Serialize, Deserialize)]
pub struct Verified {
    /// Sorted by (left, right).
    pub pairs: Vec<Pair>,
    /// Sorted by (right, run, left).
    pub runs: Vec<SharedRun>,
    /// Pairs that were aligned, and those that share too few words, in whatever order, to need it.
    pub aligned: u64,
    pub refuted: u64,
    /// Candidates too long to align from end to end.
    pub too_long: u64,
    /// Pairs that were not compared, as that takes too long.
    pub costly: u64,
    /// Families with more members than are compared with each other.
    pub large_families: u64,
    /// Which items belong together, until families are complete.
    pub families: Families,
    /// Candidates compared, counted from the first.
    pub done: usize,
    /// Candidates that LSH proposed, and buckets of which it did not propose every pair.
    pub candidates: usize,
    pub capped_buckets: u64,
}

impl Verified {
    /// Add what another turn found.
    pub fn extend(&mut self, other: Self) {
        self.pairs.extend(other.pairs);
        self.runs.extend(other.runs);
        self.aligned += other.aligned;
        self.refuted += other.refuted;
        self.too_long += other.too_long;
        self.costly += other.costly;
        self.families.extend(other.families);
        self.done += other.done;
    }

    pub(super) fn sort_runs(&mut self) {
        self.runs.sort_unstable_by_key(SharedRun::order);
    }
}

/// An item that joined a family.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FamilyMember {
    pub item: u32,
    /// The first of the family, which it is a near-copy of.
    pub representative: u32,
    /// Whether the family was full by then.
    pub is_late: bool,
}

/// The families so far, as stars around the first seen.
#[derive(Default, Serialize, Deserialize)]
pub struct Families {
    /// In rising order.
    members: Vec<FamilyMember>,
    /// Members by representative.
    #[serde(skip)]
    sizes: HashMap<u32, usize>,
}

impl Families {
    pub fn get(&self, item: u32) -> Option<&FamilyMember> {
        let at = self.members.binary_search_by_key(&item, |m| m.item).ok()?;
        Some(&self.members[at])
    }

    pub(super) fn push(&mut self, member: FamilyMember) {
        *self.sizes.entry(member.representative).or_default() += 1;
        self.members.push(member);
    }

    /// Add members that were seen later.
    pub fn extend(&mut self, later: Self) {
        later.members.into_iter().for_each(|m| self.push(m));
    }

    /// The first of the family of an item, which may be itself.
    pub fn representative(&self, item: u32) -> u32 {
        self.get(item).map_or(item, |m| m.representative)
    }

    pub fn is_late(&self, item: u32) -> bool {
        self.get(item).is_some_and(|m| m.is_late)
    }

    /// Representatives of families that some joined late.
    pub(super) fn full(&self) -> impl Iterator<Item = u32> {
        let late = self.members.iter().filter(|m| m.is_late);
        late.map(|m| m.representative)
    }

    /// Members of a family, its representative not counted.
    pub(super) fn size(&self, representative: u32) -> usize {
        self.sizes.get(&representative).copied().unwrap_or(0)
    }
}
