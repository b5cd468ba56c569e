"""Remote files, through fsspec: `s3://`, `gs://`, `hf://`, `https://` and others that it supports.

Each service needs a package of its own and takes its credentials as that package does.
"""

from __future__ import annotations

import errno
import io
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import fsspec

from dedup.errors import InputError
from dedup.read.left_out import MISSING, LeftOut, set_apart
from dedup.read.urls import (
    WEB,
    check_url,
    hide_secrets,
    is_chain,
    name_in_url,
    protocol_of,
    show_url,
)
from dedup.read.web_folders import RedirectError, list_linked, match_linked, web_system

_PACKAGES = {
    "s3": "s3fs",
    "s3a": "s3fs",
    "gs": "gcsfs",
    "gcs": "gcsfs",
    "hf": "huggingface_hub",
    "http": "aiohttp",
    "https": "aiohttp",
}
# What services call the field that identifies a version of a file.
_VERSIONS = ("ETag", "etag", "md5Hash", "blob_id", "Content-MD5", "Last-Modified")
_NOT_THERE = "there is no such file or folder"


class RemoteFile(NamedTuple):
    """A file as its service describes it."""

    url: str  # to open it by: it may hold secrets
    size: int  # 0 if the service does not say
    version: str | None


class FoundFiles(NamedTuple):
    """The files of a URL, and what was found and skipped."""

    files: list[RemoteFile]
    folder: str  # the URL of the folder, if the files were found in one
    left_out: list[LeftOut]


def find_files(url: str) -> FoundFiles:
    """Find the file, the files below the folder, or those that match the glob.

    An HTTP folder is an index page whose URL ends in a slash.
    """
    if is_chain(url):
        raise InputError(
            f"{hide_secrets(url, url)} chains protocols, which dedup does not read",
            hint="name the file itself; unpack an archive first",
        )
    check_url(url)
    protocol, _, rest = url.partition("://")
    url = f"{protocol.lower()}://{rest}"
    with _naming(url):
        return _find_on_web(url) if protocol_of(url) in WEB else _find_in_store(url)


def _find_on_web(url: str) -> FoundFiles:
    system = web_system()
    url = url.partition("#")[0]
    path = url.partition("?")[0]
    if not path.endswith("/") and "*" not in path:
        return FoundFiles([_describe(system, system.info(url))], "", [])
    is_folder = "*" not in path
    found = list_linked(url) if is_folder else match_linked(url)
    described = [(linked, _describe_linked(system, linked)) for linked in found.urls]
    missing = [LeftOut(show_url(linked), MISSING) for linked, file in described if file is None]
    return FoundFiles(
        [file for _, file in described if file is not None],
        found.folder if is_folder else "",
        found.left_out + missing,
    )


def _describe_linked(system: Any, url: str) -> RemoteFile | None:
    try:
        return _describe(system, system.info(url))
    except FileNotFoundError as err:
        if _reason(err) != _NOT_THERE:
            raise
        return None


def _find_in_store(url: str) -> FoundFiles:
    system, path = fsspec.core.url_to_fs(url)
    system.invalidate_cache()  # in a long session, files may have changed meanwhile
    if "*" in path or ("[" in path and not system.exists(path)):
        found = system.glob(path, detail=True).values()
        files = [_describe(system, info) for info in found if info["type"] == "file"]
        return FoundFiles([file for file in files if not set_apart(name_in_url(file.url))], "", [])
    if not system.isdir(path):
        return FoundFiles([_describe(system, system.info(path))], "", [])
    folder = str(system.unstrip_protocol(path)).rstrip("/")
    files, left_out = [], []
    for info in system.find(path, detail=True).values():
        file = _describe(system, info)
        names = file.url.removeprefix(folder).strip("/").split("/")
        reason = next(filter(None, map(set_apart, names)), None)
        if reason:
            left_out.append(LeftOut(show_url(file.url), reason))
        else:
            files.append(file)
    return FoundFiles(files, folder, left_out)


def can_seek(url: str) -> bool:
    """Tell whether a file can be read from any position: HTTP servers need not support ranges."""
    return protocol_of(url) not in WEB


@contextmanager
def open_url(url: str, size: int) -> Iterator[Any]:
    """Open a file for reading, from any position if `can_seek`, else in order.

    One that is read in order must have as many bytes as `size` says, if that is not 0.
    """
    with _failing_as_os_error(url):
        if can_seek(url):
            system, path = fsspec.core.url_to_fs(url)
            stream = system.open(path, "rb")
        else:  # the whole file, in one stream
            stream = web_system().open(url, "rb", block_size=0, size=size)
    with stream:
        yield _Stream(stream, url, 0 if can_seek(url) else size)


class _Stream(io.RawIOBase):
    """A remote file whose failures, of whatever class, become those of a local file."""

    def __init__(self, stream: Any, url: str, size: int) -> None:
        self._stream = stream
        self._url = url
        self._size = size
        self._read = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return bool(self._stream.seekable())

    def readinto(self, buffer: Any) -> int:
        with _failing_as_os_error(self._url):
            data = self._stream.read(len(buffer))
        self._read += len(data)
        if self._size and (self._read > self._size or (not data and self._read < self._size)):
            found = "more" if data else f"only {self._read:,}"
            raise OSError(
                errno.EPROTO, f"it was announced with {self._size:,} bytes, but has {found}"
            )
        buffer[: len(data)] = data
        return len(data)

    def seek(self, offset: int, whence: int = 0) -> int:
        return int(self._stream.seek(offset, whence))

    def tell(self) -> int:
        return int(self._stream.tell())


@contextmanager
def _failing_as_os_error(url: str) -> Iterator[None]:
    try:
        yield
    except Exception as err:
        # Not `from err`, whose message may hold secrets of the URL.
        raise OSError(errno.EPROTO, hide_secrets(_reason(err), url)) from None


@contextmanager
def _naming(url: str) -> Iterator[None]:
    """Turn any error of a service into an InputError that names the URL."""
    protocol = protocol_of(url)
    shown = show_url(url)
    try:
        yield
    except InputError:
        raise
    except ImportError as err:
        package = _PACKAGES.get(protocol)
        raise InputError(
            f"{shown} needs a package that is not installed: {package or _reason(err)}",
            hint=f"pip install {package}" if package else None,
        ) from err
    except Exception as err:
        if isinstance(err, ValueError) and protocol not in fsspec.available_protocols():
            known = ", ".join(sorted(f"{name}://" for name in _PACKAGES))
            raise InputError(
                f"{shown} has a protocol that is not known: {protocol}",
                hint=f"known are {known} and the other protocols of fsspec",
            ) from None
        reason = hide_secrets(_reason(err), url)
        hint = "if you trust that host, give its URL" if _find_cause(err, RedirectError) else None
        # Not `from err`, whose message may hold secrets of the URL.
        raise InputError(f"cannot read {shown}: {reason}", hint=hint) from None


def _reason(err: Exception) -> str:
    if redirect := _find_cause(err, RedirectError):
        return str(redirect)
    for kind, reason in _PLAIN_REASONS:
        if _find_cause(err, kind):
            return reason
    for cause in _causes(err):
        if type(cause).__name__ in ("ClientPayloadError", "ServerDisconnectedError"):
            return "the server sent fewer bytes than it announced"
        if isinstance(status := getattr(cause, "status", None), int) and status != 404:
            return f"the server answered {status} {getattr(cause, 'message', '')}".rstrip()
    if isinstance(err, FileNotFoundError):
        return _NOT_THERE
    lines = str(getattr(err, "strerror", None) or err).splitlines() or [type(err).__name__]
    return " ".join(lines[:2]) if lines[0].endswith(":") else lines[0]


_PLAIN_REASONS: list[tuple[type[BaseException], str]] = [
    (ConnectionRefusedError, "the connection was refused: nothing answers at that host and port"),
    (socket.gaierror, "the host is not known"),
    (TimeoutError, "the server did not answer in time"),
]


def _find_cause(err: BaseException, kind: type[BaseException]) -> BaseException | None:
    return next((cause for cause in _causes(err) if isinstance(cause, kind)), None)


def _causes(err: BaseException | None) -> Iterator[BaseException]:
    """Give an error and its causes: fsspec turns any of them into a missing file."""
    while err is not None:
        yield err
        inner = getattr(err, "os_error", None)  # what aiohttp wraps
        if isinstance(inner, BaseException) and inner is not err:
            yield inner
        err = err.__cause__


def _describe(system: Any, info: dict[str, Any]) -> RemoteFile:
    if info.get("size") is None:  # a link on a page
        info = system.info(info["name"])
    version = next(
        (f"{name}:{info[name]}".replace('"', "") for name in _VERSIONS if info.get(name)), None
    )
    url = str(system.unstrip_protocol(info["name"]))
    return RemoteFile(url, info.get("size") or 0, version)
