//! Clusters in many articles: boilerplate where the articles share nothing else, syndication where
//! they share most of their text.
//!
//! A page's furniture comes in dozens of paragraphs that stand in the same articles, and so does a
//! story that many outlets print; by themselves the two look alike. What tells them apart is what
//! each article holds that few others do: pages have a story of their own beside the furniture,
//! reprints have little or nothing.

use crate::align::Agreement;
use crate::clusters::{Clusters, Membership, Stars};
use crate::corpus::{Corpus, NO_DISTINCT};
use crate::marks::Marks;
use crate::pairs::Pair;
use crate::parallel;
use crate::redundancy::MIN_EVIDENCE_TOKENS;

/// What is known of who published the articles, and how many make a formula.
#[derive(Clone, Copy)]
pub struct Support<'a> {
    /// Articles that must hold a paragraph.
    pub min_articles: u32,
    /// The source of each article as a number, none where it is unknown.
    pub sources: &'a [Option<u32>],
}

/// What a cluster of paragraphs is. The order is that of `CLUSTER_KINDS` in schemas.py.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ClusterKind {
    NearCopy,
    Boilerplate,
    Syndication,
}

/// What the clusters of paragraphs are, by cluster.
pub struct Verdicts {
    pub kinds: Vec<ClusterKind>,
    /// The source that boilerplate belongs to, if it is one site's.
    pub sites: Vec<Option<u32>>,
}

impl Verdicts {
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
pub struct Boilerplate {
    distincts: Marks,
}

impl Boilerplate {
    /// The members of clusters that are boilerplate, and near-copies of them that are in no other
    /// cluster that was judged. One that holds much else beside the boilerplate is not, be it the
    /// representative.
    pub fn new(
        corpus: &Corpus,
        clusters: &Clusters,
        verdicts: &Verdicts,
        stars: &Stars,
        pairs: &[Pair],
        min_articles: u32,
    ) -> Self {
        let distincts = corpus.distincts();
        let kind = &|distinct: u32| {
            let cluster = clusters.number(distinct);
            cluster.map(|cluster| verdicts.kinds[cluster as usize])
        };
        let mine = |m: &&Membership| is_mostly_shared(m.agreement, m.agreement.left);
        let leaders = |memberships: &mut dyn Iterator<Item = &Membership>| {
            Marks::new(distincts, memberships.map(|m| m.representative))
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
        let members = (0..distincts as u32)
            .filter(|distinct| kind(*distinct) == Some(ClusterKind::Boilerplate))
            .filter(is_covered);
        let members = &Marks::new(distincts, members);
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
        let all = (0..distincts as u32).filter(|distinct| members.has(*distinct));
        Self {
            distincts: Marks::new(distincts, all.chain(variants)),
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

/// Articles of a cluster whose texts are compared, in pairs.
const SAMPLE: usize = 12;
/// Two articles that share less than this part of the shorter rest have nothing to do with each
/// other, and two that share more than that part tell the same story.
const UNRELATED: f64 = 0.2;
const RELATED: f64 = 0.5;
/// Pairs of articles, of ten, that must be unrelated.
const AGREEING_TENTHS: u32 = 8;
/// Articles, of ten, that a site must have.
const SITE_TENTHS: u32 = 9;
/// An article has a story of its own if words that few articles hold are so many, and such a part
/// of it: half, but among pages of one site, where furniture is likelier than reprints, a fifth.
const OWN_WORDS: u32 = 20;
const OWN_SHARE: f64 = 0.5;
const OWN_SHARE_OF_SITE: f64 = 0.2;
/// A story is seldom printed by more outlets than this, and furniture stands on every page: a
/// paragraph in twice as many articles says half as much about what they have in common.
const FEW: f64 = 20.0;
/// A line of one word stands in one article of so many by chance.
const ARTICLES_PER_WORD: u32 = 300;
/// Furniture that is found makes room to see more of it; so many rounds are tried.
const ROUNDS: usize = 4;
const PIECE: usize = 64;
/// A paragraph is boilerplate as a whole if so many of its words, of three, are: no near-copy of
/// the same length has fewer.
const SHARED_THIRDS: u32 = 2;
const NONE: u32 = u32::MAX;

/// Say what each of `clusters` is, which are made of paragraphs and hold every short line that
/// many articles do.
pub fn judge_clusters(
    corpus: &Corpus,
    clusters: &Clusters,
    support: Support<'_>,
    threads: usize,
) -> Verdicts {
    let holders = Holders::new(corpus, clusters, support);
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
    Verdicts {
        sites: sites.collect(),
        kinds,
    }
}

fn is_mostly_shared(agreement: Agreement, words: u32) -> bool {
    3 * agreement.shared >= SHARED_THIRDS * words
}

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

/// Who holds the clusters, with a sample of the holders of each that may be boilerplate.
struct Holders<'a> {
    corpus: &'a Corpus,
    clusters: &'a Clusters,
    support: Support<'a>,
    tallies: Vec<Tally>,
    /// Where the sample of each cluster starts; `NONE` where too few articles hold it.
    sample_at: Vec<u32>,
    samples: Vec<u32>,
}

impl<'a> Holders<'a> {
    fn new(corpus: &'a Corpus, clusters: &'a Clusters, support: Support<'a>) -> Self {
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
        holders.count(&order);
        holders.draw(&order);
        holders
    }

    /// The cluster of each paragraph of an article that is in one.
    fn clusters_of(&self, article: u32) -> impl Iterator<Item = usize> + use<'a> {
        let (corpus, clusters) = (self.corpus, self.clusters);
        corpus
            .paragraphs_of(article)
            .filter_map(move |paragraph| cluster_of(corpus, clusters, paragraph))
    }

    fn source(&self, article: u32) -> u32 {
        self.support.sources[article as usize].unwrap_or(NONE)
    }

    /// Count the holders of every cluster and elect the source that may be that of most.
    fn count(&mut self, order: &[u32]) {
        for article in order {
            let source = self.source(*article);
            for cluster in self.clusters_of(*article) {
                let tally = &mut self.tallies[cluster];
                if std::mem::replace(&mut tally.last, *article) == *article {
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
    }

    /// Sample the holders of every candidate, evenly in first-seen order, and count those that
    /// come from its elected source.
    fn draw(&mut self, order: &[u32]) {
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
        for article in order {
            let source = self.source(*article);
            for cluster in self.clusters_of(*article) {
                let tally = &mut self.tallies[cluster];
                if std::mem::replace(&mut tally.last, *article) == *article {
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

    /// Clusters that enough articles hold, those of the same sample together.
    fn candidates(&self) -> Vec<u32> {
        let clusters = 0..self.tallies.len() as u32;
        let mut found: Vec<u32> = clusters
            .filter(|cluster| self.is_candidate(*cluster as usize))
            .collect();
        found.sort_by_key(|cluster| (self.sample(*cluster), *cluster));
        found
    }

    fn is_candidate(&self, cluster: usize) -> bool {
        self.sample_at[cluster] != NONE
    }

    fn sample(&self, cluster: u32) -> &[u32] {
        let at = self.sample_at[cluster as usize] as usize;
        &self.samples[at..at + sample_size(&self.tallies[cluster as usize])]
    }

    /// The source that nearly all holders come from.
    fn site(&self, cluster: usize) -> Option<u32> {
        let tally = &self.tallies[cluster];
        let is_site = tally.site != NONE && 10 * tally.from_site >= SITE_TENTHS * tally.articles;
        is_site.then_some(tally.site)
    }

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

    /// What an article holds beside the boilerplate that is known.
    fn rest(&self, article: u32, kinds: &[ClusterKind]) -> Rest {
        let mut rest = Rest {
            source: self.source(article),
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

    /// What a word of a cluster counts for when articles are held to be the same story.
    fn weight(&self, cluster: usize) -> f64 {
        (FEW / f64::from(self.tallies[cluster].articles)).min(1.0)
    }

    /// What a cluster is, from what the articles of its sample share besides it.
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
        let is_whole = self.tallies[cluster as usize].articles as usize == rests.len();
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

fn cluster_of(corpus: &Corpus, clusters: &Clusters, paragraph: u32) -> Option<usize> {
    match corpus.distinct_of[paragraph as usize] {
        NO_DISTINCT => None,
        distinct => clusters.number(distinct).map(|number| number as usize),
    }
}

fn sample_size(tally: &Tally) -> usize {
    SAMPLE.min(tally.articles as usize)
}

/// Where a holder stands in the sample, if it is one of the evenly spaced ones.
fn place_in_sample(holder: u32, tally: &Tally) -> Option<usize> {
    let (size, articles) = (sample_size(tally) as u64, u64::from(tally.articles));
    let place = (u64::from(holder) * size).div_ceil(articles);
    let is_drawn = place < size && place * articles / size == u64::from(holder);
    is_drawn.then_some(place as usize)
}

/// An article as its words by cluster, boilerplate that is known left out.
#[derive(Default)]
struct Rest {
    source: u32,
    words: u32,
    /// Words of paragraphs that few articles hold.
    own: u32,
    /// The other words, by weight.
    common: f64,
    /// By key, each once.
    parts: Vec<Part>,
}

struct Part {
    /// Representative of the cluster, or the distinct itself.
    key: u32,
    words: u32,
    is_own: bool,
}

impl Rest {
    fn words_of(&self, key: u32) -> u32 {
        let at = self.parts.binary_search_by_key(&key, |part| part.key);
        at.map_or(0, |at| self.parts[at].words)
    }
}

/// An article beside the cluster that is judged.
struct Beside<'a> {
    rest: &'a Rest,
    words: u32,
    common: f64,
}

impl Beside<'_> {
    /// Whether its own words make a story.
    fn has_story(&self, is_one_site: bool) -> bool {
        let share = if is_one_site {
            OWN_SHARE_OF_SITE
        } else {
            OWN_SHARE
        };
        let own = f64::from(self.rest.own);
        self.rest.own >= OWN_WORDS && own >= share * (own + self.common)
    }
}

/// Words that two articles share.
#[derive(Clone, Copy, Default)]
struct Shared {
    all: u32,
    /// In paragraphs that few articles hold.
    own: u32,
}

impl Shared {
    fn without(self, words: u32) -> Self {
        Self {
            all: self.all - words,
            ..self
        }
    }
}

/// What each article shares with each one before it.
fn share_all(rests: &[Rest]) -> Vec<Vec<Shared>> {
    let row = |(i, rest)| rests[..i].iter().map(|other| share(other, rest)).collect();
    rests.iter().enumerate().map(row).collect()
}

fn share(left: &Rest, right: &Rest) -> Shared {
    let mut shared = Shared::default();
    let mut others = right.parts.iter().peekable();
    for part in &left.parts {
        while others.next_if(|other| other.key < part.key).is_some() {}
        if let Some(other) = others.next_if(|other| other.key == part.key) {
            let words = part.words.min(other.words);
            shared.all += words;
            shared.own += if part.is_own { words } else { 0 };
        }
    }
    shared
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Relation {
    Unrelated,
    Between,
    Related,
}

/// How two articles are related; nothing if that cannot be told, as one of them is nothing but
/// furniture.
fn relate(left: Beside<'_>, right: Beside<'_>, shared: Shared) -> Option<Relation> {
    let shorter = left.words.min(right.words);
    if shorter == 0 {
        return (left.words == right.words).then_some(Relation::Related);
    }
    let by_all = by_share(shared.all, shorter);
    if by_all == Relation::Unrelated {
        return Some(by_all);
    }
    let source = left.rest.source;
    let is_one_site = source == right.rest.source && source != NONE;
    match (left.has_story(is_one_site), right.has_story(is_one_site)) {
        (true, true) => Some(by_share(shared.own, left.rest.own.min(right.rest.own))),
        (false, false) => Some(by_all),
        _ => None,
    }
}

fn by_share(shared: u32, words: u32) -> Relation {
    let share = f64::from(shared) / f64::from(words);
    if share < UNRELATED {
        Relation::Unrelated
    } else if share < RELATED {
        Relation::Between
    } else {
        Relation::Related
    }
}
