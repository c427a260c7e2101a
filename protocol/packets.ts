// What crosses a wire, one JSON object a line (docs/protocol.md).
// Written by tools/typescript.py from src/veche/packets; do not edit.  python3 dev.py protocol

/** Longest line a client may send, in bytes, its end included. */
export const MAX_LINE_BYTES = 65536;
/** Longest text of one message, in code points. */
export const MAX_TEXT = 16384;

/** Why something was refused. */
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
  /** The server cannot store.  Nothing was stored; the administrator must make room. */
  | "storage-full"
  /** A fault of the server, logged there.  Repeat later with the same cookie. */
  | "internal-error"
  /** The same device connected again; this older link is closed. */
  | "replaced"
  /** The session was revoked from another device.  Log in with the password. */
  | "revoked"
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
  /** Who asked no longer asks. */
  | "withdrawn"
  /** Another device of yours has answered. */
  | "answered"
  /** The budget of bad lines is spent.  Fix the sender. */
  | "too-many-errors"
  /** The server stops.  Reconnect after `retry_after_s`. */
  | "shutting-down"
  /** You asked for it. */
  | "logged-out";

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
  "unknown-id": "There is none of that id.",
  "unknown-request": "There is no such request, or no longer.",
  "already-there": "It is so already.",
  "not-friends": "You are not friends.",
  "offline": "They are not online.",
  "blocked": "They have blocked you.",
  "too-many": "There are too many already. Remove one first.",
  "not-implemented": "This server does not have that.",
  "try-again-later": "The server is busy. Try again later.",
  "storage-full": "The server could not store this. Nothing was saved.",
  "internal-error": "Something went wrong on the server.",
  "replaced": "This device connected from elsewhere.",
  "revoked": "This session was revoked.",
  "account-deleted": "This account was deleted.",
  "slow-consumer": "The client does not read what it is sent.",
  "idle": "The link was silent for too long.",
  "inactive": "You were logged out: no command came for too long.",
  "no-answer": "They did not answer.",
  "withdrawn": "The request was withdrawn.",
  "answered": "Another device of yours has answered.",
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

/** Makes an account.  Answer: REGISTER-OK or REGISTER-FAILED. */
export interface Register {
  type: "REGISTER";
  /** `login`, or `login@domain` */
  login: string;
  password: string;
  /** An invite code, or the one-time set-up code that the first start prints. */
  code?: string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** The account exists; CONNECT works. */
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
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/** Not logged in.  Codes: wrong-credentials, locked, unknown-mechanism, bad-request, already-logged-in. */
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

/** Nothing was deleted.  Codes: wrong-credentials, locked. */
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

/** Asks the home server to deliver one text.  Answer: MESSAGE-SENT, once it is stored, or MESSAGE-SEND-FAILED. */
export interface MessageSend {
  type: "MESSAGE";
  /** `login`, or `login@domain` */
  to: string;
  /** code points, any text */
  text: string;
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
  /** made by the server, ascending in the order of storing */
  reply_to?: number;
  /** Replayed after an edit: `text` is the newest. Default: false. */
  edited?: boolean;
  /** Replayed after a retraction: `text` is empty. Default: false. */
  retracted?: boolean;
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
  /** the sender's own id of a request; a repeat from the same device is answered, not done again */
  cookie?: string;
  /** chosen by the client, echoed in the answer */
  tag?: string;
}

/**
 * Nothing was stored.
 *
 * Codes: unknown-user, self, unknown-message (reply_to), forbidden, storage-full, try-again-later; in the classic
 * profile also blocked.
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
  /** made by the server, ascending in the order of storing */
  reply_to?: number;
  /** Default: false. */
  edited?: boolean;
  /** Default: false. */
  retracted?: boolean;
  reactions?: Reaction[];
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

/** Asks somebody for a private session with this device.  Answer: PRIVATE-START-OK or -FAILED. */
export interface PrivateStart {
  type: "PRIVATE-START";
  /** `login`, or `login@domain` */
  login: string;
  /** X.509, DER, Base64; made for this session by its device */
  certificate: string;
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

/** Codes: unknown-user, self, offline, not-friends, already-there (a request waits); classic profile: blocked. */
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
  /** X.509, DER, Base64; made for this session by its device */
  certificate: string;
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
  certificate?: string;
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
  | PrivateStart
  | PrivateAnswer
  | PrivateStop
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
  | PrivateRequest
  | PrivateStartOk
  | PrivateStartFailed
  | PrivateAnswerOk
  | PrivateAnswerFailed
  | PrivateAnswered
  | PrivateStopOk
  | PrivateStopFailed
  | PrivateStopped
  | Response;
