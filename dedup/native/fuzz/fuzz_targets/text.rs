//! Any text at all: tokens and paragraphs must be where they say they are, and nothing may panic.

#![no_main]

use dedup_core::sketch::{Options, Worker};
use dedup_core::text::{ParagraphMode, split};
use dedup_core::text::{Tokens, tokenize};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    check_tokens(text);
    for paragraphs in [ParagraphMode::Auto, ParagraphMode::Line, ParagraphMode::Blank] {
        check_paragraphs(text, paragraphs);
        check_fingerprints(text, paragraphs);
    }
});

fn check_tokens(text: &str) {
    let mut tokens = Tokens::default();
    tokenize(text, &mut tokens);
    assert_eq!(tokens.hashes.len(), tokens.ranges.len());
    check_ranges(text, &tokens.ranges);
    assert!(tokens.sentences.is_sorted());
    assert!(
        tokens
            .sentences
            .iter()
            .all(|s| (1..=tokens.len()).contains(&(*s as usize)))
    );
}

fn check_paragraphs(text: &str, mode: ParagraphMode) {
    let mut ranges = Vec::new();
    split(text, mode, &mut ranges);
    check_ranges(text, &ranges);
    let held: usize = ranges
        .iter()
        .map(|r| solid(&text[r[0] as usize..r[1] as usize]))
        .sum();
    assert_eq!(held, solid(text), "a paragraph lost something");
}

fn check_fingerprints(text: &str, paragraphs: ParagraphMode) {
    let options = Options {
        paragraphs,
        min_tokens: 8,
        bands: 16,
        rows: 4,
        min_repeat_tokens: 8,
    };
    let twice = format!("{text}\n\n{text}");
    let mut worker = Worker::new(options);
    worker.fingerprint([text, "", &twice].into_iter());
    let prints = worker.fingerprints;
    assert_eq!(prints.articles.len(), 3);
    let mut found = prints.paragraphs.iter();
    for (text, article) in [text, "", &twice].into_iter().zip(&prints.articles) {
        for paragraph in found.by_ref().take(article.paragraphs as usize) {
            let before = &text[..paragraph.byte_start as usize];
            assert_eq!(before.chars().count(), paragraph.start as usize);
            let held = text.chars().skip(paragraph.start as usize);
            let held = held.take((paragraph.end - paragraph.start) as usize);
            let held: String = held.collect();
            assert_eq!(held, held.trim(), "a paragraph is trimmed");
        }
    }
    assert!(found.next().is_none(), "every paragraph has an article");
    for repeat in &prints.repeats {
        assert!(repeat.token_start < repeat.token_end);
        assert!(repeat.start < repeat.end && repeat.source_start < repeat.source_end);
        assert!(repeat.source_start < repeat.start);
    }
}

/// Ranges rise, are not empty, do not overlap, and begin and end between characters.
fn check_ranges(text: &str, ranges: &[[u32; 2]]) {
    let mut last = 0;
    for [start, end] in ranges {
        assert!(last <= *start && start < end);
        assert!(text.is_char_boundary(*start as usize) && text.is_char_boundary(*end as usize));
        last = *end;
    }
    assert!(last as usize <= text.len());
}

fn solid(text: &str) -> usize {
    text.chars().filter(|c| !c.is_whitespace()).count()
}
