"""Signals that come at the edges of a command."""

from __future__ import annotations

import signal
import sys
from types import SimpleNamespace

import pytest

from dedup.cli import main
from dedup.cli.signals import holding_signals


@pytest.fixture(autouse=True)
def _as_in_the_foreground() -> None:
    """A background job starts with SIGINT ignored and hands that on."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def swallow_what_is_raised() -> bool:
    """Get a signal as some packages do while they are imported; tell whether nothing was raised."""
    try:
        signal.raise_signal(signal.SIGINT)
    except BaseException:
        return False
    return True


def test_an_interrupt_that_is_held_is_raised_at_the_end_and_not_before() -> None:
    outcomes = []

    def work() -> None:
        with holding_signals():
            outcomes.append(swallow_what_is_raised())

    with pytest.raises(KeyboardInterrupt):
        work()
    assert outcomes == [True]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_signal_that_is_ignored_stays_ignored() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with holding_signals():
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_an_interrupt_before_the_command_has_begun_is_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(_: object) -> int:
        raise KeyboardInterrupt

    module = SimpleNamespace(run=interrupt)
    monkeypatch.setitem(sys.modules, "dedup.cli.command_line", module)
    assert main(["scan"]) == 130
    assert capsys.readouterr().err == "Interrupted: nothing was written\n"
