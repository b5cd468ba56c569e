"""The command line as a user meets it: output, errors and exit codes."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import dedup
from dedup.cli import main
from dedup.cli.command_line import COMMANDS
from dedup.config import Config
from dedup.progress import show as progress
from dedup.progress.lines import Lines
from dedup.util.layout import duration, percent, size

TEXT = "A heron has taken to fishing from the roof of the bakery in Mill Lane, by the harbour wall."
ROWS = [
    {"id": "a", "text": TEXT, "source": "wire", "date": "2024-03-01"},
    {"id": "b", "text": f"Nobody saw it. {TEXT[:30]}", "source": "echo", "date": "2024-03-02"},
    {"id": "c", "text": TEXT, "source": "echo", "date": "2024-03-03"},
]


def command_line(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-c", "import dedup.cli; dedup.cli.main_and_exit()"] + [
        str(argument) for argument in arguments
    ]


def run(*arguments: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command_line(*arguments), capture_output=True, text=True, check=False, **options
    )


@pytest.fixture
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    path = tmp_path / "in.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    return path


@pytest.fixture
def results(corpus: Path) -> Path:
    dedup.scan("in.jsonl", "results")
    return corpus.parent / "results"


def test_help_lists_each_command_with_the_first_line_of_its_own_help(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    for name, sentence in COMMANDS.items():
        assert f"  {name} " in shown
        assert sentence in shown
        assert main([name, "--help"]) == 0


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from dedup.cli import main\n"
        "for command in ([], ['scan'], ['filter'], ['info']): main([*command, '--help'])\n"
        "heavy = {'pyarrow', 'numpy', 'rich', 'dedup._native'} & sys.modules.keys()\n"
        "sys.exit(f'imported: {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_defaults_in_the_help_are_those_of_the_config(
    capsys: pytest.CaptureFixture[str],
) -> None:
    main(["scan", "--help"])
    shown = " ".join(capsys.readouterr().out.split())
    config = Config()
    for name, default in {
        "--threshold": config.match.threshold,
        "--granularity": config.granularity,
        "--paragraphs": config.fingerprint.paragraphs,
        "--bands": config.fingerprint.bands,
        "--rows": config.fingerprint.rows,
        "--on-error": config.source.on_error,
    }.items():
        of_option = shown.partition(f"{name} ")[2].partition(" --")[0]
        assert f"by default {default}." in of_option


def test_scan_prints_a_summary_on_stderr_and_nothing_on_stdout(corpus: Path) -> None:
    done = run("scan", "in.jsonl", "-o", "results")
    assert (done.returncode, done.stdout) == (0, "")
    shown = re.sub(r"(?m)^  time .*", "  time", done.stderr)
    assert shown.partition("  articles ")[1:] == (
        "  articles ",
        """         3 in 1 file of 419 bytes
  paragraphs        3, of which 2 are distinct
  exact copies      1 paragraph (33%)
  near-copies       0 paragraphs (0%)
  internal repeats  0 paragraphs (0%)
  boilerplate       0 paragraphs (0%)
  templated         0 paragraphs (0%), of 0 templates
  redundancy        quartiles 0.00, 0.00, 0.50; above 0.5 in 1 article (33%)
  most copied       wire 19 words
  lost or limited   3 articles too short to judge
  time

Results are in results. To see what a filter would remove:
  dedup filter results in.jsonl -o clean.jsonl --max-redundancy 0.5 --dry-run --sample 5
""",
    )


def test_the_command_that_scan_suggests_works(corpus: Path) -> None:
    done = run("scan", "in.jsonl", "-o", "results")
    suggested = done.stderr.splitlines()[-1].split()[1:]
    done = run(*suggested)
    assert done.returncode == 0
    assert done.stdout == (
        "c\n"
        "  reason       redundancy above 0.5\n"
        "  redundancy   1.00\n"
        "  mostly from  a\n"
        f'  for example  "{TEXT[:64]}\n'
        f'               {TEXT[65:]}"\n\n'
    )
    assert done.stderr == (
        "  rows in  3 = 2 kept + 1 removed\n"
        "  kept     2 articles (67%)\n"
        "  removed  1 row (33%)\n"
        "           1  redundancy above 0.5\n\n"
        "Nothing was written: leave out --dry-run to write.\n"
    )


def test_quiet_prints_nothing(corpus: Path) -> None:
    done = run("scan", "in.jsonl", "-o", "results", "--quiet")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    done = run("filter", "results", "in.jsonl", "-o", "out.jsonl", "--keep", "first", "-q")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_articles_come_from_standard_input(corpus: Path) -> None:
    done = run("scan", "-", "-o", "results", input=corpus.read_text())
    assert done.returncode == 0
    assert dedup.open_scan("results").manifest["counts"]["articles"] == 3


def test_scan_options_become_settings(corpus: Path) -> None:
    options = (
        "--threshold 0.9 --granularity paragraph --threads 3 --max-memory 2GB --exact"
        " --on-error skip --id-field id"
        " --text-field text --date-field date --source-field source --url-field source"
        " --min-support 3 --templates none --no-templates"
        " --paragraphs line --bands 8 --rows 5 --temp-dir . --quiet"
    )
    assert main(["scan", "in.jsonl", "-o", "results", *options.split()]) == 0
    config = dedup.open_scan("results").manifest["config"]
    assert config == {
        "source": {
            "id_field": "id",
            "text_field": "text",
            "date_field": "date",
            "source_field": "source",
            "url_field": "source",
            "on_error": "skip",
            "max_article_bytes": "16MiB",
        },
        "fingerprint": {"paragraphs": "line", "min_tokens": 8, "bands": 8, "rows": 5},
        "match": {**Config().to_dict()["match"], "threshold": 0.9, "exact": True},
        "score": Config().to_dict()["score"],
        "formulas": {"min_support": 3, "templates": False, "packs": ["none"]},
        "granularity": "paragraph",
        "threads": 3,
        "max_memory": "2GB",
        "temp_dir": ".",
    }


def test_the_command_line_wins_over_the_config_file(corpus: Path) -> None:
    Path("c.toml").write_text("threads = 2\n[match]\nthreshold = 0.9\nexact = true\n")
    scan = ["scan", "in.jsonl", "-o", "results", "-q", "--config", "c.toml"]
    assert main([*scan, "--threshold", "0.7"]) == 0
    config = dedup.open_scan("results").manifest["config"]
    assert (config["match"]["threshold"], config["match"]["exact"]) == (0.7, True)
    assert config["threads"] == 2


def test_info_shows_settings_that_differ_and_every_count(
    results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dedup.scan("in.jsonl", "results", threshold=0.9)
    assert main(["info", "results"]) == 0
    shown = capsys.readouterr().out
    assert "Settings that differ from the default\n  match.threshold  0.9 (default 0.8)\n" in shown
    assert "Inputs: 1 file, 419 bytes\n  in.jsonl  419 bytes\n" in shown
    for name in dedup.open_scan("results").manifest["counts"]:
        assert f"  {name.replace('_', ' ')} " in shown


def test_info_as_json_is_the_manifest(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", "results", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == dedup.open_scan("results").manifest


def test_filter_writes_what_is_kept_and_lists_what_is_not(results: Path) -> None:
    done = run(
        *("filter", "results", "in.jsonl", "-o", "out.jsonl", "--max-redundancy", "0.5"),
        *("--keep", "first", "--removed", "removed.jsonl", "--add-scores"),
    )
    assert done.returncode == 0
    assert done.stderr.splitlines()[-1] == (
        "Kept articles are in out.jsonl; the removed are listed in removed.jsonl."
    )
    kept = [json.loads(line) for line in Path("out.jsonl").read_text().splitlines()]
    scores = {"redundancy": 0.0, "internal": 0.0, "copied": 0.0, "formulaic": 0.0}
    assert kept == [{**row, **scores} for row in ROWS[:2]]
    assert json.loads(Path("removed.jsonl").read_text())["article_id"] == "c"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["scan"], 2, "Error: Missing argument 'INPUT...'\nhint: see dedup scan --help\n"),
        (["scam"], 2, "Error: there is no command 'scam'\nhint: did you mean dedup scan?\n"),
        (
            ["scan", "in.jsonl", "-o", "r", "--threshold", "0.2"],
            2,
            "Error: threshold is 0.2, but below 0.5 more words differ than agree\n"
            "hint: use 0.5 or more\n",
        ),
        (
            ["scan", "none.jsonl", "-o", "r"],
            1,
            "Error: there is no file or folder none.jsonl\n"
            "hint: check the name and the folder you are in\n",
        ),
        (
            ["info", "none"],
            1,
            "Error: none is not a results folder\nhint: make one: dedup scan INPUT... -o RESULTS\n",
        ),
        (
            ["filter", "results", "in.jsonl", "-o", "out.jsonl"],
            2,
            "Error: no rule says which articles to keep\n"
            "hint: give --max-redundancy, such as 0.5, or --keep, such as first\n",
        ),
        (
            ["filter", "results", "in.jsonl", "-o", "in.jsonl", "--keep", "first"],
            1,
            "Error: the output in.jsonl would overwrite the input in.jsonl\n"
            "hint: name another place\n",
        ),
    ],
)
def test_an_error_is_a_sentence_and_a_way_out(
    results: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    message: str,
) -> None:
    assert main(arguments) == code
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", message)


@pytest.mark.parametrize(
    ("failure", "code", "message"),
    [
        (MemoryError(), 1, "Error: there is not enough memory\n"),
        (OSError(28, "No space left on device", "/tmp/x"), 1, "Error: cannot use /tmp/x: no space"),
        (KeyboardInterrupt(), 130, "\nInterrupted: nothing was written\n"),
    ],
)
def test_what_the_machine_refuses_is_a_sentence_too(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    failure: BaseException,
    code: int,
    message: str,
) -> None:
    def fail(path: str) -> None:
        raise failure

    monkeypatch.setattr("dedup.results.open_scan", fail)
    assert main(["info", "results"]) == code
    assert capsys.readouterr().err.startswith(message)


def test_a_mistake_of_ours_is_not_hidden(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dedup.results.open_scan", lambda path: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        main(["info", "results"])


@pytest.mark.parametrize("signal_sent", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_scan_leaves_nothing_behind(
    corpus: Path, signal_sent: signal.Signals
) -> None:
    # A background job starts with SIGINT ignored and hands that on; what is caught is not.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    scan = subprocess.Popen(
        command_line("scan", "-", "-o", "results"),
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert scan.stdin is not None
    while not any(name.startswith(".results") for name in os.listdir()):
        time.sleep(0.01)
    scan.send_signal(signal_sent)
    _, shown = scan.communicate(timeout=30)
    assert (scan.returncode, shown) == (128 + signal_sent, "\nInterrupted: nothing was written\n")
    assert os.listdir() == ["in.jsonl"]


def test_a_reader_that_goes_away_is_no_error(results: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        command_line("info", "results"),
        stdout=write,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (1, "")


def test_a_log_file_gets_a_line_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    lines = Lines(every_s=0.02)
    lines.start("read", 100)
    lines.advance(1200, 5_000_000)
    shown, until = "", time.monotonic() + 10
    while "1,200" not in shown and time.monotonic() < until:
        time.sleep(0.01)
        shown += capsys.readouterr().err
    lines.stop()
    assert re.search(r"^\d+\.\d s  Reading: 1,200 articles, 5\.0 MB, [\d,.]+ MB/s$", shown, re.M)


def test_a_terminal_gets_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setattr(sys, "stderr", terminal)
    with progress.follow(quiet=False) as live:
        live.start("read", 10_000_000)
        live.advance(1200, 5_000_000)
        live.start("match")
    shown = terminal.getvalue()
    assert "Matching" in shown


def test_numbers_are_written_as_people_read_them() -> None:
    assert [size(n) for n in (0, 999, 1000, 12_345, 999_999, 5e12)] == [
        *("0 bytes", "999 bytes", "1.0 kB", "12 kB", "1.0 MB", "5.0 TB"),
    ]
    assert [duration(s) for s in (0.04, 59.96, 3599.6, 7322)] == [
        *("0.0 s", "1 min 0 s", "1 h 0 min", "2 h 2 min"),
    ]
    assert [percent(n, 1000) for n in (0, 1, 500, 999, 1000)] == [
        "0%",
        "<1%",
        "50%",
        ">99%",
        "100%",
    ]
