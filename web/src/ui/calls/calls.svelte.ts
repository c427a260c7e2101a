/**
 * Coming into conferences, calling and being called, as the main window does it.
 *
 * What makes sound and pictures is a chunk of its own (ui/conference), fetched before this device comes in anywhere.
 */
import { ownLeg } from "../../core/conferences";
import { shownName } from "../../core/select";
import type * as wire from "../../protocol";
import { client } from "../client.svelte";
import { explain, tell } from "../notices.svelte";
import { conferenceLink, go, HOME, place } from "../route.svelte";
import { settings } from "../settings.svelte";
import { oneLine } from "../text";
import { say } from "../words.svelte";

/** The part that makes sound and pictures. */
function media() {
  return import("../conference/live.svelte");
}

/** Fetch it before it is needed. */
export function prepare(): void {
  void media().catch(() => {});
}

type Way = Pick<wire.ConferenceJoin, "id" | "name" | "friend" | "link">;

/** Come in, show it, and begin to see and hear.  What goes wrong is told.  Returns whether one is in. */
export function join(way: Way, kind: wire.MediaKind = "video"): Promise<boolean> {
  return enter(kind, () => client.request({ type: "CONFERENCE-JOIN", media: kind, ...way }));
}

/** Make a conference of that name and come in as its owner. */
export function create(name: string): Promise<boolean> {
  return enter("video", () => client.request({ type: "CONFERENCE-CREATE", name, media: "video" }));
}

/** Call people into a new conference. */
export function call(users: string[], kind: wire.MediaKind): Promise<boolean> {
  return enter(kind, () => client.request({ type: "CALL", status: "initiate", users, media: kind }));
}

/** Take a call. */
export function accept({ id }: wire.Called, kind: wire.MediaKind): Promise<boolean> {
  return enter(kind, () => client.request({ type: "CALL", status: "accepted", id, media: kind }));
}

/** Refuse a call. */
export function decline({ id }: wire.Called): void {
  client.request({ type: "CALL", status: "abort", id }).catch(() => {});
}

async function enter(kind: wire.MediaKind, ask: () => Promise<wire.ConferenceJoinOk | wire.CallOk>): Promise<boolean> {
  try {
    const { live } = await media();
    live.begin(kind);
    const answer = await ask().catch((error: unknown) => {
      live.settle();
      throw error;
    });
    go(conferenceLink("conference" in answer ? answer.conference.id : answer.id));
    return true;
  } catch (error) {
    tell(error instanceof TypeError ? say.updatedTitle : explain(error), true);
    return false;
  }
}

/** Why a conference is over, as the end of a sentence. */
function whyOver(code: wire.ErrorCode, by: string): string {
  const who = by === "" ? "" : by === client.state.me ? say.you : oneLine(shownName(client.state, by), 60);
  if (code === "owner-left") return say.overOwnerLeft(who);
  if (code === "empty") return say.overEmpty;
  if (code === "removed") return say.overRemoved;
  if (code === "replaced") return say.overElsewhere;
  return code === "offline" ? say.overOffline : say.overEnded(who);
}

/** Who calls is told that I am in another call: with sound, and no other may ring (row V32). */
export function isBusy(): boolean {
  return !settings.ringAnyway && isTalking();
}

function isTalking(): boolean {
  return [...client.state.inside.values()].some((one) => {
    const me = ownLeg(one);
    return me !== undefined && me.media !== "text" && !me.held && (one.conference.legs?.length ?? 0) > 1;
  });
}

/** Follow what happens to the conferences this device is in: their end is told with name and reason (row A70). */
export function watchCalls(): void {
  const names = new Map<string, string>();
  client.subscribe(() => {
    for (const [id, { conference }] of client.state.inside) names.set(id, conference.name);
  });
  client.listen((packet, { request }) => {
    if (packet.type === "CALL" && client.state.calls.get(packet.id) === packet && isBusy()) {
      client.request({ type: "CALL", status: "occupied", id: packet.id }).catch(() => {});
    } else if (packet.type === "CONFERENCE-ENDED") {
      if (!names.has(packet.id)) return;
      const isMine = packet.by === client.state.me && packet.code !== "empty";
      if (!isMine) tell(say.conferenceOver(oneLine(packet.name, 80), whyOver(packet.code, packet.by ?? "")));
      left(packet.id);
    } else if (packet.type === "CONFERENCE-LEFT") {
      const isMe = names.has(packet.id) && !client.state.inside.has(packet.id);
      if (!isMe) return;
      if (packet.code !== "logged-out") {
        tell(say.youAreOut(oneLine(names.get(packet.id)!, 80), whyOver(packet.code, "")), true);
      }
      left(packet.id);
    } else if (packet.type === "CONFERENCE-LEAVE-OK") left(packet.id);
    else if (packet.type === "CONFERENCE-JOIN-FAILED" && request?.type === "CONFERENCE-JOIN" && request.resume) {
      const name = names.get(request.id ?? "");
      if (name !== undefined) tell(say.youAreOut(oneLine(name, 80), say.overOffline), true);
      left(request.id ?? "");
    }
  });

  function left(id: string): void {
    names.delete(id);
    const { route } = place;
    if (route.page === "conference" && route.id === id) go(HOME);
  }
}
