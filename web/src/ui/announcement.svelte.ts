/** The announcement that this browser has put away; another one is shown again. */

const KEY = "veche-announcement";

class PutAway {
  /** The instant of the announcement; "": none. */
  at = $state("");
}

export const putAway = new PutAway();

try {
  putAway.at = localStorage.getItem(KEY) ?? "";
} catch {
  // forbidden: put away for this tab only
}

/** Put the announcement of this instant away; "": show what there is, as to somebody new. */
export function putAwayAnnouncement(at: string): void {
  putAway.at = at;
  try {
    if (at === "") localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, at);
  } catch {
    // forbidden or full
  }
}
