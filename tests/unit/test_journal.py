"""A journal tells what was noted or is refused, however it was damaged."""

from __future__ import annotations

import contextlib
import json
import random
import resource
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from article_files import write_articles
from hypothesis import given, settings
from hypothesis import strategies as st

import dedup
from dedup.errors import OutputError, ResumeError
from dedup.progress import Silent
from dedup.schemas import TABLES
from dedup.work import unfinished
from dedup.work.journal import JournalFile, _chain

ASKED = {"inputs": [], "packs": {}}
PLACE = (0, 12, 2**64 - 1)


def note_some(path: Path, count: int) -> bytes:
    """Write a journal with entries of one kind; return its bytes."""
    journal = JournalFile(path, ASKED, resume=False)
    journal.start(lambda: None)
    for number in range(count):
        journal.note("verified", {"verified": (12 * number, 12, number)})
    journal.close()
    return path.read_bytes()


def read_noted(path: Path) -> list[int]:
    """Return the numbers of the entries that a journal tells of."""
    journal = JournalFile(path, ASKED, resume=True)
    journal.close()
    return [entry["places"]["verified"][2] for entry in journal.of("verified")]


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("journals")


def flip(data: bytes, at: int) -> bytes:
    at %= 8 * len(data)
    changed = data[at // 8] ^ 1 << at % 8
    return data[: at // 8] + bytes([changed]) + data[at // 8 + 1 :]


def truncate(data: bytes, at: int) -> bytes:
    return data[: at % len(data)]


def change_lines(
    change: Callable[[list[bytes], int, int], object],
) -> Callable[[bytes, int], bytes]:
    def damage(data: bytes, at: int) -> bytes:
        lines = data.splitlines(keepends=True)
        change(lines, at % len(lines), at // len(lines) % len(lines))
        return b"".join(lines)

    return damage


def swap(lines: list[bytes], one: int, other: int) -> None:
    lines[one], lines[other] = lines[other], lines[one]


def merge(lines: list[bytes], one: int, _: int) -> None:
    lines[one] = lines[one][: len(lines[one]) // 2]


DAMAGES = {
    "flip": flip,
    "truncate": truncate,
    "drop": change_lines(lambda lines, one, _: lines.pop(one)),
    "swap": change_lines(swap),
    "merge": change_lines(merge),
    "duplicate": change_lines(lambda lines, one, other: lines.insert(other, lines[one])),
    "insert": change_lines(lambda lines, one, _: lines.insert(one, b"garbage\n")),
    "insert an entry": change_lines(
        lambda lines, one, _: lines.insert(one, lines[-1].replace(b"0", b"1"))
    ),
}
damages = st.tuples(st.sampled_from(sorted(DAMAGES)), st.integers(0, 2**31))


@given(damages)
@settings(max_examples=200, deadline=None)
def test_a_damaged_journal_is_refused_or_tells_a_beginning(
    places: Path, damage: tuple[str, int]
) -> None:
    whole = note_some(places / "journal", 5)
    (places / "journal").write_bytes(DAMAGES[damage[0]](whole, damage[1]))
    with contextlib.suppress(ResumeError):
        noted = read_noted(places / "journal")
        assert noted == list(range(len(noted)))


@pytest.mark.parametrize("kept", range(6))
def test_a_journal_ends_before_a_bad_last_line_and_goes_on_there(tmp_path: Path, kept: int) -> None:
    lines = note_some(tmp_path / "journal", 5).splitlines(keepends=True)
    for last in (lines[kept][:-9], lines[kept][:-9] + b"\n", b"\0" * 40):
        (tmp_path / "journal").write_bytes(b"".join(lines[:kept]) + last)
        assert read_noted(tmp_path / "journal") == list(range(max(kept - 1, 0)))
    assert len((tmp_path / "journal").read_bytes().splitlines()) == max(kept, 1)


@pytest.mark.parametrize("bad", range(5))
def test_a_bad_line_with_others_behind_it_is_damage(tmp_path: Path, bad: int) -> None:
    lines = note_some(tmp_path / "journal", 5).splitlines(keepends=True)
    lines[bad] = lines[bad].replace(b"1", b"2")
    (tmp_path / "journal").write_bytes(b"".join(lines))
    with pytest.raises(ResumeError, match=f"is damaged: line {bad + 1} is not") as caught:
        read_noted(tmp_path / "journal")
    assert caught.value.hint == "scan from the beginning, without --resume"
    assert (tmp_path / "journal").read_bytes() == b"".join(lines)


values = st.sampled_from([None, -1, 2**64, 0.5, "x", [], {}, True, [1], {"a": 1}, "\ud800"])


@given(values, st.sampled_from(["step", "places", "verified"]))
@settings(max_examples=40, deadline=None)
def test_an_entry_of_another_shape_is_refused_though_its_check_is_right(
    places: Path, value: Any, where: str
) -> None:
    note_some(places / "journal", 0)
    entry: dict[str, Any] = {"step": "verified", "places": {"verified": list(PLACE)}}
    (entry["places"] if where == "verified" else entry)[where] = value
    head = (places / "journal").read_bytes()
    check = _chain(entry, json.loads(head)[0])
    (places / "journal").write_bytes(head + json.dumps([check, entry]).encode() + b"\n")
    with pytest.raises(ResumeError, match="is damaged: in an entry"):
        read_noted(places / "journal")


def test_an_entry_is_written_when_the_spool_is_on_the_disk(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    journal = JournalFile(path, ASKED, resume=False)
    before = path.read_bytes()
    seen: list[bytes] = []
    journal.start(lambda: seen.append(path.read_bytes()))
    journal.note("verified", {"verified": PLACE})
    journal.close()
    assert seen == [before]
    assert len(path.read_bytes()) > len(before)


def test_nothing_is_noted_behind_an_entry_that_was_lost(tmp_path: Path) -> None:
    def fail() -> None:
        raise OutputError("the disk failed")

    journal = JournalFile(tmp_path / "journal", ASKED, resume=False)
    journal.start(fail)
    journal.note("verified", {"verified": PLACE})
    journal.close()
    with pytest.raises(OutputError, match="the disk failed"):
        journal.note("verified", {"verified": PLACE})
    assert read_noted(tmp_path / "journal") == []


def test_a_full_disk_ends_the_journal_before_the_entry_that_did_not_fit(tmp_path: Path) -> None:
    size = len(note_some(tmp_path / "journal", 2))
    journal = JournalFile(tmp_path / "journal", ASKED, resume=True)
    journal.start(lambda: None)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 20, hard))
    try:
        journal.note("verified", {"verified": PLACE})
        journal.close()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    with pytest.raises(OutputError, match=r"cannot write \S*journal: File too large"):
        journal.note("verified", {"verified": PLACE})
    assert len((tmp_path / "journal").read_bytes()) == size + 20
    assert read_noted(tmp_path / "journal") == [0, 1]


class StopAtWriting(Silent):
    def start(self, step: str, total_bytes: int | None = None) -> None:
        if step == "write":
            raise OutputError("the disk is full")


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with articles, the results of a whole scan, and what one that stopped has left."""
    folder = tmp_path_factory.mktemp("stopped")
    draw = random.Random(11)
    words = [f"{draw.choice('bdfgk')}{draw.choice('aeiou')}{n:x}" for n in range(300)]
    texts = [" ".join(draw.choices(words, k=40)) for _ in range(40)]
    write_articles(folder / "a.jsonl", *({"text": draw.choice(texts)} for _ in range(200)))
    dedup.scan(folder / "a.jsonl", folder / "whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dedup.read.batches.BATCH_BYTES", 10_000)
        with pytest.raises(OutputError, match="full"):
            dedup.scan(folder / "a.jsonl", folder / "results", progress=StopAtWriting())
    (folder / ".results.unfinished").rename(folder / "kept")
    journal = (folder / "kept" / unfinished.JOURNAL).read_bytes()
    assert journal.count(b'"step": "batch"') > 3
    return folder


def resume(stopped: Path, damage: Callable[[Path], object]) -> None:
    """Damage what the scan left and resume it: that gives the same tables or a DedupError."""
    work = stopped / ".results.unfinished"
    for path in (work, stopped / "results"):
        shutil.rmtree(path, ignore_errors=True)
    shutil.copytree(stopped / "kept", work)
    damage(work)
    dedup.scan(stopped / "a.jsonl", stopped / "results", resume=True)
    for table in TABLES:
        whole, resumed = (stopped / name / f"{table}.parquet" for name in ("whole", "results"))
        assert whole.read_bytes() == resumed.read_bytes()


@given(damages)
@settings(max_examples=60, deadline=None)
def test_a_scan_with_a_damaged_journal_is_refused_or_gives_the_same_tables(
    stopped: Path, damage: tuple[str, int]
) -> None:
    def apply(work: Path) -> None:
        journal = work / unfinished.JOURNAL
        journal.write_bytes(DAMAGES[damage[0]](journal.read_bytes(), damage[1]))

    with contextlib.suppress(ResumeError):
        resume(stopped, apply)


@given(st.integers(0, 2**31), st.sampled_from([flip, truncate]))
@settings(max_examples=40, deadline=None)
def test_a_scan_with_a_damaged_spool_is_refused_or_gives_the_same_tables(
    stopped: Path, at: int, damage: Callable[[bytes, int], bytes]
) -> None:
    def apply(work: Path) -> None:
        spool = work / unfinished.SPOOL
        spool.write_bytes(damage(spool.read_bytes(), at))

    with contextlib.suppress(ResumeError):
        resume(stopped, apply)


def test_what_is_not_damaged_gives_the_same_tables(stopped: Path) -> None:
    resume(stopped, lambda _: None)


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_a_journal_that_names_other_places_or_numbers_is_refused(
    stopped: Path, data: st.DataObject
) -> None:
    """Whoever makes the checks anew cannot make the core read what is not there."""

    def apply(work: Path) -> None:
        journal = work / unfinished.JOURNAL
        entries = [json.loads(line)[1] for line in journal.read_bytes().splitlines()]
        entry = data.draw(st.sampled_from([e for e in entries[1:] if e["places"]]))
        rows = [*entry["places"].values(), *([entry["numbers"]] if "numbers" in entry else [])]
        row = data.draw(st.sampled_from(rows))
        place = data.draw(st.integers(0, len(row) - 1))
        row[place] = data.draw(
            st.integers(0, 2**64 - 1).filter(lambda number: number != row[place])
        )
        check = ""
        lines = []
        for entry in entries:
            check = _chain(entry, check)
            lines.append(json.dumps([check, entry]).encode() + b"\n")
        journal.write_bytes(b"".join(lines))

    # A place that no step needs any more is not looked at, and the tables are the same.
    with contextlib.suppress(ResumeError):
        resume(stopped, apply)
