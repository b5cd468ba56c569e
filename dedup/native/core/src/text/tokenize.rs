//! Text to tokens: maximal runs of letters, marks and digits, normalised and hashed. A number is
//! one token with its points and commas, `1,204.5`: it is one word, and differs as one.
//!
//! Han and Kana, and the scripts of South-East Asia that write no spaces, give one token per code
//! point; such a token weighs half or a quarter of a word (`WORD_WEIGHT`) where a rule counts
//! words. A token's normal form is NFKC, case folded, without default-ignorable code points.
//!
//! ASCII goes through 64-byte masks, everything else through one table look-up per code point.

use icu_casemap::CaseMapper;
use icu_normalizer::ComposingNormalizer;

use super::hash::{ShortWord, hash_bytes};
use super::unicode::{Class, fold_two_bytes, look_up};
use crate::text::sentences;
use crate::util::{Kernel, dispatch};

/// A token's hash keeps its class in the two lowest bits, so weights need no second array.
const CLASS_BITS: u64 = 3;
const WORD: u64 = 0;
const HALF_WORD: u64 = 1;
const QUARTER_WORD: u64 = 2;

/// The weight of a full word; a Han character weighs 2 and a Thai one 1.
pub const WORD_WEIGHT: u32 = 4;

/// Bytes that are tokenised at once, as each takes some 14 bytes meanwhile.
const PIECE: usize = 1 << 18;

/// Bytes after the end of the lower-cased copy, so that 8-byte loads never leave it.
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

/// Buffers for cutting one text, which the next one overwrites. The vectors only grow: a text uses
/// the first `count` runs, of which the first `special_count` of `special` are special.
#[derive(Default)]
struct Scratch {
    padded: Vec<u8>,
    lower: Vec<u8>,
    /// Letters, digits and non-ASCII bytes in a row.
    runs: Vec<[u32; 2]>,
    hashes: Vec<u64>,
    count: usize,
    /// Runs that hold non-ASCII bytes, or are longer than a `ShortWord`.
    special: Vec<u32>,
    special_count: usize,
    /// Runs before which an ASCII sentence ends; one may be listed more than once.
    sentences: Vec<u32>,
    word: Folded,
}

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
    let mut start = 0;
    while start < text.len() {
        let end = end_of_piece(text, start);
        let (piece, first) = (&text[start..end], tokens.len());
        scratch.set(piece.as_bytes());
        dispatch(HashRuns(&mut scratch));
        assemble(piece, &mut scratch, tokens);
        if start > 0 {
            for edge in tokens.ranges[first..].as_flattened_mut() {
                *edge += start as u32;
            }
        }
        // A stop after the last run of a piece, unless nothing follows.
        if end < text.len() && scratch.sentences.last() == Some(&(scratch.count as u32)) {
            tokens.begin_sentence(tokens.len() as u32);
        }
        start = end;
    }
    sentences::settle(text, &tokens.ranges, &mut tokens.sentences);
    tokens.scratch = scratch;
}

/// Where the piece that begins at `start` ends, which is tokenised by itself: where no token can
/// continue. A run of letters without an end is one piece, however long.
fn end_of_piece(text: &str, start: usize) -> usize {
    if text.len() - start <= PIECE {
        return text.len();
    }
    let mut from = start + PIECE;
    while !text.is_char_boundary(from) {
        from += 1;
    }
    let end = text[from..].char_indices().find(|(_, c)| begins_apart(*c));
    end.map_or(text.len(), |(at, _)| from + at)
}

/// Whether a character belongs to no token or stop that began before it.
fn begins_apart(c: char) -> bool {
    if c.is_ascii() {
        return !c.is_ascii_alphanumeric() && !matches!(c, '.' | ',' | '!' | '?');
    }
    matches!(look_up(c).class(), Class::HalfWord | Class::QuarterWord)
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
            count,
            special,
            special_count,
            sentences,
            ..
        } = self.0;
        *count = find_runs(padded, lower, runs, sentences);
        let (lower, special) = (lower.as_slice(), special.as_mut_slice());
        let mut specials = 0;
        for (run, ([start, end], hash)) in runs[..*count].iter().zip(hashes).enumerate() {
            let word = ShortWord::load(lower, *start as usize, (end - start) as usize);
            *hash = word.hash() & !CLASS_BITS | WORD;
            // Always written and counted if it holds: special words are too frequent for a branch.
            special[specials] = run as u32;
            specials += usize::from(word.is_special());
        }
        *special_count = specials;
    }
}

impl Scratch {
    /// Take a text and make room for its tokens.
    fn set(&mut self, text: &[u8]) {
        self.padded.clear();
        self.padded.push(0);
        self.padded.extend_from_slice(text);
        self.padded.resize(text.len() + 1 + PADDING, 0);
        self.sentences.clear();
        let lower = blocks_of(text.len()) * 64 + PADDING;
        if self.lower.len() < lower {
            self.lower.resize(lower, 0);
            // A run and the gap after it are two bytes at least; `write_positions` needs 64.
            self.runs.resize(lower / 2 + 64, [0; 2]);
            self.hashes.resize(lower / 2 + 64, 0);
            self.special.resize(lower / 2 + 64, 0);
        }
    }
}

/// Turn runs into tokens: ASCII runs are tokens as they are, others are cut by code points.
fn assemble(text: &str, scratch: &mut Scratch, tokens: &mut Tokens) {
    let runs = &scratch.runs[..scratch.count];
    let hashes = &scratch.hashes[..scratch.count];
    let sentences = scratch.sentences.iter().copied();
    let mut sentences = sentences
        .take_while(|first| (*first as usize) < runs.len())
        .peekable();
    let mut copied = 0;
    let mut copy_until = |run: usize, copied: usize, tokens: &mut Tokens| {
        tokens.hashes.extend_from_slice(&hashes[copied..run]);
        tokens.ranges.extend_from_slice(&runs[copied..run]);
        while let Some(first) = sentences.next_if(|first| *first as usize <= run) {
            tokens.begin_sentence(tokens.len() as u32 - (run as u32 - first));
        }
    };
    for run in &scratch.special[..scratch.special_count] {
        let run = *run as usize;
        copy_until(run, copied, tokens);
        copied = run + 1;
        let [start, end] = runs[run].map(|edge| edge as usize);
        if fold_in_place(&mut scratch.lower[start..end]) {
            let word = if end - start > ShortWord::MAX_LEN {
                hash_bytes(&scratch.lower[start..end])
            } else {
                ShortWord::load(&scratch.lower, start, end - start).hash()
            };
            tokens.push(word & !CLASS_BITS | WORD, start, end);
        } else {
            emit_unicode(text, start, end, &mut scratch.word, tokens);
        }
    }
    copy_until(runs.len(), copied, tokens);
}

/// The classes of the bytes of a block, one bit per byte.
struct Block {
    /// Letters, digits, bytes of longer sequences, and the points and commas inside numbers.
    word: u64,
    /// Points, exclamation and question marks that are not in a number.
    ends: u64,
    /// Whether the byte after the block belongs to a token.
    goes_on: bool,
}

/// Lower-case a block of ASCII and classify its bytes. `window` is the block with one byte
/// more at either side.
#[inline(always)]
fn classify(window: &[u8; 66], lower: &mut [u8; 64]) -> Block {
    let is_digit = |byte: u8| byte.wrapping_sub(b'0') < 10;
    // Beyond ASCII anything may be a digit: `emit_unicode` looks closer.
    let may_be_digit = |byte: u8| is_digit(byte) | (byte >= 0x80);
    let is_letter = |folded: u8| (folded.wrapping_sub(b'a') < 26) | (folded >= 0x80);
    let mut word = [0; 64];
    let mut ends = [0; 64];
    for i in 0..64 {
        let byte = window[i + 1];
        let is_upper = byte.wrapping_sub(b'A') < 26;
        let folded = if is_upper { byte | 0x20 } else { byte };
        lower[i] = folded;
        let inside = may_be_digit(window[i]) & may_be_digit(window[i + 2]);
        let in_number = ((byte == b'.') | (byte == b',')) & inside;
        word[i] = u8::from(is_letter(folded) | is_digit(byte) | in_number);
        ends[i] = u8::from(((byte == b'.') | (byte == b'!') | (byte == b'?')) & !in_number);
    }
    Block {
        word: to_mask(&word),
        ends: to_mask(&ends),
        goes_on: is_letter(window[65] | 0x20) | is_digit(window[65]),
    }
}

/// Bytes of 0 or 1 to bits. The multiplication moves bit 0 of byte i to bit 56 + i of the product,
/// and no two of its terms meet.
#[inline(always)]
fn to_mask(bytes: &[u8; 64]) -> u64 {
    let (eights, _) = bytes.as_chunks::<8>();
    eights.iter().enumerate().fold(0, |mask, (i, eight)| {
        let bits = u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080);
        mask | (bits & 0xff << 56) >> (56 - 8 * i)
    })
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

/// Write where the runs start and end that hold letters, digits and non-ASCII bytes, and which
/// of them begin a sentence; return how many there are. `padded` is the text with a zero before
/// it and `PADDING` zeros after it.
#[inline(always)]
fn find_runs(
    padded: &[u8],
    lower: &mut [u8],
    runs: &mut [[u32; 2]],
    sentences: &mut Vec<u32>,
) -> usize {
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
        let Block {
            word,
            ends,
            goes_on,
        } = classify(window, lower);
        let before = (word << 1) | open;
        let behind = (word >> 1) | (u64::from(goes_on) << 63);
        // A point between two letters, as in U.S., ends nothing.
        let mut ends = ends & !(before & behind);
        while ends != 0 {
            let up_to = ends ^ (ends - 1);
            let edges = count + ((word ^ before) & up_to).count_ones() as usize;
            sentences.push((edges / 2) as u32);
            ends &= ends - 1;
        }
        count += write_positions(word ^ before, (i * 64) as u32, out);
        open = word >> 63;
    }
    count / 2
}

/// Blocks of 64 bytes for a text of this many, with at least one byte after its end.
fn blocks_of(len: usize) -> usize {
    len / 64 + 1
}

/// Fold a run of ASCII, which is in lower case already, and plain letters of two bytes, which stay
/// as long as they are. Returns whether it is no more than that, and so one token.
#[inline(always)]
fn fold_in_place(run: &mut [u8]) -> bool {
    let mut at = 0;
    let mut has_point = false;
    let mut is_ascii = true;
    while let Some(byte) = run.get(at) {
        if byte.is_ascii() {
            has_point |= matches!(byte, b'.' | b',');
            at += 1;
            continue;
        }
        is_ascii = false;
        let Some([first, second]) = run
            .get_mut(at..)
            .and_then(|rest| rest.first_chunk_mut::<2>())
        else {
            return false;
        };
        let Some(folded) = fold_two_bytes(*first, *second) else {
            return false;
        };
        [*first, *second] = folded;
        at += 2;
    }
    // Beside letters a point may separate two words; in ASCII it is between digits.
    is_ascii || !has_point
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
        let entry = look_up(c);
        if p.class == WORD && entry.is_plain_letter() {
            p.last_combines = false;
            word.push(entry.folded(c));
            continue;
        }
        if let Some(point) = point_in_number(text, here, c) {
            word.push(point);
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

/// Remove ignorables, then NFKC and full case folding until both hold (Unicode 5.18,
/// `toNFKC_Casefold`).
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
