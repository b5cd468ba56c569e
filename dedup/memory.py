"""How much memory a scan may take, how much it takes, and a clear end where that is too much."""

from __future__ import annotations

import ctypes
import re
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pyarrow as pa

from dedup.config import parse_size
from dedup.errors import MemoryLimitError

DEFAULT_SHARE = 0.75  # of the machine: the rest is for its page cache and everything else
MIN_WORKING = 16 << 20
PROCESS_BYTES = 150 << 20  # of Python, Arrow and the libraries, before anything is read
LARGE_BLOCK = (
    4 << 20
)  # bytes: buffers of a batch are smaller and come again, lists of a step are not
_M_MMAP_THRESHOLD = -3  # of malloc.h

_STATUS = Path("/proc/self/status")  # Linux's alone
_PEAK = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)
_CGROUP_LIMITS = (  # version 2, version 1
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)


def machine_memory() -> int:
    """Return what this machine has, or what the container's cgroup lets it have."""
    limits = [_read_limit(path) for path in _CGROUP_LIMITS if path.is_file()]
    return min([psutil.virtual_memory().total, *(limit for limit in limits if limit)])


def _read_limit(path: Path) -> int | None:
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):  # not ours to read, or the word `max`
        return None


def peak_memory() -> int:
    """Return the most that this process took so far, in bytes.

    Linux counts what the parent took as a child's `ru_maxrss`, so its own account comes first.
    """
    with suppress(OSError):
        if found := _PEAK.search(_STATUS.read_text(encoding="ascii", errors="replace")):
            return int(found[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def release_unused() -> None:
    """Give back what Arrow and the C library keep for later, which counts as taken."""
    pa.default_memory_pool().release_unused()
    malloc_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's alone
    if malloc_trim is not None:
        malloc_trim(0)


@contextmanager
def frugal(*, is_bounded: bool) -> Iterator[None]:
    """Let Arrow take its memory from the C library, as its own pool keeps most of what it had.

    If memory `is_bounded` the C library is told to give large blocks back as soon as they are free,
    for the rest of the process. That costs some CPU time: the next one is made of fresh pages.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # glibc's alone
    if is_bounded and mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, LARGE_BLOCK)
    before = pa.default_memory_pool()
    pa.set_memory_pool(pa.system_memory_pool())
    try:
        yield
    finally:
        pa.set_memory_pool(before)


class Budget:
    """What the whole process may take."""

    def __init__(self, max_memory: str | None) -> None:
        share = int(machine_memory() * DEFAULT_SHARE)
        self.limit = share if max_memory is None else parse_size(max_memory)
        self._process = psutil.Process()

    def reading(self) -> int:
        """Return what the articles may take that are read and fingerprinted at once."""
        return self.limit - PROCESS_BYTES

    def working(self, step: str) -> int:
        """Return what a step may hold at once; half of what is left, as results grow with it.

        Raises MemoryLimitError if that is too little to go on.
        """
        release_unused()
        left = self.limit - self.resident()
        if left < 2 * MIN_WORKING:
            raise self.exceeded(step)
        return left // 2

    def exceeded(self, step: str) -> MemoryLimitError:
        """Return the error that says that a step needs more than there is."""
        return MemoryLimitError(
            f"{step} needs more than the {_show(self.limit)} of memory the scan may take",
            hint=f"pass --max-memory {_show(2 * self.limit)}, if the machine has it,"
            " or scan fewer articles at a time",
        )

    def resident(self) -> int:
        """Return what the process takes now, in bytes."""
        resident: int = self._process.memory_info().rss
        return resident


def _show(size: int) -> str:
    return f"{size / 10**9:.3g}GB" if size >= 10**9 else f"{size / 10**6:.0f}MB"
