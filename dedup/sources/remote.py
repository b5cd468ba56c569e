"""Files elsewhere, through fsspec: `s3://`, `gs://`, `hf://`, `https://` and what else it knows.

Each service needs a package of its own and takes its credentials as that package does.
"""

from __future__ import annotations

import errno
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import fsspec

from dedup.errors import InputError

HIDDEN = (".", "_")  # names that begin so are left out in folders and globs

_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")
_HTTP = ("http", "https")
_PACKAGES = {
    "s3": "s3fs",
    "s3a": "s3fs",
    "gs": "gcsfs",
    "gcs": "gcsfs",
    "hf": "huggingface_hub",
    "http": "aiohttp",
    "https": "aiohttp",
}
# What tells one version of a file from another, as services call it.
_VERSIONS = ("ETag", "etag", "md5Hash", "blob_id", "Content-MD5", "Last-Modified")


class RemoteFile(NamedTuple):
    """A file as its service describes it."""

    url: str
    size: int  # 0 if the service does not say
    version: str | None


def is_url(name: str) -> bool:
    """Tell whether a name is a URL."""
    return _URL.match(name) is not None


def name_in_url(url: str) -> str:
    """Return the last part of a URL, without the query that one of the web may have."""
    path = re.split("[?#]", url)[0] if _protocol(url) in _HTTP else url
    return path.rpartition("/")[2]


def find_files(url: str) -> tuple[list[RemoteFile], str]:
    """Find the file, the files below the folder, or those that match the glob.

    Also returns the URL of the folder, or an empty string. A folder of the web is a page of links
    whose URL ends with a slash.
    """
    with _naming(url):
        system, path = fsspec.core.url_to_fs(url)
        system.invalidate_cache()  # in a long session, files may have changed since
        is_web = _protocol(url) in _HTTP
        if "*" in path or (not is_web and "[" in path and not system.exists(path)):
            found = system.glob(path, detail=True).values()
            files = [_describe(system, info) for info in found if info["type"] == "file"]
            return [file for file in files if not name_in_url(file.url).startswith(HIDDEN)], ""
        if url.endswith("/") if is_web else system.isdir(path):
            folder = str(system.unstrip_protocol(path)).rstrip("/")
            files = [_describe(system, info) for info in system.find(path, detail=True).values()]
            return [file for file in files if not _is_hidden(file.url, folder)], folder
        return [_describe(system, system.info(path))], ""


def _is_hidden(url: str, folder: str) -> bool:
    return any(name.startswith(HIDDEN) for name in url.removeprefix(folder).split("/"))


def can_seek(url: str) -> bool:
    """Tell whether a file can be read anywhere: servers of the web need not give parts of one."""
    return _protocol(url) not in _HTTP


@contextmanager
def open_url(url: str) -> Iterator[Any]:
    """Open a file for reading, anywhere in it if `can_seek`, else in order."""
    system, path = fsspec.core.url_to_fs(url)
    options = {} if can_seek(url) else {"block_size": 0}  # the whole, in one stream
    with _failing_as_os_error():
        stream = system.open(path, "rb", **options)
    with stream:
        yield _Stream(stream)


class _Stream(io.RawIOBase):
    """A remote file whose failures, which may be of any class, are those of a local one."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return bool(self._stream.seekable())

    def readinto(self, buffer: Any) -> int:
        with _failing_as_os_error():
            data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def seek(self, offset: int, whence: int = 0) -> int:
        return int(self._stream.seek(offset, whence))

    def tell(self) -> int:
        return int(self._stream.tell())


@contextmanager
def _failing_as_os_error() -> Iterator[None]:
    try:
        yield
    except Exception as err:
        raise OSError(errno.EPROTO, _reason(err)) from err


@contextmanager
def _naming(url: str) -> Iterator[None]:
    """Turn what a service can raise into an InputError that names the URL."""
    protocol = _protocol(url)
    try:
        yield
    except ImportError as err:
        package = _PACKAGES.get(protocol)
        raise InputError(
            f"{url} needs a package that is not installed: {package or _reason(err)}",
            hint=f"pip install {package}" if package else None,
        ) from err
    except Exception as err:
        if isinstance(err, ValueError) and protocol not in fsspec.available_protocols():
            known = ", ".join(sorted(f"{name}://" for name in _PACKAGES))
            raise InputError(
                f"{url} has a protocol that is not known: {protocol}",
                hint=f"known are {known} and the others of fsspec",
            ) from err
        raise InputError(f"cannot read {url}: {_reason(err)}") from err


def _reason(err: Exception) -> str:
    if isinstance(err, FileNotFoundError):
        return "there is no such file or folder"
    lines = str(getattr(err, "strerror", None) or err).splitlines()
    return lines[0] if lines else type(err).__name__


def _describe(system: Any, info: dict[str, Any]) -> RemoteFile:
    if info.get("size") is None:  # a link on a page
        info = system.info(info["name"])
    version = next(
        (f"{name}:{info[name]}".replace('"', "") for name in _VERSIONS if info.get(name)), None
    )
    url = str(system.unstrip_protocol(info["name"]))
    return RemoteFile(url, info.get("size") or 0, version)


def _protocol(url: str) -> str:
    found = _URL.match(url)
    return found[1].lower() if found else ""
