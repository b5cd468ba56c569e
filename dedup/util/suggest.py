"""The name that was probably meant by a mistyped one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

CLOSE = 0.66  # of the characters agree: one slip in a short name, two or three in a long one
MIN_BEGINNING = 3  # letters; many words begin with fewer
MAX_LENGTH = 100  # characters compared, which takes quadratic time


def suggest(given: str, names: Iterable[str]) -> str | None:
    """Return the only name that begins with the given one, or the most similar, or None."""
    by_letters = {_letters(name): name for name in names}
    asked = _letters(given[:MAX_LENGTH])
    longer = [name for name in by_letters if name.startswith(asked)]
    if len(longer) == 1 and len(asked) >= MIN_BEGINNING:
        return by_letters[longer[0]]
    found = difflib.get_close_matches(asked, by_letters, n=1, cutoff=CLOSE)
    return by_letters[found[0]] if found else None


def _letters(name: str) -> str:
    return name.lower().replace("_", "-").lstrip("-")


def did_you_mean(given: str, names: Iterable[str], otherwise: str) -> str:
    """Suggest the name that was meant, or say what to do where none is close."""
    name = suggest(given, names)
    return f"did you mean {name}?" if name else otherwise
