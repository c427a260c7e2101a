/**
 * The door to off-the-record sessions: what holds and shows them is a chunk of its own (ui/private), fetched when
 * somebody asks or is asked.
 */
import { client } from "./client.svelte";
import { tell } from "./notices.svelte";
import { go, privateLink } from "./route.svelte";
import { say } from "./words.svelte";

class Door {
  /** Somebody has asked, or was asked, since this page was loaded. */
  isOpen = $state(false);
}

export const door = new Door();

async function sessions() {
  const part = await import("./private/sessions.svelte");
  door.isOpen = true;
  return part.sessions;
}

/** Ask somebody for a session, or answer their request by that, and show it. */
export async function startPrivate(peer: string): Promise<void> {
  try {
    (await sessions()).ask(peer);
    go(privateLink(peer));
  } catch {
    tell(say.updatedTitle, true);
  }
}

/** Hand on what the server says of them. */
export function watchPrivate(): void {
  client.listen((packet, { request }) => {
    if (packet.type.startsWith("PRIVATE-"))
      void sessions().then(
        (all) => all.take(packet, request),
        () => {},
      );
  });
}
