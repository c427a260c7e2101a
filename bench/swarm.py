"""Conversations without a server: what verifying, appending, listing and receiving cost.  Ratios are of one run.

    raw         the same signatures checked by `cryptography` alone, on one core
    verify      a packed history of `count` commits (10,000), RSA-4096, on one core and on two
    memory      the peak of a process that verifies 100,000 commits
    append      median of a text, with signature and fsync, at 10 and at 100,000 commits
    newest      opening a conversation of 100,000 commits and listing the newest 50, warm
    receive     a pack of 10,000 commits through quarantine, against `git clone` and the raw signatures

Source: issue 6; row B97.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15

from veche.peer import commits, identity, quarantine, store
from veche.peer.objects import Objects
from veche.peer.pack import COMMIT
from veche.peer.pack_file import store as store_pack
from veche.peer.pack_file import write_pack
from veche.peer.repository import CONVERSATIONS, Conversation
from veche.swarm.messages import Text, encode
from veche.swarm.model import Mode

from .plan import Plan
from .scenarios import Figures

MANY = 100_000
APPENDS = 200


def measure(plan: Plan) -> Iterator[Figures]:
    folder = Path(tempfile.mkdtemp(prefix="bench-swarm-"))
    try:
        yield _measure(folder, plan.count or 10_000)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _measure(folder: Path, count: int) -> Figures:
    me = identity.make("Alice")
    few = Conversation.create(folder / "few", me, Mode.INVITES_ONLY)
    figures: Figures = {"count": count, "append_10_ms": _append(few, me)}
    some = fill(folder / "some", me, count)
    raw = _raw(folder / "some", some)
    figures["raw_s"] = round(raw, 3)
    for cores in (1, 2):
        took = float(_apart("verify", folder / "some", some, cores=cores)["took_s"])
        figures[f"verify_{cores}_s"] = round(took, 3)
        figures[f"verify_{cores}_of_raw"] = round(raw / took, 2)
    many = fill(folder / "many", me, MANY)
    figures["verify_many_rss_mib"] = _apart("verify", folder / "many", many, cores=2)["rss_mib"]
    talk = Conversation(folder / "many", many)
    figures[f"append_{MANY}_ms"] = _append(talk, me)
    talk.close()
    figures["newest_50_ms"] = round(statistics.median(_newest(folder / "many", many) for _ in range(5)) * 1e3, 1)
    figures |= _receive(folder, some, raw)
    return figures


def fill(folder: Path, me: identity.Identity, count: int) -> str:
    """A conversation of `count` commits in one pack; every signature is real.  Returns its id."""
    talk = Conversation.create(folder, me, Mode.INVITES_ONLY)
    root = talk.head
    tree = commits.parse(talk.store.objects.commit(root)).tree
    talk.close()

    head = root

    def objects() -> Iterator[tuple[int, bytes]]:
        nonlocal head
        for number in range(1, count):
            message = encode(Text(body=f"Message {number}, of some usual length, as people write them."))
            data = commits.write(tree, (head,), me.name, me.device, 1_795_000_000 + number, message, me.sign)
            head = commits.commit_id(data)
            yield COMMIT, data

    pack = folder / "fill.pack"
    write_pack(pack, objects(), count - 1)
    place = store.Store(folder / CONVERSATIONS / talk.id)
    store_pack(pack, place.folder / "objects")
    place.set_head(head)
    pack.unlink()
    Conversation(folder, talk.id).close()
    return talk.id


def _raw(folder: Path, id: str) -> float:
    """Seconds that the signatures of a history take, and nothing else."""
    import base64

    talk = Conversation(folder, id)
    key = talk.state.signer(talk.index.row(talk.head).device).key
    found = [commits.parse(talk.store.objects.commit(row.id)) for row in talk.index.newest()]
    talk.close()
    pairs = [(base64.b64decode(one.signature), one.signed) for one in found]
    since = time.perf_counter()
    for signature, signed in pairs:
        key.verify(signature, signed, PKCS1v15(), hashes.SHA512())
    return time.perf_counter() - since


PROGRAM = """
import json, resource, sys, time
from pathlib import Path
from veche.peer.source import open_source
from veche.peer.verify import Accepted, verify
with open_source(Path(sys.argv[1])) as source:
    since = time.perf_counter()
    assert isinstance(verify(source.objects, source.head), Accepted)
    took = time.perf_counter() - since
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({"took_s": took, "rss_mib": round(peak / 1024, 1)}))
"""


def _apart(_: str, folder: Path, id: str, *, cores: int) -> dict[str, float]:
    """Verify in a process of its own, on so many cores."""
    mine = sorted(os.sched_getaffinity(0))[:cores]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(folder / CONVERSATIONS / id)],
        check=True,
        capture_output=True,
        text=True,
        preexec_fn=lambda: os.sched_setaffinity(0, mine),
    )
    return json.loads(done.stdout)


def _append(talk: Conversation, me: identity.Identity) -> float:
    """Median in milliseconds."""
    for number in range(9):
        talk.say(me, Text(body=f"before {number}"))
    times: list[float] = []
    for number in range(APPENDS):
        since = time.perf_counter()
        talk.say(me, Text(body=f"Message {number}"))
        times.append(time.perf_counter() - since)
    return round(statistics.median(times) * 1e3, 2)


def _newest(folder: Path, id: str) -> float:
    since = time.perf_counter()
    talk = Conversation(folder, id)
    assert len(list(talk.newest(50))) == 50
    took = time.perf_counter() - since
    talk.close()
    return took


def _receive(folder: Path, id: str, raw: float) -> Figures:
    repository = folder / "some" / CONVERSATIONS / id
    since = time.perf_counter()
    subprocess.run(["git", "clone", "-q", "--bare", f"file://{repository}", str(folder / "cloned")], check=True)
    cloned = time.perf_counter() - since
    head = store.Store(repository).head()
    pack = folder / "offered.pack"
    quarantine.offer(Objects(repository / "objects"), head, pack)
    since = time.perf_counter()
    talk = quarantine.clone(folder / "received", id, pack, head, "bench")
    took = time.perf_counter() - since
    talk.close()
    return {
        "clone_s": round(cloned, 3),
        "receive_s": round(took, 3),
        "receive_of_clone": round((cloned + raw) / took, 2),
    }
