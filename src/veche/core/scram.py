"""SCRAM-SHA-256 and SCRAM-SHA-256-PLUS, both ends, for the four packets of packets/account.py.

The messages of RFC 5802 §7, where those in brackets are never sent, since both ends can write them:

    client-first-message    n,,n=alice,r=<client nonce>                     CONNECT message=
    [server-first-message]  r=<nonce>,s=<salt>,i=<iterations>               CONNECT-ACK nonce= salt= iterations=
    [client-final-message]  c=<base64 of GS2 header, binding>,r=<nonce>     CONNECT-CONTINUE hash=<ClientProof>
    [server-final-message]  v=<ServerSignature>                             CONNECT-OK signature=

The server keeps a `Verifier`, from which nobody can log in (row X03).  Each challenge has a new nonce and can be
answered once, so a proof that was overheard is worth nothing (row M06).

Everything that the other side sends works or raises ScramFailed, never anything else.  Nonces and salts come in as
arguments; the caller makes them by a cryptographic generator, 18 bytes or more for a nonce, 16 for a salt.

Source: RFC 5802, RFC 7677, RFC 5929 §4 (tls-server-end-point), RFC 4013 (SASLprep); rows A10, A11, M04-M09, X03.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import stringprep
import unicodedata
from binascii import a2b_base64, b2a_base64
from typing import NamedTuple

from .names import BadLogin, normal_login

SCRAM = "SCRAM-SHA-256"
SCRAM_PLUS = "SCRAM-SHA-256-PLUS"
MIN_ITERATIONS = 4096
MAX_ITERATIONS = 10_000_000
"""More than this (seconds of work) is not asked for in earnest; a client refuses to be kept busy."""

_BINDING_FLAG = "p=tls-server-end-point"
_SALT_BYTES = 16
_NONCE = re.compile(r"[!-+\--~]+")
"""`printable` of RFC 5802 §7: %x21-2B / %x2D-7E, all but the comma."""
_BAD_ESCAPE = re.compile(r"=(?!2C|3D)")
_EXTENSION = re.compile(r"[A-Za-z]=[^\0]+")
_JOINERS = {0x200C: None, 0x200D: None}


class ScramFailed(Exception):
    """This exchange does not log in.  The sentence is for the log, and for the user of a client; a server that tells
    it to the peer may do so for malformed messages, but says no more than wrong-credentials about a proof."""


class Verifier(NamedTuple):
    """What a server keeps of a password.  salt: 16 bytes.  stored_key, server_key: 32 bytes (RFC 5802 §3)."""

    salt: bytes
    iterations: int
    stored_key: bytes
    server_key: bytes


class SaltedKeys(dict[tuple[bytes, int], bytes]):
    """Salted passwords by (salt, iterations), so that logging in again needs no PBKDF2.

    Belongs to one account and one password, and is as secret as they are; throw it away when either changes.
    Only keys with which a server proved that it knows them are put in.
    """

    def __repr__(self) -> str:
        return f"<SaltedKeys: {len(self)}>"


def make_verifier(password: str, salt: bytes, iterations: int) -> Verifier:
    """Return what to keep of a new password.  Takes PBKDF2's time (0.1 s and more): not for an event loop.

    salt: 16 random bytes, never used before, of the same length as `fake_salt`.  iterations: at least 4096.
    Raises ScramFailed when SASLprep refuses the password; its sentence is for the user.
    """
    salted = _salted_password(password, salt, iterations)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    return Verifier(salt, iterations, hashlib.sha256(client_key).digest(), hmac.digest(salted, b"Server Key", "sha256"))


def fake_salt(secret: bytes, login: str) -> bytes:
    """Return the salt of an account that does not exist: 16 bytes, always the same for the same login.

    secret: 32 random bytes that the server keeps for ever.  The domain of the login does not count.
    `Verifier(fake_salt(secret, login), default iterations, bytes(32), bytes(32))` is what to challenge with: the
    exchange has the shape and the time of any other, and no proof fits (rows M05, X03).
    """
    name = login.partition("@")[0].encode("utf-8", "surrogatepass")
    return hmac.digest(secret, b"fake salt\0" + name, "sha256")[:_SALT_BYTES]


class ServerScram:
    """The server's end of one login: made from CONNECT, asked `finish` at CONNECT-CONTINUE.

    mechanism: as in CONNECT.  client_first: its `message`; the name in it may have any spelling of the login.  login:
    whose verifier this is.  server_nonce: new, of printable ASCII without comma.  binding: for -PLUS, the hash of the
    server's certificate (RFC 5929 §4.1), None when there is no TLS.  offered_plus: HELLO named SCRAM-SHA-256-PLUS on
    this link.  keeps_case: case tells logins apart, as in names.py.
    Raises ScramFailed when the message is malformed, names another login, or binds to the wrong channel.
    Nothing here depends on whether the account exists.
    """

    __slots__ = ("_auth_message", "_verifier", "iterations", "nonce", "salt_b64")

    def __init__(
        self,
        mechanism: str,
        client_first: str,
        login: str,
        verifier: Verifier,
        server_nonce: str,
        *,
        binding: bytes | None,
        offered_plus: bool,
        keeps_case: bool = False,
    ) -> None:
        flag, _, rest = client_first.partition(",")
        authzid, comma, bare = rest.partition(",")
        if not comma:
            raise ScramFailed("The client-first-message has no GS2 header.")
        data = _check_flag(mechanism, flag, binding, offered_plus=offered_plus)
        if authzid and not (authzid.startswith("a=") and _is_same_login(authzid[2:], login, keeps_case)):
            raise ScramFailed("Nobody logs in on behalf of another login here.")

        self.nonce = nonce = _client_nonce(bare, login, keeps_case) + server_nonce
        self.salt_b64 = salt_b64 = _b64(verifier.salt)
        self.iterations = verifier.iterations
        self._verifier = verifier
        header = client_first[: len(client_first) - len(bare)]
        self._auth_message: bytes | None = _auth_message(bare, header, data, nonce, salt_b64, verifier.iterations)

    def finish(self, proof_b64: str) -> str:
        """Return the ServerSignature in base64 when the proof (base64) is right, else raise ScramFailed.

        A challenge is answered once; a second call raises ScramFailed whatever the proof.
        """
        auth_message, self._auth_message = self._auth_message, None
        if auth_message is None:
            raise ScramFailed("This challenge has been answered already.")
        proof = _unb64(proof_b64, "proof")
        stored_key = self._verifier.stored_key
        signature = hmac.digest(stored_key, auth_message, "sha256")
        if len(proof) != len(signature):
            raise ScramFailed("A ClientProof has 32 bytes.")
        # RFC 5802 §3: "The server authenticates the client by computing the ClientSignature, exclusive-ORing that with
        # the ClientProof to recover the ClientKey and verifying the correctness of the ClientKey by applying the hash
        # function and comparing the result to the StoredKey."
        if not hmac.compare_digest(hashlib.sha256(_xor(proof, signature)).digest(), stored_key):
            raise ScramFailed("The proof is wrong.")
        return _b64(hmac.digest(self._verifier.server_key, auth_message, "sha256"))


class ClientScram:
    """The client's end of one login: `first`, then `answer` with CONNECT-ACK, then `check` with CONNECT-OK.

    login: `alice` or `alice@example.org`.  client_nonce: new, of printable ASCII without comma.
    mechanism: SCRAM-SHA-256-PLUS needs `binding`, the hash of the certificate that this client sees (RFC 5929 §4.1).
    server_offers_plus: HELLO named SCRAM-SHA-256-PLUS.  keys: found keys are used in place of `password`, and the keys
    of a login that went well are kept there.
    Raises ScramFailed when the login or the nonce cannot be sent.
    """

    __slots__ = ("_bare", "_binding", "_header", "_keys", "_nonce", "_password", "_salted", "_signature")

    def __init__(
        self,
        login: str,
        password: str,
        client_nonce: str,
        *,
        mechanism: str = SCRAM,
        binding: bytes | None = None,
        server_offers_plus: bool = False,
        keys: SaltedKeys | None = None,
    ) -> None:
        name = unicodedata.normalize("NFC", login)
        if not name or "\0" in name or not _is_utf8(name):
            raise ScramFailed("This login cannot be sent.")
        if not _NONCE.fullmatch(client_nonce):
            raise ScramFailed("A nonce has printable ASCII characters, without comma.")
        if mechanism == SCRAM_PLUS:
            if binding is None:
                raise ScramFailed("SCRAM-SHA-256-PLUS needs a TLS channel to bind to.")
            flag = _BINDING_FLAG
        elif mechanism == SCRAM:
            # RFC 5802 §6: "If the client supports channel binding and the server does not appear to (i.e., the client
            # did not see the -PLUS name advertised by the server), then the client MUST NOT use an "n"
            # gs2-cbind-flag."  With "y" the server finds out whoever removed the name from HELLO.
            flag = "y" if binding is not None and not server_offers_plus else "n"
            binding = None
        else:
            raise ScramFailed("This client knows SCRAM-SHA-256 and SCRAM-SHA-256-PLUS only.")
        # RFC 5802 §5.1: "The characters ',' or '=' in usernames are sent as '=2C' and '=3D' respectively."
        self._bare = f"n={name.replace('=', '=3D').replace(',', '=2C')},r={client_nonce}"
        self._header = flag + ",,"
        self._binding = binding or b""
        self._nonce = client_nonce
        self._password = password
        self._keys = keys
        self._salted: tuple[bytes, int, bytes] | None = None
        self._signature: bytes | None = None

    def first(self) -> str:
        """Return the client-first-message, `message` of CONNECT."""
        return self._header + self._bare

    def answer(self, salt_b64: str, iterations: int, nonce: str) -> str:
        """Return the ClientProof in base64, `hash` of CONNECT-CONTINUE.

        Takes PBKDF2's time unless `keys` has them: not for an event loop.  Raises ScramFailed when the challenge is
        malformed, is not for our nonce, asks for fewer than 4096 or more than 10,000,000 iterations, or when SASLprep
        refuses the password.
        """
        # RFC 5802 §5.1: "The client MUST verify that the initial part of the nonce used in subsequent messages is the
        # same as the nonce it initially specified."
        if not nonce.startswith(self._nonce) or len(nonce) == len(self._nonce) or not _NONCE.fullmatch(nonce):
            raise ScramFailed("The server's nonce does not continue ours.")
        # RFC 7677 §4: "the hash iteration-count SHOULD be at least 4096"; whoever asks for less wants a proof that lets
        # the password be guessed.
        if not MIN_ITERATIONS <= iterations <= MAX_ITERATIONS:
            raise ScramFailed(
                f"The server asks for {MIN_ITERATIONS} to {MAX_ITERATIONS} iterations, or is not trusted."
            )
        salt = _unb64(salt_b64, "salt")
        if not salt:
            raise ScramFailed("The server sent no salt.")
        salted = self._keys.get((salt, iterations)) if self._keys is not None else None
        if salted is None:
            salted = _salted_password(self._password, salt, iterations)
        auth_message = _auth_message(self._bare, self._header, self._binding, nonce, salt_b64, iterations)
        client_key = hmac.digest(salted, b"Client Key", "sha256")
        client_signature = hmac.digest(hashlib.sha256(client_key).digest(), auth_message, "sha256")
        self._salted = (salt, iterations, salted)
        self._signature = hmac.digest(hmac.digest(salted, b"Server Key", "sha256"), auth_message, "sha256")
        return _b64(_xor(client_key, client_signature))

    def check(self, signature_b64: str) -> None:
        """Raise ScramFailed unless the server (`signature` of CONNECT-OK, base64) knows this account's verifier."""
        signature = _unb64(signature_b64, "signature")
        # RFC 5802 §5: "If the two are different, the client MUST consider the authentication exchange to be
        # unsuccessful".
        if self._signature is None or self._salted is None or not hmac.compare_digest(signature, self._signature):
            raise ScramFailed("This server does not know the account: it is not the one it claims to be.")
        if self._keys is not None:
            salt, iterations, salted = self._salted
            self._keys[salt, iterations] = salted


# -- the parts of the messages


def _check_flag(mechanism: str, flag: str, binding: bytes | None, *, offered_plus: bool) -> bytes:
    """Return the channel binding data that belongs after the GS2 header; raise ScramFailed for a wrong flag."""
    if mechanism == SCRAM_PLUS:
        if binding is None:
            raise ScramFailed("There is no TLS channel to bind to.")
        # RFC 5802 §6: "If the channel binding flag was "p" and the server does not support the indicated channel
        # binding type, then the server MUST fail authentication."
        if flag != _BINDING_FLAG:
            raise ScramFailed("SCRAM-SHA-256-PLUS binds to tls-server-end-point.")
        return binding
    if mechanism != SCRAM:
        raise ScramFailed("This server knows SCRAM-SHA-256 and SCRAM-SHA-256-PLUS only.")
    # RFC 5802 §6: "If the flag is set to "y" and the server supports channel binding, the server MUST fail
    # authentication."
    if flag == "y" and offered_plus:
        raise ScramFailed("This server offers SCRAM-SHA-256-PLUS; somebody hid that from the client.")
    if flag not in ("n", "y"):
        raise ScramFailed("SCRAM-SHA-256 has the flag n or y; binding needs SCRAM-SHA-256-PLUS.")
    return b""


def _client_nonce(bare: str, login: str, keeps_case: bool) -> str:
    """Return the nonce of a client-first-message-bare, `n=<name>,r=<nonce>[,<extensions>]`."""
    name, _, rest = bare.partition(",")
    nonce, comma, extensions = rest.partition(",")
    # RFC 5802 §5.1, on "m": "its presence in a client or a server message MUST cause authentication failure when the
    # attribute is parsed by the other end."
    if bare.startswith("m="):
        raise ScramFailed("Mandatory extensions are not known here.")
    if not name.startswith("n="):
        raise ScramFailed("The client-first-message names no login.")
    if not nonce.startswith("r=") or not _NONCE.fullmatch(nonce, 2):
        raise ScramFailed("The client-first-message has no nonce.")
    if comma:
        for extension in extensions.split(","):
            if not _EXTENSION.fullmatch(extension) or extension.startswith("m="):
                raise ScramFailed("The client-first-message has an extension that is not known here.")
    if not _is_same_login(name[2:], login, keeps_case):
        raise ScramFailed("The client-first-message names another login than CONNECT.")
    return nonce[2:]


def _is_same_login(escaped: str, login: str, keeps_case: bool) -> bool:
    # RFC 5802 §5.1: "If the server receives a username that contains '=' not followed by either '2C' or '3D', then the
    # server MUST fail the authentication."
    if _BAD_ESCAPE.search(escaped):
        raise ScramFailed("In a login, '=' and ',' are written =3D and =2C.")
    name = escaped.replace("=2C", ",").replace("=3D", "=")
    return bool(name) and (name == login or _comparable(name, keeps_case) == _comparable(login, keeps_case))


def _comparable(login: str, keeps_case: bool) -> str:
    """The login in its one spelling, without its domain.  What is no login stays as it is.

    A client may have SASLprepped the name, which drops the joiners that some scripts need; ours does not.  Which
    account it is says CONNECT's `login` alone.
    """
    name = login.partition("@")[0]
    try:
        return normal_login(name, keeps_case=keeps_case).translate(_JOINERS)
    except BadLogin:
        return name


def _auth_message(bare: str, header: str, binding: bytes, nonce: str, salt_b64: str, iterations: int) -> bytes:
    """AuthMessage of RFC 5802 §3: client-first-bare, server-first and client-final-without-proof, joined by commas."""
    try:
        channel = _b64(header.encode() + binding)
        return f"{bare},r={nonce},s={salt_b64},i={iterations},c={channel},r={nonce}".encode()
    except UnicodeEncodeError:
        raise ScramFailed("A SCRAM message is UTF-8.") from None


# -- passwords


def _salted_password(password: str, salt: bytes, iterations: int) -> bytes:
    """SaltedPassword := Hi(Normalize(password), salt, i), RFC 5802 §3.  32 bytes."""
    return hashlib.pbkdf2_hmac("sha256", _saslprep(password).encode(), salt, iterations)


def _saslprep(password: str) -> str:
    """Return the password as SASLprep (RFC 4013) writes it; raise ScramFailed when it may not be.

    NFKC is today's: it gives for the characters of Unicode 3.2 what RFC 3454 asks for (but for the five ideographs of
    Corrigendum 4), and it is what browsers and other SCRAM libraries have.
    """
    if password.isascii() and password.isprintable() and password:
        return password
    mapped = "".join(
        " " if stringprep.in_table_c12(char) else char for char in password if not stringprep.in_table_b1(char)
    )
    prepared = unicodedata.normalize("NFKC", mapped)
    # RFC 5802 §2.2: ""str" is treated as a "stored strings", which means that unassigned Unicode codepoints are
    # prohibited (see Section 7 of [RFC3454])."  Asked of `mapped` too, since today's NFKC knows newer characters.
    if any(map(stringprep.in_table_a1, mapped)) or any(map(stringprep.in_table_a1, prepared)):
        return _opaque_string(password)
    if any(prohibited(char) for char in prepared for prohibited in _PROHIBITED):
        raise ScramFailed("The password has a character that passwords may not have (invisible or private).")
    # RFC 3454 §6: "If a string contains any RandALCat character, the string MUST NOT contain any LCat character", and
    # "a RandALCat character MUST be the first character of the string, and [...] the last character of the string."
    if any(map(stringprep.in_table_d1, prepared)) and (
        any(map(stringprep.in_table_d2, prepared))
        or not stringprep.in_table_d1(prepared[0])
        or not stringprep.in_table_d1(prepared[-1])
    ):
        return _opaque_string(password)
    if not prepared:
        raise ScramFailed("The password is empty.")
    return prepared


def _opaque_string(password: str) -> str:
    """Return the password by OpaqueString (RFC 8265 §4.2), the successor of SASLprep.

    For what SASLprep refuses only because it is older than the character (emoji) or because of the direction of
    writing: people do have such passwords, and no SCRAM client that is strict about SASLprep could have made them.
    """
    prepared = unicodedata.normalize(
        "NFC", "".join(" " if unicodedata.category(char) == "Zs" else char for char in password)
    )
    if any(unicodedata.category(char) in ("Cc", "Cs", "Co") for char in prepared):
        raise ScramFailed("The password has a character that passwords may not have (invisible or private).")
    return prepared


_PROHIBITED = (
    stringprep.in_table_c12,
    stringprep.in_table_c21_c22,
    stringprep.in_table_c3,
    stringprep.in_table_c4,
    stringprep.in_table_c5,
    stringprep.in_table_c6,
    stringprep.in_table_c7,
    stringprep.in_table_c8,
    stringprep.in_table_c9,
)
"""RFC 4013 §2.3, prohibited output."""


# -- bytes


def _b64(raw: bytes) -> str:
    return b2a_base64(raw, newline=False).decode("ascii")


def _unb64(text: str, what: str) -> bytes:
    try:
        return a2b_base64(text, strict_mode=True)
    except ValueError:
        raise ScramFailed(f"The {what} is not base64.") from None


def _xor(left: bytes, right: bytes) -> bytes:
    """Exclusive-or of two byte strings of the same length."""
    return (int.from_bytes(left, "big") ^ int.from_bytes(right, "big")).to_bytes(len(left), "big")


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
