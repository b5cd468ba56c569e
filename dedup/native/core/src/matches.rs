//! Candidates to matches: near-copies, their clusters, and what they say of whole articles.

use std::sync::atomic::AtomicU64;

use crate::articles::{ArticleMatches, match_articles};
use crate::formulas::boilerplate::{Boilerplate, Verdicts, judge_clusters};
use crate::store::{restore, save};
use crate::matching::{Clusters, Stars, cluster};
use crate::corpus::{Corpus, MIN_EVIDENCE_TOKENS, NO_DISTINCT};
use crate::error::{Error};
use crate::articles::{Evidence, gather};
use crate::articles::{ExactCopies};
use crate::formulas::boilerplate::{Support};
use crate::formulas::boilerplate::{Lines, find_lines};
use crate::util::{Marks};
use crate::matching::{Verified, Verifier};
use crate::util::parallel;
use crate::scoring::{find_short_sources};
use crate::store::{Extent, Spool};
use crate::formulas::templates::{Templates};

/// Distincts that one task looks at.
const PIECE: usize = 1 << 16;

/// All that was verified.
pub struct Matches {
    /// Without the runs, which are in the evidence.
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
    /// What those clusters are known by: half of the words' identity of the representative, so that
    /// it is the same wherever the same words represent one. The upper half for paragraphs, the
    /// lower one for articles: an article of one paragraph gives two ids.
    pub paragraph_ids: Vec<u64>,
    pub article_ids: Vec<u64>,
    /// Paragraphs too short to be evidence that a later article copied beside longer ones.
    pub short_sources: Marks,
}

impl Matches {
    /// Candidates of paragraphs and of articles that were too long to align.
    pub fn too_long(&self) -> u64 {
        self.verified.too_long + self.articles.too_long
    }

    /// Pairs of paragraphs and of articles that were left out, as they take too long in all.
    pub fn costly(&self) -> u64 {
        self.verified.costly + self.articles.costly
    }

    /// The cluster of a paragraph.
    pub fn cluster_of(&self, corpus: &Corpus, paragraph: u32) -> Option<u32> {
        match corpus.distinct_of[paragraph as usize] {
            NO_DISTINCT => None,
            distinct => self.paragraph_clusters.number(distinct),
        }
    }

    /// What finds the exact copies of articles.
    pub fn exact_copies<'a>(&'a self, corpus: &'a Corpus) -> ExactCopies<'a> {
        ExactCopies {
            corpus,
            boilerplate: &self.boilerplate,
            formulas: &self.templates.formulas,
        }
    }

    /// Keep it all, part by part, so that never more than one is held twice.
    ///
    /// # Errors
    /// The disk is full or fails.
    pub fn save(&self, spool: &Spool) -> Result<Extent, Error> {
        let parts = [
            save(&self.verified, spool)?,
            save(&self.stars, spool)?,
            save(&self.evidence, spool)?,
            save(&self.boilerplate, spool)?,
            save(&self.templates, spool)?,
            save(&self.articles, spool)?,
            save(&self.paragraph_clusters, spool)?,
            save(&self.verdicts, spool)?,
            save(&self.article_clusters, spool)?,
            save(&self.paragraph_ids, spool)?,
            save(&self.article_ids, spool)?,
            save(&self.short_sources, spool)?,
        ];
        save(&parts, spool)
    }

    /// Have it all back.
    ///
    /// # Errors
    /// The spool does not hold what was written.
    pub fn restore(extent: Extent, spool: &Spool) -> Result<Self, Error> {
        let [
            verified,
            stars,
            evidence,
            boilerplate,
            templates,
            articles,
            paragraph_clusters,
            verdicts,
            article_clusters,
            paragraph_ids,
            article_ids,
            short_sources,
        ] = restore(extent, spool)?;
        Ok(Self {
            verified: restore(verified, spool)?,
            stars: restore(stars, spool)?,
            evidence: restore(evidence, spool)?,
            boilerplate: restore(boilerplate, spool)?,
            templates: restore(templates, spool)?,
            articles: restore(articles, spool)?,
            paragraph_clusters: restore(paragraph_clusters, spool)?,
            verdicts: restore(verdicts, spool)?,
            article_clusters: restore(article_clusters, spool)?,
            paragraph_ids: restore(paragraph_ids, spool)?,
            article_ids: restore(article_ids, spool)?,
            short_sources: restore(short_sources, spool)?,
        })
    }
}

/// Gather clusters and evidence from what was verified, families completed and templates set aside.
///
/// # Errors
/// The spool cannot be read or written.
pub fn match_verified(
    verifier: &Verifier<'_>,
    mut verified: Verified,
    templates: Templates,
    support: Support<'_>,
) -> Result<Matches, Error> {
    let Verifier {
        corpus,
        rule,
        threads,
        ..
    } = *verifier;
    let formulas = &templates.formulas;
    let costly = AtomicU64::new(0);
    let mut stars = cluster(&verified.pairs, threads, || {
        let mut comparer = verifier.comparer(formulas, &costly);
        move |left, right| comparer.compare(left, right)
    })?;
    verified.costly += costly.into_inner();
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
        threads,
    );
    let (evidence, runs) = gather(corpus, &verified, &boilerplate, threads)?;
    verified.runs = Vec::new();
    let articles = match_articles(
        corpus,
        &verified,
        &runs,
        &boilerplate,
        formulas,
        rule,
        threads,
    )?;
    let exact = ExactCopies {
        corpus,
        boilerplate: &boilerplate,
        formulas,
    };
    let short_sources = find_short_sources(exact, threads);
    let article_clusters =
        Clusters::new(corpus.articles.len(), std::iter::empty(), &articles.stars);
    Ok(Matches {
        paragraph_ids: paragraph_ids(corpus, &paragraph_clusters)?,
        article_ids: article_ids(corpus, &article_clusters)?,
        paragraph_clusters,
        article_clusters,
        verdicts,
        boilerplate,
        verified,
        stars,
        evidence,
        articles,
        templates,
        short_sources,
    })
}

fn paragraph_ids(corpus: &Corpus, clusters: &Clusters) -> Result<Vec<u64>, Error> {
    let representatives = clusters.representatives.iter();
    let paragraphs: Vec<u32> = representatives.map(|d| corpus.first(*d)).collect();
    let hashes = corpus.hashes_of(&paragraphs)?;
    Ok(hashes.iter().map(|hash| (hash >> 64) as u64).collect())
}

fn article_ids(corpus: &Corpus, clusters: &Clusters) -> Result<Vec<u64>, Error> {
    let order = corpus.order();
    let representatives = clusters.representatives.iter();
    let articles: Vec<u32> = representatives.map(|rank| order[*rank as usize]).collect();
    let hashes = corpus.article_hashes_of(&articles)?;
    Ok(hashes.iter().map(|hash| *hash as u64).collect())
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
    let copied = parallel::collect(threads, distincts, PIECE, |range| {
        let distincts = range.start as u32..range.end as u32;
        distincts.filter(is_copied).collect()
    });
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
