//! Text to tokens: maximal runs of letters, marks and digits, normalised and hashed. A number is
//! one token with its points and commas, `1,204.5`: it is one word, and differs as one.
//!
//! Han and Kana, and the scripts of South-East Asia that write no spaces, give one token a code
//! point; such a token weighs half or a quarter of a word (`WORD_WEIGHT`) where a rule counts
//! words. A token's normal form is NFKC, case folded, without default-ignorable code points.
//!
//! ASCII goes through 64-byte masks, everything else through one table look-up a code point.

use icu_casemap::CaseMapper;
use icu_normalizer::ComposingNormalizer;

use crate::hash::{ShortWord, hash_bytes};
use crate::simd::{Kernel, dispatch};
use crate::unicode::{Class, look_up};

/// A token's hash keeps its class in the two lowest bits, so weights need no second array.
const CLASS_BITS: u64 = 3;
const WORD: u64 = 0;
const HALF_WORD: u64 = 1;
const QUARTER_WORD: u64 = 2;

/// What a full word weighs; a Han character weighs 2 and a Thai one 1.
pub const WORD_WEIGHT: u32 = 4;

/// Bytes behind the end of the lower-cased copy, so that 8-byte loads never leave it.
const PADDING: usize = 80;

/// The weight of a token in quarters of a word.
#[inline(always)]
pub fn weight(token: u64) -> u32 {
    WORD_WEIGHT >> (token & CLASS_BITS)
}

/// The tokens of one text. The vectors of one `Tokens` are reused from text to text.
#[derive(Default)]
pub struct Tokens {
    /// Hash of each token's normal form.
    pub hashes: Vec<u64>,
    /// Start and end of each token, in bytes of the text.
    pub ranges: Vec<[u32; 2]>,
    /// Indices of tokens that begin a sentence, rising; the first token is not listed.
    pub sentences: Vec<u32>,
    scratch: Scratch,
}

/// What one text needs while it is cut, and the next one overwrites. The vectors only grow: a
/// text uses the first `count` runs.
#[derive(Default)]
struct Scratch {
    padded: Vec<u8>,
    lower: Vec<u8>,
    /// Letters, digits and non-ASCII bytes in a row.
    runs: Vec<[u32; 2]>,
    hashes: Vec<u64>,
    /// What is unusual about each run: `SPECIAL` and `WIDE_GAP`.
    flags: Vec<u8>,
    count: usize,
    word: Folded,
}

/// A run that holds non-ASCII bytes, or is longer than a `ShortWord`.
const SPECIAL: u8 = 1;
/// A run with more than one byte between it and the run before.
const WIDE_GAP: u8 = 2;

impl Tokens {
    pub fn len(&self) -> usize {
        self.hashes.len()
    }

    pub fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }

    fn clear(&mut self) {
        self.hashes.clear();
        self.ranges.clear();
        self.sentences.clear();
    }

    #[inline(always)]
    fn push(&mut self, hash: u64, start: usize, end: usize) {
        self.hashes.push(hash);
        self.ranges.push([start as u32, end as u32]);
    }

    /// Token `next`, which may not be there yet, begins a sentence.
    #[inline(always)]
    fn begin_sentence(&mut self, next: u32) {
        if next > 0 && self.sentences.last() != Some(&next) {
            self.sentences.push(next);
        }
    }
}

/// Replace the contents of `tokens` by the tokens of `text`.
pub fn tokenize(text: &str, tokens: &mut Tokens) {
    tokens.clear();
    let mut scratch = std::mem::take(&mut tokens.scratch);
    scratch.set(text.as_bytes());
    dispatch(HashRuns(&mut scratch));
    assemble(text, &mut scratch, tokens);
    tokens.scratch = scratch;
}

/// The ASCII part of the work: find the runs, hash each as if it were a short ASCII word, and
/// list those that are more than that.
struct HashRuns<'a>(&'a mut Scratch);

impl Kernel for HashRuns<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Scratch {
            padded,
            lower,
            runs,
            hashes,
            flags,
            count,
            ..
        } = self.0;
        *count = find_runs(padded, lower, runs);
        let mut last_end = 0;
        for (([start, end], hash), flags) in runs[..*count].iter().zip(hashes).zip(flags) {
            let word = ShortWord::load(lower, *start as usize, (end - start) as usize);
            *hash = word.hash() & !CLASS_BITS | WORD;
            let wide_gap = *start > last_end + 1;
            *flags = (u8::from(word.is_special()) * SPECIAL) | (u8::from(wide_gap) * WIDE_GAP);
            last_end = *end;
        }
    }
}

impl Scratch {
    /// Take in a text and make room for what becomes of it.
    fn set(&mut self, text: &[u8]) {
        self.padded.clear();
        self.padded.push(0);
        self.padded.extend_from_slice(text);
        self.padded.resize(text.len() + 1 + PADDING, 0);
        let lower = blocks_of(text.len()) * 64 + PADDING;
        if self.lower.len() < lower {
            self.lower.resize(lower, 0);
            // A run and the gap behind it are two bytes at least; `write_positions` wants 64.
            self.runs.resize(lower / 2 + 64, [0; 2]);
            self.hashes.resize(lower / 2 + 64, 0);
            self.flags.resize(lower / 2 + 64, 0);
        }
    }
}

/// Turn runs into tokens: ASCII runs are tokens as they are, others are cut by code points.
fn assemble(text: &str, scratch: &mut Scratch, tokens: &mut Tokens) {
    let Scratch {
        lower,
        runs,
        hashes,
        flags,
        count,
        word,
        ..
    } = scratch;
    let runs = &runs[..*count];
    let mut copied = 0;
    for (run, flags) in flags[..*count].iter().enumerate() {
        if *flags == 0 {
            continue;
        }
        let [start, end] = runs[run].map(|edge| edge as usize);
        if flags & WIDE_GAP != 0 && ends_sentence(gap_before(lower, runs, run)) {
            tokens.begin_sentence((tokens.len() + run - copied) as u32);
        }
        if flags & SPECIAL != 0 {
            tokens.hashes.extend_from_slice(&hashes[copied..run]);
            tokens.ranges.extend_from_slice(&runs[copied..run]);
            copied = run + 1;
            if lower[start..end].is_ascii() {
                tokens.push(
                    hash_bytes(&lower[start..end]) & !CLASS_BITS | WORD,
                    start,
                    end,
                );
            } else {
                emit_unicode(text, start, end, word, tokens);
            }
        }
    }
    tokens.hashes.extend_from_slice(&hashes[copied..runs.len()]);
    tokens.ranges.extend_from_slice(&runs[copied..]);
}

#[inline(always)]
fn gap_before<'a>(lower: &'a [u8], runs: &[[u32; 2]], run: usize) -> &'a [u8] {
    let from = if run == 0 {
        0
    } else {
        runs[run - 1][1] as usize
    };
    &lower[from..runs[run][0] as usize]
}

/// Lower-case a block of ASCII and say, a bit a byte, where tokens are: letters, digits, bytes of
/// longer sequences, and the points and commas inside numbers. `window` is the block with one
/// byte more at either side.
#[inline(always)]
fn classify(window: &[u8; 66], lower: &mut [u8; 64]) -> u64 {
    let is_digit = |byte: u8| byte.wrapping_sub(b'0') < 10;
    // Beyond ASCII anything may be a digit: `emit_unicode` looks closer.
    let may_be_digit = |byte: u8| is_digit(byte) | (byte >= 0x80);
    let mut word = [false; 64];
    for i in 0..64 {
        let byte = window[i + 1];
        let is_upper = byte.wrapping_sub(b'A') < 26;
        let folded = if is_upper { byte | 0x20 } else { byte };
        lower[i] = folded;
        let inside = may_be_digit(window[i]) & may_be_digit(window[i + 2]);
        let in_number = ((byte == b'.') | (byte == b',')) & inside;
        let is_letter = (folded.wrapping_sub(b'a') < 26) | (byte >= 0x80);
        word[i] = is_letter | is_digit(byte) | in_number;
    }
    // The compiler knows this shape and makes a few mask instructions of it.
    let mut mask = 0;
    for (i, word) in word.iter().enumerate() {
        mask |= u64::from(*word) << i;
    }
    mask
}

/// Write the positions of the set bits of `bits` to `out` and return how many there are.
#[inline(always)]
fn write_positions(mut bits: u64, base: u32, out: &mut [u32; 64]) -> usize {
    let count = bits.count_ones() as usize;
    for place in out.iter_mut().take(count) {
        *place = base + bits.trailing_zeros();
        bits &= bits.wrapping_sub(1);
    }
    count
}

/// Write where the runs start and end that hold letters, digits and non-ASCII bytes; return how
/// many there are. `padded` is the text with a zero before it and `PADDING` zeros behind.
#[inline(always)]
fn find_runs(padded: &[u8], lower: &mut [u8], runs: &mut [[u32; 2]]) -> usize {
    let (lower, _) = lower.as_chunks_mut::<64>();
    let edges = runs.as_flattened_mut();
    let mut count = 0;
    let mut open = 0;
    for (i, lower) in lower
        .iter_mut()
        .take(blocks_of(padded.len() - PADDING - 1))
        .enumerate()
    {
        let window = padded[i * 64..].first_chunk::<66>();
        let Some((window, out)) = window.zip(edges[count..].first_chunk_mut::<64>()) else {
            break;
        };
        let word = classify(window, lower);
        count += write_positions(word ^ ((word << 1) | open), (i * 64) as u32, out);
        open = word >> 63;
    }
    count / 2
}

/// Blocks of 64 bytes for a text of so many, with a byte at least behind its end.
fn blocks_of(len: usize) -> usize {
    len / 64 + 1
}

#[inline(always)]
fn ends_sentence(gap: &[u8]) -> bool {
    gap.iter().any(|byte| matches!(byte, b'.' | b'!' | b'?'))
}

/// A token being read, code point by code point.
struct Partial {
    start: usize,
    class: u64,
    complex: bool,
    last_combines: bool,
}

const NONE: u64 = CLASS_BITS;

/// Cut one run that holds code points beyond ASCII.
#[inline(never)]
fn emit_unicode(text: &str, start: usize, end: usize, word: &mut Folded, tokens: &mut Tokens) {
    let mut p = Partial {
        start,
        class: NONE,
        complex: false,
        last_combines: false,
    };
    word.clear();
    let mut at = start;
    for c in text[start..end].chars() {
        let here = at;
        at += c.len_utf8();
        if let Some(point) = point_in_number(text, here, c) {
            word.push(point);
            continue;
        }
        let entry = look_up(c);
        if p.class == WORD && entry.is_plain_letter() {
            p.last_combines = false;
            word.push(entry.folded(c));
            continue;
        }
        let class = match entry.class() {
            Class::Word => WORD,
            Class::HalfWord => HALF_WORD,
            Class::QuarterWord => QUARTER_WORD,
            Class::Mark if p.class == NONE => WORD,
            Class::Mark => p.class,
            Class::Ignorable => continue,
            Class::Separator => {
                finish(text, &mut p, here, word, tokens);
                if entry.ends_sentence() {
                    tokens.begin_sentence(tokens.len() as u32);
                }
                continue;
            }
        };
        let joins = p.class == class && (class == WORD || entry.class() == Class::Mark);
        if !joins {
            finish(text, &mut p, here, word, tokens);
            p.start = here;
            p.class = class;
        }
        p.complex |= entry.is_complex() || (p.last_combines && entry.is_reorderable());
        p.last_combines = entry.is_reorderable();
        word.push(entry.folded(c));
    }
    finish(text, &mut p, end, word, tokens);
}

/// The point or comma that `c` is inside a number, half-width or full-width.
#[inline(always)]
fn point_in_number(text: &str, at: usize, c: char) -> Option<char> {
    let point = match c {
        '.' | '\u{FF0E}' => '.',
        ',' | '\u{FF0C}' => ',',
        _ => return None,
    };
    let is_digit = |c: char| look_up(c).folded(c).is_ascii_digit();
    let before = text[..at].chars().next_back().is_some_and(is_digit);
    let behind = text[at + c.len_utf8()..]
        .chars()
        .next()
        .is_some_and(is_digit);
    (before && behind).then_some(point)
}

#[inline(always)]
fn finish(text: &str, p: &mut Partial, end: usize, word: &mut Folded, tokens: &mut Tokens) {
    if p.class == NONE {
        return;
    }
    if p.complex {
        word.replace(&normal_form(&text[p.start..end]));
    }
    tokens.push(word.hash() & !CLASS_BITS | p.class, p.start, end);
    word.clear();
    *p = Partial {
        start: end,
        class: NONE,
        complex: false,
        last_combines: false,
    };
}

/// The folded UTF-8 of a token, in a buffer that is never cleared, only written over.
#[derive(Default)]
struct Folded {
    bytes: Vec<u8>,
    len: usize,
}

impl Folded {
    fn clear(&mut self) {
        self.len = 0;
    }

    #[inline(always)]
    fn push(&mut self, c: char) {
        if self.bytes.len() < self.len + 32 {
            self.bytes.resize(2 * self.len + 64, 0);
        }
        self.len += c.encode_utf8(&mut self.bytes[self.len..self.len + 4]).len();
    }

    fn replace(&mut self, text: &str) {
        self.clear();
        text.chars().for_each(|c| self.push(c));
    }

    #[inline(always)]
    fn hash(&self) -> u64 {
        if self.len > ShortWord::MAX_LEN {
            return hash_bytes(&self.bytes[..self.len]);
        }
        ShortWord::load(&self.bytes, 0, self.len).hash()
    }
}

/// Ignorables out, then NFKC and full case folding until both hold (Unicode 5.18, `toNFKC_Casefold`).
fn normal_form(token: &str) -> String {
    let kept: String = token
        .chars()
        .filter(|c| look_up(*c).class() != Class::Ignorable)
        .collect();
    let nfkc = ComposingNormalizer::new_nfkc();
    let composed = nfkc.normalize(&kept);
    let folded = CaseMapper::new().fold_string(&composed).into_owned();
    nfkc.normalize(&folded).into_owned()
}
