/** How the others in a conference are called. */
import { loginOf } from "../../core/names";
import { shownName } from "../../core/select";
import type { Leg } from "../../protocol";
import { shown } from "../client.svelte";
import { oneLine } from "../text";

/** My name for them; who is no contact has the one that they give themselves. */
export function nameOf({ user, name }: Leg): string {
  const isStranger = shown.state.contacts.get(user) === undefined;
  return oneLine(isStranger && name ? name : shownName(shown.state, user), 60) || loginOf(user);
}
