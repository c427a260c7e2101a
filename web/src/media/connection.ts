/**
 * One RTCPeerConnection to one leg: descriptions, candidates, the tracks that go there and those that come.
 *
 * A sound and a picture line are there from the start, so what is sent changes by `replaceTrack` and nothing is ever
 * negotiated again for it.  Its steps run one after another; the first that fails is told once.
 */
import { fingerprintOf } from "../core/security-number";

export interface Tracks {
  readonly audio: MediaStreamTrack | null;
  readonly video: MediaStreamTrack | null;
}

export interface ConnectionEvents {
  /** Of ours, once our description was made; `candidate` is empty when there are no more. */
  found(candidate: string, mid: string, mline: number): void;
  stands(state: RTCPeerConnectionState): void;
  /** Another track comes from there. */
  came(): void;
  failed(error: unknown): void;
}

/** How well it goes: the time there and back, and the share of packets that were lost since the last look. */
export interface Quality {
  readonly roundTripS: number;
  readonly lost: number;
}

export class Connection {
  /** What comes from there. */
  readonly stream = new MediaStream();

  private readonly pc: RTCPeerConnection;
  private readonly events: ConnectionEvents;
  private tracks: Tracks;
  private steps: Promise<void> = Promise.resolve();
  private isClosed = false;
  private before = { received: 0, lost: 0 };
  /** Candidates wait here until the description that they belong to is on its way. */
  private held: (() => void)[] | null = [];

  constructor(configuration: RTCConfiguration, tracks: Tracks, events: ConnectionEvents) {
    this.pc = new RTCPeerConnection(configuration);
    this.tracks = tracks;
    this.events = events;
    this.pc.onicecandidate = ({ candidate }) => {
      const tell = () =>
        events.found(candidate?.candidate ?? "", candidate?.sdpMid ?? "", candidate?.sdpMLineIndex ?? 0);
      if (this.held === null) tell();
      else this.held.push(tell);
    };
    this.pc.onconnectionstatechange = () => {
      if (!this.isClosed) events.stands(this.pc.connectionState);
    };
    this.pc.ontrack = ({ track }) => {
      for (const old of this.stream.getTracks()) if (old.kind === track.kind) this.stream.removeTrack(old);
      this.stream.addTrack(track);
      events.came();
    };
  }

  get state(): RTCPeerConnectionState {
    return this.pc.connectionState;
  }

  /** Make an offer, or one with new ICE of what is there. */
  offer(restarts: boolean, made: (sdp: string) => void): void {
    this.step(async () => {
      if (this.pc.getTransceivers().length === 0) {
        for (const kind of ["audio", "video"] as const) {
          this.pc.addTransceiver(this.tracks[kind] ?? kind, { direction: "sendrecv" });
        }
      }
      this.held = [];
      await this.pc.setLocalDescription(await this.pc.createOffer({ iceRestart: restarts }));
      made(this.pc.localDescription?.sdp ?? "");
      this.release();
    });
  }

  /** Take an offer, and make the answer to it. */
  answer(sdp: string, made: (sdp: string) => void): void {
    this.step(async () => {
      await this.pc.setRemoteDescription({ type: "offer", sdp });
      this.held = [];
      for (const transceiver of this.pc.getTransceivers()) {
        transceiver.direction = "sendrecv";
        const { kind } = transceiver.receiver.track;
        await transceiver.sender.replaceTrack(kind === "audio" ? this.tracks.audio : this.tracks.video);
      }
      await this.pc.setLocalDescription();
      made(this.pc.localDescription?.sdp ?? "");
      this.release();
    });
  }

  /** Take the answer to our offer. */
  accept(sdp: string): void {
    this.step(async () => {
      await this.pc.setRemoteDescription({ type: "answer", sdp });
      this.events.stands(this.pc.connectionState);
    });
  }

  candidate(candidate: string, sdpMid: string, sdpMLineIndex: number): void {
    this.step(async () => {
      // one that cannot be used is no reason to give up the others
      await this.pc.addIceCandidate({ candidate, sdpMid: sdpMid || null, sdpMLineIndex }).catch(() => {});
    });
  }

  /** Send these from now on. */
  send(tracks: Tracks): void {
    this.tracks = tracks;
    this.step(async () => {
      for (const { sender, receiver, mid } of this.pc.getTransceivers()) {
        const track = receiver.track.kind === "audio" ? tracks.audio : tracks.video;
        if (sender.track !== track && (mid !== null || track !== null)) await sender.replaceTrack(track);
      }
    });
  }

  /** How loud it is there at the moment: 0 to 1. */
  level(): number {
    let loudest = 0;
    for (const receiver of this.pc.getReceivers()) {
      if (receiver.track.kind !== "audio") continue;
      for (const { audioLevel = 0 } of receiver.getSynchronizationSources()) loudest = Math.max(loudest, audioLevel);
    }
    return loudest;
  }

  /** How well it has gone since the last look; null: there is nothing to tell it by. */
  async quality(): Promise<Quality | null> {
    let roundTripS: number | null = null;
    let [received, lost] = [0, 0];
    const stats: Iterable<[string, Record<string, unknown>]> = await this.pc.getStats();
    for (const [, one] of stats) {
      if (one["type"] === "candidate-pair" && one["nominated"] && typeof one["currentRoundTripTime"] === "number") {
        roundTripS = one["currentRoundTripTime"];
      } else if (one["type"] === "inbound-rtp") {
        received += Number(one["packetsReceived"] ?? 0);
        lost += Math.max(0, Number(one["packetsLost"] ?? 0));
      }
    }
    const { before } = this;
    this.before = { received, lost };
    const [newReceived, newLost] = [Math.max(0, received - before.received), Math.max(0, lost - before.lost)];
    return roundTripS === null ? null : { roundTripS, lost: newLost / Math.max(1, newLost + newReceived) };
  }

  /** SHA-256, of our certificate and of theirs, between which this connection stands; null: it does not stand. */
  async fingerprints(): Promise<readonly [string, string] | null> {
    if (this.state !== "connected") return null;
    const mine = fingerprintOf(this.pc.currentLocalDescription?.sdp ?? "");
    const theirs = (await this.theirCertificate()) ?? fingerprintOf(this.pc.currentRemoteDescription?.sdp ?? "");
    return mine === null || theirs === null ? null : [mine, theirs];
  }

  /** The fingerprint of the certificate that they showed; null: this browser does not tell (Firefox). */
  private async theirCertificate(): Promise<string | null> {
    const transport = this.pc.getReceivers()[0]?.transport as Partial<RTCDtlsTransport> | null | undefined;
    const certificate = transport?.getRemoteCertificates?.()[0];
    if (certificate === undefined) return null;
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", certificate));
    return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  close(): void {
    this.isClosed = true;
    this.pc.close();
  }

  private release(): void {
    const held = this.held ?? [];
    this.held = null;
    for (const tell of held) tell();
  }

  private step(work: () => Promise<void>): void {
    this.steps = this.steps.then(async () => {
      if (this.isClosed) return;
      try {
        await work();
      } catch (error) {
        if (!this.isClosed) this.events.failed(error);
      }
    });
  }
}
