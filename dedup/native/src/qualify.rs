//! Pairs that agree in more than a template.
//!
//! Two notices that follow a template share its fixed words whatever they report. A pair of texts
//! that both follow templates is therefore judged on the rest, by the same rule: the words that
//! templates fix are set aside on both sides. True copies agree in their slots too, and stay.

use std::collections::HashMap;

use crate::align::{Agreement, Pattern, Rule, common_length};
use crate::corpus::{Corpus, MIN_EVIDENCE_TOKENS, NO_DISTINCT};
use crate::error::Error;
use crate::formulas::{Formula, Formulas, rest};
use crate::marks::{Marks, Numbered};
use crate::pairs::{Pair, SharedRun, Verified, Verifier};
use crate::parallel;
use crate::stop;
use crate::templates::{Mining, Templates, find_templates};
use crate::texts::TokenStore;

/// Pairs whose texts are held at once, and articles looked at by one task.
const PIECE: usize = 4096;
/// An article that shares this part of its words with an earlier one is a version of it.
const MIN_VERSION: f64 = 0.5;

/// One of two texts.
#[derive(Clone, Copy)]
pub struct Side<'a> {
    pub tokens: &'a [u64],
    pub formulas: &'a [Formula],
}

/// Whether two texts that agree do so without what templates fix in both.
pub fn agree_otherwise(left: Side<'_>, right: Side<'_>, rule: Rule, pattern: &mut Pattern) -> bool {
    if left.formulas.is_empty() || right.formulas.is_empty() {
        return true;
    }
    let l = rest(left.tokens, left.formulas);
    let r = rest(right.tokens, right.formulas);
    let agreement = Agreement {
        shared: common_length(&l, &r, pattern),
        left: l.len() as u32,
        right: r.len() as u32,
    };
    agreement.shared >= MIN_EVIDENCE_TOKENS && rule.holds(agreement)
}

/// Find templates, and keep the pairs and runs that hold without what they fix.
///
/// A text that many outlets print with changes of their own looks like a template until its copies
/// are known, and copies are known by what is not template: so templates are found first, copies
/// judged by them, templates that only copies of one article follow dropped, and copies judged
/// again.
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
    let families = Families::new(corpus, kept, verifier.threads);
    if templates.drop_unsupported(corpus, &families, mining.options.min_support) {
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
        let mut pattern = Pattern::default();
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

/// For each article the first of those it is a version of, and the same for paragraphs that are
/// near-copies: what a template is found in counts once for all of them.
pub struct Families {
    /// By article.
    of_article: Vec<u32>,
    /// Distincts that are near-copies of an earlier one, and their families.
    near_copies: Numbered,
    of_near_copy: Vec<u32>,
}

impl Families {
    /// Follow the `pairs`, which are sorted, and exact copies to the first holders.
    pub fn new<'a, I: Iterator<Item = &'a Pair>>(
        corpus: &Corpus,
        pairs: impl Fn() -> I,
        threads: usize,
    ) -> Self {
        let rights = pairs().map(|pair| pair.right);
        let near_copies = Numbered::new(Marks::new(corpus.distincts(), rights));
        let mut firsts = vec![NO_DISTINCT; near_copies.len()];
        for pair in pairs() {
            if let Some(number) = near_copies.number(pair.right)
                && firsts[number] == NO_DISTINCT
            {
                firsts[number] = pair.left;
            }
        }
        let mut of_article: Vec<u32> = (0..corpus.articles.len() as u32).collect();
        let shared = share_words(corpus, &near_copies, &firsts, threads);
        let mut tally: HashMap<u32, u32> = HashMap::new();
        for shares in shared.chunk_by(|a, b| a.article == b.article) {
            tally.clear();
            for share in shares {
                *tally.entry(of_article[share.holder as usize]).or_default() += share.words;
            }
            let rank = |family: u32| corpus.rank[family as usize];
            let most = tally
                .iter()
                .max_by_key(|(f, words)| (**words, u32::MAX - rank(**f)));
            let article = shares[0].article as usize;
            let total = f64::from(corpus.articles[article].tokens);
            if let Some((family, words)) = most
                && f64::from(*words) >= MIN_VERSION * total
            {
                of_article[article] = *family;
            }
        }
        let home = |first: &u32| of_article[corpus.first_article(*first) as usize];
        Self {
            of_near_copy: firsts.iter().map(home).collect(),
            near_copies,
            of_article,
        }
    }

    /// The family of a paragraph that holds its words first.
    pub fn of(&self, corpus: &Corpus, paragraph: u32) -> u32 {
        let distinct = corpus.distinct_of[paragraph as usize];
        match self.near_copies.number(distinct) {
            Some(number) => self.of_near_copy[number],
            None => self.of_article[corpus.article_of(paragraph) as usize],
        }
    }
}

/// Words that an article shares with an earlier one.
struct Share {
    article: u32,
    holder: u32,
    words: u32,
}

/// What paragraphs share with the first holders of their words, or of words like theirs: article
/// by article, in first-seen order.
fn share_words(
    corpus: &Corpus,
    near_copies: &Numbered,
    firsts: &[u32],
    threads: usize,
) -> Vec<Share> {
    let order = corpus.order();
    parallel::collect(threads, order.len(), PIECE, |range| {
        let mut shared = Vec::new();
        for article in &order[range] {
            for paragraph in corpus.paragraphs_of(*article) {
                let distinct = corpus.distinct_of[paragraph as usize];
                if distinct == NO_DISTINCT {
                    continue;
                }
                let source = if corpus.first(distinct) == paragraph {
                    near_copies.number(distinct).map(|number| firsts[number])
                } else {
                    Some(distinct)
                };
                let holder = source.map(|source| corpus.first_article(source));
                shared.extend(holder.filter(|h| h != article).map(|holder| Share {
                    article: *article,
                    holder,
                    words: corpus.paragraphs[paragraph as usize].tokens,
                }));
            }
        }
        shared
    })
}
