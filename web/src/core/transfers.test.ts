import { expect, test } from "vitest";
import type { ClientPacket, SendFileProxyRequest, ServerPacket } from "../protocol";
import { completed, failed, foldTransfers, forgotten, isOver, NO_TRANSFERS, type Transfers } from "./transfers";

const REQUEST: SendFileProxyRequest = {
  type: "SEND-FILE-PROXY-REQUEST",
  "transfer-id": "1",
  from: "bob@x",
  filename: "a.exe",
  size: 5,
  warning: "program",
};
const OFFER = { type: "SEND-FILE-PROXY", to: "bob", filename: "a.txt", size: 5, sha256: "5e" } as const;
const ASKED = { type: "SEND-FILE-PROXY-ASKED", "transfer-id": "2", to: "bob@x", expires_s: 300 } as const;
const PLACE = { connect: "x", port: 1, token: "t" };

function after(...packets: (ServerPacket | readonly [ServerPacket, ClientPacket])[]): Transfers {
  return packets.reduce<Transfers>(
    (all, one) => ("type" in one ? foldTransfers(all, one) : foldTransfers(all, one[0], one[1])),
    NO_TRANSFERS,
  );
}

const accepted = { type: "SEND-FILE-PROXY-ACCEPT-OK", "transfer-id": "1" } as const;
const ready = { type: "SEND-FILE-PROXY-READY", "transfer-id": "1", url: "/d", sha256: "ab", ...PLACE } as const;
const done = { type: "SEND-FILE-PROXY-COMPLETED", "transfer-id": "1", sha256: "ab" } as const;

test("what comes in is asked, accepted, moves, and is completed once it was saved", () => {
  expect(after(REQUEST).get("1")).toMatchObject({ isMine: false, peer: "bob@x", stage: "asked", warning: "program" });
  expect(after(REQUEST, accepted).get("1")?.stage).toBe("accepted");
  expect(after(REQUEST, accepted, ready).get("1")).toMatchObject({ stage: "moving", url: "/d", sha256: "ab" });
  const all = after(REQUEST, accepted, { ...ready, sha256: "" }, done);
  expect(all.get("1")).toMatchObject({ stage: "moving", sha256: "ab" });
  expect(completed(all, "1").get("1")?.stage).toBe("completed");
});

test("what goes out is known from the request that asked for it", () => {
  const all = after([ASKED, OFFER]);
  expect(all.get("2")).toMatchObject({ isMine: true, peer: "bob@x", name: "a.txt", size: 5, stage: "asked" });
  expect(after(ASKED).size).toBe(0);
  const moving = foldTransfers(all, { type: "SEND-FILE-PROXY-OK", "transfer-id": "2", url: "/u", ...PLACE });
  expect(moving.get("2")).toMatchObject({ stage: "moving", url: "/u" });
  const end = foldTransfers(moving, { ...done, "transfer-id": "2" });
  expect(end.get("2")?.stage).toBe("completed");
});

test("what is over takes no step and stays until it is dismissed", () => {
  const rejected = after([ASKED, OFFER], { type: "SEND-FILE-PROXY-REJECTED", "transfer-id": "2" });
  expect(rejected.get("2")?.stage).toBe("rejected");
  const later = failed(foldTransfers(rejected, { ...done, "transfer-id": "2" }), "2", "wrong-hash");
  expect(later).toBe(rejected);
  expect(isOver(later.get("2")!)).toBe(true);
  expect(forgotten(later, "2").size).toBe(0);
});

test("why it ended is kept: withdrawn by them, cancelled by me, no answer", () => {
  for (const code of ["withdrawn", "no-answer", "storage-full"] as const) {
    const all = after(REQUEST, { type: "SEND-FILE-PROXY-CANCELLED", "transfer-id": "1", code });
    expect(all.get("1")).toMatchObject({ stage: "over", why: code });
  }
  const all = after(REQUEST, { type: "SEND-FILE-PROXY-CANCEL-OK", "transfer-id": "1" });
  expect(all.get("1")?.why).toBe("mine");
});

test("what another device has answered, or this one has refused, is forgotten", () => {
  const answered = { type: "SEND-FILE-PROXY-CANCELLED", "transfer-id": "1", code: "answered" } as const;
  expect(after(REQUEST, answered).size).toBe(0);
  expect(after(REQUEST, { type: "SEND-FILE-PROXY-REJECT-OK", "transfer-id": "1" }).size).toBe(0);
});

test("with a new link the server asks again; what it does not ask for is gone, what moves goes on", () => {
  const connected = { type: "CONNECT-OK", login: "me@x", signature: "", resume: "" } as unknown as ServerPacket;
  const all = after(REQUEST, [ASKED, OFFER], connected);
  expect([...all.keys()]).toEqual(["2"]);
  expect(after(REQUEST, accepted, ready, connected).get("1")?.stage).toBe("moving");
  expect(foldTransfers(after(REQUEST), REQUEST).size).toBe(1);
  expect(foldTransfers(all, { type: "SEND-FILE-PROXY-REJECTED", "transfer-id": "unknown" })).toBe(all);
});
