"""The definition of a near-copy, written as slowly and plainly as it reads.

Nothing here is shared with the engine: `quality.py` holds what the engine reports against it.
A text is a sequence of words, two texts share the longest common subsequence of theirs, and
their similarity is its Dice: twice the shared words over all words.
"""

import unicodedata
from functools import cache

import numpy as np
import numpy.typing as npt

Words = npt.NDArray[np.int64]

# Default_Ignorable_Code_Point of Unicode 16, DerivedCoreProperties.txt: first and last.
IGNORABLE = [
    *[(0xAD, 0xAD), (0x34F, 0x34F), (0x61C, 0x61C), (0x115F, 0x1160), (0x17B4, 0x17B5)],
    *[(0x180B, 0x180F), (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164)],
    *[(0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8)],
    *[(0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF)],
]
# What the names of code points begin with in the scripts that put no spaces between words.
SINGLE = ("CJK UNIFIED", "CJK COMPATIBILITY IDEOGRAPH", "HIRAGANA", "KATAKANA", "THAI", "LAO",
          "KHMER", "MYANMAR", "HALFWIDTH KATAKANA", "IDEOGRAPHIC ITERATION", "IDEOGRAPHIC NUMBER",
          "HANGZHOU NUMERAL", "VERTICAL IDEOGRAPHIC", "KATAKANA-HIRAGANA")  # fmt: skip


@cache
def classify(char: str) -> str:
    """Say what a code point is: `letter`, `mark`, `single`, `ignorable` or `gap`."""
    if any(first <= ord(char) <= last for first, last in IGNORABLE):
        return "ignorable"
    kind = unicodedata.category(char)[0]
    if kind not in "LNM":
        return "gap"
    if unicodedata.name(char, "").startswith(SINGLE):
        return "single"
    return "mark" if kind == "M" else "letter"


def normalise(word: str) -> str:
    """Fold case and compatibility: `CAFE`, `cafe` and full-width `cafe` are one word."""
    folded = unicodedata.normalize("NFKC", word).casefold()
    return unicodedata.normalize("NFKC", folded)


def split_words(text: str) -> list[str]:
    """Cut a text into words: runs of letters, marks and digits, normalised.

    A number keeps its points and commas. A Han, Kana, Thai, Lao, Khmer or Myanmar code point is
    a word of its own, together with the marks on it that belong to no script.
    """
    words: list[str] = []
    before = "gap"
    for at, char in enumerate(text):
        kind = classify(char)
        if char in ".," and is_digit(text, at - 1) and is_digit(text, at + 1):
            kind = "letter"
        if kind == "ignorable":
            continue
        if kind == "mark":  # on what it follows, or a letter where it follows nothing
            kind = "letter" if before == "gap" else before
            begins = before == "gap"
        else:
            begins = kind == "single" or (kind == "letter" and before != "letter")
        if begins:
            words.append("")
        if kind != "gap":
            words[-1] += char
        before = kind
    return [normalise(word) for word in words]


def is_digit(text: str, at: int) -> bool:
    return 0 <= at < len(text) and text[at] in "0123456789"


def number_words(words: list[str], numbers: dict[str, int]) -> Words:
    """Number words in the order in which they are met: comparing numbers is quicker."""
    return np.array([numbers.setdefault(word, len(numbers)) for word in words], np.int64)


def count_shared(left: Words, right: Words) -> int:
    """Length of the longest common subsequence, by the textbook table, a row at a time.

    Within a row, the best so far is carried along by a running maximum. The rows are the words
    of the shorter text, as there are fewer of them.
    """
    shorter, longer = sorted((left, right), key=len)
    row = np.zeros(len(longer) + 1, np.int64)
    for word in shorter:
        row[1:] = np.maximum(row[1:], row[:-1] + (longer == word))
        np.maximum.accumulate(row, out=row)
    return int(row[-1])
