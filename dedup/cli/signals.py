"""SIGINT and SIGTERM while a command works."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def ending_gently(signals: list[signal.Signals]) -> Iterator[None]:
    """Let SIGTERM end a command as Ctrl-C does; add it to `signals` if it came."""

    def end(number: int, _frame: object) -> None:
        signals.append(signal.Signals(number))
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():  # it alone handles signals
        yield
        return
    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def holding_signals() -> Iterator[None]:
    """Let signals wait until the block ends.

    Some packages swallow whatever is raised while they are imported, a KeyboardInterrupt too.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    held = {number: handler for number, handler in before.items() if callable(handler)}
    for number in held:
        signal.signal(number, lambda number, _frame: came.append(number))
    try:
        yield
    finally:
        for number, handler in held.items():
            signal.signal(number, handler)
    if came:
        signal.raise_signal(came[0])
