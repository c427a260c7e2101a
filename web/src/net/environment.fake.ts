/** An environment without a page, for tests: links as a test makes them, a store that it gives. */
import { IDBFactory } from "fake-indexeddb";
import { Client } from "./client";
import type { Environment, Socket, SocketEvents } from "./environment";
import { type Kept, openStore } from "./store";

/** A browser: its store is what stays when its tabs go. */
export class Browser {
  readonly database = new IDBFactory();
  private readonly dial: (events: SocketEvents) => Socket;
  private readonly goodbyes: (() => void)[] = [];

  constructor(dial: (events: SocketEvents) => Socket) {
    this.dial = dial;
  }

  /** A tab, not started yet. */
  tab(other: Partial<Environment> = {}): Client {
    let isClosed = false;
    return new Client({
      dial: (events) => (isClosed ? { send: () => {}, close: () => {} } : this.dial(events)),
      openStore: () => openStore(this.database),
      makeTabs: () => ({ take: () => Promise.resolve() }),
      now: () => performance.now() / 1000,
      instant: () => new Date().toISOString(),
      chance: () => 0,
      random: (length) => Array.from({ length }, () => Math.floor(Math.random() * 36).toString(36)).join(""),
      soon: (call) => void setImmediate(call),
      frame: (call) => void setImmediate(call),
      later: (call, afterS) => {
        const timer = setTimeout(call, afterS * 1000);
        return () => clearTimeout(timer);
      },
      watch: ({ leaving }) => {
        this.goodbyes.push(() => {
          leaving();
          isClosed = true;
        });
      },
      ...other,
    });
  }

  /** Resolves once something holds for what is kept. */
  async hasKept(holds: (kept: Kept) => unknown): Promise<void> {
    const store = await openStore(this.database);
    while (!holds(await store.load())) await new Promise((resolve) => setImmediate(resolve));
    store.close();
  }

  /** All tabs are closed. */
  leave(): void {
    for (const goodbye of this.goodbyes.splice(0)) goodbye();
  }
}

/** Resolves once something holds for a client. */
export function until(client: Client, holds: () => unknown): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      if (!holds()) return;
      end();
      resolve();
    };
    const end = client.subscribe(look);
    look();
  });
}

/** Resolves once something holds that no client tells. */
export async function eventually(holds: () => unknown): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}
