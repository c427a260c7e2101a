import { describe, expect, test } from "vitest";
import { CHUNK, Posts } from "./posts";
import { EMPTY, foldAll, type Post } from "./state";
import { unread } from "./select";

const AT = "2026-01-01T00:00:00Z";

function post(id: number, text = "", author = "bob@home"): Post {
  const nothing = {
    files: [],
    call: null,
    replyTo: null,
    edited: false,
    retracted: false,
    textId: 0,
    retractId: 0,
    registers: [],
  };
  return { id, author, at: AT, text, ...nothing };
}

function ids(posts: Posts): number[] {
  return [...posts].map((one) => one.id);
}

/** Numbers that look like chance and are the same every time. */
function* chance(seed: number): Generator<number, never> {
  for (;;) yield (seed = (seed * 48271) % 2147483647);
}

describe("a sequence of posts", () => {
  test.each([1, 2, 3])("is what a sorted list without repeats would be (seed %i)", (seed) => {
    const numbers = chance(seed);
    const all = new Set<number>();
    let posts = Posts.empty;
    for (let i = 0; i < 3 * CHUNK; i++) {
      const id = numbers.next().value % 2000;
      all.add(id);
      posts = posts.with(post(id));
    }
    const sorted = [...all].sort((one, other) => one - other);
    expect(ids(posts)).toEqual(sorted);
    expect(posts.length).toBe(sorted.length);
    expect(ids(Posts.of([...posts].reverse()))).toEqual(sorted);
    for (let i = -1; i <= sorted.length; i += 7) expect(posts.at(i)?.id).toBe(i < 0 ? undefined : sorted[i]);
    for (let id = -1; id < 2002; id += 3) {
      const index = sorted.findIndex((one) => one >= id);
      expect(posts.indexOf(id)).toBe(index < 0 ? sorted.length : index);
      expect(posts.get(id)?.id).toBe(all.has(id) ? id : undefined);
      expect(posts.slice(posts.indexOf(id), posts.indexOf(id) + 9).map((one) => one.id)).toEqual(
        sorted.filter((one) => one >= id).slice(0, 9),
      );
    }
  });

  test("does not change when another is made from it", () => {
    const before = Posts.of([post(1), post(2)]);
    const after = before.with(post(2, "new")).with(post(3));
    expect(before.get(2)!.text).toBe("");
    expect(after.get(2)!.text).toBe("new");
    expect([before.length, after.length]).toEqual([2, 3]);
  });

  test("keeps the chunks that did not change, however long it is", () => {
    let posts = Posts.of(Array.from({ length: 100_000 }, (_, i) => post(i + 1)));
    const cache = new WeakMap<readonly Post[], number>();
    let looked = 0;
    const look = () => ((looked += 1), true);
    expect(posts.count(0, look, cache)).toBe(100_000);
    posts = posts.with(post(100_001));
    looked = 0;
    expect(posts.count(0, look, cache)).toBe(100_001);
    expect(looked).toBeLessThanOrEqual(CHUNK);
  });
});

test("a thousand messages a second are a small part of a second, in a conversation of a hundred thousand", () => {
  const message = (id: number) =>
    ({ type: "MESSAGE", id, seq: id, from: "bob@home", to: "alice@home", at: AT, text: "hi" }) as const;
  let state = foldAll(
    { ...EMPTY, me: "alice@home" },
    Array.from({ length: 100_000 }, (_, i) => ({ packet: message(i + 1) })),
  );
  const visited = new Set<unknown>();
  for (let i = 0; i < 1000; i++) {
    const before = state.conversations.get("bob@home")!;
    state = foldAll(state, [{ packet: message(100_001 + i) }]);
    const after = state.conversations.get("bob@home")!;
    expect(after.posts.at(500)).toBe(before.posts.at(500));
    visited.add(unread(after));
  }
  expect(visited.size).toBe(1000);
  expect(unread(state.conversations.get("bob@home")!)).toBe(101_000);
});
