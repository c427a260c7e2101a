"""The browser client: the files that `python3 dev.py build` made, served from a table.

Rules:

1. The table of paths is made once, from the folder of the package.  What is asked for is looked up in it and nowhere
   else: no request names a file.
2. A file is read when it is first asked for, in the best form that the browser takes, and kept: all of them are small.
3. Names below /assets/ hold a hash of the content: they never change.  Everything else is asked for again, by its ETag.

Source: DESIGN §8, §10; RFC 9110 §8.8.3 (ETag), §12.5.3 (Accept-Encoding), §13.1.2 (If-None-Match).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).with_name("assets")
PAGE = "/index.html"
PAGES = re.compile(r"/|/setup(/[^/]{1,200})?|/invite/[^/]{1,200}")
"""Paths that are pages of the client; it looks at the rest of the address itself."""
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".txt": "text/plain; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webp": "image/webp",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
    ".wasm": "application/wasm",
    ".ogg": "audio/ogg",
    ".mp3": "audio/mpeg",
}
"""What may be served, and as what."""
ENCODINGS = {"br": ".br", "gzip": ".gz"}
"""What a file may be compressed by, the best first, and how its name ends then."""
_CODING = re.compile(r"\s*(?P<name>[\w-]+)\s*(?:;\s*q=(?P<quality>[01](?:\.\d{0,3})?)\s*)?")
FOREVER, ASK_AGAIN = "public, max-age=31536000, immutable", "no-cache"


class Form(NamedTuple):
    """A file as it is sent."""

    body: bytes
    etag: str
    """Without its quotes."""
    encoding: str
    """"" when it is not compressed."""


class Asset:
    """One path of the client and the files that hold its forms, by encoding."""

    def __init__(self, path: str, files: Mapping[str, Path]) -> None:
        self.content_type = TYPES[Path(path).suffix]
        self.cache_control = FOREVER if path.startswith("/assets/") else ASK_AGAIN
        self._files = files
        self._forms: dict[str, Form] = {}

    def form(self, accepted: set[str]) -> Form:
        """The best form that a browser takes which accepts these encodings.  Raises OSError when the file is gone."""
        encoding = next(one for one in self._files if one in accepted or not one)
        if encoding not in self._forms:
            body = self._files[encoding].read_bytes()
            self._forms[encoding] = Form(body, hashlib.sha256(body).hexdigest()[:32], encoding)
        return self._forms[encoding]


def asset_table(folder: Path = FOLDER) -> dict[str, Asset]:
    """The assets by path; nothing when the client was not built."""
    files = {f"/{path.relative_to(folder).as_posix()}": path for path in folder.rglob("*") if path.is_file()}
    return {path: Asset(path, dict(forms(path, files))) for path in files if Path(path).suffix in TYPES}


def forms(path: str, files: Mapping[str, Path]) -> Iterator[tuple[str, Path]]:
    """The files that hold one path, by encoding, the best first."""
    for encoding, end in ENCODINGS.items():
        if path + end in files:
            yield encoding, files[path + end]
    yield "", files[path]


def find(table: Mapping[str, Asset], path: str) -> Asset | None:
    """The asset for the path of a request; None when there is none."""
    return table.get(PAGE if PAGES.fullmatch(path) else path)


def accepted_encodings(header: str) -> set[str]:
    """The encodings that an Accept-Encoding names as welcome."""
    found = (_CODING.fullmatch(one) for one in header.lower().split(","))
    return {one["name"] for one in found if one is not None and float(one["quality"] or 1) > 0}
