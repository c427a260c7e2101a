"""`veche swarm show | log | verify | pull`: histories that others made, or one's own.

    log --json       one object a line, newest first: id, parents, linearized_parent, author, device, type,
                     timestamp, message
    verify --json    one object: valid, and what is in it; or the first commit that is refused, oldest first, the
                     name of the rule, and the reason

Source: repository facts §5.1, §7.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from veche.peer import identity, quarantine, removal
from veche.peer.log import lines
from veche.peer.repository import CONVERSATIONS, Conversation, NoConversation, conversations
from veche.peer.source import Refused, Source, open_source
from veche.peer.verify import Accepted
from veche.peer.verify import verify as verify_history
from veche.swarm import card
from veche.swarm.model import Rejected

from .swarm import EXIT_OK, EXIT_REFUSED, Usage, print_json, progress_bar

if TYPE_CHECKING:
    from veche.peer.repository import Line

Find = Callable[[Path, str], str]
TEXT_WIDTH = 100


def place(args: argparse.Namespace, find: Find) -> Path:
    """The path that was given, or that of a conversation of this folder."""
    path = Path(args.path)
    if not path.exists() and len(args.path) <= 40 and all(letter in "0123456789abcdef" for letter in args.path):
        try:
            return args.data / CONVERSATIONS / find(args.data, args.path)
        except NoConversation:
            return path
    return path


def verify(args: argparse.Namespace, find: Find) -> int:
    path = place(args, find)
    try:
        with open_source(path) as source:
            verdict = verify_history(source.objects, source.head, progress=progress_bar("checking"))
    except Refused as error:
        verdict = Rejected(error.head, error.rule, error.reason)
    if isinstance(verdict, Rejected):
        found = {"valid": False, "commit": verdict.commit, "rule": verdict.rule, "reason": verdict.reason}
        if args.json:
            print_json(found)
        else:
            print(f"not valid: commit {verdict.commit}: {verdict.reason} ({verdict.rule})")
        return EXIT_REFUSED
    if args.json:
        print_json(facts(verdict))
    else:
        state = verdict.state
        print(f"valid: {verdict.count} commits of the conversation {state.conversation}, mode {int(state.mode)}")
        for name in ("admins", "members", "invited", "banned"):
            for one in getattr(state, name):
                print(f"  {name:8} {one}")
    return EXIT_OK


def facts(verdict: Accepted) -> dict[str, Any]:
    state = verdict.state
    return {
        "valid": True,
        "conversation": state.conversation,
        "mode": int(state.mode),
        "head": verdict.head,
        "commits": verdict.count,
        "members": state.members,
        "admins": state.admins,
        "banned": state.banned,
        "invited": state.invited,
    }


def log(args: argparse.Namespace, find: Find) -> int:
    if args.count is not None and args.count < 0:
        raise Usage("-n takes a number of commits.")
    path = place(args, find)
    if path.parent == args.data / CONVERSATIONS and args.count is not None:
        talk = Conversation(args.data, path.name)
        write_log(talk.newest(args.count), args.json)
        return EXIT_OK
    with open_source(path) as source:
        write_log(lines(source.objects, source.head, args.count), args.json)
    return EXIT_OK


def write_log(found: Iterator[Line], as_json: bool) -> None:
    import json
    from datetime import UTC, datetime

    for line in found:
        message = line.message
        if as_json:
            fields = {name: getattr(line, name) for name in line.__struct_fields__}
            print(json.dumps(fields | {"parents": list(line.parents)}, ensure_ascii=False))
            continue
        at = datetime.fromtimestamp(line.timestamp, UTC).strftime("%Y-%m-%d %H:%M") if line.timestamp < 1 << 36 else "?"
        told = message if isinstance(message, str) else message.get("body", "")
        if not isinstance(message, str) and not told:
            told = " ".join(f"{key}={value}" for key, value in message.items() if key != "type")
        shown = "".join(letter if letter.isprintable() else "·" for letter in str(told))[:TEXT_WIDTH]
        print(f"{line.id[:10]}  {at}  {line.author[:8]}  {line.type:26}  {shown}")


def show(args: argparse.Namespace, find: Find) -> int:
    if args.conversation is None:
        return show_all(args)
    talk = Conversation(args.data, find(args.data, args.conversation))
    state = talk.state
    verdict = Accepted(talk.head, talk.index.count(), state)
    found = {**facts(verdict), **card.infos(state.card, int(state.mode)), "mode": int(state.mode)}
    del found["valid"]
    if args.json:
        print_json(found)
        return EXIT_OK
    found.pop("avatar", None)
    for name, value in found.items():
        several: list[Any] = cast("list[Any]", value) if isinstance(value, list) else [value]
        for one in several:
            print(f"{name:13} {one}")
    return EXIT_OK


def show_all(args: argparse.Namespace) -> int:
    me = identity.load(args.data)
    shown: list[dict[str, Any]] = []
    for id in removal.listed(args.data):
        talk = Conversation(args.data, id)
        title = card.read(talk.state.card).title
        shown.append({"id": id, "title": title, "people": len(talk.state.people), "commits": talk.index.count()})
        talk.close()
    if args.json:
        print_json({"address": me.uri, "device": me.device, "name": me.name, "conversations": shown})
        return EXIT_OK
    print(f"address  {me.uri}\ndevice   {me.device}\nname     {me.name}")
    for one in shown:
        print(f"{one['id']}  {one['people']} people  {one['commits']} commits  {one['title']}")
    return EXIT_OK


def pull(args: argparse.Namespace, find: Find) -> int:
    import time

    me = identity.load(args.data)
    path = Path(args.source)
    if (path / CONVERSATIONS).is_dir():
        ids = [id for id in conversations(path) if id.startswith(args.conversation or "")]
        if len(ids) != 1:
            raise Usage(f"{path} has {len(ids)} such conversations. Name one by the first digits of its id.")
        path = path / CONVERSATIONS / ids[0]
    bar = progress_bar("checking")
    with open_source(path) as source, tempfile.TemporaryDirectory(prefix="veche-pull-") as aside:
        pack = Path(aside) / "offered.pack"
        id = root_of(source)
        if removal.stage(args.data, id) is not removal.Stage.HERE:
            raise NoConversation(f"You have left {id}: what comes later is not taken.")
        if id in conversations(args.data):
            talk = Conversation(args.data, id)
            quarantine.offer(source.objects, source.head, pack, talk.index)
            pulled = quarantine.pull(talk, pack, source.head, str(path), me, progress=bar)
            print(f"{talk.id}  {len(pulled.new)} new commits" + (f", merged in {pulled.merge}" if pulled.merge else ""))
        else:
            count = quarantine.offer(source.objects, source.head, pack)
            talk = quarantine.clone(args.data, id, pack, source.head, str(path), progress=bar)
            print(f"{talk.id}  {count} new commits")
        removal.note(args.data, talk, me.uri, int(time.time()))
    quarantine.tidy(talk)
    quarantine.sweep(args.data, time.time())
    return EXIT_OK


def root_of(source: Source) -> str:
    """The first commit of a history, by first parents: what it calls itself.  Checked later."""
    from veche.peer import commits
    from veche.peer.objects import Unreadable
    from veche.peer.source import NotARepository

    id = source.head
    try:
        while parents := commits.parse(source.objects.commit(id)).parents:
            id = parents[0]
    except (Unreadable, commits.BadCommit) as error:
        raise NotARepository(f"The history is not complete at {id}: {error}") from error
    return id
