//! Texts of chosen distincts, read back from the spool and tokenised again.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::atomic::Ordering;

use super::Corpus;
use crate::error::Error;
use crate::text::{CodePoints, Tokens, tokenize};
use crate::util::{BitSet, IndexedBitSet, parallel, stop};

/// Most bytes read at once; a longer text is read as a whole.
const READ_BYTES: u64 = 1 << 20;
/// Texts this close together are one read: skipping less costs more than reading it.
const MAX_GAP: u64 = 1 << 12;
/// Texts tokenised by one task.
const PIECE: usize = 4096;
/// A set of a bit for every distinct is worth its space if one in this many is a member.
const MIN_SHARE: usize = 64;

/// Token hashes of chosen distincts.
pub struct TokenStore {
    place_of: PlaceOf,
    /// `PIECE` texts each, in the order in which they were read.
    pieces: Vec<Piece>,
}

/// The tokens of some texts.
struct Piece {
    tokens: Vec<u64>,
    /// Where each text's tokens start, and where the last one's end.
    starts: Vec<usize>,
    outlines: Vec<Outline>,
}

/// Which tokens a text may hold, a bit for each 256th of all hashes: a bit in one outline and not
/// in another is a token in one text and not in the other.
#[derive(Clone, Copy, Default)]
pub struct Outline([u64; 4]);

impl Outline {
    pub fn new(tokens: &[u64]) -> Self {
        let mut bits = [0; 4];
        for token in tokens {
            bits[(token >> 62) as usize] |= 1 << (token >> 56 & 63);
        }
        Self(bits)
    }

    /// How many tokens of this text are not in the other, at least.
    pub fn missing_in(&self, other: &Self) -> u32 {
        let words = self.0.iter().zip(&other.0);
        words
            .map(|(here, there)| (here & !there).count_ones())
            .sum()
    }
}

impl Default for Piece {
    fn default() -> Self {
        Self {
            tokens: Vec::new(),
            starts: vec![0],
            outlines: Vec::new(),
        }
    }
}

impl Piece {
    fn push(&mut self, hashes: &[u64]) {
        self.tokens.extend_from_slice(hashes);
        self.starts.push(self.tokens.len());
    }

    fn range(&self, text: usize) -> Range<usize> {
        self.starts[text]..self.starts[text + 1]
    }
}

/// The place of a distinct among those that were read.
enum PlaceOf {
    /// The distincts, and their places by number unless the two are the same.
    IndexedBitSet(IndexedBitSet, Option<Vec<u32>>),
    /// (distinct, place), sorted: for a few.
    Sorted(Vec<(u32, u32)>),
}

impl PlaceOf {
    fn get(&self, distinct: u32) -> Option<usize> {
        match self {
            Self::IndexedBitSet(members, None) => members.number(distinct),
            Self::IndexedBitSet(members, Some(places)) => members
                .number(distinct)
                .map(|number| places[number] as usize),
            Self::Sorted(places) => {
                let at = places.binary_search_by_key(&distinct, |(d, _)| *d).ok()?;
                Some(places[at].1 as usize)
            }
        }
    }
}

/// Each distinct once, in the order of arrival, as reading in that order is one sweep of the spool;
/// and the place of each in that order.
fn plan(corpus: &Corpus, distincts: Vec<u32>) -> (Vec<u32>, PlaceOf) {
    let first = |distinct: &u32| corpus.first(*distinct);
    if distincts.len() < corpus.distincts() / MIN_SHARE {
        let order = in_reading_order(corpus, distincts);
        let mut places: Vec<(u32, u32)> = order.iter().copied().zip(0..).collect();
        places.sort_unstable();
        return (order, PlaceOf::Sorted(places));
    }
    let members = IndexedBitSet::new(BitSet::new(corpus.distincts(), distincts.into_iter()));
    let mut order: Vec<u32> = members.iter().collect();
    if order.is_sorted_by_key(first) {
        return (order, PlaceOf::IndexedBitSet(members, None));
    }
    order.sort_by_key(first);
    let mut places = vec![0; order.len()];
    for (distinct, place) in order.iter().zip(0..) {
        if let Some(number) = members.number(*distinct) {
            places[number] = place;
        }
    }
    (order, PlaceOf::IndexedBitSet(members, Some(places)))
}

/// Each distinct once, in the order of arrival: reading in that order is one sweep of the spool.
pub fn in_reading_order(corpus: &Corpus, mut distincts: Vec<u32>) -> Vec<u32> {
    distincts.sort_unstable();
    distincts.dedup();
    distincts.sort_by_key(|distinct| corpus.first(*distinct));
    distincts
}

impl TokenStore {
    /// Load the tokens of `distincts`, which may repeat, in any order.
    ///
    /// # Errors
    /// The spool cannot be read.
    pub fn load(corpus: &Corpus, distincts: Vec<u32>, threads: usize) -> Result<Self, Error> {
        let (distincts, place_of) = plan(corpus, distincts);
        let pieces = parallel::map_ranges(threads, distincts.len(), PIECE, |range| {
            let mut tokens = Tokens::default();
            let mut piece = Piece::default();
            read_texts(corpus, &distincts[range], |text| {
                tokenize(text, &mut tokens);
                piece.push(&tokens.hashes);
                piece.outlines.push(Outline::new(&tokens.hashes));
            })?;
            Ok(piece)
        });
        Ok(Self {
            place_of,
            pieces: pieces.into_iter().collect::<Result<_, Error>>()?,
        })
    }

    /// The tokens of a distinct; none if it was not loaded.
    pub fn tokens(&self, distinct: u32) -> &[u64] {
        self.place_of.get(distinct).map_or(&[], |place| {
            let piece = &self.pieces[place / PIECE];
            &piece.tokens[piece.range(place % PIECE)]
        })
    }

    /// The tokens of a distinct with their outline; none if it was not loaded.
    pub fn outlined(&self, distinct: u32) -> (&[u64], Outline) {
        let outline = self
            .place_of
            .get(distinct)
            .map_or_else(Outline::default, |place| {
                self.pieces[place / PIECE].outlines[place % PIECE]
            });
        (self.tokens(distinct), outline)
    }
}

/// Tokens of distincts that are needed again and again, read one by one.
pub struct TokenCache<'a> {
    corpus: &'a Corpus,
    /// Of the text read last.
    tokens: Tokens,
    held: HashMap<u32, Box<[u64]>>,
    bytes: usize,
    memory: usize,
}

impl<'a> TokenCache<'a> {
    /// `memory` is how many bytes of tokens to hold, but for two texts that need more.
    pub fn new(corpus: &'a Corpus, memory: usize) -> Self {
        Self {
            corpus,
            tokens: Tokens::default(),
            held: HashMap::new(),
            bytes: 0,
            memory,
        }
    }

    /// The tokens of two distincts.
    ///
    /// # Errors
    /// The spool cannot be read.
    pub fn both(&mut self, left: u32, right: u32) -> Result<(&[u64], &[u64]), Error> {
        if self.bytes > self.memory {
            self.held.clear();
            self.bytes = 0;
        }
        for distinct in [left, right] {
            if !self.held.contains_key(&distinct) {
                read_texts(self.corpus, &[distinct], |text| {
                    tokenize(text, &mut self.tokens);
                })?;
                self.bytes += size_of_val(&self.tokens.hashes[..]);
                self.held
                    .insert(distinct, self.tokens.hashes.clone().into_boxed_slice());
            }
        }
        Ok((&self.held[&left], &self.held[&right]))
    }
}

/// Show the text of each distinct, which must be sorted by first holder, in that order.
///
/// # Errors
/// The spool cannot be read.
pub fn read_texts(corpus: &Corpus, distincts: &[u32], show: impl FnMut(&str)) -> Result<(), Error> {
    let firsts: Vec<u32> = distincts.iter().map(|d| corpus.first(*d)).collect();
    read_paragraphs(corpus, &firsts, show)
}

/// Show the text of each paragraph, which must be sorted, in that order.
///
/// # Errors
/// The spool cannot be read.
pub fn read_paragraphs(
    corpus: &Corpus,
    paragraphs: &[u32],
    mut show: impl FnMut(&str),
) -> Result<(), Error> {
    let mut buffer: Vec<u8> = Vec::new();
    let mut from = 0;
    let mut shown = 0;
    for (i, paragraph) in paragraphs.iter().enumerate() {
        stop::check();
        let place = corpus.text_of(*paragraph);
        if place.start < from || place.end > from + buffer.len() as u64 {
            let end = end_of_read(corpus, &paragraphs[i..]);
            buffer.resize((end - place.start) as usize, 0);
            corpus.spool.read(place.start, &mut buffer)?;
            from = place.start;
        }
        let text = &buffer[(place.start - from) as usize..(place.end - from) as usize];
        // The spool holds what arrived as valid UTF-8, cut at line ends. Between paragraphs is
        // nothing but space.
        let text = std::str::from_utf8(text).map_err(|_| corpus.spool.changed())?;
        shown += text.len() as u64;
        show(text.trim_end());
    }
    let again = &corpus.spool.traffic.tokenised_again;
    again.fetch_add(shown, Ordering::Relaxed);
    Ok(())
}

/// How far one read should extend: it includes texts that lie close together.
fn end_of_read(corpus: &Corpus, paragraphs: &[u32]) -> u64 {
    let mut texts = paragraphs.iter().map(|p| corpus.text_of(*p));
    let Some(Range {
        start: from,
        mut end,
    }) = texts.next()
    else {
        return 0;
    };
    for next in texts {
        if next.start < end || next.start > end + MAX_GAP || next.end > from + READ_BYTES {
            break;
        }
        end = next.end;
    }
    end
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
    order.sort_by_key(|i| corpus.first(distincts[*i]));
    let sorted: Vec<u32> = order.iter().map(|i| distincts[*i]).collect();
    let mut next = order.iter();
    read_texts(corpus, &sorted, |text| {
        if let Some(i) = next.next() {
            show(*i, text);
        }
    })
}

/// Tokens of chosen distincts with the code points of the article at which each starts and ends.
pub struct PlacedStore {
    place_of: PlaceOf,
    piece: Piece,
    places: Vec<[u32; 2]>,
}

/// One paragraph's tokens and their places.
#[derive(Clone, Copy)]
pub struct Placed<'a> {
    pub hashes: &'a [u64],
    pub places: &'a [[u32; 2]],
}

impl PlacedStore {
    /// Load the tokens of `distincts`, which may repeat, in any order. One thread.
    ///
    /// # Errors
    /// The spool cannot be read.
    pub fn load(corpus: &Corpus, distincts: Vec<u32>) -> Result<Self, Error> {
        let (distincts, place_of) = plan(corpus, distincts);
        let mut tokens = Tokens::default();
        let mut piece = Piece::default();
        let mut places: Vec<[u32; 2]> = Vec::new();
        let mut next = distincts.iter();
        read_texts(corpus, &distincts, |text| {
            let first = next.next().map_or(0, |distinct| corpus.first(*distinct));
            let base = corpus.paragraphs[first as usize].start;
            tokenize(text, &mut tokens);
            let points = CodePoints::new(text);
            let place = |range: &[u32; 2]| range.map(|byte| base + points.at(byte));
            places.extend(tokens.ranges.iter().map(place));
            piece.push(&tokens.hashes);
        })?;
        Ok(Self {
            place_of,
            piece,
            places,
        })
    }

    /// The tokens of a distinct; none if it was not loaded.
    pub fn get(&self, distinct: u32) -> Placed<'_> {
        let range = self.place_of.get(distinct);
        let range = range.map_or(0..0, |place| self.piece.range(place));
        Placed {
            hashes: &self.piece.tokens[range.clone()],
            places: &self.places[range],
        }
    }
}
