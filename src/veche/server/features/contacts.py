"""Contacts and friends: who lists whom, who asked whom, and what each of them is shown of the other.

Everything that changes between two people is a `Change`: what either saw before and sees now.  `announce` turns each
side into the contact that its viewer may see, and tells the difference; so a patch cannot forget a field, and whoever
blocks, hides or leaves is treated in one place, `contact_of`.

Source: rows A12-A29, M28-M43, X01, X02, X06, X22, X23.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from veche.core import contacts as rule
from veche.core.budget import Bucket
from veche.packets import ErrorCode, Packet, contacts, presence
from veche.packets.contacts import Contact, ContactUpdated, Relation
from veche.packets.presence import Status
from veche.storage import contacts as storage
from veche.storage.contacts import Change, ContactRow, are_open
from veche.storage.database import Steps

from ..live import LiveAccount
from ..session import Handler, Refused, Session
from .message import check_peer

if TYPE_CHECKING:
    from ..app import HomeServer

EXPIRE_AT_ONCE = 200
UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, ends of lines, and what turns the direction of the text that follows."""
SHOWN = ("name", "note", "presence", "status", "relation", "listed", "own_name", "group", "memo", "avatar", "ignored")
"""The fields of a contact that a patch may hold."""


# -- what is shown


def contact_of(app: HomeServer, viewer_id: int, row: ContactRow) -> Contact | None:
    """What an account is shown of another; None: the other is no contact of theirs.

    Whoever has blocked the viewer is shown as they were then, and as gone since then (row X06).
    """
    relation = relation_of(app, viewer_id, row)
    if not row.listed and relation is Relation.NONE:
        return None
    name, note, avatar, seen_at, status = "", "", "", 0, Status.UNKNOWN
    if relation in (Relation.MUTUAL, Relation.INCOMING):
        if row.told is None:
            name, note, avatar = row.profile_name, row.note, row.avatar
        else:
            name, note, avatar = row.told.name, row.told.note, row.told.avatar
    if relation is Relation.MUTUAL:
        seen_at, status = seen(app, viewer_id, row)
    else:
        note = ""
    return Contact(
        id=app.directory.address(row.login),
        name=row.name or name or row.login,
        note=note,
        presence=app.instant(seen_at) if seen_at else None,
        status=status,
        relation=relation,
        listed=row.listed,
        own_name=row.name,
        group=row.group,
        memo=row.memo,
        avatar=avatar,
        ignored=relation is Relation.INCOMING and row.pair.is_ignored,
    )


def relation_of(app: HomeServer, viewer_id: int, row: ContactRow) -> Relation:
    """What the two are to each other, as the viewer sees it."""
    if row.blocked_at is not None:
        return Relation.BLOCKED
    if row.is_deleted:
        return Relation.NONE
    return Relation.MUTUAL if app.is_classic else rule.relation(row.pair, viewer_id)


def seen(app: HomeServer, viewer_id: int, row: ContactRow) -> tuple[int, Status]:
    """When a friend was last seen to come or go, and whether they are there."""
    if row.told is not None:
        return row.told.at, Status.OFFLINE
    live = app.directory.find(row.peer_id)
    if live is None:
        return row.seen_at, Status.OFFLINE
    return max(row.seen_at, live.seen_at, live.unblocked_at.get(viewer_id, 0)), live.told_status


def difference(id: str, before: Contact | None, after: Contact | None) -> ContactUpdated | None:
    """The patch that makes the one of the other, None when there is nothing to tell."""
    if before is None and after is None:
        return None
    if after is None:
        return ContactUpdated(id=id, relation=Relation.NONE, listed=False)
    old = before or Contact(id=id, name="")
    changed = {name: new for name in SHOWN if (new := getattr(after, name)) != getattr(old, name)}
    if "presence" in changed and changed["presence"] is None:
        changed["presence"] = ""
    return ContactUpdated(id=id, **changed) if changed else None


# -- announcing


def announce(app: HomeServer, me: LiveAccount, peer: LiveAccount, change: Change) -> None:
    """Something between two people has changed, by what `me` did: tell each what is new for them."""
    for viewer, other in ((me, peer), (peer, me)):
        row = change.mine if viewer is me else change.theirs
        if are_open(row):
            viewer.friends.add(other.id)
        else:
            viewer.friends.discard(other.id)
    app.halls.friends_changed(me, peer)
    tell_difference(app, me, change.mine_before, change.mine)
    if app.is_classic:
        return  # what has changed is a block, and who is blocked is not told (row T33)
    tell_difference(app, peer, change.theirs_before, change.theirs)
    was, now = (relation_of(app, peer.id, row) for row in (change.theirs_before, change.theirs))
    if now is Relation.INCOMING and was is not Relation.INCOMING:
        app.tell(peer, contacts.FriendRequested(from_=me.address, name=change.theirs.profile_name))


def tell_difference(app: HomeServer, viewer: LiveAccount, before: ContactRow, after: ContactRow) -> None:
    """Tell an account what is new about one of its contacts, if anything is."""
    if not viewer.sessions:
        return
    address = app.directory.address(after.login)
    patch = difference(address, contact_of(app, viewer.id, before), contact_of(app, viewer.id, after))
    if patch is None:
        return
    if patch == ContactUpdated(id=address, presence=patch.presence, status=patch.status) and patch.presence:
        # A block: for the other one the blocker leaves, and comes again when it ends, told as any coming and going.
        notice = presence.UpdateLastSeen(id=address, at=patch.presence, status=patch.status or Status.UNKNOWN)
        app.tell(viewer, notice)
    app.tell(viewer, patch)


async def expire(app: HomeServer) -> None:
    """End the requests that nobody has answered for a month."""
    while True:
        gone = await app.database.write(storage.expire(app.now_us(), EXPIRE_AT_ONCE))
        for first, second, change in gone:
            first_live = app.directory.live(first, change.theirs.login)
            announce(app, first_live, app.directory.live(second, change.mine.login), change)
        if len(gone) < EXPIRE_AT_ONCE:
            return


# -- the list


def contacts_of(app: HomeServer, account_id: int, rows: Sequence[ContactRow]) -> list[Contact]:
    """All contacts of an account, of all that it has noted."""
    return [one for row in rows if (one := contact_of(app, account_id, row)) is not None]


async def contacts_get(session: Session, packet: contacts.ContactsGet) -> None:
    app, me = session.app, session.account
    assert me is not None
    rows = await app.database.find(storage.all(me.id))
    session.send(contacts.ContactsGetResponse(contacts=contacts_of(app, me.id, rows), tag=packet.tag))


async def contacts_add(session: Session, packet: contacts.ContactsAdd) -> None:
    app, me = session.app, session.account
    assert me is not None
    check_budget(session)
    check_line(packet.name)
    check_line(packet.group)
    peer = await check_peer(session, packet.id)
    now = app.now_us()

    def step(pair: rule.Pair) -> rule.Pair:
        is_friend = app.is_classic or pair.state is rule.State.FRIENDS
        return pair if is_friend else rule.request(pair, me.id, now)

    def ok(change: Change) -> Packet:
        return contacts.ContactsAddOk(id=peer.address, relation=relation_of(app, me.id, change.mine), tag=packet.tag)

    limit = app.config.contacts
    await make(session, peer, storage.add(me.id, peer.id, packet.name, packet.group, packet.memo, step, limit), ok)


async def contacts_change(session: Session, packet: contacts.ContactsChange) -> None:
    assert session.account is not None
    check_line(packet.name)
    check_line(packet.group)
    peer = await check_peer(session, packet.id, deleted_too=True)
    steps = storage.note(session.account.id, peer.id, packet.name, packet.group, packet.memo)
    await make(session, peer, steps, lambda _: contacts.ContactsChangeOk(id=peer.address, tag=packet.tag))


async def contacts_delete(session: Session, packet: contacts.ContactsDelete) -> None:
    me = session.account
    assert me is not None
    peer = await check_peer(session, packet.id, deleted_too=True)
    steps = storage.delete(me.id, peer.id, lambda pair: rule.delete(pair, me.id))
    await make(session, peer, steps, lambda _: contacts.ContactsDeleteOk(id=peer.address, tag=packet.tag))


# -- friends


async def friend_request(session: Session, packet: contacts.FriendRequest) -> None:
    app, me = session.app, session.account
    assert me is not None
    check_sender(packet.from_)
    check_budget(session)
    peer = await check_peer(session, packet.login)
    if peer.login in me.blocked:
        raise Refused(ErrorCode.FORBIDDEN, f"You have blocked {peer.login}. Unblock them first.")
    now = app.now_us()

    def step(pair: rule.Pair) -> rule.Pair:
        if app.is_classic:
            raise rule.Refusal(ErrorCode.ALREADY_THERE)
        return rule.request(pair, me.id, now)

    def ok(change: Change) -> Packet:
        relation = relation_of(app, me.id, change.mine)
        return contacts.FriendRequestOk(login=peer.address, relation=relation, tag=packet.tag)

    await make(session, peer, storage.change(me.id, peer.id, step, app.config.contacts), ok)


async def friend_answer(session: Session, packet: contacts.FriendAnswer) -> None:
    now, accepted = session.app.now_us(), packet.accepted
    await step_with(
        session,
        packet.login,
        lambda pair, me: rule.answer(pair, me, accepted, now),
        lambda address: contacts.FriendAnswerOk(login=address, accepted=accepted, tag=packet.tag),
    )


async def friend_ignore(session: Session, packet: contacts.FriendIgnore) -> None:
    await step_with(
        session, packet.login, rule.ignore, lambda address: contacts.FriendIgnoreOk(login=address, tag=packet.tag)
    )


async def friend_cancel(session: Session, packet: contacts.FriendCancel) -> None:
    await step_with(
        session, packet.login, rule.cancel, lambda address: contacts.FriendCancelOk(login=address, tag=packet.tag)
    )


async def friend_remove(session: Session, packet: contacts.FriendRemove) -> None:
    await step_with(
        session, packet.login, rule.remove, lambda address: contacts.FriendRemoveOk(login=address, tag=packet.tag)
    )


async def step_with(
    session: Session,
    login: str,
    step: Callable[[rule.Pair, int], rule.Pair],
    ok: Callable[[str], Packet],
) -> None:
    """One step of mine in what is between me and somebody."""
    me = session.account
    assert me is not None
    peer = await check_peer(session, login)
    steps = storage.change(me.id, peer.id, lambda pair: step(pair, me.id))
    await make(session, peer, steps, lambda _: ok(peer.address))


async def make(session: Session, peer: LiveAccount, steps: Steps[Change], ok: Callable[[Change], Packet]) -> None:
    """Make the change, then tell both people and answer.  Raises Refused when it makes no sense."""
    app, me = session.app, session.account
    assert me is not None

    def then(change: Change) -> None:
        announce(app, me, peer, change)
        session.send(ok(change))

    try:
        await app.database.write(steps, then)
    except rule.Refusal as refusal:
        raise Refused(refusal.code) from None
    except storage.AlreadyListed:
        raise Refused(ErrorCode.ALREADY_THERE) from None
    except storage.NoContact:
        raise Refused(ErrorCode.UNKNOWN_ID, f"{peer.login} is no contact of yours.") from None
    except storage.TooMany:
        raise Refused(ErrorCode.TOO_MANY) from None


def check_line(text: str | None) -> None:
    """A name is one line that shows what it says.  Raises Refused: bad-request."""
    if text is not None and (UNSEEN.search(text) or text != text.strip()):
        raise Refused(ErrorCode.BAD_REQUEST, "This is one line, without control characters and spaces around it.")


def check_sender(named: str | None) -> None:
    """Who is logged in is who asks; only another server may name somebody else.  Raises Refused: forbidden."""
    if named is not None:
        raise Refused(ErrorCode.FORBIDDEN, "The sender is whoever is logged in; leave `from` out.")


def check_budget(session: Session) -> None:
    """Nobody asks thousands.  Raises Refused: try-again-later."""
    app, me = session.app, session.account
    assert me is not None
    now, rate = app.monotonic(), app.config.contact_rate
    if rate == 0:
        return
    if me.contact_budget is None:
        me.contact_budget = Bucket(rate / 3600, max(rate, 1.0), now)
    wait_s = me.contact_budget.ask(1.0, now)
    if wait_s > 0:
        raise Refused(ErrorCode.TRY_AGAIN_LATER, "You have asked too many people.", retry_after_s=round(wait_s, 1))


HANDLERS: dict[type[Packet], Handler] = {
    contacts.ContactsGet: contacts_get,
    contacts.ContactsAdd: contacts_add,
    contacts.ContactsChange: contacts_change,
    contacts.ContactsUpdate: contacts_change,
    contacts.ContactsDelete: contacts_delete,
    contacts.FriendRequest: friend_request,
    contacts.FriendAnswer: friend_answer,
    contacts.FriendIgnore: friend_ignore,
    contacts.FriendCancel: friend_cancel,
    contacts.FriendRemove: friend_remove,
}
