//! A batch of articles to everything later stages need: paragraphs, keys, anchors and repeats.

use std::collections::HashSet;
use std::hash::BuildHasherDefault;

use crate::grams::{FirstSeen, Run, find_repeated_units, find_repeats, hash_grams, select_anchors};
use crate::hash::{Identity, hash_tokens};
use crate::minhash::{Bands, features};
use crate::partition::Rows;
use crate::split::{Paragraphs, split};
use crate::tokenize::{Tokens, tokenize};

/// Tokens of one signature at most. A 16-bit lane tells sets of some hundred features apart.
const WINDOW_TOKENS: usize = 400;
/// Windows of a longer paragraph overlap by half, so that an excerpt lies well inside one.
const WINDOW_STEP: usize = WINDOW_TOKENS / 2;
/// Paragraphs up to this long get bands of their own as well: one edited word in ten costs a fifth
/// of the features, and finding those pairs is cheap while features are few.
const SHORT_TOKENS: usize = 32;
const SHORT_BANDS: usize = 32;
const SHORT_ROWS: usize = 3;
/// A sentence or paragraph of fewer words than this may stand twice without meaning anything.
const MIN_UNIT_WORDS: u32 = 5;

pub struct Options {
    pub paragraphs: Paragraphs,
    /// Shorter paragraphs have an exact hash only.
    pub min_tokens: usize,
    pub bands: usize,
    pub rows: usize,
    pub min_repeat_tokens: u32,
}

/// One paragraph. Byte positions are in the article's text; so are `start` and `end`, which count
/// Unicode code points.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Paragraph {
    /// Row of the article in its batch.
    pub article: u32,
    pub start: u32,
    pub end: u32,
    pub byte_start: u32,
    pub byte_end: u32,
    pub tokens: u32,
    pub hash: u128,
}

/// Words of an article that stood in it before. Tokens are counted from the article's first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Repeat {
    pub article: u32,
    pub token_start: u32,
    pub token_end: u32,
    /// Code points, here and at the earlier place.
    pub start: u32,
    pub end: u32,
    pub source_start: u32,
    pub source_end: u32,
}

/// What one batch of articles gives.
#[derive(Default)]
pub struct Fingerprints {
    pub paragraphs: Vec<Paragraph>,
    pub repeats: Vec<Repeat>,
    /// Identity of each article's whole token sequence.
    pub articles: Vec<u128>,
    /// (band key, paragraph of this batch), for one of each set of equal paragraphs.
    pub band_rows: Rows,
    /// (anchor, paragraph of this batch), likewise.
    pub anchor_rows: Rows,
}

/// Fingerprint a batch of articles. One thread; call it from several at once.
pub fn fingerprint<'a>(texts: impl Iterator<Item = &'a str>, options: &Options) -> Fingerprints {
    let mut worker = Worker::new(options);
    for (article, text) in texts.enumerate() {
        worker.add(article as u32, text);
    }
    worker.out
}

/// The buffers of one thread, reused from article to article.
struct Worker<'a> {
    options: &'a Options,
    bands: Bands,
    short_bands: Bands,
    out: Fingerprints,
    /// Paragraphs that have rows already: a footer needs one set of rows a batch, not a thousand.
    sketched: HashSet<u64, BuildHasherDefault<Identity>>,
    tokens: Tokens,
    ranges: Vec<[u32; 2]>,
    /// Token range of each paragraph of the article.
    spans: Vec<(u32, u32)>,
    grams: Vec<u64>,
    minima: Vec<u64>,
    features: Vec<u64>,
    signature: Vec<u16>,
    keys: Vec<u64>,
    runs: Vec<Run>,
    units: Vec<(u32, u32)>,
    seen: FirstSeen,
    bytes: Vec<u8>,
}

impl<'a> Worker<'a> {
    fn new(options: &'a Options) -> Self {
        Self {
            options,
            bands: Bands::new(0, options.bands, options.rows),
            short_bands: Bands::new(1, SHORT_BANDS, SHORT_ROWS),
            out: Fingerprints::default(),
            sketched: HashSet::default(),
            tokens: Tokens::default(),
            ranges: Vec::new(),
            spans: Vec::new(),
            grams: Vec::new(),
            minima: Vec::new(),
            features: Vec::new(),
            signature: Vec::new(),
            keys: Vec::new(),
            runs: Vec::new(),
            units: Vec::new(),
            seen: FirstSeen::default(),
            bytes: Vec::new(),
        }
    }

    fn add(&mut self, article: u32, text: &str) {
        tokenize(text, &mut self.tokens);
        split(text, self.options.paragraphs, &mut self.ranges);
        hash_grams(&self.tokens.hashes, &mut self.grams);
        self.out
            .articles
            .push(hash_tokens(&self.tokens.hashes, &mut self.bytes));
        let code_points = CodePoints::new(text);
        self.add_paragraphs(article, &code_points);
        self.add_repeats(article, &code_points);
    }

    fn add_paragraphs(&mut self, article: u32, code_points: &CodePoints<'_>) {
        let mut first = 0;
        self.spans.clear();
        for i in 0..self.ranges.len() {
            let [byte_start, byte_end] = self.ranges[i];
            let inside = self.tokens.ranges[first..]
                .iter()
                .take_while(|r| r[0] < byte_end);
            let last = first + inside.count();
            let tokens = &self.tokens.hashes[first..last];
            let hash = hash_tokens(tokens, &mut self.bytes);
            let paragraph = self.out.paragraphs.len() as u32;
            self.out.paragraphs.push(Paragraph {
                article,
                start: code_points.at(byte_start),
                end: code_points.at(byte_end),
                byte_start,
                byte_end,
                tokens: (last - first) as u32,
                hash,
            });
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
            features(&self.tokens.hashes[start..end], &mut self.features);
            self.keys.clear();
            self.bands
                .keys(&self.features, &mut self.signature, &mut self.keys);
            if last - first <= SHORT_TOKENS {
                self.short_bands
                    .keys(&self.features, &mut self.signature, &mut self.keys);
            }
            for key in &self.keys {
                self.out.band_rows.push(*key, paragraph);
            }
            if end == last {
                break;
            }
            start += WINDOW_STEP;
        }
        let grams = first.min(self.grams.len())..last.saturating_sub(crate::grams::GRAM - 1);
        if grams.start < grams.end {
            let rows = &mut self.out.anchor_rows;
            select_anchors(&self.grams[grams], &mut self.minima, |gram| {
                rows.push(gram, paragraph);
            });
        }
    }

    fn add_repeats(&mut self, article: u32, code_points: &CodePoints<'_>) {
        let tokens = &self.tokens.hashes;
        let min_words = self.options.min_repeat_tokens;
        self.runs.clear();
        find_repeats(
            tokens,
            &self.grams,
            min_words,
            &mut self.seen,
            &mut self.runs,
        );
        self.units.clear();
        list_units(&self.spans, &self.tokens.sentences, &mut self.units);
        find_repeated_units(
            tokens,
            &self.units,
            MIN_UNIT_WORDS,
            &mut self.seen,
            &mut self.runs,
        );
        if self.runs.is_empty() {
            return;
        }
        let ranges = &self.tokens.ranges;
        let byte = |token: u32, edge: usize| ranges[token as usize][edge];
        for run in &self.runs {
            let source_end = run.source + (run.end - run.start);
            self.out.repeats.push(Repeat {
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

/// Bytes to code points, for questions in any order.
pub struct CodePoints<'a> {
    bytes: &'a [u8],
    /// Code points before every `STRIDE`th byte; empty for ASCII, where bytes are code points.
    counts: Vec<u32>,
}

impl<'a> CodePoints<'a> {
    const STRIDE: usize = 256;

    pub fn new(text: &'a str) -> Self {
        let bytes = text.as_bytes();
        let mut counts = Vec::new();
        if !text.is_ascii() {
            let mut total = 0;
            counts.extend(bytes.chunks(Self::STRIDE).map(|chunk| {
                let before = total;
                total += count_code_points(chunk);
                before
            }));
        }
        Self { bytes, counts }
    }

    /// Code points before this byte.
    pub fn at(&self, byte: u32) -> u32 {
        let block = (byte as usize / Self::STRIDE).min(self.counts.len().saturating_sub(1));
        let passed = block * Self::STRIDE..byte as usize;
        self.counts.get(block).map_or(byte, |before| {
            before + count_code_points(&self.bytes[passed])
        })
    }
}

fn count_code_points(bytes: &[u8]) -> u32 {
    bytes.iter().filter(|byte| (**byte as i8) >= -0x40).count() as u32
}
