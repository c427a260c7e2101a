/**
 * The camera, the microphone and the screen of this device.
 *
 * What is refused or missing is left out, and told: `problems`.  A track that ends by itself (unplugged) is told too.
 */

/** Why there is no picture or sound: refused by the person, not there, or in use by something else. */
export type Problem = "refused" | "missing" | "busy";

export interface Captured {
  readonly audio: MediaStreamTrack | null;
  readonly video: MediaStreamTrack | null;
  readonly problems: { readonly audio: Problem | null; readonly video: Problem | null };
}

export interface Choice {
  /** Ids of devices; "": as the browser thinks. */
  readonly microphone: string;
  readonly camera: string;
}

const PICTURE = { width: { ideal: 640 }, height: { ideal: 360 }, frameRate: { ideal: 24, max: 30 } };
const SOUND = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };

/** Begin to record what is wanted.  What does not work is null, with the reason. */
export async function capture(wants: { audio: boolean; video: boolean }, choice: Choice): Promise<Captured> {
  const both = wants.audio && wants.video ? await open(wants, choice).catch(() => null) : null;
  if (both !== null) {
    return { audio: both.getAudioTracks()[0] ?? null, video: both.getVideoTracks()[0] ?? null, problems: NO_PROBLEMS };
  }
  const [audio, video] = await Promise.all([
    wants.audio ? one("audio", choice) : [null, null],
    wants.video ? one("video", choice) : [null, null],
  ] as const);
  return { audio: audio[0], video: video[0], problems: { audio: audio[1], video: video[1] } };
}

const ANY: Choice = { microphone: "", camera: "" };
const NO_PROBLEMS = { audio: null, video: null };

async function one(
  kind: "audio" | "video",
  choice: Choice,
): Promise<readonly [MediaStreamTrack | null, Problem | null]> {
  try {
    const stream = await open({ audio: kind === "audio", video: kind === "video" }, choice);
    return [stream.getTracks()[0] ?? null, null];
  } catch (error) {
    const isGone = error instanceof DOMException && error.name === "OverconstrainedError";
    if (isGone && choice !== ANY) return one(kind, ANY); // what was chosen is not plugged in: another one will do
    return [null, problemOf(error)];
  }
}

function open(wants: { audio: boolean; video: boolean }, { microphone, camera }: Choice): Promise<MediaStream> {
  const { mediaDevices } = navigator as { mediaDevices?: MediaDevices };
  if (mediaDevices === undefined) return Promise.reject(new DOMException("", "NotFoundError"));
  // `exact`: browsers pass over an `ideal` one for what they were last allowed
  const of = (id: string) => (id === "" ? {} : { deviceId: { exact: id } });
  return mediaDevices.getUserMedia({
    audio: wants.audio && { ...SOUND, ...of(microphone) },
    video: wants.video && { ...PICTURE, ...of(camera) },
  });
}

function problemOf(error: unknown): Problem {
  const name = error instanceof DOMException ? error.name : "";
  if (name === "NotAllowedError" || name === "SecurityError") return "refused";
  return name === "NotFoundError" || name === "OverconstrainedError" ? "missing" : "busy";
}

/** Each other leg gets a screen encoded for itself; a larger one is made smaller by the browser. */
const SCREEN = { frameRate: { ideal: 15, max: 30 }, width: { max: 1920 }, height: { max: 1200 } };

/** A window or the screen, as the person chooses; null: they chose nothing. */
export async function captureScreen(): Promise<MediaStreamTrack | null> {
  try {
    const stream = await navigator.mediaDevices.getDisplayMedia({ video: SCREEN });
    const track = stream.getVideoTracks()[0] ?? null;
    if (track !== null) track.contentHint = "detail";
    return track;
  } catch {
    return null;
  }
}

export interface Device {
  readonly id: string;
  readonly label: string;
}

/** What there is to choose from; without a name as long as the person has allowed nothing. */
export async function devices(): Promise<{ microphones: Device[]; cameras: Device[] }> {
  const { mediaDevices } = navigator as { mediaDevices?: MediaDevices };
  const all = (await mediaDevices?.enumerateDevices().catch(() => [])) ?? [];
  const of = (kind: MediaDeviceKind) =>
    all
      .filter((one) => one.kind === kind && one.deviceId !== "")
      .map((one) => ({ id: one.deviceId, label: one.label }));
  return { microphones: of("audioinput"), cameras: of("videoinput") };
}

/** How loud a track is, 0 to 1, told some times a second.  Returns how to end it. */
export function listenTo(track: MediaStreamTrack, told: (level: number) => void): () => void {
  const context = new AudioContext();
  const analyser = new AnalyserNode(context, { fftSize: 512 });
  const source = context.createMediaStreamSource(new MediaStream([track]));
  source.connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    let sum = 0;
    for (const sample of samples) sum += sample * sample;
    told(Math.min(1, Math.sqrt(sum / samples.length) * 3));
  }, 100);
  return () => {
    clearInterval(timer);
    source.disconnect();
    if (context.state !== "closed") void context.close();
  };
}
