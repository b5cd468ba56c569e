"""The command line: `dedup scan`, `dedup filter`, `dedup templates`, `dedup info`."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from typing import NoReturn

_SIGNALLED = 128  # and the number of the signal: the exit code that shells give


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code: 0, 1 for a failure, 2 for a wrong call."""
    try:
        from dedup.cli.command_line import run

        return run(arguments)
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted: nothing was written\n")
        return _SIGNALLED + signal.SIGINT


def main_and_exit() -> NoReturn:
    """Run the command line and exit; from its end on, no signal changes the exit code."""
    code = main()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    if code > _SIGNALLED:  # everything is closed; taking Python down would be most of the wait
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)
