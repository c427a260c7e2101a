/** Whether the person looks at this page, and whether they are at this device at all (row X21). */
import { client } from "./client.svelte";

const AWAY_AFTER_MS = 5 * 60_000;
const LOOK_AGAIN_MS = 15_000;

class Attention {
  /** The page is seen and has the focus. */
  isHere = $state(isLooking());
}

export const attention = new Attention();

function isLooking(): boolean {
  return document.visibilityState === "visible" && document.hasFocus();
}

/** Follow it, and tell the server when the person is away. */
export function watchAttention(): void {
  let usedAt = Date.now();
  let told: "here" | "away" = "here";
  const tell = (now: typeof told) => {
    if (client.connection.phase !== "online" || now === told) return;
    told = now;
    client.post({ type: "PRESENCE", away: now === "away" });
  };
  const used = () => {
    usedAt = Date.now();
    tell("here");
  };
  const look = () => (attention.isHere = isLooking());
  for (const event of ["focus", "blur", "pageshow"]) addEventListener(event, look);
  document.addEventListener("visibilitychange", look);
  for (const event of ["pointerdown", "keydown", "wheel", "touchstart"]) {
    addEventListener(event, used, { passive: true, capture: true });
  }
  client.listen((packet) => {
    if (packet.type === "CONNECT-OK") told = "here"; // a new link begins so
  });
  setInterval(() => Date.now() - usedAt >= AWAY_AFTER_MS && tell("away"), LOOK_AGAIN_MS);
}
