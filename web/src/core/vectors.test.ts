/** The vectors that both languages are held to: protocol/vectors, written by tools/vectors.py. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type * as wire from "../protocol";
import { unseen } from "./people";
import { ClientScram, ScramFailed } from "./scram";
import { groups, type Group, online, reactionsOf, requests, shownName, unread, visible } from "./select";
import { type Conversation, EMPTY, fold, type Post, sending, type State, typingEnded } from "./state";
import { loginOf } from "./names";

function read(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`../../../protocol/vectors/${name}`, import.meta.url), "ascii"));
}

interface Step {
  packet?: wire.ServerPacket;
  request?: wire.ClientPacket;
  sending?: wire.MessageSend;
  key?: string;
  now?: number;
  lost?: string;
  state: Record<string, unknown> & { conversations?: Record<string, object> };
}

describe("the fold", () => {
  test.each(read("fold.json") as { name: string; steps: Step[] }[])("$name", ({ steps }) => {
    let state = EMPTY;
    let expected = shownState(state);
    for (const step of steps) {
      state = applied(state, step);
      expected = merged(expected, step.state);
      expect(shownState(state)).toEqual(expected);
    }
  });
});

describe("the fold of conferences", () => {
  test.each(read("conferences.json") as { name: string; steps: Step[] }[])("$name", ({ steps }) => {
    let state = EMPTY;
    let expected: object = {};
    for (const step of steps) {
      state = applied(state, step);
      expected = { ...expected, ...step.state };
      expect(shownConferences(state)).toEqual(bare(expected));
    }
  });
});

/** What can be seen of conferences and calls; see tools/vectors.py. */
function shownConferences({ conferences, inside, calls }: State) {
  return bare({
    conferences: [...conferences.values()],
    inside: [...inside.values()].map((one) => ({ ...one, conference: { epoch: 1, ...one.conference } })),
    calls: [...calls.keys()],
  });
}

/** Without the fields that are empty: they are as if they were not there. */
function bare(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(bare);
  if (typeof value !== "object" || value === null) return value;
  const kept = Object.entries(value).filter(([, one]) => one !== "" && !(Array.isArray(one) && one.length === 0));
  return Object.fromEntries(kept.map(([key, one]) => [key, bare(one)]));
}

function applied(state: State, { packet, request, sending: sent, key, now = 0, lost }: Step): State {
  if (lost !== undefined) return unseen(state, lost);
  if (sent !== undefined) return sending(state, sent, key!);
  return typingEnded(packet === undefined ? state : fold(state, packet, { request, now }), now);
}

type Shown = ReturnType<typeof shownState>;

function merged(before: Shown, { conversations = {}, ...news }: Step["state"]): Shown {
  const changed = Object.entries(conversations).map(([peer, fields]) => [
    peer,
    { ...before.conversations[peer], ...fields },
  ]);
  return { ...before, ...news, conversations: { ...before.conversations, ...Object.fromEntries(changed) } };
}

/** What can be seen of a state, in the words of the wire; see tools/vectors.py. */
function shownState(state: State) {
  const named = [...state.contacts.keys()].map((id) => [id, shownName(state, id)]);
  return {
    me: state.me,
    admin: state.admin,
    announcement: state.announcement,
    contacts: Object.fromEntries(state.contacts),
    profile: state.profile,
    blocked: [...state.blocked].sort(),
    typing: [...state.typing.keys()].sort(),
    names: Object.fromEntries(named.filter(([id, name]) => name !== id && name !== loginOf(id!))),
    online: online(state).map((one) => one.id),
    requests: requests(state).map((one) => one.id),
    groups: shownGroup(groups(state)),
    conversations: Object.fromEntries([...state.conversations].map(([peer, one]) => [peer, shownConversation(one)])),
  };
}

function shownGroup({ path, contacts, groups }: Group): unknown[] {
  return [path, contacts.map((one) => one.id), groups.map(shownGroup)];
}

function shownConversation(one: Conversation) {
  const { start, end } = visible(one);
  const pending = [...one.pending].map(([key, { text, files, replyTo, failed }]) => [
    key,
    { text, files, reply_to: replyTo, failed },
  ]);
  return {
    last_id: one.lastId,
    read_id: one.readId,
    peer_read_id: one.peerReadId,
    peer_delivered_id: one.peerDeliveredId,
    complete_from: one.completeFrom,
    unread: unread(one),
    shown: one.posts.slice(start, end).map((post) => post.id),
    posts: [...one.posts].map(shownPost),
    pending: Object.fromEntries(pending),
  };
}

function shownPost(post: Post) {
  const { id, author, at, text, replyTo, edited, retracted } = post;
  const files = post.files.map((file) => file.id);
  const reactions = reactionsOf(post)
    .flatMap(({ emoji, by }) => by.map((who) => [who, emoji]))
    .sort();
  return { id, author, at, text, files, reply_to: replyTo, edited, retracted, reactions };
}

interface Login {
  login: string;
  password: string;
  refused?: string;
  first: string;
  salt: string;
  iterations: number;
  client_nonce: string;
  nonce: string;
  proof: string;
  signature: string;
}

describe("SCRAM", () => {
  test.each(read("scram.json") as Login[])("$password", async (told) => {
    const client = new ClientScram(told.login, told.password, told.client_nonce ?? "client-nonce");
    if (told.refused !== undefined) {
      const answer = client.answer("AAECAwQFBgcICQoLDA0ODw==", 4096, "client-nonce-server");
      await expect(answer).rejects.toThrow(new ScramFailed(told.refused));
      return;
    }
    expect(client.first()).toBe(told.first);
    expect(await client.answer(told.salt, told.iterations, told.nonce)).toBe(told.proof);
    client.check(told.signature);
  });
});
