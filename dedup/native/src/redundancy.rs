//! Evidence to scores: how many words of each article are repeated in it or copied from another.
//!
//! Every word counts once, internal before copied, so the parts sum to the whole exactly. The
//! first seen holder of a text is not blamed for it.

use std::collections::HashMap;

use crate::corpus::{Corpus, NO_DISTINCT};
use crate::evidence::{Copied, Evidence};
use crate::marks::Marks;
use crate::parallel;

/// A paragraph of fewer words is no evidence on its own: "Read more" stands everywhere.
pub const MIN_EVIDENCE_TOKENS: u32 = 5;
const PIECE: usize = 1024;

/// Why words of an article are flagged. The order is that of `SPAN_KINDS` in schemas.py.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum SpanKind {
    InternalRepeat,
    ExactCopy,
    NearCopy,
    SharedRun,
}

/// Flagged words: code points of the article and of the article that held them before.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Span {
    pub article: u32,
    pub start: u32,
    pub end: u32,
    pub kind: SpanKind,
    pub source_article: u32,
    pub source_start: u32,
    pub source_end: u32,
    pub similarity: f64,
    /// The paragraph they stand in, which may be in a cluster; none for an internal repeat.
    pub paragraph: Option<u32>,
}

/// What a paragraph is. The order is that of `PARAGRAPH_KINDS` in schemas.py.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ParagraphKind {
    Original,
    ExactCopy,
    NearCopy,
    InternalRepeat,
    TooShort,
}

/// What became of one paragraph.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Verdict {
    pub kind: ParagraphKind,
    /// The paragraph it was matched with, and how alike the two are.
    pub source: Option<(u32, f64)>,
}

/// Words of one article, as counts.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Score {
    pub internal: u32,
    pub copied: u32,
    /// Words that are repeated, or stand in any other article, whoever was first.
    pub symmetric: u32,
    /// The article most words were copied from, and how many.
    pub top_source: Option<(u32, u32)>,
    /// Articles that copied from this one.
    pub reused_by: u32,
}

/// What is counted of all articles. Verdicts and spans are many; `judge` gives them for a few
/// articles at a time.
pub struct Scores {
    /// One an article.
    pub articles: Vec<Score>,
    /// (source article, copying article), each once, by copying article.
    pub copies: Vec<(u32, u32)>,
    known: Known,
}

/// What became of some articles.
#[derive(Default)]
pub struct Judged {
    /// One a paragraph.
    pub verdicts: Vec<Verdict>,
    /// By article and place.
    pub spans: Vec<Span>,
}

/// Score every article.
pub fn score(corpus: &Corpus, evidence: &Evidence, threads: usize) -> Scores {
    let mut known = Known::new(corpus, evidence);
    let short_sources = find_short_sources(corpus, evidence, &known, threads);
    known.short_sources = Marks::new(corpus.paragraphs.len(), short_sources.into_iter());
    let parts = parallel::map_ranges(threads, corpus.articles.len(), PIECE, |range| {
        let mut judge = Judge::new(corpus, evidence, &known);
        for article in range {
            judge.judge(article as u32);
            judge.judged.verdicts.clear();
            judge.judged.spans.clear();
        }
        (judge.articles, judge.copies)
    });
    let mut articles = Vec::with_capacity(corpus.articles.len());
    let mut copies = Vec::new();
    for (part, copied) in parts {
        articles.extend(part);
        copies.extend(copied);
    }
    for (source, _) in &copies {
        articles[*source as usize].reused_by += 1;
    }
    Scores {
        articles,
        copies,
        known,
    }
}

/// Judge the paragraphs of some articles, as `score` did.
pub fn judge(
    corpus: &Corpus,
    evidence: &Evidence,
    scores: &Scores,
    articles: std::ops::Range<u32>,
) -> Judged {
    let mut judge = Judge::new(corpus, evidence, &scores.known);
    for article in articles {
        judge.judge(article);
    }
    judge.judged
}

/// Paragraphs too short to be evidence that a later article copied beside longer ones.
fn find_short_sources(
    corpus: &Corpus,
    evidence: &Evidence,
    known: &Known,
    threads: usize,
) -> Vec<u32> {
    let parts = parallel::map_ranges(threads, corpus.articles.len(), PIECE, |range| {
        let mut judge = Judge::new(corpus, evidence, known);
        let mut found = Vec::new();
        for article in range {
            judge.find_exact_sources(article as u32);
            found.extend(
                judge
                    .sources
                    .iter()
                    .flatten()
                    .filter(|source| judge.is_short(**source)),
            );
        }
        found
    });
    parts.into_iter().flatten().collect()
}

const INTERNAL: u8 = 1;
const COPIED: u8 = 2;
const SYMMETRIC: u8 = 4;

/// What there is evidence about, so that most paragraphs are passed over without a search.
struct Known {
    /// Distincts with a match.
    matched: Marks,
    /// Paragraphs with words copied from elsewhere.
    copied: Marks,
    /// Paragraphs with words that stand again elsewhere.
    reused: Marks,
    /// Paragraphs too short to be evidence that a later article copied beside longer ones.
    short_sources: Marks,
}

impl Known {
    fn new(corpus: &Corpus, evidence: &Evidence) -> Self {
        let paragraphs = corpus.paragraphs.len();
        Self {
            matched: Marks::new(corpus.distincts(), evidence.matches.iter().map(|m| m.right)),
            copied: Marks::new(paragraphs, evidence.copied.iter().map(|c| c.paragraph)),
            reused: Marks::new(paragraphs, evidence.reused.iter().map(|r| r.paragraph)),
            short_sources: Marks::new(paragraphs, std::iter::empty()),
        }
    }
}

/// Judges articles one after the other, reusing its buffers.
struct Judge<'a> {
    corpus: &'a Corpus,
    evidence: &'a Evidence,
    known: &'a Known,
    articles: Vec<Score>,
    copies: Vec<(u32, u32)>,
    judged: Judged,
    flags: Vec<u8>,
    tally: HashMap<u32, u32>,
    /// Where the article holds a distinct for the first time, for those that stand in it twice.
    first_here: HashMap<u32, u32>,
    /// First token of each paragraph of the article.
    offsets: Vec<usize>,
    /// The paragraph of another article that each paragraph of this one equals.
    sources: Vec<Option<u32>>,
}

impl<'a> Judge<'a> {
    fn new(corpus: &'a Corpus, evidence: &'a Evidence, known: &'a Known) -> Self {
        Self {
            corpus,
            evidence,
            known,
            articles: Vec::new(),
            copies: Vec::new(),
            judged: Judged::default(),
            flags: Vec::new(),
            tally: HashMap::new(),
            first_here: HashMap::new(),
            offsets: Vec::new(),
            sources: Vec::new(),
        }
    }

    fn judge(&mut self, article: u32) {
        let tokens = self.corpus.articles[article as usize].tokens as usize;
        self.flags.clear();
        self.flags.resize(tokens, 0);
        self.tally.clear();
        self.first_here.clear();
        self.flag_repeats(article);
        self.find_exact_sources(article);
        let from = self.judged.spans.len();
        for (i, paragraph) in self.corpus.paragraphs_of(article).enumerate() {
            let verdict = self.verdict(paragraph, i);
            self.judged.verdicts.push(verdict);
            match self.sources[i] {
                Some(source) => self.flag_exact_copy(article, paragraph, i, source),
                None => self.flag_evidence(article, paragraph, i),
            }
            self.flag_symmetric(paragraph, i);
        }
        self.judged.spans[from..].sort_by_key(|span| (span.start, span.end, span.kind));
        self.finish(article);
    }

    fn flag_repeats(&mut self, article: u32) {
        let repeats = &self.corpus.repeats;
        let from = repeats.partition_point(|r| r.article < article);
        for r in repeats[from..].iter().take_while(|r| r.article == article) {
            self.flags[r.token_start as usize..r.token_end as usize].fill(INTERNAL | SYMMETRIC);
            self.judged.spans.push(Span {
                article,
                start: r.start,
                end: r.end,
                kind: SpanKind::InternalRepeat,
                source_article: article,
                source_start: r.source_start,
                source_end: r.source_end,
                similarity: 1.0,
                paragraph: None,
            });
        }
    }

    /// Which paragraph of an earlier article each paragraph equals. One too short to be evidence
    /// counts only beside one that is, where the source goes on in the same way.
    fn find_exact_sources(&mut self, article: u32) {
        let corpus = self.corpus;
        let range = corpus.paragraphs_of(article);
        self.offsets.clear();
        self.sources.clear();
        let mut offset = 0;
        for paragraph in range.clone() {
            let p = &corpus.paragraphs[paragraph as usize];
            self.offsets.push(offset);
            offset += p.tokens as usize;
            self.sources.push(self.first_holder(article, paragraph));
        }
        let distinct = |paragraph: u32| corpus.distinct_of[paragraph as usize];
        let first = range.start;
        let continues = |i: usize, neighbour: Option<u32>, step: i32| -> Option<u32> {
            let candidate = neighbour?.checked_add_signed(step)?;
            let home = corpus.article_of(neighbour?);
            let wanted = distinct(first + i as u32);
            let fits = corpus.paragraphs_of(home).contains(&candidate)
                && wanted != NO_DISTINCT
                && distinct(candidate) == wanted;
            fits.then_some(candidate)
        };
        for i in 1..self.sources.len() {
            if self.sources[i].is_none() && self.is_short(first + i as u32) {
                self.sources[i] = continues(i, self.sources[i - 1], 1);
            }
        }
        for i in (1..self.sources.len()).rev() {
            if self.sources[i - 1].is_none() && self.is_short(first + i as u32 - 1) {
                self.sources[i - 1] = continues(i - 1, self.sources[i], -1);
            }
        }
    }

    fn is_short(&self, paragraph: u32) -> bool {
        self.corpus.paragraphs[paragraph as usize].tokens < MIN_EVIDENCE_TOKENS
    }

    /// The first holder of a paragraph's words, if that is another article.
    fn first_holder(&self, article: u32, paragraph: u32) -> Option<u32> {
        let distinct = self.corpus.distinct_of[paragraph as usize];
        if distinct == NO_DISTINCT || self.is_short(paragraph) {
            return None;
        }
        let first = self.corpus.first(distinct);
        let holder = self.corpus.article_of(first);
        (holder != article).then_some(first)
    }

    fn verdict(&mut self, paragraph: u32, i: usize) -> Verdict {
        let distinct = self.corpus.distinct_of[paragraph as usize];
        if distinct == NO_DISTINCT {
            return Verdict {
                kind: ParagraphKind::TooShort,
                source: None,
            };
        }
        let entry = self.corpus.distinct(distinct);
        if !self.is_short(paragraph) && entry.copies > entry.articles {
            let earlier = *self.first_here.entry(distinct).or_insert(paragraph);
            if earlier < paragraph {
                let source = Some((earlier, 1.0));
                return Verdict {
                    kind: ParagraphKind::InternalRepeat,
                    source,
                };
            }
        }
        if let Some(source) = self.sources[i] {
            return Verdict {
                kind: ParagraphKind::ExactCopy,
                source: Some((source, 1.0)),
            };
        }
        if self.is_short(paragraph) {
            return Verdict {
                kind: ParagraphKind::TooShort,
                source: None,
            };
        }
        if !self.known.matched.has(distinct) {
            return Verdict {
                kind: ParagraphKind::Original,
                source: None,
            };
        }
        match self.evidence.best_match(distinct) {
            Some(pair) => Verdict {
                kind: ParagraphKind::NearCopy,
                source: Some((self.corpus.first(pair.left), pair.agreement.similarity())),
            },
            None => Verdict {
                kind: ParagraphKind::Original,
                source: None,
            },
        }
    }

    fn flag_exact_copy(&mut self, article: u32, paragraph: u32, i: usize, source: u32) {
        let p = &self.corpus.paragraphs[paragraph as usize];
        let s = &self.corpus.paragraphs[source as usize];
        let source_article = self.corpus.article_of(source);
        self.flag_copied(self.offsets[i], p.tokens as usize, source_article);
        self.judged.spans.push(Span {
            article,
            start: p.start,
            end: p.end,
            kind: SpanKind::ExactCopy,
            source_article,
            source_start: s.start,
            source_end: s.end,
            similarity: 1.0,
            paragraph: Some(paragraph),
        });
    }

    /// Words aligned with an earlier article, for the paragraph that held them first.
    fn flag_evidence(&mut self, article: u32, paragraph: u32, i: usize) {
        if !self.known.copied.has(paragraph) {
            return;
        }
        let copied: &'a [Copied] = &self.evidence.copied;
        let distinct = self.corpus.distinct_of[paragraph as usize];
        let pair = self.evidence.best_match(distinct);
        let likeness = pair.map_or(1.0, |pair| pair.agreement.similarity());
        let from = copied.partition_point(|c| c.paragraph < paragraph);
        for c in copied[from..]
            .iter()
            .take_while(|c| c.paragraph == paragraph)
        {
            let [start, end] = c.tokens.map(|token| token as usize);
            self.flag_copied(self.offsets[i] + start, end - start, c.source_article);
            self.judged.spans.push(Span {
                article,
                start: c.start,
                end: c.end,
                kind: if c.is_run {
                    SpanKind::SharedRun
                } else {
                    SpanKind::NearCopy
                },
                source_article: c.source_article,
                source_start: c.source_start,
                source_end: c.source_end,
                similarity: if c.is_run { 1.0 } else { likeness },
                paragraph: Some(paragraph),
            });
        }
    }

    fn flag_copied(&mut self, start: usize, len: usize, source: u32) {
        let mut fresh = 0;
        for flags in &mut self.flags[start..start + len] {
            fresh += u32::from(*flags & (INTERNAL | COPIED) == 0);
            *flags |= COPIED | SYMMETRIC;
        }
        *self.tally.entry(source).or_default() += fresh;
    }

    fn flag_symmetric(&mut self, paragraph: u32, i: usize) {
        let distinct = self.corpus.distinct_of[paragraph as usize];
        if distinct == NO_DISTINCT {
            return;
        }
        let p = &self.corpus.paragraphs[paragraph as usize];
        let offset = self.offsets[i];
        let is_shared = if self.is_short(paragraph) {
            self.known.short_sources.has(paragraph)
        } else {
            self.corpus.distinct(distinct).articles > 1
        };
        if is_shared {
            for flags in &mut self.flags[offset..offset + p.tokens as usize] {
                *flags |= SYMMETRIC;
            }
            return;
        }
        if !self.known.reused.has(paragraph) {
            return;
        }
        let reused = &self.evidence.reused;
        let from = reused.partition_point(|r| r.paragraph < paragraph);
        for r in reused[from..]
            .iter()
            .take_while(|r| r.paragraph == paragraph)
        {
            for flags in
                &mut self.flags[offset + r.tokens[0] as usize..offset + r.tokens[1] as usize]
            {
                *flags |= SYMMETRIC;
            }
        }
    }

    fn finish(&mut self, article: u32) {
        let count = |test: fn(u8) -> bool| self.flags.iter().filter(|f| test(**f)).count() as u32;
        let rank = |source: u32| self.corpus.rank[source as usize];
        let top = self.tally.iter().filter(|(_, words)| **words > 0);
        let top = top.max_by_key(|(source, words)| (**words, u32::MAX - rank(**source)));
        self.articles.push(Score {
            internal: count(|f| f & INTERNAL != 0),
            copied: count(|f| f & INTERNAL == 0 && f & COPIED != 0),
            symmetric: count(|f| f & SYMMETRIC != 0),
            top_source: top.map(|(source, words)| (*source, *words)),
            reused_by: 0,
        });
        let from = self.copies.len();
        self.copies
            .extend(self.tally.keys().map(|source| (*source, article)));
        self.copies[from..].sort_unstable();
    }
}
