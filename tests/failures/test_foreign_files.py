"""Whatever commands run, wherever their output goes: nothing that somebody else made changes.

A state machine puts files, folders and links of a user anywhere, also where dedup works, and runs
commands that succeed, fail or are killed.
"""

from __future__ import annotations

import atexit
import json
import os
import shutil
import stat
import tempfile
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from article_files import write_articles
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

import dedup
from dedup import pipeline
from dedup.errors import DedupError, OutputError
from dedup.packs import learn_pack, write_pack
from dedup.work.folder import MARK, WorkFolder

TEXT = "The harbour reopened on Monday after a barge ran aground in the channel"
STEPS = ["never"] * 6 + ["read", "match", "score", "write", "filter", "publish"]

PLACES = ["res", "out", "out.jsonl", "deep/out", "link", "link.jsonl", "in", "in/a.jsonl", "tmp"]
WORK = [
    f".{name}.unfinished{kind}" for name in ("res", "out", "out.jsonl") for kind in ("", "-filter")
]
INSIDE = ["notes.txt", "manifest.json", "articles.parquet", "a.jsonl", MARK, "spool", "new", "old"]
INSIDE += ["journal.jsonl", "new/a.jsonl", "new/manifest.json", "new/spans.parquet", "old/x"]

places = st.sampled_from([*["res", "out"] * 5, *PLACES])
outputs = st.builds(str.format, st.sampled_from(["{}", "./{}", "in/../{}", "{}/", "{}/."]), places)
# Mostly where the commands go, or nothing would ever happen.
folders = st.sampled_from([*["res", "out", ".res.unfinished"] * 4, *PLACES, *WORK])
anywhere = st.one_of(st.builds("{}/{}".format, folders, st.sampled_from(INSIDE)), folders)
contents = st.sampled_from([b"", b"mine", b'{"format_version": 1}', b'{"format": "dedup results"}'])


class Killed(BaseException):
    """The process ended here, and nothing could be cleaned up."""


class Command:
    """Runs a command that may be ended at one of its steps, by a failure or a kill."""

    def __init__(self, step: str, end: type[BaseException]) -> None:
        self.step = step
        self.end = end

    def run(self, call: Callable[[pipeline.Progress], object]) -> None:
        with pytest.MonkeyPatch.context() as patch:
            if self.end is Killed:
                patch.setattr(WorkFolder, "remove", WorkFolder.close)
            if self.step == "publish":
                patch.setattr(WorkFolder, "publish", lambda _: self.fail())
            with suppress(DedupError, Killed):
                call(self)

    def fail(self) -> None:
        raise self.end("the disk is full")

    def start(self, step: str, total_bytes: int | None = None) -> None:
        if step == self.step:
            self.fail()

    def advance(self, articles: int, text_bytes: int) -> None:
        pass


commands = st.builds(Command, st.sampled_from(STEPS), st.sampled_from([OutputError, Killed]))


@cache
def make_scanned() -> Path:
    """Make inputs and the results of a scan, once for all runs."""
    root = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, root)
    for folder in ("in", "tmp", "source"):
        (root / folder).mkdir()
    for path in ("in/a.jsonl", "source/a.jsonl", "source/b.jsonl"):
        write_articles(root / path, {"id": path, "text": TEXT})
    dedup.scan(root / "source", root / "results", templates=False)
    return root


class ForeignFiles(RuleBasedStateMachine):
    """Knows every path that is the user's, and what it must still be."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp())
        self.theirs: dict[Path, tuple[int, bytes]] = {}

    def teardown(self) -> None:
        shutil.rmtree(self.root)

    def at(self, name: str) -> Path:
        return self.root / name

    def keep(self, path: Path) -> None:
        """Remember a path of the user's, and the folders above it that are."""
        for each in (path, *path.parents):
            if each == self.root:
                break
            self.theirs.setdefault(each, look_at(each))

    def make_parents(self, path: Path) -> bool:
        """Make the folders above a path as the user; False if it cannot be made."""
        if os.path.lexists(path) or self.is_reserved(path):
            return False
        missing = [each for each in path.parents if not os.path.lexists(each)]
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError:
            return False
        for each in missing:
            self.keep(each)
        return True

    def note(self, path: Path) -> None:
        """Remember what the user made, and what is now in folders where dedup would work."""
        self.theirs[path] = look_at(path)
        for each in self.theirs:
            if each.name in WORK:
                self.theirs[each] = look_at(each)

    def is_reserved(self, path: Path) -> bool:
        """Whether a killed command said that it would make this file: nobody could tell them."""
        for work in path.parents:
            mark = work / MARK
            with suppress(OSError, ValueError, KeyError):
                if str(path.relative_to(work)) in json.loads(mark.read_text())["files"]:
                    return True
        return False

    @initialize()
    def write_inputs(self) -> None:
        shutil.copytree(make_scanned(), self.root, dirs_exist_ok=True)
        shutil.copytree(self.root / "results", self.root / "res")
        for path in ("tmp", "in/a.jsonl", "source/a.jsonl", "source/b.jsonl"):
            self.keep(self.root / path)

    # The user

    @rule(name=anywhere, content=contents)
    def put_file(self, name: str, content: bytes) -> None:
        path = self.at(name)
        if self.make_parents(path):
            path.write_bytes(content)
            self.note(path)

    @rule(name=anywhere, mode=st.sampled_from([0o700, 0o755, 0o770]))
    def put_folder(self, name: str, mode: int) -> None:
        path = self.at(name)
        is_like_ours = name in WORK and mode == 0o700  # empty, and what a killed command leaves
        if not is_like_ours and self.make_parents(path):
            path.mkdir()
            path.chmod(mode)
            self.note(path)

    @rule(name=anywhere, leads_to=st.sampled_from([*PLACES, *WORK, "nowhere"]))
    def put_link(self, name: str, leads_to: str) -> None:
        path = self.at(name)
        if self.make_parents(path):
            path.symlink_to(self.at(leads_to))
            self.note(path)

    @rule(name=anywhere, other=st.sampled_from(["in/a.jsonl", "source/b.jsonl"]))
    def put_hard_link(self, name: str, other: str) -> None:
        path = self.at(name)
        if self.make_parents(path):
            os.link(self.at(other), path)
            self.note(path)

    @rule(name=places)
    def remove(self, name: str) -> None:
        """Remove an output, with all that the user has in it, or something of the user's own."""
        path = self.at(name)
        if name in ("in", "in/a.jsonl", "tmp"):
            return
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
        self.theirs = {each: was for each, was in self.theirs.items() if os.path.lexists(each)}

    # The commands

    @rule(
        inputs=st.sampled_from([*["source"] * 5, "source/a.jsonl", "in", "in/a.jsonl", "res"]),
        output=outputs,
        temp_dir=st.sampled_from([None, None, "tmp", "res"]),
        resume=st.booleans(),
        command=commands,
    )
    def scan(self, inputs: str, output: str, command: Command, **options: Any) -> None:
        if options["temp_dir"]:
            options["temp_dir"] = str(self.at(options["temp_dir"]))
        target = f"{self.root}/{output}"
        before = finished_at(target)
        command.run(
            lambda progress: dedup.scan(
                self.at(inputs), target, templates=False, progress=progress, **options
            )
        )
        assert before is None or finished_at(target) is not None

    @rule(
        inputs=st.sampled_from([*["source", "source/a.jsonl"] * 3, "in/a.jsonl"]),
        results=st.sampled_from(["results", "results", "results", "res"]),
        output=outputs,
        removed=st.sampled_from([None, "out.jsonl", "res/a.jsonl", "source/b.jsonl", "link.jsonl"]),
        command=commands,
    )
    def filter(
        self, inputs: str, results: str, output: str, command: Command, removed: str | None
    ) -> None:
        command.run(
            lambda progress: dedup.filter_articles(
                self.at(results),
                self.at(inputs),
                f"{self.root}/{output}",
                max_redundancy=0.5,
                removed=self.at(removed) if removed else None,
                progress=progress,
            )
        )

    @rule(results=st.sampled_from(["results", "res"]), name=places, command=commands)
    def learn(self, results: str, name: str, command: Command) -> None:
        def write(_: pipeline.Progress) -> None:
            scan = dedup.open_scan(self.at(results))
            write_pack(learn_pack(scan, "press"), self.at(name), results=scan.path)

        command.run(write)

    # What must be so

    @invariant()
    def nothing_of_the_user_has_changed(self) -> None:
        assert {path: look_at(path) for path in self.theirs} == self.theirs


def look_at(path: Path) -> tuple[int, bytes]:
    """Return type, mode and content; of a folder where dedup would work the names in it."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return 0, b""
    if stat.S_ISLNK(mode):
        return mode, os.fsencode(os.readlink(path))
    if stat.S_ISDIR(mode) and path.name in WORK:
        return mode, repr(sorted(os.listdir(path))).encode()
    return mode, path.read_bytes() if stat.S_ISREG(mode) else b""


def finished_at(path: str) -> str | None:
    """Return when the result at a place was finished, if there is one."""
    try:
        finished: str = dedup.open_scan(path).manifest["finished"]
    except (DedupError, OSError, KeyError):
        return None
    return finished


TestForeignFiles = ForeignFiles.TestCase
TestForeignFiles.settings = settings(
    max_examples=60,
    stateful_step_count=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
