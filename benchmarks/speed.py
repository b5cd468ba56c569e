"""What a scan costs: by stage, as a whole process, as the corpus grows, and by script.

    python benchmarks/speed.py [--tables ...] [--sizes ...] [--scripts ...] [--runs 3] [--update]

Every figure is CPU time (user and system, all threads), not time on the clock, and the median
of the runs: the machine may be doing other work. Even so, a busy one costs more CPU time for the
same work, so figures for comparison need a quiet one. Every run has a process of its own. The
corpora are made by `corpora.py` from seed 1 and kept in benchmarks/out/. MB are 10^6 bytes of
text in UTF-8, not of the compressed file it is read from.
"""

import argparse
import json
import multiprocessing
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from report import OUT, Cell, describe_machine, ensure_corpus, format_table, show

SIZES = (100_000, 300_000, 1_000_000, 3_000_000)  # paragraphs
SCRIPT_MB = 32  # enough for a second of work in the quickest script
STAGES = ("read", "order", "propose", "verify", "templates", "relate", "judge", "write")
SCRIPTS = ("english", "cyrillic", "cjk", "thai", "arabic", "hindi")
TABLES = ("growth", "stages", "scripts")

SCAN = "import sys, dedup; dedup.scan(sys.argv[1], sys.argv[2])"


class Whole(NamedTuple):
    """One scan in a process of its own, the start of Python included."""

    cpu_s: float
    peak_bytes: int


def scan_whole(articles: Path) -> Whole:
    # The peak of a child is never less than what this process held when it started the child,
    # so this one imports neither numpy, pyarrow nor dedup.
    with tempfile.TemporaryDirectory(dir=OUT) as folder:
        command = [sys.executable, "-c", SCAN, str(articles), f"{folder}/results"]
        child = subprocess.Popen(command)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"the scan of {articles} failed with exit code {child.returncode}")
    return Whole(usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def used_cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def time_stages(articles: Path) -> dict[str, float]:
    """Scan in this process; return the CPU seconds of each step."""
    import dedup

    with tempfile.TemporaryDirectory(dir=OUT) as folder:
        result = dedup.scan(articles, Path(folder) / "results")
        return {stage: result.manifest["cpu_s"][stage] for stage in STAGES}


def time_fingerprints(articles: Path) -> float:
    """Fingerprint texts that are in memory already, in one thread; return the CPU seconds."""
    from dedup import _native
    from dedup.config import Config
    from dedup.read import locate_inputs, read_articles
    from dedup.steps.fingerprint import Fingerprints, fingerprint_articles
    from dedup.work.journal import Journal

    config = Config(threads=1)
    files = locate_inputs(articles)
    batches = list(read_articles(files, config.source))
    prints = Fingerprints(_native.Spool.temporary(OUT), [file.path for file in files])
    began = used_cpu_s()
    fingerprint_articles(batches, prints, config, Journal(), lambda *_: None)
    return used_cpu_s() - began


def run_apart(work: Any, *arguments: Any) -> Any:
    """Run a function of a module in a fresh process and return what it returns."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(work, arguments)


def read_stats(folder: Path) -> dict[str, int]:
    stats: dict[str, int] = json.loads((folder / "stats.json").read_text())
    return stats


def english_corpus(paragraphs: int) -> Path:
    return ensure_corpus(f"english-{paragraphs}", "--paragraphs", str(paragraphs))


def measure_growth(sizes: Sequence[int], runs: int) -> str:
    """Tabulate whole scans of growing corpora, and how much the cost of a paragraph varies."""
    rows: list[list[Cell]] = []
    costs: list[float] = []
    for size in sizes:
        folder = english_corpus(size)
        stats = read_stats(folder)
        scans = [scan_whole(folder / "articles.parquet") for _ in range(runs)]
        cpu_s = statistics.median(scan.cpu_s for scan in scans)
        peak = statistics.median(scan.peak_bytes for scan in scans)
        costs.append(1e6 * cpu_s / stats["paragraphs"])
        text_bytes = stats["text_bytes"]
        what: list[Cell] = [f"{stats['paragraphs']:,}", round(text_bytes / 1e6), round(cpu_s, 1)]
        speed = f"{text_bytes / 1e6 / cpu_s:.1f}"
        rows.append(
            [*what, f"{costs[-1]:.2f}", speed, round(peak / 1e6), f"{peak / text_bytes:.2f}"]
        )
    columns = ["paragraphs", "MB", "CPU s", "CPU us per paragraph", "MB per core-s", "peak MB"]
    ratio = f"Most to least expensive paragraph: {max(costs) / min(costs):.2f}"
    return format_table([*columns, "peak / text"], rows) + f"\n\n{ratio}"


def measure_stages(sizes: Sequence[int], runs: int) -> str:
    """Tabulate the cost of each stage for a paragraph at every size, and its speed at the last."""
    names: list[str] = []
    costs: dict[str, list[float]] = {stage: [] for stage in (*STAGES, "all")}
    for size in sizes:
        folder = english_corpus(size)
        stats = read_stats(folder)
        times = [run_apart(time_stages, folder / "articles.parquet") for _ in range(runs)]
        names.append(f"{stats['paragraphs']:,}")
        for stage in STAGES:
            median = statistics.median(run[stage] for run in times)
            costs[stage].append(1e6 * median / stats["paragraphs"])
        costs["all"].append(sum(costs[stage][-1] for stage in STAGES))
        length = stats["text_bytes"] / stats["paragraphs"]
    rows: list[list[Cell]] = []
    for stage, cost in costs.items():
        share = f"{cost[-1] / costs['all'][-1]:.0%}"
        speed = f"{length / cost[-1]:,.0f}" if cost[-1] else None
        rows.append([stage, *(f"{each:.2f}" for each in cost), share, speed])
    return format_table(["CPU us per paragraph", *names, "share", "MB per core-s"], rows)


def measure_scripts(scripts: Sequence[str], runs: int) -> str:
    rows: list[list[Cell]] = []
    for script in scripts:
        folder = ensure_corpus(f"{script}-mb", "--script", script, "--mb", str(SCRIPT_MB))
        size = read_stats(folder)["text_bytes"] / 1e6
        times = [run_apart(time_fingerprints, folder / "articles.parquet") for _ in range(runs)]
        rows.append([script, f"{size:.1f}", f"{size / statistics.median(times):.0f}"])
    return format_table(["script", "MB", "MB per core-s"], rows)


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure what a scan costs.")
    parser.add_argument("--tables", nargs="+", choices=TABLES, default=TABLES)
    parser.add_argument("--sizes", nargs="+", type=int, default=SIZES, help="paragraphs")
    parser.add_argument("--scripts", nargs="+", choices=SCRIPTS, default=SCRIPTS)
    parser.add_argument("--runs", type=int, default=3, help="of which the median counts")
    parser.add_argument("--update", action="store_true", help="put the tables into README.md")
    wish = parser.parse_args()
    OUT.mkdir(exist_ok=True)
    put = partial(show, update=wish.update)
    put("machine", describe_machine())
    if "growth" in wish.tables:
        put("growth", measure_growth(wish.sizes, wish.runs))
    if "stages" in wish.tables:
        put("stages", measure_stages(wish.sizes, wish.runs))
    if "scripts" in wish.tables:
        put("scripts", measure_scripts(wish.scripts, wish.runs))


if __name__ == "__main__":
    main()
