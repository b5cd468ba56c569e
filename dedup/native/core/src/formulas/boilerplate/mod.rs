//! Clusters in many articles: boilerplate where the articles share nothing else, syndication where
//! they share most of their text.
//!
//! A page's furniture comes in dozens of paragraphs that appear in the same articles, and so does a
//! story that many outlets print; by themselves the two look the same. The difference is in the
//! text that few other articles hold: pages have a story of their own beside the furniture,
//! reprints have little or nothing.

mod holders;
mod lines;
mod relations;

pub use holders::Support;
pub(crate) use lines::{Lines, find_lines};

use serde::{Deserialize, Serialize};

use crate::agree::Agreement;
use crate::corpus::{Corpus, MIN_EVIDENCE_TOKENS, NO_DISTINCT};
use crate::matching::{Clusters, Membership, Pair, Stars};
use crate::util::{BitSet, parallel};
use holders::{Holders, cluster_of};
use relations::{Beside, Part, Relation, Rest, Shared, relate, share_all};

/// The kind of a cluster of paragraphs. The order is that of `CLUSTER_KINDS` in schemas.py.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum ClusterKind {
    NearCopy,
    Boilerplate,
    Syndication,
}

/// The kinds of the clusters of paragraphs, by cluster.
#[derive(Serialize, Deserialize)]
pub struct ClusterVerdicts {
    pub kinds: Vec<ClusterKind>,
    /// The source that boilerplate belongs to, if it is one site's.
    pub sites: Vec<Option<u32>>,
}

impl ClusterVerdicts {
    /// Whether the cluster of a distinct is boilerplate.
    pub fn is_boilerplate(&self, clusters: &Clusters, distinct: u32) -> bool {
        let cluster = clusters.number(distinct);
        cluster.is_some_and(|cluster| self.kinds[cluster as usize] == ClusterKind::Boilerplate)
    }

    /// The same for `clusters`, which are some of `all`, the clusters that were judged.
    pub fn renumbered(&self, all: &Clusters, clusters: &Clusters) -> Self {
        let representatives = clusters.representatives.iter();
        let old: Vec<usize> = representatives
            .filter_map(|distinct| all.number(*distinct))
            .map(|number| number as usize)
            .collect();
        Self {
            kinds: old.iter().map(|number| self.kinds[*number]).collect(),
            sites: old.iter().map(|number| self.sites[*number]).collect(),
        }
    }
}

/// The paragraphs that are boilerplate.
#[derive(Serialize, Deserialize)]
pub struct Boilerplate {
    distincts: BitSet,
}

impl Boilerplate {
    /// The members of clusters that are boilerplate, and near-copies of them that are in no other
    /// cluster that was judged. One that holds much else beside the boilerplate is not, not even
    /// the representative.
    pub fn new(
        corpus: &Corpus,
        clusters: &Clusters,
        verdicts: &ClusterVerdicts,
        stars: &Stars,
        pairs: &[Pair],
        min_articles: u32,
        threads: usize,
    ) -> Self {
        let distincts = corpus.distincts();
        let kind = &|distinct: u32| {
            let cluster = clusters.number(distinct);
            cluster.map(|cluster| verdicts.kinds[cluster as usize])
        };
        let mine = |m: &&Membership| is_mostly_shared(m.agreement, m.agreement.left);
        let leaders = |memberships: &mut dyn Iterator<Item = &Membership>| {
            BitSet::new(distincts, memberships.map(|m| m.representative))
        };
        let has_members = leaders(&mut stars.values());
        let is_like_a_member = leaders(&mut stars.values().filter(mine));
        let is_line = |distinct: u32| corpus.tokens(distinct) < MIN_EVIDENCE_TOKENS;
        let is_covered = |distinct: &u32| match stars.get(distinct) {
            _ if is_line(*distinct) => true,
            Some(m) => is_mostly_shared(m.agreement, m.agreement.right),
            None => {
                !has_members.has(*distinct)
                    || is_like_a_member.has(*distinct)
                    || corpus.distinct(*distinct).articles >= min_articles
            }
        };
        let members = parallel::collect(threads, distincts, DISTINCTS, |range| {
            let distincts = range.start as u32..range.end as u32;
            let is_boilerplate = |d: &u32| kind(*d) == Some(ClusterKind::Boilerplate);
            let members = distincts.filter(is_boilerplate).filter(is_covered);
            members.collect::<Vec<u32>>()
        });
        let all = members.clone();
        let members = &BitSet::new(distincts, members.into_iter());
        let variants = pairs.iter().flat_map(|pair| {
            let Pair {
                left,
                right,
                agreement,
            } = *pair;
            let sides = [
                (left, right, agreement.left),
                (right, left, agreement.right),
            ];
            sides.into_iter().filter_map(move |(variant, of, words)| {
                let is_open = kind(variant).is_none_or(|kind| kind == ClusterKind::NearCopy);
                let is_variant = members.has(of) && is_mostly_shared(agreement, words);
                (is_open && is_variant).then_some(variant)
            })
        });
        Self {
            distincts: BitSet::new(distincts, all.into_iter().chain(variants)),
        }
    }

    /// Whether a distinct is boilerplate as a whole.
    pub fn has(&self, distinct: u32) -> bool {
        self.distincts.has(distinct)
    }

    /// Whether a paragraph is boilerplate as a whole.
    pub fn has_paragraph(&self, corpus: &Corpus, paragraph: u32) -> bool {
        match corpus.distinct_of[paragraph as usize] {
            NO_DISTINCT => false,
            distinct => self.has(distinct),
        }
    }

    /// Words of an article that are in no boilerplate.
    pub fn other_words(&self, corpus: &Corpus, article: u32) -> u32 {
        let paragraphs = corpus.paragraphs_of(article);
        paragraphs
            .filter(|p| !self.has_paragraph(corpus, *p))
            .map(|p| corpus.paragraphs[p as usize].tokens)
            .sum()
    }
}

/// Pairs of articles, of ten, that must be unrelated.
const AGREEING_TENTHS: u32 = 8;
/// Furniture that is found reveals more of it; at most this many rounds are tried.
const ROUNDS: usize = 4;
const PIECE: usize = 64;
/// Distincts that one task looks at.
const DISTINCTS: usize = 1 << 16;
/// A paragraph is boilerplate as a whole if this many of three of its words are: no near-copy of
/// the same length has fewer.
const SHARED_THIRDS: u32 = 2;

/// Classify each of `clusters`, which are made of paragraphs and hold every short line that many
/// articles hold.
pub fn judge_clusters(
    corpus: &Corpus,
    clusters: &Clusters,
    support: Support<'_>,
    threads: usize,
) -> ClusterVerdicts {
    let holders = Holders::new(corpus, clusters, support, threads);
    let mut kinds = vec![ClusterKind::NearCopy; clusters.representatives.len()];
    let mut open = holders.candidates();
    for _ in 0..ROUNDS {
        let found = parallel::map_ranges(threads, open.len(), PIECE, |range| {
            holders.judge(&open[range], &kinds)
        });
        for (cluster, kind) in open.iter().zip(found.into_iter().flatten()) {
            kinds[*cluster as usize] = kind;
        }
        let before = open.len();
        open.retain(|cluster| kinds[*cluster as usize] != ClusterKind::Boilerplate);
        if open.len() == before {
            break;
        }
    }
    let sites = (0..kinds.len()).map(|cluster| {
        let is_boilerplate = kinds[cluster] == ClusterKind::Boilerplate;
        holders.site(cluster).filter(|_| is_boilerplate)
    });
    ClusterVerdicts {
        sites: sites.collect(),
        kinds,
    }
}

fn is_mostly_shared(agreement: Agreement, words: u32) -> bool {
    3 * agreement.shared >= SHARED_THIRDS * words
}

impl Holders<'_> {
    /// Judge candidates; boilerplate of an earlier round counts as nothing.
    fn judge(&self, candidates: &[u32], kinds: &[ClusterKind]) -> Vec<ClusterKind> {
        let mut verdicts = Vec::with_capacity(candidates.len());
        for alike in candidates.chunk_by(|a, b| self.sample(*a) == self.sample(*b)) {
            let sample = self.sample(alike[0]);
            let rests: Vec<Rest> = sample.iter().map(|a| self.rest(*a, kinds)).collect();
            let shared = share_all(&rests);
            verdicts.extend(alike.iter().map(|c| self.decide(*c, &rests, &shared)));
        }
        verdicts
    }

    /// What an article holds beside the known boilerplate.
    fn rest(&self, article: u32, kinds: &[ClusterKind]) -> Rest {
        let mut rest = Rest {
            source: self.support.sources[article as usize],
            ..Rest::default()
        };
        for paragraph in self.corpus.paragraphs_of(article) {
            let distinct = self.corpus.distinct_of[paragraph as usize];
            let cluster = cluster_of(self.corpus, self.clusters, paragraph);
            let is_known = cluster.is_some_and(|c| kinds[c] == ClusterKind::Boilerplate);
            if distinct == NO_DISTINCT || is_known {
                continue;
            }
            let words = self.corpus.paragraphs[paragraph as usize].tokens;
            rest.words += words;
            let is_own = !cluster.is_some_and(|c| self.is_candidate(c));
            if is_own {
                rest.own += words;
            } else {
                rest.common += cluster.map_or(0.0, |c| self.weight(c)) * f64::from(words);
            }
            rest.parts.push(Part {
                key: cluster.map_or(distinct, |c| self.clusters.representatives[c]),
                words,
                is_own,
            });
        }
        rest.parts.sort_unstable_by_key(|part| part.key);
        rest.parts.dedup_by(|next, part| {
            let is_same = next.key == part.key;
            part.words += if is_same { next.words } else { 0 };
            is_same
        });
        rest
    }

    /// The kind of a cluster, from what the articles of its sample share besides it.
    fn decide(&self, cluster: u32, rests: &[Rest], shared: &[Vec<Shared>]) -> ClusterKind {
        let key = self.clusters.representatives[cluster as usize];
        let here: Vec<u32> = rests.iter().map(|rest| rest.words_of(key)).collect();
        let weight = self.weight(cluster as usize);
        let beside = |i: usize| Beside {
            rest: &rests[i],
            words: rests[i].words - here[i],
            common: rests[i].common - weight * f64::from(here[i]),
        };
        let relation = |i: usize, j: usize| {
            let shared = shared[j][i].without(here[i].min(here[j]));
            relate(beside(i), beside(j), shared)
        };
        // Articles that tell the same story count once.
        let mut stories: Vec<usize> = Vec::new();
        let mut unrelated = 0;
        let mut known = 0;
        let mut related = 0;
        for j in 0..rests.len() {
            let relations: Vec<_> = stories.iter().map(|i| relation(*i, j)).collect();
            if relations.contains(&Some(Relation::Related)) {
                related += 1;
                continue;
            }
            known += relations.iter().flatten().count() as u32;
            let others = relations.iter().flatten();
            unrelated += others.filter(|r| **r == Relation::Unrelated).count() as u32;
            stories.push(j);
        }
        let is_whole = self.articles(cluster as usize) as usize == rests.len();
        let needed = if is_whole {
            self.support.min_articles
        } else {
            0
        };
        let needed = (needed as usize).max(rests.len().div_ceil(2));
        let is_agreed = known > 0 && 10 * unrelated >= AGREEING_TENTHS * known;
        if stories.len() >= needed && is_agreed {
            ClusterKind::Boilerplate
        } else if 2 * related >= rests.len() {
            ClusterKind::Syndication
        } else {
            ClusterKind::NearCopy
        }
    }
}
