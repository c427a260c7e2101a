import { IDBFactory } from "fake-indexeddb";
import { expect, test } from "vitest";
import { type Changes, openStore, StoreTaken } from "./store";

function changes(other: Partial<Changes> = {}): Changes {
  return {
    ...{ isFresh: false, conversations: [], drafts: new Map(), outbox: new Map() },
    ...{ place: { device: "web", resume: "vr_1", cursor: 7 }, ...other },
  };
}

function conversation(peer: string) {
  const marks = { lastId: 1, readId: 0, peerReadId: 0, peerDeliveredId: 0, completeFrom: null, snapshot: null };
  return { peer, ...marks, posts: [], changes: [], failed: [] };
}

function asked(key: string) {
  return { key, packet: { type: "MESSAGE", to: "bob", text: key } as const };
}

test("what is written is found by the next tab", async () => {
  const database = new IDBFactory();
  const store = await openStore(database);
  expect(store.isKept).toBe(true);
  await store.write(
    changes({
      conversations: [conversation("bob@home"), conversation("carol@home")],
      drafts: new Map([["bob@home", "half a w"]]),
      outbox: new Map(["r-000002", "r-000010", "r-000001"].map((key) => [key, asked(key)])),
    }),
  );
  await store.write(
    changes({
      place: { device: "web", resume: "vr_2", cursor: 9 },
      conversations: [{ ...conversation("bob@home"), lastId: 9 }],
      outbox: new Map([["r-000002", null]]),
    }),
  );
  store.close();
  const kept = await (await openStore(database)).load();
  expect(kept.place).toEqual({ device: "web", resume: "vr_2", cursor: 9 });
  expect(kept.conversations.map((one) => [one.peer, one.lastId])).toEqual([
    ["bob@home", 9],
    ["carol@home", 1],
  ]);
  expect([...kept.drafts]).toEqual([["bob@home", "half a w"]]);
  expect(kept.outbox.map((one) => one.key)).toEqual(["r-000001", "r-000010"]);
});

test("a fresh session forgets the conversations, and clearing forgets all", async () => {
  const store = await openStore(new IDBFactory());
  await store.write(changes({ conversations: [conversation("bob@home")], drafts: new Map([["x", "y"]]) }));
  await store.write(changes({ isFresh: true, conversations: [conversation("carol@home")] }));
  const kept = await store.load();
  expect(kept.conversations.map((one) => one.peer)).toEqual(["carol@home"]);
  expect(kept.drafts.size).toBe(1);
  await store.clear();
  expect(await store.load()).toEqual({ place: null, people: null, conversations: [], drafts: new Map(), outbox: [] });
});

test("a write that fails keeps nothing of itself", async () => {
  const store = await openStore(new IDBFactory());
  const unclonable = { ...conversation("bob@home"), peer: (() => {}) as never };
  await expect(Promise.resolve().then(() => store.write(changes({ conversations: [unclonable] })))).rejects.toThrow();
  expect((await store.load()).place).toBeNull();
});

test("who has claimed it last writes, and nobody before them", async () => {
  const database = new IDBFactory();
  const [first, second] = [await openStore(database), await openStore(database)];
  await first.claim();
  await first.write(changes());
  await second.claim();
  await expect(first.write(changes({ place: { device: "old", resume: null, cursor: 1 } }))).rejects.toThrow(StoreTaken);
  await second.write(changes({ place: { device: "web", resume: "vr_9", cursor: 9 } }));
  expect((await first.load()).place?.resume).toBe("vr_9");
});

test.each([
  ["there is none", undefined],
  [
    "it may not be opened",
    {
      open: () => {
        throw new DOMException("no", "SecurityError");
      },
    },
  ],
])("when %s nothing is kept and nothing fails", async (_, factory) => {
  const store = await openStore(factory as IDBFactory | undefined);
  expect(store.isKept).toBe(false);
  await store.write(changes());
  await store.clear();
  expect((await store.load()).place).toBeNull();
  store.close();
});
