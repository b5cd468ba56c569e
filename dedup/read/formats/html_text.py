"""From the bytes of a web page to its text, a paragraph for each block.

The navigation, the footer and all other furniture of a page stay: repetition from page to page
is found by the scan, not guessed from one page alone. The text comes from resiliparse,
which keeps 98 of 100 paragraphs of hand-marked pages whole, at six times the speed of
trafilatura, which keeps 89; benchmarks/README.md has the figures.
"""

from __future__ import annotations

import codecs
import re

from resiliparse.extract.html2text import extract_plain_text
from resiliparse.parse.encoding import detect_encoding, map_encoding_to_html5

# The memory that reading a page takes: for each byte copies of the markup and the text, and for
# each tag its element and the text after it.
_BYTES_A_BYTE = 8
_BYTES_A_TAG = 250

_HTML = ("text/html", "application/xhtml+xml")
_SNIFFED_BYTES = 1024  # browsers look no further for a charset, or for signs of another format
_DETECTED_BYTES = 64 << 10  # enough letters to tell encodings apart
_META = re.compile(rb"""<meta\s[^>]*charset\s*=\s*["']?\s*([\w.:-]+)""", re.IGNORECASE)
_FIRST_TAG = re.compile(  # what browsers treat as HTML although it is not declared as such
    rb"\s*<(!doctype html|html|head|body|title|style|script|iframe|table|h1|div|font|br|p|a|b|!--)"
    rb"[\s>]",
    re.IGNORECASE,
)
# Images inside the page, or a tag that is never closed. Parsing one takes time quadratic in the
# number of its attributes, of which there may be as many as words.
_LONG_TAG = re.compile(r"<([A-Za-z][A-Za-z0-9]*)\s[^<>]{4096,}>")
# Items are indented by the depth of their list, which nested lists can turn into gigabytes.
_LIST = re.compile(r"<(/?)(?:ul|ol|menu|dir)\b", re.IGNORECASE)
_BOMS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
# As in browsers: text declared as the left one may use the characters of the right one.
_SUPERSETS = {"shift_jis": "cp932", "euc_kr": "cp949", "gbk": "gb18030"}


def may_be_page(kind: str | None) -> bool:
    """Tell whether a body of this media type, or of none, is worth looking at."""
    return kind is None or kind in _HTML


def is_page(body: bytes, kind: str | None) -> bool:
    """Tell whether a body is HTML, by its media type or, without one, by its first bytes.

    An image or a PDF that is declared as HTML is not HTML.
    """
    if kind is None:
        return _FIRST_TAG.match(body) is not None
    return kind in _HTML and not _is_binary(body[:_SNIFFED_BYTES])


def needed_memory(body: bytes) -> int:
    """Return the bytes of memory that reading a page takes at most."""
    return _BYTES_A_BYTE * len(body) + _BYTES_A_TAG * body.count(b"<")


def read_page(body: bytes, charset: str | None = None) -> str:
    """Return the text of a page, with a blank line between blocks.

    The encoding is the one of a byte order mark, else `charset`, else the one that a `meta`
    element names, else a detected one. Bytes that are not valid in it become U+FFFD.
    """
    markup = body.decode(_find_encoding(body, charset), "replace")
    markup = _LIST.sub(r"<\1div", _LONG_TAG.sub(r"<\1>", markup))
    # `alt_texts`, since without them every figure is left out with its caption.
    text = extract_plain_text(markup, preserve_formatting=True, list_bullets=False, alt_texts=True)
    lines = (line.strip() for line in text.split("\n"))
    return "\n\n".join(line for line in lines if line)


def _is_binary(head: bytes) -> bool:
    return head.startswith(b"%PDF-") or (b"\0" in head and _marked_encoding(head) is None)


def _find_encoding(body: bytes, charset: str | None) -> str:
    marked = _marked_encoding(body)
    if marked:
        return marked
    declared = _known_encoding(charset) or _meta_encoding(body)
    if declared:
        return _SUPERSETS.get(declared, declared)
    try:
        body.decode()
    except UnicodeDecodeError:
        detected = detect_encoding(body, max_len=_DETECTED_BYTES) or "cp1252"
        return _SUPERSETS.get(detected, detected)
    return "utf-8"


def _marked_encoding(body: bytes) -> str | None:
    return next((name for mark, name in _BOMS.items() if body.startswith(mark)), None)


def _meta_encoding(body: bytes) -> str | None:
    """Read the charset of a `meta` element. As it was read as ASCII, a claim of UTF-16 is wrong."""
    found = _META.search(body[:_SNIFFED_BYTES])
    name = _known_encoding(found[1].decode()) if found else None
    return "utf-8" if name and name.startswith("utf-16") else name


def _known_encoding(label: str | None) -> str | None:
    return map_encoding_to_html5(label, fallback_utf8=False) if label else None
