from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from checkout import ROOT

import dedup
from dedup import _native
from dedup.cli import main
from dedup.cli.command_line import COMMANDS
from dedup.cli.command_line import dedup as group

README = (ROOT / "README.md").read_text(encoding="utf-8")
DEFINITIONS = (ROOT / "docs" / "definitions.md").read_text(encoding="utf-8")


def python_in(text: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


PYTHON = python_in(README)


@pytest.mark.parametrize("code", PYTHON, ids=lambda code: code.splitlines()[-1][:40])
def test_python_in_the_readme_runs(
    code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tests").symlink_to(ROOT / "tests")
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "README.md", "exec"), {})


def test_the_readme_has_python() -> None:
    assert len(PYTHON) >= 3


def test_the_examples_of_the_definitions_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    examples = python_in(DEFINITIONS)
    assert len(examples) >= 10
    session: dict[str, object] = {}
    for code in examples:
        exec(compile(code, "definitions.md", "exec"), session)


def test_a_term_is_defined_once() -> None:
    terms = re.findall(r"\*\*([^*]+)\*\*", DEFINITIONS)
    assert len(terms) >= 30
    assert sorted(terms) == sorted(set(terms))


def test_the_readme_shows_what_a_scan_of_the_demo_prints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "tests").symlink_to(ROOT / "tests")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    example = re.search(r"^\$ dedup (scan .*)\n((?:  .*\n)+)", README, re.MULTILINE)
    assert example
    assert main(example[1].split()) == 0
    printed = capsys.readouterr().err.splitlines()
    shown = [line for line in example[2].splitlines() if not line.startswith("  time ")]
    assert len(shown) >= 10
    assert [line for line in shown if line not in printed] == []


def commands() -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in COMMANDS:
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            for part in command.commands.values():
                yield f"{name} {part.name}", part
        else:
            assert command is not None
            yield name, command


def section(command: str) -> str:
    found = re.search(rf"^### `dedup {command} .*?(?=^##|\Z)", README, re.DOTALL | re.MULTILINE)
    assert found, f"the README has no section about dedup {command}"
    return found.group()


@pytest.mark.parametrize(("name", "command"), list(commands()))
def test_every_option_is_in_the_readme(name: str, command: click.Command) -> None:
    documented = set(re.findall(r"`(--?[a-z][a-z-]*)`", section(name)))
    options = [option for option in command.params if isinstance(option, click.Option)]
    assert documented == {name for option in options for name in option.opts}


@pytest.mark.parametrize(("name", "command"), list(commands()))
def test_every_option_has_a_help_text(name: str, command: click.Command) -> None:
    assert all(option.help for option in command.params if isinstance(option, click.Option)), (
        f"an option of dedup {name} has no help"
    )


PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("benchmarks/*.md")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_files_that_a_page_links_to_exist(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_readme_has_links() -> None:
    assert "](LICENSE)" in README


@pytest.mark.parametrize("name", dedup.__all__)
def test_every_public_name_can_be_imported(name: str) -> None:
    assert getattr(dedup, name) is not None


def test_public_names_are_no_submodules() -> None:
    modules = {path.stem for path in (ROOT / "dedup").iterdir()}
    assert not modules & set(dedup.__all__)


def stubs() -> dict[str, set[str]]:
    """Return the names of the stub file; of a class, those inside."""
    tree = ast.parse((ROOT / "dedup" / "_native.pyi").read_text(encoding="utf-8"))
    names: dict[str, set[str]] = {}
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            functions = [part for part in node.body if isinstance(part, ast.FunctionDef)]
            names[node.name] = {part.name for part in functions} - {"__new__"}
        elif isinstance(node, ast.FunctionDef):
            names[node.name] = set()
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names[node.target.id] = set()
    return names


def test_the_stub_has_the_names_of_the_compiled_module() -> None:
    names = {name for name in dir(_native) if not name.startswith("__")}
    assert set(stubs()) == names


@pytest.mark.parametrize(("name", "members"), list(stubs().items()))
def test_a_stub_class_has_the_members_of_the_compiled_one(name: str, members: set[str]) -> None:
    compiled = getattr(_native, name)
    if isinstance(compiled, type):
        own = {key for key in vars(compiled) if not key.startswith("__") or key == "__len__"}
        assert members == own
