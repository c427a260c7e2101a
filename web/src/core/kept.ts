/**
 * What of a state is kept in the browser, and back: plain values that IndexedDB stores as they are.
 *
 * A conversation keeps its newest posts.  Its snapshot becomes what a fresh one would tell now, so that what is unread
 * does not depend on the posts that were left out.
 */
import type { Contact, People } from "./people";
import { Posts } from "./posts";
import { unread, visible } from "./select";
import { type Conversation, emptyConversation, EMPTY, type Pending, type Post, type State } from "./state";

/** A conversation keeps at most so many posts: two pages of history. */
export const KEPT_POSTS = 100;

export interface KeptConversation extends Omit<Conversation, "posts" | "changes" | "pending"> {
  readonly posts: readonly Post[];
  readonly changes: readonly Post[];
  /** Those that failed; the others are requests on the way. */
  readonly failed: readonly (readonly [string, Pending])[];
}

export interface KeptPeople extends Omit<People, "contacts" | "blocked"> {
  readonly contacts: readonly Contact[];
  readonly blocked: readonly string[];
}

export function keptConversation(conversation: Conversation): KeptConversation {
  const { posts, changes, pending, ...marks } = conversation;
  const { start, end } = visible(conversation);
  const from = Math.max(start, end - KEPT_POSTS);
  const oldest = posts.at(from);
  return {
    ...marks,
    completeFrom: from > start && oldest !== undefined ? oldest.id : marks.completeFrom,
    snapshot: {
      peer: marks.peer,
      last_id: marks.lastId,
      unread: unread(conversation),
      read_id: marks.readId,
      peer_read_id: marks.peerReadId,
      peer_delivered_id: marks.peerDeliveredId,
    },
    posts: posts.slice(from, end),
    changes: [...changes.values()],
    failed: [...pending].filter(([, one]) => one.failed !== ""),
  };
}

export function keptPeople({ me, keepsCase, contacts, profile, blocked }: People): KeptPeople {
  return { me, keepsCase, profile, contacts: [...contacts.values()], blocked: [...blocked] };
}

/** The state as it was kept; who is there nobody knows any more. */
export function restored(people: KeptPeople | null, conversations: readonly KeptConversation[]): State {
  if (people === null) return EMPTY;
  return {
    ...EMPTY,
    ...people,
    contacts: new Map(people.contacts.map((one) => [one.id, { ...one, status: "unknown" }])),
    blocked: new Set(people.blocked),
    conversations: new Map(
      conversations.map(({ posts, changes, failed, ...marks }) => [
        marks.peer,
        {
          ...emptyConversation(marks.peer),
          ...marks,
          posts: Posts.of(posts),
          changes: new Map(changes.map((one) => [one.id, one])),
          pending: new Map(failed),
        },
      ]),
    ),
  };
}
