//! Pairs and shared runs to places: which words of which paragraph appear in which other one.
//!
//! A paragraph that no earlier one equals is explained by its best earlier near-copy in another
//! article, word by word, and the rest by runs it shares with others. Boilerplate needs no
//! explanation and explains nothing: its words are boilerplate wherever they appear.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::agree::align;
use crate::corpus::{Corpus, Placed, PlacedStore};
use crate::error::Error;
use crate::formulas::boilerplate::Boilerplate;
use crate::matching::{Pair, SharedRun, Verified};
use crate::sketch::Run;
use crate::store::{SpilledRows, Spool};
use crate::util::{BitSet, IndexedBitSet, parallel};

/// Right-hand paragraphs handled by one task.
const PIECE: usize = 4096;
/// Right-hand paragraphs whose words are held before they go to the spool.
const TURN: usize = 32 * PIECE;

/// Words of a paragraph that equal words of an earlier article, or of boilerplate. Tokens are
/// counted within the paragraph, `start` to `source_end` are code points of the two articles.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Copied {
    pub paragraph: u32,
    pub tokens: [u32; 2],
    pub start: u32,
    pub end: u32,
    /// The distinct that holds them.
    pub source: u32,
    pub source_start: u32,
    pub source_end: u32,
    /// A shared run, and not words aligned with the paragraph's match.
    pub is_run: bool,
}

/// The other side: words of a paragraph that appear again in a later article.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Reused {
    pub paragraph: u32,
    pub tokens: [u32; 2],
}

/// A run of words that an article shares with an earlier one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct CopiedRun {
    pub paragraph: u32,
    /// The distinct that holds them.
    pub source: u32,
    pub words: u32,
}

/// The evidence about the paragraphs of all articles; the words themselves are in the spool.
#[derive(Serialize, Deserialize)]
pub struct Evidence {
    /// By paragraph.
    copied: SpilledRows<Copied>,
    /// By paragraph.
    reused: SpilledRows<Reused>,
    /// Paragraphs with words copied from elsewhere.
    pub has_copied: BitSet,
    /// Paragraphs with words that appear again elsewhere.
    pub has_reused: BitSet,
    /// The best earlier near-copy of each distinct that has one in another article, by `right`.
    matches: Vec<Pair>,
    /// Distincts that have one.
    has_match: BitSet,
}

/// Words of some articles that equal words of others.
#[derive(Default)]
pub struct SharedWords {
    /// Sorted by paragraph and place.
    pub copied: Vec<Copied>,
    /// Sorted by paragraph and place.
    pub reused: Vec<Reused>,
}

impl Evidence {
    fn new(corpus: &Corpus, matches: Vec<Pair>) -> Self {
        let unmarked = || BitSet::new(corpus.paragraphs.len(), std::iter::empty());
        Self {
            copied: SpilledRows::new(corpus.paragraphs.len()),
            reused: SpilledRows::new(corpus.paragraphs.len()),
            has_copied: unmarked(),
            has_reused: unmarked(),
            has_match: BitSet::new(corpus.distincts(), matches.iter().map(|m| m.right)),
            matches,
        }
    }

    /// Save what several tasks found; note the runs.
    fn add(
        &mut self,
        corpus: &Corpus,
        parts: Vec<Result<SharedWords, Error>>,
        runs: &mut Vec<CopiedRun>,
        threads: usize,
    ) -> Result<(), Error> {
        let (mut copied, mut reused) = (Vec::new(), Vec::new());
        for part in parts {
            let part = part?;
            copied.extend(part.copied);
            reused.extend(part.reused);
        }
        for c in &copied {
            self.has_copied.insert(c.paragraph);
            if c.is_run {
                runs.push(CopiedRun {
                    paragraph: c.paragraph,
                    source: c.source,
                    words: c.tokens[1] - c.tokens[0],
                });
            }
        }
        for r in &reused {
            self.has_reused.insert(r.paragraph);
        }
        let spool = &corpus.spool;
        let (all_copied, all_reused) = (&mut self.copied, &mut self.reused);
        let (one, other) = parallel::both(
            threads,
            || all_copied.add(spool, copied, |c| c.paragraph),
            || all_reused.add(spool, reused, |r| r.paragraph),
        );
        one.and(other)
    }

    /// The evidence about the words of some paragraphs, and of a few others near them.
    ///
    /// # Errors
    /// The spool cannot be read.
    pub fn read(&self, spool: &Spool, paragraphs: Range<u32>) -> Result<SharedWords, Error> {
        let mut copied = self.copied.read(spool, paragraphs.clone())?;
        let mut reused = self.reused.read(spool, paragraphs)?;
        copied.sort_unstable_by_key(|c| (c.paragraph, c.tokens));
        reused.sort_unstable_by_key(|r| (r.paragraph, r.tokens));
        Ok(SharedWords { copied, reused })
    }

    /// The best earlier near-copy of a distinct in another article.
    pub fn best_match(&self, distinct: u32) -> Option<&Pair> {
        if !self.has_match.has(distinct) {
            return None;
        }
        let at = self
            .matches
            .binary_search_by_key(&distinct, |pair| pair.right);
        at.ok().map(|at| &self.matches[at])
    }
}

/// Align every paragraph with the one that explains it best; return the shared runs by themselves
/// as well, sorted.
///
/// # Errors
/// The spool cannot be read or written.
pub fn collect_evidence(
    corpus: &Corpus,
    verified: &Verified,
    boilerplate: &Boilerplate,
    threads: usize,
) -> Result<(Evidence, Vec<CopiedRun>), Error> {
    let is_text = |pair: &Pair| !boilerplate.has(pair.left) && !boilerplate.has(pair.right);
    let find_best = || {
        let matches = best_earlier(corpus, &verified.pairs, is_text);
        let later = best_later(corpus, &verified.pairs, is_text, &matches);
        (matches, later)
    };
    let find_furniture = || Furniture::new(verified, boilerplate);
    let ((matches, later), furniture) = parallel::both(threads, find_best, find_furniture);
    let mut runs = Vec::new();
    let mut evidence = Evidence::new(corpus, matches);
    let known = Known {
        corpus,
        boilerplate,
        furniture,
        runs: &verified.runs,
    };
    for turn in known.rights(&evidence).chunks(TURN) {
        let parts = parallel::map_ranges(threads, turn.len(), PIECE, |range| {
            let rights = turn[range].iter();
            let groups: Vec<Group<'_>> = rights.map(|r| known.group(*r, &evidence)).collect();
            let involved = groups.iter().flat_map(Group::involved).collect();
            let store = PlacedStore::load(corpus, involved)?;
            let mut part = SharedWords::default();
            for group in &groups {
                place(corpus, &store, group, &mut part);
            }
            Ok(part)
        });
        evidence.add(corpus, parts, &mut runs, threads)?;
    }
    for turn in later.chunks(TURN) {
        let parts = parallel::map_ranges(threads, turn.len(), PIECE, |range| {
            let pairs = &turn[range];
            let sides = pairs.iter().flat_map(|pair| [pair.left, pair.right]);
            let store = PlacedStore::load(corpus, sides.collect())?;
            let mut part = SharedWords::default();
            for pair in pairs {
                mirror(corpus, &store, *pair, &mut part);
            }
            Ok(part)
        });
        evidence.add(corpus, parts, &mut runs, threads)?;
    }
    runs.sort_unstable();
    Ok((evidence, runs))
}

/// The best earlier near-copy of each distinct that has one in another article: of the pairs that
/// are `wanted` the one most alike, and of several such that seen earliest. They must be sorted.
fn best_earlier(corpus: &Corpus, pairs: &[Pair], wanted: impl Fn(&Pair) -> bool) -> Vec<Pair> {
    let rights = pairs.iter().map(|pair| pair.right);
    let copies = IndexedBitSet::new(BitSet::new(corpus.distincts(), rights));
    let mut best: Vec<Option<Pair>> = vec![None; copies.len()];
    let article = |distinct: u32| corpus.first_article(distinct);
    for pair in pairs.iter().filter(|pair| wanted(pair)) {
        let Some(number) = copies.number(pair.right) else {
            continue;
        };
        let likeness = pair.agreement.similarity();
        let is_better =
            best[number].is_none_or(|b| likeness.total_cmp(&b.agreement.similarity()).is_gt());
        if is_better && article(pair.left) != article(pair.right) {
            best[number] = Some(*pair);
        }
    }
    best.into_iter().flatten().collect()
}

/// For distincts that nothing explains: the later near-copy in another article that is most alike
/// and whose own explanation is another paragraph, so that `place` does not show it.
fn best_later(
    corpus: &Corpus,
    pairs: &[Pair],
    wanted: impl Fn(&Pair) -> bool,
    matches: &[Pair],
) -> Vec<Pair> {
    let article = |distinct: u32| corpus.first_article(distinct);
    let explained = |pair: &Pair| {
        matches
            .binary_search_by_key(&pair.right, |m| m.right)
            .is_ok_and(|at| matches[at].left == pair.left)
    };
    let mut best = Vec::new();
    for family in pairs.chunk_by(|a, b| a.left == b.left) {
        let alike = family
            .iter()
            .filter(|pair| wanted(pair) && article(pair.left) != article(pair.right));
        let top = alike.max_by(|a, b| {
            let likeness = a
                .agreement
                .similarity()
                .total_cmp(&b.agreement.similarity());
            likeness.then(b.right.cmp(&a.right))
        });
        best.extend(top.filter(|pair| !explained(pair)));
    }
    best
}

/// The words that boilerplate shares with paragraphs that are more than boilerplate.
struct Furniture {
    /// The boilerplate most of whose words appear in a distinct, and the distinct, by distinct.
    pairs: Vec<(u32, u32)>,
    /// `left` is boilerplate; sorted by `right`.
    runs: Vec<SharedRun>,
}

impl Furniture {
    fn new(verified: &Verified, boilerplate: &Boilerplate) -> Self {
        let mut found = Vec::new();
        for pair in &verified.pairs {
            match (boilerplate.has(pair.left), boilerplate.has(pair.right)) {
                (true, false) => found.push((pair.right, pair.agreement.shared, pair.left)),
                (false, true) => found.push((pair.left, pair.agreement.shared, pair.right)),
                _ => {}
            }
        }
        // Most words first, then earliest seen.
        found.sort_unstable_by_key(|(distinct, shared, of)| (*distinct, u32::MAX - shared, *of));
        found.dedup_by_key(|(distinct, ..)| *distinct);
        let mut runs: Vec<SharedRun> = Vec::new();
        for shared in &verified.runs {
            match (boilerplate.has(shared.left), boilerplate.has(shared.right)) {
                (true, false) => runs.push(*shared),
                (false, true) => runs.push(shared.flipped()),
                _ => {}
            }
        }
        runs.sort_unstable_by_key(SharedRun::order);
        Self {
            pairs: found.into_iter().map(|(d, _, of)| (of, d)).collect(),
            runs,
        }
    }
}

/// The evidence about one distinct.
struct Group<'a> {
    right: u32,
    /// Boilerplate that it is a near-copy of, or that it contains.
    furniture: Option<u32>,
    furniture_runs: &'a [SharedRun],
    left: Option<u32>,
    runs: Vec<&'a SharedRun>,
}

impl Group<'_> {
    fn involved(&self) -> impl Iterator<Item = u32> {
        let runs = self.furniture_runs.iter().chain(self.runs.iter().copied());
        let others = runs.map(|run| run.left).chain(self.furniture);
        others.chain(self.left).chain([self.right])
    }
}

/// Everything that was verified, and which of it is boilerplate.
struct Known<'a> {
    corpus: &'a Corpus,
    boilerplate: &'a Boilerplate,
    furniture: Furniture,
    /// By `right`.
    runs: &'a [SharedRun],
}

impl Known<'_> {
    /// The distincts that have any evidence and are not boilerplate, sorted.
    fn rights(&self, evidence: &Evidence) -> Vec<u32> {
        let runs = self.runs.iter().chain(&self.furniture.runs);
        let pairs = self.furniture.pairs.iter().map(|(_, distinct)| *distinct);
        let matches = evidence.matches.iter().map(|pair| pair.right);
        let mut rights: Vec<u32> = matches
            .chain(runs.map(|run| run.right))
            .chain(pairs)
            .collect();
        rights.sort_unstable();
        rights.dedup();
        rights.retain(|distinct| !self.boilerplate.has(*distinct));
        rights
    }

    /// The evidence about a distinct, without runs within one article.
    fn group(&self, right: u32, evidence: &Evidence) -> Group<'_> {
        let article = |distinct: u32| self.corpus.first_article(distinct);
        let pairs = &self.furniture.pairs;
        let pair = pairs.binary_search_by_key(&right, |pair| pair.1);
        let is_text = |run: &&SharedRun| {
            article(run.left) != article(right) && !self.boilerplate.has(run.left)
        };
        let runs = runs_of(self.runs, right).iter();
        Group {
            right,
            furniture: pair.ok().map(|at| pairs[at].0),
            furniture_runs: runs_of(&self.furniture.runs, right),
            left: evidence.best_match(right).map(|pair| pair.left),
            runs: runs.filter(is_text).collect(),
        }
    }
}

fn runs_of(runs: &[SharedRun], right: u32) -> &[SharedRun] {
    let from = runs.partition_point(|run| run.right < right);
    let len = runs[from..].partition_point(|run| run.right == right);
    &runs[from..from + len]
}

/// Record the words of one paragraph that are boilerplate, of the others those that are aligned
/// with its match, and of the rest the runs.
fn place(corpus: &Corpus, store: &PlacedStore, group: &Group<'_>, out: &mut SharedWords) {
    let right = group.right;
    let here = store.get(right);
    let mut covered = vec![false; here.hashes.len()];
    let mut add = |left: u32, run: Run, is_run: bool| {
        for piece in uncovered(run, &covered) {
            let there = (left, store.get(left));
            write(corpus, there, (right, here), piece, is_run, out);
            covered[piece.start as usize..piece.end as usize].fill(true);
        }
    };
    let aligned = |left: u32| aligned_runs(store.get(left), here);
    if let Some(left) = group.furniture {
        for run in aligned(left) {
            add(left, run, false);
        }
    }
    for shared in group.furniture_runs {
        add(shared.left, shared.run, true);
    }
    if let Some(left) = group.left {
        for run in aligned(left) {
            add(left, run, false);
        }
    }
    for shared in &group.runs {
        add(shared.left, shared.run, true);
    }
}

/// Note which words of `pair.left` its later near-copy holds, and nothing else.
fn mirror(corpus: &Corpus, store: &PlacedStore, pair: Pair, out: &mut SharedWords) {
    let paragraph = corpus.first(pair.left);
    let runs = aligned_runs(store.get(pair.left), store.get(pair.right));
    out.reused.extend(runs.into_iter().map(|run| Reused {
        paragraph,
        tokens: [run.source, run.source + (run.end - run.start)],
    }));
}

fn write(
    corpus: &Corpus,
    (left, there): (u32, Placed<'_>),
    (right, here): (u32, Placed<'_>),
    run: Run,
    is_run: bool,
    out: &mut SharedWords,
) {
    let source_end = run.source + (run.end - run.start);
    out.copied.push(Copied {
        paragraph: corpus.first(right),
        tokens: [run.start, run.end],
        start: here.places[run.start as usize][0],
        end: here.places[run.end as usize - 1][1],
        source: left,
        source_start: there.places[run.source as usize][0],
        source_end: there.places[source_end as usize - 1][1],
        is_run,
    });
    out.reused.push(Reused {
        paragraph: corpus.first(left),
        tokens: [run.source, source_end],
    });
}

/// The alignment of two paragraphs as runs of words that follow each other in both.
fn aligned_runs(left: Placed<'_>, right: Placed<'_>) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for (i, j) in align(left.hashes, right.hashes) {
        match runs.last_mut() {
            Some(run) if run.end == j && run.source + (run.end - run.start) == i => run.end += 1,
            _ => runs.push(Run {
                start: j,
                end: j + 1,
                source: i,
            }),
        }
    }
    runs
}

/// The pieces of a run that nothing covers yet.
fn uncovered(run: Run, covered: &[bool]) -> Vec<Run> {
    let mut pieces: Vec<Run> = Vec::new();
    for token in run.start..run.end {
        if covered[token as usize] {
            continue;
        }
        match pieces.last_mut() {
            Some(piece) if piece.end == token => piece.end += 1,
            _ => pieces.push(Run {
                start: token,
                end: token + 1,
                source: run.source + (token - run.start),
            }),
        }
    }
    pieces
}
