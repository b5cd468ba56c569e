//! All articles of a scan, as columns: which paragraph is where, who held it first, where its text
//! is.
//!
//! Once `set_order` was called, a *distinct* is one set of paragraphs with equal words, numbered
//! in first-seen order: a smaller number was seen earlier. Every later stage works on distincts.
//!
//! This stays in memory for every paragraph, so it is kept small: 16 bytes for its place, 4
//! for its distinct, 4 for a distinct's first holder, and counts for words that appear twice.

mod first_seen;
mod fixed_words;
mod texts;

pub use fixed_words::{Formula, Formulas};
pub(crate) use texts::{
    Outline, Placed, PlacedStore, TokenCache, in_reading_order, read_paragraphs, read_texts,
};
pub use texts::{TokenStore, show_texts};

use std::ops::Range;
use std::sync::Arc;

use crate::error::Error;
use crate::segment::Spooled;
use crate::sketch::{Paragraph, Repeat};
use crate::store::{IDENTITY_BYTES, PARTITIONS, Spool, unpack_identities};
use crate::util::{BitSet, IndexedBitSet, parallel, stop};
use first_seen::{Firsts, resolve};

/// A paragraph without words belongs to no distinct.
pub const NO_DISTINCT: u32 = u32::MAX;

/// A paragraph of fewer words is not evidence on its own: "Read more" appears everywhere.
pub const MIN_EVIDENCE_TOKENS: u32 = 5;

/// Items that `first_of_equal` sorts at once, 24 bytes each: at most twice as many, except that all
/// different ones of a partition are held, which are more only among more than 2^28.
const SORTED_AT_ONCE: usize = 1 << 20;
/// Paragraphs whose copies one task looks for.
const COUNTED_AT_ONCE: usize = 1 << 16;
/// Paragraphs of which one has its article noted.
const NOTED: usize = 64;

/// Where the packed rows of one batch are in the spool.
pub struct Block {
    pub at: u64,
    pub ends: Vec<u32>,
    /// Paragraphs of the batches before this one.
    pub base: u32,
}

/// Where the packed identities of one batch are in the spool.
struct Hashes {
    at: u64,
    /// Where each partition ends, counted in items.
    ends: Vec<u32>,
    /// Items of the batches before this one.
    base: usize,
}

impl Hashes {
    fn len(&self) -> usize {
        self.ends.last().map_or(0, |end| *end as usize)
    }
}

/// One article's row of the corpus.
#[derive(Clone, Copy)]
pub struct Article {
    /// Where its text starts in the spool, and its bytes.
    pub text_at: u64,
    pub text: u32,
    pub first_paragraph: u32,
    pub tokens: u32,
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

/// How often words appear that appear more than once.
#[derive(Clone, Copy, Default)]
struct Counts {
    copies: u32,
    articles: u32,
}

pub struct Corpus {
    pub spool: Arc<Spool>,
    pub articles: Vec<Article>,
    pub paragraphs: Vec<Paragraph>,
    /// `article` counts over the whole corpus here.
    pub repeats: Vec<Repeat>,
    paragraph_hashes: Vec<Hashes>,
    article_hashes: Vec<Hashes>,
    pub bands: Vec<Block>,
    pub anchors: Vec<Block>,
    /// Position of each article in first-seen order.
    pub rank: Vec<u32>,
    /// The article of every `NOTED`th paragraph.
    noted: Vec<u32>,
    /// The first-seen paragraph of each distinct.
    firsts: Vec<u32>,
    repeated: IndexedBitSet,
    counts: Vec<Counts>,
    /// The distinct of each paragraph.
    pub distinct_of: Vec<u32>,
    /// The paragraphs whose rows count: of those with equal words the first that was read.
    pub carriers: BitSet,
}

impl Corpus {
    pub fn new(spool: Arc<Spool>) -> Self {
        Self {
            spool,
            articles: Vec::new(),
            paragraphs: Vec::new(),
            repeats: Vec::new(),
            paragraph_hashes: Vec::new(),
            article_hashes: Vec::new(),
            bands: Vec::new(),
            anchors: Vec::new(),
            rank: Vec::new(),
            noted: Vec::new(),
            firsts: Vec::new(),
            repeated: IndexedBitSet::default(),
            counts: Vec::new(),
            distinct_of: Vec::new(),
            carriers: BitSet::default(),
        }
    }

    /// Add a batch. Batches must come in input order.
    ///
    /// # Errors
    /// More than 2^32 - 2 paragraphs, or articles, in all.
    pub fn add(&mut self, batch: Spooled) -> Result<(), Error> {
        let (record, prints) = (batch.record, batch.fingerprints);
        let base = self.paragraphs.len();
        let total = base + prints.paragraphs.len();
        if total >= NO_DISTINCT as usize {
            return Err(Error::TooManyParagraphs {
                paragraphs: total,
                limit: NO_DISTINCT - 1,
            });
        }
        let first_article = self.articles.len();
        let articles = first_article + prints.articles.len();
        if articles >= NO_DISTINCT as usize {
            return Err(Error::TooManyArticles {
                articles,
                limit: NO_DISTINCT - 1,
            });
        }
        let mut text_at = record.extent.at;
        let mut first_paragraph = base as u32;
        self.articles.extend(prints.articles.iter().map(|article| {
            let placed = Article {
                text_at,
                text: article.text,
                first_paragraph,
                tokens: article.tokens,
            };
            text_at += u64::from(article.text);
            first_paragraph += article.paragraphs;
            placed
        }));
        self.paragraphs.extend(prints.paragraphs);
        let moved = |repeat: Repeat| Repeat {
            article: repeat.article + first_article as u32,
            ..repeat
        };
        self.repeats.extend(prints.repeats.into_iter().map(moved));
        self.paragraph_hashes.push(Hashes {
            at: record.paragraph_hashes_at(),
            ends: batch.ends.paragraph_hashes,
            base,
        });
        self.article_hashes.push(Hashes {
            at: record.article_hashes_at(),
            ends: batch.ends.article_hashes,
            base: first_article,
        });
        let block = |at, ends| Block {
            at,
            ends,
            base: base as u32,
        };
        self.bands
            .push(block(record.band_rows_at(), batch.ends.bands));
        self.anchors
            .push(block(record.anchor_rows_at(), batch.ends.anchors));
        Ok(())
    }

    /// Paragraphs of one article.
    pub fn paragraphs_of(&self, article: u32) -> Range<u32> {
        let end = self
            .articles
            .get(article as usize + 1)
            .map_or(self.paragraphs.len() as u32, |next| next.first_paragraph);
        self.articles[article as usize].first_paragraph..end
    }

    /// The first paragraph with words of an article.
    pub fn first_with_words(&self, article: u32) -> Option<u32> {
        let has_words = |p: &u32| self.distinct_of[*p as usize] != NO_DISTINCT;
        self.paragraphs_of(article).find(has_words)
    }

    /// Paragraphs of consecutive articles.
    pub fn paragraphs_in(&self, articles: Range<u32>) -> Range<u32> {
        let first = |article: u32| {
            let article = self.articles.get(article as usize);
            article.map_or(self.paragraphs.len() as u32, |a| a.first_paragraph)
        };
        first(articles.start)..first(articles.end)
    }

    /// Cut the articles into consecutive ranges of at most this many paragraphs; an article with
    /// more is a range of its own.
    pub fn cut(&self, most: u32) -> Vec<Range<u32>> {
        let mut parts = Vec::new();
        let mut start = 0;
        for article in 0..self.articles.len() as u32 {
            let with_it = self.paragraphs_in(start..article + 1);
            if with_it.len() > most as usize && start < article {
                parts.push(start..article);
                start = article;
            }
        }
        if start < self.articles.len() as u32 {
            parts.push(start..self.articles.len() as u32);
        }
        parts
    }

    /// The article that holds a paragraph.
    #[inline]
    pub fn article_of(&self, paragraph: u32) -> u32 {
        let note = paragraph as usize / NOTED;
        let from = self.noted[note] as usize;
        let end = self.articles.len();
        let end = self
            .noted
            .get(note + 1)
            .map_or(end, |next| *next as usize + 1);
        let starts_before = |article: &Article| article.first_paragraph <= paragraph;
        (from + self.articles[from..end].partition_point(starts_before)) as u32 - 1
    }

    /// Place of a paragraph in its article.
    pub fn position(&self, paragraph: u32) -> u32 {
        paragraph - self.articles[self.article_of(paragraph) as usize].first_paragraph
    }

    /// Whether a paragraph has too few words to be evidence on its own.
    #[inline]
    pub fn is_short(&self, paragraph: u32) -> bool {
        self.paragraphs[paragraph as usize].tokens < MIN_EVIDENCE_TOKENS
    }

    /// Where a paragraph is in the spool, with the space after it.
    pub fn text_of(&self, paragraph: u32) -> std::ops::Range<u64> {
        let number = self.article_of(paragraph);
        let article = &self.articles[number as usize];
        let end = if paragraph + 1 < self.paragraphs_of(number).end {
            self.paragraphs[paragraph as usize + 1].byte_start
        } else {
            article.text
        };
        let start = self.paragraphs[paragraph as usize].byte_start;
        article.text_at + u64::from(start)..article.text_at + u64::from(end)
    }

    /// How many distincts there are.
    pub fn distincts(&self) -> usize {
        self.firsts.len()
    }

    /// A distinct, and how often it appears.
    #[inline]
    pub fn distinct(&self, distinct: u32) -> Distinct {
        let once = Counts {
            copies: 1,
            articles: 1,
        };
        let number = self.repeated.number(distinct);
        let counts = number.map_or(once, |number| self.counts[number]);
        Distinct {
            first: self.firsts[distinct as usize],
            copies: counts.copies,
            articles: counts.articles,
        }
    }

    /// The paragraph that held a distinct's words first.
    #[inline]
    pub fn first(&self, distinct: u32) -> u32 {
        self.firsts[distinct as usize]
    }

    /// The article that held a distinct's words first.
    pub fn first_article(&self, distinct: u32) -> u32 {
        self.article_of(self.first(distinct))
    }

    /// How many tokens a distinct has.
    pub fn tokens(&self, distinct: u32) -> u32 {
        self.paragraphs[self.first(distinct) as usize].tokens
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
        self.note_articles();
        let has_words = |p: u32| self.paragraphs[p as usize].tokens > 0;
        let order_of = |p: u32| (self.rank[self.article_of(p) as usize], p);
        self.distinct_of =
            self.first_of_equal(&self.paragraph_hashes, threads, has_words, order_of)?;
        self.number_distincts(order);
        self.count_repeated(threads);
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

    fn note_articles(&mut self) {
        let mut article = 0;
        let paragraphs = (0..self.paragraphs.len()).step_by(NOTED);
        let noted = paragraphs.map(|paragraph| {
            let next = |article: usize| self.articles.get(article + 1);
            while next(article).is_some_and(|next| next.first_paragraph as usize <= paragraph) {
                article += 1;
            }
            article as u32
        });
        self.noted = noted.collect();
    }

    /// For each article: the first-seen one with the same words.
    ///
    /// # Errors
    /// The spool cannot be read.
    pub fn first_equal_articles(&self, threads: usize) -> Result<Vec<u32>, Error> {
        let rank = |article: u32| self.rank[article as usize];
        self.first_of_equal(&self.article_hashes, threads, |_| true, rank)
    }

    /// For each item: the first of those with the same identity, or the item itself if it is not
    /// `wanted`.
    fn first_of_equal<K: Ord>(
        &self,
        hashes: &[Hashes],
        threads: usize,
        wanted: impl Fn(u32) -> bool + Sync,
        order: impl Fn(u32) -> K + Sync,
    ) -> Result<Vec<u32>, Error> {
        let items = hashes.last().map_or(0, |last| last.base + last.len());
        let groups = items
            .div_ceil(SORTED_AT_ONCE)
            .next_multiple_of(threads.max(1))
            .min(PARTITIONS);
        let found = parallel::map(threads, groups, |group| {
            let partitions = group * PARTITIONS / groups..(group + 1) * PARTITIONS / groups;
            let mut firsts = Firsts::new(2 * SORTED_AT_ONCE, &order);
            self.read_hashes(hashes, partitions, |item, hash| {
                if wanted(item) {
                    firsts.push(item, hash);
                }
            })?;
            Ok(firsts.finish())
        });
        let mut first: Vec<u32> = (0..items as u32).collect();
        for copies in found {
            resolve(copies?, &mut first);
        }
        Ok(first)
    }

    /// Show the identities of some partitions.
    fn read_hashes(
        &self,
        hashes: &[Hashes],
        partitions: Range<usize>,
        mut show: impl FnMut(u32, u128),
    ) -> Result<(), Error> {
        let mut buffer = Vec::new();
        for block in hashes {
            stop::check();
            let end = |partitions: usize| match partitions {
                0 => 0,
                _ => block.ends[partitions - 1] as usize * IDENTITY_BYTES,
            };
            let range = end(partitions.start)..end(partitions.end);
            buffer.resize(range.len(), 0);
            self.spool
                .read(block.at + range.start as u64, &mut buffer)?;
            for (hash, number) in unpack_identities(&buffer) {
                show(block.base as u32 + number, hash);
            }
        }
        Ok(())
    }

    /// Number the distincts in first-seen order; `distinct_of` holds each paragraph's first holder.
    fn number_distincts(&mut self, order: &[u32]) {
        let mut repeated = BitSet::new(self.paragraphs.len(), std::iter::empty());
        for article in order {
            stop::check();
            for paragraph in self.paragraphs_of(*article) {
                let first = self.distinct_of[paragraph as usize];
                self.distinct_of[paragraph as usize] =
                    if self.paragraphs[paragraph as usize].tokens == 0 {
                        NO_DISTINCT
                    } else if first == paragraph {
                        self.firsts.push(first);
                        self.firsts.len() as u32 - 1
                    } else {
                        // It was seen before, so it has its number already.
                        let distinct = self.distinct_of[first as usize];
                        repeated.insert(distinct);
                        distinct
                    };
            }
        }
        self.firsts.shrink_to_fit();
        self.repeated = IndexedBitSet::new(repeated);
    }

    /// Count how often words appear that appear more than once, and choose the carriers.
    fn count_repeated(&mut self, threads: usize) {
        let paragraphs = self.paragraphs.len();
        let held = parallel::collect(threads, paragraphs, COUNTED_AT_ONCE, |range| {
            let repeated = |paragraph| {
                let number = self.repeated.number(self.distinct_of[paragraph])?;
                let paragraph = paragraph as u32;
                Some((paragraph, self.article_of(paragraph), number as u32))
            };
            range.filter_map(repeated).collect()
        });
        let with_words = (0..paragraphs as u32).filter(|p| self.paragraphs[*p as usize].tokens > 0);
        self.carriers = BitSet::new(paragraphs, with_words);
        self.counts = vec![Counts::default(); self.repeated.len()];
        let mut last_holder = vec![u32::MAX; self.repeated.len()];
        for (paragraph, article, number) in held {
            let counts = &mut self.counts[number as usize];
            if counts.copies > 0 {
                self.carriers.remove(paragraph);
            }
            counts.copies += 1;
            if std::mem::replace(&mut last_holder[number as usize], article) != article {
                counts.articles += 1;
            }
        }
    }

    /// The identities of paragraphs, in any order.
    ///
    /// # Errors
    /// The spool cannot be read.
    pub fn hashes_of(&self, paragraphs: &[u32]) -> Result<Vec<u128>, Error> {
        self.identities(&self.paragraph_hashes, paragraphs)
    }

    /// The identities of articles, in any order.
    ///
    /// # Errors
    /// The spool cannot be read.
    pub fn article_hashes_of(&self, articles: &[u32]) -> Result<Vec<u128>, Error> {
        self.identities(&self.article_hashes, articles)
    }

    fn identities(&self, hashes: &[Hashes], items: &[u32]) -> Result<Vec<u128>, Error> {
        let mut order: Vec<usize> = (0..items.len()).collect();
        order.sort_unstable_by_key(|i| items[*i]);
        let mut found = vec![0; items.len()];
        let mut loaded: Vec<u128> = Vec::new();
        let mut block = 0..0;
        for i in order {
            let item = items[i] as usize;
            if !block.contains(&item) {
                let next = hashes.partition_point(|block| block.base <= item);
                let hashes = &hashes[next - 1];
                block = hashes.base..hashes.base + hashes.len();
                loaded.resize(block.len(), 0);
                self.read_hashes(std::slice::from_ref(hashes), 0..PARTITIONS, |item, hash| {
                    loaded[item as usize - block.start] = hash;
                })?;
            }
            found[i] = loaded[item - block.start];
        }
        Ok(found)
    }
}
