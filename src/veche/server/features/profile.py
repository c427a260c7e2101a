"""What people say about themselves.  Source: rows M42, M44-M47, X23."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence

from veche.core.pictures import BadPicture, inspect
from veche.packets import ErrorCode, Packet, profile
from veche.packets.contacts import Contact, Relation
from veche.storage import contacts, profiles
from veche.storage.contacts import ContactRow
from veche.storage.database import Steps
from veche.storage.profiles import Picture, Profile

from ..session import Handler, Refused, Session
from .contacts import check_line, contact_of, tell_difference
from .message import find_account

Viewers = Sequence[tuple[int, ContactRow]]


async def profile_update(session: Session, packet: profile.ProfileUpdate) -> None:
    """Change my profile; my other devices are told, and each who may see it what is new for them."""
    app, me = session.app, session.account
    assert me is not None
    picture = check_picture(packet.avatar) if packet.avatar else None
    check_line(packet.name)
    check_line(packet.note)

    def steps() -> Steps[tuple[Profile, Viewers, Viewers]]:
        before = yield from contacts.viewers(me.id)
        now = yield from profiles.update(me.id, packet.name, packet.note, picture, removes_picture=packet.avatar == "")
        return now, before, (yield from contacts.viewers(me.id))

    def then(result: tuple[Profile, Viewers, Viewers]) -> None:
        (name, note, avatar), before, after = result
        app.tell(me, profile.ProfileUpdateOk(name=name, note=note, avatar=avatar), but=session)
        app.halls.introduce(me, name, avatar)
        for (viewer_id, was), (_, now) in zip(before, after, strict=True):
            if (viewer := app.online.get(viewer_id)) is not None:
                tell_difference(app, viewer, was, now)
        session.send(profile.ProfileUpdateOk(name=name, note=note, avatar=avatar, tag=packet.tag))

    await app.database.write(steps(), then)


def check_picture(text: str) -> Picture:
    """A picture small enough, of a type that is taken.  Raises Refused: bad-request."""
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        raise Refused(ErrorCode.BAD_REQUEST, "`avatar` is no Base64.") from None
    try:
        info = inspect(data)
    except BadPicture as error:
        raise Refused(ErrorCode.BAD_REQUEST, str(error)) from None
    side = profile.MAX_AVATAR_SIDE
    if len(data) > profile.MAX_AVATAR_BYTES or not (0 < info.width <= side and 0 < info.height <= side):
        raise Refused(
            ErrorCode.BAD_REQUEST,
            f"A picture has at most {profile.MAX_AVATAR_BYTES // 1024} KiB and {side} pixels a side.",
        )
    return Picture(hashlib.sha256(data).hexdigest(), info.type, data)


async def profile_get(session: Session, packet: profile.ProfileGet) -> None:
    """My own profile, or what somebody shows me of theirs."""
    app, me = session.app, session.account
    assert me is not None
    find = app.database.find
    who = await find_account(session, packet.login)
    if who.id == me.id:
        mine = await find(profiles.get(me.id))
        name, note, avatar = mine
    else:
        row = await find(contacts.get(me.id, who.id))
        shown = contact_of(app, me.id, row)
        name, note, avatar = ("", "", "") if shown is None else (profile_name(row, shown), shown.note, shown.avatar)
    picture = await find(profiles.picture(avatar)) if avatar else None
    type, data = picture or ("", b"")
    session.send(
        profile.ProfileGetOk(
            id=who.address,
            name=name,
            note=note,
            avatar_type=type,
            avatar=base64.b64encode(data).decode(),
            tag=packet.tag,
        )
    )


def profile_name(row: ContactRow, shown: Contact) -> str:
    """How somebody calls themselves, whatever the viewer calls them."""
    if shown.relation not in (Relation.MUTUAL, Relation.INCOMING):
        return ""
    return row.profile_name if row.told is None else row.told.name


HANDLERS: dict[type[Packet], Handler] = {
    profile.ProfileUpdate: profile_update,
    profile.ProfileGet: profile_get,
}
