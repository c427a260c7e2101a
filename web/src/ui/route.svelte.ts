/** Where in the client one is, as it stands in the address bar: `#/chat/bob@example.org/about`. */

export type Panel = "about" | "search";

export type Route =
  | { readonly page: "list" | "settings" | "profile" }
  | { readonly page: "chat"; readonly peer: string; readonly panel: Panel | null };

/** The route of a fragment; what is no route is the list. */
export function routeOf(hash: string): Route {
  const [, page, address, panel] = hash.replace(/^#/, "").split("/");
  if (page === "settings" || page === "profile") return { page };
  if (page !== "chat" || !address) return { page: "list" };
  try {
    const peer = decodeURIComponent(address);
    return { page, peer, panel: panel === "about" || panel === "search" ? panel : null };
  } catch {
    return { page: "list" };
  }
}

export const HOME = "#/";

/** The link to a conversation, with a panel beside it. */
export function chatLink(peer: string, panel: Panel | null = null): string {
  return `#/chat/${encodeURIComponent(peer)}${panel === null ? "" : `/${panel}`}`;
}

class Place {
  route = $state.raw(routeOf(location.hash));
  /** A link that was followed to make an account: its kind and its code, which may be missing of a set-up link. */
  invitation = $state.raw(invitationOf(location.pathname));
}

export const place = new Place();

addEventListener("hashchange", () => (place.route = routeOf(location.hash)));

/** Go somewhere; `replace`: back does not come here again. */
export function go(hash: string, replace = false): void {
  if (replace || location.pathname !== "/") history.replaceState(null, "", `/${hash}`);
  else if (location.hash !== hash) history.pushState(null, "", `/${hash}`);
  place.invitation = null;
  place.route = routeOf(hash);
}

function invitationOf(path: string): { kind: "setup" | "invite"; code: string } | null {
  const [, kind, code = ""] = path.split("/");
  if (kind === "setup") return { kind, code };
  return kind === "invite" && code ? { kind, code } : null;
}
