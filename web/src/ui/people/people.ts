/** Which of the people stand where in the list. */
import type { Contact } from "../../core/people";
import { conversationList, type ConversationRow, friends, shownName } from "../../core/select";
import type { Conversation, State } from "../../core/state";
import { foldCase, loginOf } from "../../core/names";

/** One entry of the list: a person, and what was said last. */
export interface Entry {
  readonly peer: string;
  readonly name: string;
  readonly contact: Contact | null;
  readonly row: ConversationRow | null;
}

/** So many of the newest messages are looked at for one of mine. */
const LOOKED_AT = 100;

/** Whether somebody I have nothing to do with has written to me, and I have not answered (row X01). */
export function isAsking(state: State, peer: string): boolean {
  const contact = state.contacts.get(peer);
  if (contact?.listed || contact?.relation === "mutual" || contact?.relation === "outgoing") return false;
  const conversation = state.conversations.get(peer);
  return conversation !== undefined && !hasAnswered(conversation);
}

function hasAnswered({ peer, posts, pending }: Conversation): boolean {
  if (pending.size > 0) return true;
  return posts.slice(posts.length - LOOKED_AT, posts.length).some((post) => post.author !== peer);
}

export interface Lists {
  /** Conversations, the newest first, then friends to whom nothing was written. */
  readonly recent: readonly Entry[];
  /** Conversations with strangers who wrote first. */
  readonly asking: readonly Entry[];
}

export function listsOf(state: State): Lists {
  const entryOf = (peer: string, row: ConversationRow | null): Entry => ({
    peer,
    name: shownName(state, peer),
    contact: state.contacts.get(peer) ?? null,
    row,
  });
  const rows = conversationList(state).filter(({ peer }) => !state.blocked.has(peer));
  const all = rows.map((row) => entryOf(row.peer, row));
  const written = new Set(rows.map(({ peer }) => peer));
  const listed = [...state.contacts.values()].filter((one) => one.listed && one.relation !== "blocked");
  const silent = new Set([...friends(state), ...listed].map(({ id }) => id).filter((id) => !written.has(id)));
  return {
    recent: [...all.filter(({ peer }) => !isAsking(state, peer)), ...[...silent].map((peer) => entryOf(peer, null))],
    asking: all.filter(({ peer }) => isAsking(state, peer)),
  };
}

/** Whether a person is meant by what is typed into the search. */
export function matches(entry: Entry, typed: string): boolean {
  const { contact } = entry;
  const texts = [entry.name, loginOf(entry.peer), contact?.name ?? "", contact?.group ?? "", contact?.memo ?? ""];
  return texts.some((text) => foldCase(text).includes(foldCase(typed.trim())));
}
