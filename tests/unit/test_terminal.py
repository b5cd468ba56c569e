"""What reaches the terminal when names and texts try to control it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dedup.cli import main
from dedup.util.printable import printable

EVIL = "\x1b]0;title\x07\x1b[2J\x1b[31mred\x1b[0m\u202e\x9b31m\rX\nError: forged\u2028\u200b"
FILE = "in\x1b[2J\x1b]0;title\x07\u202e\x9b31m\r\n.jsonl"
CREW = ["mayor", "priest", "teacher", "farmer", "baker", "pilot", "miner"]
OWN_STYLES = re.compile(r"\x1b\[[0-9;]*m")

COMMANDS = {
    "scan": ["scan", FILE, "-o", "results"],
    "resume": ["scan", FILE, "-o", "results", "--resume"],
    "info": ["info", "results"],
    "info as JSON": ["info", "results", "--json"],
    "templates": ["templates", "list", "results"],
    "templates learn": ["templates", "learn", "results", "-o", f"pack{EVIL}.toml".replace("/", "")],
    "sample": [
        *("filter", "results", FILE, "-o", "out.jsonl", "--max-redundancy", "0.1"),
        *("--dry-run", "--sample", "5"),
    ],
    "brake": [
        *("filter", "results", FILE, "-o", "out.jsonl", "--max-redundancy", "0"),
        *("--max-removed", "0.01"),
    ],
    "filter": [
        *("filter", "results", FILE, "-o", f"o{EVIL}.jsonl", "--max-redundancy", "0"),
        *("--max-removed", "1", "--removed", f"r{EVIL}.jsonl"),
    ],
    "bad row": ["scan", f"bad{FILE}", "-o", "other"],
    "bad rows": ["scan", f"bad{FILE}", "-o", "other", "--on-error", "skip"],
    "fields": ["scan", "fields.jsonl", "-o", "other"],
    "fields of CSV": ["scan", "fields.csv", "-o", "other"],
    "pack": ["scan", FILE, "-o", "other", "--templates", "pack.toml"],
    "no pack": ["scan", FILE, "-o", "other", "--templates", EVIL],
    "config": ["scan", FILE, "-o", "other", "--config", "config.toml"],
    "no config": ["scan", FILE, "-o", "other", "--config", EVIL],
    "no input": ["scan", EVIL, "-o", "other"],
    "no match": ["scan", f"{EVIL}*", "-o", "other"],
    "output": ["scan", FILE, "-o", f"other{EVIL}"],
    "no results": ["info", EVIL],
    "no command": [EVIL],
    "no option": ["scan", f"--{EVIL}"],
    "bad choice": ["scan", FILE, "-o", "other", "--granularity", EVIL],
    "bad number": ["scan", FILE, "-o", "other", "--threads", EVIL],
    "bad memory": ["scan", FILE, "-o", "other", "--max-memory", EVIL],
    "bad removed": [
        *("filter", "results", FILE, "-o", "o.jsonl", "--keep", "first", "--removed", EVIL)
    ],
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make files that try, and scan the first of them."""
    place = tmp_path_factory.mktemp("hostile")
    rows = [
        {
            "id": f"{number}{EVIL}",
            "source": f"source{EVIL}",
            "date": "2020-01-01",
            "text": f"Reports {EVIL} say that {CREW[number % 7]} {CREW[number * 3 % 7]} left in May"
            f" of {number}. And {EVIL} the words of this paragraph are the same in all of them.\n\n"
            "The quick brown fox jumps over the lazy dog and runs away into the dark wood by night",
        }
        for number in range(24)
    ]
    (place / FILE).write_text("".join(json.dumps(row) + "\n" for row in rows))
    (place / f"bad{FILE}").write_text('{"id": 1, "text": "a"}\nnot json\n')
    (place / "fields.jsonl").write_text(json.dumps({EVIL: "x"}) + "\n")
    (place / "fields.csv").write_text("ti\x1b[2J\x9b\u202etle,b\nx,y\n")
    (place / "pack.toml").write_text(
        f"format = 1\nname = {json.dumps(EVIL)}\n[en]\nopeners = [{json.dumps(EVIL + '<*> <*>')}]\n"
    )
    (place / "config.toml").write_text(f"{json.dumps(EVIL)} = 1\n")
    assert run(place, *COMMANDS["scan"])[0] == 0
    return place


def command_line(*arguments: str) -> list[str]:
    return [sys.executable, "-c", "import dedup.cli; dedup.cli.main_and_exit()", *arguments]


def run(place: Path, *arguments: str) -> tuple[int, str]:
    done = subprocess.run(
        command_line(*arguments), capture_output=True, check=False, timeout=120, cwd=place
    )
    return done.returncode, done.stdout.decode() + done.stderr.decode()


def run_on_a_terminal(place: Path, *arguments: str) -> tuple[int, str]:
    ours, theirs = os.openpty()
    with subprocess.Popen(
        command_line(*arguments),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=place,
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "80"},
    ) as process:
        os.close(theirs)
        shown = b""
        while True:
            try:
                part = os.read(ours, 1 << 16)
            except OSError:  # how Linux says that the other end was closed
                break
            if not part:
                break
            shown += part
    os.close(ours)
    return process.returncode, shown.decode()


@pytest.mark.parametrize("name", COMMANDS)
def test_no_text_from_data_controls_what_is_printed(
    place: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], name: str
) -> None:
    monkeypatch.chdir(place)
    assert main(COMMANDS[name]) in (0, 1, 2)
    shown = "".join(capfd.readouterr())
    assert shown == "" or shown.endswith("\n")
    for line in shown.splitlines():
        assert line == printable(line)
    assert "\nError: forged" not in shown


@pytest.mark.parametrize("run", [run, run_on_a_terminal])
def test_an_error_is_two_lines_whatever_it_quotes(
    place: Path, run: Callable[..., tuple[int, str]]
) -> None:
    code, shown = run(place, "scan", EVIL, "-o", "other")
    assert code == 1
    assert shown.splitlines() == [
        r"Error: no file matches " + printable(EVIL),
        "hint: check the pattern and the folder you are in",
    ]


@pytest.mark.parametrize("name", ["scan", "info", "templates", "sample", "brake", "bad row"])
def test_a_terminal_gets_no_escapes_but_our_own(place: Path, name: str) -> None:
    _, shown = run_on_a_terminal(place, *COMMANDS[name])
    for part in ("\x1b]", "\x1b[2J", "\x1b[31m", "\x07", "\x9b", "\u202e", "\u200b", "\u2028"):
        assert part not in shown
    assert "\nError: forged" not in shown


def test_a_suggested_command_with_a_hostile_name_can_be_run(place: Path) -> None:
    _, shown = run(place, *COMMANDS["scan"])
    command = shown.splitlines()[-1].strip()
    assert command == printable(command)
    given = command.removeprefix("dedup filter results ").partition(" -o ")[0]
    done = subprocess.run(
        ["bash", "-c", f"printf %s {given}"], capture_output=True, check=True, timeout=60
    )
    assert done.stdout == FILE.encode()


def test_info_as_json_is_read_as_it_was(place: Path) -> None:
    code, shown = run(place, "info", "results", "--json")
    assert code == 0
    assert json.loads(shown)["inputs"][0]["path"] == FILE


def test_what_an_output_stream_cannot_encode_is_escaped(place: Path) -> None:
    (place / "東京.jsonl").write_text('{"text": "x"}\n')
    assert run(place, "scan", "東京.jsonl", "-o", "foreign")[0] == 0
    done = subprocess.run(
        command_line("info", "foreign"),
        capture_output=True,
        check=False,
        timeout=120,
        cwd=place,
        env={**os.environ, "PYTHONIOENCODING": "latin-1"},
    )
    assert done.returncode == 0
    assert rb"\u6771\u4eac.jsonl" in done.stdout
