"""Run targets in turn, each in a process of its own, and keep the inputs of findings."""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path

from dedup.errors import DedupError
from fuzz.targets import TARGETS

FOUND = Path(__file__).parent / "found"
TURN_S = 20  # seconds a target runs before the next one
HANG_S = 60  # seconds after which a call has hung; whole ones take a tenth of one
MEMORY = 6 << 30  # bytes of address space, most of which is libraries and threads' stacks
CURRENT = "current"  # the input at work, so that it is there when the process dies


class Hang(BaseException):
    """A call took longer than `HANG_S`. Not an Exception, so that no handler takes it for one."""


def run_once(target: str, data: bytes, folder: Path) -> str:
    """Run a target on one input and return its outcome: `ok`, `refused`, or what was found."""
    try:
        TARGETS[target].run(data, folder / "work")
    except DedupError:
        return "refused"
    except Hang:
        return f"hang: more than {HANG_S} s"
    except BaseException as err:  # a panic of the core is no Exception
        if isinstance(err, KeyboardInterrupt):
            raise
        place = traceback.extract_tb(err.__traceback__)[-1]
        return f"{type(err).__name__} at {Path(place.filename).name}:{place.lineno}"
    return "ok"


def work(target: str, seed: int, seconds: float, folder: Path) -> None:
    """Mutate and run until the time is over; print the outcomes as JSON."""

    def hang(signum: int, frame: object) -> None:
        raise Hang

    signal.signal(signal.SIGALRM, hang)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    rng = random.Random(f"{target} {seed}")
    original = TARGETS[target].seed()
    outcomes: Counter[str] = Counter()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        data = TARGETS[target].change(original, rng)
        (folder / CURRENT).write_bytes(data)
        signal.alarm(HANG_S)
        outcome = run_once(target, data, folder)
        signal.alarm(0)
        if outcome not in ("ok", "refused") and outcome not in outcomes:
            keep(target, data)
        outcomes[outcome] += 1
    print(json.dumps(outcomes))


def keep(target: str, data: bytes) -> Path:
    """Keep the input of a finding."""
    path = FOUND / target / hashlib.sha256(data).hexdigest()[:12]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def run_turn(target: str, seed: int, seconds: float) -> Counter[str]:
    """Run a target for some seconds in a process of its own, which it may bring down."""
    with tempfile.TemporaryDirectory(prefix="dedup-fuzz-") as folder:
        worker = [sys.executable, "-X", "faulthandler", "-m", "fuzz", "--worker", folder]
        command = [*worker, "--seed", str(seed), "--minutes", str(seconds / 60), target]
        try:
            ended = subprocess.run(
                command,
                capture_output=True,
                text=True,
                cwd=FOUND.parents[1],
                timeout=seconds + 3 * HANG_S,
                check=False,
            )
            status = f"exit code {ended.returncode}: {ended.stderr.strip()[-300:]}"
            if ended.returncode == 0:
                return Counter(json.loads(ended.stdout.splitlines()[-1]))
        except subprocess.TimeoutExpired:
            status = "hang that no signal ends"
        current = Path(folder) / CURRENT
        if current.exists():
            keep(target, current.read_bytes())
        return Counter({f"the process died, {status}": 1})


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(TARGETS))
    parser.add_argument("--minutes", type=float, default=5, help="in all; by default 5")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--worker", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if unknown := set(asked.targets) - set(TARGETS):
        parser.error(f"unknown target: {', '.join(sorted(unknown))}")
    if asked.worker:
        work(asked.targets[0], asked.seed, asked.minutes * 60, asked.worker)
        return 0
    names = asked.targets or list(TARGETS)
    print(f"seed {asked.seed}, {len(names)} targets, {asked.minutes:g} minutes", flush=True)
    outcomes: dict[str, Counter[str]] = {name: Counter() for name in names}
    turns = max(1, round(asked.minutes * 60 / TURN_S / len(names)))
    for turn in range(turns):
        for name in names:
            seconds = asked.minutes * 60 / turns / len(names)
            outcomes[name] += run_turn(name, asked.seed + turn, seconds)
    found = 0
    for name, counts in outcomes.items():
        print(f"{name:18} {counts['ok']:7,} ok {counts['refused']:7,} refused")
        for outcome, times in counts.items():
            if outcome not in ("ok", "refused"):
                found += times
                print(f"{'':18} {times:7,} {outcome}")
    runs = sum(counts.total() for counts in outcomes.values())
    print(f"{runs:,} runs, {found:,} findings" + (f"; inputs are in {FOUND}" if found else ""))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
