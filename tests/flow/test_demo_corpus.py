"""The demo corpus: the tables it must give, and what its README says of them in words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from regenerate import CORPUS, EXPECTED, readable_tables, texts

from dedup import Scan, scan

Row = dict[str, Any]

# (copy, origin, paragraphs)
EXACT_COPIES = [
    pytest.param("courier-001", "wire-001", 4, id="word for word"),
    pytest.param("ledger-001", "wire-002", 4, id="capitals and quotation marks"),
    pytest.param("pin-001", "wire-003", 4, id="soft hyphens and zero-width characters"),
    pytest.param("pin-002", "wire-004", 4, id="full-width letters and ligatures"),
    pytest.param("echo-001", "wire-005", 4, id="hard-wrapped original"),
    pytest.param("pin-020", "poly-es-1", 3, id="decomposed accents"),
    pytest.param("pin-027", "poly-ko-1", 3, id="decomposed syllables"),
    pytest.param("poly-ru-1", "wire-022", 3, id="Russian capitals"),
    pytest.param("pin-023", "poly-hi-1", 3, id="precomposed nukta letters"),
    pytest.param("pin-025", "poly-ja-1", 3, id="half-width katakana"),
    pytest.param("courier-005", "wire-015", 3, id="three hours later"),
]

# (copy, origin): how alike their paragraphs are, in order
NEAR_COPIES = [
    ("courier-002", "wire-006", [0.90, 0.91, 0.89, 0.91]),
    ("echo-013", "wire-020", [0.92, 0.90, 0.87, 0.91]),
    ("poly-fr-1", "wire-021", [0.98, 0.93, 0.91]),
    ("pin-021", "poly-de-1", [0.88, 0.91, 0.88]),
    ("pin-022", "poly-ar-1", [0.88, 0.90, 0.86]),
    ("pin-024", "poly-zh-1", [0.92, 0.92, 0.90]),
    ("pin-026", "poly-th-1", [0.96, 0.96, 0.94]),
]

# paragraph, counted from 1 as in the README: what it is, and of what
PARTS = {
    "ledger-002": {
        2: "exact_copy wire-007 2",
        3: "near_copy wire-007 3",
        4: "near_copy wire-007 4",
    },
    "wire-018": {
        2: "near_copy courier-006 2",
        3: "near_copy courier-006 3",
        4: "exact_copy courier-006 4",
    },
    "echo-002": {n: f"exact_copy wire-008 {n}" for n in (1, 2, 3)},
    "pin-009": {n: f"exact_copy ledger-009 {n}" for n in (1, 2)},
    "pin-028": {n: f"exact_copy poly-el-1 {n}" for n in (1, 2)},
    "echo-012": {2: "exact_copy wire-003 2", 4: "exact_copy wire-003 3"},
    "pin-003": {2: "near_copy wire-010 2"},
    "pin-011": {2: "near_copy ledger-010 2"},
    "pin-029": {2: "near_copy courier-018 2"},
    "ledger-017": {2: "near_copy courier-018 2"},
    "pin-030": {1: "near_copy wire-023 1"},
    "echo-016": {1: "near_copy pin-030 1"},
    "echo-003": {n: f"exact_copy wire-012 {n}" for n in range(1, 6)},
    "poly-en-1": {n: f"exact_copy wire-012 {n}" for n in range(1, 5)},
    "courier-004": {
        1: "near_copy wire-012 1",
        2: "exact_copy wire-012 2",
        3: "near_copy wire-012 3",
        4: "exact_copy wire-012 4",
        5: "exact_copy wire-012 5",
    },
    "ledger-004": {
        1: "exact_copy wire-012 1",
        2: "exact_copy wire-012 2",
        3: "near_copy wire-012 3",
        4: "near_copy wire-012 4",
        5: "near_copy wire-012 5",
    },
    "ledger-011": {2: "exact_copy echo-004 2"},
    "pin-005": {1: "near_copy wire-014 1"},
    "ledger-014": {1: "near_copy ledger-013 1"},
    "echo-005": {5: "internal_repeat echo-005 3"},
    "poly-de-2": {4: "internal_repeat poly-de-2 2"},
    "pin-007": {n: f"internal_repeat pin-007 {(n - 1) % 3 + 1}" for n in range(4, 10)},
}

SHARED_RUNS = [
    ("ledger-005", "wire-013", 32, "We have seen the summit ... on the slope"),
    ("pin-019", "courier-008", 33, "We have been through wars ... want them all back"),
    ("courier-015", "wire-004", 26, "The new owner must keep ... land twice a year"),
    ("notice-022", "courier-012", 34, "between the first of May ... not exceeding two metres"),
    ("poly-ru-3", "wire-022", 25, "Вещь, которую потеряли ... по две"),
]

REPEATS = [
    ("pin-006", 13, "Nobody knows yet whether"),
    ("poly-fr-2", 11, "On y parle moins fort"),
    ("ledger-006", 11, "a bridge that nobody asked for"),
    ("ledger-015", 8, "as it has every autumn since the war"),
]

ENTIRELY_ORIGINAL = (
    "wire-016 wire-019 courier-010 courier-011 echo-006 echo-010 echo-014 ledger-012 "
    "ledger-016 pin-017 poly-am-1 poly-ar-2 poly-ar-3 poly-de-3 poly-de-4 poly-el-2 poly-es-3 "
    "poly-es-4 poly-fr-3 poly-fr-4 poly-he-1 poly-hi-2 poly-hi-3 poly-ja-2 poly-ja-3 "
    "poly-ko-2 poly-ko-3 poly-pt-1 poly-ru-2 poly-ru-4 poly-th-2 poly-th-3 poly-tr-1 "
    "poly-zh-2 poly-zh-3 shared-001 "
)


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Scan:
    return scan(CORPUS, tmp_path_factory.mktemp("demo") / "results")


@pytest.fixture(scope="module")
def articles(result: Scan) -> dict[str, Row]:
    return {row["article_id"]: row for row in result.articles.to_table().to_pylist()}


@pytest.fixture(scope="module")
def paragraphs(result: Scan) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in result.paragraphs.to_table().to_pylist():
        found.setdefault(row["article_id"], []).append(row)
    return found


@pytest.fixture(scope="module")
def spans(result: Scan) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in result.spans.to_table().to_pylist():
        found.setdefault(row["article_id"], []).append(row)
    return found


@pytest.mark.parametrize(
    "name", ["articles.csv", "paragraphs.csv", "spans.csv", "clusters.csv", "pairs.csv"]
)
def test_the_tables_are_the_expected_ones(result: Scan, name: str) -> None:
    """If they are meant to move: `python tests/regenerate.py`, and read the difference."""
    expected = (EXPECTED / name).read_text(encoding="utf-8")
    assert readable_tables(result)[name] == expected


@pytest.mark.parametrize(("copy", "origin", "count"), EXACT_COPIES)
def test_an_exact_copy_is_seen_through_its_typography(
    paragraphs: dict[str, list[Row]], copy: str, origin: str, count: int
) -> None:
    found = [(p["kind"], p["match_article"], p["match_position"]) for p in paragraphs[copy]]
    assert found == [("exact_copy", origin, position) for position in range(count)]


def test_the_copy_of_a_wire_story_is_redundant_and_names_it(articles: dict[str, Row]) -> None:
    copy = articles["courier-001"]
    assert (copy["redundancy"], copy["copied"], copy["top_source"]) == (1.0, 1.0, "wire-001")


def test_the_copied_wire_story_is_not_blamed_for_it(articles: dict[str, Row]) -> None:
    origin = articles["wire-001"]
    assert origin["redundancy"] == 0
    assert origin["redundancy_symmetric"] == 1.0
    assert origin["reused_by"] == 1


@pytest.mark.parametrize(("copy", "origin", "similarities"), NEAR_COPIES)
def test_an_edited_copy_is_a_near_copy_as_alike_as_the_readme_says(
    paragraphs: dict[str, list[Row]], copy: str, origin: str, similarities: list[float]
) -> None:
    found = [(p["kind"], p["match_article"]) for p in paragraphs[copy]]
    assert found == [("near_copy", origin)] * len(similarities)
    assert [p["similarity"] for p in paragraphs[copy]] == pytest.approx(similarities, abs=0.006)


@pytest.mark.parametrize("article", PARTS)
def test_a_partial_copy_has_these_paragraphs_copied_and_no_others(
    paragraphs: dict[str, list[Row]], article: str
) -> None:
    found = {
        p["position"] + 1: f"{p['kind']} {p['match_article']} {p['match_position'] + 1}"
        for p in paragraphs[article]
        if p["match_article"] and p["copies"] < 7  # the footer and the notices are in many
    }
    assert found == PARTS[article]


def test_wire_paragraphs_are_found_inside_a_longer_story(paragraphs: dict[str, list[Row]]) -> None:
    kinds = [(p["kind"], p["match_article"]) for p in paragraphs["courier-003"][:6]]
    own = ("original", None)
    exact, near = ("exact_copy", "wire-009"), ("near_copy", "wire-009")
    assert kinds == [own, exact, own, near, exact, own]


@pytest.mark.parametrize("copy", ["pin-003", "pin-011", "ledger-017"])
def test_an_excerpt_is_wholly_contained_in_its_origin(result: Scan, copy: str) -> None:
    pairs = result.pairs.to_table().to_pylist()
    assert max(p["containment"] for p in pairs if p["right_article"] == copy) == 1.0


@pytest.mark.parametrize("article", ["ledger-003", "wire-011"])
def test_two_thirds_of_the_words_are_too_few_for_a_near_copy(
    articles: dict[str, Row], paragraphs: dict[str, list[Row]], article: str
) -> None:
    assert {p["kind"] for p in paragraphs[article]} == {"original"}
    assert articles[article]["redundancy_symmetric"] == 0


def test_the_ends_of_a_chain_are_in_no_common_cluster(paragraphs: dict[str, list[Row]]) -> None:
    first, middle, last = (paragraphs[name][0] for name in ("wire-023", "pin-030", "echo-016"))
    assert first["cluster_id"] == middle["cluster_id"]
    assert last["cluster_id"] is None


@pytest.mark.parametrize(("article", "origin", "words", "quote"), SHARED_RUNS)
def test_only_the_words_of_a_shared_run_are_copied(
    result: Scan, article: str, origin: str, words: int, quote: str
) -> None:
    spans = result.spans.to_table().to_pylist()
    [span] = [s for s in spans if (s["article_id"], s["kind"]) == (article, "shared_run")]
    begins, ends = quote.split(" ... ")
    text = texts()[article][span["start"] : span["end"]]
    assert text.startswith(begins)
    assert text.endswith(ends)
    assert span["match_article"] == origin
    [row] = [a for a in result.articles.to_table().to_pylist() if a["article_id"] == article]
    assert row["copied"] == pytest.approx(words / row["tokens"])


@pytest.mark.parametrize("article", [run[0] for run in SHARED_RUNS])
def test_a_paragraph_with_a_shared_run_is_no_near_copy(
    paragraphs: dict[str, list[Row]], article: str
) -> None:
    assert {p["kind"] for p in paragraphs[article]} == {"original"}


@pytest.mark.parametrize(("article", "words", "begins"), REPEATS)
def test_a_repeated_sentence_or_run_is_internal(
    articles: dict[str, Row],
    spans: dict[str, list[Row]],
    article: str,
    words: int,
    begins: str,
) -> None:
    [span] = [span for span in spans[article] if span["kind"] == "internal_repeat"]
    assert texts()[article][span["start"] : span["end"]].startswith(begins)
    assert articles[article]["internal"] == pytest.approx(words / articles[article]["tokens"])


def test_a_page_scraped_three_times_is_two_thirds_internal(articles: dict[str, Row]) -> None:
    assert articles["pin-007"]["internal"] == pytest.approx(2 / 3)


@pytest.mark.parametrize("article", ENTIRELY_ORIGINAL.split())
def test_an_original_article_has_no_redundancy(articles: dict[str, Row], article: str) -> None:
    row = articles[article]
    assert (row["redundancy"], row["redundancy_symmetric"], row["reused_by"]) == (0, 0, 0)


@pytest.mark.parametrize(
    ("article", "words", "paragraphs"),
    [("courier-017", 0, 0), ("pin-016", 0, 0), ("pin-015", 0, 3), ("courier-016", 3, 1)],
)
def test_empty_blank_and_tiny_articles_stay_in_the_tables(
    articles: dict[str, Row], article: str, words: int, paragraphs: int
) -> None:
    row = articles[article]
    assert (row["tokens"], row["paragraphs"]) == (words, paragraphs)
    assert row["low_evidence"]
    assert (row["redundancy"], row["article_cluster"]) == (0, None)


def test_both_articles_of_a_doubled_id_are_kept_and_counted(result: Scan) -> None:
    rows = [r for r in result.articles.to_table().to_pylist() if r["article_id"] == "shared-001"]
    assert [Path(r["input_file"]).name for r in rows] == ["echo.jsonl", "pinboard.jsonl"]
    assert result.manifest["counts"]["duplicate_ids"] == 1


def test_only_copies_whose_dates_do_not_settle_it_are_ambiguous(articles: dict[str, Row]) -> None:
    undated = {f"notice-{n:03}" for n in range(15, 24)}
    partners = {"courier-012", "echo-015", "courier-005", "wire-015", "echo-004", "ledger-011"}
    assert {name for name, row in articles.items() if row["origin_ambiguous"]} == (
        undated | partners
    )


def test_furniture_lines_are_counted_in_seven_articles(result: Scan) -> None:
    rows = result.paragraphs.to_table().to_pylist()
    furniture = [r for r in rows if r["tokens"] == 3 and r["copies"] > 1]
    assert len(furniture) == 14
    assert {r["copies"] for r in furniture} == {7}
    assert {r["kind"] for r in furniture} == {"boilerplate"}


COOKIE_NOTICE = "pin-013#3 echo-008#3 courier-009#3 pin-012#3 notice-024#2 ledger-007#3 poly-es-2#3"


@pytest.mark.parametrize("place", COOKIE_NOTICE.split())
def test_a_cookie_notice_is_formulaic_in_every_article_the_first_included(
    articles: dict[str, Row], paragraphs: dict[str, list[Row]], place: str
) -> None:
    name, _, position = place.partition("#")
    assert paragraphs[name][int(position)]["kind"] == "boilerplate"
    assert articles[name]["copied"] == 0
    assert articles[name]["formulaic"] >= 47 / articles[name]["tokens"]


def test_only_the_contact_block_is_the_boilerplate_of_one_site(result: Scan) -> None:
    clusters = result.clusters.to_table().to_pylist()
    sites = {row["text"][:16]: row["site"] for row in clusters if row["kind"] == "boilerplate"}
    assert sites == {
        "We use cookies t": None,
        "Post a comment": None,
        "Share this story": None,
        "Saltmere Courier": "Saltmere Courier",
    }


def test_a_story_that_six_sources_print_is_syndication_in_each_of_its_paragraphs(
    result: Scan,
) -> None:
    clusters = result.clusters.to_table().to_pylist()
    story = [row for row in clusters if row["representative_article"] == "wire-012"]
    assert [row["kind"] for row in story if row["unit"] == "paragraph"] == ["syndication"] * 5


def test_one_story_in_six_sources_is_one_cluster(result: Scan, articles: dict[str, Row]) -> None:
    names = ("wire-012", "courier-004", "echo-003", "poly-en-1", "pin-004", "ledger-004")
    assert len({articles[name]["article_cluster"] for name in names}) == 1
    assert articles["wire-012"]["is_representative"]
    assert articles["wire-012"]["reused_by"] == 5


@pytest.mark.parametrize("prefix", [("notice-00",), ("notice-009", "notice-01")])
def test_templated_notices_with_their_own_middles_are_no_near_copies(
    result: Scan, prefix: tuple[str, ...]
) -> None:
    closures = {f"notice-{n:03}" for n in range(15, 22)}
    pairs = result.pairs.to_table().to_pylist()
    found = [p for p in pairs if p["right_article"].startswith(prefix)]
    assert [p for p in found if p["right_article"] not in closures] == []
