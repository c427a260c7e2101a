/** One test of the connection: its steps, one after the other, and what they mean. */
import { capture } from "../../media/devices";
import { gather, iceUrl, loop, type Paths, pathsOf, type Transport } from "../../media/paths";
import type * as wire from "../../protocol";
import { client } from "../client.svelte";
import { words } from "./words";

/** The server is asked so often; the shortest time counts. */
const ROUNDS = 3;
const SERVER_MS = 10_000;

/** The steps that there are always; those of the servers follow. */
const KEYS = ["server", "camera", "microphone", "addresses", "direct"] as const;

/** How a step stands; its sentence follows the language. */
export interface Step {
  readonly name: () => string;
  /** An address, as it is. */
  readonly about: string;
  readonly state: "waiting" | "running" | "ok" | "failed";
  readonly text: () => string;
  readonly ms: number | null;
}

interface Outcome {
  readonly isOk: boolean;
  readonly text: () => string;
  readonly ms?: number | null;
}

export type Verdict = Paths | "no-server" | "no-webrtc";

export class ConnectionTest {
  steps = $state.raw<readonly Step[]>([]);
  verdict = $state.raw<Verdict | null>(null);
  /** The server names a relay, whether it works or not. */
  hasRelays = $state(false);
  private readonly stopping = new AbortController();

  stop(): void {
    this.stopping.abort();
  }

  async run(): Promise<void> {
    if (!("RTCPeerConnection" in globalThis)) {
      this.verdict = "no-webrtc";
      return;
    }
    const { signal } = this.stopping;
    this.steps = KEYS.map((key) => fresh(() => words.steps[key], ""));
    const devices = this.devices();
    const servers = await this.server();
    const urls = servers?.flatMap((one) => one.urls.map((url) => ({ ...one, urls: [url] }))) ?? [];
    const named = urls.map(({ urls: [url = ""] }) => fresh(() => nameOf(url), url));
    this.steps = [...this.steps, ...named];
    await this.step(3, async () => {
      const { addresses } = await gather({}, signal);
      const count = addresses.host.length;
      return { isOk: count > 0, text: () => (count > 0 ? words.addresses(count) : words.noAddress) };
    });
    const direct = await this.step(4, async () => {
      const ms = await loop({}, signal);
      return { isOk: ms !== null, ms, text: () => (ms === null ? words.noDirect : words.direct) };
    });
    let isSeen = false;
    const relays = new Set<Transport>();
    for (const [index, server] of urls.entries()) {
      const url = iceUrl(server.urls[0]!);
      const isOk = await this.step(5 + index, () => {
        if (url === null) return Promise.resolve({ isOk: false, text: () => words.noUrl });
        return url.kind === "stun" ? stun(server, signal) : turn(server, url.transport, signal);
      });
      if (!isOk || url === null) continue;
      if (url.kind === "turn") relays.add(url.transport);
      if (url.transport === "udp") isSeen = true;
    }
    if (signal.aborted) return;
    this.hasRelays = urls.some((one) => iceUrl(one.urls[0]!)?.kind === "turn");
    this.verdict = servers === null ? "no-server" : pathsOf({ direct, isSeen, relays });
    await devices;
  }

  /** The link to the home server, and what it names for calls; null: there is none. */
  private async server(): Promise<readonly wire.IceServer[] | null> {
    let servers: readonly wire.IceServer[] | null = null;
    await this.step(0, async () => {
      const no = { isOk: false, text: () => words.noServer };
      if (client.connection.phase !== "online") return no;
      const times: number[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        const asked = performance.now();
        const late = new Promise<null>((resolve) => setTimeout(() => resolve(null), SERVER_MS));
        const answer = await Promise.race([client.request({ type: "ICE-SERVERS-GET" }), late]);
        if (answer === null) return no;
        servers = answer.ice_servers;
        times.push(performance.now() - asked);
      }
      const count = (servers ?? []).flatMap((one) => one.urls).length;
      return { isOk: true, ms: Math.min(...times), text: () => words.server(count) };
    });
    return servers;
  }

  private async devices(): Promise<void> {
    for (const index of [1, 2]) this.change(index, { state: "running", text: () => words.mayAsk });
    const { audio, video, problems } = await capture({ audio: true, video: true }, { microphone: "", camera: "" });
    for (const track of [audio, video]) track?.stop();
    for (const [index, kind, problem] of [
      [1, "camera", problems.video],
      [2, "microphone", problems.audio],
    ] as const) {
      const text = () => (problem === null ? words.works[kind] : words.problems[kind][problem]);
      this.change(index, { state: problem === null ? "ok" : "failed", text });
    }
  }

  private async step(index: number, attempt: () => Promise<Outcome>): Promise<boolean> {
    if (this.stopping.signal.aborted) return false;
    this.change(index, { state: "running" });
    const failed = (error: unknown) => ({ isOk: false, text: () => words.broke(String(error)) });
    const { isOk, text, ms = null }: Outcome = await attempt().catch(failed);
    this.change(index, { state: isOk ? "ok" : "failed", text, ms });
    return isOk;
  }

  private change(index: number, change: Partial<Step>): void {
    this.steps = this.steps.map((one, at) => (at === index ? { ...one, ...change } : one));
  }
}

function fresh(name: () => string, about: string): Step {
  return { name, about, state: "waiting", text: () => "", ms: null };
}

/** What a server is for, in words. */
function nameOf(url: string): string {
  const found = iceUrl(url);
  if (found === null) return words.steps.unknown;
  return found.kind === "stun" ? words.steps.stun : words.relay[found.transport];
}

async function stun(server: RTCIceServer, signal: AbortSignal): Promise<Outcome> {
  const { addresses, code, isQuick } = await gather({ iceServers: [server] }, signal);
  const [seen] = addresses.srflx;
  if (seen !== undefined) return { isOk: true, text: () => words.seen(addresses.srflx.join(", ")) };
  // a browser leaves out what is an address of the device itself
  const isOwn = code === 0 && isQuick && addresses.host.length > 0;
  return { isOk: isOwn, text: () => (isOwn ? words.seenAsIs : words.noStun) };
}

async function turn(server: RTCIceServer, transport: Transport, signal: AbortSignal): Promise<Outcome> {
  const configuration: RTCConfiguration = { iceServers: [server], iceTransportPolicy: "relay" };
  const { addresses, code } = await gather(configuration, signal);
  const [place] = addresses.relay;
  if (place === undefined) {
    const isRefused = code >= 400 && code < 500;
    return {
      isOk: false,
      text: () => (isRefused ? words.refused(code) : transport === "tls" ? words.noTls : words.noRelay),
    };
  }
  const ms = await loop(configuration, signal);
  return { isOk: ms !== null, ms, text: () => (ms === null ? words.deadRelay(place) : words.relays(place)) };
}
