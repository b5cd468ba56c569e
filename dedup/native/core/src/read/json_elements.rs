//! A JSON document that is a list, cut into its elements as it is read: no more than one is held.
//!
//! An element ends where its brackets and quotes are closed. Errors inside one are left to its
//! parser, so that they cost one row and not the rest of the document.

use memchr::memchr2;

use crate::error::Error;

/// One element of a document.
#[derive(Debug, PartialEq, Eq)]
pub struct Element {
    /// Its bytes; `None` for one that is too long.
    pub bytes: Option<Vec<u8>>,
    pub place: ElementPosition,
}

/// A place in a document: bytes, lines, and bytes in the line before it.
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub struct ElementPosition {
    pub byte: usize,
    pub line: usize,
    pub column: usize,
}

impl ElementPosition {
    fn pass(&mut self, bytes: &[u8]) {
        self.byte += bytes.len();
        match memchr::memrchr(b'\n', bytes) {
            None => self.column += bytes.len(),
            Some(last) => {
                self.line += memchr::memchr_iter(b'\n', bytes).count();
                self.column = bytes.len() - last - 1;
            }
        }
    }

    /// As parsers write it.
    fn show(self) -> String {
        format!("at line {} column {}", self.line + 1, self.column + 1)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before the document's first character.
    Start,
    /// The document is one object: all of it is one element.
    Single,
    /// After `[`: an element or the end.
    First,
    /// After a comma.
    Next,
    /// After an element.
    Behind,
    /// In a list or an object.
    Nested,
    /// In a string of a list or an object, or that is an element; or after a backslash in it.
    Text,
    Escape,
    /// In a number or a word.
    Scalar,
    /// After `]`.
    Ended,
    /// What follows cannot be parsed.
    Broken,
}

/// Cuts a document that comes in blocks.
pub struct Splitter {
    max_bytes: usize,
    state: State,
    depth: usize,
    /// The open element so far, unless it is too long.
    held: Vec<u8>,
    is_too_long: bool,
    started: ElementPosition,
    place: ElementPosition,
    problem: Option<String>,
}

impl Splitter {
    /// Elements of more than `max_bytes` are skipped.
    pub fn new(max_bytes: usize) -> Self {
        Self {
            max_bytes,
            state: State::Start,
            depth: 0,
            held: Vec::new(),
            is_too_long: false,
            started: ElementPosition::default(),
            place: ElementPosition::default(),
            problem: None,
        }
    }

    /// Add the elements that end in the next block to `elements`.
    pub fn split(&mut self, block: &[u8], elements: &mut Vec<Element>) {
        let mut at = 0;
        while at < block.len() {
            let end = self.step(&block[at..]) + at;
            let passed = &block[at..end];
            if self.is_inside() {
                self.hold(passed);
            }
            self.place.pass(passed);
            at = end;
            self.settle(elements);
        }
    }

    /// Add the element in which the document ends: a complete one without a delimiter, or a
    /// truncated one.
    ///
    /// # Errors
    /// `NotJson` for a document that is not a list of elements.
    pub fn finish(&mut self, elements: &mut Vec<Element>) -> Result<(), Error> {
        if self.is_inside() {
            let is_single = self.state == State::Single;
            self.emit(elements);
            self.state = if is_single {
                State::Ended
            } else {
                State::Broken
            };
            return Ok(());
        }
        match self.state {
            State::Ended | State::Broken => {}
            _ => self.break_off("EOF while parsing a list", false),
        }
        match self.problem.take() {
            None => Ok(()),
            Some(problem) => Err(Error::NotJson { problem }),
        }
    }

    /// Advance by at least one byte; return by how many.
    fn step(&mut self, rest: &[u8]) -> usize {
        match self.state {
            State::Single | State::Broken => rest.len(),
            State::Text => match memchr2(b'"', b'\\', rest) {
                None => rest.len(),
                Some(at) => {
                    self.state = match rest[at] {
                        b'\\' => State::Escape,
                        _ => State::Nested,
                    };
                    at + 1
                }
            },
            State::Escape => {
                self.state = State::Text;
                1
            }
            State::Nested => self.step_nested(rest),
            State::Scalar => {
                let ends = |byte: &u8| matches!(byte, b',' | b']') || byte.is_ascii_whitespace();
                let end = rest.iter().position(ends);
                if end == Some(0) {
                    self.depth = 0;
                    self.state = State::Nested;
                }
                end.unwrap_or(rest.len())
            }
            _ => self.step_between(rest),
        }
    }

    fn step_nested(&mut self, rest: &[u8]) -> usize {
        for (at, byte) in rest.iter().enumerate() {
            match byte {
                b'"' => {
                    self.state = State::Text;
                    return at + 1;
                }
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        return at + 1;
                    }
                }
                _ => {}
            }
        }
        rest.len()
    }

    /// Outside elements: one byte, or none where an element begins.
    fn step_between(&mut self, rest: &[u8]) -> usize {
        let byte = rest[0];
        if byte.is_ascii_whitespace() {
            return rest
                .iter()
                .position(|byte| !byte.is_ascii_whitespace())
                .unwrap_or(rest.len());
        }
        match (self.state, byte) {
            (State::Start, b'[') => self.state = State::First,
            (State::Start, _) => {
                self.begin(State::Single);
                return 0;
            }
            (State::Behind, b',') => self.state = State::Next,
            (State::First | State::Behind, b']') => self.state = State::Ended,
            (State::First | State::Next, b',' | b']' | b'}' | b':') => {
                self.break_off("expected value", true);
            }
            (State::First | State::Next, _) => {
                match byte {
                    b'"' => self.begin(State::Text),
                    b'{' | b'[' => self.begin(State::Nested),
                    _ => self.begin(State::Scalar),
                }
                if byte == b'"' || self.state == State::Nested {
                    self.depth = usize::from(byte != b'"');
                    return 1;
                }
                return 0;
            }
            (State::Behind, _) => self.break_off("expected `,` or `]`", true),
            _ => self.break_off("trailing characters", true),
        }
        1
    }

    fn begin(&mut self, state: State) {
        self.state = state;
        self.started = self.place;
        self.held.clear();
        self.is_too_long = false;
    }

    fn break_off(&mut self, what: &str, is_at_byte: bool) {
        let mut place = self.place;
        if !is_at_byte {
            place.column = place.column.saturating_sub(1);
        }
        self.problem = Some(format!("{what} {}", place.show()));
        self.state = State::Broken;
    }

    fn is_inside(&self) -> bool {
        matches!(
            self.state,
            State::Single | State::Nested | State::Text | State::Escape | State::Scalar
        )
    }

    fn hold(&mut self, bytes: &[u8]) {
        if self.held.len() + bytes.len() > self.max_bytes {
            self.is_too_long = true;
            self.held = Vec::new();
        }
        if !self.is_too_long {
            self.held.extend_from_slice(bytes);
        }
    }

    /// Return the open element if it has ended.
    fn settle(&mut self, elements: &mut Vec<Element>) {
        if self.state == State::Nested && self.depth == 0 {
            self.emit(elements);
            self.state = State::Behind;
        }
    }

    fn emit(&mut self, elements: &mut Vec<Element>) {
        let held = std::mem::take(&mut self.held);
        elements.push(Element {
            bytes: (!self.is_too_long).then_some(held),
            place: self.started,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The elements of a document that comes in blocks of `size` bytes, and what is wrong with it.
    fn split(document: &str, size: usize, max_bytes: usize) -> (Vec<Option<String>>, String) {
        let mut splitter = Splitter::new(max_bytes);
        let mut elements = Vec::new();
        for block in document.as_bytes().chunks(size) {
            splitter.split(block, &mut elements);
        }
        let problem = splitter.finish(&mut elements).err();
        let text = |e: Element| e.bytes.map(|bytes| String::from_utf8(bytes).unwrap());
        (
            elements.into_iter().map(text).collect(),
            problem
                .map(|problem| problem.to_string())
                .unwrap_or_default(),
        )
    }

    fn some(elements: &[&str]) -> Vec<Option<String>> {
        elements.iter().map(|e| Some((*e).to_owned())).collect()
    }

    #[test]
    fn a_list_is_cut_wherever_its_blocks_end() {
        let document = r#" [{"a": "]}\"", "b": [1, {}]}, "x,\\" ,3,null , [[]]]  "#;
        let expected = some(&[
            r#"{"a": "]}\"", "b": [1, {}]}"#,
            r#""x,\\""#,
            "3",
            "null",
            "[[]]",
        ]);
        for size in 1..document.len() {
            assert_eq!(split(document, size, 99), (expected.clone(), String::new()));
        }
    }

    #[test]
    fn what_is_no_list_is_one_element() {
        assert_eq!(split("{\n}\n", 2, 99), (some(&["{\n}\n"]), String::new()));
        assert_eq!(split("[]", 1, 99), (Vec::new(), String::new()));
    }

    #[test]
    fn an_element_that_is_too_long_is_passed_over() {
        let (elements, problem) = split(r#"[{"a":1},"0123456789",{"b":2}]"#, 4, 8);
        let expected = [Some(r#"{"a":1}"#.into()), None, Some(r#"{"b":2}"#.into())];
        assert_eq!((elements, problem.as_str()), (expected.to_vec(), ""));
    }

    #[test]
    fn a_document_that_breaks_off_says_where() {
        for (document, problem) in [
            ("[1 2]", "expected `,` or `]` at line 1 column 4"),
            ("[1,\n]", "expected value at line 2 column 1"),
            ("[1]\nx", "trailing characters at line 2 column 1"),
            ("[1,", "EOF while parsing a list at line 1 column 3"),
        ] {
            let found = split(document, 1, 99);
            assert_eq!(found, (some(&["1"]), format!("not valid JSON: {problem}")));
        }
    }

    proptest! {
        #[test]
        fn any_list_gives_its_elements(
            texts in prop::collection::vec("[a\"\\\\\\[\\]{},: \n]{0,9}", 0..6), size in 1usize..9
        ) {
            let document = serde_json::to_string_pretty(&texts).unwrap();
            let (elements, problem) = split(&document, size, 99);
            let read = |e: &Option<String>| serde_json::from_str::<String>(e.as_ref()?).ok();
            let read: Vec<_> = elements.iter().map(read).collect();
            prop_assert_eq!(read, texts.into_iter().map(Some).collect::<Vec<_>>());
            prop_assert_eq!(problem, "");
        }
    }
}
