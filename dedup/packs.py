"""Template packs: stock phrases kept in a file, learned on one corpus and applied to another.

A pack is TOML that people can read and write:

    format = 1
    name = "press"
    description = "Phrases of the wire desk"

    [en]
    openers = ["Reports indicate that <*>"]
    sentences = ["<*> did not immediately respond to a request for comment"]

There is a table for each language (BCP 47; `und` where it is not known). An opener is matched at
the start of a sentence, a sentence as a whole. `<*>` matches one word or more, and at the end of a
sentence also none; `<NUM>` matches a number.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow.compute as pc

from dedup import _native
from dedup.config import FormulaConfig
from dedup.errors import ConfigError, reason_of
from dedup.outputs import Output, naming_output
from dedup.results import Scan
from dedup.util.printable import shorten
from dedup.util.suggest import suggest
from dedup.work.folder import NEW, WorkFolder

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PACK_FORMAT = 1
BUNDLED = "news"
UNKNOWN_LANGUAGE = "und"  # BCP 47 for text of undetermined language
_KINDS = {"openers": "opener", "sentences": "sentence"}
MAX_SHOWN = 100  # characters of an entry in a message
_HEAD = ("format", "name", "description")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")


class PackTemplate(NamedTuple):
    """One template of a pack."""

    language: str
    kind: str  # opener or sentence
    pattern: str


@dataclass(frozen=True)
class Pack:
    """A named list of templates."""

    name: str
    description: str
    templates: tuple[PackTemplate, ...]

    def digest(self) -> str:
        """Return a text that differs if the templates do."""
        return hashlib.sha256(repr(self.templates).encode()).hexdigest()[:16]


def load_packs(config: FormulaConfig) -> list[Pack] | None:
    """Load the packs of a config; None if looking for templates is switched off.

    A pack is named by its path, or by its name if it is bundled; `none` stands for no pack.
    """
    if not config.templates:
        return None
    return [load_pack(name) for name in config.packs if name != "none"]


def load_pack(name: str | os.PathLike[str]) -> Pack:
    """Load a pack: a path, or the name of a bundled one.

    Raises a `ConfigError` that names the entry if the file is not a pack of this format.
    """
    try:
        if name == BUNDLED:
            text = files("dedup").joinpath("bundled", f"{name}.toml").read_text(encoding="utf-8")
        else:
            text = Path(name).read_text(encoding="utf-8")
        document = tomllib.loads(text)
    except (OSError, ValueError, RecursionError) as err:  # TOML errors are ValueErrors
        hint = f"packs are files as `dedup templates learn` writes them, or {BUNDLED}, or none"
        if isinstance(err, FileNotFoundError) and (meant := suggest(str(name), (BUNDLED, "none"))):
            hint = f"did you mean {meant}?"
        raise ConfigError(
            f"cannot read the template pack {name}: {reason_of(err)}", hint=hint
        ) from err
    return _check_pack(document, str(name))


def _check_pack(document: dict[str, Any], path: str) -> Pack:
    version = document.get("format")
    if version != PACK_FORMAT:
        raise ConfigError(
            f"{path} has format {_shown(version)}, but this dedup reads template packs of format"
            f" {PACK_FORMAT}",
            hint=f"a pack begins with: format = {PACK_FORMAT}",
        )
    if not isinstance(document.get("name"), str):
        raise ConfigError(f"{path} has no name", hint='give it one: name = "press"')
    templates: list[PackTemplate] = []
    for language, table in document.items():
        if language in _HEAD:
            continue
        if not isinstance(table, dict) or not _LANGUAGE.fullmatch(language):
            raise ConfigError(
                f"{path} has an entry {_shown(language)}, but a pack has tables of languages",
                hint="name a table by its BCP 47 code, such as [en] or [pt-BR]",
            )
        for kind, patterns in table.items():
            templates += _check_patterns(language, kind, patterns, path)
    return Pack(document["name"], str(document.get("description", "")), tuple(templates))


def _check_patterns(language: str, kind: str, patterns: Any, path: str) -> list[PackTemplate]:
    if kind not in _KINDS or not isinstance(patterns, list):
        raise ConfigError(
            f"[{language}] in {path} has an entry {_shown(kind)}",
            hint="a language has lists named openers and sentences",
        )
    for pattern in patterns:
        if not isinstance(pattern, str) or not _native.is_pattern(_KINDS[kind], pattern):
            raise ConfigError(
                f"[{language}] in {path} has {_shown(pattern)} among its {kind}, which is no"
                " template",
                hint="a template has words, and words between two <*>; an opener is one sentence",
            )
    return [PackTemplate(language, _KINDS[kind], pattern) for pattern in patterns]


def _shown(value: Any) -> str:
    return shorten(repr(value), MAX_SHOWN)


def learn_pack(scan: Scan, name: str) -> Pack:
    """Make a pack of the templates that a scan mined; those from packs are left out.

    An opener that only one article repeats is left out too: elsewhere it is not a template.
    """
    with scan.reading("templates") as table:
        rows = table.to_table(columns=["pattern", "kind", "articles", "pack"])
    # Filtered in memory: a dataset of pyarrow before 22 finds no null in a column of nulls only.
    rows = rows.filter(pc.and_(rows["pack"].is_null(), pc.greater(rows["articles"], 1)))
    templates = [
        PackTemplate(
            UNKNOWN_LANGUAGE, "opener" if row["kind"] == "opener" else "sentence", row["pattern"]
        )
        for row in rows.to_pylist()
    ]
    described = f"Learned from {scan.facts.counts['articles']:,} articles"
    return Pack(name, described, tuple(dict.fromkeys(filter(_is_readable, templates))))


def _is_readable(template: PackTemplate) -> bool:
    """Whether the pattern, written as text, can be read back."""
    return _native.is_pattern(template.kind, template.pattern)


def write_pack(
    pack: Pack,
    path: str | os.PathLike[str],
    *,
    overwrite: bool = False,
    results: Path | None = None,
) -> None:
    """Write a pack as `load_pack` reads it; an existing file is replaced only with `overwrite`.

    `results` is the results folder it was learned from, into which it is not written.
    """
    output = Output(path, overwrite=overwrite, results=results)
    output.check()
    lines = [
        f"format = {PACK_FORMAT}",
        f"name = {_quote(pack.name)}",
        f"description = {_quote(pack.description)}",
    ]
    for language in dict.fromkeys(template.language for template in pack.templates):
        lines += ["", f"[{language}]"]
        for key, kind in _KINDS.items():
            chosen = [
                f"    {_quote(template.pattern)},"
                for template in pack.templates
                if (template.language, template.kind) == (language, kind)
            ]
            if chosen:
                lines += [f"{key} = [", *chosen, "]"]
    with WorkFolder(output, "pack") as work, naming_output(output.given):
        with work.open_new(NEW) as file:
            file.write(("\n".join(lines) + "\n").encode())
        work.publish()


def _quote(text: str) -> str:
    """Write a TOML string; JSON's escapes are TOML's, except for the delete character."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
