/** The fold of conferences.  Rows: A33, A44, A46, V32, X07 (all partly: this client's side). */
import { describe, expect, test } from "vitest";
import type * as wire from "../protocol";
import { conferencesOf, ownerOf, ownLeg, theConference } from "./conferences";
import { EMPTY, fold, foldAll, type State } from "./state";

const AT = "2026-11-29T06:00:00.000Z";
const ME = "ann@h.org";
const leg = (id: string, epoch: number, more: Partial<wire.Leg> = {}): wire.Leg => ({
  id,
  user: id.split("/")[0]!,
  epoch,
  initiator: "ann@h.org/1",
  at: AT,
  ...more,
});
const view = (id: string, name: string, more: Partial<wire.ConferenceView> = {}): wire.ConferenceView => ({
  id,
  name,
  owner: ME,
  at: AT,
  ...more,
});
const MINE = leg("ann@h.org/1", 1);
const BOB = leg("bob@h.org/1", 2);
const joined: wire.ConferenceJoinOk = {
  type: "CONFERENCE-JOIN-OK",
  leg: MINE.id,
  conference: { id: "c", name: "tea", owner: ME, at: AT, legs: [MINE], epoch: 1 },
};
const inside: State = fold({ ...EMPTY, me: ME }, joined);
const legs = (state: State) => state.inside.get("c")?.conference.legs?.map((one) => [one.id, one.epoch]);

describe("what may be seen", () => {
  test("THE CONFERENCE comes first, then by name", () => {
    let state = fold(EMPTY, {
      type: "CONFERENCE-LIST-OK",
      conferences: [view("1", "b"), view("2", "A", { people: ["bob@h.org"] })],
    });
    state = fold(state, { type: "CONFERENCE-SEEN", conference: view("3", "zz", { is_permanent: true }) });
    expect([...state.conferences.keys()]).toEqual(["3", "2", "1"]);
    expect(theConference(state)?.id).toBe("3");
    expect(conferencesOf(state, "bob@h.org").map((one) => one.id)).toEqual(["2"]);
    expect([...fold(state, { type: "CONFERENCE-UNSEEN", id: "2" }).conferences.keys()]).toEqual(["3", "1"]);
  });
});

describe("inside", () => {
  test("legs come, change in their place, and go", () => {
    let state = fold(inside, { type: "CONFERENCE-JOINED", id: "c", leg: BOB });
    state = fold(state, { type: "CONFERENCE-LEG", id: "c", leg: { ...MINE, is_muted: true } });
    state = fold(state, { type: "CONFERENCE-JOINED", id: "c", leg: { ...BOB, epoch: 3 } });
    expect(legs(state)).toEqual([
      [MINE.id, 1],
      [BOB.id, 3],
    ]);
    expect(state.inside.get("c")!.conference.epoch).toBe(3);
    expect(ownLeg(state.inside.get("c")!)?.is_muted).toBe(true);
    state = fold(state, { type: "CONFERENCE-LEFT", id: "c", leg: BOB.id, code: "logged-out" });
    expect(legs(state)).toEqual([[MINE.id, 1]]);
  });
  test("a patch touches what it names; an acting owner may do what an owner may", () => {
    let state = fold(inside, { type: "CONFERENCE-CHANGED", id: "c", acting_owner: "bob@h.org" });
    expect(ownerOf(state.inside.get("c")!.conference)).toBe("bob@h.org");
    state = fold(state, { type: "CONFERENCE-CHANGED", id: "c", acting_owner: "", name: "coffee" });
    const { conference } = state.inside.get("c")!;
    expect([ownerOf(conference), conference.name, conference.owner]).toEqual([ME, "coffee", ME]);
  });
  test.each([
    { type: "CONFERENCE-LEAVE-OK", id: "c" },
    { type: "CONFERENCE-LEFT", id: "c", leg: MINE.id, code: "removed" },
    { type: "CONFERENCE-ENDED", id: "c", name: "tea", code: "owner-left" },
  ] as wire.ServerPacket[])("$type puts this device out", (packet) => {
    expect(fold(inside, packet).inside.size).toBe(0);
  });
  test("what was refused to come back is left; a resumed place keeps its room and order", () => {
    const request = { type: "CONFERENCE-JOIN", id: "c", resume: true } as const;
    const said = fold(inside, { type: "CONFERENCE-MESSAGE", id: "c", seq: 1, from: ME, at: AT, text: "hi" });
    expect(fold(said, { ...joined, resumed: true }).inside.get("c")!.room).toHaveLength(1);
    const failed: wire.ServerPacket = { type: "CONFERENCE-JOIN-FAILED", code: "unknown-conference" };
    expect(fold(said, failed, { request }).inside.size).toBe(0);
    expect(fold(said, failed).inside.size).toBe(1);
  });
  test("texts of the room are known once, ascending, my own too", () => {
    const request = { type: "CONFERENCE-MESSAGE", id: "c", text: "mine" } as const;
    const state = foldAll(inside, [
      { packet: { type: "CONFERENCE-MESSAGE", id: "c", seq: 3, from: "bob@h.org", at: AT, text: "third" } },
      { packet: { type: "CONFERENCE-MESSAGE-SENT", id: "c", seq: 2, at: AT }, request },
      {
        packet: {
          type: "CONFERENCE-HISTORY-GET-OK",
          id: "c",
          messages: [1, 2, 3].map((seq) => ({ seq, from: ME, at: AT, text: "page" })),
        },
      },
    ]);
    expect(state.inside.get("c")!.room.map((one) => one.seq)).toEqual([1, 2, 3]);
  });
});

describe("what rings", () => {
  const call: wire.Called = {
    type: "CALL",
    id: "c",
    status: "initiate",
    from: "bob@h.org",
    initiator: "bob@h.org",
    users: [ME, "eve@h.org"],
    at: AT,
  };
  const ringing = fold({ ...EMPTY, me: ME }, call);

  test("rings for who is called only", () => {
    expect([...ringing.calls.keys()]).toEqual(["c"]);
    expect(fold({ ...EMPTY, me: "bob@h.org" }, call).calls.size).toBe(0);
  });
  test.each([
    ["I declined elsewhere", { from: ME, status: "abort", users: [] }, 0],
    ["I answered elsewhere", { from: ME, status: "accepted", users: [] }, 0],
    ["nobody came in time", { from: ME, status: "missed", users: [] }, 0],
    ["the caller gave up", { from: "bob@h.org", status: "abort", users: [] }, 0],
    ["the caller gave me up", { from: "bob@h.org", status: "abort", users: [ME] }, 0],
    ["the caller gave somebody else up", { from: "bob@h.org", status: "abort", users: ["eve@h.org"] }, 1],
    ["somebody else declined", { from: "eve@h.org", status: "abort", users: [] }, 1],
  ] as const)("%s", (_, news, left) => {
    expect(fold(ringing, { ...call, ...news, users: [...news.users] }).calls.size).toBe(left);
  });
  test("is over once this device is inside, or the conference is", () => {
    expect(fold(ringing, joined).calls.size).toBe(0);
    expect(fold(ringing, { type: "CONFERENCE-ENDED", id: "c", name: "", code: "ended" }).calls.size).toBe(0);
  });
});

test("a message may be a call", () => {
  const state = fold({ ...EMPTY, me: ME }, {
    type: "MESSAGE",
    id: 7,
    from: "bob@h.org",
    to: ME,
    at: AT,
    text: "",
    call: { outcome: "missed" },
  } as wire.ServerPacket);
  expect(state.conversations.get("bob@h.org")!.posts.get(7)!.call?.outcome).toBe("missed");
});
