"""A scan keeps to the memory it was given, and says so when it cannot."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from checkout import DEMO

import dedup
from dedup import memory
from dedup.config import Config, parse_size
from dedup.errors import ConfigError, MemoryLimitError
from dedup.schemas import TABLES


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("4GB", 4_000_000_000),
        ("4g", 4_000_000_000),
        ("1.5 GiB", 3 << 29),
        ("512mib", 512 << 20),
        ("300000000", 300_000_000),
        ("300000000B", 300_000_000),
    ],
)
def test_sizes_are_read_as_people_write_them(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["much", "4 GBB", "-1GB", "4XB", "i", "1e9"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="is not a size"):
        Config(max_memory=text)


def test_a_limit_that_python_alone_would_break_is_refused() -> None:
    with pytest.raises(ConfigError, match="max_memory is 100MB"):
        Config(max_memory="100MB")


def test_the_default_leaves_the_machine_some_memory() -> None:
    assert 0 < memory.Budget(None).limit < memory.machine_memory()


def test_a_container_has_what_its_cgroup_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = tmp_path / "memory.max"
    monkeypatch.setattr(memory, "_CGROUP_LIMITS", (tmp_path / "none", limit))
    limit.write_text("300000000\n")
    assert memory.machine_memory() == 300_000_000
    limit.write_text("max\n")
    assert memory.machine_memory() > 300_000_000


def test_the_peak_of_a_process_is_its_own_and_not_that_of_its_parent() -> None:
    taken = bytearray(b"x") * 500_000_000
    code = "from dedup.memory import peak_memory; print(peak_memory())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert 0 < int(done.stdout) < len(taken)


def test_a_step_that_has_too_little_left_ends_with_a_way_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(memory.Budget, "resident", lambda _: 499_000_000)
    with pytest.raises(MemoryLimitError, match="comparing needs more than the 500MB") as caught:
        memory.Budget("500MB").working("comparing")
    assert "--max-memory 1GB" in str(caught.value.hint)


def test_a_scan_in_turns_gives_the_tables_of_a_scan_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dedup.scan(DEMO, tmp_path / "at-once")
    monkeypatch.setattr(memory.Budget, "working", lambda *_: 1000)
    dedup.scan(DEMO, tmp_path / "in-turns")
    for table in TABLES:
        at_once, in_turns = (
            pq.read_table(tmp_path / name / f"{table}.parquet") for name in ("at-once", "in-turns")
        )
        assert at_once.equals(in_turns), table
