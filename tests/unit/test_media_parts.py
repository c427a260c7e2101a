"""The parts of the media without a network: who is connected to whom, nonsense, patterns, names, addresses."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from veche.media.connection import (
    GAP_S,
    LOOPBACK,
    BadDescription,
    Connection,
    NoAddress,
    Paths,
    usable,
    without_hidden,
)
from veche.media.pattern import (
    TONES_HZ,
    ToneTrack,
    colours_of,
    pattern,
    picture,
    samples_of,
    sources_of,
    strip_of,
    tone_of,
)
from veche.media.recorder import Recorder, file_stem
from veche.media.roster import conference_after, links, sends, takes
from veche.media.signing_in import Leave, parse_server
from veche.packets import ErrorCode
from veche.packets.conference import (
    Conference,
    ConferenceChanged,
    ConferenceGetOk,
    ConferenceJoined,
    ConferenceLeft,
    ConferenceLegChanged,
    IceServer,
    Leg,
    MediaKind,
)

AT = "2026-01-01T00:00:00Z"


def leg(name: str, epoch: int, initiator: str = "a@x/1", media: MediaKind = MediaKind.VIDEO) -> Leg:
    return Leg(id=f"{name}@x/1", user=f"{name}@x", epoch=epoch, initiator=initiator, media=media, at=AT)


def conference(*legs: Leg) -> Conference:
    return Conference(id="c", name="C", owner="a@x", at=AT, legs=list(legs), epoch=max(one.epoch for one in legs))


# -- who is connected to whom


def test_both_ends_of_a_pair_agree_on_its_epoch_and_its_caller() -> None:
    """Rows: V10 (partly), X10 (partly)."""
    shown = conference(leg("a", 1), leg("b", 2), leg("c", 5, "b@x/1"), leg("d", 4, media=MediaKind.TEXT))
    of = {one.id: links(shown, one.id) for one in shown.legs}
    assert of["d@x/1"] == {}
    for me, other in (("a@x/1", "b@x/1"), ("a@x/1", "c@x/1"), ("b@x/1", "c@x/1")):
        mine, theirs = of[me][other], of[other][me]
        assert mine.epoch == theirs.epoch
        assert mine.is_caller is not theirs.is_caller
    assert of["a@x/1"]["c@x/1"].epoch == 5
    assert set(of["b@x/1"]) == {"a@x/1", "c@x/1"}


def test_only_the_pairs_of_a_leg_that_comes_again_begin_anew() -> None:
    before = conference(leg("a", 1), leg("b", 2), leg("c", 3))
    after = conference_after(before, ConferenceJoined(id="c", leg=leg("b", 4, "c@x/1")))
    assert links(before, "a@x/1")["c@x/1"] == links(after, "a@x/1")["c@x/1"]
    assert links(before, "a@x/1")["b@x/1"] != links(after, "a@x/1")["b@x/1"]
    assert len(after.legs) == 3


def test_the_conference_follows_what_is_told_and_nothing_of_another() -> None:
    shown = conference(leg("a", 1), leg("b", 2))
    muted = Leg(id="b@x/1", user="b@x", epoch=2, initiator="a@x/1", is_muted=True, at=AT)
    assert conference_after(shown, ConferenceLegChanged(id="c", leg=muted)).legs[1].is_muted
    gone = conference_after(shown, ConferenceLeft(id="c", leg="b@x/1", code=ErrorCode.OFFLINE))
    assert [one.id for one in gone.legs] == ["a@x/1"]
    changed = conference_after(shown, ConferenceChanged(id="c", name="D", acting_owner="b@x"))
    assert (changed.name, changed.owner, changed.acting_owner) == ("D", "a@x", "b@x")
    assert conference_after(shown, ConferenceLeft(id="other", leg="b@x/1", code=ErrorCode.OFFLINE)) is shown
    whole = conference(leg("a", 1), leg("c", 3))
    assert conference_after(shown, ConferenceGetOk(conference=whole)) is whole, "events were missed: as it stands"
    assert conference_after(shown, ConferenceGetOk(conference=replace(whole, id="other"))) is shown


def test_what_a_leg_sends_and_takes_follows_from_how_the_legs_are() -> None:
    """Rows: A39 (partly), A69 (partly)."""
    me, other = leg("a", 1), leg("b", 2)
    kinds = ("audio", "video")
    assert [sends(me, kind) for kind in kinds] == [takes(me, other, kind) for kind in kinds] == [True, True]
    for change, sent, taken in (
        ({"held": True}, (False, False), (False, False)),
        ({"is_muted": True}, (False, True), (True, True)),
        ({"muted_by": "c@x"}, (False, True), (False, True)),
        ({"is_hidden": True}, (True, False), (True, True)),
        ({"is_hidden": True, "is_sharing": True}, (True, True), (True, True)),
        ({"hidden_by": "c@x", "is_sharing": True}, (True, False), (True, False)),
    ):
        assert tuple(sends(replace(me, **change), kind) for kind in kinds) == sent, change
        assert tuple(takes(me, replace(other, **change), kind) for kind in kinds) == taken, change
    assert not any(takes(replace(me, held=True), other, kind) for kind in kinds)
    assert takes(replace(me, muted_by="c@x"), other, "audio"), "who is silenced hears"
    assert not sends(None, "audio")
    assert not takes(me, None, "audio")


# -- nonsense from others


def connection(paths: Paths = LOOPBACK) -> Connection:
    return Connection(paths, (), up=lambda: None, down=lambda _: None, took=lambda _: None)


async def offered() -> str:
    one = connection()
    try:
        return await one.offer()
    finally:
        await one.close()


NONSENSE = [
    "",
    "nonsense",
    "v=0\r\n",
    "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n",
    "v=0\r\nm=audio x y z\r\na=ice-ufrag:abcd\r\n",
    "v=0\r\na=ice-ufrag:abcd\r\na=ice-pwd:x\r\nm=video 9 UDP/TLS/RTP/SAVPF\r\na=fingerprint:sha-256\r\n",
    "v=0\r\n" + "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\n" * 500,
    "v=0\r\n" + "a=candidate:1 1 udp 1 10.0.0.1 9 typ host\r\n" * 500,
]


@pytest.mark.parametrize("sdp", NONSENSE)
def test_a_description_that_is_nonsense_is_refused_or_harmless(sdp: str) -> None:
    async def take() -> None:
        one = connection()
        try:
            with suppress(BadDescription, NoAddress):
                await one.answer(sdp)
        finally:
            await one.close()

    asyncio.run(take())


OFFER = asyncio.run(offered())


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_true_offer_with_lines_lost_or_doubled_or_cut_raises_one_error(data: st.DataObject) -> None:
    lines = OFFER.split("\r\n")
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(lines) - 1))
        match data.draw(st.sampled_from(["lost", "doubled", "cut"])):
            case "lost" if len(lines) > 1:
                del lines[at]
            case "doubled":
                lines.insert(at, lines[at])
            case _:
                lines[at] = lines[at][: len(lines[at]) // 2]

    async def take() -> None:
        one = connection()
        try:
            with suppress(BadDescription, NoAddress):
                await one.answer("\r\n".join(lines))
        finally:
            await one.close()

    asyncio.run(take())


def test_candidates_that_are_nonsense_or_cannot_be_resolved_are_passed_over() -> None:
    async def take() -> None:
        one = connection()
        try:
            await one.answer(OFFER)
            for candidate in (
                "",
                "x",
                "candidate:",
                "candidate:1 1 udp x 10.0.0.1 9 typ host",
                "\0",
                "candidate:" + "9 " * 99,
            ):
                await one.candidate(candidate, "0", 0)
                await one.candidate(candidate, "", 99)
        finally:
            await one.close()

    asyncio.run(take())


def test_a_gap_before_the_first_picture_is_passed_over() -> None:
    """Sound came, then nothing for a second, then the rest: what arrives is heard all the same."""

    async def hear() -> None:
        one = connection()
        heard: list[bytes] = []
        link: Any = SimpleNamespace(data_received=heard.append)
        try:
            await one.answer(OFFER)
            assert "video" in [it.kind for it in one.pc.getTransceivers()]
            one._wrap(link, "data_received")  # pyright: ignore[reportPrivateUsage]
            link.data_received(b"sound")
            assert one._data_at is not None  # pyright: ignore[reportPrivateUsage]
            one._data_at -= 2 * GAP_S  # pyright: ignore[reportPrivateUsage]
            link.data_received(b"picture")
        finally:
            await one.close()
        assert heard == [b"sound", b"picture"]

    asyncio.run(hear())


def test_hidden_addresses_are_taken_out_and_tried_beside() -> None:
    line = "a=candidate:1 1 udp 2113937151 6a0c.local 50000 typ host generation 0\r\n"
    open_line = "a=candidate:2 1 udp 1 10.0.0.1 50000 typ host\r\n"
    sdp, hidden = without_hidden("v=0\r\n" + line + open_line + "a=end-of-candidates\r\n")
    assert hidden == ["1 1 udp 2113937151 6a0c.local 50000 typ host generation 0"]
    assert sdp == "v=0\r\n" + open_line
    assert without_hidden("v=0\r\n" + open_line) == ("v=0\r\n" + open_line, [])


def test_a_machine_without_an_address_says_so() -> None:
    async def describe() -> None:
        one = connection(Paths(addresses=()))
        try:
            with pytest.raises(NoAddress, match="no network address"):
                await one.offer()
        finally:
            await one.close()

    asyncio.run(describe())


def test_udp_comes_before_tcp_and_what_is_no_address_is_left_out() -> None:
    servers = [
        IceServer(urls=["turn:a:1?transport=tcp", "nonsense", "turn:a:1?transport=udp"], username="u", credential="c"),
        IceServer(urls=["stun:b", "stuns:b"]),
    ]
    assert [one.urls[0] for one in usable(servers)] == ["turn:a:1?transport=udp", "stun:b", "turn:a:1?transport=tcp"]


# -- patterns


def test_each_pattern_is_known_again_by_its_colours_and_its_tone() -> None:
    async def hear(number: int) -> int | None:
        track = ToneTrack(pattern(number))
        samples: list[int] = []
        for _ in range(5):
            samples.extend(samples_of(await track.recv()))
        return tone_of(samples)

    async def hear_all() -> list[int | None]:
        return list(await asyncio.gather(*(hear(number) for number in range(8))))

    assert asyncio.run(hear_all()) == list(TONES_HZ)
    for number in range(8):
        shown = pattern(number)
        frame = picture(shown, 160, 90, 200)
        assert colours_of(frame) == (shown.left, shown.right)
        assert strip_of(frame) == 200
    assert len({pattern(number)[:2] for number in range(8)}) == 8


def test_silence_and_noise_are_no_tone() -> None:
    assert tone_of([0] * 4800) is None
    assert tone_of([]) is None
    noise = [((n * 7919 + n * n * 104_729) % 65_536) - 32_768 for n in range(4800)]
    assert tone_of(noise) is None


# -- names and addresses


@given(st.text(max_size=300))
def test_any_leg_gives_the_name_of_a_file(text: str) -> None:
    stem = file_stem(text)
    assert stem
    assert len(stem) <= 100
    assert not set(stem) & set('/\\:*?"<>|\0\n')
    assert stem.strip(" .") == stem


def test_a_recorder_says_at_once_when_its_folder_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        Recorder(tmp_path / "file")


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("chat.example.org", ("chat.example.org", 3215)),
        ("127.0.0.1:4000", ("127.0.0.1", 4000)),
        ("[::1]:4000", ("::1", 4000)),
        ("https://chat.example.org", ("chat.example.org", 443)),
        ("https://chat.example.org:3215/", ("chat.example.org", 3215)),
    ],
)
def test_a_server_is_written_as_host_and_port_or_as_a_url(text: str, where: tuple[str, int]) -> None:
    assert parse_server(text) == where


@pytest.mark.parametrize("text", ["", ":80", "http://x", "x:0", "x:99999", "x:y", "alice@x", "ftp://x", "[::1"])
def test_what_is_no_server_is_a_sentence(text: str) -> None:
    with pytest.raises(Leave, match="is no server"):
        parse_server(text)


def test_a_pattern_has_both_tracks() -> None:
    assert [track.kind for track in sources_of(pattern(0))] == ["audio", "video"]
