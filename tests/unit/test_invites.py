"""Where links lead that a server prints."""

from __future__ import annotations

import pytest

from veche.net.invites import Place, setup_links


@pytest.mark.parametrize(
    ("host", "domain", "links"),
    [
        ("127.0.0.1", "localhost", ["http://127.0.0.1:3215/setup/c0de"]),
        ("::1", "localhost", ["http://[::1]:3215/setup/c0de"]),
        ("0.0.0.0", "talk.example", ["http://127.0.0.1:3215/setup/c0de", "https://talk.example:3215/setup/c0de"]),
        ("::", "talk.example", ["http://[::1]:3215/setup/c0de", "https://talk.example:3215/setup/c0de"]),
        ("192.0.2.7", "localhost", ["https://192.0.2.7:3215/setup/c0de"]),
    ],
)
def test_the_set_up_page_is_plain_on_this_machine_and_encrypted_from_others(
    host: str, domain: str, links: list[str]
) -> None:
    """Rows: A25 (partly)."""
    assert setup_links(Place(host=host, port=3215, domain=domain, fingerprint=""), "c0de") == links
