//! Which paragraphs are worth comparing: those that share a band key or an anchor.
//!
//! Partition by partition: a bitmap drops the keys that stand once, which are nearly all; what
//! stays is sorted into buckets. Each member of a bucket is paired with the bucket's leaders, the
//! first few seen, and with the few seen just before it, so a bucket of m paragraphs gives at most
//! `2 * max_leaders * m` candidates, not m squared. The ones just before tie a family together, so
//! that `pairs::complete_families` can find the rest of it.

use crate::corpus::{Block, Corpus, NO_DISTINCT};
use crate::error::Error;
use crate::parallel;
use crate::partition::{PARTITIONS, Packed, unpack};

/// Bits of the bitmap for each row: one key in eight that stands alone passes by accident.
const BITS_PER_ROW: usize = 8;

/// Two distincts, the earlier seen first.
pub type Candidate = (u32, u32);

#[derive(Default)]
pub struct Candidates {
    /// Sorted, without repeats.
    pub pairs: Vec<Candidate>,
    /// Buckets with more members than leaders, where not every two were paired.
    pub capped_buckets: u64,
}

/// Pair the distincts that share a key in `blocks`.
///
/// # Errors
/// The spool cannot be read.
pub fn find_candidates(
    corpus: &Corpus,
    blocks: &[Block],
    max_leaders: usize,
    threads: usize,
) -> Result<Candidates, Error> {
    let parts = parallel::map(threads, PARTITIONS, |partition| {
        let rows = read_partition(corpus, blocks, partition)?;
        Ok(pair_buckets(&repeated_keys(corpus, &rows), max_leaders))
    });
    let mut all = Candidates::default();
    for part in parts {
        let part: Candidates = part?;
        all.pairs.extend(part.pairs);
        all.capped_buckets += part.capped_buckets;
    }
    all.pairs.sort_unstable();
    all.pairs.dedup();
    Ok(all)
}

/// (key, paragraph of the corpus) of every row of a partition.
fn read_partition(
    corpus: &Corpus,
    blocks: &[Block],
    partition: usize,
) -> Result<Vec<(u64, u32)>, Error> {
    let ranges = blocks
        .iter()
        .map(|block| Packed::range(&block.ends, partition));
    let bytes: usize = ranges.clone().map(|range| range.len()).sum();
    let mut rows = Vec::with_capacity(bytes / crate::partition::ROW_BYTES);
    let mut buffer = Vec::new();
    for (block, range) in blocks.iter().zip(ranges) {
        buffer.resize(range.len(), 0);
        corpus
            .spool
            .read(block.at + range.start as u64, &mut buffer)?;
        rows.extend(unpack(&buffer).map(|(key, paragraph)| (key, block.base + paragraph)));
    }
    Ok(rows)
}

/// (key, distinct) of the rows whose key stands more than once, sorted, without repeats.
fn repeated_keys(corpus: &Corpus, rows: &[(u64, u32)]) -> Vec<(u64, u32)> {
    let bits = (rows.len() * BITS_PER_ROW).next_power_of_two().max(64);
    let mut once = vec![0u64; bits / 64];
    let mut twice = vec![0u64; bits / 64];
    let place = |key: u64| {
        // A key's high bits are those of its partition; the low ones are spread evenly.
        let bit = key as usize & (bits - 1);
        (bit / 64, 1u64 << (bit % 64))
    };
    for (key, _) in rows {
        let (word, bit) = place(*key);
        twice[word] |= once[word] & bit;
        once[word] |= bit;
    }
    let mut kept: Vec<(u64, u32)> = rows
        .iter()
        .filter(|(key, _)| {
            let (word, bit) = place(*key);
            twice[word] & bit != 0
        })
        .map(|(key, paragraph)| (*key, corpus.distinct_of[*paragraph as usize]))
        .filter(|(_, distinct)| *distinct != NO_DISTINCT)
        .collect();
    kept.sort_unstable();
    kept.dedup();
    kept
}

/// Pair the members of each bucket with its leaders and with those just before them.
fn pair_buckets(rows: &[(u64, u32)], max_leaders: usize) -> Candidates {
    let mut out = Candidates::default();
    for bucket in rows.chunk_by(|a, b| a.0 == b.0) {
        out.capped_buckets += u64::from(bucket.len() > 2 * max_leaders + 1);
        for (i, (_, member)) in bucket.iter().enumerate().skip(1) {
            let leaders = &bucket[..i.min(max_leaders)];
            let recent = &bucket[i.saturating_sub(max_leaders).max(leaders.len())..i];
            out.pairs.extend(
                leaders
                    .iter()
                    .chain(recent)
                    .map(|(_, earlier)| (*earlier, *member)),
            );
        }
    }
    out.pairs.sort_unstable();
    out.pairs.dedup();
    out
}
