"""URLs as text: their parts, and the form of one that may be shown and stored.

A URL may hold a user, a password and, in its query, a signature or a token. None of these is ever
printed or written: `show_url` is the only form of a URL that leaves this package.
"""

from __future__ import annotations

import hashlib
import re
from urllib.parse import unquote, urlsplit

from dedup.errors import InputError

WEB = ("http", "https")

_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")
_URL_IN_TEXT = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://[^\s'\"<>]+")
_CHAIN = re.compile(r"[A-Za-z0-9+.-]+::.*://|.*://.*::")
_HOST = re.compile(r"(?:\[[0-9A-Fa-f:.%]+\]|[^:@\[\]]*)(?::\d*)?")
# Outside HTTP, `?` may be part of a name; what follows is a query only if it assigns values.
_QUERY = re.compile(r"\?[^/?]*=")
_HIDDEN_QUERY = re.compile(r"hidden-[0-9a-f]{8}")
# Protocols in which a name comes before the `@`: a container, or an organisation and its project.
_NAMES_BEFORE_HOST = ("abfs", "abfss", "wasb", "wasbs", "github")
_MIN_SECRET = 4  # characters; a shorter value would be found inside ordinary words


def is_url(name: str) -> bool:
    """Tell whether a name is a URL."""
    return _URL.match(name) is not None


def is_chain(name: str) -> bool:
    """Tell whether a name chains protocols as fsspec does: `zip://a.csv::https://host/b.zip`."""
    return protocol_of(name) not in WEB and _CHAIN.match(name) is not None


def protocol_of(url: str) -> str:
    """Return what comes before `://`, in lower case; an empty string for a path."""
    found = _URL.match(url)
    return found[1].lower() if found else ""


def name_in_url(url: str) -> str:
    """Return the last part of a URL, without its query."""
    path, _ = _split_query(url)
    return path.rpartition("/")[2]


def show_url(url: str) -> str:
    """Return the form of a URL that may be shown: without user, password, query and fragment.

    A digest replaces the query, so that URLs that differ only there stay distinct.
    """
    path, query = _split_query(url)
    protocol, _, rest = path.partition("://")
    host, slash, below = rest.partition("/")
    if protocol.lower() not in _NAMES_BEFORE_HOST:
        host = host.rpartition("@")[2]
        if protocol.lower() in WEB and not _HOST.fullmatch(host):  # a password with a slash
            host, slash, below = f"{host}{slash}{below}".rpartition("@")[2].partition("/")
    shown = f"{protocol}://{host}{slash}{below}"
    if not query:
        return shown
    if not _HIDDEN_QUERY.fullmatch(query):
        query = "hidden-" + hashlib.sha256(query.encode("utf-8", "replace")).hexdigest()[:8]
    return f"{shown}?{query}"


def without_query(shown: str) -> str:
    """Return a shown URL, or a path, without the digest of its query."""
    path, _, query = shown.rpartition("?")
    return path if is_url(shown) and _HIDDEN_QUERY.fullmatch(query) else shown


def hide_secrets(text: str, url: str = "") -> str:
    """Replace every URL in a text by the form that may be shown.

    Secrets of `url` are hidden also where they appear by themselves.
    """
    text = _URL_IN_TEXT.sub(_show_match, text)
    for secret in sorted(_secrets(url), key=len, reverse=True):
        text = text.replace(secret, "...")
    return text


def _show_match(found: re.Match[str]) -> str:
    url = found[0].rstrip(".,:;)]")
    return show_url(url) + found[0][len(url) :]


def _secrets(url: str) -> set[str]:
    path, query = _split_query(url)
    host, _, _ = path.partition("://")[2].partition("/")
    values = [] if _HIDDEN_QUERY.fullmatch(query) else re.split("[&;]", query)
    if protocol_of(url) not in _NAMES_BEFORE_HOST:
        values += host.rpartition("@")[0].split(":")
    values += [value.partition("=")[2] for value in values]
    known = {query, *values, *map(unquote, values)}
    return {value for value in known if len(value) >= _MIN_SECRET and value != show_url(url)}


def _split_query(url: str) -> tuple[str, str]:
    """Separate a URL from its query. A fragment is dropped."""
    if protocol_of(url) in WEB:
        path, _, query = url.partition("#")[0].partition("?")
        return path, query
    found = _QUERY.search(url) if is_url(url) else None
    return (url[: found.start()], url[found.start() + 1 :]) if found else (url, "")


def check_url(url: str) -> None:
    """Refuse an HTTP URL without a host, and a URL with its query hidden by dedup."""
    shown = show_url(url)
    if _HIDDEN_QUERY.fullmatch(_split_query(url)[1]):
        raise InputError(
            f"{shown} is a URL as dedup shows it, with its query hidden",
            hint="give the URL with its own query",
        )
    if protocol_of(url) not in WEB:
        return
    try:
        parts = urlsplit(url)
        is_valid = bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_valid = False
    if not is_valid:
        raise InputError(
            f"{shown} is not a valid URL: it has no usable host",
            hint="an HTTP URL looks like https://host.example/folder/file.jsonl",
        )
