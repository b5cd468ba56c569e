//! Pairs to clusters: first-seen stars, so that every member was compared with its representative.
//!
//! Items are taken in first-seen order. One joins the most similar representative it can reach
//! through its verified neighbours, after being aligned with it; otherwise it represents itself
//! (Pivot with a fixed order; Ailon, Charikar and Newman 2008). Never a chain: in real crawls
//! unverified connected components put hundreds of thousands of unrelated texts into one cluster.

use std::collections::HashMap;

use crate::align::Agreement;
use crate::error::Error;
use crate::marks::{Marks, Numbered};
use crate::pairs::Pair;

/// The representative of each item that joined one, and how alike the two are.
pub type Stars = HashMap<u32, Membership>;

#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Membership {
    pub representative: u32,
    pub agreement: Agreement,
}

/// Gather near-copies around the first seen. `pairs` must be sorted; `compare` aligns two items
/// and says how they agree if they are near-copies.
///
/// # Errors
/// Those of `compare`.
pub fn cluster(
    pairs: &[Pair],
    mut compare: impl FnMut(u32, u32) -> Result<Option<Agreement>, Error>,
) -> Result<Stars, Error> {
    let known = |left: u32, right: u32| {
        let at = pairs.binary_search_by_key(&(left, right), |pair| (pair.left, pair.right));
        at.ok().map(|at| pairs[at].agreement)
    };
    let mut edges: Vec<(u32, u32)> = pairs.iter().map(|pair| (pair.right, pair.left)).collect();
    edges.sort_unstable();
    let mut stars = Stars::new();
    for neighbours in edges.chunk_by(|a, b| a.0 == b.0) {
        let item = neighbours[0].0;
        let mut leaders: Vec<u32> = neighbours
            .iter()
            .map(|(_, near)| stars.get(near).map_or(*near, |m| m.representative))
            .collect();
        leaders.sort_unstable();
        leaders.dedup();
        let mut best: Option<Membership> = None;
        for representative in leaders {
            let agreement = match known(representative, item) {
                Some(agreement) => Some(agreement),
                None => compare(representative, item)?,
            };
            if let Some(agreement) = agreement
                && best.is_none_or(|b| agreement.similarity() > b.agreement.similarity())
            {
                best = Some(Membership {
                    representative,
                    agreement,
                });
            }
        }
        if let Some(membership) = best {
            stars.insert(item, membership);
        }
    }
    Ok(stars)
}

/// Clusters numbered in first-seen order of their representatives.
pub struct Clusters {
    members: Numbered,
    /// The cluster of each member.
    numbers: Vec<u32>,
    /// The representative of each cluster.
    pub representatives: Vec<u32>,
}

impl Clusters {
    /// Number the clusters of `items` items: the stars, and each of `founders` that is in no star.
    pub fn new(items: usize, founders: impl Iterator<Item = u32>, stars: &Stars) -> Self {
        let mut founded = Marks::new(items, founders);
        let mut members = founded.clone();
        for (member, m) in stars {
            members.insert(*member);
            members.insert(m.representative);
            founded.insert(m.representative);
        }
        for member in stars.keys() {
            founded.remove(*member);
        }
        let (members, founded) = (Numbered::new(members), Numbered::new(founded));
        let number = |member: u32| {
            let representative = stars.get(&member).map_or(member, |m| m.representative);
            founded.number(representative).unwrap_or_default() as u32
        };
        Self {
            numbers: members.iter().map(number).collect(),
            representatives: founded.iter().collect(),
            members,
        }
    }

    /// The cluster of an item.
    pub fn number(&self, item: u32) -> Option<u32> {
        self.members.number(item).map(|member| self.numbers[member])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agreement(shared: u32) -> Agreement {
        Agreement {
            shared,
            left: 10,
            right: 10,
        }
    }

    fn pair(left: u32, right: u32, shared: u32) -> Pair {
        Pair {
            left,
            right,
            agreement: agreement(shared),
        }
    }

    #[test]
    fn a_chain_does_not_join_what_its_ends_do_not_share() {
        let stars = cluster(&[pair(0, 1, 9), pair(1, 2, 9)], |_, _| Ok(None)).unwrap();
        assert_eq!(stars[&1].representative, 0);
        assert!(
            !stars.contains_key(&2),
            "2 is near 1, but not near the representative 0"
        );
    }

    #[test]
    fn a_member_joins_the_representative_of_its_neighbour_if_the_two_agree() {
        let stars = cluster(&[pair(0, 1, 9), pair(1, 2, 9)], |_, _| {
            Ok(Some(agreement(8)))
        })
        .unwrap();
        assert_eq!(stars[&2].representative, 0);
        assert_eq!(stars[&2].agreement, agreement(8));
    }

    #[test]
    fn the_more_similar_representative_wins_and_the_earlier_one_a_tie() {
        let stars = cluster(&[pair(0, 2, 8), pair(1, 2, 9)], |_, _| Ok(None)).unwrap();
        assert_eq!(stars[&2].representative, 1);
        let stars = cluster(&[pair(0, 2, 9), pair(1, 2, 9)], |_, _| Ok(None)).unwrap();
        assert_eq!(stars[&2].representative, 0);
    }
}
