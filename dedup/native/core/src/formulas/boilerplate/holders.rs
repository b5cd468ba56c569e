//! Who holds the clusters of paragraphs: how many articles, from which site, and a sample of them.

use crate::corpus::{Corpus, NO_DISTINCT};
use crate::matching::Clusters;
use crate::util::parallel;

/// The sources of the articles, and how many articles make a formula.
#[derive(Clone, Copy)]
pub struct Support<'a> {
    /// Articles that must hold a paragraph.
    pub min_articles: u32,
    /// The source of each article as a number, none where it is unknown.
    pub sources: &'a [Option<u32>],
}

/// Articles of a cluster whose texts are compared, in pairs.
const SAMPLE: usize = 12;
/// Articles, of ten, that must come from a site.
const SITE_TENTHS: u32 = 9;
/// A story is seldom printed by more outlets than this, and furniture appears on every page: a
/// paragraph in twice as many articles says half as much about what they have in common.
const FEW: f64 = 20.0;
/// A line of one word appears by chance in one article of this many.
const ARTICLES_PER_WORD: u32 = 300;
/// Articles whose clusters are looked up by one task.
const PIECE: usize = 4096;
const NONE: u32 = u32::MAX;

/// Who holds one cluster.
#[derive(Clone)]
struct Tally {
    articles: u32,
    /// The latest holder.
    last: u32,
    /// The only source that may be that of most holders (Boyer and Moore 1991), and its lead.
    site: u32,
    lead: u32,
    /// Holders from that source.
    from_site: u32,
}

impl Tally {
    /// Whether an article is not the latest holder; it becomes the latest.
    fn meet(&mut self, article: u32) -> bool {
        std::mem::replace(&mut self.last, article) != article
    }
}

/// Who holds the clusters, with a sample of the holders of each that may be boilerplate.
pub struct Holders<'a> {
    pub corpus: &'a Corpus,
    pub clusters: &'a Clusters,
    pub support: Support<'a>,
    tallies: Vec<Tally>,
    /// Where the sample of each cluster starts; `NONE` where too few articles hold it.
    sample_at: Vec<u32>,
    samples: Vec<u32>,
}

impl<'a> Holders<'a> {
    pub fn new(
        corpus: &'a Corpus,
        clusters: &'a Clusters,
        support: Support<'a>,
        threads: usize,
    ) -> Self {
        let empty = Tally {
            articles: 0,
            last: NONE,
            site: NONE,
            lead: 0,
            from_site: 0,
        };
        let mut holders = Self {
            corpus,
            clusters,
            support,
            tallies: vec![empty; clusters.representatives.len()],
            sample_at: Vec::new(),
            samples: Vec::new(),
        };
        let order = corpus.order();
        let held = parallel::collect(threads, order.len(), PIECE, |range| {
            let articles = order[range].iter();
            articles
                .flat_map(|a| clusters_of(corpus, clusters, *a))
                .collect()
        });
        holders.count(&held);
        holders.draw(&held);
        holders
    }

    fn source(&self, article: u32) -> u32 {
        self.support.sources[article as usize].unwrap_or(NONE)
    }

    /// Count the holders of every cluster and elect the source that may be that of most.
    fn count(&mut self, held: &[Held]) {
        for Held { article, cluster } in held {
            let source = self.source(*article);
            let tally = &mut self.tallies[*cluster as usize];
            if !tally.meet(*article) {
                continue;
            }
            tally.articles += 1;
            if tally.lead == 0 {
                tally.site = source;
            }
            if tally.site == source {
                tally.lead += 1;
            } else {
                tally.lead -= 1;
            }
        }
    }

    /// Sample the holders of every candidate, evenly in first-seen order, and count those that
    /// come from its elected source.
    fn draw(&mut self, held: &[Held]) {
        let mut end = 0;
        for cluster in 0..self.tallies.len() {
            let needed = self.needed(cluster);
            let tally = &mut self.tallies[cluster];
            tally.last = NONE;
            let is_candidate = tally.articles >= needed;
            self.sample_at.push(if is_candidate { end } else { NONE });
            end += if is_candidate { sample_size(tally) } else { 0 } as u32;
        }
        self.samples = vec![NONE; end as usize];
        let mut met = vec![0u32; self.tallies.len()];
        for Held { article, cluster } in held {
            let source = self.source(*article);
            let cluster = *cluster as usize;
            let tally = &mut self.tallies[cluster];
            if !tally.meet(*article) {
                continue;
            }
            tally.from_site += u32::from(tally.site == source);
            let holder = met[cluster];
            met[cluster] += 1;
            if self.sample_at[cluster] != NONE
                && let Some(place) = place_in_sample(holder, tally)
            {
                self.samples[self.sample_at[cluster] as usize + place] = *article;
            }
        }
    }

    /// Articles that must hold a cluster before it may be boilerplate.
    fn needed(&self, cluster: usize) -> u32 {
        let words = self.corpus.tokens(self.clusters.representatives[cluster]);
        let by_chance = self.corpus.articles.len() as u32 / ARTICLES_PER_WORD;
        let least = self.support.min_articles;
        if words == 1 {
            least.max(by_chance)
        } else {
            least
        }
    }

    /// Articles that hold a cluster.
    pub fn articles(&self, cluster: usize) -> u32 {
        self.tallies[cluster].articles
    }

    /// Clusters that enough articles hold, those of the same sample together.
    pub fn candidates(&self) -> Vec<u32> {
        let clusters = 0..self.tallies.len() as u32;
        let mut found: Vec<u32> = clusters
            .filter(|cluster| self.is_candidate(*cluster as usize))
            .collect();
        found.sort_by_key(|cluster| (self.sample(*cluster), *cluster));
        found
    }

    pub fn is_candidate(&self, cluster: usize) -> bool {
        self.sample_at[cluster] != NONE
    }

    pub fn sample(&self, cluster: u32) -> &[u32] {
        let at = self.sample_at[cluster as usize] as usize;
        &self.samples[at..at + sample_size(&self.tallies[cluster as usize])]
    }

    /// The source that nearly all holders come from.
    pub fn site(&self, cluster: usize) -> Option<u32> {
        let tally = &self.tallies[cluster];
        let is_site = tally.site != NONE && 10 * tally.from_site >= SITE_TENTHS * tally.articles;
        is_site.then_some(tally.site)
    }

    /// The weight of a word of a cluster in the decision whether articles are the same story.
    pub fn weight(&self, cluster: usize) -> f64 {
        (FEW / f64::from(self.tallies[cluster].articles)).min(1.0)
    }
}

/// A paragraph of an article is in a cluster.
struct Held {
    article: u32,
    cluster: u32,
}

fn clusters_of(corpus: &Corpus, clusters: &Clusters, article: u32) -> impl Iterator<Item = Held> {
    corpus.paragraphs_of(article).filter_map(move |paragraph| {
        cluster_of(corpus, clusters, paragraph).map(|cluster| Held {
            article,
            cluster: cluster as u32,
        })
    })
}

pub fn cluster_of(corpus: &Corpus, clusters: &Clusters, paragraph: u32) -> Option<usize> {
    match corpus.distinct_of[paragraph as usize] {
        NO_DISTINCT => None,
        distinct => clusters.number(distinct).map(|number| number as usize),
    }
}

fn sample_size(tally: &Tally) -> usize {
    SAMPLE.min(tally.articles as usize)
}

/// The place of a holder in the sample, if it is one of the evenly spaced ones.
fn place_in_sample(holder: u32, tally: &Tally) -> Option<usize> {
    let (size, articles) = (sample_size(tally) as u64, u64::from(tally.articles));
    let place = (u64::from(holder) * size).div_ceil(articles);
    let is_drawn = place < size && place * articles / size == u64::from(holder);
    is_drawn.then_some(place as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(articles: u32) -> Tally {
        Tally {
            articles,
            last: NONE,
            site: NONE,
            lead: 0,
            from_site: 0,
        }
    }

    #[test]
    fn a_sample_takes_all_of_few_holders_and_every_so_many_of_more() {
        let drawn = |articles: u32| -> Vec<u32> {
            let places = (0..articles).filter_map(|h| place_in_sample(h, &tally(articles)));
            assert!(places.eq(0..sample_size(&tally(articles))));
            let is_drawn = |holder: &u32| place_in_sample(*holder, &tally(articles)).is_some();
            (0..articles).filter(is_drawn).collect()
        };
        assert_eq!(drawn(5), [0, 1, 2, 3, 4]);
        assert_eq!(drawn(18), [0, 1, 3, 4, 6, 7, 9, 10, 12, 13, 15, 16]);
        for articles in 1..500 {
            drawn(articles);
        }
    }
}
