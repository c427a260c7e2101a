/**
 * Direct transfers: files that pass from one person to another who has said yes, as a fold of packets.
 *
 * Rules:
 *
 * 1. asked --accepted--> accepted --its url is told--> moving --> completed.  The receiver's bytes are completed when they
 *    were checked and saved, which the shell says (`completed`); the sender's when the server says so.
 * 2. A transfer that is over takes no step.  It stays to be read until it is dismissed.
 * 3. What another device of mine has answered, or this one has refused, is forgotten.
 * 4. With a new link the server asks again for all that waits for an answer; what it does not ask for is over.
 *
 * The twin of src/veche/core/transfer.py, as one side sees it.  Source: rows M49-M54, M57; docs/protocol.md, "Files".
 */
import type { ClientPacket, ErrorCode, ServerPacket } from "../protocol";

export type Stage = "asked" | "accepted" | "moving" | "completed" | "rejected" | "over";

export interface Transfer {
  readonly id: string;
  readonly isMine: boolean;
  /** The other one's address. */
  readonly peer: string;
  readonly name: string;
  readonly size: number;
  /** `program`: it may run when it is opened. */
  readonly warning: string;
  /** What it must have; "": not known. */
  readonly sha256: string;
  readonly stage: Stage;
  /** Where the bytes go, or come from; "": not told yet. */
  readonly url: string;
  /** Why it is over; "mine": I have cancelled it. */
  readonly why: ErrorCode | "mine" | "";
}

/** By id, in the order of asking. */
export type Transfers = ReadonlyMap<string, Transfer>;

export const NO_TRANSFERS: Transfers = new Map();

export function isOver({ stage }: Transfer): boolean {
  return stage === "completed" || stage === "rejected" || stage === "over";
}

/** The transfers after a packet of the server.  request: what it answers. */
export function foldTransfers(all: Transfers, packet: ServerPacket, request?: ClientPacket): Transfers {
  switch (packet.type) {
    case "CONNECT-OK":
      return [...all.values()]
        .filter((one) => one.stage === "asked" && !one.isMine)
        .reduce((rest, { id }) => forgotten(rest, id), all);
    case "SEND-FILE-PROXY-REQUEST": {
      const { "transfer-id": id, from: peer, filename: name, size, warning = "", sha256 = "" } = packet;
      if (all.has(id)) return all;
      return put(all, { id, isMine: false, peer, name, size, warning, sha256, stage: "asked", url: "", why: "" });
    }
    case "SEND-FILE-PROXY-ASKED": {
      if (request?.type !== "SEND-FILE-PROXY") return all;
      const { filename: name, size, sha256 = "" } = request;
      const { "transfer-id": id, to: peer } = packet;
      return put(all, { id, isMine: true, peer, name, size, sha256, warning: "", stage: "asked", url: "", why: "" });
    }
    case "SEND-FILE-PROXY-ACCEPT-OK":
      return stepped(all, packet, { stage: "accepted" });
    case "SEND-FILE-PROXY-OK":
      return stepped(all, packet, { stage: "moving", url: packet.url });
    case "SEND-FILE-PROXY-READY": {
      const { url, sha256 } = packet;
      return stepped(all, packet, { stage: "moving", url, ...(sha256 ? { sha256 } : {}) });
    }
    case "SEND-FILE-PROXY-COMPLETED": {
      const isMine = all.get(packet["transfer-id"])?.isMine;
      return stepped(all, packet, isMine ? { stage: "completed" } : { sha256: packet.sha256 });
    }
    case "SEND-FILE-PROXY-REJECT-OK":
      return forgotten(all, packet["transfer-id"]);
    case "SEND-FILE-PROXY-REJECTED":
      return stepped(all, packet, { stage: "rejected" });
    case "SEND-FILE-PROXY-CANCEL-OK":
      return stepped(all, packet, { stage: "over", why: "mine" });
    case "SEND-FILE-PROXY-CANCELLED":
      if (packet.code === "answered") return forgotten(all, packet["transfer-id"]);
      return stepped(all, packet, { stage: "over", why: packet.code });
    default:
      return all;
  }
}

/** The bytes are where they should be. */
export function completed(all: Transfers, id: string): Transfers {
  return stepped(all, { "transfer-id": id }, { stage: "completed" });
}

/** It ended without the file. */
export function failed(all: Transfers, id: string, why: Transfer["why"]): Transfers {
  return stepped(all, { "transfer-id": id }, { stage: "over", why });
}

export function forgotten(all: Transfers, id: string): Transfers {
  if (!all.has(id)) return all;
  const rest = new Map(all);
  rest.delete(id);
  return rest;
}

function stepped(all: Transfers, { "transfer-id": id }: { "transfer-id": string }, step: Partial<Transfer>): Transfers {
  const one = all.get(id);
  return one === undefined || isOver(one) ? all : put(all, { ...one, ...step });
}

function put(all: Transfers, one: Transfer): Transfers {
  return new Map(all).set(one.id, one);
}
