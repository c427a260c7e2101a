"""What an outsider, a thief, a blocked person or plain bad luck may try, on a real server; most of it worked once."""

from __future__ import annotations

import asyncio
import json
import socket
import sqlite3
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import psutil
import pytest

from tests.scenarios.test_operations import run
from tests.support.server import ServerProcess, wait_for
from tests.support.wire import Wire, newcomer, unique
from veche.core.scram import ClientScram
from veche.packets import ClientPacket, packet_types, type_name


def line(type: str, **fields: Any) -> bytes:
    return json.dumps({"type": type, **fields}).encode() + b"\n"


def told(wire: Wire) -> list[str]:
    """The types of what a link was told until now."""
    wire.send("PING", tag="now")
    return [packet["type"] for packet in wire.until("PONG")[:-1]]


def answer(wire: Wire, tag: str) -> dict[str, Any]:
    """The answer to a request, passing over what comes before."""
    while (packet := wire.receive()).get("tag") != tag:
        pass
    return packet


Serve = Callable[..., ServerProcess]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Starts a server of this test alone, with these flags."""
    started: list[ServerProcess] = []

    def start(*flags: str) -> ServerProcess:
        started.append(ServerProcess(tmp_path / "data", "--registration", "open", *flags).start())
        return started[-1]

    yield start
    for server in started:
        if server.process is not None and server.process.poll() is None:
            server.stop()


# -- what was revoked meanwhile


def test_what_a_bot_was_given_to_resume_with_ends_with_its_token(server: ServerProcess, alice: Wire) -> None:
    """Rows: X03 (partly)."""
    created = alice.ask("TOKEN-CREATE", name="bot")
    with Wire(server.port) as bot:
        bot.send("CONNECT", mechanism="TOKEN", token=created["token"])
        bot.connected(bot.receive())
    with Wire(server.port).resumed(bot.resume) as again:
        assert again.address == alice.address
        alice.ask("TOKEN-REVOKE", id=created["id"])
        assert again.until("GOODBYE")[-1]["code"] == "revoked"
    for token in (bot.resume, again.resume):
        with Wire(server.port) as thief:
            thief.send("CONNECT", mechanism="RESUME", token=token)
            thief.expect("CONNECT-FAILED", code="wrong-credentials")


@pytest.mark.parametrize("change", ["PASSWORD-CHANGE", "ACCOUNT-DELETE"])
def test_a_login_begun_with_the_old_password_does_not_end_with_it(server: ServerProcess, change: str) -> None:
    """Rows: X03 (partly)."""
    with newcomer(server.port, "nina") as nina, Wire(server.port) as thief:
        client = ClientScram(nina.login, "a password", "anonce")
        thief.send("CONNECT", login=nina.login, message=client.first())
        ack = thief.expect("CONNECT-ACK")
        if change == "PASSWORD-CHANGE":
            nina.ask(change, old_password="a password", password="new")
        else:
            nina.ask(change, password="a password")
        thief.send("CONNECT-CONTINUE", hash=client.answer(ack["salt"], ack["iterations"], ack["nonce"]))
        thief.expect("CONNECT-FAILED", code="wrong-credentials")


def bots(port: int, owner: Wire, count: int, stack: ExitStack) -> list[Wire]:
    """Further links of an account, quickly."""
    token = owner.ask("TOKEN-CREATE", name="bot")["token"]
    links = [stack.enter_context(Wire(port, tls=False)) for _ in range(count)]
    for n, link in enumerate(links):
        link.send("CONNECT", mechanism="TOKEN", token=token, device=f"bot {n}")
        link.connected(link.receive())
    return links


def test_guesses_that_wait_for_their_hash_side_by_side_are_counted_too(serve: Serve) -> None:
    """Rows: T10 (partly), T11 (partly)."""
    own_server = serve("--scram-iterations", "100000")
    with newcomer(own_server.port, "otto") as otto, ExitStack() as stack:
        *guessing, knowing = bots(own_server.port, otto, 5, stack)
        for link in guessing:
            link.send("PASSWORD-CHANGE", old_password="a guess", password="mine", tag="t")
        otto.expect_nothing()
        knowing.send("PASSWORD-CHANGE", old_password="a password", password="mine", tag="t")
        assert answer(knowing, "t")["code"] == "locked"


def test_a_thief_does_not_change_the_password_back_with_the_old_one(serve: Serve) -> None:
    """Both requests wait for their hashes at once; the first one voids the password of the second.

    Rows: X03 (partly).
    """
    own_server = serve("--scram-iterations", "100000")
    with newcomer(own_server.port, "pia") as pia, ExitStack() as stack:
        (thief,) = bots(own_server.port, pia, 1, stack)
        pia.send("PASSWORD-CHANGE", old_password="a password", password="new", tag="t")
        thief.send("PASSWORD-CHANGE", old_password="a password", password="stolen", tag="t")
        answers = answer(pia, "t"), answer(thief, "t")
        assert [answer["type"] for answer in answers].count("PASSWORD-CHANGE-OK") == 1
        wins = "new" if answers[0]["type"] == "PASSWORD-CHANGE-OK" else "stolen"  # they may arrive in either order
        with Wire(own_server.port) as again:
            again.connect(pia.login, wins, device="again")


def test_nobody_writes_to_a_deleted_account_by_a_way_known_before(server: ServerProcess, alice: Wire) -> None:
    """Rows: A10 (partly), T27 (partly)."""
    with newcomer(server.port, "olga") as olga:
        alice.say(olga.login, "a way is known now")
        olga.ask("ACCOUNT-DELETE", password="a password")
        alice.send("MESSAGE", to=olga.login, text="are you there?")
        alice.expect("MESSAGE-SEND-FAILED", code="unknown-user")


def test_what_other_devices_send_while_the_account_is_deleted_is_erased_too(server: ServerProcess, bob: Wire) -> None:
    """Rows: A10 (partly)."""
    with newcomer(server.port, "rosa") as rosa, ExitStack() as stack:
        (bot,) = bots(server.port, rosa, 1, stack)
        bot.say(bob.login, "a secret")
        for _ in range(20):
            bot.write(line("MESSAGE", to=bob.login, text="a secret") * 50)
        rosa.send("ACCOUNT-DELETE", password="a password")
        assert bot.is_closed()
        assert rosa.is_closed()
    with Wire(server.port).connect(bob.login, device="later") as later:
        assert {one["text"] for one in later.replayed} == {""}


def test_a_link_that_breaks_while_it_logs_in_is_not_online_for_ever(server: ServerProcess, alice: Wire) -> None:
    """Rows: X05 (partly)."""
    with newcomer(server.port, "sam", device="watcher") as sam:
        phone = Wire(server.port).connect(sam.login, device="phone")
        for _ in range(20):
            phone.close()
            last = alice.say(sam.login, "to be acknowledged at login, which takes a while")["id"]
            phone, resume = Wire(server.port, tls=False), phone.resume
            phone.resume = resume
            phone.send("CONNECT", mechanism="RESUME", token=resume, cursor=last)
            phone.close()

        def is_away() -> bool:
            sessions = sam.ask("SESSIONS-GET")["sessions"]
            return not any(one.get("online") for one in sessions if one["device"] == "phone")

        wait_for(is_away)


def test_a_device_that_is_online_does_not_make_room_for_new_ones(server: ServerProcess) -> None:
    """Rows: X05 (partly)."""
    with newcomer(server.port, "tom", device="old and online") as tom:
        token = tom.ask("TOKEN-CREATE", name="bot")["token"]
        for n in range(101):
            with Wire(server.port, tls=False) as device:
                device.send("CONNECT", mechanism="TOKEN", token=token, device=f"new {n}")
                device.connected(device.receive())
        tom.expect_nothing()
        assert len(tom.ask("SESSIONS-GET")["sessions"]) == 100
        with Wire(server.port).resumed(tom.resume) as again:
            again.expect_nothing()


# -- races


def at_once(count: int, work: Callable[[int], str]) -> list[str]:
    """What several threads got, sorted."""
    with ThreadPoolExecutor(count) as pool:
        return sorted(pool.map(work, range(count)))


def test_one_login_is_given_out_once_however_many_want_it_at_once(server: ServerProcess) -> None:
    """Rows: A09 (partly), M25 (partly)."""
    login = unique("wanted")

    def register(_: int) -> str:
        with Wire(server.port, tls=False) as wire:
            answer = wire.register(login)
            return str(answer.get("code", answer["type"]))

    assert at_once(6, register) == ["REGISTER-OK", *["login-taken"] * 5]


def test_an_invite_for_two_makes_two_accounts_however_many_want_it_at_once(serve: Serve) -> None:
    """Rows: M25 (partly)."""
    own_server = serve("--registration", "invite", "--block-duration", "0")
    code = run("invite", "--data", str(own_server.data), "--uses", "2").stdout.strip()

    def register(n: int) -> str:
        with Wire(own_server.port, tls=False) as wire:
            answer = wire.register(f"guest{n}", code=code)
            return str(answer.get("code", answer["type"]))

    assert at_once(6, register) == ["REGISTER-OK"] * 2 + ["bad-invite"] * 4


def test_a_device_hears_what_the_other_sent_just_before_it_vanished(server: ServerProcess, alice: Wire) -> None:
    """Rows: M13, X05 (partly)."""
    with newcomer(server.port, "uma", device="desk") as desk:
        phone = Wire(server.port, tls=False).connect(desk.login, device="phone")
        for n in range(30):
            phone.write(line("MESSAGE", to=alice.login, text=f"{n}"))
            phone.close()
            phone = Wire(server.port, tls=False).resumed(phone.resume)
        phone.say(alice.login, "still here")
        sent = {one["text"] for one in alice.ask("HISTORY-GET", peer=desk.login, limit=200)["messages"]}
        assert len(sent) > 10
        desk.send("PING", tag="now")
        assert {one["text"] for one in desk.until("PONG")[:-1]} == sent


def test_what_a_device_says_it_has_is_told_to_those_who_wrote_it(server: ServerProcess, alice: Wire) -> None:
    """After a crash a device knows better than the server what it has.  Rows: M16 (partly), X05 (partly)."""
    with newcomer(server.port, "vic", device="d") as vic:
        login = vic.login
    sent = alice.say(login, "hello")["id"]
    with Wire(server.port).connect(login, device="d", cursor=sent) as vic:
        alice.expect("MESSAGE-DELIVERED", id=sent, peer=alice.address, by=vic.address)


# -- those who do not read, and those who ask much


def test_who_asks_for_pages_and_does_not_read_them_is_answered_no_further(serve: Serve) -> None:
    """Rows: M20, M02 (partly)."""
    own_server = serve()
    with newcomer(own_server.port, "wes") as wes, newcomer(own_server.port, "xan") as xan:
        wes.write(line("MESSAGE", to=xan.login, text="x" * 16_000) * 200)
        for _ in range(200):
            wes.expect("MESSAGE-SENT")
        memory = own_server.rss_kib()
        wes.write(line("HISTORY-GET", peer=xan.login, limit=200) * 150)
        wait_for(lambda: "veche_links_full 1.0" in metrics(own_server))
        for _ in range(20):
            xan.ask("HISTORY-GET", peer=wes.login, limit=200)  # the others are served; had it gone on, it had by now
        assert own_server.rss_kib() - memory < 60_000
        pages = 0
        while pages < 150:
            pages += wes.receive()["type"] == "HISTORY-GET-OK"  # others: it fell behind and was caught up


def test_a_page_of_history_is_cut_at_a_megabyte_and_goes_on(alice: Wire, bob: Wire) -> None:
    """Rows: M20."""
    alice.write(line("MESSAGE", to=bob.login, text="x" * 16_000) * 150)
    ids = [alice.expect("MESSAGE-SENT")["id"] for _ in range(150)]
    forward: list[int] = []
    while len(forward) < 150:
        page = alice.ask("HISTORY-GET", peer=bob.login, after=forward[-1] if forward else 0, limit=200)
        assert sum(len(one["text"]) for one in page["messages"]) <= 1_000_000
        forward += [one["id"] for one in page["messages"]]
        assert page.get("more", False) is (len(forward) < 150)
    backward: list[int] = []
    while len(backward) < 150:
        before = {"before": backward[0]} if backward else {}
        page = alice.ask("HISTORY-GET", peer=bob.login, limit=200, **before)
        backward = [*(one["id"] for one in page["messages"]), *backward]
        assert page.get("more", False) is (len(backward) < 150)
    assert forward == backward == ids


def test_who_sends_and_does_not_read_is_read_no_further(serve: Serve) -> None:
    """Rows: M14 (partly), M02 (partly)."""
    own_server = serve("--message-rate", "0")
    with newcomer(own_server.port, "yan") as yan, newcomer(own_server.port, "zoe") as zoe:
        yan.say(zoe.login, "the way is known")
        lines = line("MESSAGE", to=zoe.login, text="x") * 2000
        zoe.close()
        memory = own_server.rss_kib()
        yan.socket.settimeout(1.0)

        def pour() -> None:
            for _ in range(200):
                yan.write(lines)

        with pytest.raises(TimeoutError):
            pour()
        assert own_server.rss_kib() - memory < 60_000


def metrics(server: ServerProcess, **headers: str) -> str:
    request = urllib.request.Request(f"http://127.0.0.1:{server.port}/metrics", headers=headers)
    with urllib.request.urlopen(request, timeout=10) as page:
        return page.read().decode()


VALUES: list[Any] = [
    *(2**53 - 1, 2**53, 2**64, 10**30, -1, 0, 1.5, True, None, [], {}, [[]] * 100, {"type": "x"}),
    *(
        "",
        "x" * 65,
        "x" * 1025,
        "x" * 16_384,
        "\0",
        "\u202e",
        "\r\n",
        '"',
        "@",
        "a@",
        "@b",
        "a@[::1]",
        "a@" + "b" * 300,
    ),
]


def test_no_value_of_any_field_is_a_fault_of_the_server(server: ServerProcess, alice: Wire, bob: Wire) -> None:
    """Rows: M02, M03, X25 (partly)."""
    usual: dict[str, Any] = {
        "to": bob.login,
        "peer": bob.login,
        "login": bob.login,
        "text": "t",
        "query": "q",
        "emoji": "+",
        "name": "n",
    }
    usual["id"] = alice.say(bob.login, "x")["id"]
    link = Wire(server.port, tls=False).resumed(alice.resume)
    for kind in packet_types(ClientPacket):
        name = type_name(kind)
        if name in ("GOODBYE", "REGISTER", "ACCOUNT-DELETE", "PASSWORD-CHANGE"):
            continue
        fields = [field.encode_name for field in msgspec.structs.fields(kind)]
        for field in fields:
            for value in VALUES:
                request: dict[str, Any] = {**{key: usual[key] for key in fields if key in usual}, field: value}
                link.write(line(name, **request) + line("PING", tag="the end"))
                while (got := link.receive()).get("tag") != "the end":
                    assert got.get("code") not in ("internal-error", "try-again-later"), (name, request, got)
                    if got["type"] == "GOODBYE":  # the budget of bad lines is spent
                        link = Wire(server.port, tls=False).resumed(alice.resume)
                        break


# -- who is there, and who has blocked whom


def test_metrics_tell_other_machines_nothing(server: ServerProcess) -> None:
    """On a quiet server the count of deliveries tells whether somebody is there, or has blocked me.

    Rows: X06 (partly).
    """
    assert "veche_deliveries_total" in metrics(server)
    with pytest.raises(urllib.error.HTTPError, match="403"):
        metrics(server, **{"X-Forwarded-For": "192.0.2.1"})


def test_who_is_blocked_is_not_told_that_an_earlier_message_arrived_after_all(
    server: ServerProcess, alice: Wire
) -> None:
    """A later one did not arrive, so it would tell of the block.  Rows: X06 (partly)."""
    with newcomer(server.port, "kay", device="one") as one:
        two = Wire(server.port).connect(one.login, device="two")
        early = alice.say(one.login, "early")["id"]
        one.expect("MESSAGE")
        assert one.ask("BLOCK", login=alice.login)["type"] == "BLOCK-OK"
        late = alice.say(one.login, "late")["id"]
        two.until("BLOCK-OK")
        two.send("MESSAGE-DELIVERED", id=early)
        two.send("MESSAGE-READ", id=early)
        two.expect_nothing(but=("CONTACT-UPDATED",))
        two.close()
        assert told(alice) == []
        assert [one["id"] for one in alice.ask("HISTORY-GET", peer=one.login)["messages"]] == [early, late]
    with Wire(server.port).connect(alice.login, device="fresh") as fresh:
        assert "peer_delivered_id" not in fresh.snapshot["conversations"][0]


def test_a_retraction_reaches_also_those_who_have_blocked_the_author(alice: Wire, bob: Wire) -> None:
    """The text is erased on the server, so it must not stay on their devices.  Rows: X06 (partly), X17 (partly)."""
    sent = alice.say(bob.login, "regretted")["id"]
    bob.expect("MESSAGE")
    bob.ask("BLOCK", login=alice.login)
    alice.ask("RETRACT", id=sent)
    bob.expect("RETRACTED", target=sent)


def test_nobody_reaches_me_by_editing_what_i_got_before_i_blocked_them(alice: Wire, bob: Wire) -> None:
    """And the author sees the edit, as if it had arrived.  Rows: X06 (partly), T33 (partly)."""
    sent = alice.say(bob.login, "harmless")["id"]
    bob.expect("MESSAGE")
    bob.ask("BLOCK", login=alice.login)
    assert alice.ask("EDIT", id=sent, text="an insult")["type"] == "EDIT-OK"
    bob.expect_nothing()
    assert alice.ask("HISTORY-GET", peer=bob.login)["messages"][0]["text"] == "an insult"
    assert bob.ask("HISTORY-GET", peer=alice.login)["messages"][0]["text"] == "harmless"


def test_nobody_reaches_me_by_reacting_after_i_blocked_them(alice: Wire, bob: Wire) -> None:
    """And who reacted sees it, as if it had arrived.  Rows: X06 (partly), T33 (partly)."""
    sent = bob.say(alice.login, "hello")["id"]
    bob.ask("BLOCK", login=alice.login)
    assert alice.ask("REACT", id=sent, emoji="an insult")["type"] == "REACT-OK"
    bob.expect_nothing()
    assert len(alice.ask("HISTORY-GET", peer=bob.login)["messages"][0]["reactions"]) == 1
    assert "reactions" not in bob.ask("HISTORY-GET", peer=alice.login)["messages"][0]


def test_who_is_blocked_does_not_see_in_a_snapshot_what_they_were_not_told(
    server: ServerProcess, alice: Wire, bob: Wire
) -> None:
    """Rows: X06 (partly)."""
    sent = alice.say(bob.login, "hello")["id"]
    bob.expect("MESSAGE")
    bob.ask("BLOCK", login=alice.login)
    bob.send("MESSAGE-READ", id=sent)
    bob.expect_nothing()
    assert told(alice) == []
    with Wire(server.port).connect(alice.login, device="fresh") as fresh:
        assert "peer_read_id" not in fresh.snapshot["conversations"][0]


def test_who_is_blocked_does_not_learn_that_a_device_of_mine_had_their_message(
    server: ServerProcess, alice: Wire, bob: Wire
) -> None:
    """Rows: X06 (partly)."""
    sent = alice.say(bob.login, "hello")["id"]
    bob.expect("MESSAGE")
    bob.ask("BLOCK", login=alice.login)
    bob.close()
    with Wire(server.port).resumed(bob.resume, cursor=sent):
        assert told(alice) == []
    with Wire(server.port).connect(alice.login, device="fresh") as fresh:
        assert "peer_delivered_id" not in fresh.snapshot["conversations"][0]


# -- HTTP and WebSocket


def test_behind_a_proxy_people_are_told_apart_by_what_the_proxy_saw(serve: Serve) -> None:
    """What stands before that in X-Forwarded-For, anybody can write.  Rows: T10 (partly), A08 (partly)."""
    own_server = serve("--behind-proxy")

    async def guess(login: str, forwarded: str) -> str:
        headers = {"X-Forwarded-For": forwarded}
        async with (
            aiohttp.ClientSession() as http,
            http.ws_connect(f"http://127.0.0.1:{own_server.port}/ws", headers=headers) as ws,
        ):
            await ws.send_json({"type": "CONNECT", "login": login, "message": f"n,,n={login},r=abc"})
            first = await ws.receive_json()
            if first["type"] == "CONNECT-FAILED":
                return str(first["code"])
            await ws.send_json({"type": "CONNECT-CONTINUE", "hash": "A" * 43 + "="})
            return str((await ws.receive_json())["code"])

    async def scene() -> None:
        for n in range(2):
            assert await guess(f"a{n}", f"192.0.2.{n}, 198.51.100.7") == "wrong-credentials"
        assert await guess("a2", "192.0.2.2, 198.51.100.7") == "locked"
        assert await guess("b", "198.51.100.7, 198.51.100.8") == "wrong-credentials"

    asyncio.run(scene())


def test_nonsense_over_http_is_refused_and_leaves_no_traceback_in_the_log(serve: Serve) -> None:
    """Rows: M02 (partly)."""
    own_server = serve()
    upgrade = b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: a\r\n\r\n"
    for request in (
        b"GET " + b"/" * 9000 + b" HTTP/1.1\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
        b"GET /ws HTTP/1.1\r\nHost: x\r\n" + upgrade,
    ):
        with Wire(own_server.port, tls=False) as wire:
            wire.write(request)
            assert (wire.line() or b"")[8:11] == b" 40"
    own_server.stop()
    assert "Traceback" not in own_server.logged()


def test_a_websocket_that_is_not_read_is_closed_and_one_that_is_slow_gets_everything(serve: Serve) -> None:
    """Rows: M13, T29 (partly)."""
    own_server = serve("--slow-consumer-timeout", "1", "--message-rate", "0")
    count = 800

    async def scene(sender: Wire, login: str, resume: str) -> None:
        url = f"http://127.0.0.1:{own_server.port}/ws"
        async with (
            aiohttp.ClientSession() as http,
            http.ws_connect(url, max_msg_size=0) as slow,
            http.ws_connect(url, max_msg_size=0) as dead,
        ):
            for n, ws in enumerate((slow, dead)):
                await ws.send_json({"type": "CONNECT", "mechanism": "TOKEN", "token": resume, "device": f"web {n}"})
                while (await ws.receive_json())["type"] != "REPLAY-END":
                    pass

            def send() -> None:
                sender.write(line("MESSAGE", to=login, text="x" * 16_000) * count)
                for _ in range(count):
                    sender.expect("MESSAGE-SENT")

            sending = asyncio.get_running_loop().run_in_executor(None, send)
            seqs: list[int] = []
            while len(seqs) < count:
                packet = await slow.receive_json()
                if packet["type"] == "MESSAGE":
                    seqs.append(packet["seq"])
                    await asyncio.sleep(0)
            await sending
            assert seqs == list(range(1, count + 1))
            await asyncio.to_thread(wait_for, lambda: "veche_slow_consumers_total 1.0" in metrics(own_server))

    with newcomer(own_server.port, "abe") as sender, newcomer(own_server.port, "bea") as reader:
        token = reader.ask("TOKEN-CREATE", name="web")["token"]
        reader.close()
        asyncio.run(scene(sender, reader.login, token))


# -- starting and stopping, the disk


def test_awkward_connections_and_senders_do_not_delay_the_stop_and_nothing_acknowledged_is_lost(
    serve: Serve,
) -> None:
    """Rows: M14, T29 (partly)."""
    own_server = serve("--message-rate", "0")
    with ExitStack() as stack:
        metrics(own_server)  # HTTP is loaded
        for start in (
            *(b"", b"G", b"\x16\x03", b"GET /healthz HTTP/1.1\r\nHo", b'{"type":"HELLO"'),
            b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
            b"POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n\r\nabc",
            b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        ):
            stack.enter_context(socket.create_connection(("127.0.0.1", own_server.port))).sendall(start)
        deaf = stack.enter_context(newcomer(own_server.port, "deaf"))
        (sender,) = bots(own_server.port, stack.enter_context(newcomer(own_server.port, "busy")), 1, stack)
        lines = line("MESSAGE", to=deaf.login, text="x" * 8000) * 20

        def send() -> None:
            try:
                while True:
                    sender.write(lines)
            except OSError:
                pass

        thread = threading.Thread(target=send)
        thread.start()
        acknowledged = [sender.expect("MESSAGE-SENT")["id"] for _ in range(500)]
        start = time.monotonic()
        assert own_server.process is not None
        own_server.process.terminate()
        while (said := sender.line()) is not None:
            packet = json.loads(said)
            if packet["type"] == "MESSAGE-SENT":
                acknowledged.append(packet["id"])
        assert own_server.stop() == 0
        assert time.monotonic() - start < 2.0
        thread.join()
    with closing(sqlite3.connect(own_server.data / "veche.db")) as database:
        stored = {row[0] for row in database.execute("SELECT id FROM message")}
    assert stored >= set(acknowledged)
    assert "error" not in own_server.logged()


def test_a_full_disk_refuses_and_recovers_and_loses_nothing(serve: Serve) -> None:
    """Rows: M14, M15 (partly)."""
    own_server = serve()
    with newcomer(own_server.port, "cora") as cora, newcomer(own_server.port, "dan", device="d") as dan:
        assert own_server.process is not None
        process = psutil.Process(own_server.process.pid)
        _, most = process.rlimit(psutil.RLIMIT_FSIZE)
        process.rlimit(psutil.RLIMIT_FSIZE, ((own_server.data / "veche.db-wal").stat().st_size + 200_000, most))
        answers: dict[str, str] = {}
        for n in range(40):
            cora.send("MESSAGE", to=dan.login, text="x" * 10_000, cookie=f"{n}")
            packet = cora.receive()
            answers[packet["cookie"]] = packet.get("code", "stored")
        assert 0 < list(answers.values()).count("stored") < 40
        assert set(answers.values()) <= {"stored", "try-again-later", "storage-full"}
        assert len(cora.ask("HISTORY-GET", peer=dan.login)["messages"]) == list(answers.values()).count("stored")
        process.rlimit(psutil.RLIMIT_FSIZE, (most, most))
        for n in range(40):  # as a client does
            assert cora.say(dan.login, "x" * 10_000, cookie=f"{n}")
        assert sorted(dan.expect("MESSAGE")["seq"] for _ in range(40)) == list(range(1, 41))
        dan.expect_nothing()


def test_a_database_that_another_program_holds_delays_and_blocks_nobody(serve: Serve) -> None:
    """Rows: M14."""
    own_server = serve()
    with newcomer(own_server.port, "eve") as eve, newcomer(own_server.port, "finn") as finn:
        eve.say(finn.login, "before")
        finn.expect("MESSAGE")
        with closing(sqlite3.connect(own_server.data / "veche.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            eve.send("MESSAGE", to=finn.login, text="meanwhile")
            for _ in range(20):
                start = time.monotonic()
                finn.expect_nothing()
                assert finn.ask("HISTORY-GET", peer=eve.login)["messages"][0]["text"] == "before"
                assert time.monotonic() - start < 1.0
            eve.expect_nothing()
            other.execute("ROLLBACK")
        eve.expect("MESSAGE-SENT")
        finn.expect("MESSAGE", text="meanwhile")


def test_a_domain_may_be_written_in_capitals_and_nonsense_is_no_domain(serve: Serve, tmp_path: Path) -> None:
    """Rows: M04 (partly)."""
    own_server = serve("--domain", "Talk.Example.ORG")
    with newcomer(own_server.port, "gia") as gia, Wire(own_server.port) as again:
        assert gia.address == f"{gia.login}@talk.example.org"
        again.connect(f"{gia.login}@TALK.example.org", device="again")
    answer = run("serve", "--data", str(tmp_path / "other"), "--domain", "not a domain", "--listen", "127.0.0.1:0")
    assert answer.returncode == 1
    assert "--domain" in answer.stderr
