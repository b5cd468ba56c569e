//! Paragraphs as the miner sees them: words as hashes, a run of numbers as one, sentences between
//! `START` and `END`.

use std::sync::LazyLock;

use crate::text::{SEEDS, Tokens, WORD_WEIGHT, combine, tokenize, weight};

// Each weighs a word: their lowest bits say so (see `tokenize::weight`).
pub const NUMBER: u64 = SEEDS[0] & !3;
pub const START: u64 = SEEDS[1] & !3;
pub const END: u64 = SEEDS[2] & !3;
/// A slot of any words; in patterns only.
pub const GAP: u64 = SEEDS[3] & !3;

/// A gram is as many items as make three words: fewer join stock phrases, more miss short ones.
const GRAM_WEIGHT: u32 = 3 * WORD_WEIGHT;
/// Openers have three to eight words.
const MIN_OPENER_WEIGHT: u32 = 3 * WORD_WEIGHT;
const MAX_OPENER_WEIGHT: u32 = 8 * WORD_WEIGHT;
/// Longer sentences are lists and tables without punctuation.
pub const MAX_ITEMS: usize = 300;

/// What replaces a word that anyone may fill in, or no word.
pub fn is_word(item: u64) -> bool {
    !matches!(item, NUMBER | START | END | GAP)
}

/// Single letters, and what an apostrophe cuts off in English and French ("we've", "qu'il"): parts
/// of words, and the letters that OCR separates.
static PARTICLES: LazyLock<Vec<u64>> = LazyLock::new(|| {
    let letters = (b'a'..=b'z').map(|letter| vec![letter]);
    let others = ["ve", "ll", "re", "qu"].map(|part| part.as_bytes().to_vec());
    let mut tokens = Tokens::default();
    let mut hashes: Vec<u64> = Vec::new();
    for part in letters.chain(others) {
        tokenize(std::str::from_utf8(&part).unwrap_or_default(), &mut tokens);
        hashes.extend_from_slice(&tokens.hashes);
    }
    hashes.sort_unstable();
    hashes
});

/// Whether a token is a part of a word that carries no information.
pub fn is_particle(item: u64) -> bool {
    PARTICLES.binary_search(&item).is_ok()
}

/// The weight of an item in quarters of a word: numbers and edges of sentences weigh nothing.
pub fn word_weight(item: u64) -> u32 {
    if is_word(item) { weight(item) } else { 0 }
}

/// The items of one paragraph. The vectors are reused from paragraph to paragraph.
#[derive(Default)]
pub struct Items {
    pub items: Vec<u64>,
    /// First token of each item, and of an edge the token after it; one more at the end.
    pub tokens: Vec<u32>,
    /// Where each sentence starts, and where the last one ends.
    pub starts: Vec<u32>,
}

impl Items {
    /// Replace the contents by the items of `text`, whose tokens are `tokens`.
    pub fn set(&mut self, text: &str, tokens: &Tokens) {
        self.items.clear();
        self.tokens.clear();
        self.starts.clear();
        let len = tokens.len() as u32;
        let inner = tokens.sentences.iter().copied();
        let mut first = 0;
        for end in inner.filter(|at| *at < len).chain([len]) {
            self.starts.push(self.items.len() as u32);
            self.push(START, first);
            for token in first..end {
                self.push_token(text, tokens, token as usize);
            }
            self.push(END, end);
            first = end;
        }
        self.starts.push(self.items.len() as u32);
        self.tokens.push(len);
    }

    fn push(&mut self, item: u64, token: u32) {
        self.items.push(item);
        self.tokens.push(token);
    }

    fn push_token(&mut self, text: &str, tokens: &Tokens, token: usize) {
        let [start, end] = tokens.ranges[token].map(|at| at as usize);
        if !is_number(&text.as_bytes()[start..end]) {
            self.push(tokens.hashes[token], token as u32);
        } else if self.items.last() != Some(&NUMBER) {
            self.push(NUMBER, token as u32);
        }
    }

    /// Items of each sentence, edges included.
    pub fn sentences(&self) -> impl Iterator<Item = std::ops::Range<usize>> {
        self.starts
            .windows(2)
            .map(|edge| edge[0] as usize..edge[1] as usize)
    }

    /// Tokens of an item.
    pub fn tokens_of(&self, item: usize) -> std::ops::Range<usize> {
        self.tokens[item] as usize..self.tokens[item + 1] as usize
    }
}

/// Digits of any script, with points and commas.
fn is_number(token: &[u8]) -> bool {
    match token.first() {
        None => false,
        Some(first) if first.is_ascii_digit() => token
            .iter()
            .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b',')),
        Some(first) if first.is_ascii() => false,
        Some(_) => {
            std::str::from_utf8(token).is_ok_and(|token| token.chars().all(char::is_numeric))
        }
    }
}

/// Show every gram of a sentence: its first item, the one after its last, and its hash.
pub fn grams(items: &[u64], mut show: impl FnMut(usize, usize, u64)) {
    for first in 0..items.len() {
        if let Some([a, b, c]) = items[first..].first_chunk()
            && [a, b, c]
                .into_iter()
                .all(|item| weight(*item) == WORD_WEIGHT)
        {
            // Three whole words, as nearly always.
            show(first, first + 3, combine(combine(combine(0, *a), *b), *c));
            continue;
        }
        let mut total = 0;
        let mut hash = 0;
        let mut end = first;
        while total < GRAM_WEIGHT {
            let Some(item) = items.get(end) else {
                return;
            };
            hash = combine(hash, *item);
            total += weight(*item);
            end += 1;
        }
        show(first, end, hash);
    }
}

/// Show every beginning of a sentence that may be an opener: the item after it, and its hash.
pub fn openings(sentence: &[u64], mut show: impl FnMut(usize, u64)) {
    let mut hash = SEEDS[3];
    let mut total = 0;
    for (at, item) in sentence.iter().enumerate().skip(1) {
        total += weight(*item);
        if *item == END || total > MAX_OPENER_WEIGHT {
            return;
        }
        hash = combine(hash, *item);
        if total >= MIN_OPENER_WEIGHT {
            show(at + 1, hash);
        }
    }
}

/// Identity of a sequence of items.
pub fn hash_items(items: impl Iterator<Item = u64>) -> u64 {
    items.fold(SEEDS[2], combine)
}
