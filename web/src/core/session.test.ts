import { describe, expect, test } from "vitest";
import type { ClientPacket, ServerPacket } from "../protocol";
import type { Place } from "./login";
import { NotAPacket } from "./outbox";
import { ScramFailed } from "./scram";
import { Core, type CoreEvent, DIAL_S, HELLO_S, LOGIN_S, LONGEST_PAUSE_S, SILENCE_S, WAKE_S } from "./session";

const LIMITS = { line_bytes: 65536, text_chars: 16384, history_page: 200, unacknowledged: 2 };
const HELLO: ServerPacket = {
  ...{ type: "HELLO", version: 1, server: "home", software: "veche", federated: false, registration: "open" },
  ...{ mechanisms: ["SCRAM-SHA-256"], features: [], layer: 3, limits: LIMITS },
} as ServerPacket;
const ENTERED: ServerPacket = { type: "CONNECT-OK", login: "alice@home", device: "web", resume: "vr_2" };
const AT = "2026-01-01T00:00:00Z";

function makeCore(place: Partial<Place> = {}, chance = () => 1): Core {
  return new Core({
    ...{ run: "r", client: "test", chance, nonce: () => "nonce" },
    place: { device: "web", resume: "vr_1", cursor: 0, ...place },
  });
}

/** What was sent. */
function sent(core: Core): ClientPacket[] {
  return core.linesToSend().map((line) => JSON.parse(line) as ClientPacket);
}

function types(core: Core): string[] {
  return sent(core).map((packet) => packet.type);
}

function hear(core: Core, now: number, ...packets: ServerPacket[]): CoreEvent[] {
  for (const packet of packets) core.receiveLine(JSON.stringify(packet), now);
  return core.events();
}

/** A core that is online, after its first login. */
function online(place: Partial<Place> = {}): Core {
  const core = makeCore(place);
  core.linkMade(0);
  hear(core, 0, HELLO, ENTERED, { type: "SNAPSHOT", upto: place.cursor ?? 0 });
  sent(core);
  return core;
}

function entry(id: number): ServerPacket {
  return { type: "MESSAGE", id, seq: id, from: "bob@home", to: "alice@home", at: AT, text: "hi" };
}

function kinds(events: CoreEvent[]): string[] {
  return events.map((event) => (event.kind === "arrived" ? event.packet!.type : event.kind));
}

describe("logging in", () => {
  test("resumes the session with what the device has", () => {
    const core = makeCore({ cursor: 7 });
    core.linkMade(0);
    expect(sent(core)).toEqual([{ type: "HELLO", client: "test" }]);
    hear(core, 0, HELLO);
    expect(sent(core)).toMatchObject([
      { type: "CONNECT", mechanism: "RESUME", token: "vr_1", device: "web", cursor: 7 },
    ]);
    expect(kinds(hear(core, 0, ENTERED))).toEqual(["logged-in", "CONNECT-OK"]);
    expect(core.place).toEqual({ device: "web", resume: "vr_2", cursor: 7 });
  });

  test("by password checks the server too, and forgets where another session was", async () => {
    const core = makeCore({ resume: null, cursor: 7 });
    core.connect({ login: "user", password: "pencil" }, 0);
    expect(kinds(core.events())).toEqual(["dial"]);
    core.linkMade(0);
    hear(core, 0, HELLO);
    expect(sent(core)[1]).toMatchObject({ type: "CONNECT", login: "user", message: "n,,n=user,r=nonce" });
    const [event] = hear(core, 0, {
      type: "CONNECT-ACK",
      salt: "W22ZaJ0SNY7soEsUEjb6gQ==",
      iterations: 4096,
      nonce: "nonce2",
    });
    if (event?.kind !== "challenged") throw new Error(event?.kind);
    core.prove(await event.scram.answer(event.packet.salt, event.packet.iterations, event.packet.nonce));
    expect(types(core)).toEqual(["CONNECT-CONTINUE"]);
    const impostor: ServerPacket = { ...ENTERED, signature: btoa("x".repeat(32)) } as ServerPacket;
    expect(kinds(hear(core, 0, impostor))).toEqual(["refused", "lost"]);
    expect(core.place.resume).toBeNull();
  });

  test("says why a challenge is not met", () => {
    const core = makeCore({ resume: null });
    core.connect({ login: "user", password: "pencil" }, 0);
    core.linkMade(0);
    hear(core, 0, HELLO);
    core.prove(new ScramFailed("Not this password."));
    expect(core.events()).toMatchObject([{ kind: "refused", code: "wrong-credentials", reason: "Not this password." }]);
    expect(core.phase).toBe("ready");
  });

  test("forgets a session that the server does not know, and keeps one that it cannot look up now", () => {
    for (const [code, resume] of [
      ["wrong-credentials", null],
      ["try-again-later", "vr_1"],
    ] as const) {
      const core = makeCore();
      core.linkMade(0);
      const events = hear(core, 0, HELLO, { type: "CONNECT-FAILED", code });
      expect(core.place.resume).toBe(resume);
      expect(kinds(events)).toEqual(["HELLO", "refused", ...(resume === null ? [] : ["lost"])]);
      expect(core.nextDeadline() !== null && core.phase === "no-link").toBe(resume !== null);
    }
  });

  test("makes an account first, on the link that it dials for that", () => {
    const core = makeCore({ resume: null });
    const key = core.register({ type: "REGISTER", login: "new", password: "pencil" }, 0);
    expect(kinds(core.events())).toEqual(["dial"]);
    core.linkMade(0);
    hear(core, 0, HELLO);
    expect(types(core)).toEqual(["HELLO", "REGISTER"]);
    const events = hear(core, 0, { type: "REGISTER-OK", login: "new@home", tag: key });
    expect(events).toMatchObject([{ asked: { key } }]);
  });

  test("refuses a server that speaks otherwise", () => {
    for (const line of ["nonsense", "[]", "null", "5", '{"type":7}', JSON.stringify({ ...HELLO, version: 2 })]) {
      const core = makeCore();
      core.linkMade(0);
      core.receiveLine(line, 0);
      expect(kinds(core.events())).toEqual(["lost"]);
    }
  });
});

describe("what arrives", () => {
  test("is acknowledged once it is kept, the highest alone", () => {
    const core = online();
    expect(kinds(hear(core, 1, entry(1), entry(2), entry(3)))).toEqual(["MESSAGE", "MESSAGE", "MESSAGE"]);
    expect(sent(core)).toEqual([]);
    core.handled(2);
    core.handled(1);
    expect(sent(core)).toEqual([{ type: "MESSAGE-DELIVERED", id: 2 }]);
    expect(sent(core)).toEqual([]);
    expect(core.place.cursor).toBe(2);
  });

  test("is dropped when it is a repeat, also after a reconnect", () => {
    const core = online();
    hear(core, 1, entry(1), entry(2));
    core.handled(1);
    core.linkLost(2, "");
    core.linkMade(3);
    const events = hear(core, 3, HELLO, ENTERED, { type: "SNAPSHOT", upto: 2 }, entry(2), entry(3));
    expect(kinds(events).filter((kind) => kind === "MESSAGE")).toEqual(["MESSAGE"]);
  });

  test("comes again from a server that was restored from a backup", () => {
    const core = online({ cursor: 50 });
    core.linkLost(2, "");
    core.linkMade(3);
    const events = hear(core, 3, HELLO, ENTERED, { type: "SNAPSHOT", upto: 40 }, entry(41));
    expect(kinds(events).at(-1)).toBe("MESSAGE");
    expect(core.place.cursor).toBe(40);
  });

  test("and is not known is passed on", () => {
    const core = online();
    expect(hear(core, 1, { type: "NEWS-OF-TOMORROW" } as never)).toMatchObject([{ kind: "arrived" }]);
  });
});

describe("the outbox", () => {
  test("sends again what the server keeps, in order and under the same cookies", () => {
    const core = online();
    core.submit({ type: "MESSAGE", to: "bob", text: "one" });
    core.submit({ type: "EDIT", id: 5, text: "two" });
    core.submit({ type: "MESSAGE", to: "bob", text: "three" });
    const first = sent(core); // two may be on the way at once
    expect(first.map((packet) => "text" in packet && packet.text)).toEqual(["one", "two"]);
    core.linkLost(1, "");
    core.linkMade(2);
    hear(core, 2, HELLO, ENTERED);
    expect(sent(core).slice(2)).toEqual(first);
    const cookie = (first[0] as { cookie: string }).cookie;
    const [event] = hear(core, 3, { type: "MESSAGE-SENT", id: 9, seq: 1, at: AT, cookie });
    expect(event).toMatchObject({ asked: { packet: first[0] } });
    expect(sent(core)).toMatchObject([{ text: "three" }]);
  });

  test("leaves over what was not answered, and takes it up in the next run", () => {
    const core = online();
    core.submit({ type: "MESSAGE", to: "bob", text: "one" });
    sent(core);
    core.submit({ type: "REACT", id: 1, emoji: "x" });
    core.submit({ type: "WHOELSE" });
    const { left } = core.outbox;
    expect(left.map(({ packet }) => packet.type)).toEqual(["MESSAGE", "REACT"]);
    const next = makeCore();
    next.submit({ type: "MESSAGE", to: "bob", text: "new" });
    next.outbox.restore(left);
    next.linkMade(0);
    hear(next, 0, HELLO, ENTERED);
    expect(sent(next).slice(2)).toEqual(left.map(({ packet }) => packet));
  });

  test("asks again what may be asked twice, and says of the rest that nobody knows", () => {
    const core = online();
    core.submit({ type: "HISTORY-GET", peer: "bob" });
    const token = core.submit({ type: "TOKEN-CREATE", name: "bot" });
    sent(core);
    core.linkLost(1, "");
    expect(core.events()).toMatchObject([{ kind: "unanswered", asked: { key: token!.key } }, { kind: "lost" }]);
    core.linkMade(2);
    hear(core, 2, HELLO, ENTERED);
    expect(types(core).slice(2)).toEqual(["HISTORY-GET"]);
  });

  test("does not keep what is worth nothing later", () => {
    const core = makeCore();
    expect(core.submit({ type: "TYPING-STARTED", to: "bob" })).toBeNull();
  });

  test("does not send what the server would refuse for its size", () => {
    const core = online();
    const say = (text: string) => core.submit({ type: "MESSAGE", to: "bob", text });
    expect(() => say("x".repeat(16_385))).toThrow(NotAPacket);
    expect(() => say("\u0001".repeat(16_000))).toThrow("too long for one message");
    expect(() => say("\ud800")).toThrow("not Unicode");
    say("🐎".repeat(16_000));
    expect(sent(core)).toHaveLength(1);
  });

  test("knows the answer of a server that does not have a feature", () => {
    const core = online();
    const asked = core.submit({ type: "SEARCH", peer: "bob", query: "x" })!;
    sent(core);
    const events = hear(core, 1, { type: "ERROR-NOT-IMPLEMENTED", request_type: "SEARCH" });
    expect(events).toMatchObject([{ asked: { key: asked.key } }]);
  });
});

describe("the link", () => {
  test("is made again after growing pauses, at least as long as the server says", () => {
    const core = online();
    core.linkLost(100, "gone");
    const pauses: number[] = [];
    for (let i = 0; i < 9; i++) {
      const [event] = core.events();
      if (event?.kind !== "lost") throw new Error(event?.kind);
      pauses.push(event.retryInS!);
      core.handleTimer(core.nextDeadline()!);
      expect(kinds(core.events())).toEqual(["dial"]);
      core.dialFailed(200, "no");
    }
    expect(pauses).toEqual([0.5, 1, 2, 4, 8, 16, LONGEST_PAUSE_S, LONGEST_PAUSE_S, LONGEST_PAUSE_S]);
    const other = online();
    const events = hear(other, 1, { type: "GOODBYE", code: "shutting-down", retry_after_s: 40 });
    expect(events.at(-1)).toMatchObject({ kind: "lost", code: "shutting-down", retryInS: 48 });
  });

  test("is not made again when the server said that this is the end", () => {
    for (const [code, resume] of [
      ["replaced", "vr_2"],
      ["revoked", null],
    ] as const) {
      const core = online();
      hear(core, 1, { type: "GOODBYE", code });
      expect([core.isFinal, core.nextDeadline(), core.place.resume]).toEqual([true, null, resume]);
    }
  });

  test("is not made again while nobody is logged in", () => {
    const core = makeCore({ resume: null });
    core.dial(0);
    core.linkMade(0);
    const events = hear(core, 0, HELLO, { type: "GOODBYE", code: "idle" });
    expect(events.at(-1)).toMatchObject({ kind: "lost", code: "idle", retryInS: null });
    expect(core.isFinal).toBe(false);
    core.connect({ login: "a", password: "b" }, 70);
    expect(kinds(core.events())).toEqual(["dial"]);
  });

  test("that is silent is asked, and lost when it stays silent", () => {
    const core = online();
    expect(core.nextDeadline()).toBe(SILENCE_S);
    core.handleTimer(SILENCE_S);
    expect(types(core)).toEqual(["PING"]);
    hear(core, SILENCE_S + 1, { type: "PONG" });
    core.handleTimer(2 * SILENCE_S + 1);
    core.handleTimer(3 * SILENCE_S + 1);
    expect(kinds(core.events())).toEqual(["lost"]);
  });

  test("is asked at once when the page wakes up", () => {
    const core = online();
    core.wake(1);
    expect(sent(core)).toEqual([]);
    core.wake(WAKE_S + 1);
    expect(types(core)).toEqual(["PING"]);
    core.handleTimer(2 * WAKE_S + 1);
    expect(kinds(core.events())).toEqual(["lost"]);
    core.wake(2 * WAKE_S + 1.1);
    expect(kinds(core.events())).toEqual(["dial"]);
  });

  test("is given up when it is not made", () => {
    const core = makeCore();
    core.dial(0);
    core.handleTimer(DIAL_S);
    expect(kinds(core.events())).toEqual(["dial", "lost"]);
    expect(core.nextDeadline()).toBe(DIAL_S + 0.5);
  });

  test("is given up when no HELLO comes, or no answer to the login", () => {
    const core = makeCore();
    core.linkMade(0);
    core.handleTimer(HELLO_S);
    expect(kinds(core.events())).toEqual(["lost"]);
    core.linkMade(20);
    hear(core, 20, HELLO);
    core.handleTimer(20 + LOGIN_S);
    expect(kinds(core.events())).toEqual(["lost"]);
  });

  test("answers PING", () => {
    const core = online();
    hear(core, 1, { type: "PING", tag: "x" });
    expect(sent(core)).toEqual([{ type: "PONG", tag: "x" }]);
  });

  test("ends with GOODBYE, after which nothing is sent", () => {
    const core = online();
    hear(core, 1, entry(1));
    core.handled(1);
    core.submit({ type: "WHOELSE" });
    core.sayGoodbye();
    expect(types(core)).toEqual(["MESSAGE-DELIVERED", "GOODBYE"]);
  });
});
