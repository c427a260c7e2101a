"""Administration: accounts, invites, registration, the server's state, announcements; for administrators alone.

Whether somebody is one is asked of the database at each request, in one place, `for_admin`; so a right that was taken
away is gone at once.

Source: rows M12, M25, B134 (partly), A25 (partly), X03.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

import msgspec
import structlog

import veche
from veche.net import invites as net
from veche.packets import ErrorCode, Packet, admin
from veche.packets.admin import Announcement, Registration
from veche.storage import accounts, facts, invites
from veche.storage import admin as storage
from veche.storage.accounts import Account

from ..live import LiveAccount
from ..session import Handler, Refused, Session
from .files import account_left as files_left
from .login import local_login, token_hash

if TYPE_CHECKING:
    from ..app import HomeServer

log: structlog.stdlib.BoundLogger = structlog.get_logger()

REGISTRATION, ANNOUNCEMENT = "registration", "announcement"
"""Facts that administrators set."""
RESET_US = 24 * 3600 * 1_000_000
"""How long a code for a new password holds."""


async def load(app: HomeServer) -> None:
    """Take up what administrators said before this start; a setting that is given is stronger.  Raises StorageError."""
    said = await app.database.find(facts.get(REGISTRATION))
    if said and app.config.registration is None:
        app.registration = Registration(said.decode())
    kept = await app.database.find(facts.get(ANNOUNCEMENT))
    app.announcement = msgspec.json.decode(kept, type=Announcement) if kept else None


def for_admin(handler: Callable[[Session, Any, LiveAccount], Coroutine[Any, Any, None]]) -> Handler:
    """The handler, which only administrators reach."""

    async def checked(session: Session, packet: Packet) -> None:
        me = session.account
        assert me is not None
        row = await session.app.database.find(accounts.get(me.id))
        if row is None or not row.is_admin or row.is_disabled:
            raise Refused(ErrorCode.FORBIDDEN, "Only an administrator may do this.")
        await handler(session, packet, me)

    return checked


async def check_account(session: Session, login: str) -> Account:
    """The account of this login.  Raises Refused: bad-login, unknown-user."""
    row = await session.app.database.find(accounts.find(local_login(session, login)))
    if row is None or row.deleted_at is not None:
        raise Refused(ErrorCode.UNKNOWN_USER)
    return row


# -- accounts


async def accounts_get(session: Session, packet: admin.AdminAccountsGet, me: LiveAccount) -> None:
    app, limit = session.app, packet.limit
    query = packet.query.partition("@")[0].lower()
    after = "" if packet.after is None else local_login(session, packet.after)
    rows = await app.database.read(storage.account_page(query, after, limit + 1))
    entries = [account_entry(app, row) for row in rows[:limit]]
    following = entries[-1].login if len(rows) > limit else None
    session.send(admin.AdminAccountsGetOk(accounts=entries, next=following, tag=packet.tag))


def account_entry(app: HomeServer, row: storage.AccountRow) -> admin.AccountEntry:
    """An account of a page, with what is known of it in memory."""
    live = app.directory.find(row.id)
    seen_at = row.seen_at if live is None else max(row.seen_at, live.seen_at)
    return admin.AccountEntry(
        login=app.directory.address(row.login),
        created_at=app.instant(row.created_at),
        seen_at=app.instant(seen_at) if seen_at else None,
        online=row.id in app.online,
        admin=row.is_admin,
        disabled=row.is_disabled,
        file_bytes=row.file_bytes,
    )


async def account_change(session: Session, packet: admin.AdminAccountChange, me: LiveAccount) -> None:
    app = session.app
    row = await check_account(session, packet.login)
    target = app.directory.live(row.id, row.login)

    def then(now: tuple[bool, bool]) -> None:
        disabled, is_admin = now
        session.send(
            admin.AdminAccountChangeOk(login=target.address, disabled=disabled, admin=is_admin, tag=packet.tag)
        )
        if disabled:
            app.halls.account_left(target, is_deleted=False)
            for one in target.sessions[:]:
                one.goodbye(ErrorCode.DISABLED)
            files_left(app, target)

    try:
        await app.database.write(storage.change(row.id, disabled=packet.disabled, admin=packet.admin), then)
    except storage.LastAdmin:
        raise Refused(ErrorCode.LAST_ADMIN) from None
    except LookupError:  # deleted meanwhile
        raise Refused(ErrorCode.UNKNOWN_USER) from None
    log.info("admin.account", by=me.login, login=row.login, disabled=packet.disabled, admin=packet.admin)


async def account_reset(session: Session, packet: admin.AdminAccountReset, me: LiveAccount) -> None:
    app = session.app
    row = await check_account(session, packet.login)
    code, expires_at = net.new_code(), app.now_us() + RESET_US
    await app.database.write(storage.allow_reset(row.id, token_hash(code), expires_at))
    log.info("admin.reset", by=me.login, login=row.login)
    session.send(
        admin.AdminAccountResetOk(
            login=app.directory.address(row.login), code=code, expires_at=app.instant(expires_at), tag=packet.tag
        )
    )


# -- invites


async def invites_get(session: Session, packet: admin.AdminInvitesGet, me: LiveAccount) -> None:
    app = session.app
    rows = await app.database.read(storage.usable_invites(app.now_us()))
    entries = [
        admin.InviteEntry(
            id=row.id,
            uses_left=row.uses_left,
            created_at=app.instant(row.created_at),
            expires_at=None if row.expires_at is None else app.instant(row.expires_at),
            inviter=None if row.inviter_login is None else app.directory.address(row.inviter_login),
        )
        for row in rows
    ]
    session.send(admin.AdminInvitesGetOk(invites=entries, tag=packet.tag))


async def invite_create(session: Session, packet: admin.InviteCreate, me: LiveAccount) -> None:
    app, now = session.app, session.app.now_us()
    code, expires_at = net.new_code(), now + packet.expires_s * 1_000_000
    id = await app.database.write(
        invites.create(token_hash(code), False, packet.uses, now, expires_at, inviter_id=me.id)
    )
    log.info("admin.invite", by=me.login, id=id, uses=packet.uses)
    session.send(admin.InviteCreateOk(id=id, link=net.link(app.place, code), code=code, tag=packet.tag))


async def invite_revoke(session: Session, packet: admin.InviteRevoke, me: LiveAccount) -> None:
    if not await session.app.database.write(storage.revoke_invite(packet.id)):
        raise Refused(ErrorCode.UNKNOWN_ID)
    log.info("admin.invite_revoked", by=me.login, id=packet.id)
    session.send(admin.InviteRevokeOk(id=packet.id, tag=packet.tag))


# -- the server


async def server_get(session: Session, packet: admin.AdminServerGet, me: LiveAccount) -> None:
    app = session.app
    read = app.database.read
    session.send(
        admin.AdminServerGetOk(
            version=veche.__version__,
            started_at=app.instant(int(app.started_at * 1_000_000)),
            uptime_s=max(0, int(time.time() - app.started_at)),
            accounts=await read(accounts.count()),
            online=len(app.online),
            sessions=sum(len(one.sessions) for one in app.online.values()),
            messages=app.announced_id,
            database_bytes=await read(storage.database_bytes(is_postgres=bool(app.config.storage))),
            file_bytes=await read(storage.file_bytes()),
            free_bytes=await app.files.blobs.free_bytes(),
            registration=app.registration,
            domain=app.config.domain,
            fingerprint=app.fingerprint,
            tag=packet.tag,
        )
    )


async def registration_set(session: Session, packet: admin.AdminRegistrationSet, me: LiveAccount) -> None:
    app, wanted = session.app, packet.registration
    until_restart = app.config.registration not in (None, wanted)

    def then(_: None) -> None:
        app.registration = wanted
        session.send(admin.AdminRegistrationSetOk(registration=wanted, until_restart=until_restart, tag=packet.tag))

    await app.database.write(facts.put(REGISTRATION, wanted.encode()), then)
    log.info("admin.registration", by=me.login, registration=wanted.value)


# -- announcements


async def announce(session: Session, packet: admin.AdminAnnounce, me: LiveAccount) -> None:
    app, text = session.app, packet.text.strip()
    announcement = Announcement(text=text, at=app.instant(app.now_us()), by=me.address)

    def then(_: None) -> None:
        app.announcement = announcement if text else None
        session.send(admin.AdminAnnounceOk(tag=packet.tag))
        app.tell_all(app.online.values(), admin.Announced(text=text, at=announcement.at, by=announcement.by))

    await app.database.write(facts.put(ANNOUNCEMENT, msgspec.json.encode(announcement) if text else b""), then)
    log.info("admin.announced", by=me.login, chars=len(text))


HANDLERS: dict[type[Packet], Handler] = {
    admin.AdminAccountsGet: for_admin(accounts_get),
    admin.AdminAccountChange: for_admin(account_change),
    admin.AdminAccountReset: for_admin(account_reset),
    admin.AdminInvitesGet: for_admin(invites_get),
    admin.InviteCreate: for_admin(invite_create),
    admin.InviteRevoke: for_admin(invite_revoke),
    admin.AdminServerGet: for_admin(server_get),
    admin.AdminRegistrationSet: for_admin(registration_set),
    admin.AdminAnnounce: for_admin(announce),
}
