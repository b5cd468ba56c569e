//! Public functions against the obvious slow version, on random input; the engine on three texts.

use std::collections::BTreeSet;
use std::sync::Arc;

use dedup_core::agree::{LcsPattern, Rule, SharedScratch, align, find_shared_runs};
use dedup_core::corpus::{Corpus, Formula, Formulas, TokenStore};
use dedup_core::flow::match_verified;
use dedup_core::formulas::boilerplate::Support;
use dedup_core::formulas::templates::Templates;
use dedup_core::matching::{Candidates, Verified, Verifier, exact_join as exact, find_candidates};
use dedup_core::scoring::{ParagraphKind, ParagraphVerdict, Span, SpanKind, judge};
use dedup_core::segment::Spooled;
use dedup_core::sketch::{
    Bands, GRAM, Grams, Options, RepeatScratch, Run, Worker, find_repeats, hash_pairs,
};
use dedup_core::store::{KeyRows, PARTITIONS, Spool, range_of, unpack};
use dedup_core::text::{ParagraphMode, Tokens, split, tokenize};
use icu_normalizer::DecomposingNormalizer;
use proptest::collection::vec;
use proptest::prelude::*;

/// What anchors promise: every shared run of so many words is found.
const MIN_RUN: u32 = 12;

fn tokens_of(text: &str) -> Tokens {
    let mut tokens = Tokens::default();
    tokenize(text, &mut tokens);
    tokens
}

fn paragraphs_of(text: &str, mode: ParagraphMode) -> Vec<[u32; 2]> {
    let mut ranges = Vec::new();
    split(text, mode, &mut ranges);
    ranges
}

fn modes() -> impl Strategy<Value = ParagraphMode> {
    prop_oneof![
        Just(ParagraphMode::Auto),
        Just(ParagraphMode::Line),
        Just(ParagraphMode::Blank)
    ]
}

/// Words of several scripts, with what folding and composing change.
fn prose() -> impl Strategy<Value = String> {
    vec(
        "[a-zA-Zäöüßéàçñščžåαβγδέλςабвгйё가나다한]{1,9}|[0-9]{1,4}",
        0..12,
    )
    .prop_map(|words| words.join(" "))
}

/// Anything, with line ends, spaces and indents more often than chance would have them.
fn layout() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "[a-z]{1,12}",
        2 => Just(" ".to_owned()),
        2 => Just("\n".to_owned()),
        1 => Just("\n\n".to_owned()),
        1 => Just("\n    ".to_owned()),
        1 => Just("\r\n \t\r\n".to_owned()),
        1 => any::<String>(),
    ];
    vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

/// Tokens that weigh a whole word: their two lowest bits are 0.
fn words(vocabulary: u64, len: std::ops::Range<usize>) -> impl Strategy<Value = Vec<u64>> {
    vec((1..=vocabulary).prop_map(|word| word << 2), len)
}

fn slow_lcs(left: &[u64], right: &[u64]) -> usize {
    let mut row = vec![0; right.len() + 1];
    for l in left {
        let mut diagonal = 0;
        for (j, r) in right.iter().enumerate() {
            let above = row[j + 1];
            row[j + 1] = if l == r {
                diagonal + 1
            } else {
                above.max(row[j])
            };
            diagonal = above;
        }
    }
    row[right.len()]
}

fn covered(runs: &[Run]) -> BTreeSet<usize> {
    runs.iter()
        .flat_map(|run| run.start as usize..run.end as usize)
        .collect()
}

fn shared_runs(earlier: &[u64], later: &[u64]) -> Vec<Run> {
    let mut runs = Vec::new();
    find_shared_runs(
        earlier,
        later,
        MIN_RUN,
        &mut SharedScratch::default(),
        &mut runs,
    );
    runs
}

/// Places of `later` that lie in a run of `MIN_RUN` words that also stands in `earlier`.
fn slow_shared(earlier: &[u64], later: &[u64]) -> BTreeSet<usize> {
    let len = MIN_RUN as usize;
    later
        .windows(len)
        .enumerate()
        .filter(|(_, run)| earlier.windows(len).any(|other| other == *run))
        .flat_map(|(at, _)| at..at + len)
        .collect()
}

proptest! {
    #[test]
    fn case_composition_and_soft_hyphens_do_not_change_tokens(text in prose(), at in any::<prop::sample::Index>()) {
        let tokens = tokens_of(&text);
        let decomposed = DecomposingNormalizer::new_nfd().normalize(&text).into_owned();
        prop_assert_eq!(&tokens_of(&decomposed).hashes, &tokens.hashes);
        prop_assert_eq!(&tokens_of(&text.to_uppercase()).hashes, &tokens.hashes);
        // A soft hyphen between two letters; beside a space it would be no part of a word.
        let places: Vec<usize> = text
            .char_indices()
            .filter(|(i, c)| c.is_alphabetic() && text[..*i].ends_with(char::is_alphabetic))
            .map(|(i, _)| i)
            .collect();
        if !places.is_empty() {
            let (before, after) = text.split_at(*at.get(&places));
            prop_assert_eq!(&tokens_of(&format!("{before}\u{ad}{after}")).hashes, &tokens.hashes);
        }
    }

    #[test]
    fn tokens_of_any_text_rise_and_lie_between_characters(text in any::<String>()) {
        let tokens = tokens_of(&text);
        prop_assert_eq!(tokens.hashes.len(), tokens.ranges.len());
        let mut last = 0;
        for [start, end] in &tokens.ranges {
            prop_assert!(last <= *start && start < end);
            prop_assert!(text.get(*start as usize..*end as usize).is_some());
            last = *end;
        }
    }

    #[test]
    fn two_byte_letters_are_read_as_code_points_are(text in "[a-cA-C0-1\u{e0}\u{df}\u{416}\u{436}\u{644}\u{301}., ]{0,80}") {
        // A mark of three bytes that is as if it were not there takes each word the long way.
        let words = text.split(' ').filter(|word| word.chars().any(char::is_alphanumeric));
        for word in words {
            let long_way = format!("{word}\u{2060}");
            prop_assert_eq!(tokens_of(word).hashes, tokens_of(&long_way).hashes);
        }
    }

    #[test]
    fn ascii_tokens_and_sentences_are_those_of_a_slow_reading(text in "[a-cA-C0-2.,!? \n-]{0,300}") {
        let tokens = tokens_of(&text);
        let bytes = text.as_bytes();
        let is_digit = |at: Option<&u8>| at.is_some_and(u8::is_ascii_digit);
        let is_word = |at: &usize| {
            bytes[*at].is_ascii_alphanumeric()
                || matches!(bytes[*at], b'.' | b',')
                    && *at > 0
                    && is_digit(bytes.get(at - 1))
                    && is_digit(bytes.get(at + 1))
        };
        let inside: Vec<usize> = (0..bytes.len()).filter(is_word).collect();
        let runs: Vec<[u32; 2]> = inside
            .chunk_by(|a, b| a + 1 == *b)
            .map(|run| [run[0] as u32, run[run.len() - 1] as u32 + 1])
            .collect();
        prop_assert_eq!(&tokens.ranges, &runs);
        let ends = |gap: &str| gap.len() > 1 && gap.contains(['.', '!', '?']);
        // Not before a small letter, nor behind "A." and "ca. 2".
        let goes_on = |before: &str, gap: &str, next: u8| {
            let is_point = gap.starts_with('.') && !gap.starts_with("..");
            let is_initial = before.len() == 1 && before.as_bytes()[0].is_ascii_uppercase();
            let is_circa = before.eq_ignore_ascii_case("ca") && next.is_ascii_digit();
            next.is_ascii_lowercase() || is_point && (is_initial || is_circa)
        };
        let sentences: Vec<u32> = (1..runs.len())
            .filter(|i| {
                let [[start, end], [next, _]] = [runs[i - 1], runs[*i]].map(|r| r.map(|at| at as usize));
                let gap = &text[end..next];
                ends(gap) && !goes_on(&text[start..end], gap, bytes[next])
            })
            .map(|i| i as u32)
            .collect();
        prop_assert_eq!(&tokens.sentences, &sentences);
    }

    #[test]
    fn paragraphs_are_disjoint_trimmed_and_hold_everything_but_space(text in layout(), mode in modes()) {
        let ranges = paragraphs_of(&text, mode);
        prop_assert!(ranges.windows(2).all(|pair| pair[0][1] <= pair[1][0]));
        let slices: Vec<&str> = ranges
            .iter()
            .map(|r| &text[r[0] as usize..r[1] as usize])
            .collect();
        prop_assert!(slices.iter().all(|slice| !slice.is_empty() && slice.trim() == *slice));
        let solid = |s: &str| s.chars().filter(|c| !c.is_whitespace()).collect::<String>();
        prop_assert_eq!(slices.iter().map(|s| solid(s)).collect::<String>(), solid(&text));
    }

    #[test]
    fn a_paragraph_is_as_long_in_code_points_as_its_text(texts in vec(layout(), 0..4)) {
        let prints = fingerprint(&texts).fingerprints;
        let mut paragraphs = prints.paragraphs.iter();
        for (text, article) in texts.iter().zip(&prints.articles) {
            let ranges = paragraphs_of(text, OPTIONS.paragraphs);
            prop_assert_eq!(ranges.len(), article.paragraphs as usize);
            for ([from, to], p) in ranges.into_iter().zip(paragraphs.by_ref()) {
                prop_assert_eq!(p.byte_start, from);
                let start = text[..from as usize].chars().count();
                let len = text[from as usize..to as usize].chars().count();
                prop_assert_eq!((p.start as usize, p.end as usize), (start, start + len));
            }
        }
    }

    #[test]
    fn the_common_subsequence_is_as_long_as_the_slow_one(left in words(6, 0..150), right in words(6, 0..150)) {
        let slow = slow_lcs(&left, &right);
        if !left.is_empty() {
            let mut pattern = LcsPattern::default();
            pattern.set(&left);
            prop_assert_eq!(pattern.shared(&right) as usize, slow);
        }
        let places = align(&left, &right);
        prop_assert_eq!(places.len(), slow);
        prop_assert!(places.windows(2).all(|p| p[0].0 < p[1].0 && p[0].1 < p[1].1));
        prop_assert!(places.iter().all(|(l, r)| left[*l as usize] == right[*r as usize]));
    }

    /// With words that do not repeat; see the next test for those that do.
    #[test]
    fn every_shared_run_of_twelve_words_is_found(
        parts in vec((any::<bool>(), 1..40usize), 1..8),
        shuffled in Just((0..8usize).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let mut next = 0u64;
        let parts: Vec<(bool, Vec<u64>)> = parts
            .iter()
            .map(|(shared, len)| {
                next += *len as u64;
                (*shared, (next - *len as u64..next).map(|word| (word + 1) << 2).collect())
            })
            .collect();
        let earlier: Vec<u64> = parts.iter().flat_map(|part| part.1.clone()).collect();
        let later: Vec<u64> = shuffled
            .iter()
            .filter_map(|i| parts.get(*i))
            .flat_map(|(shared, words)| words.iter().map(move |w| if *shared { *w } else { *w + (1 << 20) }))
            .collect();
        prop_assert_eq!(covered(&shared_runs(&earlier, &later)), slow_shared(&earlier, &later));
    }

    #[test]
    fn every_shared_run_is_found_even_if_its_words_repeat(
        earlier in words(2, 0..60),
        later in words(2, 0..60),
    ) {
        let found = covered(&shared_runs(&earlier, &later));
        prop_assert!(found.is_superset(&slow_shared(&earlier, &later)));
    }

    #[test]
    fn a_shared_run_stands_in_both_texts(earlier in words(3, 0..200), later in words(3, 0..200)) {
        let runs = shared_runs(&earlier, &later);
        prop_assert!(runs.windows(2).all(|pair| pair[0].end <= pair[1].start));
        for run in runs {
            let here = &later[run.start as usize..run.end as usize];
            prop_assert_eq!(here, &earlier[run.source as usize..run.source as usize + here.len()]);
        }
    }

    #[test]
    fn repeats_cover_every_gram_that_stood_before(tokens in words(2, 0..120)) {
        let mut grams = Grams::default();
        grams.set(&tokens);
        let mut repeats = Vec::new();
        find_repeats(&tokens, &grams.eights, GRAM as u32, &mut RepeatScratch::default(), &mut repeats);
        let windows: Vec<&[u64]> = tokens.windows(GRAM).collect();
        let slow: BTreeSet<usize> = (0..windows.len())
            .filter(|i| windows[..*i].contains(&windows[*i]))
            .flat_map(|i| i..i + GRAM)
            .collect();
        prop_assert_eq!(covered(&repeats), slow);
        for run in repeats {
            let (start, end) = (run.start as usize, run.end as usize);
            let source = run.source as usize;
            prop_assert!(source < start);
            prop_assert_eq!(&tokens[start..end], &tokens[source..source + end - start]);
        }
    }

    #[test]
    fn equal_feature_sets_have_equal_band_keys(set in vec(any::<u64>(), 1..60), seed in any::<u64>()) {
        let bands = Bands::new(0, 16, 4);
        let keys = |features: &[u64]| {
            let (mut signature, mut keys) = (Vec::new(), Vec::new());
            bands.keys(features, &mut signature, &mut keys);
            keys
        };
        let mut other: Vec<u64> = set.iter().chain(&set[..set.len() / 2]).copied().collect();
        other.sort_by_key(|feature| feature ^ seed);
        prop_assert_eq!(keys(&set).len(), 16);
        prop_assert_eq!(keys(&set), keys(&other));
    }

    #[test]
    fn grams_of_equal_tokens_are_equal(tokens in words(2, 0..60)) {
        let mut grams = Grams::default();
        grams.set(&tokens);
        let mut pairs = Vec::new();
        hash_pairs(&tokens, &mut pairs);
        for (len, hashes) in [(2, &pairs), (GRAM, &grams.eights)] {
            let windows: Vec<&[u64]> = tokens.windows(len).collect();
            prop_assert_eq!(hashes.len(), windows.len());
            for (i, j) in (0..windows.len()).flat_map(|i| (0..i).map(move |j| (i, j))) {
                prop_assert_eq!(hashes[i] == hashes[j], windows[i] == windows[j]);
            }
        }
    }

    #[test]
    fn packing_keeps_every_row_in_its_partition(rows in vec((any::<u64>(), 0..1u32 << 24), 0..300)) {
        let mut loose = KeyRows::default();
        for (key, paragraph) in &rows {
            loose.push(*key, *paragraph);
        }
        let packed = loose.pack(1 << 24).unwrap();
        let mut kept: Vec<(u64, u32)> = Vec::new();
        for partition in 0..PARTITIONS {
            for (key, paragraph) in unpack(&packed.bytes[range_of(&packed.ends, partition)]) {
                prop_assert_eq!((key >> 32) as usize, partition);
                kept.push((key, paragraph));
            }
        }
        let mut given: Vec<(u64, u32)> = rows.iter().map(|(key, p)| (key >> 24, *p)).collect();
        kept.sort_unstable();
        given.sort_unstable();
        prop_assert_eq!(kept, given);
    }
}

const OPTIONS: Options = Options {
    paragraphs: ParagraphMode::Line,
    min_tokens: 2,
    bands: 16,
    rows: 4,
    min_repeat_tokens: 8,
};

/// Texts of so few different words that many are near-copies.
fn news() -> impl Strategy<Value = String> {
    const NAMES: [&str; 5] = ["ferry", "harbour", "vote", "the", "of"];
    vec(prop::sample::select(&NAMES[..]), 1..25).prop_map(|words| words.join(" "))
}

fn fingerprint(texts: &[String]) -> Worker {
    let mut worker = Worker::new(OPTIONS);
    worker.fingerprint(texts.iter().map(String::as_str));
    worker
}

fn corpus_of(texts: &[String]) -> Corpus {
    let spool = Arc::new(Spool::temporary(&std::env::temp_dir()).unwrap());
    let mut corpus = Corpus::new(Arc::clone(&spool));
    let batch = Spooled::new(&mut fingerprint(texts), texts.concat().as_bytes(), &spool).unwrap();
    corpus.add(batch).unwrap();
    let order: Vec<u32> = (0..u32::try_from(texts.len()).unwrap()).collect();
    corpus.set_order(&order, 2).unwrap();
    corpus
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn candidates_taken_in_turns_give_what_they_give_at_once(texts in vec(news(), 2..14)) {
        let corpus = corpus_of(&texts);
        let rule = Rule { threshold: 0.6, containment: 0.9, min_shared: 12 };
        let candidates = find_candidates(&corpus, 4, 2).unwrap();
        let [at_once, in_turns] = [usize::MAX, 1]
            .map(|memory| verify(&verifier_of(&corpus, rule, memory), &candidates));
        prop_assert_eq!(at_once.pairs, in_turns.pairs);
        prop_assert_eq!(at_once.runs, in_turns.runs);
    }

    #[test]
    fn the_parts_of_a_score_are_the_words_under_its_spans(
        texts in vec(vec(news(), 1..4).prop_map(|paragraphs| paragraphs.join("\n\n")), 2..14),
        cuts in vec(any::<(u8, u8)>(), 14),
    ) {
        let corpus = corpus_of(&texts);
        let rule = Rule { threshold: 0.8, containment: 0.9, min_shared: 12 };
        let candidates = find_candidates(&corpus, 4, 2).unwrap();
        let verifier = verifier_of(&corpus, rule, usize::MAX);
        let support = Support { min_articles: 2, ..support(&corpus) };
        let templates = Templates {
            list: Vec::new(),
            formulas: Formulas::new(&corpus, formulas(&corpus, &texts, &cuts)),
        };
        let verified = verify(&verifier, &candidates);
        let matches = match_verified(&verifier, verified, templates, support).unwrap();
        for (article, text) in (0..).zip(&texts) {
            let judged = judge(&corpus, &matches, article..article + 1, 2).unwrap();
            let count = |kinds: &[SpanKind]| count_by_spans(text, &judged.spans, kinds);
            let score = judged.scores[0];
            prop_assert_eq!(score.internal as usize, count(&[SpanKind::InternalRepeat]));
            prop_assert_eq!(
                score.copied as usize,
                count(&[SpanKind::ExactCopy, SpanKind::NearCopy, SpanKind::SharedRun])
            );
            prop_assert_eq!(
                score.formulaic as usize,
                count(&[SpanKind::Boilerplate, SpanKind::Templated])
            );
            prop_assert!(score.symmetric >= score.internal + score.copied + score.formulaic);
        }
    }

    #[test]
    fn the_exact_join_misses_no_pair(
        texts in vec(news(), 2..14),
        threshold in prop::sample::select(vec![0.5, 0.75, 0.8, 0.9, 1.0]),
    ) {
        let corpus = corpus_of(&texts);
        let all: Vec<u32> = (0..u32::try_from(corpus.distincts()).unwrap()).collect();
        let store = TokenStore::load(&corpus, all.clone(), 2).unwrap();
        let joined = exact::join(&store, &all, threshold, 2);
        for right in &all {
            for left in 0..*right {
                let (l, r) = (store.tokens(left), store.tokens(*right));
                #[expect(clippy::cast_precision_loss, reason = "a dozen tokens")]
                let dice = 2.0 * slow_lcs(l, r) as f64 / (l.len() + r.len()) as f64;
                let pair = joined.contains(&(left, *right)) || joined.contains(&(*right, left));
                prop_assert!(pair || dice < threshold, "{left} and {right} agree by {dice}");
            }
        }
    }
}

fn verifier_of(corpus: &Corpus, rule: Rule, memory: usize) -> Verifier<'_> {
    Verifier {
        corpus,
        rule,
        min_run_words: MIN_RUN,
        threads: 2,
        memory,
    }
}

fn verify(verifier: &Verifier<'_>, candidates: &Candidates) -> Verified {
    let mut verified = Verified::default();
    while verified.done < candidates.pairs.len() {
        let rest = &candidates.pairs[verified.done..];
        let turn = verifier.verify_next(rest, &verified.families).unwrap();
        verified.extend(turn);
    }
    // The memory of a turn is not that of what is found.
    let completer = Verifier {
        memory: usize::MAX,
        ..*verifier
    };
    let is_complete = completer.complete_families(&mut verified, candidates);
    assert!(is_complete.unwrap());
    verified
}

/// Formulas over parts of the paragraphs that held their words first, chosen by `cuts`.
fn formulas(corpus: &Corpus, texts: &[String], cuts: &[(u8, u8)]) -> Vec<Formula> {
    let mut found = Vec::new();
    for (template, cut) in (0..corpus.distincts() as u32).zip(cuts) {
        let first = corpus.first(template);
        let p = &corpus.paragraphs[first as usize];
        let text = &texts[corpus.article_of(first) as usize][p.byte_start as usize..];
        let text = text.lines().next().unwrap();
        let ranges = tokens_of(text).ranges;
        let [start, end] = [cut.0, cut.1].map(|cut| usize::from(cut) % (ranges.len() + 1));
        if start < end {
            found.push(Formula {
                paragraph: first,
                tokens: [start, end].map(|token| u32::try_from(token).unwrap()),
                template,
            });
        }
    }
    found
}

/// The words of one part of the score, counted by laying the spans over the words.
fn count_by_spans(text: &str, spans: &[Span], wanted: &[SpanKind]) -> usize {
    // First comes what a word counts as if it is in several spans.
    const PRECEDENCE: [SpanKind; 6] = [
        SpanKind::InternalRepeat,
        SpanKind::Boilerplate,
        SpanKind::ExactCopy,
        SpanKind::NearCopy,
        SpanKind::SharedRun,
        SpanKind::Templated,
    ];
    let ranges = tokens_of(text).ranges;
    let part = |[start, end]: &[u32; 2]| {
        let has = |kind: &&SpanKind| {
            let mut alike = spans.iter().filter(|span| span.kind == **kind);
            alike.any(|span| span.start <= *start && *end <= span.end)
        };
        PRECEDENCE.iter().find(has)
    };
    let counts = |range: &&[u32; 2]| part(range).is_some_and(|kind| wanted.contains(kind));
    ranges.iter().filter(counts).count()
}

fn support(corpus: &Corpus) -> Support<'static> {
    Support {
        min_articles: 5,
        sources: &[None; 16][..corpus.articles.len()],
    }
}

#[test]
fn articles_are_cut_into_parts_of_so_many_paragraphs() {
    let texts = [
        "One.\n\nTwo.\n\nThree.",
        "One.",
        "Two.",
        "",
        "Three.",
        "Four.",
    ];
    let corpus = corpus_of(&texts.map(str::to_owned));
    assert_eq!(corpus.cut(2), [0..1, 1..4, 4..6]);
    assert_eq!(corpus.cut(6), [0..5, 5..6]);
    assert_eq!(corpus_of(&[]).cut(2), []);
}

#[test]
fn words_that_a_template_fixes_count_where_they_were_not_copied() {
    let texts = [
        "Shares in the brewery closed nine percent higher on the main board today.",
        "Shares in the brewery closed nine percent higher on the main board today.",
        "Shares in the mill were worth less, said a trader who would not give a name.",
    ]
    .map(str::to_owned);
    let corpus = corpus_of(&texts);
    let rule = Rule {
        threshold: 0.8,
        containment: 0.9,
        min_shared: 12,
    };
    let candidates = find_candidates(&corpus, 4, 1).unwrap();
    let verifier = verifier_of(&corpus, rule, usize::MAX);
    let verified = verify(&verifier, &candidates);
    let formula = |paragraph, tokens| Formula {
        paragraph,
        tokens,
        template: 7,
    };
    let formulas = vec![formula(0, [0, 2]), formula(0, [6, 12]), formula(2, [0, 2])];
    let templates = Templates {
        list: Vec::new(),
        formulas: Formulas::new(&corpus, formulas),
    };
    let matches = match_verified(&verifier, verified, templates, support(&corpus)).unwrap();
    let judged = judge(&corpus, &matches, 0..3, 1).unwrap();
    let words = |article: usize| {
        let score = judged.scores[article];
        [score.copied, score.formulaic, score.symmetric]
    };
    assert_eq!([0, 1, 2].map(words), [[0, 8, 13], [13, 0, 13], [0, 2, 2]]);
    let verdict = |verdict: &ParagraphVerdict| (verdict.kind, verdict.template);
    let verdicts: Vec<_> = judged.verdicts.iter().map(verdict).collect();
    assert_eq!(
        verdicts,
        [
            (ParagraphKind::Templated, Some(7)), // 8 of 13 words
            (ParagraphKind::ExactCopy, None),
            (ParagraphKind::Original, None), // 2 of 15
        ]
    );
    let templated = judged.spans.iter().filter(|span| span.template == Some(7));
    let places: Vec<_> = templated.map(|s| (s.article, s.start, s.end)).collect();
    assert_eq!(places, [(0, 0, 9), (0, 34, 66), (2, 0, 9)]);
}

#[test]
fn a_near_copy_is_in_the_cluster_of_the_text_seen_before_it() {
    let texts = [
        "The ferry to the old harbour was late again on Monday because of fog over the bay.",
        "The council will vote on a new roof for the school before the holidays begin.",
        "The ferry to the old harbour was late again on Sunday because of fog over the bay.",
    ]
    .map(str::to_owned);
    let rule = Rule {
        threshold: 0.8,
        containment: 0.9,
        min_shared: 20,
    };
    let corpus = corpus_of(&texts);
    let candidates = find_candidates(&corpus, 4, 2).unwrap();
    let verifier = verifier_of(&corpus, rule, usize::MAX);
    let matches = match_verified(
        &verifier,
        verify(&verifier, &candidates),
        Templates::default(),
        support(&corpus),
    )
    .unwrap();
    let clusters = [0, 1, 2].map(|paragraph| matches.cluster_of(&corpus, paragraph));
    assert_eq!(clusters, [Some(0), None, Some(0)]);
    assert_eq!(matches.paragraph_clusters.representatives, [0]);
    assert_eq!(matches.article_clusters.representatives, [0]);
    let hashes = corpus.hashes_of(&[0]).unwrap();
    assert_eq!(matches.paragraph_ids, [(hashes[0] >> 64) as u64]);
    assert_eq!(matches.article_ids, [hashes[0] as u64]); // its only paragraph
    assert_eq!(corpus.first_with_words(0), Some(0));
}
