//! JSON articles to columns: one object per line, or a document that is an object or a list.
//!
//! Only the wanted fields are decoded, the rest is skipped. A line that cannot be read costs its
//! row, never its neighbours.

use std::fmt;

use serde::Deserializer as _;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::columns::{ArticleRows, StringColumn};
use super::json_elements::ElementPosition;
use crate::error::Error;

const BOM: &str = "\u{feff}";

/// A field that is wanted as a column.
#[derive(Debug, Clone)]
pub struct Field {
    /// The names it may have, best first. Each also matches in another case, exact case preferred.
    pub names: Vec<String>,
    /// Whether a number, boolean, list or object makes the row unreadable. Otherwise such a value
    /// becomes the text of its JSON.
    pub must_be_text: bool,
}

impl Field {
    /// How good a match `key` is: 0 is the best.
    fn rank(&self, key: &str) -> Option<usize> {
        let place = self
            .names
            .iter()
            .position(|name| name.eq_ignore_ascii_case(key))?;
        Some(2 * place + usize::from(self.names[place] != key))
    }
}

/// Read a block of whole lines, each a JSON object.
///
/// The number of a row is the number of its line, the first of the block being `first_line`.
/// Blank lines are skipped. `\r\n` ends a line as `\n` does, and a byte order mark is ignored.
/// Where an object has two keys for a field the better name wins, then the later key.
///
/// # Errors
/// `TooLong` for a block that one column could not hold.
pub fn parse_lines(block: &[u8], fields: &[Field], first_line: i64) -> Result<ArticleRows, Error> {
    let mut rows = ArticleRows::new(fields.len());
    for (column, field) in rows.columns.iter_mut().zip(fields) {
        column
            .values
            .reserve(if field.must_be_text { block.len() } else { 0 });
    }
    let mut keys = Keys::new(fields);
    let mut found = vec![None; fields.len()];
    let valid_block = std::str::from_utf8(block).ok();
    for (number, range) in (first_line..).zip(lines(block)) {
        let in_line = |problem: Error| format!("line {}: {problem}", number + 1);
        let line = match valid_block {
            Some(text) => Ok(&text[range]),
            None => std::str::from_utf8(&block[range]),
        };
        match line.map(|line| line.strip_prefix(BOM).unwrap_or(line)) {
            Ok(line) if line.trim_ascii().is_empty() => {}
            Ok(line) => {
                let problem =
                    push_values(&mut rows.columns, line, &mut keys, &mut found, in_one_line)?;
                rows.end_row(number, problem.map(in_line))?;
            }
            Err(err) => {
                let problem = Error::NotUtf8 {
                    at: err.valid_up_to() + 1,
                };
                rows.push_unreadable(number, in_line(problem))?;
            }
        }
    }
    Ok(rows)
}

/// Read elements of a document, the first of which is row `first_row`; `None` is one that is
/// longer than the `max_bytes` it may have.
///
/// # Errors
/// `TooLong` for more than one column could hold.
pub fn parse_elements<'e>(
    elements: impl Iterator<Item = (Option<&'e [u8]>, ElementPosition)>,
    fields: &[Field],
    first_row: i64,
    max_bytes: usize,
) -> Result<ArticleRows, Error> {
    let mut rows = ArticleRows::new(fields.len());
    let mut keys = Keys::new(fields);
    for (number, (bytes, place)) in (first_row..).zip(elements) {
        let text = match bytes.map(std::str::from_utf8) {
            Some(Ok(text)) => text,
            Some(Err(err)) => {
                let at = place.byte + err.valid_up_to() + 1;
                rows.push_unreadable(number, Error::NotUtf8 { at }.to_string())?;
                continue;
            }
            None => {
                let problem = Error::LongElement { max_bytes };
                rows.push_unreadable(number, problem.to_string())?;
                continue;
            }
        };
        let mut found = vec![None; fields.len()];
        let place_of = |err: &serde_json::Error| in_document(err, place);
        let problem = push_values(&mut rows.columns, text, &mut keys, &mut found, place_of)?;
        rows.end_row(number, problem.map(|problem| problem.to_string()))?;
    }
    Ok(rows)
}

/// A parser's message with the place in the document, of which it read the part after `start`.
fn in_document(err: &serde_json::Error, start: ElementPosition) -> String {
    let before = if err.line() > 1 { 0 } else { start.column };
    format!(
        "{} at line {} column {}",
        without_place(err),
        start.line + err.line(),
        before + err.column()
    )
}

/// The byte range of every line, without its `\n`.
fn lines(block: &[u8]) -> impl Iterator<Item = std::ops::Range<usize>> {
    let mut start = 0;
    memchr::memchr_iter(b'\n', block)
        .chain(std::iter::once(block.len()))
        .map(move |end| {
            let line = start..end;
            start = end + 1;
            line
        })
}

/// A value that was found for a field, and the rank of its key.
type Found<'de> = Option<(usize, &'de RawValue)>;

/// Push one value to every column; return the first problem. `found` is scratch space, and `place`
/// writes a parser's message with the place it names.
fn push_values<'de>(
    columns: &mut [StringColumn],
    article: &'de str,
    keys: &mut Keys,
    found: &mut [Found<'de>],
    place: impl Fn(&serde_json::Error) -> String,
) -> Result<Option<Error>, Error> {
    found.fill(None);
    let mut problem = find_values(article, keys, found, place).err();
    for ((column, field), found) in columns.iter_mut().zip(keys.fields).zip(found) {
        let value = found.map_or("null", |(_, value)| value.get());
        let outcome = push_value(column, value, field.must_be_text)?;
        problem = problem.or(outcome.err());
    }
    Ok(problem)
}

/// Note the raw JSON of every wanted field of an article.
fn find_values<'de>(
    article: &'de str,
    keys: &mut Keys,
    found: &mut [Found<'de>],
    place: impl Fn(&serde_json::Error) -> String,
) -> Result<(), Error> {
    let not_json = |err: serde_json::Error| Error::NotJson {
        problem: place(&err),
    };
    let kind = kind_of(article.trim_ascii_start());
    if kind != OBJECT {
        serde_json::from_str::<IgnoredAny>(article).map_err(not_json)?;
        return Err(Error::NotAnObject { kind });
    }
    let mut parser = serde_json::Deserializer::from_str(article);
    parser
        .deserialize_map(Object { keys, found })
        .and_then(|()| parser.end())
        .map_err(not_json)
}

/// Push a JSON value: a string as its text, null as null, anything else as its JSON.
fn push_value(
    column: &mut StringColumn,
    value: &str,
    must_be_text: bool,
) -> Result<Result<(), Error>, Error> {
    if value == "null" {
        return column.push_null().map(Ok);
    }
    let Some(quoted) = value.strip_prefix('"') else {
        if must_be_text {
            column.push_null()?;
            return Ok(Err(Error::NotText {
                kind: kind_of(value),
            }));
        }
        return column.push(value).map(Ok);
    };
    if memchr::memchr(b'\\', quoted.as_bytes()).is_none() {
        return column.push(&quoted[..quoted.len() - 1]).map(Ok);
    }
    column.push_with(|text| {
        let start = text.len();
        if unescape(&quoted[..quoted.len() - 1], text).is_some() {
            return Ok(());
        }
        // It is malformed, and the parser says how.
        text.truncate(start);
        let outcome = serde_json::Deserializer::from_str(value).deserialize_str(Unescape(text));
        outcome.map_err(|err| Error::NotJson {
            problem: without_place(&err),
        })
    })
}

/// Append the text of a string that is valid except for its escapes; `None` if one is malformed.
///
/// The string was scanned for its end and for control characters before, so that backslashes are
/// all there is to look for.
fn unescape(escaped: &str, text: &mut String) -> Option<()> {
    let mut rest = escaped;
    while let Some(at) = memchr::memchr(b'\\', rest.as_bytes()) {
        text.push_str(&rest[..at]);
        let (escape, after) = match *rest.as_bytes().get(at + 1)? {
            b'n' => ('\n', at + 2),
            b't' => ('\t', at + 2),
            b'r' => ('\r', at + 2),
            b'b' => ('\u{8}', at + 2),
            b'f' => ('\u{c}', at + 2),
            b'u' => unicode_escape(rest, at)?,
            byte @ (b'"' | b'\\' | b'/') => (char::from(byte), at + 2),
            _ => return None,
        };
        text.push(escape);
        rest = &rest[after..];
    }
    text.push_str(rest);
    Some(())
}

fn digit(byte: u8) -> Option<u32> {
    char::from(byte).to_digit(16)
}

/// The character of the `\uXXXX` at a place, or of a pair of surrogates, and the place after it.
fn unicode_escape(text: &str, at: usize) -> Option<(char, usize)> {
    let unit = |at: usize| match *text.as_bytes().get(at..at + 6)? {
        [b'\\', b'u', a, b, c, d] => {
            Some(digit(a)? << 12 | digit(b)? << 8 | digit(c)? << 4 | digit(d)?)
        }
        _ => None,
    };
    let first = unit(at)?;
    if !(0xD800..0xDC00).contains(&first) {
        return Some((char::from_u32(first)?, at + 6));
    }
    let second = unit(at + 6).filter(|second| (0xDC00..0xE000).contains(second))?;
    Some((
        char::from_u32(0x10000 + ((first & 0x3FF) << 10 | second & 0x3FF))?,
        at + 12,
    ))
}

const OBJECT: &str = "an object";

/// What a JSON value is, by its first character.
fn kind_of(value: &str) -> &'static str {
    match value.bytes().next() {
        Some(b'{') => OBJECT,
        Some(b'[') => "a list",
        Some(b'"') => "a string",
        Some(b't' | b'f') => "a boolean",
        Some(b'n') => "null",
        _ => "a number",
    }
}

/// A parser's message without " at line 1 column 7".
fn without_place(err: &serde_json::Error) -> String {
    let message = err.to_string();
    message
        .rsplit_once(" at line ")
        .map_or(message.clone(), |(text, _)| text.to_owned())
}

/// A parser's message with the column only, as the caller names the line.
fn in_one_line(err: &serde_json::Error) -> String {
    format!("{} at column {}", without_place(err), err.column())
}

/// Appends the text of a JSON string.
struct Unescape<'t>(&'t mut String);

impl Visitor<'_> for Unescape<'_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter) -> fmt::Result {
        out.write_str("a string")
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.0.push_str(text);
        Ok(())
    }
}

/// Walks the keys of an object and notes the best value of every wanted field.
struct Object<'k, 'f, 'v, 'de> {
    keys: &'k mut Keys<'f>,
    found: &'v mut [Found<'de>],
}

impl<'de> Visitor<'de> for Object<'_, '_, '_, 'de> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter) -> fmt::Result {
        out.write_str(OBJECT)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut place = 0;
        while let Some(wanted_by) = map.next_key_seed(Key(self.keys, place))? {
            place += 1;
            if wanted_by.is_empty() {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            let value = map.next_value::<&'de RawValue>()?;
            for &(field, rank) in wanted_by {
                let best = &mut self.found[field];
                if best.is_none_or(|(before, _)| rank <= before) {
                    *best = Some((rank, value));
                }
            }
        }
        Ok(())
    }
}

/// A field that wants the value of a key, and the rank of the key for it.
type WantedBy = (usize, usize);

/// The keys of the previous article, by place: most articles of a file have the same.
struct Keys<'f> {
    fields: &'f [Field],
    seen: Vec<(String, Vec<WantedBy>)>,
}

impl<'f> Keys<'f> {
    fn new(fields: &'f [Field]) -> Self {
        Self {
            fields,
            seen: Vec::new(),
        }
    }

    /// The fields that want the key at a place of an object.
    fn look_up(&mut self, key: &str, place: usize) -> &[WantedBy] {
        let place = place.min(MAX_KEYS);
        if self.seen.len() <= place {
            self.seen.resize_with(place + 1, Default::default);
        }
        let (name, wanted_by) = &mut self.seen[place];
        if name != key || key.is_empty() {
            key.clone_into(name);
            let ranks = self.fields.iter().map(|field| field.rank(key)).enumerate();
            wanted_by.clear();
            wanted_by.extend(ranks.filter_map(|(field, rank)| Some((field, rank?))));
        }
        wanted_by
    }
}

/// Keys that are remembered. An object has tens of keys; one with millions is an attack.
const MAX_KEYS: usize = 1000;

/// Looks a key up at its place.
struct Key<'k, 'f>(&'k mut Keys<'f>, usize);

impl<'k, 'de> DeserializeSeed<'de> for Key<'k, '_> {
    type Value = &'k [WantedBy];

    fn deserialize<D: serde::Deserializer<'de>>(self, key: D) -> Result<Self::Value, D::Error> {
        key.deserialize_str(self)
    }
}

impl<'k> Visitor<'_> for Key<'k, '_> {
    type Value = &'k [WantedBy];

    fn expecting(&self, out: &mut fmt::Formatter) -> fmt::Result {
        out.write_str("a field name")
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        Ok(self.0.look_up(key, self.1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    fn field(names: &[&str], must_be_text: bool) -> Field {
        Field {
            names: names.iter().map(ToString::to_string).collect(),
            must_be_text,
        }
    }

    fn id_and_text() -> Vec<Field> {
        vec![
            field(&["id", "uuid"], false),
            field(&["text", "body"], true),
        ]
    }

    /// (id, text, number, reason) of every row.
    type Row<'r> = (Option<&'r str>, Option<&'r str>, i64, Option<&'r str>);

    fn table(rows: &ArticleRows) -> Vec<Row<'_>> {
        let cells = rows.columns[0].iter().zip(rows.columns[1].iter());
        let places = rows.numbers.iter().zip(rows.reasons.iter());
        cells
            .zip(places)
            .map(|((id, text), (&number, reason))| (id, text, number, reason))
            .collect()
    }

    fn parse(block: &str) -> ArticleRows {
        parse_lines(block.as_bytes(), &id_and_text(), 0).unwrap()
    }

    #[test]
    fn a_line_is_a_row_and_a_blank_line_is_none() {
        let rows = parse("{\"id\":\"a\",\"text\":\"x\"}\n\n \t\r\n{\"text\":\"y\",\"id\":7}");
        let expected = [
            (Some("a"), Some("x"), 0, None),
            (Some("7"), Some("y"), 3, None),
        ];
        assert_eq!(table(&rows), expected);
    }

    #[test]
    fn lines_are_counted_from_the_first_of_the_block() {
        let rows = parse_lines(b"{}\n{", &id_and_text(), 40).unwrap();
        assert_eq!(rows.numbers, [40, 41]);
        let reason = "line 42: not valid JSON: EOF while parsing an object at column 1";
        assert_eq!(rows.reasons.iter().last().unwrap(), Some(reason));
    }

    #[test]
    fn byte_order_mark_and_carriage_return_are_no_part_of_a_row() {
        let rows = parse("\u{feff}{\"text\":\"x\"}\r\n{\"text\":\"y\"}\r\n");
        assert_eq!(
            table(&rows),
            [(None, Some("x"), 0, None), (None, Some("y"), 1, None)]
        );
    }

    #[test]
    fn the_better_name_wins_and_of_the_same_name_the_later_key() {
        let rows = parse(r#"{"uuid":"u","ID":"i","BODY":"b","Text":"T","text":"t1","text":"t2"}"#);
        assert_eq!(table(&rows), [(Some("i"), Some("t2"), 0, None)]);
    }

    #[test]
    fn the_keys_of_a_file_may_change_from_line_to_line() {
        let rows = parse(concat!(
            "{\"id\":1,\"text\":\"x\"}\n{\"text\":\"y\",\"id\":2}\n",
            "{\"a\":0,\"b\":0,\"uuid\":3}\n{\"body\":\"z\"}\n{}\n{\"id\":4,\"text\":\"u\"}",
        ));
        let expected = [
            (Some("1"), Some("x"), 0, None),
            (Some("2"), Some("y"), 1, None),
            (Some("3"), None, 2, None),
            (None, Some("z"), 3, None),
            (None, None, 4, None),
            (Some("4"), Some("u"), 5, None),
        ];
        assert_eq!(table(&rows), expected);
    }

    #[test]
    fn a_key_may_serve_two_fields() {
        let fields = [field(&["url"], false), field(&["link", "url"], false)];
        let rows = parse_lines(br#"{"url":"u"}"#, &fields, 0).unwrap();
        assert_eq!(table(&rows), [(Some("u"), Some("u"), 0, None)]);
    }

    #[test]
    fn a_value_that_is_no_string_becomes_its_json_but_a_text_is_refused() {
        for (json, kind) in [
            ("[1, 2]", "a list"),
            ("{\"a\": 1}", "an object"),
            ("true", "a boolean"),
            ("123456789012345678901234567890", "a number"),
        ] {
            let rows = parse(&format!("{{\"id\": {json}, \"text\": {json}}}"));
            let reason = format!("line 1: the text must be a string, but this is {kind}");
            assert_eq!(table(&rows), [(Some(json), None, 0, Some(reason.as_str()))]);
        }
    }

    #[test]
    fn a_text_of_the_wrong_kind_under_a_worse_name_does_not_matter() {
        let rows = parse(r#"{"body":{"html":"x"},"text":"t","body":3}"#);
        assert_eq!(table(&rows), [(None, Some("t"), 0, None)]);
    }

    #[test]
    fn a_malformed_line_costs_one_row_and_keeps_its_id() {
        let rows = parse("{\"id\":\"a\",\"text\":\"x\n{\"id\":\"b\",\"text\":\"y\"}\n");
        let reason = "line 1: not valid JSON: EOF while parsing a string at column 19";
        let expected = [
            (Some("a"), None, 0, Some(reason)),
            (Some("b"), Some("y"), 1, None),
        ];
        assert_eq!(table(&rows), expected);
    }

    #[test]
    fn a_line_that_is_no_object_is_named_for_what_it_is() {
        for (line, reason) in [
            (
                "[1]",
                "line 1: an article must be a JSON object, but this is a list",
            ),
            (
                "\"a\"",
                "line 1: an article must be a JSON object, but this is a string",
            ),
            (
                "nonsense",
                "line 1: not valid JSON: expected ident at column 2",
            ),
            (
                "{} {}",
                "line 1: not valid JSON: trailing characters at column 4",
            ),
            ("\0", "line 1: not valid JSON: expected value at column 1"),
        ] {
            assert_eq!(table(&parse(line)), [(None, None, 0, Some(reason))]);
        }
    }

    #[test]
    fn escapes_are_decoded_and_a_lone_surrogate_is_refused_where_it_is_wanted() {
        let rows = parse(
            "{\"id\":\"\\u00e9\\n\\u0000\\/\",\"text\":\"\\ud83d\\ude00\"}\n\
             {\"id\":\"b\",\"text\":\"x\\ud83d\"}\n{\"id\":\"c\",\"other\":\"\\ud83d\"}",
        );
        let [good, bad, ignored] = table(&rows)[..] else {
            panic!("three lines")
        };
        assert_eq!(good, (Some("é\n\0/"), Some("😀"), 0, None));
        assert_eq!((bad.0, bad.1, bad.2), (Some("b"), None, 1));
        assert!(
            bad.3.unwrap().starts_with("line 2: not valid JSON: "),
            "{bad:?}"
        );
        assert_eq!(ignored, (Some("c"), None, 2, None));
    }

    #[test]
    fn simple_escapes_are_decoded() {
        let rows = parse(r#"{"text":"\"\\\/\b\f\n\r\t"}"#);
        assert_eq!(
            table(&rows),
            [(None, Some("\"\\/\u{8}\u{c}\n\r\t"), 0, None)]
        );
    }

    #[test]
    fn invalid_utf8_costs_one_row() {
        let rows = parse_lines(
            b"{\"id\":1}\n{\"id\":\"\xff\"}\n{\"id\":3}",
            &id_and_text(),
            0,
        );
        let rows = rows.unwrap();
        let reason = "line 2: not valid UTF-8 from byte 8 on";
        let expected = [
            (Some("1"), None, 0, None),
            (None, None, 1, Some(reason)),
            (Some("3"), None, 2, None),
        ];
        assert_eq!(table(&rows), expected);
    }

    #[test]
    fn a_field_that_is_not_wanted_may_be_nested_deeply() {
        let line = format!(
            "{{\"x\":{}{},\"id\":1}}",
            "[".repeat(100_000),
            "]".repeat(100_000)
        );
        assert_eq!(table(&parse(&line)), [(Some("1"), None, 0, None)]);
    }

    #[test]
    fn the_elements_of_a_document_are_rows_with_its_places() {
        let place = |byte, line, column| ElementPosition { byte, line, column };
        let elements: [(Option<&[u8]>, ElementPosition); 4] = [
            (Some(b"{\"id\": 1}"), place(1, 0, 1)),
            (Some(b"{\"id\" 2}"), place(20, 3, 4)),
            (Some(b"\"\xff\""), place(40, 5, 0)),
            (None, place(50, 6, 0)),
        ];
        let rows = parse_elements(elements.into_iter(), &id_and_text(), 7, 9).unwrap();
        let expected = [
            (Some("1"), None, 7, None),
            (
                None,
                None,
                8,
                Some("not valid JSON: expected `:` at line 4 column 11"),
            ),
            (None, None, 9, Some("not valid UTF-8 from byte 42 on")),
            (
                None,
                None,
                10,
                Some("the JSON of the article is longer than 9 bytes"),
            ),
        ];
        assert_eq!(table(&rows), expected);
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 16, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::hash_map(any::<String>(), inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_object_gives_what_a_full_parser_gives(
            others in prop::collection::vec((any::<String>(), json()), 0..4),
            id in json(),
            text in json(),
        ) {
            let mut object: serde_json::Map<String, Value> = others.into_iter().collect();
            object.retain(|key, _| id_and_text().iter().all(|field| field.rank(key).is_none()));
            object.insert("id".into(), id.clone());
            object.insert("text".into(), text.clone());
            let line = Value::Object(object).to_string();
            let rows = parse(&line);
            let expected_id = match &id {
                Value::Null => None,
                Value::String(text) => Some(text.clone()),
                other => Some(other.to_string()),
            };
            let [(id, found, _, reason)] = table(&rows)[..] else { panic!("one line") };
            prop_assert_eq!(id, expected_id.as_deref());
            prop_assert_eq!(found, text.as_str());
            prop_assert_eq!(reason.is_some(), !(text.is_null() || text.is_string()));
        }

        #[test]
        fn escapes_are_decoded_as_by_a_full_parser(
            parts in prop::collection::vec(
                prop_oneof![
                    Just("\\ud83d".to_owned()),
                    Just("\\uDE00".to_owned()),
                    "\\\\u[0-9a-fA-F]{4}",
                    "\\\\[nrtbf/\"\\\\xu]",
                    "[aé😀+]",
                ],
                0..6,
            ),
        ) {
            let json = format!("\"{}\"", parts.concat());
            let expected = serde_json::from_str::<String>(&json).ok();
            let rows = parse(&format!("{{\"text\":{json}}}"));
            prop_assert_eq!(table(&rows)[0].1, expected.as_deref());
        }

        #[test]
        fn a_line_is_refused_exactly_where_a_full_parser_refuses_it(
            line in "[{}\\[\\]:,\"a1 \\\\un]{0,12}",
        ) {
            let full = serde_json::from_str::<Value>(&line);
            let refused = parse(&line).reasons.iter().any(|reason| reason.is_some());
            let is_blank = line.trim_ascii().is_empty();
            // an escape in a field that is not wanted is skipped, not decoded
            let is_object = full.as_ref().is_ok_and(Value::is_object);
            if !line.contains("\\u") {
                prop_assert_eq!(refused, !is_object && !is_blank);
            }
        }

        #[test]
        fn any_bytes_give_a_row_a_line(block in prop::collection::vec(any::<u8>(), 0..200)) {
            let rows = parse_lines(&block, &id_and_text(), 0).unwrap();
            let filled = block.split(|&byte| byte == b'\n');
            let filled = filled.filter(|line| !line.strip_prefix(BOM.as_bytes())
                .unwrap_or(line).trim_ascii().is_empty());
            prop_assert_eq!(rows.numbers.len(), filled.count());
        }
    }
}
