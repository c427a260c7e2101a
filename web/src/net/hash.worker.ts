/** The SHA-256 of a file, in a thread of its own; a browser's own hashing wants all of it in memory at once. */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";

/** What is answered: bytes hashed so far, at last the hash in hexadecimal digits; or that the file cannot be read. */
export type Hashed = { done: number } | { sha256: string } | { failed: true };

const TELL_BYTES = 4 * 1024 * 1024;

onmessage = async ({ data: file }: MessageEvent<Blob>) => {
  const tell = (hashed: Hashed) => postMessage(hashed);
  const hash = sha256.create();
  let done = 0;
  let told = 0;
  try {
    const reader = file.stream().getReader();
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      hash.update(next.value);
      done += next.value.length;
      if (done - told >= TELL_BYTES) tell({ done: (told = done) });
    }
    tell({ sha256: bytesToHex(hash.digest()) });
  } catch {
    tell({ failed: true });
  }
};
