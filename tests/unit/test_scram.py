"""SCRAM, both ends: against the vector of RFC 7677, against scramp, and against each other."""

from __future__ import annotations

import unicodedata
from base64 import b64decode, b64encode
from typing import Any

import pytest
import scramp  # pyright: ignore[reportMissingTypeStubs]
from hypothesis import given, settings
from hypothesis import strategies as st

from veche.core.scram import (
    SCRAM,
    SCRAM_PLUS,
    ClientScram,
    SaltedKeys,
    ScramFailed,
    ServerScram,
    Verifier,
    fake_salt,
    make_verifier,
)

SALT = bytes(range(16))
ITERATIONS = 4096
VERIFIER = make_verifier("pencil", SALT, ITERATIONS)
CLIENT_NONCE = "rOprNGfwEbeRWgbNEkqO"
SERVER_NONCE = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
BINDING = b"\x5a" * 32
ANY_TEXT = st.text(st.characters())
"""Surrogates too: JSON may hold them."""


def serve(
    client_first: str,
    *,
    mechanism: str = SCRAM,
    login: str = "alice",
    verifier: Verifier = VERIFIER,
    binding: bytes | None = None,
    offered_plus: bool = False,
) -> ServerScram:
    """The server's end for alice, whose password is pencil."""
    return ServerScram(
        mechanism, client_first, login, verifier, SERVER_NONCE, binding=binding, offered_plus=offered_plus
    )


def log_in(client: ClientScram, server: ServerScram) -> None:
    """Both halves of the exchange after the client-first-message."""
    client.check(server.finish(client.answer(server.salt_b64, server.iterations, server.nonce)))


# -- the published vector


def test_the_vector_of_rfc_7677_holds_for_both_ends() -> None:
    """RFC 7677 §3.  Rows: M07, X03."""
    client = ClientScram("user", "pencil", CLIENT_NONCE)
    assert client.first() == "n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
    verifier = make_verifier("pencil", b64decode("W22ZaJ0SNY7soEsUEjb6gQ=="), 4096)
    server = serve(client.first(), login="user", verifier=verifier)
    assert (server.nonce, server.salt_b64, server.iterations) == (
        "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
        "W22ZaJ0SNY7soEsUEjb6gQ==",
        4096,
    )
    proof = client.answer(server.salt_b64, server.iterations, server.nonce)
    assert proof == "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
    signature = server.finish(proof)
    assert signature == "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
    client.check(signature)


# -- with scramp at the other end


def scramp_binding(plus: bool) -> tuple[str, bytes] | None:
    return ("tls-server-end-point", BINDING) if plus else None


@pytest.mark.parametrize("mechanism", [SCRAM, SCRAM_PLUS])
@pytest.mark.parametrize("login", ["alice", "a,b=c", "=2C", "боб"])
@pytest.mark.parametrize("password", ["pencil", "пароль", "~!@#$%^&*_-+=`|\\(){}[]:;\"'<>,.?/", "I\u00adX"])
def test_our_client_logs_in_to_the_server_of_scramp(mechanism: str, login: str, password: str) -> None:
    """Rows: M07, X03."""
    plus = mechanism == SCRAM_PLUS
    peer: Any = scramp.ScramMechanism(mechanism)
    info = peer.make_auth_info(password, iteration_count=ITERATIONS, salt=SALT)
    assert make_verifier(password, SALT, ITERATIONS) == (info[0], info[3], info[1], info[2])

    def info_of(_login: str) -> Any:
        return info

    server = peer.make_server(info_of, channel_binding=scramp_binding(plus))

    binding = BINDING if plus else None
    client = ClientScram(login, password, CLIENT_NONCE, mechanism=mechanism, binding=binding, server_offers_plus=plus)
    server.set_client_first(client.first())
    first = dict(part.split("=", 1) for part in server.get_server_first().split(","))
    proof = client.answer(first["s"], int(first["i"]), first["r"])
    header = b"p=tls-server-end-point,," + BINDING if plus else b"n,,"
    server.set_client_final(f"c={b64encode(header).decode()},r={first['r']},p={proof}")
    client.check(server.get_server_final().removeprefix("v="))


@pytest.mark.parametrize("mechanism", [SCRAM, SCRAM_PLUS])
@pytest.mark.parametrize("login", ["alice", "a,b=c", "=2C", "боб", "ｆｉｏｎａ", "نامه\u200cای"])
@pytest.mark.parametrize("password", ["pencil", "пароль", "I\u00adX"])
def test_the_client_of_scramp_logs_in_to_our_server(mechanism: str, login: str, password: str) -> None:
    """Rows: M07, X03."""
    plus = mechanism == SCRAM_PLUS
    peer: Any = scramp.ScramClient([mechanism], login, password, channel_binding=scramp_binding(plus))
    server = serve(
        peer.get_client_first(),
        mechanism=mechanism,
        login=login,
        verifier=make_verifier(password, SALT, ITERATIONS),
        binding=BINDING if plus else None,
        offered_plus=plus,
    )
    peer.set_server_first(f"r={server.nonce},s={server.salt_b64},i={server.iterations}")
    final = dict(part.split("=", 1) for part in peer.get_client_final().split(","))
    peer.set_server_final(f"v={server.finish(final['p'])}")


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters() | st.sampled_from("Iae\u00ad\u2168\u0627\u06281 \u00a0\u0301ﬁ"), min_size=1, max_size=6))
def test_we_and_scramp_prepare_the_same_passwords_the_same_way(password: str) -> None:
    """SASLprep, RFC 4013; what it refuses may go by RFC 8265 here.  Rows: A10, X03."""
    peer: Any = scramp.ScramMechanism(SCRAM)
    try:
        theirs = peer.make_auth_info(password, iteration_count=ITERATIONS, salt=SALT)
    except scramp.ScramException:
        theirs = None
    try:
        ours = make_verifier(password, SALT, ITERATIONS)
    except ScramFailed as error:
        assert theirs is None or "empty" in str(error)  # noqa: PT017
    else:
        assert theirs is None or ours == (theirs[0], theirs[3], theirs[1], theirs[2])


# -- passwords


@pytest.mark.parametrize(
    ("one", "other"),
    [("I\u00adX", "IX"), ("\u00aa", "a"), ("\u2168", "IX"), ("a\u3000b", "a b"), ("e\u0301", "\u00e9")],
)
def test_two_spellings_of_one_password_have_one_verifier(one: str, other: str) -> None:
    """RFC 4013 §3.  Rows: A10."""
    assert make_verifier(one, SALT, 1) == make_verifier(other, SALT, 1)


@pytest.mark.parametrize("password", ["\u0627\u0031", "\U0001f600", "correct horse \U0001fae8"])
def test_a_password_that_saslprep_is_too_old_for_works(password: str) -> None:
    """RFC 8265 §4.2.  Rows: A10."""
    verifier = make_verifier(password, bytes(16), 4096)
    assert verifier == make_verifier(password, bytes(16), 4096)
    assert verifier != make_verifier(password + "!", bytes(16), 4096)


@pytest.mark.parametrize("password", ["", "\u00ad", "\x07", "\ue000", "\ud800", "a\0b"])
def test_a_password_that_saslprep_refuses_is_refused_with_a_sentence(password: str) -> None:
    """RFC 4013 §3.  Rows: A10."""
    with pytest.raises(ScramFailed, match=r"^The password .+\.$"):
        make_verifier(password, SALT, 1)


def test_case_and_every_character_of_a_password_count() -> None:
    """Rows: T03."""
    assert len({make_verifier(password, SALT, 1) for password in ("pencil", "Pencil", "pencil ")}) == 3


def test_a_verifier_holds_no_password_and_does_not_log_in() -> None:
    """Rows: A10, X03."""
    assert b"pencil" not in b"".join((VERIFIER.salt, VERIFIER.stored_key, VERIFIER.server_key))
    thief = ClientScram("alice", "x", CLIENT_NONCE, keys=SaltedKeys({(SALT, ITERATIONS): VERIFIER.stored_key}))
    server = serve(thief.first())
    with pytest.raises(ScramFailed):
        server.finish(thief.answer(server.salt_b64, server.iterations, server.nonce))


# -- the exchange


@pytest.mark.parametrize(
    ("sent", "asked"),
    [
        ("alice", "alice"),
        ("alice@example.org", "alice"),
        ("alice", "alice@example.org"),
        ("a,b=c", "a,b=c"),
        ("=2C", "=2C"),
        ("Ame\u0301lie", "am\u00e9lie"),
        ("Vasya@Example.ORG", "vasya"),
        ("ＶＡＳＹＡ", "vasya"),
    ],
)
def test_the_right_password_logs_in(sent: str, asked: str) -> None:
    """Rows: A11, M04, M08."""
    client = ClientScram(sent, "pencil", CLIENT_NONCE)
    log_in(client, serve(client.first(), login=asked))


def test_the_wrong_password_does_not() -> None:
    """Rows: A11, M09."""
    client = ClientScram("alice", "Pencil", CLIENT_NONCE)
    with pytest.raises(ScramFailed, match="proof is wrong"):
        log_in(client, serve(client.first()))


def test_a_challenge_is_answered_once() -> None:
    """Rows: M06."""
    client = ClientScram("alice", "pencil", CLIENT_NONCE)
    server = serve(client.first())
    proof = client.answer(server.salt_b64, server.iterations, server.nonce)
    server.finish(proof)
    with pytest.raises(ScramFailed, match="already"):
        server.finish(proof)


def test_an_overheard_proof_is_worth_nothing_for_the_next_challenge() -> None:
    """Rows: M06."""
    client = ClientScram("alice", "pencil", CLIENT_NONCE)
    server = serve(client.first())
    proof = client.answer(server.salt_b64, server.iterations, server.nonce)
    later = ServerScram(SCRAM, client.first(), "alice", VERIFIER, "another", binding=None, offered_plus=False)
    with pytest.raises(ScramFailed):
        later.finish(proof)


def test_an_unknown_login_is_challenged_like_any_other_and_never_let_in() -> None:
    """Rows: M05, X03, A25 (partly)."""
    secret = b"s" * 32
    salt = fake_salt(secret, "nobody")
    verifier = Verifier(salt, ITERATIONS, bytes(32), bytes(32))
    client = ClientScram("nobody", "pencil", CLIENT_NONCE)
    unknown = serve(client.first(), login="nobody", verifier=verifier)
    known = serve(client.first(), login="nobody")
    assert (len(unknown.salt_b64), unknown.iterations, unknown.nonce) == (
        len(known.salt_b64),
        known.iterations,
        known.nonce,
    )
    with pytest.raises(ScramFailed, match="proof is wrong"):
        log_in(client, unknown)


def test_the_salt_of_an_unknown_login_is_stable_and_its_own() -> None:
    """Rows: M05, X03."""
    salt = fake_salt(b"s" * 32, "nobody")
    assert len(salt) == 16
    assert salt == fake_salt(b"s" * 32, "nobody") == fake_salt(b"s" * 32, "nobody@example.org")
    assert len({salt, fake_salt(b"s" * 32, "nobody2"), fake_salt(b"t" * 32, "nobody")}) == 3
    assert len(fake_salt(b"s" * 32, "\ud800")) == 16


def test_a_client_does_not_believe_a_server_that_does_not_know_the_account() -> None:
    """Rows: M08, X03."""
    client = ClientScram("alice", "pencil", CLIENT_NONCE)
    with pytest.raises(ScramFailed):
        client.check(b64encode(bytes(32)).decode())
    server = serve(client.first())
    client.answer(server.salt_b64, server.iterations, server.nonce)
    for signature in ("", "AAAA", b64encode(bytes(32)).decode(), "no base64"):
        with pytest.raises(ScramFailed):
            client.check(signature)


def test_logging_in_again_needs_no_pbkdf2() -> None:
    """Shown by a password that SASLprep would refuse if it were used.  Rows: A11."""
    keys = SaltedKeys()
    client = ClientScram("alice", "pencil", CLIENT_NONCE, keys=keys)
    log_in(client, serve(client.first()))
    assert list(keys) == [(SALT, ITERATIONS)]
    again = ClientScram("alice", "\x07", CLIENT_NONCE, keys=keys)
    log_in(again, serve(again.first()))
    assert repr(keys) == "<SaltedKeys: 1>"


def test_the_keys_of_a_wrong_password_are_not_kept() -> None:
    """Rows: A11."""
    keys = SaltedKeys()
    client = ClientScram("alice", "Pencil", CLIENT_NONCE, keys=keys)
    with pytest.raises(ScramFailed):
        log_in(client, serve(client.first()))
    assert not keys


# -- channel binding


def test_a_login_bound_to_another_channel_fails() -> None:
    """Somebody in the middle shows another certificate.  Rows: X03."""
    client = ClientScram("alice", "pencil", CLIENT_NONCE, mechanism=SCRAM_PLUS, binding=b"\xa5" * 32)
    server = serve(client.first(), mechanism=SCRAM_PLUS, binding=BINDING, offered_plus=True)
    with pytest.raises(ScramFailed, match="proof is wrong"):
        log_in(client, server)


def test_hiding_plus_from_a_client_that_can_bind_is_found_out() -> None:
    """RFC 5802 §6.  Rows: X03."""
    client = ClientScram("alice", "pencil", CLIENT_NONCE, binding=BINDING, server_offers_plus=False)
    assert client.first().startswith("y,,")
    with pytest.raises(ScramFailed, match="hid"):
        serve(client.first(), binding=BINDING, offered_plus=True)


def test_a_client_that_can_bind_logs_in_to_a_server_that_cannot() -> None:
    """Rows: A11."""
    client = ClientScram("alice", "pencil", CLIENT_NONCE, binding=BINDING, server_offers_plus=False)
    log_in(client, serve(client.first()))


def test_a_client_that_cannot_bind_logs_in_to_a_server_that_can() -> None:
    """Rows: A11."""
    client = ClientScram("alice", "pencil", CLIENT_NONCE, server_offers_plus=True)
    assert client.first().startswith("n,,")
    log_in(client, serve(client.first(), binding=BINDING, offered_plus=True))


def test_changing_the_flag_on_the_way_fails() -> None:
    """Rows: X03."""
    client = ClientScram("alice", "pencil", CLIENT_NONCE, binding=BINDING, server_offers_plus=False)
    with pytest.raises(ScramFailed, match="proof is wrong"):
        log_in(client, serve("n" + client.first()[1:], offered_plus=True))


# -- malformed messages


@pytest.mark.parametrize(
    "client_first",
    [
        "",
        "n",
        "n,",
        "n,,",
        "n,,n=alice",
        "n,,n=alice,",
        "n,,n=alice,r=",
        "n,,n=alice,r=a b",
        "n,,n=alice,r=é",
        "n,,n=alice,r=a\n",
        "n,,n=,r=abc",
        "n,,alice,r=abc",
        "n,,r=abc,n=alice",
        "n,,n=bob,r=abc",
        "n,,n=alice=2c,r=abc",
        "n,,n=alice=,r=abc",
        "n,,n=alice\0,r=abc",
        "n,,m=x,n=alice,r=abc",
        "n,,n=alice,r=abc,m=x",
        "n,,n=alice,r=abc,x",
        "n,,n=alice,r=abc,",
        "n,,n=alice,r=abc,x=",
        "n,,n=alice,r=abc,x=\ud800",
        "n,a=bob,n=alice,r=abc",
        "n,bob,n=alice,r=abc",
        "n,a=,n=alice,r=abc",
        "x,,n=alice,r=abc",
        "N,,n=alice,r=abc",
        "p,,n=alice,r=abc",
        "p=tls-server-end-point,,n=alice,r=abc",
        "y,,n=alice,r=abc",
    ],
)
def test_a_malformed_client_first_message_is_refused(client_first: str) -> None:
    """Rows: M07."""
    with pytest.raises(ScramFailed):
        serve(client_first, binding=BINDING, offered_plus=True)


@pytest.mark.parametrize("login", ["a=b", "a=", "a=2c", "="])
def test_a_login_that_is_sent_without_escaping_is_refused(login: str) -> None:
    """RFC 5802 §5.1.  Rows: M04."""
    with pytest.raises(ScramFailed, match="=3D"):
        serve(f"n,,n={login},r=abc", login=login)


def test_where_case_tells_logins_apart_the_message_must_have_the_right_one() -> None:
    """Rows: T03 (partly)."""
    case: dict[str, Any] = {"binding": None, "offered_plus": False, "keeps_case": True}
    ServerScram(SCRAM, "n,,n=Yoda,r=abc", "Yoda", VERIFIER, SERVER_NONCE, **case)
    with pytest.raises(ScramFailed, match="another login"):
        ServerScram(SCRAM, "n,,n=yoda,r=abc", "Yoda", VERIFIER, SERVER_NONCE, **case)


@pytest.mark.parametrize("flag", ["n", "y", "p", "p=", "p=tls-unique", "p=tls-exporter", "P=tls-server-end-point"])
def test_plus_needs_the_one_binding_type(flag: str) -> None:
    """Rows: X03."""
    with pytest.raises(ScramFailed):
        serve(f"{flag},,n=alice,r=abc", mechanism=SCRAM_PLUS, binding=BINDING, offered_plus=True)


def test_plus_without_a_channel_and_unknown_mechanisms_are_refused_by_both_ends() -> None:
    """Rows: X03."""
    with pytest.raises(ScramFailed):
        serve("p=tls-server-end-point,,n=alice,r=abc", mechanism=SCRAM_PLUS)
    with pytest.raises(ScramFailed):
        serve("n,,n=alice,r=abc", mechanism="SCRAM-SHA-1")
    with pytest.raises(ScramFailed):
        ClientScram("alice", "pencil", CLIENT_NONCE, mechanism=SCRAM_PLUS)
    with pytest.raises(ScramFailed):
        ClientScram("alice", "pencil", CLIENT_NONCE, mechanism="PLAIN")


@pytest.mark.parametrize("client_first", ["n,a=alice,n=alice,r=abc", "n,,n=alice,r=abc,x=y,z=ß"])
def test_an_own_authzid_and_optional_extensions_are_accepted(client_first: str) -> None:
    """RFC 5802 §5.1, §7.  Rows: M07."""
    assert serve(client_first).nonce == "abc" + SERVER_NONCE


@pytest.mark.parametrize("proof", ["", "A", "AAAA", "no base64", "é", "\ud800", b64encode(bytes(33)).decode()])
def test_a_malformed_proof_is_refused(proof: str) -> None:
    """Rows: M07."""
    with pytest.raises(ScramFailed):
        serve("n,,n=alice,r=abc").finish(proof)


@pytest.mark.parametrize(
    ("salt_b64", "iterations", "nonce"),
    [
        ("", 4096, CLIENT_NONCE + "x"),
        ("no base64", 4096, CLIENT_NONCE + "x"),
        ("AAA", 4096, CLIENT_NONCE + "x"),
        ("AAAA", 4095, CLIENT_NONCE + "x"),
        ("AAAA", -1, CLIENT_NONCE + "x"),
        ("AAAA", 10_000_001, CLIENT_NONCE + "x"),
        ("AAAA", 4096, CLIENT_NONCE),
        ("AAAA", 4096, ""),
        ("AAAA", 4096, "x" + CLIENT_NONCE),
        ("AAAA", 4096, CLIENT_NONCE + ",x"),
        ("AAAA", 4096, CLIENT_NONCE + "\ud800"),
    ],
)
def test_a_client_refuses_a_bad_challenge(salt_b64: str, iterations: int, nonce: str) -> None:
    """Rows: M05, X03."""
    with pytest.raises(ScramFailed):
        ClientScram("alice", "pencil", CLIENT_NONCE).answer(salt_b64, iterations, nonce)


@pytest.mark.parametrize(("login", "nonce"), [("", "abc"), ("a\0", "abc"), ("\ud800", "abc"), ("a", ""), ("a", "a,b")])
def test_a_client_refuses_what_cannot_be_sent(login: str, nonce: str) -> None:
    """Rows: M04."""
    with pytest.raises(ScramFailed):
        ClientScram(login, "pencil", nonce)


# -- laws

FRAGMENTS = st.lists(
    st.sampled_from(
        [
            "n",
            "y",
            "p=tls-server-end-point",
            ",",
            ",,",
            "n=",
            "alice",
            "r=",
            "abc",
            "m=",
            "a=",
            "x=y",
            "=2C",
            "=3D",
            "=",
        ]
    )
    | ANY_TEXT,
    max_size=12,
).map("".join)


@given(st.sampled_from([SCRAM, SCRAM_PLUS, ""]), FRAGMENTS, ANY_TEXT | st.just("alice"), st.booleans(), ANY_TEXT)
def test_any_strings_work_for_the_server_or_fail_as_scram(
    mechanism: str, client_first: str, login: str, plus: bool, proof: str
) -> None:
    """Rows: M05, M07."""
    binding = BINDING if plus else None
    try:
        server = serve(client_first, mechanism=mechanism, login=login, binding=binding, offered_plus=plus)
    except ScramFailed:
        return
    with pytest.raises(ScramFailed):
        server.finish(proof)


@settings(deadline=None)
@given(ANY_TEXT, ANY_TEXT, ANY_TEXT, st.integers() | st.just(4096), ANY_TEXT | st.just("AAAA"), ANY_TEXT)
def test_any_strings_work_for_the_client_or_fail_as_scram(
    login: str, password: str, nonce: str, iterations: int, salt_b64: str, signature: str
) -> None:
    """Rows: M05, M07."""
    try:
        client = ClientScram(login, password, "abc")
        client.answer(salt_b64, min(iterations, 5000), "abc" + nonce)
        client.check(signature)
    except ScramFailed:
        return
    raise AssertionError("nobody guesses a signature")


@settings(max_examples=40, deadline=None)
@given(st.text(min_size=1).filter(lambda login: "\0" not in login), st.text(min_size=1), st.booleans())
def test_what_one_end_sends_the_other_end_accepts(login: str, password: str, plus: bool) -> None:
    """Rows: A11, M04, M08."""
    try:
        verifier = make_verifier(password, SALT, ITERATIONS)
    except ScramFailed:
        return
    binding = BINDING if plus else None
    mechanism = SCRAM_PLUS if plus else SCRAM
    client = ClientScram(login, password, CLIENT_NONCE, mechanism=mechanism, binding=binding)
    name = unicodedata.normalize("NFC", login)
    server = serve(
        client.first(), mechanism=mechanism, login=name, verifier=verifier, binding=binding, offered_plus=plus
    )
    log_in(client, server)
