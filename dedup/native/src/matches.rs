//! Candidates to matches: near-copies, their clusters, and what they say of whole articles.

use crate::articles::{ArticleMatches, match_articles};
use crate::candidates::Candidate;
use crate::clusters::{Clusters, Stars, cluster};
use crate::corpus::{Corpus, NO_DISTINCT};
use crate::error::Error;
use crate::evidence::{Evidence, gather};
use crate::formulas::Formulas;
use crate::pairs::{Verified, Verifier};
use crate::qualify::{Families, qualify};
use crate::redundancy::MIN_EVIDENCE_TOKENS;
use crate::templates::{Mining, Templates, find_templates};

/// All that was verified.
pub struct Matches {
    pub verified: Verified,
    /// Of distincts.
    pub stars: Stars,
    pub evidence: Evidence,
    pub articles: ArticleMatches,
    pub templates: Templates,
    /// Of distincts.
    pub paragraph_clusters: Clusters,
    /// Of articles by rank.
    pub article_clusters: Clusters,
}

/// What a cluster is known by.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Head {
    /// Sixteen hexadecimal digits, the same wherever the same words represent a cluster.
    pub id: String,
    /// The representative, or of an article the first paragraph with words.
    pub paragraph: u32,
}

impl Matches {
    /// Candidates of paragraphs and of articles that were too long to align.
    pub fn too_long(&self) -> u64 {
        self.verified.too_long + self.articles.too_long
    }

    /// The cluster of a paragraph.
    pub fn cluster_of(&self, corpus: &Corpus, paragraph: u32) -> Option<u32> {
        match corpus.distinct_of[paragraph as usize] {
            NO_DISTINCT => None,
            distinct => self.paragraph_clusters.number(distinct),
        }
    }

    /// The heads of the clusters of paragraphs, by the cluster's number.
    ///
    /// # Errors
    /// The spool cannot be read.
    pub fn paragraph_heads(&self, corpus: &Corpus) -> Result<Vec<Head>, Error> {
        let representatives = self.paragraph_clusters.representatives.iter();
        let first = |distinct: &u32| corpus.distincts[*distinct as usize].first;
        let paragraphs: Vec<u32> = representatives.map(first).collect();
        let hashes = corpus.hashes_of(&paragraphs)?;
        let head = |(paragraph, hash): (u32, u128)| Head {
            id: to_id((hash >> 64) as u64),
            paragraph,
        };
        Ok(paragraphs.into_iter().zip(hashes).map(head).collect())
    }

    /// The heads of the clusters of articles, by the cluster's number.
    pub fn article_heads(&self, corpus: &Corpus) -> Vec<Head> {
        let order = corpus.order();
        let has_words = |p: &u32| corpus.distinct_of[*p as usize] != NO_DISTINCT;
        let head = |rank: &u32| {
            let article = order[*rank as usize];
            let first = corpus.paragraphs_of(article).find(has_words);
            Head {
                id: to_id(corpus.articles[article as usize].hash as u64),
                paragraph: first.unwrap_or_default(),
            }
        };
        let representatives = &self.article_clusters.representatives;
        representatives.iter().map(head).collect()
    }
}

/// Align the sorted `candidates`, complete their families, and gather clusters and evidence.
///
/// # Errors
/// The spool cannot be read.
pub fn match_candidates(
    verifier: &Verifier<'_>,
    candidates: &[Candidate],
    mining: Option<&Mining>,
) -> Result<Matches, Error> {
    let Verifier {
        corpus,
        rule,
        threads,
        ..
    } = *verifier;
    let mut verified = verifier.verify(candidates)?;
    verifier.complete_families(&mut verified, candidates.to_vec())?;
    let templates = match mining {
        Some(mining) => judge_with_templates(verifier, mining, &mut verified)?,
        None => Templates::default(),
    };
    let formulas = Formulas::new(corpus, &templates.formulas);
    let stars = cluster(&verified.pairs, |left, right| {
        verifier.compare(left, right, &formulas)
    })?;
    let evidence = gather(corpus, &verified, threads)?;
    let articles = match_articles(corpus, &verified, &evidence, &formulas, rule, threads)?;
    // Without a near-copy, copies are a cluster if they are long enough to mean something.
    let copied = |distinct: &u32| {
        corpus.distincts[*distinct as usize].copies > 1
            && corpus.first(*distinct).tokens >= MIN_EVIDENCE_TOKENS
    };
    let distincts = corpus.distincts.len();
    let founders = (0..distincts as u32).filter(copied);
    Ok(Matches {
        paragraph_clusters: Clusters::new(distincts, founders, &stars),
        article_clusters: Clusters::new(corpus.articles.len(), std::iter::empty(), &articles.stars),
        verified,
        stars,
        evidence,
        articles,
        templates,
    })
}

/// Find templates, and keep the pairs and runs that hold without what they fix.
///
/// A text that many outlets print with changes of their own looks like a template until its copies
/// are known, and copies are known by what is not template: so templates are found first, copies
/// judged by them, templates that only copies of one article follow dropped, and copies judged
/// again.
fn judge_with_templates(
    verifier: &Verifier<'_>,
    mining: &Mining,
    verified: &mut Verified,
) -> Result<Templates, Error> {
    let Verifier { corpus, .. } = *verifier;
    let judge = |templates: &Templates, verified: &Verified| {
        let formulas = Formulas::new(corpus, &templates.formulas);
        qualify(
            corpus,
            verified,
            &formulas,
            verifier.rule,
            verifier.min_run_words,
            verifier.threads,
        )
    };
    let mut templates = find_templates(corpus, mining.options, &mining.packs)?;
    let mut kept = judge(&templates, verified)?;
    let families = Families::new(corpus, &kept.pairs);
    if templates.drop_unsupported(corpus, &families, mining.options.min_support) {
        kept = judge(&templates, verified)?;
    }
    *verified = kept;
    Ok(templates)
}

/// An id from half of the words' identity: the upper half for paragraphs, the lower one for
/// articles, so that an article of one paragraph gives two ids.
fn to_id(half: u64) -> String {
    format!("{half:016x}")
}
