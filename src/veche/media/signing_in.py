"""How a bot finds its server, trusts it, and logs in: the flags of `python -m veche.media.bots`, made into a Client.

Trust is that of `veche chat --plain`: a certificate that an authority vouches for, or whose fingerprint is given or
pinned (client/slots.py, the same file as the chat's), or, of a server on this machine, the one that is met first, which
is pinned then.  Any other is refused with its fingerprint.

Source: rows A07-A09, M04-M12, M25, X03.
"""

from __future__ import annotations

import argparse
import ipaddress
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from veche.client import (
    DEFAULT_PORT,
    CertificateChanged,
    Client,
    ClientEnded,
    DialError,
    LoginRefused,
    RequestFailed,
    UntrustedCertificate,
)
from veche.client.slots import AUTHORITIES, StateDirectory, StateError, state_directory
from veche.net.dial import system_authorities
from veche.net.tls import readable
from veche.packets import ErrorCode

EXIT_OK, EXIT_REFUSED, EXIT_USAGE, EXIT_NO_LINK, EXIT_NOT_TRUSTED = 0, 1, 2, 3, 4
HTTPS_PORT = 443


class Leave(Exception):
    """The end of the program: an exit code, and a sentence that says what to do next."""

    def __init__(self, code: int, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


class Login(NamedTuple):
    """Where, as whom and how."""

    host: str
    port: int
    state: StateDirectory
    login: str | None
    password: str | None
    token: str | None
    code: str | None
    register: bool
    device: str
    fingerprint: str | None
    insecure: bool
    tls: bool

    @property
    def where(self) -> str:
        """As people write it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def is_local(self) -> bool:
        """A server on this machine."""
        try:
            return self.host == "localhost" or ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


def add_flags(parser: argparse.ArgumentParser, device: str) -> None:
    """What `login_of` reads."""
    parser.add_argument(
        "--server", metavar="HOST[:PORT]|URL", required=True, help=f"port {DEFAULT_PORT} if none is given"
    )
    parser.add_argument("--login", metavar="LOGIN", help="its account; not needed with an access token")
    parser.add_argument(
        "--password-file", metavar="FILE", type=Path, help="its first line is the password; else VECHE_PASSWORD"
    )
    parser.add_argument(
        "--token-file", metavar="FILE", type=Path, help="its first line is an access token; else VECHE_TOKEN"
    )
    parser.add_argument("--token", metavar="TOKEN", help="an access token; others on this machine can see it")
    parser.add_argument("--register", action="store_true", help="make the account first, if it is not there")
    parser.add_argument("--code", metavar="CODE", help="the invite code for that, where one is asked for")
    parser.add_argument(
        "--device", metavar="NAME", default=device, help=f"be this device of the account (default: {device})"
    )
    parser.add_argument("--fingerprint", metavar="HEX", help="trust this certificate (SHA-256) and no other")
    parser.add_argument(
        "--insecure", action="store_true", help="trust any certificate: whoever stands between can listen"
    )
    parser.add_argument("--no-tls", action="store_true", help="plain text, to a server on this machine only")
    parser.add_argument("--state-dir", metavar="DIR", type=Path, help="where trusted servers are kept")


def login_of(args: argparse.Namespace, environ: Mapping[str, str]) -> Login:
    """What flags and environment ask for.  Raises Leave."""
    host, port = parse_server(args.server)
    token = args.token or (first_line(args.token_file) if args.token_file else environ.get("VECHE_TOKEN") or None)
    password = None if token else environ.get("VECHE_PASSWORD") or None
    if args.password_file:
        token, password = None, first_line(args.password_file)
    if token is None and not args.login:
        raise usage("Who is the bot? Give --login LOGIN with a password, or an access token by --token-file FILE.")
    if token is None and password is None:
        raise usage("How does it log in? Set VECHE_PASSWORD, or give --password-file FILE or --token-file FILE.")
    if token is not None and (args.register or args.code):
        raise usage("An account is made with a password, not with an access token.")
    if not 1 <= len(args.device) <= 64:
        raise usage("--device has 1 to 64 characters.")
    fingerprint = re.sub(r"[\s:]", "", args.fingerprint or "").lower().removeprefix("sha256") or None
    if fingerprint is not None and not re.fullmatch("[0-9a-f]{64}", fingerprint):
        raise usage("--fingerprint wants the 64 hexadecimal digits that the server printed; colons do not matter.")
    if fingerprint is not None and (args.insecure or args.no_tls):
        raise usage("--fingerprint asks for a check that --insecure and --no-tls leave out.")
    login = Login(
        host,
        port,
        StateDirectory(args.state_dir or state_directory(environ, Path.home())),
        args.login,
        password,
        token,
        args.code,
        args.register or args.code is not None,
        args.device,
        fingerprint,
        args.insecure,
        not args.no_tls,
    )
    if not login.tls and not login.is_local:
        raise usage("--no-tls speaks to a server on this machine only, such as 127.0.0.1.")
    return login


async def sign_in(login: Login, say: Callable[[str], None]) -> Client:
    """A client that is logged in.  Raises Leave.  say: tells a sentence."""
    try:
        client = await _reach(login, say)
    except (DialError, RequestFailed) as error:
        raise leave_for(error, login) from None
    try:
        if login.register:
            await _register(client, login)
        await client.login()
    except (DialError, RequestFailed, ClientEnded) as error:
        await client.close(handled=False)
        raise leave_for(error, login) from None
    except BaseException:
        await client.close(handled=False)
        raise
    return client


async def _reach(login: Login, say: Callable[[str], None]) -> Client:
    known = login.state.trusted(login.host, login.port)
    pinned = login.fingerprint or (known if known != AUTHORITIES else None)
    client = _client(login, pinned)
    try:
        await client.connect()
    except UntrustedCertificate as error:
        await client.close()
        if known == AUTHORITIES:
            raise CertificateChanged(login.where, "", error.found) from None
        if not login.is_local:
            raise Leave(
                EXIT_NOT_TRUSTED,
                f"Nobody vouches for the certificate of {login.where}. Compare its fingerprint with the one that the "
                f"server printed, and if they are the same, add: --fingerprint {readable(error.found)}",
            ) from None
        say(f"The certificate of {login.where} is trusted from now on. Its fingerprint is {readable(error.found)}")
        client = _client(login, error.found)
        await client.connect()
    except BaseException:
        await client.close()
        raise
    shown = AUTHORITIES if client.is_vouched else client.fingerprint
    if shown is not None and shown != known and not login.insecure:
        try:
            login.state.trust(login.host, login.port, shown)
        except StateError as error:
            say(f"The certificate is not remembered: {error}")
    return client


def _client(login: Login, pinned: str | None) -> Client:
    return Client(
        login.host,
        login.port,
        login.login,
        password=login.password,
        token=login.token,
        device=login.device,
        tls=login.tls,
        fingerprint=pinned,
        authorities=None if login.fingerprint else system_authorities,
        insecure=login.insecure,
    )


async def _register(client: Client, login: Login) -> None:
    """Make the account; one that is there will do if the password is its own."""
    assert login.password is not None
    try:
        await client.register(login.password, login.code)
    except RequestFailed as refused:
        if refused.code not in (ErrorCode.LOGIN_TAKEN, ErrorCode.REGISTRATION_CLOSED, ErrorCode.BAD_INVITE):
            raise
        try:
            await client.login()
        except LoginRefused as error:
            if error.code == ErrorCode.WRONG_CREDENTIALS:
                raise refused from None
            raise


NEXT = {
    ErrorCode.WRONG_CREDENTIALS: "Check both, or make the account with --register.",
    ErrorCode.LOGIN_TAKEN: "If it is the bot's, check the password; if not, choose another name.",
    ErrorCode.REGISTRATION_CLOSED: "Ask the administrator for a code and give it with --code CODE.",
    ErrorCode.BAD_INVITE: "Ask for another and give it with --code CODE.",
    ErrorCode.REPLACED: "Leave one of the two, or give this one another --device.",
}


def leave_for(error: Exception, login: Login) -> Leave:
    """The way out for an error of the client library."""
    match error:
        case CertificateChanged():
            return Leave(
                EXIT_NOT_TRUSTED,
                f"{error} If you know why, take {login.host}:{login.port} out of {login.state.known_servers}, "
                f"or give the new one: --fingerprint {readable(error.found)}",
            )
        case UntrustedCertificate():
            return Leave(EXIT_NOT_TRUSTED, str(error))
        case RequestFailed() | ClientEnded():
            code = EXIT_REFUSED
            if error.code in (ErrorCode.TRY_AGAIN_LATER, ErrorCode.SHUTTING_DOWN, ErrorCode.IDLE):
                code = EXIT_NO_LINK
            return Leave(code, f"{error} {NEXT.get(error.code, '')}".rstrip())
        case DialError():
            return Leave(EXIT_NO_LINK, str(error))
        case _:
            return Leave(EXIT_REFUSED, str(error))


def usage(sentence: str) -> Leave:
    return Leave(EXIT_USAGE, sentence)


def parse_server(text: str) -> tuple[str, int]:
    """Host and port of `HOST[:PORT]` or `https://HOST[:PORT]/...`.  Raises Leave."""
    is_url = text.startswith("https://")
    try:
        parts = urlsplit(text if is_url else f"//{text}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or "@" in text or (not is_url and "://" in text) or port == 0:
        raise usage(f"{text!r} is no server; write HOST:PORT, [::1]:{DEFAULT_PORT}, or https://HOST.")
    return host, port or (HTTPS_PORT if is_url else DEFAULT_PORT)


def first_line(path: Path) -> str:
    """The first line of a file that holds a secret.  Raises Leave."""
    try:
        line = path.read_text("utf-8").partition("\n")[0].rstrip("\r")
    except (OSError, UnicodeDecodeError) as error:
        raise usage(f"{path} cannot be read: {getattr(error, 'strerror', None) or 'it is not UTF-8'}.") from None
    if not line:
        raise usage(f"{path} is empty.")
    return line
