"""What is fuzzed: a seed for each kind of file, and the call that reads it."""

from __future__ import annotations

import atexit
import contextlib
import functools
import hashlib
import io
import os
import random
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import dedup
from dedup.cli import main
from dedup.config import Config
from fuzz import seeds
from fuzz.mutations import mutate, mutate_json

HIDDEN = ".results.unfinished"


class Target(NamedTuple):
    """One kind of file: an example, how to change it, and who reads it."""

    seed: Callable[[], bytes]
    change: Callable[[bytes, random.Random], bytes]
    run: Callable[[bytes, Path], None]


def _prepare(folder: Path) -> Path:
    """Empty a folder, and put the unchanged articles into it, always as old as they were."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    articles = folder / "articles.jsonl"
    articles.write_bytes(seeds.INPUTS["in.jsonl"])
    os.utime(articles, (1_600_000_000, 1_600_000_000))
    return articles


def _scan_and_filter(name: str, data: bytes, folder: Path) -> None:
    """Scan a file, skipping its bad rows, and filter it: every row is kept or removed."""
    _prepare(folder)
    path = folder / name
    path.write_bytes(data)
    with contextlib.suppress(dedup.DedupError):
        dedup.scan(path, folder / "strict", threads=1, templates=False)
    result = dedup.scan(path, folder / "results", threads=1, on_error="skip")
    report = dedup.filter_articles(
        result, path, folder / f"clean-{name}", max_redundancy=0.5, max_removed=1.0
    )
    assert report.rows_in == report.kept + report.removed


def _use_pack(data: bytes, folder: Path) -> None:
    articles = _prepare(folder)
    pack = folder / "pack.toml"
    pack.write_bytes(data)
    dedup.scan(articles, folder / "results", packs=[str(pack)], threads=1)


def _use_config(data: bytes, folder: Path) -> None:
    articles = _prepare(folder)
    path = folder / "config.toml"
    path.write_bytes(data)
    dedup.scan(articles, folder / "results", config=Config.from_toml(path))


@functools.cache
def _results() -> dict[str, bytes]:
    """Scan the articles once; a changed file is put among these."""
    with tempfile.TemporaryDirectory() as place:
        articles = _prepare(Path(place) / "fuzz")
        result = dedup.scan(articles, f"{place}/results", threads=1, min_support=2)
        return {path.name: path.read_bytes() for path in result.path.iterdir()}


def _use_results(name: str, data: bytes, folder: Path) -> None:
    """Run every command on a result in which one file was changed: no traceback, whatever it is."""
    articles = _prepare(folder)
    results = folder / "results"
    results.mkdir()
    for other, whole in _results().items():
        (results / other).write_bytes(whole)
    (results / name).write_bytes(data)
    clean, removed = folder / "clean.jsonl", folder / "removed.jsonl"
    filtering = ["--max-redundancy", "0.5", "--max-removed", "1", "--keep", "first"]
    filtering += ["--sample", "3"]
    commands = [
        ["info", results],
        ["info", results, "--json"],
        ["filter", results, articles, "-o", clean, "--removed", removed, *filtering],
        ["templates", "list", results],
        ["templates", "learn", results, "-o", folder / "learned.toml"],
    ]
    for command in commands:
        with (
            contextlib.redirect_stdout(io.TextIOWrapper(io.BytesIO(), "utf-8")),
            contextlib.redirect_stderr(io.TextIOWrapper(io.BytesIO(), "utf-8")),
        ):
            status = main(list(map(str, command)))
        assert status in (0, 1, 2), status


class _StoppedError(Exception):
    """What ends a scan in `_unfinished`."""


class _StopAtScores:
    """Progress that ends a scan when everything was compared, as a full disk might."""

    def start(self, step: str, total_bytes: int | None = None) -> None:
        if step == "score":
            raise _StoppedError

    def advance(self, articles: int, text_bytes: int) -> None:
        pass


@functools.cache
def _unfinished_place() -> Path:
    """Return the one folder of unfinished scans, since they remember where their inputs are."""
    folder = tempfile.mkdtemp(prefix="dedup-fuzz-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder) / "work"


@functools.cache
def _unfinished() -> tuple[dict[str, bytes], dict[str, str]]:
    """Return the files of an unfinished scan, and digests of the tables it has to end in."""
    folder = _unfinished_place()
    articles = _prepare(folder)
    with contextlib.suppress(_StoppedError):
        dedup.scan(articles, folder / "results", threads=1, progress=_StopAtScores())
    hidden = folder / HIDDEN
    files = {
        str(path.relative_to(hidden)): path.read_bytes()
        for path in hidden.rglob("*")
        if path.is_file()
    }
    return files, _digests(dedup.scan(articles, folder / "results", threads=1).path)


def _resume(name: str, data: bytes, _: Path) -> None:
    """Resume a scan of which one file was changed: it is refused, or the tables are the same."""
    files, whole = _unfinished()
    folder = _unfinished_place()
    articles = _prepare(folder)
    (folder / HIDDEN).mkdir(mode=0o700)
    for other, content in files.items():
        path = folder / HIDDEN / other
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.write_bytes(data if other == name else content)
        path.chmod(0o600)
    result = dedup.scan(articles, folder / "results", threads=1, resume=True)
    assert _digests(result.path) == whole


def _digests(results: Path) -> dict[str, str]:
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in results.glob("*.parquet")
    }


def _seed_of_results(name: str) -> bytes:
    return _results()[name]


def _seed_of_unfinished(name: str) -> bytes:
    return _unfinished()[0][name]


def _change_bytes(name: str) -> Callable[[bytes, random.Random], bytes]:
    tokens = seeds.TOKENS.get(Path(name).suffix, seeds.ANY_TOKENS)
    return lambda data, rng: mutate(data, tokens, rng)


def _change_manifest(data: bytes, rng: random.Random) -> bytes:
    if rng.random() < 0.3:
        return mutate(data, seeds.TOKENS[".json"], rng)
    return mutate_json(data, rng)


def _constant(data: bytes) -> Callable[[], bytes]:
    return lambda: data


TARGETS: dict[str, Target] = {
    **{
        name.removeprefix("in."): Target(
            _constant(data), _change_bytes(name), functools.partial(_scan_and_filter, name)
        )
        for name, data in seeds.INPUTS.items()
    },
    "pack": Target(_constant(seeds.PACK), _change_bytes("p.toml"), _use_pack),
    "config": Target(_constant(seeds.CONFIG), _change_bytes("c.toml"), _use_config),
    "manifest.json": Target(
        functools.partial(_seed_of_results, "manifest.json"),
        _change_manifest,
        functools.partial(_use_results, "manifest.json"),
    ),
    **{
        f"{table}.parquet": Target(
            functools.partial(_seed_of_results, f"{table}.parquet"),
            _change_bytes("table"),
            functools.partial(_use_results, f"{table}.parquet"),
        )
        for table in ("articles", "spans", "clusters", "templates", "rejected")
    },
    **{
        name: Target(
            functools.partial(_seed_of_unfinished, name),
            _change_bytes(f"{name}l"),
            functools.partial(_resume, name),
        )
        for name in ("journal.jsonl", "spool")
    },
}
