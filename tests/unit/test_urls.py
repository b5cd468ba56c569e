"""Secrets in URLs never leave them, and a web folder gives no file from outside of itself."""

from __future__ import annotations

import http.server
import io
import json
import re
import threading
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest
from article_files import read_texts
from click.testing import CliRunner

import dedup
from dedup.cli import main
from dedup.cli.command_line import dedup as group
from dedup.config import SourceConfig
from dedup.errors import ConfigError, InputError, OutputError, ResultsError
from dedup.read import locate_inputs, read_articles
from dedup.read.locate import survey_inputs
from dedup.read.urls import hide_secrets, is_chain, show_url

LINES = b'{"id":"a","text":"The ferry to Saltmere sails again on Tuesday."}\n'
SECRETS = ("S3CRETpw", "TOPSECRET", "pw%40rd")

Answer = tuple[int, dict[str, str], bytes]


class Site:
    """A server whose answers are set by path, or path and query; it notes what it was asked."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.asked: list[str] = []
        site = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, format: str, *args: Any) -> None:
                pass

            def do_GET(self) -> None:
                site.asked.append(self.path)
                plain = self.path.partition("?")[0]
                missing: Answer = (404, {}, b"")
                answer = site.answers.get(self.path) or site.answers.get(plain, missing)
                status, headers, body = answer
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    if value:
                        self.send_header(name, value)
                self.end_headers()
                if self.command == "GET":
                    self.wfile.write(body)

            do_HEAD = do_GET  # noqa: N815 - the name that http.server calls

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self.server.server_port}"
        self.url = f"http://{self.host}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def put(self, path: str, body: bytes = LINES, status: int = 200, **headers: str) -> str:
        self.answers[path] = (status, {"ETag": f'"{hash(body)}"', **headers}, body)
        return self.url + path

    def link(self, path: str, *links: str) -> str:
        page = "".join(f'<a href="{link}">x</a>' for link in links).encode()
        return self.put(path, page, **{"Content-Type": "text/html"})


@pytest.fixture
def new_site() -> Iterator[Callable[[], Site]]:
    sites: list[Site] = []

    def make() -> Site:
        sites.append(Site())
        return sites[-1]

    yield make
    for site in sites:
        site.server.shutdown()
        site.server.server_close()


@pytest.fixture
def site(new_site: Callable[[], Site]) -> Site:
    return new_site()


def has_secret(text: str) -> bool:
    return any(secret in text for secret in SECRETS)


# What is shown


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://a.example/b/c.jsonl", "https://a.example/b/c.jsonl"),
        ("https://me:S3CRETpw@a.example:8080/c.jsonl#TOPSECRET", "https://a.example:8080/c.jsonl"),
        ("https://me:pw%40rd@[::1]:80/c.jsonl", "https://[::1]:80/c.jsonl"),
        ("https://me:S3C/RETpw@a.example/c.jsonl", "https://a.example/c.jsonl"),
        ("https://a.example/c.jsonl?", "https://a.example/c.jsonl"),
        ("ftp://me:S3CRETpw@a.example/c.jsonl", "ftp://a.example/c.jsonl"),
        ("s3://news/what?.jsonl", "s3://news/what?.jsonl"),
        ("abfs://box@account.example/c.jsonl", "abfs://box@account.example/c.jsonl"),
        ("github://team:project@main/c.jsonl", "github://team:project@main/c.jsonl"),
    ],
)
def test_a_url_is_shown_without_user_password_and_fragment(url: str, shown: str) -> None:
    assert show_url(url) == shown
    assert show_url(shown) == shown


@pytest.mark.parametrize("protocol", ["https", "HTTP", "s3", "webhdfs"])
def test_urls_that_differ_in_their_query_are_shown_apart_and_without_it(protocol: str) -> None:
    first = show_url(f"{protocol}://a.example/c.jsonl?sig=TOPSECRET&x=1")
    second = show_url(f"{protocol}://a.example/c.jsonl?sig=TOPSECRET&x=2")
    pattern = re.compile(protocol + r"://a\.example/c\.jsonl\?hidden-[0-9a-f]{8}")
    assert pattern.fullmatch(first)
    assert pattern.fullmatch(second)
    assert first != second
    assert show_url(first) == first


def test_secrets_are_hidden_in_messages_of_others() -> None:
    url = "https://me:pw%40rd@a.example/c.jsonl?sig=TOPSECRET%2B1"
    message = (
        f"RequestInfo(url=URL('{url}'), path='/c.jsonl?sig=TOPSECRET%2B1') user me, password pw@rd,"
        f" signature TOPSECRET+1; asked {url}."
    )
    hidden = hide_secrets(message, url)
    assert not has_secret(hidden)
    assert "pw@rd" not in hidden
    assert "URL('https://a.example/c.jsonl?hidden-" in hidden


def test_no_secret_of_a_url_leaves_a_scan(
    site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site.put("/a.jsonl", LINES + LINES)
    url = f"http://me:S3CRETpw@{site.host}/a.jsonl?X-Amz-Signature=TOPSECRET"
    out = tmp_path / "results"
    assert main(["scan", url, "-o", str(out)]) == 0
    assert main(["info", str(out)]) == 0
    assert main(["filter", str(out), url, "-o", str(tmp_path / "kept"), "--keep", "first"]) == 0
    result = dedup.open_scan(out)
    [name] = set(result.articles.to_table()["input_file"].cast("string").to_pylist())
    assert name == show_url(url) == result.manifest["inputs"][0]["path"]
    said = capsys.readouterr()
    assert not has_secret(said.out + said.err + json.dumps(result.manifest))
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or not has_secret(path.read_bytes().decode("latin-1"))
    assert site.asked[-1].endswith("TOPSECRET")  # it was asked for with its query


@pytest.mark.parametrize(
    ("status", "length"), [(404, ""), (403, ""), (500, ""), (302, ""), (200, "9999")]
)
def test_no_secret_of_a_url_is_in_an_error(
    site: Site, tmp_path: Path, status: int, length: str
) -> None:
    location = "http://me:S3CRETpw@other.example/x?sig=TOPSECRET"
    headers = {"Content-Length": length, "Location": location if status == 302 else ""}
    site.put("/a.jsonl", status=status, **{name: value for name, value in headers.items() if value})
    url = f"http://me:S3CRETpw@{site.host}/a.jsonl?sig=TOPSECRET"
    with pytest.raises(InputError) as caught:
        read_texts(url)  # type: ignore[arg-type]  # a URL goes the way of a path
    assert not has_secret(f"{caught.value} {caught.value.hint}")
    assert not has_secret("".join(traceback.format_exception(caught.value)))
    run = CliRunner().invoke(group, ["scan", url, "-o", str(tmp_path / "r")])
    assert not has_secret(run.output + str(run.exception))


def test_an_input_file_shows_no_secret(site: Site) -> None:
    site.put("/a.jsonl")
    [file] = locate_inputs(f"http://me:S3CRETpw@{site.host}/a.jsonl?sig=TOPSECRET")
    assert not has_secret(repr(file))


@pytest.mark.parametrize("output", ["s3://me:S3CRETpw@a/out", "https://a/out?sig=TOPSECRET"])
def test_no_secret_of_an_output_is_in_an_error(tmp_path: Path, output: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(LINES)
    with pytest.raises(OutputError, match="is a URL") as caught:
        dedup.scan(path, output)
    assert not has_secret(str(caught.value))


def test_no_secret_of_a_url_given_for_results_is_in_an_error() -> None:
    with pytest.raises(ResultsError, match=r"^https://a\.example/r\?hidden-\w+ is a URL") as caught:
        dedup.open_scan("https://me:S3CRETpw@a.example/r?sig=TOPSECRET")
    assert not has_secret(str(caught.value))


# Which input is which


def test_a_scan_is_resumed_though_the_signature_was_renewed(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = site.put("/a.jsonl")

    def stop(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("dedup.pipeline.find_copies", stop)
        with pytest.raises(KeyboardInterrupt):
            dedup.scan(url + "?sig=old", tmp_path / "results")
    result = dedup.scan(url + "?sig=new", tmp_path / "results", resume=True)
    assert result.manifest["resumed"]
    assert result.manifest["inputs"][0]["path"] == show_url(url + "?sig=new")


def test_inputs_that_differ_in_their_query_are_two(site: Site, tmp_path: Path) -> None:
    urls = [f"{site.url}/a.jsonl?part={n}" for n in (1, 2)]
    for number, url in enumerate(urls):
        site.put(url.removeprefix(site.url), b'{"text":"%d"}\n' % number)
    result = dedup.scan(urls, tmp_path / "results")
    assert len({entry["path"] for entry in result.manifest["inputs"]}) == 2
    with pytest.raises(ConfigError, match=r"two inputs would be written to 'a\.jsonl'"):
        dedup.filter_articles(result, urls, tmp_path / "out", max_redundancy=1)
    dedup.filter_articles(result, urls[1], tmp_path / "out.jsonl", max_redundancy=1)
    assert (tmp_path / "out.jsonl").read_bytes() == b'{"text":"1"}\n'


def test_a_file_is_known_though_its_signature_was_renewed(site: Site, tmp_path: Path) -> None:
    url = site.put("/a.jsonl")
    result = dedup.scan(url + "?sig=old", tmp_path / "results")
    report = dedup.filter_articles(
        result, url + "?sig=new", tmp_path / "kept.jsonl", max_redundancy=1
    )
    assert report.kept == 1
    site.put("/a.jsonl", LINES.replace(b"Tuesday", b"Sundays"))
    with pytest.raises(InputError, match="has changed since it was scanned"):
        dedup.filter_articles(result, url + "?sig=new", tmp_path / "more.jsonl", max_redundancy=1)


def test_a_file_that_could_be_two_of_the_scan_is_refused(site: Site, tmp_path: Path) -> None:
    url = site.put("/a.jsonl")
    result = dedup.scan([url + "?part=1", url + "?part=2"], tmp_path / "results")
    with pytest.raises(InputError, match="cannot be distinguished from 2 inputs of the scan"):
        dedup.filter_articles(result, url + "?part=3", tmp_path / "kept.jsonl", max_redundancy=1)


def test_a_url_as_dedup_shows_it_is_refused_with_the_way_out(site: Site) -> None:
    with pytest.raises(InputError, match="is a URL as dedup shows it") as caught:
        locate_inputs(show_url(site.put("/a.jsonl") + "?sig=TOPSECRET"))
    assert caught.value.hint == "give the URL with its own query"


# What a web folder may give


@pytest.mark.parametrize(
    "link",
    [
        "../up.jsonl",
        "/other/up.jsonl",
        "%2e%2e/up.jsonl",
        "sub/%2E%2E/%2e%2e/up.jsonl",
        "..%2fup.jsonl",
        "sub/..%2F..%2fup.jsonl",
        "..\\up.jsonl",
        "..%5cup.jsonl",
        "a%0ab.jsonl",
        "/data/sub//up.jsonl",
        "file:///etc/up.jsonl",
        "http://other.example/data/up.jsonl",
        "//other.example/data/up.jsonl",
        "http://[::1/data/up.jsonl",
        "a.jsonl?x=1",
    ],
)
def test_a_link_that_leaves_the_folder_is_left_out_and_named(site: Site, link: str) -> None:
    site.put("/data/a.jsonl")
    site.put("/up.jsonl")
    found = survey_inputs(site.link("/data/", "a.jsonl", link))
    assert [file.path for file in found.files] == [f"{site.url}/data/a.jsonl"]
    [(_, reason)] = found.left_out
    assert reason.startswith("linked")
    assert not any("up.jsonl" in path for path in site.asked)


@pytest.mark.parametrize("link", ["a.jsonl", "./a.jsonl", "/data/a.jsonl#top", "%61.jsonl"])
def test_a_file_that_is_linked_twice_is_read_once(site: Site, link: str) -> None:
    site.put("/data/a.jsonl")
    folder = site.link("/data/", "a.jsonl", link, "../", "?C=N;O=D", "./")
    found = survey_inputs(folder)
    assert [file.path for file in found.files] == [f"{site.url}/data/a.jsonl"]
    assert found.left_out == []


def test_folders_in_a_web_folder_are_read_and_what_is_not_there_is_named(
    site: Site, tmp_path: Path
) -> None:
    site.link("/data/", "a.jsonl", "sub/", "gone/", "gone.jsonl", ".git/", "notes.md")
    site.link("/data/sub/", "b c.jsonl", "../", "./", "/data/sub/")
    for name in ("a.jsonl", "sub/b%20c.jsonl", "notes.md"):
        site.put(f"/data/{name}")
    found = survey_inputs(f"{site.url}/data/")
    assert [file.below for file in found.files] == ["a.jsonl", "sub/b%20c.jsonl"]
    assert [(entry.path.removeprefix(site.url), entry.reason) for entry in found.left_out] == [
        ("/data/.git/", "hidden"),
        ("/data/gone.jsonl", "linked, but missing"),
        ("/data/gone/", "linked, but missing"),
        ("/data/notes.md", "of an unknown format"),
    ]
    result = dedup.scan(f"{site.url}/data/", tmp_path / "results")
    dedup.filter_articles(result, f"{site.url}/data/", tmp_path / "out", max_redundancy=1)
    written = [path.relative_to(tmp_path / "out") for path in (tmp_path / "out").rglob("*.jsonl")]
    assert sorted(map(str, written)) == ["a.jsonl", "sub/b%20c.jsonl"]


def test_folders_in_folders_without_end_are_refused(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dedup.read.web_folders.MAX_INDEX_PAGES", 20)
    for depth in range(30):
        site.link("/data/" + "sub/" * depth, "sub/")
    with pytest.raises(InputError, match="has more than 20 index pages"):
        locate_inputs(f"{site.url}/data/")


def test_a_glob_on_the_web_gives_the_linked_files_that_match(site: Site) -> None:
    site.link("/data/", "a.jsonl", "b.csv", "sub/", "../up.jsonl")
    site.link("/data/sub/", "c.jsonl")
    for name in ("a.jsonl", "b.csv", "sub/c.jsonl"):
        site.put(f"/data/{name}")

    def match(pattern: str) -> list[str]:
        files = locate_inputs(f"{site.url}/data/{pattern}")
        return [file.path.removeprefix(f"{site.url}/data/") for file in files]

    assert match("*.jsonl") == ["a.jsonl"]
    assert match("**/*.jsonl") == ["a.jsonl", "sub/c.jsonl"]
    assert match("s*/*") == ["sub/c.jsonl"]


# Redirects and answers


@pytest.mark.parametrize("path", ["/a.jsonl", "/data/"])
def test_a_redirect_to_another_host_is_refused(
    site: Site, new_site: Callable[[], Site], path: str
) -> None:
    other = new_site()
    target = other.link("/data/", "a.jsonl")
    other.put("/a.jsonl")
    site.put(path, b"", status=302, Location=target)
    with pytest.raises(InputError, match="it is redirected to another host, http"):
        locate_inputs(site.url + path)
    assert other.asked == []


def test_a_redirect_on_the_same_host_is_followed(site: Site) -> None:
    site.put("/old.jsonl", b"", status=301, Location="/new.jsonl")
    site.put("/new.jsonl")
    [batch] = read_articles(locate_inputs(f"{site.url}/old.jsonl"), SourceConfig())
    assert batch.articles.num_rows == 1


@pytest.mark.parametrize(("announced", "body"), [(100, LINES), (10, LINES), (10, b"")])
def test_a_body_of_another_length_than_announced_is_an_error(
    site: Site, announced: int, body: bytes
) -> None:
    url = site.put("/a.jsonl", bytes(announced))
    files = locate_inputs(url)
    site.put("/a.jsonl", body)
    with pytest.raises(InputError, match=f"it was announced with {announced} bytes, but has "):
        list(read_articles(files, SourceConfig()))


def test_a_body_that_breaks_off_is_an_error(site: Site) -> None:
    url = site.put("/a.jsonl", **{"Content-Length": "100"})
    with pytest.raises(InputError, match="the server sent fewer bytes than it announced"):
        list(read_articles(locate_inputs(url), SourceConfig()))


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("http://", "http:// is not a valid URL"),
        ("http:///a.jsonl", "http:///a.jsonl is not a valid URL"),
        ("http://[::1", r"http://\[::1 is not a valid URL"),
        ("http://a.example:port/a.jsonl", "http://a.example:port/a.jsonl is not a valid URL"),
        ("simplecache::http://h/a.jsonl", "simplecache::http://h/a.jsonl chains protocols"),
        ("zip://a.jsonl::/b.zip", "zip://a.jsonl::/b.zip chains protocols"),
        ("data:,x", "there is no file or folder data:,x"),
        ("no://h/a.jsonl", "no://h/a.jsonl has a protocol that is not known: no"),
        ("memory://gone.jsonl", "cannot read memory://gone.jsonl: there is no such file"),
        ("file:///gone.jsonl", "there is no file or folder /gone.jsonl"),
        ("http://127.0.0.1:1/a.jsonl", ".*: the connection was refused"),
        ("http://a.example/**.jsonl", r".* is not a glob that can be read: \*\* must stand alone"),
    ],
)
def test_a_url_that_cannot_be_read_is_refused_in_a_sentence(url: str, message: str) -> None:
    with pytest.raises(InputError, match=f"^(cannot read )?{message}"):
        locate_inputs(url)


def test_a_protocol_may_be_in_capitals_and_name_this_machine(site: Site, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(LINES)
    assert [file.path for file in locate_inputs(f"file://{tmp_path}/a.jsonl")] == [
        f"{tmp_path}/a.jsonl"
    ]
    url = site.put("/a.jsonl")
    assert [file.path for file in locate_inputs(url.replace("http", "HTTP"))] == [url]


@pytest.mark.parametrize("url", ["http://[::1]/a.jsonl", "https://a.example/b::c.jsonl"])
def test_colons_in_a_url_of_the_web_are_no_chain(url: str) -> None:
    assert not is_chain(url)


# Names of services that no file can have


class Keys(fsspec.AbstractFileSystem):  # type: ignore[misc]  # fsspec has no types
    """A store whose keys are any strings."""

    protocol = "keys"
    cachable = False
    keys: tuple[str, ...] = ()

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return path.removeprefix("keys://").rstrip("/")

    def unstrip_protocol(self, name: str) -> str:
        return f"keys://{name}"

    def isdir(self, path: str) -> bool:
        return any(key.startswith(f"{path}/") for key in self.keys)

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        return {"name": path, "size": len(LINES), "type": "file", "ETag": path}

    def find(self, path: str, **_: Any) -> dict[str, Any]:
        return {key: self.info(key) for key in self.keys if key.startswith(f"{path}/")}

    def open(self, path: str, *_: Any, **__: Any) -> Any:
        return io.BytesIO(LINES)


@pytest.mark.parametrize(
    "key",
    ["b//c.jsonl", "b/x\\c.jsonl", "b/x\nc.jsonl", "b/a.jsonl/c.jsonl", "b/x/\x1b[2J.jsonl"],
)
def test_a_key_that_no_file_can_be_named_by_is_refused_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    fsspec.register_implementation("keys", Keys, clobber=True)
    monkeypatch.setattr(Keys, "keys", ("b/a.jsonl", key))
    result = dedup.scan("keys://b", tmp_path / "results")
    with pytest.raises(OutputError, match=r"the input 'keys://b/.*' (has a name|is a file and)"):
        dedup.filter_articles(result, "keys://b", tmp_path / "out", max_redundancy=1)
    assert [path.name for path in tmp_path.iterdir()] == ["results"]


@pytest.mark.parametrize("key", ["b/../../c.jsonl", "b/./c.jsonl", "b/x/../../c.jsonl"])
def test_a_key_that_climbs_is_left_out_and_named(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    fsspec.register_implementation("keys", Keys, clobber=True)
    monkeypatch.setattr(Keys, "keys", ("b/a.jsonl", key))
    found = survey_inputs("keys://b")
    assert [file.path for file in found.files] == ["keys://b/a.jsonl"]
    assert [entry.path for entry in found.left_out] == [f"keys://{key}"]
