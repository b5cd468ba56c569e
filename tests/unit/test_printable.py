"""Text from data that is safe to print."""

from __future__ import annotations

import json
import subprocess
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dedup.errors import MAX_LENGTH, DedupError, RowError
from dedup.util.printable import printable, printable_json, shell_word, shorten


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]0;title\x07\x1b[2J", r"\x1b]0;title\x07\x1b[2J"),
        ("one\ntwo\r\tthree\x00\x7f", r"one\ntwo\r\tthree\x00\x7f"),
        ("\x9b31m\x85", r"\x9b31m\x85"),
        ("a\u202eb\u2066c\u200f", r"a\u202eb\u2066c\u200f"),
        ("zero\u200bwidth\ufeff", r"zero\u200bwidth\ufeff"),
        ("line\u2028paragraph\u2029", r"line\u2028paragraph\u2029"),
        ("tag \U000e0041", r"tag \U000e0041"),
        ("name\udcff\ud800", r"name\xff\ud800"),
        ("filler \u3164\uffa0", r"filler \u3164\uffa0"),
        ("joined\u200dletters and\u200cothers", r"joined\u200dletters and\u200cothers"),
        ("many\ufe0f\ufe0f", "many\ufe0f" + r"\ufe0f"),
    ],
)
def test_what_a_terminal_would_obey_or_not_show_becomes_an_escape(text: str, shown: str) -> None:
    assert printable(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "Zürich, Ærø, naïve, Ελλάδα, Москва, ירושלים, القاهرة, 東京, 서울, ไทย",
        "e\u0301 combines, and so does a\u030a",
        "می\u200cخواهم",  # Persian: a non-joiner within a word
        "क्\u200dष",  # Devanagari: a half form
        "ശ്രീ ന്\u200d",  # Malayalam: a joiner at the end of a word
        "👩🏽\u200d🚀 👨\u200d👩\u200d👧 🏳️\u200d🌈 ❤️ 🇳🇴",
        "non-breaking\u00a0space, wide\u3000space",
        r"C:\new\x1b",
    ],
)
def test_letters_marks_spaces_and_emoji_stay(text: str) -> None:
    assert printable(text) == text


@given(st.text(st.characters(codec=None)))
def test_what_is_printable_has_no_controls_and_stays_as_it_is(text: str) -> None:
    shown = printable(text)
    assert printable(shown) == shown
    kinds = {unicodedata.category(character) for character in shown}
    assert not kinds & {"Cc", "Cs", "Zl", "Zp"}
    assert not set(shown) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200b")


@given(st.dictionaries(st.text(), st.text(st.characters(codec=None))))
def test_json_stays_json_with_the_same_content(content: dict[str, str]) -> None:
    document = printable_json(json.dumps(content, indent=2, ensure_ascii=False))
    assert json.loads(document) == content
    assert all(printable(line) == line for line in document.split("\n"))


@settings(max_examples=30)
@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_a_shell_reads_a_quoted_word_as_it_was(word: str) -> None:
    quoted = shell_word(word)
    assert printable(quoted) == quoted
    done = subprocess.run(
        ["bash", "-c", f"printf %s {quoted}"], capture_output=True, check=True, timeout=60
    )
    assert done.stdout == word.encode()


def test_a_long_text_is_cut() -> None:
    assert shorten("a word\n" * 9, 20) == r"a word\na word\na w…"
    assert shorten("short", 5) == "short"


def test_the_message_of_an_error_is_one_short_printable_line() -> None:
    err = RowError("a\x1b[2J.jsonl", 3, "bad\nnews\u202e " + "x" * 10_000)
    assert str(err).startswith(r"a\x1b[2J.jsonl, row 3: bad\nnews\u202e xxx")
    assert len(str(err)) == MAX_LENGTH
    assert err.input_file == "a\x1b[2J.jsonl"
    assert DedupError("x", hint="do\rthis").hint == r"do\rthis"
