"""Text in many articles: boilerplate if they share nothing else, syndication if they do."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dedup import Scan, scan

Row = dict[str, Any]
Scanner = Callable[..., Scan]

NOTICE = "We use small files called cookies to remember what you chose and to count our readers"
HELP = "Call the newsroom of the Harbour Post on the number below or write to the night desk"
FURNITURE = [
    "Skip to the main content of this page please",
    NOTICE,
    HELP,
    "All rights reserved by the owners of the Harbour Post and their partners abroad",
    "Read our rules on corrections and complaints before you write to the editor",
]


def story(name: str, paragraphs: int = 3, length: int = 12) -> list[str]:
    """Return invented paragraphs that no story of another name shares a word with."""
    return [
        " ".join(f"{name}{paragraph}x{word}" for word in range(length))
        for paragraph in range(paragraphs)
    ]


@pytest.fixture
def run(tmp_path: Path) -> Scanner:
    """Scan articles given as lists of paragraphs; ids count from 0 in the order of the dates."""

    def scan_articles(
        *articles: list[str], sources: list[str | None] | None = None, **options: Any
    ) -> Scan:
        with (tmp_path / "in.jsonl").open("w", encoding="utf-8") as file:
            for number, paragraphs in enumerate(articles):
                record: Row = {"id": str(number), "text": "\n\n".join(paragraphs)}
                record["date"] = f"{2000 + number}-01-01"
                record["source"] = sources[number] if sources else None
                file.write(json.dumps(record) + "\n")
        return scan(tmp_path / "in.jsonl", tmp_path / "results", **options)

    return scan_articles


def rows(result: Scan, table: str) -> list[Row]:
    found: list[Row] = result.dataset(table).to_table().to_pylist()
    return found


def clusters(result: Scan) -> dict[str, str]:
    """Return the kind of every cluster of paragraphs by its text."""
    found = rows(result, "clusters")
    return {row["text"]: row["kind"] for row in found if row["unit"] == "paragraph"}


def kinds(result: Scan, article: int) -> list[str]:
    found = rows(result, "paragraphs")
    return [row["kind"] for row in found if row["article_id"] == str(article)]


def pages(number: int, *furniture: str, site: str = "s", paragraphs: int = 3) -> list[list[str]]:
    """Return pages with a story of their own each, and the same furniture."""
    return [[*story(f"{site}{n}y", paragraphs), *furniture] for n in range(number)]


def test_a_paragraph_of_five_unrelated_articles_is_boilerplate_in_all_of_them(run: Scanner) -> None:
    result = run(*pages(5, NOTICE))
    assert clusters(result) == {NOTICE: "boilerplate"}
    for number, row in enumerate(rows(result, "articles")):
        assert kinds(result, number)[-1] == "boilerplate"
        assert row["formulaic"] == row["redundancy"] == pytest.approx(16 / 52)
        assert (row["copied"], row["top_source"], row["reused_by"]) == (0, None, 0)
        assert row["redundancy_symmetric"] == row["formulaic"]


def test_a_span_of_boilerplate_names_its_cluster_and_no_match(run: Scanner) -> None:
    result = run(*pages(5, NOTICE))
    [cluster] = rows(result, "clusters")
    spans = rows(result, "spans")
    assert len(spans) == 5
    for span in spans:
        assert (span["kind"], span["cluster_id"]) == ("boilerplate", cluster["cluster_id"])
        assert span["match_article"] is span["match_start"] is span["similarity"] is None


@pytest.mark.parametrize(("articles", "support"), [(4, 5), (6, 7)])
def test_a_paragraph_of_fewer_articles_is_copied(run: Scanner, articles: int, support: int) -> None:
    result = run(*pages(articles, NOTICE), min_support=support)
    assert clusters(result) == {NOTICE: "near_copy"}
    assert kinds(result, 0)[-1] == "original"
    assert kinds(result, articles - 1)[-1] == "exact_copy"


def test_a_story_that_many_print_is_syndication_and_copied(run: Scanner) -> None:
    wire = story("wire", 5)
    result = run(*[[*story(f"lead{n}", 1), *wire] for n in range(6)])
    assert clusters(result) == dict.fromkeys(wire, "syndication")
    assert rows(result, "articles")[0]["redundancy"] == 0
    assert rows(result, "articles")[5]["copied"] == pytest.approx(60 / 72)


def test_furniture_that_stands_together_is_no_story(run: Scanner) -> None:
    result = run(*pages(6, *FURNITURE, paragraphs=7))
    assert clusters(result) == dict.fromkeys(FURNITURE, "boilerplate")


def test_a_story_on_pages_with_furniture_is_still_copied(run: Scanner) -> None:
    wire = story("wire", 8)
    reprints = [[*wire, NOTICE], [*wire, NOTICE], *[[*wire, HELP] for _ in range(4)]]
    result = run(*pages(6, NOTICE), *pages(6, HELP, site="t"), *reprints)
    found = clusters(result)
    assert (found.pop(NOTICE), found.pop(HELP)) == ("boilerplate", "boilerplate")
    assert found == dict.fromkeys(wire, "syndication")


@pytest.mark.parametrize(
    ("source", "kind"), [("Harbour Post", "boilerplate"), (None, "syndication")]
)
def test_pages_that_are_mostly_furniture_need_a_source_to_be_told_from_reprints(
    run: Scanner, source: str | None, kind: str
) -> None:
    result = run(*pages(6, *FURNITURE, paragraphs=2), sources=[source] * 6)
    assert clusters(result) == dict.fromkeys(FURNITURE, kind)


def test_pages_with_nothing_but_furniture_do_not_make_it_a_story(run: Scanner) -> None:
    empty = [FURNITURE[:n] for n in (3, 4, 5)]
    result = run(*pages(8, *FURNITURE, paragraphs=7), *empty)
    assert clusters(result) == dict.fromkeys(FURNITURE, "boilerplate")


def test_copies_of_one_article_do_not_add_to_the_support_of_its_footer(run: Scanner) -> None:
    four = pages(4, NOTICE)
    assert clusters(run(*four, four[0], four[1]))[NOTICE] != "boilerplate"
    assert clusters(run(*pages(5, NOTICE), four[0], four[1]))[NOTICE] == "boilerplate"


@pytest.mark.parametrize(
    ("elsewhere", "site"),
    [(["Harbour Post"], "Harbour Post"), ([None], "Harbour Post"), (["Mill", "Dale"], None)],
)
def test_boilerplate_belongs_to_a_site_with_nine_in_ten_of_its_articles(
    run: Scanner, elsewhere: list[str | None], site: str | None
) -> None:
    sources = [*["Harbour Post"] * (10 - len(elsewhere)), *elsewhere]
    [cluster] = rows(run(*pages(10, NOTICE), sources=sources), "clusters")
    assert (cluster["kind"], cluster["site"]) == ("boilerplate", site)


def test_only_boilerplate_has_a_site(run: Scanner) -> None:
    wire = story("wire", 5)
    result = run(*[[*story(f"lead{n}", 1), *wire] for n in range(6)], sources=["Post"] * 6)
    assert {row["site"] for row in rows(result, "clusters")} == {None}


@pytest.mark.parametrize(
    ("lines", "kind"),
    [
        pytest.param(["Post a comment"] * 5, "boilerplate", id="the same words"),
        pytest.param([f"{n} comments" for n in range(5)], "boilerplate", id="another number"),
        pytest.param(["Ring the bell"] * 4 + ["Ring a bell"], "too_short", id="another word"),
        pytest.param(["CVE 2007 1234"] * 5, "too_short", id="a number for the most part"),
        pytest.param([f"March {n} 2001" for n in range(5)], "too_short", id="dates"),
    ],
)
def test_a_short_line_is_boilerplate_by_its_words_alone(
    run: Scanner, lines: list[str], kind: str
) -> None:
    result = run(*[[*story(f"s{n}"), line] for n, line in enumerate(lines)])
    assert {kinds(result, n)[-1] for n in range(5)} == {kind}
    assert len(rows(result, "clusters")) == (kind == "boilerplate")


def test_a_line_of_one_word_needs_more_articles_in_a_large_corpus(run: Scanner) -> None:
    few = [["Advertisement", f"only{n} here"] for n in range(5)]
    others = [[f"only{n} here"] for n in range(5, 1900)]
    assert clusters(run(*few, *others)) == {}
    assert clusters(run(*few, *others[:1000])) == {"Advertisement": "boilerplate"}


def test_boilerplate_inside_a_longer_paragraph_is_formulaic_there_and_not_copied(
    run: Scanner,
) -> None:
    [own] = story("own", 1, 60)
    result = run(*pages(5, NOTICE), [f"{own} {NOTICE}"])
    row = rows(result, "articles")[5]
    assert (row["copied"], row["formulaic"]) == (0, pytest.approx(16 / 76))
    assert kinds(result, 5) == ["original"]
    [span] = [span for span in rows(result, "spans") if span["article_id"] == "5"]
    assert (span["kind"], span["end"] - span["start"]) == ("boilerplate", len(NOTICE))


def test_boilerplate_is_formulaic_inside_an_earlier_paragraph_too(run: Scanner) -> None:
    [own] = story("own", 1, 60)
    result = run([f"{own} {NOTICE}"], *pages(5, NOTICE))
    assert rows(result, "articles")[0]["formulaic"] == pytest.approx(16 / 76)


def test_short_notices_under_one_long_footer_are_no_near_copies(run: Scanner) -> None:
    result = run(*pages(12, *FURNITURE, paragraphs=7), ["Shop shut", *FURNITURE], FURNITURE)
    assert [row for row in rows(result, "pairs") if row["unit"] == "article"] == []


def test_articles_are_compared_without_their_boilerplate(run: Scanner) -> None:
    wire = story("wire", 3)
    sites = [*pages(5, NOTICE), *pages(5, HELP, site="t")]
    result = run(*sites, [*wire, NOTICE], [*wire, HELP])
    [pair] = [row for row in rows(result, "pairs") if row["unit"] == "article"]
    assert (pair["left_article"], pair["right_article"]) == ("10", "11")
    assert (pair["similarity"], pair["shared_tokens"]) == (1, 36)


def test_a_repeat_in_one_article_is_internal_before_it_is_boilerplate(run: Scanner) -> None:
    result = run(*pages(5, NOTICE), [*story("own"), NOTICE, NOTICE])
    assert kinds(result, 5)[-2:] == ["boilerplate", "internal_repeat"]
    row = rows(result, "articles")[5]
    assert (row["internal"], row["formulaic"]) == (16 / 68, 16 / 68)


def test_the_order_of_the_articles_does_not_change_what_is_boilerplate(run: Scanner) -> None:
    wire = story("wire", 6)
    articles = [*pages(40, *FURNITURE, paragraphs=7), *[[*wire, NOTICE] for _ in range(9)]]
    found = clusters(run(*articles))
    assert clusters(run(*articles[::-1])) == found
    assert clusters(run(*articles, threads=1)) == found
    assert set(found.values()) == {"boilerplate", "syndication"}
