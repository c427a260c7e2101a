/**
 * Requests from their asking to their answer, across lost links and reloads of the page.
 *
 * Rules:
 *
 * 1. Each request gets a key, `<run>-<counter>`, as its cookie and its tag; keys ascend, and runs differ.
 * 2. Requests are sent in the order in which they were asked.
 * 3. What the server keeps under its cookie (MESSAGE, EDIT, RETRACT, REACT) is sent again after a lost link, in the old
 *    order and under the old cookie, until it is answered: done exactly once.
 * 4. At most `window` of these are on the way at once.
 * 5. A request that may be repeated without harm is sent again too.  Of any other nobody knows whether it was done; it
 *    ends with the link.
 * 6. What the server would refuse for its size is not sent.
 *
 * The twin of src/veche/client/outbox.py.  Source: rows M13-M15, M19.
 */
import type { ClientPacket, ErrorCode, Limits } from "../protocol";
import { MAX_LINE_BYTES, MAX_TEXT } from "../protocol";

/** This request cannot be sent: it breaks a limit that the server would refuse.  The message is a sentence. */
export class NotAPacket extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, reason: string) {
    super(reason);
    this.code = code;
  }
}

/** A request and the key of its answer. */
export interface Asked {
  readonly key: string;
  readonly packet: ClientPacket;
}

/** Before HELLO has said one. */
const DEFAULT_WINDOW = 64;
/** Rule 3. */
const KEPT: ReadonlySet<string> = new Set(["MESSAGE", "EDIT", "RETRACT", "REACT"]);
/** Rule 5. */
const REPEATABLE: ReadonlySet<string> = new Set([
  ...["HISTORY-GET", "SEARCH", "SESSIONS-GET", "TOKEN-LIST", "ACCOUNT-EXPORT", "CONTACTS-GET", "PROFILE-GET"],
  ...["WHOELSE", "WHOELSESINCE", "BLOCK", "UNBLOCK", "CONTACTS-CHANGE", "CONTACTS-UPDATE", "FRIEND-IGNORE"],
  ...["PROFILE-UPDATE", "FILE-UPLOAD", "FILE-DOWNLOAD"],
]);
/** Requests whose success is not answered: sent is done. */
const NEVER_ANSWERED: ReadonlySet<string> = new Set([
  "MESSAGE-READ",
  "TYPING-STARTED",
  "TYPING-END",
  "PRESENCE",
  "SIGNAL",
]);
/** Requests that cannot carry a tag. */
const UNTAGGED: ReadonlySet<string> = new Set(["TYPING-STARTED", "TYPING-END", "PRESENCE", "GOODBYE"]);

/** Whether a request is kept until it is answered, by whoever keeps things; rule 3. */
export function isKept(packet: ClientPacket): boolean {
  return KEPT.has(packet.type);
}

export class Outbox {
  /** Of the server, once it has said HELLO. */
  limits: Limits | null = null;
  private readonly run: string;
  private count = 0;
  private waiting: Asked[] = [];
  private readonly onTheWay = new Map<string, Asked>();
  private keptOnTheWay = 0;

  /** run: a name for this run, 1 to 30 characters, later runs behind earlier ones in the order of texts. */
  constructor(run: string) {
    this.run = run;
  }

  /** What is kept and not answered yet, oldest first. */
  get left(): Asked[] {
    return [...this.onTheWay.values(), ...this.waiting].filter(({ packet }) => isKept(packet));
  }

  // -- out

  /** Put a request at the end of the queue.  Throws NotAPacket. */
  ask(packet: ClientPacket): Asked {
    const asked = this.make(packet);
    this.waiting.push(asked);
    return asked;
  }

  /** The same for a request that does not wait for the login; its line is to be sent now. */
  askAtOnce(packet: ClientPacket): { key: string; line: string } {
    const asked = this.make(packet);
    this.onTheWay.set(asked.key, asked);
    return { key: asked.key, line: JSON.stringify(asked.packet) };
  }

  /** Put what an earlier run has left before everything else, oldest first. */
  restore(left: readonly Asked[]): void {
    this.waiting = [...left, ...this.waiting];
  }

  /** Forget all requests: they are somebody else's. */
  clear(): void {
    this.waiting = [];
    this.onTheWay.clear();
    this.keptOnTheWay = 0;
  }

  /** The lines of what may be sent now. */
  send(): string[] {
    const atOnce = Math.max(1, this.limits?.unacknowledged ?? DEFAULT_WINDOW);
    let count = 0;
    for (const asked of this.waiting) {
      if (isKept(asked.packet)) {
        if (this.keptOnTheWay >= atOnce) break;
        this.keptOnTheWay++;
      }
      if (!NEVER_ANSWERED.has(asked.packet.type)) this.onTheWay.set(asked.key, asked);
      count++;
    }
    return this.waiting.splice(0, count).map((asked) => JSON.stringify(asked.packet));
  }

  // -- in

  /** The request under this key has its answer. */
  answered(key: string | undefined): Asked | undefined {
    const asked = this.onTheWay.get(key ?? "");
    if (asked === undefined) return undefined;
    this.onTheWay.delete(asked.key);
    if (isKept(asked.packet)) this.keptOnTheWay--;
    return asked;
  }

  /** The key of the oldest request of a type that is on the way. */
  oldest(type: string): string | undefined {
    return [...this.onTheWay.values()].find((asked) => asked.packet.type === type)?.key;
  }

  /** Put back what is to be sent again; returns what ends unanswered (rules 3 and 5). */
  linkLost(): Asked[] {
    const isSentAgain = ({ packet }: Asked) => isKept(packet) || REPEATABLE.has(packet.type);
    const all = [...this.onTheWay.values()];
    this.onTheWay.clear();
    this.keptOnTheWay = 0;
    this.restore(all.filter(isSentAgain));
    return all.filter((asked) => !isSentAgain(asked));
  }

  // -- checks

  private make(packet: ClientPacket): Asked {
    const key = `${this.run}-${String(++this.count).padStart(6, "0")}`;
    const named = isKept(packet) ? { ...packet, cookie: key } : packet;
    const asked = { key, packet: UNTAGGED.has(packet.type) ? named : ({ ...named, tag: key } as ClientPacket) };
    this.check(asked.packet);
    return asked;
  }

  /** Throws NotAPacket for what the server would refuse for its size, or because it is no Unicode. */
  private check(packet: ClientPacket): void {
    const text = ("text" in packet && packet.text) || "";
    const longest = this.limits?.text_chars ?? MAX_TEXT;
    if (text.length > longest && [...text].length > longest) {
      throw new NotAPacket("too-large", `The text is longer than ${longest} characters.`);
    }
    if (Object.values(packet).some((value) => typeof value === "string" && !value.isWellFormed())) {
      throw new NotAPacket("bad-request", "The text has characters that are not Unicode.");
    }
    if (new TextEncoder().encode(JSON.stringify(packet)).length + 2 > (this.limits?.line_bytes ?? MAX_LINE_BYTES)) {
      throw new NotAPacket("too-large", "The text is too long for one message.");
    }
  }
}
