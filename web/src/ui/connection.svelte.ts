/** How the connection stands, in the three words that the page carries as `data-state`. */
import { putAwayAnnouncement } from "./announcement.svelte";
import { client, shown } from "./client.svelte";
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

/** Write it on the document, from now on; and forget what is seen of an account when its session ends. */
export function watchConnection(): void {
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
      }
      was = phase;
    });
  });
}
