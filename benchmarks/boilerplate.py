"""How much of a page's furniture is found because it appears on other pages of the site.

    python benchmarks/boilerplate.py --pages MARKED_PAGES... [--update]

Marked pages are JSONL, also compressed, with `html`, `site` and `gold_text`: the article as people
marked it up, each paragraph after `<p>`, `<h>` or `<l>`. Each page's blocks are its paragraphs. A
block is content if it is one of the gold paragraphs, or has 5 words or more and is in one, or
if one that long is in it; all others are furniture. Precision, recall and F1 are of blocks
that are called furniture; "words found" is recall in words; "content lost" the share of content
words that are called furniture. Token F1 compares the words that are kept with those of the gold
text, as bags, page by page.
"""

import argparse
import json
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from marked import gold_paragraphs, read_marked, words
from report import Cell, format_table, show

import dedup
from dedup.read import locate_inputs
from dedup.read.formats.html_text import read_page

MIN_WORDS = 5  # a shorter block is in an article by chance
NAIVE_PAGES = 3
STRIPPED = ("boilerplate", "internal_repeat")  # furniture is a repeat where a page holds it again


@dataclass(frozen=True)
class Page:
    site: str
    blocks: list[str]
    gold: list[str]  # paragraphs

    def is_content(self, block: str) -> bool:
        text = words(block)
        if len(text.split()) < MIN_WORDS:
            return text in self.gold
        long = (paragraph for paragraph in self.gold if len(paragraph.split()) >= MIN_WORDS)
        return any(f" {text} " in f" {one} " or f" {one} " in f" {text} " for one in long)


Judge = Callable[[Sequence[Page]], list[list[bool]]]  # whether each block of a page is furniture


def keep_all(pages: Sequence[Page]) -> list[list[bool]]:
    return [[False] * len(page.blocks) for page in pages]


def strip_repeated(pages: Sequence[Page]) -> list[list[bool]]:
    """Call furniture what appears on some pages of a site, whatever else they share."""
    holders = Counter(
        (page.site, block) for page in pages for block in set(map(words, page.blocks))
    )
    return [
        [holders[page.site, words(block)] >= NAIVE_PAGES for block in page.blocks] for page in pages
    ]


def strip_boilerplate(*, with_source: bool, min_support: int = 5) -> Judge:
    def judge(pages: Sequence[Page]) -> list[list[bool]]:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "pages.jsonl"
            with path.open("w", encoding="utf-8") as file:
                for number, page in enumerate(pages):
                    row: dict[str, Any] = {"id": str(number), "text": "\n".join(page.blocks)}
                    row["source"] = page.site if with_source else None
                    file.write(json.dumps(row) + "\n")
            scan = dedup.scan(
                path, Path(folder) / "results", paragraphs="line", min_support=min_support
            )
            rows = scan.paragraphs.to_table(columns=["article_id", "kind"]).to_pylist()
        verdicts: list[list[bool]] = [[] for _ in pages]
        for row in rows:
            verdicts[int(row["article_id"])].append(row["kind"] in STRIPPED)
        return verdicts

    return judge


METHODS: dict[str, Judge] = {
    "nothing": keep_all,
    f"blocks on {NAIVE_PAGES} pages of a site": strip_repeated,
    "boilerplate, no sources": strip_boilerplate(with_source=False),
    "boilerplate": strip_boilerplate(with_source=True),
    "boilerplate, `min_support=3`": strip_boilerplate(with_source=True, min_support=3),
}


def measure(pages: Sequence[Page], verdicts: list[list[bool]]) -> list[Cell]:
    called = right = furniture = 0
    words_found = words_of_furniture = words_lost = words_of_content = 0
    token_f1 = 0.0
    for page, verdict in zip(pages, verdicts, strict=True):
        kept: Counter[str] = Counter()
        for block, is_called in zip(page.blocks, verdict, strict=True):
            text = words(block).split()
            is_furniture = not page.is_content(block)
            called += is_called
            furniture += is_furniture
            right += is_called and is_furniture
            words_of_furniture += len(text) if is_furniture else 0
            words_found += len(text) if is_furniture and is_called else 0
            words_of_content += 0 if is_furniture else len(text)
            words_lost += len(text) if is_called and not is_furniture else 0
            kept.update([] if is_called else text)
        gold = Counter(" ".join(page.gold).split())
        token_f1 += 2 * (kept & gold).total() / max(kept.total() + gold.total(), 1)
    return [
        right / called if called else None,
        right / furniture,
        2 * right / (called + furniture),
        words_found / words_of_furniture,
        words_lost / words_of_content,
        token_f1 / len(pages),
    ]


def shares_of_blocks(pages: Sequence[Page]) -> list[list[Cell]]:
    """Say of each site on how many of its pages the furniture stands: what can be found at all."""
    rows: list[list[Cell]] = []
    for site in sorted({page.site for page in pages}):
        here = [page for page in pages if page.site == site]
        holders = Counter(block for page in here for block in set(map(words, page.blocks)))
        furniture = [
            words(block) for page in here for block in page.blocks if not page.is_content(block)
        ]
        total = sum(len(block.split()) for block in furniture)
        shares = [
            sum(len(block.split()) for block in furniture if holders[block] in among) / total
            for among in (range(1, 2), range(2, 5), range(5, len(here) + 1))
        ]
        rows.append([site, len(here), total, *shares])
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pages", nargs="+", required=True, metavar="FILE")
    parser.add_argument("--update", action="store_true", help="put the tables into README.md")
    args = parser.parse_args()
    pages = []
    for file in locate_inputs(args.pages):
        for marked in read_marked(file):
            lines = read_page(marked["html"].encode()).split("\n")
            blocks = [line for line in lines if words(line)]
            pages.append(Page(marked["site"], blocks, gold_paragraphs(marked)))
    headings = ["stripped", "precision", "recall", "F1", "words found", "content lost", "token F1"]
    rows = [[name, *measure(pages, judge(pages))] for name, judge in METHODS.items()]
    show("boilerplate", format_table(headings, rows), update=args.update)
    headings = ["site", "pages", "words of furniture", "on 1 page", "on 2 to 4", "on 5 or more"]
    show("furniture", format_table(headings, shares_of_blocks(pages)), update=args.update)


if __name__ == "__main__":
    main()
