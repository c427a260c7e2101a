/**
 * The client on a real server; tests/scenarios/test_web_client.py runs this with VECHE_TEST_SERVER, the URL of a server
 * on which everyone may register.
 */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import * as select from "../core/select";
import { conversation } from "../core/state";
import { type Client, RequestFailed } from "./client";
import { Browser, until } from "./environment.fake";
import { type Socket, type SocketEvents, webSocket } from "./environment";

const SERVER = process.env["VECHE_TEST_SERVER"];

/** The way to the server, of one test: what is left of another test's clients stays cut off. */
class Net {
  isReachable = true;
  readonly sockets: Socket[] = [];

  readonly dial = (events: SocketEvents): Socket => {
    if (!this.isReachable) {
      setImmediate(() => events.closed());
      return { send: () => {}, close: () => {} };
    }
    const socket = webSocket(new URL("/ws", SERVER), events);
    this.sockets.push(socket);
    return socket;
  };

  cut(): void {
    this.isReachable = false;
    for (const socket of this.sockets) socket.close();
  }
}

describe.skipIf(SERVER === undefined)("a client on a server", () => {
  let net: Net;
  let names = 0;

  beforeEach(() => {
    net = new Net();
  });

  afterEach(() => net.cut());

  async function opened(browser = new Browser(net.dial)): Promise<Client> {
    const client = browser.tab();
    await client.start();
    return client;
  }

  function isOnline(client: Client): Promise<void> {
    return until(client, () => client.connection.phase === "online");
  }

  /** Somebody new, online. */
  async function newcomer(name: string, browser = new Browser(net.dial)): Promise<Client> {
    const client = await opened(browser);
    await client.register(`${name}-${process.pid}-${++names}`, "a passwörd");
    await isOnline(client);
    return client;
  }

  const posts = (client: Client, peer: string) => [...conversation(client.state, peer).posts];
  const texts = (client: Client, peer: string) => posts(client, peer).map((post) => post.text);

  test("registers, is refused a wrong password, logs in", async () => {
    const alice = await newcomer("alice");
    const { me } = alice.state;
    expect(me).toContain("@");
    const other = await opened();
    await until(other, () => other.hello !== null);
    expect(other.connection).toEqual({ phase: "signed-out", reason: "" });
    await expect(other.login(me, "wrong")).rejects.toMatchObject({ code: "wrong-credentials" });
    expect(other.connection.phase).toBe("signed-out");
    await expect(other.register(me, "taken")).rejects.toMatchObject({ code: "login-taken" });
    await other.login(me, "a passwörd");
    await isOnline(other);
    expect(other.state.me).toBe(me);
    expect(alice.connection.phase).toBe("online");
  });

  test("makes friends, talks, and sees how far the words came", async () => {
    const [alice, bob] = [await newcomer("alice"), await newcomer("bob")];
    const [a, b] = [alice.state.me, bob.state.me];
    const { relation } = await alice.request({ type: "FRIEND-REQUEST", login: b });
    expect(relation).toBe("outgoing");
    await until(bob, () => select.requests(bob.state).length > 0);
    await bob.request({ type: "FRIEND-ANSWER", login: a, accepted: true });
    await until(alice, () => select.online(alice.state).length > 0);
    expect(select.friends(alice.state).map((one) => one.id)).toEqual([b]);

    bob.typing(a, true);
    await until(alice, () => alice.state.typing.has(b));
    const key = alice.send(b, "one");
    expect(conversation(alice.state, b).pending.get(key)?.text).toBe("one");
    await until(bob, () => posts(bob, a).length === 1);
    await until(alice, () => conversation(alice.state, b).peerDeliveredId > 0);
    expect(select.unreadTotal(bob.state)).toBe(1);
    bob.read(a);
    expect(select.unreadTotal(bob.state)).toBe(0);
    await until(alice, () => conversation(alice.state, b).peerReadId > 0);
    expect(conversation(alice.state, b).pending.size).toBe(0);

    const { id } = posts(alice, b)[0]!;
    await alice.edit(id, "uno");
    await bob.react(id, "👍");
    await until(alice, () => select.reactionsOf(posts(alice, b)[0]!).length > 0);
    await until(bob, () => texts(bob, a)[0] === "uno");
    await alice.retract(id);
    await until(bob, () => posts(bob, a)[0]!.retracted);
    await expect(bob.edit(id, "mine?")).rejects.toBeInstanceOf(RequestFailed);

    bob.send("nobody-there", "hello?");
    const lost = bob.send("nobody-there", "hello?");
    const nobody = `nobody-there@${b.split("@")[1]}`;
    await until(bob, () => conversation(bob.state, nobody).pending.get(lost)?.failed);
    bob.discard(nobody, lost);
    expect(conversation(bob.state, nobody).pending.size).toBe(1);
  });

  test("shows what it kept, resumes without a password, and gets what it missed", async () => {
    const browser = new Browser(net.dial);
    const [alice, bob] = [await newcomer("alice", browser), await newcomer("bob")];
    const [a, b] = [alice.state.me, bob.state.me];
    bob.send(a, "before");
    await until(bob, () => conversation(bob.state, a).peerDeliveredId > 0); // so it was kept
    alice.setDraft(b, "to be said");
    net.isReachable = false;
    net.sockets[0]!.close();
    await until(alice, () => alice.connection.phase === "waiting");
    browser.leave();
    bob.send(a, "meanwhile");
    await until(bob, () => conversation(bob.state, a).pending.size === 0);

    const again = await opened(browser);
    await until(again, () => again.connection.phase === "waiting");
    expect(texts(again, b)).toEqual(["before"]);
    expect(again.draft(b)).toBe("to be said");
    net.isReachable = true;
    again.retryNow();
    await isOnline(again);
    expect(texts(again, b)).toEqual(["before", "meanwhile"]);
    expect(select.unreadTotal(again.state)).toBe(2);
  });

  test("tells what was read without a link, also after a reload", async () => {
    const browser = new Browser(net.dial);
    const [alice, bob] = [await newcomer("alice", browser), await newcomer("bob")];
    const [a, b] = [alice.state.me, bob.state.me];
    bob.send(a, "read me");
    await until(alice, () => posts(alice, b).length === 1);
    net.isReachable = false;
    net.sockets[0]!.close();
    await until(alice, () => alice.connection.phase === "waiting");
    alice.read(b);
    browser.leave();
    net.isReachable = true;
    await isOnline(await opened(browser));
    await until(bob, () => conversation(bob.state, a).peerReadId > 0);
  });

  test("sends each message once, over lost links and a reload of the page", async () => {
    const browser = new Browser(net.dial);
    const [bob, alice] = [await newcomer("bob"), await newcomer("alice", browser)];
    const [a, b] = [alice.state.me, bob.state.me];
    const all: string[] = [];
    const say = (client: Client) => {
      all.push(`text ${all.length}`);
      client.send(b, all.at(-1)!);
    };
    const loseLink = async () => {
      net.sockets.at(-1)!.close(); // with answers on the way
      say(alice);
      await until(alice, () => alice.connection.phase === "waiting");
      say(alice);
    };
    for (let round = 0; round < 5; round++) {
      for (let i = 0; i < 20; i++) say(alice);
      if (round > 0) await until(bob, () => posts(bob, a).length > round * 20); // sometimes with some that were stored
      await loseLink();
      alice.retryNow();
      await isOnline(alice);
    }
    net.isReachable = false;
    await loseLink();
    browser.leave();
    net.isReachable = true;
    const again = await opened(browser);
    say(again);
    await until(again, () => again.connection.phase === "online" && conversation(again.state, b).pending.size === 0);
    await until(bob, () => posts(bob, a).length >= all.length);
    expect(texts(bob, a)).toEqual(all);
  });

  test("reads history page by page, back to the beginning", async () => {
    const [alice, bob] = [await newcomer("alice"), await newcomer("bob")];
    const [a, b] = [alice.state.me, bob.state.me];
    for (let i = 0; i < 120; i++) alice.send(b, `${i}`);
    await until(alice, () => conversation(alice.state, b).pending.size === 0);
    const other = await opened();
    await other.login(b, "a passwörd");
    await isOnline(other);
    let pages = 1;
    while (await other.loadOlder(a)) pages++;
    expect(pages).toBe(3);
    expect(texts(other, a)).toEqual(Array.from({ length: 120 }, (_, i) => `${i}`));
    expect(conversation(other.state, a).completeFrom).toBe(0);
    expect(await other.loadOlder(a)).toBe(false);
  });

  test("forgets everything when it logs out, and its session is void", async () => {
    const browser = new Browser(net.dial);
    const alice = await newcomer("alice", browser);
    const { me } = alice.state;
    const other = await opened();
    await other.login(me, "a passwörd");
    await isOnline(other);
    expect((await other.request({ type: "SESSIONS-GET" })).sessions).toHaveLength(2);
    await alice.logout();
    expect(alice.connection.phase).toBe("signed-out");
    expect(alice.state.me).toBe("");
    expect((await other.request({ type: "SESSIONS-GET" })).sessions).toHaveLength(1);
    const again = await opened(browser);
    expect(again.connection.phase).toBe("signed-out");
    expect(again.state.me).toBe("");
    await again.login(me, "a passwörd");
    await isOnline(again);
  });

  test("that another tab has replaced says so and stays away", async () => {
    const browser = new Browser(net.dial);
    const first = await newcomer("alice", browser);
    await browser.hasKept(({ place }) => place?.resume);
    const second = await opened(browser);
    await isOnline(second);
    await until(first, () => first.connection.phase === "elsewhere");
    await first.takeOver();
    await isOnline(first);
    await until(second, () => second.connection.phase === "elsewhere");
  });

  test("is asked for its password again when its session was revoked", async () => {
    const browser = new Browser(net.dial);
    const alice = await newcomer("alice", browser);
    const { me } = alice.state;
    const other = await opened();
    await other.login(me, "a passwörd");
    await isOnline(other);
    const { sessions } = await other.request({ type: "SESSIONS-GET" });
    await other.request({ type: "SESSIONS-REVOKE", device: sessions.find((one) => !one.current)!.device });
    await until(alice, () => alice.connection.phase === "signed-out");
    expect(alice.state.conversations.size).toBe(0);
    await alice.login(me, "a passwörd");
    await isOnline(alice);
  });

  test("of somebody else shows nothing of who was here before, and sends nothing of theirs", async () => {
    const browser = new Browser(net.dial);
    const [alice, bob] = [await newcomer("alice", browser), await newcomer("bob")];
    const [a, b] = [alice.state.me, bob.state.me];
    bob.send(a, "for alice");
    await until(alice, () => posts(alice, b).length === 1);
    const other = await opened();
    await other.login(a, "a passwörd");
    await isOnline(other);
    const { sessions } = await other.request({ type: "SESSIONS-GET" });
    await other.request({ type: "SESSIONS-REVOKE", device: sessions.find((one) => !one.current)!.device });
    await until(alice, () => alice.connection.phase === "signed-out");
    alice.send(b, "when I am back");
    alice.setDraft(b, "secret");
    expect(conversation(alice.state, b).pending.size).toBe(1);

    const mallory = await newcomer("mallory");
    await alice.login(mallory.state.me, "a passwörd");
    await isOnline(alice);
    expect(alice.state.conversations.size).toBe(0);
    expect(alice.draft(b)).toBe("");
    await browser.hasKept(({ drafts, outbox, conversations, people }) => {
      return drafts.size + outbox.length + conversations.length === 0 && people?.me === mallory.state.me;
    });
    alice.send(b, "from mallory");
    await until(bob, () => posts(bob, mallory.state.me).length > 0);
    expect(texts(bob, a)).toEqual(["for alice"]);
  });
});
