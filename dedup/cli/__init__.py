"""The command line: `dedup scan`, `dedup filter`, `dedup templates`, `dedup info`."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from typing import NoReturn


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code: 0, 1 for a failure, 2 for a wrong call."""
    try:
        from dedup.cli.command_line import run

        return run(arguments)
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted: nothing was written\n")
        return 128 + signal.SIGINT


def main_and_exit() -> NoReturn:
    """Run the command line and exit; from its end on, no signal changes the exit code."""
    code = main()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    sys.exit(code)
