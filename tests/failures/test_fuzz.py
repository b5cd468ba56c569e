"""Fuzzing in small: whole files, a few changed ones, and every input that ever was a finding."""

from __future__ import annotations

import random

import pytest
from fuzz.__main__ import FOUND, run_once
from fuzz.targets import TARGETS

KEPT = sorted(path.relative_to(FOUND) for path in FOUND.glob("*/*"))
FEW = 6  # per target; `make fuzz` runs as many as there is time for


@pytest.mark.parametrize("target", TARGETS)
def test_a_whole_file_is_read(target, tmp_path):
    assert run_once(target, TARGETS[target].seed(), tmp_path) == "ok"


@pytest.mark.parametrize("target", TARGETS)
def test_a_changed_file_is_read_or_refused(target, tmp_path):
    seed, rng = TARGETS[target].seed(), random.Random(target)
    outcomes = {run_once(target, TARGETS[target].change(seed, rng), tmp_path) for _ in range(FEW)}
    assert outcomes <= {"ok", "refused"}


@pytest.mark.parametrize("kept", KEPT, ids=str)
def test_what_was_found_once_is_read_or_refused(kept, tmp_path):
    outcome = run_once(kept.parts[0], (FOUND / kept).read_bytes(), tmp_path)
    assert outcome in ("ok", "refused")


def test_a_finding_is_told_from_a_refusal(tmp_path, monkeypatch):
    def fail(data, folder):
        raise KeyError("places")

    monkeypatch.setitem(TARGETS, "config", TARGETS["config"]._replace(run=fail))
    assert run_once("config", b"", tmp_path).startswith("KeyError at test_fuzz.py:")
