"""Folders use each other in one direction, as ARCHITECTURE.md says."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest
from checkout import ROOT

CORE = ROOT / "dedup" / "native" / "core" / "src"
PYTHON = ROOT / "dedup"

# Each uses only those before it.
CORE_ORDER = [
    "error",
    "util",
    "store",
    "text",
    "sketch",
    "segment",
    "corpus",
    "agree",
    "matching",
    "formulas",
    "articles",
    "matches",
    "scoring",
    "flow",
]
PYTHON_ORDER = [
    ["_version", "_native", "util"],
    ["errors"],
    ["config", "schemas"],
    ["arguments", "progress", "memory"],
    ["read", "manifest"],
    ["outputs"],
    ["results"],
    ["work"],
    ["packs", "results_writer"],
    ["steps"],
    ["tables"],
    ["pipeline", "filter"],
    ["api"],
    ["cli"],
    ["__init__"],
]


def core_uses() -> Iterator[tuple[str, str, str]]:
    for file in sorted(CORE.rglob("*.rs")):
        own = file.relative_to(CORE).parts[0].removesuffix(".rs")
        for used in re.findall(r"\bcrate::([a-z_]+)", file.read_text(encoding="utf-8")):
            yield str(file.relative_to(CORE)), own, used


def python_uses() -> Iterator[tuple[str, str, str]]:
    """Imports of a module at its top; others, in functions and for types, break no circle."""
    for file in sorted(PYTHON.rglob("*.py")):
        parts = file.relative_to(PYTHON).parts
        if parts[0] == "native":
            continue
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("dedup"):
                names = (node.module or "").split(".")[1:2] or [part.name for part in node.names]
                for name in names:
                    yield "/".join(parts), parts[0].removesuffix(".py"), name


def siblings_used() -> dict[Path, set[Path]]:
    """The files of each folder of the core, and those beside them that they use."""
    uses = {}
    for file in sorted(CORE.rglob("*.rs")):
        code = file.read_text(encoding="utf-8").partition("#[cfg(test)]")[0]
        names = re.findall(r"\bsuper::([a-z_]+)::", code)
        beside = {file.with_name(f"{name}.rs") for name in names}
        uses[file] = {path for path in beside if path.exists()}
    return uses


def modules_used() -> dict[str, set[str]]:
    """The modules of the package, and those that they import at their top."""
    files = [path for path in PYTHON.rglob("*.py") if "native" not in path.parts]
    names = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in files}
    names = {name.removesuffix(".__init__"): path for name, path in names.items()}
    uses = {}
    for name, path in names.items():
        imported = set()
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ImportFrom) and node.module in names:
                imported |= {node.module, *(f"{node.module}.{part.name}" for part in node.names)}
        # A package's __init__ offers what its modules make, and is made from them.
        uses[name] = (imported & names.keys()) - {name, *name.rpartition(".")[:1]}
    return uses


def test_files_of_a_folder_of_the_core_do_not_use_each_other_in_a_circle() -> None:
    uses = siblings_used()
    assert sum(map(len, uses.values())) > 20
    list(TopologicalSorter(uses).static_order())


def test_modules_of_the_package_do_not_import_each_other_in_a_circle() -> None:
    uses = modules_used()
    assert sum(map(len, uses.values())) > 100
    list(TopologicalSorter(uses).static_order())


def test_folders_of_the_core_use_only_those_before_them() -> None:
    rank = {name: number for number, name in enumerate(CORE_ORDER)} | {"read": 2}
    wrong = [
        f"{file} uses {used}"
        for file, own, used in core_uses()
        if own not in ("lib", used) and not rank[used] < rank[own]
    ]
    assert wrong == []


def test_folders_of_the_package_use_only_those_before_them() -> None:
    rank = {name: number for number, names in enumerate(PYTHON_ORDER) for name in names}
    wrong = [
        f"{file} uses {used}"
        for file, own, used in python_uses()
        if own != used and not rank[used] < rank[own]
    ]
    assert wrong == []


@pytest.mark.parametrize("uses", [core_uses, python_uses])
def test_uses_are_found(uses) -> None:  # type: ignore[no-untyped-def] # one of the two above
    assert len({(own, used) for _, own, used in uses()}) > 20


def test_every_folder_is_in_the_plan() -> None:
    plan = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    folders = [path for path in [*CORE.iterdir(), *PYTHON.iterdir()] if path.is_dir()]
    names = {path.name for path in folders} - {"native", "bundled", "__pycache__"}
    assert {name for name in names if not re.search(rf"\b{name}\b", plan)} == set()


def test_what_the_plan_names_exists() -> None:
    plan = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    paths = set(re.findall(r"`((?:dedup|tests)/[\w/.-]+)`", plan))
    assert paths
    assert {path for path in paths if not (ROOT / path).exists()} == set()
