//! Places to templates: how each is written, what fills its slots, and which words it fixes.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::fillers::is_varied;
use super::finder::Occurrence;
use super::items::{END, GAP, NUMBER, START, hash_items, is_word};
use super::patterns::{Kind, Pattern};
use super::skeletons::Frequencies;
use super::{Known, PIECE, Reading, Shown, bits};
use crate::corpus::{Formula, Formulas};
use crate::error::Error;
use crate::util::parallel;

/// Fillers, and places, that represent all of them.
const EXAMPLES: usize = 4;
/// Places whose spelling is compared.
const SPELLINGS: usize = 32;
/// Code points of a filler that is shown.
const MAX_EXAMPLE: usize = 80;

/// What fills a slot. The order is that of `SLOT_KINDS` in schemas.py.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum SlotKind {
    Words,
    Number,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Slot {
    pub kind: SlotKind,
    /// Different fillers.
    pub fillers: u32,
    pub examples: Vec<String>,
}

/// A pattern with the facts about it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Template {
    /// Sixteen hexadecimal digits, the same wherever the pattern is found.
    pub id: String,
    /// In its most frequent spelling, with `<*>` and `<NUM>` in its slots.
    pub text: String,
    pub kind: Kind,
    /// Articles and places that follow it; exact copies of a paragraph count once.
    pub articles: u32,
    pub occurrences: u32,
    pub fixed_tokens: u32,
    pub bits: f64,
    pub slots: Vec<Slot>,
    /// Paragraphs that follow it, the first seen.
    pub examples: Vec<u32>,
    /// Number of the pack that names it, if one does.
    pub pack: Option<u32>,
    /// An opener that too few articles follow, and one repeats.
    pub in_article: bool,
}

/// The facts gathered about one pattern, by hashes, so that their order has no effect.
#[derive(Default)]
struct Gathered {
    occurrences: u32,
    articles: Vec<u32>,
    /// (slot, filler), one a place.
    fillers: Vec<(u16, u32)>,
    examples: BTreeMap<(u16, u32), String>,
    spellings: BTreeMap<u32, String>,
    /// (rank of the article, paragraph)
    places: Vec<(u32, u32)>,
}

impl Gathered {
    fn add(&mut self, other: Self) {
        self.occurrences += other.occurrences;
        self.articles.extend(other.articles);
        self.fillers.extend(other.fillers);
        self.examples.extend(other.examples);
        self.spellings.extend(other.spellings);
        self.places.extend(other.places);
        self.trim();
    }

    /// Keep only as much as is shown.
    fn trim(&mut self) {
        let mut kept: HashMap<u16, usize> = HashMap::new();
        self.examples.retain(|(slot, _), _| {
            let n = kept.entry(*slot).or_default();
            *n += 1;
            *n <= EXAMPLES
        });
        while self.spellings.len() > SPELLINGS {
            self.spellings.pop_last();
        }
        self.places.sort_unstable();
        self.places.truncate(EXAMPLES);
    }

    fn fillers_of(&self, slot: usize) -> impl Iterator<Item = u64> {
        let here = self.fillers.iter().filter(move |f| f.0 as usize == slot);
        here.map(|f| u64::from(f.1))
    }

    /// The commonest spelling, of equally common ones the first in the alphabet.
    fn spelling(&self) -> String {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for text in self.spellings.values() {
            *counts.entry(text).or_default() += 1;
        }
        let top = counts
            .iter()
            .max_by_key(|(text, n)| (**n, std::cmp::Reverse(**text)));
        top.map(|(text, _)| (*text).to_owned()).unwrap_or_default()
    }
}

/// Read the places `chosen`, which are sorted; drop patterns whose slots are always filled alike.
///
/// # Errors
/// The spool cannot be read.
pub fn describe_all(
    reading: &Reading<'_>,
    frequencies: &Frequencies,
    patterns: &[Pattern],
    packs: &[Known],
    chosen: &[Occurrence],
) -> Result<super::Templates, Error> {
    let mut distincts: Vec<u32> = chosen.iter().map(|o| o.distinct).collect();
    distincts.dedup();
    distincts.sort_by_key(|distinct| reading.corpus.first_article(*distinct));
    let threads = reading.options.threads;
    let parts = parallel::map_ranges(threads, distincts.len(), PIECE as usize, |range| {
        let mut gathered: HashMap<u32, Gathered> = HashMap::new();
        let mut formulas = Vec::new();
        let mut places = Vec::new();
        reading.show_distincts(distincts[range].to_vec(), |shown| {
            let from = chosen.partition_point(|o| o.distinct < shown.distinct);
            let here = chosen[from..].iter();
            for o in here.take_while(|o| o.distinct == shown.distinct) {
                let pattern = &patterns[o.pattern as usize];
                let unit = o.start as usize..o.end as usize;
                if pattern.fits(&shown.items.items[unit.clone()], &mut places) {
                    let followed = Followed {
                        reading,
                        shown,
                        pattern,
                        unit,
                        places: &places,
                    };
                    followed.add_to(gathered.entry(o.pattern).or_default());
                    followed.write_formulas(o.pattern, &mut formulas);
                }
            }
        })?;
        gathered.values_mut().for_each(Gathered::trim);
        Ok((gathered, formulas))
    });
    let mut all: BTreeMap<u32, Gathered> = BTreeMap::new();
    let mut formulas: Vec<Formula> = Vec::new();
    for part in parts {
        let (gathered, found): (HashMap<u32, Gathered>, Vec<Formula>) = part?;
        for (pattern, gathered) in gathered {
            all.entry(pattern).or_default().add(gathered);
        }
        formulas.extend(found);
    }
    let mut named: Vec<(u32, Template)> = all
        .into_iter()
        .filter_map(|(number, gathered)| {
            let pattern = &patterns[number as usize];
            let known = packs.get(number as usize);
            let mut template = describe(pattern, known, gathered, frequencies)?;
            template.in_article = template.articles < reading.min_support;
            Some((number, template))
        })
        .collect();
    named.sort_by(|(_, a), (_, b)| {
        let weight = |t: &Template| t.bits * f64::from(t.articles);
        weight(b)
            .total_cmp(&weight(a))
            .then_with(|| a.id.cmp(&b.id))
    });
    let ranked = named.iter().enumerate();
    let rank: HashMap<u32, u32> = ranked.map(|(rank, (n, _))| (*n, rank as u32)).collect();
    let formulas = formulas.into_iter().filter_map(|formula| {
        let template = *rank.get(&formula.template)?;
        Some(Formula {
            template,
            ..formula
        })
    });
    Ok(super::Templates {
        formulas: Formulas::new(reading.corpus, formulas.collect()),
        list: named.into_iter().map(|(_, template)| template).collect(),
    })
}

fn describe(
    pattern: &Pattern,
    known: Option<&Known>,
    mut gathered: Gathered,
    frequencies: &Frequencies,
) -> Option<Template> {
    let is_rest = |slot: usize| pattern.kind == Kind::Opener && slot + 1 == pattern.slots().count();
    let mut slots = pattern.slots().enumerate();
    let varied = slots.all(|(slot, part)| {
        part == NUMBER || is_rest(slot) || is_varied(gathered.fillers_of(slot))
    });
    if known.is_none() && !varied {
        return None;
    }
    gathered.articles.sort_unstable();
    gathered.articles.dedup();
    let slots = pattern.slots().enumerate().map(|(slot, part)| {
        let mut fillers: Vec<u64> = gathered.fillers_of(slot).collect();
        fillers.sort_unstable();
        fillers.dedup();
        let examples = gathered.examples.iter().filter(|e| e.0.0 as usize == slot);
        Slot {
            kind: if part == NUMBER {
                SlotKind::Number
            } else {
                SlotKind::Words
            },
            fillers: fillers.len() as u32,
            examples: examples.map(|(_, text)| text.clone()).collect(),
        }
    });
    Some(Template {
        id: format!("{:016x}", pattern.id()),
        slots: slots.collect(),
        text: known.map_or_else(|| gathered.spelling(), |known| known.text.clone()),
        kind: pattern.kind,
        articles: gathered.articles.len() as u32,
        occurrences: gathered.occurrences,
        fixed_tokens: pattern.parts.iter().filter(|part| is_word(**part)).count() as u32,
        bits: bits(pattern, frequencies, u64::from(gathered.occurrences)),
        examples: gathered.places.iter().map(|(_, p)| *p).collect(),
        pack: known.map(|known| known.pack),
        in_article: false,
    })
}

/// One place that follows a pattern.
struct Followed<'a> {
    reading: &'a Reading<'a>,
    shown: &'a Shown<'a>,
    pattern: &'a Pattern,
    unit: Range<usize>,
    /// First item of each part within the unit.
    places: &'a [usize],
}

impl Followed<'_> {
    /// The parts that are written, each with its tokens; a gap may have none.
    fn parts(&self) -> impl Iterator<Item = (u64, Range<usize>)> {
        let at = |item: usize| self.shown.items.tokens[self.unit.start + item] as usize;
        let parts = self.pattern.parts.iter().zip(self.places.windows(2));
        let parts = parts.map(move |(part, place)| (*part, at(place[0])..at(place[1])));
        parts.filter(|(part, _)| !matches!(*part, START | END))
    }

    fn text(&self, tokens: &Range<usize>) -> &str {
        match &self.shown.tokens.ranges[tokens.clone()] {
            [] => "",
            [first, .., last] => &self.shown.text[first[0] as usize..last[1] as usize],
            [only] => &self.shown.text[only[0] as usize..only[1] as usize],
        }
    }

    fn add_to(&self, out: &mut Gathered) {
        let corpus = self.reading.corpus;
        let paragraph = corpus.first(self.shown.distinct);
        let article = corpus.first_article(self.shown.distinct);
        out.occurrences += 1;
        out.articles.push(article);
        out.places.push((corpus.rank[article as usize], paragraph));
        let slots = self
            .parts()
            .filter(|(part, _)| matches!(*part, GAP | NUMBER));
        for (slot, (_, tokens)) in slots.enumerate() {
            let hashes = &self.shown.tokens.hashes[tokens.clone()];
            let filler = (hash_items(hashes.iter().copied()) >> 32) as u32;
            let slot = slot as u16;
            out.fillers.push((slot, filler));
            if let std::collections::btree_map::Entry::Vacant(entry) =
                out.examples.entry((slot, filler))
            {
                entry.insert(flatten(self.text(&tokens), MAX_EXAMPLE));
            }
        }
        let all = self.places[0]..*self.places.last().unwrap_or(&0);
        let items = &self.shown.items.tokens;
        let [first, last] = [all.start, all.end].map(|i| items[self.unit.start + i] as usize);
        let hashes = &self.shown.tokens.hashes[first..last];
        let hash = (hash_items(hashes.iter().copied()) >> 32) as u32;
        if out.spellings.len() < 2 * SPELLINGS
            || out
                .spellings
                .last_key_value()
                .is_some_and(|(most, _)| hash < *most)
        {
            out.spellings.insert(hash, self.spelling());
        }
        if out.spellings.len() > 4 * SPELLINGS || out.places.len() > 64 || out.examples.len() > 1024
        {
            out.trim();
        }
    }

    /// The pattern in the words of this place.
    fn spelling(&self) -> String {
        let mut out = String::new();
        let mut end = None;
        let ranges = &self.shown.tokens.ranges;
        for (part, tokens) in self.parts() {
            if let (Some(end), Some(first)) = (end, ranges.get(tokens.start)) {
                out.push_str(&self.shown.text[end as usize..(first[0].max(end)) as usize]);
            }
            match part {
                GAP => out.push_str("<*>"),
                NUMBER => out.push_str("<NUM>"),
                _ => out.push_str(self.text(&tokens)),
            }
            end = tokens.clone().last().map(|token| ranges[token][1]).or(end);
        }
        if let Some(end) = end {
            let behind = self.shown.text[end as usize..].split(char::is_whitespace);
            let behind = behind.take(1).flat_map(str::chars);
            let is_stop = |c: &char| !c.is_alphanumeric();
            out.extend(behind.take_while(is_stop));
        }
        flatten(&out, usize::MAX)
    }

    fn write_formulas(&self, template: u32, out: &mut Vec<Formula>) {
        let from = out.len();
        for (_, tokens) in self.parts().filter(|(part, _)| is_word(*part)) {
            let [start, end] = [tokens.start as u32, tokens.end as u32];
            match out[from..].last_mut() {
                Some(last) if last.tokens[1] == start => last.tokens[1] = end,
                _ => out.push(Formula {
                    paragraph: self.reading.corpus.first(self.shown.distinct),
                    tokens: [start, end],
                    template,
                }),
            }
        }
    }
}

/// Text on one line, of at most this many code points.
fn flatten(text: &str, most: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= most {
        return line;
    }
    line.chars().take(most - 1).chain(['…']).collect()
}
