"""Conversations in memory, signed with real keys: what the rules are shown in tests.

Commits are those that Git would keep (their ids are its ids), but nothing is written anywhere: a `Swarm` holds trees as
dicts and judges what is added to it.  Actors' keys are RSA-2048, made once with `make_actor` and kept under
tests/fixtures/swarm/actors.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey, generate_private_key
from cryptography.x509.oid import NameOID

from veche.swarm import messages, paths, writing
from veche.swarm.certificates import first_certificate
from veche.swarm.model import Change, Commit, MergedPath, Mode, Rejected, State, Told
from veche.swarm.rules import check, judge
from veche.swarm.writing import Author, Draft

ACTORS = Path(__file__).parents[1] / "fixtures" / "swarm" / "actors"
BEGIN_S = 1_795_000_000
END = datetime(2050, 1, 1, tzinfo=UTC)


class Actor(NamedTuple):
    """One device, and the account that it is of."""

    name: str
    account_key: RSAPrivateKey
    device_key: RSAPrivateKey
    author: Author

    @property
    def uri(self) -> str:
        return self.author.uri

    @property
    def device(self) -> str:
        return self.author.device


def pem(*certificates: x509.Certificate) -> bytes:
    return b"".join(one.public_bytes(serialization.Encoding.PEM) for one in certificates)


def spki(key: RSAPublicKey) -> bytes:
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def short_id(key: RSAPublicKey) -> str:
    return hashlib.sha1(spki(key), usedforsecurity=False).hexdigest()


def long_id(key: RSAPublicKey) -> str:
    return hashlib.sha256(spki(key)).hexdigest()


def issue(
    key: RSAPublicKey, subject: tuple[str, str], issuer: tuple[str, str], signer: RSAPrivateKey, end: datetime = END
) -> x509.Certificate:
    """A certificate.  subject, issuer: common name and UID."""

    def name(of: tuple[str, str]) -> x509.Name:
        uid = [x509.NameAttribute(NameOID.USER_ID, of[1])] if of[1] else []
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, of[0]), *uid])

    builder = x509.CertificateBuilder(
        name(issuer), name(subject), key, x509.random_serial_number(), datetime(2020, 1, 1, tzinfo=UTC), end
    )
    return builder.sign(signer, hashes.SHA384())


def device_pem(
    actor: Actor, end: datetime = END, issuer_uid: str | None = None, signer: RSAPrivateKey | None = None
) -> bytes:
    """The certificate of an actor's device anew, perhaps with one thing that is not as it should be."""
    uid = actor.uri if issuer_uid is None else issuer_uid
    subject = ("Jami device", short_id(actor.device_key.public_key()))
    return pem(issue(actor.device_key.public_key(), subject, ("Jami", uid), signer or actor.account_key, end))


def account_pem(actor: Actor, end: datetime = END) -> bytes:
    """The certificate of an actor's account anew, as if its CA had signed it, which nobody looks at."""
    issuer = ("Jami CA", first_certificate(actor.author.account_pem).issuer_uid)
    return pem(issue(actor.account_key.public_key(), ("Jami", actor.uri), issuer, actor.account_key, end))


def make_actor(name: str, account: RSAPrivateKey | None = None) -> bytes:
    """The file of a new actor: both private keys, then the certificates of the device, the account and its CA."""
    ca, device = generate_private_key(65537, 2048), generate_private_key(65537, 2048)
    account = account or generate_private_key(65537, 2048)
    root, middle = ("Jami CA", short_id(ca.public_key())), ("Jami", short_id(account.public_key()))
    leaf = ("Jami device", short_id(device.public_key()))
    certificates = [
        issue(device.public_key(), leaf, middle, account),
        issue(account.public_key(), middle, root, ca),
        issue(ca.public_key(), root, root, ca),
    ]
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return account.private_bytes(*form) + device.private_bytes(*form) + pem(*certificates)


@cache
def actor(name: str) -> Actor:
    """alice, bob, carla, denys, erin, frank; alice2 is another device of alice."""
    text = (ACTORS / f"{name}.pem").read_bytes()
    parts = [b"-----BEGIN " + part for part in text.split(b"-----BEGIN ")[1:]]
    account, device = (serialization.load_pem_private_key(part, None) for part in parts[:2])
    assert isinstance(account, RSAPrivateKey)
    assert isinstance(device, RSAPrivateKey)
    author = Author(
        uri=short_id(account.public_key()),
        device=long_id(device.public_key()),
        account_pem=parts[3] + parts[4],
        device_pem=parts[2],
    )
    return Actor(name, account, device, author)


class Swarm:
    """The history of a conversation, as one device sees it, or as all of them see it together."""

    def __init__(self) -> None:
        self.commits: dict[str, Commit] = {}
        self.files: dict[str, dict[str, bytes]] = {}
        self.states: dict[str, State] = {}
        self.told: dict[str, Told] = {}
        self.head = ""
        self.now_s = BEGIN_S

    @property
    def state(self) -> State:
        return self.states[self.head]

    # -- making commits

    def make(
        self,
        by: Actor,
        draft: Draft,
        *,
        parents: Iterable[str] | None = None,
        time: int | None = None,
        modes: Mapping[str, int] | None = None,
        key: RSAPrivateKey | None = None,
        device: str | None = None,
    ) -> Commit:
        """A signed commit, which nobody has judged."""
        above = tuple(parents) if parents is not None else (self.head,) if self.head else ()
        old = self.files[above[0]] if above else {}
        files = {path: data for path, data in {**old, **draft.files}.items() if data is not None}
        if time is None:
            self.now_s += 1
            time = self.now_s
        mail = device or by.device
        who = f"{by.name} <{mail}> {time} +0000"
        head = [f"tree {tree_id(files)}", *(f"parent {one}" for one in above), f"author {who}", f"committer {who}"]
        signed = "\n".join(head).encode() + b"\n\n" + draft.message
        signature = base64.b64encode((key or by.device_key).sign(signed, PKCS1v15(), hashes.SHA512()))
        whole = "\n".join(head).encode() + b"\nsignature " + signature + b"\n\n" + draft.message
        id = hashlib.sha1(b"commit %d\0" % len(whole) + whole, usedforsecurity=False).hexdigest()
        changes = tuple(
            Change(path, old.get(path), files.get(path), (modes or {}).get(path, paths.PLAIN_FILE))
            for path in sorted({*old, *files})
            if old.get(path) != files.get(path) or path in (modes or {})
        )
        self.files[id] = files
        return Commit(
            id, above, by.name, mail, time, draft.message, signature, signed, changes, self._merged(above, files)
        )

    def make_merge(self, by: Actor, ours: str, theirs: str, time: int | None = None) -> Commit:
        """The merge that `by` writes."""
        files = writing.merge(self.states[ours], self.base(ours, theirs), self.states[theirs], (ours, theirs))
        return self.make(by, Draft(files, messages.merge_message(theirs)), parents=(ours, theirs), time=time)

    # -- judging them

    def add(self, commit: Commit) -> State | Rejected:
        """Judge a commit, with its signature; keep it if it is accepted, as the head."""
        states = [self.states[parent] for parent in commit.parents]
        theirs = states[1] if len(states) == 2 else None
        verdict = judge(states[0] if states else None, commit, self.told.get, theirs)
        if isinstance(verdict, Rejected):
            return verdict
        refused = check(commit, verdict.key)
        if refused is not None:
            return refused
        self.commits[commit.id] = commit
        self.states[commit.id] = verdict.state
        self.told[commit.id] = verdict.told
        self.head = commit.id
        return verdict.state

    def do(self, by: Actor, draft: Draft, on: str | None = None, time: int | None = None) -> str:
        """Write what everybody accepts, and give its id."""
        commit = self.make(by, draft, parents=None if on is None else (on,), time=time)
        verdict = self.add(commit)
        assert isinstance(verdict, State), verdict
        return commit.id

    def merge(self, by: Actor, ours: str, theirs: str) -> str:
        """Merge, as everybody accepts it, and give its id."""
        commit = self.make_merge(by, ours, theirs)
        verdict = self.add(commit)
        assert isinstance(verdict, State), verdict
        return commit.id

    def say(self, by: Actor, body: str, on: str | None = None) -> str:
        return self.do(by, writing.say(self.states[on or self.head], by.author, messages.Text(body=body)), on)

    # -- the graph

    def past(self, id: str) -> set[str]:
        """A commit and all before it."""
        found: set[str] = set()
        todo = [id]
        while todo:
            one = todo.pop()
            if one not in found:
                found.add(one)
                todo.extend(self.commits[one].parents)
        return found

    def bases(self, one: str, other: str) -> list[str]:
        """The last commits that two have in common."""
        common = self.past(one) & self.past(other)
        return sorted(id for id in common if not any(id != later and id in self.past(later) for later in common))

    def base(self, one: str, other: str) -> State:
        """The state of what two have in common; of several such commits, of their merge, and so on."""
        first, *more = self.bases(one, other)
        state = self.states[first]
        for next in more:
            state = writing.blend(state, self.base(first, next), self.states[next])
        return state

    def _merged(self, parents: tuple[str, ...], files: Mapping[str, bytes]) -> tuple[MergedPath, ...]:
        if len(parents) != 2 or not all(parent in self.commits for parent in parents):
            return ()
        ours, theirs = (self.files[parent] for parent in parents)
        bases = [self.files[base] for base in self.bases(*parents)]
        return tuple(
            MergedPath(
                path,
                result=_blob(files.get(path)),
                ours=_blob(ours.get(path)),
                theirs=_blob(theirs.get(path)),
                bases=tuple(_blob(base.get(path)) for base in bases),
            )
            for path in sorted({*files, *ours, *theirs})
            if not files.get(path) == ours.get(path) == theirs.get(path)
        )


def _blob(data: bytes | None) -> str | None:
    return None if data is None else hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def tree_id(files: Mapping[str, bytes]) -> str:
    """The id of a tree, as Git counts it."""
    names: dict[str, bytes | dict[str, bytes]] = {}
    for path, data in files.items():
        first, slash, rest = path.partition("/")
        if slash:
            inner = names.setdefault(first, {})
            assert isinstance(inner, dict)
            inner[rest] = data
        else:
            names[first] = data
    lines: list[tuple[str, bytes]] = []
    for name, entry in names.items():
        if isinstance(entry, dict):
            lines.append((name + "/", b"40000 " + name.encode() + b"\0" + bytes.fromhex(tree_id(entry))))
        else:
            lines.append((name, b"100644 " + name.encode() + b"\0" + bytes.fromhex(_blob(entry) or "")))
    whole = b"".join(line for _, line in sorted(lines))
    return hashlib.sha1(b"tree %d\0" % len(whole) + whole, usedforsecurity=False).hexdigest()


# -- histories to begin with


def create(by: str = "alice", mode: Mode = Mode.INVITES_ONLY, invited: str = "") -> Swarm:
    """A new conversation."""
    swarm = Swarm()
    swarm.do(actor(by), writing.create(actor(by).author, mode, invited))
    return swarm


def bring(swarm: Swarm, *names: str, by: str = "alice") -> Swarm:
    """Let people be invited and come."""
    for name in names:
        who = actor(name)
        swarm.do(actor(by), writing.invite(swarm.state, actor(by).author, who.uri))
        swarm.do(who, writing.join(swarm.state, who.author))
    return swarm


def founded(admins: Iterable[str], *others: str, mode: Mode = Mode.INVITES_ONLY) -> Swarm:
    """A group that has several admins, which no commit of today can make: its state is taken as it is.

    Other clients may find a way one day; until then, only so can votes of several admins be shown.
    """
    first, *more = admins
    swarm = bring(create(first, mode), *more, *others, by=first)
    state, files = swarm.state, dict(swarm.files[swarm.head])
    for name in more:
        uri = actor(name).uri
        files[paths.admin(uri)] = files.pop(paths.member(uri))
    swarm.files[swarm.head] = files
    swarm.states[swarm.head] = State(state.conversation, state.mode, state.initial, files)
    return swarm


# -- one thing broken


def refusal(swarm: Swarm, commit: Commit) -> str:
    """The name of the rule by which a commit is refused; empty when it is accepted.  The head stays where it is."""
    head = swarm.head
    verdict = swarm.add(commit)
    swarm.head = head
    if isinstance(verdict, Rejected):
        assert verdict.commit == commit.id
        assert verdict.reason.endswith(".")
        return verdict.rule
    return ""


def broken(
    swarm: Swarm,
    by: Actor,
    draft: Draft,
    /,
    *,
    files: Mapping[str, bytes | None] | None = None,
    without: Iterable[str] = (),
    message: bytes | None = None,
    **how: Any,
) -> str:
    """By which rule a commit is refused that was accepted before one thing of it was broken.

    files: written besides or instead; without: not touched; message: instead; `how`: as for `Swarm.make`, or `by`.
    """
    assert refusal(swarm, swarm.make(by, draft)) == "", "it was refused before it was broken"
    changed = {path: data for path, data in {**draft.files, **(files or {})}.items() if path not in without}
    return refusal(
        swarm, swarm.make(how.pop("by", by), Draft(changed, draft.message if message is None else message), **how)
    )
