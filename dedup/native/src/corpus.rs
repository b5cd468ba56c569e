//! All articles of a scan, as columns: what stands where, who held it first, where its text is.
//!
//! Once `set_order` was called, a *distinct* is one set of paragraphs with equal words, numbered
//! in first-seen order: a smaller number was seen earlier. Every later stage works on distincts.

use std::sync::Arc;

use crate::error::Error;
use crate::fingerprint::{Fingerprints, Paragraph, Repeat, Worker};
use crate::partition::{Packed, Rows};
use crate::spool::Spool;

/// A paragraph without words belongs to no distinct.
pub const NO_DISTINCT: u32 = u32::MAX;

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
        let bands = spill(&mut worker.band_rows)?;
        let anchors = spill(&mut worker.anchor_rows)?;
        Ok(Self {
            fingerprints: worker.fingerprints.clone(),
            text_at: spool.append(text)?,
            offsets,
            bands,
            anchors,
        })
    }
}

/// Whether a number is in a set: one bit each, so that asking costs no search.
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
    pub bands: Vec<Block>,
    pub anchors: Vec<Block>,
    /// Position of each article in first-seen order.
    pub rank: Vec<u32>,
    pub distincts: Vec<Distinct>,
    /// The distinct of each paragraph.
    pub distinct_of: Vec<u32>,
    /// The same for the first paragraph to arrive, and no distinct for later ones: rows of the
    /// others say nothing new.
    pub carried: Vec<u32>,
}

impl Corpus {
    pub fn new(spool: Arc<Spool>) -> Self {
        Self {
            spool,
            articles: Vec::new(),
            paragraphs: Vec::new(),
            repeats: Vec::new(),
            bands: Vec::new(),
            anchors: Vec::new(),
            rank: Vec::new(),
            distincts: Vec::new(),
            distinct_of: Vec::new(),
            carried: Vec::new(),
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
    pub fn set_order(&mut self, order: &[u32]) {
        self.collapse(order);
        let mut met = vec![false; self.distincts.len()];
        let first_arrival = |distinct: &u32| {
            let is_first =
                *distinct != NO_DISTINCT && !std::mem::replace(&mut met[*distinct as usize], true);
            if is_first { *distinct } else { NO_DISTINCT }
        };
        self.carried = self.distinct_of.iter().map(first_arrival).collect();
    }

    fn collapse(&mut self, order: &[u32]) {
        self.rank = vec![0; self.articles.len()];
        for (rank, article) in order.iter().enumerate() {
            self.rank[*article as usize] = rank as u32;
        }
        let slots = (self.paragraphs.len() * 2).next_power_of_two().max(16);
        let mut table = Collapse {
            slots: vec![(0, NO_DISTINCT); slots],
        };
        self.distinct_of = vec![NO_DISTINCT; self.paragraphs.len()];
        let mut last_holder: Vec<u32> = Vec::new();
        for article in order {
            for paragraph in self.paragraphs_of(*article) {
                let p = &self.paragraphs[paragraph as usize];
                if p.tokens == 0 {
                    continue;
                }
                let fresh = self.distincts.len() as u32;
                let same = |d: u32| {
                    self.paragraphs[self.distincts[d as usize].first as usize].hash == p.hash
                };
                let distinct = table.insert(p.hash, fresh, same);
                if distinct == fresh {
                    self.distincts.push(Distinct {
                        first: paragraph,
                        copies: 0,
                        articles: 0,
                    });
                    last_holder.push(u32::MAX);
                }
                self.distinct_of[paragraph as usize] = distinct;
                let entry = &mut self.distincts[distinct as usize];
                entry.copies += 1;
                if std::mem::replace(&mut last_holder[distinct as usize], *article) != *article {
                    entry.articles += 1;
                }
            }
        }
    }
}

/// Hash to distinct: the slot keeps 32 bits of the hash, so most look-ups touch one cache line.
struct Collapse {
    slots: Vec<(u32, u32)>,
}

impl Collapse {
    /// The distinct that `same` recognises, or `fresh` if there was none.
    fn insert(&mut self, hash: u128, fresh: u32, same: impl Fn(u32) -> bool) -> u32 {
        let mask = self.slots.len() - 1;
        let tag = (hash >> 96) as u32;
        let mut slot = hash as usize & mask;
        loop {
            let (held_tag, distinct) = self.slots[slot];
            if distinct == NO_DISTINCT {
                self.slots[slot] = (tag, fresh);
                return fresh;
            }
            if held_tag == tag && same(distinct) {
                return distinct;
            }
            slot = (slot + 1) & mask;
        }
    }
}
