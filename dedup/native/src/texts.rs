//! Texts of chosen distincts, read back from the spool and tokenised again.

use crate::corpus::Corpus;
use crate::error::Error;
use crate::fingerprint::CodePoints;
use crate::parallel;
use crate::tokenize::{Tokens, tokenize};

/// Bytes read at once; texts that lie this close together are one read.
const READ_BYTES: u64 = 1 << 20;
const NOT_HELD: u32 = u32::MAX;

/// Token hashes of chosen distincts.
pub struct TokenStore {
    place_of: Vec<u32>,
    starts: Vec<usize>,
    tokens: Vec<u64>,
}

impl TokenStore {
    /// Load the tokens of `distincts`, which may repeat, in any order.
    ///
    /// # Errors
    /// The spool cannot be read.
    pub fn load(corpus: &Corpus, mut distincts: Vec<u32>, threads: usize) -> Result<Self, Error> {
        distincts.sort_unstable();
        distincts.dedup();
        // Text lies in the order of arrival: reading in that order is one sweep over the spool.
        distincts.sort_by_key(|distinct| position(corpus, *distinct));
        let pieces = parallel::map_ranges(threads, distincts.len(), 4096, |range| {
            let mut tokens = Tokens::default();
            let mut hashes: Vec<u64> = Vec::new();
            let mut ends: Vec<usize> = Vec::new();
            read_texts(corpus, &distincts[range], |text| {
                tokenize(text, &mut tokens);
                hashes.extend_from_slice(&tokens.hashes);
                ends.push(hashes.len());
            })?;
            Ok((hashes, ends))
        });
        let mut store = Self {
            place_of: vec![NOT_HELD; corpus.distincts.len()],
            starts: vec![0],
            tokens: Vec::new(),
        };
        for piece in pieces {
            let (hashes, ends): (Vec<u64>, Vec<usize>) = piece?;
            let base = store.tokens.len();
            store.tokens.extend(hashes);
            store.starts.extend(ends.into_iter().map(|end| base + end));
        }
        for (place, distinct) in distincts.iter().enumerate() {
            store.place_of[*distinct as usize] = place as u32;
        }
        Ok(store)
    }

    /// The tokens of a distinct; none if it was not loaded.
    pub fn tokens(&self, distinct: u32) -> &[u64] {
        match self.place_of[distinct as usize] {
            NOT_HELD => &[],
            place => {
                let place = place as usize;
                &self.tokens[self.starts[place]..self.starts[place + 1]]
            }
        }
    }
}

/// Where the text of a distinct's first paragraph starts in the spool.
fn position(corpus: &Corpus, distinct: u32) -> u64 {
    let p = corpus.first(distinct);
    corpus.articles[p.article as usize].text_at + u64::from(p.byte_start)
}

/// Show the text of each distinct, which must be sorted by position, in that order.
fn read_texts(corpus: &Corpus, distincts: &[u32], mut show: impl FnMut(&str)) -> Result<(), Error> {
    let mut buffer: Vec<u8> = Vec::new();
    let mut from = 0;
    for (i, distinct) in distincts.iter().enumerate() {
        let p = corpus.first(*distinct);
        let start = position(corpus, *distinct);
        let len = u64::from(p.byte_end - p.byte_start);
        if start < from || start + len > from + buffer.len() as u64 {
            let near = distincts[i..].iter().map(|d| {
                let p = corpus.first(*d);
                position(corpus, *d) + u64::from(p.byte_end - p.byte_start)
            });
            let end = near.take_while(|end| *end <= start + READ_BYTES).last();
            let end = end.unwrap_or(start + len).max(start + len);
            buffer.resize((end - start) as usize, 0);
            corpus.spool.read(start, &mut buffer)?;
            from = start;
        }
        let at = (start - from) as usize;
        // The spool holds what arrived as valid UTF-8, cut at line ends.
        show(std::str::from_utf8(&buffer[at..at + len as usize]).unwrap_or_default());
    }
    Ok(())
}

/// Show the text of each distinct together with its index in `distincts`, in reading order.
///
/// # Errors
/// The spool cannot be read.
pub fn show_texts(
    corpus: &Corpus,
    distincts: &[u32],
    mut show: impl FnMut(usize, &str),
) -> Result<(), Error> {
    let mut order: Vec<usize> = (0..distincts.len()).collect();
    order.sort_by_key(|i| position(corpus, distincts[*i]));
    let sorted: Vec<u32> = order.iter().map(|i| distincts[*i]).collect();
    let mut next = order.iter();
    read_texts(corpus, &sorted, |text| {
        if let Some(i) = next.next() {
            show(*i, text);
        }
    })
}

/// One paragraph's tokens with their places in the article, in code points.
#[derive(Default)]
pub struct PlacedTokens {
    pub hashes: Vec<u64>,
    pub places: Vec<[u32; 2]>,
}

/// The tokens of a paragraph with the code points at which each starts and ends.
///
/// # Errors
/// The spool cannot be read.
pub fn place_tokens(
    corpus: &Corpus,
    distinct: u32,
    tokens: &mut Tokens,
) -> Result<PlacedTokens, Error> {
    let base = corpus.first(distinct).start;
    let mut placed = PlacedTokens::default();
    read_texts(corpus, &[distinct], |text| {
        tokenize(text, tokens);
        let mut points = CodePoints::new(text);
        placed.hashes = tokens.hashes.clone();
        placed.places = tokens
            .ranges
            .iter()
            .map(|r| r.map(|byte| base + points.at(byte)))
            .collect();
    })?;
    Ok(placed)
}
