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
  "not-implemented": "This server does not have that.",
  "try-again-later": "The server is busy. Try again later.",
  "storage-full": "The server could not store this. Nothing was saved.",
  "internal-error": "Something went wrong on the server.",
  "replaced": "This device connected from elsewhere.",
  "revoked": "This session was revoked.",
  "account-deleted": "This account was deleted.",
  "slow-consumer": "The client does not read what it is sent.",
  "idle": "The link was silent for too long.",
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

/** Nothing was stored.  Codes: unknown-user, self, unknown-message (reply_to), storage-full, try-again-later. */
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
  | Unblock;

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
  | UnblockFailed;
