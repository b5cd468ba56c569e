//! Pairs that agree in more than a template.
//!
//! Two notices that follow a template share its fixed words whatever they report. A pair of texts
//! that both follow templates is therefore judged on the rest, by the same rule: the words that
//! templates fix are set aside on both sides. True copies agree in their slots too, and stay.

use super::versions::Versions;
use crate::agree::{LcsPattern, Rule, Side, agree_otherwise};
use crate::corpus::{Corpus, Formula, Formulas, TokenStore};
use crate::error::Error;
use crate::formulas::templates::{Mining, Templates, find_templates};
use crate::matching::{Pair, SharedRun, Verified, Verifier};
use crate::util::{parallel, stop};

/// Pairs whose texts are held at once, and articles looked at by one task.
const PIECE: usize = 4096;

/// Find templates, and keep the pairs and runs that hold without the words they fix.
///
/// A text that many outlets print with changes of their own looks like a template until its copies
/// are known, and copies are recognised by the words that are not part of a template. So templates
/// are found first, then copies are judged by them, then templates that only copies of one article
/// follow are dropped, and copies are judged again.
///
/// # Errors
/// The spool cannot be read.
pub fn set_templates_aside(
    verifier: &Verifier<'_>,
    mining: &Mining,
    verified: &mut Verified,
) -> Result<Templates, Error> {
    let Verifier { corpus, .. } = *verifier;
    let judge = |templates: &Templates, pairs: &[Pair]| {
        let Verifier { rule, threads, .. } = *verifier;
        find_dropped(corpus, pairs, &templates.formulas, rule, threads)
    };
    let mut templates = find_templates(corpus, mining.options, &mining.packs)?;
    let mut dropped = judge(&templates, &verified.pairs)?;
    let kept = || verified.pairs.iter().filter(|pair| holds(pair, &dropped));
    let versions = Versions::new(corpus, kept, verifier.threads);
    if templates.drop_unsupported(corpus, &versions, mining.options.min_support) {
        dropped = judge(&templates, &verified.pairs)?;
    }
    let says = |run: &SharedRun| {
        let formulas = |distinct: u32| templates.formulas.of(corpus, distinct);
        let free = free_tokens(run, formulas(run.left), formulas(run.right));
        free == run.run.end - run.run.start || free >= verifier.min_run_words
    };
    // In place: there may be no room for them twice.
    verified.pairs.retain(|pair| holds(pair, &dropped));
    verified.pairs.shrink_to_fit();
    verified.runs.retain(says);
    verified.runs.shrink_to_fit();
    Ok(templates)
}

/// Whether a pair is not among those that are dropped, which are sorted.
fn holds(pair: &Pair, dropped: &[(u32, u32)]) -> bool {
    dropped.binary_search(&(pair.left, pair.right)).is_err()
}

/// The pairs, of sorted ones, that do not hold without what templates fix on both sides.
fn find_dropped(
    corpus: &Corpus,
    pairs: &[Pair],
    formulas: &Formulas,
    rule: Rule,
    threads: usize,
) -> Result<Vec<(u32, u32)>, Error> {
    let is_free = |distinct: u32| formulas.of(corpus, distinct).is_empty();
    let doubtful = |pair: &&Pair| !is_free(pair.left) && !is_free(pair.right);
    let doubtful: Vec<Pair> = pairs.iter().filter(doubtful).copied().collect();
    let parts = parallel::map_ranges(threads, doubtful.len(), PIECE, |range| {
        let pairs = &doubtful[range];
        let sides = pairs.iter().flat_map(|pair| [pair.left, pair.right]);
        let store = TokenStore::load(corpus, sides.collect(), 1)?;
        let side = |distinct: u32| Side {
            tokens: store.tokens(distinct),
            formulas: formulas.of(corpus, distinct),
        };
        let mut pattern = LcsPattern::default();
        let mut dropped = Vec::new();
        for pair in pairs {
            stop::check();
            if !agree_otherwise(side(pair.left), side(pair.right), rule, &mut pattern) {
                dropped.push((pair.left, pair.right));
            }
        }
        Ok(dropped)
    });
    let mut dropped: Vec<(u32, u32)> = Vec::new();
    for part in parts {
        let part: Vec<(u32, u32)> = part?;
        dropped.extend(part);
    }
    Ok(dropped)
}

/// Tokens of a run that no template fixes on both sides.
fn free_tokens(run: &SharedRun, left: &[Formula], right: &[Formula]) -> u32 {
    let fixed = if left.is_empty() { &[] } else { right };
    let covered = fixed.iter().map(|formula| {
        let [start, end] = formula.tokens;
        end.min(run.run.end)
            .saturating_sub(start.max(run.run.start))
    });
    run.run.end - run.run.start - covered.sum::<u32>()
}
