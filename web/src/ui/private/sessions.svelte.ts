/**
 * Off-the-record sessions: from device to device, by consent each time.  Nothing of them is stored, here or there: what
 * is said is in the memory of this page, until the person puts it away, or the page goes.
 *
 *     nothing --ask--> asking --a yes--> linking --they met--> open --end, or they leave--> ended --put away--> nothing
 *     nothing --they ask--> asked --a yes--> linking
 *
 * Rules:
 *
 * 1. One session with each person; with several people at once.
 * 2. Whoever asks somebody who has asked them says yes by that.  When two requests cross on their way, both devices
 *    keep the one whose certificate, or offer when those are equal, is the smaller text; the other's maker says yes.
 * 3. A request needs the server; a session does not, and outlives the link to it.
 * 4. What the server says of a request that nobody waits for any more is answered by taking it back.
 *
 * The twin of src/veche/client/private.py.  Source: rows T42-T57, X11, X22; packets/private.py.
 */
import { shownName } from "../../core/select";
import { Channel, NoDirectPath } from "../../media/channel";
import { RequestFailed } from "../../net/client";
import type * as wire from "../../protocol";
import { call } from "../alerts.svelte";
import { attention } from "../attention.svelte";
import { client } from "../client.svelte";
import { tell } from "../notices.svelte";
import { place, privateLink } from "../route.svelte";
import { oneLine } from "../text";
import { words } from "./words";

/** The server is waited for so long; without its answer the two devices meet in one network alone. */
const SERVERS_MS = 2_000;
/** Who has said yes waits so long for the other. */
const ANSWER_MS = 60_000;
/** Older texts of one session are forgotten. */
const MAX_SAYINGS = 1_000;

export type Stage = "asked" | "asking" | "linking" | "open" | "ended";

export interface Saying {
  readonly id: number;
  readonly isMine: boolean;
  readonly at: string;
  readonly text: string;
}

/** Why a session has ended, or did not come about. */
export type Why = wire.ErrorCode | "declined" | "by-them" | "by-me" | "gone" | "server-lost";

/** How it stands with one person. */
export interface Talk {
  readonly peer: string;
  readonly stage: Stage;
  readonly why: Why | null;
  readonly sayings: readonly Saying[];
  readonly unread: number;
}

/** A request of mine.  id: "" until the server has it; sdp: "" until it is sent. */
interface Asking {
  readonly peer: string;
  id: string;
  sdp: string;
  channel: Channel | null;
}

class Sessions {
  talks = $state.raw<ReadonlyMap<string, Talk>>(new Map());
  /** What is being written, by peer. */
  readonly drafts = new Map<string, string>();

  private readonly asking = new Map<string, Asking>();
  /** Their requests, by id. */
  private readonly asked = new Map<string, wire.PrivateRequest>();
  /** Those of them that nobody here was told of, since mine crossed them (rule 2). */
  private readonly untold = new Set<string>();
  /** Of sessions that stand, or are on their way to it. */
  private readonly channels = new Map<string, Channel>();
  private count = 0;
  private isOnline = true;

  constructor() {
    client.subscribe(() => this.follow());
    this.follow();
    addEventListener("beforeunload", (event) => {
      if ([...this.talks.values()].some((one) => one.stage === "open")) event.preventDefault();
    });
    addEventListener("pagehide", ({ persisted }) => !persisted && this.endAll("logged-out"));
  }

  // -- what a person does

  /** Ask for a session; what comes of it is seen in `talks`. */
  ask(peer: string): void {
    const stage = this.talks.get(peer)?.stage;
    if (stage === "open" || stage === "asking" || stage === "linking") return;
    const theirs = this.requestOf(peer);
    if (theirs !== undefined) return void this.accept(theirs);
    const asking: Asking = { peer, id: "", sdp: "", channel: null };
    this.asking.set(peer, asking);
    this.begin(peer, "asking");
    if (this.isOnline) return void this.start(asking);
    this.asking.delete(peer);
    this.over(peer, "server-lost");
  }

  /** Say yes or no to the request of somebody. */
  answer(peer: string, isAccepted: boolean): void {
    const request = this.requestOf(peer);
    if (request === undefined) return;
    if (isAccepted) return void this.accept(request);
    this.forget(request.id);
    this.settle(peer);
    client.request({ type: "PRIVATE-ANSWER", id: request.id, accepted: false }).catch(() => {});
  }

  /** Say something; false: it was not taken. */
  say(peer: string, text: string): boolean {
    if (this.channels.get(peer)?.say(text) !== true) return false;
    this.add(peer, true, text);
    return true;
  }

  /** End the session, or take back what would become one. */
  end(peer: string): void {
    const asking = this.asking.get(peer);
    if (asking !== undefined) this.withdraw(asking);
    this.channels.get(peer)?.close();
    this.channels.delete(peer);
    this.over(peer, "by-me");
  }

  /** Forget what was said in a session that has ended. */
  putAway(peer: string): void {
    if (this.talks.get(peer)?.stage === "ended") this.drop(peer);
  }

  read(peer: string): void {
    const talk = this.talks.get(peer);
    if (talk !== undefined && talk.unread > 0) this.set({ ...talk, unread: 0 });
  }

  // -- what the server says

  take(packet: wire.ServerPacket, request: wire.ClientPacket | undefined): void {
    switch (packet.type) {
      case "PRIVATE-REQUEST":
        return this.takeRequest(packet);
      case "PRIVATE-START-OK": {
        const sdp = request?.type === "PRIVATE-START" ? (request.sdp ?? "") : "";
        const asking = [...this.asking.values()].find((one) => one.sdp !== "" && one.sdp === sdp);
        if (asking !== undefined) asking.id = packet.id;
        else client.request({ type: "PRIVATE-STOP", id: packet.id }).catch(() => {}); // rule 4
        return;
      }
      case "PRIVATE-ANSWERED":
        return void this.takeAnswered(packet);
      case "PRIVATE-STOPPED":
        return this.takeStopped(packet);
    }
  }

  private takeRequest(packet: wire.PrivateRequest): void {
    const mine = this.asking.get(packet.from);
    this.asked.set(packet.id, packet);
    if (mine === undefined) this.tellOf(packet);
    else if (mine.sdp !== "" && isSmaller(["", mine.sdp], [packet.certificate ?? "", packet.sdp ?? ""])) {
      this.untold.add(packet.id);
    } else void this.accept(packet);
  }

  private async takeAnswered({ id, accepted, sdp = "" }: wire.PrivateAnswered): Promise<void> {
    const asking = [...this.asking.values()].find((one) => one.id === id);
    if (asking?.channel == null) return;
    const { peer, channel } = asking;
    this.asking.delete(peer);
    if (!accepted) {
      channel.close();
      return this.over(peer, "declined");
    }
    this.stand(peer, "linking");
    this.channels.set(peer, channel);
    try {
      await channel.accept(sdp);
    } catch {
      channel.close();
      if (this.channels.get(peer) === channel) this.broke(peer, "no-direct-path");
    }
  }

  private takeStopped({ id, code }: wire.PrivateStopped): void {
    const asking = [...this.asking.values()].find((one) => one.id === id);
    const request = this.asked.get(id);
    const isTold = request !== undefined && !this.untold.has(id);
    this.forget(id);
    if (asking !== undefined) {
      this.asking.delete(asking.peer);
      asking.channel?.close();
      this.over(asking.peer, code);
    } else if (isTold && this.talks.get(request.from)?.stage === "asked") {
      this.settle(request.from);
      if (code !== "answered") tell(words.tookBack(nameOf(request.from)));
    }
  }

  /** The link to the server is gone, and with it every request.  Sessions live on (rule 3), unless one signs out. */
  private follow(): void {
    const { phase } = client.connection;
    if (phase === "signed-out") this.endAll("logged-out");
    const isOnline = phase === "online" || phase === "catching-up";
    if (this.isOnline && !isOnline) {
      for (const asking of this.asking.values()) {
        asking.channel?.close();
        this.over(asking.peer, "server-lost");
      }
      this.asking.clear();
      for (const id of [...this.asked.keys()]) this.forget(id);
      for (const one of this.talks.values()) if (one.stage === "asked") this.settle(one.peer);
    }
    this.isOnline = isOnline;
  }

  // -- requests

  private async start(asking: Asking): Promise<void> {
    const { peer } = asking;
    try {
      asking.channel = await this.channel(peer);
      const sdp = await asking.channel.offer();
      if (this.asking.get(peer) !== asking) return asking.channel.close(); // taken back, or the server lost, meanwhile
      asking.sdp = sdp;
      await client.request({ type: "PRIVATE-START", login: peer, sdp });
    } catch (error) {
      asking.channel?.close();
      if (this.asking.get(peer) !== asking) return;
      this.asking.delete(peer);
      this.over(peer, whyOf(error));
    }
  }

  private async accept(request: wire.PrivateRequest): Promise<void> {
    const { from: peer, id } = request;
    this.forget(id);
    const mine = this.asking.get(peer);
    if (mine !== undefined) this.withdraw(mine);
    this.begin(peer, "linking");
    let channel: Channel | null = null;
    const no = () => client.request({ type: "PRIVATE-ANSWER", id, accepted: false }).catch(() => {});
    try {
      channel = await this.channel(peer);
      if (this.talks.get(peer)?.stage !== "linking") return void no();
      this.channels.set(peer, channel);
      const sdp = await channel.answer(request.sdp ?? "", ANSWER_MS);
      if (this.channels.get(peer) !== channel) return void no(); // ended meanwhile
      await client.request({ type: "PRIVATE-ANSWER", id, accepted: true, sdp });
    } catch (error) {
      if (error instanceof NoDirectPath) void no();
      channel?.close();
      if (channel === null || this.channels.get(peer) === channel) this.broke(peer, whyOf(error));
    }
  }

  private withdraw(asking: Asking): void {
    this.asking.delete(asking.peer);
    asking.channel?.close();
    if (asking.id !== "") client.request({ type: "PRIVATE-STOP", id: asking.id }).catch(() => {});
  }

  private requestOf(peer: string): wire.PrivateRequest | undefined {
    return [...this.asked.values()].find((one) => one.from === peer);
  }

  private forget(id: string): void {
    this.asked.delete(id);
    this.untold.delete(id);
  }

  private tellOf({ from: peer }: wire.PrivateRequest): void {
    if (this.talks.get(peer)?.stage === "open") return; // theirs broke, ours has not noticed: it waits until it has
    this.begin(peer, "asked");
    call(words.asks(nameOf(peer)), "", peer, privateLink(peer));
  }

  // -- sessions

  private async channel(peer: string): Promise<Channel> {
    const channel: Channel = new Channel(await iceServers(), {
      opened: () => this.is(peer, channel) && this.stand(peer, "open"),
      said: (text) => this.is(peer, channel) && this.add(peer, false, text),
      ended: (byPeer, code) => {
        if (!this.is(peer, channel)) return;
        if (byPeer) this.broke(peer, code ?? "by-them");
        else this.broke(peer, code === "offline" || code === "idle" || code === null ? "gone" : code);
      },
    });
    return channel;
  }

  private is(peer: string, channel: Channel): boolean {
    return this.channels.get(peer) === channel;
  }

  private broke(peer: string, why: Why): void {
    this.channels.delete(peer);
    this.over(peer, why);
  }

  private endAll(code: wire.ErrorCode): void {
    for (const asking of this.asking.values()) this.withdraw(asking);
    for (const channel of this.channels.values()) channel.close(code);
    this.channels.clear();
    this.asked.clear();
    this.untold.clear();
    this.drafts.clear();
    if (this.talks.size > 0) this.talks = new Map();
  }

  // -- what is shown

  /** What was said before stays in sight until it is put away. */
  private begin(peer: string, stage: Stage): void {
    const { sayings = [], unread = 0, why = null } = this.talks.get(peer) ?? {};
    this.set({ peer, stage, why: stage === "asked" ? why : null, sayings, unread });
  }

  /** Their request is over, and nothing came of it. */
  private settle(peer: string): void {
    const talk = this.talks.get(peer);
    if (talk !== undefined && talk.sayings.length > 0) this.set({ ...talk, stage: "ended" });
    else this.drop(peer);
  }

  private stand(peer: string, stage: Stage): void {
    const talk = this.talks.get(peer);
    if (talk !== undefined) this.set({ ...talk, stage });
  }

  private over(peer: string, why: Why): void {
    const talk = this.talks.get(peer);
    if (talk === undefined || talk.stage === "ended") return;
    this.set({ ...talk, stage: "ended", why });
    // mine is over; theirs, which it had crossed, or which waited for it, is now the one that counts
    const theirs = this.requestOf(peer);
    if (theirs === undefined) return;
    this.untold.delete(theirs.id);
    this.tellOf(theirs);
  }

  private add(peer: string, isMine: boolean, text: string): void {
    const talk = this.talks.get(peer);
    if (talk === undefined) return;
    const at = new Date().toISOString();
    const sayings = [...talk.sayings.slice(1 - MAX_SAYINGS), { id: ++this.count, isMine, at, text }];
    const isSeen = isMine || (attention.isHere && isShown(peer));
    this.set({ ...talk, sayings, unread: isSeen ? 0 : talk.unread + 1 });
    // what is said stays out of the notification, which systems keep
    if (!isSeen) call(words.hasSaid(nameOf(peer)), "", `private ${peer}`, privateLink(peer));
  }

  private set(talk: Talk): void {
    this.talks = new Map(this.talks).set(talk.peer, talk);
  }

  private drop(peer: string): void {
    this.drafts.delete(peer);
    this.talks = new Map([...this.talks].filter(([one]) => one !== peer));
  }
}

function isShown(peer: string): boolean {
  return place.route.page === "private" && place.route.peer === peer;
}

function nameOf(peer: string): string {
  return oneLine(shownName(client.state, peer), 60);
}

function isSmaller(mine: readonly string[], theirs: readonly string[]): boolean {
  const index = mine.findIndex((one, at) => one !== theirs[at]);
  return index >= 0 && mine[index]! < theirs[index]!;
}

function whyOf(error: unknown): Why {
  if (error instanceof NoDirectPath) return "no-direct-path";
  return error instanceof RequestFailed ? error.code : "server-lost";
}

async function iceServers(): Promise<readonly RTCIceServer[]> {
  const asked = client.request({ type: "ICE-SERVERS-GET" }).then((answer) => answer.ice_servers);
  const late = new Promise<readonly RTCIceServer[]>((resolve) => setTimeout(() => resolve([]), SERVERS_MS));
  return Promise.race([asked.catch(() => []), late]);
}

export const sessions = new Sessions();
