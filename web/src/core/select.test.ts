import { describe, expect, test } from "vitest";
import type * as wire from "../protocol";
import { keptConversation, keptPeople, KEPT_POSTS, restored } from "./kept";
import { address, relation } from "./people";
import * as select from "./select";
import { conversation, discarded, EMPTY, fold, foldAll, sending, type State } from "./state";

const ME = "alice@home";
const BOB = "bob@home";

function message(id: number, fields: Partial<wire.Message> = {}): wire.Message {
  const at = new Date(Date.UTC(2026, 0, 1) + id * 60_000).toISOString();
  return { type: "MESSAGE", id, seq: id, from: BOB, to: ME, at, text: `text ${id}`, ...fields };
}

function mine(id: number): wire.Message {
  return message(id, { from: ME, to: BOB });
}

function after(...packets: wire.ServerPacket[]): State {
  return foldAll({ ...EMPTY, me: ME }, [...packets.map((packet) => ({ packet }))]);
}

const dayOf = (at: string) => at.slice(0, 10);

describe("a timeline", () => {
  const DAY = 24 * 60;

  test("marks days, what is unread, and who goes on", () => {
    const state = after(message(1), message(2), mine(3), message(DAY + 1), message(DAY + 3), message(DAY + 30));
    const rows = select.timeline(state, conversation(state, BOB), { from: 0, to: 99, dividerAfter: 2, dayOf });
    const shown = rows.map((row) =>
      row.kind === "post" ? `${row.isMine ? "me" : "bob"} ${row.post.id}${row.isContinued ? " on" : ""}` : row.kind,
    );
    expect(shown).toEqual([
      ...["day", "bob 1", "bob 2 on", "me 3"],
      ...["day", "unread", `bob ${DAY + 1}`, `bob ${DAY + 3} on`, `bob ${DAY + 30}`],
    ]);
  });

  test("is the same in every window", () => {
    const state = after(...Array.from({ length: 40 }, (_, i) => (i % 3 ? message(i * 400) : mine(i * 400 + 1))));
    const one = conversation(state, BOB);
    const whole = select.timeline(state, one, { from: 0, to: 40, dividerAfter: 3000, dayOf });
    for (const size of [1, 7, 20]) {
      const parts = Array.from({ length: Math.ceil(40 / size) }, (_, i) =>
        select.timeline(state, one, { from: i * size, to: (i + 1) * size, dividerAfter: 3000, dayOf }),
      );
      expect(parts.flat()).toEqual(whole);
    }
  });
});

describe("the list of conversations", () => {
  test("begins with what is not sent yet, then the newest", () => {
    let state = after(message(1), message(5, { from: "carol@home" }), message(3, { from: "dave@home" }));
    expect(select.conversationList(state).map((row) => row.peer)).toEqual(["carol@home", "dave@home", BOB]);
    state = sending(state, { type: "MESSAGE", to: "bob", text: "wait" }, "k");
    expect(select.conversationList(state)[0]).toMatchObject({ peer: BOB, pending: { text: "wait" }, unread: 1 });
    expect(select.conversationList(discarded(state, BOB, "k")).at(-1)!.peer).toBe(BOB);
    expect(select.conversationList(state)).toBe(select.conversationList(state));
  });

  test("has no conversation in which nothing was written", () => {
    expect(select.conversationList(after({ type: "HISTORY-GET-OK", peer: BOB, messages: [] }))).toEqual([]);
  });

  test("does not count what blocked people wrote", () => {
    const state = after(message(1), message(2, { from: "carol@home" }));
    expect(select.unreadTotal(state)).toBe(2);
    expect(select.unreadTotal(fold(state, { type: "BLOCK-OK", login: BOB }))).toBe(1);
  });
});

test("a message of one's own is stored, delivered, read", () => {
  const state = after(
    mine(1),
    mine(2),
    mine(3),
    { type: "MESSAGE-DELIVERED", id: 2, peer: ME, by: BOB },
    { type: "MESSAGE-READ", id: 1, peer: ME, by: BOB },
  );
  const one = conversation(state, BOB);
  expect([...one.posts].map((post) => select.deliveryOf(one, post))).toEqual(["read", "delivered", "stored"]);
});

test("an unknown person is called by their login, one of another server by their address", () => {
  const state = after();
  expect(select.shownName(state, BOB)).toBe("bob");
  expect(select.shownName(state, "bob@elsewhere")).toBe("bob@elsewhere");
});

test("requests that are ignored stand apart", () => {
  const state = after(
    { type: "CONTACT-UPDATED", id: BOB, relation: "incoming" },
    { type: "CONTACT-UPDATED", id: "carol@home", relation: "incoming", ignored: true },
    { type: "CONTACT-UPDATED", id: "dave@home", relation: "outgoing" },
  );
  expect(select.requests(state).map((one) => one.id)).toEqual([BOB]);
  expect(select.requests(state, { ignored: true }).map((one) => one.id)).toEqual(["carol@home"]);
  expect(select.asked(state).map((one) => one.id)).toEqual(["dave@home"]);
  expect(relation(state, "dave@home")).toBe("outgoing");
});

test.each([
  ["2026-11-21T12:00:00.123Z", Date.UTC(2026, 10, 21, 12, 0, 0, 123)],
  ["2018-09-09T14:22:31+0300", Date.UTC(2018, 8, 9, 11, 22, 31)],
  ["2018-09-09t14:22:31-01:30", Date.UTC(2018, 8, 9, 15, 52, 31)],
  ["2016-12-31T23:59:60Z", Date.UTC(2016, 11, 31, 23, 59, 59)],
  ["2016-12-31T23:59:58.123456789Z", Date.UTC(2016, 11, 31, 23, 59, 58, 123)],
  ["2016-12-31T23:59:58", null],
  ["2016-13-31T23:59:58Z", null],
  ["yesterday", null],
  ["", null],
])("%s is a moment or none", (text, expected) => {
  expect(select.moment(text)).toBe(expected);
});

test.each([
  ["bob", "bob@home"],
  [" Bob ", "bob@home"],
  ["ＢＯＢ@Far.Example", "bob@far.example"],
  ["Jo\u0308ran", "jöran@home"],
])("%s is written %s", (typed, whole) => {
  expect(address(after(), typed)).toBe(whole);
});

describe("what is kept", () => {
  const roundTrip = (state: State) => {
    const conversations = [...state.conversations.values()].map(keptConversation);
    return restored(structuredClone(keptPeople(state)), structuredClone(conversations));
  };

  test("comes back as it was, but for who is there", () => {
    const before = sending(
      after(
        { type: "CONTACT-UPDATED", id: BOB, relation: "mutual", status: "online", presence: "2026-01-01T00:00:00Z" },
        { type: "BLOCK-OK", login: "eve@home" },
        { type: "EDITED", id: 9, seq: 9, from: BOB, to: ME, at: "", target: 8, text: "new" },
        ...[1, 2, 3].map((id) => message(id)),
        { type: "REACTED", id: 4, seq: 4, from: BOB, to: ME, at: "", target: 1, emoji: "👍" },
        { type: "MESSAGE-READ", id: 2, peer: BOB, by: ME },
      ),
      { type: "MESSAGE", to: BOB, text: "on the way" },
      "k",
    );
    const state = roundTrip(before);
    expect(select.unread(conversation(state, BOB))).toBe(1);
    expect([...conversation(state, BOB).posts]).toEqual([...conversation(before, BOB).posts]);
    expect(state.blocked).toEqual(before.blocked);
    expect(state.contacts.get(BOB)).toEqual({ ...before.contacts.get(BOB), status: "unknown" });
    expect(conversation(state, BOB).pending.size).toBe(0);
    const known = fold(state, message(8, { text: "old" }));
    expect(conversation(known, BOB).posts.get(8)!.text).toBe("new");
  });

  test("is the newest posts, and what is unread is not forgotten with the older ones", () => {
    const before = after(...Array.from({ length: KEPT_POSTS + 50 }, (_, i) => message(i + 1)));
    const state = roundTrip(before);
    const one = conversation(state, BOB);
    expect(one.posts.length).toBe(KEPT_POSTS);
    expect(one.completeFrom).toBe(51);
    expect(select.unread(one)).toBe(KEPT_POSTS + 50);
    const read = fold(state, { type: "MESSAGE-READ", id: KEPT_POSTS + 50, peer: BOB, by: ME });
    expect(select.unread(conversation(read, BOB))).toBe(0);
  });

  test("has no gap: only what joins the newest", () => {
    let state = after(message(100), message(5));
    state = fold(
      state,
      { type: "HISTORY-GET-OK", peer: BOB, messages: [message(90), message(100)], more: true },
      { request: { type: "HISTORY-GET", peer: BOB } },
    );
    expect([...conversation(roundTrip(state), BOB).posts].map((post) => post.id)).toEqual([90, 100]);
  });
});
