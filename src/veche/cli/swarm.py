"""`veche swarm`: conversations without a server, as they lie on this machine's disk.  Nothing here uses the network.

What reads histories that others made is in swarm_read.py.

Source: rows B07-B24, B49-B55, B91.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from veche.peer.identity import Identity
    from veche.peer.repository import Conversation, Drafting
    from veche.peer.state_files import ConvInfo

EXIT_OK, EXIT_REFUSED, EXIT_USAGE = 0, 1, 2
MODES = {"one-to-one": 0, "admins-invite": 1, "members-invite": 2, "public": 3}

EPILOG = """\
two people on one machine, each with a folder:
  veche swarm --data a init --name Alice --title Rowing         prints the id of the conversation
  veche swarm --data b init --name Bob --account-only           prints Bob's address, 40 digits
  veche swarm --data a invite 5bc1 0c5de23ba9224ada034749af93fd2f4b77bb90fa
  veche swarm --data b pull a 5bc1                              takes it from Alice's folder, checked
  veche swarm --data b join 5bc1
  veche swarm --data b send 5bc1 'Who has the oars?'

histories that somebody gave you:
  veche swarm verify history.bundle        checks every commit and signature
  veche swarm log history.bundle --json    one JSON object a line, newest first

A conversation is named by the first digits of its id. `veche swarm COMMAND --help` says more.
exit codes: 0 done, 1 refused (or not valid), 2 usage, or not readable
"""


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "swarm",
        help="conversations that need no server",
        description="Conversations that need no server: signed histories on the disks of those who are in them.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", metavar="DIR", type=Path, help="the account's folder (VECHE_SWARM_DATA)")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Any, help: str, *words: tuple[str, str]) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=help, description=help[0].upper() + help[1:] + ".")
        for word, meaning in words:
            made.add_argument(word.lower(), metavar=word, help=meaning)
        made.set_defaults(run=guarded, command=run)
        return made

    talk = ("CONVERSATION", "the first digits of its id")
    made = command("init", init, "make the account, if there is none, and begin a conversation")
    made.add_argument("--name", default="", help="what people are shown")
    modes = f"who may bring people in: {', '.join(MODES)} (or 0 to 3; default: members-invite)"
    made.add_argument("--mode", type=mode_number, default=2, metavar="MODE", help=modes)
    made.add_argument("--with", dest="other", metavar="ADDRESS", default="", help="the other one, for one-to-one")
    made.add_argument("--title", default="")
    made.add_argument("--account-only", action="store_true", help="make the account alone, and print its address")
    made = command("show", show, "say who is in a conversation; without one, which there are")
    made.add_argument("conversation", nargs="?", metavar="CONVERSATION", help=talk[1])
    made.add_argument("--json", action="store_true")
    made = command("log", log, "list the commits, newest first", ("PATH", "a bundle, a repository, or a conversation"))
    made.add_argument("--json", action="store_true", help="one JSON object a line")
    made.add_argument("-n", dest="count", metavar="COUNT", type=int, help="the newest ones only")
    made = command(
        "verify", verify, "check every commit of a history", ("PATH", "a bundle, a repository, or a conversation")
    )
    made.add_argument("--json", action="store_true")
    command("invite", invite, "invite somebody", talk, ("ADDRESS", "40 hexadecimal digits"))
    command("join", join, "come into a conversation that one was invited to", talk)
    command("leave", leave, "go", talk)
    made = command("send", send, "write a text", talk, ("TEXT", "what to say; of a reaction, the emoji"))
    kind = made.add_mutually_exclusive_group()
    kind.add_argument("--reply-to", metavar="COMMIT", default="")
    kind.add_argument("--react-to", metavar="COMMIT", default="")
    kind.add_argument("--edit", metavar="COMMIT", default="", help="change one's own text; an empty one deletes it")
    made = command("vote", vote, "vote, as an admin", talk)
    made.add_argument("kind", choices=("ban", "unban"))
    made.add_argument("target", metavar="TARGET", help="an address, or a device")
    for kind_name, meaning in (("ban", "ban somebody or a device"), ("unban", "let somebody in again")):
        made = command(kind_name, ban, f"{meaning}: vote, and do it once more than half of the admins have voted", talk)
        made.add_argument("target", metavar="TARGET", help="an address, or a device")
        made.set_defaults(kind=kind_name)
    made = command("profile", profile, "change the card of a conversation, as an admin", talk)
    made.add_argument("--title")
    made.add_argument("--description")
    made.add_argument("--avatar", metavar="FILE", type=Path, help="a picture")
    made = command(
        "pull", pull, "take what is new from a bundle, a repository or another account's folder, checked",
        ("SOURCE", "where from"),
    )  # fmt: skip
    made.add_argument("conversation", nargs="?", metavar="CONVERSATION", help="which one, of an account's folder")
    made = command("export", export, "write the account to a file, to move it or keep it safe", ("FILE", "a new file"))
    made.add_argument("--password-file", metavar="F", type=Path, help="protect it with the password in this file")
    made = command("import", import_, "become a device of an account", ("ARCHIVE", "the file of an export"))
    made.add_argument("--password-file", metavar="F", type=Path, help="the password of the archive is in this file")


def mode_number(word: str) -> int:
    """The number of a mode that was named, or numbered."""
    if word in MODES:
        return MODES[word]
    if word in ("0", "1", "2", "3"):
        return int(word)
    raise argparse.ArgumentTypeError(f"there is no mode {word}; there are {', '.join(MODES)}")


def guarded(args: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Run a command; what it refuses is a sentence on standard error."""
    from veche.peer.archive import BadArchive
    from veche.peer.files import Busy
    from veche.peer.identity import NoIdentity
    from veche.peer.quarantine import PullRefused
    from veche.peer.repository import NoConversation
    from veche.peer.source import NotARepository, Refused
    from veche.swarm.card import BadCard
    from veche.swarm.writing import CannotWrite

    if args.data is None:
        args.data = data_folder(environ)
    try:
        return args.command(args)
    except (NoIdentity, NotARepository, BadArchive, Usage) as error:
        say(str(error))
        return EXIT_USAGE
    except (NoConversation, CannotWrite, BadCard, PullRefused, Refused, Busy, FileExistsError) as error:
        say(str(error))
        return EXIT_REFUSED
    except OSError as error:
        say(f"{error.filename or 'the disk'}: {error.strerror or error}.")
        return EXIT_USAGE


class Usage(Exception):
    """What was asked for makes no sense; the text says why."""


def say(sentence: str) -> None:
    """One line on standard error."""
    print(f"veche swarm: {sentence}", file=sys.stderr, flush=True)


def data_folder(environ: Mapping[str, str]) -> Path:
    given = environ.get("VECHE_SWARM_DATA")
    if given:
        return Path(given)
    local = environ.get("LOCALAPPDATA") if os.name == "nt" else environ.get("XDG_DATA_HOME")
    usual = Path.home() / ("AppData/Local" if os.name == "nt" else ".local/share")
    return (Path(local) if local else usual) / "veche" / "swarm"


# -- accounts


def init(args: argparse.Namespace) -> int:
    from veche.peer import identity, removal
    from veche.peer.repository import Conversation
    from veche.swarm import writing
    from veche.swarm.model import Mode

    if args.mode == 0 and not args.other and not args.account_only:
        raise Usage("A conversation of two needs the other one: --with ADDRESS (your own address, for notes).")
    if identity.has_identity(args.data):
        me = identity.load(args.data)
    else:
        if sys.stderr.isatty():
            say("Making the keys of the account; this takes some seconds.")
        me = identity.make(args.name)
        identity.save(me, args.data)
    if args.account_only:
        print(me.uri)
        return EXIT_OK
    talk = Conversation.create(args.data, me, Mode(args.mode), args.other)
    if args.title:
        talk.write(me, lambda state, author: writing.profile(state, author, {"title": args.title}))
    removal.note(args.data, talk, me.uri, int(time.time()))
    print(talk.id)
    return EXIT_OK


def export(args: argparse.Namespace) -> int:
    import msgspec

    from veche.peer import archive, identity
    from veche.peer.files import write_whole
    from veche.peer.state_files import AccountFiles

    me = identity.load(args.data)
    target = Path(args.file)
    if target.exists():
        raise FileExistsError(f"{target} is there already; name a new file.")
    infos = AccountFiles(args.data).infos()
    conversations = dict(me.archive.conversations)
    for id, info in infos.items():
        entry = msgspec.to_builtins(info)
        entry["members"] = [{"uri": uri} for uri in info.members]
        conversations[id] = {key: value for key, value in entry.items() if value or key in ("created", "members")}
    full = msgspec.structs.replace(me.archive, conversations=conversations)
    write_whole(target, archive.write(full, password_of(args)))
    say(f"The account {me.uri} is in {target}. Whoever has that file can write in its name.")
    return EXIT_OK


def import_(args: argparse.Namespace) -> int:
    from veche.peer import identity
    from veche.peer.archive import LARGEST_ARCHIVE, BadArchive
    from veche.peer.state_files import AccountFiles

    if identity.has_identity(args.data):
        raise FileExistsError(f"There is an account in {args.data} already. Name another folder with --data.")
    with Path(args.archive).open("rb") as file:
        data = file.read(LARGEST_ARCHIVE + 1)
    if len(data) > LARGEST_ARCHIVE:
        raise BadArchive("This is no archive of an account: it is too large.")
    me = identity.import_archive(data, password_of(args))
    identity.save(me, args.data)
    files = AccountFiles(args.data)
    for id, entry in me.archive.conversations.items():
        if isinstance(entry, dict):
            files.save_info(conv_info(id, cast("dict[str, Any]", entry)))
    print(me.uri)
    for id, info in sorted(files.infos().items()):
        if not info.removed:
            print(f"  {id}")
    say(f"This is a new device of the account: {me.device}")
    return EXIT_OK


def conv_info(id: str, entry: dict[str, Any]) -> ConvInfo:
    """An entry of an archive, whatever is in it."""
    from veche.peer.state_files import ConvInfo

    def number(name: str) -> int:
        value = entry.get(name, 0)
        return value if isinstance(value, int) and not isinstance(value, bool) else 0

    members: Any = entry.get("members", [])
    named = [cast("dict[str, Any]", one).get("uri") for one in members if isinstance(one, dict)]
    uris = [uri for uri in named if isinstance(uri, str)]
    shown = entry.get("lastDisplayed", "")
    return ConvInfo(
        id=id,
        created=number("created"),
        removed=number("removed"),
        erased=number("erased"),
        members=uris,
        lastDisplayed=shown if isinstance(shown, str) else "",
    )


def password_of(args: argparse.Namespace) -> str | None:
    """The first line of the password file."""
    if args.password_file is None:
        return None
    with args.password_file.open(encoding="utf-8") as file:
        password = file.readline(4096).rstrip("\r\n")
    if not password:
        raise Usage(f"There is no password in {args.password_file}.")
    return password


# -- conversations


def opened(args: argparse.Namespace) -> tuple[Identity, Conversation]:
    """The account of this folder, and the conversation that was named."""
    from veche.peer import identity
    from veche.peer.repository import Conversation

    me = identity.load(args.data)
    return me, Conversation(args.data, find(args.data, args.conversation))


def find(folder: Path, start: str) -> str:
    """The id of the one conversation that begins so."""
    from veche.peer.repository import NoConversation, conversations

    found = [id for id in conversations(folder) if id.startswith(start)] if start else []
    if len(found) == 1:
        return found[0]
    if found:
        raise NoConversation(f"{len(found)} conversations begin with {start}. Give more digits.")
    raise NoConversation(f"There is no conversation {start} in {folder}. `veche swarm show` lists what there is.")


def show(args: argparse.Namespace) -> int:
    from . import swarm_read

    return swarm_read.show(args, find)


def log(args: argparse.Namespace) -> int:
    from . import swarm_read

    return swarm_read.log(args, find)


def verify(args: argparse.Namespace) -> int:
    from . import swarm_read

    return swarm_read.verify(args, find)


def invite(args: argparse.Namespace) -> int:
    from veche.swarm import writing

    return written(args, lambda state, author: writing.invite(state, author, args.address))


def join(args: argparse.Namespace) -> int:
    from veche.swarm import writing

    return written(args, writing.join)


def leave(args: argparse.Namespace) -> int:
    from veche.peer import removal

    me, talk = opened(args)
    done = removal.remove(args.data, talk, me, int(time.time()))
    kept = "It is deleted from this device once another device has fetched that." if done == "removed" else ""
    print(f"left {talk.id}. {kept}".rstrip())
    return EXIT_OK


def send(args: argparse.Namespace) -> int:
    from veche.swarm import messages, writing

    me, talk = opened(args)
    ids = {name: full_commit(talk, getattr(args, name)) for name in ("reply_to", "react_to", "edit")}
    if ids["edit"]:
        message: messages.Message = messages.Edited(body=args.text, edit=ids["edit"])
    else:
        message = messages.Text(body=args.text, reply_to=ids["reply_to"], react_to=ids["react_to"])
    print(talk.write(me, lambda state, author: writing.say(state, author, message)))
    return EXIT_OK


def full_commit(talk: Conversation, start: str) -> str:
    """The id of the one commit that begins so."""
    if not start:
        return ""
    found = [row.id for row in talk.index.newest() if row.id.startswith(start)]
    if len(found) != 1:
        raise Usage(f"{len(found)} messages begin with {start}. `veche swarm log` lists them.")
    return found[0]


def vote(args: argparse.Namespace) -> int:
    from veche.swarm import writing

    return written(args, lambda state, author: writing.vote(state, author, args.kind, args.target))


def ban(args: argparse.Namespace) -> int:
    from veche.peer.bans import vote_and_resolve

    me, talk = opened(args)
    resolved = vote_and_resolve(talk, me, args.kind, args.target)
    if resolved:
        print(resolved)
        return EXIT_OK
    say("Your vote is given. It is done once more than half of the admins have voted.")
    return EXIT_OK


def profile(args: argparse.Namespace) -> int:
    import base64

    from veche.swarm import writing

    changed = {name: value for name in ("title", "description") if (value := getattr(args, name)) is not None}
    if args.avatar is not None:
        changed["avatar"] = base64.b64encode(args.avatar.read_bytes()).decode("ascii")
    if not changed:
        raise Usage("Say what to change: --title, --description, --avatar.")
    return written(args, lambda state, author: writing.profile(state, author, changed))


def written(args: argparse.Namespace, drafting: Drafting) -> int:
    """Write one commit, and print its id."""
    from veche.peer import removal

    me, talk = opened(args)
    print(talk.write(me, drafting))
    removal.note(args.data, talk, me.uri, int(time.time()))
    return EXIT_OK


def pull(args: argparse.Namespace) -> int:
    from . import swarm_read

    return swarm_read.pull(args, find)


def progress_bar(what: str) -> Any:
    """Tells how far long work has come, on a terminal."""
    if not sys.stderr.isatty():
        return None
    last = [time.monotonic()]
    colour = ("", "") if os.environ.get("NO_COLOR") else ("\x1b[36m", "\x1b[0m")

    def told(done: int, of: int) -> None:
        now = time.monotonic()
        if done < of and now - last[0] < 0.1:
            return
        last[0] = now
        filled = 30 * done // max(of, 1)
        bar = f"{colour[0]}{'█' * filled}{colour[1]}{'·' * (30 - filled)}"
        print(f"\r{what} {bar} {done}/{of} ", end="\r\x1b[K" if done == of else "", file=sys.stderr, flush=True)

    return told


def print_json(value: Any) -> None:
    print(json.dumps(value, ensure_ascii=False))
