"""What crosses a wire.  The Structs of this folder are the only source: schema, TypeScript, the protocol page and its
examples are generated from them.

`ClientPacket` is all that a client may send, `ServerPacket` all that a server may send; the same name may stand in both
with its own shape for each direction (MESSAGE, HELLO, TYPING-STARTED ...).
"""

from __future__ import annotations

from . import (
    account,
    admin,
    blocking,
    broadcast,
    classic,
    conference,
    contacts,
    files,
    link,
    message,
    presence,
    private,
    profile,
)
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
    | contacts.ContactsGet
    | contacts.ContactsAdd
    | contacts.ContactsChange
    | contacts.ContactsUpdate
    | contacts.ContactsDelete
    | contacts.FriendRequest
    | contacts.FriendAnswer
    | contacts.FriendIgnore
    | contacts.FriendCancel
    | contacts.FriendRemove
    | presence.PresenceSet
    | presence.WhoElse
    | presence.WhoElseSince
    | profile.ProfileUpdate
    | profile.ProfileGet
    | broadcast.BroadcastSend
    | files.FileUpload
    | files.FileDownload
    | files.SendFileProxy
    | files.SendFileProxyAccept
    | files.SendFileProxyReject
    | files.SendFileProxyCancel
    | private.PrivateStart
    | private.PrivateAnswer
    | private.PrivateStop
    | conference.ConferenceCreate
    | conference.ConferenceJoin
    | conference.ConferenceLeave
    | conference.ConferenceGet
    | conference.ConferenceList
    | conference.ConferenceDelete
    | conference.ConferenceRename
    | conference.ConferenceTransfer
    | conference.ConferencePolicy
    | conference.ConferenceLink
    | conference.ConferenceMute
    | conference.ConferenceRemove
    | conference.ConferenceLegSet
    | conference.ConferenceMessageSend
    | conference.ConferenceHistoryGet
    | conference.CallPacket
    | conference.Signal
    | conference.IceServersGet
    | admin.AdminAccountsGet
    | admin.AdminAccountChange
    | admin.AdminAccountReset
    | admin.AdminInvitesGet
    | admin.InviteCreate
    | admin.InviteRevoke
    | admin.AdminServerGet
    | admin.AdminRegistrationSet
    | admin.AdminAnnounce
    | classic.ClassicStart
    | classic.Input
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
    | contacts.ContactUpdated
    | contacts.ContactsGetResponse
    | contacts.ContactsAddOk
    | contacts.ContactsAddFailed
    | contacts.ContactsChangeOk
    | contacts.ContactsChangeFailed
    | contacts.ContactsDeleteOk
    | contacts.ContactsDeleteFailed
    | contacts.FriendRequested
    | contacts.FriendRequestOk
    | contacts.FriendRequestFailed
    | contacts.FriendAnswerOk
    | contacts.FriendAnswerFailed
    | contacts.FriendIgnoreOk
    | contacts.FriendIgnoreFailed
    | contacts.FriendCancelOk
    | contacts.FriendCancelFailed
    | contacts.FriendRemoveOk
    | contacts.FriendRemoveFailed
    | presence.UpdateLastSeen
    | presence.WhoElseOk
    | presence.WhoElseSinceOk
    | presence.WhoElseSinceFailed
    | profile.ProfileUpdateOk
    | profile.ProfileUpdateFailed
    | profile.ProfileGetOk
    | profile.ProfileGetFailed
    | broadcast.Broadcast
    | broadcast.BroadcastOk
    | broadcast.BroadcastFailed
    | files.FileUploadOk
    | files.FileUploadFailed
    | files.FileDownloadOk
    | files.FileDownloadFailed
    | files.SendFileProxyAsked
    | files.SendFileProxyFailed
    | files.SendFileProxyRequest
    | files.SendFileProxyAcceptOk
    | files.SendFileProxyAcceptFailed
    | files.SendFileProxyRejectOk
    | files.SendFileProxyRejectFailed
    | files.SendFileProxyCancelOk
    | files.SendFileProxyCancelFailed
    | files.SendFileProxyOk
    | files.SendFileProxyRejected
    | files.SendFileProxyReady
    | files.SendFileProxyCompleted
    | files.SendFileProxyCancelled
    | private.PrivateRequest
    | private.PrivateStartOk
    | private.PrivateStartFailed
    | private.PrivateAnswerOk
    | private.PrivateAnswerFailed
    | private.PrivateAnswered
    | private.PrivateStopOk
    | private.PrivateStopFailed
    | private.PrivateStopped
    | conference.ConferenceCreateFailed
    | conference.ConferenceJoinOk
    | conference.ConferenceJoinFailed
    | conference.ConferenceLeaveOk
    | conference.ConferenceLeaveFailed
    | conference.ConferenceGetOk
    | conference.ConferenceGetFailed
    | conference.ConferenceListOk
    | conference.ConferenceDeleteOk
    | conference.ConferenceDeleteFailed
    | conference.ConferenceRenameOk
    | conference.ConferenceRenameFailed
    | conference.ConferenceTransferOk
    | conference.ConferenceTransferFailed
    | conference.ConferencePolicyOk
    | conference.ConferencePolicyFailed
    | conference.ConferenceLinkOk
    | conference.ConferenceLinkFailed
    | conference.ConferenceMuteOk
    | conference.ConferenceMuteFailed
    | conference.ConferenceRemoveOk
    | conference.ConferenceRemoveFailed
    | conference.ConferenceLegSetOk
    | conference.ConferenceLegSetFailed
    | conference.ConferenceMessageSent
    | conference.ConferenceMessageFailed
    | conference.ConferenceMessage
    | conference.ConferenceHistoryGetOk
    | conference.ConferenceHistoryGetFailed
    | conference.ConferenceJoined
    | conference.ConferenceLeft
    | conference.ConferenceLegChanged
    | conference.ConferenceChanged
    | conference.ConferenceEnded
    | conference.ConferenceSeen
    | conference.ConferenceUnseen
    | conference.CallOk
    | conference.CallFailed
    | conference.Called
    | conference.SignalFailed
    | conference.Signalled
    | conference.IceServersGetOk
    | admin.AdminAccountsGetOk
    | admin.AdminAccountsGetFailed
    | admin.AdminAccountChangeOk
    | admin.AdminAccountChangeFailed
    | admin.AdminAccountResetOk
    | admin.AdminAccountResetFailed
    | admin.AdminInvitesGetOk
    | admin.AdminInvitesGetFailed
    | admin.InviteCreateOk
    | admin.InviteCreateFailed
    | admin.InviteRevokeOk
    | admin.InviteRevokeFailed
    | admin.AdminServerGetOk
    | admin.AdminServerGetFailed
    | admin.AdminRegistrationSetOk
    | admin.AdminRegistrationSetFailed
    | admin.AdminAnnounceOk
    | admin.AdminAnnounceFailed
    | admin.Announced
    | classic.Response
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
    "CONTACTS-ADD": contacts.ContactsAddFailed,
    "CONTACTS-CHANGE": contacts.ContactsChangeFailed,
    "CONTACTS-UPDATE": contacts.ContactsChangeFailed,
    "CONTACTS-DELETE": contacts.ContactsDeleteFailed,
    "FRIEND-REQUEST": contacts.FriendRequestFailed,
    "FRIEND-ANSWER": contacts.FriendAnswerFailed,
    "FRIEND-IGNORE": contacts.FriendIgnoreFailed,
    "FRIEND-CANCEL": contacts.FriendCancelFailed,
    "FRIEND-REMOVE": contacts.FriendRemoveFailed,
    "WHOELSESINCE": presence.WhoElseSinceFailed,
    "PROFILE-UPDATE": profile.ProfileUpdateFailed,
    "PROFILE-GET": profile.ProfileGetFailed,
    "BROADCAST": broadcast.BroadcastFailed,
    "FILE-UPLOAD": files.FileUploadFailed,
    "FILE-DOWNLOAD": files.FileDownloadFailed,
    "SEND-FILE-PROXY": files.SendFileProxyFailed,
    "SEND-FILE-PROXY-ACCEPT": files.SendFileProxyAcceptFailed,
    "SEND-FILE-PROXY-REJECT": files.SendFileProxyRejectFailed,
    "SEND-FILE-PROXY-CANCEL": files.SendFileProxyCancelFailed,
    "PRIVATE-START": private.PrivateStartFailed,
    "PRIVATE-ANSWER": private.PrivateAnswerFailed,
    "PRIVATE-STOP": private.PrivateStopFailed,
    "CONFERENCE-CREATE": conference.ConferenceCreateFailed,
    "CONFERENCE-JOIN": conference.ConferenceJoinFailed,
    "CONFERENCE-LEAVE": conference.ConferenceLeaveFailed,
    "CONFERENCE-GET": conference.ConferenceGetFailed,
    "CONFERENCE-DELETE": conference.ConferenceDeleteFailed,
    "CONFERENCE-RENAME": conference.ConferenceRenameFailed,
    "CONFERENCE-TRANSFER": conference.ConferenceTransferFailed,
    "CONFERENCE-POLICY": conference.ConferencePolicyFailed,
    "CONFERENCE-LINK": conference.ConferenceLinkFailed,
    "CONFERENCE-MUTE": conference.ConferenceMuteFailed,
    "CONFERENCE-REMOVE": conference.ConferenceRemoveFailed,
    "CONFERENCE-LEG-SET": conference.ConferenceLegSetFailed,
    "CONFERENCE-MESSAGE": conference.ConferenceMessageFailed,
    "CONFERENCE-HISTORY-GET": conference.ConferenceHistoryGetFailed,
    "CALL": conference.CallFailed,
    "SIGNAL": conference.SignalFailed,
    "ADMIN-ACCOUNTS-GET": admin.AdminAccountsGetFailed,
    "ADMIN-ACCOUNT-CHANGE": admin.AdminAccountChangeFailed,
    "ADMIN-ACCOUNT-RESET": admin.AdminAccountResetFailed,
    "ADMIN-INVITES-GET": admin.AdminInvitesGetFailed,
    "INVITE-CREATE": admin.InviteCreateFailed,
    "INVITE-REVOKE": admin.InviteRevokeFailed,
    "ADMIN-SERVER-GET": admin.AdminServerGetFailed,
    "ADMIN-REGISTRATION-SET": admin.AdminRegistrationSetFailed,
    "ADMIN-ANNOUNCE": admin.AdminAnnounceFailed,
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
    "admin",
    "blocking",
    "broadcast",
    "classic",
    "conference",
    "contacts",
    "files",
    "link",
    "message",
    "packet_types",
    "presence",
    "private",
    "profile",
    "type_name",
]
