/**
 * One device's side of the protocol: lines and the time in, lines and events out.  No sockets, no clock, no chance.
 *
 * Rules:
 *
 * 1. A link begins with HELLO, both ways; then the device logs in (login.ts), and requests go out (outbox.ts).
 * 2. Entries of the log (MESSAGE, EDITED, RETRACTED, REACTED) arrive in the order of their ids; one that is not above
 *    the last is a repeat and is dropped.
 * 3. What was kept is acknowledged, the highest id once a flush; it is the cursor of the next login.  A cursor beyond
 *    what the server has (it was restored from a backup) is taken back.
 * 4. A silent link is asked PING; one that stays silent is lost.
 * 5. A lost link is dialled again after a growing, jittered pause, unless the server said that this is the end; but not
 *    while nobody is logged in: then the person decides.
 *
 * The twin of src/veche/client/core.py.  Source: rows M04-M09, M13-M19, T29, X03.
 */
import type {
  ClientPacket,
  ConnectAck,
  ConnectFailed,
  ConnectOk,
  ErrorCode,
  PasswordChangeOk,
  Register,
  ServerHello,
  ServerPacket,
  Snapshot,
} from "../protocol";
import { ERROR_TEXT } from "../protocol";
import { type Credentials, Login, type Place } from "./login";
import { type Asked, NotAPacket, Outbox } from "./outbox";
import { type ClientScram, ScramFailed } from "./scram";

const VERSION = 1;
/** There must be a link within this time. */
export const DIAL_S = 20;
/** The server must say HELLO within this time. */
export const HELLO_S = 15;
export const LOGIN_S = 60;
/** After so much silence PING is sent; after so much more the link is lost. */
export const SILENCE_S = 30;
/** The same when the page comes back to life, whose link is likely to be dead. */
export const WAKE_S = 5;
export const FIRST_PAUSE_S = 0.5;
export const LONGEST_PAUSE_S = 30;
/** A link that held so long was good: the next pause is a short one again. */
export const STABLE_S = 10;

export const UNREACHABLE = "The server cannot be reached.";
const FOREIGN = "What answers there does not speak as Veche does.";

/** Worth nothing later: not sent unless the device is logged in. */
const FOR_THE_MOMENT: ReadonlySet<string> = new Set(["TYPING-STARTED", "TYPING-END", "PRESENCE", "SIGNAL"]);

/** Connecting again would end in the same way; rule 5. */
const FINAL: ReadonlySet<ErrorCode> = new Set([
  ...(["replaced", "revoked", "account-deleted", "disabled", "logged-out", "tls-required", "too-large"] as const),
  ...(["too-many-errors", "wrong-credentials", "unknown-mechanism", "already-logged-in"] as const),
]);

/** Where a device stands.  ready: HELLO was said, nobody is logged in. */
export type Phase = "no-link" | "hello" | "ready" | "login" | "online";

export type CoreEvent =
  /** The server said something, perhaps as the answer to a request.  packet: null when this client cannot read it. */
  | { kind: "arrived"; packet: ServerPacket | null; asked?: Asked }
  /** The link was lost, and nobody knows whether this request was done. */
  | { kind: "unanswered"; asked: Asked }
  /** Compute `scram.answer(...)` and give it to `prove`. */
  | { kind: "challenged"; scram: ClientScram; packet: ConnectAck }
  /** isFresh: by password, and what was kept of an earlier session may have gaps now. */
  | { kind: "logged-in"; packet: ConnectOk; isFresh: boolean }
  /** The login was refused.  The link is there for another try, unless `lost` follows. */
  | { kind: "refused"; code: ErrorCode; reason: string; retryAfterS: number | null }
  /** The link is gone, or has to go: the shell drops it.  retryInS: null, it is not made again by itself. */
  | { kind: "lost"; code: ErrorCode | null; reason: string; retryInS: number | null }
  /** It is time to dial. */
  | { kind: "dial" };

export interface CoreOptions {
  /** See Outbox. */
  readonly run: string;
  /** Our name for the server. */
  readonly client: string;
  /** Gives numbers from 0 to 1, for the jitter. */
  readonly chance: () => number;
  /** Gives a new nonce for each login: printable ASCII without comma, 18 random bytes or more. */
  readonly nonce: () => string;
  /** A device whose `resume` is there connects by itself. */
  readonly place: Place;
}

type Take = {
  readonly [T in ServerPacket["type"]]?: (packet: Extract<ServerPacket, { type: T }>, now: number) => void;
};

/** `now`, everywhere, is in seconds on one monotonic clock. */
export class Core {
  phase: Phase = "no-link";
  hello: ServerHello | null = null;
  /** This device will not be dialled again. */
  isFinal = false;
  readonly outbox: Outbox;

  private readonly client: string;
  private readonly chance: () => number;
  private readonly login: Login;
  private out: string[] = [];
  private happened: CoreEvent[] = [];
  private goodbye: { code: ErrorCode | null; reason: string; retryAfterS: number | null } | null = null;
  /** What waits for HELLO: a REGISTER. */
  private beforeLogin: string[] = [];

  private isDialling = false;
  private awaitsSnapshot = false;
  private cursor: number;
  private seen: number;
  private acknowledged: number;

  private heardAt = 0;
  private pongBy: number | null = null;
  private onlineSince = 0;
  private phaseDeadline: number | null = null;
  private redialAt: number | null = null;
  private failures = 0;

  constructor({ run, client, chance, nonce, place }: CoreOptions) {
    this.outbox = new Outbox(run);
    this.client = client;
    this.chance = chance;
    this.login = new Login(client, nonce, place);
    this.cursor = this.seen = this.acknowledged = place.cursor;
  }

  /** What to keep for the next run. */
  get place(): Place {
    return { device: this.login.device, resume: this.login.resume, cursor: this.cursor };
  }

  // -- what the shell reports

  /** There is a link. */
  linkMade(now: number): void {
    this.phase = "hello";
    this.isDialling = false;
    this.hello = this.goodbye = this.redialAt = this.pongBy = null;
    this.heardAt = now;
    this.phaseDeadline = now + HELLO_S;
    this.seen = Math.max(this.seen, this.cursor);
    this.out = [JSON.stringify({ type: "HELLO", client: this.client })];
  }

  /** The link is gone.  Harmless when that was known. */
  linkLost(now: number, reason: string): void {
    if (this.phase === "no-link") return;
    if (this.phase === "online" && now - this.onlineSince >= STABLE_S) this.failures = 0;
    this.phase = "no-link";
    this.phaseDeadline = this.pongBy = null;
    this.out = [];
    for (const asked of this.outbox.linkLost()) this.happened.push({ kind: "unanswered", asked });
    const { code = null, retryAfterS = null } = this.goodbye ?? {};
    this.wait(now, code, this.goodbye?.reason || (code === null ? reason : ERROR_TEXT[code]), retryAfterS);
  }

  /** The dialling that was asked for made no link. */
  dialFailed(now: number, reason: string): void {
    this.isDialling = false;
    this.phaseDeadline = null;
    for (const asked of this.outbox.linkLost()) this.happened.push({ kind: "unanswered", asked });
    this.wait(now, null, reason, null);
  }

  /** Rule 5. */
  private wait(now: number, code: ErrorCode | null, reason: string, atLeastS: number | null): void {
    if (code === "revoked" || code === "account-deleted") this.login.resume = null;
    if (code !== null && FINAL.has(code)) this.isFinal = true;
    this.login.credentials = null;
    this.beforeLogin = [];
    let retryInS: number | null = null;
    if (!this.isFinal && this.login.resume !== null) {
      retryInS =
        Math.min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** Math.min(this.failures, 16)) * (0.5 + this.chance() / 2);
      if (atLeastS !== null) retryInS = Math.max(retryInS, atLeastS * (1 + this.chance() / 5));
      this.failures++;
      this.redialAt = now + retryInS;
    }
    this.happened.push({ kind: "lost", code, reason, retryInS });
  }

  /** Make a link, unless there is one: at the start, or without waiting any longer. */
  dial(now: number): void {
    if (this.phase !== "no-link" || this.isDialling || this.isFinal) return;
    this.isDialling = true;
    this.redialAt = null;
    this.phaseDeadline = now + DIAL_S;
    this.happened.push({ kind: "dial" });
  }

  /** The page was asleep, or the network is back: see at once whether the link still lives. */
  wake(now: number): void {
    if (this.redialAt !== null) this.dial(now);
    if ((this.phase !== "online" && this.phase !== "ready") || now - this.heardAt < WAKE_S) return;
    this.ping(now + WAKE_S);
  }

  /** One line of the server. */
  receiveLine(line: string, now: number): void {
    if (this.phase === "no-link") return;
    this.heardAt = now;
    this.pongBy = null;
    let packet: ServerPacket;
    try {
      packet = JSON.parse(line) as ServerPacket;
    } catch {
      return this.linkLost(now, FOREIGN);
    }
    if (typeof packet !== "object" || packet === null || typeof packet.type !== "string") {
      return this.linkLost(now, FOREIGN);
    }
    const take = this.take[packet.type] as ((packet: ServerPacket, now: number) => void) | undefined;
    if (take === undefined) this.arrived(packet);
    else take(packet, now);
  }

  /** The answer to `challenged`. */
  prove(proof: string | ScramFailed): void {
    if (this.phase !== "login") return;
    if (typeof proof === "string") this.out.push(JSON.stringify({ type: "CONNECT-CONTINUE", hash: proof }));
    else this.notIn("wrong-credentials", proof.message, null);
  }

  /** Everything up to this entry of the log is kept. */
  handled(id: number): void {
    this.cursor = Math.max(this.cursor, id);
  }

  // -- what the shell asks for

  /** Log in, now or as soon as the server has said HELLO. */
  connect(credentials: Credentials, now: number): void {
    this.login.credentials = credentials;
    if (this.phase === "ready") this.startLogin(now);
    else this.dial(now);
  }

  /** Make an account; returns the key under which the answer arrives.  Throws NotAPacket. */
  register(packet: Register, now: number): string {
    const { key, line } = this.outbox.askAtOnce(packet);
    if (this.phase === "ready") this.out.push(line);
    else this.beforeLogin.push(line);
    this.dial(now);
    return key;
  }

  /** Ask for something.  null: it is worth nothing without a link.  Throws NotAPacket. */
  submit(packet: ClientPacket): Asked | null {
    if (FOR_THE_MOMENT.has(packet.type) && this.phase !== "online") return null;
    return this.outbox.ask(packet);
  }

  /** Nothing but GOODBYE is sent any more, and no link is made after this one. */
  sayGoodbye(): void {
    if (this.phase === "online") this.acknowledge();
    if (this.phase !== "no-link" && !this.isFinal) this.out.push(JSON.stringify({ type: "GOODBYE" }));
    this.isFinal = true;
    this.redialAt = null;
  }

  // -- what the shell carries out

  linesToSend(): string[] {
    if (this.phase === "online" && !this.isFinal) {
      this.acknowledge();
      this.out.push(...this.outbox.send());
    }
    const { out } = this;
    this.out = [];
    return out;
  }

  /** All that happened, oldest first. */
  events(): CoreEvent[] {
    const { happened } = this;
    this.happened = [];
    return happened;
  }

  /** When `handleTimer` wants to be called, if nothing happens before; null: not at all. */
  nextDeadline(): number | null {
    if (this.redialAt !== null) return this.redialAt;
    if (this.phaseDeadline !== null) return this.phaseDeadline;
    if (this.phase !== "online" && this.phase !== "ready") return null;
    return this.pongBy ?? this.heardAt + SILENCE_S;
  }

  /** Some deadline may have passed. */
  handleTimer(now: number): void {
    const deadline = this.nextDeadline();
    if (deadline === null || now < deadline) return;
    if (this.redialAt !== null) this.dial(now);
    else if (this.isDialling) this.dialFailed(now, UNREACHABLE);
    else if (this.phaseDeadline !== null) this.linkLost(now, "The server does not answer.");
    else if (this.pongBy !== null) this.linkLost(now, "The server has fallen silent.");
    else this.ping(now + SILENCE_S);
  }

  private ping(pongBy: number): void {
    this.pongBy = pongBy;
    this.out.push(JSON.stringify({ type: "PING" }));
  }

  private acknowledge(): void {
    if (this.cursor <= this.acknowledged) return;
    this.acknowledged = this.cursor;
    this.out.push(JSON.stringify({ type: "MESSAGE-DELIVERED", id: this.cursor }));
  }

  // -- login

  private startLogin(now: number): void {
    this.phase = "login";
    this.phaseDeadline = now + LOGIN_S;
    try {
      this.out.push(JSON.stringify(this.login.start(this.cursor)));
    } catch (error) {
      if (!(error instanceof NotAPacket)) throw error;
      this.notIn(error.code, error.message, null);
    }
  }

  private notIn(code: ErrorCode, reason: string, retryAfterS: number | null): void {
    this.phase = "ready";
    this.phaseDeadline = null;
    this.login.failed(code);
    this.happened.push({ kind: "refused", code, reason: reason || ERROR_TEXT[code], retryAfterS });
  }

  private takeHello(packet: ServerHello, now: number): void {
    if (packet.version !== VERSION) {
      this.linkLost(now, `The server speaks version ${packet.version} of the protocol, we speak ${VERSION}.`);
      return;
    }
    this.hello = packet;
    this.outbox.limits = packet.limits;
    this.arrived(packet);
    if (this.phase !== "hello") return;
    this.phase = "ready";
    this.phaseDeadline = null;
    this.out.push(...this.beforeLogin);
    this.beforeLogin = [];
    if (this.login.credentials !== null || this.login.resume !== null) this.startLogin(now);
  }

  private takeConnectOk(packet: ConnectOk, now: number): void {
    if (this.phase !== "login") return;
    let isFresh: boolean;
    try {
      isFresh = this.login.succeeded(packet);
    } catch (error) {
      if (!(error instanceof ScramFailed)) throw error;
      this.notIn("wrong-credentials", error.message, null);
      this.linkLost(now, error.message);
      return;
    }
    this.phase = "online";
    this.phaseDeadline = null;
    this.onlineSince = now;
    this.awaitsSnapshot = true;
    if (isFresh) this.cursor = this.seen = 0; // the place may be that of another device, which is where the account is
    this.acknowledged = this.cursor;
    this.happened.push({ kind: "logged-in", packet, isFresh });
    this.arrived(packet);
  }

  private takeConnectFailed(packet: ConnectFailed, now: number): void {
    if (this.phase !== "login") return this.arrived(packet);
    const { code, reason = "", retry_after_s: retryAfterS = null } = packet;
    this.notIn(code, reason, retryAfterS);
    if (this.login.resume === null) return;
    this.goodbye = { code, reason, retryAfterS }; // the session may still hold: it is tried again
    this.linkLost(now, reason);
  }

  private takePasswordChangeOk(packet: PasswordChangeOk): void {
    this.login.resume = packet.resume;
    this.arrived(packet);
  }

  // -- what arrives

  private takeEntry(packet: ServerPacket & { id: number }): void {
    if (packet.id <= this.seen) return;
    this.seen = packet.id;
    this.happened.push({ kind: "arrived", packet });
  }

  private takeSnapshot(packet: Snapshot): void {
    const upto = packet.upto ?? 0;
    if (this.awaitsSnapshot && upto < this.seen) {
      // rule 3; no entry has come on this link yet
      this.seen = upto;
      this.cursor = this.acknowledged = Math.min(this.cursor, upto);
    }
    this.awaitsSnapshot = false;
    this.happened.push({ kind: "arrived", packet });
  }

  private arrived(packet: ServerPacket): void {
    const key = "cookie" in packet && packet.cookie ? packet.cookie : "tag" in packet ? packet.tag : undefined;
    const asked = this.outbox.answered(key);
    this.happened.push({ kind: "arrived", packet, ...(asked === undefined ? {} : { asked }) });
  }

  private readonly take: Take = {
    HELLO: (packet, now) => this.takeHello(packet, now),
    PING: (packet) => void this.out.push(JSON.stringify({ ...packet, type: "PONG" })),
    PONG: () => {},
    GOODBYE: (packet, now) => {
      const { code = null, reason = "", retry_after_s: retryAfterS = null } = packet;
      this.goodbye = { code, reason, retryAfterS };
      this.happened.push({ kind: "arrived", packet });
      this.linkLost(now, reason);
    },
    ERROR: (packet, now) => {
      if (this.phase !== "hello") return this.arrived(packet);
      this.goodbye = { code: packet.code, reason: packet.reason ?? "", retryAfterS: null };
      this.happened.push({ kind: "arrived", packet });
      this.linkLost(now, packet.reason ?? "");
    },
    "ERROR-NOT-IMPLEMENTED": (packet) => {
      const tag = packet.tag ?? this.outbox.oldest(packet.request_type);
      this.arrived({ ...packet, ...(tag === undefined ? {} : { tag }) });
    },
    "CONNECT-ACK": (packet) => {
      const { scram } = this.login;
      if (scram !== null && this.phase === "login") this.happened.push({ kind: "challenged", scram, packet });
    },
    "CONNECT-OK": (packet, now) => this.takeConnectOk(packet, now),
    "CONNECT-FAILED": (packet, now) => this.takeConnectFailed(packet, now),
    "PASSWORD-CHANGE-OK": (packet) => this.takePasswordChangeOk(packet),
    SNAPSHOT: (packet) => this.takeSnapshot(packet),
    "REPLAY-END": (packet) => {
      this.seen = Math.max(this.seen, packet.upto);
      this.happened.push({ kind: "arrived", packet });
    },
    MESSAGE: (packet) => this.takeEntry(packet),
    EDITED: (packet) => this.takeEntry(packet),
    RETRACTED: (packet) => this.takeEntry(packet),
    REACTED: (packet) => this.takeEntry(packet),
  };
}
