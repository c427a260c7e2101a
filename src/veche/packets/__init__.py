"""What crosses a wire.  The Structs of this folder are the only source: schema, TypeScript, the protocol page and its
examples are generated from them.

`ClientPacket` is all that a client may send, `ServerPacket` all that a server may send; the same name may stand in both
with its own shape for each direction (MESSAGE, HELLO, TYPING-STARTED ...).
"""

from __future__ import annotations

from . import account, blocking, link, message
from .base import (
    ERROR_TEXT,
    MAX_LINE_BYTES,
    MAX_TEXT,
    ErrorCode,
    Failed,
    Packet,
)

ClientPacket = (
    link.ClientHello
    | link.Ping
    | link.Pong
    | link.Goodbye
    | account.Register
    | account.Connect
    | account.ConnectContinue
    | account.PasswordChange
    | account.TokenCreate
    | account.TokenList
    | account.TokenRevoke
    | account.SessionsGet
    | account.SessionsRevoke
    | account.AccountDelete
    | account.AccountExport
    | message.MessageSend
    | message.MessageDeliveredUpTo
    | message.MessageReadUpTo
    | message.Edit
    | message.Retract
    | message.React
    | message.TypingStartedTo
    | message.TypingEndTo
    | message.HistoryGet
    | message.Search
    | blocking.Block
    | blocking.Unblock
)

ServerPacket = (
    link.ServerHello
    | link.Ping
    | link.Pong
    | link.Goodbye
    | link.Error
    | link.ErrorNotImplemented
    | account.RegisterOk
    | account.RegisterFailed
    | account.ConnectAck
    | account.ConnectOk
    | account.ConnectFailed
    | account.PasswordChangeOk
    | account.PasswordChangeFailed
    | account.TokenCreateOk
    | account.TokenCreateFailed
    | account.TokenListOk
    | account.TokenRevokeOk
    | account.TokenRevokeFailed
    | account.SessionsGetOk
    | account.SessionsRevokeOk
    | account.SessionsRevokeFailed
    | account.AccountDeleteOk
    | account.AccountDeleteFailed
    | account.AccountExportOk
    | account.AccountExportFailed
    | message.Message
    | message.MessageSent
    | message.MessageSendFailed
    | message.MessageDelivered
    | message.MessageRead
    | message.MessageReadFailed
    | message.EditOk
    | message.EditFailed
    | message.Edited
    | message.RetractOk
    | message.RetractFailed
    | message.Retracted
    | message.ReactOk
    | message.ReactFailed
    | message.Reacted
    | message.TypingStarted
    | message.TypingEnd
    | message.Snapshot
    | message.ReplayEnd
    | message.HistoryGetOk
    | message.HistoryGetFailed
    | message.SearchOk
    | message.SearchFailed
    | blocking.BlockOk
    | blocking.BlockFailed
    | blocking.UnblockOk
    | blocking.UnblockFailed
)

FAILED_BY_REQUEST: dict[str, type[Failed]] = {
    "REGISTER": account.RegisterFailed,
    "CONNECT": account.ConnectFailed,
    "CONNECT-CONTINUE": account.ConnectFailed,
    "PASSWORD-CHANGE": account.PasswordChangeFailed,
    "TOKEN-CREATE": account.TokenCreateFailed,
    "TOKEN-REVOKE": account.TokenRevokeFailed,
    "SESSIONS-REVOKE": account.SessionsRevokeFailed,
    "ACCOUNT-DELETE": account.AccountDeleteFailed,
    "ACCOUNT-EXPORT": account.AccountExportFailed,
    "MESSAGE": message.MessageSendFailed,
    "MESSAGE-READ": message.MessageReadFailed,
    "EDIT": message.EditFailed,
    "RETRACT": message.RetractFailed,
    "REACT": message.ReactFailed,
    "HISTORY-GET": message.HistoryGetFailed,
    "SEARCH": message.SearchFailed,
    "BLOCK": blocking.BlockFailed,
    "UNBLOCK": blocking.UnblockFailed,
}
"""The refusal of each request type.  A request without one of its own is refused by ERROR."""


def packet_types(union: object) -> tuple[type[Packet], ...]:
    """The Structs of `ClientPacket` or `ServerPacket`, in the order of their definition."""
    return union.__args__  # type: ignore[attr-defined, no-any-return]


def type_name(packet: Packet | type[Packet]) -> str:
    """The packet's name on the wire, such as `MESSAGE-SENT`."""
    cls = packet if isinstance(packet, type) else type(packet)
    return str(cls.__struct_config__.tag)


__all__ = [
    "ERROR_TEXT",
    "FAILED_BY_REQUEST",
    "MAX_LINE_BYTES",
    "MAX_TEXT",
    "ClientPacket",
    "ErrorCode",
    "Failed",
    "Packet",
    "ServerPacket",
    "account",
    "blocking",
    "link",
    "message",
    "packet_types",
    "type_name",
]
