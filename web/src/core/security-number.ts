/**
 * The security number of a call: what two people compare, by reading it aloud, to know that nobody sits between them.
 *
 * Media is encrypted between the two certificates of a connection (DTLS), whose fingerprints travel through the server.
 * Who wanted to listen would have to put certificates of their own there, and the two ends would compute different
 * numbers.  The number is of one connection: another connection has other certificates.
 *
 * The twin of src/veche/core/security_number.py, which says how it is made; protocol/vectors/security-number.json holds
 * them together.
 */
const DOMAIN = "veche security number 1";
const GROUPS = 8;
const GROUP_BYTES = 5;

/** The number of two SHA-256 fingerprints, in either order; with colons or without.  Rejects others. */
export async function securityNumber(one: string, other: string): Promise<string> {
  const lines = [DOMAIN, ...[normalised(one), normalised(other)].sort()];
  const text = new TextEncoder().encode(lines.map((line) => `${line}\n`).join(""));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-512", text));
  return Array.from({ length: GROUPS }, (_, group) => {
    const part = digest.subarray(group * GROUP_BYTES, (group + 1) * GROUP_BYTES);
    const number = part.reduce((sum, byte) => sum * 256 + byte, 0); // 40 bits: exact
    return String(number % 100_000).padStart(5, "0");
  }).join(" ");
}

/**
 * The one fingerprint of a description.
 *
 * null: it has none, one by another hash, or several, of which nobody could tell by the text which one is in use.
 */
export function fingerprintOf(sdp: string): string | null {
  const found = new Set(Array.from(sdp.matchAll(/^a=fingerprint:(\S+ \S+)\s*$/gm), ([, one]) => one!.toUpperCase()));
  const [only = ""] = found;
  return found.size === 1 && only.startsWith("SHA-256 ") ? only.slice("SHA-256 ".length) : null;
}

/** 64 digits in capitals. */
function normalised(fingerprint: string): string {
  const digits = fingerprint.replaceAll(":", "").toUpperCase();
  if (!/^[0-9A-F]{64}$/.test(digits)) throw new Error(`not the SHA-256 fingerprint of a certificate: ${fingerprint}`);
  return digits;
}
