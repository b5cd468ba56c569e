"""Pages on which people marked the article: JSONL, also compressed, with `html` and `gold_text`."""

import html
import json
import re
from typing import Any

from dedup.read import InputFile
from dedup.read.streams import open_input, read_chunks


def words(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))


def read_marked(file: InputFile) -> list[dict[str, Any]]:
    with open_input(file) as opened:
        pages = [json.loads(line) for line in b"".join(read_chunks(opened)).splitlines()]
    for page in pages:  # CleanPortalEval has an element of its own around each page
        page["html"] = re.sub(r"^\s*<text\b[^>]*>", "", page["html"])
    return pages


def gold_paragraphs(page: dict[str, Any]) -> list[str]:
    parts = re.split(r"<[hpl]>", page["gold_text"])[1:]
    texts = (html.unescape(re.sub(r"</?\w+>", "", part)) for part in parts)
    return [found for text in texts if (found := words(text))]
