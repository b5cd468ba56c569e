"""What a scan says of small corpora that can be checked by eye."""

from __future__ import annotations

import json
import random
import re
import unicodedata
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pytest
from checkout import DEMO
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dedup import Scan, scan

Row = dict[str, Any]
Article = str | dict[str, Any]
Scanner = Callable[..., Scan]

FIRST_DAY = datetime(2024, 1, 1)
# One shared temporary folder serves all examples of a property: each scan replaces the last.
PROPERTY = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def words(first: int, last: int, stem: str = "w") -> str:
    """Return the invented words number `first` to `last`, both included."""
    return " ".join(f"{stem}{n}" for n in range(first, last + 1))


def edited(text: str, *places: int) -> str:
    """Return `text` with the words at these places replaced by new ones."""
    given = text.split()
    for place in places:
        given[place] = f"new{place}"
    return " ".join(given)


def blocks(*paragraphs: str) -> str:
    return "\n\n".join(paragraphs)


@pytest.fixture
def run(tmp_path: Path) -> Scanner:
    """Scan articles given as texts or records; ids are a, b, c, ... and each is a week younger."""

    def scan_articles(*articles: Article, **options: Any) -> Scan:
        lines = []
        for n, article in enumerate(articles):
            date = (FIRST_DAY + timedelta(weeks=n)).isoformat()
            record: Row = {"id": chr(ord("a") + n), "date": date}
            record.update({"text": article} if isinstance(article, str) else article)
            lines.append(json.dumps(record))
        path = tmp_path / "articles.jsonl"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return scan(path, tmp_path / "results", **options)

    return scan_articles


def rows(result: Scan, table: str, **wanted: Any) -> list[Row]:
    found: list[Row] = result.dataset(table).to_table().to_pylist()
    return [row for row in found if all(row[name] == value for name, value in wanted.items())]


def article(result: Scan, name: str) -> Row:
    [row] = rows(result, "articles", article_id=name)
    return row


def kinds(result: Scan, name: str) -> list[str]:
    return [row["kind"] for row in rows(result, "paragraphs", article_id=name)]


def normal(text: str) -> str:
    """Return letters, marks and digits only, as matching sees them."""
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return "".join(c for c in text if unicodedata.category(c)[0] in "LMN")


def respelt(text: str, way: int) -> str:
    """Return `text` with the same words in other letters, spaces and stops."""
    form = ("NFC", "NFD", "NFKC")[way % 3]
    given = unicodedata.normalize(form, text).split(" ")
    hyphenated = [word[:1] + "\u00ad" * (way % 2) + word[1:] for word in given]
    cased = [word.upper() if n % (way + 2) == 0 else word for n, word in enumerate(hyphenated)]
    return "\u2014 " * (way % 4) + (" " * (way + 1)).join(cased)


def lcs(left: Sequence[str], right: Sequence[str]) -> int:
    """Return the length of the longest common subsequence, by the textbook table."""
    row = [0] * (len(right) + 1)
    for a in left:
        before = 0
        for j, b in enumerate(right):
            above = row[j + 1]
            row[j + 1] = before + 1 if a == b else max(above, row[j])
            before = above
    return row[-1]


# Exact copies


HARBOUR = "The harbour reopened on Monday morning"
HIDDEN = "\ufeffThe har\u200bbour\u200e reopened on Mon\u2060day morning"
FRENCH = "Le café a fermé pour l'été à midi"
GERMAN = "Die Straße am großen Fluß ist gesperrt"
KOREAN = "한국 신문은 오늘 아침 다시 문을 열었다"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(HARBOUR, HARBOUR.upper(), id="case"),
        pytest.param("“Open,” he said – it’s open", "'Open' he said; it's open!", id="punctuation"),
        pytest.param(HARBOUR, "The  harbour\treopened on Monday\u00a0morning", id="white space"),
        pytest.param(HARBOUR, HARBOUR.replace("ur", "u\u00adr"), id="soft hyphens"),
        pytest.param(HARBOUR, HIDDEN, id="invisible characters"),
        pytest.param(FRENCH, unicodedata.normalize("NFD", FRENCH), id="decomposed accents"),
        pytest.param(KOREAN, unicodedata.normalize("NFD", KOREAN), id="decomposed syllables"),
        pytest.param("The office filed its first", "The oﬃce ﬁled its ﬁrst", id="ligatures"),
        pytest.param(
            "Page 12 of 40 in 2024", "Ｐａｇｅ　１２ of ４０ in ２０２４", id="full width"
        ),
        pytest.param(
            "Pay 1.2 or 3,400 crowns", "Pay １．２ or ３，４００ crowns", id="wide numbers"
        ),
        pytest.param(GERMAN, "DIE STRASSE AM GROSSEN FLUSS IST GESPERRT", id="sharp s"),
        pytest.param("ὁ λόγος τοῦ Ὀδυσσέως ἦν", "Ὁ ΛΌΓΟΣ ΤΟῦ ὈΔΥΣΣΈΩΣ ἮΝ", id="final sigma"),
        pytest.param("ガラスとボタンとバスのパン", "ｶﾞﾗｽとﾎﾞﾀﾝとﾊﾞｽのﾊﾟﾝ", id="narrow katakana"),
    ],
)
def test_an_exact_copy_is_seen_through(run: Scanner, one: str, other: str) -> None:
    result = run(one, other)
    assert kinds(result, "b") == ["exact_copy"]
    assert article(result, "b")["redundancy"] == 1.0


def test_a_figure_that_differs_makes_no_exact_copy(run: Scanner) -> None:
    text = words(1, 12) + " rose by 4,650 crowns"
    assert kinds(run(text, text.replace("4,650", "4,651")), "b") == ["near_copy"]


def test_words_in_another_order_make_no_exact_copy(run: Scanner) -> None:
    assert kinds(run("one two three four five six", "six five four three two one"), "b") == [
        "original"
    ]


def test_an_exact_copy_names_the_first_holder_and_counts_all(run: Scanner) -> None:
    result = run(words(1, 20), words(1, 20), words(1, 20))
    found = [(p["match_article"], p["copies"]) for p in rows(result, "paragraphs")]
    assert found == [(None, 3), ("a", 3), ("a", 3)]


# Near-copies


def test_eight_words_in_ten_are_enough(run: Scanner) -> None:
    result = run(words(1, 40), edited(words(1, 40), 4, 9, 14, 19, 24, 29, 34, 39), exact=True)
    [paragraph] = rows(result, "paragraphs", article_id="b")
    assert (paragraph["kind"], paragraph["match_article"]) == ("near_copy", "a")
    assert paragraph["similarity"] == pytest.approx(0.8)
    assert article(result, "b")["copied"] == pytest.approx(0.8)


def test_a_word_fewer_is_not_enough(run: Scanner) -> None:
    result = run(words(1, 40), edited(words(1, 40), 0, 4, 9, 14, 19, 24, 29, 34, 39), exact=True)
    assert kinds(result, "b") == ["original"]
    assert article(result, "b")["redundancy_symmetric"] == 0


def test_a_higher_threshold_finds_fewer(run: Scanner) -> None:
    texts = [words(1, 40), edited(words(1, 40), 7, 15, 23, 31, 39), edited(words(1, 40), 20)]
    found = {
        threshold: {
            (p["left_article"], p["right_article"])
            for p in rows(run(*texts, threshold=threshold), "pairs", unit="paragraph")
        }
        for threshold in (0.8, 0.9)
    }
    assert found == {0.8: {("a", "b"), ("a", "c"), ("b", "c")}, 0.9: {("a", "c")}}


def test_a_stricter_threshold_is_a_filter_of_the_pairs(run: Scanner) -> None:
    texts = [words(1, 40), edited(words(1, 40), 9, 19, 29, 39), edited(words(1, 40), 9, 39)]
    similar = (pc.field("similarity") >= 0.9) & (pc.field("unit") == "paragraph")
    loose = run(*texts, exact=True).pairs.to_table(filter=similar)
    strict = run(*texts, exact=True, threshold=0.9).pairs.to_table(filter=similar)
    assert loose.num_rows == 3
    assert strict.num_rows == 3


@pytest.mark.parametrize(("shared", "found"), [(12, True), (11, False)])
def test_containment_needs_twelve_words(run: Scanner, shared: int, found: bool) -> None:
    result = run(words(1, 60), words(21, 20 + shared))
    pairs = rows(result, "pairs", unit="paragraph")
    assert [p["containment"] for p in pairs] == ([1.0] if found else [])


def test_an_excerpt_of_a_long_paragraph_is_a_near_copy(run: Scanner) -> None:
    result = run(words(1, 300), words(101, 150))
    [pair] = rows(result, "pairs", unit="paragraph")
    assert (pair["containment"], pair["shared_tokens"]) == (1.0, 50)
    assert article(result, "b")["copied"] == 1.0


def test_a_short_text_quoted_in_a_longer_one_is_copied_there(run: Scanner) -> None:
    result = run(words(1, 50), words(1, 50, "x") + " " + words(1, 50) + " " + words(1, 50, "y"))
    assert article(result, "b")["copied"] == pytest.approx(1 / 3)


def test_a_near_copy_is_explained_by_the_most_similar_article(run: Scanner) -> None:
    text = words(1, 40)
    result = run(edited(text, 3, 13, 23, 33), edited(text, 8), text)
    [paragraph] = rows(result, "paragraphs", article_id="c")
    assert paragraph["match_article"] == "b"


def test_articles_are_near_copies_by_their_words_whatever_their_paragraphs(run: Scanner) -> None:
    result = run(blocks(words(1, 30), words(31, 60)), words(1, 60))
    [pair] = rows(result, "pairs", unit="article")
    assert pair["similarity"] == 1.0
    assert article(result, "a")["is_representative"]


def test_every_two_articles_of_a_family_are_a_pair(run: Scanner) -> None:
    texts = [words(1, 40), edited(words(1, 40), 9, 19, 29, 39), edited(words(1, 40), 9, 39)]
    found = rows(run(*texts, exact=True), "pairs", unit="article")
    pairs = [(p["left_article"], p["right_article"]) for p in found]
    assert pairs == [("a", "b"), ("a", "c"), ("b", "c")]


def test_an_article_is_clustered_though_its_paragraphs_are_nearest_to_different_versions(
    run: Scanner,
) -> None:
    def version(number: int, *places: int) -> list[str]:
        return [edited(words(1, 40, f"p{p}w"), *(n + number for n in places)) for p in range(4)]

    versions = [version(0), *(version(n, 2, 12, 22) for n in (1, 2, 3))]
    mixed = [edited(versions[p][p], 37) for p in range(4)]
    result = run(*(blocks(*paragraphs) for paragraphs in versions), blocks(*mixed))
    assert article(result, "e")["copied"] == pytest.approx(0.975)
    assert len({article(result, name)["article_cluster"] for name in "abcde"}) == 1


# What is copied when paragraphs were joined or split


def test_an_article_whose_paragraphs_were_joined_is_copied_whole(run: Scanner) -> None:
    result = run(blocks(words(1, 30), words(31, 60), words(61, 90)), words(1, 90))
    assert article(result, "b")["copied"] == 1.0


def test_an_article_whose_paragraph_was_split_is_copied_whole(run: Scanner) -> None:
    result = run(words(1, 90), blocks(words(1, 30), words(31, 60), words(61, 90)))
    assert article(result, "b")["copied"] == 1.0


def test_a_paragraph_made_of_two_articles_is_copied_from_both(run: Scanner) -> None:
    result = run(words(1, 30), words(31, 60), words(1, 60))
    assert article(result, "c")["copied"] == 1.0
    assert {s["match_article"] for s in rows(result, "spans", article_id="c")} == {"a", "b"}


def test_both_originals_of_a_joined_paragraph_are_reused(run: Scanner) -> None:
    result = run(words(1, 30), words(31, 60), words(1, 60))
    assert [article(result, name)["reused_by"] for name in "ab"] == [1, 1]


# Shared runs


@pytest.mark.parametrize(("length", "copied"), [(12, 12), (11, 0), (30, 30)])
def test_a_run_of_twelve_shared_words_is_copied_and_of_eleven_is_not(
    run: Scanner, length: int, copied: int
) -> None:
    other = f"{words(1, 30, 'x')} {words(21, 20 + length)} {words(1, 30, 'y')}"
    result = run(words(1, 80), other)
    assert article(result, "b")["copied"] == pytest.approx(copied / (60 + length))
    assert kinds(result, "b") == ["original"]


def test_a_shared_run_spans_exactly_its_words(run: Scanner) -> None:
    quote = words(21, 40)
    other = f"Quoted: “{quote}” {words(1, 30, 'y')}"
    [span] = rows(run(words(1, 80), other), "spans")
    assert span["kind"] == "shared_run"
    assert other[span["start"] : span["end"]] == quote
    assert words(1, 80)[span["match_start"] : span["match_end"]] == quote


@given(
    left=st.lists(st.integers(0, 30), max_size=25),
    right=st.lists(st.integers(0, 30), max_size=25),
    start=st.integers(0, 40),
    length=st.integers(12, 20),
)
@PROPERTY
def test_any_run_of_twelve_words_is_found(
    run: Scanner, left: list[int], right: list[int], start: int, length: int
) -> None:
    quote = words(start, start + length - 1)
    other = f"{words(1, 15, 'x')} {quote} {words(1, 15, 'y')}"
    first = " ".join([*(f"l{n}" for n in left), quote, *(f"r{n}" for n in right)])
    result = run(first, other)
    assert article(result, "b")["copied"] >= length / (30 + length) - 1e-9


# Repeats within an article


def test_a_paragraph_that_stood_before_is_an_internal_repeat(run: Scanner) -> None:
    result = run(blocks(words(1, 20), words(21, 40), words(1, 20)))
    assert kinds(result, "a") == ["original", "original", "internal_repeat"]
    assert article(result, "a")["internal"] == pytest.approx(1 / 3)


@pytest.mark.parametrize(("sentence", "repeated"), [(words(1, 5), 5), (words(1, 4), 0)])
def test_a_sentence_of_five_words_counts_again_and_of_four_does_not(
    run: Scanner, sentence: str, repeated: int
) -> None:
    sentence = sentence.capitalize()
    text = f"{words(1, 9, 'X')}. {sentence}. {words(1, 9, 'Y')}. {sentence}. {words(1, 9, 'Z')}."
    row = article(run(text), "a")
    assert row["internal"] == pytest.approx(repeated / row["tokens"])


@pytest.mark.parametrize(("length", "repeated"), [(8, 8), (7, 0)])
def test_a_run_of_eight_words_counts_again_and_of_seven_does_not(
    run: Scanner, length: int, repeated: int
) -> None:
    quote = words(1, length)
    row = article(run(f"{words(1, 9, 'x')} {quote} {words(1, 9, 'y')} {quote} end"), "a")
    assert row["internal"] == pytest.approx(repeated / row["tokens"])


def test_a_repeat_of_copied_words_is_internal_not_copied(run: Scanner) -> None:
    row = article(run(words(1, 20), blocks(words(1, 20), words(1, 20))), "b")
    assert (row["internal"], row["copied"], row["redundancy"]) == (0.5, 0.5, 1.0)


def test_a_repeat_does_not_make_an_article_a_source(run: Scanner) -> None:
    row = article(run(blocks(words(1, 20), words(1, 20))), "a")
    assert (row["reused_by"], row["top_source"]) == (0, None)


@pytest.mark.parametrize(
    ("changed", "is_repeat", "has_internal_words"),
    [(range(0), True, True), (range(12, 42, 13), False, True), (range(6, 42, 7), False, False)],
    ids=["every word again", "twelve words in a row", "six words in a row"],
)
def test_eight_words_in_a_row_that_come_again_are_internal(
    run: Scanner, changed: range, is_repeat: bool, has_internal_words: bool
) -> None:
    text = words(1, 42)
    result = run(blocks(text, edited(text, *changed)))
    assert ("internal_repeat" in kinds(result, "a")) is is_repeat
    assert (article(result, "a")["internal"] > 0) is has_internal_words


# Short paragraphs


def test_a_paragraph_of_four_words_is_no_evidence_on_its_own(run: Scanner) -> None:
    result = run(
        blocks("Read more about this", words(1, 30)),
        blocks("Read more about this", words(1, 30, "x")),
    )
    assert kinds(result, "b") == ["too_short", "original"]
    assert article(result, "b")["redundancy_symmetric"] == 0


def test_a_short_paragraph_counts_beside_a_copied_one(run: Scanner) -> None:
    text = blocks(words(1, 30), "Read more")
    result = run(text, text)
    assert kinds(result, "b") == ["exact_copy", "exact_copy"]
    assert article(result, "b")["redundancy"] == 1.0


def test_a_short_paragraph_that_its_neighbours_source_lacks_does_not_count(run: Scanner) -> None:
    result = run(words(1, 30), blocks(words(1, 30), "Read more"))
    assert kinds(result, "b") == ["exact_copy", "too_short"]


def test_two_short_paragraphs_beside_a_copied_one_both_count(run: Scanner) -> None:
    text = blocks("By Ann", "In Saltmere", words(1, 30))
    assert kinds(run(text, text), "b") == ["exact_copy"] * 3


def test_too_short_for_a_sketch_still_matches_exactly(run: Scanner) -> None:
    assert kinds(run(words(1, 5), words(1, 5)), "b") == ["exact_copy"]


def test_different_short_texts_never_match(run: Scanner) -> None:
    result = run("Yes", "No", "Yes indeed", "No thanks", "Good morning all")
    assert rows(result, "pairs") == []
    assert rows(result, "clusters") == []


# Scores


def test_the_original_is_not_blamed_but_shows_as_symmetric(run: Scanner) -> None:
    row = article(run(words(1, 30), words(1, 30)), "a")
    assert (row["redundancy"], row["redundancy_symmetric"]) == (0, 1.0)


def test_articles_with_the_same_words_are_equally_redundant_symmetrically(run: Scanner) -> None:
    text = blocks(words(1, 30), "Read more", "Share this")
    result = run(text, text)
    assert [article(result, name)["redundancy_symmetric"] for name in "ab"] == [1.0, 1.0]


def test_a_short_paragraph_that_no_one_is_blamed_for_is_not_symmetric(run: Scanner) -> None:
    shared, line = words(1, 30), "Read more"
    result = run(shared, blocks(words(1, 30, "x"), line), blocks(shared, line))
    row = article(result, "c")
    assert row["redundancy"] == pytest.approx(30 / 32)
    assert row["redundancy_symmetric"] == pytest.approx(30 / 32)


def test_reused_by_counts_articles_not_paragraphs(run: Scanner) -> None:
    text = blocks(words(1, 30), words(31, 60))
    assert article(run(text, text, words(1, 30)), "a")["reused_by"] == 2


def test_an_article_is_not_reused_by_one_that_has_its_words_from_elsewhere(run: Scanner) -> None:
    quote = words(1, 12)
    first = f"{quote} {words(1, 20, 'x')}"
    # The third article has the quote from the second; where it stands again it is a repeat.
    third = blocks(words(1, 30), f"{quote} {words(1, 20, 'y')}")
    result = run(first, words(1, 30), third)
    assert article(result, "b")["reused_by"] == 1
    assert article(result, "a")["reused_by"] == 1  # by the second


def test_top_source_is_the_article_most_words_came_from(run: Scanner) -> None:
    row = article(run(words(1, 20), words(21, 60), blocks(words(1, 20), words(21, 60))), "c")
    assert row["top_source"] == "b"
    assert row["top_source_share"] == pytest.approx(2 / 3)


def test_an_original_has_no_top_source(run: Scanner) -> None:
    row = article(run(words(1, 40)), "a")
    assert (row["top_source"], row["top_source_share"]) == (None, 0)


@pytest.mark.parametrize(("count", "low"), [(29, True), (30, False)])
def test_fewer_than_thirty_words_are_low_evidence(run: Scanner, count: int, low: bool) -> None:
    assert article(run(words(1, count)), "a")["low_evidence"] is low


# First seen


def test_the_earlier_date_is_the_origin_whatever_the_order_of_rows(run: Scanner) -> None:
    result = run(
        {"text": words(1, 30), "date": "2024-03-02"}, {"text": words(1, 30), "date": "2024-03-01"}
    )
    assert [article(result, name)["redundancy"] for name in "ab"] == [1.0, 0]


def test_dates_are_compared_across_time_zones(run: Scanner) -> None:
    result = run(
        {"text": words(1, 30), "date": "2024-03-03T01:00:00+09:00"},
        {"text": words(1, 30), "date": "2024-03-02T17:00:00Z"},
    )
    assert [article(result, name)["redundancy"] for name in "ab"] == [0, 1.0]


def test_without_dates_the_file_and_then_the_row_decide(tmp_path: Path) -> None:
    for name in ("late", "early"):
        line = json.dumps({"id": name, "text": words(1, 30)})
        (tmp_path / f"{name}.jsonl").write_text(line, encoding="utf-8")
    result = scan([tmp_path / "late.jsonl", tmp_path / "early.jsonl"], tmp_path / "results")
    assert article(result, "early")["redundancy"] == 0
    assert article(result, "late")["top_source"] == "early"


def test_an_undated_article_comes_after_a_dated_one(run: Scanner) -> None:
    result = run({"text": words(1, 30), "date": None}, words(1, 30))
    assert article(result, "a")["top_source"] == "b"


@pytest.mark.parametrize(
    ("date", "ambiguous"),
    [("2024-01-01T23:59:59Z", True), ("2024-01-02T00:00:00Z", False), (None, True)],
)
def test_copies_within_a_day_or_undated_are_ambiguous_on_both_sides(
    run: Scanner, date: str | None, ambiguous: bool
) -> None:
    result = run(words(1, 30), {"text": words(1, 30), "date": date})
    assert [article(result, name)["origin_ambiguous"] for name in "ab"] == [ambiguous] * 2


def test_an_undated_article_that_shares_nothing_is_not_ambiguous(run: Scanner) -> None:
    result = run({"text": words(1, 30), "date": None}, words(1, 30, "x"))
    assert not article(result, "a")["origin_ambiguous"]


# Spans


@pytest.mark.parametrize("prefix", ["", "😀 ", "👩‍👩‍👧‍👦🇫🇷\n\n", "e\u0301\u0301 ", "\u202b\u200f"])
def test_spans_are_code_points_of_both_texts_in_every_script(tmp_path: Path, prefix: str) -> None:
    texts: dict[str, str] = {}
    lines = []
    for path in sorted(DEMO.glob("*.jsonl")):
        for number, line in enumerate(path.read_text(encoding="utf-8").strip().split("\n")):
            record = json.loads(line)
            record["id"] = f"{path.stem}-{number}"
            # Of every other article only: the two sides must not merely be off by the same.
            record["text"] = record["text"] if number % 2 else prefix + record["text"]
            texts[record["id"]] = record["text"]
            lines.append(json.dumps(record))
    (tmp_path / "all.jsonl").write_text("\n".join(lines), encoding="utf-8")
    result = scan(tmp_path / "all.jsonl", tmp_path / "results")
    assert {s["kind"] for s in rows(result, "spans")} == {
        "exact_copy",
        "near_copy",
        "internal_repeat",
        "shared_run",
        "boilerplate",
        "templated",
    }
    check_places(result, texts)


def check_places(result: Scan, texts: dict[str, str]) -> None:
    """Check that each span starts and ends where the words it is about do, here and there."""
    fixed = {row["template_id"]: fixed_runs(row["pattern"]) for row in rows(result, "templates")}
    held: dict[str, set[str]] = {}
    for row in rows(result, "paragraphs"):
        paragraph = texts[row["article_id"]][row["start"] : row["end"]]
        held.setdefault(row["cluster_id"], set()).add(normal(paragraph))
    for span in rows(result, "spans"):
        shown = texts[span["article_id"]][span["start"] : span["end"]]
        here = normal(shown)
        if span["match_article"] is not None:
            there = texts[span["match_article"]][span["match_start"] : span["match_end"]]
            assert here == normal(there) != ""
            is_whole = span["kind"] == "exact_copy"
        elif span["kind"] == "templated":
            assert here in fixed[span["template_id"]]
            is_whole = False
        else:
            assert any(here in paragraph for paragraph in held[span["cluster_id"]])
            is_whole = here in held[span["cluster_id"]]
        if not is_whole:  # a span of words; a paragraph has its marks as well
            assert normal(shown[0]) != "" or unicodedata.category(shown[0]) == "So"


def fixed_runs(pattern: str) -> set[str]:
    """Return everything that may come between two slots of a template, if others are left empty."""
    parts = [normal(part) for part in re.split(r"<\*>|<NUM>", pattern)]
    ends = range(len(parts) + 1)
    return {"".join(parts[i:j]) for i in ends for j in ends[i + 1 :]} - {""}


@pytest.mark.parametrize("way", range(1, 6))
def test_a_span_in_an_exact_copy_is_where_its_words_stand_in_the_copy(
    run: Scanner, way: int
) -> None:
    declined = "Chloé Vale did not immediately respond to a request for comment."
    notice = "Ring the café desk between nine and noon to report a fault on the line."
    story = words(31, 60)
    # Between two paragraphs of its own, as beside a copied one it would be copied with it.
    first = blocks(story, words(1, 30), declined, words(61, 80), notice)
    parts = (story, words(901, 940), declined, words(941, 980), notice)
    copy = blocks(*(respelt(part, way + n) for n, part in enumerate(parts)))
    others = [blocks(words(n * 100, n * 100 + 40), respelt(notice, n)) for n in range(2, 7)]
    result = run(first, copy, *others)
    assert {s["kind"] for s in rows(result, "spans", article_id="b")} == {
        "boilerplate",
        "templated",
        "exact_copy",
    }
    check_places(result, dict(zip("abcdefg", [first, copy, *others], strict=True)))
    for name, text in (("a", first), ("b", copy)):
        [span] = rows(result, "spans", article_id=name, kind="templated")
        shown = normal(text[span["start"] : span["end"]])
        assert shown == "didnotimmediatelyrespondtoarequestforcomment"


def test_a_paragraph_spans_its_trimmed_text(run: Scanner) -> None:
    text = "  😀 First one here.  \n\n\tSecond one here \n"
    found = [text[p["start"] : p["end"]] for p in rows(run(text), "paragraphs")]
    assert found == ["😀 First one here.", "Second one here"]


# Pairs and clusters


@pytest.fixture
def family() -> list[str]:
    """A text edited further and further: its neighbours are near-copies, its ends are not."""
    return [edited(words(1, 60), *range(0, 3 * n)) for n in range(12)]


def test_every_pair_is_what_the_textbook_says(run: Scanner, family: list[str]) -> None:
    result = run(*family)
    pairs = rows(result, "pairs", unit="paragraph")
    assert pairs
    for pair in pairs:
        left, right = (
            family[ord(pair[f"{side}_article"]) - ord("a")].split() for side in ("left", "right")
        )
        shared = lcs(left, right)
        assert pair["shared_tokens"] == shared
        assert pair["similarity"] == pytest.approx(2 * shared / (len(left) + len(right)))
        assert pair["containment"] == pytest.approx(shared / min(len(left), len(right)))
        assert pair["jaccard"] == pytest.approx(shared / (len(left) + len(right) - shared))


def test_every_member_is_near_its_representative(run: Scanner, family: list[str]) -> None:
    result = run(*family)
    heads = {
        (c["unit"], c["cluster_id"]): c["representative_article"] for c in rows(result, "clusters")
    }
    members = rows(result, "members")
    assert len(heads) > 2
    for member in members:
        head = family[ord(heads[member["unit"], member["cluster_id"]]) - ord("a")].split()
        text = family[ord(member["article_id"]) - ord("a")].split()
        similarity = 2 * lcs(head, text) / (len(head) + len(text))
        assert member["similarity"] == pytest.approx(similarity)
        assert similarity >= 0.8


def test_a_chain_is_not_one_cluster(run: Scanner) -> None:
    text = words(1, 60)
    result = run(text, edited(text, *range(9)), edited(text, *range(18)))
    found = [p["cluster_id"] for p in rows(result, "paragraphs")]
    assert found[0] is not None
    assert found[0] == found[1]
    assert found[2] != found[0]


def test_the_first_seen_represents_its_cluster(run: Scanner) -> None:
    text = words(1, 40)
    result = run({"text": edited(text, 5), "date": "2025-01-01"}, text, edited(text, 15))
    [cluster] = rows(result, "clusters", unit="article")
    assert (cluster["representative_article"], cluster["members"]) == ("b", 3)
    assert [article(result, n)["is_representative"] for n in "abc"] == [False, True, False]


def test_a_form_letter_is_one_cluster_and_each_copy_keeps_few_pairs(tmp_path: Path) -> None:
    rng = random.Random(7)
    form = words(1, 27).split()
    lines = []
    for n in range(2000):
        letter = list(form)
        for place in rng.sample(range(27), 2):
            letter[place] = f"own{rng.randrange(20_000)}"
        lines.append(json.dumps({"id": f"letter-{n}", "text": " ".join(letter)}))
    path = tmp_path / "letters.jsonl"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    result = scan(path, tmp_path / "results", granularity="paragraph")
    [cluster] = rows(result, "clusters", unit="paragraph")
    assert cluster["members"] == 2000
    # The first 256 are all compared with each other; each of the others keeps 32 pairs at most.
    early = 256 * 257 // 2
    assert len(rows(result, "pairs", unit="paragraph")) <= early + 32 * 2000
    assert result.manifest["limits"]["large_families"] == 1


def test_clusters_agree_with_their_members(run: Scanner, family: list[str]) -> None:
    result = run(*family, family[0], family[5])
    for cluster in rows(result, "clusters"):
        key = {"unit": cluster["unit"], "cluster_id": cluster["cluster_id"]}
        members = rows(result, "members", **key)
        others = [m for m in members if m["article_id"] != cluster["representative_article"]]
        assert cluster["members"] == len(members)
        assert cluster["articles"] == len({m["article_id"] for m in members})
        assert cluster["min_similarity"] == min(m["similarity"] for m in members)
        mean = sum(m["similarity"] for m in others) / len(others)
        assert cluster["mean_similarity"] == pytest.approx(mean)


def test_exact_finds_at_least_what_sketches_find(run: Scanner, family: list[str]) -> None:
    texts = [*family, words(1, 300), words(101, 150)]
    quick, exact = (
        {(p["left_article"], p["right_article"]) for p in rows(run(*texts, exact=on), "pairs")}
        for on in (False, True)
    )
    assert quick <= exact


@pytest.mark.parametrize(
    ("granularity", "units"),
    [("both", {"paragraph", "article"}), ("paragraph", {"paragraph"}), ("article", {"article"})],
)
def test_granularity_chooses_the_units_of_pairs_and_clusters(
    run: Scanner, granularity: str, units: set[str]
) -> None:
    result = run(words(1, 40), edited(words(1, 40), 7), granularity=granularity)
    for table in ("pairs", "clusters", "members"):
        assert {row["unit"] for row in rows(result, table)} == units


@pytest.mark.parametrize("granularity", ["both", "paragraph", "article"])
def test_every_cluster_id_in_a_table_stands_in_clusters(run: Scanner, granularity: str) -> None:
    result = run(words(1, 40), edited(words(1, 40), 7), granularity=granularity)
    known = {(c["unit"], c["cluster_id"]) for c in rows(result, "clusters")}
    used = {("article", a["article_cluster"]) for a in rows(result, "articles")}
    for table in ("paragraphs", "spans"):
        used |= {("paragraph", row["cluster_id"]) for row in rows(result, table)}
    assert {(unit, cluster) for unit, cluster in used if cluster} <= known


def test_granularity_does_not_change_the_scores(run: Scanner) -> None:
    found = []
    for granularity in ("both", "paragraph", "article"):
        result = run(words(1, 40), edited(words(1, 40), 7), granularity=granularity)
        found.append([article(result, name)["redundancy"] for name in "ab"])
    assert found[0] == found[1] == found[2]


# Odd articles


def test_articles_with_one_id_are_both_kept(run: Scanner) -> None:
    result = run({"id": "x", "text": words(1, 30)}, {"id": "x", "text": words(1, 30, "y")})
    assert [row["input_row"] for row in rows(result, "articles", article_id="x")] == [0, 1]
    assert result.manifest["counts"]["duplicate_ids"] == 1


@pytest.mark.parametrize("text", ["", " \n\t\u00a0\u3000", "😀🎉\n\n👍🏽", "…—!?", "\u200b\u00ad"])
def test_articles_without_words_are_kept_and_match_nothing(run: Scanner, text: str) -> None:
    result = run(text, text, words(1, 30))
    for name in "ab":
        row = article(result, name)
        assert (row["tokens"], row["redundancy"], row["redundancy_symmetric"]) == (0, 0, 0)
        assert row["low_evidence"]
        assert row["article_cluster"] is None
    assert result.manifest["counts"]["empty_articles"] == 2
    assert rows(result, "pairs") == []


def test_no_article_at_all_gives_empty_tables(tmp_path: Path) -> None:
    (tmp_path / "none.jsonl").write_text("", encoding="utf-8")
    result = scan(tmp_path / "none.jsonl", tmp_path / "results")
    assert result.manifest["counts"]["articles"] == 0
    assert rows(result, "articles") == rows(result, "clusters") == []


# Properties, against the obvious slow version

TINY = st.sampled_from(["a", "b", "c", "d", "e"])
PARAGRAPHS = st.lists(st.lists(TINY, min_size=1, max_size=24).map(" ".join), min_size=1, max_size=3)
ARTICLES = st.lists(PARAGRAPHS.map("\n\n".join), min_size=1, max_size=6)
# Six words in several spellings each, and what may come between two of them.
SPELLINGS = ["a", "A", "bo", "b\u00ado", "é", "e\u0301", "E\u0301", "ﬁ", "FI", "d", "\uff44", "g"]
SPELT = st.tuples(
    st.sampled_from(SPELLINGS),
    st.sampled_from([" ", ", ", ".  ", "\u00a0", "! \u2014 ", "\u00ad "]),
)
SPELT_PARAGRAPHS = st.lists(SPELT, min_size=1, max_size=24).map(
    lambda parts: "".join(word + stop for word, stop in parts).strip()
)
SPELT_ARTICLES = st.lists(
    st.lists(SPELT_PARAGRAPHS, min_size=1, max_size=3).map("\n\n".join), min_size=1, max_size=6
)


@given(texts=ARTICLES)
@PROPERTY
def test_scores_are_shares_that_sum_up(run: Scanner, texts: list[str]) -> None:
    result = run(*texts, exact=True, paragraphs="blank")
    for row in rows(result, "articles"):
        parts = [row[name] for name in ("internal", "copied", "formulaic")]
        assert sum(parts) == row["redundancy"]
        assert all(0 <= share <= 1 for share in [*parts, row["redundancy"]])
        assert row["redundancy"] <= row["redundancy_symmetric"] <= 1
        assert row["top_source_share"] <= row["copied"]
        assert (row["top_source"] is None) == (row["copied"] == 0)
    assert rows(result, "articles")[0]["copied"] == 0


@given(texts=SPELT_ARTICLES)
@PROPERTY
def test_the_spans_hold_exactly_the_words_that_count(run: Scanner, texts: list[str]) -> None:
    result = run(*texts, exact=True, paragraphs="blank")
    for name, text in zip("abcdef", texts, strict=False):
        places = [match.start() for match in re.finditer(r"[^\s\u2014]+", text)]
        marked = dict.fromkeys(places, "")
        spans = rows(result, "spans", article_id=name)
        for span in sorted(spans, key=lambda s: s["kind"] == "internal_repeat"):
            source = texts[ord(span["match_article"]) - ord("a")]
            here = text[span["start"] : span["end"]]
            assert normal(here) == normal(source[span["match_start"] : span["match_end"]]) != ""
            assert span["match_article"] <= name
            kind = "internal" if span["kind"] == "internal_repeat" else "copied"
            marked.update((p, kind) for p in places if span["start"] <= p < span["end"])
        row = article(result, name)
        for part in ("internal", "copied"):
            assert row[part] == list(marked.values()).count(part) / len(places)


@given(texts=ARTICLES, threshold=st.sampled_from([0.6, 0.8, 0.9]))
@PROPERTY
def test_exact_finds_every_near_copy_among_paragraphs_of_eight_words(
    run: Scanner, texts: list[str], threshold: float
) -> None:
    result = run(*texts, exact=True, paragraphs="blank", threshold=threshold)
    first: dict[str, tuple[str, int]] = {}
    for name, text in zip("abcdef", texts, strict=False):
        for position, paragraph in enumerate(text.split("\n\n")):
            first.setdefault(paragraph, (name, position))
    long = [(place, text.split()) for text, place in first.items() if len(text.split()) >= 8]
    expected = {}
    for i, (left, left_words) in enumerate(long):
        for right, right_words in long[i + 1 :]:
            shared = lcs(left_words, right_words)
            dice = 2 * shared / (len(left_words) + len(right_words))
            if dice >= threshold:
                expected[left, right] = shared
    found = {
        (
            (pair["left_article"], pair["left_position"]),
            (pair["right_article"], pair["right_position"]),
        ): pair["shared_tokens"]
        for pair in rows(result, "pairs", unit="paragraph")
        if pair["similarity"] >= threshold - 1e-6
    }
    assert found == expected


CHUNKS = st.sampled_from([words(n * 12, n * 12 + 11) for n in range(4)])
STORIES = st.lists(
    st.lists(CHUNKS, min_size=1, max_size=3).map(" ".join), min_size=1, max_size=3
).map("\n\n".join)


@given(texts=st.lists(STORIES, min_size=1, max_size=4))
@PROPERTY
def test_every_shared_run_of_twelve_words_is_redundant(run: Scanner, texts: list[str]) -> None:
    result = run(*texts, exact=True, paragraphs="blank")
    seen: set[tuple[str, ...]] = set()
    for name, text in zip("abcdef", texts, strict=False):
        count = 0
        fresh: set[tuple[str, ...]] = set()
        for paragraph in text.split("\n\n"):
            given = paragraph.split()
            runs = [tuple(given[n : n + 12]) for n in range(len(given) - 11)]
            shared = {n + k for n, found in enumerate(runs) if found in seen for k in range(12)}
            count += len(shared)
            fresh.update(runs)
        row = article(result, name)
        assert row["redundancy"] * row["tokens"] >= count - 1e-9
        seen |= fresh


NUMBER_OR_WORD = re.compile(r"(?:[A-Za-z0-9]|(?<=[0-9])[.,](?=[0-9]))+")


@given(
    texts=st.lists(st.text("abZ019 .,-'\n\tx", max_size=200), min_size=1, max_size=20),
)
@PROPERTY
def test_tokens_are_runs_of_letters_and_digits_and_whole_numbers(
    run: Scanner, texts: list[str]
) -> None:
    found = [row["tokens"] for row in rows(run(*texts), "articles")]
    assert found == [len(NUMBER_OR_WORD.findall(text)) for text in texts]
