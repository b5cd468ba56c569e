"""Output goes only where nothing of anybody else is, and work is done where nobody else can go."""

from __future__ import annotations

import errno
import json
import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from article_files import write_articles

import dedup
from dedup import pipeline
from dedup.errors import ConfigError, DedupError, NativeError, OutputError
from dedup.outputs import Output
from dedup.packs import Pack, write_pack
from dedup.progress import Silent
from dedup.work import folder as workfolder
from dedup.work.folder import MARK, NEW, OLD, WorkFolder

TEXT = "The harbour reopened on Monday after a barge ran aground in the channel"
OTHER = "Council members will vote on the new library budget at a meeting in March"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_articles(tmp_path / "in.jsonl", {"id": "a", "text": TEXT}, {"text": OTHER})


def scan(inputs: Path, results: Path | str, **options: Any) -> dedup.Scan:
    return dedup.scan(inputs, results, templates=False, **options)


def refuse_scan(inputs: Path, results: Path | str, match: str, **options: Any) -> None:
    """Expect a refusal before anything is read, and that nothing at all has changed."""

    def fail(*_: object) -> None:
        raise AssertionError("the inputs were read")

    root = inputs.parent
    before = snapshot(root)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pipeline, "read_articles", fail)
        with pytest.raises(DedupError, match=match) as caught:
            scan(inputs, results, **options)
    assert "\n" not in str(caught.value)
    assert caught.value.hint
    assert snapshot(root) == before


def snapshot(root: Path) -> dict[str, tuple[int, bytes]]:
    """Return mode and content of everything below a folder."""
    return {str(path): look_at(path) for path in sorted(root.rglob("*"))}


def look_at(path: Path) -> tuple[int, bytes]:
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        return mode, os.fsencode(os.readlink(path))
    return mode, path.read_bytes() if stat.S_ISREG(mode) else b""


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def names(folder: Path) -> list[str]:
    return sorted(os.listdir(folder))


# What may be replaced


def add_notes(results: Path) -> None:
    (results / "notes.txt").write_text("mine")


def add_repository(results: Path) -> None:
    (results / ".git").mkdir()
    (results / ".git" / "HEAD").write_text("ref")


def add_empty_folder(results: Path) -> None:
    (results / "drafts").mkdir()


def link_table(results: Path) -> None:
    (results / "spans.parquet").rename(results.parent / "kept.parquet")
    (results / "spans.parquet").symlink_to(results.parent / "kept.parquet")


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (add_notes, "notes.txt"),
        (add_repository, ".git"),
        (add_empty_folder, "drafts"),
        (link_table, "spans.parquet"),
    ],
)
def test_an_older_result_with_anything_else_in_it_is_refused_by_name(
    source: Path, tmp_path: Path, change: Callable[[Path], None], name: str
) -> None:
    scan(source, tmp_path / "results")
    change(tmp_path / "results")
    refuse_scan(source, tmp_path / "results", f"results holds {name}, which dedup")


@pytest.mark.parametrize(
    "manifest",
    [
        '{"manifest_version": 3, "name": "a web extension"}',
        '{"format_version": 1, "format": "another"}',
        '{"format": "dedup results"}',
        "[]",
        "[" * 100_000,
        "",
    ],
)
def test_a_manifest_of_somebody_else_makes_no_result(
    source: Path, tmp_path: Path, manifest: str
) -> None:
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "manifest.json").write_text(manifest)
    refuse_scan(source, tmp_path / "results", "is not a results folder")


def test_an_older_result_is_replaced_and_its_mode_stays(source: Path, tmp_path: Path) -> None:
    before = scan(source, tmp_path / "results").manifest
    (tmp_path / "results").chmod(0o700)
    after = scan(source, tmp_path / "results", threshold=0.9).manifest
    assert dedup.open_scan(tmp_path / "results").manifest == after != before
    assert mode_of(tmp_path / "results") == 0o700
    assert names(tmp_path) == ["in.jsonl", "results"]


def test_an_input_inside_the_output_is_named(source: Path, tmp_path: Path) -> None:
    scan(source, tmp_path / "results")
    (tmp_path / "link").symlink_to(tmp_path / "results")
    source.rename(tmp_path / "results" / "in.jsonl")
    refuse_scan(tmp_path / "link" / "in.jsonl", tmp_path / "results", r"the input .*in\.jsonl")
    refuse_scan(tmp_path / "results" / "in.jsonl", tmp_path / "link", r"the input .*in\.jsonl")
    table = tmp_path / "results" / "articles.parquet"
    refuse_scan(table, tmp_path / "results", r"articles\.parquet", text_field="article_id")


def test_a_link_to_a_folder_stays_and_the_results_are_where_it_leads(
    source: Path, tmp_path: Path
) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "results").symlink_to("disk")
    for _ in range(2):  # an empty folder, an older result
        result = scan(source, tmp_path / "results")
        assert result.path == tmp_path / "results"
        assert os.readlink(tmp_path / "results") == "disk"
        assert dedup.open_scan(tmp_path / "disk").manifest == result.manifest
        assert names(tmp_path) == ["disk", "in.jsonl", "results"]


def test_a_place_that_cannot_be_taken_is_refused_before_anything_is_read(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "link").symlink_to("nowhere")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    refuse_scan(source, "", "output is '', which is not a path")
    refuse_scan(source, ".", "the current folder")
    refuse_scan(source, "..", "the input")
    refuse_scan(source, "/", "the input")
    refuse_scan(source, tmp_path / "link", "a link that leads nowhere")
    refuse_scan(source, source / "results", "is a file, not a folder")
    refuse_scan(source, tmp_path / ("x" * 250), "its name is too long")
    refuse_scan(source, os.fsdecode(b"\xff"), r"name \\xff is not valid UTF-8")
    refuse_scan(source, "nul\0", "which is not a path")
    refuse_scan(source, os.devnull, "is a file")
    (tmp_path / "results").mkdir()
    refuse_scan(source, tmp_path / "results", "in the results", temp_dir=str(tmp_path / "results"))


def test_what_comes_into_an_older_result_during_a_scan_is_kept(
    source: Path, tmp_path: Path
) -> None:
    before = scan(source, tmp_path / "results").manifest

    class Interfere(Silent):
        def start(self, step: str, total_bytes: int | None = None) -> None:
            if step == "write":
                add_notes(tmp_path / "results")

    with pytest.raises(OutputError, match=r"holds notes\.txt"):
        scan(source, tmp_path / "results", progress=Interfere())
    assert (tmp_path / "results" / "notes.txt").read_text() == "mine"
    assert dedup.open_scan(tmp_path / "results").manifest == before


def test_what_comes_in_at_the_last_moment_is_kept(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = scan(source, tmp_path / "results").manifest
    exchange = workfolder._native.exchange_names
    calls = []

    def interfere(*arguments: Any) -> None:
        if not calls:
            add_notes(tmp_path / "results")
        calls.append(arguments)
        exchange(*arguments)

    monkeypatch.setattr("dedup._native.exchange_names", interfere)
    with pytest.raises(OutputError, match=r"holds notes\.txt"):
        scan(source, tmp_path / "results")
    assert len(calls) == 2
    assert (tmp_path / "results" / "notes.txt").read_text() == "mine"
    assert dedup.open_scan(tmp_path / "results").manifest == before


# Files


def write_filtered(folder: Path, **options: Any) -> None:
    results, source = folder / "results", folder / "in.jsonl"
    dedup.filter_articles(results, source, folder / "out.jsonl", keep="first", **options)


def write_list(folder: Path, **options: Any) -> None:
    results, source = folder / "results", folder / "in.jsonl"
    kept, removed = folder / "kept.jsonl", folder / "out.jsonl"
    kept.unlink(missing_ok=True)
    dedup.filter_articles(results, source, kept, keep="first", removed=removed, **options)


def write_learned(folder: Path, **options: Any) -> None:
    write_pack(Pack("press", "", ()), folder / "out.jsonl", **options)


WRITERS = [write_filtered, write_list, write_learned]


@pytest.mark.parametrize("write", WRITERS)
def test_a_file_that_exists_is_replaced_only_if_asked(
    source: Path, tmp_path: Path, write: Callable[..., None]
) -> None:
    scan(source, tmp_path / "results")
    out = tmp_path / "out.jsonl"
    out.write_text("mine")
    before = snapshot(tmp_path)
    with pytest.raises(OutputError, match=r"out\.jsonl already exists") as caught:
        write(tmp_path)
    assert "--overwrite" in str(caught.value.hint)
    assert snapshot(tmp_path) == before
    write(tmp_path, overwrite=True)
    assert out.read_text() != "mine"
    assert [name for name in names(tmp_path) if "unfinished" in name] == []


@pytest.mark.parametrize("write", WRITERS)
def test_a_file_that_appears_at_the_last_moment_is_kept(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Callable[..., None]
) -> None:
    scan(source, tmp_path / "results")
    rename = workfolder._native.rename_new

    def interfere(inside: int, name: str, beside: int, other: str) -> None:
        (tmp_path / other).write_text("mine")
        rename(inside, name, beside, other)

    monkeypatch.setattr("dedup._native.rename_new", interfere)
    with pytest.raises(OutputError, match=r"cannot write .*\.jsonl: File exists$"):
        write(tmp_path)
    assert (tmp_path / "out.jsonl").read_text() == "mine"
    assert [name for name in names(tmp_path) if "unfinished" in name] == []


@pytest.mark.parametrize("kind", ["folder", "pipe"])
def test_only_regular_files_are_replaced(source: Path, tmp_path: Path, kind: str) -> None:
    out = tmp_path / "out"
    (out.mkdir if kind == "folder" else lambda: os.mkfifo(out))()
    with pytest.raises(OutputError, match="will not be replaced"):
        write_pack(Pack("press", "", ()), out, overwrite=True)
    assert names(tmp_path) == ["in.jsonl", "out"]


def test_an_input_or_a_result_is_not_replaced_even_if_asked(source: Path, tmp_path: Path) -> None:
    scan(source, tmp_path / "results")
    os.link(source, tmp_path / "same.jsonl")
    (tmp_path / "link").symlink_to("results")
    before = snapshot(tmp_path)
    for out in ("in.jsonl", "same.jsonl", "link/articles.jsonl", "results/articles.parquet"):
        for option in ("output", "removed"):
            places = {"output": tmp_path / "new.jsonl", option: tmp_path / out}
            with pytest.raises(DedupError, match=r"overwrit|written into|is to be parquet"):
                dedup.filter_articles(
                    tmp_path / "results", source, keep="first", overwrite=True, **places
                )
    with pytest.raises(OutputError, match="written into the results folder"):
        write_pack(
            Pack("press", "", ()),
            tmp_path / "link" / "articles.parquet",
            overwrite=True,
            results=tmp_path / "results",
        )
    assert snapshot(tmp_path) == before


def test_a_folder_of_filtered_files_is_replaced_only_if_asked_and_nothing_else_is_in_it(
    source: Path, tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    source.rename(tmp_path / "in" / "a.jsonl")
    scan(tmp_path / "in", tmp_path / "results")
    out = tmp_path / "out"
    out.mkdir()
    (out / "a.jsonl").write_text("mine")

    def run(**options: Any) -> None:
        dedup.filter_articles(
            tmp_path / "results", tmp_path / "in", out, max_redundancy=1, **options
        )

    with pytest.raises(OutputError, match="already exists and is not empty"):
        run()
    (out / "notes.txt").write_text("mine too")
    with pytest.raises(OutputError, match=r"holds notes\.txt"):
        run(overwrite=True)
    assert (out / "a.jsonl").read_text() == "mine"
    (out / "notes.txt").unlink()
    run(dry_run=True)
    assert (out / "a.jsonl").read_text() == "mine"
    run(overwrite=True)
    assert (out / "a.jsonl").read_bytes() == (tmp_path / "in" / "a.jsonl").read_bytes()
    assert names(tmp_path) == ["in", "out", "results"]


@pytest.mark.parametrize("suffix", ["", ".gz", ".xz"])
def test_a_filtered_file_has_the_mode_of_its_input(
    source: Path, tmp_path: Path, suffix: str
) -> None:
    source.chmod(0o640)
    scan(source, tmp_path / "results")
    out = tmp_path / f"out.jsonl{suffix}"
    dedup.filter_articles(tmp_path / "results", source, out, keep="first")
    assert mode_of(out) == 0o640


# Where work is done


def test_nobody_else_can_look_into_a_scan_at_work(source: Path, tmp_path: Path) -> None:
    spools = tmp_path / "spools"
    spools.mkdir()
    seen: dict[str, int] = {}

    class Look(Silent):
        def start(self, step: str, total_bytes: int | None = None) -> None:
            work = tmp_path / ".results.unfinished"
            for path in [work, work / "journal.jsonl", work / MARK, *spools.iterdir()]:
                seen[path.name] = mode_of(path)

    scan(source, tmp_path / "results", progress=Look(), temp_dir=str(spools))
    assert seen.pop(".results.unfinished") == 0o700
    assert len(seen) == 3
    assert set(seen.values()) == {0o600}


def link_folder(work: Path, victim: Path) -> None:
    work.symlink_to(victim)


def use_folder(work: Path, victim: Path) -> None:
    victim.rename(work)


def use_file(work: Path, victim: Path) -> None:
    work.write_text("mine")


def link_file(name: str) -> Callable[[Path, Path], None]:
    def put(work: Path, victim: Path) -> None:
        work.mkdir()
        (work / name).parent.mkdir(exist_ok=True)
        (work / name).symlink_to(victim / "precious")

    return put


def put_empty(work: Path, victim: Path) -> None:
    work.mkdir(mode=0o755)


def forge_mark(mark: str) -> Callable[[Path, Path], None]:
    def put(work: Path, victim: Path) -> None:
        victim.rename(work)
        (work / MARK).write_text(mark)

    return put


@pytest.mark.parametrize(
    "put",
    [
        link_folder,
        use_folder,
        use_file,
        put_empty,
        link_file("spool"),
        link_file("journal.jsonl"),
        link_file(MARK),
        link_file(f"{NEW}/articles.parquet"),
        link_file(f"{NEW}/manifest.json"),
        forge_mark(""),
        forge_mark("{}"),
        forge_mark("[" * 100_000),
        forge_mark('{"format": "dedup work folder", "files": [], "spool": null}'),
    ],
)
@pytest.mark.parametrize("suffix", ["", "-filter", "-pack"])
def test_a_hidden_place_that_is_not_ours_is_refused_and_stays(
    source: Path, tmp_path: Path, put: Callable[[Path, Path], None], suffix: str
) -> None:
    results = scan(source, tmp_path / "results")
    victim = tmp_path / "victim"
    (victim / NEW).mkdir(parents=True)
    for name in ("precious", "journal.jsonl", f"{NEW}/precious.txt"):
        (victim / name).write_text("mine")
    put(tmp_path / f".out.unfinished{suffix}", victim)
    before = snapshot(tmp_path)
    write: dict[str, Callable[[Path], object]] = {
        "": lambda out: scan(source, out),
        "-filter": lambda out: dedup.filter_articles(results, source, out, keep="first"),
        "-pack": lambda out: write_pack(Pack("press", "", ()), out),
    }
    with pytest.raises(
        OutputError, match=r"\.out\.unfinished\S* is needed as the work folder, but it "
    ):
        write[suffix](tmp_path / "out")
    assert snapshot(tmp_path) == before


class Killed(BaseException):
    """The process ended here: nothing could be cleaned up."""


def kill_at(step: str) -> Silent:
    class KillAt(Silent):
        def start(self, now: str, total_bytes: int | None = None) -> None:
            if now == step:
                raise Killed

        def advance(self, articles: int, text_bytes: int) -> None:
            if step == "row":
                raise Killed

    return KillAt()


@pytest.fixture
def no_cleaning(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Undo it to let commands clean up again."""
    monkeypatch.setattr(WorkFolder, "remove", WorkFolder.close)
    return monkeypatch


@pytest.mark.parametrize("is_folder", [True, False])
def test_what_a_killed_filter_left_is_removed_by_the_next(
    source: Path, tmp_path: Path, no_cleaning: pytest.MonkeyPatch, is_folder: bool
) -> None:
    scan(source, tmp_path / "results")
    (tmp_path / ".results.unfinished").rename(tmp_path / "other")  # of the scan above
    (tmp_path / "in").mkdir()
    shutil.copy(source, tmp_path / "in" / "in.jsonl")

    def run(**options: Any) -> None:
        dedup.filter_articles(
            tmp_path / "results",
            tmp_path / "in" if is_folder else tmp_path / "in" / "in.jsonl",
            tmp_path / ("out" if is_folder else "out.jsonl"),
            keep="first",
            removed=tmp_path / "removed.jsonl",
            **options,
        )

    with pytest.raises(Killed):
        run(progress=kill_at("row"))
    left = [name for name in names(tmp_path) if name.endswith(".unfinished-filter")]
    assert len(left) == 2
    no_cleaning.undo()
    (tmp_path / left[0] / "notes.txt").write_text("mine")
    with pytest.raises(OutputError, match=r"holds notes\.txt, which dedup did not make"):
        run()
    (tmp_path / left[0] / "notes.txt").unlink()
    run()
    assert [name for name in names(tmp_path) if "unfinished" in name] == []


@pytest.mark.parametrize("link", [os.symlink, os.link])
@pytest.mark.parametrize("name", ["spool", "journal.jsonl", MARK, f"{NEW}/spans.parquet"])
def test_a_link_in_what_a_killed_scan_left_is_refused(
    source: Path,
    tmp_path: Path,
    no_cleaning: pytest.MonkeyPatch,
    link: Callable[[Path, Path], None],
    name: str,
) -> None:
    with pytest.raises(Killed):
        scan(source, tmp_path / "results", progress=kill_at("match"))
    no_cleaning.undo()
    place = tmp_path / ".results.unfinished" / name
    precious = tmp_path / "precious"
    shutil.copy(place, precious) if place.exists() else precious.write_text("mine")
    place.unlink(missing_ok=True)
    link(precious, place)
    for resume in (True, False):
        refuse_scan(source, tmp_path / "results", f"holds {name}, which dedup did", resume=resume)


def test_a_scan_removes_the_temporary_file_that_an_older_one_left_elsewhere(
    source: Path, tmp_path: Path, no_cleaning: pytest.MonkeyPatch
) -> None:
    spools = tmp_path / "spools"
    spools.mkdir()
    with pytest.raises(Killed):
        scan(source, tmp_path / "results", progress=kill_at("match"), temp_dir=str(spools))
    no_cleaning.undo()
    (spools / "dedup-other.spool").write_text("mine")
    assert len(names(spools)) == 2
    scan(source, tmp_path / "results")
    assert names(spools) == ["dedup-other.spool"]


@pytest.mark.parametrize("resume", [False, True])
@pytest.mark.parametrize("name", ["precious.txt", "dedup-notes.spool"])
def test_a_forged_mark_does_not_make_a_scan_touch_a_file_elsewhere(
    source: Path, tmp_path: Path, name: str, resume: bool
) -> None:
    precious = tmp_path / name
    precious.write_text("the only copy")
    work = tmp_path / ".out.unfinished"
    work.mkdir(0o700)
    mark = {"format": "dedup work folder", "version": 1, "files": ["spool"], "spool": str(precious)}
    (work / MARK).write_text(json.dumps(mark))
    (work / MARK).chmod(0o600)
    refuse_scan(source, tmp_path / "out", "did not write", resume=resume)
    assert precious.read_text() == "the only copy"


@pytest.mark.parametrize(
    "call", ["os.mkdir", "os.open", "os.fstat", "fcntl.flock", "os.ftruncate", "os.pwrite"]
)
@pytest.mark.parametrize("number", [1, 2, 3])
def test_an_interrupt_while_the_work_folder_is_made_leaves_nothing(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, number: int
) -> None:
    module, name = call.split(".")
    work_on: Any = getattr(getattr(workfolder, module), name)
    calls = 0

    def interrupted(*arguments: Any, **options: Any) -> Any:
        nonlocal calls
        outcome = work_on(*arguments, **options)
        calls += 1
        if calls == number:
            raise KeyboardInterrupt
        return outcome

    before = snapshot(tmp_path)
    work = WorkFolder(Output(tmp_path / "out"), "scan")
    monkeypatch.setattr(f"{module}.{name}", interrupted)
    try:
        work.__enter__()
    except KeyboardInterrupt:
        assert snapshot(tmp_path) == before
    else:
        work.remove()


def test_a_temporary_file_that_cannot_be_made_leaves_nothing(source: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no/such', and there is no such folder"):
        scan(source, tmp_path / "results", temp_dir=str(tmp_path / "no" / "such"))
    assert names(tmp_path) == ["in.jsonl"]


def test_a_disk_that_is_full_at_once_leaves_nothing(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = os.pwrite
    calls: list[int] = []

    def fill(file: int, data: bytes, at: int) -> int:
        calls.append(at)
        if len(calls) > 1:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(file, data[:10], at)

    monkeypatch.setattr(os, "pwrite", fill)
    with pytest.raises(OutputError, match="No space left on device"):
        scan(source, tmp_path / "results")
    assert len(calls) == 2
    assert names(tmp_path) == ["in.jsonl"]


def test_a_temporary_disk_that_is_full_names_the_way_out(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill(*_: object, **__: object) -> None:
        raise NativeError("cannot use the temporary file: No space left on device (os error 28)")

    monkeypatch.setattr(pipeline, "read_articles", fill)
    with pytest.raises(NativeError, match="No space left on device") as caught:
        scan(source, tmp_path / "results")
    assert "--temp-dir" in str(caught.value.hint)


def test_two_commands_do_not_make_one_output_at_once(tmp_path: Path) -> None:
    output = Output(tmp_path / "out")
    with WorkFolder(output, "filter"), WorkFolder(output, "pack"):
        before = snapshot(tmp_path)
        with pytest.raises(OutputError, match="another filter is at work in"):
            WorkFolder(output, "filter").__enter__()
        assert snapshot(tmp_path) == before
    assert names(tmp_path) == []


# File systems that cannot exchange two names


@pytest.fixture
def no_exchange(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    def refuse(*_: object) -> None:
        raise OSError(errno.EINVAL, "Invalid argument")

    for name in ("exchange_names", "rename_new"):
        monkeypatch.setattr(f"dedup._native.{name}", refuse)
    return monkeypatch


def test_names_that_cannot_be_exchanged_are_moved_in_steps(
    source: Path, tmp_path: Path, no_exchange: pytest.MonkeyPatch
) -> None:
    scan(source, tmp_path / "results")
    after = scan(source, tmp_path / "results", threshold=0.9).manifest
    assert dedup.open_scan(tmp_path / "results").manifest == after
    write_filtered(tmp_path)
    assert names(tmp_path) == ["in.jsonl", "out.jsonl", "results"]


def test_an_older_result_is_moved_back_if_the_new_one_cannot_be_moved_in(
    source: Path, tmp_path: Path, no_exchange: pytest.MonkeyPatch
) -> None:
    before = scan(source, tmp_path / "results").manifest
    rename = os.rename

    def fail_once(name: str, *arguments: Any, **options: Any) -> None:
        if name == NEW:
            raise OSError(errno.EIO, "Input/output error")
        rename(name, *arguments, **options)

    no_exchange.setattr(os, "rename", fail_once)
    with pytest.raises(OutputError, match="Input/output error"):
        scan(source, tmp_path / "results", threshold=0.9)
    assert dedup.open_scan(tmp_path / "results").manifest == before


@pytest.mark.parametrize("resume", [True, False])
def test_an_older_result_is_put_back_after_a_kill_between_the_steps(
    source: Path, tmp_path: Path, no_exchange: pytest.MonkeyPatch, resume: bool
) -> None:
    before = scan(source, tmp_path / "results").manifest
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(WorkFolder, "remove", WorkFolder.close)
        patch.setattr(WorkFolder, "_put_back", lambda _: None)
        patch.setattr(WorkFolder, "_move_in", lambda *_: kill_at("now").start("now"))
        with pytest.raises(Killed):
            scan(source, tmp_path / "results")
    assert not (tmp_path / "results").exists()
    kept = json.loads((tmp_path / ".results.unfinished" / OLD / "manifest.json").read_text())
    assert kept == before
    with pytest.raises(Killed):
        scan(source, tmp_path / "results", progress=kill_at("read"), resume=resume)
    assert dedup.open_scan(tmp_path / "results").manifest == before
