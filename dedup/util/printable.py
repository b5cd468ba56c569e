r"""Text from data, made safe to print: nothing in it moves the cursor or hides.

Ids, sources, templates, file names and settings come from whoever wrote the articles. A terminal
obeys the control characters in them, and invisible ones make two different names look the same.
Each such character becomes a visible escape: `\n`, `\x1b`, `\u202e`. Letters and marks of all
scripts, spaces, emoji, and the joiners that some scripts and emoji are spelled with stay.

A backslash stays as it is, so an escape in the output does not prove that there was a control
character. Text that must be read back is written as JSON.
"""

from __future__ import annotations

import os
import shlex
import unicodedata
from collections.abc import Callable

# Control, format, surrogate, unassigned and private use characters, line and paragraph separators.
_HIDDEN_KINDS = {"Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp"}
# Letters and marks without a shape: fillers of Hangul and Khmer, selectors of Mongolian, and the
# grapheme joiner (Default_Ignorable_Code_Point of the Unicode Character Database).
_HIDDEN = set("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0")
# Format characters with a shape: signs around numbers (Prepended_Concatenation_Mark).
_SHOWN = set(
    "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
)
_JOINERS = "\u200c\u200d"
_ZWJ = "\u200d"  # the one that joins emoji
_SELECTORS = {chr(code) for code in (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))}
_SKIN_TONES = {chr(code) for code in range(0x1F3FB, 0x1F400)}
# Scripts in which a joiner changes the shape of a letter: Arabic to Mongolian, the extensions of
# the Indic scripts, the forms of Arabic, and the scripts of the Brahmi family beyond U+FFFF.
_JOINING_SCRIPTS = (
    (0x0600, 0x1CFF),
    (0xA800, 0xABFF),
    (0xFB50, 0xFDFF),
    (0xFE70, 0xFEFC),
    (0x10A00, 0x11FFF),
    (0x1E900, 0x1E95F),
)
_NAMED = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}


def printable(text: str) -> str:
    """Write every character that a terminal would obey or not show as an escape."""
    return _escape_hidden(text, _escape)


def printable_json(document: str) -> str:
    """Do the same to a JSON document, which stays one with the same content."""
    # Line ends are layout: those in strings are escaped already.
    return "\n".join(_escape_hidden(line, _escape_for_json) for line in document.split("\n"))


def shorten(text: str, length: int) -> str:
    """Make a text printable and cut it to `length` characters."""
    shown = printable(text[: length + 1])
    return shown if len(shown) <= length else shown[: length - 1] + "…"


def shell_word(text: str) -> str:
    """Quote a word for a shell so that it is safe to print as well as to run."""
    if text == printable(text):
        return shlex.quote(text)
    safe = "".join(
        chr(byte) if 32 <= byte < 127 and chr(byte) not in "'\\" else f"\\{byte:03o}"
        for byte in os.fsencode(text)
    )
    return f"$'{safe}'"


def _escape_hidden(text: str, escape: Callable[[str], str]) -> str:
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        escape(character) if _is_hidden(text, place) else character
        for place, character in enumerate(text)
    )


def _is_hidden(text: str, place: int) -> bool:
    character = text[place]
    if character in _JOINERS:
        return not _joins(text, place)
    if character in _SELECTORS:  # one says which shape the character before it has
        return place == 0 or text[place - 1] in _SELECTORS or text[place - 1].isspace()
    if character in _HIDDEN:
        return True
    return unicodedata.category(character) in _HIDDEN_KINDS and character not in _SHOWN


def _joins(text: str, place: int) -> bool:
    """Tell whether a joiner is part of the spelling: of a letter's shape or of an emoji."""
    before = place - 1
    if before < 0:
        return False
    if _is_letter_that_joins(text[before]):
        return True
    # An emoji may have a skin tone and a selector; more than both is no emoji.
    for marks in (_SELECTORS, _SKIN_TONES):
        if before > 0 and text[before] in marks:
            before -= 1
    is_between_symbols = _is_symbol(text[before]) and _is_symbol(text[place + 1 : place + 2])
    return text[place] == _ZWJ and is_between_symbols


def _is_letter_that_joins(character: str) -> bool:
    is_letter = unicodedata.category(character)[0] in "LM"
    return is_letter and any(low <= ord(character) <= high for low, high in _JOINING_SCRIPTS)


def _is_symbol(character: str) -> bool:
    return bool(character) and unicodedata.category(character) in ("So", "Sm")


def _escape(character: str) -> str:
    code = ord(character)
    if character in _NAMED:
        return _NAMED[character]
    if 0xDC80 <= code <= 0xDCFF:  # a byte of a file name that is not UTF-8
        return f"\\x{code - 0xDC00:02x}"
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def _escape_for_json(character: str) -> str:
    code = ord(character)
    if code <= 0xFFFF:
        return f"\\u{code:04x}"
    units = character.encode("utf-16-be")
    return f"\\u{units[:2].hex()}\\u{units[2:].hex()}"
