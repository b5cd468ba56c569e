"""A running scan: its tables, its spool and its journal, from which another process can resume.

All are in the work folder beside the results (`folder.py`): the tables, which take the results'
place in one step at the end, the spool, which keeps text and fingerprints, and the journal of what
is done. It is removed when the scan ends, unless it holds something to resume from.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from dedup import _native
from dedup._version import __version__
from dedup.config import Config
from dedup.errors import ConfigError, DedupError, NativeError, OutputError, ResumeError
from dedup.outputs import naming_output
from dedup.read import InputFile
from dedup.results import describe_results
from dedup.work.folder import NEW, WorkFolder, choose_spool
from dedup.work.journal import JournalFile

if TYPE_CHECKING:
    from dedup.packs import Pack

SPOOL = "spool"
JOURNAL = "journal.jsonl"


class Unfinished:
    """A running scan: where its tables, its spool and its journal are.

    Use it as a context manager. Errors that end it say how to resume, if that is possible.
    """

    def __init__(
        self,
        target: str | os.PathLike[str],
        files: Sequence[InputFile],
        packs: Sequence[Pack],
        config: Config,
        *,
        resume: bool,
    ) -> None:
        output = describe_results(target, [file.path for file in files if file.is_local])
        output.check()
        self.work = WorkFolder(
            output,
            "scan",
            files=(SPOOL, JOURNAL),
            spool=_choose_spool(config.temp_dir, output.path),
            keep=resume,
        )
        self.target = output.given
        self._asked = _describe(files, packs, config)
        self._resume = resume
        self._passing = [file.path for file in files if file.version is None]
        if resume and self._passing:
            raise ResumeError(
                f"{self._passing[0]} cannot be read a second time, so the scan cannot be resumed"
            )

    def __enter__(self) -> Unfinished:
        try:
            self.work.__enter__()
            with naming_output(self.target):
                path = self.work.path / JOURNAL
                self.journal = JournalFile(path, self._asked, resume=self._resume)
                self.work.make_folder(NEW)
        except BaseException:
            if self._resume:
                self.work.close()
            else:
                self.work.remove()
            raise
        try:
            self.spool = self._open_spool()
            self.journal.start(self.spool.sync)
        except BaseException:
            if self.journal.is_empty:
                self._close()
            self._leave()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if isinstance(error, NativeError) and "No space left" in str(error):
            error.hint = "free some space, or name another folder with --temp-dir"
        if error is None or self.journal.is_empty or self._passing:
            self._close()
            return
        self._leave()
        way_on = "what was done so far is kept: pass --resume to continue from there"
        if isinstance(error, DedupError) and not isinstance(error, ResumeError):
            error.hint = f"{error.hint}; {way_on}" if error.hint else way_on
        elif isinstance(error, KeyboardInterrupt):
            raise KeyboardInterrupt(way_on) from None

    def _open_spool(self) -> _native.Spool:
        folder = self.work.spool.parent if self.work.spool else self.work.path
        try:
            descriptor = self.work.open_spool(SPOOL)
        except OSError as err:
            raise OutputError(
                f"cannot make a temporary file in {folder}: {err.strerror}",
                hint="name another folder with --temp-dir",
            ) from err
        try:
            return _native.Spool.adopt(descriptor, folder, self.journal.spool_end)
        finally:
            os.close(descriptor)

    def _close(self) -> None:
        try:
            self.journal.forget()  # first: what it refers to is removed next
            self.work.remove()
        finally:
            self._leave()

    def _leave(self) -> None:
        """Release the scan, to be resumed."""
        self.journal.close()
        self.work.close()


def _choose_spool(temp_dir: str | None, target: Path) -> Path | None:
    """Return an unpredictable place in a folder of temporary files, which others may share."""
    if temp_dir is None:
        return None
    place = Path(temp_dir).absolute()
    if place.is_relative_to(target) or place.resolve().is_relative_to(target):
        raise ConfigError(
            f"temp_dir {temp_dir} is in the results folder, which the scan replaces",
            hint="name another folder with --temp-dir",
        )
    return choose_spool(place)


def _describe(files: Sequence[InputFile], packs: Sequence[Pack], config: Config) -> dict[str, Any]:
    """Return what the outcome of a scan depends on."""
    settings = config.to_dict()
    for name in ("threads", "max_memory"):
        del settings[name]
    del settings["source"]["on_error"]  # what was read so far had no errors, or was rejected
    return {
        "dedup version": __version__,
        "fingerprint version": _native.FINGERPRINT_VERSION,
        "settings": settings,
        "packs": {f"the template pack {pack.name}": pack.digest() for pack in packs},
        "inputs": [
            {"path": file.place, "bytes": file.size, "version": file.version} for file in files
        ],
    }
