//! Candidates to pairs: every one is aligned, and only what the alignment says counts.

use serde::{Deserialize, Serialize};

use crate::align::{Agreement, MAX_WORK, Pattern, Rule, common_length, work};
use crate::candidates::{Candidate, Candidates};
use crate::corpus::Corpus;
use crate::error::Error;
use crate::formulas::Formulas;
use crate::grams::{Run, SharedScratch, find_shared_runs};
use crate::parallel;
use crate::qualify::{Side, agree_otherwise};
use crate::stop;
use crate::texts::{TokenStore, read_texts};
use crate::tokenize::{Tokens, tokenize};

/// Near-copies of one paragraph that completion looks for, and at. A form letter with 10^5 variants
/// keeps some hundred pairs for each of them, not 10^10 in all.
const MAX_FAMILY: usize = 256;
const PIECE: usize = 4096;
/// Pairs of neighbours held at once, those that several families name counted again.
const MAX_FRESH: usize = 1 << 24;
/// Candidates taken in one turn at most: the work of some seconds, which is what a scan that is
/// interrupted may have to do again.
const MAX_TURN: usize = 1 << 18;

/// Two distincts that are near-copies, the earlier seen first.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Pair {
    pub left: u32,
    pub right: u32,
    pub agreement: Agreement,
}

/// A run of words that two distincts share. Tokens are counted within
/// the paragraphs; the run stands in `right` and its source in `left`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SharedRun {
    pub left: u32,
    pub right: u32,
    pub run: Run,
}

impl SharedRun {
    /// By the paragraph it stands in, and its place there.
    pub fn order(&self) -> (u32, u32, u32, u32, u32) {
        let run = &self.run;
        (self.right, run.start, run.end, self.left, run.source)
    }

    /// The same words seen from the other side.
    pub fn flipped(self) -> Self {
        let Run { start, end, source } = self.run;
        Self {
            left: self.right,
            right: self.left,
            run: Run {
                start: source,
                end: source + (end - start),
                source: start,
            },
        }
    }
}

#[derive(Default, Serialize, Deserialize)]
pub struct Verified {
    /// Sorted by (left, right).
    pub pairs: Vec<Pair>,
    /// Sorted by (right, run, left).
    pub runs: Vec<SharedRun>,
    /// Candidates too long to align.
    pub too_long: u64,
    /// Paragraphs with more near-copies than are compared with each other.
    pub large_families: u64,
    /// Candidates compared, counted from the first.
    pub done: usize,
    /// Candidates that LSH proposed, and buckets where it did not propose every two.
    pub candidates: usize,
    pub capped_buckets: u64,
}

impl Verified {
    /// Add what another turn found.
    pub fn extend(&mut self, other: Self) {
        self.pairs.extend(other.pairs);
        self.runs.extend(other.runs);
        self.too_long += other.too_long;
        self.done += other.done;
    }

    fn sort_runs(&mut self) {
        self.runs.sort_unstable_by_key(SharedRun::order);
    }
}

/// Aligns candidates of one corpus.
pub struct Verifier<'a> {
    pub corpus: &'a Corpus,
    pub rule: Rule,
    pub min_run_words: u32,
    pub threads: usize,
    /// Bytes of tokens to hold at once; more candidates are taken in turns.
    pub memory: usize,
}

impl Verifier<'_> {
    /// Align every candidate, which must be sorted; keep near-copies, and shared runs of all.
    ///
    /// # Errors
    /// The spool cannot be read.
    pub fn verify(&self, candidates: &[Candidate]) -> Result<Verified, Error> {
        let mut all = Verified::default();
        while all.done < candidates.len() {
            all.extend(self.verify_next(&candidates[all.done..])?);
        }
        Ok(all)
    }

    /// Align the first of some candidates, as many as a turn takes.
    ///
    /// # Errors
    /// The spool cannot be read.
    pub fn verify_next(&self, candidates: &[Candidate]) -> Result<Verified, Error> {
        let turn = &candidates[..self.fitting(candidates)];
        let involved = turn.iter().flat_map(|(l, r)| [*l, *r]).collect();
        let store = TokenStore::load(self.corpus, involved, self.threads)?;
        let mut found = Verified {
            done: turn.len(),
            ..Verified::default()
        };
        for piece in parallel::map_ranges(self.threads, turn.len(), PIECE, |range| {
            verify_piece(&store, &turn[range], self.rule, self.min_run_words)
        }) {
            found.extend(piece);
        }
        Ok(found)
    }

    /// How many of the next candidates can be held, at least one if there is any.
    fn fitting(&self, candidates: &[Candidate]) -> usize {
        let bytes = |distinct: u32| self.corpus.tokens(distinct) as usize * 8;
        let mut held = 0;
        let mut last = None;
        let fits = |(left, right): &&Candidate| {
            if last.replace(*left) != Some(*left) {
                held += bytes(*left);
            }
            held += bytes(*right);
            held <= self.memory
        };
        let next = &candidates[..candidates.len().min(MAX_TURN)];
        next.iter().take_while(fits).count().max(next.len().min(1))
    }

    /// What compares two distincts at a time, templates set aside.
    pub fn comparer<'b>(&'b self, formulas: &'b Formulas) -> Comparer<'b> {
        Comparer {
            corpus: self.corpus,
            rule: self.rule,
            formulas,
            tokens: Tokens::default(),
            left: None,
            left_tokens: Vec::new(),
            pattern: Pattern::default(),
        }
    }

    /// Complete the families: near-copies of the same paragraph are compared with each other, again
    /// and again until nothing new is found (as in nearest-neighbour descent, Dong et al. 2011).
    ///
    /// A bucket pairs its members with a few others only, so two near-copies may not have met. The
    /// work follows the number of pairs found, not the size of the buckets. `candidates` are those
    /// compared before.
    ///
    /// # Errors
    /// The spool cannot be read.
    pub fn complete_families(
        &self,
        verified: &mut Verified,
        candidates: &Candidates,
    ) -> Result<(), Error> {
        verified.candidates = candidates.pairs.len();
        verified.capped_buckets = candidates.capped_buckets;
        let mut tried: Vec<Candidate> = Vec::new();
        let mut known = 0;
        while known < verified.pairs.len() {
            let full = large_families(&verified.pairs);
            let is_full = |item: u32| full.binary_search(&item).is_ok();
            let neighbours = neighbours(&verified.pairs, known);
            known = verified.pairs.len();
            let mut families = neighbours.chunk_by(|a, b| a.0 == b.0).peekable();
            while families.peek().is_some() {
                let mut fresh = pair_neighbours(&mut families);
                let is_new = |known: &[Candidate], c: &Candidate| known.binary_search(c).is_err();
                fresh.retain(|candidate| {
                    is_new(&candidates.pairs, candidate) && is_new(&tried, candidate)
                });
                fresh.retain(|(left, right)| !is_full(*left) && !is_full(*right));
                verified.extend(self.verify(&fresh)?);
                tried.extend(fresh);
                // A stable sort sees what is sorted already, and merges the rest into it.
                tried.sort_by(stop::checked_order());
            }
        }
        verified.large_families = large_families(&verified.pairs).len() as u64;
        verified
            .pairs
            .sort_unstable_by_key(|pair| (pair.left, pair.right));
        verified.sort_runs();
        Ok(())
    }
}

/// Compares distincts one by one; keeps the last left one, as many are compared with it.
pub struct Comparer<'a> {
    corpus: &'a Corpus,
    rule: Rule,
    formulas: &'a Formulas,
    /// Of the text read last.
    tokens: Tokens,
    left: Option<u32>,
    left_tokens: Vec<u64>,
    pattern: Pattern,
}

impl Comparer<'_> {
    /// How two distincts agree, or nothing if they are no near-copies, or too long to align.
    ///
    /// # Errors
    /// The spool cannot be read.
    pub fn compare(&mut self, left: u32, right: u32) -> Result<Option<Agreement>, Error> {
        let (l, r) = (self.corpus.tokens(left), self.corpus.tokens(right));
        if work(l as usize, r as usize) > MAX_WORK || !self.rule.possible(l, r) {
            return Ok(None);
        }
        if self.left != Some(left) {
            self.read(left)?;
            self.left_tokens.clone_from(&self.tokens.hashes);
            self.left = Some(left);
        }
        self.read(right)?;
        let (l, r) = (&self.left_tokens[..], &self.tokens.hashes[..]);
        let agreement = Agreement {
            shared: common_length(l, r, &mut self.pattern),
            left: l.len() as u32,
            right: r.len() as u32,
        };
        let side = |distinct, tokens| Side {
            tokens,
            formulas: self.formulas.of(self.corpus, distinct),
        };
        let holds = self.rule.holds(agreement)
            && agree_otherwise(side(left, l), side(right, r), self.rule, &mut self.pattern);
        Ok(holds.then_some(agreement))
    }

    fn read(&mut self, distinct: u32) -> Result<(), Error> {
        read_texts(self.corpus, &[distinct], |text| {
            tokenize(text, &mut self.tokens);
        })
    }
}

fn verify_piece(
    store: &TokenStore,
    candidates: &[Candidate],
    rule: Rule,
    min_run_words: u32,
) -> Verified {
    let mut out = Verified::default();
    let mut pattern = Pattern::default();
    let mut scratch = SharedScratch::default();
    let mut runs = Vec::new();
    for family in candidates.chunk_by(|a, b| a.0 == b.0) {
        let left = family[0].0;
        let tokens = store.tokens(left);
        let mut prepared = false;
        for (_, right) in family {
            stop::check();
            let other = store.tokens(*right);
            let agreement = Agreement {
                shared: 0,
                left: tokens.len() as u32,
                right: other.len() as u32,
            };
            if work(tokens.len(), other.len()) > MAX_WORK {
                out.too_long += 1;
            } else if rule.possible(agreement.left, agreement.right) {
                if !std::mem::replace(&mut prepared, true) {
                    pattern.set(tokens);
                }
                let agreement = Agreement {
                    shared: pattern.shared(other),
                    ..agreement
                };
                if rule.holds(agreement) {
                    out.pairs.push(Pair {
                        left,
                        right: *right,
                        agreement,
                    });
                }
            }
            runs.clear();
            find_shared_runs(tokens, other, min_run_words, &mut scratch, &mut runs);
            out.runs.extend(runs.iter().map(|run| SharedRun {
                left,
                right: *right,
                run: *run,
            }));
        }
    }
    out
}

/// A paragraph, one that it is paired with, and whether that is new.
type Neighbour = (u32, u32, bool);

/// Who is paired with whom, both ways round; a pair from position `known` on is new.
fn neighbours(pairs: &[Pair], known: usize) -> Vec<Neighbour> {
    let both = |(i, pair): (usize, &Pair)| {
        [
            (pair.left, pair.right, i >= known),
            (pair.right, pair.left, i >= known),
        ]
    };
    let mut neighbours: Vec<_> = pairs.iter().enumerate().flat_map(both).collect();
    neighbours.sort_unstable_by(stop::checked_order());
    neighbours
}

/// Pairs of neighbours of one paragraph, at least one of the two a new neighbour; sorted. Takes
/// families until there are enough pairs for one turn.
fn pair_neighbours<'a>(families: &mut impl Iterator<Item = &'a [Neighbour]>) -> Vec<Candidate> {
    let mut found: Vec<Candidate> = Vec::new();
    while found.len() < MAX_FRESH
        && let Some(family) = families.next()
    {
        let family = &family[..family.len().min(MAX_FAMILY)];
        for (i, (_, member, _)) in family.iter().enumerate().filter(|(_, m)| m.2) {
            let others = family
                .iter()
                .enumerate()
                .filter(|(j, m)| *j > i || !m.2 && *j < i);
            found.extend(others.map(|(_, (_, other, _))| (*member.min(other), *member.max(other))));
        }
    }
    found.sort_unstable_by(stop::checked_order());
    found.dedup();
    found
}

/// Paragraphs with as many near-copies as completion looks for, sorted.
fn large_families(pairs: &[Pair]) -> Vec<u32> {
    let neighbours = neighbours(pairs, 0);
    let families = neighbours.chunk_by(|a, b| a.0 == b.0);
    families
        .filter(|family| family.len() >= MAX_FAMILY)
        .map(|family| family[0].0)
        .collect()
}
