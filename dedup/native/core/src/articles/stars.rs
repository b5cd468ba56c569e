//! Whole articles: which are near-copies of which, by the same definition as paragraphs.
//!
//! Candidates come from what their paragraphs share; each is aligned as a whole, token by token.
//! Boilerplate is left out: two short notices above one long footer are two notices.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

use super::evidence::CopiedRun;
use crate::agree::{Agreement, Allowance, LcsPattern, Rule, Side, agree_otherwise, measure};
use crate::corpus::{Corpus, Formula, Formulas, NO_DISTINCT};
use crate::error::Error;
use crate::formulas::boilerplate::Boilerplate;
use crate::matching::{Candidate, Pair, Stars, Verified, cluster};
use crate::text::{Tokens, tokenize};
use crate::util::{BitSet, IndexedBitSet, parallel, stop};

/// Articles of fewer words are headlines and error pages, not copies.
const MIN_TOKENS: u32 = 8;
/// Earliest holders of a paragraph that later articles are compared with.
const MAX_HOLDERS: usize = 4;
/// Earlier near-copies of a paragraph whose holders are looked at.
const MAX_NEAR: usize = 16;
/// Articles are worth aligning if the paragraphs they share hold this part of the shorter one's
/// words.
const MIN_SHARED: f64 = 0.5;
const PIECE: usize = 256;

/// Article pairs and clusters. Articles are numbered by rank: a smaller number was seen earlier.
#[derive(Default, Serialize, Deserialize)]
pub struct ArticleMatches {
    /// Sorted by (left, right); of articles with equal words only the first seen is compared.
    pub pairs: Vec<Pair>,
    /// Members that equal or resemble their representative.
    pub stars: Stars,
    pub too_long: u64,
    /// Pairs that were not compared, as comparing all of one article's takes too long.
    pub costly: u64,
}

/// Find, align and cluster articles that share paragraphs.
///
/// # Errors
/// The spool cannot be read.
pub fn match_articles(
    corpus: &Corpus,
    verified: &Verified,
    runs: &[CopiedRun],
    boilerplate: &Boilerplate,
    formulas: &Formulas,
    rule: Rule,
    threads: usize,
) -> Result<ArticleMatches, Error> {
    let ranked = Ranked::new(corpus, boilerplate, formulas, threads);
    let order = &ranked.order;
    let first_equal = first_with_equal_words(corpus, order, threads)?;
    let related = Related::new(corpus, &verified.pairs, runs);
    let costly = AtomicU64::new(0);
    let candidates = find_candidates(&ranked, &related, &first_equal, threads, &costly);
    let parts = parallel::map_ranges(threads, candidates.len(), PIECE, |range| {
        let mut reader = Reader::new(&ranked);
        let mut pairs = Vec::new();
        let mut too_long = 0;
        for family in candidates[range].chunk_by(|a, b| a.0 == b.0) {
            for (left, right) in family {
                stop::check();
                let (agreement, is_cut) = reader.compare(*left, *right)?;
                too_long += u64::from(is_cut);
                if reader.holds(rule, agreement, *left, *right) {
                    pairs.push(Pair {
                        left: *left,
                        right: *right,
                        agreement,
                    });
                }
            }
        }
        Ok((pairs, too_long))
    });
    let mut out = ArticleMatches::default();
    for part in parts {
        let (pairs, too_long): (Vec<Pair>, u64) = part?;
        out.pairs.extend(pairs);
        out.too_long += too_long;
    }
    out.stars = cluster(&out.pairs, threads, || {
        let mut reader = Reader::new(&ranked);
        let mut allowance = Allowance::default();
        let (ranked, costly) = (&ranked, &costly);
        move |left, right| {
            if !allowance.take(right, ranked.length(right), ranked.length(left)) {
                costly.fetch_add(1, Ordering::Relaxed);
                return Ok(None);
            }
            let (agreement, _) = reader.compare(left, right)?;
            let holds = reader.holds(rule, agreement, left, right);
            Ok(holds.then_some(agreement))
        }
    })?;
    out.costly = costly.into_inner();
    add_equal_articles(corpus, order, &first_equal, &mut out);
    Ok(out)
}

/// The articles in first-seen order, with their boilerplate.
struct Ranked<'a> {
    corpus: &'a Corpus,
    boilerplate: &'a Boilerplate,
    formulas: &'a Formulas,
    order: Vec<u32>,
    /// Words of each article that are not boilerplate, by rank.
    words: Vec<u32>,
}

impl<'a> Ranked<'a> {
    fn new(
        corpus: &'a Corpus,
        boilerplate: &'a Boilerplate,
        formulas: &'a Formulas,
        threads: usize,
    ) -> Self {
        let order = corpus.order();
        let words = parallel::collect(threads, order.len(), PIECE, |range| {
            let articles = order[range].iter();
            articles
                .map(|a| boilerplate.other_words(corpus, *a))
                .collect()
        });
        Self {
            corpus,
            boilerplate,
            formulas,
            order,
            words,
        }
    }

    /// Words of an article that are not boilerplate.
    fn length(&self, rank: u32) -> u32 {
        self.words[rank as usize]
    }

    /// The paragraphs with words of an article that are not boilerplate, with their distincts.
    fn distincts_of(&self, rank: u32) -> impl Iterator<Item = (u32, u32)> {
        let paragraphs = self.corpus.paragraphs_of(self.order[rank as usize]);
        let distincts = paragraphs.map(|p| (p, self.corpus.distinct_of[p as usize]));
        distincts.filter(|(_, d)| *d != NO_DISTINCT && !self.boilerplate.has(*d))
    }

    /// The paragraphs of an article that are not boilerplate.
    fn texts_of(&self, rank: u32) -> impl Iterator<Item = u32> {
        let paragraphs = self.corpus.paragraphs_of(self.order[rank as usize]);
        paragraphs.filter(|p| !self.boilerplate.has_paragraph(self.corpus, *p))
    }

    /// Their formulas, tokens counted over all of them.
    fn formulas_of(&self, rank: u32) -> Vec<Formula> {
        let mut offset = 0;
        let mut found = Vec::new();
        for paragraph in self.texts_of(rank) {
            let formulas = self
                .formulas
                .of(self.corpus, self.corpus.distinct_of[paragraph as usize]);
            found.extend(formulas.iter().map(|formula| Formula {
                tokens: formula.tokens.map(|token| token + offset),
                ..*formula
            }));
            offset += self.corpus.paragraphs[paragraph as usize].tokens;
        }
        found
    }
}

/// For each rank: the smallest rank of an article with the same words.
fn first_with_equal_words(
    corpus: &Corpus,
    order: &[u32],
    threads: usize,
) -> Result<Vec<u32>, Error> {
    let first = corpus.first_equal_articles(threads)?;
    let rank = |article: &u32| corpus.rank[first[*article as usize] as usize];
    Ok(order.iter().map(rank).collect())
}

/// Ranks of articles that share at least half of the shorter one's words, paragraph by paragraph.
/// Pairs that take too long to compare are left out and counted; the first seen are compared.
fn find_candidates(
    ranked: &Ranked<'_>,
    related: &Related<'_>,
    first_equal: &[u32],
    threads: usize,
    costly: &AtomicU64,
) -> Vec<Candidate> {
    let ranks = 0..ranked.order.len() as u32;
    let firsts: Vec<u32> = ranks.filter(|r| first_equal[*r as usize] == *r).collect();
    let holders = EarliestHolders::new(ranked, related, &firsts, threads);
    let mut candidates = parallel::collect(threads, firsts.len(), PIECE, |range| {
        let mut candidates = Vec::new();
        let mut tally: HashMap<u32, u32> = HashMap::new();
        for rank in &firsts[range] {
            tally.clear();
            for (paragraph, distinct) in ranked.distincts_of(*rank) {
                let words = ranked.corpus.paragraphs[paragraph as usize].tokens;
                for source in related.earlier(distinct) {
                    let earlier = holders
                        .of(source)
                        .iter()
                        .take_while(|holder| *holder < rank);
                    for holder in earlier {
                        *tally.entry(*holder).or_default() += words;
                    }
                }
                if related.has_runs.has(paragraph) {
                    add_run_sources(ranked, related.runs, paragraph, first_equal, &mut tally);
                }
            }
            let shares_enough = |(other, words): (&u32, &u32)| {
                let shorter = ranked.length(*other).min(ranked.length(*rank));
                let enough = f64::from(*words) >= MIN_SHARED * f64::from(shorter);
                (other < rank && shorter >= MIN_TOKENS && enough).then_some((*other, *rank))
            };
            let from = candidates.len();
            candidates.extend(tally.iter().filter_map(shares_enough));
            candidates[from..].sort_unstable();
            let mut allowance = Allowance::default();
            let mut kept = from;
            for at in from..candidates.len() {
                let (other, _) = candidates[at];
                if allowance.take(*rank, ranked.length(*rank), ranked.length(other)) {
                    candidates[kept] = candidates[at];
                    kept += 1;
                }
            }
            costly.fetch_add((candidates.len() - kept) as u64, Ordering::Relaxed);
            candidates.truncate(kept);
        }
        candidates
    });
    candidates.sort_unstable();
    candidates
}

/// The earliest articles, by rank, that hold each distinct that another article may have copied.
struct EarliestHolders {
    shared: IndexedBitSet,
    ranks: Vec<[u32; MAX_HOLDERS]>,
}

const NO_RANK: u32 = u32::MAX;

impl EarliestHolders {
    /// `ranks` are those of the articles that may hold them, rising.
    fn new(ranked: &Ranked<'_>, related: &Related<'_>, ranks: &[u32], threads: usize) -> Self {
        let corpus = ranked.corpus;
        let is_shared = |distinct: &u32| {
            corpus.distinct(*distinct).articles > 1 || related.has_later.has(*distinct)
        };
        let distincts = corpus.distincts();
        let shared = (0..distincts as u32).filter(is_shared);
        let shared = IndexedBitSet::new(BitSet::new(distincts, shared));
        let held = parallel::collect(threads, ranks.len(), PIECE, |range| {
            let numbers = |rank: &u32| {
                let distincts = ranked.distincts_of(*rank).map(|(_, distinct)| distinct);
                let numbers = distincts.filter_map(|distinct| shared.number(distinct));
                numbers.map(|number| (number, *rank)).collect::<Vec<_>>()
            };
            ranks[range].iter().flat_map(numbers).collect()
        });
        let mut earliest = vec![[NO_RANK; MAX_HOLDERS]; shared.len()];
        for (number, rank) in held {
            let earliest = &mut earliest[number];
            let is_free = |held: &&mut u32| **held == NO_RANK;
            if !earliest.contains(&rank)
                && let Some(free) = earliest.iter_mut().find(is_free)
            {
                *free = rank;
            }
        }
        Self {
            shared,
            ranks: earliest,
        }
    }

    /// In rising order.
    fn of(&self, distinct: u32) -> &[u32] {
        let Some(number) = self.shared.number(distinct) else {
            return &[];
        };
        let ranks = &self.ranks[number];
        let held = ranks.iter().take_while(|rank| **rank != NO_RANK).count();
        &ranks[..held]
    }
}

/// Near-copies of distincts, either way, and which paragraphs hold shared runs.
struct Related<'a> {
    /// (later, earlier), sorted.
    earlier: Vec<(u32, u32)>,
    has_earlier: BitSet,
    has_later: BitSet,
    /// Sorted.
    runs: &'a [CopiedRun],
    has_runs: BitSet,
}

impl<'a> Related<'a> {
    fn new(corpus: &Corpus, pairs: &[Pair], runs: &'a [CopiedRun]) -> Self {
        let distincts = corpus.distincts();
        let mut earlier: Vec<(u32, u32)> = pairs.iter().map(|p| (p.right, p.left)).collect();
        earlier.sort_unstable();
        Self {
            earlier,
            has_earlier: BitSet::new(distincts, pairs.iter().map(|pair| pair.right)),
            has_later: BitSet::new(distincts, pairs.iter().map(|pair| pair.left)),
            has_runs: BitSet::new(corpus.paragraphs.len(), runs.iter().map(|r| r.paragraph)),
            runs,
        }
    }

    /// A distinct, and the first few that it is a near-copy of.
    fn earlier(&self, distinct: u32) -> impl Iterator<Item = u32> {
        let near = if self.has_earlier.has(distinct) {
            &self.earlier[self.earlier.partition_point(|(later, _)| *later < distinct)..]
        } else {
            &[]
        };
        let near = near
            .iter()
            .take(MAX_NEAR)
            .take_while(move |(later, _)| *later == distinct);
        std::iter::once(distinct).chain(near.map(|(_, near)| *near))
    }
}

fn add_run_sources(
    ranked: &Ranked<'_>,
    runs: &[CopiedRun],
    paragraph: u32,
    first_equal: &[u32],
    tally: &mut HashMap<u32, u32>,
) {
    let from = runs.partition_point(|run| run.paragraph < paragraph);
    for run in runs[from..]
        .iter()
        .take_while(|run| run.paragraph == paragraph)
        .filter(|run| !ranked.boilerplate.has(run.source))
    {
        let article = ranked.corpus.first_article(run.source);
        let source = first_equal[ranked.corpus.rank[article as usize] as usize];
        *tally.entry(source).or_default() += run.words;
    }
}

/// Reads and aligns articles; keeps the last left one, as candidates come sorted.
struct Reader<'a> {
    ranked: &'a Ranked<'a>,
    tokens: Tokens,
    /// Tokens of the article read last.
    hashes: Vec<u64>,
    bytes: Vec<u8>,
    pattern: LcsPattern,
    /// The left article read last, and its tokens.
    left: Option<u32>,
    left_tokens: Vec<u64>,
}

impl<'a> Reader<'a> {
    fn new(ranked: &'a Ranked<'a>) -> Self {
        Self {
            ranked,
            tokens: Tokens::default(),
            hashes: Vec::new(),
            bytes: Vec::new(),
            pattern: LcsPattern::default(),
            left: None,
            left_tokens: Vec::new(),
        }
    }

    /// How two articles agree, and whether they are too long to align from end to end.
    fn compare(&mut self, left: u32, right: u32) -> Result<(Agreement, bool), Error> {
        let (l, r) = (self.ranked.length(left), self.ranked.length(right));
        if self.left != Some(left) {
            self.read(left)?;
            self.left_tokens.clone_from(&self.hashes);
            self.left = Some(left);
        }
        self.read(right)?;
        let (shared, is_cut) = measure(&self.left_tokens, &self.hashes, &mut self.pattern);
        let agreement = Agreement {
            shared,
            left: l,
            right: r,
        };
        Ok((agreement, is_cut))
    }

    /// Whether two articles, which were compared last, are near-copies.
    fn holds(&mut self, rule: Rule, agreement: Agreement, left: u32, right: u32) -> bool {
        let formulas = |rank: u32| self.ranked.formulas_of(rank);
        rule.holds(agreement) && {
            let (l, r) = (formulas(left), formulas(right));
            let left = Side {
                tokens: &self.left_tokens,
                formulas: &l,
            };
            let right = Side {
                tokens: &self.hashes,
                formulas: &r,
            };
            agree_otherwise(left, right, rule, &mut self.pattern)
        }
    }

    fn read(&mut self, rank: u32) -> Result<(), Error> {
        let Ranked { corpus, order, .. } = self.ranked;
        let article = &corpus.articles[order[rank as usize] as usize];
        self.bytes.resize(article.text as usize, 0);
        corpus.spool.read(article.text_at, &mut self.bytes)?;
        self.hashes.clear();
        for paragraph in self.ranked.texts_of(rank) {
            let place = corpus.text_of(paragraph);
            let [start, end] = [place.start, place.end].map(|at| (at - article.text_at) as usize);
            // The spool holds what arrived as valid UTF-8, cut at line ends.
            tokenize(
                std::str::from_utf8(&self.bytes[start..end]).unwrap_or_default(),
                &mut self.tokens,
            );
            self.hashes.extend_from_slice(&self.tokens.hashes);
        }
        Ok(())
    }
}

/// Articles with the same words join the cluster of the first of them, or found one.
fn add_equal_articles(
    corpus: &Corpus,
    order: &[u32],
    first_equal: &[u32],
    out: &mut ArticleMatches,
) {
    for (rank, first) in first_equal.iter().enumerate() {
        let rank = rank as u32;
        let tokens = corpus.articles[order[rank as usize] as usize].tokens;
        if *first == rank || tokens < MIN_TOKENS {
            continue;
        }
        let agreement = Agreement {
            shared: tokens,
            left: tokens,
            right: tokens,
        };
        out.pairs.push(Pair {
            left: *first,
            right: rank,
            agreement,
        });
        let membership = out
            .stars
            .get(first)
            .copied()
            .unwrap_or(crate::matching::Membership {
                representative: *first,
                agreement,
            });
        out.stars.insert(rank, membership);
    }
    out.pairs
        .sort_unstable_by_key(|pair| (pair.left, pair.right));
}
