/**
 * What the screens ask of a state.
 *
 * Each answer is made from what it depends on and kept as long as that is the same object.
 */
import type * as wire from "../protocol";
import { type Contact, isThere, type People } from "./people";
import { foldCase, loginOf } from "./names";
import type { Posts } from "./posts";
import type { Conversation, Pending, Post, State } from "./state";

/** A function of one object, whose results are kept with the object. */
function kept<K extends object, V>(make: (key: K) => V): (key: K) => V {
  const results = new WeakMap<K, V>();
  return (key) => {
    let result = results.get(key);
    if (result === undefined && !results.has(key)) results.set(key, (result = make(key)));
    return result as V;
  };
}

// -- how much is unread

const unreadOfChunks = new WeakMap<readonly Post[], number>();

/**
 * Messages of the peer that are not read.
 *
 * Those that the last snapshot has counted, without those that were read or taken back since, and those that came after.
 */
export const unread = kept((conversation: Conversation): number => {
  const { posts, changes, peer, snapshot, readId } = conversation;
  const upto = snapshot?.last_id ?? 0;
  const isNew = (post: Post) => post.author === peer && !post.retracted;
  const fresh = posts.count(Math.max(upto, readId), isNew, unreadOfChunks);
  if (snapshot === null || readId >= upto || snapshot.unread === 0) return fresh;
  let gone = 0;
  const told = posts.slice(posts.indexOf(snapshot.read_id + 1), posts.indexOf(upto + 1));
  for (const post of [...told, ...changes.values()]) {
    if (post.author !== peer || post.id <= snapshot.read_id || post.id > upto) continue;
    const wasCounted = !post.retracted || post.retractId > upto;
    if (wasCounted && (post.id <= readId || post.retracted)) gone++;
  }
  return fresh + Math.max(0, snapshot.unread - gone);
});

/** All that is unread, without what blocked people wrote. */
export function unreadTotal(state: State): number {
  let total = 0;
  for (const one of state.conversations.values()) if (!state.blocked.has(one.peer)) total += unread(one);
  return total;
}

// -- people

const STATUS_RANK: Record<wire.Status, number> = { online: 0, away: 1, offline: 2, unknown: 2 };
const byText = new Intl.Collator(undefined, { sensitivity: "base", numeric: true }).compare;

/** Who is shown first: who is there, then by name. */
function byRank(one: Contact, other: Contact): number {
  return (
    STATUS_RANK[one.status] - STATUS_RANK[other.status] ||
    byText(one.name, other.name) ||
    (one.id < other.id ? -1 : Number(one.id > other.id))
  );
}

const ranked = kept((contacts: People["contacts"]): readonly Contact[] => [...contacts.values()].sort(byRank));

/** Who asks me to be friends; those whom I ignore when asked for. */
export function requests(people: People, { ignored = false } = {}): Contact[] {
  return ranked(people.contacts).filter((one) => one.relation === "incoming" && one.ignored === ignored);
}

/** Whom I have asked. */
export function asked(people: People): Contact[] {
  return ranked(people.contacts).filter((one) => one.relation === "outgoing");
}

export function friends(people: People): Contact[] {
  return ranked(people.contacts).filter(isFriend);
}

function isFriend(contact: Contact): boolean {
  return contact.relation === "mutual";
}

/** Who is there, away or not. */
export function online(people: People): Contact[] {
  return ranked(people.contacts).filter(isThere);
}

export function blockedPeople(people: People): Contact[] {
  return ranked(people.contacts).filter((one) => one.relation === "blocked");
}

/** A group of contacts and the groups in it.  path: its name and those around it, parted by `/`; the root's is "". */
export interface Group {
  readonly name: string;
  readonly path: string;
  readonly contacts: readonly Contact[];
  readonly groups: readonly Group[];
}

/** The listed contacts and the friends in their nested groups (row M40); whom I have blocked stands apart. */
export function groups(people: People): Group {
  return tree(people.contacts);
}

const tree = kept((contacts: People["contacts"]): Group => {
  const shown = ranked(contacts).filter((one) => one.relation !== "blocked" && (one.listed || isFriend(one)));
  const members = shown.map((contact) => ({ contact, parts: groupParts(contact.group) }));
  return grouped([], members);
});

/** The names of nested groups, the outermost first; empty ones do not count. */
export function groupParts(path: string): string[] {
  return path
    .split("/")
    .map((part) => part.trim())
    .filter((part) => part !== "");
}

interface Member {
  readonly contact: Contact;
  readonly parts: readonly string[];
}

function grouped(path: readonly string[], members: readonly Member[]): Group {
  const depth = path.length;
  const inner = new Map<string, Member[]>();
  for (const one of members) {
    const name = one.parts[depth];
    if (name !== undefined) inner.set(name, [...(inner.get(name) ?? []), one]);
  }
  const names = [...inner.keys()].sort((one, other) => byText(one, other) || (one < other ? -1 : 1));
  return {
    name: path.at(-1) ?? "",
    path: path.join("/"),
    contacts: members.filter((one) => one.parts.length === depth).map((one) => one.contact),
    groups: names.map((name) => grouped([...path, name], inner.get(name)!)),
  };
}

/** The names that contacts are called by: those that nobody else could be meant by (row X23). */
const names = kept((contacts: People["contacts"]): ReadonlyMap<string, string> => {
  const taken = new Map<string, number>();
  const take = (name: string) => taken.set(name, (taken.get(name) ?? 0) + 1);
  const logins = new Set(["you"]);
  for (const one of contacts.values()) {
    take(foldCase(one.name));
    logins.add(foldCase(loginOf(one.id)));
  }
  logins.forEach(take);
  const found = new Map<string, string>();
  for (const one of contacts.values()) {
    if (one.name && one.name !== loginOf(one.id) && taken.get(foldCase(one.name)) === 1) found.set(one.id, one.name);
  }
  return found;
});

/**
 * What somebody is called: as I call them, else as they call themselves, else by their login.
 *
 * A name that could be taken for somebody else's is not used; the login is.  Of another server: the whole address.
 */
export function shownName({ contacts, me }: People, address: string): string {
  const name = names(contacts).get(address);
  if (name !== undefined && foldCase(name) !== foldCase(loginOf(me))) return name;
  const isOfHere = address.slice(address.lastIndexOf("@")) === me.slice(me.lastIndexOf("@"));
  return isOfHere ? loginOf(address) : address;
}

// -- conversations

export interface ConversationRow {
  readonly peer: string;
  readonly name: string;
  readonly last: Post | null;
  readonly pending: Pending | null;
  readonly unread: number;
  readonly isTyping: boolean;
  readonly status: wire.Status;
}

/** The conversations in which something was written, newest first: what is not sent yet before all. */
export const conversationList = kept((state: State): readonly ConversationRow[] =>
  ordered(state.conversations).map((one) => ({
    peer: one.peer,
    name: shownName(state, one.peer),
    last: one.posts.last ?? null,
    pending: [...one.pending.values()].at(-1) ?? null,
    unread: unread(one),
    isTyping: state.typing.has(one.peer),
    status: state.contacts.get(one.peer)?.status ?? "unknown",
  })),
);

const ordered = kept((conversations: State["conversations"]): readonly Conversation[] => {
  const age = (one: Conversation) => (one.pending.size > 0 ? Infinity : one.lastId);
  return [...conversations.values()]
    .filter((one) => one.lastId > 0 || one.pending.size > 0)
    .sort((one, other) => (age(one) === age(other) ? other.lastId - one.lastId : age(other) - age(one)));
});

/** The indices from `start` up to, without, `end` of the posts that can be shown without a gap. */
export function visible({ posts, completeFrom }: Conversation): { start: number; end: number } {
  return { start: completeFrom === null ? 0 : posts.indexOf(completeFrom), end: posts.length };
}

export type Row =
  | { readonly kind: "day"; readonly day: string }
  | { readonly kind: "unread" }
  | { readonly kind: "post"; readonly post: Post; readonly isMine: boolean; readonly isContinued: boolean };

/** A part of a conversation, and how it is shown. */
export interface Span {
  /** Indices of `posts`, without `to`. */
  readonly from: number;
  readonly to: number;
  /** Above the first message of the peer behind this id stands the divider; null: nowhere. */
  readonly dividerAfter: number | null;
  /** The text by which days differ, in the person's time zone. */
  readonly dayOf: (at: string) => string;
}

/** Messages of one author within so long look like one. */
const CONTINUED_MS = 5 * 60_000;

/** The rows of a window of a conversation: posts, and where days and what is unread begin. */
export function timeline(state: State, { posts, peer }: Conversation, span: Span): Row[] {
  const { dayOf, dividerAfter } = span;
  const from = Math.max(0, span.from);
  const firstUnread = dividerAfter === null ? -1 : firstOf(peer, posts, dividerAfter);
  const rows: Row[] = [];
  let before = posts.at(from - 1);
  posts.slice(from, span.to).forEach((post, offset) => {
    const day = dayOf(post.at);
    const isNewDay = before === undefined || dayOf(before.at) !== day;
    const isDivided = from + offset === firstUnread;
    if (isNewDay) rows.push({ kind: "day", day });
    if (isDivided) rows.push({ kind: "unread" });
    const isContinued = !isNewDay && !isDivided && isSoonAfter(before, post);
    rows.push({ kind: "post", post, isMine: post.author === state.me, isContinued });
    before = post;
  });
  return rows;
}

/** The index of the first message of somebody behind an id. */
function firstOf(author: string, posts: Posts, after: number): number {
  let index = posts.indexOf(after + 1);
  while (index < posts.length && posts.at(index)!.author !== author) index++;
  return index;
}

function isSoonAfter(before: Post | undefined, post: Post): boolean {
  if (before?.author !== post.author) return false;
  return (moment(post.at) ?? 0) - (moment(before.at) ?? 0) < CONTINUED_MS;
}

/** How far one's own message has come. */
export function deliveryOf(conversation: Conversation, post: Post): "stored" | "delivered" | "read" {
  if (post.id <= conversation.peerReadId) return "read";
  return post.id <= conversation.peerDeliveredId ? "delivered" : "stored";
}

/** The reactions to a message: each emoji with those who gave it, in a stable order.  What was taken back has none. */
export function reactionsOf(post: Post): { emoji: string; by: string[] }[] {
  const found = new Map<string, string[]>();
  if (post.retracted) return [];
  for (const { by, emoji, isThere } of post.registers) {
    if (isThere) found.set(emoji, [...(found.get(emoji) ?? []), by].sort());
  }
  return [...found].map(([emoji, by]) => ({ emoji, by })).sort((one, other) => (one.emoji < other.emoji ? -1 : 1));
}

// -- times

const INSTANT = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:(\d\d)(\.\d+)?([Zz]|[+-]\d\d:?\d\d)$/;

/**
 * Milliseconds since 1970 of an instant in a packet; null when the text tells none.
 *
 * Takes RFC 3339, and its offset without the colon, as document 003 writes it: 2018-09-09T14:22:31+0300 (row M27).
 */
export function moment(text: string): number | null {
  const parts = INSTANT.exec(text);
  if (parts === null) return null;
  const offset = parts[3]!.toUpperCase().replace(/(\d\d)(\d\d)$/, "$1:$2");
  const seconds = parts[1] === "60" ? "59" : parts[1]!; // a leap second
  const ms = Date.parse(`${text.slice(0, 10)}T${text.slice(11, 17)}${seconds}${(parts[2] ?? "").slice(0, 4)}${offset}`);
  return Number.isNaN(ms) ? null : ms;
}
