/** How the connection stands, in the three words that the page carries as `data-state`. */
import { putAwayAnnouncement } from "./announcement.svelte";
import { client, shown } from "./client.svelte";
import { attachments } from "./files/attachments.svelte";
import { previews } from "./files/previews.svelte";
import { saving } from "./files/saving.svelte";
import { transfers } from "./files/transfers.svelte";
import { viewing } from "./files/viewing.svelte";
import { pictures } from "./pictures.svelte";
import { go, HOME, place } from "./route.svelte";

export type Standing = "connected" | "reconnecting" | "offline";

class Network {
  isThere = $state(navigator.onLine);
}

const network = new Network();

export function standing(): Standing {
  const { phase } = shown.connection;
  if (phase === "online" || (phase === "signed-out" && shown.hello !== null)) return "connected";
  return phase === "elsewhere" || phase === "ended" || !network.isThere ? "offline" : "reconnecting";
}

/** Ask before a tab goes that still has files to send or to fetch. */
function isBusy(): boolean {
  return attachments.areUnsent || saving.isRunning || transfers.areMoving;
}

/** Write it on the document, from now on; and forget what is seen of an account when its session ends. */
export function watchConnection(): void {
  addEventListener("beforeunload", (event) => isBusy() && event.preventDefault());
  for (const event of ["online", "offline"]) addEventListener(event, () => (network.isThere = navigator.onLine));
  $effect.root(() => {
    $effect(() => void (document.documentElement.dataset["state"] = standing()));
    let was: string = client.connection.phase;
    $effect(() => {
      const { phase } = shown.connection;
      if (phase === "signed-out" && was !== "signed-out" && was !== "starting") {
        void pictures.clear();
        putAwayAnnouncement("");
        if (location.pathname === "/" && place.route.page !== "reset") go(HOME, true);
        for (const one of [attachments, previews, saving, transfers]) one.clear();
        viewing.close();
      }
      was = phase;
    });
  });
}
