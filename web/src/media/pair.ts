/**
 * One connection between two legs: what to do on which signal, failure and deadline.  No I/O, no clock.
 *
 *     idle --offer--> making --made--> offered --their answer--> linking --up--> up
 *     idle --their offer--> answering --made--> linking --up--> up
 *     up --silent for a while--> making, of the same connection (an ICE restart)
 *     whatever --it broke, BYE, a deadline--> idle, and again after a pause
 *
 * Rules:
 *
 * 1. The caller offers at once, and is the impolite one: while its own offer waits for an answer it passes over the
 *    other's.  The polite one lets its own offer go when the other's arrives (W3C WebRTC 1.0, Perfect Negotiation).
 * 2. The polite one waits for the offer, but not for ever: after `OFFER_S` it offers itself.
 * 3. A signal of another epoch than the pair's is passed over; a new epoch is a new Pair (row X10).
 * 4. An offer of the session that stands (`o=` of RFC 8866) changes that connection; any other replaces it.
 * 5. What breaks is told to the other by BYE, and tried again after a pause that doubles, up to `LONGEST_PAUSE_S`.  BYE
 *    is passed over while an offer is on its way: it means the connection before.
 * 6. A connection from which nothing comes is weak.  After `WEAK_S` the caller restarts its ICE, once; what stays weak
 *    is broken.
 * 7. The shell makes connections; each has a number.  What it reports of an old number is passed over.
 *
 * The kin of src/veche/media/pair.py, which is what it talks to.  Source: document 004; rows V05-V11, V26, V31, X10.
 */
import type { SignalKind } from "../protocol";

/** So long the polite one waits for an offer (rule 2). */
export const OFFER_S = 8;
/** So long a description may take. */
export const MAKE_S = 12;
export const ANSWER_S = 15;
/** From both descriptions to a connection. */
export const CONNECT_S = 15;
export const WEAK_S = 4;
export const FIRST_PAUSE_S = 1;
export const LONGEST_PAUSE_S = 30;

/** How it stands with another leg. */
export type LinkState = "connecting" | "connected" | "weak" | "failed";
/** Why it failed; the words for people are the UI's. */
export type Reason = "" | "given-up" | "too-long" | "no-answer" | "no-path" | "silent" | "refused";

/** What the shell is told to do, in this order. */
export type Command =
  /** Make a connection, and report its offer by `made`; with `renews`, an offer of the one there with new ICE. */
  | { readonly kind: "offer"; readonly serial: number; readonly renews: boolean }
  /** Make a connection for this offer, or, with `renews`, give it to the one that is there; report `made`. */
  | { readonly kind: "answer"; readonly serial: number; readonly sdp: string; readonly renews: boolean }
  | { readonly kind: "accept"; readonly serial: number; readonly sdp: string }
  | {
      readonly kind: "candidate";
      readonly serial: number;
      readonly candidate: string;
      readonly mid: string;
      readonly mline: number;
    }
  | { readonly kind: "drop"; readonly serial: number }
  | { readonly kind: "tell"; readonly signal: SignalKind; readonly sdp: string }
  | { readonly kind: "changed"; readonly state: LinkState; readonly reason: Reason; readonly retryInS: number | null };

export type Phase = "idle" | "making" | "offered" | "answering" | "linking" | "up";

/** What a SIGNAL says; as the packet has it. */
export interface Said {
  readonly kind: SignalKind;
  readonly epoch: number;
  readonly sdp?: string;
  readonly candidate?: string;
  readonly mid?: string;
  readonly mline?: number;
}

/** This leg and another one, within one epoch.  `now`, everywhere: seconds on one monotonic clock. */
export class Pair {
  readonly epoch: number;
  readonly isCaller: boolean;
  phase: Phase = "idle";
  /** Of the newest connection. */
  serial = 0;
  state: LinkState = "connecting";
  /** When `handleTimer` wants to be called, if nothing happens before. */
  deadline: number | null = null;

  private ufrag = "";
  private session = "";
  private failures = 0;
  private isWeak = false;
  private hasRestarted = false;
  private out: Command[] = [];

  constructor(epoch: number, isCaller: boolean) {
    this.epoch = epoch;
    this.isCaller = isCaller;
  }

  /** What is to be done, oldest first; each is given out once. */
  commands(): Command[] {
    const { out } = this;
    this.out = [];
    return out;
  }

  // -- beginning and end

  /** The pair exists (rules 1 and 2). */
  begin(now: number): void {
    if (this.isCaller) this.offer(now);
    else this.deadline = now + OFFER_S;
  }

  /** One of the two is no leg any more, or begins anew. */
  end(): void {
    this.drop();
    this.deadline = null;
  }

  /** Try again now: the person asks for it. */
  retry(now: number): void {
    this.failures = 0;
    this.offer(now);
  }

  /** The link to the server was lost and is there again: what was said meanwhile may be lost with it. */
  signallingIsBack(now: number): void {
    if (this.phase === "up" || this.phase === "linking") return;
    this.failures = 0;
    if (this.isCaller) return this.offer(now);
    this.drop();
    this.deadline = now + OFFER_S;
  }

  // -- what the other says

  /** A SIGNAL of the other leg. */
  receive(said: Said, now: number): void {
    if (said.epoch !== this.epoch) return; // rule 3
    const { sdp = "", candidate = "", mid = "", mline = 0 } = said;
    switch (said.kind) {
      case "offer":
        return this.takeOffer(sdp, now);
      case "answer":
        if (this.phase !== "offered") return;
        this.phase = "linking";
        this.remember(sdp);
        this.deadline = now + CONNECT_S;
        this.out.push({ kind: "accept", serial: this.serial, sdp });
        return;
      case "candidate":
        if (this.phase !== "answering" && this.phase !== "linking" && this.phase !== "up") return;
        if (this.isOfThis(candidate)) {
          this.out.push({ kind: "candidate", serial: this.serial, candidate, mid, mline });
        }
        return;
      case "bye":
        if (this.phase === "answering" || this.phase === "linking" || this.phase === "up") this.fail("given-up", now);
    }
  }

  private takeOffer(sdp: string, now: number): void {
    if (ufragOf(sdp) === "") return; // nonsense: whoever sends it gets no answer, and tries again
    if ((this.phase === "making" || this.phase === "offered") && this.isCaller) return; // rule 1
    const renews = (this.phase === "linking" || this.phase === "up") && this.isStanding(sdp); // rule 4
    if (!renews) {
      this.drop();
      this.serial++;
    }
    this.remember(sdp);
    this.phase = "answering";
    this.deadline = now + MAKE_S;
    this.out.push({ kind: "answer", serial: this.serial, sdp, renews });
    if (!renews) this.change("connecting");
  }

  private isStanding(sdp: string): boolean {
    const session = sessionOf(sdp);
    return ufragOf(sdp) === this.ufrag || (session !== "" && session === this.session);
  }

  private remember(sdp: string): void {
    this.ufrag = ufragOf(sdp);
    this.session = sessionOf(sdp);
  }

  /** Whether a candidate belongs to the connection that stands; those that do not say are taken to. */
  private isOfThis(candidate: string): boolean {
    const said = /\bufrag (\S{1,256})/.exec(candidate);
    return said === null || said[1] === this.ufrag;
  }

  // -- what the shell reports

  /** The offer or answer that was asked for. */
  made(serial: number, sdp: string, now: number): void {
    if (serial !== this.serial) return;
    if (this.phase === "making") {
      this.phase = "offered";
      this.deadline = now + ANSWER_S;
      this.out.push({ kind: "tell", signal: "offer", sdp });
    } else if (this.phase === "answering") {
      this.phase = "linking";
      this.deadline = now + CONNECT_S;
      this.out.push({ kind: "tell", signal: "answer", sdp });
    }
  }

  /** Media can flow. */
  up(serial: number): void {
    if (serial !== this.serial || (this.phase !== "linking" && this.phase !== "answering")) return;
    this.phase = "up";
    this.deadline = null;
    this.failures = 0;
    this.isWeak = this.hasRestarted = false;
    this.change("connected");
  }

  /** The connection cannot be made, or is gone. */
  broke(serial: number, reason: Reason, now: number): void {
    if (serial !== this.serial || this.phase === "idle") return;
    this.out.push({ kind: "tell", signal: "bye", sdp: "" });
    this.fail(reason, now);
  }

  /** Nothing has come for a while (rule 6). */
  silent(serial: number, now: number): void {
    if (serial !== this.serial || this.phase !== "up" || this.isWeak) return;
    this.isWeak = true;
    this.deadline = now + WEAK_S;
    this.change("weak");
  }

  /** Something came again. */
  heard(serial: number): void {
    if (serial !== this.serial || this.phase !== "up" || !this.isWeak) return;
    this.isWeak = this.hasRestarted = false;
    this.deadline = null;
    this.change("connected");
  }

  // -- time

  /** The deadline may have passed. */
  handleTimer(now: number): void {
    if (this.deadline === null || now < this.deadline) return;
    switch (this.phase) {
      case "idle":
        return this.offer(now);
      case "making":
      case "answering":
        return this.broke(this.serial, "too-long", now);
      case "offered":
        return this.broke(this.serial, "no-answer", now);
      case "linking":
        return this.broke(this.serial, "no-path", now);
      case "up":
        if (this.hasRestarted) return this.broke(this.serial, "silent", now);
        this.hasRestarted = true;
        if (this.isCaller) this.restart(now);
        else this.deadline = now + ANSWER_S + CONNECT_S; // the caller's restart is on its way
    }
  }

  // -- inside

  private restart(now: number): void {
    this.phase = "making";
    this.deadline = now + MAKE_S;
    this.out.push({ kind: "offer", serial: this.serial, renews: true });
  }

  private offer(now: number): void {
    this.drop();
    this.serial++;
    this.phase = "making";
    this.deadline = now + MAKE_S;
    this.out.push({ kind: "offer", serial: this.serial, renews: false });
    this.change("connecting");
  }

  private fail(reason: Reason, now: number): void {
    this.drop();
    const pause = Math.min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** Math.min(this.failures, 16));
    this.failures++;
    const retryInS = this.isCaller ? pause : pause + OFFER_S;
    this.deadline = now + retryInS;
    this.change("failed", reason, retryInS);
  }

  private drop(): void {
    if (this.phase !== "idle") this.out.push({ kind: "drop", serial: this.serial });
    this.phase = "idle";
    this.ufrag = this.session = "";
    this.isWeak = this.hasRestarted = false;
  }

  private change(state: LinkState, reason: Reason = "", retryInS: number | null = null): void {
    if (state === this.state && state !== "failed") return;
    this.state = state;
    this.out.push({ kind: "changed", state, reason, retryInS });
  }
}

/** The first ICE username fragment of a description; empty: it has none, so it is no description. */
export function ufragOf(sdp: string): string {
  return /^a=ice-ufrag:(\S{1,256})\s*$/m.exec(sdp)?.[1] ?? "";
}

/** Whose description it is, and of which connection of theirs. */
function sessionOf(sdp: string): string {
  return /^o=(\S+ \d+) /m.exec(sdp)?.[1] ?? "";
}
