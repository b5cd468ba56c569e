//! Makes the Unicode table that `unicode.rs` includes, from ICU4X data pinned by Cargo.lock.
//!
//! One `u32` per code point, in two stages of 128-entry blocks (equal blocks are stored once):
//! bits 0..3 class, 3 complex, 5 combines, 6 ends a sentence, 10..32 folded minus itself.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::{env, fs, path::PathBuf};

use icu_casemap::CaseMapper;
use icu_normalizer::{ComposingNormalizer, DecomposingNormalizer};
use icu_properties::props::{
    CanonicalCombiningClass, DefaultIgnorableCodePoint, GeneralCategory, GeneralCategoryGroup,
    Script, SentenceTerminal,
};
use icu_properties::{CodePointMapData, CodePointSetData};

const BLOCK: usize = 128;
const SEPARATOR: u32 = 0;
const WORD: u32 = 1;
const HALF_WORD: u32 = 2;
const QUARTER_WORD: u32 = 3;
const IGNORABLE: u32 = 4;
const MARK: u32 = 5;
const COMPLEX: u32 = 1 << 3;
const COMBINES: u32 = 1 << 5;
const ENDS_SENTENCE: u32 = 1 << 6;

fn class(c: char) -> u32 {
    if CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c) {
        return IGNORABLE;
    }
    // Half-width sound marks are letters by category, but compose like marks.
    if matches!(c, '\u{FF9E}' | '\u{FF9F}') {
        return MARK;
    }
    let category = CodePointMapData::<GeneralCategory>::new().get(c);
    let mark = GeneralCategoryGroup::Mark.contains(category);
    let word = GeneralCategoryGroup::Letter.contains(category)
        || GeneralCategoryGroup::Number.contains(category);
    match CodePointMapData::<Script>::new().get(c) {
        Script::Thai | Script::Lao | Script::Khmer | Script::Myanmar if word || mark => {
            QUARTER_WORD
        }
        Script::Han | Script::Hiragana | Script::Katakana if word => HALF_WORD,
        // The prolonged sound mark is shared by both Kana and so has no script of its own.
        _ if matches!(c, '\u{30FC}' | '\u{FF70}') => HALF_WORD,
        _ if mark => MARK,
        _ if word => WORD,
        _ => SEPARATOR,
    }
}

/// What a code point becomes on its own, and whether that is more than one code point.
fn folded(c: char) -> (char, bool) {
    let nfkc = ComposingNormalizer::new_nfkc();
    let text = c.to_string();
    let normal = nfkc
        .normalize(&CaseMapper::new().fold_string(&nfkc.normalize(&text)))
        .into_owned();
    let mut chars = normal.chars();
    match (chars.next(), chars.next()) {
        (Some(only), None) => (only, false),
        _ => (c, true),
    }
}

/// Code points that a canonical decomposition holds behind its first: these may compose.
fn composing() -> Vec<bool> {
    let nfd = DecomposingNormalizer::new_nfd();
    let mut may = vec![false; 0x11_0000];
    for c in (0..=0x10_FFFF).filter_map(char::from_u32) {
        let text = c.to_string();
        for follower in nfd.normalize(&text).chars().skip(1) {
            may[follower as usize] = true;
        }
    }
    may
}

fn entry(code: u32, may_compose: &[bool]) -> u32 {
    let Some(c) = char::from_u32(code) else {
        return SEPARATOR;
    };
    let class = class(c);
    let (fold, several) = folded(c);
    let mut flags = class;
    let is_text = matches!(class, WORD | HALF_WORD | QUARTER_WORD | MARK);
    if is_text && (several || may_compose[code as usize] || may_compose[fold as usize]) {
        flags |= COMPLEX;
    }
    if CodePointMapData::<CanonicalCombiningClass>::new().get(c)
        != CanonicalCombiningClass::NotReordered
    {
        flags |= COMBINES;
    }
    if CodePointSetData::new::<SentenceTerminal>().contains(c) {
        flags |= ENDS_SENTENCE;
    }
    let delta = if is_text {
        (fold as i32) - (code as i32)
    } else {
        0
    };
    ((delta << 10) as u32) | flags
}

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let may_compose = composing();
    let mut blocks: HashMap<Vec<u32>, usize> = HashMap::new();
    let mut index = Vec::new();
    let mut entries: Vec<u32> = Vec::new();
    for start in (0..0x11_0000u32).step_by(BLOCK) {
        let block: Vec<u32> = (start..start + BLOCK as u32)
            .map(|code| entry(code, &may_compose))
            .collect();
        let next = blocks.len();
        let id = *blocks.entry(block.clone()).or_insert_with(|| {
            entries.extend(&block);
            next
        });
        index.push(id);
    }
    let mut out = String::new();
    let _ = writeln!(out, "static INDEX: [u16; {}] = {index:?};", index.len());
    let _ = writeln!(
        out,
        "static ENTRIES: [u32; {}] = {entries:?};",
        entries.len()
    );
    let path = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    fs::write(path.join("unicode_table.rs"), out).expect("OUT_DIR is writable");
}
