/** What calls the person back: the title of the tab, a notification of the system, a small bell. */
import { loginOf } from "../core/names";
import type { Called } from "../protocol";
import { requests, shownName, unreadTotal } from "../core/select";
import { attention } from "./attention.svelte";
import { isBusy } from "./calls/calls.svelte";
import { client, shown } from "./client.svelte";
import { sizeText, summary } from "./files/sizes";
import { tell } from "./notices.svelte";
import { isAsking } from "./people/people";
import { chatLink, go, HOME, place } from "./route.svelte";
import { settings } from "./settings.svelte";
import { oneLine } from "./text";
import { say } from "./words.svelte";

/** A bell rings at most so often. */
const QUIET_MS = 1500;
/** The title follows so late: what is read at once is not counted. */
const TITLE_MS = 250;

/** Follow what arrives. */
export function watchAlerts(): void {
  $effect.root(() => {
    let timer = 0;
    $effect(() => {
      void [shown.state, place.route];
      timer ||= window.setTimeout(() => {
        timer = 0;
        const wanted = title();
        if (document.title !== wanted) document.title = wanted;
      }, TITLE_MS);
    });
  });
  client.listen((packet, { isLive }) => {
    const { state } = client;
    if (packet.type === "CALL" && state.calls.get(packet.id) === packet) return isBusy() ? undefined : rings(packet);
    if (!isLive) return;
    if (packet.type === "MESSAGE" && packet.call) return; // it has rung
    if (packet.type === "MESSAGE" && packet.from !== state.me && !state.blocked.has(packet.from)) {
      const { route } = place;
      const isRead = attention.isHere && route.page === "chat" && route.peer === packet.from;
      // what strangers write waits quietly under Requests
      if (isRead || isAsking(state, packet.from)) return;
      const name = oneLine(shownName(state, packet.from), 60);
      call(say.wroteTo(name), summary(packet), packet.from, chatLink(packet.from));
    } else if (packet.type === "FRIEND-REQUEST") {
      const name = oneLine(packet.name ?? "", 60) || loginOf(packet.from);
      call(say.asksYou(name), "", packet.from, HOME);
    } else if (packet.type === "SEND-FILE-PROXY-REQUEST") {
      const about = `${oneLine(packet.filename, 80)} · ${sizeText(packet.size)}`;
      call(say.asksFile(oneLine(shownName(state, packet.from), 60)), about, packet.from, chatLink(packet.from));
    } else if (packet.type === "BROADCAST" && !state.blocked.has(packet.from)) {
      const name = oneLine(shownName(state, packet.from), 60);
      tell(`${say.toEveryone(name)}: ${oneLine(packet.text, 500)}`);
    }
  });
}

function title(): string {
  const { state } = shown;
  const waiting = unreadTotal(state) + requests(state).length;
  const { route } = place;
  const name = route.page === "chat" ? `${oneLine(shownName(state, route.peer), 60)} – ` : "";
  return `${waiting > 0 ? `(${waiting}) ` : ""}${name}Veche`;
}

/** A bell, and a notification of the system, as the person has settled it; tag: a later one replaces it. */
export function call(title: string, body: string, tag: string, link: string): void {
  if (settings.sound) ring();
  if (settings.notifications && !attention.isHere) void notify(title, body, tag, link);
}

/** The bell is struck again after so long, while somebody calls. */
const RING_AGAIN_MS = 2500;

/** Somebody calls: the bell, until the call is over; with a notification of the system where nobody looks. */
function rings(packet: Called): void {
  const name = oneLine(shownName(client.state, packet.from), 60);
  call(say.callFrom(name), "", packet.id, HOME);
  const timer = setInterval(() => {
    if (!client.state.calls.has(packet.id)) clearInterval(timer);
    else if (settings.sound) ring();
  }, RING_AGAIN_MS);
}

/** Whether the browser lets us notify; asks the person when that is not decided. */
export async function mayNotify(): Promise<boolean> {
  if (!("Notification" in globalThis)) return false;
  if (Notification.permission === "default") await Notification.requestPermission();
  return Notification.permission === "granted";
}

async function notify(title: string, body: string, tag: string, link: string): Promise<void> {
  if (!("Notification" in globalThis) || Notification.permission !== "granted") return;
  const options = { body, tag, icon: "/icon-192.png", badge: "/icon-192.png", data: link };
  try {
    const notification = new Notification(title, options);
    notification.onclick = () => {
      window.focus();
      go(link);
      notification.close();
    };
  } catch {
    // phones notify by the service worker only
    await (await navigator.serviceWorker?.getRegistration())?.showNotification(title, options);
  }
}

// -- the bell

let audio: AudioContext | null = null;
let rangAt = -Infinity;

/** The partials of a bell: frequency to that of the strike note, loudness, seconds until it has died away. */
const PARTIALS = [
  [0.5, 0.35, 1.6],
  [1, 0.6, 1.2],
  [1.2, 0.3, 0.9],
  [1.5, 0.2, 0.7],
  [2, 0.35, 0.6],
  [2.67, 0.12, 0.3],
] as const;
const STRIKE_HZ = 587;
const LOUDNESS = 0.11;

/** A small bell. */
export function ring(): void {
  if (performance.now() - rangAt < QUIET_MS || !("AudioContext" in globalThis)) return;
  rangAt = performance.now();
  audio ??= new AudioContext();
  const { currentTime: now, destination } = audio;
  if (audio.state === "suspended") void audio.resume().catch(() => {});
  for (const [ratio, loudness, seconds] of PARTIALS) {
    const tone = new OscillatorNode(audio, { frequency: STRIKE_HZ * ratio });
    const gain = new GainNode(audio, { gain: 0 });
    gain.gain.setValueAtTime(0, now);
    gain.gain.linearRampToValueAtTime(loudness * LOUDNESS, now + 0.006);
    gain.gain.exponentialRampToValueAtTime(0.0001, now + seconds);
    tone.connect(gain).connect(destination);
    tone.start(now);
    tone.stop(now + seconds);
  }
}
