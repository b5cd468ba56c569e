"""Mistakes of a new user, and what the command line says to each."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import dedup
from dedup.cli import main
from dedup.errors import ConfigError, NativeError
from dedup.util.suggest import suggest

TEXT = "A heron has taken to fishing from the roof of the bakery in Mill Lane, by the harbour wall."


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("in.jsonl").write_text(json.dumps({"id": "a", "text": TEXT}) + "\n")
    return tmp_path


def say(capsys: pytest.CaptureFixture[str], command: str, code: int) -> str:
    assert main(command.split()) == code
    shown = capsys.readouterr()
    assert shown.out == ""
    return shown.err


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        ("scna in.jsonl", "there is no command 'scna'\nhint: did you mean dedup scan?"),
        ("in.jsonl", "there is no command 'in.jsonl'\nhint: to scan it: dedup scan in.jsonl -o re"),
        ("frobnicate", "there is no command 'frobnicate'\nhint: see dedup --help"),
        ("templates lst", "there is no command 'lst'\nhint: did you mean dedup templates list?"),
        (
            "scan in.jsonl -o r --threads",
            "Option '--threads' requires an argument\nhint: see dedup scan --help",
        ),
        (
            "filter in.jsonl -o o --keep first",
            "Missing argument 'INPUT...'\nhint: its arguments are RESULTS INPUT...; see dedup fil",
        ),
        ("scan in.jsonl", "the option -o is missing\nhint: add it, such as -o results"),
        ("filter r in.jsonl", "the option -o is missing\nhint: add it, such as -o out"),
        (
            "scan in.jsonl -o r --treshold 0.9",
            "dedup scan has no option --treshold\nhint: did you mean --threshold?",
        ),
        (
            "scan in.jsonl -o r --min_support 3",
            "dedup scan has no option --min_support\nhint: did you mean --min-support?",
        ),
        (
            "scan in.jsonl -o r --text body",
            "dedup scan has no option --text\nhint: did you mean --text-field?",
        ),
        (
            "scan in.jsonl -o r --jobs 4",
            "dedup scan has no option --jobs\nhint: see dedup scan --help",
        ),
        (
            "scan in.jsonl -o r --threshold 90",
            "threshold is 90, but it is a share and must be from 0.5 to 1\nhint: did you mean 0.9?",
        ),
        (
            "scan in.jsonl -o r --threshold 30",
            "threshold is 30, but it is a share and must be from 0.5 to 1\n",
        ),
        (
            "scan in.jsonl -o r --threshold 80%",
            "--threshold is '80%', but it must be a number such as 0.8\nhint: did you mean 0.8?",
        ),
        (
            "scan in.jsonl -o r --threshold 0,85",
            "--threshold is '0,85', but it must be a number such as 0.8\nhint: did you mean 0.85?",
        ),
        (
            "filter r in.jsonl -o o --max-redundancy 50",
            "max_redundancy is 50, but it is a share and must be from 0 to 1\nhint: did you mean 0",
        ),
        (
            "filter r in.jsonl -o o --max-redundancy 50%",
            "--max-redundancy is '50%', but it must be a number such as 0.8\nhint: did you mean 0.",
        ),
        (
            "filter r in.jsonl -o o --keep first --max-removed 95%",
            "--max-removed is '95%', but it must be a number such as 0.8\nhint: did you mean 0.95?",
        ),
        (
            "filter r in.jsonl -o o --keep first --max-removed 0",
            "max_removed is 0, but it is a share and must be above 0 and at most 1\n",
        ),
        (
            "scan in.jsonl -o r --templates p.toml --no-templates",
            "template packs were named, but looking for templates is switched off\nhint: leave out",
        ),
        (
            "scan in.jsonl -o r --templates new",
            "cannot read the template pack new: no such file or directory\nhint: did you mean news",
        ),
        (
            "scan in.jsonl -o r --max-memory 4",
            "max_memory is 4, but Python and the libraries take some 256 MiB by themselves\n"
            "hint: a number without a unit is bytes: write it as 4GB",
        ),
        (
            "scan in.jsonl -o r --temp-dir none",
            "temp_dir is 'none', and there is no such folder\nhint: create it, or name another one",
        ),
        (
            "scan in.jsonl -o r --config none.toml",
            "cannot read the config file none.toml: no such file or directory\nhint: it is a TOML",
        ),
    ],
)
def test_a_wrong_command_line_is_explained(
    capsys: pytest.CaptureFixture[str], command: str, shown: str
) -> None:
    assert say(capsys, command, code=2).startswith(f"Error: {shown}")
    assert not Path("r").exists()


@pytest.mark.parametrize("option", ["--id-field", "--temp-dir", "--max-memory", "--templates"])
def test_an_empty_value_is_not_taken_for_none(
    capsys: pytest.CaptureFixture[str], option: str
) -> None:
    assert main(["scan", "in.jsonl", "-o", "r", option, ""]) == 2
    assert "empty" in capsys.readouterr().err
    assert main(["scan", "in.jsonl", "-o", "r", "--config", ""]) == 2


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        (
            "treshold = 0.9",
            "there is no setting named 'treshold' in c.toml\nhint: did you mean th",
        ),
        ("[matching]", "there is no setting named 'matching' in c.toml\nhint: did you mean match?"),
        (
            "[match]\ntreshold = 0.9",
            "[match] in c.toml has no setting named 'treshold'\nhint: did you mean threshold?",
        ),
        (
            "[match]\nbands = 3",
            "[match] in c.toml has no setting named 'bands'\nhint: it belongs in [fingerprint]",
        ),
        (
            "[match]\nthreads = 3",
            "[match] in c.toml has no setting named 'threads'\nhint: it belongs above the first",
        ),
        ("match = 3", "match is 3 in c.toml, but it is a table of settings\nhint: write [match]"),
        (
            "threshold = 0.9\n[match]\nthreshold = 0.8",
            "c.toml sets threshold twice\nhint: remove one",
        ),
        ('threads = "two"', "threads is 'two', but it must be a whole number\n"),
        (
            'granularity = "articles"',
            "granularity is 'articles', but it must be one of: both, par",
        ),
        ("threads 4", "cannot read the config file c.toml: Expected '=' after a key"),
        ("a = " + 600 * "[", "cannot read the config file c.toml: "),
        ("threads = " + 5000 * "9", "cannot read the config file c.toml: "),
    ],
)
def test_a_wrong_config_file_is_explained(
    capsys: pytest.CaptureFixture[str], content: str, shown: str
) -> None:
    Path("c.toml").write_text(content + "\n")
    assert say(capsys, "scan in.jsonl -o r --config c.toml", code=2).startswith(f"Error: {shown}")


def test_packs_and_no_templates_contradict_each_other_only_if_a_pack_is_named() -> None:
    with pytest.raises(ConfigError, match="template packs were named"):
        dedup.Config.from_options(packs=["news"], templates=False)
    assert not dedup.Config.from_options(packs=["none"], templates=False).formulas.templates
    config = dedup.Config.from_options(packs=["news"]).with_options(templates=False)
    assert not config.formulas.templates


def test_swapped_arguments_of_a_filter_are_recognised(capsys: pytest.CaptureFixture[str]) -> None:
    dedup.scan("in.jsonl", "results")
    assert say(capsys, "filter in.jsonl results -o o.jsonl --keep first", code=2) == (
        "Error: in.jsonl is not a results folder, but results is\n"
        "hint: name the results first: results in.jsonl\n"
    )


def test_several_inputs_are_not_written_into_a_folder_named_as_a_file(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("many").mkdir()
    for name in ("a.jsonl", "b.jsonl"):
        Path("many", name).write_text(json.dumps({"id": name, "text": TEXT}) + "\n")
    dedup.scan("many", "results")
    for output in ("c.jsonl", "c.jsonl.gz", "c.PARQUET"):
        assert say(capsys, f"filter results many -o {output} --keep first", code=2) == (
            f"Error: {output} is the name of a file, but 2 inputs are written into a folder\n"
            "hint: name a folder, such as c; any name that ends with a slash will do\n"
        )
        assert not Path(output).exists()
    for output in ("c", "v1.2", "c.jsonl/"):
        assert main(["filter", "results", "many", "-o", output, "--keep", "first", "-q"]) == 0
        assert sorted(path.name for path in Path(output).iterdir()) == ["a.jsonl", "b.jsonl"]


def test_a_csv_file_without_a_header_shows_no_whole_article(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("in.csv").write_text(f'"{TEXT * 9}",wire\n"{TEXT}",echo\n')
    assert say(capsys, "scan in.csv -o r", code=1) == (
        "Error: in.csv has no text field; its fields are:"
        " A heron has taken to fishing from the r…, wire\n"
        "hint: name the one to use with --text-field; if the first line is already an article,"
        " add a line with names above it\n"
    )


def test_a_misspelt_field_is_guessed(capsys: pytest.CaptureFixture[str]) -> None:
    assert say(capsys, "scan in.jsonl -o r --text-field tekst", code=1) == (
        "Error: in.jsonl has no field named 'tekst'; its fields are: id, text\n"
        "hint: did you mean text?\n"
    )


def test_an_error_of_the_system_has_no_number() -> None:
    assert str(NativeError("t failed: No space left (os error 28)")) == "t failed: No space left"


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("fliter", "filter"),
        ("Scan", "scan"),
        ("template", "templates"),
        ("fil", "filter"),
        ("i", None),
        ("run", None),
        ("", None),
        ("x" * 10**6, None),
    ],
)
def test_only_a_close_name_is_suggested(given: str, meant: str | None) -> None:
    assert suggest(given, ["scan", "filter", "templates", "info"]) == meant
