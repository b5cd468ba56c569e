//! Openers that one article repeats, each time with a different continuation.

use super::Shown;
use super::fillers::is_varied;
use super::items::{NUMBER, START, is_word, openings, word_weight};
use super::patterns::{Kind, Pattern, framed};
use crate::text::WORD_WEIGHT;

/// Sentences of one article that begin alike.
const MIN_IN_ARTICLE: usize = 3;

/// Openers that occur three times in one article, each time with a different next word.
#[derive(Default)]
pub struct InArticle {
    article: Option<u32>,
    /// Hash of the first three words, and the beginning as a range of `items`.
    beginnings: Vec<(u64, [u32; 2])>,
    items: Vec<u64>,
    pub found: Vec<Pattern>,
}

/// Items of a beginning that are kept: eight words, of the longest script.
const KEPT: usize = 34;

impl InArticle {
    /// Take in the paragraphs of articles, one article after the other.
    pub fn add(&mut self, article: u32, shown: &Shown<'_>) {
        if self.article.replace(article) != Some(article) {
            self.finish();
        }
        for sentence in shown.items.sentences() {
            let inner = &shown.items.items[sentence];
            let kept = &inner[..inner.len().min(KEPT)];
            if let Some(hash) = first_opening(kept) {
                let from = self.items.len() as u32;
                self.items.extend_from_slice(kept);
                self.beginnings
                    .push((hash, [from, self.items.len() as u32]));
            }
        }
    }

    /// The last article is complete.
    pub fn finish(&mut self) {
        self.beginnings.sort_unstable();
        let groups = self.beginnings.chunk_by(|a, b| a.0 == b.0);
        for group in groups.filter(|group| group.len() >= MIN_IN_ARTICLE) {
            let kept = group
                .iter()
                .map(|(_, [from, to])| *from as usize..*to as usize);
            let kept: Vec<&[u64]> = kept.map(|range| &self.items[range]).collect();
            let len = shared_beginning(&kept);
            let next = kept.iter().filter_map(|kept| kept.get(len).copied());
            let weight: u32 = kept[0][..len].iter().map(|item| word_weight(*item)).sum();
            if weight >= 3 * WORD_WEIGHT && is_varied(next) {
                let words = kept[0][1..len].iter().copied();
                self.found.push(framed(Kind::Opener, words));
            }
        }
        self.beginnings.clear();
        self.items.clear();
    }
}

/// Hash of the shortest opening of a sentence, if it has one.
pub fn first_opening(sentence: &[u64]) -> Option<u64> {
    let mut first = None;
    openings(sentence, |_, hash| first = first.or(Some(hash)));
    first
}

/// Items that all beginnings share, but for an end of a sentence.
fn shared_beginning(kept: &[&[u64]]) -> usize {
    let first = kept[0];
    let same = |at: &usize| {
        let item = first[*at];
        (is_word(item) || matches!(item, NUMBER | START))
            && kept.iter().all(|other| other.get(*at) == Some(&item))
    };
    (0..first.len()).take_while(same).count()
}
