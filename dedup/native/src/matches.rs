//! Candidates to matches: near-copies, their clusters, and what they say of whole articles.

use crate::articles::{ArticleMatches, match_articles};
use crate::boilerplate::{Boilerplate, Verdicts, judge_clusters};
use crate::clusters::{Clusters, Stars, cluster};
use crate::corpus::{Corpus, MIN_EVIDENCE_TOKENS, NO_DISTINCT};
use crate::error::Error;
use crate::evidence::{Evidence, gather};
use crate::holders::Support;
use crate::lines::{Lines, find_lines};
use crate::pairs::{Verified, Verifier};
use crate::qualify::{Families, qualify};
use crate::templates::{Mining, Templates, find_templates};

/// All that was verified.
pub struct Matches {
    pub verified: Verified,
    /// Of distincts.
    pub stars: Stars,
    pub evidence: Evidence,
    pub boilerplate: Boilerplate,
    pub templates: Templates,
    pub articles: ArticleMatches,
    /// Of distincts.
    pub paragraph_clusters: Clusters,
    /// What those clusters are.
    pub verdicts: Verdicts,
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
        let first = |distinct: &u32| corpus.first(*distinct);
        let paragraphs: Vec<u32> = representatives.map(first).collect();
        let hashes = corpus.hashes_of(&paragraphs)?;
        let head = |(paragraph, hash): (u32, u128)| Head {
            id: to_id((hash >> 64) as u64),
            paragraph,
        };
        Ok(paragraphs.into_iter().zip(hashes).map(head).collect())
    }

    /// The heads of the clusters of articles, by the cluster's number.
    ///
    /// # Errors
    /// The spool cannot be read.
    pub fn article_heads(&self, corpus: &Corpus) -> Result<Vec<Head>, Error> {
        let order = corpus.order();
        let representatives = self.article_clusters.representatives.iter();
        let articles: Vec<u32> = representatives.map(|rank| order[*rank as usize]).collect();
        let hashes = corpus.article_hashes_of(&articles)?;
        let has_words = |p: &u32| corpus.distinct_of[*p as usize] != NO_DISTINCT;
        let head = |(article, hash): (u32, u128)| Head {
            id: to_id(hash as u64),
            paragraph: corpus
                .paragraphs_of(article)
                .find(has_words)
                .unwrap_or_default(),
        };
        Ok(articles.into_iter().zip(hashes).map(head).collect())
    }
}

/// Gather clusters and evidence from what was verified, families completed.
///
/// # Errors
/// The spool cannot be read.
pub fn match_verified(
    verifier: &Verifier<'_>,
    mut verified: Verified,
    support: Support<'_>,
    mining: Option<&Mining>,
) -> Result<Matches, Error> {
    let Verifier {
        corpus,
        rule,
        threads,
        ..
    } = *verifier;
    let templates = match mining {
        Some(mining) => judge_with_templates(verifier, mining, &mut verified)?,
        None => Templates::default(),
    };
    let formulas = &templates.formulas;
    let mut stars = cluster(&verified.pairs, |left, right| {
        verifier.compare(left, right, formulas)
    })?;
    let lines = find_lines(corpus, support.min_articles, threads)?;
    let (paragraph_clusters, verdicts) =
        cluster_paragraphs(corpus, &mut stars, lines, support, threads);
    let boilerplate = Boilerplate::new(
        corpus,
        &paragraph_clusters,
        &verdicts,
        &stars,
        &verified.pairs,
        support.min_articles,
    );
    let evidence = gather(corpus, &verified, &boilerplate, threads)?;
    verified.runs = Vec::new(); // the evidence has them by now
    let articles = match_articles(
        corpus,
        &verified,
        &evidence,
        &boilerplate,
        formulas,
        rule,
        threads,
    )?;
    Ok(Matches {
        article_clusters: Clusters::new(corpus.articles.len(), std::iter::empty(), &articles.stars),
        paragraph_clusters,
        verdicts,
        boilerplate,
        verified,
        stars,
        evidence,
        articles,
        templates,
    })
}

/// Number the clusters of paragraphs and say what each is.
///
/// Without a near-copy, copies are a cluster if they are long enough to mean something, or are
/// boilerplate: then `lines` that are join the stars.
fn cluster_paragraphs(
    corpus: &Corpus,
    stars: &mut Stars,
    mut lines: Lines,
    support: Support<'_>,
    threads: usize,
) -> (Clusters, Verdicts) {
    let distincts = corpus.distincts();
    let is_copied = |distinct: &u32| {
        corpus.distinct(*distinct).copies > 1 && corpus.tokens(*distinct) >= MIN_EVIDENCE_TOKENS
    };
    let copied: Vec<u32> = (0..distincts as u32).filter(is_copied).collect();
    let gather = |founders: &[u32], stars: &Stars| {
        let founders = copied.iter().chain(founders).copied();
        Clusters::new(distincts, founders, stars)
    };
    stars.extend(&lines.variants);
    let all = gather(&lines.founders, stars);
    let verdicts = judge_clusters(corpus, &all, support, threads);
    let is_kept = |founder: u32| verdicts.is_boilerplate(&all, founder);
    lines.founders.retain(|founder| is_kept(*founder));
    for (line, membership) in &lines.variants {
        if !is_kept(membership.representative) {
            stars.remove(line);
        }
    }
    let clusters = gather(&lines.founders, stars);
    let verdicts = verdicts.renumbered(&all, &clusters);
    (clusters, verdicts)
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
        qualify(
            corpus,
            verified,
            &templates.formulas,
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
