//! Texts of chosen distincts, read back from the spool and tokenised again.

use std::ops::Range;

use crate::corpus::Corpus;
use crate::error::Error;
use crate::fingerprint::CodePoints;
use crate::parallel;
use crate::tokenize::{Tokens, tokenize};

/// Bytes read at once at most, but for a longer text.
const READ_BYTES: u64 = 1 << 20;
/// Texts this close together are one read: skipping less costs more than reading it.
const MAX_GAP: u64 = 1 << 12;
const NOT_HELD: u32 = u32::MAX;

/// Token hashes of chosen distincts.
pub struct TokenStore {
    place_of: PlaceOf,
    /// Where each text's tokens start, and where the last one's end.
    starts: Vec<usize>,
    tokens: Vec<u64>,
}

impl Default for TokenStore {
    fn default() -> Self {
        Self {
            place_of: PlaceOf::Direct(Vec::new()),
            starts: vec![0],
            tokens: Vec::new(),
        }
    }
}

/// Where a distinct stands in a store.
enum PlaceOf {
    /// By number, for stores that hold a good part of the corpus.
    Direct(Vec<u32>),
    /// (distinct, place), sorted, for small ones.
    Sorted(Vec<(u32, u32)>),
}

impl PlaceOf {
    /// By number where a good part of the corpus is held.
    fn new(len: usize, distincts: &[u32]) -> Self {
        if distincts.len() * 8 >= len {
            Self::direct(len, distincts)
        } else {
            Self::sorted(distincts)
        }
    }

    fn direct(len: usize, distincts: &[u32]) -> Self {
        let mut places = vec![NOT_HELD; len];
        for (place, distinct) in distincts.iter().enumerate() {
            places[*distinct as usize] = place as u32;
        }
        Self::Direct(places)
    }

    fn sorted(distincts: &[u32]) -> Self {
        let places = distincts
            .iter()
            .enumerate()
            .map(|(place, d)| (*d, place as u32));
        let mut places: Vec<(u32, u32)> = places.collect();
        places.sort_unstable();
        Self::Sorted(places)
    }

    fn get(&self, distinct: u32) -> Option<usize> {
        let place = match self {
            Self::Direct(places) => *places.get(distinct as usize)?,
            Self::Sorted(places) => {
                let at = places.binary_search_by_key(&distinct, |(d, _)| *d).ok()?;
                places[at].1
            }
        };
        (place != NOT_HELD).then_some(place as usize)
    }
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
        let distincts = in_reading_order(corpus, distincts);
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
        let mut store = Self::default();
        for piece in pieces {
            let (hashes, ends): (Vec<u64>, Vec<usize>) = piece?;
            let base = store.tokens.len();
            store.tokens.extend(hashes);
            store.starts.extend(ends.into_iter().map(|end| base + end));
        }
        store.place_of = PlaceOf::new(corpus.distincts(), &distincts);
        Ok(store)
    }

    /// The tokens of a distinct; none if it was not loaded.
    pub fn tokens(&self, distinct: u32) -> &[u64] {
        &self.tokens[self.range(distinct)]
    }

    fn range(&self, distinct: u32) -> std::ops::Range<usize> {
        self.place_of
            .get(distinct)
            .map_or(0..0, |place| self.starts[place]..self.starts[place + 1])
    }
}

/// Show the text of each distinct, which must be sorted by first holder, in that order.
///
/// # Errors
/// The spool cannot be read.
pub fn read_texts(
    corpus: &Corpus,
    distincts: &[u32],
    mut show: impl FnMut(&str),
) -> Result<(), Error> {
    let mut buffer: Vec<u8> = Vec::new();
    let mut from = 0;
    for (i, distinct) in distincts.iter().enumerate() {
        let place = corpus.text_of(corpus.first(*distinct));
        if place.start < from || place.end > from + buffer.len() as u64 {
            let end = end_of_read(corpus, &distincts[i..]);
            buffer.resize((end - place.start) as usize, 0);
            corpus.spool.read(place.start, &mut buffer)?;
            from = place.start;
        }
        let text = &buffer[(place.start - from) as usize..(place.end - from) as usize];
        // The spool holds what arrived as valid UTF-8, cut at line ends. Between paragraphs is
        // nothing but space.
        show(std::str::from_utf8(text).unwrap_or_default().trim_end());
    }
    Ok(())
}

/// How far one read should go: on over texts that lie close behind each other.
fn end_of_read(corpus: &Corpus, distincts: &[u32]) -> u64 {
    let mut texts = distincts
        .iter()
        .map(|distinct| corpus.text_of(corpus.first(*distinct)));
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
    store: TokenStore,
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
        let distincts = in_reading_order(corpus, distincts);
        let mut tokens = Tokens::default();
        let mut store = TokenStore::default();
        let mut places: Vec<[u32; 2]> = Vec::new();
        let mut next = distincts.iter();
        read_texts(corpus, &distincts, |text| {
            let first = next.next().map_or(0, |distinct| corpus.first(*distinct));
            let base = corpus.paragraphs[first as usize].start;
            tokenize(text, &mut tokens);
            let points = CodePoints::new(text);
            places.extend(
                tokens
                    .ranges
                    .iter()
                    .map(|r| r.map(|byte| base + points.at(byte))),
            );
            store.tokens.extend_from_slice(&tokens.hashes);
            store.starts.push(store.tokens.len());
        })?;
        store.place_of = PlaceOf::new(corpus.distincts(), &distincts);
        Ok(Self { store, places })
    }

    pub fn get(&self, distinct: u32) -> Placed<'_> {
        let range = self.store.range(distinct);
        Placed {
            hashes: &self.store.tokens[range.clone()],
            places: &self.places[range],
        }
    }
}
