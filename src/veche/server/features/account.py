"""Accounts: registration, password, tokens, sessions, export, deletion.  Source: rows A09, A10, M24-M26, X03, X05."""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Sequence

import structlog

from veche.core.contacts import NOTHING
from veche.core.scram import ScramFailed, Verifier, make_verifier
from veche.packets import ErrorCode, Packet, account
from veche.packets.profile import Profile
from veche.storage import accounts, admin, blocks, conferences, contacts, devices, files, profiles, tokens
from veche.storage.database import Steps

from ..classic.accounts import register as register_classic
from ..config import Registration
from ..live import LiveAccount
from ..session import Handler, Refused, Session
from .contacts import contacts_of, tell_difference
from .files import account_left as files_left
from .login import check_not_locked, local_login, resumption_token, token_hash, wrong_credentials

log: structlog.stdlib.BoundLogger = structlog.get_logger()

EXPORT_PAGE = 500


# -- registration


async def register(session: Session, packet: account.Register) -> None:
    app = session.app
    login = local_login(session, packet.login)
    check_may_register(session, packet)
    if await app.database.find(accounts.find(login)) is not None and packet.code is None:
        raise Refused(ErrorCode.LOGIN_TAKEN)
    if app.is_classic:
        await register_classic(app, login, packet.password)
        session.send(account.RegisterOk(login=app.directory.address(login), tag=packet.tag))
        return
    code_hash = None if packet.code is None else token_hash(code_of(packet.code))
    if code_hash is not None and await app.database.find(admin.resettable(code_hash, app.now_us())) == login:
        await reset_password(session, packet, login, code_hash)
        return
    verifier = await new_verifier(session, packet.password)
    try:
        created = await app.database.write(accounts.create(login, *verifier, now=app.now_us(), invite_hash=code_hash))
    except accounts.LoginTaken:
        raise Refused(ErrorCode.LOGIN_TAKEN) from None
    except accounts.BadInvite:
        app.lockout.failed(f"code from {session.origin}", session.origin, app.monotonic())
        raise Refused(ErrorCode.BAD_INVITE) from None
    app.counters.registrations += 1
    log.info("account.created", login=login)
    inviter = app.online.get(created.inviter_id or 0)
    if inviter is not None:
        row = await app.database.find(contacts.get(inviter.id, created.id))
        inviter.friends.add(created.id)
        tell_difference(app, inviter, row._replace(pair=NOTHING), row)
    session.send(account.RegisterOk(login=app.directory.address(login), tag=packet.tag))


def code_of(text: str) -> str:
    """The code, which people may paste with the whole link around it."""
    return re.sub(r".*/invite/|[#?/].*", "", text.strip())


def check_may_register(session: Session, packet: account.Register) -> None:
    """Registration is open, or the request brings a code.  Whether the code holds is seen in the transaction."""
    app = session.app
    if packet.code is None and app.registration is Registration.INVITE:
        raise Refused(ErrorCode.BAD_INVITE, "Registration needs an invite code.")
    if packet.code is None and app.registration is Registration.CLOSED:
        raise Refused(ErrorCode.REGISTRATION_CLOSED)
    if packet.code is not None:
        check_not_locked(session, f"code from {session.origin}")
    wait_s = app.registration_wait_s(session.link.address)
    if wait_s > 0:
        raise Refused(ErrorCode.TRY_AGAIN_LATER, retry_after_s=round(wait_s, 1))


async def reset_password(session: Session, packet: account.Register, login: str, code_hash: bytes) -> None:
    """A code of ADMIN-ACCOUNT-RESET sets a new password.  As after PASSWORD-CHANGE, sessions end and tokens stay."""
    app = session.app
    verifier = await new_verifier(session, packet.password)

    def then(account_id: int) -> None:
        session.send(account.RegisterOk(login=app.directory.address(login), tag=packet.tag))
        live = app.directory.find(account_id)
        for other in () if live is None else live.sessions[:]:
            if other.token_id is None:
                other.goodbye(ErrorCode.REVOKED)

    try:
        await app.database.write(admin.reset(code_hash, *verifier, now=app.now_us()), then)
    except accounts.BadInvite:  # another has used it meanwhile
        raise Refused(ErrorCode.BAD_INVITE) from None
    log.info("account.reset", login=login)


async def new_verifier(session: Session, password: str) -> Verifier:
    """The verifier of a new password; the slow hash runs away from the loop, one at a time."""
    app = session.app
    salt, iterations = secrets.token_bytes(16), app.config.scram_iterations
    try:
        return await app.hash_slowly(lambda: make_verifier(password, salt, iterations))
    except ScramFailed as error:
        raise Refused(ErrorCode.BAD_REQUEST, str(error)) from None


# -- password


async def check_password(session: Session, password: str) -> accounts.Account:
    """The account's own password, asked again.  Raises Refused: wrong-credentials, locked."""
    app, me = session.app, session.account
    assert me is not None
    check_not_locked(session, me.login)
    row = await app.database.find(accounts.get(me.id))
    assert row is not None
    try:
        verifier = await app.hash_slowly(lambda: make_verifier(password, row.salt, row.iterations))
    except ScramFailed:
        raise wrong_credentials(session, me.login) from None
    check_not_locked(session, me.login)  # again: many attempts may have waited for their hash beside this one
    if not row.stored_key or not hmac.compare_digest(verifier.stored_key, row.stored_key):
        raise wrong_credentials(session, me.login)
    await check_unchanged(session, row)
    app.lockout.succeeded(me.login, session.origin, app.monotonic())
    return row


async def check_unchanged(session: Session, row: accounts.Account) -> None:
    """While this one waited for a hash, another session may have set a new password, which voids the old one."""
    now = await session.app.database.find(accounts.get(row.id))
    if now is None or now.generation != row.generation:
        raise Refused(ErrorCode.WRONG_CREDENTIALS)


async def password_change(session: Session, packet: account.PasswordChange) -> None:
    app, me = session.app, session.account
    assert me is not None
    row = await check_password(session, packet.old_password)
    verifier = await new_verifier(session, packet.password)
    await check_unchanged(session, row)

    def then(generation: int) -> None:
        for other in me.sessions[:]:
            if other is not session and other.token_id is None:
                other.goodbye(ErrorCode.REVOKED)
        resume = resumption_token(app.secret, me.id, session.device_id, generation, session.token_id)
        session.send(account.PasswordChangeOk(resume=resume, tag=packet.tag))

    await app.database.write(accounts.set_password(me.id, *verifier), then)


# -- tokens


async def token_create(session: Session, packet: account.TokenCreate) -> None:
    app, me = session.app, session.account
    assert me is not None
    token = new_token()
    id = await app.database.write(tokens.create(me.id, packet.name, token_hash(token), app.now_us()))
    session.send(account.TokenCreateOk(id=id, token=token, tag=packet.tag))


def new_token() -> str:
    """A fresh access token."""
    return "vt_" + secrets.token_urlsafe(32)


async def token_list(session: Session, packet: account.TokenList) -> None:
    assert session.account is not None
    entries = await token_entries(session, session.account)
    session.send(account.TokenListOk(tokens=entries, tag=packet.tag))


async def token_entries(session: Session, me: LiveAccount) -> list[account.TokenEntry]:
    rows = await session.app.database.find(tokens.list(me.id))
    return [
        account.TokenEntry(id=row.id, name=row.name, created_at=session.app.instant(row.created_at)) for row in rows
    ]


async def token_revoke(session: Session, packet: account.TokenRevoke) -> None:
    app, me = session.app, session.account
    assert me is not None
    if not await app.database.write(tokens.delete(me.id, packet.id)):
        raise Refused(ErrorCode.UNKNOWN_ID)
    session.send(account.TokenRevokeOk(id=packet.id, tag=packet.tag))
    for other in me.sessions[:]:
        if other.token_id == packet.id:
            other.goodbye(ErrorCode.REVOKED)


# -- sessions


async def sessions_get(session: Session, packet: account.SessionsGet) -> None:
    assert session.account is not None
    entries = await session_entries(session, session.account)
    session.send(account.SessionsGetOk(sessions=entries, tag=packet.tag))


async def session_entries(session: Session, me: LiveAccount) -> list[account.SessionEntry]:
    app = session.app
    online = {other.device for other in me.sessions}
    rows = await app.database.find(devices.list(me.id))
    return [
        account.SessionEntry(
            device=row.name,
            client=row.client,
            created_at=app.instant(row.created_at),
            seen_at=app.instant(row.seen_at),
            online=row.name in online,
            current=row.name == session.device,
        )
        for row in rows
    ]


async def sessions_revoke(session: Session, packet: account.SessionsRevoke) -> None:
    app, me = session.app, session.account
    assert me is not None
    if not await app.database.write(devices.delete(me.id, packet.device)):
        raise Refused(ErrorCode.UNKNOWN_ID)
    session.send(account.SessionsRevokeOk(device=packet.device, tag=packet.tag))
    for other in me.sessions[:]:
        if other.device == packet.device:
            other.goodbye(ErrorCode.REVOKED)


# -- export and deletion


async def export(session: Session, packet: account.AccountExport) -> None:
    app, me = session.app, session.account
    assert me is not None
    row = await app.database.find(accounts.get(me.id))
    assert row is not None
    rows = await app.database.read(accounts.export_page(me.id, packet.after, EXPORT_PAGE + 1))
    mine = await app.database.find(profiles.get(me.id))
    page, more = rows[:EXPORT_PAGE], len(rows) > EXPORT_PAGE
    address = app.directory.address
    session.send(
        account.AccountExportOk(
            login=me.address,
            created_at=app.instant(row.created_at),
            sessions=await session_entries(session, me),
            tokens=await token_entries(session, me),
            blocked=[address(login) for login in await app.database.find(blocks.list(me.id))],
            contacts=contacts_of(app, me.id, await app.database.find(contacts.all(me.id))),
            profile=Profile(name=mine.name, note=mine.note, avatar=mine.avatar),
            messages=[
                account.ExportedMessage(
                    id=one.id,
                    peer=address(one.other_login if one.author_id == me.id else one.author_login),
                    author=address(one.author_login),
                    at=app.instant(one.at),
                    text=one.text,
                    files=files.infos(one.files),
                    edited=one.edited_at is not None,
                    retracted=one.retracted_at is not None,
                    reply_to=one.target_id,
                )
                for one in page
            ],
            next=page[-1].id if more else None,
            tag=packet.tag,
        )
    )


async def delete(session: Session, packet: account.AccountDelete) -> None:
    app, me = session.app, session.account
    assert me is not None
    row = await check_password(session, packet.password)

    def steps() -> Steps[Sequence[accounts.Gone]]:
        gone = yield from accounts.delete(me.id, app.now_us())
        yield from conferences.erase(me.id)
        if row.is_admin:
            yield from admin.check_admin_left()
        return gone

    def then(gone: Sequence[accounts.Gone]) -> None:
        app.forget_routes_to(me)
        app.halls.account_left(me, is_deleted=True)
        me.friends.clear()
        for viewer_id, before, after in gone:
            viewer = app.online.get(viewer_id)
            if viewer is not None:
                viewer.friends.discard(me.id)
                tell_difference(app, viewer, before, after)
        session.send(account.AccountDeleteOk(tag=packet.tag))
        for other in me.sessions[:]:
            other.goodbye(ErrorCode.ACCOUNT_DELETED)
        files_left(app, me)

    try:
        await app.database.write(steps(), then)
    except admin.LastAdmin:
        raise Refused(ErrorCode.LAST_ADMIN) from None
    await app.database.write(accounts.delete(me.id, app.now_us()))  # also what other devices sent until then
    log.info("account.deleted")


PUBLIC_HANDLERS: dict[type[Packet], Handler] = {account.Register: register}
HANDLERS: dict[type[Packet], Handler] = {
    account.PasswordChange: password_change,
    account.TokenCreate: token_create,
    account.TokenList: token_list,
    account.TokenRevoke: token_revoke,
    account.SessionsGet: sessions_get,
    account.SessionsRevoke: sessions_revoke,
    account.AccountExport: export,
    account.AccountDelete: delete,
}
