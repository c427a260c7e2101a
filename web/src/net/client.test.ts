/** The shell around the core, on a server that is this test. */
import { describe, expect, test } from "vitest";
import { unread } from "../core/select";
import { conversation } from "../core/state";
import type { ClientPacket, ServerPacket } from "../protocol";
import type { Client } from "./client";
import { Browser, eventually, until } from "./environment.fake";
import type { Environment, SocketEvents } from "./environment";
import { FORGETFUL, openStore, type Store } from "./store";

const ME = "alice@home";
const BOB = "bob@home";
const LIMITS = { line_bytes: 65536, text_chars: 16384, history_page: 200, unacknowledged: 64 };

/** A server that lets everyone in, and says what the test wants. */
class Server {
  readonly heard: ClientPacket[] = [];
  me = ME;
  private events: SocketEvents | null = null;

  readonly dial = (events: SocketEvents) => {
    this.events = events;
    setImmediate(() => events.opened());
    return { send: (line: string) => this.hear(JSON.parse(line) as ClientPacket), close: () => {} };
  };

  say(...packets: ServerPacket[]): void {
    for (const packet of packets) this.events!.received(JSON.stringify(packet));
  }

  hangUp(): void {
    this.events!.closed();
  }

  types(): string[] {
    return this.heard.map((packet) => packet.type);
  }

  private hear(packet: ClientPacket): void {
    this.heard.push(packet);
    if (packet.type === "HELLO") this.say({ type: "HELLO", version: 1, limits: LIMITS } as ServerPacket);
    if (packet.type === "CONNECT") {
      this.say({ type: "CONNECT-OK", login: this.me, device: packet.device ?? "", resume: "vr_1" });
      this.say({ type: "SNAPSHOT" }, { type: "REPLAY-END", upto: 0 });
    }
  }
}

/** A store in which somebody is logged in. */
async function browserOf(server: Server): Promise<Browser> {
  const browser = new Browser(server.dial);
  const store = await openStore(browser.database);
  await store.write({
    ...{ isFresh: true, conversations: [], drafts: new Map(), outbox: new Map() },
    place: { device: "web", resume: "vr_1", cursor: 0 },
  });
  store.close();
  return browser;
}

async function online(server: Server, other: Partial<Environment> = {}): Promise<Client> {
  const client = (await browserOf(server)).tab(other);
  await client.start();
  await until(client, () => client.connection.phase === "online");
  return client;
}

function message(id: number): ServerPacket {
  return { type: "MESSAGE", id, seq: id, from: BOB, to: ME, at: "2026-01-01T00:00:00Z", text: `text ${id}` };
}

const bob = (client: Client) => conversation(client.state, BOB);

describe("what arrives", () => {
  test("is told to subscribers once a frame, however much it is", async () => {
    const server = new Server();
    const client = await online(server);
    let told = 0;
    let slices = 0;
    client.subscribe(() => told++);
    const isTask = setInterval(() => slices++, 0);
    for (let id = 1; id <= 20_000; id++) server.say(message(id));
    await until(client, () => bob(client).posts.length === 20_000);
    clearInterval(isTask);
    expect(unread(bob(client))).toBe(20_000);
    expect(slices).toBeGreaterThan(1); // others had their turn
    expect(told).toBeLessThan(1000);
  });

  test("is acknowledged when it is kept, and not before", async () => {
    const server = new Server();
    let finish = () => {};
    const written = new Promise<void>((resolve) => (finish = resolve));
    const browser = await browserOf(server);
    const slow = async (): Promise<Store> => {
      const store = await openStore(browser.database);
      const write: Store["write"] = async (changes) => {
        if (changes.place.cursor > 0) await written;
        await store.write(changes);
      };
      return { ...FORGETFUL, isKept: true, claim: () => store.claim(), load: () => store.load(), write };
    };
    const client = browser.tab({ openStore: slow });
    await client.start();
    await until(client, () => client.connection.phase === "online");
    server.say(message(7));
    await until(client, () => bob(client).lastId === 7);
    expect(server.types()).not.toContain("MESSAGE-DELIVERED");
    finish();
    await browser.hasKept(({ place, conversations }) => place?.cursor === 7 && conversations.length === 1);
    await eventually(() => server.types().includes("MESSAGE-DELIVERED"));
    expect(server.heard).toContainEqual({ type: "MESSAGE-DELIVERED", id: 7 });
  });

  test("and cannot be understood does not stop what can", async () => {
    const server = new Server();
    const client = await online(server);
    const complaints: unknown[] = [];
    const listeners = process.rawListeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    process.on("uncaughtException", (error) => complaints.push(error));
    server.say(message(1), { type: "HISTORY-GET-OK", peer: BOB } as never, { type: "NEW" } as never, message(2));
    await until(client, () => bob(client).posts.length === 2);
    await new Promise((resolve) => setImmediate(resolve));
    process.removeAllListeners("uncaughtException");
    for (const listener of listeners) process.on("uncaughtException", listener as never);
    expect(complaints).toHaveLength(1);
  });

  test("is told to listeners with whether it is new to the person", async () => {
    const server = new Server();
    const client = (await browserOf(server)).tab();
    const heard: string[] = [];
    client.listen((packet, { isLive }) => heard.push(`${packet.type} ${isLive}`));
    await client.start();
    await until(client, () => client.connection.phase === "online");
    server.say({ type: "FRIEND-REQUEST", from: BOB });
    await eventually(() => heard.length > 4);
    expect(heard).toEqual([
      "HELLO false",
      "CONNECT-OK false",
      "SNAPSHOT false",
      "REPLAY-END true",
      "FRIEND-REQUEST true",
    ]);
  });
});

describe("without a store", () => {
  test("all works until the tab is closed", async () => {
    const server = new Server();
    const client = new Browser(server.dial).tab({ openStore: () => openStore(undefined) });
    await client.start();
    expect([client.isKept, client.connection.phase]).toEqual([false, "signed-out"]);
  });

  test("that has become full all works too, and what is kept of it does not lie", async () => {
    const server = new Server();
    let cleared = 0;
    const full: Store = {
      ...{ ...FORGETFUL, isKept: true, clear: () => Promise.resolve(void cleared++) },
      load: async () => ({ ...(await FORGETFUL.load()), place: { device: "web", resume: "vr_1", cursor: 0 } }),
      write: () => Promise.reject(new DOMException("full", "QuotaExceededError")),
    };
    const client = await online(server, { openStore: () => Promise.resolve(full) });
    server.say(message(1));
    await until(client, () => !client.isKept && bob(client).posts.length === 1);
    expect(cleared).toBe(1);
    client.send(BOB, "still here");
    expect(server.types()).toContain("MESSAGE");
  });
});

describe("a tab", () => {
  test("that another takes over finishes writing and stays away", async () => {
    const server = new Server();
    const browser = await browserOf(server);
    let take = () => Promise.resolve();
    const client = browser.tab({ makeTabs: (onTaken) => ((take = onTaken), { take: () => Promise.resolve() }) });
    await client.start();
    await until(client, () => client.connection.phase === "online");
    server.say(message(1));
    await until(client, () => bob(client).posts.length === 1);
    client.setDraft(BOB, "half a w");
    await take();
    expect(client.connection.phase).toBe("elsewhere");
    expect(server.types()).toContain("GOODBYE");
    const kept = await (await openStore(browser.database)).load();
    expect(kept.drafts.get(BOB)).toBe("half a w");
    expect(kept.conversations[0]?.posts).toHaveLength(1);
    await client.takeOver();
    await until(client, () => client.connection.phase === "online");
    expect(client.draft(BOB)).toBe("half a w");
  });
});

test("a request that is refused says why", async () => {
  const server = new Server();
  const client = await online(server);
  const asked = client.request({ type: "FRIEND-REQUEST", login: "nobody" });
  const { tag } = server.heard.at(-1) as { tag: string };
  server.say({ type: "FRIEND-REQUEST-FAILED", code: "unknown-user", tag, retry_after_s: 3 });
  await expect(asked).rejects.toMatchObject({
    code: "unknown-user",
    message: "There is no such user.",
    retryAfterS: 3,
  });
  await expect(client.request({ type: "SEARCH", peer: BOB, query: "\ud800" })).rejects.toMatchObject({
    code: "bad-request",
  });
});

test("nobody is there any more when the link is lost", async () => {
  const server = new Server();
  const client = await online(server);
  server.say({ type: "CONTACT-UPDATED", id: BOB, relation: "mutual", status: "online" });
  await until(client, () => client.state.contacts.has(BOB));
  server.hangUp();
  await until(client, () => client.connection.phase === "waiting");
  expect(client.state.contacts.get(BOB)!.status).toBe("unknown");
});
