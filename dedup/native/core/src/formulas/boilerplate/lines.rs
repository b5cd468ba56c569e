//! Lines too short to be evidence, which may be furniture: "Post a comment", "12 comments".
//!
//! Lines that differ in one number only count as one line. A line with more numbers, or of numbers
//! alone, says something about its article, as a date, a catalogue entry or a line of a table does,
//! and is not furniture.

use crate::agree::Agreement;
use crate::corpus::{Corpus, MIN_EVIDENCE_TOKENS, show_texts};
use crate::error::Error;
use crate::matching::{Membership, Stars};
use crate::text::{Tokens, hash_tokens, tokenize};
use crate::util::parallel;

const PIECE: usize = 1 << 14;
/// Replaces every number.
const NUMBER: u64 = u64::MAX;

/// Short lines that many articles may hold.
#[derive(Default)]
pub struct Lines {
    /// The first seen of those that differ in one number only.
    pub founders: Vec<u32>,
    /// The others of them.
    pub variants: Stars,
}

/// Find the lines whose variants appear in `min_articles` articles or more.
///
/// # Errors
/// The spool cannot be read.
pub fn find_lines(corpus: &Corpus, min_articles: u32, threads: usize) -> Result<Lines, Error> {
    let distincts = 0..corpus.distincts() as u32;
    let short: Vec<u32> = distincts
        .filter(|distinct| corpus.tokens(*distinct) < MIN_EVIDENCE_TOKENS)
        .collect();
    let mut lines = Lines::default();
    let mut with_numbers: Vec<Line> = Vec::new();
    for part in parallel::map_ranges(threads, short.len(), PIECE, |range| {
        mask_numbers(corpus, &short[range])
    }) {
        let (plain, masked) = part?;
        let holders = |distinct: &u32| corpus.distinct(*distinct).articles;
        let many = plain.into_iter().filter(|d| holders(d) >= min_articles);
        lines.founders.extend(many);
        with_numbers.extend(masked);
    }
    with_numbers.sort_unstable_by_key(|line| (line.mask, line.distinct));
    for alike in with_numbers.chunk_by(|a, b| a.mask == b.mask) {
        let holders = |line: &Line| u64::from(corpus.distinct(line.distinct).articles);
        if alike.iter().map(holders).sum::<u64>() >= u64::from(min_articles) {
            lines.founders.push(alike[0].distinct);
            let variants = alike[1..].iter();
            lines
                .variants
                .extend(variants.map(|line| line.join(&alike[0])));
        }
    }
    Ok(lines)
}

/// A line with a number.
struct Line {
    distinct: u32,
    tokens: u32,
    words: u32,
    /// Identity of its words, all numbers being the same one.
    mask: u128,
}

impl Line {
    fn join(&self, founder: &Self) -> (u32, Membership) {
        let agreement = Agreement {
            shared: self.words,
            left: founder.tokens,
            right: self.tokens,
        };
        let membership = Membership {
            representative: founder.distinct,
            agreement,
        };
        (self.distinct, membership)
    }
}

/// Lines without a number, and those with one.
fn mask_numbers(corpus: &Corpus, short: &[u32]) -> Result<(Vec<u32>, Vec<Line>), Error> {
    let mut plain = Vec::new();
    let mut lines = Vec::new();
    let mut tokens = Tokens::default();
    let mut scratch = Vec::new();
    show_texts(corpus, short, |i, text| {
        let distinct = short[i];
        if !text.contains(char::is_numeric) {
            plain.push(distinct);
            return;
        }
        tokenize(text, &mut tokens);
        let is_number =
            |[start, _]: &[u32; 2]| text[*start as usize..].starts_with(char::is_numeric);
        let mut words = 0;
        for (hash, range) in tokens.hashes.iter_mut().zip(&tokens.ranges) {
            if is_number(range) {
                *hash = NUMBER;
            } else {
                words += 1;
            }
        }
        if words >= 1 && words + 1 == tokens.hashes.len() {
            lines.push(Line {
                distinct,
                tokens: tokens.hashes.len() as u32,
                words: words as u32,
                mask: hash_tokens(&tokens.hashes, &mut scratch),
            });
        }
    })?;
    Ok((plain, lines))
}
