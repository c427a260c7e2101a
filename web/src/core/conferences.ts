/**
 * Conferences as a client knows them, as a fold of packets: what it may see, where this device is, what rings.
 *
 * Rules:
 *
 * 1. SNAPSHOT and CONFERENCE-LIST-OK replace all that may be seen; CONFERENCE-SEEN and -UNSEEN change one.
 * 2. This device is inside from CONFERENCE-JOIN-OK on, until it leaves, is put out, or the conference ends.  What that
 *    answer says and the events that follow give what CONFERENCE-GET-OK says.  A lost link changes nothing of it: the
 *    device asks for its place again.
 * 3. A call rings from CALL on until somebody of this account has answered on any device, who called has given up,
 *    nobody came in time, or the conference is over.
 * 4. Texts of a room are known by their `seq`, each once, ascending.
 *
 * The twin of src/veche/client/conferences.py.  Source: rows A14, A28, A33, A44-A50, V22-V33, X07.
 */
import type * as wire from "../protocol";
import { foldCase } from "./names";
import type { Draft, Folds, State } from "./state";

/** A room keeps at most so many texts; older ones are on the server. */
export const MAX_ROOM = 1000;

/** A conference in which this device is. */
export interface Inside {
  readonly conference: wire.Conference;
  /** Which of its legs this device is. */
  readonly leg: string;
  /** Ascending by seq. */
  readonly room: readonly wire.RoomMessage[];
}

/** What one account may see of conferences. */
export interface Conferences {
  /** By id; THE CONFERENCE first, then by name. */
  readonly conferences: ReadonlyMap<string, wire.ConferenceView>;
  /** By id, in the order of joining. */
  readonly inside: ReadonlyMap<string, Inside>;
  /** What rings, by conference, the oldest first. */
  readonly calls: ReadonlyMap<string, wire.Called>;
}

export const NO_CONFERENCES: Conferences = { conferences: new Map(), inside: new Map(), calls: new Map() };

/** This device's leg. */
export function ownLeg({ conference, leg }: Inside): wire.Leg | undefined {
  return conference.legs?.find((one) => one.id === leg);
}

/** Who may do what an owner may. */
export function ownerOf({ owner, acting_owner: acting }: wire.Conference): string {
  return acting || owner;
}

/** The conferences in which somebody is, as far as I may see. */
export function conferencesOf({ conferences }: Conferences, address: string): wire.ConferenceView[] {
  return [...conferences.values()].filter((one) => one.people?.includes(address));
}

/** THE CONFERENCE, if the server has one. */
export function theConference({ conferences }: Conferences): wire.ConferenceView | undefined {
  return [...conferences.values()].find((one) => one.is_permanent);
}

/** The state once this device is not in that conference: its place could not be taken up again, say. */
export function outside<S extends Conferences>(state: S, id: string): S {
  return state.inside.has(id) ? { ...state, inside: omitted(state.inside, id) } : state;
}

export const FOLD_CONFERENCES = {
  SNAPSHOT(draft, packet) {
    draft.next.conferences = listed(packet.conferences ?? []);
    draft.next.calls = new Map();
  },
  "CONFERENCE-LIST-OK"(draft, packet) {
    draft.next.conferences = listed(packet.conferences);
  },
  "CONFERENCE-SEEN"(draft, { conference }) {
    draft.next.conferences = listed([...omitted(draft.next.conferences, conference.id).values(), conference]);
  },
  "CONFERENCE-UNSEEN"(draft, { id }) {
    draft.next.conferences = omitted(draft.next.conferences, id);
  },
  "CONFERENCE-JOIN-OK"(draft, { conference, leg, resumed = false }) {
    const known = draft.next.inside.get(conference.id);
    const inside = new Map(resumed ? draft.next.inside : omitted(draft.next.inside, conference.id));
    draft.next.inside = inside.set(conference.id, { conference, leg, room: known?.room ?? [] });
    silence(draft, conference.id);
  },
  "CONFERENCE-JOIN-FAILED"(draft, _, { request }) {
    if (request?.type === "CONFERENCE-JOIN" && request.resume && request.id) leave(draft, request.id);
  },
  "CONFERENCE-GET-OK"(draft, { conference }) {
    change(draft, conference.id, (old) => ({ ...old, conference }));
  },
  "CONFERENCE-LEAVE-OK"(draft, { id }) {
    leave(draft, id);
  },
  "CONFERENCE-LEFT"(draft, { id, leg }) {
    if (draft.next.inside.get(id)?.leg === leg) leave(draft, id);
    else changeLegs(draft, id, (legs) => legs.filter((one) => one.id !== leg));
  },
  "CONFERENCE-JOINED"(draft, { id, leg }) {
    changeLegs(draft, id, (legs) => put(legs, leg));
  },
  "CONFERENCE-LEG"(draft, { id, leg }) {
    changeLegs(draft, id, (legs) => put(legs, leg));
  },
  "CONFERENCE-CHANGED"(draft, packet) {
    const patch: Record<string, unknown> = {};
    for (const field of PATCHED) if (packet[field] !== undefined) patch[field] = packet[field];
    change(draft, packet.id, (old) => ({ ...old, conference: { ...old.conference, ...patch } }));
  },
  "CONFERENCE-ENDED"(draft, { id }) {
    leave(draft, id);
    silence(draft, id);
  },
  "CONFERENCE-MESSAGE"(draft, { id, seq, from, at, text }) {
    say(draft, id, [{ seq, from, at, text }]);
  },
  "CONFERENCE-MESSAGE-SENT"(draft, { id, seq, at }, { request }) {
    if (request?.type !== "CONFERENCE-MESSAGE") return;
    say(draft, id, [{ seq, from: draft.next.me, at, text: request.text }]);
  },
  "CONFERENCE-HISTORY-GET-OK"(draft, { id, messages }) {
    say(draft, id, messages);
  },
  CALL(draft, packet) {
    const { me, calls } = draft.next;
    if (packet.status === "initiate" || packet.status === "reinvite") {
      const isForMe = (packet.users?.includes(me) ?? false) && packet.from !== me;
      if (isForMe) draft.next.calls = new Map(calls).set(packet.id, packet);
      return;
    }
    const ringing = calls.get(packet.id);
    if (ringing === undefined) return;
    const named = packet.users ?? [];
    const isGivenUp = packet.from === ringing.from && packet.status === "abort";
    const isOver = packet.from === me || (isGivenUp && (named.length === 0 || named.includes(me)));
    if (isOver) silence(draft, packet.id);
  },
} satisfies Folds;

const PATCHED = ["name", "owner", "acting_owner", "policy", "calls"] as const;

function listed(views: readonly wire.ConferenceView[]): ReadonlyMap<string, wire.ConferenceView> {
  const key = (one: wire.ConferenceView) => `${one.is_permanent ? 0 : 1}${foldCase(one.name)}\u0000${one.id}`;
  return new Map([...views].sort((one, other) => (key(one) < key(other) ? -1 : 1)).map((one) => [one.id, one]));
}

function omitted<V>(map: ReadonlyMap<string, V>, id: string): ReadonlyMap<string, V> {
  if (!map.has(id)) return map;
  return new Map([...map].filter(([key]) => key !== id));
}

function leave(draft: Draft, id: string): void {
  draft.next.inside = omitted(draft.next.inside, id);
}

function silence(draft: Draft, id: string): void {
  draft.next.calls = omitted(draft.next.calls, id);
}

function change(draft: Draft, id: string, step: (old: Inside) => Inside): void {
  const known: State["inside"] = draft.next.inside;
  const old = known.get(id);
  if (old !== undefined) draft.next.inside = new Map(known).set(id, step(old));
}

function changeLegs(draft: Draft, id: string, step: (legs: wire.Leg[]) => wire.Leg[]): void {
  change(draft, id, (old) => {
    const legs = step(old.conference.legs ?? []);
    const epoch = Math.max(old.conference.epoch ?? 1, ...legs.map((one) => one.epoch));
    return { ...old, conference: { ...old.conference, legs, epoch } };
  });
}

/** The legs with this one, at its place if it has one. */
function put(legs: wire.Leg[], leg: wire.Leg): wire.Leg[] {
  return legs.some((one) => one.id === leg.id) ? legs.map((one) => (one.id === leg.id ? leg : one)) : [...legs, leg];
}

function say(draft: Draft, id: string, messages: readonly wire.RoomMessage[]): void {
  change(draft, id, (old) => {
    const known = new Map([...messages, ...old.room].map((one) => [one.seq, one]));
    return { ...old, room: [...known.values()].sort((one, other) => one.seq - other.seq).slice(-MAX_ROOM) };
  });
}
