"""What a client can ask of its server, one method a request.

Every `async` one returns when the server has answered, and raises RequestFailed when it refused.  While there is no
link they wait for one; give up with `asyncio.timeout`.

Source: rows A12-A29, M13-M23, M28-M47, T22, T23, T26, T30, T33-T36, X05.
"""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from typing import Any

from veche.packets import Packet
from veche.packets.account import (
    AccountDelete,
    AccountExport,
    AccountExportOk,
    PasswordChange,
    SessionEntry,
    SessionsGet,
    SessionsRevoke,
    TokenCreate,
    TokenCreateOk,
    TokenEntry,
    TokenList,
    TokenRevoke,
)
from veche.packets.blocking import Block, Unblock
from veche.packets.broadcast import BroadcastOk, BroadcastSend
from veche.packets.contacts import (
    Contact,
    ContactsAdd,
    ContactsAddOk,
    ContactsChange,
    ContactsDelete,
    ContactsGet,
    FriendAnswer,
    FriendCancel,
    FriendIgnore,
    FriendRemove,
    FriendRequest,
    FriendRequestOk,
)
from veche.packets.message import (
    Edit,
    EditOk,
    HistoryGet,
    HistoryGetOk,
    MessageReadUpTo,
    MessageSend,
    MessageSent,
    React,
    ReactOk,
    Retract,
    RetractOk,
    Search,
    SearchOk,
    TypingEndTo,
    TypingStartedTo,
)
from veche.packets.presence import PresenceSet, WhoElse, WhoElseSince
from veche.packets.profile import ProfileGet, ProfileGetOk, ProfileUpdate, ProfileUpdateOk


def picture(content: bytes) -> str:
    """A picture file as PROFILE-UPDATE carries it."""
    return base64.b64encode(content).decode()


class Requests:
    """The requests of a logged-in client; `Client` carries them out."""

    def post(self, packet: Packet) -> str:
        """Ask without waiting."""
        raise NotImplementedError

    async def request(self, packet: Packet) -> Any:
        """Ask, and return the answer."""
        raise NotImplementedError

    def last_id(self, peer: str) -> int:
        """The newest entry known of the conversation with `peer`, 0 for none."""
        raise NotImplementedError

    async def send(self, to: str, text: str, *, reply_to: int | None = None) -> MessageSent:
        """Send a message; returns when it is stored."""
        return await self.request(MessageSend(to=to, text=text, reply_to=reply_to))

    async def edit(self, message_id: int, text: str) -> EditOk:
        """Replace the text of one's own message."""
        return await self.request(Edit(id=message_id, text=text))

    async def retract(self, message_id: int) -> RetractOk:
        """Take one's own message back."""
        return await self.request(Retract(id=message_id))

    async def react(self, message_id: int, emoji: str, *, remove: bool = False) -> ReactOk:
        """Add or remove one's reaction."""
        return await self.request(React(id=message_id, emoji=emoji, remove=remove))

    def typing(self, to: str, *, ended: bool = False) -> None:
        """Tell `to` that one is writing, or has stopped.  Without a link nobody is told, now or later."""
        self.post(TypingEndTo(to=to) if ended else TypingStartedTo(to=to))

    def read(self, peer: str, upto: int | None = None) -> bool:
        """Say that the conversation has been read, up to a message or to the newest known.

        Returns False when no message of it is known.
        """
        upto = upto if upto is not None else self.last_id(peer)
        if upto:
            self.post(MessageReadUpTo(id=upto))
        return bool(upto)

    async def history(
        self, peer: str, *, before: int | None = None, after: int | None = None, limit: int = 50
    ) -> HistoryGetOk:
        """A page of the conversation, oldest first: the newest, or those before or after an id."""
        return await self.request(HistoryGet(peer=peer, before=before, after=after, limit=limit))

    async def search(self, peer: str, query: str, *, before: int | None = None, limit: int = 20) -> SearchOk:
        """Messages of the conversation that hold all the words, newest first."""
        return await self.request(Search(peer=peer, query=query, before=before, limit=limit))

    async def block(self, login: str) -> None:
        """Hear nothing from `login` any more."""
        await self.request(Block(login=login))

    async def unblock(self, login: str) -> None:
        """Undo `block`."""
        await self.request(Unblock(login=login))

    # -- people

    async def friend_request(self, login: str) -> FriendRequestOk:
        """Ask somebody to be friends; whom they had asked already, they are friends with at once."""
        return await self.request(FriendRequest(login=login))

    async def friend_answer(self, login: str, *, accepted: bool) -> None:
        """Answer a request.  Nobody is told of a no."""
        await self.request(FriendAnswer(login=login, accepted=accepted))

    async def friend_ignore(self, login: str) -> None:
        """Leave a request unanswered, on all devices."""
        await self.request(FriendIgnore(login=login))

    async def friend_cancel(self, login: str) -> None:
        """Take one's own request back."""
        await self.request(FriendCancel(login=login))

    async def friend_remove(self, login: str) -> None:
        """End a friendship."""
        await self.request(FriendRemove(login=login))

    async def contacts(self) -> list[Contact]:
        """All contacts: listed, asking, asked, friends, blocked."""
        return (await self.request(ContactsGet())).contacts

    async def contacts_add(self, login: str, *, name: str = "", group: str = "", memo: str = "") -> ContactsAddOk:
        """List somebody, and ask them to be friends unless that is under way."""
        return await self.request(ContactsAdd(id=login, name=name, group=group, memo=memo))

    async def contacts_change(
        self, login: str, *, name: str | None = None, group: str | None = None, memo: str | None = None
    ) -> None:
        """Change one's own name, group or memo for a contact; None: it stays, "": it goes."""
        await self.request(ContactsChange(id=login, name=name, group=group, memo=memo))

    async def contacts_delete(self, login: str) -> None:
        """Take somebody off the list; ends the friendship, takes back one's own request."""
        await self.request(ContactsDelete(id=login))

    async def profile(self, login: str) -> ProfileGetOk:
        """What somebody says about themselves, with the picture (Base64)."""
        return await self.request(ProfileGet(login=login))

    async def update_profile(
        self, *, name: str | None = None, note: str | None = None, avatar: bytes | None = None
    ) -> ProfileUpdateOk:
        """Change one's own profile; None: it stays, empty: it goes.  avatar: the content of a picture file."""
        given = None if avatar is None else picture(avatar)
        return await self.request(ProfileUpdate(name=name, note=note, avatar=given))

    def set_away(self, away: bool) -> None:
        """Tell that one has left this device, or is back.  Without a link nobody is told, now or later."""
        self.post(PresenceSet(away=away))

    async def who_else(self) -> list[str]:
        """The addresses of those who are online, without oneself."""
        return (await self.request(WhoElse())).users

    async def who_else_since(self, seconds: int) -> list[str]:
        """The addresses of those who were online in the last so many seconds, without oneself."""
        return (await self.request(WhoElseSince(seconds=seconds))).users

    async def broadcast(self, text: str) -> BroadcastOk:
        """Tell something to all who are online; nobody who is away gets it later."""
        return await self.request(BroadcastSend(text=text))

    # -- the account

    async def sessions(self) -> list[SessionEntry]:
        """The devices of this account, most recently seen first."""
        return (await self.request(SessionsGet())).sessions

    async def revoke(self, device: str) -> None:
        """End a device's session."""
        await self.request(SessionsRevoke(device=device))

    async def tokens(self) -> list[TokenEntry]:
        """The access tokens of this account, oldest first."""
        return (await self.request(TokenList())).tokens

    async def create_token(self, name: str) -> TokenCreateOk:
        """Make an access token; it is shown this once."""
        return await self.request(TokenCreate(name=name))

    async def revoke_token(self, token_id: int) -> None:
        """End an access token."""
        await self.request(TokenRevoke(id=token_id))

    async def change_password(self, old: str, new: str) -> None:
        """Set a new password; every other session of the account ends."""
        await self.request(PasswordChange(old_password=old, password=new))

    async def delete_account(self, password: str) -> None:
        """Delete the account for good."""
        await self.request(AccountDelete(password=password))

    async def export(self) -> AsyncIterator[AccountExportOk]:
        """Everything that the server keeps about this account, page by page, oldest messages first."""
        after = 0
        while True:
            page: AccountExportOk = await self.request(AccountExport(after=after))
            yield page
            if page.next is None:
                return
            after = page.next
