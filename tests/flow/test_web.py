from __future__ import annotations

import bz2
import gzip
import lzma
import random
import re
import tempfile
import zlib
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import brotli
import pyarrow as pa
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

import dedup
from dedup.cli.command_line import dedup as group
from dedup.config import SourceConfig
from dedup.errors import ConfigError, InputError, RowError
from dedup.read import Resources, locate_inputs, read_articles
from dedup.read.formats import warc_records as records
from dedup.read.formats.html_text import read_page
from dedup.read.formats.http_response import BodyError, decode_body, parse_response
from dedup.read.streams import open_input

FAIL = SourceConfig(on_error="fail")
SKIP = SourceConfig(on_error="skip")
URL = "https://www.harbour.example/news/1"
PAGE = b"<html><body><p>The ferry sails on Tuesday.</p></body></html>"
SAILS = "The ferry sails on Tuesday."
LONG = "The ferry to Saltmere sails again on Tuesday after a strike of nineteen days and nights."

MAX_PAGE_BYTES = 16 << 20


def record(
    kind: str, block: bytes, *headers: str, uri: str | None = URL, content_type: str = ""
) -> bytes:
    """Make a WARC record; without a content type a `response` holds HTTP, as it should."""
    content_type = content_type or {"conversion": "text/plain"}.get(kind, "application/http")
    lines = [
        "WARC/1.0",
        f"WARC-Type: {kind}",
        "WARC-Date: 2021-03-04T05:06:07Z",
        f"Content-Type: {content_type}",
        *([f"WARC-Target-URI: {uri}"] if uri else []),
        *headers,
        f"Content-Length: {len(block)}",
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + block + b"\r\n\r\n"


def http(body: bytes, *headers: str, status: str = "200 OK", kind: str = "text/html") -> bytes:
    lines = [f"HTTP/1.1 {status}", *([f"Content-Type: {kind}"] if kind else []), *headers]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def response(body: bytes, *headers: str, **options: Any) -> bytes:
    return record("response", http(body, *headers, **options))


def in_chunks(body: bytes, size: int = 7) -> bytes:
    parts = [body[i : i + size] for i in range(0, len(body), size)]
    chunks = [b"%x;note=1\r\n%s\r\n" % (len(part), part) for part in parts]
    return b"".join(chunks) + b"0\r\n\r\n"


def write(path: Path, *records: bytes) -> Path:
    """Write records, each compressed by itself as in the archives of crawlers."""
    path.write_bytes(b"".join(map(COMPRESSIONS[path.suffix], records)))
    return path


def read(path: Path, config: SourceConfig = FAIL) -> list[dict[str, Any]]:
    batches = read_articles(locate_inputs(path), config)
    return [row for batch in batches for row in batch.articles.to_pylist()]


def read_texts(path: Path) -> list[str]:
    return [row["text"] for row in read(path)]


def read_rejected(path: Path) -> list[tuple[int, str]]:
    batches = read_articles(locate_inputs(path), SKIP)
    rows = [row for batch in batches for row in batch.rejected.to_pylist()]
    return [(row["input_row"], row["reason"]) for row in rows]


def same(data: bytes) -> bytes:
    return data


COMPRESSIONS: dict[str, Callable[[bytes], bytes]] = {
    ".warc": same,
    ".wet": same,
    ".html": same,
    ".gz": lambda data: gzip.compress(data, mtime=0),
    ".zst": lambda data: pa.compress(data, "zstd", asbytes=True),
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
}


# Records


@pytest.mark.parametrize("name", ["a.warc", "a.warc.gz", "a.warc.zst", "a.warc.bz2", "a.warc.xz"])
def test_a_page_in_a_warc_file_is_an_article(tmp_path: Path, name: str) -> None:
    head = "WARC-Record-ID: <urn:uuid:6e7c3a3a>"
    path = write(tmp_path / name, record("warcinfo", b""), record("response", http(PAGE), head))
    assert read(path) == [
        {
            "article_id": "urn:uuid:6e7c3a3a",
            "text": SAILS,
            "date": datetime(2021, 3, 4, 5, 6, 7, tzinfo=timezone.utc),
            "source": "harbour.example",
            "url": URL,
            "input_file": str(path),
            "input_row": 1,
        }
    ]


@pytest.mark.parametrize("name", ["a.warc.wet.gz", "a.wet", "a.wet.gz", "a.warc"])
def test_the_text_of_a_wet_file_is_taken_as_it_is(tmp_path: Path, name: str) -> None:
    texts = ["Un café.\nEt un thé.", "", "日本語"]
    path = write(tmp_path / name, *(record("conversion", text.encode()) for text in texts))
    assert read_texts(path) == texts


def test_one_compressed_stream_over_all_records_is_read_too(tmp_path: Path) -> None:
    path = tmp_path / "a.warc.gz"
    path.write_bytes(gzip.compress(response(PAGE) + response(PAGE)))
    assert read_texts(path) == [SAILS, SAILS]


@pytest.mark.parametrize(
    "other",
    [
        record("warcinfo", b"software: x", content_type="application/warc-fields"),
        record("request", b"GET / HTTP/1.1\r\n\r\n"),
        record("metadata", PAGE, content_type="text/html"),
        record("revisit", http(b"")),
        record("resource", b"wget.log", content_type="text/plain"),
        record("resource", b"\x89PNG", content_type="image/png"),
        record("conversion", b"\x89PNG", content_type="image/png"),
        record("response", b"example.org. 60 IN A 1.2.3.4", content_type="text/dns"),
        record("response", http(b"<p>Moved", status="301 Moved Permanently")),
        record("response", http(b"<p>Not found", status="404 Not Found")),
        record("response", http(b"User-agent: *", kind="text/plain")),
        record("response", http(b"{}", kind="application/json")),
        record("response", http(b"no type", kind="")),
        record("response", http(b"\xff\xd8\xff\xe0\0\x10JFIF\0" * 9)),
        record("response", http(b"%PDF-1.4\n%\xe2\xe3")),
        record("response", http(PAGE), "WARC-Identified-Payload-Type: application/pdf"),
        record("response", b"", content_type="text/html"),
        record("of a later standard", b"?"),
    ],
)
def test_what_is_no_page_is_passed_over_and_counts_as_a_row(tmp_path: Path, other: bytes) -> None:
    path = write(tmp_path / "a.warc.gz", other, response(PAGE))
    assert [(row["text"], row["input_row"]) for row in read(path)] == [(SAILS, 1)]


@pytest.mark.parametrize(
    "page",
    [
        response(PAGE, kind="TEXT/HTML ;charset=utf-8"),
        response(PAGE, kind="application/xhtml+xml"),
        response(PAGE, kind=""),
        response(PAGE, status="203 Non-Authoritative Information"),
        record("response", http(PAGE).replace(b"\r\n", b"\n")),
        record("response", http(PAGE, kind="x/y"), "WARC-Identified-Payload-Type: text/html"),
        record("resource", PAGE, content_type="text/html; charset=utf-8"),
        record("conversion", PAGE, content_type="text/html"),
        record("response", http(PAGE)).replace(b"Content-Type", b"content-type"),
    ],
)
def test_every_kind_of_record_that_holds_a_page_gives_its_text(tmp_path: Path, page: bytes) -> None:
    assert read_texts(write(tmp_path / "a.warc.gz", page)) == [SAILS]


def test_a_record_without_id_address_or_date_is_an_article_nevertheless(tmp_path: Path) -> None:
    bare = record("response", http(PAGE), uri=None).replace(b"WARC-Date", b"X-Date")
    [row] = read(write(tmp_path / "a.warc.gz", record("warcinfo", b""), bare))
    assert row["article_id"] == "a.warc.gz:1"
    assert (row["url"], row["source"], row["date"]) == (None, None, None)


@pytest.mark.parametrize(
    ("uri", "url", "source"),
    [
        ("<http://a.example/x>", "http://a.example/x", "a.example"),  # as wget writes it
        ("HTTP://me:pw@WWW.A.example:8080?q", "HTTP://me:pw@WWW.A.example:8080?q", "a.example"),
        ("http://[::1]:80/", "http://[::1]:80/", "[::1]"),
        ("http://[broken", "http://[broken", "[broken"),
        ("urn:x:y", "urn:x:y", None),
    ],
)
def test_the_source_is_the_host_without_www(
    tmp_path: Path, uri: str, url: str, source: str | None
) -> None:
    [row] = read(write(tmp_path / "a.warc", record("response", http(PAGE), uri=uri)))
    assert (row["url"], row["source"]) == (url, source)


def test_a_text_that_is_not_utf8_keeps_what_is(tmp_path: Path) -> None:
    texts = [b"good", b"caf\xe9 noir"]
    path = write(tmp_path / "a.wet", *(record("conversion", text) for text in texts))
    assert read_texts(path) == ["good", "caf\ufffd noir"]


def test_a_batch_has_about_four_mebibytes_of_records(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wet", *[record("conversion", b"x" * (1 << 20))] * 10)
    sizes = [batch.articles.num_rows for batch in read_articles(locate_inputs(path), FAIL)]
    assert sum(sizes) == 10
    assert max(sizes) <= 4


# Bodies


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (in_chunks(PAGE), ["Transfer-Encoding: chunked"]),
        (gzip.compress(PAGE), ["Content-Encoding: gzip"]),
        (gzip.compress(PAGE) + b"tail", ["content-encoding: X-GZIP"]),
        (in_chunks(gzip.compress(PAGE)), ["Content-Encoding: gzip", "Transfer-Encoding: chunked"]),
        (zlib.compress(PAGE), ["Content-Encoding: deflate"]),
        (zlib.compress(PAGE)[2:-4], ["Content-Encoding: deflate"]),
        (brotli.compress(PAGE), ["Content-Encoding: br"]),
        (pa.compress(PAGE, "zstd", asbytes=True), ["Content-Encoding: zstd"]),
        (brotli.compress(gzip.compress(PAGE)), ["Content-Encoding: gzip, br"]),
        (PAGE, ["Content-Encoding: identity"]),
        # Stored decoded, under the head that came with it.
        (b"\xef\xbb\xbf" + PAGE, ["Content-Encoding: gzip"]),
        (PAGE, ["Content-Encoding: gzip"]),
        (PAGE, ["Content-Encoding: br", "Transfer-Encoding: chunked"]),
        # Cut off at the crawler's limit.
        (in_chunks(PAGE)[:-4], ["Transfer-Encoding: chunked"]),
        (gzip.compress(PAGE)[:-4], ["Content-Encoding: gzip"]),
    ],
)
def test_a_body_is_decoded_as_far_as_it_goes(
    tmp_path: Path, body: bytes, headers: list[str]
) -> None:
    assert read_texts(write(tmp_path / "a.warc.gz", response(body, *headers))) == [SAILS]


def test_a_body_in_another_encoding_than_it_says_is_rejected(tmp_path: Path) -> None:
    broken = response(b"\x8b\x8b\x8b\x8b", "Content-Encoding: br")
    path = write(tmp_path / "a.warc.gz", response(PAGE), broken, response(PAGE))
    reason = "the body is not br, as its header says"
    assert read_rejected(path) == [(1, reason)]
    assert [row["input_row"] for row in read(path, SKIP)] == [0, 2]
    with pytest.raises(RowError, match=f"row 1: {reason}"):
        read(path)


def test_a_body_that_unpacks_without_end_is_cut_short() -> None:
    packed = http(gzip.compress(bytes(10_000_000)), "Content-Encoding: gzip")
    answer = parse_response(packed)
    assert answer is not None
    assert decode_body(answer, 1000) == bytes(1000)


@pytest.mark.parametrize("packing", ["", "Content-Encoding: gzip"])
def test_a_page_that_is_too_long_is_rejected(tmp_path: Path, packing: str) -> None:
    body = PAGE + b" " * MAX_PAGE_BYTES
    block = http(gzip.compress(body), packing) if packing else http(body)
    path = write(tmp_path / "a.warc.gz", record("response", block), response(PAGE))
    assert read_rejected(path) == [
        (0, "the page is longer than the 16,777,216 bytes that --max-article-bytes allows")
    ]
    assert [row["input_row"] for row in read(path, SKIP)] == [1]


def test_a_film_is_passed_over(tmp_path: Path) -> None:
    film = response(bytes(MAX_PAGE_BYTES + 1000), kind="video/mp4")
    assert read_texts(write(tmp_path / "a.warc.gz", film, response(PAGE))) == [SAILS]


@settings(max_examples=200)
@given(st.binary(max_size=200), st.sampled_from(["gzip", "deflate", "br", "zstd", "x, gzip"]))
def test_no_response_is_so_odd_that_reading_it_fails(body: bytes, encoding: str) -> None:
    headers = [f"Content-Encoding: {encoding}", "Transfer-Encoding: chunked"]
    for block in (body, http(body, *headers), http(body, *headers[:1])):
        answer = parse_response(block)
        refusal = ""
        try:
            read_page(decode_body(answer, 1000) if answer else block).encode()
        except BodyError as err:
            refusal = str(err)
        assert not refusal or refusal.endswith("as its header says")


# Characters

RUSSIAN = "Паром снова ходит по вторникам."
JAPANESE = "火曜日からフェリーが再び運航します。"


@pytest.mark.parametrize(
    ("text", "encoding", "kind", "meta"),
    [
        (RUSSIAN, "utf-8", "text/html", ""),
        (RUSSIAN, "cp1251", "text/html; charset=windows-1251", ""),
        (RUSSIAN, "cp1251", 'text/html; Charset="windows-1251"', "<meta charset=utf-8>"),
        (RUSSIAN, "cp1251", "text/html", "<meta charset='windows-1251'>"),
        (RUSSIAN, "koi8-r", "text/html; charset=no-such", "<meta charset=koi8-r>"),
        (RUSSIAN, "utf-8", "text/html; charset=no-such", "<meta charset=nor-this>"),
        (RUSSIAN, "utf-8", "text/html", "<meta charset=utf-16>"),
        (RUSSIAN * 9, "cp1251", "text/html", ""),
        (RUSSIAN, "utf-8-sig", "text/html; charset=windows-1251", ""),
        (RUSSIAN, "utf-16", "text/html; charset=windows-1251", ""),
        (
            JAPANESE,
            "shift_jis",
            "text/html",
            '<meta http-equiv="Content-Type" content="text/html; charset=Shift_JIS">',
        ),
        (JAPANESE + "①", "cp932", "text/html; charset=x-sjis", ""),
        (JAPANESE * 9, "shift_jis", "text/html", ""),
        (JAPANESE, "euc_jp", "text/html; charset=EUC-JP", ""),
        (JAPANESE, "iso2022_jp", "text/html; charset=iso-2022-jp", ""),
        ("한국어 똠방", "cp949", "text/html; charset=euc-kr", ""),
        ("鎔基", "gb18030", "text/html; charset=gb2312", ""),
        ("“café” €", "cp1252", "text/html; charset=iso-8859-1", ""),
        ("plain", "ascii", "text/html", ""),
    ],
)
def test_the_characters_of_a_page_are_read(
    tmp_path: Path, text: str, encoding: str, kind: str, meta: str
) -> None:
    page = response(f"<html><head>{meta}</head><p>{text}".encode(encoding), kind=kind)
    assert read_texts(write(tmp_path / "a.warc.gz", page)) == [text]


def test_a_byte_that_is_no_character_costs_no_other() -> None:
    assert read_page("<p>café ".encode() + b"\xff noir", "utf-8") == "café \ufffd noir"


# Paragraphs


@pytest.mark.parametrize(
    ("markup", "paragraphs"),
    [
        ("<h1>Head</h1><p>One\n  line <b>of</b> <a href=x>text</a><p>Two", 3),
        ("<ul><li>One<li>Two</ul><div>Three<div>Four</div>Five</div>", 5),
        ("<table><tr><td>One<td>still one<tr><td>Two</table>", 2),
        ("One<br>Two<br><br>Three<hr>Four", 4),
        ("<nav>Home</nav><main><p>Text</main><aside>More</aside><footer>Imprint</footer>", 4),
        (
            "<figure><img src=x><figcaption>Caption</figcaption></figure><figure>Text</figure>",
            2,
        ),
        ("<title>No</title><style>p{}</style><script>no()</script><p>Text<!-- no -->", 1),
        ("<p>AT&amp;T &lt;3", 1),
        ("no markup at all", 1),
        ("", 0),
    ],
)
def test_each_block_is_a_paragraph_and_furniture_stays(markup: str, paragraphs: int) -> None:
    text = read_page(markup.encode())
    assert "no()" not in text
    assert len([part for part in text.split("\n\n") if part]) == paragraphs
    assert all(part == part.strip() and "\n" not in part for part in text.split("\n\n"))


@pytest.mark.parametrize(
    "markup",
    [
        pytest.param("<p title='" + "x" * 5_000_000 + "'>Text", id="a huge attribute"),
        pytest.param("<p " + " ".join(f"a{n}=1" for n in range(100_000)) + ">Text", id="many"),
        pytest.param("<div>" * 100_000 + "Text", id="deep"),
        pytest.param("<p>Text" + "<p>" * 100_000, id="empty paragraphs"),
        pytest.param("<ul><li>" * 100_000 + "Text", id="lists in lists"),
        pytest.param("<!--" + "-" * 1_000_000 + "--><p>Text", id="a long comment"),
    ],
)
def test_absurd_markup_is_no_danger(markup: str) -> None:
    assert read_page(markup.encode()) == "Text"


# HTML files


@pytest.mark.parametrize("name", ["a.html", "a.HTM", "a.html.gz", "a.htm.xz"])
def test_an_html_file_is_an_article_named_by_its_path_below_the_folder(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / "sub").mkdir()
    path = tmp_path / "sub" / name
    path.write_bytes(COMPRESSIONS.get(path.suffix, same)(PAGE))
    [row] = read(tmp_path)
    assert (row["article_id"], row["text"]) == (f"sub/{name}", SAILS)
    assert (row["date"], row["source"], row["input_row"]) == (None, None, 0)


def test_an_html_file_that_is_too_long_is_rejected(tmp_path: Path) -> None:
    path = tmp_path / "a.html"
    path.write_bytes(PAGE + bytes(MAX_PAGE_BYTES))
    assert read_rejected(path) == [
        (0, "the page is longer than the 16,777,216 bytes that --max-article-bytes allows")
    ]


# Files that cannot be read


@pytest.mark.parametrize("name", ["a.warc", "a.wet.gz", "a.html", "a.warc.xz"])
def test_an_empty_file_is_no_failure(tmp_path: Path, name: str) -> None:
    assert "".join(read_texts(write(tmp_path / name, b""))) == ""


MIXED = [
    record("warcinfo", b"software: x"),
    record("request", b"GET / HTTP/1.1\r\n\r\n"),
    response(PAGE),
    record("metadata", b"fetchTimeMs: 3"),
    record("conversion", SAILS.encode()),
]


def test_a_file_cut_anywhere_keeps_what_came_before_and_says_so(tmp_path: Path) -> None:
    whole = b"".join(MIXED)
    ends = [sum(map(len, MIXED[:n])) for n in range(6)]
    path = tmp_path / "a.warc"
    for size in range(1, len(whole), 7):
        path.write_bytes(whole[:size])
        intact = [n for n in (2, 4) if size >= ends[n + 1] - 4]  # blank lines are not missed
        assert [row["input_row"] for row in read(path, SKIP)] == intact
        assert bool(read_rejected(path)) != any(0 <= end - size <= 4 for end in ends)


@pytest.mark.parametrize("name", ["a.warc.gz", "a.warc.zst"])
def test_a_packed_file_cut_anywhere_says_so(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / name, *MIXED)
    whole = path.read_bytes()
    ends = {sum(len(COMPRESSIONS[path.suffix](part)) for part in MIXED[:n]) for n in range(6)}
    for size in range(1, len(whole), 7):
        path.write_bytes(whole[:size])
        assert bool(read_rejected(path)) != (size in ends)


GOOD = [MIXED[0], MIXED[2], MIXED[3], MIXED[4]]  # articles are rows 1 and 3
WORDS = b"This page is longer than what comes before and after it in the same archive."
FETCHED = response(WORDS * 20)


def with_length(length: int | str, whole: bytes = FETCHED) -> bytes:
    """Make a record that says it has another length."""
    return re.sub(rb"Content-Length: \d+", f"Content-Length: {length}".encode(), whole, count=1)


BAD_RECORDS = {
    "no length": FETCHED.replace(b"Content-Length", b"Content-Size"),
    "length 0": with_length(0),
    "length 5": with_length(5),
    "negative": with_length(-1),
    "a word": with_length("many"),
    "into the next": with_length(2000),
    "beyond the end": with_length(10**6),
    "beyond any disk": with_length(10**12),
    "2 to the 63": with_length(2**63),
    "2 to the 64": with_length(2**64),
    "no end of the header": with_length(5)[:100],
    "cut in the block": FETCHED[:-500],
    "cut in the header": FETCHED[:90] + b"\r\n",
    "a header without end": FETCHED.replace(b"\r\n\r\n", b"\r\n" + b"X: y\r\n" * 300_000, 1),
    "garbage": b"\xff\x00this is not a record\r\nnor is this WARC/1.0\r\n\r\n",
}


@pytest.mark.parametrize("bad", BAD_RECORDS.values(), ids=BAD_RECORDS)
@pytest.mark.parametrize("name", ["a.warc", "a.warc.gz", "a.warc.zst"])
def test_a_bad_record_costs_no_other(tmp_path: Path, name: str, bad: bytes) -> None:
    path = write(tmp_path / name, *GOOD, bad, *GOOD)
    assert [row["input_row"] for row in read(path, SKIP)] == [1, 3, 6, 8]
    [(row, reason)] = read_rejected(path)
    assert row == 4
    with pytest.raises(RowError) as caught:
        read(path)
    assert str(caught.value) == f"{path}, row 4: {reason}"


@pytest.mark.parametrize("bad", BAD_RECORDS.values(), ids=BAD_RECORDS)
@pytest.mark.parametrize("name", ["x.warc", "x.warc.gz"])
def test_a_bad_record_is_removed_by_a_filter_and_no_other_is(
    tmp_path: Path, name: str, bad: bytes
) -> None:
    page = response(f"<p>{LONG}".encode())
    path = write(tmp_path / name, MIXED[0], page, bad, page, bad, MIXED[3], MIXED[4])
    result = dedup.scan(path, tmp_path / "results", on_error="skip")
    report = dedup.filter_articles(result, path, tmp_path / "out" / name, keep="first")
    assert (report.kept, report.removed, report.rejected_rows) == (2, 3, 2)
    kept = write(tmp_path / f"y{path.suffix}", MIXED[0], page, MIXED[3], MIXED[4])
    assert (tmp_path / "out" / name).read_bytes() == kept.read_bytes()


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_however_a_record_is_damaged_the_others_are_read(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Each record is packed by itself; at least those that were not touched are found."""
    path = tmp_path_factory.mktemp("any") / "a.warc.gz"
    marks = [f"number {n} " * 50 for n in range(5)]
    parts = [gzip.compress(record("conversion", mark.encode())) for mark in marks]
    hit = data.draw(st.integers(0, 4))
    part = bytearray(parts[hit])
    if data.draw(st.booleans()):
        del part[data.draw(st.integers(0, len(part) - 1)) :]
    else:
        part[data.draw(st.integers(0, len(part) - 1))] ^= data.draw(st.integers(1, 255))
    path.write_bytes(b"".join([*parts[:hit], bytes(part), *parts[hit + 1 :]]))
    found = {row["text"] for row in read(path, SKIP)}
    assert found >= {*marks[:hit], *marks[hit + 1 :]}


@pytest.mark.parametrize("size", [2000, 200_000, 3_000_000])
def test_a_damaged_gzip_member_costs_its_record_only(tmp_path: Path, size: int) -> None:
    noise = gzip.compress(record("metadata", random.Random(1).randbytes(size)))
    good = [gzip.compress(part) for part in GOOD]
    path = tmp_path / "a.warc.gz"
    for damaged in (
        noise[: size // 2] + bytes(100) + noise[size // 2 + 100 :],
        noise[: size // 2],
        noise[:-6] + bytes(6),
        b"XX" + noise[2:],
    ):
        path.write_bytes(b"".join([*good, damaged, *good]))
        assert [row["input_row"] for row in read(path, SKIP)] == [1, 3, 6, 8]
        assert [row for row, _ in read_rejected(path)] == [4]


RECORD_PARTS = st.one_of(
    st.sampled_from([*GOOD, *MIXED, *BAD_RECORDS.values()]).filter(lambda part: len(part) < 10**6),
    st.binary(max_size=20),
    st.sampled_from(
        [b"WARC/1.0\r\n", b"\r\n\r\n", b"\n\n", b"\r\n X-Folded: y\r\n", b"WARC/", b"\0"]
    ),
)


@settings(max_examples=200, deadline=None)
@given(parts=st.lists(RECORD_PARTS, max_size=12), wanted=st.sampled_from([None, 0, 40]))
def test_a_record_with_another_behind_it_is_read_like_any_other(
    tmp_path_factory: pytest.TempPathFactory, parts: list[bytes], wanted: int | None
) -> None:
    path = tmp_path_factory.mktemp("any") / "a.warc"
    path.write_bytes(b"".join(parts))
    [file] = locate_inputs(path)

    def read_all() -> list[records.Record]:
        with open_input(file) as opened:
            return list(records.read_records(opened, lambda _: wanted))

    found = read_all()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(records, "_take_good", lambda *_: None)
        assert found == read_all()


@pytest.mark.parametrize(
    "header",
    [
        "WARC-Target-URI : x",
        "warc-target-uri:x",
        "WARC-Target-URI:\t x \t",
        "WARC-Target-URI:\r\n x",
    ],
)
def test_a_header_may_have_blanks_around_its_value(tmp_path: Path, header: str) -> None:
    one = record("conversion", SAILS.encode(), header, "WARC-Target-URI: y", uri=None)
    path = write(tmp_path / "a.warc", one, one)
    assert [row["url"] for row in read(path)] == ["x", "x"]


def test_a_page_may_hold_an_archive(tmp_path: Path) -> None:
    nested = record("resource", b"".join(MIXED) * 2000, content_type="application/warc")
    path = write(tmp_path / "a.warc", MIXED[2], nested, MIXED[2])
    assert [row["input_row"] for row in read(path)] == [0, 2]


def test_many_wrong_lengths_are_read_in_one_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = with_length(10**9)
    path = write(tmp_path / "a.warc", *[bad, MIXED[2]] * 200)
    pulled = []
    read_more = records._Window._pull

    def count(window: Any) -> bytes:
        pulled.append(read_more(window))
        return pulled[-1]

    monkeypatch.setattr(records._Window, "_pull", count)
    assert len(read_rejected(path)) == 200
    assert sum(map(len, pulled)) == path.stat().st_size


def test_what_is_read_ahead_goes_to_the_folder_for_temporary_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "a.warc", with_length(10**9), *[MIXED[2]] * 200)
    monkeypatch.setattr(records, "_MEMORY_BYTES", 1)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
    resources = Resources(temp_dir=str(tmp_path))
    [batch] = read_articles(locate_inputs(path), SKIP, resources=resources)
    assert (batch.articles.num_rows, batch.rejected.num_rows) == (200, 1)


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n", bytes(5000)])
def test_records_may_end_in_any_blank_bytes(tmp_path: Path, end: bytes) -> None:
    path = write(tmp_path / "a.warc", *(part.removesuffix(b"\r\n\r\n") + end for part in MIXED))
    assert [row["input_row"] for row in read(path)] == [2, 4]


def test_an_empty_payload_type_says_nothing(tmp_path: Path) -> None:
    page = record("response", http(PAGE), "WARC-Identified-Payload-Type: ")
    assert read_texts(write(tmp_path / "a.warc", page)) == [SAILS]


@pytest.mark.parametrize("name", ["a.warc.wat.gz", "a.wat"])
def test_a_wat_file_is_refused_with_the_way_out(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    with pytest.raises(InputError, match="is a WAT file") as caught:
        locate_inputs(tmp_path / name)
    assert caught.value.hint == "scan the WET or the WARC file of the same crawl"


# From end to end


def test_pages_are_scanned_from_the_command_line(tmp_path: Path) -> None:
    pages = [
        record(
            "response",
            http(f"<nav>{name}</nav><p>{LONG}".encode()),
            f"WARC-Record-ID: <urn:uuid:{name}>",
            uri=f"http://{name}.example/",
        )
        for name in ("first", "second")
    ]
    path = write(tmp_path / "x.warc.gz", record("warcinfo", b""), *pages)
    out = str(tmp_path / "results")
    run = CliRunner().invoke(group, ["scan", str(path), "-o", out])
    assert run.exit_code == 0, run.output
    found = dedup.open_scan(out).articles.to_table().sort_by("input_row").to_pylist()
    assert [(row["source"], row["top_source"]) for row in found] == [
        ("first.example", None),
        ("second.example", "urn:uuid:first"),
    ]


@pytest.mark.parametrize("name", ["x.warc", "x.warc.gz", "x.wet.zst", "x.warc.bz2", "x.warc.xz"])
def test_a_filtered_archive_has_the_records_that_are_kept_and_those_without_an_article(
    tmp_path: Path, name: str
) -> None:
    page = response(f"<p>{LONG}".encode())
    text = record("conversion", b"Another text of more than eight words stands here alone.")
    path = write(tmp_path / name, MIXED[0], MIXED[1], page, MIXED[3], page, text, MIXED[3])
    result = dedup.scan(path, tmp_path / "results")
    out = tmp_path / "out" / name
    report = dedup.filter_articles(result, path, out, keep="first", sample=1)
    assert (report.kept, report.removed) == (2, 1)
    assert report.samples[0].snippet == LONG
    kept = [MIXED[0], MIXED[1], page, MIXED[3], text, MIXED[3]]
    assert out.read_bytes() == write(tmp_path / f"expected{path.suffix}", *kept).read_bytes()


@pytest.mark.parametrize("name", ["x.warc", "x.warc.gz"])
def test_an_archive_that_breaks_off_is_filtered_as_far_as_it_was_scanned(
    tmp_path: Path, name: str
) -> None:
    path = tmp_path / name
    noise = record("conversion", random.Random(1).randbytes(200_000).hex().encode())
    page = response(f"<p>{LONG}".encode())
    whole = write(path, page, page, noise, noise).read_bytes()
    path.write_bytes(whole[:-20])
    result = dedup.scan(path, tmp_path / "results", on_error="skip")
    assert result.rejected.count_rows() == 1
    out = tmp_path / "out" / name
    report = dedup.filter_articles(result, path, out, keep="first")
    assert (report.kept, report.removed) == (2, 2)
    assert out.read_bytes() == write(tmp_path / f"y{path.suffix}", page, noise).read_bytes()


def test_pages_that_are_kept_are_copied_and_the_others_are_not(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name in ("a", "b"):
        (tmp_path / "in" / f"{name}.html").write_bytes(f"<p>{LONG}<hr>".encode())
    result = dedup.scan(tmp_path / "in", tmp_path / "results")
    dedup.filter_articles(result, tmp_path / "in", tmp_path / "out", keep="first")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.html"]
    with pytest.raises(ConfigError, match="cannot be added to text files"):
        dedup.filter_articles(
            result, tmp_path / "in", tmp_path / "out", keep="first", add_scores=True
        )


def test_a_page_whose_http_head_never_ends_is_rejected_with_the_reason(tmp_path: Path) -> None:
    endless = record("response", b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n<p>A page.")
    path = write(tmp_path / "a.warc", endless, response(b"<p>The next page.</p>"))
    [batch] = read_articles(locate_inputs(path), SKIP)
    assert batch.articles["text"].to_pylist() == ["The next page."]
    assert batch.rejected["reason"].to_pylist() == ["its HTTP head is malformed or never ends"]
