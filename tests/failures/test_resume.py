"""A scan that died continues where it stopped, gives the same bytes, and refuses other inputs."""

from __future__ import annotations

import gzip
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from article_files import COMPRESSIONS, to_csv, to_jsonl, to_parquet, write_articles

import dedup
from dedup import pipeline
from dedup.cli import main
from dedup.errors import InputError, OutputError, ResumeError
from dedup.progress import Silent
from dedup.schemas import TABLES
from dedup.tables import write as writing
from dedup.work import folder as workfolder
from dedup.work import unfinished

KILLS = 60
FILTER_KILLS = 10


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of four formats with articles that copy each other: some 12 MB, three batches."""
    made = tmp_path_factory.mktemp("corpus")
    draw = random.Random(17)
    vocabulary = [f"{draw.choice('bdfgklmnprst')}{draw.choice('aeiou')}{n:x}" for n in range(9000)]
    articles: list[dict[str, Any]] = []
    for number in range(9000):
        text = "\n\n".join(" ".join(draw.choices(vocabulary, k=60)) for _ in range(3))
        if number % 3 == 2:
            text += "\n\n" + articles[draw.randrange(number)]["text"].split("\n\n")[0]
        articles.append({"id": f"a-{number}", "text": text, "source": f"site-{number % 7}"})
    write_articles(made / "a.jsonl", *articles[:2000])
    (made / "b.csv.gz").write_bytes(gzip.compress(to_csv(articles[2000:4000]), 1))
    (made / "c.jsonl.zst").write_bytes(COMPRESSIONS[".zst"](to_jsonl(articles[4000:6000])))
    (made / "d.parquet").write_bytes(to_parquet(articles[6000:]))
    return made


@pytest.fixture(scope="module")
def whole(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results of a scan that nothing interrupted."""
    return dedup.scan(folder, tmp_path_factory.mktemp("whole") / "results").path


def same_bytes(left: Path, right: Path) -> bool:
    return all(
        (left / f"{table}.parquet").read_bytes() == (right / f"{table}.parquet").read_bytes()
        for table in TABLES
    )


def start(inputs: Path, results: Path, *options: str) -> subprocess.Popen[bytes]:
    return call("scan", str(inputs), "-o", str(results), *options)


def call(*arguments: str) -> subprocess.Popen[bytes]:
    script = "import sys; from dedup.cli import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", script, *arguments, "--quiet"]
    return subprocess.Popen(command, stderr=subprocess.PIPE)


def wait_for_journal(process: subprocess.Popen[bytes], results: Path) -> None:
    journal = results.parent / f".{results.name}.unfinished" / unfinished.JOURNAL
    while process.poll() is None and not journal.exists():
        time.sleep(0.005)


def test_a_scan_killed_again_and_again_gives_the_same_bytes(
    folder: Path, whole: Path, tmp_path: Path
) -> None:
    draw = random.Random(23)
    results = tmp_path / "results"
    kills = 0
    while kills < KILLS:
        process = start(folder, results, "--resume", "--threads", str(draw.randint(1, 3)))
        wait_for_journal(process, results)
        try:
            process.wait(draw.uniform(0, 1.5))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            kills += 1
        _, errors = process.communicate()
        if process.returncode == 0:
            assert same_bytes(results, whole)
            assert [path.name for path in tmp_path.iterdir()] == ["results"]
        else:
            assert (process.returncode, errors) == (-signal.SIGKILL, b"")
    last = start(folder, results, "--resume")
    assert (last.communicate()[1], last.returncode) == (b"", 0)
    assert same_bytes(results, whole)


def test_a_filter_killed_again_and_again_gives_the_same_bytes(
    folder: Path, whole: Path, tmp_path: Path
) -> None:
    def filter_to(name: str, share: str) -> subprocess.Popen[bytes]:
        out = str(tmp_path / name)
        options = ["--max-redundancy", share, "--overwrite"]
        return call("filter", str(whole), str(folder), "-o", out, *options)

    wanted = []
    for name, share in (("few", "0.1"), ("all", "1")):
        began = time.monotonic()
        assert filter_to(name, share).communicate()[1] == b""
        usual_s = time.monotonic() - began
        wanted.append(read_files(tmp_path / name))
    draw = random.Random(29)
    kills = 0
    while kills < FILTER_KILLS:
        process = filter_to("few", draw.choice(["0.1", "1"]))
        try:
            process.wait(draw.uniform(0, usual_s))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            kills += 1
        assert process.communicate()[1] == b""
        assert read_files(tmp_path / "few") in wanted
    assert filter_to("few", "0.1").communicate()[1] == b""
    assert read_files(tmp_path / "few") == wanted[0]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["all", "few"]


def read_files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


class StopAt(Silent):
    """Progress that ends a scan as a full disk would."""

    def __init__(self, step: str, batch: int = 1) -> None:
        self.step = step
        self.batch = batch
        self.articles = 0

    def start(self, step: str, total_bytes: int | None = None) -> None:
        if step == self.step:
            raise OutputError("the disk is full", hint="free some space")

    def advance(self, articles: int, text_bytes: int) -> None:
        self.articles += articles
        self.batch -= 1
        if self.step == "batch" and self.batch == 0:
            raise OutputError("the disk is full", hint="free some space")


def interrupt(folder: Path, results: Path, step: str, batch: int = 1, **options: Any) -> None:
    with pytest.raises(OutputError, match="full") as caught:
        dedup.scan(folder, results, progress=StopAt(step, batch), **options)
    assert caught.value.hint is not None
    assert caught.value.hint.endswith("pass --resume to continue from there")


@pytest.mark.parametrize("stop", ["batch 1", "batch 2", "batch 3", "match 0", "score 0", "write 0"])
def test_what_was_done_is_not_done_again(
    folder: Path, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop: str
) -> None:
    step, batch = stop.split()
    interrupt(folder, tmp_path / "results", step, int(batch))
    read = pipeline.read_articles
    texts: list[str] = []

    def count(*arguments: Any, **options: Any) -> Any:
        for made in read(*arguments, **options):
            texts.extend(made.articles["article_id"].to_pylist())
            yield made

    monkeypatch.setattr(pipeline, "read_articles", count)
    dedup.scan(folder, tmp_path / "results", resume=True)
    assert same_bytes(tmp_path / "results", whole)
    articles = pq.read_table(whole / "articles.parquet")["article_id"].to_pylist()
    assert texts == (articles[-len(texts) :] if texts else [])
    assert bool(texts) == (step == "batch")
    assert len(texts) < len(articles)


def fail(*_: Any, **__: Any) -> Any:
    raise OutputError("the disk is full", hint="free some space")


def interrupt_at(owner: Any, name: str, folder: Path, results: Path) -> None:
    """Scan until a function is called for the first time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(owner, name, fail)
        with pytest.raises(OutputError):
            dedup.scan(folder, results)


def test_a_resumed_scan_reports_no_throughput(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    interrupt(folder, tmp_path / "results", "write")
    assert main(["scan", str(folder), "-o", str(tmp_path / "results"), "--resume"]) == 0
    summary = capsys.readouterr().err
    assert " since it was resumed; at most " in summary
    assert "MB/s" not in summary
    assert main(["info", str(tmp_path / "results")]) == 0
    assert " since it was resumed, of which " in capsys.readouterr().out


def test_tables_that_are_whole_are_not_made_again(
    folder: Path, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupt_at(writing, "list_pairs", folder, tmp_path / "results")
    monkeypatch.setattr(pipeline, "find_candidates", fail)
    monkeypatch.setattr(pipeline, "match_verified", fail)
    monkeypatch.setattr(writing, "judge_articles", fail)
    monkeypatch.setattr(writing, "list_members", fail)
    dedup.scan(folder, tmp_path / "results", resume=True)
    assert same_bytes(tmp_path / "results", whole)


@pytest.mark.parametrize("damage", [None, b"PAR1"])
def test_a_table_that_is_not_what_was_written_is_made_again(
    folder: Path, whole: Path, tmp_path: Path, damage: bytes | None
) -> None:
    interrupt(folder, tmp_path / "results", "write")
    table = tmp_path / ".results.unfinished" / workfolder.NEW / "spans.parquet"
    if damage is None:
        table.unlink()
    else:
        table.write_bytes(damage)
    dedup.scan(folder, tmp_path / "results", resume=True)
    assert same_bytes(tmp_path / "results", whole)


def test_a_scan_killed_as_it_cleaned_up_leaves_nothing_in_the_way(
    folder: Path, whole: Path, tmp_path: Path
) -> None:
    interrupt_at(workfolder.WorkFolder, "remove", folder, tmp_path / "results")
    assert same_bytes(tmp_path / "results", whole)
    assert (tmp_path / ".results.unfinished").exists()
    dedup.scan(folder, tmp_path / "results", resume=True)
    assert same_bytes(tmp_path / "results", whole)
    assert [path.name for path in tmp_path.iterdir()] == ["results"]


def test_without_resume_a_scan_begins_anew(folder: Path, whole: Path, tmp_path: Path) -> None:
    interrupt(folder, tmp_path / "results", "match", threshold=0.6)
    dedup.scan(folder, tmp_path / "results")
    assert same_bytes(tmp_path / "results", whole)
    assert [path.name for path in tmp_path.iterdir()] == ["results"]


def test_resume_with_nothing_to_resume_is_a_scan(folder: Path, whole: Path, tmp_path: Path) -> None:
    dedup.scan(folder, tmp_path / "results", resume=True)
    assert same_bytes(tmp_path / "results", whole)


def test_threads_and_memory_may_be_others(folder: Path, whole: Path, tmp_path: Path) -> None:
    interrupt(folder, tmp_path / "results", "match", threads=1)
    dedup.scan(folder, tmp_path / "results", resume=True, threads=3, max_memory="900MB")
    assert same_bytes(tmp_path / "results", whole)


def test_the_spool_of_another_temp_dir_is_found_and_removed(
    folder: Path, whole: Path, tmp_path: Path
) -> None:
    spools = tmp_path / "spools"
    spools.mkdir()
    interrupt(folder, tmp_path / "results", "match", temp_dir=str(spools))
    assert len(list(spools.iterdir())) == 1
    dedup.scan(folder, tmp_path / "results", resume=True, temp_dir=str(spools))
    assert same_bytes(tmp_path / "results", whole)
    assert list(spools.iterdir()) == []


def change_setting(folder: Path) -> dict[str, Any]:
    return {"threshold": 0.7}


def change_packs(folder: Path) -> dict[str, Any]:
    return {"packs": ("none",)}


def change_file(folder: Path) -> dict[str, Any]:
    with open(folder / "b.jsonl", "a") as file:
        file.write('{"text": "one more"}\n')
    return {}


def add_file(folder: Path) -> dict[str, Any]:
    write_articles(folder / "c.jsonl", {"text": "another file"})
    return {}


def remove_file(folder: Path) -> dict[str, Any]:
    (folder / "b.jsonl").unlink()
    return {}


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        (change_setting, "threshold was 0.8 and is 0.7"),
        (change_packs, r"packs was \['news'\] and is \['none'\]"),
        (change_file, r"the input \S*b.jsonl has changed"),
        (add_file, r"the input \S*c.jsonl is new"),
        (remove_file, r"the input \S*b.jsonl is missing"),
    ],
)
def test_what_is_not_the_same_is_refused_by_name(
    tmp_path: Path, change: Callable[[Path], dict[str, Any]], difference: str
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for name in "ab":
        write_articles(folder / f"{name}.jsonl", {"text": "some words " * 40})
    interrupt(folder, tmp_path / "results", "match")
    kept = sorted(path.name for path in (tmp_path / ".results.unfinished").iterdir())
    with pytest.raises(ResumeError, match=difference) as caught:
        dedup.scan(folder, tmp_path / "results", resume=True, **change(folder))
    assert caught.value.hint == "scan from the beginning, without --resume"
    assert sorted(path.name for path in (tmp_path / ".results.unfinished").iterdir()) == kept


def test_a_template_pack_that_says_something_else_is_refused(tmp_path: Path) -> None:
    pack = tmp_path / "press.toml"
    text = 'format = 1\nname = "press"\n[en]\nopeners = ["Reports {} that <*>"]\n'
    pack.write_text(text.format("indicate"))
    file = write_articles(tmp_path / "a.jsonl", {"text": "some words " * 40})
    interrupt(file, tmp_path / "results", "match", packs=(str(pack),))
    pack.write_text(text.format("suggest"))
    with pytest.raises(ResumeError, match="the template pack press was"):
        dedup.scan(file, tmp_path / "results", resume=True, packs=(str(pack),))


@pytest.mark.parametrize("damage", [b"", b"other bytes" * 100])
def test_a_spool_that_is_not_what_was_written_is_refused(tmp_path: Path, damage: bytes) -> None:
    file = write_articles(tmp_path / "a.jsonl", {"text": "some words " * 40})
    interrupt(file, tmp_path / "results", "match")
    spool = tmp_path / ".results.unfinished" / unfinished.SPOOL
    spool.write_bytes(damage and damage.ljust(spool.stat().st_size, b" "))
    with pytest.raises(ResumeError, match="temporary file"):
        dedup.scan(file, tmp_path / "results", resume=True)


def test_half_a_line_of_a_journal_is_none(tmp_path: Path) -> None:
    file = write_articles(tmp_path / "a.jsonl", {"text": "some words " * 40})
    interrupt(file, tmp_path / "results", "match")
    with open(tmp_path / ".results.unfinished" / unfinished.JOURNAL, "ab") as journal:
        journal.write(b'{"step": "candid')
    dedup.scan(file, tmp_path / "results", resume=True)
    assert dedup.open_scan(tmp_path / "results").articles.count_rows() == 1


def test_standard_input_cannot_be_resumed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scan", "-", "-o", "results", "--resume"]) == 2
    assert "Error: - cannot be" in capsys.readouterr().err


def test_two_scans_do_not_work_in_the_same_place(folder: Path, tmp_path: Path) -> None:
    first = start(folder, tmp_path / "results")
    wait_for_journal(first, tmp_path / "results")
    try:
        with pytest.raises(OutputError, match="another scan is at work"):
            dedup.scan(folder, tmp_path / "results")
    finally:
        first.kill()
        first.communicate()


class DuringReading(Silent):
    """Progress that changes something when the first batch was read."""

    def __init__(self, change: Callable[[], object]) -> None:
        self.change = change

    def advance(self, articles: int, text_bytes: int) -> None:
        self.change()


def test_a_file_that_grows_is_refused(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_bytes((folder / "a.jsonl").read_bytes() * 3)

    def grow() -> None:
        with open(file, "a") as more:
            more.write(json.dumps({"text": "late news"}) + "\n")

    with pytest.raises(InputError, match=r"a\.jsonl changed while it was read"):
        dedup.scan(file, tmp_path / "results", progress=DuringReading(grow))
    assert not (tmp_path / "results").exists()


def test_a_file_that_vanishes_is_named_and_what_was_read_is_kept(
    folder: Path, whole: Path, tmp_path: Path
) -> None:
    inputs = tmp_path / "in"
    inputs.mkdir()
    for path in folder.iterdir():
        os.link(path, inputs / path.name)
    gone = inputs / "d.parquet"

    def vanish() -> None:
        gone.unlink(missing_ok=True)

    with pytest.raises(InputError, match=r"cannot read .*d\.parquet: No such file") as caught:
        dedup.scan(inputs, tmp_path / "results", progress=DuringReading(vanish))
    assert "--resume" in str(caught.value.hint)
    os.link(folder / gone.name, gone)
    result = dedup.scan(inputs, tmp_path / "results", resume=True)
    assert result.articles.count_rows() == pq.read_metadata(whole / "articles.parquet").num_rows
