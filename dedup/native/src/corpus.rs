//! All articles of a scan, as columns: what stands where, who held it first, where its text is.
//!
//! Once `set_order` was called, a *distinct* is one set of paragraphs with equal words, numbered
//! in first-seen order: a smaller number was seen earlier. Every later stage works on distincts.

use std::sync::Arc;

use crate::error::Error;
use crate::fingerprint::{Fingerprints, Paragraph, Repeat, Worker};
use crate::parallel;
use crate::partition::{Packed, Rows};
use crate::spool::Spool;

/// A paragraph without words belongs to no distinct.
pub const NO_DISTINCT: u32 = u32::MAX;

const HASH_BYTES: usize = 16;
/// Paragraphs that `collapse` sorts at once, 24 bytes each.
const COLLAPSED_AT_ONCE: usize = 1 << 20;

/// Where the packed rows of one batch stand in the spool.
pub struct Block {
    pub at: u64,
    pub ends: Vec<u32>,
    /// Paragraphs of the batches before this one.
    pub base: u32,
}

/// A fingerprinted batch whose text and rows are in the spool.
pub struct Spooled {
    fingerprints: Fingerprints,
    text_at: u64,
    /// Where each article starts in the batch's text, and where the last one ends.
    offsets: Vec<u32>,
    hashes_at: u64,
    bands: Block,
    anchors: Block,
}

impl Spooled {
    /// Move the text and the rows of a batch to the spool. Threads may call this at once.
    ///
    /// `text` holds the articles one behind the other, `offsets` says where each starts. The
    /// buffers of `worker`, which fingerprinted them, stay with it.
    ///
    /// # Errors
    /// The disk is full, or the batch holds too many paragraphs.
    pub fn new(
        worker: &mut Worker,
        text: &[u8],
        offsets: Vec<u32>,
        spool: &Spool,
    ) -> Result<Self, Error> {
        let paragraphs = worker.fingerprints.paragraphs.len();
        let spill = |rows: &mut Rows| -> Result<Block, Error> {
            let Packed { bytes, ends } = rows.pack(paragraphs)?;
            Ok(Block {
                at: spool.append(bytes)?,
                ends,
                base: 0,
            })
        };
        let hashes: Vec<[u8; HASH_BYTES]> = worker
            .hashes
            .iter()
            .map(|hash| hash.to_le_bytes())
            .collect();
        let bands = spill(&mut worker.band_rows)?;
        let anchors = spill(&mut worker.anchor_rows)?;
        Ok(Self {
            fingerprints: worker.fingerprints.clone(),
            text_at: spool.append(text)?,
            hashes_at: spool.append(hashes.as_flattened())?,
            offsets,
            bands,
            anchors,
        })
    }
}

/// Whether a number is in a set: one bit each, so that asking costs no search.
#[derive(Default)]
pub struct Marks(Vec<u64>);

impl Marks {
    pub fn new(len: usize, marked: impl Iterator<Item = u32>) -> Self {
        let mut bits = vec![0; len.div_ceil(64)];
        for item in marked {
            bits[item as usize / 64] |= 1 << (item % 64);
        }
        Self(bits)
    }

    #[inline]
    pub fn has(&self, item: u32) -> bool {
        self.0[item as usize / 64] >> (item % 64) & 1 == 1
    }
}

/// The members of a set, numbered from 0 by size, with no table of numbers.
pub struct Numbered {
    marks: Marks,
    /// Members before each word of the set.
    before: Vec<u32>,
}

impl Numbered {
    pub fn new(marks: Marks) -> Self {
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

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of a member; nothing for an item that is none.
    #[inline]
    pub fn number(&self, item: u32) -> Option<usize> {
        let (word, bit) = (item as usize / 64, item % 64);
        let smaller = self.marks.0[word] & !(u64::MAX << bit);
        let number = self.before[word] + smaller.count_ones();
        self.marks.has(item).then_some(number as usize)
    }
}

/// One article's row of the corpus.
#[derive(Clone, Copy)]
pub struct Article {
    /// Where its text starts in the spool.
    pub text_at: u64,
    pub first_paragraph: u32,
    pub tokens: u32,
    /// Identity of its whole token sequence.
    pub hash: u128,
}

/// One set of paragraphs with equal words.
#[derive(Clone, Copy)]
pub struct Distinct {
    /// The first-seen paragraph.
    pub first: u32,
    /// Paragraphs that hold these words, the first included.
    pub copies: u32,
    /// Articles that hold them.
    pub articles: u32,
}

pub struct Corpus {
    pub spool: Arc<Spool>,
    pub articles: Vec<Article>,
    /// `article` counts over the whole corpus here.
    pub paragraphs: Vec<Paragraph>,
    pub repeats: Vec<Repeat>,
    /// Where the paragraphs' identities of each batch stand in the spool, and how many there are.
    hashes: Vec<(u64, usize)>,
    pub bands: Vec<Block>,
    pub anchors: Vec<Block>,
    /// Position of each article in first-seen order.
    pub rank: Vec<u32>,
    pub distincts: Vec<Distinct>,
    /// The distinct of each paragraph.
    pub distinct_of: Vec<u32>,
    /// The paragraphs whose rows count: of those with equal words the first to arrive.
    pub carriers: Marks,
}

impl Corpus {
    pub fn new(spool: Arc<Spool>) -> Self {
        Self {
            spool,
            articles: Vec::new(),
            paragraphs: Vec::new(),
            repeats: Vec::new(),
            hashes: Vec::new(),
            bands: Vec::new(),
            anchors: Vec::new(),
            rank: Vec::new(),
            distincts: Vec::new(),
            distinct_of: Vec::new(),
            carriers: Marks::default(),
        }
    }

    /// Add a batch. Batches must come in input order.
    ///
    /// # Errors
    /// More than 2^32 - 2 paragraphs in all.
    pub fn add(&mut self, batch: Spooled) -> Result<(), Error> {
        let base = self.paragraphs.len();
        let total = base + batch.fingerprints.paragraphs.len();
        if total >= NO_DISTINCT as usize {
            return Err(Error::TooManyParagraphs {
                paragraphs: total,
                limit: NO_DISTINCT - 1,
            });
        }
        let first_article = self.articles.len() as u32;
        self.articles
            .extend(batch.fingerprints.articles.iter().zip(&batch.offsets).map(
                |(hash, offset)| Article {
                    text_at: batch.text_at + u64::from(*offset),
                    first_paragraph: base as u32,
                    tokens: 0,
                    hash: *hash,
                },
            ));
        let here = &mut self.articles[first_article as usize..];
        let mut paragraphs = batch.fingerprints.paragraphs.iter().enumerate().peekable();
        for (i, article) in here.iter_mut().enumerate() {
            let next = paragraphs.peek().map_or(total - base, |(at, _)| *at);
            article.first_paragraph = (base + next) as u32;
            while let Some((_, p)) = paragraphs.next_if(|(_, p)| p.article as usize == i) {
                article.tokens += p.tokens;
            }
        }
        let moved = |article: u32| article + first_article;
        self.paragraphs.extend(
            batch
                .fingerprints
                .paragraphs
                .into_iter()
                .map(|p| Paragraph {
                    article: moved(p.article),
                    ..p
                }),
        );
        self.repeats
            .extend(batch.fingerprints.repeats.into_iter().map(|r| Repeat {
                article: moved(r.article),
                ..r
            }));
        self.hashes.push((batch.hashes_at, total - base));
        self.bands.push(Block {
            base: base as u32,
            ..batch.bands
        });
        self.anchors.push(Block {
            base: base as u32,
            ..batch.anchors
        });
        Ok(())
    }

    /// Paragraphs of one article.
    pub fn paragraphs_of(&self, article: u32) -> std::ops::Range<u32> {
        let end = self
            .articles
            .get(article as usize + 1)
            .map_or(self.paragraphs.len() as u32, |next| next.first_paragraph);
        self.articles[article as usize].first_paragraph..end
    }

    /// Place of a paragraph in its article.
    pub fn position(&self, paragraph: u32) -> u32 {
        let article = self.paragraphs[paragraph as usize].article;
        paragraph - self.articles[article as usize].first_paragraph
    }

    /// The paragraph that held a distinct's words first.
    pub fn first(&self, distinct: u32) -> &Paragraph {
        &self.paragraphs[self.distincts[distinct as usize].first as usize]
    }

    /// Say in which order the articles were first seen, and collapse exact copies.
    ///
    /// `order` lists the articles, earliest first.
    ///
    /// # Errors
    /// The spool cannot be read.
    pub fn set_order(&mut self, order: &[u32], threads: usize) -> Result<(), Error> {
        self.rank = vec![0; self.articles.len()];
        for (rank, article) in order.iter().enumerate() {
            self.rank[*article as usize] = rank as u32;
        }
        self.distinct_of = self.first_holders(threads)?;
        self.number_distincts(order);
        let mut met = vec![false; self.distincts.len()];
        let is_first = |(_, distinct): &(usize, &u32)| {
            **distinct != NO_DISTINCT && !std::mem::replace(&mut met[**distinct as usize], true)
        };
        let carriers = self.distinct_of.iter().enumerate().filter(is_first);
        self.carriers = Marks::new(self.paragraphs.len(), carriers.map(|(p, _)| p as u32));
        Ok(())
    }

    /// The articles in first-seen order.
    pub fn order(&self) -> Vec<u32> {
        let mut order = vec![0; self.rank.len()];
        for (article, rank) in self.rank.iter().enumerate() {
            order[*rank as usize] = article as u32;
        }
        order
    }

    /// For each paragraph with words: the first-seen paragraph with the same words.
    fn first_holders(&self, threads: usize) -> Result<Vec<u32>, Error> {
        let paragraphs = self.paragraphs.len();
        let parts = paragraphs.div_ceil(COLLAPSED_AT_ONCE).max(threads);
        let found = parallel::map(threads, parts, |part| {
            let mut rows =
                self.read_hashes(|hash| ((hash >> 96) as usize * parts) >> 32 == part)?;
            let rank = |p: u32| self.rank[self.paragraphs[p as usize].article as usize];
            rows.sort_unstable_by(|(a, p), (b, q)| {
                let earlier = || (rank(*p), *p).cmp(&(rank(*q), *q));
                a.cmp(b).then_with(earlier)
            });
            let copies = rows.chunk_by(|a, b| a.0 == b.0).flat_map(|equal| {
                let first = equal[0].1;
                equal[1..].iter().map(move |(_, copy)| (*copy, first))
            });
            Ok(copies.collect())
        });
        let mut first: Vec<u32> = (0..paragraphs as u32).collect();
        for part in found {
            let copies: Vec<(u32, u32)> = part?;
            for (copy, of) in copies {
                first[copy as usize] = of;
            }
        }
        Ok(first)
    }

    /// The identities that `wanted` accepts of paragraphs with words, each with its paragraph.
    fn read_hashes(&self, wanted: impl Fn(u128) -> bool) -> Result<Vec<([u64; 2], u32)>, Error> {
        let mut rows = Vec::new();
        let mut buffer = Vec::new();
        let mut paragraph = 0;
        for (at, len) in &self.hashes {
            buffer.resize(len * HASH_BYTES, 0);
            self.spool.read(*at, &mut buffer)?;
            let (hashes, _) = buffer.as_chunks::<HASH_BYTES>();
            for hash in hashes {
                let hash = u128::from_le_bytes(*hash);
                if wanted(hash) && self.paragraphs[paragraph as usize].tokens > 0 {
                    rows.push(([(hash >> 64) as u64, hash as u64], paragraph));
                }
                paragraph += 1;
            }
        }
        Ok(rows)
    }

    /// Number the distincts in first-seen order; `distinct_of` holds each paragraph's first holder.
    fn number_distincts(&mut self, order: &[u32]) {
        let mut last_holder: Vec<u32> = Vec::new();
        for article in order {
            for paragraph in self.paragraphs_of(*article) {
                if self.paragraphs[paragraph as usize].tokens == 0 {
                    self.distinct_of[paragraph as usize] = NO_DISTINCT;
                    continue;
                }
                let first = self.distinct_of[paragraph as usize];
                if first == paragraph {
                    self.distinct_of[paragraph as usize] = self.distincts.len() as u32;
                    self.distincts.push(Distinct {
                        first,
                        copies: 0,
                        articles: 0,
                    });
                    last_holder.push(u32::MAX);
                } else {
                    // It was seen before, so it has its number already.
                    self.distinct_of[paragraph as usize] = self.distinct_of[first as usize];
                }
                let distinct = self.distinct_of[paragraph as usize] as usize;
                let entry = &mut self.distincts[distinct];
                entry.copies += 1;
                if std::mem::replace(&mut last_holder[distinct], *article) != *article {
                    entry.articles += 1;
                }
            }
        }
    }

    /// The identities of paragraphs, in any order.
    ///
    /// # Errors
    /// The spool cannot be read.
    pub fn hashes_of(&self, paragraphs: &[u32]) -> Result<Vec<u128>, Error> {
        let mut order: Vec<usize> = (0..paragraphs.len()).collect();
        order.sort_unstable_by_key(|i| paragraphs[*i]);
        let mut found = vec![0; paragraphs.len()];
        let mut buffer = Vec::new();
        let mut loaded = 0..0;
        for i in order {
            let paragraph = paragraphs[i] as usize;
            if !loaded.contains(&paragraph) {
                let next = self
                    .bands
                    .partition_point(|block| block.base as usize <= paragraph);
                let base = self.bands[next - 1].base as usize;
                let (at, len) = self.hashes[next - 1];
                buffer.resize(len * HASH_BYTES, 0);
                self.spool.read(at, &mut buffer)?;
                loaded = base..base + len;
            }
            let (hashes, _) = buffer.as_chunks::<HASH_BYTES>();
            found[i] = u128::from_le_bytes(hashes[paragraph - loaded.start]);
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_numbered_by_size() {
        let members = [0, 3, 63, 64, 130, 191];
        let numbered = Numbered::new(Marks::new(200, members.into_iter()));
        assert_eq!(numbered.len(), members.len());
        for item in 0..200 {
            assert_eq!(
                numbered.number(item),
                members.iter().position(|m| *m == item)
            );
        }
    }
}
