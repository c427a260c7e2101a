/** Where in the client one is, as it stands in the address bar: `#/chat/bob@example.org/about`. */

export type Panel = "about" | "search";

export type Route =
  | { readonly page: "list" | "settings" | "profile" | "admin" | "connection" }
  | { readonly page: "private"; readonly peer: string }
  | { readonly page: "conference"; readonly id: string }
  | { readonly page: "join"; readonly code: string }
  | { readonly page: "reset"; readonly login: string; readonly code: string }
  | { readonly page: "chat"; readonly peer: string; readonly panel: Panel | null };

/** The route of a fragment; what is no route is the list. */
export function routeOf(hash: string): Route {
  const [, page, ...rest] = hash.replace(/^#/, "").split("/");
  if (page === "settings" || page === "profile" || page === "admin" || page === "connection") return { page };
  try {
    const [first = "", second = ""] = rest.map(decodeURIComponent);
    if (page === "reset") return { page, login: first, code: second };
    if ((page === "conference" || page === "join") && first !== "") {
      return page === "join" ? { page, code: first } : { page, id: first };
    }
    if (page === "private" && first !== "") return { page, peer: first };
    if (page !== "chat" || first === "") return { page: "list" };
    return { page, peer: first, panel: second === "about" || second === "search" ? second : null };
  } catch {
    return { page: "list" };
  }
}

export const HOME = "#/";

/** The link to a conversation, with a panel beside it. */
export function chatLink(peer: string, panel: Panel | null = null): string {
  return `#/chat/${encodeURIComponent(peer)}${panel === null ? "" : `/${panel}`}`;
}

/** The page of an off-the-record session. */
export function privateLink(peer: string): string {
  return `#/private/${encodeURIComponent(peer)}`;
}

/** Where one tries which ways calls can take. */
export const CONNECTION = "#/connection";

/** The page of a conference. */
export function conferenceLink(id: string): string {
  return `#/conference/${encodeURIComponent(id)}`;
}

/** The link by which whoever has an account comes in; what stands after # is never sent to a server. */
export function joinLink(code: string): string {
  return `${location.origin}/#/join/${encodeURIComponent(code)}`;
}

/** Where one sets a new password by a code. */
export const RESET = "#/reset";

/** The link that an administrator gives to somebody for that; what stands after # is never sent to a server. */
export function resetLink(login: string, code: string): string {
  return `${location.origin}/${RESET}/${encodeURIComponent(login)}/${encodeURIComponent(code)}`;
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
