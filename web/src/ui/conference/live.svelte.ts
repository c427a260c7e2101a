/**
 * The conferences that this device is in, alive: an engine for each, one camera and one microphone for all.
 *
 * Follows the state of the client: what is there gets an engine, what is over loses it, and with the last one the
 * camera and the microphone are let go.  One conference is heard at a time, the others are held (row A39).  When the
 * link to the server is lost the media go on; when it is there again the places are taken up again.
 *
 * Source: rows A39, A62-A70, X05, X07; core/conferences.ts, media/engine.ts.
 */
import { type Inside, ownLeg } from "../../core/conferences";
import { capture, captureScreen, type Choice, listenTo, type Problem } from "../../media/devices";
import { Engine, type Remote } from "../../media/engine";
import type * as wire from "../../protocol";
import { client } from "../client.svelte";
import { attempt, tell } from "../notices.svelte";
import { words } from "./words";

const KEY = "veche-devices";
/** Louder than this I am speaking. */
const SPEECH_LEVEL = 0.05;
const SPEECH_PAUSE_MS = 800;

class Live {
  /** How it stands with the other legs: by conference, then by leg. */
  remotes = $state.raw<ReadonlyMap<string, ReadonlyMap<string, Remote>>>(new Map());
  audio = $state.raw<MediaStreamTrack | null>(null);
  camera = $state.raw<MediaStreamTrack | null>(null);
  screen = $state.raw<MediaStreamTrack | null>(null);
  isMuted = $state(false);
  isHidden = $state(false);
  isSpeaking = $state(false);
  problems = $state.raw<{ audio: Problem | null; video: Problem | null }>({ audio: null, video: null });
  choice = $state.raw<Choice>(keptChoice());
  /** Why this device was given less media than it asked for, by conference. */
  refusals = $state.raw<ReadonlyMap<string, wire.ErrorCode>>(new Map());
  /** Whom this device does not show or play, by leg. */
  hushed = $state.raw<ReadonlyMap<string, { readonly video: boolean; readonly audio: boolean }>>(new Map());

  private readonly engines = new Map<string, Engine>();
  private readonly iceServers = new Map<string, readonly wire.IceServer[]>();
  private known: typeof client.state.inside = new Map();
  private phase = client.connection.phase;
  private kind: wire.MediaKind = "text";
  private isOpening = false;
  private stopListening = () => {};

  constructor() {
    client.subscribe(() => this.follow());
    client.listen((packet) => this.take(packet));
    addEventListener("pagehide", () => this.leavePage());
    navigator.mediaDevices?.addEventListener("devicechange", () => {
      if (this.engines.size > 0 && this.audio === null && this.problems.audio === "missing") void this.open();
    });
    this.follow();
  }

  /** The picture that goes out. */
  get picture(): MediaStreamTrack | null {
    return this.screen ?? this.camera;
  }

  // -- coming and going

  /** Somebody is about to come in with so much: let the camera start meanwhile. */
  begin(kind: wire.MediaKind): void {
    if (kind === "video" || this.kind === "text") this.kind = kind;
    if (this.kind !== "text") void this.open();
  }

  /** They did not. */
  settle(): void {
    if (this.engines.size === 0) this.release();
  }

  leave(id: string): Promise<boolean> {
    return attempt(client.request({ type: "CONFERENCE-LEAVE", id }));
  }

  /** Hear and be heard in this one; the others are held. */
  async resume(id: string): Promise<void> {
    for (const other of client.state.inside.keys()) if (other !== id) this.say(other, { held: true });
    this.say(id, { held: false });
  }

  // -- what one switches

  async mute(isMuted: boolean): Promise<void> {
    this.isMuted = isMuted;
    if (!isMuted && this.audio === null) await this.open();
    this.apply();
    this.tellAll({ is_muted: this.isMuted || this.audio === null });
  }

  async hide(isHidden: boolean): Promise<void> {
    this.isHidden = isHidden;
    if (isHidden) {
      this.camera?.stop();
      this.camera = null;
    } else {
      this.kind = "video";
      await this.open();
    }
    this.apply();
    this.tellAll({ is_hidden: this.isHidden || this.camera === null });
  }

  async share(): Promise<void> {
    const track = await captureScreen();
    if (track === null) return;
    if (this.engines.size === 0) return track.stop();
    track.onended = () => this.stopSharing();
    this.screen = track;
    this.apply();
    this.tellAll({ is_sharing: true });
  }

  stopSharing(): void {
    this.screen?.stop();
    this.screen = null;
    this.apply();
    this.tellAll({ is_sharing: false });
  }

  /** Use these from now on. */
  async choose(choice: Choice): Promise<void> {
    this.choice = choice;
    try {
      localStorage.setItem(KEY, JSON.stringify(choice));
    } catch {
      // forbidden or full: chosen for this tab only
    }
    if (this.engines.size === 0) return;
    this.audio?.stop();
    this.camera?.stop();
    this.audio = this.camera = null;
    await this.open();
  }

  /** For this device only. */
  hush(leg: string, change: { video?: boolean; audio?: boolean }): void {
    const old = this.hushed.get(leg) ?? { video: false, audio: false };
    this.hushed = new Map(this.hushed).set(leg, { ...old, ...change });
  }

  retry(id: string, leg: string): void {
    this.engines.get(id)?.retry(leg);
  }

  /** What both ends compare; null: there is no connection to that leg. */
  async securityNumber(id: string, leg: string): Promise<string | null> {
    return (await this.engines.get(id)?.securityNumber(leg)) ?? null;
  }

  // -- inside

  private follow(): void {
    const { state, connection } = client;
    const wasAway = this.phase !== connection.phase && connection.phase === "online";
    this.phase = connection.phase;
    if (wasAway) for (const one of this.engines.keys()) this.takeUpAgain(one);
    if (state.inside === this.known) return;
    const before = this.known;
    this.known = state.inside;
    for (const id of [...this.engines.keys()]) if (!state.inside.has(id)) this.end(id);
    for (const [id, inside] of state.inside) {
      if (!this.engines.has(id)) this.start(id, inside);
      if (before.get(id) !== inside) this.sync(id, inside, before.get(id));
    }
    if (this.engines.size === 0 && before.size > 0) this.release();
  }

  private start(id: string, inside: Inside): void {
    const engine = new Engine({
      conference: id,
      iceServers: this.iceServers.get(id) ?? [],
      send: (packet) => client.post(packet),
      changed: () => (this.remotes = new Map(this.remotes).set(id, engine.remotes)),
      now: () => client.now(),
    });
    this.engines.set(id, engine);
    engine.setTracks(this.out);
    const kind = ownLeg(inside)?.media ?? "video";
    if (kind !== "text" && this.kind === "text") this.begin(kind);
  }

  private end(id: string): void {
    this.engines.get(id)?.close();
    this.engines.delete(id);
    this.iceServers.delete(id);
    this.remotes = new Map([...this.remotes].filter(([one]) => one !== id));
    this.refusals = new Map([...this.refusals].filter(([one]) => one !== id));
  }

  private sync(id: string, inside: Inside, before: Inside | undefined): void {
    const engine = this.engines.get(id)!;
    const [me, old] = [ownLeg(inside), before && ownLeg(before)];
    engine.sync(inside.leg, inside.conference.legs ?? []);
    engine.setHeld(me?.held ?? false);
    if (me === undefined) return;
    // what the owner switches off, is off; it stays so until the person switches it on again
    if (me.muted_by && !old?.muted_by) {
      this.isMuted = true;
      tell(words.ownerMutedYou);
    } else if (old?.muted_by && !me.muted_by) tell(words.ownerLetsYouSpeak);
    if (me.hidden_by && !old?.hidden_by) {
      this.isHidden = true;
      this.camera?.stop();
      this.camera = null;
      if (this.screen !== null) this.stopSharing();
      tell(words.ownerHidYou);
    }
    this.apply();
    if (before === undefined || before.leg !== inside.leg) this.introduce(id);
  }

  /** A new leg is neither muted nor hidden, until it says so. */
  private introduce(id: string): void {
    if (this.isOpening) return; // said when the camera is there, or is not
    const change = { is_muted: this.isMuted || this.audio === null, is_hidden: this.isHidden || this.camera === null };
    if (change.is_muted || change.is_hidden) this.say(id, change);
  }

  private take(packet: wire.ServerPacket): void {
    if (packet.type === "SIGNAL") this.engines.get(packet.id)?.signal(packet);
    else if (packet.type === "CONFERENCE-JOIN-OK") {
      const { conference, ice_servers: iceServers = [], code, resumed } = packet;
      this.iceServers.set(conference.id, iceServers);
      if (code !== undefined) this.refusals = new Map(this.refusals).set(conference.id, code);
      this.follow(); // at once: the other legs may say something in the next packet
      if (resumed) this.engines.get(conference.id)?.signallingIsBack();
    } else if (packet.type === "CONFERENCE-JOINED") this.follow();
  }

  private takeUpAgain(id: string): void {
    const inside = client.state.inside.get(id);
    const media = (inside && ownLeg(inside)?.media) ?? "video";
    const again = { type: "CONFERENCE-JOIN", id, media, resume: true } as const;
    client.request(again).catch(() => {}); // a refusal is told by who watches calls
  }

  /** Begin to record what is wanted and not there yet. */
  private async open(): Promise<void> {
    if (this.isOpening) return;
    this.isOpening = true;
    const wants = {
      audio: this.audio === null,
      video: this.kind === "video" && !this.isHidden && this.camera === null,
    };
    if (wants.audio || wants.video) {
      const { audio, video, problems } = await capture(wants, this.choice);
      if (wants.audio) this.useAudio(audio);
      if (wants.video) this.useCamera(video);
      this.problems = problems;
    }
    this.isOpening = false;
    if (this.engines.size === 0 && client.state.inside.size === 0 && this.kind === "text") return this.release();
    this.apply();
    for (const id of this.engines.keys()) this.introduce(id);
  }

  private useAudio(track: MediaStreamTrack | null): void {
    this.stopListening();
    this.audio = track;
    if (track === null) return;
    track.onended = () => this.lost("audio", track);
    let heardAt = -Infinity;
    this.stopListening = listenTo(track, (level) => {
      if (level > SPEECH_LEVEL && track.enabled) heardAt = performance.now();
      this.isSpeaking = performance.now() - heardAt < SPEECH_PAUSE_MS;
    });
  }

  private useCamera(track: MediaStreamTrack | null): void {
    this.camera = track;
    if (track !== null) track.onended = () => this.lost("camera", track);
  }

  /** It was unplugged, or the person took the permission back. */
  private lost(which: "audio" | "camera", track: MediaStreamTrack): void {
    if (this[which] !== track) return;
    this[which] = null;
    if (which === "camera") this.isHidden = true;
    else this.isMuted = true;
    tell(which === "camera" ? words.cameraGone : words.microphoneGone, true);
    this.apply();
    this.tellAll(which === "camera" ? { is_hidden: true } : { is_muted: true });
  }

  private get out() {
    return { audio: this.audio, video: this.picture };
  }

  private apply(): void {
    if (this.audio !== null) this.audio.enabled = !this.isMuted;
    for (const engine of this.engines.values()) engine.setTracks(this.out);
  }

  private tellAll(change: Partial<wire.ConferenceLegSet>): void {
    for (const id of this.engines.keys()) this.say(id, change);
  }

  private say(id: string, change: Partial<wire.ConferenceLegSet>): void {
    void attempt(client.request({ ...change, type: "CONFERENCE-LEG-SET", id }));
  }

  /** Let the camera and the microphone go. */
  private release(): void {
    this.stopListening();
    this.stopListening = () => {};
    for (const track of [this.audio, this.camera, this.screen]) track?.stop();
    this.audio = this.camera = this.screen = null;
    this.kind = "text";
    this.isMuted = this.isHidden = this.isSpeaking = false;
    this.hushed = new Map();
  }

  /** The page goes: leave what does not end by it; an owner's conference waits for its owner (row X07). */
  private leavePage(): void {
    for (const [id, { conference }] of client.state.inside) {
      const isOwner = conference.owner === client.state.me;
      if (!isOwner || conference.legs?.length === 1) client.post({ type: "CONFERENCE-LEAVE", id });
    }
  }
}

function keptChoice(): Choice {
  try {
    const kept = Object(JSON.parse(localStorage.getItem(KEY) ?? "{}")) as Record<string, unknown>;
    const text = (value: unknown) => (typeof value === "string" ? value : "");
    return { microphone: text(kept["microphone"]), camera: text(kept["camera"]) };
  } catch {
    return { microphone: "", camera: "" };
  }
}

export const live = new Live();
