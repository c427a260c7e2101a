/**
 * What a client knows, as a pure fold of packets: `state = fold(state, packet)`.
 *
 * Rules:
 *
 * 1. A message is a base (MESSAGE, HISTORY-GET-OK, or one's own MESSAGE-SENT) and changes on top of it.  Changes are
 *    registers in which the highest id of a change wins, and a retraction wins for ever; so they may come before their
 *    message, twice, or beside a page of history that is older than they are, and the result is the same.
 * 2. Marks (read, delivered) only rise.
 * 3. How much is unread follows from the last snapshot, the messages that are known and the read mark (select.ts).
 * 4. Typing ends by TYPING-END, by a message, or 10 s after it was last heard of.
 * 5. What this device sends is `pending` until MESSAGE-SENT turns it into a message, or a refusal says why it will not be.
 *
 * Law: a snapshot and the events after it give what a fresh snapshot gives.
 *
 * The twin of src/veche/client/state.py; protocol/vectors/fold.json holds them together.
 * Source: rows M16-M23, X01, X04, X15, X17.
 */
import type * as wire from "../protocol";
import { ERROR_TEXT } from "../protocol";
import { type Conferences, FOLD_CONFERENCES, NO_CONFERENCES } from "./conferences";
import { address, type Contact, FOLD_PEOPLE, NO_PROFILE, type People } from "./people";
import { Posts } from "./posts";

/** Typing ends by itself after so long. */
export const TYPING_S = 10;

/** Whether somebody has reacted so.  id: the change that says it, 0: the base. */
export interface Register {
  readonly by: string;
  readonly emoji: string;
  readonly id: number;
  readonly isThere: boolean;
}

/** One message as it stands.  While only changes of it are known, `at` is empty. */
export interface Post {
  readonly id: number;
  readonly author: string;
  readonly at: string;
  readonly text: string;
  readonly files: readonly wire.FileInfo[];
  /** Not a text, but a call of the author to the reader. */
  readonly call: wire.CallEntry | null;
  readonly replyTo: number | null;
  readonly edited: boolean;
  readonly retracted: boolean;
  /** The edit that the text is of, 0: the base's. */
  readonly textId: number;
  /** The change that took it back, 0: not known. */
  readonly retractId: number;
  readonly registers: readonly Register[];
}

/** A message of this device that is not stored yet, or never will be (`failed` says why). */
export interface Pending {
  readonly text: string;
  /** Ids of uploads. */
  readonly files: readonly string[];
  readonly replyTo: number | null;
  readonly failed: string;
}

export interface Conversation {
  readonly peer: string;
  /** The messages that are known. */
  readonly posts: Posts;
  /** Changes of messages that are not. */
  readonly changes: ReadonlyMap<number, Post>;
  /** By key, in the order of sending. */
  readonly pending: ReadonlyMap<string, Pending>;
  /** The newest entry known. */
  readonly lastId: number;
  readonly readId: number;
  readonly peerReadId: number;
  readonly peerDeliveredId: number;
  /** Every message from this id on is in `posts`; 0: there are no older ones; null: not known. */
  readonly completeFrom: number | null;
  /** The last one told. */
  readonly snapshot: Required<wire.ConversationState> | null;
}

/** Everything that one account's client shows: the people, and what is written between them. */
export interface State extends People, Conferences {
  /** I may do what only administrators may. */
  readonly admin: boolean;
  /** What an administrator tells everyone; there is one at a time. */
  readonly announcement: wire.Announcement | null;
  readonly conversations: ReadonlyMap<string, Conversation>;
  /** Peer -> when it ends, in seconds. */
  readonly typing: ReadonlyMap<string, number>;
}

export const EMPTY: State = {
  me: "",
  keepsCase: false,
  admin: false,
  announcement: null,
  contacts: new Map(),
  profile: NO_PROFILE,
  blocked: new Set(),
  conversations: new Map(),
  typing: new Map(),
  ...NO_CONFERENCES,
};

const NO_CHANGES: ReadonlyMap<number, Post> = new Map();
const NO_PENDING: ReadonlyMap<string, Pending> = new Map();
const NO_REGISTERS: readonly Register[] = [];
const NO_FILES: readonly never[] = [];

/** The conversation with a full address; an empty one when there is none. */
export function conversation(state: State, peer: string): Conversation {
  return state.conversations.get(peer) ?? emptyConversation(peer);
}

/** A conversation of which nothing is known. */
export function emptyConversation(peer: string): Conversation {
  return {
    peer,
    posts: Posts.empty,
    changes: NO_CHANGES,
    pending: NO_PENDING,
    lastId: 0,
    readId: 0,
    peerReadId: 0,
    peerDeliveredId: 0,
    completeFrom: null,
    snapshot: null,
  };
}

/** request: what the packet answers.  now: seconds, for typing. */
export interface Context {
  readonly request?: wire.ClientPacket | undefined;
  readonly now?: number;
}

/** A packet of the server and what it comes in. */
export interface Arrival extends Context {
  readonly packet: wire.ServerPacket;
}

/** The state after one packet of the server. */
export function fold(state: State, packet: wire.ServerPacket, context: Context = {}): State {
  return foldAll(state, [{ packet, ...context }]);
}

/** The state after a batch of packets, oldest first; each map that changes is copied once. */
export function foldAll(state: State, arrivals: Iterable<Arrival>): State {
  const draft = new Draft(state);
  for (const arrival of arrivals) {
    const step = FOLDS[arrival.packet.type] as Fold<wire.ServerPacket> | undefined;
    step?.(draft, arrival.packet, arrival);
  }
  return draft.done();
}

/** The state when a MESSAGE of ours is about to be sent under this key. */
export function sending(state: State, packet: wire.MessageSend, key: string): State {
  return changed(state, address(state, packet.to), (old) => {
    const { text = "", files = NO_FILES, reply_to: replyTo = null } = packet;
    const pending: Pending = { text, files, replyTo, failed: "" };
    return { ...old, pending: new Map(old.pending).set(key, pending) };
  });
}

/** The state without a pending message. */
export function discarded(state: State, peer: string, key: string): State {
  return changed(state, peer, (old) => ({ ...old, pending: without(old.pending, key) }));
}

/** What stays of a state when the session has ended: whose it was. */
export function signedOut({ me, keepsCase }: State): State {
  return { ...EMPTY, me, keepsCase };
}

/** The state without those whose typing has ended. */
export function typingEnded(state: State, now: number): State {
  const typing = new Map([...state.typing].filter(([, until]) => until > now));
  return typing.size === state.typing.size ? state : { ...state, typing };
}

function changed(state: State, peer: string, change: (old: Conversation) => Conversation): State {
  const draft = new Draft(state);
  draft.change(peer, change);
  return draft.done();
}

// -- the draft of the next state

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** The next state while packets are folded into it; what they do not touch is that of the state before. */
export class Draft {
  readonly next: Mutable<State>;
  private readonly base: State;

  constructor(base: State) {
    this.base = base;
    this.next = { ...base };
  }

  contacts(): Map<string, Contact> {
    if (this.next.contacts === this.base.contacts) this.next.contacts = new Map(this.base.contacts);
    return this.next.contacts as Map<string, Contact>;
  }

  change(peer: string, step: (old: Conversation) => Conversation): void {
    if (this.next.conversations === this.base.conversations) {
      this.next.conversations = new Map(this.base.conversations);
    }
    (this.next.conversations as Map<string, Conversation>).set(peer, step(conversation(this.next, peer)));
  }

  typingEnds(peer: string): void {
    if (this.next.typing.has(peer)) this.next.typing = without(this.next.typing, peer);
  }

  done(): State {
    const fields = Object.keys(this.next) as (keyof State)[];
    return fields.every((field) => this.next[field] === this.base[field]) ? this.base : this.next;
  }
}

type Fold<P> = (draft: Draft, packet: P, context: Context) => void;

/** What each packet does to a draft; other packets do nothing. */
export type Folds = {
  readonly [T in wire.ServerPacket["type"]]?: Fold<Extract<wire.ServerPacket, { type: T }>>;
};

type Change = wire.Edited | wire.Retracted | wire.Reacted;

const FOLDS: Folds = {
  ...FOLD_PEOPLE,
  ...FOLD_CONFERENCES,
  MESSAGE(draft, packet) {
    const isMine = packet.from === draft.next.me;
    const peer = isMine ? packet.to : packet.from;
    draft.change(peer, (old) => based(risen(old, "lastId", packet.id), packet));
    if (!isMine) draft.typingEnds(peer);
  },
  "MESSAGE-SENT"(draft, packet, { request }) {
    if (!isSending(request)) return;
    const { id, seq, at, files, cookie } = packet;
    const { text = "", reply_to } = request;
    const base = { id, seq, from: draft.next.me, at, text, files, reply_to };
    draft.change(address(draft.next, request.to), (old) =>
      based({ ...risen(old, "lastId", id), pending: without(old.pending, cookie ?? "") }, base),
    );
  },
  "MESSAGE-SEND-FAILED"(draft, packet, { request }) {
    if (!isSending(request)) return;
    draft.change(address(draft.next, request.to), (old) => {
      const key = packet.cookie ?? "";
      const pending = old.pending.get(key);
      if (pending === undefined) return old;
      const failed = packet.reason || ERROR_TEXT[packet.code];
      return { ...old, pending: new Map(old.pending).set(key, { ...pending, failed }) };
    });
  },
  EDITED: told,
  RETRACTED: told,
  REACTED: told,
  "EDIT-OK"(draft, { id }, { request }) {
    if (request?.type === "EDIT") changedByUs(draft, request.id, { type: "EDITED", id, text: request.text });
  },
  "RETRACT-OK"(draft, { id }, { request }) {
    if (request?.type === "RETRACT") changedByUs(draft, request.id, { type: "RETRACTED", id });
  },
  "REACT-OK"(draft, { id }, { request }) {
    if (request?.type !== "REACT") return;
    const { emoji, remove: removed = false } = request;
    changedByUs(draft, request.id, { type: "REACTED", id, emoji, removed });
  },
  "MESSAGE-READ"(draft, { id, peer, by }) {
    if (by === draft.next.me) draft.change(peer, (old) => risen(old, "readId", id));
    else if (peer === draft.next.me) draft.change(by, (old) => risen(old, "peerReadId", id));
  },
  "MESSAGE-DELIVERED"(draft, { id, peer, by }) {
    if (peer === draft.next.me) draft.change(by, (old) => risen(old, "peerDeliveredId", id));
  },
  "TYPING-STARTED"(draft, { from }, { now = 0 }) {
    draft.next.typing = new Map(draft.next.typing).set(from, now + TYPING_S);
  },
  "TYPING-END"(draft, { from }) {
    draft.typingEnds(from);
  },
  "HISTORY-GET-OK"(draft, packet, { request }) {
    draft.change(packet.peer, (old) => {
      const last = packet.messages.reduce((id, one) => Math.max(id, one.id), 0);
      const next = packet.messages.reduce(based, risen(old, "lastId", last));
      return { ...next, completeFrom: completeFrom(old.completeFrom, packet, request) };
    });
  },
  SNAPSHOT(draft, packet, context) {
    for (const one of packet.conversations ?? []) {
      const told = { last_id: 0, unread: 0, read_id: 0, peer_read_id: 0, peer_delivered_id: 0, ...one };
      draft.change(one.peer, (old) => ({
        ...old,
        lastId: Math.max(old.lastId, told.last_id),
        readId: Math.max(old.readId, told.read_id),
        peerReadId: Math.max(old.peerReadId, told.peer_read_id),
        peerDeliveredId: Math.max(old.peerDeliveredId, told.peer_delivered_id),
        snapshot: told,
      }));
    }
    draft.next.announcement = packet.announcement ?? null;
    FOLD_PEOPLE.SNAPSHOT!(draft, packet, context);
    FOLD_CONFERENCES.SNAPSHOT(draft, packet);
  },
  ANNOUNCEMENT(draft, { text, at, by }) {
    draft.next.announcement = text === "" ? null : { text, at, by };
  },
  "CONNECT-OK"(draft, packet, context) {
    draft.next.admin = packet.admin ?? false;
    FOLD_PEOPLE["CONNECT-OK"]!(draft, packet, context);
  },
  "BLOCK-OK"(draft, packet, context) {
    draft.typingEnds(packet.login);
    FOLD_PEOPLE["BLOCK-OK"]!(draft, packet, context);
  },
};

function isSending(request: wire.ClientPacket | undefined): request is wire.MessageSend {
  return request?.type === "MESSAGE";
}

function without<K, V>(map: ReadonlyMap<K, V>, key: K): ReadonlyMap<K, V> {
  if (!map.has(key)) return map;
  const rest = new Map(map);
  rest.delete(key);
  return rest;
}

function risen(old: Conversation, mark: "lastId" | "readId" | "peerReadId" | "peerDeliveredId", id: number) {
  return id > old[mark] ? { ...old, [mark]: id } : old;
}

/** Since when everything is known, after a page of history. */
function completeFrom(known: number | null, page: wire.HistoryGetOk, request: wire.ClientPacket | undefined) {
  if (request?.type !== "HISTORY-GET" || request.after !== undefined) return known;
  const isJoined = request.before === undefined || (known !== null && request.before >= known);
  if (!isJoined) return known;
  const start = page.more ? Math.min(...page.messages.map((one) => one.id)) : 0;
  return Math.min(start, known ?? Infinity);
}

// -- messages and their changes

function known(old: Conversation, id: number): Post {
  return (
    old.posts.get(id) ??
    old.changes.get(id) ?? {
      id,
      author: "",
      at: "",
      text: "",
      files: NO_FILES,
      call: null,
      replyTo: null,
      edited: false,
      retracted: false,
      textId: 0,
      retractId: 0,
      registers: NO_REGISTERS,
    }
  );
}

function put(old: Conversation, post: Post): Conversation {
  if (post.at === "") return { ...old, changes: new Map(old.changes).set(post.id, post) };
  return { ...old, posts: old.posts.with(post), changes: without(old.changes, post.id) };
}

/** The conversation with the base of a message known. */
function based(old: Conversation, base: wire.Message | wire.HistoryMessage): Conversation {
  const post = known(old, base.id);
  const retracted = post.retracted || (base.retracted ?? false);
  const isNewer = post.textId > 0 || (post.edited && !base.edited);
  let { registers } = post;
  for (const { by, emoji } of ("reactions" in base && base.reactions) || []) {
    if (!registers.some((one) => one.by === by && one.emoji === emoji)) {
      registers = [...registers, { by, emoji, id: 0, isThere: true }];
    }
  }
  return put(old, {
    ...post,
    author: base.from,
    at: base.at,
    text: retracted ? "" : isNewer ? post.text : base.text,
    files: retracted ? NO_FILES : (base.files ?? NO_FILES),
    call: base.call ?? null,
    replyTo: base.reply_to ?? null,
    edited: isNewer || (base.edited ?? false),
    retracted,
    registers,
  });
}

function told(draft: Draft, packet: Change): void {
  const peer = packet.from === draft.next.me ? packet.to : packet.from;
  draft.change(peer, (old) => {
    const next = risen(old, "lastId", packet.id);
    return put(next, applied(known(next, packet.target), packet));
  });
}

type OwnChange =
  | Pick<wire.Edited, "type" | "id" | "text">
  | Pick<wire.Retracted, "type" | "id">
  | Pick<wire.Reacted, "type" | "id" | "emoji" | "removed">;

function changedByUs(draft: Draft, target: number, change: OwnChange): void {
  const holder = [...draft.next.conversations.values()].find((one) => one.posts.get(target) !== undefined);
  if (holder === undefined) return;
  const from = draft.next.me;
  draft.change(holder.peer, (old) => put(old, applied(known(old, target), { ...change, from })));
}

/** The post with one change applied; rule 1. */
function applied(post: Post, change: OwnChange & { from: string }): Post {
  switch (change.type) {
    case "EDITED":
      if (change.id < post.textId) return post;
      return { ...post, author: change.from, text: post.retracted ? "" : change.text, edited: true, textId: change.id };
    case "RETRACTED":
      return { ...post, author: change.from, text: "", files: NO_FILES, retracted: true, retractId: change.id };
    case "REACTED": {
      const { from: by, emoji, id } = change;
      const others = post.registers.filter((one) => one.by !== by || one.emoji !== emoji);
      const old = post.registers.find((one) => one.by === by && one.emoji === emoji);
      if (old !== undefined && old.id >= id) return post;
      return { ...post, registers: [...others, { by, emoji, id, isThere: !change.removed }] };
    }
  }
}
