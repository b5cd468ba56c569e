"""Make news articles of any size whose copies are known, for timing and for measuring recall.

    python benchmarks/corpora.py OUT_DIR --mb 1000 [--script mixed] [--format both]

writes `articles.parquet` or `.jsonl`, `truth.parquet` and `stats.json`; `generate(mb=1000)`
yields the same tables in batches. The text depends on the seed and the version of numpy only,
and a smaller corpus is the beginning of a larger one.

The prose is invented (`prose.py`). The copies have the proportions of a news crawl: 3 % of the
articles are reposts and 9 % are edited by another outlet; 8 % of the other articles' paragraphs
are reused; 30 % of articles carry boilerplate, 2 % repeat themselves.
An origin is drawn from a reservoir that every original enters in place of a random one, so
the copies it can expect do not grow with the corpus, and the cost per paragraph can be
compared between sizes.

Truth has a row per planted relation. Units: `article`, `paragraph`, `run` (an excerpt inside
fresh text), `repeat` (within an article), `boilerplate` (its origin is a name, no article).
An origin may hold copies itself; it is always dated before its copies. `shared_words` and
`similarity` (word-LCS Dice, of articles without their boilerplate) are what the edits leave;
words that agree by chance can only add to them.
"""

import argparse
import json
import random
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from prose import ENDS, SCRIPTS, Array, Language

BATCH_BYTES = 32_000_000  # of text in a row group: enough groups for every thread at 1 GB

RESERVOIR_ARTICLES = 20_000
COPIES = [*Counter(exact=20, edit=21, edit_clumped=21, truncate=9, insert=9).elements()]
REUSES = [*Counter(exact=6, edit=4, edit_clumped=4, truncate=3, excerpt=3).elements()]
EDIT_RATES = (0.02, 0.05, 0.10, 0.20, 0.30)
RATES = {"edit": EDIT_RATES, "edit_clumped": EDIT_RATES, "truncate": (0.10, 0.20, 0.30, 0.50)}
SOURCES = [f"site{number:02}.example" for number in range(40)]
COMMON_BOILERPLATE = 20  # carried by all sources; each source has one more of its own

MIXED = {"english": 60, "cyrillic": 12, "cjk": 10, "arabic": 6, "hindi": 6, "thai": 6}  # percent

TEXT, NUMBER, REAL, DATE = pa.string(), pa.int32(), pa.float64(), pa.timestamp("us", "UTC")
ARTICLES = pa.schema({"id": TEXT, "text": TEXT, "date": DATE, "source": TEXT, "url": TEXT})
COPY = [("unit", TEXT), ("copy_article", TEXT), ("copy_position", NUMBER)]
ORIGIN = [("origin_article", TEXT), ("origin_position", NUMBER)]
RELATION = [("kind", TEXT), ("edit_rate", REAL), ("shared_words", NUMBER), ("similarity", REAL)]
TRUTH = pa.schema([*COPY, *ORIGIN, *RELATION])


@dataclass
class Article:
    name: str
    source: int
    hours: float  # since the start of 2022
    body: list[Array] = field(default_factory=list)
    boilerplate: list[int] = field(default_factory=list)
    paragraphs: list[Array] = field(default_factory=list)  # the body, then the boilerplate
    truth: list[tuple[Any, ...]] = field(default_factory=list)

    def add(
        self, copy: Array, origin: "Article", position: int, shared: int, edit: tuple[str, float]
    ) -> None:
        """Add a paragraph that shares this many words with that one of the origin.

        `edit` is the kind of the copy and the rate at which words were changed.
        """
        kind, rate = edit
        part = "run" if kind == "excerpt" else "paragraph"
        unit = "repeat" if origin is self else part
        similarity = 2 * shared / (len(origin.body[position]) + len(copy))
        row = (unit, self.name, len(self.body), origin.name, position, kind)
        self.truth.append((*row, rate, shared, similarity))
        self.body.append(copy)


class Newsroom:
    """Makes the articles of one language, fresh ones and copies of earlier ones."""

    def __init__(self, name: str, base: int, seed: int, capacity: int) -> None:
        self.name, self.capacity = name, capacity
        self.chance = random.Random(f"{seed} {name}")
        self.rng = np.random.default_rng(self.chance.getrandbits(64))
        self.language = Language(SCRIPTS[name], base, self.rng)
        self.reservoir: list[Article] = []
        articles = [self.language.write_article() for _ in range(COMMON_BOILERPLATE + len(SOURCES))]
        self.boilerplate = [sorted(article, key=len)[-2] for article in articles]
        sample = np.concatenate([p for article in self.language.waiting for p in article])
        letters = pc.binary_length(self.language.spellings.take(pa.array(sample - base)))
        self.word_bytes: float = pc.mean(letters).as_py()

    def publish(self, name: str) -> Article:
        chance = self.chance
        source = int(len(SOURCES) * chance.random() ** 1.5)  # some outlets publish more
        article = Article(name, source, 2 * 365 * 24 * chance.random())
        common = int(COMMON_BOILERPLATE * chance.random() ** 2)
        site = COMMON_BOILERPLATE + source
        if chance.random() < 0.30:
            article.boilerplate = chance.choice([[common], [site], [common, site]])
        if self.reservoir and chance.random() < 0.12:
            self.copy_article(article)
        else:
            self.write_article(article)
        for position, number in enumerate(article.boilerplate, len(article.body)):
            origin = f"boilerplate-{self.name}-{number}"
            kind = "common" if number < COMMON_BOILERPLATE else "site"
            words = len(self.boilerplate[number])
            row = ("boilerplate", name, position, origin, None, kind, 0.0, words, 1.0)
            article.truth.append(row)
        article.paragraphs = article.body + [self.boilerplate[n] for n in article.boilerplate]
        return article

    def copy_article(self, article: Article) -> None:
        """Fill the article with another one, as it is or as another outlet would run it."""
        article.hours = 0.0  # soon after the origin, whenever that was
        origin, kind, rate = self.choose_origin(article, COPIES)
        if kind == "exact":
            article.boilerplate = origin.boilerplate
        positions = [*range(len(origin.body))]
        if kind == "truncate":
            del positions[int((1 - rate) * len(positions)) :]
        if kind == "insert":
            del positions[self.chance.randrange(len(positions))]
        inserted = self.chance.choice(positions) if kind == "insert" else None
        shared = 0
        for position in positions:
            if position == inserted:
                article.body.append(self.language.write_article()[0])
            edited = kind if kind.startswith("edit") else "exact"
            shared += self.copy_paragraph(article, origin, position, edited, rate)
        if kind in ("truncate", "insert"):
            rate = 1 - len(positions) / len(origin.body)
        similarity = 2 * shared / sum(map(len, origin.body + article.body))
        row = ("article", article.name, None, origin.name, None, kind, rate, shared, similarity)
        article.truth.append(row)

    def write_article(self, article: Article) -> None:
        """Fill the article with fresh paragraphs, but reuse others' or its own now and then."""
        for fresh in self.language.write_article():
            if not self.reservoir or self.chance.random() >= 0.08:
                article.body.append(fresh)
                continue
            origin, kind, rate = self.choose_origin(article, REUSES)
            position = self.chance.randrange(len(origin.body))
            if kind == "excerpt" and len(origin.body[position]) >= 15:
                self.add_excerpt(article, fresh, origin, position)
            else:
                self.copy_paragraph(article, origin, position, kind, rate)
        if self.chance.random() < 0.02 / 0.88:
            self.repeat_part(article)  # its copies would repeat it untold: not for the reservoir
        elif len(self.reservoir) < self.capacity:
            self.reservoir.append(article)
        else:
            self.reservoir[self.chance.randrange(self.capacity)] = article

    def choose_origin(self, article: Article, kinds: list[str]) -> tuple[Article, str, float]:
        """Choose what to copy, how and at which rate, and date the article after it."""
        origin = self.chance.choice(self.reservoir)
        article.hours = max(article.hours, origin.hours + 1 + self.chance.expovariate(1 / 48))
        kind = self.chance.choice(kinds)
        return origin, kind, self.chance.choice(RATES.get(kind, (0.0,)))

    def copy_paragraph(
        self, article: Article, origin: Article, position: int, kind: str, rate: float
    ) -> int:
        """Add a copy to the article and return how many words it has kept."""
        source = copy = origin.body[position]
        kept = len(source)
        if kind == "truncate":
            copy = source[: max(1, round((1 - rate) * len(source)))]
            kept = len(copy)
        elif kind != "exact":
            copy, kept = self.edit(source, rate, clumped=kind == "edit_clumped")
        if kept == len(source) == len(copy):  # a low rate spares short paragraphs
            kind, rate = "exact", 0.0
        article.add(copy, origin, position, kept, (kind, rate))
        return kept

    def edit(self, tokens: Array, rate: float, *, clumped: bool) -> tuple[Array, int]:
        """Replace, delete or add to (2:1:1) a share of the words; also count the ones kept."""
        edited, kept = tokens.tolist(), len(tokens)
        places = [place for place in range(kept) if self.chance.random() < rate]
        if clumped:
            first = self.chance.randint(0, kept - len(places))
            places = [*range(first, first + len(places))]
        words = self.language.base + 8 * self.language.draw_words(len(places))
        for place, word in zip(reversed(places), words.tolist(), strict=True):
            action = self.chance.random()
            if action < 0.50:
                edited[place] = word + edited[place] % 8
                kept -= 1
            elif action < 0.75 and place > 0:  # or a paragraph of one word would vanish
                del edited[place]
                kept -= 1
            else:
                edited.insert(place + 1, word)
        return np.array(edited, np.int32), kept

    def add_excerpt(self, article: Article, fresh: Array, origin: Article, position: int) -> None:
        """Add the fresh paragraph with a run of 15 to 40 words of the origin's somewhere in it."""
        source = origin.body[position]
        size = self.chance.randint(15, min(40, len(source)))
        start = self.chance.randint(0, len(source) - size)
        where = self.chance.randint(0, len(fresh))
        copy = np.concatenate([fresh[:where], source[start : start + size], fresh[where:]])
        article.add(copy, origin, position, size, ("excerpt", 0.0))

    def repeat_part(self, article: Article) -> None:
        """End the article with its longest paragraph again, or with the start of that one."""
        longest = max(article.body, key=len)
        kind, copy, shared = "exact", longest, len(longest)
        if self.chance.random() < 0.5:  # one sentence, or two if the first is under eight words
            kind, shared = "sentence", 8 + int(np.argmax(longest[7:] & ENDS > 0))
            copy = np.append(self.language.write_article()[0], longest[:shared])
        position = next(at for at, body in enumerate(article.body) if body is longest)
        article.add(copy, article, position, shared, (kind, 0.0))


def tabulate(articles: list[Article], spellings: pa.StringArray) -> tuple[pa.Table, pa.Table]:
    """Spell out the articles and their relations: ARTICLES and TRUTH."""
    between = np.zeros(1, np.int32)  # the blank line, also before the first paragraph
    parts = [part for a in articles for p in a.paragraphs for part in (between, p)]
    _, offsets, letters = spellings.take(pa.array(np.concatenate(parts))).buffers()
    lengths = [sum(map(len, a.paragraphs)) + len(a.paragraphs) for a in articles]
    bounds = np.frombuffer(offsets, np.int32)[np.cumsum([0, *lengths])]
    text = pa.StringArray.from_buffers(len(articles), pa.py_buffer(bounds), letters)
    text = pc.utf8_ltrim_whitespace(pc.replace_substring(text, "\n\n ", "\n\n"))
    names = [article.name for article in articles]
    start = 1_640_995_200_000_000  # 2022-01-01
    dates = pa.array([start + int(3_600_000_000 * article.hours) for article in articles], DATE)
    sources = [SOURCES[article.source] for article in articles]
    urls = [f"https://{source}/{name}" for source, name in zip(sources, names, strict=True)]
    rows = [row for article in articles for row in article.truth]
    columns = [*zip(*rows, strict=True)] or [()] * len(TRUTH)
    table = pa.table([names, text, dates, sources, urls], schema=ARTICLES)
    return table, pa.table(columns, schema=TRUTH)


def draft(desks: list[Newsroom], mb: float, paragraphs: int, seed: int) -> Iterator[list[Article]]:
    """Publish articles until they have this many megabytes, to the per cent, or paragraphs."""
    chance = random.Random(seed)
    articles: list[Article] = []
    size = size_before = made = 0.0
    for number in count():
        newsroom = chance.choice(desks)
        articles.append(newsroom.publish(f"a{number:08}"))
        size += newsroom.word_bytes * sum(map(len, articles[-1].paragraphs))
        made += len(articles[-1].paragraphs)
        enough = 0 < mb * 1e6 <= size_before + size or 0 < paragraphs <= made
        if enough or size >= BATCH_BYTES:
            yield articles
            articles, size, size_before = [], 0.0, size_before + size
        if enough:
            return


def run_ahead(batches: Iterator[list[Article]]) -> Iterator[list[Article]]:
    """Draft the next batch while this one is spelled out and written, to use a second core."""
    with ThreadPoolExecutor(1) as thread:
        ahead: Future[list[Article]] = thread.submit(next, batches, [])
        while batch := ahead.result():
            ahead = thread.submit(next, batches, [])
            yield batch


def generate(
    *, mb: float = 0, paragraphs: int = 0, seed: int = 1, script: str = "english"
) -> Iterator[tuple[pa.Table, pa.Table]]:
    """Yield batches of ARTICLES and their TRUTH, up to this many megabytes or paragraphs."""
    if not mb and not paragraphs:
        raise ValueError("mb and paragraphs are both 0: how much to generate?")
    desks: list[Newsroom] = []  # a newsroom has as many as its share
    spellings = pa.array(["\n\n", *[""] * 7], TEXT)  # words start at a multiple of 8
    for name, share in (MIXED if script == "mixed" else {script: 100}).items():
        newsroom = Newsroom(name, len(spellings), seed, RESERVOIR_ARTICLES * share // 100)
        spellings = pa.concat_arrays([spellings, newsroom.language.spellings])
        desks += [newsroom] * share
    drafts = run_ahead(draft(desks, mb, paragraphs, seed))
    return (tabulate(articles, spellings) for articles in drafts)


def as_json_line(row: dict[str, Any]) -> str:
    return json.dumps({**row, "date": row["date"].isoformat()}, ensure_ascii=False) + "\n"


def write_corpus(
    batches: Iterator[tuple[pa.Table, pa.Table]], out: Path, formats: set[str]
) -> dict[str, int]:
    """Write the batches and count bytes, articles, paragraphs and each kind of relation."""
    counts: Counter[str] = Counter()
    out.mkdir(parents=True, exist_ok=True)
    with ExitStack() as files:
        create = partial(pq.ParquetWriter, compression="zstd")
        truth_file = files.enter_context(create(out / "truth.parquet", TRUTH))
        if "parquet" in formats:
            articles_file = files.enter_context(create(out / "articles.parquet", ARTICLES))
        if "jsonl" in formats:
            lines_file = files.enter_context((out / "articles.jsonl").open("w", encoding="utf-8"))
        for articles, truth in batches:
            truth_file.write_table(truth)
            if "parquet" in formats:
                articles_file.write_table(articles)
            if "jsonl" in formats:
                lines_file.writelines(map(as_json_line, articles.to_pylist()))
            breaks = pc.count_substring(articles["text"], "\n\n")
            counts["text_bytes"] += pc.sum(pc.binary_length(articles["text"])).as_py()
            counts["articles"] += len(articles)
            counts["paragraphs"] += len(articles) + pc.sum(breaks).as_py()
            pairs = zip(truth["unit"].to_pylist(), truth["kind"].to_pylist(), strict=True)
            counts.update(f"{unit} {kind}" for unit, kind in pairs)
    return dict(counts)


def main() -> None:
    parser = argparse.ArgumentParser(description="Write news articles whose copies are known.")
    parser.add_argument("out", type=Path, metavar="OUT_DIR")
    size = parser.add_mutually_exclusive_group(required=True)
    size.add_argument("--mb", type=float, default=0, help="how much text, in millions of bytes")
    size.add_argument("--paragraphs", type=int, default=0, help="how many paragraphs instead")
    parser.add_argument("--seed", type=int, default=1, help="default: 1")
    parser.add_argument("--script", choices=[*SCRIPTS, "mixed"], default="english")
    parser.add_argument("--format", choices=["parquet", "jsonl", "both"], default="parquet")
    wish = parser.parse_args()
    batches = generate(mb=wish.mb, paragraphs=wish.paragraphs, seed=wish.seed, script=wish.script)
    formats = {"parquet", "jsonl"} if wish.format == "both" else {wish.format}
    stats = write_corpus(batches, wish.out, formats)
    (wish.out / "stats.json").write_text(json.dumps(stats, indent=1) + "\n")
    print(json.dumps(stats))


if __name__ == "__main__":
    main()
