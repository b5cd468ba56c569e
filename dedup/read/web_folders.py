"""HTTP folders: index pages, the links on them, and a client that stays on one host.

A link is followed only if it leads below the folder that the user named, after `..` and its
encoded forms are resolved, and a redirect only on the same host. Otherwise a page could make this
machine read any file of any server that it can reach.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any, NamedTuple
from urllib.parse import SplitResult, quote, unquote_to_bytes, urljoin, urlsplit

import fsspec
from fsspec.utils import glob_translate

from dedup.errors import InputError
from dedup.read.left_out import MISSING, OUTSIDE, QUERY, LeftOut, set_apart
from dedup.read.urls import show_url

MAX_INDEX_BYTES = 16 << 20  # 100,000 links of 160 characters
MAX_INDEX_PAGES = 10_000  # a server can invent nested folders without end

_ANSWER_TIMEOUT_S = 60  # without receiving a byte; a whole file may take any time
_DEFAULT_PORTS = {"http": 80, "https": 443}
_CONTROL = re.compile(r"[\x00-\x1f\x7f\\]")


class RedirectError(Exception):
    """A redirect that leads to another host."""


class LinkedFiles(NamedTuple):
    """The files and pages that a folder's pages link to."""

    folder: str  # its URL without a slash at the end
    urls: list[str]
    left_out: list[LeftOut]


@functools.cache
def web_system() -> Any:
    """Return the HTTP file system."""
    return fsspec.filesystem("http", get_client=_open_session)


async def _open_session(**options: Any) -> Any:
    import aiohttp  # noqa: PLC0415 - not installed with every dedup

    tracing = aiohttp.TraceConfig()
    tracing.on_request_redirect.append(_stay_on_host)
    return aiohttp.ClientSession(
        trace_configs=[tracing],
        # Bytes as they are stored, so that their number is the announced one.
        auto_decompress=False,
        headers={"Accept-Encoding": "identity"},
        timeout=aiohttp.ClientTimeout(
            total=None, sock_connect=_ANSWER_TIMEOUT_S, sock_read=_ANSWER_TIMEOUT_S
        ),
        **options,
    )


async def _stay_on_host(_session: Any, _context: Any, redirect: Any) -> None:
    """Refuse a redirect to another host or port, unless it is from http to https."""
    here = urlsplit(str(redirect.response.url))
    headers = redirect.response.headers
    target = urljoin(here.geturl(), headers.get("Location") or headers.get("URI") or "")
    try:
        there = urlsplit(target)
        is_same = _host(here) == _host(there) or (
            here.hostname == there.hostname
            and (here.scheme, there.scheme) == ("http", "https")
            and (_host(here)[1], _host(there)[1]) == (80, 443)
        )
    except ValueError:
        is_same = False
    if not is_same:
        raise RedirectError(f"it is redirected to another host, {show_url(target)}")


def _host(parts: SplitResult) -> tuple[str | None, int | None]:
    return parts.hostname, parts.port or _DEFAULT_PORTS.get(parts.scheme)


def match_linked(pattern: str) -> LinkedFiles:
    """Find the files that match a glob; `*` is the only magic character in it."""
    fixed = pattern[: pattern.index("*")]
    folder = fixed[: fixed.rindex("/") + 1]
    below = pattern[len(folder) :]
    root = _root_of(folder).geturl()
    try:
        matches = re.compile(glob_translate(_canonical(below).replace("%2A", "*"))).match
    except ValueError as err:
        raise InputError(
            f"{show_url(pattern)} is not a glob that can be read: ** must stand alone between"
            " slashes",
            hint="write, for example, https://host.example/folder/**/*.jsonl",
        ) from err
    depth = None if "**" in below else below.count("/") + 1
    found = list_linked(folder, depth)
    matching = [url for url in found.urls if matches(url[len(root) :])]
    return LinkedFiles(found.folder, matching, [])


def list_linked(folder: str, depth: int | None = None) -> LinkedFiles:
    """Find the files below a folder, whose URL ends with a slash, by the links on its pages."""
    root = _root_of(folder)
    pages = {root.geturl(): 1}
    files: dict[str, None] = {}
    left_out: list[LeftOut] = []
    waiting = [root.geturl()]
    while waiting:
        page = waiting.pop(0)
        try:
            base, links = _read_links(page)
        except FileNotFoundError:
            if page == root.geturl():
                raise
            left_out.append(LeftOut(show_url(page), MISSING))
            continue
        for link in links:
            url, reason = _resolve(link, base, root)
            if reason:
                left_out.append(LeftOut(show_url(url), reason))
            elif not url.endswith("/"):
                files[url] = None
            elif url not in pages and (depth is None or pages[page] < depth):
                pages[url] = pages[page] + 1
                waiting.append(url)
        if len(pages) > MAX_INDEX_PAGES:
            raise InputError(
                f"{show_url(folder)} has more than {MAX_INDEX_PAGES:,} index pages",
                hint="name folders further down",
            )
    return LinkedFiles(root.geturl().rstrip("/"), list(files), left_out)


def _root_of(folder: str) -> SplitResult:
    parts = urlsplit(urljoin(folder, "."))  # without `..`
    return parts._replace(path=_canonical(parts.path) or "/")


def _resolve(link: str, base: str, root: SplitResult) -> tuple[str, str | None]:
    """Return where a link leads, and the reason not to follow it, if there is one."""
    try:
        parts = urlsplit(urljoin(base, link.strip()))
        is_here = (parts.scheme, *_host(parts)) == (root.scheme, *_host(root))
    except ValueError:
        return link, OUTSIDE
    path = _canonical(parts.path)
    if not is_here or not path.startswith(root.path) or not _stays_below(parts.path, root.path):
        return parts.geturl(), OUTSIDE
    for name in path[len(root.path) :].split("/"):
        if reason := set_apart(name):
            return parts.geturl(), reason
    if parts.query:
        return parts.geturl(), QUERY
    return root._replace(path=path).geturl(), None


def _stays_below(path: str, root: str) -> bool:
    """Tell whether no part of a path, once decoded, could act as `..` or as two parts."""
    below = path[len(root) :] if path.startswith(root) else path
    if re.search("%2f", below, re.IGNORECASE):
        return False
    names = unquote_to_bytes(below).decode("utf-8", "replace").removesuffix("/").split("/")
    is_odd = any(name in (".", "..") or _CONTROL.search(name) for name in names)
    return not is_odd and "//" not in below


def _canonical(path: str) -> str:
    """Write a path with the same characters encoded, however it was given."""
    return quote(unquote_to_bytes(path), safe="/:@!$&'()+,;=~-._")


class _LinkReader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.links += [value for name, value in attrs if name == "href" and value]


def _read_links(page: str) -> tuple[str, Iterator[str]]:
    """Read the links on a page; return them with the URL to which they are relative."""
    system = web_system()
    # With a size the client does not ask for it first; block_size 0 reads the file in order.
    with system.open(page, "rb", block_size=0, size=1, auto_decompress=True) as stream:
        base = str(stream.r.url)
        parts = []
        left = MAX_INDEX_BYTES
        while left and (part := stream.read(min(left, 1 << 16))):
            parts.append(part)
            left -= len(part)
    if not left:
        raise InputError(f"the index page {show_url(page)} is longer than 16 MiB")
    reader = _LinkReader()
    reader.feed(b"".join(parts).decode("utf-8", "replace"))
    return base, iter(reader.links)
