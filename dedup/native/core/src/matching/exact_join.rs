//! Every possible pair: a rare-first prefix-filter join on token overlap.
//!
//! Two texts whose common subsequence reaches the threshold share at least as many tokens in any
//! order, so a join on the overlap of token multisets misses none (Bayardo, Ma and Srikant 2007;
//! Xiao et al. 2008, `PPJoin`). With the rarest tokens first, two texts that overlap enough must
//! share one of the first few of each. Containment between texts of very different lengths is not
//! covered: anchors find it.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use super::candidate::Candidate;
use crate::corpus::TokenStore;
use crate::text::{Identity, combine};
use crate::util::{parallel, stop};

type ByHash<T> = HashMap<u64, T, BuildHasherDefault<Identity>>;

/// A text as the ranks of its tokens, rarest first; the second `the` of a text is not the first.
struct Record {
    distinct: u32,
    elements: Vec<u32>,
}

/// Smallest overlap with which texts of these lengths reach the threshold.
fn needed(threshold: f64, left: usize, right: usize) -> usize {
    // The margin keeps 0.8 * 10 from asking for 9.
    (threshold * (left + right) as f64 / 2.0 - 1e-9)
        .ceil()
        .max(1.0) as usize
}

/// All candidates whose token overlap allows a similarity of `threshold`, sorted.
pub fn join(
    store: &TokenStore,
    distincts: &[u32],
    threshold: f64,
    threads: usize,
) -> Vec<Candidate> {
    let records = rank_elements(store, distincts);
    let shortest = |len: usize| {
        (threshold * len as f64 / (2.0 - threshold) - 1e-9)
            .ceil()
            .max(1.0) as usize
    };
    let mut index: HashMap<u32, Vec<(u32, u32)>> = HashMap::new();
    for (i, record) in records.iter().enumerate() {
        let len = record.elements.len();
        let prefix = len - needed(threshold, len, len) + 1;
        for (place, element) in record.elements[..prefix].iter().enumerate() {
            index
                .entry(*element)
                .or_default()
                .push((i as u32, place as u32));
        }
    }
    let parts = parallel::map_ranges(threads, records.len(), 1024, |range| {
        let mut met: HashMap<u32, (u32, u32)> = HashMap::new();
        let mut found: Vec<Candidate> = Vec::new();
        for i in range {
            stop::check();
            let record = &records[i];
            let len = record.elements.len();
            met.clear();
            for (place, element) in record.elements[..=len - shortest(len)].iter().enumerate() {
                let Some(list) = index.get(element) else {
                    continue;
                };
                let from = list.partition_point(|(other, _)| {
                    records[*other as usize].elements.len() < shortest(len)
                });
                for (other, other_place) in list[from..].iter().take_while(|o| (o.0 as usize) < i) {
                    met.insert(*other, (place as u32, *other_place));
                }
            }
            for other in met.keys() {
                let other = &records[*other as usize];
                let need = needed(threshold, len, other.elements.len());
                if overlap_reaches(&record.elements, &other.elements, need) {
                    let (a, b) = (record.distinct, other.distinct);
                    found.push((a.min(b), a.max(b)));
                }
            }
        }
        found
    });
    let mut pairs: Vec<Candidate> = parts.into_iter().flatten().collect();
    pairs.sort_unstable();
    pairs
}

/// Give every token occurrence a rank, rarest first, and sort the records by length.
fn rank_elements(store: &TokenStore, distincts: &[u32]) -> Vec<Record> {
    let mut frequency: ByHash<u32> = ByHash::default();
    for distinct in distincts {
        stop::check();
        for element in elements(store.tokens(*distinct)) {
            *frequency.entry(element).or_default() += 1;
        }
    }
    let mut order: Vec<(u32, u64)> = frequency.iter().map(|(e, count)| (*count, *e)).collect();
    order.sort_unstable();
    let rank: ByHash<u32> = order
        .iter()
        .enumerate()
        .map(|(rank, (_, element))| (*element, rank as u32))
        .collect();
    let mut records: Vec<Record> = distincts
        .iter()
        .map(|distinct| {
            let mut ranks: Vec<u32> = elements(store.tokens(*distinct))
                .iter()
                .map(|element| rank[element])
                .collect();
            ranks.sort_unstable();
            Record {
                distinct: *distinct,
                elements: ranks,
            }
        })
        .filter(|record| !record.elements.is_empty())
        .collect();
    records.sort_by_key(|record| (record.elements.len(), record.distinct));
    records
}

/// Tokens made distinct: the n-th occurrence of a token is an element of its own.
fn elements(tokens: &[u64]) -> Vec<u64> {
    let mut sorted = tokens.to_vec();
    sorted.sort_unstable();
    let mut out = Vec::with_capacity(sorted.len());
    for equal in sorted.chunk_by(|a, b| a == b) {
        out.push(equal[0]);
        out.extend((1..equal.len()).map(|n| combine(equal[0], n as u64)));
    }
    out
}

/// Whether two sorted lists share at least `need` elements, giving up as soon as they cannot.
fn overlap_reaches(left: &[u32], right: &[u32], need: usize) -> bool {
    let (mut i, mut j, mut shared) = (0, 0, 0);
    while i < left.len() && j < right.len() {
        if shared + (left.len() - i).min(right.len() - j) < need {
            return false;
        }
        match left[i].cmp(&right[j]) {
            std::cmp::Ordering::Less => i += 1,
            std::cmp::Ordering::Greater => j += 1,
            std::cmp::Ordering::Equal => {
                shared += 1;
                i += 1;
                j += 1;
            }
        }
    }
    shared >= need
}
