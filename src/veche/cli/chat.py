"""`veche chat [LOGIN@]HOST[:PORT]`, or an invite link: talk to a home server, on a screen or line by line.

The only place where the client's environment is read, with chat_settings.py: VECHE_PASSWORD, VECHE_TOKEN, NO_COLOR,
XDG_STATE_HOME, LOCALAPPDATA, VECHE_AUDIO, VECHE_MICROPHONE, VECHE_LOUDSPEAKER, VECHE_IDENTITY.

Source: rows A02, A07, A08, M12, M24, T26-T39; DESIGN §3 (invite links carry the fingerprint).
"""

from __future__ import annotations

import argparse
import asyncio
import re
import secrets
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, cast
from urllib.parse import unquote

from veche.client import DEFAULT_PORT
from veche.client.slots import StateDirectory, state_directory
from veche.core.names import BadLogin, normal_login
from veche.terminal.sound import Devices
from veche.terminal.wish import EXIT_USAGE, Leave, Wish

from . import chat_settings

EPILOG = """\
The first time:
  veche chat https://chat.example.org:3215/invite/CODE#sha256=...
                       an invite link: choose a name and a password, and talk with whoever invited you
  veche chat alice@chat.example.org
                       no invite: log in, or make an account where that is open
  veche chat --code CODE alice@chat.example.org
                       make an account with a code of the administrator
After that:
  veche chat alice@chat.example.org
                       this terminal is remembered, so no password is asked for

On the screen, type /help. Some of it:
  /friend add bob      ask bob to be your friend; /friend accept bob answers him
  /to bob hello        open the conversation with bob, and write
  /send harbour.jpg    send a file into the open conversation; Tab completes its path
  /private bob         talk off the record: device to device, past the server, never stored
  /call bob            call him: with sound where there is a microphone, else in writing
  Ctrl-N, Ctrl-P       the next, the previous conversation; Tab completes; Ctrl-D leaves

In scripts (the command `help` lists all commands):
  echo 'message bob hi' | VECHE_PASSWORD=... veche chat --plain alice@127.0.0.1
  veche chat --plain --json alice@127.0.0.1    commands in, packets out
  veche send alice@127.0.0.1 bob harbour.jpg   one message with files

The password is taken from VECHE_PASSWORD, from --password-file, or asked for. NO_COLOR=1 leaves colours out.
exit codes: 0 logged out or end of input, 1 refused, 2 usage, 3 cannot connect, 4 certificate not trusted
"""
HTTPS_PORT = 443
"""That of a link which names none, as for any other reader of links (RFC 9110 §4.2.2)."""
FINGERPRINT = re.compile("[0-9a-f]{64}")
INVITE = re.compile(r"https://(?P<server>[^/?#]+)/invite/(?P<code>[^/?#]+)/?(?:#(?P<fragment>.*))?")


class Usage(Exception):
    """The command line cannot be obeyed.  Its message is a sentence."""


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "chat",
        help="talk to a home server in this terminal",
        description="Talk to a home server in this terminal: on the whole screen, or line by line for scripts.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_login_flags(parser)
    parser.add_argument("--plain", action="store_true", help="commands on standard input, events on standard output")
    parser.add_argument("--json", action="store_true", help="with --plain: each event is one packet, as on the wire")
    chat_settings.add_flags(parser)
    parser.set_defaults(run=run)


def add_login_flags(parser: argparse.ArgumentParser) -> None:
    """Where, as whom and how to log in: what `wish_of` reads."""
    parser.add_argument(
        "server",
        metavar="[LOGIN@]HOST[:PORT]",
        help=f"the server, port {DEFAULT_PORT} if none is given; or an invite link",
    )
    add_account_flags(parser)


def add_account_flags(parser: argparse.ArgumentParser) -> None:
    """The same without the server."""
    parser.add_argument("--register", action="store_true", help="make the account first, if it is not there")
    parser.add_argument("--code", metavar="CODE", help="make the account with an invite code or the set-up code")
    parser.add_argument("--password-file", metavar="FILE", type=Path, help="its first line is the password")
    parser.add_argument("--token-file", metavar="FILE", type=Path, help="an access token; also VECHE_TOKEN")
    parser.add_argument("--fingerprint", metavar="HEX", help="trust this certificate (SHA-256) and no other")
    parser.add_argument(
        "--insecure", action="store_true", help="trust any certificate: whoever stands between can read"
    )
    parser.add_argument("--no-tls", action="store_true", help="plain text, to a server on this machine only")
    parser.add_argument("--device", metavar="NAME", help="be this device; default: a name for this machine")
    parser.add_argument("--state-dir", metavar="DIR", type=Path, help="where logins and trusted servers are kept")


def run(args: argparse.Namespace, environ: Mapping[str, str]) -> int:
    try:
        wish = wish_of(args, environ)
        is_plain = args.plain or not (sys.stdin.isatty() and sys.stdout.isatty())
        if args.json and not is_plain:
            raise Usage("--json needs --plain.")
        is_person = sys.stdin.isatty() and not args.json
        known = wish.state.known_identities(wish.host, wish.port)
        devices = chat_settings.devices_of(args, environ, wish.state.path, is_person=is_person)._replace(known=known)
    except (Usage, chat_settings.BadSetting) as error:
        say(str(error))
        return EXIT_USAGE
    try:
        if is_plain:
            return run_plain(wish, as_json=args.json, devices=devices)
        from veche.terminal.start import run_screen

        return asyncio.run(run_screen(wish, colours=not environ.get("NO_COLOR"), devices=devices))
    except Leave as leave:
        if str(leave):
            say(str(leave))
        return leave.code


def run_plain(wish: Wish, *, as_json: bool, devices: Devices) -> int:
    from veche.terminal.plain import Plain, RawInput, TerminalAsker

    raw: RawInput = cast("Any", sys.stdin.buffer).raw  # on Windows too what it gives is UTF-8
    asker = TerminalAsker(raw) if sys.stdin.isatty() else None
    plain = Plain(sys.stdout.buffer, say, as_json=as_json, devices=devices)
    return asyncio.run(plain.run(wish, asker, raw))


def say(sentence: str) -> None:
    """One line on standard error."""
    print(f"veche chat: {sentence}", file=sys.stderr, flush=True)


def wish_of(args: argparse.Namespace, environ: Mapping[str, str]) -> Wish:
    """What flags and environment ask for.  Raises Usage."""
    invite = parse_invite(args.server)
    login, host, port = parse_server(args.server) if invite is None else parse_server(invite.server, HTTPS_PORT)
    code = args.code if invite is None else invite.code
    fingerprint = parse_fingerprint(args.fingerprint) if args.fingerprint else invite and invite.fingerprint
    token = first_line(args.token_file) if args.token_file else environ.get("VECHE_TOKEN") or None
    password = None if token else environ.get("VECHE_PASSWORD") or None
    if args.password_file:
        token, password = None, first_line(args.password_file)
    if fingerprint and (args.insecure or args.no_tls):
        named = "--fingerprint" if args.fingerprint else "This link"
        raise Usage(f"{named} asks for a check that --insecure and --no-tls leave out.")
    if (args.register or code) and token:
        raise Usage("An account is made with a password, not with an access token.")
    if args.device is not None and not 1 <= len(args.device) <= 64:
        raise Usage("--device has 1 to 64 characters.")
    state = args.state_dir or state_directory(environ, Path.home())
    wish = Wish(
        host,
        port,
        login,
        StateDirectory(state),
        new_device=f"{socket.gethostname()[:40] or 'terminal'}-{secrets.token_hex(2)}",
        device=args.device,
        password=password,
        token=token,
        register=args.register or code is not None,
        code=code,
        is_invited=invite is not None,
        fingerprint=fingerprint or None,
        insecure=args.insecure,
        tls=not args.no_tls,
    )
    if not wish.tls and not wish.is_local:
        raise Usage("--no-tls speaks to a server on this machine only, such as 127.0.0.1.")
    return wish


class Invite(NamedTuple):
    """What an invite link says.  server: as in parse_server; fingerprint: 64 hexadecimal digits."""

    server: str
    code: str
    fingerprint: str | None


def parse_invite(text: str) -> Invite | None:
    """Return what `https://[LOGIN@]HOST[:PORT]/invite/CODE[#sha256=HEX]` says; None for what is no such link.

    The fragment is the fingerprint of the server's certificate.  Raises Usage.
    """
    match = INVITE.fullmatch(text.strip())
    if match is None:
        return None
    server, fragment = unquote(match["server"]), match["fragment"] or ""
    name, _, digits = fragment.partition("=")
    if fragment and (name != "sha256" or not FINGERPRINT.fullmatch(digits.lower())):
        raise Usage("The end of this link is damaged: after # stands sha256= and 64 hexadecimal digits. Copy it whole.")
    return Invite(server, unquote(match["code"]), digits.lower() or None)


def parse_server(text: str, default_port: int = DEFAULT_PORT) -> tuple[str | None, str, int]:
    """Return login, host and port of `[LOGIN@]HOST[:PORT]`.  Raises Usage."""
    text = text.removeprefix("https://").rstrip("/")
    login, at, rest = text.rpartition("@")
    if at:
        try:
            name, dot, domain = login.partition("@")
            login = normal_login(name, keeps_case=True) + dot + domain
        except BadLogin as error:
            raise Usage(str(error)) from None
    host, port = rest, ""
    if rest.startswith("["):
        host, bracket, port = rest[1:].partition("]")
        if not bracket or (port and not port.startswith(":")):
            raise Usage(f"{rest!r} is no address; write [::1]:{DEFAULT_PORT}.")
        port = port[1:]
    elif rest.count(":") == 1:
        host, _, port = rest.partition(":")
    if not host:
        raise Usage("Which server? Write LOGIN@HOST or LOGIN@HOST:PORT.")
    if port and not (port.isascii() and port.isdigit() and 1 <= int(port[:6]) <= 65_535):
        raise Usage(f"{port!r} is no port; a port is a number from 1 to 65535.")
    return (login if at else None), host, int(port) if port else default_port


def parse_fingerprint(text: str) -> str:
    """Return 64 hexadecimal digits.  Raises Usage."""
    digits = re.sub(r"[\s:]", "", text).lower().removeprefix("sha256")
    if not FINGERPRINT.fullmatch(digits):
        raise Usage("--fingerprint wants the 64 hexadecimal digits that the server printed; colons do not matter.")
    return digits


def first_line(path: Path) -> str:
    """The first line of a file that holds a secret.  Raises Usage."""
    try:
        line = path.read_text("utf-8").partition("\n")[0].rstrip("\r")
    except (OSError, UnicodeDecodeError) as error:
        raise Usage(f"{path} cannot be read: {getattr(error, 'strerror', None) or 'it is not UTF-8'}.") from None
    if not line:
        raise Usage(f"{path} is empty.")
    return line
