//! Which stops end a sentence. The tokeniser lists every stop that may; those that do not are
//! dropped here: after an abbreviation or an initial, inside a quotation, in an ellipsis.
//!
//! Stops of other scripts (。 । ؟ ። ។ ၊) have no other use and are never in doubt.

/// Titles and the like, which a name or a number follows: a stop after them ends nothing.
const TITLES: &[&str] = &[
    "mr", "mrs", "ms", "messrs", "mx", "dr", "prof", "st", "rev", "hon", "gov", "gen", "col", "lt",
    "capt", "cmdr", "maj", "sgt", "sen", "rep", "pres", "supt", "vs", "cf", "eg", "ie", "viz",
    "mme", "mlle", "sra", "srta", "sr", "dra", "dott", "sig", "hr", "fr", "bzw", "usw", "vgl",
];
/// Words that are cut before a number only: "No. 5", "Jan. 3", "p. 12".
const BEFORE_NUMBERS: &[&str] = &[
    "no", "nos", "nr", "vol", "p", "pp", "pg", "fig", "art", "sec", "para", "ch", "ca", "approx",
    "jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep", "sept", "oct", "nov", "dec",
];

/// Drop the starts after stops that end no sentence. `ranges` are the bytes of each token;
/// `sentences` the tokens after a stop.
pub fn settle(text: &str, ranges: &[[u32; 2]], sentences: &mut Vec<u32>) {
    sentences.retain(|first| {
        let next = *first as usize;
        // After the last token there is nothing that could continue.
        next >= ranges.len() || ends_between(text, ranges[next - 1], ranges[next])
    });
}

/// Whether the stop between two tokens ends a sentence.
fn ends_between(text: &str, before: [u32; 2], behind: [u32; 2]) -> bool {
    let bytes = text.as_bytes();
    let gap = &bytes[before[1] as usize..behind[0] as usize];
    if !gap.is_ascii() && has_other_stop(&text[before[1] as usize..behind[0] as usize]) {
        return true;
    }
    let next = bytes[behind[0] as usize];
    if next.is_ascii_lowercase() {
        return false;
    }
    // "Who?" and "Stop!" end; what follows is about points.
    if gap.first() != Some(&b'.') || gap.get(1) == Some(&b'.') {
        return true;
    }
    let word = &bytes[before[0] as usize..before[1] as usize];
    !(is_initial(word)
        || is_listed(TITLES, word)
        || next.is_ascii_digit() && is_listed(BEFORE_NUMBERS, word))
}

fn has_other_stop(gap: &str) -> bool {
    gap.chars()
        .any(|c| !c.is_ascii() && crate::text::look_up(c).ends_sentence())
}

/// "J. Smith", and the last letter of "U.S."
fn is_initial(word: &[u8]) -> bool {
    matches!(word, [letter] if letter.is_ascii_uppercase())
}

fn is_listed(list: &[&str], word: &[u8]) -> bool {
    word.len() <= 6
        && list
            .iter()
            .any(|listed| listed.as_bytes().eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use crate::text::{Tokens, tokenize};

    /// The first words of the sentences of a text.
    fn openings(text: &str) -> Vec<&str> {
        let mut tokens = Tokens::default();
        tokenize(text, &mut tokens);
        let starts = std::iter::once(&0).chain(&tokens.sentences);
        let starts = starts.filter(|first| (**first as usize) < tokens.len());
        starts
            .map(|first| {
                let [start, end] = tokens.ranges[*first as usize];
                &text[start as usize..end as usize]
            })
            .collect()
    }

    #[test]
    fn a_stop_behind_an_abbreviation_or_an_initial_ends_nothing() {
        assert_eq!(
            openings("Mr. Vale and Dr. J. K. Orla met. They ate."),
            ["Mr", "They"]
        );
        assert_eq!(
            openings("The U.S. Navy left on Jan. 5 by quay No. 7. It rained."),
            ["The", "It"]
        );
        assert_eq!(openings("She said no. Nobody asked."), ["She", "Nobody"]);
    }

    #[test]
    fn a_sentence_goes_on_in_lower_case() {
        assert_eq!(
            openings("\"Where?\" he asked. Then ... nothing came."),
            ["Where", "Then"]
        );
        assert_eq!(
            openings("He waited... Nothing came! Why? Ask."),
            ["He", "Nothing", "Why", "Ask"]
        );
    }

    #[test]
    fn every_script_has_its_stops() {
        assert_eq!(openings("港は閉まった。船は待つ。"), ["港", "船"]);
        assert_eq!(openings("बंदरगाह बंद है। नाव रुकी है।").len(), 2);
        assert_eq!(openings("هل أغلق الميناء؟ نعم أغلق.").len(), 2);
        assert_eq!(openings("ወደቡ ተዘጋ። መርከቦች ቆሙ።").len(), 2);
        assert_eq!(openings("\u{1796}\u{17d4}\u{1798}\u{17d4}").len(), 2);
        assert_eq!(openings("\u{1019}\u{104b}\u{101e}\u{104b}").len(), 2);
    }
}
