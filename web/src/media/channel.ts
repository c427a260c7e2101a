/**
 * A link straight to another device, over a WebRTC data channel: what private sessions go over.
 *
 * The channel is called `private`, reliable and in order; a message is one packet as JSON: PRIVATE, PRIVATE-BYE, PING
 * and PONG.  Both ends are known by the DTLS fingerprints in the two descriptions, which the server has carried.  Who
 * answers says PING first; who asks has a link once that is heard.  Then each says PING every 15 s, and takes the other
 * for gone when nothing was heard for three of these.
 *
 * The twin of src/veche/media/channel.py and src/veche/net/direct.py.  Source: rows T43, X11; RFC 8831.
 */
import type { ErrorCode } from "../protocol";
import { MAX_LINE_BYTES, MAX_TEXT } from "../protocol";

const LABEL = "private";
/** Candidates that are not found by then are left out. */
const GATHER_MS = 4_000;
/** From both descriptions to a link. */
const OPEN_MS = 20_000;
const PULSE_MS = 15_000;
/** So many pulses without a word of the other, and they are gone. */
const PULSES = 3;
/** What was said has so long to leave after the goodbye. */
const GRACE_MS = 2_000;
/** Of what was said and has not left; nothing more is taken. */
const MAX_WAITING_BYTES = 256 * 1024;

export interface ChannelEvents {
  opened(): void;
  said(text: string): void;
  /** Once, as the last.  byPeer: they said so; else it broke, or never came about (`no-direct-path`). */
  ended(byPeer: boolean, code: ErrorCode | null): void;
}

/** The two devices cannot meet: this browser has no way to, or what the other says is of no use to it. */
export class NoDirectPath extends Error {}

export class Channel {
  private readonly pc: RTCPeerConnection;
  private readonly events: ChannelEvents;
  private channel: RTCDataChannel | null = null;
  private isAnswer = false;
  private isOpen = false;
  private isOver = false;
  private silent = 0;
  private timer = 0;

  /** Throws NoDirectPath. */
  constructor(iceServers: readonly RTCIceServer[], events: ChannelEvents) {
    this.events = events;
    try {
      this.pc = new RTCPeerConnection({ iceServers: [...iceServers] });
    } catch (error) {
      throw new NoDirectPath(String(error));
    }
    this.pc.onconnectionstatechange = () => {
      if (this.pc.connectionState === "failed") this.end(false, this.isOpen ? "offline" : "no-direct-path");
    };
  }

  /** Ask: the offer for the other device, whose answer `accept` takes.  Throws NoDirectPath. */
  async offer(): Promise<string> {
    this.use(this.pc.createDataChannel(LABEL));
    return this.describe();
  }

  /** Say yes to their offer: the answer for them, which they take within `patienceMs`.  Throws NoDirectPath. */
  async answer(sdp: string, patienceMs: number): Promise<string> {
    this.isAnswer = true;
    this.pc.ondatachannel = ({ channel }) => channel.label === LABEL && this.use(channel);
    await this.take({ type: "offer", sdp });
    this.within(patienceMs);
    return this.describe();
  }

  /** Take their answer.  Throws NoDirectPath. */
  async accept(sdp: string): Promise<void> {
    await this.take({ type: "answer", sdp });
    if (!this.isOpen) this.within(OPEN_MS);
  }

  /** Say something; false: it does not fit, or they do not take what they are told. */
  say(text: string): boolean {
    const line = JSON.stringify({ type: "PRIVATE", text: text.replace(/\p{Surrogate}/gu, "\ufffd") });
    if (!isText(text) || new Blob([line]).size > MAX_LINE_BYTES) return false;
    return this.isOpen && (this.channel?.bufferedAmount ?? 0) <= MAX_WAITING_BYTES && this.put(line);
  }

  /** Say goodbye, and close; nothing is told any more.  Idempotent. */
  close(code: ErrorCode | null = null): void {
    if (this.isOver) return;
    this.isOver = true;
    clearTimeout(this.timer);
    const { channel, pc } = this;
    if (channel === null || !this.put(JSON.stringify({ type: "PRIVATE-BYE", code }))) return pc.close();
    channel.onclose = () => pc.close();
    channel.close(); // what was said leaves first
    setTimeout(() => pc.close(), GRACE_MS);
  }

  private async take(description: RTCSessionDescriptionInit): Promise<void> {
    try {
      await this.pc.setRemoteDescription(description);
    } catch (error) {
      throw new NoDirectPath(String(error));
    }
  }

  /** Our description, with all candidates in it. */
  private async describe(): Promise<string> {
    const { pc } = this;
    try {
      await pc.setLocalDescription();
      await new Promise<void>((resolve) => {
        const look = () => pc.iceGatheringState === "complete" && resolve();
        pc.onicegatheringstatechange = look;
        setTimeout(resolve, GATHER_MS);
        look();
      });
    } catch (error) {
      throw new NoDirectPath(String(error));
    }
    const { sdp = "" } = pc.localDescription ?? {};
    if (!sdp.includes("m=application")) throw new NoDirectPath("The offer of the other device holds no data channel.");
    return sdp;
  }

  private use(channel: RTCDataChannel): void {
    if (this.channel !== null) return channel.close();
    this.channel = channel;
    channel.onmessage = ({ data }) => this.hear(data);
    channel.onclose = () => this.end(false, this.isOpen ? "offline" : "no-direct-path");
    channel.onopen = () => {
      if (!this.isAnswer || this.isOver) return; // who asks waits for the PING
      this.put('{"type":"PING"}');
      this.begin();
    };
    if (channel.readyState === "open") channel.onopen(new Event("open"));
  }

  private within(ms: number): void {
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.end(false, "no-direct-path"), ms);
  }

  private begin(): void {
    if (this.isOpen) return;
    this.isOpen = true;
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.beat(), PULSE_MS);
    this.events.opened();
  }

  private beat(): void {
    if (++this.silent > PULSES) return this.end(false, "idle");
    this.put('{"type":"PING"}');
    this.timer = window.setTimeout(() => this.beat(), PULSE_MS);
  }

  private hear(data: unknown): void {
    if (this.isOver) return;
    this.silent = 0;
    const packet = packetOf(data);
    if (packet === null) return this.end(false, "bad-packet");
    this.begin();
    if (packet.type === "PING") this.put('{"type":"PONG"}');
    else if (packet.type === "PRIVATE") this.events.said(packet.text);
    else if (packet.type === "PRIVATE-BYE") this.end(true, packet.code);
  }

  private put(line: string): boolean {
    if (this.channel?.readyState !== "open") return false;
    try {
      this.channel.send(line);
      return true;
    } catch {
      return false; // it closes while we speak: its close event says so
    }
  }

  private end(byPeer: boolean, code: ErrorCode | null): void {
    if (this.isOver) return;
    if (byPeer) {
      this.isOver = true;
      clearTimeout(this.timer);
      this.pc.close();
    } else this.close(code);
    this.events.ended(byPeer, code);
  }
}

type DirectPacket =
  { type: "PING" | "PONG" } | { type: "PRIVATE"; text: string } | { type: "PRIVATE-BYE"; code: ErrorCode | null };

function isText(text: string): boolean {
  return text !== "" && (text.length <= MAX_TEXT || [...text].length <= MAX_TEXT);
}

/** What the other says; null: nothing that belongs here. */
function packetOf(data: unknown): DirectPacket | null {
  if (typeof data !== "string" || data.length > MAX_LINE_BYTES) return null;
  try {
    const { type, text, code } = Object(JSON.parse(data)) as Record<string, unknown>;
    if (type === "PING" || type === "PONG") return { type };
    if (type === "PRIVATE-BYE") return { type, code: typeof code === "string" ? (code as ErrorCode) : null };
    return type === "PRIVATE" && typeof text === "string" && isText(text) ? { type, text } : null;
  } catch {
    return null;
  }
}
