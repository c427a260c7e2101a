/**
 * The media of one conference: a connection to each other leg, what goes there, and how it stands with each.
 *
 * `sync` is told the legs whenever they change, `signal` what they say; the rest is told to `changed`, with `remotes`
 * as an immutable map.  Legs with text only have no connection.  The server sees descriptions and candidates, never a
 * key or a sound.
 *
 * Source: rows A45, A63, A65, A39, V05-V11, V26, V31, X09, X10.
 */
import { isCaller, pairEpoch } from "../core/mesh";
import { securityNumber } from "../core/security-number";
import type * as wire from "../protocol";
import { Connection, type Tracks } from "./connection";
import { type LinkState, Pair, type Reason } from "./pair";

/** How it stands with one other leg. */
export interface Remote {
  readonly leg: string;
  readonly state: LinkState;
  readonly reason: Reason;
  /** When it is tried again, in seconds on the clock of `now`; null: it is not. */
  readonly retryAt: number | null;
  /** What comes from there; null: nothing yet. */
  readonly stream: MediaStream | null;
  readonly isSpeaking: boolean;
  /** Of what comes from there; null: not known. */
  readonly quality: "good" | "fair" | "poor" | null;
  readonly roundTripS: number | null;
}

export interface EngineOptions {
  readonly conference: string;
  readonly iceServers: readonly wire.IceServer[];
  send(packet: wire.Signal): void;
  changed(): void;
  now(): number;
}

/** Louder than this is speech; it ends after so long a pause. */
const SPEECH_LEVEL = 0.02;
const SPEECH_PAUSE_S = 0.8;
const TICK_MS = 150;
const QUALITY_EVERY_S = 2;

interface Line {
  readonly pair: Pair;
  connection: Connection | null;
  /** The number of the connection, as the pair counts. */
  serial: number;
  heardAt: number;
}

const NOTHING: Tracks = { audio: null, video: null };

export class Engine {
  remotes: ReadonlyMap<string, Remote> = new Map();

  private readonly options: EngineOptions;
  private readonly lines = new Map<string, Line>();
  private tracks: Tracks = NOTHING;
  private isHeld = false;
  private me: wire.Leg | null = null;
  private readonly timer: number;
  private lookedAt = 0;

  constructor(options: EngineOptions) {
    this.options = options;
    this.timer = window.setInterval(() => this.tick(), TICK_MS);
  }

  /** The legs as they stand; `own` is the id of this device's. */
  sync(own: string, legs: readonly wire.Leg[]): void {
    const me = legs.find((one) => one.id === own);
    if (me === undefined) return;
    const isSame = this.me?.media === me.media;
    this.me = me;
    const others = new Map(
      legs.filter((one) => one.id !== own && hasMedia(one) && hasMedia(me)).map((one) => [one.id, one]),
    );
    for (const [id, line] of this.lines) {
      const other = others.get(id);
      const isGone = other === undefined || pairEpoch(me, other) !== line.pair.epoch;
      if (isGone) this.end(id, line);
    }
    for (const [id, other] of others) if (!this.lines.has(id)) this.begin(id, me, other);
    if (!isSame) this.sendTracks();
  }

  /** What another leg says. */
  signal({ from, ...said }: wire.Signalled): void {
    const line = this.lines.get(from);
    if (line === undefined) return;
    line.pair.receive(said, this.options.now());
    this.carryOut(from, line);
  }

  /** Send these from now on. */
  setTracks(tracks: Tracks): void {
    this.tracks = tracks;
    this.sendTracks();
  }

  /** Held: nothing is sent, and what comes is silent; the connections stand. */
  setHeld(isHeld: boolean): void {
    if (this.isHeld === isHeld) return;
    this.isHeld = isHeld;
    this.sendTracks();
    for (const { connection } of this.lines.values()) this.hush(connection);
  }

  /** Try again at once. */
  retry(leg: string): void {
    const line = this.lines.get(leg);
    if (line === undefined) return;
    line.pair.retry(this.options.now());
    this.carryOut(leg, line);
  }

  /** What people compare to know that nobody sits between this leg and that one; null: they are not connected. */
  async securityNumber(leg: string): Promise<string | null> {
    const found = (await this.lines.get(leg)?.connection?.fingerprints()) ?? null;
    return found && securityNumber(...found);
  }

  /** The link to the server is there again. */
  signallingIsBack(): void {
    for (const [leg, line] of this.lines) {
      line.pair.signallingIsBack(this.options.now());
      this.carryOut(leg, line);
    }
  }

  close(): void {
    clearInterval(this.timer);
    for (const [leg, line] of this.lines) this.end(leg, line);
  }

  // -- inside

  /** What may be sent: a leg with sound only sends no picture. */
  private get sent(): Tracks {
    if (this.isHeld) return NOTHING;
    return { audio: this.tracks.audio, video: mediaOf(this.me) === "video" ? this.tracks.video : null };
  }

  private sendTracks(): void {
    for (const { connection } of this.lines.values()) connection?.send(this.sent);
  }

  private hush(connection: Connection | null): void {
    for (const track of connection?.stream.getTracks() ?? []) track.enabled = !this.isHeld;
  }

  private begin(id: string, me: wire.Leg, other: wire.Leg): void {
    const pair = new Pair(pairEpoch(me, other), isCaller(me, other));
    const line: Line = { pair, connection: null, serial: 0, heardAt: -Infinity };
    this.lines.set(id, line);
    this.show(id, NEW(id));
    pair.begin(this.options.now());
    this.carryOut(id, line);
  }

  private end(id: string, line: Line): void {
    line.pair.end();
    line.connection?.close();
    line.connection = null;
    this.lines.delete(id);
    const remotes = new Map(this.remotes);
    remotes.delete(id);
    this.remotes = remotes;
    this.options.changed();
  }

  private show(id: string, news: Partial<Remote>): void {
    const old = this.remotes.get(id) ?? NEW(id);
    this.remotes = new Map(this.remotes).set(id, { ...old, ...news });
    this.options.changed();
  }

  private carryOut(id: string, line: Line): void {
    const { pair } = line;
    const { now } = this.options;
    for (const command of pair.commands()) {
      switch (command.kind) {
        case "offer": {
          const connection = command.renews ? line.connection : this.connect(id, line, command.serial);
          connection?.offer(command.renews, (sdp) => {
            pair.made(command.serial, sdp, now());
            this.carryOut(id, line);
          });
          break;
        }
        case "answer": {
          const connection = command.renews ? line.connection : this.connect(id, line, command.serial);
          connection?.answer(command.sdp, (sdp) => {
            pair.made(command.serial, sdp, now());
            if (connection.state === "connected") pair.up(command.serial);
            this.carryOut(id, line);
          });
          break;
        }
        case "accept":
          if (command.serial === line.serial) line.connection?.accept(command.sdp);
          break;
        case "candidate":
          if (command.serial === line.serial) {
            line.connection?.candidate(command.candidate, command.mid, command.mline);
          }
          break;
        case "drop":
          if (command.serial !== line.serial) break;
          line.connection?.close();
          line.connection = null;
          this.show(id, { stream: null, isSpeaking: false, quality: null, roundTripS: null });
          break;
        case "tell":
          this.say(id, pair, { kind: command.signal, ...(command.sdp ? { sdp: command.sdp } : {}) });
          break;
        case "changed": {
          const retryAt = command.retryInS === null ? null : now() + command.retryInS;
          this.show(id, { state: command.state, reason: command.reason, retryAt });
        }
      }
    }
  }

  private say(to: string, { epoch }: Pair, what: Pick<wire.Signal, "kind" | "sdp" | "candidate" | "mid" | "mline">) {
    this.options.send({ type: "SIGNAL", id: this.options.conference, to, epoch, ...what });
  }

  private connect(id: string, line: Line, serial: number): Connection {
    line.connection?.close();
    const { pair } = line;
    const configuration: RTCConfiguration = {
      iceServers: this.options.iceServers.map((one) => ({ ...one })),
      bundlePolicy: "max-bundle",
    };
    const after = (report: () => void) => {
      if (line.serial !== serial || this.lines.get(id) !== line) return;
      report();
      this.carryOut(id, line);
    };
    const connection = new Connection(configuration, this.sent, {
      found: (candidate, mid, mline) =>
        after(() => this.say(id, pair, { kind: "candidate", ...(candidate ? { candidate } : {}), mid, mline })),
      stands: (state) =>
        after(() => {
          if (state === "connected") {
            pair.up(serial);
            pair.heard(serial);
          } else if (state === "disconnected") pair.silent(serial, this.options.now());
          else if (state === "failed") {
            if (pair.phase === "up") pair.silent(serial, this.options.now());
            else pair.broke(serial, "no-path", this.options.now());
          }
        }),
      came: () => after(() => this.show(id, { stream: connection.stream })),
      failed: () => after(() => pair.broke(serial, "refused", this.options.now())),
    });
    line.connection = connection;
    line.serial = serial;
    if (this.isHeld) this.hush(connection);
    return connection;
  }

  private tick(): void {
    const now = this.options.now();
    const looksAtQuality = now - this.lookedAt >= QUALITY_EVERY_S;
    if (looksAtQuality) this.lookedAt = now;
    for (const [id, line] of this.lines) {
      line.pair.handleTimer(now);
      this.carryOut(id, line);
      const { connection } = line;
      if (connection === null) continue;
      if (connection.level() > SPEECH_LEVEL) line.heardAt = now;
      const isSpeaking = !this.isHeld && now - line.heardAt < SPEECH_PAUSE_S;
      if (isSpeaking !== this.remotes.get(id)?.isSpeaking) this.show(id, { isSpeaking });
      if (looksAtQuality) void this.lookAt(id, line, connection);
    }
  }

  private async lookAt(id: string, line: Line, connection: Connection): Promise<void> {
    const found = await connection.quality().catch(() => null);
    if (line.connection !== connection || this.lines.get(id) !== line) return;
    const quality = found === null ? null : grade(found.roundTripS, found.lost);
    this.show(id, { quality, roundTripS: found?.roundTripS ?? null });
  }
}

const NEW = (leg: string): Remote => ({
  leg,
  state: "connecting",
  reason: "",
  retryAt: null,
  stream: null,
  isSpeaking: false,
  quality: null,
  roundTripS: null,
});

function grade(roundTripS: number, lost: number): "good" | "fair" | "poor" {
  if (roundTripS < 0.2 && lost < 0.02) return "good";
  return roundTripS < 0.5 && lost < 0.08 ? "fair" : "poor";
}

function mediaOf(leg: wire.Leg | null): wire.MediaKind {
  return leg?.media ?? "video";
}

function hasMedia(leg: wire.Leg): boolean {
  return mediaOf(leg) !== "text";
}
