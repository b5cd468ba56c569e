"""HTTP responses as crawlers store them: the head, and the body as a browser would see it.

Archives are full of bodies that are not in the encoding their head names, because the crawler
stored them decoded, and of bodies truncated at its limit. Both are read as far as possible.
"""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Callable
from typing import NamedTuple

from fastwarc.stream_io import BrotliReader, ZstdReader

_HEAD = re.compile(rb"HTTP/[\d.]+ +(\d{3})[^\n]*\n((?:[^\r\n][^\n]*\n)*)\r?\n")
_CHUNK = re.compile(rb"(?:\r?\n)?([0-9A-Fa-f]{1,8})[^\n]*\n")
_CHARSET = re.compile(r"""charset\s*=\s*["']?([\w.:-]+)""", re.IGNORECASE)

_ZLIB_OR_GZIP = 47  # wbits of zlib.decompressobj: detected from the first bytes
_BARE_DEFLATE = -15


class Response(NamedTuple):
    """A response as it was stored."""

    status: int
    headers: dict[str, str]  # names in lower case
    body: bytes


class BodyError(ValueError):
    """A body that cannot be decoded; the message is the reason to put into `rejected`."""


def parse_response(block: bytes) -> Response | None:
    """Separate the head from the body; None if there is no head, as before a DNS answer.

    Raises a BodyError for a head that never ends.
    """
    head = _HEAD.match(block)
    if head is None:
        if block.startswith(b"HTTP/"):
            raise BodyError("its HTTP head is malformed or never ends")
        return None
    lines = (line.partition(":") for line in head[2].decode("latin-1").splitlines())
    headers = {name.strip().lower(): value.strip() for name, _, value in lines}
    return Response(int(head[1]), headers, block[head.end() :])


def decode_body(response: Response, max_bytes: int) -> bytes:
    """Undo the transfer and content encodings, up to `max_bytes` of the result."""
    body = response.body
    if "chunked" in response.headers.get("transfer-encoding", "").lower():
        body = _join_chunks(body)
    encodings = response.headers.get("content-encoding", "").lower().split(",")
    for encoding in reversed([name.strip() for name in encodings]):
        decode = _DECODERS.get(encoding)
        if decode is None:  # `identity`, none, or one that browsers do not know either
            continue
        try:
            body = decode(body, max_bytes)
        except (OSError, zlib.error) as err:
            if not _begins_as_markup(body):  # stored decoded
                raise BodyError(f"the body is not {encoding}, as its header says") from err
    return body


def _begins_as_markup(body: bytes) -> bool:
    return body.lstrip(b" \t\r\n\0\xef\xbb\xbf\xff\xfe").startswith(b"<")  # byte order marks


def parse_content_type(value: str | None) -> tuple[str | None, str | None]:
    """Return the media type in lower case, and the charset."""
    kind, _, parameters = (value or "").partition(";")
    charset = _CHARSET.search(parameters) if parameters else None
    return kind.strip().lower() or None, charset[1] if charset else None


def _join_chunks(body: bytes) -> bytes:
    parts = []
    at = 0
    while (head := _CHUNK.match(body, at)) and (size := int(head[1], 16)):
        at = head.end() + size
        parts.append(body[head.end() : at])
    return b"".join(parts) or body


def _inflate(body: bytes, max_bytes: int) -> bytes:
    return zlib.decompressobj(_ZLIB_OR_GZIP).decompress(body, max_bytes)


def _inflate_any(body: bytes, max_bytes: int) -> bytes:
    """Undo `deflate`, which is zlib by the standard and raw from some servers."""
    try:
        return _inflate(body, max_bytes)
    except zlib.error:
        return zlib.decompressobj(_BARE_DEFLATE).decompress(body, max_bytes)


_DECODERS: dict[str, Callable[[bytes, int], bytes]] = {
    "gzip": _inflate,
    "x-gzip": _inflate,
    "deflate": _inflate_any,
    "br": lambda body, max_bytes: BrotliReader(io.BytesIO(body)).read(max_bytes),
    "zstd": lambda body, max_bytes: ZstdReader(io.BytesIO(body)).read(max_bytes),
}
