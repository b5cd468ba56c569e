"""Which library turns a page into paragraphs best, and how fast web archives are read.

    python benchmarks/pages.py --pages MARKED_PAGES... --archives FILE... [--update]

Marked pages are JSONL, also compressed, with `html` and `gold_text`: the article as people marked
it up, each paragraph after `<p>`, `<h>` or `<l>`. All libraries keep the furniture of a page where
they can. Archives are any that `dedup scan` reads, with articles of English text or in HTML; their
MB are of records, unpacked. Speed is the best of three runs, in MB of HTML or records per CPU
second. Needs `pip install trafilatura lxml_html_clean`.
"""

import argparse
import time
from collections.abc import Callable
from typing import Any

import trafilatura
from marked import gold_paragraphs, read_marked, words
from report import Cell, format_table, show

from dedup.config import SourceConfig
from dedup.read import InputFile, locate_inputs, read_articles
from dedup.read.formats.html_text import read_page
from dedup.read.streams import open_input, read_chunks

RUNS = 3


def by_trafilatura(page: bytes) -> str:
    return trafilatura.extract(page, favor_recall=True, include_comments=True) or ""


def by_trafilatura_whole(page: bytes) -> str:
    return trafilatura.html2txt(page, clean=False) or ""


LIBRARIES: dict[str, Callable[[bytes], str]] = {
    "resiliparse": read_page,
    "trafilatura, favor_recall": by_trafilatura,
    "trafilatura, html2txt": by_trafilatura_whole,
}


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    best = float("inf")
    for _ in range(RUNS):
        began = time.process_time()
        result = work()
        best = min(best, time.process_time() - began)
    return result, best


def compare(pages: list[dict[str, Any]]) -> list[list[Cell]]:
    bodies = [page["html"].encode() for page in pages]
    total_mb = sum(map(len, bodies)) / 1e6
    rows: list[list[Cell]] = []
    for name, extract in LIBRARIES.items():
        texts, seconds = timed(lambda extract=extract: [extract(body) for body in bodies])
        whole = kept = there = marked = output = 0
        for page, text in zip(pages, texts, strict=True):
            found = [words(line) for line in text.split("\n")]
            output += sum(len(paragraph.split()) for paragraph in found)
            run = f" {' '.join(found)} "
            for paragraph in gold_paragraphs(page):
                marked += 1
                whole += paragraph in found
                there += len(paragraph.split())
                kept += len(paragraph.split()) if f" {paragraph} " in run else 0
        rows.append([name, total_mb / seconds, whole / marked, kept / there, output])
    return rows


def read_archive(file: InputFile) -> list[Cell]:
    with open_input(file) as opened:
        record_mb = sum(map(len, read_chunks(opened))) / 1e6
    config = SourceConfig(on_error="skip")

    def read() -> tuple[int, int]:
        batches = [batch.articles for batch in read_articles([file], config)]
        return sum(map(len, batches)), sum(batch.nbytes for batch in batches)

    (articles, text_bytes), seconds = timed(read)
    return [
        file.path.rpartition("/")[2],
        articles,
        record_mb,
        text_bytes / 1e6,
        record_mb / seconds,
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pages", nargs="+", default=[], metavar="FILE")
    parser.add_argument("--archives", nargs="+", default=[], metavar="FILE")
    parser.add_argument("--update", action="store_true", help="put the tables into README.md")
    args = parser.parse_args()
    if args.pages:
        pages = [page for file in locate_inputs(args.pages) for page in read_marked(file)]
        headings = ["library", "MB per CPU-s", "paragraphs whole", "words kept", "words out"]
        show("pages", format_table(headings, compare(pages)), update=args.update)
    if args.archives:
        headings = ["archive", "articles", "MB of records", "MB of text", "MB per CPU-s"]
        rows = map(read_archive, locate_inputs(args.archives))
        show("archives", format_table(headings, rows), update=args.update)


if __name__ == "__main__":
    main()
