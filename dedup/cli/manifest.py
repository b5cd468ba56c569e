"""The manifest of a scan as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dedup.config import Config
from dedup.util.layout import duration, plural, size
from dedup.util.terminal import print_line, print_rows

if TYPE_CHECKING:
    from dedup.manifest import Input, Manifest
    from dedup.results import Scan

MAX_INPUTS = 20  # shown; --json has them all


def print_manifest(scan: Scan) -> None:
    """Print versions, inputs, counts, limits, timings and settings, each under its heading."""
    facts = scan.facts
    changed, unchanged = _split_settings(facts.config)
    elapsed = facts.elapsed_s
    since = " since it was resumed" if facts.resumed else ""
    made = [
        ("finished", facts.finished.replace("T", " ").replace("+00:00", " UTC")),
        ("dedup", facts.dedup_version),
        ("format", f"{facts.format_version}, fingerprints {facts.fingerprint_version}"),
        (
            "time",
            f"{duration(elapsed['total'])}{since}, of which {duration(elapsed['read'])} reading",
        ),
        ("peak memory", size(facts.peak_memory_bytes)),
    ]
    sections = [
        (str(scan.path), made),
        (_inputs_heading(facts.inputs), _list_inputs(facts.inputs)),
        ("Counts", _count_rows(facts.counts)),
        ("How often a limit was hit", _count_rows(facts.limits)),
        (f"Time of each step{since}", _time_rows(facts)),
        (f"Work done{since}", _count_rows(facts.work)),
        ("Settings that differ from the default", changed or [("none", "")]),
        ("Other settings", unchanged),
    ]
    for place, (heading, rows) in enumerate(sections):
        if place:
            print_line()
        print_line(heading, bold=True)
        print_rows(rows)


def _time_rows(facts: Manifest) -> list[tuple[str, str]]:
    return [
        (step, f"{duration(facts.elapsed_s.get(step, 0))}, {duration(cpu)} of CPU time")
        for step, cpu in facts.cpu_s.items()
    ]


def _inputs_heading(inputs: Sequence[Input]) -> str:
    total = size(sum(entry.bytes for entry in inputs))
    return f"Inputs: {plural(len(inputs), 'file')}, {total}"


def _list_inputs(inputs: Sequence[Input]) -> list[tuple[str, str]]:
    rows = [(entry.path, size(entry.bytes)) for entry in inputs[:MAX_INPUTS]]
    if len(inputs) > MAX_INPUTS:
        rows.append((f"and {len(inputs) - MAX_INPUTS:,} more", "all of them are in --json"))
    return rows


def _count_rows(counts: Mapping[str, int]) -> list[tuple[str, str]]:
    width = max((len(f"{number:,}") for number in counts.values()), default=0)
    return [(name.replace("_", " "), f"{number:,}".rjust(width)) for name, number in counts.items()]


def _split_settings(
    config: Mapping[str, Any],
) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Return the settings that differ from the default, with it, and the others."""
    defaults = _flatten(Config().to_dict())
    changed, unchanged = [], []
    for name, value in _flatten(config).items():
        default = defaults.get(name)
        if value == default:
            unchanged.append((name, _show(value)))
        else:
            changed.append((name, f"{_show(value)} (default {_show(default)})"))
    return changed, unchanged


def _flatten(config: Mapping[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in config.items():
        if isinstance(value, Mapping):
            flat.update({f"{name}.{key}": inner for key, inner in _flatten(value).items()})
        else:
            flat[name] = list(value) if isinstance(value, tuple) else value
    return flat


def _show(value: Any) -> str:
    if value is None:
        return "not set"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
