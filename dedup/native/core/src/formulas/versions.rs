//! Versions of one text, which count once, however many articles hold them.

use std::collections::HashMap;

use crate::corpus::{Corpus, NO_DISTINCT};
use crate::matching::Pair;
use crate::util::{BitSet, IndexedBitSet, parallel};

/// An article that shares this part of its words with an earlier one is a version of it.
const MIN_VERSION: f64 = 0.5;
/// Articles looked at by one task.
const PIECE: usize = 4096;

/// For each article the first of those it is a version of, and the same for paragraphs that are
/// near-copies: all versions together count once for a template.
pub struct Versions {
    /// By article.
    of_article: Vec<u32>,
    /// Distincts that are near-copies of an earlier one, and their families.
    near_copies: IndexedBitSet,
    of_near_copy: Vec<u32>,
}

impl Versions {
    /// Follow the `pairs`, which are sorted, and exact copies to the first holders.
    pub fn new<'a, I: Iterator<Item = &'a Pair>>(
        corpus: &Corpus,
        pairs: impl Fn() -> I,
        threads: usize,
    ) -> Self {
        let rights = pairs().map(|pair| pair.right);
        let near_copies = IndexedBitSet::new(BitSet::new(corpus.distincts(), rights));
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

/// The words that paragraphs share with the first holders of their words or near-copies: article
/// by article, in first-seen order.
fn share_words(
    corpus: &Corpus,
    near_copies: &IndexedBitSet,
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
