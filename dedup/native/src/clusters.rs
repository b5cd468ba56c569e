//! Pairs to clusters: first-seen stars, so that every member was compared with its representative.
//!
//! Items are taken in first-seen order. One joins the most similar representative it can reach
//! through its verified neighbours, after being aligned with it; otherwise it represents itself
//! (Pivot with a fixed order; Ailon, Charikar and Newman 2008). Never a chain: in real crawls
//! unverified connected components put hundreds of thousands of unrelated texts into one cluster.

use std::collections::HashMap;

use crate::align::Agreement;
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
pub fn cluster(pairs: &[Pair], mut compare: impl FnMut(u32, u32) -> Option<Agreement>) -> Stars {
    let known: HashMap<(u32, u32), Agreement> = pairs
        .iter()
        .map(|pair| ((pair.left, pair.right), pair.agreement))
        .collect();
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
            let agreement = known
                .get(&(representative, item))
                .copied()
                .or_else(|| compare(representative, item));
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
    stars
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
        let stars = cluster(&[pair(0, 1, 9), pair(1, 2, 9)], |_, _| None);
        assert_eq!(stars[&1].representative, 0);
        assert!(
            !stars.contains_key(&2),
            "2 is near 1, but not near the representative 0"
        );
    }

    #[test]
    fn a_member_joins_the_representative_of_its_neighbour_if_the_two_agree() {
        let stars = cluster(&[pair(0, 1, 9), pair(1, 2, 9)], |_, _| Some(agreement(8)));
        assert_eq!(stars[&2].representative, 0);
        assert_eq!(stars[&2].agreement, agreement(8));
    }

    #[test]
    fn the_more_similar_representative_wins_and_the_earlier_one_a_tie() {
        let stars = cluster(&[pair(0, 2, 8), pair(1, 2, 9)], |_, _| None);
        assert_eq!(stars[&2].representative, 1);
        let stars = cluster(&[pair(0, 2, 9), pair(1, 2, 9)], |_, _| None);
        assert_eq!(stars[&2].representative, 0);
    }
}
