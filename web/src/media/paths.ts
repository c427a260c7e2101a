/**
 * Which paths media can take from this browser: real attempts with a time limit each.
 *
 * `gather` asks for the addresses under which this device can be reached, `loop` makes a connection from this page to
 * itself over a path and sends something there and back.  `pathsOf` says what all of it means for calls.
 *
 * The twin of src/veche/media/check.py.  Source: RFC 8445 §5.1 (candidates), RFC 8489 (STUN), RFC 8656 (TURN).
 */

const GATHER_MS = 10_000;
const CALL_MS = 12_000;
const ECHOES = 5;
/** A STUN server that is silent is asked again for longer than this. */
const SILENT_MS = 4_000;

export type CandidateKind = "host" | "srflx" | "relay";

export interface Gathered {
  /** Addresses by kind, each once; a host's may be a name that hides it. */
  readonly addresses: Readonly<Record<CandidateKind, readonly string[]>>;
  /** What the server, or the way to it, says is wrong: the code of STUN or 701; 0: nothing. */
  readonly code: number;
  /** It was over by itself, and sooner than silence would be. */
  readonly isQuick: boolean;
}

/** The addresses that a configuration gives.  Rejects when the configuration itself is of no use. */
export async function gather(configuration: RTCConfiguration, signal: AbortSignal): Promise<Gathered> {
  const addresses: Record<CandidateKind, string[]> = { host: [], srflx: [], relay: [] };
  let code = 0;
  const started = performance.now();
  const pc = new RTCPeerConnection(configuration);
  try {
    pc.createDataChannel("test");
    const done = new Promise<void>((resolve) => {
      pc.onicecandidate = ({ candidate }) => {
        if (candidate === null) return resolve();
        const kind = candidate.type as CandidateKind | "prflx" | null;
        if (kind === null || kind === "prflx" || candidate.address === null) return;
        if (!addresses[kind].includes(candidate.address)) addresses[kind].push(candidate.address);
      };
      pc.onicecandidateerror = ({ errorCode }) => (code = code === 0 || code === 701 ? errorCode : code);
      signal.addEventListener("abort", () => resolve(), { once: true });
      setTimeout(resolve, GATHER_MS);
    });
    await pc.setLocalDescription();
    await done;
    return { addresses, code, isQuick: performance.now() - started < SILENT_MS };
  } finally {
    pc.close();
  }
}

/** A connection from this page to itself: the time there and back in milliseconds; null: none came about. */
export async function loop(configuration: RTCConfiguration, signal: AbortSignal): Promise<number | null> {
  const [one, two] = [new RTCPeerConnection(configuration), new RTCPeerConnection(configuration)];
  try {
    const late = new Promise<null>((resolve) => {
      signal.addEventListener("abort", () => resolve(null), { once: true });
      setTimeout(() => resolve(null), CALL_MS);
      for (const pc of [one, two]) {
        pc.addEventListener("connectionstatechange", () => pc.connectionState === "failed" && resolve(null));
      }
    });
    return await Promise.race([late, echoed(one, two)]);
  } finally {
    one.close();
    two.close();
  }
}

async function echoed(one: RTCPeerConnection, two: RTCPeerConnection): Promise<number> {
  const held: (() => void)[] = [];
  let areDescribed = false;
  for (const [from, to] of [
    [one, two],
    [two, one],
  ] as const) {
    from.onicecandidate = ({ candidate }) => {
      const add = () => void to.addIceCandidate(candidate ?? undefined).catch(() => {});
      if (areDescribed) add();
      else held.push(add);
    };
  }
  const channel = one.createDataChannel("test");
  const isOpen = new Promise<void>((resolve) => (channel.onopen = () => resolve()));
  two.ondatachannel = ({ channel: other }) => (other.onmessage = ({ data }) => other.send(data));
  await one.setLocalDescription();
  await two.setRemoteDescription(one.localDescription!);
  await two.setLocalDescription();
  await one.setRemoteDescription(two.localDescription!);
  areDescribed = true;
  for (const add of held) add();
  await isOpen;
  const times: number[] = [];
  while (times.length < ECHOES) {
    const sent = performance.now();
    await new Promise<void>((resolve) => {
      channel.onmessage = () => resolve();
      channel.send("there and back");
    });
    times.push(performance.now() - sent);
  }
  return Math.min(...times);
}

/** By which a relay is reached. */
export type Transport = "udp" | "tcp" | "tls";

export interface IceUrl {
  readonly kind: "stun" | "turn";
  readonly transport: Transport;
}

/** What an address of a STUN or TURN server says (RFC 7064, RFC 7065); null: it is none. */
export function iceUrl(url: string): IceUrl | null {
  const [, scheme, , query] = /^(stuns?|turns?):([^?\s]+)(?:\?transport=(udp|tcp))?$/i.exec(url) ?? [];
  if (scheme === undefined) return null;
  const isSecure = scheme.toLowerCase().endsWith("s");
  return {
    kind: scheme.toLowerCase().startsWith("turn") ? "turn" : "stun",
    transport: isSecure ? "tls" : ((query?.toLowerCase() as Transport | undefined) ?? "udp"),
  };
}

/** What was found; null: not tried. */
export interface Found {
  readonly direct: boolean | null;
  /** Some STUN server, or a relay over UDP, told how the world sees this device. */
  readonly isSeen: boolean;
  /** Transports of relays that work. */
  readonly relays: ReadonlySet<Transport>;
}

/** What that means for calls with people in other networks. */
export type Paths = "both" | "direct" | "relay" | "near" | "none";

export function pathsOf({ direct, isSeen, relays }: Found): Paths {
  const hasRelay = relays.size > 0;
  if (direct && isSeen) return hasRelay ? "both" : "direct";
  if (hasRelay) return "relay";
  return direct ? "near" : "none";
}
