//! The order of the steps after verification, and what each uses of those before it.

use std::sync::atomic::AtomicU64;

use crate::articles::{ExactCopies, collect_evidence, find_short_sources, match_articles};
use crate::corpus::{Corpus, MIN_EVIDENCE_TOKENS};
use crate::error::Error;
use crate::formulas::boilerplate::{
    Boilerplate, ClusterVerdicts, Lines, Support, find_lines, judge_clusters,
};
use crate::formulas::templates::Templates;
use crate::matches::Matches;
use crate::matching::{Clusters, Stars, Verified, Verifier, cluster};
use crate::util::parallel;

/// Distincts that one task looks at.
const PIECE: usize = 1 << 16;

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
    let (evidence, runs) = collect_evidence(corpus, &verified, &boilerplate, threads)?;
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

/// Number the clusters of paragraphs and classify each.
///
/// Without a near-copy, copies are a cluster if they are long enough to mean something, or are
/// boilerplate: then `lines` that are join the stars.
fn cluster_paragraphs(
    corpus: &Corpus,
    stars: &mut Stars,
    mut lines: Lines,
    support: Support<'_>,
    threads: usize,
) -> (Clusters, ClusterVerdicts) {
    let distincts = corpus.distincts();
    let is_copied = |distinct: &u32| {
        corpus.distinct(*distinct).copies > 1 && corpus.tokens(*distinct) >= MIN_EVIDENCE_TOKENS
    };
    let copied = parallel::collect(threads, distincts, PIECE, |range| {
        let distincts = range.start as u32..range.end as u32;
        distincts.filter(is_copied).collect()
    });
    let number = |founders: &[u32], stars: &Stars| {
        let founders = copied.iter().chain(founders).copied();
        Clusters::new(distincts, founders, stars)
    };
    stars.extend(&lines.variants);
    let all = number(&lines.founders, stars);
    let verdicts = judge_clusters(corpus, &all, support, threads);
    let is_kept = |founder: u32| verdicts.is_boilerplate(&all, founder);
    lines.founders.retain(|founder| is_kept(*founder));
    for (line, membership) in &lines.variants {
        if !is_kept(membership.representative) {
            stars.remove(line);
        }
    }
    let clusters = number(&lines.founders, stars);
    let verdicts = verdicts.renumbered(&all, &clusters);
    (clusters, verdicts)
}
