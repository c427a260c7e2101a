"""The people somebody knows, as a pure fold of packets: contacts, presence, my own profile, whom I have blocked.

Rules:

1. SNAPSHOT and CONTACTS-GET-RESPONSE replace all contacts, CONTACT-UPDATED changes the fields that it holds.
   UPDATE-LAST-SEEN and BLOCK-OK say what a patch says too: either may come first, or alone.
2. A contact that is neither listed nor related is none.  Law: snapshot and events give what a fresh snapshot gives.
3. What is not told is unknown, which is not offline (row X21).
4. Somebody is called what I call them, else what they call themselves, else by their login (row X23).  A name that
   could be taken for somebody else's is not used; the login is.

Source: rows M27-M47, X01, X02, X21, X23; STYLE.md, Laws.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeVar

from msgspec import Struct, field
from msgspec.structs import replace

from veche.core.names import BadLogin, split_address
from veche.packets import Packet
from veche.packets.account import ConnectOk
from veche.packets.blocking import BlockOk, UnblockOk
from veche.packets.contacts import Contact, ContactsGetResponse, ContactUpdated, Relation
from veche.packets.link import ServerHello
from veche.packets.message import Snapshot
from veche.packets.presence import Status, UpdateLastSeen
from veche.packets.profile import Profile, ProfileUpdateOk

CLASSIC = "classic"
"""The profile of a server whose logins differ by case."""
THERE = frozenset({Status.ONLINE, Status.AWAY})
_PATCHED = [name for name in ContactUpdated.__struct_fields__ if name != "id"]
_LEAP_SECOND = re.compile(r"(?<=T\d\d:\d\d:)60")
_RANK = {Status.ONLINE: 0, Status.AWAY: 1, Status.OFFLINE: 2, Status.UNKNOWN: 2}


class People(Struct, frozen=True, kw_only=True):
    """Everyone that one account knows.  contacts, blocked: by full address."""

    me: str = ""
    keeps_case: bool = False
    """The server's profile is CLASSIC."""
    contacts: dict[str, Contact] = field(default_factory=dict[str, Contact])
    profile: Profile = Profile()
    blocked: frozenset[str] = frozenset()

    def address(self, login: str) -> str:
        """The full address of `login` or `login@domain`, in the one spelling of this server."""
        return full_address(login, self.me.rpartition("@")[2], keeps_case=self.keeps_case)

    def relation(self, address: str) -> Relation:
        """What that person is to me."""
        contact = self.contacts.get(address)
        return Relation.NONE if contact is None else contact.relation

    def related(self, *relations: Relation) -> list[Contact]:
        """The contacts that are one of these to me, in the order in which they are shown."""
        return sorted((one for one in self.contacts.values() if one.relation in relations), key=rank)

    def online(self) -> list[Contact]:
        """Who is there, away or not."""
        return sorted((one for one in self.contacts.values() if one.status in THERE), key=rank)

    def names(self) -> dict[str, str]:
        """address -> shown name, of those contacts that are called by one; rule 4."""
        logins = {one.id: login_of(one.id) for one in self.contacts.values()}
        taken = Counter(one.name.casefold() for one in self.contacts.values())
        taken.update({login.casefold() for login in logins.values()} | {login_of(self.me).casefold(), "you"})
        return {
            one.id: one.name
            for one in self.contacts.values()
            if one.name and one.name != logins[one.id] and taken[one.name.casefold()] == 1
        }


P = TypeVar("P", bound=People)


def login_of(address: str) -> str:
    """The login of a full address."""
    return address.rpartition("@")[0] or address


def full_address(login: str, domain: str, *, keeps_case: bool) -> str:
    """The full address of `login` or `login@domain`.  What is no login stays as it is: the server will say so."""
    try:
        name, given = split_address(login, keeps_case=keeps_case)
    except BadLogin:
        return login
    return f"{name}@{domain if given is None else given}"


def rank(contact: Contact) -> tuple[int, str, str]:
    """Who is shown first: who is there, then by name."""
    return _RANK[contact.status], contact.name.casefold(), contact.id


def fold_people(people: P, packet: Packet) -> P:
    """Return the people after `packet`."""
    match packet:
        case ServerHello():
            return replace(people, keeps_case=packet.profile == CLASSIC)
        case ConnectOk():
            return replace(people, me=packet.login)
        case Snapshot():
            contacts = {one.id: one for one in packet.contacts}
            return replace(
                people,
                contacts=contacts,
                profile=packet.profile or Profile(),
                blocked=frozenset(packet.blocked),
            )
        case ContactsGetResponse():
            return replace(people, contacts={one.id: one for one in packet.contacts})
        case ContactUpdated():
            return _patched(people, packet)
        case UpdateLastSeen():
            if packet.id not in people.contacts:
                return people
            status = None if packet.status is Status.UNKNOWN else packet.status
            return _patched(people, ContactUpdated(id=packet.id, presence=packet.at, status=status))
        case BlockOk():
            people = _patched(people, ContactUpdated(id=packet.login, relation=Relation.BLOCKED))
            return replace(people, blocked=people.blocked | {packet.login})
        case UnblockOk():
            if people.relation(packet.login) is Relation.BLOCKED:  # what they were is told by a patch
                people = _patched(people, ContactUpdated(id=packet.login, relation=Relation.NONE))
            return replace(people, blocked=people.blocked - {packet.login})
        case ProfileUpdateOk():
            return replace(people, profile=Profile(name=packet.name, note=packet.note, avatar=packet.avatar))
        case _:
            return people


def _patched(people: P, packet: ContactUpdated) -> P:
    old = people.contacts.get(packet.id) or Contact(id=packet.id, name=login_of(packet.id))
    new: dict[str, Any] = {name: value for name in _PATCHED if (value := getattr(packet, name)) is not None}
    if packet.presence == "":
        new["presence"] = None
    contact = replace(old, **new)
    contacts = dict(people.contacts)
    if contact.listed or contact.relation is not Relation.NONE:
        contacts[packet.id] = contact
    else:
        contacts.pop(packet.id, None)
    return replace(people, contacts=contacts)


def unseen(people: P, at: str) -> P:
    """The people when no server tells who is there any more: those who were there were last seen now, at `at`."""
    contacts = {
        id: replace(one, status=Status.UNKNOWN, presence=at if one.status in THERE else one.presence)
        for id, one in people.contacts.items()
    }
    return replace(people, contacts=contacts)


# -- times


def moment(text: str) -> datetime | None:
    """The instant that a packet tells, in UTC; None when it tells none.

    Takes RFC 3339, and its offset without the colon, as document 003 writes it: 2018-09-09T14:22:31+0300 (row M27).
    """
    try:
        found = datetime.fromisoformat(_LEAP_SECOND.sub("59", text.upper()))
        return None if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


# -- groups


class Group(NamedTuple):
    """A group of contacts, and the groups in it.  path: its name after those around it, parted by `/`; the root: ""."""

    name: str
    path: str
    contacts: list[Contact]
    groups: list[Group]

    def everyone(self) -> list[Contact]:
        """The contacts of the group and of all groups in it."""
        return [*self.contacts, *(one for group in self.groups for one in group.everyone())]


def parts_of(path: str) -> tuple[str, ...]:
    """The names of nested groups, the outermost first; empty ones do not count."""
    return tuple(part for part in (part.strip() for part in path.split("/")) if part)


def tree(contacts: Iterable[Contact]) -> Group:
    """The contacts in their groups (row M40), each level in the order in which it is shown."""
    return _grouped((), [(parts_of(one.group), one) for one in contacts])


def _grouped(path: tuple[str, ...], members: list[tuple[tuple[str, ...], Contact]]) -> Group:
    depth = len(path)
    here = sorted((one for parts, one in members if len(parts) == depth), key=rank)
    inner: dict[str, list[tuple[tuple[str, ...], Contact]]] = {}
    for parts, one in members:
        if len(parts) > depth:
            inner.setdefault(parts[depth], []).append((parts, one))
    groups = [_grouped((*path, name), inner[name]) for name in sorted(inner, key=lambda name: (name.casefold(), name))]
    return Group(path[-1] if path else "", "/".join(path), here, groups)
