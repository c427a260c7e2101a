"""The people of a client are a fold of packets; snapshot and patches give what a fresh snapshot gives."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from veche.client.people import Group, People, fold_people, full_address, moment, parts_of, tree, unseen
from veche.packets import Packet
from veche.packets.account import ConnectOk
from veche.packets.blocking import BlockOk, UnblockOk
from veche.packets.contacts import Contact, ContactsGetResponse, ContactUpdated, Relation
from veche.packets.link import Limits, ServerHello
from veche.packets.message import Snapshot
from veche.packets.presence import Status, UpdateLastSeen
from veche.packets.profile import Profile, ProfileUpdateOk

ME, BOB, CAROL = "alice@home", "bob@home", "carol@home"
AT, LATER = "2026-01-01T00:00:00Z", "2026-01-01T00:05:00Z"


def contact(address: str = BOB, **fields: Any) -> Contact:
    fields = {"name": address.partition("@")[0], "relation": Relation.MUTUAL, **fields}
    return Contact(id=address, **fields)


def after(*packets: Packet, people: People | None = None) -> People:
    people = people or People(me=ME)
    for packet in packets:
        people = fold_people(people, packet)
    return people


def bob(*packets: Packet) -> Contact | None:
    return after(Snapshot(contacts=[contact(status=Status.ONLINE, presence=AT)]), *packets).contacts.get(BOB)


# -- one at a time


def test_a_snapshot_and_the_whole_list_replace_everyone() -> None:
    """Rows: A13 (partly), M29 (partly)."""
    people = after(Snapshot(contacts=[contact(BOB)], profile=Profile(name="Al"), blocked=[CAROL]))
    assert (list(people.contacts), people.profile.name, people.blocked) == ([BOB], "Al", {CAROL})
    people = after(ContactsGetResponse(contacts=[contact(CAROL)]), people=people)
    assert list(people.contacts) == [CAROL]
    assert after(Snapshot(), people=people) == People(me=ME)


def test_a_patch_changes_what_it_holds_and_nothing_else() -> None:
    """All four shapes of the document.  Rows: M34."""
    assert bob(ContactUpdated(id=BOB, name="Robert")) == contact(name="Robert", status=Status.ONLINE, presence=AT)
    assert bob(ContactUpdated(id=BOB, note="away")) == contact(note="away", status=Status.ONLINE, presence=AT)
    changed = bob(ContactUpdated(id=BOB, presence=LATER, status=Status.OFFLINE))
    assert changed == contact(presence=LATER, status=Status.OFFLINE)
    assert bob(ContactUpdated(id=BOB, presence="", status=Status.UNKNOWN)) == contact()


def test_a_patch_of_somebody_new_makes_a_contact_called_by_the_login() -> None:
    """Rows: X01 (partly), X23 (partly)."""
    people = after(ContactUpdated(id=CAROL, relation=Relation.INCOMING))
    assert people.contacts == {CAROL: contact(CAROL, relation=Relation.INCOMING)}
    assert after(ContactUpdated(id=CAROL, status=Status.ONLINE)).contacts == {}, "nobody we know"


def test_who_is_neither_listed_nor_related_is_gone() -> None:
    """Rows: A27 (partly), X01 (partly)."""
    assert bob(ContactUpdated(id=BOB, relation=Relation.NONE)) is None
    listed = bob(ContactUpdated(id=BOB, relation=Relation.NONE, listed=True))
    assert listed is not None
    assert listed.listed


def test_last_seen_says_what_a_patch_says() -> None:
    """Rows: M27 (partly), M35 (partly), X02 (partly)."""
    notice = UpdateLastSeen(id=BOB, at=LATER, status=Status.OFFLINE)
    patch = ContactUpdated(id=BOB, presence=LATER, status=Status.OFFLINE)
    assert bob(notice) == bob(patch) == bob(notice, patch) == bob(patch, notice)
    without_status = bob(UpdateLastSeen(id=BOB, at=LATER))
    assert without_status is not None
    assert without_status.status is Status.ONLINE, "what is not said stays"
    assert CAROL not in after(UpdateLastSeen(id=CAROL, at=AT, status=Status.ONLINE)).contacts


def test_an_instant_that_is_none_is_unknown_and_harms_nobody() -> None:
    """Rows: M27 (partly)."""
    strange = bob(UpdateLastSeen(id=BOB, at="when the moon was full", status=Status.OFFLINE))
    assert strange is not None
    assert strange.presence is not None
    assert moment(strange.presence) is None


def test_blocking_hides_what_somebody_was() -> None:
    """Rows: T33 (partly), T36 (partly)."""
    people = after(Snapshot(contacts=[contact()]), BlockOk(login=BOB), BlockOk(login=CAROL))
    assert people.blocked == {BOB, CAROL}
    assert people.related(Relation.BLOCKED) == [
        contact(relation=Relation.BLOCKED),
        contact(CAROL, relation=Relation.BLOCKED),
    ]
    patch = ContactUpdated(id=BOB, relation=Relation.MUTUAL)
    people = after(patch, UnblockOk(login=BOB), UnblockOk(login=CAROL), people=people)
    assert (people.blocked, people.contacts) == (frozenset(), {BOB: contact()})


def test_my_profile_is_what_the_server_says() -> None:
    """Rows: M45 (partly)."""
    assert after(ProfileUpdateOk(name="Al", note="here")).profile == Profile(name="Al", note="here")


def test_nobody_is_known_to_be_there_without_a_server() -> None:
    """Rows: M37 (partly), X21 (partly)."""
    there, gone = contact(status=Status.AWAY, presence=AT), contact(CAROL, status=Status.OFFLINE, presence=AT)
    people = unseen(after(Snapshot(contacts=[there, gone])), LATER)
    assert people.contacts[BOB] == contact(presence=LATER)
    assert people.contacts[CAROL] == contact(CAROL, presence=AT)
    assert unseen(people, "2027-01-01T00:00:00Z") == people


def test_logins_are_one_name_in_the_community_and_two_in_the_classroom() -> None:
    """Rows: T03 (partly)."""
    community = after(ConnectOk(login="alice@home", device="x", resume="r"))
    assert community.address("Bob") == community.address("bob@HOME") == BOB
    assert community.address("no login") == "no login"
    hello = ServerHello(
        version=1,
        server="home",
        software="x",
        federated=False,
        profile="classic",
        registration="closed",
        mechanisms=[],
        features=[],
        layer=3,
        limits=Limits(line_bytes=1, text_chars=1, history_page=1, unacknowledged=1),
    )
    assert after(hello, people=community).address("Bob") == "Bob@home"
    assert full_address("Bob@elsewhere", "home", keeps_case=False) == "bob@elsewhere"


# -- names


def test_somebody_is_called_by_a_name_that_is_nobody_elses() -> None:
    """Rows: X23 (partly)."""
    names = ("Robert", "carol", "Dave", "dave", "alice", "You")
    logins = ("bob", "carol", "dan", "eve", "frank", "gus")
    people = People(
        me=ME, contacts={f"{a}@home": contact(f"{a}@home", name=b) for a, b in zip(logins, names, strict=True)}
    )
    assert people.names() == {BOB: "Robert"}, "neither two of a name, nor the login of another, nor mine"


def test_a_name_of_mine_is_taken_over_theirs() -> None:
    """Rows: M47 (partly), X23 (partly)."""
    renamed = bob(
        ContactUpdated(id=BOB, name="Robert"),
        ContactUpdated(id=BOB, name="Bobby", own_name="Bobby"),
        ContactUpdated(id=BOB, note="call me Rob"),
    )
    assert renamed is not None
    assert (renamed.name, renamed.own_name) == ("Bobby", "Bobby")


# -- times


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2018-09-09T14:22:31+0300", datetime(2018, 9, 9, 11, 22, 31, tzinfo=UTC)),
        ("2018-09-09T14:22:31-0330", datetime(2018, 9, 9, 17, 52, 31, tzinfo=UTC)),
        ("2018-09-09T14:22:31+03:00", datetime(2018, 9, 9, 11, 22, 31, tzinfo=UTC)),
        ("2018-09-09t14:22:31.25z", datetime(2018, 9, 9, 14, 22, 31, 250000, tzinfo=UTC)),
        ("2018-09-09 14:22:31Z", datetime(2018, 9, 9, 14, 22, 31, tzinfo=UTC)),
        ("1990-12-31T23:59:60Z", datetime(1990, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("2018-09-09T14:22:31", None),
        ("2018-09-09", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("9999-12-31T23:59:59-14:00", None),
        ("", None),
        ("yesterday", None),
    ],
)
def test_instants_of_both_documents_are_read(text: str, instant: datetime | None) -> None:
    """Rows: M27 (partly)."""
    assert moment(text) == instant


@given(st.text(max_size=40))
def test_no_text_breaks_the_reading_of_instants(text: str) -> None:
    """Rows: M27 (partly)."""
    found = moment(text)
    assert found is None or found.tzinfo is UTC


# -- groups


def test_groups_lie_in_groups() -> None:
    """Rows: M39 (partly), M40 (partly)."""
    paths = {"a": "", "b": "Work", "c": "Work/Kitchen", "d": " work.other ", "e": "/Work//Kitchen/", "f": "Alone/Deep"}
    root = tree(contact(f"{name}@home", group=path) for name, path in paths.items())

    def shape(group: Group) -> tuple[str, str, list[Any]]:
        return group.path, "".join(one.name for one in group.contacts), [shape(inner) for inner in group.groups]

    assert shape(root) == (
        *("", "a"),
        [
            ("Alone", "", [("Alone/Deep", "f", [])]),
            ("Work", "b", [("Work/Kitchen", "ce", [])]),
            ("work.other", "d", []),
        ],
    )
    assert [one.name for one in root.groups[1].everyone()] == ["b", "c", "e"]


@given(st.lists(st.text("ab/. ", max_size=12), max_size=12))
def test_everyone_is_in_the_tree_once(paths: list[str]) -> None:
    """Rows: M40 (partly)."""
    contacts = [contact(f"{i}@home", group=path) for i, path in enumerate(paths)]
    everyone = tree(contacts).everyone()
    assert sorted(one.id for one in everyone) == sorted(one.id for one in contacts)
    assert all("" not in parts_of(path) for path in paths)


def test_who_is_there_is_shown_first() -> None:
    statuses = [Status.UNKNOWN, Status.AWAY, Status.OFFLINE, Status.ONLINE]
    people = People(contacts={f"{s}@home": contact(f"{s}@home", status=s) for s in statuses})
    assert [one.status for one in people.related(Relation.MUTUAL)][:2] == [Status.ONLINE, Status.AWAY]
    assert [one.status for one in people.online()] == [Status.ONLINE, Status.AWAY]


# -- the law

FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "name": st.sampled_from(["bob", "Robert", "B."]),
    "note": st.sampled_from(["", "on vacation"]),
    "status": st.sampled_from(list(Status)),
    "presence": st.sampled_from([None, AT, LATER]),
    "relation": st.sampled_from(list(Relation)),
    "listed": st.booleans(),
    "own_name": st.sampled_from(["", "Bobby"]),
    "group": st.sampled_from(["", "a/b"]),
    "memo": st.sampled_from(["", "owes me 5"]),
    "avatar": st.sampled_from(["", "ff" * 32]),
    "ignored": st.booleans(),
}
changes = st.lists(st.builds(Contact, id=st.sampled_from([BOB, CAROL, "dave@home"]), **FIELDS), max_size=12)


class Server:
    """What a server knows of one account's contacts, and the patches that tell of changes."""

    def __init__(self) -> None:
        self.contacts: dict[str, Contact] = {}

    def snapshot(self) -> Snapshot:
        return Snapshot(contacts=list(self.contacts.values()))

    def change(self, new: Contact) -> list[Packet]:
        """A contact is now like this; a contact that is none is gone."""
        old = self.contacts.pop(new.id, None)
        if not new.listed and new.relation is Relation.NONE:
            return [] if old is None else [ContactUpdated(id=new.id, relation=Relation.NONE, listed=False)]
        self.contacts[new.id] = new
        base = old or Contact(id=new.id, name="")
        patch = {name: getattr(new, name) for name in FIELDS if getattr(new, name) != getattr(base, name)}
        if "presence" in patch and patch["presence"] is None:
            patch["presence"] = ""
        told: list[Packet] = [ContactUpdated(id=new.id, **patch)] if patch else []
        if new.presence is not None and "presence" in patch:
            told.append(UpdateLastSeen(id=new.id, at=new.presence, status=new.status))
        return told


@settings(deadline=None)
@given(changes, changes)
def test_law_snapshot_and_patches_give_what_a_fresh_snapshot_gives(before: list[Contact], since: list[Contact]) -> None:
    """Rows: M34 (partly), M36 (partly), X02 (partly)."""
    server = Server()
    for new in before:
        server.change(new)
    people = after(server.snapshot())
    for new in since:
        people = after(*server.change(new), people=people)
        assert people == after(server.snapshot())


@settings(deadline=None)
@given(changes)
def test_law_repeats_are_harmless(since: list[Contact]) -> None:
    server = Server()
    people = after()
    for new in since:
        told = server.change(new)
        people = after(*told, *told, people=people)
    assert people == after(server.snapshot())
    listed = replace(people, profile=Profile(name="kept"))
    assert after(ContactsGetResponse(contacts=list(server.contacts.values())), people=listed) == listed
