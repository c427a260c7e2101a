/** The connection of a pair, without WebRTC.  Rows: V26, V31 (partly), X10 (partly). */
import { describe, expect, test } from "vitest";
import { ANSWER_S, type Command, CONNECT_S, LONGEST_PAUSE_S, OFFER_S, Pair, WEAK_S } from "./pair";

const sdp = (ufrag: string, session = "- 1") => `v=0\r\no=${session} 2 IN IP4 127.0.0.1\r\na=ice-ufrag:${ufrag}\r\n`;
const kinds = (pair: Pair) =>
  pair.commands().map((one) => (one.kind === "tell" ? one.signal : one.kind === "changed" ? one.state : one.kind));

/** A caller that is connected. */
function connected(isCaller = true): Pair {
  const pair = new Pair(3, isCaller);
  pair.begin(0);
  if (isCaller) {
    pair.made(1, sdp("mine"), 0);
    pair.receive({ kind: "answer", epoch: 3, sdp: sdp("theirs", "- 9") }, 0);
  } else {
    pair.receive({ kind: "offer", epoch: 3, sdp: sdp("theirs", "- 9") }, 0);
    pair.made(1, sdp("mine"), 0);
  }
  pair.up(1);
  expect(pair.state).toBe("connected");
  pair.commands();
  return pair;
}

describe("beginning", () => {
  test("the caller offers, and links by the answer", () => {
    const pair = new Pair(3, true);
    pair.begin(0);
    expect(kinds(pair)).toEqual(["offer"]);
    pair.made(1, sdp("mine"), 0);
    expect(kinds(pair)).toEqual(["offer"]);
    pair.receive({ kind: "answer", epoch: 3, sdp: sdp("theirs") }, 0);
    pair.up(1);
    expect(kinds(pair)).toEqual(["accept", "connected"]);
  });
  test("the other one waits for the offer, but not for ever", () => {
    const pair = new Pair(3, false);
    pair.begin(0);
    pair.handleTimer(OFFER_S - 0.1);
    expect(kinds(pair)).toEqual([]);
    pair.handleTimer(OFFER_S);
    expect(kinds(pair)).toEqual(["offer"]);
  });
  test("when both offer, the caller's holds", () => {
    for (const isCaller of [true, false]) {
      const pair = new Pair(3, isCaller);
      pair.begin(0);
      pair.handleTimer(OFFER_S);
      pair.commands();
      pair.receive({ kind: "offer", epoch: 3, sdp: sdp("theirs") }, OFFER_S);
      expect(kinds(pair)).toEqual(isCaller ? [] : ["drop", "answer"]);
    }
  });
});

describe("what is passed over", () => {
  test.each(["offer", "answer", "candidate", "bye"] as const)("%s of another epoch", (kind) => {
    const pair = connected();
    for (const epoch of [2, 4]) pair.receive({ kind, epoch, sdp: sdp("x") }, 1);
    expect(kinds(pair)).toEqual([]);
  });
  test.each(["", "nonsense", "o=- 1 2\r\n"])("an offer that is none: %j", (text) => {
    const pair = connected();
    pair.receive({ kind: "offer", epoch: 3, sdp: text }, 1);
    expect(kinds(pair)).toEqual([]);
  });
  test("candidates of a connection before, and reports of an old number", () => {
    const pair = connected();
    pair.receive({ kind: "candidate", epoch: 3, candidate: "candidate:1 1 udp 1 ::1 9 typ host ufrag old" }, 1);
    pair.broke(0, "refused", 1);
    expect(kinds(pair)).toEqual([]);
    pair.receive({ kind: "candidate", epoch: 3, candidate: "candidate:1 1 udp 1 ::1 9 typ host ufrag theirs" }, 1);
    expect(kinds(pair)).toEqual(["candidate"]);
  });
});

describe("weakness", () => {
  test("what comes again is connected again", () => {
    const pair = connected();
    pair.silent(1, 10);
    pair.heard(1);
    pair.handleTimer(10 + WEAK_S);
    expect(kinds(pair)).toEqual(["weak", "connected"]);
  });
  test("the caller restarts the ICE of the same connection, once; then it is broken", () => {
    const pair = connected();
    pair.silent(1, 10);
    pair.handleTimer(10 + WEAK_S);
    const commands = pair.commands();
    expect(commands.at(-1)).toEqual({ kind: "offer", serial: 1, renews: true } satisfies Command);
    pair.made(1, sdp("mine again"), 15);
    expect(kinds(pair)).toEqual(["offer"]);
    pair.handleTimer(15 + ANSWER_S);
    expect(kinds(pair)).toEqual(["bye", "drop", "failed"]);
  });
  test("an offer of the session that stands renews it; any other replaces it", () => {
    const pair = connected(false);
    pair.receive({ kind: "offer", epoch: 3, sdp: sdp("new", "- 9") }, 1);
    expect(pair.commands()).toMatchObject([{ kind: "answer", serial: 1, renews: true }]);
    pair.made(1, sdp("mine"), 1);
    pair.up(1);
    expect(kinds(pair)).toEqual(["answer"]);
    pair.receive({ kind: "offer", epoch: 3, sdp: sdp("other", "- 77") }, 2);
    expect(pair.commands()).toMatchObject([
      { kind: "drop", serial: 1 },
      { kind: "answer", serial: 2, renews: false },
      { kind: "changed", state: "connecting" },
    ]);
  });
});

describe("failure", () => {
  test("is tried again after pauses that double up to a bound", () => {
    const pair = new Pair(3, true);
    pair.begin(0);
    let now = 0;
    const pauses: number[] = [];
    for (let round = 0; round < 8; round++) {
      pair.made(pair.serial, sdp("mine"), now);
      pair.receive({ kind: "answer", epoch: 3, sdp: sdp("theirs") }, now);
      pair.handleTimer((now += CONNECT_S));
      const failed = pair.commands().find((one) => one.kind === "changed" && one.state === "failed");
      expect(failed).toMatchObject({ reason: "no-path" });
      pauses.push(failed!.kind === "changed" ? failed!.retryInS! : 0);
      pair.handleTimer((now += pauses.at(-1)!));
      expect(pair.phase).toBe("making");
    }
    expect(pauses).toEqual([1, 2, 4, 8, 16, LONGEST_PAUSE_S, LONGEST_PAUSE_S, LONGEST_PAUSE_S]);
  });
  test("by BYE, and a person may try again at once", () => {
    const pair = connected();
    pair.receive({ kind: "bye", epoch: 3 }, 1);
    expect(kinds(pair)).toEqual(["drop", "failed"]);
    pair.retry(1);
    expect(kinds(pair)).toEqual(["offer", "connecting"]);
  });
  test("an end leaves nothing to wait for", () => {
    const pair = connected();
    pair.silent(1, 1);
    pair.end();
    expect([pair.deadline, pair.phase]).toEqual([null, "idle"]);
  });
  test("media goes on while the server is away; what was being said begins anew", () => {
    const pair = connected();
    pair.signallingIsBack(5);
    expect(kinds(pair)).toEqual([]);
    const halfway = new Pair(3, true);
    halfway.begin(0);
    halfway.made(1, sdp("mine"), 0);
    halfway.commands();
    halfway.signallingIsBack(5);
    expect(kinds(halfway)).toEqual(["drop", "offer"]);
  });
});
