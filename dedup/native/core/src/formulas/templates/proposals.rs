//! Rows to patterns: the places that share a skeleton are read again and compared.

use std::collections::HashMap;

use super::items::{GAP, NUMBER, START, grams, hash_items, is_word, openings, word_weight};
use super::patterns::{Pattern, framed};
use super::skeletons::{Frequencies, Kind, Row, Skeletons, supported};
use super::{Reading, Shown};
use crate::error::Error;
use crate::text::WORD_WEIGHT;
use crate::util::{parallel, stop};

/// Places of one skeleton that are compared.
const SAMPLES: usize = 32;
/// Skeletons whose samples are held at once.
const GROUPS: usize = 1 << 12;
/// Words in which patterns may differ to be merged.
const ROUNDS: usize = 2;
pub const MIN_FILLERS: usize = 3;
pub const MAX_FILLER: f64 = 0.5;
/// A word next to a slot is fixed if this share of the fillers have it.
const PROMOTED: f64 = 0.8;
/// Bits of a continuation's entropy, where there are enough places for them.
const MIN_ENTROPY: f64 = 2.5;
/// Sentences of one article with the same beginning.
const MIN_IN_ARTICLE: usize = 3;

/// One place of a skeleton.
struct Sample {
    /// The words of each gap; of an opener the item after it.
    fillers: Vec<Vec<u64>>,
}

struct Group {
    parts: Vec<u64>,
    kind: Kind,
    samples: Vec<Sample>,
}

/// The patterns of `rows`, which are sorted.
///
/// # Errors
/// The spool cannot be read.
pub fn read_candidates(
    reading: &Reading<'_>,
    frequencies: &Frequencies,
    rows: &[Row],
) -> Result<Vec<Pattern>, Error> {
    let groups: Vec<&[Row]> = supported(reading.corpus, rows, reading.min_support).collect();
    let parts = parallel::map_ranges(reading.options.threads, groups.len(), GROUPS, |range| {
        read_groups(reading, frequencies, &groups[range])
    });
    let mut patterns: HashMap<Pattern, usize> = HashMap::new();
    for part in parts {
        for (pattern, places) in part? {
            *patterns.entry(pattern).or_default() += places;
        }
    }
    for _ in 0..ROUNDS {
        generalize(&mut patterns);
    }
    Ok(patterns.into_keys().collect())
}

/// Add the common pattern of three or more that differ in one word: a month, a frequent name. Grams
/// cannot distinguish it from the words around it.
fn generalize(patterns: &mut HashMap<Pattern, usize>) {
    // By the common pattern: the word that each has in the gap, and its places.
    let mut siblings: HashMap<Pattern, HashMap<u64, usize>> = HashMap::new();
    for (pattern, places) in patterns.iter().filter(|(p, _)| p.kind != Kind::Opener) {
        stop::check();
        for (at, word) in pattern
            .parts
            .iter()
            .enumerate()
            .filter(|(_, p)| is_word(**p))
        {
            let common = siblings.entry(pattern.with_gap(at)).or_default();
            *common.entry(*word).or_default() += places;
        }
    }
    for (pattern, words) in siblings {
        let total: usize = words.values().sum();
        let most = words.values().max().copied().unwrap_or(0);
        if words.len() >= MIN_FILLERS && most as f64 <= MAX_FILLER * total as f64 {
            patterns.entry(pattern).or_insert(total);
        }
    }
}

fn read_groups(
    reading: &Reading<'_>,
    frequencies: &Frequencies,
    groups: &[&[Row]],
) -> Result<Vec<(Pattern, usize)>, Error> {
    let mut wanted: Vec<(u32, u32, &Row)> = Vec::new();
    for (number, group) in groups.iter().enumerate() {
        let texts = group.chunk_by(|a, b| a.text == b.text);
        let samples = texts.map(|same| &same[0]).take(SAMPLES);
        wanted.extend(samples.map(|row| (row.distinct, number as u32, row)));
    }
    wanted.sort_unstable();
    let distincts = wanted.iter().map(|(distinct, ..)| *distinct).collect();
    let mut found: Vec<Option<Group>> = groups.iter().map(|_| None).collect();
    let mut skeletons = Skeletons::new(frequencies, reading.min_support);
    reading.show_distincts(distincts, |shown| {
        let from = wanted.partition_point(|w| w.0 < shown.distinct);
        let here = wanted[from..].iter().take_while(|w| w.0 == shown.distinct);
        let rows: HashMap<(u64, u32), u32> = here
            .map(|(_, number, row)| ((row.hash, row.start), *number))
            .collect();
        skeletons.show(shown.items, |unit, hash, parts| {
            if let Some(number) = rows.get(&(hash, unit.start as u32)) {
                let group = &mut found[*number as usize];
                add_sample(group, parts, &unit, shown);
            }
        });
        for sentence in shown.items.sentences() {
            openings(&shown.items.items[sentence.clone()], |end, hash| {
                if let Some(number) = rows.get(&(hash, sentence.start as u32)) {
                    let end = sentence.start + end;
                    add_opener(&mut found[*number as usize], sentence.start..end, shown);
                }
            });
        }
    })?;
    let patterns = found.into_iter().zip(groups).filter_map(|(group, rows)| {
        let group = group?;
        let pattern = match group.kind {
            Kind::Opener => group.opener(frequencies),
            _ => group.sentence(),
        };
        Some((pattern?, rows.len()))
    });
    Ok(patterns.collect())
}

fn add_sample(
    group: &mut Option<Group>,
    parts: &[u64],
    unit: &std::ops::Range<usize>,
    shown: &Shown<'_>,
) {
    let is_paragraph = parts.iter().filter(|part| **part == START).count() > 1;
    let group = group.get_or_insert_with(|| Group {
        parts: parts.to_vec(),
        kind: if is_paragraph {
            Kind::Paragraph
        } else {
            Kind::Sentence
        },
        samples: Vec::new(),
    });
    let mut places = Vec::new();
    let pattern = Pattern {
        kind: group.kind,
        parts: std::mem::take(&mut group.parts),
    };
    let inner = &shown.items.items[unit.clone()];
    // The leftmost reading of the pattern need not be the skeleton's own, but the text follows it.
    if pattern.fits(inner, &mut places) {
        let gaps = pattern.parts.iter().zip(places.windows(2));
        let gaps = gaps.filter(|(part, _)| **part == GAP);
        group.samples.push(Sample {
            fillers: gaps.map(|(_, at)| inner[at[0]..at[1]].to_vec()).collect(),
        });
    }
    group.parts = pattern.parts;
}

fn add_opener(group: &mut Option<Group>, unit: std::ops::Range<usize>, shown: &Shown<'_>) {
    let items = shown.items;
    let group = group.get_or_insert_with(|| Group {
        parts: items.items[unit.clone()].to_vec(),
        kind: Kind::Opener,
        samples: Vec::new(),
    });
    group.samples.push(Sample {
        fillers: vec![vec![items.items[unit.end]]],
    });
}

impl Group {
    /// The pattern of a sentence, if its gaps are filled in different ways.
    fn sentence(mut self) -> Option<Pattern> {
        let gaps = self.parts.iter().filter(|part| **part == GAP).count();
        for gap in (0..gaps).rev() {
            self.promote(gap);
        }
        let varied = (0..gaps).all(|gap| {
            let fillers = self.samples.iter().map(|sample| &sample.fillers[gap]);
            is_varied(fillers.map(|filler| hash_items(filler.iter().copied())))
        });
        varied.then_some(Pattern {
            kind: self.kind,
            parts: self.parts,
        })
    }

    /// Fix the words that are at the edges of a gap in nearly all samples.
    fn promote(&mut self, gap: usize) {
        while let Some(word) = self.shared(gap, <[u64]>::first) {
            self.samples.retain_mut(|sample| {
                let filler = &mut sample.fillers[gap];
                let keeps = filler.len() > 1 && filler[0] == word;
                filler.drain(..usize::from(keeps));
                keeps
            });
            let at = self.place(gap);
            self.parts.insert(at, word);
        }
        while let Some(word) = self.shared(gap, <[u64]>::last) {
            self.samples.retain_mut(|sample| {
                let filler = &mut sample.fillers[gap];
                let keeps = filler.len() > 1 && filler.last() == Some(&word);
                filler.truncate(filler.len() - usize::from(keeps));
                keeps
            });
            let at = self.place(gap);
            self.parts.insert(at + 1, word);
        }
    }

    /// Place of a gap among the parts.
    fn place(&self, gap: usize) -> usize {
        let mut gaps = self.parts.iter().enumerate().filter(|(_, p)| **p == GAP);
        gaps.nth(gap).map_or(0, |(at, _)| at)
    }

    /// The word that `edge` picks from nearly all longer fillers of a gap.
    fn shared(&self, gap: usize, edge: fn(&[u64]) -> Option<&u64>) -> Option<u64> {
        let mut counts: HashMap<u64, usize> = HashMap::new();
        for sample in self.samples.iter().filter(|s| s.fillers[gap].len() > 1) {
            if let Some(item) = edge(&sample.fillers[gap]) {
                *counts.entry(*item).or_default() += 1;
            }
        }
        let top = counts.into_iter().max_by_key(|(item, n)| (*n, *item))?;
        let enough = (self.samples.len() as f64 * PROMOTED).max(MIN_FILLERS as f64);
        (top.1 as f64 >= enough).then_some(top.0)
    }

    /// The pattern of an opener, if what follows it is open.
    fn opener(self, frequencies: &Frequencies) -> Option<Pattern> {
        let next = self.samples.iter().map(|sample| sample.fillers[0][0]);
        let open = is_open(next);
        let pattern = framed(Kind::Opener, self.parts[1..].iter().copied());
        (open && is_opening(&pattern.parts, frequencies)).then_some(pattern)
    }
}

/// Whether an opener appears at the beginning of sentences more often than inside them. If not, it
/// is a name or a plain phrase that may also begin a sentence.
fn is_opening(parts: &[u64], frequencies: &Frequencies) -> bool {
    let first = first_opening(parts).map(|hash| frequencies.of(hash));
    let mut anywhere = None;
    grams(&parts[1..], |_, _, hash| {
        anywhere = anywhere.or(Some(frequencies.of(hash)));
    });
    first.zip(anywhere).is_some_and(|(f, a)| 2 * f >= a)
}

/// Whether fillers differ enough to make a slot: three at least, none of them half of all.
pub fn is_varied(fillers: impl Iterator<Item = u64>) -> bool {
    let counts = count(fillers);
    let total: usize = counts.values().sum();
    let top = counts.values().max().copied().unwrap_or(0);
    counts.len() >= MIN_FILLERS && top as f64 <= MAX_FILLER * total as f64
}

/// Whether sentences continue in so many ways that their beginning does not predict their end.
fn is_open(next: impl Iterator<Item = u64> + Clone) -> bool {
    let counts = count(next.clone());
    let total: usize = counts.values().sum();
    let share = |n: &usize| *n as f64 / total as f64;
    let mut entropies: Vec<f64> = counts
        .values()
        .map(|n| -share(n) * share(n).log2())
        .collect();
    // Sums of floats depend on their order, and a map has none.
    entropies.sort_by(f64::total_cmp);
    let entropy: f64 = entropies.iter().sum();
    // Five places have 2.3 bits at most.
    let possible = 0.8 * (total as f64).log2();
    is_varied(next) && entropy >= MIN_ENTROPY.min(possible)
}

fn count(values: impl Iterator<Item = u64>) -> HashMap<u64, usize> {
    let mut counts = HashMap::new();
    for value in values {
        *counts.entry(value).or_default() += 1;
    }
    counts
}

/// Openers that occur three times in one article, each time with a different next word.
#[derive(Default)]
pub struct InArticle {
    article: Option<u32>,
    /// Hash of the first three words, and the beginning as a range of `items`.
    beginnings: Vec<(u64, [u32; 2])>,
    items: Vec<u64>,
    pub found: Vec<Pattern>,
}

/// Items of a beginning that are kept: eight words, of the longest script.
const KEPT: usize = 34;

impl InArticle {
    /// Take in the paragraphs of articles, one article after the other.
    pub fn add(&mut self, article: u32, shown: &Shown<'_>) {
        if self.article.replace(article) != Some(article) {
            self.finish();
        }
        for sentence in shown.items.sentences() {
            let inner = &shown.items.items[sentence];
            let kept = &inner[..inner.len().min(KEPT)];
            if let Some(hash) = first_opening(kept) {
                let from = self.items.len() as u32;
                self.items.extend_from_slice(kept);
                self.beginnings
                    .push((hash, [from, self.items.len() as u32]));
            }
        }
    }

    /// The last article is complete.
    pub fn finish(&mut self) {
        self.beginnings.sort_unstable();
        let groups = self.beginnings.chunk_by(|a, b| a.0 == b.0);
        for group in groups.filter(|group| group.len() >= MIN_IN_ARTICLE) {
            let kept = group
                .iter()
                .map(|(_, [from, to])| *from as usize..*to as usize);
            let kept: Vec<&[u64]> = kept.map(|range| &self.items[range]).collect();
            let len = shared_beginning(&kept);
            let next = kept.iter().filter_map(|kept| kept.get(len).copied());
            let weight: u32 = kept[0][..len].iter().map(|item| word_weight(*item)).sum();
            if weight >= 3 * WORD_WEIGHT && is_varied(next) {
                let words = kept[0][1..len].iter().copied();
                self.found.push(framed(Kind::Opener, words));
            }
        }
        self.beginnings.clear();
        self.items.clear();
    }
}

/// Hash of the shortest opening of a sentence, if it has one.
fn first_opening(sentence: &[u64]) -> Option<u64> {
    let mut first = None;
    openings(sentence, |_, hash| first = first.or(Some(hash)));
    first
}

/// Items that all beginnings share, except for an end of a sentence.
fn shared_beginning(kept: &[&[u64]]) -> usize {
    let first = kept[0];
    let same = |at: &usize| {
        let item = first[*at];
        (is_word(item) || matches!(item, NUMBER | START))
            && kept.iter().all(|other| other.get(*at) == Some(&item))
    };
    (0..first.len()).take_while(same).count()
}
