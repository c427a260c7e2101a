"""One example or more of every packet: they stand in protocol/examples.jsonl and in docs/protocol.md."""

from __future__ import annotations

from veche.packets import ErrorCode, Packet, account, blocking, link, message

ALICE, BOB = "alice@example.org", "bob@example.org"
NOON = "2026-11-21T12:00:00.000Z"
RESUME = "vr_example-of-a-resumption-token"
BOT_TOKEN = "vt_example-of-an-access-token"
SESSION = account.SessionEntry(
    device="laptop", client="veche/0.1.0", created_at=NOON, seen_at=NOON, online=True, current=True
)
TOKEN = account.TokenEntry(id=3, name="weather bot", created_at=NOON)
HELLO_BOB = message.HistoryMessage(
    id=41, seq=1, from_=ALICE, at=NOON, text="Hello, Bob!", reactions=[message.Reaction(by=BOB, emoji="👍")]
)
LIMITS = link.Limits(line_bytes=65_536, text_chars=16_384, history_page=200, unacknowledged=1000)

CLIENT_EXAMPLES: list[Packet] = [
    link.ClientHello(versions=[1], client="veche/0.1.0"),
    link.Ping(tag="1"),
    link.Pong(),
    link.Goodbye(),
    account.Register(login="alice", password="correct horse battery staple", code="K7QF-2MZD-81XW"),
    account.Connect(
        login="user", message="n,,n=user,r=rOprNGfwEbeRWgbNEkqO", device="laptop", client="veche/0.1.0", tag="2"
    ),
    account.Connect(mechanism="TOKEN", token=BOT_TOKEN, device="weather"),
    account.Connect(mechanism="RESUME", token=RESUME, cursor=41),
    account.ConnectContinue(hash="dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=", tag="2"),
    account.PasswordChange(old_password="correct horse battery staple", password="sixteen brass tuning forks"),
    account.TokenCreate(name="weather bot"),
    account.TokenList(),
    account.TokenRevoke(id=3),
    account.SessionsGet(),
    account.SessionsRevoke(device="phone"),
    account.AccountDelete(password="correct horse battery staple"),
    account.AccountExport(after=41),
    message.MessageSend(to="bob", text="Hello, Bob!", cookie="t7-1"),
    message.MessageSend(to=BOB, text='Two lines,\nand "quotes".', cookie="t7-2", reply_to=41, tag="3"),
    message.MessageDeliveredUpTo(id=41),
    message.MessageReadUpTo(id=41),
    message.Edit(id=41, text="Hello, Bob! How are you?", cookie="t7-3"),
    message.Retract(id=41, cookie="t7-4"),
    message.React(id=41, emoji="👍"),
    message.React(id=41, emoji="👍", remove=True),
    message.TypingStartedTo(to="bob"),
    message.TypingEndTo(to="bob"),
    message.HistoryGet(peer="bob", before=41, limit=20),
    message.Search(peer="bob", query="how are"),
    blocking.Block(login="mallory"),
    blocking.Unblock(login="mallory"),
]

SERVER_EXAMPLES: list[Packet] = [
    link.ServerHello(
        version=1,
        server="example.org",
        software="veche/0.1.0",
        federated=False,
        registration="invite",
        registration_text="Registration needs an invite code: ask the administrator of this server for one.",
        mechanisms=["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "TOKEN", "RESUME"],
        features=["accounts", "tokens", "sessions", "messages", "typing", "history", "search", "blocking"],
        layer=3,
        limits=LIMITS,
    ),
    link.Ping(),
    link.Pong(tag="1"),
    link.Goodbye(),
    link.Goodbye(code=ErrorCode.SHUTTING_DOWN, reason="The server is stopping.", retry_after_s=5.0),
    link.Error(code=ErrorCode.BAD_PACKET, reason="The line is not JSON."),
    link.ErrorNotImplemented(request_type="SEND-FILE", tag="4"),
    account.RegisterOk(login=ALICE),
    account.RegisterFailed(code=ErrorCode.LOGIN_TAKEN, reason="This name is taken."),
    account.ConnectAck(
        salt="W22ZaJ0SNY7soEsUEjb6gQ==",
        iterations=4096,
        nonce="rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
        tag="2",
    ),
    account.ConnectOk(
        login="user@example.org",
        device="laptop",
        signature="6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
        resume=RESUME,
        tag="2",
    ),
    account.ConnectFailed(code=ErrorCode.WRONG_CREDENTIALS, reason="Wrong login or password.", tag="2"),
    account.ConnectFailed(code=ErrorCode.LOCKED, reason="Too many failures. Try again later.", retry_after_s=59.5),
    account.PasswordChangeOk(resume=RESUME),
    account.PasswordChangeFailed(code=ErrorCode.WRONG_CREDENTIALS, reason="Wrong login or password."),
    account.TokenCreateOk(id=3, token=BOT_TOKEN),
    account.TokenCreateFailed(
        code=ErrorCode.TRY_AGAIN_LATER, reason="The server is busy. Try again later.", retry_after_s=2.0
    ),
    account.TokenListOk(tokens=[TOKEN]),
    account.TokenRevokeOk(id=3),
    account.TokenRevokeFailed(code=ErrorCode.UNKNOWN_ID, reason="There is none of that id."),
    account.SessionsGetOk(sessions=[SESSION]),
    account.SessionsRevokeOk(device="phone"),
    account.SessionsRevokeFailed(code=ErrorCode.UNKNOWN_ID, reason="There is none of that id."),
    account.AccountDeleteOk(),
    account.AccountDeleteFailed(code=ErrorCode.WRONG_CREDENTIALS, reason="Wrong login or password."),
    account.AccountExportOk(
        login=ALICE,
        created_at=NOON,
        sessions=[SESSION],
        tokens=[TOKEN],
        blocked=["mallory@example.org"],
        messages=[account.ExportedMessage(id=41, peer=BOB, author=ALICE, at=NOON, text="Hello, Bob!")],
        next=41,
    ),
    account.AccountExportFailed(
        code=ErrorCode.TRY_AGAIN_LATER, reason="The server is busy. Try again later.", retry_after_s=2.0
    ),
    message.Message(id=41, seq=1, from_=ALICE, to=BOB, at=NOON, text="Hello, Bob!"),
    message.Message(
        id=42, seq=2, from_=BOB, to=ALICE, at=NOON, text='Two lines,\nand "quotes".', reply_to=41, edited=True
    ),
    message.MessageSent(id=41, seq=1, at=NOON, cookie="t7-1"),
    message.MessageSendFailed(code=ErrorCode.UNKNOWN_USER, reason="There is no such user.", cookie="t7-1"),
    message.MessageDelivered(id=41, peer=ALICE, by=BOB),
    message.MessageRead(id=41, peer=ALICE, by=BOB),
    message.MessageReadFailed(code=ErrorCode.UNKNOWN_MESSAGE, reason="There is no such message."),
    message.EditOk(id=43, cookie="t7-3"),
    message.EditFailed(code=ErrorCode.FORBIDDEN, reason="This is not yours to change."),
    message.Edited(id=43, seq=3, from_=ALICE, to=BOB, at=NOON, target=41, text="Hello, Bob! How are you?"),
    message.RetractOk(id=44, cookie="t7-4"),
    message.RetractFailed(code=ErrorCode.FORBIDDEN, reason="This is not yours to change."),
    message.Retracted(id=44, seq=4, from_=ALICE, to=BOB, at=NOON, target=41),
    message.ReactOk(id=45),
    message.ReactFailed(code=ErrorCode.UNKNOWN_MESSAGE, reason="There is no such message."),
    message.Reacted(id=45, seq=5, from_=BOB, to=ALICE, at=NOON, target=41, emoji="👍"),
    message.TypingStarted(from_=BOB),
    message.TypingEnd(from_=BOB),
    message.Snapshot(
        conversations=[
            message.ConversationState(peer=BOB, last_id=42, unread=1, read_id=41, peer_read_id=41, peer_delivered_id=41)
        ],
        blocked=["mallory@example.org"],
        upto=42,
    ),
    message.ReplayEnd(upto=42),
    message.HistoryGetOk(peer=BOB, messages=[HELLO_BOB], more=True),
    message.HistoryGetFailed(code=ErrorCode.UNKNOWN_USER, reason="There is no such user."),
    message.SearchOk(peer=BOB, messages=[HELLO_BOB]),
    message.SearchFailed(code=ErrorCode.UNKNOWN_USER, reason="There is no such user."),
    blocking.BlockOk(login="mallory@example.org"),
    blocking.BlockFailed(code=ErrorCode.SELF, reason="You cannot do this to yourself."),
    blocking.UnblockOk(login="mallory@example.org"),
    blocking.UnblockFailed(code=ErrorCode.UNKNOWN_ID, reason="There is none of that id."),
]
