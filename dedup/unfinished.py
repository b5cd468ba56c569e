"""The hidden folder in which a scan works, and from which another can go on with it.

`.<name>.unfinished/` stands beside the results. It holds the tables, which take the results' place
in one step at the end, the spool, which keeps text and fingerprints, and the journal of what is
done. It is removed when the scan ends, unless there is something in it to go on from.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from dedup import _native
from dedup._version import __version__
from dedup.config import Config
from dedup.errors import DedupError, ResumeError
from dedup.journal import JournalFile
from dedup.packs import Pack
from dedup.results import check_target, naming_output, refuse_url
from dedup.sources import InputFile

TABLES = "tables"
SPOOL = "spool"
JOURNAL = "journal.jsonl"


class Unfinished:
    """A scan at work: where its tables, its spool and its journal are.

    Use it as a context manager. Errors that end it say how to go on, if that is possible.
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
        refuse_url(target)
        self.target = Path(target)
        self.folder = self.target.absolute().parent / f".{self.target.name}.unfinished"
        self.tables = self.folder / TABLES
        self._spool_path = self._find_spool(config.temp_dir)
        self._asked = _describe(files, packs, config)
        self._resume = resume
        self._passing = [file.path for file in files if file.version is None]
        if resume and self._passing:
            raise ResumeError(
                f"{self._passing[0]} cannot be read again as it was, so the scan cannot be resumed"
            )

    def __enter__(self) -> Unfinished:
        check_target(self.target)
        with naming_output(self.target):
            self.folder.mkdir(parents=True, exist_ok=True)
            self.journal = JournalFile(self.folder / JOURNAL, self._asked, resume=self._resume)
            if not self._resume:
                shutil.rmtree(self.tables, ignore_errors=True)
            self.tables.mkdir(exist_ok=True)
        try:
            self.spool = _native.Spool.open(self._spool_path, self.journal.spool_end)
        except DedupError:
            self.journal.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None or self.journal.is_empty or self._passing:
            self._close()
            return
        self.journal.close()
        way_on = "what was done so far is kept: pass --resume to go on from there"
        if isinstance(error, DedupError) and not isinstance(error, ResumeError):
            error.hint = f"{error.hint}; {way_on}" if error.hint else way_on
        elif isinstance(error, KeyboardInterrupt):
            raise KeyboardInterrupt(way_on) from None

    def _find_spool(self, temp_dir: str | None) -> Path:
        """Return the same place for the same results, and another for any others."""
        if temp_dir is None:
            return self.folder / SPOOL
        place = hashlib.sha256(str(self.folder).encode("utf-8", "surrogateescape")).hexdigest()
        return Path(temp_dir) / f"dedup-{self.target.name}-{place[:16]}.{SPOOL}"

    def _close(self) -> None:
        try:
            self.journal.forget()  # first: what it tells of is gone from here on
            self._spool_path.unlink(missing_ok=True)
            shutil.rmtree(self.folder, ignore_errors=True)
        finally:
            self.journal.close()


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
