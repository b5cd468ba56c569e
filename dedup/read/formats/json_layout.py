"""JSON that is not one object per line: a list of objects, or objects that span lines.

Such files may be named `.jsonl`, and JSON Lines may be named `.json`; the content decides.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

BOM = b"\xef\xbb\xbf"

_WHITE = " \t\r\n"


def is_document(head: bytes) -> bool:
    """Tell by the beginning of a file whether to read it as a document instead of line by line.

    It is a document if it begins with a list, or with an object whose first line ends between two
    of its parts. A line that ends anywhere else is a malformed line.
    """
    first, newline, rest = head.removeprefix(BOM).lstrip().partition(b"\n")
    first, rest = first.rstrip(), rest.lstrip()
    if first.startswith(b"["):
        return not newline or not rest or _where_broken(first) is not None
    if not first.startswith(b"{") or not newline or rest.startswith(b"{"):
        return False
    return _where_broken(first) == len(first.decode("utf-8", "replace"))


def cut_documents(text: str) -> Iterator[str]:
    """Give each article of a list, or of objects one after another, as it is written.

    A list ends at the first element that is not JSON; of objects, the rest is given in one piece.
    """
    decoder = json.JSONDecoder()
    at = _skip(text, 0, _WHITE)
    is_list = text.startswith("[", at)
    at = _skip(text, at + 1, _WHITE) if is_list else at
    while at < len(text) and not (is_list and text[at] == "]"):
        try:
            _, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            if not is_list:
                yield text[at:].rstrip(_WHITE)
            return
        yield text[at:end]
        at = _skip(text, end, _WHITE + "," if is_list else _WHITE)


def is_list(text: str) -> bool:
    """Tell whether a document is a list."""
    return text.lstrip(_WHITE).startswith("[")


def _where_broken(line: bytes) -> int | None:
    """Return the character at which a line stops being JSON; None if all of it is a value."""
    try:
        json.loads(line.decode("utf-8", "replace"))
    except json.JSONDecodeError as err:
        return err.pos
    except RecursionError:
        return None
    return None


def _skip(text: str, at: int, characters: str) -> int:
    while at < len(text) and text[at] in characters:
        at += 1
    return at
