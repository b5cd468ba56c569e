//! Evidence to scores: how many words of each article are repeated, copied or formulaic.
//!
//! Every word counts once, so the parts sum exactly to the total: internal before boilerplate
//! (nobody copies a cookie notice from a news story) before copied before what a template fixes.
//! The first seen holder of a text is not blamed for it, but every holder of boilerplate is.

use std::collections::HashMap;
use std::ops::Range;

use super::scores::Score;
use super::spans::{ParagraphKind, ParagraphVerdict, Span, SpanKind, SpanSource};
use crate::articles::{Copied, Evidence, ExactCopies, SharedWords};
use crate::corpus::{Corpus, Formula, NO_DISTINCT, read_paragraphs};
use crate::error::Error;
use crate::matches::Matches;
use crate::text::{CodePoints, Tokens, tokenize};
use crate::util::{parallel, stop};

/// A paragraph is templated if this many of ten of its words are fixed by templates.
const TEMPLATED_TENTHS: u32 = 6;
const PIECE: usize = 1024;

/// The verdicts on some articles.
#[derive(Default)]
pub struct Judged {
    /// One per article.
    pub scores: Vec<Score>,
    /// (article that words count as copied from, copying article), each once, by copying article.
    pub copies: Vec<(u32, u32)>,
    /// One per paragraph.
    pub verdicts: Vec<ParagraphVerdict>,
    /// By article and place, internal repeats before all others.
    pub spans: Vec<Span>,
}

/// Judge the paragraphs of some articles, and count their words.
///
/// # Errors
/// The spool cannot be read.
pub fn judge(
    corpus: &Corpus,
    matches: &Matches,
    articles: Range<u32>,
    threads: usize,
) -> Result<Judged, Error> {
    let paragraphs = corpus.paragraphs_in(articles.clone());
    let words = matches.evidence.read(&corpus.spool, paragraphs)?;
    let parts = parallel::map_ranges(threads, articles.len(), PIECE, |range| {
        let mut judge = Judge::new(corpus, matches, &words);
        for article in range {
            judge.judge(articles.start + article as u32);
        }
        judge.finish_spans()
    });
    let mut all = Judged::default();
    for part in parts {
        let part = part?;
        all.scores.extend(part.scores);
        all.copies.extend(part.copies);
        all.verdicts.extend(part.verdicts);
        all.spans.extend(part.spans);
    }
    Ok(all)
}

const INTERNAL: u8 = 1;
const COPIED: u8 = 2;
const SYMMETRIC: u8 = 4;
const BOILERPLATE: u8 = 8;
const TEMPLATE: u8 = 16;

/// The part of the score to which a word with these flags counts, if it counts.
fn part(flags: u8) -> u8 {
    let parts = [INTERNAL, BOILERPLATE, COPIED, TEMPLATE];
    let first = parts.into_iter().find(|part| flags & part != 0);
    first.unwrap_or_default()
}

/// The words of a span within its paragraph, before it has a place in the article.
struct Unplaced {
    span: usize,
    paragraph: u32,
    /// Counted within the paragraph.
    tokens: [u32; 2],
}

/// Judges articles one after another, reusing its buffers.
struct Judge<'a> {
    corpus: &'a Corpus,
    matches: &'a Matches,
    words: &'a SharedWords,
    exact: ExactCopies<'a>,
    judged: Judged,
    /// By paragraph.
    unplaced: Vec<Unplaced>,
    flags: Vec<u8>,
    tally: HashMap<u32, u32>,
    /// Where the article holds a distinct for the first time, for those that it holds twice.
    first_here: HashMap<u32, u32>,
    /// First token of each paragraph of the article.
    offsets: Vec<usize>,
    /// The paragraph of another article that each paragraph of this one equals.
    sources: Vec<Option<u32>>,
}

impl<'a> Judge<'a> {
    fn new(corpus: &'a Corpus, matches: &'a Matches, words: &'a SharedWords) -> Self {
        Self {
            corpus,
            matches,
            words,
            exact: matches.exact_copies(corpus),
            judged: Judged::default(),
            unplaced: Vec::new(),
            flags: Vec::new(),
            tally: HashMap::new(),
            first_here: HashMap::new(),
            offsets: Vec::new(),
            sources: Vec::new(),
        }
    }

    fn judge(&mut self, article: u32) {
        stop::check();
        let tokens = self.corpus.articles[article as usize].tokens as usize;
        self.flags.clear();
        self.flags.resize(tokens, 0);
        self.tally.clear();
        self.first_here.clear();
        self.flag_repeats(article);
        self.exact.find(article, &mut self.sources);
        self.set_offsets(article);
        for (i, paragraph) in self.corpus.paragraphs_of(article).enumerate() {
            let verdict = self.verdict(paragraph, i);
            self.judged.verdicts.push(verdict);
            match self.sources[i] {
                _ if self.is_boilerplate(paragraph) => self.flag_boilerplate(article, paragraph, i),
                Some(source) => self.flag_exact_copy(article, paragraph, i, source),
                None => self.flag_evidence(article, paragraph, i),
            }
            self.flag_formulas(article, paragraph, i);
            self.flag_symmetric(paragraph, i);
        }
        self.finish(article);
    }

    /// Give every span its place, and put them in order.
    fn finish_spans(mut self) -> Result<Judged, Error> {
        let corpus = self.corpus;
        let spans = &mut self.judged.spans;
        let mut paragraphs: Vec<u32> = self.unplaced.iter().map(|u| u.paragraph).collect();
        paragraphs.dedup();
        let mut groups = self.unplaced.chunk_by(|a, b| a.paragraph == b.paragraph);
        let mut tokens = Tokens::default();
        read_paragraphs(corpus, &paragraphs, |text| {
            tokenize(text, &mut tokens);
            let points = CodePoints::new(text);
            for u in groups.next().unwrap_or_default() {
                let base = corpus.paragraphs[u.paragraph as usize].start;
                let [first, end] = u.tokens.map(|token| token as usize);
                spans[u.span].start = base + points.at(tokens.ranges[first][0]);
                spans[u.span].end = base + points.at(tokens.ranges[end - 1][1]);
            }
        })?;
        spans.sort_by_key(|span| {
            let is_internal = span.kind == SpanKind::InternalRepeat;
            (span.article, !is_internal, span.start, span.end, span.kind)
        });
        Ok(self.judged)
    }

    fn set_offsets(&mut self, article: u32) {
        self.offsets.clear();
        let mut offset = 0;
        for paragraph in self.corpus.paragraphs_of(article) {
            self.offsets.push(offset);
            offset += self.corpus.paragraphs[paragraph as usize].tokens as usize;
        }
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
                source: Some(SpanSource {
                    article,
                    start: r.source_start,
                    end: r.source_end,
                    similarity: 1.0,
                }),
                distinct: None,
                template: None,
            });
        }
    }

    fn is_boilerplate(&self, paragraph: u32) -> bool {
        let boilerplate = &self.matches.boilerplate;
        boilerplate.has_paragraph(self.corpus, paragraph)
    }

    fn verdict(&mut self, paragraph: u32, i: usize) -> ParagraphVerdict {
        let distinct = self.corpus.distinct_of[paragraph as usize];
        if distinct == NO_DISTINCT {
            return ParagraphVerdict::new(ParagraphKind::TooShort);
        }
        let entry = self.corpus.distinct(distinct);
        if !self.corpus.is_short(paragraph) && entry.copies > entry.articles {
            let earlier = *self.first_here.entry(distinct).or_insert(paragraph);
            if earlier < paragraph {
                return ParagraphVerdict::matched(ParagraphKind::InternalRepeat, earlier, 1.0);
            }
        }
        if self.matches.boilerplate.has(distinct) {
            return ParagraphVerdict::new(ParagraphKind::Boilerplate);
        }
        if let Some(source) = self.sources[i] {
            return ParagraphVerdict::matched(ParagraphKind::ExactCopy, source, 1.0);
        }
        if !self.corpus.is_short(paragraph)
            && let Some(pair) = self.evidence().best_match(distinct)
        {
            let source = self.corpus.first(pair.left);
            let likeness = pair.agreement.similarity();
            return ParagraphVerdict::matched(ParagraphKind::NearCopy, source, likeness);
        }
        if let Some(template) = self.main_template(paragraph) {
            return ParagraphVerdict {
                template: Some(template),
                ..ParagraphVerdict::new(ParagraphKind::Templated)
            };
        }
        ParagraphVerdict::new(if self.corpus.is_short(paragraph) {
            ParagraphKind::TooShort
        } else {
            ParagraphKind::Original
        })
    }

    fn evidence(&self) -> &'a Evidence {
        &self.matches.evidence
    }

    /// Words of a paragraph that a template fixes.
    fn formulas(&self, paragraph: u32) -> &'a [Formula] {
        let distinct = self.corpus.distinct_of[paragraph as usize];
        self.matches.templates.formulas.of(self.corpus, distinct)
    }

    /// The template that fixes most words of a paragraph, if templates fix enough of them.
    fn main_template(&self, paragraph: u32) -> Option<u32> {
        let words = |f: &Formula| (f.template, f.tokens[1] - f.tokens[0]);
        let mut by_template: Vec<(u32, u32)> = self.formulas(paragraph).iter().map(words).collect();
        let fixed: u32 = by_template.iter().map(|(_, words)| words).sum();
        if 10 * fixed < TEMPLATED_TENTHS * self.corpus.paragraphs[paragraph as usize].tokens {
            return None;
        }
        by_template.sort_unstable();
        let words = |uses: &[(u32, u32)]| uses.iter().map(|(_, words)| words).sum::<u32>();
        let uses = by_template.chunk_by(|a, b| a.0 == b.0);
        let most = uses.max_by_key(|uses| (words(uses), u32::MAX - uses[0].0));
        most.map(|uses| uses[0].0)
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
            source: Some(SpanSource {
                article: source_article,
                start: s.start,
                end: s.end,
                similarity: 1.0,
            }),
            distinct: Some(self.corpus.distinct_of[paragraph as usize]),
            template: None,
        });
    }

    fn flag_boilerplate(&mut self, article: u32, paragraph: u32, i: usize) {
        let p = &self.corpus.paragraphs[paragraph as usize];
        self.flag(self.offsets[i], p.tokens as usize, BOILERPLATE);
        self.judged.spans.push(Span {
            article,
            start: p.start,
            end: p.end,
            kind: SpanKind::Boilerplate,
            source: None,
            distinct: Some(self.corpus.distinct_of[paragraph as usize]),
            template: None,
        });
    }

    /// Words aligned with an earlier article or with boilerplate, for the paragraph that held them
    /// first.
    fn flag_evidence(&mut self, article: u32, paragraph: u32, i: usize) {
        if !self.evidence().has_copied.has(paragraph) {
            return;
        }
        let copied: &'a [Copied] = &self.words.copied;
        let distinct = self.corpus.distinct_of[paragraph as usize];
        let pair = self.evidence().best_match(distinct);
        let likeness = pair.map_or(1.0, |pair| pair.agreement.similarity());
        let from = copied.partition_point(|c| c.paragraph < paragraph);
        for c in copied[from..]
            .iter()
            .take_while(|c| c.paragraph == paragraph)
        {
            let [start, end] = c.tokens.map(|token| token as usize);
            let mut span = Span {
                article,
                start: c.start,
                end: c.end,
                kind: SpanKind::Boilerplate,
                source: None,
                distinct: Some(c.source),
                template: None,
            };
            if self.matches.boilerplate.has(c.source) {
                self.flag(self.offsets[i] + start, end - start, BOILERPLATE);
            } else {
                let source = self.corpus.first_article(c.source);
                self.flag_copied(self.offsets[i] + start, end - start, source);
                span.kind = if c.is_run {
                    SpanKind::SharedRun
                } else {
                    SpanKind::NearCopy
                };
                span.distinct = Some(distinct);
                span.source = Some(SpanSource {
                    article: source,
                    start: c.source_start,
                    end: c.source_end,
                    similarity: if c.is_run { 1.0 } else { likeness },
                });
            }
            self.judged.spans.push(span);
        }
    }

    /// Words that a template fixes; a span where there is no other reason.
    fn flag_formulas(&mut self, article: u32, paragraph: u32, i: usize) {
        for f in self.formulas(paragraph) {
            let [start, end] = f.tokens.map(|token| self.offsets[i] + token as usize);
            let is_fresh = self.flags[start..end].iter().any(|flags| part(*flags) == 0);
            self.flag(start, end - start, TEMPLATE);
            if is_fresh {
                self.unplaced.push(Unplaced {
                    span: self.judged.spans.len(),
                    paragraph,
                    tokens: f.tokens,
                });
                self.judged.spans.push(Span {
                    article,
                    start: 0, // until `finish_spans`
                    end: 0,
                    kind: SpanKind::Templated,
                    source: None,
                    distinct: None,
                    template: Some(f.template),
                });
            }
        }
    }

    fn flag(&mut self, start: usize, len: usize, reason: u8) {
        for flags in &mut self.flags[start..start + len] {
            *flags |= reason | SYMMETRIC;
        }
    }

    fn flag_copied(&mut self, start: usize, len: usize, source: u32) {
        let mut fresh = 0;
        for flags in &mut self.flags[start..start + len] {
            fresh += u32::from(part(*flags) == 0);
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
        let is_shared = if self.corpus.is_short(paragraph) {
            self.matches.short_sources.has(paragraph)
        } else {
            self.corpus.distinct(distinct).articles > 1
        };
        if is_shared {
            for flags in &mut self.flags[offset..offset + p.tokens as usize] {
                *flags |= SYMMETRIC;
            }
            return;
        }
        if !self.evidence().has_reused.has(paragraph) {
            return;
        }
        let reused = &self.words.reused;
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
        // All words that a source holds may have other reasons, or an earlier source.
        self.tally.retain(|_, words| *words > 0);
        let top = self
            .tally
            .iter()
            .max_by_key(|(source, words)| (**words, u32::MAX - rank(**source)));
        self.judged.scores.push(Score {
            article,
            internal: count(|f| part(f) == INTERNAL),
            copied: count(|f| part(f) == COPIED),
            formulaic: count(|f| matches!(part(f), BOILERPLATE | TEMPLATE)),
            symmetric: count(|f| f & SYMMETRIC != 0),
            top_source: top.map(|(source, words)| (*source, *words)),
        });
        let copies = &mut self.judged.copies;
        let from = copies.len();
        copies.extend(self.tally.keys().map(|source| (*source, article)));
        copies[from..].sort_unstable();
    }
}
