"""Every setting, its default, its unit and the reason for both.

A `Config` is made of parts, one for each step of the flow. All are frozen, refuse values that
cannot work with a `ConfigError`, and never adjust one. A TOML file has the same names:

    threads = 4

    [match]
    threshold = 0.9
"""

from __future__ import annotations

import dataclasses
import functools
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from dedup.errors import ConfigError, reason_of
from dedup.util.printable import shorten
from dedup.util.suggest import did_you_mean, suggest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ParagraphMode = Literal["auto", "line", "blank"]
Granularity = Literal["both", "paragraph", "article"]
OnError = Literal["fail", "skip"]

MAX_BANDS = 64  # a band key is 5 bytes a paragraph; more bands than this cost more than `exact`
MAX_HASHES = 512
MIN_MEMORY = 256 << 20
MAX_SIZE = 1 << 50  # more memory than any machine has
MAX_ARTICLE_BYTES = 1 << 30  # a column of strings has 32-bit offsets, and a row several copies
MAX_COUNT = 10**9  # four times as much, a word in quarters, still has 32 bits
MAX_THREADS = 1024  # each has buffers of its own
MAX_LEADERS = 1000  # of which every member of a bucket is compared with each
MAX_HOURS = 10**8  # more than lie between the year 1 and the year 9999


_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
_BINARY_UNITS = {"ki": 1 << 10, "mi": 1 << 20, "gi": 1 << 30, "ti": 1 << 40}
_SIZE = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([kmgt]?i?)b?\s*", re.IGNORECASE)


def _need(condition: bool, message: str, hint: str | None = None) -> None:
    if not condition:
        raise ConfigError(message, hint=hint)


def need_share(name: str, value: float, *, least: float | None) -> None:
    """Refuse anything but a share: a number from `least`, or above 0, to 1."""
    lowest = least or 0
    if value <= 1 and (value > 0 if least is None else value >= least):
        return
    wanted = "above 0 and at most 1" if least is None else f"from {least:g} to 1"
    is_percent = 1 < value <= 100 and value / 100 >= lowest
    raise ConfigError(
        f"{name} is {'too large' if value > 1e300 else f'{value:g}'}, but it is a share and must"
        f" be {wanted}",
        hint=f"did you mean {value / 100:g}?" if is_percent else None,
    )


def _need_count(name: str, value: int, low: int, high: int = MAX_COUNT) -> None:
    _need(low <= value <= high, f"{name} is {value}, but must be from {low:,} to {high:,}")


def need_choice(name: str, value: object, choices: Any) -> None:
    """Refuse anything but one of the strings of a Literal."""
    allowed = get_args(choices)
    if value in allowed:
        return
    meant = suggest(value, allowed) if isinstance(value, str) else None
    _need(
        False,
        f"{name} is {value!r}, but it must be one of: {', '.join(allowed)}",
        f"did you mean {meant}?" if meant else f"use one of: {', '.join(allowed)}",
    )


@functools.lru_cache(maxsize=64)
def parse_size(text: str) -> int:
    """Read a size, such as `4GB`, `512 MiB` or `2000000000`, as bytes."""
    match = _SIZE.fullmatch(text) if text.isascii() else None
    unit = match[2].lower() if match else None
    if match is None or unit not in _UNITS | _BINARY_UNITS:
        raise ConfigError(f"{text!r} is not a size", hint="write it as 4GB or 512MiB")
    size = float(match[1]) * (_UNITS | _BINARY_UNITS)[unit]
    _need(
        size <= MAX_SIZE,
        f"{shorten(text, 30)} is more than the {MAX_SIZE >> 40} TiB that a size can be",
    )
    return int(size)


@dataclass(frozen=True, kw_only=True)
class SourceConfig:
    """Where the fields of an article are, and what to do with a row that cannot be read."""

    id_field: str | None = None
    text_field: str | None = None
    date_field: str | None = None
    source_field: str | None = None
    url_field: str | None = None
    on_error: OnError = "fail"
    max_article_bytes: str = "16MiB"  # three times the King James Bible; longer ones are dumps

    @property
    def article_limit(self) -> int:
        """Longest text of an article, or page with its markup, in bytes."""
        return parse_size(self.max_article_bytes)

    def __post_init__(self) -> None:
        _need_types(self)
        need_choice("on_error", self.on_error, OnError)
        _need(
            1 <= self.article_limit <= MAX_ARTICLE_BYTES,
            f"max_article_bytes is {self.max_article_bytes}, but must be from 1 byte to"
            f" {MAX_ARTICLE_BYTES >> 30} GiB",
        )


@dataclass(frozen=True, kw_only=True)
class FingerprintConfig:
    """How text becomes paragraphs, tokens and band keys."""

    paragraphs: ParagraphMode = "auto"
    min_tokens: int = 8  # shorter ones match exactly only: a sketch of so few words says little
    bands: int = 16  # 16 x 4 over word pairs: 3 rows meet too many strangers in a large corpus,
    rows: int = 4  # 5 miss near-copies; benchmarks/README.md has the recall of each

    @property
    def num_hashes(self) -> int:
        """Hash functions in a signature."""
        return self.bands * self.rows

    def __post_init__(self) -> None:
        _need_types(self)
        need_choice("paragraphs", self.paragraphs, ParagraphMode)
        _need(
            self.min_tokens >= 2,
            f"min_tokens is {self.min_tokens}, but a signature needs at least 2 tokens",
        )
        _need_count("min_tokens", self.min_tokens, 2)
        _need(
            1 <= self.bands <= MAX_BANDS,
            f"bands is {self.bands}, but must be from 1 to {MAX_BANDS}",
        )
        _need(self.rows >= 1, f"rows is {self.rows}, but a band needs at least 1")
        _need(
            self.num_hashes <= MAX_HASHES,
            f"{self.bands} bands of {self.rows} rows need {self.num_hashes} hashes,"
            f" but at most {MAX_HASHES} can be made",
            f"use {MAX_HASHES // self.rows} bands",
        )


@dataclass(frozen=True, kw_only=True)
class MatchConfig:
    """When two texts are near-copies."""

    threshold: float = 0.8  # token-LCS Dice
    containment: float = 0.9  # share of the shorter text's tokens that the longer holds in order
    min_shared_tokens: int = 12  # containment says nothing about a handful of words
    min_run_tokens: int = 12  # anchors guarantee to find shared runs of 12 words, not shorter
    max_leaders: int = 4  # members of a bucket, first and latest seen, to compare each one with
    exact: bool = False

    def __post_init__(self) -> None:
        _need_types(self)
        _need(
            not 0 <= self.threshold < 0.5,
            f"threshold is {self.threshold}, but below 0.5 more words differ than agree",
            "use 0.5 or more",
        )
        need_share("threshold", self.threshold, least=0.5)
        need_share("containment", self.containment, least=None)
        _need_count("min_shared_tokens", self.min_shared_tokens, 1)
        _need(
            self.min_run_tokens >= 12,
            f"min_run_tokens is {self.min_run_tokens}, but runs under 12 words are not indexed",
            "use 12 or more",
        )
        _need_count("min_run_tokens", self.min_run_tokens, 12)
        _need_count("max_leaders", self.max_leaders, 1, MAX_LEADERS)


@dataclass(frozen=True, kw_only=True)
class ScoreConfig:
    """How spans become an article's redundancy."""

    min_repeat_tokens: int = 8  # a run this long that already appeared in the article is a repeat
    low_evidence_tokens: int = 30  # a share of fewer words than this is noise
    ambiguous_hours: float = 24.0  # dates closer than this do not say who was first

    def __post_init__(self) -> None:
        _need_types(self)
        _need(
            self.min_repeat_tokens >= 8,
            f"min_repeat_tokens is {self.min_repeat_tokens}, but runs under 8 words are not"
            " indexed",
            "use 8 or more",
        )
        _need_count("min_repeat_tokens", self.min_repeat_tokens, 8)
        _need_count("low_evidence_tokens", self.low_evidence_tokens, 0)
        _need(
            0 <= self.ambiguous_hours <= MAX_HOURS,
            f"ambiguous_hours is {self.ambiguous_hours}, but must be from 0 to {MAX_HOURS:,}",
        )


@dataclass(frozen=True, kw_only=True)
class FormulaConfig:
    """What is boilerplate, and what is a template."""

    min_support: int = 5  # articles that hold it; fewer may be chance, or one author's habit
    templates: bool = True
    packs: tuple[str, ...] = ("news",)  # paths, or names of bundled ones; () for none

    def __post_init__(self) -> None:
        _need_types(self)
        _need(
            self.min_support >= 2,
            f"min_support is {self.min_support}, but what one article holds is not shared",
            "use 2 or more",
        )
        _need_count("min_support", self.min_support, 2)


@dataclass(frozen=True, kw_only=True)
class Config:
    """All settings of a scan."""

    source: SourceConfig = field(default_factory=SourceConfig)
    fingerprint: FingerprintConfig = field(default_factory=FingerprintConfig)
    match: MatchConfig = field(default_factory=MatchConfig)
    score: ScoreConfig = field(default_factory=ScoreConfig)
    formulas: FormulaConfig = field(default_factory=FormulaConfig)
    granularity: Granularity = "both"
    threads: int = field(default_factory=lambda: os.cpu_count() or 1)
    max_memory: str | None = None  # as "4GB"; None: three quarters of what the machine has
    temp_dir: str | None = None  # None: beside the results

    def __post_init__(self) -> None:
        _need_types(self)
        need_choice("granularity", self.granularity, Granularity)
        _need_count("threads", self.threads, 1, MAX_THREADS)
        if self.max_memory is not None:
            _need(
                parse_size(self.max_memory) >= MIN_MEMORY,
                f"max_memory is {self.max_memory}, but Python and the libraries take some"
                f" {MIN_MEMORY >> 20} MiB by themselves",
                "a number without a unit is bytes: write it as 4GB"
                if self.max_memory.strip().isdigit()
                else "use 512MB or more",
            )

    @classmethod
    def from_options(cls, **options: Any) -> Config:
        """Build a config from flat names, as `dedup.scan` and the command line give them."""
        return cls().with_options(**options)

    @classmethod
    def from_toml(cls, path: str | Path) -> Config:
        """Read a config file; a name that is not a setting is refused."""
        try:
            document = tomllib.loads(Path(path).read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as err:  # TOML errors are ValueErrors
            raise ConfigError(
                f"cannot read the config file {path}: {reason_of(err)}",
                hint="it is a TOML file with settings, such as: threshold = 0.9",
            ) from err
        options: dict[str, Any] = {}
        for key, value in document.items():
            if key not in _PARTS:
                _need_setting(key, f"there is no setting named {key!r} in {path}")
                _add_option(options, key, value, path)
                continue
            _need(
                isinstance(value, dict),
                f"{key} is {value!r} in {path}, but it is a table of settings",
                f"write [{key}] and its settings below",
            )
            settings = [name for name, home in _HOME.items() if home == key]
            for name, setting in value.items():
                home = _HOME.get(name)
                _need(
                    home == key,
                    f"[{key}] in {path} has no setting named {name!r}",
                    did_you_mean(
                        name, (*settings, *_HOME), f"its settings are: {', '.join(settings)}"
                    )
                    if home is None
                    else f"it belongs in [{home}]"
                    if home
                    else "it belongs above the first [table]",
                )
                _add_option(options, name, setting, path)
        return cls.from_options(**options)

    def with_options(self, **options: Any) -> Config:
        """Return a copy in which the named settings, of whichever part, are replaced."""
        changed: dict[str, dict[str, Any]] = {}
        for name, value in options.items():
            _need_setting(name, f"there is no setting named {name!r}")
            _need_type(name, value, _TYPES[name])
            kept = tuple(value) if isinstance(value, list) else value
            changed.setdefault(_HOME[name], {})[name] = kept
        if options.get("templates") is False and set(options.get("packs") or ()) - {"none"}:
            raise ConfigError(
                "template packs were named, but looking for templates is switched off",
                hint="leave out --no-templates, or the packs",
            )
        parts: dict[str, Any] = changed.pop("", {})
        for part, values in changed.items():
            parts[part] = dataclasses.replace(getattr(self, part), **values)
        return dataclasses.replace(self, **parts)

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as plain values, nested by part, as the manifest keeps them."""
        return dataclasses.asdict(
            self,
            dict_factory=lambda items: {
                name: list(value) if isinstance(value, tuple) else value for name, value in items
            },
        )

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Config:
        """Read what `to_dict` gave. Every setting must be there; unknown names are ignored.

        Raises a ConfigError.
        """
        given: dict[str, Any] = {}
        for item in dataclasses.fields(cls):
            value = _get(values, item.name, "the config")
            if item.name in _PARTS:
                part = _PARTS[item.name]
                names = [part_field.name for part_field in dataclasses.fields(part)]
                settings = {name: _get(value, name, f"its {item.name}") for name in names}
                packed = {k: tuple(v) if isinstance(v, list) else v for k, v in settings.items()}
                value = part(**packed)
            given[item.name] = value
        return cls(**given)


def _get(values: Any, name: str, owner: str) -> Any:
    _need(isinstance(values, Mapping), f"{owner} is {values!r}, but it must be an object")
    _need(name in values, f"{owner} has no {name}")
    return values[name]


_PARTS: dict[str, type] = {
    "source": SourceConfig,
    "fingerprint": FingerprintConfig,
    "match": MatchConfig,
    "score": ScoreConfig,
    "formulas": FormulaConfig,
}
_TYPES: dict[str, str] = {
    f.name: str(f.type) for part in (*_PARTS.values(), Config) for f in dataclasses.fields(part)
}
_HOME: dict[str, str] = {
    **{f.name: name for name, part in _PARTS.items() for f in dataclasses.fields(part)},
    **{f.name: "" for f in dataclasses.fields(Config) if f.name not in _PARTS},
}


def _need_setting(name: str, message: str) -> None:
    if name in _HOME:
        return
    every = f"settings are: {', '.join(sorted(_HOME))}"
    raise ConfigError(message, hint=did_you_mean(name, (*_HOME, *_PARTS), every))


def _add_option(options: dict[str, Any], name: str, value: Any, path: str | Path) -> None:
    _need(name not in options, f"{path} sets {name} twice", "remove one of the two")
    options[name] = value


def _need_types(part: Any) -> None:
    """Refuse a part of a config with a value of the wrong type."""
    for item in dataclasses.fields(part):
        value = getattr(part, item.name)
        if item.name in _PARTS:
            wanted = _PARTS[item.name]
            _need(
                isinstance(value, wanted),
                f"{item.name} is {value!r}, but it must be a {wanted.__name__}",
            )
        else:
            _need_type(item.name, value, str(item.type))


_KINDS: dict[str, tuple[tuple[type, ...], str]] = {
    "int": ((int,), "a whole number"),
    "float": ((int, float), "a number"),
    "bool": ((bool,), "true or false"),
}


def _need_type(name: str, value: Any, wanted: str) -> None:
    """Refuse a value of the wrong type, such as `threads = "two"` in a config file."""
    if wanted.startswith("tuple"):
        is_list = isinstance(value, list | tuple) and all(isinstance(part, str) for part in value)
        _need(is_list, f"{name} is {value!r}, but it must be a list of strings")
        _need("" not in value, f"{name} holds an empty string", "leave it out")
        return
    if wanted.endswith("| None") and value is None:
        return
    kinds, described = _KINDS.get(wanted, ((str,), "text"))
    is_bool_as_number = isinstance(value, bool) and bool not in kinds
    _need(
        isinstance(value, kinds) and not is_bool_as_number,
        f"{name} is {value!r}, but it must be {described}",
    )
    _need(value != "", f"{name} is empty", "leave it out, or give it a value")
    if isinstance(value, int):
        _need(
            abs(value) < 1 << 63, f"{name} is a number with more digits than any setting can have"
        )
