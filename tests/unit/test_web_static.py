"""The browser client is served from a table: right types, caching and compression, and nothing outside of it."""

from __future__ import annotations

import gzip
import http.client
import re
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.server import ServerProcess
from veche.server import static

needs_the_client = pytest.mark.skipif(
    static.PAGE not in static.asset_table(), reason="the browser client is not built: python3 dev.py build"
)

# -- the table


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "secret.txt").write_text("outside")
    folder = tmp_path / "client"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html>")
    (folder / "assets/index-1a2b.js").write_text("plain")
    (folder / "assets/index-1a2b.js.br").write_bytes(b"by brotli")
    (folder / "assets/index-1a2b.js.gz").write_bytes(gzip.compress(b"plain"))
    (folder / "assets/notes.py").write_text("of no type that is served")
    return folder


def test_the_table_holds_what_browsers_know_and_each_path_once(folder: Path) -> None:
    assert sorted(static.asset_table(folder)) == ["/assets/index-1a2b.js", "/index.html"]


def test_without_a_built_client_the_table_is_empty(tmp_path: Path) -> None:
    assert static.asset_table(tmp_path / "nowhere") == {}


@pytest.mark.parametrize(
    ("header", "encoding"),
    [
        ("gzip, deflate, br", "br"),
        ("gzip, br;q=0", "gzip"),
        ("GZIP; q=0.5", "gzip"),
        ("br;q=0.0,gzip;q=0", ""),
        ("identity", ""),
        ("", ""),
        (";;q=,,=", ""),
    ],
)
def test_the_best_form_that_is_welcome_is_chosen(folder: Path, header: str, encoding: str) -> None:
    asset = static.asset_table(folder)["/assets/index-1a2b.js"]
    form = asset.form(static.accepted_encodings(header))
    assert form.encoding == encoding
    assert form.body == {"br": b"by brotli", "gzip": gzip.compress(b"plain"), "": b"plain"}[encoding]


def test_each_form_has_its_own_etag_and_it_follows_the_content(folder: Path) -> None:
    name = "/assets/index-1a2b.js"
    asset = static.asset_table(folder)[name]
    tags = {asset.form({encoding}).etag for encoding in ("br", "gzip", "")}
    assert len(tags) == 3
    (folder / "assets/index-1a2b.js").write_text("other")
    assert static.asset_table(folder)[name].form(set()).etag not in tags


def test_pages_of_the_client_are_its_one_page_and_other_paths_are_not(folder: Path) -> None:
    table = static.asset_table(folder)
    page = table["/index.html"]
    for path in ("/", "/setup", "/invite/12ab-34cd"):
        assert static.find(table, path) is page
    for path in ("/invite", "/invite/", "/invite/a/b", "/setup/", "/nothing", "//", "/../secret.txt", "", "/assets"):
        assert static.find(table, path) is None


def test_a_file_that_is_gone_is_said_to_be(folder: Path) -> None:
    asset = static.asset_table(folder)["/index.html"]
    (folder / "index.html").unlink()
    with pytest.raises(OSError, match=r"index\.html"):
        asset.form(set())


# -- on a real server


class Answer(NamedTuple):
    status: int
    headers: http.client.HTTPMessage
    body: bytes


class Browser:
    """Speaks HTTP to a server; paths are sent as they are."""

    def __init__(self, port: int) -> None:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self.connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=10, context=context)

    def ask(self, path: str, method: str = "GET", **headers: str) -> Answer:
        self.connection.request(
            method, path, headers={name.replace("_", "-"): value for name, value in headers.items()}
        )
        answer = self.connection.getresponse()
        return Answer(answer.status, answer.headers, answer.read())


@pytest.fixture
def browser(server: ServerProcess) -> Iterator[Browser]:
    browser = Browser(server.port)
    yield browser
    browser.connection.close()


@pytest.fixture
def script(browser: Browser) -> str:
    """The path of the script that the page names."""
    found = re.search(rb'src="(/assets/[\w.-]+\.js)"', browser.ask("/").body)
    assert found is not None
    return found[1].decode()


@needs_the_client
def test_the_page_is_asked_for_again_and_its_scripts_never(browser: Browser, script: str) -> None:
    """Rows: A03 (partly)."""
    page = browser.ask("/")
    assert page.status == 200
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert page.headers["Cache-Control"] == "no-cache"
    assert b"<!doctype html>" in page.body
    answer = browser.ask(script)
    assert answer.headers["Content-Type"].startswith("text/javascript")
    assert "immutable" in answer.headers["Cache-Control"]
    worker = browser.ask("/worker.js")
    assert (worker.status, worker.headers["Cache-Control"]) == (200, "no-cache")


@needs_the_client
def test_what_a_browser_has_is_not_sent_again(browser: Browser) -> None:
    first = browser.ask("/")
    tag = first.headers["ETag"]
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = browser.ask("/", If_None_Match=known)
        assert (again.status, again.body) == (304, b"")
        assert again.headers["ETag"] == tag
        assert "default-src 'none'" in again.headers["Content-Security-Policy"]
    assert browser.ask("/", If_None_Match='"other"').status == 200


@needs_the_client
def test_what_was_compressed_when_it_was_built_is_sent_so(browser: Browser, script: str) -> None:
    plain = browser.ask(script)
    packed = browser.ask(script, Accept_Encoding="gzip")
    smallest = browser.ask(script, Accept_Encoding="gzip, deflate, br, zstd")
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body
    assert smallest.headers["Content-Encoding"] == "br"
    assert len(smallest.body) < len(packed.body) < len(plain.body)
    assert {one.headers["Vary"] for one in (plain, packed, smallest)} == {"Accept-Encoding"}
    assert len({one.headers["ETag"] for one in (plain, packed, smallest)}) == 3


@needs_the_client
def test_head_tells_the_length_and_sends_nothing(browser: Browser) -> None:
    page, head = browser.ask("/"), browser.ask("/", "HEAD")
    assert (head.status, head.body) == (200, b"")
    assert head.headers["Content-Length"] == str(len(page.body))
    assert head.headers["ETag"] == page.headers["ETag"]


@needs_the_client
def test_links_to_pages_of_the_client_give_the_page(browser: Browser) -> None:
    page = browser.ask("/").body
    for path in ("/setup", "/invite/12ab-34cd-56ef", "/invite/12ab?from=alice", "/index.html"):
        assert browser.ask(path).body == page


def test_every_answer_forbids_what_is_not_from_here(browser: Browser) -> None:
    """Rows: A08 (partly)."""
    for path in ("/", "/version", "/nothing-here", "/ws"):
        headers = browser.ask(path).headers
        policy = dict(one.split(" ", 1) for one in headers["Content-Security-Policy"].split("; "))
        assert policy["default-src"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == "'self'"
        assert policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'none'"
        assert re.fullmatch(r"'self' wss://127\.0\.0\.1:\d+", policy["connect-src"])
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert "geolocation=()" in headers["Permissions-Policy"]


def test_a_strange_host_does_not_get_into_the_policy(browser: Browser) -> None:
    for host in ("x; script-src *", "evil.example/..", "a b", "\u00e9"):
        policy = browser.ask("/", Host=host).headers["Content-Security-Policy"]
        assert "connect-src 'self';" in policy
        assert policy.count("script-src") == 1


@pytest.mark.parametrize(
    "path",
    [
        *(
            "/../certificate.pem",
            "/assets/../../web.py",
            "/assets/%2e%2e/%2e%2e/web.py",
            "/..%2fweb.py",
            "/%2e%2e%5cweb.py",
        ),
        *(
            "//etc/passwd",
            "/assets//etc/passwd",
            "/etc/passwd",
            "/assets/",
            "/assets",
            "/.",
            "/%00",
            "/index.html%00.js",
        ),
        *("/index.html.br", "/worker.js.gz", "/web.py", "/__init__.py", "/invite/../../web.py", "/C:/windows", "/*"),
        *("/%ff", "/" + "a" * 5000, "/invite/" + "a" * 300),
    ],
)
def test_nothing_outside_the_table_can_be_read(browser: Browser, path: str) -> None:
    answer = browser.ask(path)
    assert answer.status in (400, 404), path
    assert len(answer.body) < 200


def test_pages_are_only_read(browser: Browser) -> None:
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        assert browser.ask("/", method).status == 405
