//! Pairs to clusters: first-seen stars, so that every member was compared with its representative.
//!
//! Items are taken in first-seen order. One joins the most similar representative it can reach
//! through its verified neighbours, after being aligned with it; otherwise it represents itself
//! (Pivot with a fixed order; Ailon, Charikar and Newman 2008). Never a chain: in real crawls
//! unverified connected components put hundreds of thousands of unrelated texts into one cluster.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::verified::Pair;
use crate::agree::Agreement;
use crate::error::Error;
use crate::util::{BitSet, IndexedBitSet, parallel};

/// The representative of each item that joined one, and how similar the two are.
pub type Stars = HashMap<u32, Membership>;

#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Membership {
    pub representative: u32,
    pub agreement: Agreement,
}

/// Edges of one task, approximately: connected items are never separated.
const PIECE: usize = 4096;

/// Gather near-copies around the first seen. `pairs` must be sorted; `comparer` makes, for each
/// task, a function that aligns two items and returns how they agree if they are near-copies.
///
/// Items that no chain of pairs connects do not affect each other, so several threads gather them.
///
/// # Errors
/// Those of comparing.
pub fn cluster<C>(
    pairs: &[Pair],
    threads: usize,
    comparer: impl Fn() -> C + Sync,
) -> Result<Stars, Error>
where
    C: FnMut(u32, u32) -> Result<Option<Agreement>, Error>,
{
    let edges = connect(pairs);
    let tasks = cut_at_homes(&edges);
    let parts = parallel::map(threads, tasks.len(), |task| {
        cluster_task(pairs, tasks[task], comparer())
    });
    let mut stars = Stars::new();
    for part in parts {
        stars.extend(part?);
    }
    Ok(stars)
}

/// An item and one that was seen earlier, which are near-copies.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Edge {
    /// The first item that a chain of pairs connects with them.
    pub home: u32,
    pub item: u32,
    pub near: u32,
}

/// Cut edges, which are sorted, into tasks that keep connected items together.
pub fn cut_at_homes(edges: &[Edge]) -> Vec<&[Edge]> {
    let mut tasks = Vec::new();
    let mut rest = edges;
    while !rest.is_empty() {
        let last = rest[rest.len().min(PIECE) - 1].home;
        let (task, others) = rest.split_at(rest.partition_point(|edge| edge.home <= last));
        tasks.push(task);
        rest = others;
    }
    tasks
}

/// The pairs by connected component (union-find; Tarjan 1975), then by the later item.
pub fn connect(pairs: &[Pair]) -> Vec<Edge> {
    let sides = || pairs.iter().flat_map(|pair| [pair.left, pair.right]);
    let items = sides().max().map_or(0, |last| last as usize + 1);
    let members = IndexedBitSet::new(BitSet::new(items, sides()));
    let number = |item: u32| members.number(item).unwrap_or_default();
    let mut parents: Vec<u32> = (0..members.len() as u32).collect();
    for pair in pairs {
        let left = find_root(&mut parents, number(pair.left));
        let right = find_root(&mut parents, number(pair.right));
        let (first, other) = (left.min(right), left.max(right));
        parents[other] = first as u32;
    }
    let mut edges: Vec<Edge> = pairs
        .iter()
        .map(|pair| Edge {
            home: find_root(&mut parents, number(pair.right)) as u32,
            item: pair.right,
            near: pair.left,
        })
        .collect();
    edges.sort_unstable();
    edges
}

fn find_root(parents: &mut [u32], mut item: usize) -> usize {
    while parents[item] as usize != item {
        parents[item] = parents[parents[item] as usize]; // halves the way for the next
        item = parents[item] as usize;
    }
    item
}

/// Gather the items of some edges, which must be all of those that are connected.
fn cluster_task(
    pairs: &[Pair],
    edges: &[Edge],
    mut compare: impl FnMut(u32, u32) -> Result<Option<Agreement>, Error>,
) -> Result<Stars, Error> {
    let known = |left: u32, right: u32| {
        let at = pairs.binary_search_by_key(&(left, right), |pair| (pair.left, pair.right));
        at.ok().map(|at| pairs[at].agreement)
    };
    let mut stars = Stars::new();
    for neighbours in edges.chunk_by(|a, b| a.item == b.item) {
        let item = neighbours[0].item;
        let leader = |near: u32| stars.get(&near).map_or(near, |m| m.representative);
        let leaders = neighbours.iter().map(|edge| leader(edge.near)).collect();
        let known = |leader| known(leader, item);
        if let Some(membership) = best_of(leaders, item, known, &mut compare)? {
            stars.insert(item, membership);
        }
    }
    Ok(stars)
}

/// The representative among `leaders` that is most similar to an item, the first seen of several;
/// none if it is a near-copy of none. `known` are those it was compared with.
///
/// # Errors
/// Those of comparing.
pub fn best_of(
    mut leaders: Vec<u32>,
    item: u32,
    known: impl Fn(u32) -> Option<Agreement>,
    mut compare: impl FnMut(u32, u32) -> Result<Option<Agreement>, Error>,
) -> Result<Option<Membership>, Error> {
    leaders.sort_unstable();
    leaders.dedup();
    let mut best: Option<Membership> = None;
    for representative in leaders {
        let agreement = match known(representative) {
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
    Ok(best)
}

/// Clusters numbered in first-seen order of their representatives.
#[derive(Serialize, Deserialize)]
pub struct Clusters {
    members: IndexedBitSet,
    /// The cluster of each member.
    numbers: Vec<u32>,
    /// The representative of each cluster.
    pub representatives: Vec<u32>,
}

impl Clusters {
    /// Number the clusters of `items` items: the stars, and each of `founders` that is in no star.
    pub fn new(items: usize, founders: impl Iterator<Item = u32>, stars: &Stars) -> Self {
        let mut founded = BitSet::new(items, founders);
        let mut members = founded.clone();
        for (member, m) in stars {
            members.insert(*member);
            members.insert(m.representative);
            founded.insert(m.representative);
        }
        for member in stars.keys() {
            founded.remove(*member);
        }
        let (members, founded) = (IndexedBitSet::new(members), IndexedBitSet::new(founded));
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

/// Items whose clusters are looked up by one task.
const ITEMS: usize = 1 << 15;

/// The members of every cluster, in rising order.
pub struct Groups {
    /// Where the members of each cluster start, and where those of the last one end.
    starts: Vec<u32>,
    members: Vec<u32>,
}

impl Groups {
    /// Gather `items` items by their clusters, of which there are `clusters`.
    pub fn new(
        clusters: usize,
        items: usize,
        threads: usize,
        cluster: impl Fn(u32) -> Option<u32> + Sync,
    ) -> Self {
        let held = parallel::collect(threads, items, ITEMS, |range| {
            let items = range.start as u32..range.end as u32;
            let held = items.filter_map(|item| cluster(item).map(|c| (c, item)));
            held.collect::<Vec<(u32, u32)>>()
        });
        let mut starts = vec![0; clusters + 1];
        for (cluster, _) in &held {
            starts[*cluster as usize + 1] += 1;
        }
        for cluster in 0..clusters {
            starts[cluster + 1] += starts[cluster];
        }
        let mut members = vec![0; held.len()];
        let mut next = starts.clone();
        for (cluster, item) in held {
            let next = &mut next[cluster as usize];
            members[*next as usize] = item;
            *next += 1;
        }
        Self { starts, members }
    }

    /// The members of a cluster.
    pub fn of(&self, cluster: usize) -> &[u32] {
        &self.members[self.starts[cluster] as usize..self.starts[cluster + 1] as usize]
    }
}

/// One member of a cluster.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    pub article: u32,
    /// To the representative; 1 of itself.
    pub similarity: f64,
}

/// The members of a cluster, summed up.
#[derive(Clone, PartialEq, Debug)]
pub struct Summary {
    pub members: u32,
    pub articles: u32,
    /// Known ones.
    pub sources: u32,
    pub min_similarity: f64,
    /// Over all but the representative; 1 if there is no other.
    pub mean_similarity: f64,
    pub first_seen: Option<i64>,
    pub last_seen: Option<i64>,
}

/// Sum up the members of a cluster, whose articles rise. `source` and `date` are those of an
/// article.
pub fn sum_up(
    members: &[Member],
    source: impl Fn(u32) -> Option<u32>,
    date: impl Fn(u32) -> Option<i64>,
) -> Summary {
    let mut articles: Vec<u32> = members.iter().map(|m| m.article).collect();
    articles.dedup();
    let mut sources: Vec<u32> = articles.iter().filter_map(|a| source(*a)).collect();
    sources.sort_unstable();
    sources.dedup();
    // Sums of floats depend on their order, which must not be that of the files.
    let mut similarities: Vec<f64> = members.iter().map(|m| m.similarity).collect();
    similarities.sort_unstable_by(f64::total_cmp);
    let others = similarities.len().saturating_sub(1);
    let sum: f64 = similarities.iter().sum();
    let dates = || articles.iter().filter_map(|a| date(*a));
    Summary {
        members: members.len() as u32,
        articles: articles.len() as u32,
        sources: sources.len() as u32,
        min_similarity: similarities.first().copied().unwrap_or(1.0),
        mean_similarity: if others == 0 {
            1.0
        } else {
            (sum - 1.0) / others as f64
        },
        first_seen: dates().min(),
        last_seen: dates().max(),
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
    fn members_are_gathered_by_cluster() {
        let cluster_of = [Some(1), None, Some(0), Some(1)];
        let groups = Groups::new(3, 4, 2, |item| cluster_of[item as usize]);
        assert_eq!([0, 1, 2].map(|c| groups.of(c)), [&[2][..], &[0, 3], &[]]);
    }

    #[test]
    fn a_summary_counts_articles_once_and_knows_what_is_unknown() {
        let member = |article, similarity| Member {
            article,
            similarity,
        };
        let members = [
            member(0, 1.0),
            member(2, 0.5),
            member(2, 1.0),
            member(3, 0.75),
        ];
        let sources = [Some(4), None, Some(4), None];
        let dates = [Some(30), Some(1), None, Some(20)];
        let summary = sum_up(
            &members,
            |article| sources[article as usize],
            |article| dates[article as usize],
        );
        let expected = Summary {
            members: 4,
            articles: 3,
            sources: 1,
            min_similarity: 0.5,
            mean_similarity: 0.75,
            first_seen: Some(20),
            last_seen: Some(30),
        };
        assert_eq!(summary, expected);
        assert!((sum_up(&members[..1], |_| None, |_| None).mean_similarity - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_chain_does_not_join_what_its_ends_do_not_share() {
        let stars = cluster(&[pair(0, 1, 9), pair(1, 2, 9)], 2, || |_, _| Ok(None)).unwrap();
        assert_eq!(stars[&1].representative, 0);
        assert!(
            !stars.contains_key(&2),
            "2 is near 1, but not near the representative 0"
        );
    }

    #[test]
    fn a_member_joins_the_representative_of_its_neighbour_if_the_two_agree() {
        let stars = cluster(&[pair(0, 1, 9), pair(1, 2, 9)], 2, || {
            |_, _| Ok(Some(agreement(8)))
        })
        .unwrap();
        assert_eq!(stars[&2].representative, 0);
        assert_eq!(stars[&2].agreement, agreement(8));
    }

    #[test]
    fn what_is_not_connected_may_be_gathered_apart() {
        // Steps to the right, some missing: families of various sizes, many in each task.
        let step = |left: u32| pair(left, left + 1 + left % 4, 8 + left % 3);
        let pairs: Vec<Pair> = (0..5 * PIECE as u32)
            .filter(|left| left * left % 11 < 5)
            .map(step)
            .collect();
        let compare = |left: u32, right: u32| Ok((left % 3 == right % 3).then(|| agreement(8)));
        let mut together = connect(&pairs);
        assert!(together.len() > 2 * PIECE);
        together.sort_unstable_by_key(|edge| (edge.item, edge.near));
        let expected = cluster_task(&pairs, &together, compare).unwrap();
        assert_eq!(cluster(&pairs, 3, || compare).unwrap(), expected);
        assert!(expected.len() > PIECE / 2);
    }

    #[test]
    fn the_more_similar_representative_wins_and_the_earlier_one_a_tie() {
        let stars = cluster(&[pair(0, 2, 8), pair(1, 2, 9)], 2, || |_, _| Ok(None)).unwrap();
        assert_eq!(stars[&2].representative, 1);
        let stars = cluster(&[pair(0, 2, 9), pair(1, 2, 9)], 2, || |_, _| Ok(None)).unwrap();
        assert_eq!(stars[&2].representative, 0);
    }
}
