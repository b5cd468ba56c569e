"""The bundled template pack is well-formed: each entry can match, and says something."""

import re
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import dedup

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PACK = Path(dedup.__file__).parent / "bundled" / "news.toml"
SLOT = re.compile(r"<\*>|<NUM>")
# A word, or one character of a script that puts no spaces between words.
WORD = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]|[^\W\u3040-\u30ff\u4e00-\u9fff]+")


@pytest.fixture(scope="module")
def pack() -> dict[str, Any]:
    return tomllib.loads(PACK.read_text(encoding="utf-8"))


def languages(pack: dict[str, Any]) -> dict[str, dict[str, list[str]]]:
    return {name: table for name, table in pack.items() if isinstance(table, dict)}


def entries(pack: dict[str, Any]) -> list[tuple[str, str]]:
    """Form and pattern of every entry."""
    tables = languages(pack).values()
    return [(form, entry) for table in tables for form in table for entry in table[form]]


def split_fixed(pattern: str) -> list[str]:
    """The fixed words of a pattern, case folded; marks belong to the letters before them."""
    return WORD.findall(
        re.sub(r"[\u0300-\u036f\u0900-\u0903\u093a-\u094f]", "", pattern).casefold()
    )


def count_words(pattern: str) -> float:
    """Fixed words of a pattern; a character of a script without spaces counts half."""
    words = split_fixed(SLOT.sub(" ", pattern))
    return sum(0.5 if "\u3040" <= word <= "\u9fff" else 1 for word in words)


def test_it_has_the_format_s_keys_and_no_others(pack: dict[str, Any]) -> None:
    assert pack["format"] == 1
    assert pack["name"] == "news"
    assert pack.keys() - languages(pack).keys() == {"format", "name", "description"}
    for table in languages(pack).values():
        assert table.keys() == {"openers", "sentences"}


def test_it_has_hundreds_of_english_entries_and_the_commonest_of_eight_other_languages(
    pack: dict[str, Any],
) -> None:
    sizes = {name: sum(map(len, table.values())) for name, table in languages(pack).items()}
    assert sizes.pop("en") >= 300
    assert len(sizes) >= 8
    assert min(sizes.values()) >= 40


def test_no_entry_stands_there_twice(pack: dict[str, Any]) -> None:
    """Not in another spelling either, nor with a last slot, which may be empty, and without it."""
    keys = Counter(
        (" ".join(split_fixed(SLOT.sub(" slot ", pattern))).removesuffix(" slot"))
        for _, pattern in entries(pack)
    )
    assert [key for key, number in keys.items() if number > 1] == []


def test_slots_are_well_formed(pack: dict[str, Any]) -> None:
    for form, pattern in entries(pack):
        assert not set("<>*") & set(SLOT.sub("", pattern)), pattern
        assert not re.search(r"(<\*>|<NUM>)\s*(<\*>|<NUM>)", pattern), pattern
        assert pattern == " ".join(pattern.split())
        if form == "openers":
            assert pattern.endswith("<*>"), pattern
            assert not pattern.startswith("<"), pattern


def test_every_entry_has_fixed_words_enough_to_be_a_formula(pack: dict[str, Any]) -> None:
    for _, pattern in entries(pack):
        assert count_words(pattern) >= 2, pattern
    for pattern in pack["en"]["openers"]:
        assert count_words(pattern) >= 3, pattern
    for pattern in pack["en"]["sentences"]:  # two words only if they are the whole sentence
        assert count_words(pattern) >= 3 or not SLOT.search(pattern), pattern
