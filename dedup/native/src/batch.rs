//! A fingerprinted batch as it stands in the spool, so that it can be had back after a crash.
//!
//! One behind the other: text, identities of paragraphs, identities of articles, packed rows of
//! bands, packed rows of anchors, and details, which are numbers of 32 bits.

use crate::error::Error;
use crate::fingerprint::{ArticlePrint, Fingerprints, HASH_BYTES, Paragraph, Repeat, Worker};
use crate::partition::{PARTITIONS, ROW_BYTES};
use crate::spool::{Extent, Spool};

const ARTICLE_WORDS: usize = 3;
const PARAGRAPH_WORDS: usize = 4;
const REPEAT_WORDS: usize = 7;

/// Where a batch stands, and how much of everything it has.
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

/// A batch in the spool, with what of it a corpus keeps in memory.
pub struct Spooled {
    pub record: BatchRecord,
    pub fingerprints: Fingerprints,
    /// Where the rows of each partition end, counted in rows.
    pub band_ends: Vec<u32>,
    pub anchor_ends: Vec<u32>,
}

impl BatchRecord {
    pub fn paragraph_hashes_at(&self) -> u64 {
        self.extent.at + self.text
    }

    pub fn article_hashes_at(&self) -> u64 {
        self.paragraph_hashes_at() + u64::from(self.paragraphs) * HASH_BYTES as u64
    }

    pub fn band_rows_at(&self) -> u64 {
        self.article_hashes_at() + u64::from(self.articles) * HASH_BYTES as u64
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
    /// `text` holds the articles one behind the other. The buffers of `worker`, which fingerprinted
    /// them, stay with it.
    ///
    /// # Errors
    /// The disk is full, or the batch holds too many paragraphs.
    pub fn new(worker: &mut Worker, text: &[u8], spool: &Spool) -> Result<Self, Error> {
        let fingerprints = std::mem::take(&mut worker.fingerprints);
        let paragraphs = fingerprints.paragraphs.len();
        let bands = worker.band_rows.pack(paragraphs)?;
        let anchors = worker.anchor_rows.pack(paragraphs)?;
        let details = write_details(&fingerprints, &bands.ends, &anchors.ends);
        let extent = spool.append(&[
            text,
            worker.paragraph_hashes.as_flattened(),
            worker.article_hashes.as_flattened(),
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
            band_ends: bands.ends,
            anchor_ends: anchors.ends,
            fingerprints,
        })
    }

    /// Have a batch back that another process spooled.
    ///
    /// # Errors
    /// The spool does not hold what was written.
    pub fn restore(record: BatchRecord, spool: &Spool) -> Result<Self, Error> {
        let bytes = spool.restore(record.extent)?;
        let details = (record.details_at() - record.extent.at) as usize;
        let (words, _) = bytes[details..].as_chunks::<4>();
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
        Ok(Self {
            record,
            fingerprints,
            band_ends: words.by_ref().take(PARTITIONS).collect(),
            anchor_ends: words.by_ref().take(PARTITIONS).collect(),
        })
    }
}

fn write_details(prints: &Fingerprints, bands: &[u32], anchors: &[u32]) -> Vec<[u8; 4]> {
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
    let ends = bands.iter().chain(anchors).copied();
    let words = articles.chain(paragraphs).chain(repeats).chain(ends);
    words.map(u32::to_le_bytes).collect()
}

/// The next words, zeros at the end.
fn take<const N: usize>(words: &mut impl Iterator<Item = u32>) -> [u32; N] {
    std::array::from_fn(|_| words.next().unwrap_or(0))
}
