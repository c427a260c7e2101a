"""Alice, Bob and Carla write conversations on their own disks, and hand each other packs."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.histories import person
from veche.peer import commits, identity, quarantine
from veche.peer.bans import vote_and_resolve
from veche.peer.identity import Identity
from veche.peer.pack_file import write_pack
from veche.peer.quarantine import PullRefused
from veche.peer.repository import Conversation, NoConversation
from veche.peer.verify import Accepted, verify
from veche.swarm import messages, writing
from veche.swarm.messages import Call, Edited, File, Text
from veche.swarm.model import Mode
from veche.swarm.writing import CannotWrite

AT = 1_795_000_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def git(talk: Conversation, *words: str) -> str:
    done = subprocess.run(
        ["git", "--git-dir", str(talk.store.folder), *words], check=True, capture_output=True, text=True
    )
    return done.stdout


def fsck(talk: Conversation) -> None:
    """Git finds nothing to say about the repository, and what we wrote holds."""
    done = subprocess.run(
        ["git", "--git-dir", str(talk.store.folder), "fsck", "--strict", "--full"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert (done.stdout.strip(), done.stderr.strip()) in (("", ""), ("notice: HEAD points to an unborn branch", ""))
    assert isinstance(verify(talk.store.objects, talk.head, workers=1), Accepted)


def give(source: Conversation, to: Conversation | None = None) -> Path:
    """A pack of everything, or of what `to` does not have."""
    pack = source.folder / "offered.pack"
    quarantine.offer(source.store.objects, source.head, pack, to.index if to else None)
    return pack


def invited(talk: Conversation, by: Identity, who: Identity, folder: Path) -> Conversation:
    """Somebody else's copy of the conversation, invited and come."""
    talk.write(by, lambda state, author: writing.invite(state, author, who.uri))
    theirs = quarantine.clone(folder, talk.id, give(talk), talk.head, by.name)
    theirs.write(who, writing.join)
    quarantine.pull(talk, give(theirs, talk), theirs.head, who.name, by)
    return theirs


@pytest.mark.parametrize("mode", list(Mode))
def test_a_conversation_of_each_mode_is_a_clean_repository(mode: Mode, folder: Path) -> None:
    """Rows: B07, B12 (partly), B13, B14, B15, B95, B101 (partly), B125."""
    alice, bob = person("Alice"), person("Bob")
    other = bob.uri if mode is Mode.ONE_TO_ONE else ""
    talk = Conversation.create(folder / "a", alice, mode, other, now=AT)
    expected = {"mode": int(mode), "type": "initial"} | ({"invited": other} if other else {})
    raw = git(talk, "cat-file", "commit", "main").encode()
    assert raw.endswith(b"\n\n" + json.dumps(expected, sort_keys=True, separators=(",", ":")).encode())
    assert git(talk, "rev-parse", "HEAD").strip() == talk.id == talk.head
    files = git(talk, "ls-tree", "-r", "main").split("\n")[:-1]
    names = [f"admins/{alice.uri}.crt", f"devices/{alice.device}.crt", *([f"invited/{other}"] if other else [])]
    assert [line.split("\t")[1] for line in files] == names
    assert all(line.startswith("100644 blob ") for line in files)
    assert git(talk, "show", f"main:{names[0]}").encode() == alice.author.account_pem
    assert git(talk, "show", f"main:{names[1]}").encode() == alice.author.device_pem
    fsck(talk)


def test_notes_to_oneself_are_a_conversation_of_one(folder: Path) -> None:
    """Rows: B08 (partly)."""
    alice = person("Alice")
    talk = Conversation.create(folder, alice, Mode.ONE_TO_ONE, alice.uri)
    talk.say(alice, Text(body="milk"))
    assert talk.state.invited == [alice.uri]
    with pytest.raises(CannotWrite, match="for two"):
        talk.write(alice, lambda state, author: writing.invite(state, author, person("Bob").uri))
    fsck(talk)


def test_every_kind_of_commit_has_the_described_bytes(folder: Path) -> None:
    """Rows: B23, B49 (partly), B104, B126, B127, B128, B129 (partly)."""
    alice, bob = person("Alice"), person("Bob")
    talk = Conversation.create(folder / "a", alice, Mode.INVITES_ONLY, now=AT)
    theirs = invited(talk, alice, bob, folder / "b")
    text = talk.say(alice, Text(body="héllo 🎈/"))
    for message in (
        Text(body="yes", reply_to=text),
        Text(body="👍", react_to=text),
        Edited(body="", edit=text),
        File(display_name="x.tar.gz", sha3sum="a" * 128, tid="42", total_size="650"),
        Call(duration="5466", to=bob.uri),
        Call(conf_id="7", device=alice.device, uri=alice.uri),
    ):
        talk.say(alice, message)
    talk.write(alice, lambda state, author: writing.profile(state, author, {"title": "Rowing"}))
    talk.write(alice, lambda state, author: writing.vote(state, author, "ban", bob.uri))
    talk.write(alice, lambda state, author: writing.resolve(state, author, "ban", bob.uri))
    quarantine.pull(theirs, give(talk, theirs), talk.head, "Alice", bob)
    found = [line.id for line in talk.newest()]
    told = [git(talk, "cat-file", "commit", id).partition("\n\n")[2] for id in reversed(found)]
    uri = bob.uri
    assert told == [
        '{"mode":2,"type":"initial"}',
        f'{{"action":"add","type":"member","uri":"{uri}"}}',
        f'{{"action":"join","type":"member","uri":"{uri}"}}',
        '{"body":"h\\u00e9llo \\ud83c\\udf88/","type":"text/plain"}',
        f'{{"body":"yes","reply-to":"{text}","type":"text/plain"}}',
        f'{{"body":"\\ud83d\\udc4d","react-to":"{text}","type":"text/plain"}}',
        f'{{"body":"","edit":"{text}","type":"application/edited-message"}}',
        f'{{"displayName":"x.tar.gz","sha3sum":"{"a" * 128}","tid":"42","totalSize":"650",'
        '"type":"application/data-transfer+json"}',
        f'{{"duration":"5466","to":"{uri}","type":"application/call-history+json"}}',
        f'{{"confId":"7","device":"{alice.device}","type":"application/call-history+json","uri":"{alice.uri}"}}',
        '{"type":"application/update-profile"}',
        f'{{"type":"vote","uri":"{uri}"}}',
        f'{{"action":"ban","type":"member","uri":"{uri}"}}',
    ]
    card = git(talk, "show", "main:profile.vcf")
    assert card == "BEGIN:VCARD\nVERSION:2.1\nFN:Rowing\nPHOTO;ENCODING=BASE64\n\n\nEND:VCARD"
    vote = git(talk, "show", "--name-status", "--format=", "main~1")
    assert vote == f"A\tvotes/ban/members/{uri}/{alice.uri}\n"
    ban = git(talk, "show", "--name-status", "--no-renames", "--format=", "main").split("\n")
    assert ban[:3] == [
        f"A\tbanned/members/{uri}.crt", f"D\tmembers/{uri}.crt", f"D\tvotes/ban/members/{uri}/{alice.uri}",
    ]  # fmt: skip
    raw = subprocess.run(
        ["git", "--git-dir", str(talk.store.folder), "cat-file", "commit", text], check=True, capture_output=True
    ).stdout
    lines = raw.split(b"\n")
    assert [line.split(b" ")[0] for line in lines[:5]] == [b"tree", b"parent", b"author", b"committer", b"signature"]
    assert lines[2].startswith(b"author Alice <" + alice.device.encode() + b"> ")
    assert lines[2].endswith(b" +0000")
    assert lines[5] == b""
    fsck(talk)
    fsck(theirs)


def test_a_new_device_brings_its_certificate_in_its_first_commit_whatever_that_is(folder: Path) -> None:
    """Rows: B24, B53 (partly)."""
    alice, bob = person("Alice"), person("Bob")
    second = identity.add_device(alice.archive, bits=2048)
    talk = Conversation.create(folder / "a", alice, Mode.INVITES_ONLY)
    theirs = invited(talk, alice, bob, folder / "b")
    laptop = quarantine.clone(folder / "c", talk.id, give(talk), talk.head, "Alice")
    laptop.say(second, Text(body="from the laptop"))
    assert git(laptop, "show", "--name-status", "--format=", "main") == f"A\tdevices/{second.device}.crt\n"
    quarantine.pull(theirs, give(laptop, theirs), laptop.head, "Alice", bob)
    assert second.device in theirs.state.devices
    quarantine.pull(talk, give(laptop, talk), laptop.head, "laptop", alice)
    assert vote_and_resolve(talk, alice, "ban", second.device)
    quarantine.pull(laptop, give(talk, laptop), talk.head, "Alice", alice)
    with pytest.raises(CannotWrite, match="banned"):
        laptop.say(second, Text(body="still there?"))
    talk.say(alice, Text(body="that was a thief"))
    fsck(talk)


def test_both_write_and_each_merges_and_all_see_the_same(folder: Path) -> None:
    """Rows: B18 (partly), B20, B27 (partly)."""
    alice, bob = person("Alice"), person("Bob")
    talk = Conversation.create(folder / "a", alice, Mode.PUBLIC)
    theirs = invited(talk, alice, bob, folder / "b")
    quarantine.pull(theirs, give(talk, theirs), talk.head, "Alice", bob)
    for turn in range(3):
        talk.say(alice, Text(body=f"a{turn}"))
        theirs.say(bob, Text(body=f"b{turn}"))
        pulled = quarantine.pull(talk, give(theirs, talk), theirs.head, "Bob", alice)
        assert pulled.merge == talk.head
        assert len(pulled.new) == 1
        quarantine.pull(theirs, give(talk, theirs), talk.head, "Alice", bob)
        assert theirs.head == talk.head
    assert quarantine.pull(talk, give(theirs), theirs.head, "Bob", alice).new == ()
    bodies = {line.message["body"] for line in talk.newest() if line.type == "text/plain"}
    assert bodies == {"a0", "a1", "a2", "b0", "b1", "b2"}
    merge = next(line for line in talk.newest() if line.type == "merge")
    assert merge.message == f"Merge commit '{merge.parents[1]}'"
    assert list(talk.newest()) == list(theirs.newest())
    assert talk.state.members == [bob.uri]
    fsck(talk)


@pytest.mark.parametrize("first", ["Alice", "Bob"])
def test_two_new_cards_are_merged_to_that_of_the_greater_head(first: str, folder: Path) -> None:
    alice = person("Alice")
    second = identity.add_device(alice.archive, bits=2048)
    talk = Conversation.create(folder / "a", alice, Mode.INVITES_ONLY)
    talk.write(alice, lambda state, author: writing.profile(state, author, {"title": "old"}))
    other = quarantine.clone(folder / "b", talk.id, give(talk), talk.head, "x")
    talk.write(alice, lambda state, author: writing.profile(state, author, {"title": "here"}))
    other.write(second, lambda state, author: writing.profile(state, author, {"title": "there"}))
    winner = b"FN:here" if talk.head > other.head else b"FN:there"
    one, two, me = (talk, other, alice) if first == "Alice" else (other, talk, second)
    quarantine.pull(one, give(two, one), two.head, "x", me)
    assert winner in one.state.card
    fsck(one)


def broken_commit(source: Conversation, author: Identity, message: bytes) -> Path:
    """A pack with one more text by somebody, then a commit that no rule allows, then another text."""
    head = source.head
    objects = source.store
    tree = commits.parse(objects.objects.commit(head)).tree
    made: list[tuple[int, bytes]] = []
    for one in (b'{"body":"good","type":"text/plain"}', message, b'{"body":"after","type":"text/plain"}'):
        data = commits.write(tree, (head,), author.name, author.device, AT, one, author.sign)
        head = commits.commit_id(data)
        made.append((1, data))
    pack = source.folder / f"{head}.pack"
    write_pack(pack, made, len(made))
    return pack


def forged_child(talk: Conversation, author: Identity) -> Path:
    """A pack with a text upon the newest commit, dated long ago."""
    tree = commits.parse(talk.store.objects.commit(talk.head)).tree
    text = b'{"body":"I was here before","type":"text/plain"}'
    data = commits.write(tree, (talk.head,), author.name, author.device, AT - 10_000_000, text, author.sign)
    pack = talk.folder / f"{commits.commit_id(data)}.pack"
    write_pack(pack, [(1, data)], 1)
    return pack


def everything(folder: Path) -> set[tuple[str, int]]:
    return {
        (str(file.relative_to(folder)), file.stat().st_size)
        for file in folder.rglob("*")
        if file.is_file() and "index.db" not in file.name
    }


def test_a_refused_pull_leaves_no_trace_and_says_who_sent_what(folder: Path) -> None:
    """An invalid commit in the middle.  Rows: B28, B29, B30 (partly), B98."""
    alice, bob = person("Alice"), person("Bob")
    talk = Conversation.create(folder / "a", alice, Mode.INVITES_ONLY)
    theirs = invited(talk, alice, bob, folder / "b")
    quarantine.pull(theirs, give(talk, theirs), talk.head, "Alice", bob)
    pack = broken_commit(theirs, bob, b"no JSON")
    before = everything(folder / "a")
    with pytest.raises(PullRefused, match="Bob's laptop sent is refused") as refused:
        quarantine.pull(talk, pack, pack.stem, "Bob's laptop", alice)
    assert refused.value.rule == "message"
    assert refused.value.commit in str(refused.value)
    assert refused.value.commit != pack.stem
    assert everything(folder / "a") == before
    assert all(line.message.get("body") != "good" for line in talk.newest())
    with pytest.raises(PullRefused):
        quarantine.clone(folder / "c", talk.id, pack, pack.stem, "Bob")
    assert not list((folder / "c").rglob("*.pack"))
    fsck(talk)


def test_a_pack_of_another_conversation_is_refused(folder: Path) -> None:
    alice = person("Alice")
    one = Conversation.create(folder / "a", alice, Mode.PUBLIC)
    two = Conversation.create(folder / "b", alice, Mode.PUBLIC, now=AT)
    with pytest.raises(PullRefused) as refused:
        quarantine.pull(one, give(two), two.head, "somebody", alice)
    assert refused.value.rule == "second-root"
    with pytest.raises(PullRefused) as refused:
        quarantine.clone(folder / "c", one.id, give(two), two.head, "somebody")
    assert refused.value.rule == "conversation"


def test_a_merge_that_oneself_may_not_write_is_not_made(folder: Path) -> None:
    """Alice banned Bob while he wrote: he keeps his own history, and nothing of hers stays.  Rows: B47 (partly)."""
    alice, bob = person("Alice"), person("Bob")
    talk = Conversation.create(folder / "a", alice, Mode.INVITES_ONLY)
    theirs = invited(talk, alice, bob, folder / "b")
    quarantine.pull(theirs, give(talk, theirs), talk.head, "Alice", bob)
    vote_and_resolve(talk, alice, "ban", bob.uri)
    theirs.say(bob, Text(body="am I there?"))
    head = theirs.head
    with pytest.raises(CannotWrite):
        quarantine.pull(theirs, give(talk, theirs), talk.head, "Alice", bob)
    assert theirs.head == head
    assert not theirs.index.knows(talk.head)
    assert [line.message.get("body") for line in theirs.newest(1)] == ["am I there?"]
    quarantine.pull(talk, give(theirs, talk), theirs.head, "Bob", alice)  # he did not know of it when he wrote
    assert (talk.state.banned, talk.state.members) == ([bob.uri], [])
    assert talk.index.knows(head)
    forged = forged_child(talk, bob)
    with pytest.raises(PullRefused) as refused:
        quarantine.pull(talk, forged, forged.stem, "Bob", alice)
    assert refused.value.rule == "member"


@pytest.mark.parametrize("harm", ["missing", "garbage", "empty", "old head", "other conversation"])
def test_the_index_is_made_anew_when_it_is_wrong(harm: str, folder: Path) -> None:
    alice, bob = person("Alice"), person("Bob")
    talk = Conversation.create(folder / "a", alice, Mode.INVITES_ONLY)
    theirs = invited(talk, alice, bob, folder / "b")
    vote_and_resolve(talk, alice, "ban", bob.uri)
    theirs.close()
    talk.say(alice, Text(body="one"))
    old = (talk.data / "index.db").read_bytes()
    talk.say(alice, Text(body="two"))
    lines, state = list(talk.newest()), talk.state
    talk.close()
    index = talk.data / "index.db"
    if harm == "missing":
        index.unlink()
    elif harm == "garbage":
        index.write_bytes(b"SQLite format 3\0" + b"?" * 5000)
    elif harm == "empty":
        index.write_bytes(b"")
    elif harm == "old head":
        index.write_bytes(old)
    else:
        other = Conversation.create(folder / "c", alice, Mode.PUBLIC, now=AT)
        other.close()
        index.write_bytes((other.data / "index.db").read_bytes())
    again = Conversation(folder / "a", talk.id)
    assert list(again.newest()) == lines
    assert again.state.bans == state.bans
    assert again.state.files == state.files
    again.say(alice, Text(body="three"))
    again.close()


def test_a_damaged_repository_is_said_in_words(folder: Path) -> None:
    alice = person("Alice")
    talk = Conversation.create(folder, alice, Mode.PUBLIC)
    head = talk.say(alice, Text(body="one"))
    talk.close()
    (talk.store.folder / "objects" / head[:2] / head[2:]).unlink()
    (talk.data / "index.db").unlink()
    with pytest.raises(NoConversation, match="damaged"):
        Conversation(folder, talk.id)
    with pytest.raises(NoConversation, match="no conversation"):
        Conversation(folder, "a" * 40)


def test_the_newest_lines_are_the_beginning_of_the_whole_log(folder: Path) -> None:
    alice = person("Alice")
    talk = Conversation.create(folder, alice, Mode.PUBLIC, now=AT)
    for number in range(8):
        talk.say(alice, Text(body=str(number)), now=AT)
    everything = list(talk.newest())
    assert [line.message.get("body", "") for line in everything] == [*"76543210", ""]
    for count in (0, 1, 5, 99):
        assert list(talk.newest(count)) == everything[:count]
    assert talk.is_later(everything[0].id, everything[3].id)
    assert not talk.is_later(everything[3].id, everything[0].id)


REFUSED: dict[str, Callable[[Conversation, Identity, Identity], str]] = {
    "invite themselves": lambda talk, me, _: talk.write(me, lambda s, a: writing.invite(s, a, me.uri)),
    "invite nobody": lambda talk, me, _: talk.write(me, lambda s, a: writing.invite(s, a, "nobody")),
    "join again": lambda talk, me, _: talk.write(me, writing.join),
    "edit what is not there": lambda talk, me, _: talk.say(me, Edited(body="x", edit="f" * 40)),
    "edit the first commit": lambda talk, me, _: talk.say(me, Edited(body="x", edit=talk.id)),
    "vote about themselves": lambda talk, me, _: talk.write(me, lambda s, a: writing.vote(s, a, "ban", me.uri)),
    "write from outside": lambda talk, _, other: talk.say(other, Text(body="hi")),
    "a long message": lambda talk, me, _: talk.say(me, Text(body="x" * (messages.LARGEST_MESSAGE + 1))),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_others_would_refuse_is_not_written(what: str, folder: Path) -> None:
    alice, bob = person("Alice"), person("Bob")
    talk = Conversation.create(folder, alice, Mode.INVITES_ONLY)
    head = talk.head
    with pytest.raises(CannotWrite):
        REFUSED[what](talk, alice, bob)
    assert talk.head == head == talk.store.head()


def test_what_another_process_adds_does_not_disturb_a_reader(folder: Path) -> None:
    alice, bob = person("Alice"), person("Bob")
    talk = Conversation.create(folder / "a", alice, Mode.INVITES_ONLY)
    theirs = invited(talk, alice, bob, folder / "b")
    for number in range(5):
        talk.say(alice, Text(body=f"a{number}"))
    reader = Conversation(folder / "a", talk.id)
    first = reader.newest()
    shown = [next(first)]
    before = list(talk.newest())
    theirs.say(bob, Text(body="from the past"))
    quarantine.pull(talk, give(theirs, talk), theirs.head, "Bob", alice)
    assert [*shown, *first] == before
    assert list(reader.newest()) == list(talk.newest())
    assert len(list(talk.newest())) == len(before) + 2
    reader.say(alice, Text(body="and on"))
    assert list(reader.newest(3)) == list(Conversation(folder / "a", talk.id).newest(3))


def test_several_pulls_at_once_take_turns(folder: Path) -> None:
    """Rows: B99."""
    alice = person("Alice")
    talk = Conversation.create(folder / "a", alice, Mode.INVITES_ONLY)
    friends = [person(name) for name in ("Bob", "Carla", "Denys")]
    theirs = [invited(talk, alice, friend, folder / friend.name) for friend in friends]
    packs: list[tuple[Path, str]] = []
    for friend, copy in zip(friends, theirs, strict=True):
        for number in range(10):
            copy.say(friend, Text(body=f"{friend.name} {number}"))
        packs.append((give(copy, talk), copy.head))

    def take(pack: Path, head: str) -> int:
        mine = Conversation(folder / "a", talk.id)
        try:
            return len(quarantine.pull(mine, pack, head, "a friend", alice).new)
        finally:
            mine.close()

    with ThreadPoolExecutor(4) as pool:
        taken = [pool.submit(take, pack, head) for pack, head in packs * 2]
        for number in range(10):
            talk.say(alice, Text(body=f"Alice {number}"))
        assert sorted(one.result() for one in taken) == [0, 0, 0, 10, 10, 10]
    again = Conversation(folder / "a", talk.id)
    bodies = [line.message["body"] for line in again.newest() if line.type == "text/plain"]
    assert len(bodies) == len(set(bodies)) == 40
    fsck(again)


def test_many_pieces_are_put_into_one_pack(folder: Path) -> None:
    alice, bob = person("Alice"), person("Bob")
    talk = Conversation.create(folder / "a", alice, Mode.INVITES_ONLY)
    theirs = invited(talk, alice, bob, folder / "b")
    for number in range(4):
        theirs.say(bob, Text(body=str(number)))
        quarantine.pull(talk, give(theirs, talk), theirs.head, "Bob", alice)
        quarantine.pull(theirs, give(talk, theirs), talk.head, "Alice", bob)
    lines = list(talk.newest())
    reader = Conversation(folder / "a", talk.id)
    assert not quarantine.tidy(talk)
    assert quarantine.tidy(talk, at_any_size=True)
    assert "count: 0\n" in git(talk, "count-objects", "-v")
    assert "packs: 1\n" in git(talk, "count-objects", "-v")
    assert list(talk.newest()) == lines == list(reader.newest())
    talk.say(alice, Text(body="and on"))
    assert quarantine.tidy(talk, at_any_size=True)
    reader.say(alice, Text(body="and on and on"))
    fsck(reader)


def test_what_a_killed_process_left_aside_goes_after_an_hour(folder: Path) -> None:
    talk = Conversation.create(folder, person("Alice"), Mode.PUBLIC)
    left = [folder / "conversations" / ".new-x", talk.data / "quarantine-x", folder / "conversations" / ".gone-x"]
    for one in left:
        (one / "objects").mkdir(parents=True)
    now = time.time()
    quarantine.sweep(folder, now + 60)
    assert all(one.is_dir() for one in left)
    quarantine.sweep(folder, now + 4000)
    assert not any(one.exists() for one in left)
    fsck(talk)
