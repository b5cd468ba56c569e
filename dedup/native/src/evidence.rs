//! Pairs and shared runs to places: which words of which paragraph stand in which other one.
//!
//! A paragraph that no earlier one equals is explained by its best earlier near-copy in another
//! article, word by word, and what that leaves by runs it shares with others.

use crate::align::align;
use crate::corpus::Corpus;
use crate::error::Error;
use crate::grams::Run;
use crate::pairs::{Pair, SharedRun, Verified};
use crate::parallel;
use crate::texts::{Placed, PlacedStore};

/// Right-hand paragraphs handled by one task.
const PIECE: usize = 4096;
/// Tasks whose outcome is held before it is put behind that of others.
const TURN: usize = 64 * PIECE;

/// Words of a paragraph that equal words of an earlier article. Tokens are counted within the
/// paragraph, `start` to `source_end` are code points of the two articles.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Copied {
    pub paragraph: u32,
    pub tokens: [u32; 2],
    pub start: u32,
    pub end: u32,
    pub source_article: u32,
    pub source_start: u32,
    pub source_end: u32,
    /// A shared run, and not words aligned with the paragraph's match.
    pub is_run: bool,
}

/// The other side: words of a paragraph that stand again in a later article.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reused {
    pub paragraph: u32,
    pub tokens: [u32; 2],
}

#[derive(Default)]
pub struct Evidence {
    /// Sorted by paragraph and place.
    pub copied: Vec<Copied>,
    /// Sorted by paragraph and place.
    pub reused: Vec<Reused>,
    /// The best earlier near-copy of each distinct that has one in another article, by `right`.
    pub matches: Vec<Pair>,
}

impl Evidence {
    /// Put what several tasks found behind what there is.
    fn extend(&mut self, parts: Vec<Result<Self, Error>>) -> Result<(), Error> {
        for part in parts {
            let part = part?;
            self.copied.extend(part.copied);
            self.reused.extend(part.reused);
        }
        Ok(())
    }

    /// The best earlier near-copy of a distinct in another article.
    pub fn best_match(&self, distinct: u32) -> Option<&Pair> {
        let at = self
            .matches
            .binary_search_by_key(&distinct, |pair| pair.right);
        at.ok().map(|at| &self.matches[at])
    }
}

/// Align every paragraph with the one that explains it best.
///
/// # Errors
/// The spool cannot be read.
pub fn gather(corpus: &Corpus, verified: &Verified, threads: usize) -> Result<Evidence, Error> {
    let article = |distinct: u32| corpus.first_article(distinct);
    let mut by_right = verified.pairs.clone();
    // Best first: most alike, then seen earliest.
    by_right.sort_by(|a, b| {
        let likeness = b
            .agreement
            .similarity()
            .total_cmp(&a.agreement.similarity());
        a.right
            .cmp(&b.right)
            .then(likeness)
            .then(a.left.cmp(&b.left))
    });
    let mut evidence = Evidence::default();
    for family in by_right.chunk_by(|a, b| a.right == b.right) {
        let foreign = |pair: &&Pair| article(pair.left) != article(pair.right);
        evidence.matches.extend(family.iter().find(foreign));
    }
    let later = best_later(corpus, &verified.pairs, &evidence.matches);
    let groups = group_by_right(corpus, &evidence.matches, &verified.runs);
    for turn in groups.chunks(TURN) {
        evidence.extend(parallel::map_ranges(threads, turn.len(), PIECE, |range| {
            let mut part = Evidence::default();
            let groups = &turn[range];
            let pairs = groups.iter().filter_map(|group| group.pair);
            let pairs = pairs.flat_map(|p| [p.left, p.right]);
            let runs = groups.iter().flat_map(|group| group.runs);
            let runs = runs.flat_map(|r| [r.left, r.right]);
            let store = PlacedStore::load(corpus, pairs.chain(runs).collect())?;
            for group in groups {
                place(corpus, &store, group, &mut part);
            }
            Ok(part)
        }))?;
    }
    drop(groups);
    for turn in later.chunks(TURN) {
        evidence.extend(parallel::map_ranges(threads, turn.len(), PIECE, |range| {
            let mut part = Evidence::default();
            let pairs = &turn[range];
            let sides = pairs.iter().flat_map(|pair| [pair.left, pair.right]);
            let store = PlacedStore::load(corpus, sides.collect())?;
            for pair in pairs {
                mirror(corpus, &store, *pair, &mut part);
            }
            Ok(part)
        }))?;
    }
    evidence
        .copied
        .sort_unstable_by_key(|c| (c.paragraph, c.tokens));
    evidence
        .reused
        .sort_unstable_by_key(|r| (r.paragraph, r.tokens));
    Ok(evidence)
}

/// For distincts that nothing explains: the later near-copy in another article that is most alike
/// and whose own explanation is another paragraph, so that `place` does not show it.
fn best_later(corpus: &Corpus, pairs: &[Pair], matches: &[Pair]) -> Vec<Pair> {
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
            .filter(|pair| article(pair.left) != article(pair.right));
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

/// What is known of a right-hand distinct.
struct Group<'a> {
    right: u32,
    pair: Option<Pair>,
    runs: &'a [SharedRun],
}

/// What is known of each right-hand distinct, if any of it is of another article.
fn group_by_right<'a>(corpus: &Corpus, matches: &[Pair], runs: &'a [SharedRun]) -> Vec<Group<'a>> {
    let to_group = |pair: &Pair| Group {
        right: pair.right,
        pair: Some(*pair),
        runs: &[],
    };
    let mut groups: Vec<Group<'a>> = matches.iter().map(to_group).collect();
    for runs in runs.chunk_by(|a, b| a.right == b.right) {
        let right = runs[0].right;
        if !runs.iter().any(|run| is_foreign(corpus, run)) {
            continue;
        }
        match matches.binary_search_by_key(&right, |pair| pair.right) {
            Ok(at) => groups[at].runs = runs,
            Err(_) => groups.push(Group {
                right,
                pair: None,
                runs,
            }),
        }
    }
    groups
}

/// Whether a run is shared by two articles.
fn is_foreign(corpus: &Corpus, run: &SharedRun) -> bool {
    corpus.first_article(run.left) != corpus.first_article(run.right)
}

/// Write down one paragraph's aligned words, then its runs where no aligned word stands.
fn place(corpus: &Corpus, store: &PlacedStore, group: &Group<'_>, out: &mut Evidence) {
    let right = group.right;
    let here = store.get(right);
    let mut covered = vec![false; here.hashes.len()];
    if let Some(pair) = group.pair {
        let there = store.get(pair.left);
        for run in aligned_runs(there, here) {
            write(corpus, (pair.left, there), (right, here), run, false, out);
            covered[run.start as usize..run.end as usize].fill(true);
        }
    }
    for shared in group.runs.iter().filter(|run| is_foreign(corpus, run)) {
        for run in uncovered(shared.run, &covered) {
            write(
                corpus,
                (shared.left, store.get(shared.left)),
                (right, here),
                run,
                true,
                out,
            );
            covered[run.start as usize..run.end as usize].fill(true);
        }
    }
}

/// Note which words of `pair.left` its later near-copy holds, and nothing else.
fn mirror(corpus: &Corpus, store: &PlacedStore, pair: Pair, out: &mut Evidence) {
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
    out: &mut Evidence,
) {
    let source_end = run.source + (run.end - run.start);
    out.copied.push(Copied {
        paragraph: corpus.first(right),
        tokens: [run.start, run.end],
        start: here.places[run.start as usize][0],
        end: here.places[run.end as usize - 1][1],
        source_article: corpus.first_article(left),
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
