//! Articles to paragraphs: where one ends and the next begins, decided once for each article.
//!
//! Texts come as blocks between blank lines, as one line per paragraph, as hard-wrapped lines, and
//! as newswire: hard-wrapped, no blank lines, the first line of each paragraph indented.

/// What the caller wants; `Auto` looks at each article.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ParagraphMode {
    Auto,
    Line,
    Blank,
}

/// Longest line, in bytes, that can be a hard-wrapped one: terminals and teletypes end before.
const MAX_WRAPPED: usize = 100;
/// Below this a column is a list or verse, not wrapped prose.
const MIN_WRAPPED: usize = 35;
/// Indents deeper than this are tables and centred headings.
const MAX_INDENT: usize = 8;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Layout {
    Lines,
    Blocks,
    /// A new paragraph at every blank line and at every indented line.
    Indented,
}

#[derive(Clone, Copy)]
struct Line {
    start: usize,
    end: usize,
    indent: usize,
}

/// Replace `paragraphs` by the byte ranges of the paragraphs of `text`, trimmed, none empty.
pub fn split(text: &str, mode: ParagraphMode, paragraphs: &mut Vec<[u32; 2]>) {
    paragraphs.clear();
    let lines = || Lines { text, at: 0 };
    let layout = match mode {
        ParagraphMode::Line => Layout::Lines,
        ParagraphMode::Blank => Layout::Blocks,
        ParagraphMode::Auto => layout(text, lines()),
    };
    let mut open: Option<[usize; 2]> = None;
    let mut close = |open: &mut Option<[usize; 2]>| {
        if let Some([start, end]) = open.take() {
            paragraphs.push([start as u32, end as u32]);
        }
    };
    for line in lines() {
        if line.start == line.end {
            close(&mut open);
            continue;
        }
        let begins = match layout {
            Layout::Lines => true,
            Layout::Blocks => false,
            Layout::Indented => line.indent >= 2,
        };
        if begins {
            close(&mut open);
        }
        open = Some([open.map_or(line.start, |[start, _]| start), line.end]);
    }
    close(&mut open);
}

/// Trimmed lines; a blank one is empty.
struct Lines<'a> {
    text: &'a str,
    at: usize,
}

impl Iterator for Lines<'_> {
    type Item = Line;

    fn next(&mut self) -> Option<Line> {
        if self.at >= self.text.len() {
            return None;
        }
        let rest = &self.text[self.at..];
        let len = memchr::memchr(b'\n', rest.as_bytes()).unwrap_or(rest.len());
        let raw = &rest[..len];
        let (start, end) = trim(raw);
        let line = Line {
            start: self.at + start,
            end: self.at + end,
            indent: start,
        };
        self.at += len + 1;
        Some(line)
    }
}

/// Where a line's text starts and ends; most lines begin and end with a visible character.
#[inline]
fn trim(line: &str) -> (usize, usize) {
    if let ([b'!'..=b'~', ..], [.., b'!'..=b'~']) = (line.as_bytes(), line.as_bytes()) {
        return (0, line.len());
    }
    let start = line.len() - line.trim_start().len();
    (start, start.max(line.trim_end().len()))
}

fn layout(text: &str, lines: Lines<'_>) -> Layout {
    let mut count = 0;
    let mut longest = 0;
    let mut indented = 0;
    let mut blank_inside = false;
    let mut blank = false;
    for line in lines {
        if line.start == line.end {
            blank = count > 0;
            continue;
        }
        blank_inside |= blank;
        blank = false;
        count += 1;
        longest = longest.max(line.end - line.start + line.indent);
        indented += usize::from((2..=MAX_INDENT).contains(&line.indent));
    }
    // Newswire has more continuation lines than paragraphs, and all of them are short.
    let newswire = longest <= MAX_WRAPPED && indented > 0 && indented * 2 <= count;
    if newswire && is_wrapped(text, longest) {
        Layout::Indented
    } else if blank_inside || count < 2 || (indented == 0 && is_wrapped(text, longest)) {
        Layout::Blocks
    } else {
        Layout::Lines
    }
}

/// Whether the lines break where the next word would not fit, as wrapping does.
fn is_wrapped(text: &str, longest: usize) -> bool {
    if !(MIN_WRAPPED..=MAX_WRAPPED).contains(&longest) {
        return false;
    }
    let mut full = 0;
    let mut breaks = 0;
    let mut before: Option<Line> = None;
    for line in (Lines { text, at: 0 }) {
        if let Some(before) = before
            && before.start < before.end
            && line.start < line.end
            && line.indent < 2
        {
            let words = text[line.start..line.end].split_whitespace();
            let next_word = words.map(str::len).next().unwrap_or(0);
            let length = before.end - before.start + before.indent;
            // A ragged right edge: a twelfth of the column may stay free.
            full += usize::from(length + 1 + next_word + longest / 12 >= longest);
            breaks += 1;
        }
        before = Some(line);
    }
    breaks > 0 && full * 4 >= breaks * 3
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paragraphs(text: &str) -> Vec<&str> {
        let mut ranges = Vec::new();
        split(text, ParagraphMode::Auto, &mut ranges);
        ranges
            .iter()
            .map(|r| &text[r[0] as usize..r[1] as usize])
            .collect()
    }

    #[test]
    fn blank_lines_separate_paragraphs_and_wrapped_lines_inside_them_are_joined() {
        let text = "The harbour was closed\non Monday.\n\n  \nIt opens again on Friday.\n";
        assert_eq!(
            paragraphs(text),
            [
                "The harbour was closed\non Monday.",
                "It opens again on Friday."
            ]
        );
    }

    #[test]
    fn without_blank_lines_every_line_is_a_paragraph() {
        let text = "The harbour was closed on Monday after a barge ran aground in the channel.\nIt opens again on Friday.\nFerries run from the north pier until then, and the fish market has moved there too.";
        assert_eq!(paragraphs(text).len(), 3);
    }

    #[test]
    fn indented_newswire_splits_at_indents() {
        let text = "Showers eased the drought in the upland coffee region this week,\nand growers expect the late crop to recover, the Orla board said\nin its review.\n    The dry spell means that the picking season will be short, a\nspokesman said, but prices were steady.\n    Exports rose.";
        assert_eq!(paragraphs(text).len(), 3);
    }

    #[test]
    fn hard_wrapped_text_without_indents_is_one_paragraph() {
        let text = "Showers eased the drought in the upland coffee region this week,\nand growers expect the late crop to recover, the Orla board said\nin its review. The dry spell means that the season will be short,\nand that prices hold.";
        assert_eq!(paragraphs(text).len(), 1);
    }

    #[test]
    fn a_table_in_which_every_line_is_indented_splits_by_line() {
        assert_eq!(
            paragraphs("    Shr 34 cts vs 40 cts\n    Net 807 vs 900\n    Revs 12 mln").len(),
            3
        );
    }

    #[test]
    fn blank_text_has_no_paragraphs() {
        assert!(paragraphs(" \n\t\n\u{3000}\n").is_empty());
    }
}
