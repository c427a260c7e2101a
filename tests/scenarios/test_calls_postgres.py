"""The same calls as test_calls.py, and a kill, on a server that keeps everything in PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from tests.scenarios.test_calls import (  # the tests themselves
    test_an_account_that_is_deleted_while_it_rings_has_missed_the_call,
    test_declining_removes_only_who_declines,
    test_everybody_is_told_who_takes_a_call,
    test_it_rings_on_a_device_that_logs_in,
    test_one_friend_is_called_and_takes_the_call,
    test_one_of_several_is_given_up,
    test_the_initiator_gives_up_before_anybody_came,
    test_two_people_who_call_each_other_are_in_one_call,
    test_who_is_in_another_call_is_busy,
    test_whoever_was_dropped_is_invited_again_by_any_other_participant,
)
from tests.support.conferences import LOBBY, create, friends, join, leg
from tests.support.server import ServerProcess
from tests.support.storage import connected
from tests.support.wire import Wire, newcomer

__all__ = [
    "test_an_account_that_is_deleted_while_it_rings_has_missed_the_call",
    "test_declining_removes_only_who_declines",
    "test_everybody_is_told_who_takes_a_call",
    "test_it_rings_on_a_device_that_logs_in",
    "test_one_friend_is_called_and_takes_the_call",
    "test_one_of_several_is_given_up",
    "test_the_initiator_gives_up_before_anybody_came",
    "test_two_people_who_call_each_other_are_in_one_call",
    "test_who_is_in_another_call_is_busy",
    "test_whoever_was_dropped_is_invited_again_by_any_other_participant",
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, postgres_server: Any) -> Iterator[ServerProcess]:
    """Takes the place of the SQLite server for every test of this module."""

    async def make() -> None:
        connection = await connected(postgres_server.get_uri())
        await connection.execute("CREATE DATABASE calls")
        await connection.close()

    asyncio.run(make())
    data = tmp_path_factory.mktemp("postgres-server") / "data"
    flags = ("--registration", "open", "--call-rate", "0", "--storage", postgres_server.get_uri("calls"))
    running = ServerProcess(data, *flags).start()
    yield running
    assert running.stop() == 0
    assert "Traceback" not in running.logged(), running.logged()


def test_who_was_let_in_is_inside_after_a_kill(server: ServerProcess) -> None:
    """Everything of a conference is there again, and epochs go on.  Rows: X07 (partly), X10 (partly)."""
    alice, bob = friends(server.port, "alice", "bob")
    tea = create(alice, media="audio")
    join(alice, LOBBY)
    join(bob, tea["id"])
    alice.ask("CALL", status="initiate", id=tea["id"], users=[friend.login for friend in (bob,)])
    carol = newcomer(server.port, "carol")
    before = join(carol, LOBBY)
    server.kill()
    server.start()
    alice, bob, carol = (Wire(server.port).connect(one.login, device="first") for one in (alice, bob, carol))
    for one, id in ((alice, tea["id"]), (bob, tea["id"]), (alice, LOBBY), (carol, LOBBY)):
        answer = one.ask("CONFERENCE-JOIN", id=id, resume=True)
        assert answer.get("resumed"), answer
    now = carol.ask("CONFERENCE-GET", id=LOBBY)["conference"]
    assert now["legs"] == before["legs"]
    assert [one["id"] for one in bob.ask("CONFERENCE-GET", id=tea["id"])["conference"]["legs"]] == [
        leg(alice),
        leg(bob),
    ]
    assert join(carol, LOBBY)["epoch"] > before["epoch"]
