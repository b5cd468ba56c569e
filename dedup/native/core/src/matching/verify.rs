//! Candidates to pairs: every one is aligned, and only the alignment decides.

use std::sync::atomic::{AtomicU64, Ordering};

use super::candidate::{Candidate, Candidates, by_later};
use super::families::{Joining, complete};
use super::verified::{Families, Pair, SharedRun, Verified};
use crate::agree::{
    Agreement, Allowance, LcsPattern, Rule, SharedScratch, Side, agree_otherwise, common_length,
    find_shared_runs, measure, takes_long,
};
use crate::corpus::{Corpus, Formulas, Outline, TokenCache, TokenStore};
use crate::error::Error;
use crate::sketch::Run;
use crate::util::{parallel, stop};

const PIECE: usize = 4096;
/// Most candidates of one turn, except that those of one text are never split: the work of some
/// seconds, which a scan that is interrupted may have to repeat.
const MAX_TURN: usize = 1 << 18;
/// Bytes of tokens that one thread keeps where texts are compared again and again.
const MAX_CACHE: usize = 1 << 20;

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
    /// Align the first of some candidates, as many as a turn takes; keep near-copies, and shared
    /// runs of all. `families` are those that candidates before them made.
    ///
    /// # Errors
    /// The spool cannot be read.
    pub fn verify_next(
        &self,
        candidates: &[Candidate],
        families: &Families,
    ) -> Result<Verified, Error> {
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
        drop(store);
        self.join_families(&mut found, families)?;
        Ok(found)
    }

    /// How many of the next candidates can be held: all those of one text, or of several.
    fn fitting(&self, candidates: &[Candidate]) -> usize {
        let bytes = |distinct: u32| self.corpus.tokens(distinct) as usize * 8;
        let (mut held, mut taken) = (0, 0);
        for group in candidates.chunk_by(|a, b| a.1 == b.1) {
            held += bytes(group[0].1) + group.iter().map(|c| bytes(c.0)).sum::<usize>();
            let is_first = taken == 0;
            if !is_first && (held > self.memory || taken + group.len() > MAX_TURN) {
                break;
            }
            taken += group.len();
        }
        taken
    }

    /// Let each later text join a family, and drop the pairs that late members do not keep.
    fn join_families(&self, found: &mut Verified, families: &Families) -> Result<(), Error> {
        let mut joining = Joining {
            known: families,
            new: Families::default(),
        };
        let costly = AtomicU64::new(0);
        let formulas = Formulas::default();
        let mut comparer = self.comparer(&formulas, &costly);
        let mut kept: Vec<Pair> = Vec::with_capacity(found.pairs.len());
        for near in found.pairs.chunk_by(|a, b| a.right == b.right) {
            stop::check();
            kept.extend(joining.join(near, |left, right| comparer.compare(left, right))?);
        }
        let is_kept = |run: &SharedRun| {
            joining.get(run.right).is_none_or(|member| {
                let key = by_later((run.left, run.right));
                !member.is_late
                    || joining.representative(run.left) != member.representative
                    || kept.binary_search_by_key(&key, Pair::order).is_ok()
            })
        };
        found.runs.retain(is_kept);
        found.runs.shrink_to_fit();
        found.pairs = kept;
        found.costly += costly.into_inner();
        found.families = joining.new;
        Ok(())
    }

    /// A function that compares two distincts at a time, templates set aside. It counts in `costly`
    /// the pairs that it does not compare, as that takes too long.
    pub fn comparer<'b>(&'b self, formulas: &'b Formulas, costly: &'b AtomicU64) -> Comparer<'b> {
        Comparer {
            corpus: self.corpus,
            rule: self.rule,
            formulas,
            texts: TokenCache::new(self.corpus, MAX_CACHE),
            pattern: LcsPattern::default(),
            allowance: Allowance::default(),
            costly,
        }
    }

    /// Complete the families: near-copies of the same paragraph are compared with each other, again
    /// and again until nothing new is found. False if that takes more memory than there is.
    ///
    /// A bucket pairs its members with only a few others, so two near-copies may not have met. The
    /// work follows the number of pairs found, not the size of the buckets. `candidates` are those
    /// compared before.
    ///
    /// # Errors
    /// The spool cannot be read.
    pub fn complete_families(
        &self,
        verified: &mut Verified,
        candidates: &Candidates,
    ) -> Result<bool, Error> {
        verified.candidates = candidates.pairs.len();
        verified.capped_buckets = candidates.capped_buckets;
        verified.costly += candidates.costly;
        let families = std::mem::take(&mut verified.families);
        let memory = (self.memory / self.threads.max(1)).min(MAX_CACHE << 4);
        let completed = complete(
            &verified.pairs,
            &families,
            |left, right| candidates.has(&(left, right)),
            |distinct| self.corpus.tokens(distinct),
            || {
                let mut texts = TokenCache::new(self.corpus, memory);
                let mut aligner = Aligner::new(self.rule, self.min_run_words);
                move |left, right, out: &mut Verified| {
                    let (l, r) = texts.both(left, right)?;
                    let text = |distinct, tokens| Text {
                        distinct,
                        tokens,
                        outline: Outline::new(tokens),
                    };
                    aligner.compare(std::iter::once(text(left, l)), text(right, r), out);
                    Ok(())
                }
            },
            self.threads,
            self.memory,
        )?;
        let Some(completed) = completed else {
            return Ok(false);
        };
        verified.large_families = completed.large_families;
        verified.extend(completed);
        verified
            .pairs
            .sort_unstable_by_key(|pair| (pair.left, pair.right));
        verified.sort_runs();
        Ok(true)
    }
}

/// Compares distincts one by one.
pub struct Comparer<'a> {
    corpus: &'a Corpus,
    rule: Rule,
    formulas: &'a Formulas,
    texts: TokenCache<'a>,
    pattern: LcsPattern,
    allowance: Allowance,
    costly: &'a AtomicU64,
}

impl Comparer<'_> {
    /// How two distincts agree, or none if they are not near-copies, or take too long to align.
    ///
    /// # Errors
    /// The spool cannot be read.
    pub fn compare(&mut self, left: u32, right: u32) -> Result<Option<Agreement>, Error> {
        let (l, r) = (self.corpus.tokens(left), self.corpus.tokens(right));
        if !self.rule.possible(l, r) {
            return Ok(None);
        }
        if !self.allowance.take(right, r, l) {
            self.costly.fetch_add(1, Ordering::Relaxed);
            return Ok(None);
        }
        let (l, r) = self.texts.both(left, right)?;
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
}

/// Aligns texts, reusing its buffers.
struct Aligner {
    rule: Rule,
    min_run_words: u32,
    pattern: LcsPattern,
    scratch: SharedScratch,
    found: Vec<Run>,
}

/// A distinct, and facts about its words.
#[derive(Clone, Copy)]
struct Text<'a> {
    distinct: u32,
    tokens: &'a [u64],
    outline: Outline,
}

impl Text<'_> {
    /// The most tokens that can be shared with another text, in any order.
    fn may_share(&self, other: &Self) -> u32 {
        let here = self.tokens.len() as u32 - self.outline.missing_in(&other.outline);
        let there = other.tokens.len() as u32 - other.outline.missing_in(&self.outline);
        here.min(there)
    }
}

impl Aligner {
    fn new(rule: Rule, min_run_words: u32) -> Self {
        Self {
            rule,
            min_run_words,
            pattern: LcsPattern::default(),
            scratch: SharedScratch::default(),
            found: Vec::new(),
        }
    }

    /// Compare the texts before `right` with it, one after another.
    fn compare<'a>(
        &mut self,
        lefts: impl Iterator<Item = Text<'a>>,
        right: Text<'_>,
        out: &mut Verified,
    ) {
        let mut is_prepared = false;
        for left in lefts {
            stop::check();
            // An upper bound of what they share: most pairs need no closer look.
            let most = left.may_share(&right);
            let agreement = Agreement {
                shared: most,
                left: left.tokens.len() as u32,
                right: right.tokens.len() as u32,
            };
            if self.rule.holds(agreement) {
                out.aligned += 1;
                let shared = if takes_long(left.tokens.len(), right.tokens.len()) {
                    is_prepared = false;
                    let (shared, is_cut) = measure(left.tokens, right.tokens, &mut self.pattern);
                    out.too_long += u64::from(is_cut);
                    shared
                } else {
                    if !std::mem::replace(&mut is_prepared, true) {
                        self.pattern.set(right.tokens);
                    }
                    self.pattern.shared(left.tokens)
                };
                let agreement = Agreement {
                    shared,
                    ..agreement
                };
                if self.rule.holds(agreement) {
                    out.pairs.push(Pair {
                        left: left.distinct,
                        right: right.distinct,
                        agreement,
                    });
                }
            } else {
                out.refuted += 1;
            }
            if most < self.min_run_words {
                continue;
            }
            self.found.clear();
            find_shared_runs(
                left.tokens,
                right.tokens,
                self.min_run_words,
                &mut self.scratch,
                &mut self.found,
            );
            out.runs.extend(self.found.iter().map(|run| SharedRun {
                left: left.distinct,
                right: right.distinct,
                run: *run,
            }));
        }
    }
}

fn verify_piece(
    store: &TokenStore,
    candidates: &[Candidate],
    rule: Rule,
    min_run_words: u32,
) -> Verified {
    let mut out = Verified::default();
    let mut aligner = Aligner::new(rule, min_run_words);
    let text = |distinct| {
        let (tokens, outline) = store.outlined(distinct);
        Text {
            distinct,
            tokens,
            outline,
        }
    };
    for family in candidates.chunk_by(|a, b| a.1 == b.1) {
        let lefts = family.iter().map(|(left, _)| text(*left));
        aligner.compare(lefts, text(family[0].1), &mut out);
    }
    out
}
