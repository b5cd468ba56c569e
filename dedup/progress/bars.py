"""The live line on a terminal. Imported only there, because rich takes long to import."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console, RenderableType
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskID,
    TextColumn,
)
from rich.text import Text

from dedup.progress.tally import Tally
from dedup.util.layout import duration


class Live:
    """Shows the current step with articles, speed, and the time elapsed and remaining."""

    def __init__(self, bars: Progress, *, is_packed: bool) -> None:
        self._bars = bars
        self._is_packed = is_packed
        self._task: TaskID | None = None
        self._tally = Tally("start")

    def start(self, step: str, total_bytes: int | None = None) -> None:
        """Begin a step; its line takes the place of the last one's."""
        if self._task is not None:
            self._bars.remove_task(self._task)
        self._tally = Tally(step)
        total = None if self._is_packed else total_bytes or None
        self._task = self._bars.add_task(self._tally.label, total=total, numbers="")

    def advance(self, articles: int, text_bytes: int) -> None:
        """Move the bar."""
        tally = self._tally
        tally.articles += articles
        tally.text_bytes += text_bytes
        if self._task is not None:
            self._bars.update(self._task, completed=tally.text_bytes, numbers=str(tally))


class Times(ProgressColumn):
    """The time elapsed in a step and, if it can be estimated, the time remaining."""

    def render(self, task: Task) -> Text:
        """Write both."""
        text = duration(task.elapsed or 0)
        if task.total and task.time_remaining:
            text += f", about {duration(task.time_remaining)} left"
        return Text(text)


class Bar(ProgressColumn):
    """A bar, for a step whose length is known; else nothing."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self._bar = BarColumn(bar_width=width)

    def render(self, task: Task) -> RenderableType:
        """Draw it."""
        return self._bar.render(task) if task.total else ""


@contextmanager
def show_bars(*, is_packed: bool) -> Iterator[Live]:
    """Show a line on the terminal, and wipe it at the end."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        Bar(width=24),
        TextColumn("{task.fields[numbers]}"),
        Times(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        yield Live(bars, is_packed=is_packed)
