/** What of conferences this server has.  The one place in the client that knows. */
import type { ServerHello } from "../protocol";

export function hasConferences(hello: ServerHello | null): boolean {
  return hello?.features.includes("conferences") ?? false;
}
