import { afterEach, expect, test } from "vitest";
import { Tabs } from "./tabs";

/** The locks of a browser, as far as one name needs them (W3C Web Locks API, §3). */
class Locks {
  private holder: { reject(error: Error): void } | null = null;
  private readonly queue: (() => void)[] = [];

  request(_: string, { signal, steal }: LockOptions, granted: () => Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      const grant = () => {
        const held = (this.holder = { reject });
        void granted().then(() => {
          resolve();
          if (this.holder !== held) return;
          this.holder = null;
          this.queue.shift()?.();
        });
      };
      if (steal) {
        this.holder?.reject(new DOMException("stolen", "AbortError"));
        grant();
      } else if (this.holder === null) {
        grant();
      } else {
        this.queue.push(grant);
        signal?.addEventListener("abort", () => {
          this.queue.splice(this.queue.indexOf(grant), 1);
          reject(signal.reason as Error);
        });
      }
    });
  }
}

const PATIENCE_MS = 200;
let open: Tabs[] = [];

afterEach(() => {
  for (const tab of open) tab.close();
  open = [];
});

function makeTab(locks: Locks | undefined, onTaken: () => Promise<void>): Tabs {
  const tab = new Tabs(onTaken, locks as unknown as LockManager, PATIENCE_MS);
  open.push(tab);
  return tab;
}

test("the newest tab holds the link, once the older one has finished", async () => {
  const locks = new Locks();
  const happened: string[] = [];
  const first = makeTab(locks, async () => {
    happened.push("first is asked");
    await new Promise((resolve) => setImmediate(resolve));
    happened.push("first has finished");
  });
  const second = makeTab(locks, () => Promise.resolve(void happened.push("second is asked")));
  await first.take();
  await second.take();
  happened.push("second holds");
  await first.take();
  expect(happened).toEqual(["first is asked", "first has finished", "second holds", "second is asked"]);
});

test("a tab that does not answer loses the link after a while", async () => {
  const locks = new Locks();
  let isFrozen = true;
  let told = 0;
  const first = makeTab(locks, () => (told++, isFrozen ? new Promise(() => {}) : Promise.resolve()));
  const second = makeTab(locks, () => Promise.resolve());
  await first.take();
  await second.take();
  expect(told).toBe(1);
  isFrozen = false;
  await first.take();
});

test("without locks everyone holds it", async () => {
  const [first, second] = [
    makeTab(undefined, () => Promise.reject(new Error())),
    makeTab(undefined, () => Promise.resolve()),
  ];
  await first.take();
  await second.take();
});
