//! A batch of articles to everything later stages need: paragraphs, keys, anchors and repeats.

use std::collections::HashSet;
use std::hash::BuildHasherDefault;

use super::anchors::select_anchors;
use super::grams::{GRAM, Grams, hash_pairs};
use super::minhash::Bands;
use super::repeats::{RepeatScratch, find_repeated_units, find_repeats};
use super::runs::Run;
use crate::store::KeyRows;
use crate::text::{CodePoints, Identity, ParagraphMode, Tokens, hash_tokens, split, tokenize};
use crate::util::stop;

/// Most tokens of one signature. A 16-bit lane distinguishes sets of some hundred features.
const WINDOW_TOKENS: usize = 400;
/// Windows of a longer paragraph overlap by half, so that an excerpt lies well inside one.
const WINDOW_STEP: usize = WINDOW_TOKENS / 2;
/// Paragraphs up to this long get bands of their own as well: one edited word in ten costs a fifth
/// of the features, and finding those pairs is cheap while features are few. Up to 64 tokens they
/// would find 0.997 of the pairs instead of 0.991, but among 3 million paragraphs three times the
/// candidates.
const SHORT_TOKENS: usize = 32;
const SHORT_BANDS: usize = 32;
const SHORT_ROWS: usize = 3;
/// A sentence or paragraph of fewer words than this may appear twice by chance.
const MIN_UNIT_WORDS: u32 = 5;

#[derive(Clone, Copy)]
pub struct Options {
    pub paragraphs: ParagraphMode,
    /// Shorter paragraphs have an exact hash only.
    pub min_tokens: usize,
    pub bands: usize,
    pub rows: usize,
    pub min_repeat_tokens: u32,
}

/// One paragraph. `byte_start` counts bytes of the article's text, `start` and `end` Unicode code
/// points.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Paragraph {
    pub byte_start: u32,
    pub start: u32,
    pub end: u32,
    pub tokens: u32,
}

/// One article: the bytes of its text, and how many paragraphs and tokens are in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ArticlePrint {
    pub text: u32,
    pub paragraphs: u32,
    pub tokens: u32,
}

/// Words of an article that already appeared in it. Tokens are counted from the article's first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Repeat {
    /// Row of the article in its batch.
    pub article: u32,
    pub token_start: u32,
    pub token_end: u32,
    /// Code points, here and at the earlier place.
    pub start: u32,
    pub end: u32,
    pub source_start: u32,
    pub source_end: u32,
}

/// The fingerprints of one batch of articles, except their rows.
#[derive(Clone, Default)]
pub struct Fingerprints {
    pub articles: Vec<ArticlePrint>,
    pub paragraphs: Vec<Paragraph>,
    pub repeats: Vec<Repeat>,
}

/// Memory that fingerprinting takes for each token of a text: its hash and range, the gram that
/// begins with it, and its places in the search for repeats.
const BYTES_A_TOKEN: u64 = 48;
/// The same for each paragraph: its row twice, its identity, and the data they are made from.
const BYTES_A_PARAGRAPH: u64 = 80;

/// Most bytes of memory that fingerprinting a text takes.
pub fn needed_memory(text: &str) -> u64 {
    let (mut words, mut others, mut lines) = (0, 0, 1);
    let mut before = b'\n';
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte >= 0x80;
    for byte in text.bytes() {
        words += u64::from(is_word(byte) && !is_word(before));
        // Each character of three bytes may be a token of its own.
        others += u64::from(byte >= 0xE0);
        lines += u64::from(byte == b'\n' && before != b'\n');
        before = byte;
    }
    2 * text.len() as u64 + (words + others) * BYTES_A_TOKEN + lines * BYTES_A_PARAGRAPH
}

/// Fingerprints batches, one at a time. Its buffers are reused from batch to batch, so that each
/// thread should keep its own.
pub struct Worker {
    options: Options,
    bands: Bands,
    short_bands: Bands,
    pub fingerprints: Fingerprints,
    /// Identity of each paragraph's tokens.
    pub paragraph_hashes: Vec<u128>,
    /// Identity of each article's whole token sequence.
    pub article_hashes: Vec<u128>,
    /// (band key, paragraph of this batch), for one of each set of equal paragraphs.
    pub band_rows: KeyRows,
    /// (anchor, paragraph of this batch), likewise.
    pub anchor_rows: KeyRows,
    /// Paragraphs that have rows already: a footer needs one set of rows per batch, not a thousand.
    sketched: HashSet<u64, BuildHasherDefault<Identity>>,
    tokens: Tokens,
    ranges: Vec<[u32; 2]>,
    /// Token range of each paragraph of the article.
    spans: Vec<(u32, u32)>,
    grams: Grams,
    /// Features of one window.
    pairs: Vec<u64>,
    minima: Vec<u64>,
    signature: Vec<u16>,
    keys: Vec<u64>,
    runs: Vec<Run>,
    units: Vec<(u32, u32)>,
    repeats: RepeatScratch,
    bytes: Vec<u8>,
}

impl Worker {
    pub fn new(options: Options) -> Self {
        Self {
            bands: Bands::new(0, options.bands, options.rows),
            short_bands: Bands::new(1, SHORT_BANDS, SHORT_ROWS),
            options,
            fingerprints: Fingerprints::default(),
            paragraph_hashes: Vec::new(),
            article_hashes: Vec::new(),
            band_rows: KeyRows::default(),
            anchor_rows: KeyRows::default(),
            sketched: HashSet::default(),
            tokens: Tokens::default(),
            ranges: Vec::new(),
            spans: Vec::new(),
            grams: Grams::default(),
            pairs: Vec::new(),
            minima: Vec::new(),
            signature: Vec::new(),
            keys: Vec::new(),
            runs: Vec::new(),
            units: Vec::new(),
            repeats: RepeatScratch::default(),
            bytes: Vec::new(),
        }
    }

    /// Replace `fingerprints` and the rows by those of a batch of articles.
    pub fn fingerprint<'a>(&mut self, texts: impl Iterator<Item = &'a str>) {
        self.fingerprints.paragraphs.clear();
        self.fingerprints.repeats.clear();
        self.fingerprints.articles.clear();
        self.paragraph_hashes.clear();
        self.article_hashes.clear();
        self.band_rows.clear();
        self.anchor_rows.clear();
        self.sketched.clear();
        for (article, text) in texts.enumerate() {
            self.add(article as u32, text);
        }
    }

    fn add(&mut self, article: u32, text: &str) {
        stop::check();
        tokenize(text, &mut self.tokens);
        stop::check();
        split(text, self.options.paragraphs, &mut self.ranges);
        self.grams.set(&self.tokens.hashes);
        self.article_hashes
            .push(hash_tokens(&self.tokens.hashes, &mut self.bytes));
        let code_points = CodePoints::new(text);
        self.add_paragraphs(&code_points);
        self.fingerprints.articles.push(ArticlePrint {
            text: text.len() as u32,
            paragraphs: self.ranges.len() as u32,
            tokens: self.spans.last().map_or(0, |span| span.1),
        });
        stop::check();
        self.add_repeats(article, &code_points);
    }

    fn add_paragraphs(&mut self, code_points: &CodePoints<'_>) {
        let mut first = 0;
        self.spans.clear();
        for i in 0..self.ranges.len() {
            stop::check();
            let [byte_start, byte_end] = self.ranges[i];
            let inside = self.tokens.ranges[first..]
                .iter()
                .take_while(|r| r[0] < byte_end);
            let last = first + inside.count();
            let tokens = &self.tokens.hashes[first..last];
            let hash = hash_tokens(tokens, &mut self.bytes);
            let paragraph = self.fingerprints.paragraphs.len() as u32;
            self.fingerprints.paragraphs.push(Paragraph {
                byte_start,
                start: code_points.at(byte_start),
                end: code_points.at(byte_end),
                tokens: (last - first) as u32,
            });
            self.paragraph_hashes.push(hash);
            if tokens.len() >= self.options.min_tokens && self.sketched.insert(hash as u64) {
                self.add_rows(paragraph, first, last);
            }
            self.spans.push((first as u32, last as u32));
            first = last;
        }
    }

    fn add_rows(&mut self, paragraph: u32, first: usize, last: usize) {
        let mut start = first;
        loop {
            let end = last.min(start + WINDOW_TOKENS);
            hash_pairs(&self.tokens.hashes[start..end], &mut self.pairs);
            let features = &self.pairs;
            self.keys.clear();
            self.bands
                .keys(features, &mut self.signature, &mut self.keys);
            if last - first <= SHORT_TOKENS {
                self.short_bands
                    .keys(features, &mut self.signature, &mut self.keys);
            }
            for key in &self.keys {
                self.band_rows.push(*key, paragraph);
            }
            if end == last {
                break;
            }
            start += WINDOW_STEP;
        }
        let eights = first.min(self.grams.eights.len())..last.saturating_sub(GRAM - 1);
        if eights.start < eights.end {
            let rows = &mut self.anchor_rows;
            select_anchors(&self.grams.eights[eights], &mut self.minima, |anchor| {
                rows.push(anchor, paragraph);
            });
        }
    }

    fn add_repeats(&mut self, article: u32, code_points: &CodePoints<'_>) {
        let tokens = &self.tokens.hashes;
        let min_words = self.options.min_repeat_tokens;
        self.runs.clear();
        find_repeats(
            tokens,
            &self.grams.eights,
            min_words,
            &mut self.repeats,
            &mut self.runs,
        );
        self.units.clear();
        list_units(&self.spans, &self.tokens.sentences, &mut self.units);
        find_repeated_units(
            tokens,
            &self.units,
            MIN_UNIT_WORDS,
            &mut self.repeats,
            &mut self.runs,
        );
        if self.runs.is_empty() {
            return;
        }
        let ranges = &self.tokens.ranges;
        let byte = |token: u32, edge: usize| ranges[token as usize][edge];
        for run in &self.runs {
            let source_end = run.source + (run.end - run.start);
            self.fingerprints.repeats.push(Repeat {
                article,
                token_start: run.start,
                token_end: run.end,
                start: code_points.at(byte(run.start, 0)),
                end: code_points.at(byte(run.end - 1, 1)),
                source_start: code_points.at(byte(run.source, 0)),
                source_end: code_points.at(byte(source_end - 1, 1)),
            });
        }
    }
}

/// Token ranges of the sentences of an article; a paragraph's end also ends a sentence.
fn list_units(spans: &[(u32, u32)], sentences: &[u32], units: &mut Vec<(u32, u32)>) {
    let mut starts = sentences.iter().copied().peekable();
    for (first, last) in spans {
        let mut from = *first;
        while let Some(start) = starts.next_if(|start| start < last) {
            if start > from {
                units.push((from, start));
            }
            from = from.max(start);
        }
        if from < *last {
            units.push((from, *last));
        }
    }
}
