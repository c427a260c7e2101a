"""Logging in: by SCRAM, by access token, by resumption; then the snapshot and what the device has missed.

A resumption token is a keyed hash of the account, the device and the account's generation: giving one out stores
nothing, and removing the device or raising the generation (a new password) voids it.

Unknown names get the same packets in the same time as known ones: a stable made-up salt, a verifier no proof fits.

Source: rows A11, M04-M09, T10-T12, X03, X05.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from typing import NamedTuple

import structlog

from veche.core.names import BadLogin, split_address
from veche.core.scram import ScramFailed, ServerScram, Verifier, fake_salt
from veche.packets import ErrorCode, Packet, account, message
from veche.packets.profile import Profile
from veche.storage import accounts, contacts, conversations, devices, profiles, tokens
from veche.storage.accounts import Account
from veche.storage.database import Steps

from ..classic.accounts import with_keys
from ..classic.inactivity import watch
from ..live import LiveAccount
from ..session import Handler, Refused, Session
from .call import offer_waiting as offer_calls
from .contacts import contacts_of
from .files import offer_waiting
from .message import save_place, tell_delivered
from .presence import changed as presence_changed

log: structlog.stdlib.BoundLogger = structlog.get_logger()

SCRAM_MECHANISMS = ("SCRAM-SHA-256", "SCRAM-SHA-256-PLUS")
NO_ACCOUNT = -1
SNAPSHOT_READS = 10
"""An account that changes so often while it is read gets a snapshot all the same, and another after the replay."""


class Wanted(NamedTuple):
    """What CONNECT asked for besides the proof."""

    device: str | None
    client: str
    cursor: int | None


async def connect(session: Session, packet: account.Connect) -> None:
    if session.account is not None:
        raise Refused(ErrorCode.ALREADY_LOGGED_IN)
    wanted = Wanted(packet.device, packet.client, packet.cursor)
    match packet.mechanism:
        case "SCRAM-SHA-256" | "SCRAM-SHA-256-PLUS":
            await start_scram(session, packet, wanted)
        case "TOKEN":
            await login_by_token(session, packet, wanted)
        case "RESUME":
            await login_by_resumption(session, packet, wanted)
        case _:
            raise Refused(ErrorCode.UNKNOWN_MECHANISM)


# -- SCRAM


async def start_scram(session: Session, packet: account.Connect, wanted: Wanted) -> None:
    app = session.app
    if packet.login is None or packet.message is None:
        raise Refused(ErrorCode.BAD_REQUEST, "SCRAM needs `login` and `message`.")
    login = local_login(session, packet.login)
    check_not_locked(session, login)
    found = await app.database.find(accounts.find(login))
    if found is not None and app.is_classic:
        found = await with_keys(app, found)
    if found is None or found.deleted_at is not None or not found.stored_key:
        found = None
        verifier = Verifier(fake_salt(app.secret, login), app.config.scram_iterations, app.decoy_key, app.decoy_key)
    else:
        verifier = Verifier(found.salt, found.iterations, found.stored_key, found.server_key)
    binding = app.binding if session.link.is_secure else None
    try:
        scram = ServerScram(
            packet.mechanism,
            packet.message,
            login,
            verifier,
            secrets.token_urlsafe(18),
            binding=binding,
            offered_plus=binding is not None,
            keeps_case=app.keeps_case,
        )
    except ScramFailed as error:
        raise Refused(ErrorCode.BAD_REQUEST, str(error)) from None
    session.scram = scram, found, wanted
    session.login_name = login
    session.send(
        account.ConnectAck(salt=scram.salt_b64, iterations=scram.iterations, nonce=scram.nonce, tag=packet.tag)
    )


async def connect_continue(session: Session, packet: account.ConnectContinue) -> None:
    if session.account is not None:
        raise Refused(ErrorCode.ALREADY_LOGGED_IN)
    if session.scram is None:
        raise Refused(ErrorCode.BAD_REQUEST, "CONNECT comes before CONNECT-CONTINUE.")
    scram, found, wanted = session.scram
    session.scram = None
    login = session.login_name
    check_not_locked(session, login)
    try:
        signature = scram.finish(packet.hash)
        if found is None:
            raise ScramFailed
    except ScramFailed:
        raise wrong_credentials(session, login) from None
    session.app.lockout.succeeded(login, session.origin, session.app.monotonic())
    await open_session(session, found, wanted, signature=signature, tag=packet.tag)


def local_login(session: Session, text: str) -> str:
    """The login of an address of this server.  Another server's name, or no name at all, is an unknown one."""
    try:
        login, domain = split_address(text, keeps_case=session.app.keeps_case)
    except BadLogin as error:
        raise Refused(ErrorCode.BAD_LOGIN, str(error)) from None
    if domain is not None and domain != session.app.config.domain:
        raise Refused(ErrorCode.BAD_LOGIN, f"This server is {session.app.config.domain}.")
    return login


def check_not_locked(session: Session, login: str) -> None:
    """Refuse an attempt during a lock (T11)."""
    wait_s = session.app.lockout.wait_s(login, session.origin, session.app.monotonic())
    if wait_s > 0:
        session.app.counters.logins_refused += 1
        raise Refused(ErrorCode.LOCKED, retry_after_s=round(wait_s, 1))


def wrong_credentials(session: Session, login: str) -> Refused:
    """Count a failure; the third one locks (T10)."""
    app = session.app
    app.counters.logins_refused += 1
    wait_s = app.lockout.failed(login, session.origin, app.monotonic())
    log.info("login.refused", address=session.link.address, locked_s=round(wait_s, 1))
    if wait_s > 0:
        return Refused(ErrorCode.LOCKED, retry_after_s=round(wait_s, 1))
    return Refused(ErrorCode.WRONG_CREDENTIALS)


# -- tokens


async def login_by_token(session: Session, packet: account.Connect, wanted: Wanted) -> None:
    app = session.app
    if packet.token is None:
        raise Refused(ErrorCode.BAD_REQUEST, "TOKEN needs `token`.")
    found = await app.database.find(tokens.find(token_hash(packet.token)))
    row = None if found is None else await app.database.find(accounts.get(found[1]))
    if found is None or row is None or row.deleted_at is not None:
        raise wrong_token(session)
    check_names_account(session, packet, row)
    await open_session(session, row, wanted, tag=packet.tag, token_id=found[0])


async def login_by_resumption(session: Session, packet: account.Connect, wanted: Wanted) -> None:
    found = await find_resumption(session, packet.token or "")
    if found is None:
        raise wrong_token(session)
    check_names_account(session, packet, found.account)
    wanted = wanted._replace(device=found.device.name)
    await open_session(session, found.account, wanted, tag=packet.tag, token_id=found.token_id)


def wrong_token(session: Session) -> Refused:
    """A token has 192 random bits or more, so nobody guesses one, and nobody is locked for trying."""
    session.app.counters.logins_refused += 1
    log.info("login.refused", address=session.link.address, token=True)
    return Refused(ErrorCode.WRONG_CREDENTIALS)


def check_names_account(session: Session, packet: account.Connect, row: Account) -> None:
    """A login beside a token must be the token's own."""
    if packet.login is not None and local_login(session, packet.login) != row.login:
        raise Refused(ErrorCode.WRONG_CREDENTIALS)


def token_hash(token: str) -> bytes:
    """How an access token or a code is kept: it is random, so a plain hash suffices."""
    return hashlib.sha256(token.encode()).digest()


def resumption_token(
    secret: bytes, account_id: int, device_id: int, generation: int, token_id: int | None = None
) -> str:
    """The token that logs this device in again.  token_id: the access token that it lives and dies with."""
    ids = [account_id, device_id] if token_id is None else [account_id, device_id, token_id]
    what = ":".join(map(str, ["resume", account_id, device_id, generation, *ids[2:]])).encode()
    mac = base64.urlsafe_b64encode(hmac.digest(secret, what, "sha256")[:24]).decode()
    return f"vr_{'.'.join(map(str, ids))}.{mac}"


class Resumption(NamedTuple):
    """What a resumption token stands for."""

    account: Account
    device: devices.Device
    token_id: int | None
    """The access token that the device had logged in with."""


async def find_resumption(session: Session, token: str) -> Resumption | None:
    """What a resumption token stands for, None for a wrong one."""
    app = session.app
    numbers = token.removeprefix("vr_").split(".")[:-1]
    if len(token) > 100 or len(numbers) not in (2, 3) or not all(one.isdecimal() for one in numbers):
        return None
    ids = [int(one) for one in numbers]
    if max(ids) >= 2**63:
        return None
    account_id, device_id, token_id = *ids[:2], ids[2] if len(ids) == 3 else None
    row = await app.database.find(accounts.get(account_id))
    if row is None or row.deleted_at is not None:
        return None
    expected = resumption_token(app.secret, account_id, device_id, row.generation, token_id)
    if not hmac.compare_digest(expected.encode(), token.encode()):
        return None
    device = await app.database.find(devices.get(account_id, device_id))
    return None if device is None else Resumption(row, device, token_id)


# -- the session


async def open_session(
    session: Session,
    row: Account,
    wanted: Wanted,
    *,
    signature: str | None = None,
    tag: str | None = None,
    token_id: int | None = None,
) -> None:
    """The credentials hold: make this connection a device, tell it the state, replay what it missed."""
    app = session.app
    check_enabled(row)
    live = app.directory.live(row.id, row.login)
    for device_id in list(live.unsaved):
        await app.database.write(save_place(live, device_id))
    name = wanted.device or free_name(live, "device" if token_id is None else f"token-{token_id}")
    device = await app.database.find(devices.find(row.id, name))
    if device is None:
        device = await add_device(session, live, name, wanted.client)
    else:
        app.database.mark(lambda: devices.seen(device.id, app.now_us()), ("seen", device.id))
    cursor = max(device.cursor_id, min(wanted.cursor or 0, app.announced_id))
    if cursor > device.cursor_id:  # it has more than we had stored of it, as after a crash of ours
        await app.database.write(
            devices.acknowledge(row.id, device.id, cursor), lambda taken: tell_delivered(app, live, taken)
        )
    await check_holds(session, row, device.id, token_id)
    # From here to `logged_in` nothing waits: two links must not both become this device, nor one that is gone.
    if not session.is_alive or session.is_closing:
        return
    replaced = [other for other in live.sessions if other.device == name]
    if app.is_classic and live.sessions and (wanted.device is None or replaced != live.sessions):  # row T14
        raise Refused(ErrorCode.ALREADY_LOGGED_IN, f"{live.login} is already logged in.")
    session.token_id = token_id
    if token_id is None:
        app.limit(live)
    session.logged_in(live, name, device.id, cursor)
    if app.is_classic:
        watch(session)
    for other in replaced:
        other.goodbye(ErrorCode.REPLACED)
    app.counters.logins += 1
    session.send(
        account.ConnectOk(
            login=live.address,
            device=name,
            signature=signature,
            resume=resumption_token(app.secret, row.id, device.id, row.generation, token_id),
            admin=row.is_admin,
            tag=tag,
        )
    )
    await send_snapshot(session)
    presence_changed(app, live)
    offer_waiting(session)
    offer_calls(session)
    app.catch_up(session)


async def add_device(session: Session, live: LiveAccount, name: str, client: str) -> devices.Device:
    """A new device of the account.  When there are too many, those go that were away the longest."""
    app, now = session.app, session.app.now_us()
    online = [other.device_id for other in live.sessions]

    def steps() -> Steps[devices.Device]:
        for device_id in online:
            yield from devices.seen(device_id, now)
        return (yield from devices.create(live.id, name, client, now))

    device = await app.database.write(steps())
    for other in live.sessions[:]:
        if await app.database.find(devices.get(live.id, other.device_id)) is None:
            other.goodbye(ErrorCode.REVOKED)
    return device


def check_enabled(row: Account) -> None:
    """Only who has proved that the account is theirs comes this far, so they may be told."""
    if row.is_disabled:
        raise Refused(ErrorCode.DISABLED)


async def check_holds(session: Session, row: Account, device_id: int, token_id: int | None) -> None:
    """What let this connection in was not revoked while it waited.  Raises Refused: wrong-credentials, disabled."""
    find = session.app.database.find
    has_device = await find(devices.get(row.id, device_id)) is not None
    has_token = token_id is None or any(one.id == token_id for one in await find(tokens.list(row.id)))
    now = await find(accounts.get(row.id))
    is_same = now is not None and (now.generation == row.generation or token_id is not None)
    if now is None or now.deleted_at is not None or not (has_device and has_token and is_same):
        raise Refused(ErrorCode.WRONG_CREDENTIALS)
    check_enabled(now)


def free_name(live: LiveAccount, prefix: str) -> str:
    """A name for a device that gave none: the first that is not online, so that a bot keeps its place."""
    taken = {session.device for session in live.sessions}
    number = 1
    while f"{prefix}-{number}" in taken:
        number += 1
    return f"{prefix}-{number}"


async def send_snapshot(session: Session) -> None:
    """Tell the state of everything, once.

    What happens while it is read may be missing from it, and is not told to this link: then it is read again.
    """
    app, live, feed = session.app, session.account, session.feed
    assert live is not None
    assert feed is not None
    find = app.database.find
    reads = 0
    while True:
        feed.is_settling, feed.missed_marks = True, False
        upto = app.announced_id
        rows = await find(conversations.snapshot(live.id))
        people = await find(contacts.all(live.id))
        mine = await find(profiles.get(live.id))
        feed.is_settling = False
        reads += 1
        if not feed.missed_marks or reads == SNAPSHOT_READS:
            break
    blocked = [row.login for row in people if row.blocked_at is not None]
    live.blocked = set(blocked)
    live.friends = {row.peer_id for row in people if contacts.are_open(row)}
    session.send(
        message.Snapshot(
            conversations=[
                message.ConversationState(
                    peer=app.directory.address(row.peer_login),
                    last_id=row.last_id,
                    unread=row.unread,
                    read_id=row.read_id,
                    peer_read_id=row.peer_read_id,
                    peer_delivered_id=app.delivered_to(row.peer_id, live.id, row.peer_delivered_id),
                )
                for row in rows
            ],
            blocked=[app.directory.address(login) for login in sorted(blocked)],
            contacts=[] if app.is_classic else contacts_of(app, live.id, people),
            profile=Profile(name=mine.name, note=mine.note, avatar=mine.avatar),
            announcement=app.announcement,
            conferences=app.halls.snapshot(live),
            upto=upto,
        )
    )
    app.database.mark(lambda: conversations.count_unread(live.id), ("unread", live.id))


HANDLERS: dict[type[Packet], Handler] = {
    account.Connect: connect,
    account.ConnectContinue: connect_continue,
}
