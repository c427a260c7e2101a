/** What an address of a server says, and what the findings mean; the attempts themselves run in tests/browser. */
import { expect, test } from "vitest";
import { type Found, iceUrl, type Paths, pathsOf, type Transport } from "./paths";

test.each([
  ["stun:stun.example.org", "stun", "udp"],
  ["stuns:stun.example.org:5349", "stun", "tls"],
  ["turn:[::1]:3478", "turn", "udp"],
  ["turn:turn.example.org:3478?transport=udp", "turn", "udp"],
  ["TURN:turn.example.org?transport=TCP", "turn", "tcp"],
  ["turns:turn.example.org:443?transport=tcp", "turn", "tls"],
])("%s is a %s server by %s", (url, kind, transport) => {
  expect(iceUrl(url)).toEqual({ kind, transport });
});

test.each(["", "stun:", "turn", "https://example.org", "turn:a?transport=sctp", "turn:a b"])("%s is none", (url) => {
  expect(iceUrl(url)).toBeNull();
});

const relays = (...of: Transport[]) => new Set(of);

test.each<[Found, Paths]>([
  [{ direct: true, isSeen: true, relays: relays("tcp") }, "both"],
  [{ direct: true, isSeen: true, relays: relays() }, "direct"],
  [{ direct: true, isSeen: false, relays: relays("tls") }, "relay"],
  [{ direct: false, isSeen: true, relays: relays("udp") }, "relay"],
  [{ direct: true, isSeen: false, relays: relays() }, "near"],
  [{ direct: false, isSeen: true, relays: relays() }, "none"],
  [{ direct: null, isSeen: false, relays: relays() }, "none"],
])("%j: %s", (found, paths) => {
  expect(pathsOf(found)).toBe(paths);
});
