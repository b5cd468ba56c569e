//! Templates: fixed words with slots that many articles fill in, and where they appear.
//!
//! Four passes over the distinct paragraphs, each a stream with fixed memory whose parts add up:
//! count grams; cut sentences to skeletons and keep those with support; find every place that
//! follows a pattern; read what fills the slots.

mod counts;
mod describe;
mod fillers;
mod finder;
mod items;
mod openers;
mod patterns;
mod proposals;
mod skeletons;

pub use describe::{Slot, SlotKind, Template};
pub use patterns::{Kind, Pattern};

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};

use serde::{Deserialize, Serialize};

use crate::corpus::{Corpus, Formula, Formulas, NO_DISTINCT, in_reading_order, read_texts};
use crate::error::Error;
use crate::formulas::Versions;
use crate::text::{Tokens, tokenize};
use crate::util::{parallel, stop};
use describe::describe_all;
use finder::{Finder, Occurrence, Search};
use items::{GAP, Items, is_particle};
use proposals::read_candidates;
use skeletons::{Frequencies, collect_rows};

/// Share of a sentence's words, numbers apart, that its template must fix.
pub const MIN_FIXED: f64 = 0.6;
/// Bits of information that a template's words must have: plain grammar ("he said that the") has
/// fewer.
const MIN_BITS: f64 = 20.0;
/// A more frequent template may have less information: bits that each doubling of the support is
/// worth.
const BITS_PER_DOUBLING: f64 = 1.5;
/// A number in its place is information too: about one word in eight is a number. It counts where
/// nothing but numbers differs, as in a line of a table, "Revs 32.9 mln vs 21.1 mln".
const BITS_PER_NUMBER: f64 = 3.0;
/// A pattern that holds others replaces them only if it has this many bits: "<*> mln vs <*> mln"
/// says less than `Revs <NUM> mln vs <NUM> mln`.
const MIN_GENERAL_BITS: f64 = 18.0;
/// An opener is short, and says less.
const MIN_OPENER_BITS: f64 = 18.0;
/// One article that repeats itself shows less than many articles that agree.
const MIN_IN_ARTICLE_BITS: f64 = 20.0;
/// Fewest words of an opener.
const MIN_OPENER_WORDS: usize = 3;
/// Support grows with the corpus: one article in 10^5.
const MIN_SHARE: f64 = 1e-5;
/// Paragraphs read by one task, approximately.
const PIECE: u32 = 4096;
/// About how many articles are searched for templates: of more, every second or third or
/// hundredth. The templates found are then looked up, and counted, in all.
const MOST_MINED: usize = 1 << 15;

/// Which templates to look for.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Fewest articles that hold a template.
    pub min_support: u32,
    pub threads: usize,
}

/// What to look for, and the templates of packs.
pub struct Mining {
    pub options: Options,
    pub packs: Vec<Known>,
}

/// All templates of a corpus.
#[derive(Default, Serialize, Deserialize)]
pub struct Templates {
    /// By number of articles and information, the most informative first.
    pub list: Vec<Template>,
    /// Words that they fix.
    pub formulas: Formulas,
}

impl Templates {
    /// Count every template's articles anew, versions of one article once, and drop mined ones that
    /// lose their support. An opener that one article repeats needs none. Returns whether any was
    /// dropped.
    pub fn drop_unsupported(
        &mut self,
        corpus: &Corpus,
        versions: &Versions,
        min_support: u32,
    ) -> bool {
        let support = min_support.max(least_share(corpus));
        let mut places: Vec<(u32, u32)> = self
            .formulas
            .all()
            .iter()
            .map(|f| (f.template, versions.of(corpus, f.paragraph)))
            .collect();
        places.sort_unstable();
        places.dedup();
        for template in &mut self.list {
            template.articles = 0;
        }
        for (template, _) in places {
            self.list[template as usize].articles += 1;
        }
        let keeps = |t: &Template| t.pack.is_some() || t.in_article || t.articles >= support;
        let mut next = 0;
        let numbers: Vec<Option<u32>> = self
            .list
            .iter()
            .map(|template| {
                keeps(template).then(|| {
                    next += 1;
                    next - 1
                })
            })
            .collect();
        let before = self.list.len();
        self.list.retain(keeps);
        let kept = self.formulas.all().iter().filter_map(|f| {
            let template = numbers[f.template as usize]?;
            Some(Formula { template, ..*f })
        });
        self.formulas = Formulas::new(corpus, kept.collect());
        self.list.len() < before
    }
}

/// Articles that must hold a template in a corpus of this size.
fn least_share(corpus: &Corpus) -> u32 {
    (corpus.articles.len() as f64 * MIN_SHARE).ceil() as u32
}

/// A template that a pack names.
#[derive(Clone, Debug)]
pub struct Known {
    pub pattern: Pattern,
    /// As the pack has it.
    pub text: String,
    /// The pack's number.
    pub pack: u32,
}

/// The distinct paragraphs, as all passes read them.
pub struct Reading<'a> {
    pub corpus: &'a Corpus,
    pub options: Options,
    /// Fewest articles that hold a mined template.
    pub min_support: u32,
    /// One of this many articles is read.
    pub every: u32,
    /// Paragraphs, as they are distributed to tasks; an article is never split.
    pieces: Vec<std::ops::Range<u32>>,
}

/// One paragraph.
pub struct Shown<'a> {
    pub distinct: u32,
    pub text: &'a str,
    pub tokens: &'a Tokens,
    pub items: &'a Items,
}

impl Shown<'_> {
    /// 1 for an item with a small letter or of a script without capitals, -1 for one with a capital.
    fn case(&self, item: usize) -> i32 {
        let token = self.items.tokens[item] as usize;
        let Some([start, _]) = self.tokens.ranges.get(token) else {
            return 0;
        };
        let rest = &self.text[*start as usize..];
        let is_capital = match rest.as_bytes().first() {
            Some(byte) if byte.is_ascii() => byte.is_ascii_uppercase(),
            _ => rest.chars().next().is_some_and(char::is_uppercase),
        };
        if is_capital { -1 } else { 1 }
    }
}

impl<'a> Reading<'a> {
    /// Read all articles, or of a larger corpus one in `every`, by the order in which they were
    /// first seen.
    pub fn new(corpus: &'a Corpus, options: Options, every: u32) -> Self {
        let mut pieces = Vec::new();
        let mut from = 0;
        while from < corpus.paragraphs.len() as u32 {
            let last = last_of_piece(from, corpus.paragraphs.len() as u32);
            let end = corpus.paragraphs_of(corpus.article_of(last)).end;
            pieces.push(from..end);
            from = end;
        }
        Self {
            corpus,
            options,
            min_support: options.min_support.max(least_share(corpus) / every),
            every,
            pieces,
        }
    }

    /// The distincts that a piece holds first.
    fn distincts(&self, piece: &std::ops::Range<u32>) -> Vec<u32> {
        let distinct = |p: &u32| self.corpus.distinct_of[*p as usize];
        let is_first = |p: &u32| distinct(p) != NO_DISTINCT && self.corpus.first(distinct(p)) == *p;
        let rank = |p: &u32| self.corpus.rank[self.corpus.article_of(*p) as usize];
        let is_read = |p: &u32| self.every == 1 || rank(p).is_multiple_of(self.every);
        let paragraphs = piece.clone().filter(|p| is_first(p) && is_read(p));
        paragraphs.map(|p| distinct(&p)).collect()
    }

    /// Words of all distinct paragraphs, approximately.
    pub fn tokens(&self) -> usize {
        let tokens = self.corpus.articles.iter().map(|a| a.tokens as usize);
        tokens.sum::<usize>() / self.every as usize
    }

    /// Show a worker some of the paragraphs, article by article, as long as there are any that no
    /// other took. Workers of the same pass share `taken`, which begins at 0.
    ///
    /// # Errors
    /// The spool cannot be read.
    pub fn show_some(
        &self,
        taken: &AtomicUsize,
        mut show: impl FnMut(&Shown<'_>),
    ) -> Result<(), Error> {
        while let Some(piece) = self.pieces.get(taken.fetch_add(1, Ordering::Relaxed)) {
            show_all(self.corpus, &self.distincts(piece), &mut show)?;
        }
        Ok(())
    }

    /// Show some paragraphs, which may repeat, each once.
    ///
    /// # Errors
    /// The spool cannot be read.
    pub fn show_distincts(
        &self,
        distincts: Vec<u32>,
        mut show: impl FnMut(&Shown<'_>),
    ) -> Result<(), Error> {
        show_all(
            self.corpus,
            &in_reading_order(self.corpus, distincts),
            &mut show,
        )
    }
}

/// The last paragraph of the piece that starts at `from`, if articles may be split.
fn last_of_piece(from: u32, paragraphs: u32) -> u32 {
    from.saturating_add(PIECE).min(paragraphs - 1)
}

fn show_all(
    corpus: &Corpus,
    distincts: &[u32],
    show: &mut impl FnMut(&Shown<'_>),
) -> Result<(), Error> {
    let mut tokens = Tokens::default();
    let mut items = Items::default();
    let mut next = distincts.iter();
    read_texts(corpus, distincts, |text| {
        if let Some(distinct) = next.next() {
            tokenize(text, &mut tokens);
            items.set(text, &tokens);
            show(&Shown {
                distinct: *distinct,
                text,
                tokens: &tokens,
                items: &items,
            });
        }
    })
}

/// Mine the corpus for templates and find where they and those of `packs` appear.
///
/// # Errors
/// The spool cannot be read or written.
pub fn find_templates(
    corpus: &Corpus,
    options: Options,
    packs: &[Known],
) -> Result<Templates, Error> {
    let every = corpus.articles.len().div_ceil(MOST_MINED).max(1);
    let sample = Reading::new(corpus, options, every as u32);
    let frequencies = Frequencies::count(&sample)?;
    let (rows, openers) = collect_rows(&sample, &frequencies)?;
    let mut patterns = read_candidates(&sample, &frequencies, &rows)?;
    let reading = Reading::new(corpus, options, 1);
    patterns.extend(openers);
    let known: Vec<Pattern> = packs.iter().map(|known| known.pattern.clone()).collect();
    let patterns = merge(patterns, &known, &frequencies);
    let occurrences = find(&reading, &frequencies, &patterns, packs.len())?;
    let kept = keep_supported(&reading, &frequencies, &patterns, packs.len(), &occurrences);
    describe_all(&reading, &frequencies, &patterns, packs, &kept)
}

/// The patterns of `packs`, then those mined that have enough information and that no more general
/// one holds.
fn merge(mined: Vec<Pattern>, packs: &[Pattern], frequencies: &Frequencies) -> Vec<Pattern> {
    let mut mined: Vec<Pattern> = mined
        .into_iter()
        .filter(|pattern| bits(pattern, frequencies, 0) > 0.0)
        .collect();
    mined.sort_unstable();
    mined.dedup();
    // The more general first: fewer fixed words.
    mined.sort_by_key(Pattern::fixed_weight);
    let all: Vec<Pattern> = packs.iter().chain(&mined).cloned().collect();
    let finder = Finder::new(&all, packs.len(), frequencies);
    let mut found = Vec::new();
    let is_merged = |number: usize| {
        stop::check();
        let pattern = &all[number];
        finder.candidates(&pattern.parts, &mut found);
        let others = found.iter().map(|other| *other as usize);
        let says_enough = |other: &usize| {
            let other_places = finder::rarest_gram(&all[*other], frequencies).map_or(0, |g| g.0);
            let own = u64::from(other_places) * frequencies.every;
            *other < packs.len() || told(&all[*other], frequencies, own) >= MIN_GENERAL_BITS
        };
        others
            .filter(|other| *other < number && finder.contains(*other, number))
            .any(|other| says_enough(&other))
    };
    let merged: Vec<bool> = (0..all.len()).map(is_merged).collect();
    let keeps = |(number, pattern): (usize, &Pattern)| {
        (number < packs.len() || !merged[number]).then(|| pattern.clone())
    };
    all.iter().enumerate().filter_map(keeps).collect()
}

/// Bits of the fixed words, where `own` places hold them because of the pattern.
fn bits(pattern: &Pattern, frequencies: &Frequencies, own: u64) -> f64 {
    let words = pattern.words();
    words.iter().map(|word| frequencies.bits(*word, own)).sum()
}

/// Bits of a pattern, including its numbers.
fn told(pattern: &Pattern, frequencies: &Frequencies, own: u64) -> f64 {
    let is_line = pattern.words().len() >= 2 && !pattern.parts.contains(&GAP);
    let numbers = if is_line { pattern.numbers() } else { 0 };
    bits(pattern, frequencies, own) + BITS_PER_NUMBER * numbers as f64
}

/// Where the patterns are found: sorted lists that share no paragraph. A form with many variants
/// fits each of its texts in a hundred ways, so the places are never held twice.
fn find(
    reading: &Reading<'_>,
    frequencies: &Frequencies,
    patterns: &[Pattern],
    packs: usize,
) -> Result<Vec<Vec<Occurrence>>, Error> {
    let finder = Finder::new(patterns, packs, frequencies);
    let threads = reading.options.threads;
    let taken = AtomicUsize::new(0);
    let parts = parallel::map(threads, threads, |_| {
        let mut search = Search::new(&finder);
        let mut found = Vec::new();
        reading.show_some(&taken, |shown| {
            search.show(shown.distinct, shown.items, |o| found.push(o));
        })?;
        found.sort_unstable();
        Ok(found)
    });
    parts.into_iter().collect()
}

/// Give every sentence its template, and keep the templates that enough articles follow.
///
/// A template loses the sentences that another one fits better, and may lose its support with
/// them; then its other sentences look for their next best. A pack's template needs no support.
fn keep_supported(
    reading: &Reading<'_>,
    frequencies: &Frequencies,
    patterns: &[Pattern],
    packs: usize,
    found: &[Vec<Occurrence>],
) -> Vec<Occurrence> {
    let lists = found.iter();
    let mut paragraphs: Vec<&[Occurrence]> = lists
        .flat_map(|list| list.chunk_by(|a, b| a.distinct == b.distinct))
        .collect();
    paragraphs.sort_unstable_by_key(|paragraph| paragraph[0].distinct);
    let mut choice = Choice {
        patterns,
        weights: patterns.iter().map(Pattern::fixed_weight).collect(),
        is_dropped: vec![false; patterns.len()],
    };
    let mut chosen = Vec::new();
    for paragraph in &paragraphs {
        choice.choose(paragraph, &mut chosen);
    }
    loop {
        let dropped = unsupported(reading, frequencies, patterns, packs, &chosen);
        if dropped.is_empty() {
            return keep_repeated(reading, patterns, packs, chosen);
        }
        for number in dropped {
            choice.is_dropped[number as usize] = true;
        }
        chosen = choice.choose_again(&paragraphs, &chosen);
    }
}

/// Chooses which of its patterns a paragraph or sentence follows.
struct Choice<'a> {
    patterns: &'a [Pattern],
    /// The weight of the fixed words of each pattern.
    weights: Vec<u32>,
    is_dropped: Vec<bool>,
}

impl Choice<'_> {
    /// Add the best pattern of a paragraph as a whole, or else of each of its sentences: the one
    /// that fixes most words; an opener where there is no other.
    fn choose(&self, paragraph: &[Occurrence], chosen: &mut Vec<Occurrence>) {
        stop::check();
        let kind = |o: &Occurrence| self.patterns[o.pattern as usize].kind;
        let is_left = |o: &&Occurrence| !self.is_dropped[o.pattern as usize];
        let rank = |o: &&Occurrence| {
            let is_whole = kind(o) != Kind::Opener;
            (
                is_whole,
                self.weights[o.pattern as usize],
                u32::MAX - o.pattern,
            )
        };
        let whole = paragraph.iter().filter(|o| kind(o) == Kind::Paragraph);
        if let Some(whole) = whole.filter(is_left).max_by_key(rank) {
            chosen.push(*whole);
            return;
        }
        for sentence in paragraph.chunk_by(|a, b| a.start == b.start) {
            chosen.extend(sentence.iter().filter(is_left).max_by_key(rank));
        }
    }

    /// Choose again where a pattern that was `chosen` was dropped since.
    fn choose_again(&self, paragraphs: &[&[Occurrence]], chosen: &[Occurrence]) -> Vec<Occurrence> {
        let mut again = Vec::with_capacity(chosen.len());
        let mut paragraphs = paragraphs.iter();
        for old in chosen.chunk_by(|a, b| a.distinct == b.distinct) {
            let paragraph = paragraphs.find(|p| p[0].distinct == old[0].distinct);
            if old.iter().any(|o| self.is_dropped[o.pattern as usize]) {
                self.choose(paragraph.copied().unwrap_or_default(), &mut again);
            } else {
                again.extend_from_slice(old);
            }
        }
        again
    }
}

/// Patterns that too few articles follow, or that say too little.
fn unsupported(
    reading: &Reading<'_>,
    frequencies: &Frequencies,
    patterns: &[Pattern],
    packs: usize,
    chosen: &[Occurrence],
) -> HashSet<u32> {
    let mut places: Vec<(u32, u32)> = chosen
        .iter()
        .filter(|o| o.pattern as usize >= packs)
        .map(|o| (o.pattern, reading.corpus.first_article(o.distinct)))
        .collect();
    places.sort_unstable();
    let mut dropped = HashSet::new();
    for group in places.chunk_by(|a, b| a.0 == b.0) {
        let number = group[0].0;
        let pattern = &patterns[number as usize];
        let by_article = group.chunk_by(|a, b| a.1 == b.1);
        let articles = by_article.clone().count();
        let most = by_article.map(<[_]>::len).max().unwrap_or(0);
        let is_opener = pattern.kind == Kind::Opener;
        let enough = articles >= reading.min_support as usize || is_opener && most >= 3;
        let own = group.len() as u64;
        if !enough || !tells_enough(pattern, frequencies, own, articles, reading.min_support) {
            dropped.insert(number);
        }
    }
    dropped
}

/// Whether a pattern in `own` places of this many articles is more than plain grammar.
///
/// The bits that a word can have grow with the corpus, so a small one requires fewer.
fn tells_enough(
    pattern: &Pattern,
    frequencies: &Frequencies,
    own: u64,
    articles: usize,
    min_support: u32,
) -> bool {
    let most = frequencies.most_bits();
    if pattern.kind != Kind::Opener {
        let doublings = (articles as f64 / f64::from(min_support)).log2().max(0.0);
        let floor = MIN_BITS - BITS_PER_DOUBLING * doublings;
        return told(pattern, frequencies, own) >= floor.min(3.0 * most);
    }
    // "Mr Vale said that" names whoever the article is about.
    let words = pattern.words();
    let telling = words.iter().filter(|word| frequencies.is_common(**word));
    let told: f64 = telling.map(|word| frequencies.bits(*word, own)).sum();
    let floor = if articles < min_support as usize {
        MIN_IN_ARTICLE_BITS
    } else {
        MIN_OPENER_BITS
    };
    let whole = words.iter().filter(|word| !is_particle(**word)).count();
    whole >= MIN_OPENER_WORDS && told >= floor.min(2.0 * most)
}

/// Of openers with too few articles, keep those that one article uses three times.
fn keep_repeated(
    reading: &Reading<'_>,
    patterns: &[Pattern],
    packs: usize,
    mut chosen: Vec<Occurrence>,
) -> Vec<Occurrence> {
    let article = |o: &Occurrence| reading.corpus.first_article(o.distinct);
    let mut articles: HashMap<u32, HashSet<u32>> = HashMap::new();
    let mut repeats: HashMap<(u32, u32), HashSet<u64>> = HashMap::new();
    for o in chosen.iter().filter(|o| o.pattern as usize >= packs) {
        articles.entry(o.pattern).or_default().insert(article(o));
        if patterns[o.pattern as usize].kind == Kind::Opener {
            let key = (o.pattern, article(o));
            repeats.entry(key).or_default().insert(o.next);
        }
    }
    chosen.retain(|o| {
        (o.pattern as usize) < packs
            || articles[&o.pattern].len() >= reading.min_support as usize
            || repeats[&(o.pattern, article(o))].len() >= 3
    });
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_end_with_the_last_of_all_paragraphs_that_can_be_numbered() {
        assert_eq!(last_of_piece(0, 1), 0);
        assert_eq!(last_of_piece(7, u32::MAX), 7 + PIECE);
        let most = u32::MAX - 1;
        assert_eq!(last_of_piece(most - 1, most), most - 1);
    }
}
