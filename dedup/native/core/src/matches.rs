//! Everything that was found: near-copies, their clusters, and what follows for whole articles.

use crate::articles::{ArticleMatches, Evidence, ExactCopies};
use crate::corpus::{Corpus, NO_DISTINCT};
use crate::error::Error;
use crate::formulas::boilerplate::{Boilerplate, ClusterVerdicts};
use crate::formulas::templates::Templates;
use crate::matching::{Clusters, Stars, Verified};
use crate::store::{Extent, Spool, restore, save};
use crate::util::BitSet;

/// Everything that was verified.
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
    /// The kinds of those clusters.
    pub verdicts: ClusterVerdicts,
    /// Of articles by rank.
    pub article_clusters: Clusters,
    /// The ids of those clusters: half of the identity of the representative's words, so that an id
    /// is the same wherever the same words represent a cluster. The upper half for paragraphs, the
    /// lower one for articles: an article of one paragraph gives two ids.
    pub paragraph_ids: Vec<u64>,
    pub article_ids: Vec<u64>,
    /// Paragraphs too short to be evidence that a later article copied beside longer ones.
    pub short_sources: BitSet,
}

impl Matches {
    /// Candidates of paragraphs and of articles that were too long to align.
    pub fn too_long(&self) -> u64 {
        self.verified.too_long + self.articles.too_long
    }

    /// Pairs of paragraphs and of articles that were left out, as together they take too long.
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

    /// The finder of the exact copies of articles.
    pub fn exact_copies<'a>(&'a self, corpus: &'a Corpus) -> ExactCopies<'a> {
        ExactCopies {
            corpus,
            boilerplate: &self.boilerplate,
            formulas: &self.templates.formulas,
        }
    }

    /// Save everything, part by part, so that at most one part is held twice.
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

    /// Restore everything.
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
