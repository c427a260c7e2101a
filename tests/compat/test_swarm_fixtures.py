"""Histories that real clients wrote, or that were written against them: each has its verdict, and the right commit."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.histories import FIXTURES, facts, first_offender, fixtures
from veche.peer import commits
from veche.peer.source import open_source
from veche.peer.verify import Accepted, verify
from veche.peer.walk import Walk
from veche.swarm.model import Rejected
from veche.swarm.order import linear


def judged(path: Path) -> Accepted | Rejected:
    """The verdict, which is the same on one processor and on several."""
    with open_source(path) as source:
        verdict = verify(source.objects, source.head, workers=1)
        several = verify(source.objects, source.head, workers=3)
    if isinstance(verdict, Rejected):
        assert several == verdict
    else:
        assert isinstance(several, Accepted)
        assert several.state.files == verdict.state.files
    return verdict


@pytest.mark.parametrize("name", fixtures("valid"))
def test_a_history_that_real_clients_accept_is_accepted(name: str) -> None:
    """Rows: B05 (partly), B28 (partly)."""
    told = facts("valid", name)
    verdict = judged(FIXTURES / "valid" / f"{name}.bundle")
    assert isinstance(verdict, Accepted)
    state = verdict.state
    assert (verdict.head, verdict.count) == (told["head"], len(told["commits_newest_first"]))
    assert (state.conversation, int(state.mode)) == (told["conversation_id"], told["mode"])
    tree: dict[str, Any] = told["tree"]
    assert (state.admins, state.members) == (tree.get("admins", []), tree.get("members", []))
    assert state.devices == tree.get("devices", [])
    assert state.invited == tree.get("invited", [])


@pytest.mark.parametrize("name", fixtures("invalid"))
def test_a_history_with_a_wrong_commit_is_refused_for_that_commit(name: str) -> None:
    """Rows: B28 (partly)."""
    verdict = judged(FIXTURES / "invalid" / f"{name}.bundle")
    assert isinstance(verdict, Rejected)
    assert verdict.commit == first_offender(facts("invalid", name))


@pytest.mark.parametrize("name", fixtures("valid"))
def test_a_commit_is_read_and_written_byte_for_byte(name: str) -> None:
    """Rows: B07 (partly)."""
    told = facts("valid", name)
    with open_source(FIXTURES / "valid" / f"{name}.bundle") as source:
        for one in told["commits_newest_first"]:
            data = source.objects.commit(one["id"])
            read = commits.parse(data)
            assert read.device == one["author_device"]
            signature = base64.b64decode(read.signature)
            made = commits.write(
                read.tree,
                read.parents,
                read.author_name,
                read.device,
                read.time,
                read.message,
                lambda _, made=signature: made,
            )
            assert made == data
            assert commits.commit_id(made) == one["id"]


@pytest.mark.parametrize("name", fixtures("valid"))
def test_the_order_is_that_of_real_clients(name: str) -> None:
    """Rows: B95 (partly)."""
    told = facts("valid", name)
    with open_source(FIXTURES / "valid" / f"{name}.bundle") as source:
        walk = Walk(source.objects, source.head)
    assert list(linear(walk.graph, told["head"])) == [one["id"] for one in told["commits_newest_first"]]


@pytest.mark.parametrize("options", [["--bare"], [], ["--bare", "--shared"], ["--depth=99"]])
def test_a_clone_is_read_as_its_bundle_is(options: list[str], tmp_path: Path) -> None:
    bundle = FIXTURES / "valid" / "group_profile_conflict.bundle"
    first, second = tmp_path / "first", tmp_path / "second"
    subprocess.run(["git", "clone", "-q", "-b", "main", bundle, first], check=True, capture_output=True)
    origin = f"file://{first}" if "--depth=99" in options else str(first)
    subprocess.run(["git", "clone", "-q", *options, origin, second], check=True, capture_output=True)
    verdict = judged(second)
    assert isinstance(verdict, Accepted)
    assert verdict.head == facts("valid", "group_profile_conflict")["head"]
