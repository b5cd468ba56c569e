"""Small whole files of every kind, to be mutated."""

from __future__ import annotations

import csv
import gzip
import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import feather

TEXTS = [
    "The mayor opened the new bridge over the river on Monday, and many people came to see it.",
    "A long strike at the harbour ended after nineteen days when both sides signed a paper.",
    "Reports indicate that the price of bread rose again this week in most of the shops.",
]
ARTICLES = [
    {
        "id": f"a{i}",
        "text": f"{TEXTS[i % 3]}\n\n{TEXTS[(i + 1) % 3]} It was day {i} of the month.",
        "date": f"2020-01-0{i + 1}",
        "source": f"s{i % 2}.example",
        "url": f"http://s.example/{i}",
    }
    for i in range(8)
]
_PAGE = f"""<!doctype html><html lang=en><head><meta charset="utf-8"><title>x &amp; y</title>
<style>a{{b:c}}</style><script>var a="</p>";</script></head><body><div><p>{TEXTS[0]}</p><!-- c -->
<table><tr><td>{TEXTS[1]}</td></tr></table><ul><li>a<li>b</ul><pre>x
y</pre>&nbsp;&#x41;&#65;&eacute;</div></body></html>""".encode()
_PACK = b"""format = 1
name = "press"
description = "Phrases"

[en]
openers = ["Reports indicate that <*>"]
sentences = ["<*> did not immediately respond to a request for comment", "Shr <NUM> cts vs <NUM>"]
"""
_CONFIG = b"""threshold = 0.85
granularity = "both"
bands = 16
rows = 4
threads = 2
max_memory = "1GB"
on_error = "skip"
packs = ["news"]
min_support = 5
"""


def _lines() -> bytes:
    return "".join(json.dumps(article) + "\n" for article in ARTICLES).encode()


def _csv(delimiter: str = ",") -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(ARTICLES[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(ARTICLES)
    return text.getvalue().encode()


def _archive(*, packed: bool) -> bytes:
    records = []
    for i in range(3):
        body, head = _PAGE, b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
        if i == 1:
            head += b"Transfer-Encoding: chunked\r\n"
            body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
        if i == 2:
            head, body = head + b"Content-Encoding: gzip\r\n", gzip.compress(body)
        block = head + b"\r\n" + body
        record = (
            (
                b"WARC/1.0\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:uuid:%d>\r\n"
                b"WARC-Target-URI: http://www.s%d.example/x\r\nWARC-Date: 2020-01-01T00:00:0%dZ\r\n"
                b"Content-Type: application/http; msgtype=response\r\nContent-Length: %d\r\n\r\n"
                % (i, i, i, len(block))
            )
            + block
            + b"\r\n\r\n"
        )
        records.append(gzip.compress(record) if packed else record)
    return b"".join(records)


def _parquet() -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(ARTICLES), file, compression="snappy")
    return file.getvalue()


def _arrow() -> bytes:
    file = io.BytesIO()
    feather.write_feather(pa.Table.from_pylist(ARTICLES), file, compression="uncompressed")
    return file.getvalue()


INPUTS = {
    "in.jsonl": _lines(),
    "in.json": json.dumps(ARTICLES, indent=1).encode(),
    "in.csv": _csv(),
    "in.tsv": _csv("\t"),
    "in.txt": "\n\n".join(TEXTS).encode(),
    "in.html": _PAGE,
    "in.warc": _archive(packed=False),
    "in.warc.gz": _archive(packed=True),
    "in.parquet": _parquet(),
    "in.arrow": _arrow(),
    "in.jsonl.gz": gzip.compress(_lines()),
}
PACK = _PACK
CONFIG = _CONFIG

_JSON = [b'"', b"\\u", b"\\ud800", b"{", b"[", b"null", b"1e999", b"-", b"\xff", b"\0", b"9" * 30]
_CSV = [b'"', b",", b"\t", b"\r", b"\n", b"\0", b"\xff", b'""', b"\xef\xbb\xbf"]
_HTML = [
    *(b"<", b"</", b"<!--", b"<![CDATA[", b"&#x110000;", b"&#0;", b"<table>", b"<svg>"),
    *(b"<template>", b"\0", b"<plaintext>", b"charset=utf-16", b"<meta charset=hz>"),
]
_WARC = [
    *(b"\r\n\r\n", b"Content-Length: 99999999999999999999\r\n", b"Content-Length: -1\r\n"),
    *(b"WARC/1.1\r\n", b"\0", b"chunked", b"ffffffff\r\n", b"Content-Encoding: br\r\n"),
    *(b"Content-Encoding: gzip\r\n", b"charset=utf-7", b"WARC-Identified-Payload-Type: \r\n"),
]
_TOML = [
    *(b"<*>", b"<NUM>", b"[", b'"', b"\\u0000", b"= 1", b'""', b"\n[zz]\n", b"nan", b"inf"),
    *(b"{}", b"[[en]]", b"-1", b"9" * 25, b"true", b"\n[source]\n", b"1979-05-27"),
]
TOKENS = {
    ".jsonl": _JSON,
    ".json": _JSON,
    ".csv": _CSV,
    ".tsv": _CSV,
    ".html": _HTML,
    ".warc": _WARC,
    ".toml": _TOML,
}
ANY_TOKENS = [b"\0", b"\xff" * 4, b"\x80", b"\n", b"PAR1", b"ARROW1"]
