"""Compare dedup with other near-duplicate tools: speed and quality, on the same paragraphs.

    python benchmarks/peers.py --mb 20 [--runs 3] [--peers rensa daft] [--update]
    python benchmarks/peers.py FILE
    python benchmarks/peers.py --mb 200 --planted

The paragraphs are those of a corpus of `corpora.py`, or of any collection that dedup reads. Each
tool gets an environment of its own under `--envs`, made on the first run with the versions that
`PEERS` names; one that cannot be installed is reported, and the others go on. Every run is a fresh
process (`peer_runners.py`; of dedup a whole scan, with templates and without). Its cost is CPU time
(user and system, all threads and child processes) from the start of Python to the files it writes.

What is found is held against every pair with the similarity that dedup defines, or with
`--planted` against the planted copies, where the join of all pairs would take too long. Precision
is by the slow definition; see `peer_judge.py`. Several runs give the median. The plot needs
matplotlib (`pip install --group bench`).
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from report import HERE, OUT, Cell, describe_machine, ensure_corpus, format_table, show
from speed import run_apart

THRESHOLD = 0.8  # the default of dedup, and of most peers
LONG_S = 120  # a run that takes longer is not repeated
GLUE = ("rapidfuzz==3.14.6", "numpy", "pyarrow")  # of peer_runners.py, beside the peer
# No look-ups on the net, and no threads that burn CPU time while they wait.
SETTINGS = {
    "DAFT_PROGRESS_BAR": "0",
    "DO_NOT_TRACK": "1",
    "HF_HUB_OFFLINE": "1",
    "OMP_WAIT_POLICY": "passive",
    "PYTHONHASHSEED": "0",
}


class Peer(NamedTuple):
    packages: tuple[str, ...]  # the peer first
    similarity: str  # what it calls similar
    python: str = ""  # that it needs; else the one that runs this


PEERS = {
    "rensa": Peer(("rensa==0.5.0",), "Jaccard of token sets, estimated by R- or C-MinHash"),
    "daft": Peer(("daft==0.7.26",), "Jaccard of word n-grams; MinHash signatures only"),
    "datasketch": Peer(("datasketch==2.0.0",), "Jaccard of token sets, estimated by MinHash"),
    "fastsketchlsh": Peer(
        ("fastsketchlsh==1.0.1",), "Jaccard of token sets, estimated by Fast Similarity Sketching"
    ),
    "datatrove": Peer(
        ("datatrove[io,processing]==0.10.1", "spacy==3.8.18"),
        "one equal band of MinHashes of word n-grams; clusters of everything so linked",
    ),
    "text-dedup": Peer(
        ("text-dedup==0.4.1",),
        "exact Jaccard of word n-gram sets, within clusters linked by MinHash bands",
        python="3.12",
    ),
}


class Shape(NamedTuple):
    words: int  # in a shingle
    bands: int
    rows: int


# 16 x 8 finds 95 % of pairs with a Jaccard similarity of 0.8, for three hits in four at 0.7.
OWN = Shape(3, 16, 8)
# An alignment of 0.8 may leave a Jaccard similarity of word pairs of 0.4: wider nets, then checked.
WIDE = [Shape(2, 16, 4), Shape(2, 32, 4), Shape(2, 64, 4)]  # dedup has the first


@dataclass
class Run:
    name: str
    peer: str  # its environment; none for dedup
    runner: str
    shape: Shape
    check: str
    out: Path = Path()
    cpu_s: float = 0.0
    elapsed_s: float = 0.0
    peak_bytes: int = 0
    failure: str = ""
    marks: Sequence[float | None] = field(default=(None, None, None))

    @property
    def settings(self) -> str:
        words, bands, rows = self.shape
        if not self.peer:
            return "defaults" if self.runner == "dedup" else "no templates"
        return f"{words}-word shingles, {bands} x {rows}"

    def command(self, python: Path, paragraphs: Path) -> list[str]:
        if not self.peer:
            options = {} if self.runner == "dedup" else {"templates": False}
            scan = f"import dedup, sys; dedup.scan(*sys.argv[1:], **{options})"
            return [sys.executable, "-c", scan, str(paragraphs), str(self.out / "results")]
        words, bands, rows = map(str, self.shape)
        shape = ["--words", words, "--bands", bands, "--rows", rows, "--threshold", str(THRESHOLD)]
        files = [str(HERE / "peer_runners.py"), self.runner, str(paragraphs), str(self.out)]
        return [str(python), *files, *shape, "--check", self.check]


CHECKS = {  # what becomes of candidates, as the table says it
    "words": "words",
    "sketch": "sketch",
    "flags": "none; flags only",
    "none": "none; clusters",
    "jaccard": "exact Jaccard; clusters",
}


def list_runs() -> list[Run]:
    # No peer looks for templates, so the first is the one to compare with.
    runs = [Run("dedup", "", name, WIDE[0], "words") for name in ("dedup-copies", "dedup")]
    libraries = {
        "rensa R-MinHash": ("rensa", "rensa"),
        "rensa C-MinHash": ("rensa", "rensa-c"),
        "FastSketchLSH": ("fastsketchlsh", "fastsketchlsh"),
        "Daft": ("daft", "daft"),
        "datasketch": ("datasketch", "datasketch"),
    }
    for name, (peer, runner) in libraries.items():
        runs += [Run(name, peer, runner, shape, "words") for shape in WIDE]
        runs.append(Run(name, peer, runner, OWN, "sketch"))
        if runner in ("rensa", "fastsketchlsh"):
            runs.append(Run(name, peer, runner, OWN, "flags"))
    runs.append(Run("datatrove", "datatrove", "datatrove", OWN, "none"))
    runs.append(Run("text-dedup", "text-dedup", "text-dedup", OWN, "jaccard"))
    return runs


def find_python(version: str) -> str | None:
    """Find an interpreter of that version, on the path or among those of pyenv."""
    if not version:
        return sys.executable
    kept = sorted(Path.home().glob(f".pyenv/versions/{version}*/bin/python"))
    for python in (shutil.which(f"python{version}"), *map(str, kept)):
        works = [python or "false", "-c", ""]
        if not subprocess.run(works, check=False, capture_output=True).returncode:
            return python
    return None


def install(name: str, envs: Path) -> Path | str:
    """Make the environment of a peer, unless it is there, and return its interpreter.

    If that cannot be done, return the reason. The versions of all packages are written to
    `installed.txt` in its folder.
    """
    peer, folder = PEERS[name], (envs / name).resolve()
    python, done = folder / "bin" / "python", folder / "installed.txt"
    wanted = f"# {' '.join((*peer.packages, *GLUE))}\n"
    if done.exists() and done.read_text().startswith(wanted):
        return python
    if not (base := find_python(peer.python)):
        return f"it needs Python {peer.python}, which is not here"
    print(f"installing {name} into {folder}", file=sys.stderr)
    pip = [str(python), "-m", "pip", "--disable-pip-version-check"]
    for command in (
        [base, "-m", "venv", "--clear", str(folder)],
        [*pip, "install", "--quiet", *peer.packages, *GLUE],
        [*pip, "freeze"],
    ):
        made = subprocess.run(command, check=False, capture_output=True, text=True)
        if made.returncode:
            return last_line(made.stderr or made.stdout)
    done.write_text(wanted + made.stdout)
    return python


def last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:200] if lines else "no message"


def measure(run: Run, command: list[str], limit_s: float) -> None:
    """Run a command in a fresh folder and note what it cost, or why it failed."""
    # The peak of a child is never less than what this process held when it started the child,
    # so this one imports neither numpy, pyarrow nor dedup.
    shutil.rmtree(run.out, ignore_errors=True)
    run.out.mkdir(parents=True)
    environment = {**os.environ, **SETTINGS, "HF_HOME": str(run.out / "hf")}
    with (run.out / "log").open("wb") as log:
        began = time.perf_counter()
        child = subprocess.Popen(
            command, stdout=log, stderr=log, env=environment, start_new_session=True
        )
        timer = threading.Timer(limit_s, os.killpg, (child.pid, signal.SIGKILL))
        timer.start()
        _, status, usage = os.wait4(child.pid, 0)
        timer.cancel()
    run.elapsed_s = time.perf_counter() - began
    run.cpu_s, run.peak_bytes = usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode == -signal.SIGKILL:
        run.failure = f"killed after {run.elapsed_s:.0f} s"
    elif child.returncode:
        run.failure = last_line((run.out / "log").read_text(errors="replace"))


def measure_median(run: Run, command: list[str], wish: argparse.Namespace) -> None:
    costs: list[tuple[float, float, int]] = []
    for _ in range(wish.runs):
        measure(run, command, wish.limit_s)
        costs.append((run.cpu_s, run.elapsed_s, run.peak_bytes))
        if run.failure or run.elapsed_s > LONG_S:
            break
    run.cpu_s, run.elapsed_s, run.peak_bytes = sorted(costs)[len(costs) // 2]
    what = run.failure or f"{run.cpu_s:.1f} CPU s"
    print(f"{run.name}, {run.settings}, {run.check}: {what}", file=sys.stderr)


def prepare(source: Path, folder: Path) -> int:
    """Write the paragraphs; in a process of its own, as the next one."""
    from peer_judge import prepare_paragraphs

    return prepare_paragraphs(source, folder)


def judge(*arguments: Any) -> Any:
    from peer_judge import judge_runs

    return judge_runs(*arguments)


def list_versions(pythons: dict[str, Path], failures: dict[str, str]) -> str:
    rows: list[list[Cell]] = []
    for name, peer in PEERS.items():
        if name in pythons or name in failures:
            version = peer.packages[0].partition("==")[2]
            rows.append([name, version, failures.get(name) or "yes", peer.similarity])
    return format_table(["peer", "version", "installed", "what it calls similar"], rows)


def tabulate(runs: list[Run], text_bytes: int) -> str:
    rows: list[list[Cell]] = []
    for run in runs:
        who: list[Cell] = [run.name, run.settings, CHECKS[run.check]]
        if run.failure:
            rows.append([*who, "failed", *[None] * 6])
            continue
        speed = f"{text_bytes / 1e6 / run.cpu_s:.1f}"
        cost: list[Cell] = [f"{run.cpu_s:.1f}", speed, f"{run.elapsed_s:.1f}"]
        rows.append([*who, *cost, round(run.peak_bytes / 1e6), *run.marks])
    costs = ["CPU s", "MB per core-s", "wall s", "peak MB"]
    marks = ["recall", "precision", "recall, own"]
    table = format_table(["tool", "settings", "check", *costs, *marks], rows)
    failed = [f"{run.name}, {run.settings}: {run.failure}" for run in runs if run.failure]
    return "\n\n".join([table, *failed])


def name_fastest(runs: list[Run]) -> str:
    """Say which peer that compares words is the quickest: of all, and of those with our recall."""
    checked = [run for run in runs if run.check == "words" and not run.failure]
    ours = [run for run in checked if not run.peer]
    others = [run for run in checked if run.peer]
    if not ours or not others:
        return ""
    level = ours[0].marks[0] or 0.0
    equal = [run for run in others if (run.marks[0] or 0.0) >= level]
    told = []
    for who, few in (("Fastest peer that compares words", others), ("At our recall", equal)):
        if few:
            best = min(few, key=lambda run: run.cpu_s)
            cost = f"{best.cpu_s / ours[0].cpu_s:.2f} times the CPU time of dedup"
            recall = f"recall {best.marks[0] or 0.0:.4f} to {level:.4f}"
            told.append(f"{who}: {best.name} ({best.settings}), {cost}, {recall}.")
        else:
            told.append(f"{who}: none.")
    return " ".join(told)


def draw(runs: list[Run], text_bytes: int, title: str, path: Path) -> None:
    """Plot recall against speed: filled if the words were checked, joined by settings."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot, ticker

    figure, axes = pyplot.subplots(figsize=(7.5, 4.5), layout="constrained")
    shown = [run for run in runs if run.marks[0] is not None]
    for number, name in enumerate(dict.fromkeys(run.name for run in shown)):
        colour = "black" if name == "dedup" else f"C{number - 1}"
        label = name
        for checked in (True, False):
            points = [r for r in shown if r.name == name and (r.check == "words") == checked]
            if points:
                speeds = [text_bytes / 1e6 / run.cpu_s for run in points]
                recalls = [float(run.marks[0] or 0) for run in points]
                style: dict[str, Any] = {"marker": "o", "linestyle": "-" if checked else ""}
                style |= {"color": colour, "markerfacecolor": colour if checked else "white"}
                axes.plot(speeds, recalls, label=label, **style)
                label = ""
    axes.set(xscale="log", ylim=(0, 1.03), xlabel="MB of text per core-second", ylabel="recall")
    axes.xaxis.set_major_locator(ticker.LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_formatter(ticker.NullFormatter())
    axes.set_title(f"{title}: filled = words compared, hollow = not", fontsize=10)
    axes.grid(alpha=0.3, which="both")
    figure.legend(fontsize=8, loc="outside right upper")
    figure.savefig(path, dpi=100)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Compare dedup with other tools.")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("file", nargs="?", type=Path, metavar="FILE")
    what.add_argument("--mb", type=int, help="make a corpus of this many million bytes instead")
    parser.add_argument("--planted", action="store_true", help="hold against planted copies only")
    parser.add_argument("--peers", nargs="+", choices=PEERS, default=[*PEERS])
    parser.add_argument("--envs", type=Path, default=OUT / "peers", help="where to install them")
    parser.add_argument("--runs", type=int, default=1, help="of which the median counts")
    parser.add_argument("--limit-s", type=float, default=1800, help="kill a run after so long")
    parser.add_argument("--update", action="store_true", help="put table and plot into README.md")
    wish = parser.parse_args()
    if not find_spec("matplotlib"):
        parser.error("the plot needs matplotlib: pip install --group bench")
    return wish


def main() -> None:
    wish = parse_arguments()
    OUT.mkdir(exist_ok=True)
    source = wish.file
    if not source:
        corpus = ensure_corpus(f"english-{wish.mb}mb", "--mb", str(wish.mb))
        source = corpus / "articles.parquet"
    name = wish.file.name.partition(".")[0] if wish.file else corpus.name
    pythons: dict[str, Path] = {"": Path(sys.executable)}
    failures: dict[str, str] = {}
    for peer in wish.peers:
        installed = install(peer, wish.envs)
        if isinstance(installed, Path):
            pythons[peer] = installed
        else:
            failures[peer] = f"no: {installed}"
    machine = describe_machine()
    folder = OUT / f"peers-{name}"
    text_bytes = run_apart(prepare, source, folder)
    if wish.planted and not (folder / "planted.parquet").exists():
        sys.exit(f"{source} has no truth.parquet beside it: leave out --planted")
    shutil.rmtree(folder / "runs", ignore_errors=True)
    runs = [run for run in list_runs() if run.peer in pythons]
    for number, run in enumerate(runs):
        run.out = (folder / "runs" / f"{number:02}-{run.runner}-{run.check}").resolve()
        paragraphs = (folder / "paragraphs.parquet").resolve()
        measure_median(run, run.command(pythons[run.peer], paragraphs), wish)
    good = [run for run in runs if not run.failure]
    outputs = [(r.out, r.shape.words if r.shape == OWN else None) for r in good]
    truth, marks = run_apart(judge, folder, THRESHOLD, not wish.planted, outputs)
    for run, mark in zip(good, marks, strict=True):
        run.marks = mark
    intro = f"{name}, {text_bytes / 1e6:.1f} MB of paragraphs; {machine}; compared with {truth}."
    parts = [intro, tabulate(runs, text_bytes), name_fastest(runs)]
    plot = (HERE if wish.update else folder) / f"peers-{name}.png"
    draw(runs, text_bytes, name, plot)
    if wish.update:
        parts.append(f"![Recall against speed]({plot.name})")
    parts.append(list_versions(pythons, failures))
    show(f"peers {name}", "\n\n".join(filter(None, parts)), update=wish.update)


if __name__ == "__main__":
    main()
