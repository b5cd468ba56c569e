"""Where the entries of a template pack occur in collections, and in what sentences.

    python benchmarks/packs.py FOLDER [--pack PACK.toml] [--samples 10] [--update]

reads every collection in the folder (`*.jsonl.zst`, each row with an id and a text) and writes, to
`benchmarks/out/packs/`, `support.tsv`: of each entry the articles and occurrences by collection,
and `samples.tsv`: sentences it matches, to be judged by eye. It prints the totals by language and
the entries that are in so many articles that they may be grammar.

The matcher is the definition of a pack's entry, as slow and plain as it reads: a regular
expression over the words of a sentence, which are those of `definition.py`. Only the paragraphs
are cut by the engine. An entry counts wherever it matches, even where another one fixes the same
words.
"""

import argparse
import io
import json
import random
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import tomllib
from definition import split_words
from report import OUT, Cell, format_table, show

import dedup

NEWS = Path(dedup.__file__).parent / "bundled" / "news.toml"
COLLECTIONS = (
    *("reuters21578", "bbc", "trove_press_refugees"),
    *("debian_webwml", "fakebr", "masakhanews"),
)
TOO_COMMON = 0.015  # of a collection's articles: more frequent entries are language, not formulas
MAX_SENTENCE = 120  # words; a longer one is a table or a list, and no formula holds so much

SLOT = re.compile(r"<\*>|<NUM>")
ASCII_WORD = re.compile(r"(?:[a-z0-9]|(?<=[0-9])[.,](?=[0-9]))+")
# After a stop, with what closes a quotation, if a blank follows and no small letter after it;
# after the stops of scripts that put no blank there, at once.
SENTENCE_END = re.compile(
    r"""[.!?\u2026]+["'\u201d\u2019\xbb)\]]*\s+(?![a-z\xe0-\xf6\xf8-\xff\u0430-\u044f])"""
    r"""|[\u3002\uff01\uff1f\u0964\u0965\u061f\u1362]+[\u201d\u300d\u300f"]*"""
)
# A point behind one of these ends no sentence.
ABBREVIATION = re.compile(
    r"\b(?:[A-Z]|Mr|Mrs|Ms|Dr|Prof|St|Sr|Jr|Gen|Col|Lt|Sgt|Capt|Rev|Hon|Sen|Rep|Gov|No|vs|Co|Inc"
    r"|Corp|Ltd|Jan|Feb|Mar|Apr|Aug|Sept|Sep|Oct|Nov|Dec|etc|e\.g|i\.e|approx|Nr|bzw|ca)\.\s*$"
)


class Entry(NamedTuple):
    language: str
    form: str  # openers or sentences
    pattern: str


@dataclass
class Pack:
    """The entries of a pack, each found by a word that a sentence must have to match it."""

    entries: list[Entry]

    def __post_init__(self) -> None:
        self.expressions = [compile_entry(entry) for entry in self.entries]
        self.fixed = [frozenset(fixed_words(entry.pattern)) for entry in self.entries]
        self.by_word: dict[str, list[int]] = defaultdict(list)
        uses = Counter(word for words in self.fixed for word in words)
        for number, words in enumerate(self.fixed):
            self.by_word[min(words, key=lambda word: (uses[word], word))].append(number)

    def match(self, words: list[str]) -> Iterator[int]:
        """Yield the numbers of the entries that a sentence matches."""
        present = set(words)
        line = "".join(f"{word} " for word in words)
        for word in present & self.by_word.keys():
            for number in self.by_word[word]:
                if self.fixed[number] <= present and self.expressions[number].match(line):
                    yield number


def load_pack(path: Path) -> Pack:
    content = tomllib.loads(path.read_text(encoding="utf-8"))
    tables = {name: table for name, table in content.items() if isinstance(table, dict)}
    rows = [
        Entry(language, form, pattern)
        for language, table in tables.items()
        for form, patterns in table.items()
        for pattern in patterns
    ]
    return Pack(rows)


def fixed_words(pattern: str) -> list[str]:
    return split_words(SLOT.sub(" ", pattern))


def compile_entry(entry: Entry) -> re.Pattern[str]:
    """Turn an entry into an expression over words with a blank after each.

    `<*>` is one or more words, at the end also none; `<NUM>` is a word with a digit in it. What
    follows an opener may be anything.
    """
    parts: list[str] = []
    texts = SLOT.split(entry.pattern)
    for text, slot in zip(texts, [*SLOT.findall(entry.pattern), ""], strict=True):
        parts += [re.escape(word) + " " for word in split_words(text)]
        parts += {"<*>": [r"(?:\S+ )+?"], "<NUM>": [r"\S*\d\S* "], "": []}[slot]
    if entry.pattern.endswith("<*>"):
        parts[-1] = r"(?:\S+ )*"
    end = "" if entry.form == "openers" else r"\Z"
    return re.compile("".join(parts) + end)


def split_sentences(paragraph: str) -> Iterator[str]:
    start = 0
    for end in SENTENCE_END.finditer(paragraph):
        if not ABBREVIATION.search(paragraph[start : end.start() + 1]):
            yield paragraph[start : end.end()]
            start = end.end()
    yield paragraph[start:]


@cache
def normalise_sentence(sentence: str) -> tuple[str, ...]:
    """Words of a sentence; of ASCII in one step, as most of what is read is."""
    if sentence.isascii():
        return tuple(ASCII_WORD.findall(sentence.lower()))
    return tuple(split_words(sentence))


def read_texts(path: Path) -> Iterator[tuple[str, str]]:
    with io.TextIOWrapper(pa.input_stream(path), encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            yield row["id"], row["text"]


def read_paragraphs(path: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield the paragraphs of each article, as the engine cuts them, and the article's name."""
    results = OUT / "packs" / path.name.removesuffix(".jsonl.zst")
    if not (results / "manifest.json").exists():
        dedup.scan(path, results)
    table = dedup.open_scan(results).paragraphs
    rows = (
        row
        for batch in table.to_batches(columns=["article_id", "start", "end"])
        for row in batch.to_pylist()
    )
    texts = read_texts(path)
    for name, places in groupby(rows, key=lambda row: row["article_id"]):
        # Articles are in input order; one without a paragraph has no rows.
        text = next(text for article, text in texts if article == name)
        yield name, [text[place["start"] : place["end"]] for place in places]


@dataclass
class Support:
    """What a collection holds of each entry."""

    total: int
    articles: Counter[int]
    occurrences: Counter[int]
    samples: dict[int, list[str]]
    matched: Counter[str]  # articles with an entry, by the entry's language


def measure_collection(pack: Pack, path: Path, samples: int) -> Support:
    """Match every sentence of a collection, and keep some of those that match, drawn evenly."""
    chance = random.Random(path.name)
    support = Support(0, Counter(), Counter(), defaultdict(list), Counter())
    for _, paragraphs in read_paragraphs(path):
        support.total += 1
        found: set[int] = set()
        for sentence in (part for text in paragraphs for part in split_sentences(text)):
            words = normalise_sentence(sentence)
            if len(words) > MAX_SENTENCE:
                continue
            for number in pack.match([*words]):
                found.add(number)
                support.occurrences[number] += 1
                kept, place = support.samples[number], support.occurrences[number] - 1
                place = place if place < samples else chance.randrange(place + 1)
                if place < samples:
                    kept[place:] = [sentence, *kept[place + 1 :]]
        support.articles.update(found)
        support.matched.update({pack.entries[number].language for number in found})
    normalise_sentence.cache_clear()
    return support


def tabulate_languages(pack: Pack, supports: dict[str, Support]) -> str:
    """Lay out, by language and collection, the entries that occur and the articles that hold one.

    The articles are a share of all the collection's articles, of whatever language.
    """
    rows: list[list[Cell]] = []
    for language in dict.fromkeys(entry.language for entry in pack.entries):
        numbers = [n for n, entry in enumerate(pack.entries) if entry.language == language]
        row: list[Cell] = [language, len(numbers)]
        row.append(sum(any(s.articles[n] for s in supports.values()) for n in numbers))
        for support in supports.values():
            row.append(sum(support.articles[n] > 0 for n in numbers))
            row.append(support.matched[language] / support.total)
        rows.append(row)
    columns = [heading for name in supports for heading in (name.split("_")[0], "articles")]
    return format_table(["language", "entries", "occur", *columns], rows)


def tabulate_common(pack: Pack, supports: dict[str, Support]) -> str:
    """List the entries that are in more than TOO_COMMON of some collection's articles."""
    rows: list[list[Cell]] = []
    for number, entry in enumerate(pack.entries):
        shares = [support.articles[number] / support.total for support in supports.values()]
        if max(shares) > TOO_COMMON:
            rows.append([entry.pattern, entry.language, *shares])
    return format_table(["entry", "language", *supports], rows)


def write_support(pack: Pack, supports: dict[str, Support], path: Path) -> None:
    columns = [f"{name}_{unit}" for name in supports for unit in ("articles", "occurrences")]
    with path.open("w", encoding="utf-8") as file:
        print("language", "form", "pattern", *columns, sep="\t", file=file)
        for number, entry in enumerate(pack.entries):
            pairs = [(s.articles[number], s.occurrences[number]) for s in supports.values()]
            print(*entry, *(count for pair in pairs for count in pair), sep="\t", file=file)


def write_samples(pack: Pack, supports: dict[str, Support], path: Path) -> None:
    with path.open("w", encoding="utf-8") as file:
        print("language", "form", "pattern", "collection", "sentence", sep="\t", file=file)
        for number, entry in enumerate(pack.entries):
            for name, support in supports.items():
                for sentence in support.samples[number]:
                    print(*entry, name, " ".join(sentence.split()), sep="\t", file=file)


def main() -> None:
    parser = argparse.ArgumentParser(description="Where a pack's entries occur, and in what.")
    parser.add_argument("folder", type=Path, help="holds the collections, *.jsonl.zst")
    parser.add_argument("--pack", type=Path, default=NEWS, help="default: the bundled one")
    parser.add_argument("--collections", nargs="+", default=COLLECTIONS, metavar="NAME")
    parser.add_argument("--samples", type=int, default=10, help="sentences kept of each entry")
    parser.add_argument("--update", action="store_true", help="put the tables into README.md")
    wish = parser.parse_args()
    pack = load_pack(wish.pack)
    supports: dict[str, Support] = {}
    for name in wish.collections:
        print(f"reading {name}", file=sys.stderr)
        path = wish.folder / f"{name}.jsonl.zst"
        supports[name] = measure_collection(pack, path, wish.samples)
    write_support(pack, supports, OUT / "packs" / "support.tsv")
    write_samples(pack, supports, OUT / "packs" / "samples.tsv")
    show("pack entries by language", tabulate_languages(pack, supports), update=wish.update)
    show("common pack entries", tabulate_common(pack, supports), update=wish.update)


if __name__ == "__main__":
    main()
