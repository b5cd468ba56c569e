//! Sentences to skeletons: words in frequent chunks stay, other words become slots.
//!
//! Frequent-chunk skeletons: word clusters as in log mining (Vaarandi 2003, SLCT) with grams in
//! place of words, as in p-frames (Gray and Biber 2013). A filler may itself be frequent, so a
//! sentence gives a skeleton for every level of frequency, each twice the one below: at one of
//! them the frame is frequent and its fillers are not.

use std::sync::atomic::AtomicUsize;

use serde::{Deserialize, Serialize};

use super::counts::Counts;
use super::items::{
    END, GAP, Items, MAX_ITEMS, NUMBER, START, grams, hash_items, is_particle, openings,
    word_weight,
};
use super::patterns::Pattern;
use super::proposals::InArticle;
use super::{MIN_FIXED, Reading};
use crate::corpus::Corpus;
use crate::error::Error;
use crate::text::{WORD_WEIGHT, weight};
use crate::util::parallel;

/// Fixed words of a skeleton: two frame a number or two, fewer frame nothing.
const MIN_FIXED_WEIGHT: u32 = 2 * WORD_WEIGHT;
/// Items, numbers included, that a skeleton holds fixed.
const MIN_FIXED_ITEMS: u32 = 4;
/// An opening is cut where its sentence's next word follows it in fewer places than this.
const MAX_CONTINUATION: f64 = 0.5;
/// Most words of a paragraph that is tried as one pattern.
const MAX_PARAGRAPH_ITEMS: usize = 160;
const SLOTS: usize = 1 << 22;
const ROW_BYTES: usize = 24;

/// The unit of which a template is a pattern. The order is that of `TEMPLATE_KINDS` in schemas.py.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Kind {
    Sentence,
    Opener,
    Paragraph,
}

/// One place that may follow a pattern.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Row {
    /// Of the skeleton.
    pub hash: u64,
    /// Of the words as they are, so that copies are recognised.
    pub text: u32,
    pub distinct: u32,
    /// Items of its paragraph.
    pub start: u32,
    pub end: u32,
}

/// How often grams, openings and words occur in the corpus.
pub struct Frequencies {
    grams: Counts,
    words: Vec<Word>,
    pub sentences: u64,
    /// One of this many articles was counted; `own` places are of all.
    pub every: u64,
}

const WORD_SLOTS_BITS: u32 = 19;

#[derive(Clone, Copy, Default)]
struct Word {
    count: u32,
    /// Inside sentences: how much more often it has a small letter than a capital.
    case: i32,
}

impl Frequencies {
    /// Count them in one pass over the distinct paragraphs.
    ///
    /// # Errors
    /// The spool cannot be read.
    pub fn count(reading: &Reading<'_>) -> Result<Self, Error> {
        // A quarter more for the openings.
        let tokens = reading.tokens();
        let mut grams = Counts::new(tokens + tokens / 4);
        let (threads, taken) = (reading.options.threads, AtomicUsize::new(0));
        let parts = parallel::map(threads, threads, |_| {
            let mut words = vec![Word::default(); 1 << WORD_SLOTS_BITS];
            let mut hashes: Vec<u64> = Vec::new();
            let mut added = 0;
            let mut sentences = 0;
            reading.show_some(&taken, |shown| {
                for sentence in shown.items.sentences() {
                    sentences += 1;
                    for item in sentence.clone() {
                        let word = &mut words[word_slot(shown.items.items[item])];
                        word.count += 1;
                        if item > sentence.start + 1 {
                            word.case += shown.case(item);
                        }
                    }
                    let sentence = &shown.items.items[sentence];
                    if sentence.len() > MAX_ITEMS {
                        continue;
                    }
                    hashes.clear();
                    self::grams(sentence, |_, _, hash| hashes.push(hash));
                    openings(sentence, |_, hash| hashes.push(hash));
                    grams.add(&hashes);
                    added += hashes.len() as u64;
                }
            })?;
            Ok((words, added, sentences))
        });
        let mut words = vec![Word::default(); 1 << WORD_SLOTS_BITS];
        let mut sentences = 0;
        let mut total = 0;
        for part in parts {
            let (counted, added, of): (Vec<Word>, u64, u64) = part?;
            for (sum, word) in words.iter_mut().zip(counted) {
                sum.count += word.count;
                sum.case += word.case;
            }
            total += added;
            sentences += of;
        }
        grams.settle(total);
        Ok(Self {
            grams,
            words,
            sentences,
            every: u64::from(reading.every),
        })
    }

    /// Whether a word is no name: inside sentences it has a small letter, or its script has none.
    pub fn is_common(&self, word: u64) -> bool {
        self.words[word_slot(word)].case >= 0
    }

    /// Most bits that a word of the corpus can have.
    pub fn most_bits(&self) -> f64 {
        (2.0 * (self.sentences + 1) as f64).log2()
    }

    /// Bits of a word: how few sentences would hold it without the `own` places. Single letters and
    /// what an apostrophe cuts off have none.
    pub fn bits(&self, word: u64, own: u64) -> f64 {
        if is_particle(word) {
            return 0.0;
        }
        let own = own / self.every;
        let others = u64::from(self.words[word_slot(word)].count).saturating_sub(own);
        let sentences = self.sentences.saturating_sub(own) + 1;
        let bits = (sentences as f64 / (others as f64 + 0.5)).log2();
        bits.max(0.0) * f64::from(weight(word)) / f64::from(WORD_WEIGHT)
    }

    /// How often a word occurs.
    pub fn of_word(&self, word: u64) -> u32 {
        self.words[word_slot(word)].count
    }

    /// Load the counts of some grams into the cache.
    pub fn fetch(&self, hashes: &[u64]) {
        self.grams.fetch(hashes);
    }

    /// How often a gram or an opening occurs.
    pub fn of(&self, hash: u64) -> u32 {
        self.grams.get(hash)
    }
}

fn word_slot(word: u64) -> usize {
    (word >> (64 - WORD_SLOTS_BITS)) as usize
}

/// Finds the skeletons of paragraphs, reusing its buffers.
pub struct Skeletons<'a> {
    frequencies: &'a Frequencies,
    min_support: u32,
    /// Of each item of the paragraph: 0, or 1 and how often its count halves to the support.
    levels: Vec<u8>,
    grams: Vec<(u32, u32, u64)>,
    hashes: Vec<u64>,
    skeleton: Vec<u64>,
}

impl<'a> Skeletons<'a> {
    pub fn new(frequencies: &'a Frequencies, min_support: u32) -> Self {
        Self {
            frequencies,
            min_support,
            levels: Vec::new(),
            grams: Vec::new(),
            hashes: Vec::new(),
            skeleton: Vec::new(),
        }
    }

    /// Show the skeletons of a paragraph's sentences, and of the paragraph if it has several: the
    /// items that follow one, its kind, its hash, its parts.
    pub fn show(
        &mut self,
        items: &Items,
        mut show: impl FnMut(std::ops::Range<usize>, u64, &[u64]),
    ) {
        self.set_levels(items);
        for sentence in items.sentences().filter(|s| s.len() <= MAX_ITEMS) {
            self.show_unit(items, sentence, &mut show);
        }
        let whole = 0..items.items.len();
        if items.starts.len() > 2 && whole.len() <= MAX_PARAGRAPH_ITEMS {
            self.show_unit(items, whole, &mut show);
        }
    }

    fn set_levels(&mut self, items: &Items) {
        self.levels.clear();
        self.levels.resize(items.items.len(), 0);
        self.grams.clear();
        self.hashes.clear();
        for sentence in items.sentences().filter(|s| s.len() <= MAX_ITEMS) {
            let from = sentence.start;
            grams(&items.items[sentence], |start, end, hash| {
                self.grams
                    .push(((from + start) as u32, (from + end) as u32, hash));
                self.hashes.push(hash);
            });
        }
        self.frequencies.fetch(&self.hashes);
        for (start, end, hash) in &self.grams {
            let count = self.frequencies.of(*hash);
            if count >= self.min_support {
                let level = 1 + (count / self.min_support).ilog2() as u8;
                for l in &mut self.levels[*start as usize..*end as usize] {
                    *l = level.max(*l);
                }
            }
        }
    }

    fn show_unit(
        &mut self,
        items: &Items,
        unit: std::ops::Range<usize>,
        show: &mut impl FnMut(std::ops::Range<usize>, u64, &[u64]),
    ) {
        let inner = &items.items[unit.clone()];
        let mut at = [Fixed::default(); LEVELS];
        let mut all = Fixed::default();
        for (item, level) in inner.iter().zip(&self.levels[unit.clone()]) {
            let one = Fixed::one(*item);
            at[*level as usize].add(one);
            all.add(one);
        }
        let mut fixed = all;
        for level in 1..LEVELS {
            fixed.remove(at[level - 1]);
            if !fixed.frames(all) {
                return;
            }
            // Without an item of this very level the next one gives the same skeleton.
            let has_slot = fixed.items < all.items || inner.contains(&NUMBER);
            if at[level].items > 0 && has_slot {
                self.cut(inner, unit.start, level as u8);
                let hash = hash_items(self.skeleton.iter().copied());
                show(unit.clone(), hash, &self.skeleton);
            }
        }
    }

    /// Make the skeleton of a level.
    fn cut(&mut self, unit: &[u64], offset: usize, level: u8) {
        self.skeleton.clear();
        for (i, item) in unit.iter().enumerate() {
            if matches!(*item, START | END) || self.levels[offset + i] >= level {
                self.skeleton.push(*item);
            } else if self.skeleton.last() != Some(&GAP) {
                self.skeleton.push(GAP);
            }
        }
    }
}

/// One more than the logarithm of the largest count.
const LEVELS: usize = 33;

/// Items that stay in a skeleton.
#[derive(Clone, Copy, Default)]
struct Fixed {
    /// Words, in quarters.
    weight: u32,
    /// Words and numbers.
    items: u32,
}

impl Fixed {
    fn one(item: u64) -> Self {
        Self {
            weight: word_weight(item),
            items: u32::from(!matches!(item, START | END)),
        }
    }

    fn add(&mut self, other: Self) {
        self.weight += other.weight;
        self.items += other.items;
    }

    fn remove(&mut self, other: Self) {
        self.weight -= other.weight;
        self.items -= other.items;
    }

    /// Whether they are enough of all items to be the frame of the others.
    fn frames(self, all: Self) -> bool {
        self.weight >= MIN_FIXED_WEIGHT
            && self.items >= MIN_FIXED_ITEMS
            && f64::from(self.weight) >= MIN_FIXED * f64::from(all.weight)
    }
}

/// Show the openings of a sentence that a template may have: the item after each, and its hash.
pub fn frequent_openings(
    sentence: &[u64],
    frequencies: &Frequencies,
    min_support: u32,
    mut show: impl FnMut(usize, u64),
) {
    let mut open: Option<(usize, u64, u32)> = None;
    openings(sentence, |end, hash| {
        let count = frequencies.of(hash);
        if let Some((end, hash, before)) = open.take()
            && f64::from(count) < MAX_CONTINUATION * f64::from(before)
        {
            show(end, hash);
        }
        open = (count >= min_support && sentence[end] != END).then_some((end, hash, count));
    });
    if let Some((end, hash, _)) = open {
        show(end, hash);
    }
}

/// What one worker found: where its rows are in the spool, the last of them, openers of single
/// articles, and how many rows there are.
type Part = (Vec<(u64, usize)>, Vec<u8>, Vec<Pattern>, u64);

/// The rows of all skeletons and openings that enough places follow, sorted, and the openers that
/// occur again and again in one article.
///
/// # Errors
/// The spool cannot be read or written.
pub fn collect_rows(
    reading: &Reading<'_>,
    frequencies: &Frequencies,
) -> Result<(Vec<Row>, Vec<Pattern>), Error> {
    let support = reading.min_support;
    let mut counts = Counts::new(SLOTS.min(reading.tokens()));
    let (threads, taken) = (reading.options.threads, AtomicUsize::new(0));
    let spooled = parallel::map(threads, threads, |_| {
        let mut skeletons = Skeletons::new(frequencies, support);
        let mut blocks = Vec::new();
        let mut bytes = Vec::new();
        let mut failure = None;
        let mut added = 0;
        let mut hashes: Vec<u64> = Vec::new();
        let mut openers = InArticle::default();
        reading.show_some(&taken, |shown| {
            openers.add(reading.corpus.first_article(shown.distinct), shown);
            let items = shown.items;
            let mut write = |hash: u64, unit: std::ops::Range<usize>, text_end: usize| {
                let tokens = items.tokens[unit.start] as usize..items.tokens[text_end] as usize;
                let text = hash_items(shown.tokens.hashes[tokens].iter().copied());
                let row = Row {
                    hash,
                    text: (text >> 32) as u32,
                    distinct: shown.distinct,
                    start: unit.start as u32,
                    end: unit.end as u32,
                };
                hashes.push(hash);
                row.write(&mut bytes);
            };
            skeletons.show(items, |unit, hash, _| {
                let end = unit.end;
                write(hash, unit, end);
            });
            for sentence in items.sentences().filter(|s| s.len() <= MAX_ITEMS) {
                let inner = &items.items[sentence.clone()];
                frequent_openings(inner, frequencies, support, |end, hash| {
                    // Sentences with the same beginning are different texts if the rest differs.
                    write(hash, sentence.start..sentence.start + end, sentence.end);
                });
            }
            counts.add(&hashes);
            added += hashes.len() as u64;
            hashes.clear();
            if bytes.len() > 1 << 20 {
                match reading.corpus.spool.append(&[&bytes]) {
                    Ok(extent) => blocks.push((extent.at, bytes.len())),
                    Err(err) => failure = Some(err),
                }
                bytes.clear();
            }
        })?;
        openers.finish();
        failure.map_or(Ok((blocks, bytes, openers.found, added)), Err)
    });
    let spooled: Result<Vec<Part>, Error> = spooled.into_iter().collect();
    let spooled = spooled?;
    counts.settle(spooled.iter().map(|part| part.3).sum());
    let mut rows = Vec::new();
    let mut keep = |bytes: &[u8]| {
        let (read, _) = bytes.as_chunks::<ROW_BYTES>();
        let read = read.iter().map(Row::read);
        rows.extend(read.filter(|row| counts.get(row.hash) >= support));
    };
    let mut buffer = Vec::new();
    let mut openers = Vec::new();
    for (blocks, rest, found, _) in spooled {
        openers.extend(found);
        for (at, len) in blocks {
            buffer.resize(len, 0);
            reading.corpus.spool.read(at, &mut buffer)?;
            keep(&buffer);
        }
        keep(&rest);
    }
    rows.sort_unstable();
    Ok((rows, openers))
}

impl Row {
    fn write(self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.hash.to_le_bytes());
        for number in [self.text, self.distinct, self.start, self.end] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
    }

    fn read(bytes: &[u8; ROW_BYTES]) -> Self {
        let (words, _) = bytes.as_chunks::<4>();
        let word = |i: usize| u32::from_le_bytes(words[i]);
        Self {
            hash: u64::from(word(1)) << 32 | u64::from(word(0)),
            text: word(2),
            distinct: word(3),
            start: word(4),
            end: word(5),
        }
    }
}

/// The groups of equal skeletons in `rows` that are in enough articles, with other words in each.
pub fn supported<'r>(
    corpus: &'r Corpus,
    rows: &'r [Row],
    min_support: u32,
) -> impl Iterator<Item = &'r [Row]> {
    let groups = rows.chunk_by(|a, b| a.hash == b.hash);
    groups.filter(move |group| {
        let texts = group.chunk_by(|a, b| a.text == b.text).count();
        let mut articles: Vec<u32> = group
            .iter()
            .map(|row| corpus.first_article(row.distinct))
            .collect();
        articles.sort_unstable();
        articles.dedup();
        texts.min(articles.len()) >= min_support as usize
    })
}
