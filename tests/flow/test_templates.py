"""What a scan calls a template, and what it does with pairs that share one."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from dedup import Scan, scan
from dedup.errors import ConfigError
from dedup.packs import Pack, PackTemplate, learn_pack, load_pack, write_pack
from dedup.progress import Silent

Scanner = Callable[..., Scan]

TOWNS = [
    "Saltmere",
    "Orlaburn",
    "Quenby",
    "Tarnhope",
    "Wexcombe",
    "Ullsgate",
    "Brackwater",
    "Isley",
]
THINGS = ["herring", "barley", "slate", "wool", "timber", "cider", "rope", "salt"]
WEATHER = ["hail", "thunder", "sleet", "fog", "drizzle", "squalls", "frost", "sunshine"]


def filler(n: int) -> str:
    """Return a sentence that no other article has."""
    return " ".join(f"w{n}x{i}" for i in range(12)).capitalize() + "."


@pytest.fixture
def run(tmp_path: Path) -> Scanner:
    """Scan texts in memory order; ids are 0, 1, 2, ..."""

    def scan_texts(texts: Sequence[str], **options: Any) -> Scan:
        lines = [json.dumps({"id": str(n), "text": text}) for n, text in enumerate(texts)]
        (tmp_path / "in.jsonl").write_text("\n".join(lines), encoding="utf-8")
        return scan(tmp_path / "in.jsonl", tmp_path / "out", **{"packs": [], **options})

    return scan_texts


def mined(result: Scan) -> dict[str, dict[str, Any]]:
    return {row["pattern"]: row for row in result.templates.to_table().to_pylist()}


def notices(count: int = 8) -> list[str]:
    """Return articles with one notice each, which differ in town, price and goods."""
    return [
        f"{filler(n)} The harbour office in {TOWNS[n]} quoted {n + 11} crowns for a barrel"
        f" of {THINGS[n]}. {filler(n + 100)}"
        for n in range(count)
    ]


def test_a_sentence_that_many_articles_fill_in_is_a_template(run: Scanner) -> None:
    templates = mined(run(notices()))
    pattern = "The harbour office in <*> quoted <NUM> crowns for a barrel of <*>."
    assert list(templates) == [pattern]
    row = templates[pattern]
    assert (row["kind"], row["articles"], row["occurrences"]) == ("sentence", 8, 8)
    assert row["fixed_tokens"] == 10
    assert [(slot["kind"], slot["fillers"]) for slot in row["slots"]] == [
        ("words", 8),
        ("number", 8),
        ("words", 8),
    ]
    assert set(row["slots"][0]["examples"]) < set(TOWNS)
    assert row["examples"][0] == {"article_id": "0", "position": 0}


@pytest.mark.parametrize(("articles", "support"), [(4, 5), (5, 6)])
def test_fewer_articles_than_the_support_make_no_template(
    run: Scanner, articles: int, support: int
) -> None:
    assert mined(run(notices(articles), min_support=support)) == {}
    assert len(mined(run(notices(articles), min_support=articles))) == 1


def test_without_templates_none_is_looked_for(run: Scanner, tmp_path: Path) -> None:
    assert mined(run(notices()))
    by_default = scan(tmp_path / "in.jsonl", tmp_path / "out", templates=False)  # with the news
    assert mined(by_default) == {}


def test_a_slot_that_is_mostly_filled_alike_is_none(run: Scanner) -> None:
    texts = [text.replace(TOWNS[n], "Saltmere") for n, text in enumerate(notices())]
    patterns = list(mined(run(texts)))
    assert patterns == ["The harbour office in Saltmere quoted <NUM> crowns for a barrel of <*>."]


def test_plain_grammar_is_no_template(run: Scanner) -> None:
    said = "He said that the {} of the {} was in the {}."
    texts = [
        f"{said.format(THINGS[n % 8], f'place{n}', WEATHER[(n // 8) % 8])} {filler(n)}"
        f" The place{n} was in that of the keeper, he said."
        for n in range(64)
    ]
    assert mined(run(texts)) == {}
    told = [text.replace("He said that", "Harbour gossip insists that") for text in texts]
    assert "Harbour gossip insists that the <*> was in the <*>." in mined(run(told))


def test_versions_of_one_article_do_not_make_a_template(run: Scanner) -> None:
    story = " ".join(filler(n) for n in range(5))
    lead = "The {} Courier learned that the long bridge over the estuary was closed at dawn."
    versions = [f"{lead.format(town)}\n\n{story}" for town in TOWNS]
    others = [filler(n) for n in range(10, 20)]
    assert mined(run(versions + others)) == {}
    strangers = [f"{lead.format(town)}\n\n{filler(n + 30)}" for n, town in enumerate(TOWNS)]
    assert len(mined(run(strangers + others))) == 1


def test_an_opener_that_one_article_repeats_is_a_template_there(run: Scanner) -> None:
    padded = " ".join(
        f"Reports indicate that {thing} {filler(n).lower()}" for n, thing in enumerate(THINGS[:4])
    )
    once = f"Reports indicate that nobody {filler(50).lower()}"
    others = [" ".join(filler(20 * k + n) for n in range(8)) for k in range(4, 9)]
    templates = mined(run([padded, once, *others]))
    assert list(templates) == ["Reports indicate that <*>."]
    row = templates["Reports indicate that <*>."]
    assert (row["kind"], row["articles"], row["occurrences"]) == ("opener", 1, 4)


def test_a_filler_that_comes_often_is_still_a_filler(run: Scanner) -> None:
    texts = [
        f"{filler(n)} Shares of {TOWNS[n % 4]} Mills ended the morning {n + 3} points"
        f" {('lower', 'higher', 'ahead')[n % 3]} on the corn exchange."
        for n in range(48)
    ]
    patterns = list(mined(run(texts)))
    assert patterns == [
        "Shares of <*> Mills ended the morning <NUM> points <*> on the corn exchange."
    ]


def test_several_sentences_that_go_together_are_one_template(run: Scanner) -> None:
    texts = [
        f"{filler(n)}\n\nThe parish of {town} lends {n + 2} ladders to its members. Ask the"
        f" verger for {thing} or write to the vestry clerk."
        for n, (town, thing) in enumerate(zip(TOWNS, THINGS, strict=True))
    ]
    templates = mined(run(texts))
    assert [row["kind"] for row in templates.values()] == ["paragraph"]


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("{}の港は今朝から霧のため閉鎖されました。", "<*>の港は今朝から霧のため閉鎖されました。"),
        (
            "Порт {} закрыт с утра из-за густого тумана.",
            "Порт <*> закрыт с утра из-за густого тумана.",
        ),
        (
            "أغلق ميناء {} صباح اليوم بسبب الضباب الكثيف.",
            "أغلق ميناء <*> صباح اليوم بسبب الضباب الكثيف.",
        ),
        ("{} बंदरगाह आज सुबह घने कोहरे के कारण बंद रहा।", "<*> बंदरगाह आज सुबह घने कोहरे के कारण बंद रहा।"),
    ],
)
def test_templates_are_found_in_every_script(run: Scanner, text: str, pattern: str) -> None:
    texts = [f"{filler(n)}\n\n{text.format(town)}" for n, town in enumerate(TOWNS)]
    assert list(mined(run(texts))) == [pattern]


def pairs(result: Scan) -> set[tuple[str, str, str]]:
    rows = result.pairs.to_table(columns=["unit", "left_article", "right_article"]).to_pylist()
    return {(row["unit"], row["left_article"], row["right_article"]) for row in rows}


def bulletins() -> list[str]:
    """Return articles that are one long notice, of which a few words differ."""
    return [
        f"The lighthouse keepers of {town} announce that the foghorn will sound at dusk on the"
        f" first market day after {weather} for the benefit of all boats that carry {thing}."
        for town, thing, weather in zip(TOWNS, THINGS, WEATHER, strict=True)
    ]


def test_notices_that_differ_in_their_slots_are_no_copies(run: Scanner) -> None:
    assert len(pairs(run(bulletins(), templates=False))) > 20
    result = run(bulletins())
    assert len(mined(result)) == 1
    assert pairs(result) == set()
    assert result.clusters.count_rows() == 0
    assert set(result.articles.to_table()["copied"].to_pylist()) == {0.0}


def test_a_copy_of_a_notice_agrees_in_its_slots_too(run: Scanner) -> None:
    texts = bulletins()
    long = texts[0] + " " + " ".join(filler(n) for n in range(3))
    edited = long.replace("w1x5", "other").replace("w2x7", "words")
    result = run([*texts[1:], long, edited])
    assert pairs(result) == {("paragraph", "7", "8"), ("article", "7", "8")}


def test_a_pack_needs_no_support(run: Scanner, tmp_path: Path) -> None:
    pack = Pack(
        "desk",
        "",
        (
            PackTemplate("en", "opener", "Word from the quay is that <*>"),
            PackTemplate("en", "sentence", "<*> could not be reached before the tide"),
            PackTemplate("en", "opener", "Nobody says this <*>"),
        ),
    )
    write_pack(pack, tmp_path / "desk.toml")
    text = (
        "Word from the quay is that nets are dear. The mayor could not be reached before the tide."
    )
    templates = mined(run([text], packs=[str(tmp_path / "desk.toml")]))
    assert set(templates) == {
        "Word from the quay is that <*>",
        "<*> could not be reached before the tide",
    }
    assert {row["pack"] for row in templates.values()} == {"desk"}


def test_a_pack_that_is_not_there_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    class Steps(Silent):
        def start(self, step: str, total_bytes: int | None = None) -> None:
            raise AssertionError(step)

    (tmp_path / "in.jsonl").write_text('{"text": "some words"}\n')
    with pytest.raises(ConfigError, match=r"cannot read the template pack .*press\.toml"):
        scan(tmp_path / "in.jsonl", tmp_path / "out", packs=["press.toml"], progress=Steps())


def test_the_bundled_pack_is_used_by_default(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"id": "1", "text": "Reports indicate that eels came."}')
    result = scan(tmp_path / "a.jsonl", tmp_path / "out")
    assert list(mined(result)) == ["Reports indicate that <*>"]


def test_a_learned_pack_finds_on_one_article_what_many_showed(run: Scanner, tmp_path: Path) -> None:
    pack = learn_pack(run(notices()), "quotes")
    write_pack(pack, tmp_path / "quotes.toml")
    assert load_pack(tmp_path / "quotes.toml") == pack
    result = run(notices(1), packs=[str(tmp_path / "quotes.toml")])
    assert list(mined(result)) == [pack.templates[0].pattern]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("format = 2", "format 2"),
        ("format = 1", "no name"),
        ('format = 1\nname = "x"\nopeners = ["a"]', "entry 'openers'"),
        ('format = 1\nname = "x"\n[en]\nendings = ["a"]', "entry 'endings'"),
        ('format = 1\nname = "x"\n[en]\nopeners = ["<*> <*>"]', "'<*> <*>'"),
        ('format = 1\nname = "x"\n[en]\nopeners = ["One. Two <*>"]', "'One. Two <*>'"),
        ("format =", "cannot read"),
    ],
)
def test_a_file_that_is_no_pack_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message.replace("*", r"\*")):
        load_pack(path)


def test_threads_and_the_order_of_articles_do_not_show(run: Scanner) -> None:
    texts = notices() + bulletins()
    one, three, turned = (
        run(texts[::order], threads=threads).templates.to_table().to_pylist()
        for order, threads in ((1, 1), (1, 3), (-1, 2))
    )
    assert one == three
    # The examples are of those that came first.
    assert all(row.pop("examples") for row in [*one, *turned])
    assert one == turned
