// What crosses a wire, one JSON object a line (docs/protocol.md).
// Written by tools/typescript.py from src/veche/packets; do not edit.  python3 dev.py protocol

/** Longest line a client may send, in bytes, its end included. */
export const MAX_LINE_BYTES = 65536;
/** Longest text of one message, in code points. */
export const MAX_TEXT = 16384;

/** Why something was refused.  Each says what the other side can do about it (RFC 6120 §8.3.2 types). */
export type ErrorCode =
  /** The line is no packet.  Fix the sender; the link lives until a budget of such lines is spent. */
  | "bad-packet"
  /** A packet of a known type lacks a field or holds a wrong value.  Fix the request. */
  | "bad-request"
  /** The line is longer than HELLO allows.  Send less; the link is closed. */
  | "too-large"
  /** Plain text is spoken on loopback only.  Connect with TLS. */
  | "tls-required"
  /** This request needs CONNECT first. */
  | "not-logged-in"
  /** This link has an account already.  Open another link for another account. */
  | "already-logged-in"
  /** Login or password (or token) is wrong; which of them is never said. */
  | "wrong-credentials"
  /** Too many failures.  Wait `retry_after_s`. */
  | "locked"
  /** Accounts are made by the administrator.  Ask them. */
  | "registration-closed"
  /** The invite or set-up code is unknown, used up or expired.  Ask for another. */
  | "bad-invite"
  /** The login has a character that names may not have.  Choose another. */
  | "bad-login"
  /** An account of that name exists.  Choose another. */
  | "login-taken"
  /** HELLO lists the ways to log in. */
  | "unknown-mechanism"
  /** There is no such account here. */
  | "unknown-user"
  /** This request makes no sense towards oneself. */
  | "self"
  /** There is no such message that you may see. */
  | "unknown-message"
  /** It exists, but it is not yours to change. */
  | "forbidden"
  /** The server would be left without an administrator.  Make somebody else one first. */
  | "last-admin"
  /** There is no such device, token or invite of yours. */
  | "unknown-id"
  /** There is no such request, or no longer: it was answered or taken back. */
  | "unknown-request"
  /** It is so already.  Nothing changed. */
  | "already-there"
  /** This is between friends only.  Ask them first. */
  | "not-friends"
  /** They are not there now.  Try again when they are. */
  | "offline"
  /** They have blocked you.  Only the classic profile says so. */
  | "blocked"
  /** There are as many as may be.  Remove one first. */
  | "too-many"
  /** This server knows the feature and does not have it. */
  | "not-implemented"
  /** Busy, or a part of the server is away.  Wait `retry_after_s` and repeat with the same cookie. */
  | "try-again-later"
  /** What arrived is not what was announced; nothing of it was kept.  Send it again from the start. */
  | "wrong-hash"
  /** The server cannot store.  Nothing was stored; the administrator must make room. */
  | "storage-full"
  /** A fault of the server, logged there.  Repeat later with the same cookie. */
  | "internal-error"
  /** The same device connected again; this older link is closed. */
  | "replaced"
  /** The session was revoked from another device.  Log in with the password. */
  | "revoked"
  /** The account is disabled.  Ask the administrator; only they can let it in again. */
  | "disabled"
  /** The account is gone. */
  | "account-deleted"
  /** The client did not read what it was sent.  Reconnect; nothing is lost. */
  | "slow-consumer"
  /** Nothing came, not even PONG.  Reconnect. */
  | "idle"
  /** No command came for so long that this server logs out (classic profile).  Log in again. */
  | "inactive"
  /** They did not answer in time. */
  | "no-answer"
  /** The two devices cannot reach each other.  Write through the server, or be on one network. */
  | "no-direct-path"
  /** Who asked no longer asks. */
  | "withdrawn"
  /** Another device of yours has answered. */
  | "answered"
  /** There is no such conference, or none that you may see. */
  | "unknown-conference"
  /** This is between those who are in the conference.  Join it first. */
  | "not-inside"
  /** Several are meant by this.  Choose one by its id. */
  | "ambiguous"
  /** The conference is too large for more audio or video from leg to leg.  Take part with less, or start another. */
  | "mesh-full"
  /** The owner put you out.  Only an invitation lets you in again. */
  | "removed"
  /** Its owner ended it for all. */
  | "ended"
  /** Its owner left, and that ended it. */
  | "owner-left"
  /** Nobody was left in it. */
  | "empty"
  /** The budget of bad lines is spent.  Fix the sender. */
  | "too-many-errors"
  /** The server stops.  Reconnect after `retry_after_s`. */
  | "shutting-down"
  /** You asked for it. */
  | "logged-out";

/** Whether somebody is there: the union of their devices. */
export type Status =
  | "online"
  /** Connected, and none of the devices was used for a while. */
  | "away"
  | "offline"
  /** Not told to me. */
  | "unknown";

/** What I and somebody are to each other, as I see it. */
export type Relation =
  | "none"
  /** I have asked, and have no yes. */
  | "outgoing"
  /** They have asked, and wait for my answer. */
  | "incoming"
  | "mutual"
  /** I have blocked them; what else there is between us is hidden by it. */
  | "blocked";

/** What a leg takes part with, each including the ones before it. */
export type MediaKind =
  | "text"
  | "audio"
  | "video";

/** Document 004's status, and what came of it for one who was called. */
export type CallStatus =
  /** It rings. */
  | "initiate"
  | "accepted"
  /** Declined by who was called; given up by who called. */
  | "abort"
  | "occupied"
  | "reinvite"
  /** Nobody answered in time.  Said by the server alone. */
  | "missed";

/** Who may come in by themselves.  Whoever was invited may, whatever the policy; so may the owner. */
export type Policy =
  /** Friends of somebody who is inside. */
  | "friends"
  /** The invited only. */
  | "invite"
  /** Whoever has the link (CONFERENCE-LINK); friends of who is inside see it, and may not. */
  | "link"
  /** Everybody of this server. */
  | "open";

/** How media travels. */
export type Topology =
  /** From each leg to each other. */
  | "mesh";

/** What came of a call, as the conversation of the two keeps it. */
export type CallOutcome =
  | "answered"
  | "declined"
  | "occupied"
  | "missed";

/** What two legs say to each other to connect (W3C WebRTC 1.0). */
export type SignalKind =
  | "offer"
  | "answer"
  | "candidate"
  /** This leg gives the connection up; the other shows it as failed, and may try again. */
  | "bye";

/** Who may make an account over the wire. */
export type Registration =
  | "open"
  | "invite"
  | "closed";

/** The English text of each code. */
export const ERROR_TEXT: Record<ErrorCode, string> = {
  "bad-packet": "This line is not a packet.",
  "bad-request": "The request is not well formed.",
  "too-large": "The line is too long.",
  "tls-required": "Plain text is accepted from this machine only. Connect with TLS.",
  "not-logged-in": "Log in first.",
  "already-logged-in": "This link is logged in already.",
  "wrong-credentials": "Wrong login or password.",
  "locked": "Too many failures. Try again later.",
  "registration-closed": "This server makes accounts by invitation of its administrator only.",
  "bad-invite": "This code is not valid, or no longer.",
  "bad-login": "A name has 1 to 64 characters, without spaces and without \" & ' / : < > @.",
  "login-taken": "This name is taken.",
  "unknown-mechanism": "This way to log in is not offered here.",
  "unknown-user": "There is no such user.",
  "self": "You cannot do this to yourself.",
  "unknown-message": "There is no such message.",
  "forbidden": "This is not yours to change.",
  "last-admin": "This is the only administrator. Make somebody else one first.",
  "unknown-id": "There is none of that id.",
  "unknown-request": "There is no such request, or no longer.",
  "already-there": "It is so already.",
  "not-friends": "You are not friends.",
  "offline": "They are not online.",
  "blocked": "They have blocked you.",
  "too-many": "There are too many already. Remove one first.",
  "not-implemented": "This server does not have that.",
  "try-again-later": "The server is busy. Try again later.",
  "wrong-hash": "The file arrived damaged. Try it once more.",
  "storage-full": "The server has no room left. Nothing was saved; tell its administrator.",
  "internal-error": "Something went wrong on the server.",
  "replaced": "This device connected from elsewhere.",
  "revoked": "This session was revoked.",
  "disabled": "This account is disabled. Ask the administrator of this server.",
  "account-deleted": "This account was deleted.",
  "slow-consumer": "The client does not read what it is sent.",
  "idle": "The link was silent for too long.",
  "inactive": "You were logged out: no command came for too long.",
  "no-answer": "They did not answer.",
  "no-direct-path": "There is no direct path to the other device.",
  "withdrawn": "The request was withdrawn.",
  "answered": "Another device of yours has answered.",
  "unknown-conference": "There is no such conference, or no longer.",
  "not-inside": "Only those who are in the conference can do this.",
  "ambiguous": "There are several of that name. Choose one by its id.",
  "mesh-full": "The conference is too large for more sound or pictures. You take part with less.",
  "removed": "The owner has removed you from the conference.",
  "ended": "Its owner has ended the conference.",
  "owner-left": "The conference ended because its owner left.",
  "empty": "Nobody was left in the conference.",
  "too-many-errors": "Too many bad lines.",
  "shutting-down": "The server is stopping.",
  "logged-out": "Goodbye.",
};

/** Asks what this server is.  May be sent at any time; needs no login.  Answer: HELLO. */
export interface ClientHello {
  type: "HELLO";
  /** Default: [1]. */
  versions?: number[];
  client?: string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** What this server refuses to exceed. */
export interface Limits {
  line_bytes: number;
  text_chars: number;
  history_page: number;
  /** Messages of one link that may wait for MESSAGE-SENT before the server stops reading from it. */
  unacknowledged: number;
  /** Of one file. Default: 0. */
  file_bytes?: number;
}

/** What this server is and allows, told before login. */
export interface ServerHello {
  type: "HELLO";
  version: number;
  /** The domain: the part of its users' addresses after @. */
  server: string;
  software: string;
  federated: boolean;
  /** community, or classic: the rules and texts of document 002. Default: "community". */
  profile?: string;
  /** open, invite or closed */
  registration: string;
  /** What to do when registration is not open (REGISTER-INSTRUCTIONS of the lineage, row M12). */
  registration_text?: string;
  mechanisms: string[];
  /** Areas of the protocol that work here; everything else answers ERROR-NOT-IMPLEMENTED. */
  features: string[];
  /** Highest layer: 1 authentication, 2 contacts, 3 messaging. */
  layer: number;
  limits: Limits;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Asks for PONG.  Either side may send it. */
export interface Ping {
  type: "PING";
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Answers PING. */
export interface Pong {
  type: "PONG";
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** The last packet of a link.  A client sends it to log out; a server says why it closes. */
export interface Goodbye {
  type: "GOODBYE";
  code?: ErrorCode;
  reason?: string;
  retry_after_s?: number;
}

/** A line that could not be read as a packet.  The link lives on until its budget of these is spent. */
export interface Error {
  type: "ERROR";
  code: ErrorCode;
  reason?: string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/**
 * A packet type that this server does not have.  The link lives on.
 *
 * In the text form the field is `type`, as document 003 writes it; in JSON `type` already names the packet.
 */
export interface ErrorNotImplemented {
  type: "ERROR-NOT-IMPLEMENTED";
  request_type: string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Makes an account, or sets a new password with a code for that.  Answer: REGISTER-OK or REGISTER-FAILED. */
export interface Register {
  type: "REGISTER";
  /** `login`, or `login@domain` */
  login: string;
  password: string;
  /** An invite code, the one-time set-up code that the first start prints, or that of ADMIN-ACCOUNT-RESET. */
  code?: string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** The account exists; CONNECT works with this password. */
export interface RegisterOk {
  type: "REGISTER-OK";
  /** `login@domain`, written by the server */
  login: string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** No account was made.  Codes: bad-login, login-taken, registration-closed, bad-invite, locked. */
export interface RegisterFailed {
  type: "REGISTER-FAILED";
  code: ErrorCode;
  reason?: string;
  retry_after_s?: number;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/**
 * Starts a login.
 *
 * mechanism SCRAM-SHA-256, SCRAM-SHA-256-PLUS: `message` is the client-first-message; answer CONNECT-ACK.
 * mechanism TOKEN (bots): `token` is an access token.  mechanism RESUME: `token` is what CONNECT-OK gave as `resume`.
 * TOKEN and RESUME need no second step; answer CONNECT-OK or CONNECT-FAILED.
 */
export interface Connect {
  type: "CONNECT";
  /** Required for SCRAM; a token names its account itself. */
  login?: string;
  /** Default: "SCRAM-SHA-256". */
  mechanism?: string;
  message?: string;
  token?: string;
  /** Name of this installation; the same name is the same device, with its own place in the delivery. */
  device?: string;
  /** What this device has already: messages up to this id are not sent again. */
  cursor?: number;
  client?: string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Second step of SCRAM.  Always sent, with a stable salt, even when there is no such user. */
export interface ConnectAck {
  type: "CONNECT-ACK";
  /** base64 */
  salt: string;
  iterations: number;
  nonce: string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Third step of SCRAM. */
export interface ConnectContinue {
  type: "CONNECT-CONTINUE";
  /** base64 of the ClientProof */
  hash: string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** The link is logged in.  SNAPSHOT follows, then what the device has missed, then REPLAY-END. */
export interface ConnectOk {
  type: "CONNECT-OK";
  /** `login@domain`, written by the server */
  login: string;
  device: string;
  /** base64 of SCRAM's ServerSignature; a client that logged in by password must check it. */
  signature?: string;
  /** Logs this device in again (mechanism RESUME) until it is revoked or the password changes. */
  resume: string;
  /** May ask what only administrators may, as it was at this login. Default: false. */
  admin?: boolean;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Not logged in.  Codes: wrong-credentials, locked, disabled, unknown-mechanism, bad-request, already-logged-in. */
export interface ConnectFailed {
  type: "CONNECT-FAILED";
  code: ErrorCode;
  reason?: string;
  retry_after_s?: number;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Sets a new password; every other session of the account is revoked. */
export interface PasswordChange {
  type: "PASSWORD-CHANGE";
  old_password: string;
  password: string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** The new password holds. */
export interface PasswordChangeOk {
  type: "PASSWORD-CHANGE-OK";
  /** This device's new resumption token; the old ones of all devices are void. */
  resume: string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** The old password holds.  Codes: wrong-credentials, locked. */
export interface PasswordChangeFailed {
  type: "PASSWORD-CHANGE-FAILED";
  code: ErrorCode;
  reason?: string;
  retry_after_s?: number;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Makes an access token for a bot of this account. */
export interface TokenCreate {
  type: "TOKEN-CREATE";
  name: string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** The token, shown this once; the server keeps only its hash. */
export interface TokenCreateOk {
  type: "TOKEN-CREATE-OK";
  id: number;
  token: string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** No token was made. */
export interface TokenCreateFailed {
  type: "TOKEN-CREATE-FAILED";
  code: ErrorCode;
  reason?: string;
  retry_after_s?: number;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Lists the access tokens of this account. */
export interface TokenList {
  type: "TOKEN-LIST";
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** One access token, without its secret. */
export interface TokenEntry {
  id: number;
  name: string;
  /** RFC 3339, UTC */
  created_at: string;
}

/** The access tokens, oldest first. */
export interface TokenListOk {
  type: "TOKEN-LIST-OK";
  tokens: TokenEntry[];
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Ends an access token and the sessions that used it. */
export interface TokenRevoke {
  type: "TOKEN-REVOKE";
  id: number;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** The token no longer logs in. */
export interface TokenRevokeOk {
  type: "TOKEN-REVOKE-OK";
  id: number;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Code: unknown-id. */
export interface TokenRevokeFailed {
  type: "TOKEN-REVOKE-FAILED";
  code: ErrorCode;
  reason?: string;
  retry_after_s?: number;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Lists the devices that can log in as this account. */
export interface SessionsGet {
  type: "SESSIONS-GET";
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** One device of the account. */
export interface SessionEntry {
  device: string;
  client?: string;
  /** RFC 3339, UTC */
  created_at: string;
  /** RFC 3339, UTC */
  seen_at: string;
  /** Default: false. */
  online?: boolean;
  /** Default: false. */
  current?: boolean;
}

/** The devices, most recently seen first. */
export interface SessionsGetOk {
  type: "SESSIONS-GET-OK";
  sessions: SessionEntry[];
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Ends a device's session: its link is closed, its resumption token void, its place in the delivery forgotten. */
export interface SessionsRevoke {
  type: "SESSIONS-REVOKE";
  device: string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Done. */
export interface SessionsRevokeOk {
  type: "SESSIONS-REVOKE-OK";
  device: string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Code: unknown-id. */
export interface SessionsRevokeFailed {
  type: "SESSIONS-REVOKE-FAILED";
  code: ErrorCode;
  reason?: string;
  retry_after_s?: number;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Deletes the account: its texts are erased, its name is never given out again. */
export interface AccountDelete {
  type: "ACCOUNT-DELETE";
  password: string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Done; GOODBYE account-deleted follows on every link of the account. */
export interface AccountDeleteOk {
  type: "ACCOUNT-DELETE-OK";
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Nothing was deleted.  Codes: wrong-credentials, locked, last-admin. */
export interface AccountDeleteFailed {
  type: "ACCOUNT-DELETE-FAILED";
  code: ErrorCode;
  reason?: string;
  retry_after_s?: number;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Asks for everything the server keeps about this account, a page at a time. */
export interface AccountExport {
  type: "ACCOUNT-EXPORT";
  /** made by the server, ascending in the order of storing. Default: 0. */
  after?: number;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** One message of a conversation of the account. */
export interface ExportedMessage {
  id: number;
  peer: string;
  author: string;
  /** RFC 3339, UTC */
  at: string;
  text: string;
  files?: FileInfo[];
  /** Default: false. */
  edited?: boolean;
  /** Default: false. */
  retracted?: boolean;
  reply_to?: number;
}

/** One page of the export, oldest first; `next` is the `after` of the next page, absent on the last one. */
export interface AccountExportOk {
  type: "ACCOUNT-EXPORT-OK";
  /** `login@domain`, written by the server */
  login: string;
  /** RFC 3339, UTC */
  created_at: string;
  sessions: SessionEntry[];
  tokens: TokenEntry[];
  blocked: string[];
  contacts?: Contact[];
  profile?: Profile;
  messages: ExportedMessage[];
  /** made by the server, ascending in the order of storing */
  next?: number;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Code: try-again-later. */
export interface AccountExportFailed {
  type: "ACCOUNT-EXPORT-FAILED";
  code: ErrorCode;
  reason?: string;
  retry_after_s?: number;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Asks to deliver a text, files, or both.  Answer: MESSAGE-SENT, once it is stored, or MESSAGE-SEND-FAILED. */
export interface MessageSend {
  type: "MESSAGE";
  /** `login`, or `login@domain` */
  to: string;
  /** code points, any text; empty beside files only */
  text?: string;
  /** one's own complete uploads */
  files?: string[];
  /** the sender's own id of a request; a repeat from the same device is answered, not done again */
  cookie?: string;
  /** made by the server, ascending in the order of storing */
  reply_to?: number;
  /** A client that names a sender is refused with `forbidden` (rows A16, M72). */
  from?: string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** A message, told to every device of both people but the one that sent it. */
export interface Message {
  type: "MESSAGE";
  /** made by the server, ascending in the order of storing */
  id: number;
  /** place in its conversation, counted from 1 without gaps */
  seq: number;
  /** `login@domain`, written by the server */
  from: string;
  /** `login@domain`, written by the server */
  to: string;
  /** RFC 3339, UTC */
  at: string;
  text: string;
  files?: FileInfo[];
  /** made by the server, ascending in the order of storing */
  reply_to?: number;
  /** Replayed after an edit: `text` is the newest. Default: false. */
  edited?: boolean;
  /** Replayed after a retraction: `text` is empty, and there are no files. Default: false. */
  retracted?: boolean;
  /** Not a text but a call of the author to the reader (row V33). */
  call?: CallEntry;
}

/** The message is stored and will be delivered. */
export interface MessageSent {
  type: "MESSAGE-SENT";
  /** made by the server, ascending in the order of storing */
  id: number;
  /** place in its conversation, counted from 1 without gaps */
  seq: number;
  /** RFC 3339, UTC */
  at: string;
  files?: FileInfo[];
  /** the sender's own id of a request; a repeat from the same device is answered, not done again */
  cookie?: string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/**
 * Nothing was stored.
 *
 * Codes: unknown-user, self, unknown-message (reply_to), unknown-id (files), forbidden, storage-full,
 * try-again-later; in the classic profile also blocked.
 */
export interface MessageSendFailed {
  type: "MESSAGE-SEND-FAILED";
  code: ErrorCode;
  reason?: string;
  retry_after_s?: number;
  /** chosen by the client, echoed in the answer */
  tag?: string;
  /** the sender's own id of a request; a repeat from the same device is answered, not done again */
  cookie?: string;
}

/** This device has everything up to `id`.  No answer. */
export interface MessageDeliveredUpTo {
  type: "MESSAGE-DELIVERED";
  /** made by the server, ascending in the order of storing */
  id: number;
}

/** The person has read the conversation that holds message `id`, up to it.  No answer unless it fails. */
export interface MessageReadUpTo {
  type: "MESSAGE-READ";
  /** made by the server, ascending in the order of storing */
  id: number;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Code: unknown-message. */
export interface MessageReadFailed {
  type: "MESSAGE-READ-FAILED";
  code: ErrorCode;
  reason?: string;
  retry_after_s?: number;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** `by` has, on some device, everything that `peer` wrote up to `id`.  Told to the devices of both. */
export interface MessageDelivered {
  type: "MESSAGE-DELIVERED";
  /** made by the server, ascending in the order of storing */
  id: number;
  /** The author, whose messages these are. */
  peer: string;
  /** `login@domain`, written by the server */
  by: string;
}

/** `by` has read the conversation with `peer` up to `id`.  Told to the devices of both. */
export interface MessageRead {
  type: "MESSAGE-READ";
  /** made by the server, ascending in the order of storing */
  id: number;
  /** `login@domain`, written by the server */
  peer: string;
  /** `login@domain`, written by the server */
  by: string;
}

/** Replaces the text of one's own message.  Answer: EDIT-OK or EDIT-FAILED. */
export interface Edit {
  type: "EDIT";
  /** made by the server, ascending in the order of storing */
  id: number;
  /** code points, any text */
  text: string;
  /** the sender's own id of a request; a repeat from the same device is answered, not done again */
  cookie?: string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Stored; `id` is that of the change itself. */
export interface EditOk {
  type: "EDIT-OK";
  /** made by the server, ascending in the order of storing */
  id: number;
  /** the sender's own id of a request; a repeat from the same device is answered, not done again */
  cookie?: string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Nothing changed.  Codes: unknown-message, forbidden. */
export interface EditFailed {
  type: "EDIT-FAILED";
  code: ErrorCode;
  reason?: string;
  retry_after_s?: number;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** The author replaced the text of message `target`. */
export interface Edited {
  type: "EDITED";
  /** made by the server, ascending in the order of storing */
  id: number;
  /** place in its conversation, counted from 1 without gaps */
  seq: number;
  /** `login@domain`, written by the server */
  from: string;
  /** `login@domain`, written by the server */
  to: string;
  /** RFC 3339, UTC */
  at: string;
  /** made by the server, ascending in the order of storing */
  target: number;
  text: string;
}

/** Takes back one's own message; its text is erased.  Answer: RETRACT-OK or RETRACT-FAILED. */
export interface Retract {
  type: "RETRACT";
  /** made by the server, ascending in the order of storing */
  id: number;
  /** the sender's own id of a request; a repeat from the same device is answered, not done again */
  cookie?: string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Stored; `id` is that of the change itself. */
export interface RetractOk {
  type: "RETRACT-OK";
  /** made by the server, ascending in the order of storing */
  id: number;
  /** the sender's own id of a request; a repeat from the same device is answered, not done again */
  cookie?: string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Nothing changed.  Codes: unknown-message, forbidden. */
export interface RetractFailed {
  type: "RETRACT-FAILED";
  code: ErrorCode;
  reason?: string;
  retry_after_s?: number;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** The author took message `target` back. */
export interface Retracted {
  type: "RETRACTED";
  /** made by the server, ascending in the order of storing */
  id: number;
  /** place in its conversation, counted from 1 without gaps */
  seq: number;
  /** `login@domain`, written by the server */
  from: string;
  /** `login@domain`, written by the server */
  to: string;
  /** RFC 3339, UTC */
  at: string;
  /** made by the server, ascending in the order of storing */
  target: number;
}

/** Adds or removes one's reaction to a message.  Answer: REACT-OK or REACT-FAILED. */
export interface React {
  type: "REACT";
  /** made by the server, ascending in the order of storing */
  id: number;
  emoji: string;
  /** Default: false. */
  remove?: boolean;
  /** the sender's own id of a request; a repeat from the same device is answered, not done again */
  cookie?: string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Stored; `id` is that of the change itself. */
export interface ReactOk {
  type: "REACT-OK";
  /** made by the server, ascending in the order of storing */
  id: number;
  /** the sender's own id of a request; a repeat from the same device is answered, not done again */
  cookie?: string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Nothing changed.  Codes: unknown-message. */
export interface ReactFailed {
  type: "REACT-FAILED";
  code: ErrorCode;
  reason?: string;
  retry_after_s?: number;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Someone reacted to message `target`, or took that reaction back. */
export interface Reacted {
  type: "REACTED";
  /** made by the server, ascending in the order of storing */
  id: number;
  /** place in its conversation, counted from 1 without gaps */
  seq: number;
  /** `login@domain`, written by the server */
  from: string;
  /** `login@domain`, written by the server */
  to: string;
  /** RFC 3339, UTC */
  at: string;
  /** made by the server, ascending in the order of storing */
  target: number;
  emoji: string;
  /** Default: false. */
  removed?: boolean;
}

/** I am writing to `to`.  No answer; forgotten after 10 s, by TYPING-END or by a message. */
export interface TypingStartedTo {
  type: "TYPING-STARTED";
  /** `login`, or `login@domain` */
  to: string;
}

/** I stopped writing.  No answer. */
export interface TypingEndTo {
  type: "TYPING-END";
  /** `login`, or `login@domain` */
  to: string;
}

/** `from` is writing to you. */
export interface TypingStarted {
  type: "TYPING-STARTED";
  /** `login@domain`, written by the server */
  from: string;
}

/** `from` stopped writing, or has been silent for 10 s. */
export interface TypingEnd {
  type: "TYPING-END";
  /** `login@domain`, written by the server */
  from: string;
}

/** One conversation as it stands. */
export interface ConversationState {
  /** `login@domain`, written by the server */
  peer: string;
  /** made by the server, ascending in the order of storing. Default: 0. */
  last_id?: number;
  /** Messages of the peer after my read mark, counted up to 1,000. Default: 0. */
  unread?: number;
  /** Read by me up to here. Default: 0. */
  read_id?: number;
  /** made by the server, ascending in the order of storing. Default: 0. */
  peer_read_id?: number;
  /** made by the server, ascending in the order of storing. Default: 0. */
  peer_delivered_id?: number;
}

/** The state after login, once.  Law: this and the events that follow equal a fresh one. */
export interface Snapshot {
  type: "SNAPSHOT";
  conversations?: ConversationState[];
  blocked?: string[];
  contacts?: Contact[];
  /** My own. */
  profile?: Profile;
  announcement?: Announcement;
  /** As CONFERENCE-LIST-OK has them. */
  conferences?: ConferenceView[];
  /** Everything the account was told of up to this id is in it. Default: 0. */
  upto?: number;
}

/** All that was missed has been sent; what follows is live. */
export interface ReplayEnd {
  type: "REPLAY-END";
  /** made by the server, ascending in the order of storing */
  upto: number;
}

/** Asks for a page of a conversation: the newest, or those before or after an id.  Answer: HISTORY-GET-OK. */
export interface HistoryGet {
  type: "HISTORY-GET";
  /** `login`, or `login@domain` */
  peer: string;
  /** made by the server, ascending in the order of storing */
  before?: number;
  /** made by the server, ascending in the order of storing */
  after?: number;
  /** Default: 50. */
  limit?: number;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** One reaction to a message. */
export interface Reaction {
  /** `login@domain`, written by the server */
  by: string;
  emoji: string;
}

/** A message as it stands today: edits, retraction and reactions applied. */
export interface HistoryMessage {
  /** made by the server, ascending in the order of storing */
  id: number;
  /** place in its conversation, counted from 1 without gaps */
  seq: number;
  /** `login@domain`, written by the server */
  from: string;
  /** RFC 3339, UTC */
  at: string;
  text: string;
  files?: FileInfo[];
  /** made by the server, ascending in the order of storing */
  reply_to?: number;
  /** Default: false. */
  edited?: boolean;
  /** Default: false. */
  retracted?: boolean;
  reactions?: Reaction[];
  call?: CallEntry;
}

/** A page of a conversation, oldest first. */
export interface HistoryGetOk {
  type: "HISTORY-GET-OK";
  /** `login@domain`, written by the server */
  peer: string;
  messages: HistoryMessage[];
  /** There are further messages in the direction asked for. Default: false. */
  more?: boolean;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Codes: unknown-user, bad-request. */
export interface HistoryGetFailed {
  type: "HISTORY-GET-FAILED";
  code: ErrorCode;
  reason?: string;
  retry_after_s?: number;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Finds messages of one conversation that hold all the words; the last word may be a beginning. */
export interface Search {
  type: "SEARCH";
  /** `login`, or `login@domain` */
  peer: string;
  query: string;
  /** made by the server, ascending in the order of storing */
  before?: number;
  /** Default: 20. */
  limit?: number;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** What was found, newest first. */
export interface SearchOk {
  type: "SEARCH-OK";
  /** `login@domain`, written by the server */
  peer: string;
  messages: HistoryMessage[];
  /** Default: false. */
  more?: boolean;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Codes: unknown-user, bad-request. */
export interface SearchFailed {
  type: "SEARCH-FAILED";
  code: ErrorCode;
  reason?: string;
  retry_after_s?: number;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Stops everything that comes from `login`.  Answer: BLOCK-OK or BLOCK-FAILED. */
export interface Block {
  type: "BLOCK";
  /** `login`, or `login@domain` */
  login: string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Blocked.  Told to every device of the account. */
export interface BlockOk {
  type: "BLOCK-OK";
  /** `login@domain`, written by the server */
  login: string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Codes: unknown-user, self. */
export interface BlockFailed {
  type: "BLOCK-FAILED";
  code: ErrorCode;
  reason?: string;
  retry_after_s?: number;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Undoes BLOCK; what was sent meanwhile stays undelivered.  Answer: UNBLOCK-OK or UNBLOCK-FAILED. */
export interface Unblock {
  type: "UNBLOCK";
  /** `login`, or `login@domain` */
  login: string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** No longer blocked.  Told to every device of the account. */
export interface UnblockOk {
  type: "UNBLOCK-OK";
  /** `login@domain`, written by the server */
  login: string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Codes: unknown-user, self, unknown-id (was not blocked). */
export interface UnblockFailed {
  type: "UNBLOCK-FAILED";
  code: ErrorCode;
  reason?: string;
  retry_after_s?: number;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** One contact as it stands. */
export interface Contact {
  /** `login@domain`, written by the server */
  id: string;
  /** To be shown: my own name for them, else their profile's, else their login (row X23). */
  name: string;
  note?: string;
  /** When they were last seen to come or go; absent: not told to me. */
  presence?: string;
  /** Default: "unknown". */
  status?: Status;
  /** Default: "none". */
  relation?: Relation;
  /** Default: false. */
  listed?: boolean;
  /** My own name for them. */
  own_name?: string;
  group?: string;
  memo?: string;
  /** SHA-256 of their picture, hexadecimal; PROFILE-GET brings the picture. */
  avatar?: string;
  /** An incoming request that I do not want to be reminded of. Default: false. */
  ignored?: boolean;
}

/** A patch: the fields that are there are new.  Neither listed nor related any more: the contact is gone. */
export interface ContactUpdated {
  type: "CONTACT-UPDATED";
  /** `login@domain`, written by the server */
  id: string;
  name?: string;
  note?: string;
  /** Empty: no longer told. */
  presence?: string;
  status?: Status;
  relation?: Relation;
  listed?: boolean;
  own_name?: string;
  group?: string;
  memo?: string;
  avatar?: string;
  ignored?: boolean;
}

/** Asks for all contacts.  Answer: CONTACTS-GET-RESPONSE; it does not fail. */
export interface ContactsGet {
  type: "CONTACTS-GET";
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** All contacts: listed, asking, asked, friends, blocked. */
export interface ContactsGetResponse {
  type: "CONTACTS-GET-RESPONSE";
  contacts: Contact[];
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Lists somebody, and asks them to be friends unless that is under way.  Answer: CONTACTS-ADD-OK or -FAILED. */
export interface ContactsAdd {
  type: "CONTACTS-ADD";
  /** `login`, or `login@domain` */
  id: string;
  /** one line; empty: none */
  name?: string;
  /** path of nested groups, parted by `/`; empty: none */
  group?: string;
  /** what I note about someone; nobody else sees it */
  memo?: string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Listed. */
export interface ContactsAddOk {
  type: "CONTACTS-ADD-OK";
  /** `login@domain`, written by the server */
  id: string;
  relation: Relation;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Codes: unknown-user, self, already-there, try-again-later, too-many. */
export interface ContactsAddFailed {
  type: "CONTACTS-ADD-FAILED";
  code: ErrorCode;
  reason?: string;
  retry_after_s?: number;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Changes my name, group or memo for a contact; what is absent stays.  Answer: CONTACTS-CHANGE-OK or -FAILED. */
export interface ContactsChange {
  type: "CONTACTS-CHANGE";
  /** `login`, or `login@domain` */
  id: string;
  /** one line; empty: none */
  name?: string;
  /** path of nested groups, parted by `/`; empty: none */
  group?: string;
  /** what I note about someone; nobody else sees it */
  memo?: string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Another name of CONTACTS-CHANGE (row M43).  A contact's note is theirs alone: one given here is passed over. */
export interface ContactsUpdate {
  type: "CONTACTS-UPDATE";
  /** `login`, or `login@domain` */
  id: string;
  /** one line; empty: none */
  name?: string;
  /** path of nested groups, parted by `/`; empty: none */
  group?: string;
  /** what I note about someone; nobody else sees it */
  memo?: string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Changed. */
export interface ContactsChangeOk {
  type: "CONTACTS-CHANGE-OK";
  /** `login@domain`, written by the server */
  id: string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Codes: unknown-user, self, unknown-id (no contact of mine), bad-request. */
export interface ContactsChangeFailed {
  type: "CONTACTS-CHANGE-FAILED";
  code: ErrorCode;
  reason?: string;
  retry_after_s?: number;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Takes somebody off the list, ends the friendship, takes back my request.  Answer: -OK or -FAILED. */
export interface ContactsDelete {
  type: "CONTACTS-DELETE";
  /** `login`, or `login@domain` */
  id: string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Gone from the list. */
export interface ContactsDeleteOk {
  type: "CONTACTS-DELETE-OK";
  /** `login@domain`, written by the server */
  id: string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Codes: unknown-user, self, unknown-id (no contact of mine). */
export interface ContactsDeleteFailed {
  type: "CONTACTS-DELETE-FAILED";
  code: ErrorCode;
  reason?: string;
  retry_after_s?: number;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Asks somebody to be friends; asking twice asks once.  Answer: FRIEND-REQUEST-OK or -FAILED. */
export interface FriendRequest {
  type: "FRIEND-REQUEST";
  /** `login`, or `login@domain` */
  login: string;
  /** The sender is whoever is logged in: a client that names one is refused with `forbidden` (row A16). */
  from?: string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Asked (`outgoing`); or they had asked me, and now we are friends (`mutual`). */
export interface FriendRequestOk {
  type: "FRIEND-REQUEST-OK";
  /** `login@domain`, written by the server */
  login: string;
  relation: Relation;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Codes: unknown-user, self, already-there (friends), forbidden, try-again-later, too-many. */
export interface FriendRequestFailed {
  type: "FRIEND-REQUEST-FAILED";
  code: ErrorCode;
  reason?: string;
  retry_after_s?: number;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** `from` asks me to be friends.  A notice, told once; CONTACT-UPDATED and SNAPSHOT hold the state. */
export interface FriendRequested {
  type: "FRIEND-REQUEST";
  /** `login@domain`, written by the server */
  from: string;
  /** As they call themselves. */
  name?: string;
}

/** Answers a request; they are told of a yes, never of a no.  Answer: FRIEND-ANSWER-OK or -FAILED. */
export interface FriendAnswer {
  type: "FRIEND-ANSWER";
  /** `login`, or `login@domain` */
  login: string;
  accepted: boolean;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** The request is gone. */
export interface FriendAnswerOk {
  type: "FRIEND-ANSWER-OK";
  /** `login@domain`, written by the server */
  login: string;
  accepted: boolean;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Codes: unknown-request, unknown-user, self. */
export interface FriendAnswerFailed {
  type: "FRIEND-ANSWER-FAILED";
  code: ErrorCode;
  reason?: string;
  retry_after_s?: number;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Leaves a request unanswered, and marks it on all my devices.  Answer: FRIEND-IGNORE-OK or -FAILED. */
export interface FriendIgnore {
  type: "FRIEND-IGNORE";
  /** `login`, or `login@domain` */
  login: string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Marked; it can still be answered. */
export interface FriendIgnoreOk {
  type: "FRIEND-IGNORE-OK";
  /** `login@domain`, written by the server */
  login: string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Codes: unknown-request, unknown-user, self. */
export interface FriendIgnoreFailed {
  type: "FRIEND-IGNORE-FAILED";
  code: ErrorCode;
  reason?: string;
  retry_after_s?: number;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Takes my own request back.  Answer: FRIEND-CANCEL-OK or -FAILED. */
export interface FriendCancel {
  type: "FRIEND-CANCEL";
  /** `login`, or `login@domain` */
  login: string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Taken back. */
export interface FriendCancelOk {
  type: "FRIEND-CANCEL-OK";
  /** `login@domain`, written by the server */
  login: string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Codes: unknown-request, unknown-user, self. */
export interface FriendCancelFailed {
  type: "FRIEND-CANCEL-FAILED";
  code: ErrorCode;
  reason?: string;
  retry_after_s?: number;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Ends a friendship.  Answer: FRIEND-REMOVE-OK or -FAILED. */
export interface FriendRemove {
  type: "FRIEND-REMOVE";
  /** `login`, or `login@domain` */
  login: string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Ended, for both. */
export interface FriendRemoveOk {
  type: "FRIEND-REMOVE-OK";
  /** `login@domain`, written by the server */
  login: string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Codes: not-friends, unknown-user, self. */
export interface FriendRemoveFailed {
  type: "FRIEND-REMOVE-FAILED";
  code: ErrorCode;
  reason?: string;
  retry_after_s?: number;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** The person is at this device (`away` false) or has left it.  No answer; any request ends `away` too. */
export interface PresenceSet {
  type: "PRESENCE";
  /** Default: false. */
  away?: boolean;
}

/** A contact has come or gone; CONTACT-UPDATED tells the same as a patch (row M35). */
export interface UpdateLastSeen {
  type: "UPDATE-LAST-SEEN";
  /** `login@domain`, written by the server */
  id: string;
  /** RFC 3339, UTC */
  at: string;
  /** Default: "unknown". */
  status?: Status;
}

/** Asks who is online: my friends; in the classic profile everyone who has not blocked me.  Answer: WHOELSE-OK. */
export interface WhoElse {
  type: "WHOELSE";
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Who is online, without me, in no particular order. */
export interface WhoElseOk {
  type: "WHOELSE-OK";
  users: string[];
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Asks who was online at any time in the last so many seconds.  Answer: WHOELSESINCE-OK or -FAILED. */
export interface WhoElseSince {
  type: "WHOELSESINCE";
  seconds: number;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Who was, those who are online included, without me. */
export interface WhoElseSinceOk {
  type: "WHOELSESINCE-OK";
  users: string[];
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Code: bad-request. */
export interface WhoElseSinceFailed {
  type: "WHOELSESINCE-FAILED";
  code: ErrorCode;
  reason?: string;
  retry_after_s?: number;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** What I say about myself. */
export interface Profile {
  name?: string;
  note?: string;
  /** SHA-256 of the picture, hexadecimal; empty: none. */
  avatar?: string;
}

/** Changes my profile; what is absent stays, what is empty is removed.  Answer: PROFILE-UPDATE-OK or -FAILED. */
export interface ProfileUpdate {
  type: "PROFILE-UPDATE";
  /** one line; empty: none */
  name?: string;
  /** what someone says about themselves */
  note?: string;
  /** A PNG, JPEG or WebP picture of at most 32 KiB and 1024 pixels a side. */
  avatar?: string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** My profile as it is now.  Told to every device of the account. */
export interface ProfileUpdateOk {
  type: "PROFILE-UPDATE-OK";
  name?: string;
  note?: string;
  avatar?: string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Code: bad-request, with the reason. */
export interface ProfileUpdateFailed {
  type: "PROFILE-UPDATE-FAILED";
  code: ErrorCode;
  reason?: string;
  retry_after_s?: number;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Asks for somebody's profile with the picture.  Answer: PROFILE-GET-OK or -FAILED. */
export interface ProfileGet {
  type: "PROFILE-GET";
  /** `login`, or `login@domain` */
  login: string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** What that person tells me: everything to friends, nothing but the login to strangers. */
export interface ProfileGetOk {
  type: "PROFILE-GET-OK";
  /** `login@domain`, written by the server */
  id: string;
  name?: string;
  note?: string;
  avatar_type?: string;
  /** Base64; empty: none. */
  avatar?: string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Code: unknown-user. */
export interface ProfileGetFailed {
  type: "PROFILE-GET-FAILED";
  code: ErrorCode;
  reason?: string;
  retry_after_s?: number;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Tells something to all who are there.  Answer: BROADCAST-OK or -FAILED. */
export interface BroadcastSend {
  type: "BROADCAST";
  /** code points, any text */
  text: string;
  /** A client that names a sender is refused with `forbidden`. */
  from?: string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Told.  `skipped`: somebody has blocked me, which only the classic profile says (row T31). */
export interface BroadcastOk {
  type: "BROADCAST-OK";
  /** Default: false. */
  skipped?: boolean;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Codes: forbidden, try-again-later. */
export interface BroadcastFailed {
  type: "BROADCAST-FAILED";
  code: ErrorCode;
  reason?: string;
  retry_after_s?: number;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** `from` tells this to all who are there. */
export interface Broadcast {
  type: "BROADCAST";
  /** `login@domain`, written by the server */
  from: string;
  /** RFC 3339, UTC */
  at: string;
  text: string;
}

/** One file, as everyone sees it. */
export interface FileInfo {
  /** made by the server, unguessable */
  id: string;
  /** Plain: no path, no control characters, at most 200 bytes of UTF-8. */
  name: string;
  /** What the content says it is, whatever the sender said. Default: "application/octet-stream". */
  type?: string;
  /** size */
  bytes: number;
  /** of the whole file, hexadecimal, lower case */
  sha256: string;
  /** Of a picture, in pixels, as it is to be shown. */
  width?: number;
  height?: number;
  /** FILE-DOWNLOAD has a small picture of it. Default: false. */
  preview?: boolean;
  /** `program`: it may run when it is opened. */
  warning?: string;
}

/** Asks for a place for a file, or goes on with one that broke off.  Answer: FILE-UPLOAD-OK or -FAILED. */
export interface FileUpload {
  type: "FILE-UPLOAD";
  /** any text; the server makes a plain name of it */
  name: string;
  /** size */
  bytes: number;
  /** What arrives must have it.  An upload of mine of the same size and SHA-256 is continued, or found to be whole. */
  sha256?: string;
  /** The unfinished upload to go on with; `bytes` and `sha256` are as they were. */
  id?: string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** PUT the bytes from `offset` on to `url`, with the header `Upload-Offset`. */
export interface FileUploadOk {
  type: "FILE-UPLOAD-OK";
  /** made by the server, unguessable */
  id: string;
  /** Empty: everything has arrived. */
  url?: string;
  /** size. Default: 0. */
  offset?: number;
  /** The url holds so long after it was last used. Default: 0. */
  expires_s?: number;
  /** There once everything has arrived. */
  file?: FileInfo;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Codes: too-large, too-many (unfinished uploads, or bytes of this account), storage-full, unknown-id. */
export interface FileUploadFailed {
  type: "FILE-UPLOAD-FAILED";
  code: ErrorCode;
  reason?: string;
  retry_after_s?: number;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Asks for a file of a message that one can see, or of one's own.  Answer: FILE-DOWNLOAD-OK or -FAILED. */
export interface FileDownload {
  type: "FILE-DOWNLOAD";
  /** made by the server, unguessable */
  id: string;
  /** The small picture instead: WebP, at most 512 pixels a side. Default: false. */
  preview?: boolean;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** GET the bytes from `url`, or some of them with `Range`, until the last byte has been fetched. */
export interface FileDownloadOk {
  type: "FILE-DOWNLOAD-OK";
  file: FileInfo;
  /** a path at this server; whoever holds it may use it */
  url: string;
  expires_s: number;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Code: unknown-id: there is none, no longer, or not for you; or it has no preview. */
export interface FileDownloadFailed {
  type: "FILE-DOWNLOAD-FAILED";
  code: ErrorCode;
  reason?: string;
  retry_after_s?: number;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Offers somebody a file.  Answer: SEND-FILE-PROXY-ASKED or -FAILED; then -OK, -REJECTED or -CANCELLED. */
export interface SendFileProxy {
  type: "SEND-FILE-PROXY";
  /** `login`, or `login@domain` */
  to: string;
  /** any text; the server makes a plain name of it */
  filename: string;
  /** In bytes. */
  size: number;
  /** of the whole file, hexadecimal, lower case */
  sha256?: string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Their devices are asked, as soon as one is there. */
export interface SendFileProxyAsked {
  type: "SEND-FILE-PROXY-ASKED";
  /** of one direct transfer, made by the server */
  "transfer-id": string;
  /** `login@domain`, written by the server */
  to: string;
  expires_s: number;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Nobody is asked.  Codes: unknown-user, self, too-large, too-many, storage-full; classic profile: blocked. */
export interface SendFileProxyFailed {
  type: "SEND-FILE-PROXY-FAILED";
  code: ErrorCode;
  reason?: string;
  retry_after_s?: number;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** `from` offers a file.  The first device of mine that answers does so for all; no byte moves before. */
export interface SendFileProxyRequest {
  type: "SEND-FILE-PROXY-REQUEST";
  /** of one direct transfer, made by the server */
  "transfer-id": string;
  /** `login@domain`, written by the server */
  from: string;
  /** Plain, as in FileInfo. */
  filename: string;
  /** size */
  size: number;
  /** `program`: by its name it may run when it is opened. */
  warning?: string;
  /** What the sender says it is. */
  sha256?: string;
}

/** Yes.  Answer: -OK or -FAILED; SEND-FILE-PROXY-READY follows with the first byte. */
export interface SendFileProxyAccept {
  type: "SEND-FILE-PROXY-ACCEPT";
  /** of one direct transfer, made by the server */
  "transfer-id": string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** The sender is told. */
export interface SendFileProxyAcceptOk {
  type: "SEND-FILE-PROXY-ACCEPT-OK";
  /** of one direct transfer, made by the server */
  "transfer-id": string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Codes: unknown-request (over, or answered by another device of mine), storage-full. */
export interface SendFileProxyAcceptFailed {
  type: "SEND-FILE-PROXY-ACCEPT-FAILED";
  code: ErrorCode;
  reason?: string;
  retry_after_s?: number;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** No.  Answer: -OK or -FAILED. */
export interface SendFileProxyReject {
  type: "SEND-FILE-PROXY-REJECT";
  /** of one direct transfer, made by the server */
  "transfer-id": string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** The sender is told. */
export interface SendFileProxyRejectOk {
  type: "SEND-FILE-PROXY-REJECT-OK";
  /** of one direct transfer, made by the server */
  "transfer-id": string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Code: unknown-request. */
export interface SendFileProxyRejectFailed {
  type: "SEND-FILE-PROXY-REJECT-FAILED";
  code: ErrorCode;
  reason?: string;
  retry_after_s?: number;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Either side ends a transfer.  Answer: -OK or -FAILED; the other side gets SEND-FILE-PROXY-CANCELLED. */
export interface SendFileProxyCancel {
  type: "SEND-FILE-PROXY-CANCEL";
  /** of one direct transfer, made by the server */
  "transfer-id": string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** It is over; what had arrived is removed. */
export interface SendFileProxyCancelOk {
  type: "SEND-FILE-PROXY-CANCEL-OK";
  /** of one direct transfer, made by the server */
  "transfer-id": string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Code: unknown-request. */
export interface SendFileProxyCancelFailed {
  type: "SEND-FILE-PROXY-CANCEL-FAILED";
  code: ErrorCode;
  reason?: string;
  retry_after_s?: number;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** They said yes: PUT the bytes to `url`, or send them to `connect`:`port` after the line TRANSFER. */
export interface SendFileProxyOk {
  type: "SEND-FILE-PROXY-OK";
  /** of one direct transfer, made by the server */
  "transfer-id": string;
  /** Host.  A client that reached the server by another name may go on using that. */
  connect: string;
  port: number;
  /** For the line TRANSFER; the url holds the same one. */
  token: string;
  /** a path at this server; whoever holds it may use it */
  url: string;
}

/** They said no. */
export interface SendFileProxyRejected {
  type: "SEND-FILE-PROXY-REJECTED";
  /** of one direct transfer, made by the server */
  "transfer-id": string;
}

/** The bytes have begun to come: GET them from `url`, which waits for those that are not there yet. */
export interface SendFileProxyReady {
  type: "SEND-FILE-PROXY-READY";
  /** of one direct transfer, made by the server */
  "transfer-id": string;
  connect: string;
  port: number;
  token: string;
  /** a path at this server; whoever holds it may use it */
  url: string;
  /** What the sender says it is; -COMPLETED tells what it was. */
  sha256?: string;
}

/** The last byte has been fetched.  Told to the two devices. */
export interface SendFileProxyCompleted {
  type: "SEND-FILE-PROXY-COMPLETED";
  /** of one direct transfer, made by the server */
  "transfer-id": string;
  /** Of what passed the server; a receiver that has another one throws the file away. */
  sha256: string;
}

/**
 * It is over without the file.
 *
 * Codes: withdrawn (the other side cancelled), no-answer (not answered, or nothing moved, for too long), answered (by
 * another device of mine), wrong-hash, storage-full.
 */
export interface SendFileProxyCancelled {
  type: "SEND-FILE-PROXY-CANCELLED";
  /** of one direct transfer, made by the server */
  "transfer-id": string;
  code: ErrorCode;
  reason?: string;
}

/** Asks somebody for a private session with this device.  Answer: PRIVATE-START-OK or -FAILED. */
export interface PrivateStart {
  type: "PRIVATE-START";
  /** `login`, or `login@domain` */
  login: string;
  /** X.509, DER, Base64; made for this session by its device; empty: not by TLS */
  certificate?: string;
  /** of WebRTC, all candidates in it; empty: not by this way */
  sdp?: string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** They are asked.  PRIVATE-ANSWERED or PRIVATE-STOPPED follows. */
export interface PrivateStartOk {
  type: "PRIVATE-START-OK";
  /** of one private session, made by the server */
  id: string;
  /** `login@domain`, written by the server */
  login: string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/**
 * Codes: unknown-user, self, offline, not-friends, forbidden (I block them), already-there (a request waits),
 * too-many; classic profile: blocked.
 */
export interface PrivateStartFailed {
  type: "PRIVATE-START-FAILED";
  code: ErrorCode;
  reason?: string;
  retry_after_s?: number;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** `from` would like to talk privately.  The first device of mine that answers does so for all. */
export interface PrivateRequest {
  type: "PRIVATE-REQUEST";
  /** of one private session, made by the server */
  id: string;
  /** `login@domain`, written by the server */
  from: string;
  /** X.509, DER, Base64; made for this session by its device; empty: not by TLS */
  certificate?: string;
  /** of WebRTC, all candidates in it; empty: not by this way */
  sdp?: string;
}

/** Yes, with where this device listens, or no.  Answer: PRIVATE-ANSWER-OK or -FAILED. */
export interface PrivateAnswer {
  type: "PRIVATE-ANSWER";
  /** of one private session, made by the server */
  id: string;
  accepted: boolean;
  /** Default: 0. */
  port?: number;
  /** Where else this device may be reached, besides the address that the server sees. */
  addresses?: string[];
  /** X.509, DER, Base64; made for this session by its device; empty: not by TLS */
  certificate?: string;
  /** of WebRTC, all candidates in it; empty: not by this way */
  sdp?: string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** They are told; the link comes from them. */
export interface PrivateAnswerOk {
  type: "PRIVATE-ANSWER-OK";
  /** of one private session, made by the server */
  id: string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Codes: unknown-request (withdrawn, or answered by another device of mine), bad-request. */
export interface PrivateAnswerFailed {
  type: "PRIVATE-ANSWER-FAILED";
  code: ErrorCode;
  reason?: string;
  retry_after_s?: number;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** What the other said; after a yes, where to connect and whom to expect there. */
export interface PrivateAnswered {
  type: "PRIVATE-ANSWERED";
  /** of one private session, made by the server */
  id: string;
  /** `login@domain`, written by the server */
  from: string;
  accepted: boolean;
  /** Default: 0. */
  port?: number;
  addresses?: string[];
  certificate?: string;
  sdp?: string;
}

/** Withdraws a request.  A session that stands ends by PRIVATE-BYE on its own link.  Answer: -OK or -FAILED. */
export interface PrivateStop {
  type: "PRIVATE-STOP";
  /** of one private session, made by the server */
  id: string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Withdrawn. */
export interface PrivateStopOk {
  type: "PRIVATE-STOP-OK";
  /** of one private session, made by the server */
  id: string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Code: unknown-request. */
export interface PrivateStopFailed {
  type: "PRIVATE-STOP-FAILED";
  code: ErrorCode;
  reason?: string;
  retry_after_s?: number;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** A request is over without an answer: withdrawn, timed out, the other left, or another device of mine answered. */
export interface PrivateStopped {
  type: "PRIVATE-STOPPED";
  /** of one private session, made by the server */
  id: string;
  code: ErrorCode;
  reason?: string;
}

/** One device in a conference as it stands. */
export interface Leg {
  /** `login@domain/device`, written by the server */
  id: string;
  /** `login@domain`, written by the server */
  user: string;
  /** As the person calls themselves; empty: nothing but the login. */
  name?: string;
  /** SHA-256 of their picture, as in contacts. */
  avatar?: string;
  epoch: number;
  /** Of the epoch: what the call-list rule takes as the initiator; it stays when the owner changes. */
  initiator: string;
  /** What it may send: what was asked for at most, less where the mesh is full (row X09). Default: "video". */
  media?: MediaKind;
  /** The microphone is off. Default: false. */
  is_muted?: boolean;
  /** The camera is off. Default: false. */
  is_hidden?: boolean;
  /** Its screen is shown. Default: false. */
  is_sharing?: boolean;
  /** It listens to another conference now (row A39). Default: false. */
  held?: boolean;
  /** The owner has switched its microphone off, and only the owner's CONFERENCE-MUTE lets it on (row A69). */
  muted_by?: string;
  /** The same of its camera and screen. */
  hidden_by?: string;
  /** It asks the owner to be heard or seen again. Default: false. */
  asks?: boolean;
  /** Its link to the server broke; media may go on.  It keeps its place for `LEG_GRACE_S`. Default: false. */
  is_lost?: boolean;
  /** When it came. */
  at: string;
}

/** Somebody who was called into a conference and has not come. */
export interface Call {
  /** `login@domain`, written by the server */
  user: string;
  status: CallStatus;
  /** `login@domain`, written by the server */
  by: string;
}

/** A conference as its legs see it. */
export interface Conference {
  /** made by the server, 128 bits of chance */
  id: string;
  name: string;
  /** Empty for permanent ones that belong to nobody. */
  owner: string;
  /** While the owner is gone without having left: who stands in.  They may do what an owner may, but hand it over. */
  acting_owner?: string;
  /** Default: "friends". */
  policy?: Policy;
  /** Default: false. */
  is_permanent?: boolean;
  /** Default: "mesh". */
  topology?: Topology;
  /** The newest one. Default: 1. */
  epoch?: number;
  /** RFC 3339, UTC */
  at: string;
  /** In the order in which they came. */
  legs?: Leg[];
  calls?: Call[];
  /** With more legs than this no further one is given video ... Default: 4. */
  video_legs?: number;
  /** ... and with more than this no further one media at all: the conference is too large for a mesh (row X09). Default: 6. */
  audio_legs?: number;
}

/** A conference as somebody outside, or another device of somebody inside, may see it. */
export interface ConferenceView {
  /** made by the server, 128 bits of chance */
  id: string;
  name: string;
  /** Empty: of nobody, or I am outside and they are no friend of mine. */
  owner: string;
  /** Default: "friends". */
  policy?: Policy;
  /** Default: false. */
  is_permanent?: boolean;
  /** RFC 3339, UTC */
  at: string;
  /** Who of my friends, and whether I myself am inside, sorted; nobody else is named. */
  people?: string[];
  /** How many people are inside. Default: 0. */
  count?: number;
  /** Devices of my own that are inside. */
  legs?: string[];
  /** Default: false. */
  may_join?: boolean;
  /** I was invited, and have not come or declined. */
  invited_by?: string;
}

/** A STUN or TURN server, as RTCIceServer of WebRTC 1.0. */
export interface IceServer {
  urls: string[];
  username?: string;
  credential?: string;
}

/** One text of a conference. */
export interface RoomMessage {
  /** Place in its room, counted from 1 without gaps. */
  seq: number;
  /** `login@domain`, written by the server */
  from: string;
  /** RFC 3339, UTC */
  at: string;
  text: string;
}

/** Makes a conference and takes this device in as its owner's.  Answer: CONFERENCE-JOIN-OK, or -CREATE-FAILED. */
export interface ConferenceCreate {
  type: "CONFERENCE-CREATE";
  /** one line */
  name: string;
  /** Default: "friends". */
  policy?: Policy;
  /** Default: "video". */
  media?: MediaKind;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Codes: bad-request, already-there (I am in one of that name), too-many (that I am in, or that are open). */
export interface ConferenceCreateFailed {
  type: "CONFERENCE-CREATE-FAILED";
  code: ErrorCode;
  reason?: string;
  retry_after_s?: number;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/**
 * Takes this device in: by id, by name, by the friend who is inside, or by the code of a link; exactly one of them.
 *
 * With `resume` a device takes its leg up again, epoch and all (`resumed`), within the grace; without it, a leg that
 * is there begins anew, in its place, with a new epoch.  Answer: CONFERENCE-JOIN-OK or -FAILED.
 */
export interface ConferenceJoin {
  type: "CONFERENCE-JOIN";
  /** made by the server, 128 bits of chance */
  id?: string;
  /** Of those that I may see; several of that name: refused with `ambiguous`. */
  name?: string;
  /** `login`, or `login@domain` */
  friend?: string;
  link?: string;
  /** Default: "video". */
  media?: MediaKind;
  /** I am in it: give me my place back, and no new epoch if it is still there. Default: false. */
  resume?: boolean;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Inside.  Events follow. */
export interface ConferenceJoinOk {
  type: "CONFERENCE-JOIN-OK";
  conference: Conference;
  /** Which of its legs I am. */
  leg: string;
  /** Default: false. */
  resumed?: boolean;
  ice_servers?: IceServer[];
  /** `mesh-full`: this leg was given less media than it asked for. */
  code?: ErrorCode;
  reason?: string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/**
 * Codes: unknown-conference, forbidden, already-there (I am in another one of that name, or, with
 * one_leg_per_user, in this one by another device), ambiguous, unknown-user, not-friends, too-many, bad-request.
 */
export interface ConferenceJoinFailed {
  type: "CONFERENCE-JOIN-FAILED";
  code: ErrorCode;
  reason?: string;
  retry_after_s?: number;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/**
 * This device leaves.  The owner's last leg leaving on purpose ends the conference, unless it was handed over
 * before (row X07).  Answer: CONFERENCE-LEAVE-OK or -FAILED.
 */
export interface ConferenceLeave {
  type: "CONFERENCE-LEAVE";
  /** made by the server, 128 bits of chance */
  id: string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Outside. */
export interface ConferenceLeaveOk {
  type: "CONFERENCE-LEAVE-OK";
  /** made by the server, 128 bits of chance */
  id: string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Codes: unknown-conference, not-inside. */
export interface ConferenceLeaveFailed {
  type: "CONFERENCE-LEAVE-FAILED";
  code: ErrorCode;
  reason?: string;
  retry_after_s?: number;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Asks a leg's conference as it stands.  Answer: CONFERENCE-GET-OK or -FAILED. */
export interface ConferenceGet {
  type: "CONFERENCE-GET";
  /** made by the server, 128 bits of chance */
  id: string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** As it stands.  Told unasked, without a tag, to a leg whose link was full for a while: it has missed events. */
export interface ConferenceGetOk {
  type: "CONFERENCE-GET-OK";
  conference: Conference;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Codes: unknown-conference, not-inside. */
export interface ConferenceGetFailed {
  type: "CONFERENCE-GET-FAILED";
  code: ErrorCode;
  reason?: string;
  retry_after_s?: number;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Asks for all that I may see.  Answer: CONFERENCE-LIST-OK; it does not fail. */
export interface ConferenceList {
  type: "CONFERENCE-LIST";
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Mine, those of my friends, those I am invited to, the open ones; THE CONFERENCE first, then by name. */
export interface ConferenceListOk {
  type: "CONFERENCE-LIST-OK";
  conferences: ConferenceView[];
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** The owner ends it for all.  Answer: CONFERENCE-DELETE-OK or -FAILED. */
export interface ConferenceDelete {
  type: "CONFERENCE-DELETE";
  /** made by the server, 128 bits of chance */
  id: string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Ended. */
export interface ConferenceDeleteOk {
  type: "CONFERENCE-DELETE-OK";
  /** made by the server, 128 bits of chance */
  id: string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Codes: unknown-conference, forbidden (not the owner, or permanent). */
export interface ConferenceDeleteFailed {
  type: "CONFERENCE-DELETE-FAILED";
  code: ErrorCode;
  reason?: string;
  retry_after_s?: number;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** The owner gives it another name.  Answer: CONFERENCE-RENAME-OK or -FAILED. */
export interface ConferenceRename {
  type: "CONFERENCE-RENAME";
  /** made by the server, 128 bits of chance */
  id: string;
  /** one line */
  name: string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Renamed. */
export interface ConferenceRenameOk {
  type: "CONFERENCE-RENAME-OK";
  /** made by the server, 128 bits of chance */
  id: string;
  name: string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/**
 * Codes: unknown-conference, forbidden, already-there (somebody inside is in another one of that name),
 * bad-request.
 */
export interface ConferenceRenameFailed {
  type: "CONFERENCE-RENAME-FAILED";
  code: ErrorCode;
  reason?: string;
  retry_after_s?: number;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** The owner makes somebody inside the owner.  Answer: CONFERENCE-TRANSFER-OK or -FAILED. */
export interface ConferenceTransfer {
  type: "CONFERENCE-TRANSFER";
  /** made by the server, 128 bits of chance */
  id: string;
  /** `login`, or `login@domain` */
  login: string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** They are the owner. */
export interface ConferenceTransferOk {
  type: "CONFERENCE-TRANSFER-OK";
  /** made by the server, 128 bits of chance */
  id: string;
  /** `login@domain`, written by the server */
  login: string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Codes: unknown-conference, forbidden, unknown-user, not-inside (they are not), already-there. */
export interface ConferenceTransferFailed {
  type: "CONFERENCE-TRANSFER-FAILED";
  code: ErrorCode;
  reason?: string;
  retry_after_s?: number;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** The owner says who may come in.  Answer: CONFERENCE-POLICY-OK or -FAILED. */
export interface ConferencePolicy {
  type: "CONFERENCE-POLICY";
  /** made by the server, 128 bits of chance */
  id: string;
  policy: Policy;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** So it is. */
export interface ConferencePolicyOk {
  type: "CONFERENCE-POLICY-OK";
  /** made by the server, 128 bits of chance */
  id: string;
  policy: Policy;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Codes: unknown-conference, forbidden, too-many (of its owner are open). */
export interface ConferencePolicyFailed {
  type: "CONFERENCE-POLICY-FAILED";
  code: ErrorCode;
  reason?: string;
  retry_after_s?: number;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/**
 * A leg asks for the code of its link; the owner may ask for a new one, which voids the old.  It works while the
 * policy is `link` or `open`.  Answer: CONFERENCE-LINK-OK or -FAILED.
 */
export interface ConferenceLink {
  type: "CONFERENCE-LINK";
  /** made by the server, 128 bits of chance */
  id: string;
  /** Default: false. */
  new?: boolean;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** The page `/#/join/CODE` of this server takes whoever has an account in. */
export interface ConferenceLinkOk {
  type: "CONFERENCE-LINK-OK";
  /** made by the server, 128 bits of chance */
  id: string;
  code: string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Codes: unknown-conference, not-inside, forbidden. */
export interface ConferenceLinkFailed {
  type: "CONFERENCE-LINK-FAILED";
  code: ErrorCode;
  reason?: string;
  retry_after_s?: number;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/**
 * The owner switches somebody's microphone or camera off for all, or lets them on.  They are told (row A69).
 * Answer: CONFERENCE-MUTE-OK or -FAILED.
 */
export interface ConferenceMute {
  type: "CONFERENCE-MUTE";
  /** made by the server, 128 bits of chance */
  id: string;
  /** `login@domain/device`, written by the server */
  leg: string;
  /** True: off; False: may be switched on; absent: as it is. */
  audio?: boolean;
  video?: boolean;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Done. */
export interface ConferenceMuteOk {
  type: "CONFERENCE-MUTE-OK";
  /** made by the server, 128 bits of chance */
  id: string;
  /** `login@domain/device`, written by the server */
  leg: string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Codes: unknown-conference, forbidden, not-inside. */
export interface ConferenceMuteFailed {
  type: "CONFERENCE-MUTE-FAILED";
  code: ErrorCode;
  reason?: string;
  retry_after_s?: number;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** The owner puts a leg out; its person comes back by invitation only.  Answer: CONFERENCE-REMOVE-OK or -FAILED. */
export interface ConferenceRemove {
  type: "CONFERENCE-REMOVE";
  /** made by the server, 128 bits of chance */
  id: string;
  /** `login@domain/device`, written by the server */
  leg: string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Out. */
export interface ConferenceRemoveOk {
  type: "CONFERENCE-REMOVE-OK";
  /** made by the server, 128 bits of chance */
  id: string;
  /** `login@domain/device`, written by the server */
  leg: string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Codes: unknown-conference, forbidden, not-inside, self. */
export interface ConferenceRemoveFailed {
  type: "CONFERENCE-REMOVE-FAILED";
  code: ErrorCode;
  reason?: string;
  retry_after_s?: number;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/**
 * This device's leg is muted, hidden, sharing, held, asking; what is absent stays.  Answer: -OK or -FAILED.
 *
 * A device that comes into another conference with sound or pictures is `held` where it was, until it says otherwise.
 */
export interface ConferenceLegSet {
  type: "CONFERENCE-LEG-SET";
  /** made by the server, 128 bits of chance */
  id: string;
  is_muted?: boolean;
  is_hidden?: boolean;
  is_sharing?: boolean;
  held?: boolean;
  asks?: boolean;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Told to all legs, this one too, by CONFERENCE-LEG, if it is new. */
export interface ConferenceLegSetOk {
  type: "CONFERENCE-LEG-SET-OK";
  /** made by the server, 128 bits of chance */
  id: string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Codes: unknown-conference, not-inside, forbidden (the owner has switched it off). */
export interface ConferenceLegSetFailed {
  type: "CONFERENCE-LEG-SET-FAILED";
  code: ErrorCode;
  reason?: string;
  retry_after_s?: number;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** A text for the room of a conference.  Answer: CONFERENCE-MESSAGE-SENT, once stored, or -FAILED. */
export interface ConferenceMessageSend {
  type: "CONFERENCE-MESSAGE";
  /** made by the server, 128 bits of chance */
  id: string;
  /** code points, any text */
  text: string;
  /** the sender's own id of a request; a repeat from the same device is answered, not done again */
  cookie?: string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Stored. */
export interface ConferenceMessageSent {
  type: "CONFERENCE-MESSAGE-SENT";
  /** made by the server, 128 bits of chance */
  id: string;
  seq: number;
  /** RFC 3339, UTC */
  at: string;
  /** the sender's own id of a request; a repeat from the same device is answered, not done again */
  cookie?: string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Codes: unknown-conference, not-inside, storage-full, try-again-later. */
export interface ConferenceMessageFailed {
  type: "CONFERENCE-MESSAGE-FAILED";
  code: ErrorCode;
  reason?: string;
  retry_after_s?: number;
  /** chosen by the client, echoed in the answer */
  tag?: string;
  /** the sender's own id of a request; a repeat from the same device is answered, not done again */
  cookie?: string;
}

/** A text of the room, told to every leg but the one that sent it. */
export interface ConferenceMessage {
  type: "CONFERENCE-MESSAGE";
  /** made by the server, 128 bits of chance */
  id: string;
  seq: number;
  /** `login@domain`, written by the server */
  from: string;
  /** RFC 3339, UTC */
  at: string;
  text: string;
}

/** A leg asks for texts of the room: the newest, or those before a seq.  Answer: -OK or -FAILED. */
export interface ConferenceHistoryGet {
  type: "CONFERENCE-HISTORY-GET";
  /** made by the server, 128 bits of chance */
  id: string;
  before?: number;
  /** Default: 50. */
  limit?: number;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** A page, oldest first. */
export interface ConferenceHistoryGetOk {
  type: "CONFERENCE-HISTORY-GET-OK";
  /** made by the server, 128 bits of chance */
  id: string;
  messages: RoomMessage[];
  /** Default: false. */
  more?: boolean;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Codes: unknown-conference, not-inside. */
export interface ConferenceHistoryGetFailed {
  type: "CONFERENCE-HISTORY-GET-FAILED";
  code: ErrorCode;
  reason?: string;
  retry_after_s?: number;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** A leg is new, or begins anew with the epoch it has here, and keeps its place in the list (row A44). */
export interface ConferenceJoined {
  type: "CONFERENCE-JOINED";
  /** made by the server, 128 bits of chance */
  id: string;
  leg: Leg;
}

/**
 * A leg is gone; told to the others, and to the leg itself when it did not ask for it.
 *
 * Codes: logged-out (left), offline (its link broke and it did not come back), removed, revoked, disabled,
 * account-deleted, replaced (by another device of its person, with one_leg_per_user).
 */
export interface ConferenceLeft {
  type: "CONFERENCE-LEFT";
  /** made by the server, 128 bits of chance */
  id: string;
  /** `login@domain/device`, written by the server */
  leg: string;
  code: ErrorCode;
  reason?: string;
}

/** A leg as it stands now, with the epoch it had. */
export interface ConferenceLegChanged {
  type: "CONFERENCE-LEG";
  /** made by the server, 128 bits of chance */
  id: string;
  leg: Leg;
}

/** A patch: the fields that are there are new. */
export interface ConferenceChanged {
  type: "CONFERENCE-CHANGED";
  /** made by the server, 128 bits of chance */
  id: string;
  name?: string;
  /** `login@domain`, written by the server */
  owner?: string;
  /** Empty: the owner is back. */
  acting_owner?: string;
  policy?: Policy;
  /** All of them. */
  calls?: Call[];
  /** Who did it. */
  by?: string;
}

/**
 * It is over; told to its legs (row A70).
 *
 * Codes: ended (by its owner), owner-left, empty, account-deleted.
 */
export interface ConferenceEnded {
  type: "CONFERENCE-ENDED";
  /** made by the server, 128 bits of chance */
  id: string;
  name: string;
  code: ErrorCode;
  reason?: string;
  /** `login@domain`, written by the server */
  by?: string;
}

/** What I may see of it now, whole.  Told to all devices of mine, inside or outside. */
export interface ConferenceSeen {
  type: "CONFERENCE-SEEN";
  conference: ConferenceView;
}

/** There is nothing of it any more that I may see. */
export interface ConferenceUnseen {
  type: "CONFERENCE-UNSEEN";
  /** made by the server, 128 bits of chance */
  id: string;
}

/**
 * Calls people, or answers.  Answer: CALL-OK or CALL-FAILED; after `accepted`, CONFERENCE-JOIN-OK or CALL-FAILED.
 *
 * initiate  `users` are called: into conference `id`, where this device is, or, without it, into a new one named after
 *           the people, by invitation, in which this device is the first leg (CONFERENCE-JOIN-OK comes first);
 *           if the only one of them is calling me alone, this device takes that call, and CALL-OK says `accepted`
 * reinvite  `users`, who were inside or called, are called again; any leg may (row V29); `reinvitation` is read too
 * accepted  this device takes the call and is a leg of `id`
 * abort     I decline; or, with `users`, I stop calling them; or, without, I called and stop calling anybody
 * occupied  I am in another call; sent by the device by itself (row V32)
 */
export interface CallPacket {
  type: "CALL";
  status: CallStatus;
  /** made by the server, 128 bits of chance */
  id?: string;
  users?: string[];
  /** Default: "video". */
  media?: MediaKind;
  message?: string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Done; for `initiate` and `reinvite`: it rings. */
export interface CallOk {
  type: "CALL-OK";
  /** made by the server, 128 bits of chance */
  id: string;
  status: CallStatus;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/**
 * Codes: unknown-conference, unknown-request (no call of mine waits there), unknown-user, self, not-friends,
 * forbidden, already-there (inside, or called already), not-inside, too-many, try-again-later, bad-request.
 */
export interface CallFailed {
  type: "CALL-FAILED";
  code: ErrorCode;
  reason?: string;
  retry_after_s?: number;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/**
 * A step of a call, told to every device of those whom it concerns: the called, who called, and the legs.
 *
 * initiate, reinvite: to the called (`users` are all who are called, the one who is told among them), to be confirmed
 * by the person before a camera is touched; accepted, abort, occupied, missed: `from` said so, or was not there.
 * A call that waits at one's devices is over by `accepted`, `abort`, `occupied` from oneself, `abort` from who called,
 * or `missed`.  A device that logs in while it rings is told too.
 */
export interface Called {
  type: "CALL";
  /** made by the server, 128 bits of chance */
  id: string;
  status: CallStatus;
  /** `login@domain`, written by the server */
  from: string;
  /** `login@domain`, written by the server */
  initiator: string;
  users?: string[];
  /** Of the conference. */
  name?: string;
  /** RFC 3339, UTC */
  at: string;
  /** Default: "video". */
  media?: MediaKind;
  message?: string;
}

/** In a message without text: its author called its reader. */
export interface CallEntry {
  outcome: CallOutcome;
  /** made by the server, 128 bits of chance */
  conference?: string;
  /** From the answer to the end of the conference; 0 until then. Default: 0. */
  duration_s?: number;
}

/** From this device's leg to another leg of the same conference.  No answer unless it fails. */
export interface Signal {
  type: "SIGNAL";
  /** made by the server, 128 bits of chance */
  id: string;
  /** `login@domain/device`, written by the server */
  to: string;
  /** Of the pair. */
  epoch: number;
  kind: SignalKind;
  sdp?: string;
  /** as RTCIceCandidate; empty: there are no more */
  candidate?: string;
  mid?: string;
  /** Default: 0. */
  mline?: number;
  /**
   * Of a device that has an identity, with an offer or an answer: the certificates of the device and its account,
   * DER in Base64, with a comma between.
   */
  identity?: string;
  /**
   * By the device's key, in Base64, over whose description it is and the DTLS fingerprints in it: RSASSA-PKCS1-v1_5
   * with SHA-512 of the JSON array `["veche call 1", id, from, to, epoch, [fingerprints]]` (media/identity.py).
   */
  signature?: string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Codes: unknown-conference, not-inside (I am not, or they are not). */
export interface SignalFailed {
  type: "SIGNAL-FAILED";
  code: ErrorCode;
  reason?: string;
  retry_after_s?: number;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** From another leg of a conference to this device's leg. */
export interface Signalled {
  type: "SIGNAL";
  /** made by the server, 128 bits of chance */
  id: string;
  /** `login@domain/device`, written by the server */
  from: string;
  epoch: number;
  kind: SignalKind;
  sdp?: string;
  candidate?: string;
  mid?: string;
  /** Default: 0. */
  mline?: number;
  identity?: string;
  signature?: string;
}

/** Asks for STUN and TURN servers with credentials for this session, as CONFERENCE-JOIN-OK has them. */
export interface IceServersGet {
  type: "ICE-SERVERS-GET";
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** They work until `expires_at`. */
export interface IceServersGetOk {
  type: "ICE-SERVERS-GET-OK";
  ice_servers: IceServer[];
  /** RFC 3339, UTC */
  expires_at?: string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Asks for a page of the accounts, by login.  Answer: ADMIN-ACCOUNTS-GET-OK or -FAILED. */
export interface AdminAccountsGet {
  type: "ADMIN-ACCOUNTS-GET";
  /** part of a login; empty: all */
  query?: string;
  /** `next` of the page before. */
  after?: string;
  /** Default: 100. */
  limit?: number;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** One account, as administrators see it: never what it wrote or to whom. */
export interface AccountEntry {
  /** `login@domain`, written by the server */
  login: string;
  /** RFC 3339, UTC */
  created_at: string;
  /** When they last came or went; absent: never. */
  seen_at?: string;
  /** Default: false. */
  online?: boolean;
  /** Default: false. */
  admin?: boolean;
  /** Default: false. */
  disabled?: boolean;
  /** Of all files that it has uploaded. Default: 0. */
  file_bytes?: number;
}

/** A page of the accounts; deleted ones are not among them. */
export interface AdminAccountsGetOk {
  type: "ADMIN-ACCOUNTS-GET-OK";
  accounts: AccountEntry[];
  /** `after` of the next page; absent on the last one. */
  next?: string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Codes: forbidden, bad-login (`after`). */
export interface AdminAccountsGetFailed {
  type: "ADMIN-ACCOUNTS-GET-FAILED";
  code: ErrorCode;
  reason?: string;
  retry_after_s?: number;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/**
 * Disables an account or lets it in again, makes it an administrator or not.  What is left out stays as it is.
 *
 * A disabled account keeps all it has, and others can write to it.  Its sessions end with GOODBYE code=disabled, and
 * nothing logs it in: who brings the right password or token is told `disabled`, others wrong-credentials as ever.
 */
export interface AdminAccountChange {
  type: "ADMIN-ACCOUNT-CHANGE";
  /** `login`, or `login@domain` */
  login: string;
  disabled?: boolean;
  admin?: boolean;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** The account as it is now.  It learns of `admin` at its next login; the right itself holds at once. */
export interface AdminAccountChangeOk {
  type: "ADMIN-ACCOUNT-CHANGE-OK";
  /** `login@domain`, written by the server */
  login: string;
  /** Default: false. */
  disabled?: boolean;
  /** Default: false. */
  admin?: boolean;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Nothing changed.  Codes: forbidden, unknown-user, bad-login, last-admin. */
export interface AdminAccountChangeFailed {
  type: "ADMIN-ACCOUNT-CHANGE-FAILED";
  code: ErrorCode;
  reason?: string;
  retry_after_s?: number;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Asks for a one-time code with which REGISTER sets a new password of this account; an earlier one is void. */
export interface AdminAccountReset {
  type: "ADMIN-ACCOUNT-RESET";
  /** `login`, or `login@domain` */
  login: string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** The code, shown this once.  Its use revokes the account's sessions as PASSWORD-CHANGE does; tokens stay. */
export interface AdminAccountResetOk {
  type: "ADMIN-ACCOUNT-RESET-OK";
  /** `login@domain`, written by the server */
  login: string;
  code: string;
  /** RFC 3339, UTC */
  expires_at: string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Codes: forbidden, unknown-user, bad-login. */
export interface AdminAccountResetFailed {
  type: "ADMIN-ACCOUNT-RESET-FAILED";
  code: ErrorCode;
  reason?: string;
  retry_after_s?: number;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Asks for the invites that still let somebody in.  Answer: ADMIN-INVITES-GET-OK or -FAILED. */
export interface AdminInvitesGet {
  type: "ADMIN-INVITES-GET";
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** One invite, without its code. */
export interface InviteEntry {
  id: number;
  uses_left: number;
  /** RFC 3339, UTC */
  created_at: string;
  /** RFC 3339, UTC */
  expires_at?: string;
  /** Becomes a friend of those whom it lets in. */
  inviter?: string;
}

/** The invites, newest first, 1,000 at most. */
export interface AdminInvitesGetOk {
  type: "ADMIN-INVITES-GET-OK";
  invites: InviteEntry[];
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Code: forbidden. */
export interface AdminInvitesGetFailed {
  type: "ADMIN-INVITES-GET-FAILED";
  code: ErrorCode;
  reason?: string;
  retry_after_s?: number;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Makes an invite; the administrator who asks becomes a friend of those whom it lets in. */
export interface InviteCreate {
  type: "INVITE-CREATE";
  /** Default: 1. */
  uses?: number;
  /** seconds. Default: 604800. */
  expires_s?: number;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** The invite, shown this once. */
export interface InviteCreateOk {
  type: "INVITE-CREATE-OK";
  id: number;
  /** What `veche invite` prints: https://HOST:PORT/invite/CODE#sha256=HEX */
  link: string;
  code: string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Code: forbidden. */
export interface InviteCreateFailed {
  type: "INVITE-CREATE-FAILED";
  code: ErrorCode;
  reason?: string;
  retry_after_s?: number;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Ends an invite; the accounts that it made stay. */
export interface InviteRevoke {
  type: "INVITE-REVOKE";
  id: number;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** It lets nobody in any more. */
export interface InviteRevokeOk {
  type: "INVITE-REVOKE-OK";
  id: number;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Codes: forbidden, unknown-id. */
export interface InviteRevokeFailed {
  type: "INVITE-REVOKE-FAILED";
  code: ErrorCode;
  reason?: string;
  retry_after_s?: number;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Asks how the server is.  Answer: ADMIN-SERVER-GET-OK or -FAILED. */
export interface AdminServerGet {
  type: "ADMIN-SERVER-GET";
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** How the server is. */
export interface AdminServerGetOk {
  type: "ADMIN-SERVER-GET-OK";
  version: string;
  /** RFC 3339, UTC */
  started_at: string;
  uptime_s: number;
  /** Deleted ones not counted. */
  accounts: number;
  /** Accounts that are logged in. */
  online: number;
  /** Their links. */
  sessions: number;
  /** The id of the newest entry of the log: so many were stored so far, edits, reactions and erased ones included. */
  messages: number;
  database_bytes: number;
  /** Of all whole files, contents that are the same counted once. */
  file_bytes: number;
  /** Left on the disk of the files. */
  free_bytes: number;
  registration: Registration;
  domain: string;
  /** SHA-256 of the certificate, hexadecimal. */
  fingerprint: string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Code: forbidden. */
export interface AdminServerGetFailed {
  type: "ADMIN-SERVER-GET-FAILED";
  code: ErrorCode;
  reason?: string;
  retry_after_s?: number;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/**
 * Says who may make an account, from now on; HELLO tells it.
 *
 * It is kept.  At the next start a flag, VECHE_REGISTRATION or veche.toml is stronger, and no other is.
 */
export interface AdminRegistrationSet {
  type: "ADMIN-REGISTRATION-SET";
  registration: Registration;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** It is so. */
export interface AdminRegistrationSetOk {
  type: "ADMIN-REGISTRATION-SET-OK";
  registration: Registration;
  /** A flag, VECHE_REGISTRATION or veche.toml says something else, and is stronger at the next start. Default: false. */
  until_restart?: boolean;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Code: forbidden. */
export interface AdminRegistrationSetFailed {
  type: "ADMIN-REGISTRATION-SET-FAILED";
  code: ErrorCode;
  reason?: string;
  retry_after_s?: number;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Tells something to everyone, also to those who come later; an empty text takes it away. */
export interface AdminAnnounce {
  type: "ADMIN-ANNOUNCE";
  /** code points; empty: none any more */
  text: string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Told and kept, or taken away. */
export interface AdminAnnounceOk {
  type: "ADMIN-ANNOUNCE-OK";
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Code: forbidden. */
export interface AdminAnnounceFailed {
  type: "ADMIN-ANNOUNCE-FAILED";
  code: ErrorCode;
  reason?: string;
  retry_after_s?: number;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** What an administrator tells everyone; there is one at a time. */
export interface Announcement {
  text: string;
  /** RFC 3339, UTC */
  at: string;
  /** `login@domain`, written by the server */
  by: string;
}

/** The announcement is a new one; empty: there is none any more. */
export interface Announced {
  type: "ANNOUNCEMENT";
  /** code points; empty: none any more */
  text: string;
  /** RFC 3339, UTC */
  at: string;
  /** `login@domain`, written by the server */
  by: string;
}

/** A classic terminal is here.  The server asks for the username; other profiles answer ERROR-NOT-IMPLEMENTED. */
export interface ClassicStart {
  type: "CLASSIC";
}

/** One line as it was typed. */
export interface Input {
  type: "INPUT";
  text: string;
}

/** One line to be printed (row T59). */
export interface Response {
  type: "RESPONSE";
  message: string;
  /** Default: false. */
  from_server?: boolean;
  /** Who says it, when a person does. */
  from?: string;
  /** The line stays open: what is typed next answers it. Default: false. */
  prompt?: boolean;
  /** The terminal's program ends with this exit code. */
  exit?: number;
}

/** All that a client may send. */
export type ClientPacket =
  | ClientHello
  | Ping
  | Pong
  | Goodbye
  | Register
  | Connect
  | ConnectContinue
  | PasswordChange
  | TokenCreate
  | TokenList
  | TokenRevoke
  | SessionsGet
  | SessionsRevoke
  | AccountDelete
  | AccountExport
  | MessageSend
  | MessageDeliveredUpTo
  | MessageReadUpTo
  | Edit
  | Retract
  | React
  | TypingStartedTo
  | TypingEndTo
  | HistoryGet
  | Search
  | Block
  | Unblock
  | ContactsGet
  | ContactsAdd
  | ContactsChange
  | ContactsUpdate
  | ContactsDelete
  | FriendRequest
  | FriendAnswer
  | FriendIgnore
  | FriendCancel
  | FriendRemove
  | PresenceSet
  | WhoElse
  | WhoElseSince
  | ProfileUpdate
  | ProfileGet
  | BroadcastSend
  | FileUpload
  | FileDownload
  | SendFileProxy
  | SendFileProxyAccept
  | SendFileProxyReject
  | SendFileProxyCancel
  | PrivateStart
  | PrivateAnswer
  | PrivateStop
  | ConferenceCreate
  | ConferenceJoin
  | ConferenceLeave
  | ConferenceGet
  | ConferenceList
  | ConferenceDelete
  | ConferenceRename
  | ConferenceTransfer
  | ConferencePolicy
  | ConferenceLink
  | ConferenceMute
  | ConferenceRemove
  | ConferenceLegSet
  | ConferenceMessageSend
  | ConferenceHistoryGet
  | CallPacket
  | Signal
  | IceServersGet
  | AdminAccountsGet
  | AdminAccountChange
  | AdminAccountReset
  | AdminInvitesGet
  | InviteCreate
  | InviteRevoke
  | AdminServerGet
  | AdminRegistrationSet
  | AdminAnnounce
  | ClassicStart
  | Input;

/** All that a server may send. */
export type ServerPacket =
  | ServerHello
  | Ping
  | Pong
  | Goodbye
  | Error
  | ErrorNotImplemented
  | RegisterOk
  | RegisterFailed
  | ConnectAck
  | ConnectOk
  | ConnectFailed
  | PasswordChangeOk
  | PasswordChangeFailed
  | TokenCreateOk
  | TokenCreateFailed
  | TokenListOk
  | TokenRevokeOk
  | TokenRevokeFailed
  | SessionsGetOk
  | SessionsRevokeOk
  | SessionsRevokeFailed
  | AccountDeleteOk
  | AccountDeleteFailed
  | AccountExportOk
  | AccountExportFailed
  | Message
  | MessageSent
  | MessageSendFailed
  | MessageDelivered
  | MessageRead
  | MessageReadFailed
  | EditOk
  | EditFailed
  | Edited
  | RetractOk
  | RetractFailed
  | Retracted
  | ReactOk
  | ReactFailed
  | Reacted
  | TypingStarted
  | TypingEnd
  | Snapshot
  | ReplayEnd
  | HistoryGetOk
  | HistoryGetFailed
  | SearchOk
  | SearchFailed
  | BlockOk
  | BlockFailed
  | UnblockOk
  | UnblockFailed
  | ContactUpdated
  | ContactsGetResponse
  | ContactsAddOk
  | ContactsAddFailed
  | ContactsChangeOk
  | ContactsChangeFailed
  | ContactsDeleteOk
  | ContactsDeleteFailed
  | FriendRequested
  | FriendRequestOk
  | FriendRequestFailed
  | FriendAnswerOk
  | FriendAnswerFailed
  | FriendIgnoreOk
  | FriendIgnoreFailed
  | FriendCancelOk
  | FriendCancelFailed
  | FriendRemoveOk
  | FriendRemoveFailed
  | UpdateLastSeen
  | WhoElseOk
  | WhoElseSinceOk
  | WhoElseSinceFailed
  | ProfileUpdateOk
  | ProfileUpdateFailed
  | ProfileGetOk
  | ProfileGetFailed
  | Broadcast
  | BroadcastOk
  | BroadcastFailed
  | FileUploadOk
  | FileUploadFailed
  | FileDownloadOk
  | FileDownloadFailed
  | SendFileProxyAsked
  | SendFileProxyFailed
  | SendFileProxyRequest
  | SendFileProxyAcceptOk
  | SendFileProxyAcceptFailed
  | SendFileProxyRejectOk
  | SendFileProxyRejectFailed
  | SendFileProxyCancelOk
  | SendFileProxyCancelFailed
  | SendFileProxyOk
  | SendFileProxyRejected
  | SendFileProxyReady
  | SendFileProxyCompleted
  | SendFileProxyCancelled
  | PrivateRequest
  | PrivateStartOk
  | PrivateStartFailed
  | PrivateAnswerOk
  | PrivateAnswerFailed
  | PrivateAnswered
  | PrivateStopOk
  | PrivateStopFailed
  | PrivateStopped
  | ConferenceCreateFailed
  | ConferenceJoinOk
  | ConferenceJoinFailed
  | ConferenceLeaveOk
  | ConferenceLeaveFailed
  | ConferenceGetOk
  | ConferenceGetFailed
  | ConferenceListOk
  | ConferenceDeleteOk
  | ConferenceDeleteFailed
  | ConferenceRenameOk
  | ConferenceRenameFailed
  | ConferenceTransferOk
  | ConferenceTransferFailed
  | ConferencePolicyOk
  | ConferencePolicyFailed
  | ConferenceLinkOk
  | ConferenceLinkFailed
  | ConferenceMuteOk
  | ConferenceMuteFailed
  | ConferenceRemoveOk
  | ConferenceRemoveFailed
  | ConferenceLegSetOk
  | ConferenceLegSetFailed
  | ConferenceMessageSent
  | ConferenceMessageFailed
  | ConferenceMessage
  | ConferenceHistoryGetOk
  | ConferenceHistoryGetFailed
  | ConferenceJoined
  | ConferenceLeft
  | ConferenceLegChanged
  | ConferenceChanged
  | ConferenceEnded
  | ConferenceSeen
  | ConferenceUnseen
  | CallOk
  | CallFailed
  | Called
  | SignalFailed
  | Signalled
  | IceServersGetOk
  | AdminAccountsGetOk
  | AdminAccountsGetFailed
  | AdminAccountChangeOk
  | AdminAccountChangeFailed
  | AdminAccountResetOk
  | AdminAccountResetFailed
  | AdminInvitesGetOk
  | AdminInvitesGetFailed
  | InviteCreateOk
  | InviteCreateFailed
  | InviteRevokeOk
  | InviteRevokeFailed
  | AdminServerGetOk
  | AdminServerGetFailed
  | AdminRegistrationSetOk
  | AdminRegistrationSetFailed
  | AdminAnnounceOk
  | AdminAnnounceFailed
  | Announced
  | Response;
