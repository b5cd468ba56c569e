//! A fingerprinted batch as it is stored in the spool, so that it can be restored after a crash.
//!
//! One after another: text, packed identities of paragraphs, packed identities of articles, packed
//! rows of bands, packed rows of anchors, and details, which are numbers of 32 bits.

use crate::error::Error;
use crate::sketch::{ArticlePrint, Fingerprints, Paragraph, Repeat, Worker};
use crate::store::{Extent, IDENTITY_BYTES, PARTITIONS, ROW_BYTES, Spool, pack_identities};

const WORD_BYTES: usize = 4;
const ARTICLE_WORDS: usize = 3;
const PARAGRAPH_WORDS: usize = 4;
const REPEAT_WORDS: usize = 7;

/// The counts of a batch: bytes of text, articles, paragraphs, rows of bands, rows of anchors, and
/// repeats.
pub type Numbers = [u64; 6];

/// Where a batch is, and its counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BatchRecord {
    pub extent: Extent,
    pub text: u64,
    pub articles: u32,
    pub paragraphs: u32,
    pub band_rows: u32,
    pub anchor_rows: u32,
    pub repeats: u32,
}

/// A batch in the spool, with the part of it that a corpus keeps in memory.
pub struct Spooled {
    pub record: BatchRecord,
    pub fingerprints: Fingerprints,
    pub ends: Ends,
}

/// Where each partition ends, counted in rows.
pub struct Ends {
    pub paragraph_hashes: Vec<u32>,
    pub article_hashes: Vec<u32>,
    pub bands: Vec<u32>,
    pub anchors: Vec<u32>,
}

impl BatchRecord {
    /// A record as another process noted it; none if the extent cannot hold exactly these numbers.
    pub fn new(extent: Extent, numbers: Numbers) -> Option<Self> {
        let [text, others @ ..] = numbers;
        let mut counts = [0; 5];
        for (count, number) in counts.iter_mut().zip(others) {
            *count = u32::try_from(number).ok()?;
        }
        let [articles, paragraphs, band_rows, anchor_rows, repeats] = counts;
        let record = Self {
            extent,
            text,
            articles,
            paragraphs,
            band_rows,
            anchor_rows,
            repeats,
        };
        let len = text.checked_add(record.len_beside_text());
        (len == Some(extent.len)).then_some(record)
    }

    pub fn numbers(&self) -> Numbers {
        let (articles, paragraphs) = (u64::from(self.articles), u64::from(self.paragraphs));
        let (bands, anchors) = (u64::from(self.band_rows), u64::from(self.anchor_rows));
        let repeats = u64::from(self.repeats);
        [self.text, articles, paragraphs, bands, anchors, repeats]
    }

    fn len_beside_text(&self) -> u64 {
        let hashes = u64::from(self.paragraphs) + u64::from(self.articles);
        let rows = u64::from(self.band_rows) + u64::from(self.anchor_rows);
        let words = u64::from(self.articles) * ARTICLE_WORDS as u64
            + u64::from(self.paragraphs) * PARAGRAPH_WORDS as u64
            + u64::from(self.repeats) * REPEAT_WORDS as u64
            + 4 * PARTITIONS as u64;
        hashes * IDENTITY_BYTES as u64 + rows * ROW_BYTES as u64 + words * WORD_BYTES as u64
    }

    pub fn paragraph_hashes_at(&self) -> u64 {
        self.extent.at + self.text
    }

    pub fn article_hashes_at(&self) -> u64 {
        self.paragraph_hashes_at() + u64::from(self.paragraphs) * IDENTITY_BYTES as u64
    }

    pub fn band_rows_at(&self) -> u64 {
        self.article_hashes_at() + u64::from(self.articles) * IDENTITY_BYTES as u64
    }

    pub fn anchor_rows_at(&self) -> u64 {
        self.band_rows_at() + u64::from(self.band_rows) * ROW_BYTES as u64
    }

    fn details_at(&self) -> u64 {
        self.anchor_rows_at() + u64::from(self.anchor_rows) * ROW_BYTES as u64
    }
}

impl Spooled {
    /// Move the text and the rows of a batch to the spool. Threads may call this at once.
    ///
    /// `text` holds the articles one after another. The buffers of `worker`, which fingerprinted
    /// them, stay with it.
    ///
    /// # Errors
    /// The disk is full, or the batch holds too many paragraphs.
    pub fn new(worker: &mut Worker, text: &[u8], spool: &Spool) -> Result<Self, Error> {
        let fingerprints = std::mem::take(&mut worker.fingerprints);
        let paragraphs = fingerprints.paragraphs.len();
        let bands = worker.band_rows.pack(paragraphs)?;
        let anchors = worker.anchor_rows.pack(paragraphs)?;
        let (paragraph_hashes, paragraph_ends) = pack_identities(&worker.paragraph_hashes);
        let (article_hashes, article_ends) = pack_identities(&worker.article_hashes);
        let ends = Ends {
            paragraph_hashes: paragraph_ends,
            article_hashes: article_ends,
            bands: bands.ends,
            anchors: anchors.ends,
        };
        let details = write_details(&fingerprints, &ends);
        let extent = spool.append(&[
            text,
            paragraph_hashes.as_flattened(),
            article_hashes.as_flattened(),
            bands.bytes,
            anchors.bytes,
            details.as_flattened(),
        ])?;
        Ok(Self {
            record: BatchRecord {
                extent,
                text: text.len() as u64,
                articles: fingerprints.articles.len() as u32,
                paragraphs: paragraphs as u32,
                band_rows: (bands.bytes.len() / ROW_BYTES) as u32,
                anchor_rows: (anchors.bytes.len() / ROW_BYTES) as u32,
                repeats: fingerprints.repeats.len() as u32,
            },
            ends,
            fingerprints,
        })
    }

    /// Restore a batch that another process spooled.
    ///
    /// # Errors
    /// The spool does not hold what was written.
    pub fn restore(record: BatchRecord, spool: &Spool) -> Result<Self, Error> {
        let bytes = spool.restore(record.extent)?;
        let details = (record.details_at() - record.extent.at) as usize;
        let (words, _) = bytes[details..].as_chunks::<WORD_BYTES>();
        let mut words = words.iter().map(|word| u32::from_le_bytes(*word));
        let mut fingerprints = Fingerprints::default();
        for _ in 0..record.articles {
            let [text, paragraphs, tokens] = take::<ARTICLE_WORDS>(&mut words);
            fingerprints.articles.push(ArticlePrint {
                text,
                paragraphs,
                tokens,
            });
        }
        for _ in 0..record.paragraphs {
            let [byte_start, start, end, tokens] = take::<PARAGRAPH_WORDS>(&mut words);
            fingerprints.paragraphs.push(Paragraph {
                byte_start,
                start,
                end,
                tokens,
            });
        }
        for _ in 0..record.repeats {
            let r = take::<REPEAT_WORDS>(&mut words);
            fingerprints.repeats.push(Repeat {
                article: r[0],
                token_start: r[1],
                token_end: r[2],
                start: r[3],
                end: r[4],
                source_start: r[5],
                source_end: r[6],
            });
        }
        let text: u64 = fingerprints
            .articles
            .iter()
            .map(|a| u64::from(a.text))
            .sum();
        let paragraphs: u64 = fingerprints
            .articles
            .iter()
            .map(|a| u64::from(a.paragraphs))
            .sum();
        if (text, paragraphs) != (record.text, u64::from(record.paragraphs)) {
            return Err(spool.changed());
        }
        let mut ends = || words.by_ref().take(PARTITIONS).collect();
        Ok(Self {
            record,
            fingerprints,
            ends: Ends {
                paragraph_hashes: ends(),
                article_hashes: ends(),
                bands: ends(),
                anchors: ends(),
            },
        })
    }
}

fn write_details(prints: &Fingerprints, ends: &Ends) -> Vec<[u8; WORD_BYTES]> {
    let articles = prints.articles.iter();
    let articles = articles.flat_map(|a| [a.text, a.paragraphs, a.tokens]);
    let paragraphs = prints.paragraphs.iter();
    let paragraphs = paragraphs.flat_map(|p| [p.byte_start, p.start, p.end, p.tokens]);
    let repeats = prints.repeats.iter().flat_map(|r| {
        [
            r.article,
            r.token_start,
            r.token_end,
            r.start,
            r.end,
            r.source_start,
            r.source_end,
        ]
    });
    let hashes = ends.paragraph_hashes.iter().chain(&ends.article_hashes);
    let ends = hashes.chain(&ends.bands).chain(&ends.anchors).copied();
    let words = articles.chain(paragraphs).chain(repeats).chain(ends);
    words.map(u32::to_le_bytes).collect()
}

/// The next words, zeros at the end.
fn take<const N: usize>(words: &mut impl Iterator<Item = u32>) -> [u32; N] {
    std::array::from_fn(|_| words.next().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_an_extent_cannot_hold_are_refused() {
        let ends = (4 * PARTITIONS * WORD_BYTES) as u64;
        let article = (IDENTITY_BYTES + ARTICLE_WORDS * WORD_BYTES) as u64;
        let extent = Extent {
            at: 0,
            len: 7 + article + ends,
            check: 0,
        };
        let is_record = |numbers| BatchRecord::new(extent, numbers).is_some();
        assert!(is_record([7, 1, 0, 0, 0, 0]));
        assert!(!is_record([8, 1, 0, 0, 0, 0]));
        assert!(!is_record([7, 2, 0, 0, 0, 0]));
        assert!(!is_record([7, 1 + (1 << 32), 0, 0, 0, 0]));
        assert!(!is_record([u64::MAX, 1, 0, 0, 0, 0]));
    }
}
