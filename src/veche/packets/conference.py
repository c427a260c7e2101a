"""Packets of conferences: who is where, who may come in, who is called, and the signalling between two legs.

A *leg* is one device in a conference, `login@domain/device`; one person may have several (row A43).  Media goes from
leg to leg and never through the server; SIGNAL carries what the two need to find each other, offers and answers with
the DTLS fingerprint in them, and only between legs of one conference.

Who calls whom: each leg has an `epoch`.  The epoch of a pair is the greater one of its two legs; its caller is decided
by the call-list rule of document 004 over that epoch (row X10, core/mesh.py).  A leg that comes again, or is invited
again, gets a new epoch, and both ends of each of its pairs begin anew.  SIGNAL names the pair's epoch; what belongs to
an older one is passed over.

Who is told what.  Legs of a conference get its events: CONFERENCE-JOINED, -LEFT, -LEG, -CHANGED, -MESSAGE, -ENDED; what
JOIN-OK said and these give what CONFERENCE-GET says.  Everybody else who may see something of it gets
CONFERENCE-SEEN, whole, whenever what they may see is new, and CONFERENCE-UNSEEN; SNAPSHOT holds the same for a start.

Source: documents 000 and 004; rows A30-A50, V05-V36, X05, X07-X10, X16, X22.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct, field

from .base import Address, Cookie, ErrorCode, Failed, Instant, Login, Packet, Tag, Text

MAX_CONFERENCE_NAME = 100
MAX_SDP = 48 * 1024
MAX_IDENTITY, MAX_SIGNATURE = 8 * 1024, 1400
"""Two certificates and a signature of RSA keys of up to 8192 bits, in Base64."""
MAX_CALLED = 20
"""So many people may be called at once."""
CALL_ANSWER_S = 20.0
"""A call that nobody answers for so long is a missed one (row V33)."""
LEG_GRACE_S = 60.0
"""So long a leg whose link broke keeps its place, and an owner the conference (row X07)."""

ConferenceId = Annotated[str, Meta(min_length=1, max_length=64, description="made by the server, 128 bits of chance")]
ConferenceName = Annotated[str, Meta(min_length=1, max_length=MAX_CONFERENCE_NAME, description="one line")]
LegId = Annotated[str, Meta(min_length=1, max_length=600, description="`login@domain/device`, written by the server")]
Epoch = Annotated[int, Meta(ge=1, le=2**53 - 1)]


class Policy(StrEnum):
    """Who may come in by themselves.  Whoever was invited may, whatever the policy; so may the owner."""

    FRIENDS = "friends"
    """Friends of somebody who is inside."""
    INVITE = "invite"
    """The invited only."""
    LINK = "link"
    """Whoever has the link (CONFERENCE-LINK); friends of who is inside see it, and may not."""
    OPEN = "open"
    """Everybody of this server."""


class Topology(StrEnum):
    """How media travels."""

    MESH = "mesh"
    """From each leg to each other."""


class MediaKind(StrEnum):
    """What a leg takes part with, each including the ones before it."""

    TEXT = "text"
    AUDIO = "audio"
    VIDEO = "video"


class Leg(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One device in a conference as it stands."""

    id: LegId
    user: Address
    name: str = ""
    """As the person calls themselves; empty: nothing but the login."""
    avatar: str = ""
    """SHA-256 of their picture, as in contacts."""
    epoch: Epoch
    initiator: LegId
    """Of the epoch: what the call-list rule takes as the initiator; it stays when the owner changes."""
    media: MediaKind = MediaKind.VIDEO
    """What it may send: what was asked for at most, less where the mesh is full (row X09)."""
    is_muted: bool = False
    """The microphone is off."""
    is_hidden: bool = False
    """The camera is off."""
    is_sharing: bool = False
    """Its screen is shown."""
    held: bool = False
    """It listens to another conference now (row A39)."""
    muted_by: Address = ""
    """The owner has switched its microphone off, and only the owner's CONFERENCE-MUTE lets it on (row A69)."""
    hidden_by: Address = ""
    """The same of its camera and screen."""
    asks: bool = False
    """It asks the owner to be heard or seen again."""
    is_lost: bool = False
    """Its link to the server broke; media may go on.  It keeps its place for `LEG_GRACE_S`."""
    at: Instant
    """When it came."""


class Call(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Somebody who was called into a conference and has not come."""

    user: Address
    status: CallStatus
    by: Address


class Conference(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A conference as its legs see it."""

    id: ConferenceId
    name: str
    owner: Address
    """Empty for permanent ones that belong to nobody."""
    acting_owner: Address = ""
    """While the owner is gone without having left: who stands in.  They may do what an owner may, but hand it over."""
    policy: Policy = Policy.FRIENDS
    is_permanent: bool = False
    topology: Topology = Topology.MESH
    epoch: Epoch = 1
    """The newest one."""
    at: Instant
    legs: list[Leg] = []
    """In the order in which they came."""
    calls: list[Call] = []
    video_legs: int = 4
    """With more legs than this no further one is given video ..."""
    audio_legs: int = 6
    """... and with more than this no further one media at all: the conference is too large for a mesh (row X09)."""


class ConferenceView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A conference as somebody outside, or another device of somebody inside, may see it."""

    id: ConferenceId
    name: str
    owner: Address
    """Empty: of nobody, or I am outside and they are no friend of mine."""
    policy: Policy = Policy.FRIENDS
    is_permanent: bool = False
    at: Instant
    people: list[Address] = []
    """Who of my friends, and whether I myself am inside, sorted; nobody else is named."""
    count: int = 0
    """How many people are inside."""
    legs: list[LegId] = []
    """Devices of my own that are inside."""
    may_join: bool = False
    invited_by: Address = ""
    """I was invited, and have not come or declined."""


class IceServer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A STUN or TURN server, as RTCIceServer of WebRTC 1.0."""

    urls: list[str]
    username: str = ""
    credential: str = ""


class RoomMessage(Struct, frozen=True, kw_only=True):
    """One text of a conference."""

    seq: int
    """Place in its room, counted from 1 without gaps."""
    from_: Address = field(name="from")
    at: Instant
    text: str


# -- coming and going


class ConferenceCreate(Packet, kw_only=True, tag="CONFERENCE-CREATE"):
    """Makes a conference and takes this device in as its owner's.  Answer: CONFERENCE-JOIN-OK, or -CREATE-FAILED."""

    name: ConferenceName
    policy: Policy = Policy.FRIENDS
    media: MediaKind = MediaKind.VIDEO
    tag: Tag | None = None


class ConferenceCreateFailed(Failed, kw_only=True, tag="CONFERENCE-CREATE-FAILED"):
    """Codes: bad-request, already-there (I am in one of that name), too-many (that I am in, or that are open)."""


class ConferenceJoin(Packet, kw_only=True, tag="CONFERENCE-JOIN"):
    """Takes this device in: by id, by name, by the friend who is inside, or by the code of a link; exactly one of them.

    With `resume` a device takes its leg up again, epoch and all (`resumed`), within the grace; without it, a leg that
    is there begins anew, in its place, with a new epoch.  Answer: CONFERENCE-JOIN-OK or -FAILED.
    """

    id: ConferenceId | None = None
    name: ConferenceName | None = None
    """Of those that I may see; several of that name: refused with `ambiguous`."""
    friend: Login | None = None
    link: Annotated[str, Meta(min_length=1, max_length=64)] | None = None
    media: MediaKind = MediaKind.VIDEO
    resume: bool = False
    """I am in it: give me my place back, and no new epoch if it is still there."""
    tag: Tag | None = None


class ConferenceJoinOk(Packet, kw_only=True, tag="CONFERENCE-JOIN-OK"):
    """Inside.  Events follow."""

    conference: Conference
    leg: LegId
    """Which of its legs I am."""
    resumed: bool = False
    ice_servers: list[IceServer] = []  # noqa: RUF012 - msgspec gives each packet its own
    code: ErrorCode | None = None
    """`mesh-full`: this leg was given less media than it asked for."""
    reason: str = ""
    tag: Tag | None = None


class ConferenceJoinFailed(Failed, kw_only=True, tag="CONFERENCE-JOIN-FAILED"):
    """Codes: unknown-conference, forbidden, already-there (I am in another one of that name, or, with
    one_leg_per_user, in this one by another device), ambiguous, unknown-user, not-friends, too-many, bad-request.
    """


class ConferenceLeave(Packet, kw_only=True, tag="CONFERENCE-LEAVE"):
    """This device leaves.  The owner's last leg leaving on purpose ends the conference, unless it was handed over
    before (row X07).  Answer: CONFERENCE-LEAVE-OK or -FAILED.
    """

    id: ConferenceId
    tag: Tag | None = None


class ConferenceLeaveOk(Packet, kw_only=True, tag="CONFERENCE-LEAVE-OK"):
    """Outside."""

    id: ConferenceId
    tag: Tag | None = None


class ConferenceLeaveFailed(Failed, kw_only=True, tag="CONFERENCE-LEAVE-FAILED"):
    """Codes: unknown-conference, not-inside."""


class ConferenceGet(Packet, kw_only=True, tag="CONFERENCE-GET"):
    """Asks a leg's conference as it stands.  Answer: CONFERENCE-GET-OK or -FAILED."""

    id: ConferenceId
    tag: Tag | None = None


class ConferenceGetOk(Packet, kw_only=True, tag="CONFERENCE-GET-OK"):
    """As it stands.  Told unasked, without a tag, to a leg whose link was full for a while: it has missed events."""

    conference: Conference
    tag: Tag | None = None


class ConferenceGetFailed(Failed, kw_only=True, tag="CONFERENCE-GET-FAILED"):
    """Codes: unknown-conference, not-inside."""


class ConferenceList(Packet, kw_only=True, tag="CONFERENCE-LIST"):
    """Asks for all that I may see.  Answer: CONFERENCE-LIST-OK; it does not fail."""

    tag: Tag | None = None


class ConferenceListOk(Packet, kw_only=True, tag="CONFERENCE-LIST-OK"):
    """Mine, those of my friends, those I am invited to, the open ones; THE CONFERENCE first, then by name."""

    conferences: list[ConferenceView]
    tag: Tag | None = None


# -- what an owner does


class ConferenceDelete(Packet, kw_only=True, tag="CONFERENCE-DELETE"):
    """The owner ends it for all.  Answer: CONFERENCE-DELETE-OK or -FAILED."""

    id: ConferenceId
    tag: Tag | None = None


class ConferenceDeleteOk(Packet, kw_only=True, tag="CONFERENCE-DELETE-OK"):
    """Ended."""

    id: ConferenceId
    tag: Tag | None = None


class ConferenceDeleteFailed(Failed, kw_only=True, tag="CONFERENCE-DELETE-FAILED"):
    """Codes: unknown-conference, forbidden (not the owner, or permanent)."""


class ConferenceRename(Packet, kw_only=True, tag="CONFERENCE-RENAME"):
    """The owner gives it another name.  Answer: CONFERENCE-RENAME-OK or -FAILED."""

    id: ConferenceId
    name: ConferenceName
    tag: Tag | None = None


class ConferenceRenameOk(Packet, kw_only=True, tag="CONFERENCE-RENAME-OK"):
    """Renamed."""

    id: ConferenceId
    name: str
    tag: Tag | None = None


class ConferenceRenameFailed(Failed, kw_only=True, tag="CONFERENCE-RENAME-FAILED"):
    """Codes: unknown-conference, forbidden, already-there (somebody inside is in another one of that name),
    bad-request.
    """


class ConferenceTransfer(Packet, kw_only=True, tag="CONFERENCE-TRANSFER"):
    """The owner makes somebody inside the owner.  Answer: CONFERENCE-TRANSFER-OK or -FAILED."""

    id: ConferenceId
    login: Login
    tag: Tag | None = None


class ConferenceTransferOk(Packet, kw_only=True, tag="CONFERENCE-TRANSFER-OK"):
    """They are the owner."""

    id: ConferenceId
    login: Address
    tag: Tag | None = None


class ConferenceTransferFailed(Failed, kw_only=True, tag="CONFERENCE-TRANSFER-FAILED"):
    """Codes: unknown-conference, forbidden, unknown-user, not-inside (they are not), already-there."""


class ConferencePolicy(Packet, kw_only=True, tag="CONFERENCE-POLICY"):
    """The owner says who may come in.  Answer: CONFERENCE-POLICY-OK or -FAILED."""

    id: ConferenceId
    policy: Policy
    tag: Tag | None = None


class ConferencePolicyOk(Packet, kw_only=True, tag="CONFERENCE-POLICY-OK"):
    """So it is."""

    id: ConferenceId
    policy: Policy
    tag: Tag | None = None


class ConferencePolicyFailed(Failed, kw_only=True, tag="CONFERENCE-POLICY-FAILED"):
    """Codes: unknown-conference, forbidden, too-many (of its owner are open)."""


class ConferenceLink(Packet, kw_only=True, tag="CONFERENCE-LINK"):
    """A leg asks for the code of its link; the owner may ask for a new one, which voids the old.  It works while the
    policy is `link` or `open`.  Answer: CONFERENCE-LINK-OK or -FAILED.
    """

    id: ConferenceId
    new: bool = False
    tag: Tag | None = None


class ConferenceLinkOk(Packet, kw_only=True, tag="CONFERENCE-LINK-OK"):
    """The page `/#/join/CODE` of this server takes whoever has an account in."""

    id: ConferenceId
    code: str
    tag: Tag | None = None


class ConferenceLinkFailed(Failed, kw_only=True, tag="CONFERENCE-LINK-FAILED"):
    """Codes: unknown-conference, not-inside, forbidden."""


class ConferenceMute(Packet, kw_only=True, tag="CONFERENCE-MUTE"):
    """The owner switches somebody's microphone or camera off for all, or lets them on.  They are told (row A69).
    Answer: CONFERENCE-MUTE-OK or -FAILED.
    """

    id: ConferenceId
    leg: LegId
    audio: bool | None = None
    """True: off; False: may be switched on; absent: as it is."""
    video: bool | None = None
    tag: Tag | None = None


class ConferenceMuteOk(Packet, kw_only=True, tag="CONFERENCE-MUTE-OK"):
    """Done."""

    id: ConferenceId
    leg: LegId
    tag: Tag | None = None


class ConferenceMuteFailed(Failed, kw_only=True, tag="CONFERENCE-MUTE-FAILED"):
    """Codes: unknown-conference, forbidden, not-inside."""


class ConferenceRemove(Packet, kw_only=True, tag="CONFERENCE-REMOVE"):
    """The owner puts a leg out; its person comes back by invitation only.  Answer: CONFERENCE-REMOVE-OK or -FAILED."""

    id: ConferenceId
    leg: LegId
    tag: Tag | None = None


class ConferenceRemoveOk(Packet, kw_only=True, tag="CONFERENCE-REMOVE-OK"):
    """Out."""

    id: ConferenceId
    leg: LegId
    tag: Tag | None = None


class ConferenceRemoveFailed(Failed, kw_only=True, tag="CONFERENCE-REMOVE-FAILED"):
    """Codes: unknown-conference, forbidden, not-inside, self."""


# -- what a leg says of itself and to the others


class ConferenceLegSet(Packet, kw_only=True, tag="CONFERENCE-LEG-SET"):
    """This device's leg is muted, hidden, sharing, held, asking; what is absent stays.  Answer: -OK or -FAILED.

    A device that comes into another conference with sound or pictures is `held` where it was, until it says otherwise.
    """

    id: ConferenceId
    is_muted: bool | None = None
    is_hidden: bool | None = None
    is_sharing: bool | None = None
    held: bool | None = None
    asks: bool | None = None
    tag: Tag | None = None


class ConferenceLegSetOk(Packet, kw_only=True, tag="CONFERENCE-LEG-SET-OK"):
    """Told to all legs, this one too, by CONFERENCE-LEG, if it is new."""

    id: ConferenceId
    tag: Tag | None = None


class ConferenceLegSetFailed(Failed, kw_only=True, tag="CONFERENCE-LEG-SET-FAILED"):
    """Codes: unknown-conference, not-inside, forbidden (the owner has switched it off)."""


class ConferenceMessageSend(Packet, kw_only=True, tag="CONFERENCE-MESSAGE"):
    """A text for the room of a conference.  Answer: CONFERENCE-MESSAGE-SENT, once stored, or -FAILED."""

    id: ConferenceId
    text: Text
    cookie: Cookie | None = None
    tag: Tag | None = None


class ConferenceMessageSent(Packet, kw_only=True, tag="CONFERENCE-MESSAGE-SENT"):
    """Stored."""

    id: ConferenceId
    seq: int
    at: Instant
    cookie: Cookie | None = None
    tag: Tag | None = None


class ConferenceMessageFailed(Failed, kw_only=True, tag="CONFERENCE-MESSAGE-FAILED"):
    """Codes: unknown-conference, not-inside, storage-full, try-again-later."""

    cookie: Cookie | None = None


class ConferenceMessage(Packet, kw_only=True, tag="CONFERENCE-MESSAGE"):
    """A text of the room, told to every leg but the one that sent it."""

    id: ConferenceId
    seq: int
    from_: Address = field(name="from")
    at: Instant
    text: str


class ConferenceHistoryGet(Packet, kw_only=True, tag="CONFERENCE-HISTORY-GET"):
    """A leg asks for texts of the room: the newest, or those before a seq.  Answer: -OK or -FAILED."""

    id: ConferenceId
    before: int | None = None
    limit: Annotated[int, Meta(ge=1, le=200)] = 50
    tag: Tag | None = None


class ConferenceHistoryGetOk(Packet, kw_only=True, tag="CONFERENCE-HISTORY-GET-OK"):
    """A page, oldest first."""

    id: ConferenceId
    messages: list[RoomMessage]
    more: bool = False
    tag: Tag | None = None


class ConferenceHistoryGetFailed(Failed, kw_only=True, tag="CONFERENCE-HISTORY-GET-FAILED"):
    """Codes: unknown-conference, not-inside."""


# -- events for legs


class ConferenceJoined(Packet, kw_only=True, tag="CONFERENCE-JOINED"):
    """A leg is new, or begins anew with the epoch it has here, and keeps its place in the list (row A44)."""

    id: ConferenceId
    leg: Leg


class ConferenceLeft(Packet, kw_only=True, tag="CONFERENCE-LEFT"):
    """A leg is gone; told to the others, and to the leg itself when it did not ask for it.

    Codes: logged-out (left), offline (its link broke and it did not come back), removed, revoked, disabled,
    account-deleted, replaced (by another device of its person, with one_leg_per_user).
    """

    id: ConferenceId
    leg: LegId
    code: ErrorCode
    reason: str = ""


class ConferenceLegChanged(Packet, kw_only=True, tag="CONFERENCE-LEG"):
    """A leg as it stands now, with the epoch it had."""

    id: ConferenceId
    leg: Leg


class ConferenceChanged(Packet, kw_only=True, tag="CONFERENCE-CHANGED"):
    """A patch: the fields that are there are new."""

    id: ConferenceId
    name: str | None = None
    owner: Address | None = None
    acting_owner: Address | None = None
    """Empty: the owner is back."""
    policy: Policy | None = None
    calls: list[Call] | None = None
    """All of them."""
    by: Address = ""
    """Who did it."""


class ConferenceEnded(Packet, kw_only=True, tag="CONFERENCE-ENDED"):
    """It is over; told to its legs (row A70).

    Codes: ended (by its owner), owner-left, empty, account-deleted.
    """

    id: ConferenceId
    name: str
    code: ErrorCode
    reason: str = ""
    by: Address = ""


# -- events for those outside


class ConferenceSeen(Packet, kw_only=True, tag="CONFERENCE-SEEN"):
    """What I may see of it now, whole.  Told to all devices of mine, inside or outside."""

    conference: ConferenceView


class ConferenceUnseen(Packet, kw_only=True, tag="CONFERENCE-UNSEEN"):
    """There is nothing of it any more that I may see."""

    id: ConferenceId


# -- calling (document 004)


class CallStatus(StrEnum):
    """Document 004's status, and what came of it for one who was called."""

    INITIATE = "initiate"
    """It rings."""
    ACCEPTED = "accepted"
    ABORT = "abort"
    """Declined by who was called; given up by who called."""
    OCCUPIED = "occupied"
    REINVITE = "reinvite"
    MISSED = "missed"
    """Nobody answered in time.  Said by the server alone."""

    @classmethod
    def _missing_(cls, value: object) -> CallStatus | None:
        """`reinvitation`, as other programs spell it, is read too (row V35)."""
        return cls.REINVITE if value == "reinvitation" else None


class CallPacket(Packet, kw_only=True, tag="CALL"):
    """Calls people, or answers.  Answer: CALL-OK or CALL-FAILED; after `accepted`, CONFERENCE-JOIN-OK or CALL-FAILED.

    initiate  `users` are called: into conference `id`, where this device is, or, without it, into a new one named after
              the people, by invitation, in which this device is the first leg (CONFERENCE-JOIN-OK comes first);
              if the only one of them is calling me alone, this device takes that call, and CALL-OK says `accepted`
    reinvite  `users`, who were inside or called, are called again; any leg may (row V29); `reinvitation` is read too
    accepted  this device takes the call and is a leg of `id`
    abort     I decline; or, with `users`, I stop calling them; or, without, I called and stop calling anybody
    occupied  I am in another call; sent by the device by itself (row V32)
    """

    status: CallStatus
    id: ConferenceId | None = None
    users: Annotated[list[Login], Meta(max_length=MAX_CALLED)] = []  # noqa: RUF012 - msgspec gives each its own
    media: MediaKind = MediaKind.VIDEO
    message: Annotated[str, Meta(max_length=500)] = ""
    tag: Tag | None = None


class CallOk(Packet, kw_only=True, tag="CALL-OK"):
    """Done; for `initiate` and `reinvite`: it rings."""

    id: ConferenceId
    status: CallStatus
    tag: Tag | None = None


class CallFailed(Failed, kw_only=True, tag="CALL-FAILED"):
    """Codes: unknown-conference, unknown-request (no call of mine waits there), unknown-user, self, not-friends,
    forbidden, already-there (inside, or called already), not-inside, too-many, try-again-later, bad-request.
    """


class Called(Packet, kw_only=True, tag="CALL"):
    """A step of a call, told to every device of those whom it concerns: the called, who called, and the legs.

    initiate, reinvite: to the called (`users` are all who are called, the one who is told among them), to be confirmed
    by the person before a camera is touched; accepted, abort, occupied, missed: `from` said so, or was not there.
    A call that waits at one's devices is over by `accepted`, `abort`, `occupied` from oneself, `abort` from who called,
    or `missed`.  A device that logs in while it rings is told too.
    """

    id: ConferenceId
    status: CallStatus
    from_: Address = field(name="from")
    initiator: Address
    users: list[Address] = []  # noqa: RUF012 - msgspec gives each packet its own
    name: str = ""
    """Of the conference."""
    at: Instant
    media: MediaKind = MediaKind.VIDEO
    message: str = ""


class CallOutcome(StrEnum):
    """What came of a call, as the conversation of the two keeps it."""

    ANSWERED = "answered"
    DECLINED = "declined"
    OCCUPIED = "occupied"
    MISSED = "missed"


class CallEntry(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """In a message without text: its author called its reader."""

    outcome: CallOutcome
    conference: ConferenceId = ""
    duration_s: int = 0
    """From the answer to the end of the conference; 0 until then."""


# -- between two legs


class SignalKind(StrEnum):
    """What two legs say to each other to connect (W3C WebRTC 1.0)."""

    OFFER = "offer"
    ANSWER = "answer"
    CANDIDATE = "candidate"
    BYE = "bye"
    """This leg gives the connection up; the other shows it as failed, and may try again."""


class Signal(Packet, kw_only=True, tag="SIGNAL"):
    """From this device's leg to another leg of the same conference.  No answer unless it fails."""

    id: ConferenceId
    to: LegId
    epoch: Epoch
    """Of the pair."""
    kind: SignalKind
    sdp: Annotated[str, Meta(max_length=MAX_SDP)] = ""
    candidate: Annotated[str, Meta(max_length=1024, description="as RTCIceCandidate; empty: there are no more")] = ""
    mid: Annotated[str, Meta(max_length=64)] = ""
    mline: Annotated[int, Meta(ge=0, le=255)] = 0
    identity: Annotated[str, Meta(max_length=MAX_IDENTITY)] = ""
    """Of a device that has an identity, with an offer or an answer: the certificates of the device and its account,
    DER in Base64, with a comma between."""
    signature: Annotated[str, Meta(max_length=MAX_SIGNATURE)] = ""
    """By the device's key, in Base64, over whose description it is and the DTLS fingerprints in it: RSASSA-PKCS1-v1_5
    with SHA-512 of the JSON array `["veche call 1", id, from, to, epoch, [fingerprints]]` (media/identity.py)."""
    tag: Tag | None = None


class SignalFailed(Failed, kw_only=True, tag="SIGNAL-FAILED"):
    """Codes: unknown-conference, not-inside (I am not, or they are not)."""


class Signalled(Packet, kw_only=True, tag="SIGNAL"):
    """From another leg of a conference to this device's leg."""

    id: ConferenceId
    from_: LegId = field(name="from")
    epoch: Epoch
    kind: SignalKind
    sdp: str = ""
    candidate: str = ""
    mid: str = ""
    mline: int = 0
    identity: str = ""
    signature: str = ""


class IceServersGet(Packet, kw_only=True, tag="ICE-SERVERS-GET"):
    """Asks for STUN and TURN servers with credentials for this session, as CONFERENCE-JOIN-OK has them."""

    tag: Tag | None = None


class IceServersGetOk(Packet, kw_only=True, tag="ICE-SERVERS-GET-OK"):
    """They work until `expires_at`."""

    ice_servers: list[IceServer]
    expires_at: Instant | None = None
    tag: Tag | None = None
