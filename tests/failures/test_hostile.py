"""Broken files, absurd texts, full disks and killed processes: one clear sentence, nothing lost."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import dedup
from dedup.errors import DedupError, InputError, OutputError, RowError
from dedup.progress import Silent

Row = dict[str, Any]
LONG_LINE = 5_000_000  # characters
MANY = 100_000
PLENTY_S = 10  # of CPU time, for what takes about one: quadratic work takes far more
SENTENCE = "The harbour reopened on Monday after a barge ran aground in the channel"


def write(path: Path, *articles: Row) -> Path:
    lines = [json.dumps({"id": f"n{n}", **article}) for n, article in enumerate(articles)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def rows(result: dedup.Scan, table: str) -> list[Row]:
    found: list[Row] = result.dataset(table).to_table().to_pylist()
    return found


def scan_texts(tmp_path: Path, *texts: str, **options: Any) -> dedup.Scan:
    path = write(tmp_path / "articles.jsonl", *({"text": text} for text in texts))
    return dedup.scan(path, tmp_path / "results", **options)


# Texts that nobody wrote


@pytest.mark.parametrize(
    "strange",
    [
        pytest.param("\x00", id="NUL"),
        pytest.param("e" + "\u0301" * 50_000, id="a flood of combining marks"),
        pytest.param("\u0301" * 50_000, id="marks without a letter"),
        pytest.param("\u202e\u200f\u2067 \u05e9\u05dc\u05d5\u05dd \u2069", id="right to left"),
        pytest.param("\U0001f469" + "\u200d\U0001f469" * 20_000, id="endless ZWJ sequence"),
        pytest.param("\U0001f3f4" + "\U000e0067" * 1000 + "\U000e007f", id="tag characters"),
        pytest.param("\ufdfa" * 1000, id="one code point that becomes eighteen"),
        pytest.param("\uffff\ufdd0\U0010ffff", id="noncharacters"),
        pytest.param("1.2,3." * 20_000, id="an endless number"),
        pytest.param("\r\r\r\u2028\u2029\x0b\x0c\x85", id="every line end but the usual"),
        pytest.param("\ue000" * 100, id="private use"),
    ],
)
def test_strange_characters_beside_a_copied_paragraph_do_not_hide_it(
    tmp_path: Path, strange: str
) -> None:
    text = f"{strange}\n\n{SENTENCE}."
    spans = rows(scan_texts(tmp_path, SENTENCE, text), "spans")
    span = spans[-1]
    assert (span["kind"], span["match_article"]) == ("exact_copy", "n0")
    assert text[span["start"] : span["end"]] == f"{SENTENCE}."


def test_a_text_with_nul_in_a_word_is_kept_as_given(tmp_path: Path) -> None:
    result = scan_texts(tmp_path, "nul\x00nul " + SENTENCE)
    assert rows(result, "paragraphs")[0]["end"] == len("nul\x00nul " + SENTENCE)


def test_a_very_long_line_is_one_paragraph_in_time(tmp_path: Path) -> None:
    rng = random.Random(5)
    words = []
    size = 0
    while size < LONG_LINE:
        words.append(f"w{rng.randrange(50_000)}")
        size += len(words[-1]) + 1
    began = time.process_time()
    result = scan_texts(tmp_path, " ".join(words), " ".join(words[1000:1200]))
    assert time.process_time() - began < PLENTY_S
    assert [row["tokens"] for row in rows(result, "paragraphs")] == [len(words), 200]
    assert rows(result, "articles")[1]["copied"] == 1.0


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("again and again " * (LONG_LINE // 80), id="three words without end"),
        pytest.param("a " * (LONG_LINE // 10), id="one word without end"),
        pytest.param("一" * (LONG_LINE // 15), id="one character without end"),
    ],
)
def test_a_line_without_variety_takes_no_longer(tmp_path: Path, text: str) -> None:
    began = time.process_time()
    row = rows(scan_texts(tmp_path, text, text), "articles")[1]
    assert time.process_time() - began < PLENTY_S
    assert row["redundancy"] == 1.0


def test_a_word_of_millions_of_letters_is_one_word(tmp_path: Path) -> None:
    result = scan_texts(tmp_path, "x" * LONG_LINE, f"{'x' * LONG_LINE} {SENTENCE}")
    assert [row["tokens"] for row in rows(result, "articles")] == [1, 14]


@pytest.mark.parametrize("blank", ["…", "\u00ad", " \t\u00a0"])
def test_paragraphs_without_words_match_nothing_however_many(tmp_path: Path, blank: str) -> None:
    began = time.process_time()
    result = scan_texts(tmp_path, "\n\n".join([blank] * MANY), SENTENCE)
    assert time.process_time() - began < PLENTY_S
    assert {row["kind"] for row in rows(result, "paragraphs")} <= {"too_short", "original"}
    assert rows(result, "spans") == []


def test_one_paragraph_a_hundred_thousand_times_in_one_article(tmp_path: Path) -> None:
    began = time.process_time()
    result = scan_texts(tmp_path, "\n\n".join([SENTENCE] * MANY))
    assert time.process_time() - began < PLENTY_S
    [row] = rows(result, "articles")
    assert row["internal"] == pytest.approx(1 - 1 / MANY)
    assert set(result.paragraphs.to_table()["copies"].to_pylist()) == {MANY}


def test_one_paragraph_in_a_hundred_thousand_articles(tmp_path: Path) -> None:
    began = time.process_time()
    result = scan_texts(tmp_path, *[SENTENCE] * MANY)
    assert time.process_time() - began < PLENTY_S
    assert result.articles.to_table()["reused_by"].to_pylist()[0] == MANY - 1
    assert {c["members"] for c in rows(result, "clusters")} == {MANY}


def test_one_id_for_every_article_loses_none(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.jsonl", *({"id": "x", "text": f"{SENTENCE} {n}"} for n in range(100))
    )
    result = dedup.scan(path, tmp_path / "results")
    assert result.articles.count_rows() == 100
    assert result.manifest["counts"]["duplicate_ids"] == 99


# Rows and files that cannot be read

BAD_ROWS = [
    pytest.param(b'{"id": "bad", "text": "\\ud800 lone"}', id="lone surrogate"),
    pytest.param(b'{"id": "bad", "text": "caf\xe9"}', id="not UTF-8"),
    pytest.param(b'{"id": "bad", "text": null}', id="null text"),
    pytest.param(b'{"id": "bad", "text": 17}', id="a number for a text"),
    pytest.param(b'{"id": "bad", "text": ["a", "b"]}', id="a list for a text"),
    pytest.param(b'{"id": "bad", "text": "cut off', id="broken off"),
    pytest.param(b"[1, 2]", id="not an object"),
    pytest.param(b"{}", id="no field at all"),
]


@pytest.mark.parametrize("line", BAD_ROWS)
def test_a_bad_row_is_rejected_with_its_place_and_the_rest_is_read(
    tmp_path: Path, line: bytes
) -> None:
    path = tmp_path / "a.jsonl"
    good = json.dumps({"id": "good", "text": SENTENCE}).encode()
    path.write_bytes(b"\n".join([good, line, good]) + b"\n")
    result = dedup.scan(path, tmp_path / "results", on_error="skip")
    kept = [(row["article_id"], row["input_row"]) for row in rows(result, "articles")]
    bad = [(row["input_file"], row["input_row"]) for row in rows(result, "rejected")]
    if bad:
        assert kept == [("good", 0), ("good", 2)]
        assert bad == [(str(path), 1)]
        assert rows(result, "rejected")[0]["reason"]
    else:  # a row may also be kept; it is never lost
        assert [row for _, row in kept] == [0, 1, 2]


@pytest.mark.parametrize("line", BAD_ROWS[1:2] + BAD_ROWS[3:6])
def test_by_default_a_bad_row_ends_the_scan_and_leaves_nothing(tmp_path: Path, line: bytes) -> None:
    (tmp_path / "a.jsonl").write_bytes(line + b"\n")
    with pytest.raises((RowError, InputError)) as error:
        dedup.scan(tmp_path / "a.jsonl", tmp_path / "results")
    assert str(tmp_path / "a.jsonl") in str(error.value)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.jsonl"]


def test_a_truncated_parquet_file_is_named(tmp_path: Path) -> None:
    whole = tmp_path / "a.parquet"
    pq.write_table(pa.table({"id": ["a"], "text": [SENTENCE]}), whole)
    whole.write_bytes(whole.read_bytes()[:-20])
    with pytest.raises(InputError, match=r"a\.parquet"):
        dedup.scan(whole, tmp_path / "results")
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize("name", ["a.jsonl", "a.parquet", "a.csv", "a.jsonl.gz", "a.jsonl.zst"])
def test_garbage_is_one_clear_error(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(random.Random(9).randbytes(5000))
    with pytest.raises(DedupError, match=r"a\.") as error:
        dedup.scan(tmp_path / name, tmp_path / "results")
    assert "\n" not in str(error.value)
    assert sorted(p.name for p in tmp_path.iterdir()) == [name]


def test_a_folder_named_like_a_file_is_not_read_as_one(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").mkdir()
    with pytest.raises(InputError):
        dedup.scan(tmp_path / "a.jsonl", tmp_path / "results")


def test_a_dangling_link_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").symlink_to(tmp_path / "gone.jsonl")
    with pytest.raises(InputError, match=r"a\.jsonl"):
        dedup.scan(tmp_path, tmp_path / "results")


# Places that cannot be written


def test_a_folder_that_is_no_result_is_not_written_over(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", {"text": SENTENCE})
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "thesis.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(OutputError):
        dedup.scan(path, tmp_path / "results")
    assert (tmp_path / "results" / "thesis.txt").read_text(encoding="utf-8") == "mine"


def test_a_file_in_the_way_is_not_written_over(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", {"text": SENTENCE})
    with pytest.raises(OutputError):
        dedup.scan(path, path)
    assert SENTENCE in path.read_text(encoding="utf-8")


def test_a_file_where_a_parent_folder_should_be_is_one_clear_error(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", {"text": SENTENCE})
    with pytest.raises(OutputError, match=r"results"):
        dedup.scan(path, path / "results")


# Processes that end in the middle

# Background jobs, and so some test runners, start with SIGINT ignored: undo it.
PREAMBLE = """
import signal, sys
import dedup, dedup.pipeline, dedup.progress
signal.signal(signal.SIGINT, signal.default_int_handler)
class Steps(dedup.progress.Silent):
    def start(self, step, total_bytes=None):
        print(step, flush=True)
"""
# Wait for the signal inside a step: a scan this small may be over before a signal arrives. In
# short naps, because one that begins just behind a signal is not cut short by it.
WAIT = """
class Steps(Steps):
    def start(self, step, total_bytes=None):
        super().start(step)
        if step == sys.argv[3]:
            import time
            for _ in range(600):
                time.sleep(0.1)
"""
SCAN = """
try:
    dedup.scan(sys.argv[1], sys.argv[2], progress=Steps(), threads=2)
except dedup.DedupError as err:
    print("Error:", err, "hint:", err.hint, file=sys.stderr)
    sys.exit(1)
"""
SMALL_DISK = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), int(sys.argv[3])))
"""
# As root would not, whom no permission binds.
NO_PRIVILEGES = """
import ctypes, struct
ctypes.CDLL(None).capset(struct.pack("Ii", 0x20080522, 0), bytes(24))
"""


def start(script: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """5 MB of articles of which every third copies a paragraph."""
    rng = random.Random(11)
    vocabulary = [f"{rng.choice('bdfgklmnprst')}{rng.choice('aeiou')}{n:x}" for n in range(9000)]
    articles, size = [], 0
    while size < 5_000_000:
        text = "\n\n".join(" ".join(rng.choices(vocabulary, k=60)) for _ in range(4))
        if len(articles) % 3 == 2:
            text += "\n\n" + articles[-2]["text"].split("\n\n")[0]
        articles.append({"text": text, "date": f"2024-01-{rng.randint(1, 28):02}"})
        size += len(text)
    return write(tmp_path_factory.mktemp("big") / "corpus.jsonl", *articles)


@pytest.mark.parametrize("limit", [100_000, 1_000_000, 4_000_000])
def test_a_full_disk_is_one_clear_error_and_leaves_nothing(
    corpus: Path, tmp_path: Path, limit: int
) -> None:
    process = start(PREAMBLE + SMALL_DISK + SCAN, corpus, tmp_path / "results", limit)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1, errors
    assert "Traceback" not in errors
    assert "results" in errors
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_the_result_that_was_there(corpus: Path, tmp_path: Path) -> None:
    before = dedup.scan(write(tmp_path / "a.jsonl", {"text": SENTENCE}), tmp_path / "results")
    process = start(PREAMBLE + SMALL_DISK + SCAN, corpus, tmp_path / "results", 1_000_000)
    process.communicate(timeout=60)
    assert process.returncode == 1
    assert dedup.open_scan(tmp_path / "results").manifest == before.manifest
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.jsonl", "results"]


# Only Linux has `capset`; elsewhere root may read anything, and the test would say nothing.
@pytest.mark.skipif(sys.platform != "linux", reason="drops what only Linux gives to root")
def test_what_may_not_be_read_or_written_is_named(corpus: Path, tmp_path: Path) -> None:
    locked = write(tmp_path / "locked.jsonl", {"text": SENTENCE})
    locked.chmod(0)
    _, errors = start(PREAMBLE + NO_PRIVILEGES + SCAN, locked, tmp_path / "results").communicate()
    assert errors.startswith(f"Error: cannot read {locked}: Permission denied")
    assert [path.name for path in tmp_path.iterdir()] == ["locked.jsonl"]
    shelf = tmp_path / "shelf"
    shelf.mkdir(mode=0o500)
    _, errors = start(PREAMBLE + NO_PRIVILEGES + SCAN, corpus, shelf / "results").communicate()
    assert errors.startswith(f"Error: cannot write {shelf / 'results'}: Permission denied")
    assert list(shelf.iterdir()) == []


@pytest.mark.parametrize("step", ["read", "match", "score", "write"])
def test_ctrl_c_leaves_no_results_and_what_was_done(
    corpus: Path, tmp_path: Path, step: str
) -> None:
    process = start(PREAMBLE + WAIT + SCAN, corpus, tmp_path / "results", step)
    assert process.stdout is not None
    for line in process.stdout:
        if line.strip() == step:
            process.send_signal(signal.SIGINT)
            break
    _, errors = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGINT
    assert "KeyboardInterrupt" in errors
    kept = [] if step == "read" else [".results.unfinished"]
    assert [path.name for path in tmp_path.iterdir()] == kept
    assert ("pass --resume" in errors) == bool(kept)


# All pairs of many paragraphs over few words, none of them near-copies: one native step of minutes.
# The signal comes when it has begun, as far as anyone can tell from outside.
LONG_STEP = """
import random, threading
rng = random.Random(5)
words = [f"w{n}" for n in range(90)]
texts = [" ".join(rng.choices(words, k=45)) for _ in range(80_000)]
def interrupt():
    print("interrupting", flush=True)
    signal.raise_signal(signal.SIGINT)
def find_candidates(*given, find=dedup.pipeline.find_candidates):
    threading.Timer(1, interrupt).start()
    return find(*given)
dedup.pipeline.find_candidates = find_candidates
try:
    dedup.score(texts, exact=True, templates=False, threads=THREADS)
except KeyboardInterrupt:
    print("stopped", flush=True)
"""


@pytest.mark.parametrize("threads", [1, 2])
def test_ctrl_c_ends_native_work_in_the_middle(threads: int) -> None:
    process = start(PREAMBLE + LONG_STEP.replace("THREADS", str(threads)))
    try:
        shown, errors = process.communicate(timeout=90)  # generous: the step alone takes longer
    finally:
        process.kill()
    assert (shown, errors) == ("interrupting\nstopped\n", "")


def test_a_signal_handler_that_raises_something_else_is_heard(tmp_path: Path) -> None:
    timed = """
def expire(*_):
    raise TimeoutError("too slow")
signal.signal(signal.SIGINT, expire)
"""
    script = PREAMBLE + timed + LONG_STEP.replace("THREADS", "2")
    shown, errors = start(script).communicate(timeout=90)
    assert shown == "interrupting\n"
    assert errors.endswith("TimeoutError: too slow\n")


def test_a_scan_runs_in_any_thread_and_stops_no_other(corpus: Path, tmp_path: Path) -> None:
    def scan(name: str, **options: Any) -> None:
        dedup.scan(corpus, tmp_path / name, threads=2, **options)

    class Impatient(Silent):
        def start(self, step: str, total_bytes: int | None = None) -> None:
            if step == "match":
                raise KeyboardInterrupt

    with ThreadPoolExecutor(2) as pool:
        whole = pool.submit(scan, "whole")
        broken = pool.submit(scan, "broken", progress=Impatient())
        with pytest.raises(KeyboardInterrupt):
            broken.result()
        whole.result()
    assert dedup.open_scan(tmp_path / "whole").articles.count_rows() > 0


def kill_after(process: subprocess.Popen[str], delay_s: float) -> None:
    assert process.stdout is not None
    process.stdout.readline()  # the first step: from here on the scan runs
    try:
        process.wait(delay_s)
    except subprocess.TimeoutExpired:
        process.kill()
    process.communicate()


def test_a_killed_scan_leaves_the_old_result_or_the_new_one(corpus: Path, tmp_path: Path) -> None:
    old = write(tmp_path / "old.jsonl", {"text": SENTENCE})
    process = start(PREAMBLE + SCAN, corpus, tmp_path / "timed")
    assert process.stdout is not None
    process.stdout.readline()
    began = time.monotonic()
    process.communicate()
    usual_s = time.monotonic() - began
    many = dedup.open_scan(tmp_path / "timed").articles.count_rows()
    rng = random.Random(13)
    for moment in range(10):
        dedup.scan(old, tmp_path / "results")
        process = start(PREAMBLE + SCAN, corpus, tmp_path / "results")
        kill_after(process, usual_s * (moment + rng.random()) / 10)
        result = dedup.open_scan(tmp_path / "results")
        counts = [result.dataset(name).count_rows() for name in ("articles", "paragraphs")]
        assert counts[0] in {1, many}
        assert counts[0] == result.manifest["counts"]["articles"]


@pytest.mark.parametrize("damage", [lambda p: p.unlink(), lambda p: p.write_text("{")])
def test_a_folder_without_its_manifest_is_no_result(
    tmp_path: Path, damage: Callable[[Path], object]
) -> None:
    scan_texts(tmp_path, SENTENCE)
    damage(tmp_path / "results" / "manifest.json")
    with pytest.raises(DedupError, match="results"):
        dedup.open_scan(tmp_path / "results")


def test_a_second_scan_replaces_the_first(tmp_path: Path) -> None:
    scan_texts(tmp_path, SENTENCE, SENTENCE)
    scan_texts(tmp_path, SENTENCE)
    assert dedup.open_scan(tmp_path / "results").articles.count_rows() == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == ["articles.jsonl", "results"]
