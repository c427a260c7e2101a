/**
 * The bytes of files, to the server and from it: by HTTPS, beside the link of packets.
 *
 * What breaks off is gone on with, also after the server was restarted: it knows an upload by its SHA-256, and where it
 * stands.  Both ends check the SHA-256: the server what it was sent before it keeps or passes it, this end what it
 * fetched before it is saved.
 *
 * The twin of src/veche/client/files.py.  Source: rows M48-M58, X18; docs/protocol.md, "Files".
 */
import { Meter, type Progress } from "../core/files";
import type { AnswerTo, ErrorCode, FileInfo, RequestPacket } from "../protocol";
import { LinkLost, RequestFailed } from "./client";
import type { Hashed } from "./hash.worker";

/** What is needed of a `Client`. */
export interface Server {
  request<P extends RequestPacket>(packet: P): Promise<AnswerTo<P>>;
}

/** tell: is told how it fares, often; signal: ends it, by the signal's reason. */
export interface How {
  readonly tell?: (progress: Progress) => void;
  readonly signal: AbortSignal;
}

/** Where fetched bytes go, in order. */
export interface Sink {
  write(bytes: Uint8Array<ArrayBuffer>): Promise<void> | void;
  /** All have come: the SHA-256 of them, in hexadecimal digits. */
  finish(): Promise<string>;
}

/** The connection, not the request. */
export class Broken extends LinkLost {}

/** A url was refused, not the request for it. */
class UrlRefused extends RequestFailed {}

/** The file cannot be read, or has changed since it was chosen. */
export class Unreadable extends Error {}

/** So often in a row a transfer may break without a byte more; then it fails. */
const TRIES = 6;
const FIRST_PAUSE_S = 0.5;
/** A connection on which nothing moves for so long is given up. */
const STALL_S = 60;
/** Files up to this size are hashed at once. */
const SMALL_BYTES = 8 * 1024 * 1024;
/** Refusals of a url after which another one may do: it was too old, or the offset was another. */
const AGAIN: ReadonlySet<ErrorCode> = new Set(["unknown-id", "bad-request", "try-again-later"]);
/** The same where nobody can ask for another url: it is over. */
const SAME_URL_AGAIN: ReadonlySet<ErrorCode> = new Set(["bad-request", "try-again-later"]);
const NAME_CHARS = 1000;

/** What the end of a PUT is answered. */
interface Arrived {
  readonly offset: number;
  readonly complete: boolean;
  readonly sha256?: string;
  readonly file?: FileInfo;
}

// -- what a program asks for

/** Uploads under way, by hash: of two of the same content the second one finds the first whole. */
const underWay = new Map<string, Promise<unknown>>();

/**
 * Send a file to be kept; then its id can go into messages.
 *
 * Throws RequestFailed (too-large, too-many, storage-full ...), Broken after too many broken connections, Unreadable, and
 * the reason of the signal; then the server keeps nothing of it.
 */
export async function upload(server: Server, file: File, how: How): Promise<FileInfo> {
  const sha256 = await hashOf(file, how);
  while (underWay.has(sha256)) await underWay.get(sha256)!.catch(() => {});
  const work = send(server, file, sha256, how);
  underWay.set(sha256, work);
  return work.finally(() => underWay.delete(sha256));
}

async function send(server: Server, file: File, sha256: string, how: How): Promise<FileInfo> {
  const name = file.name.slice(0, NAME_CHARS).toWellFormed() || "file";
  let url = "";
  try {
    return await persistently(file.size, how, AGAIN, async (attempt) => {
      const ok = await server.request({ type: "FILE-UPLOAD", name, bytes: file.size, sha256 });
      url = ok.url ?? "";
      const info = ok.file ?? (await attempt.put(url, file, ok.offset ?? 0)).file;
      if (info?.sha256 !== sha256) throw new RequestFailed("wrong-hash");
      return info;
    });
  } catch (error) {
    if (how.signal.aborted && url !== "") void fetch(url, { method: "DELETE" }).catch(() => {});
    throw error;
  }
}

/** Fetch a file that is kept.  Throws RequestFailed (unknown-id, wrong-hash), Broken, what the sink throws, the signal's. */
export async function download(server: Server, file: FileInfo, sink: Sink, how: How): Promise<void> {
  let offset = 0;
  await persistently(file.bytes, how, AGAIN, async (attempt) => {
    if (offset === file.bytes && offset > 0) return;
    const url = await linkTo(server, file.id);
    for await (const bytes of attempt.get(url, offset, file.bytes)) {
      await sink.write(bytes);
      offset += bytes.length;
    }
  });
  if ((await sink.finish()) !== file.sha256) throw new RequestFailed("wrong-hash");
}

/**
 * An address from which the browser itself can fetch a file, once, within minutes.
 *
 * Nobody checks the SHA-256 of that at this end.  The server has checked it when it took the file, keeps it under it, and
 * sends it with its length over TLS, so a broken download is noticed, and a browser goes on with it by `ETag` and `Range`.
 */
export async function linkTo(server: Server, id: string): Promise<string> {
  return (await server.request({ type: "FILE-DOWNLOAD", id })).url;
}

/** Fetch the small picture of a file: a WebP.  Throws RequestFailed (unknown-id), Broken. */
export async function preview(server: Server, id: string, how: How): Promise<Blob> {
  return persistently(0, how, AGAIN, async (attempt) => {
    const { url } = await server.request({ type: "FILE-DOWNLOAD", id, preview: true });
    return attempt.small(url);
  });
}

/** Send a file to somebody who has said yes.  Errors: as `upload`; unknown-id: it is over. */
export async function push(url: string, file: File, how: How): Promise<void> {
  await persistently(file.size, how, SAME_URL_AGAIN, async (attempt) => {
    await attempt.put(url, file, await attempt.offset(url));
  });
}

/** Fetch a file that somebody sends, while it comes; its SHA-256.  Errors: as `download`; unknown-id: it is over. */
export async function pull(url: string, size: number, sink: Sink, how: How): Promise<string> {
  let offset = 0;
  await persistently(size, how, SAME_URL_AGAIN, async (attempt) => {
    if (offset === size && size > 0) return;
    for await (const bytes of attempt.get(url, offset, size)) {
      await sink.write(bytes);
      offset += bytes.length;
    }
  });
  return sink.finish();
}

/** The SHA-256 of a file, in hexadecimal digits.  Throws Unreadable, the signal's reason. */
export async function hashOf(file: Blob, { signal }: How): Promise<string> {
  signal.throwIfAborted();
  if (file.size <= SMALL_BYTES) return digest(await file.arrayBuffer().catch(unreadable));
  const worker = new Worker(new URL("./hash.worker.ts", import.meta.url), { type: "module" });
  try {
    return await new Promise((resolve, reject) => {
      signal.addEventListener("abort", () => reject(reasonOf(signal)), { once: true });
      worker.onerror = () => reject(new Unreadable());
      worker.onmessage = ({ data }: MessageEvent<Hashed>) => {
        if ("sha256" in data) resolve(data.sha256);
        else if ("failed" in data) reject(new Unreadable());
      };
      worker.postMessage(file);
    });
  } finally {
    worker.terminate();
  }
}

/** Bytes in memory: for what is small. */
export class MemorySink implements Sink {
  private readonly parts: Uint8Array<ArrayBuffer>[] = [];

  write(bytes: Uint8Array<ArrayBuffer>): void {
    this.parts.push(bytes);
  }

  async finish(): Promise<string> {
    return digest(await this.blob().arrayBuffer());
  }

  blob(type = "application/octet-stream"): Blob {
    return new Blob(this.parts, { type });
  }
}

/** Bytes into a file that the person has chosen: nothing is there before `keep`. */
export class DiskSink implements Sink {
  private readonly stream: FileSystemWritableFileStream;
  private readonly hash: { update(bytes: Uint8Array): unknown; digest(): Uint8Array };

  private constructor(stream: FileSystemWritableFileStream, hash: DiskSink["hash"]) {
    this.stream = stream;
    this.hash = hash;
  }

  static async open(handle: FileSystemFileHandle): Promise<DiskSink> {
    const { sha256 } = await import("@noble/hashes/sha2.js");
    return new DiskSink(await handle.createWritable(), sha256.create());
  }

  async write(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    this.hash.update(bytes);
    await this.stream.write(bytes);
  }

  finish(): Promise<string> {
    return Promise.resolve(hexadecimal(this.hash.digest()));
  }

  keep(): Promise<void> {
    return this.stream.close();
  }

  drop(): Promise<void> {
    return this.stream.abort();
  }
}

// -- again and again

/** Try until it is done, as long as something moves. */
async function persistently<T>(
  size: number,
  how: How,
  again: ReadonlySet<ErrorCode>,
  once: (attempt: Attempt) => Promise<T>,
): Promise<T> {
  const meter = new Meter(size);
  let failures = 0;
  for (;;) {
    how.signal.throwIfAborted();
    const { reached } = meter;
    try {
      return await Promise.race([once(new Attempt(meter, how)), aborted(how.signal)]);
    } catch (error) {
      const mayGoOn = error instanceof UrlRefused ? again.has(error.code) : error instanceof LinkLost;
      if (how.signal.aborted || !mayGoOn) throw error;
      failures = meter.reached > reached ? 1 : failures + 1;
      if (failures > TRIES) throw error;
    }
    await Promise.race([slept(FIRST_PAUSE_S * 2 ** (failures - 1)), aborted(how.signal)]);
  }
}

/** One connection.  Everything throws Broken, RequestFailed with the server's refusal, Unreadable, the signal's reason. */
class Attempt {
  private readonly meter: Meter;
  private readonly how: How;

  constructor(meter: Meter, how: How) {
    this.meter = meter;
    this.how = how;
  }

  /** Send the bytes of a file from there on.  By XMLHttpRequest: nothing else tells how much has gone out. */
  async put(url: string, file: Blob, offset: number): Promise<Arrived> {
    const rest = file.slice(offset);
    await rest.slice(0, 1).arrayBuffer().catch(unreadable);
    this.tell("begin", offset);
    const request = new XMLHttpRequest();
    const { signal } = this.how;
    const stop = () => request.abort();
    const watch = watched(stop);
    signal.addEventListener("abort", stop);
    try {
      await new Promise<void>((resolve) => {
        request.open("PUT", url);
        request.setRequestHeader("Upload-Offset", String(offset));
        request.upload.onprogress = ({ loaded }) => {
          watch.again();
          this.tell("moved", Math.min(offset + loaded, file.size));
        };
        request.onloadend = () => resolve();
        request.send(rest);
      });
    } finally {
      watch.end();
      signal.removeEventListener("abort", stop);
    }
    signal.throwIfAborted();
    if (request.status === 0) await rest.slice(0, 1).arrayBuffer().catch(unreadable);
    const answer = answerOf(request.status, request.responseText);
    const arrived = answer as unknown as Arrived;
    if (!arrived.complete) throw new Broken("The server has not got all of it.");
    return arrived;
  }

  /** How much of what is sent to a url has arrived. */
  async offset(url: string): Promise<number> {
    const response = await this.fetched(url, { method: "HEAD" });
    if (response.status === 404) throw new UrlRefused("unknown-id");
    const offset = Number(response.headers.get("Upload-Offset") ?? NaN);
    if (!response.ok || !Number.isSafeInteger(offset)) throw new Broken(`The server answered ${response.status}.`);
    return offset;
  }

  /** The bytes from there on, up to `size`. */
  async *get(url: string, offset: number, size: number): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    const controller = new AbortController();
    const watch = watched(() => controller.abort());
    const signal = AbortSignal.any([controller.signal, this.how.signal]);
    const headers: HeadersInit = offset > 0 ? { Range: `bytes=${offset}-` } : {};
    try {
      const response = await this.fetched(url, { headers, signal });
      if (!response.ok) answerOf(response.status, await response.text().catch(() => ""));
      if (offset > 0 && response.status !== 206) throw new RequestFailed("internal-error");
      this.tell("begin", offset);
      const reader = response.body!.getReader();
      let at = offset;
      while (at < size) {
        const { done, value } = await reader.read().catch(broken);
        if (done) throw new Broken("The connection was closed before the end.");
        at += value.length;
        if (at > size) throw new RequestFailed("wrong-hash");
        watch.again();
        yield value;
        this.tell("moved", at);
      }
      await reader.cancel().catch(() => {});
    } finally {
      watch.end();
    }
  }

  /** Something small at once. */
  async small(url: string): Promise<Blob> {
    const response = await this.fetched(url, {
      signal: AbortSignal.any([AbortSignal.timeout(STALL_S * 1000), this.how.signal]),
    });
    if (!response.ok) answerOf(response.status, await response.text().catch(() => ""));
    return response.blob().catch(broken);
  }

  private fetched(url: string, init: RequestInit): Promise<Response> {
    return fetch(url, { signal: this.how.signal, cache: "no-store", credentials: "omit", ...init }).catch(broken);
  }

  private tell(what: "begin" | "moved", done: number): void {
    this.how.tell?.(this.meter[what](done, performance.now() / 1000));
  }
}

/** What the server answered.  Throws RequestFailed with its refusal, Broken when it is no answer of our server's. */
function answerOf(status: number, body: string): Record<string, unknown> {
  let answer: { code?: ErrorCode; reason?: string };
  try {
    answer = Object(JSON.parse(body)) as typeof answer;
  } catch {
    throw new Broken(`The server answered ${status}.`);
  }
  if (status === 200) return answer as Record<string, unknown>;
  if (typeof answer.code !== "string") throw new Broken(`The server answered ${status}.`);
  throw new UrlRefused(answer.code, String(answer.reason ?? ""));
}

/** Calls when nothing has moved for `STALL_S`. */
function watched(call: () => void): { again(): void; end(): void } {
  let timer = setTimeout(call, STALL_S * 1000);
  const end = () => clearTimeout(timer);
  const again = () => {
    end();
    timer = setTimeout(call, STALL_S * 1000);
  };
  return { again, end };
}

function broken(error: unknown): never {
  throw new Broken(String(error));
}

function unreadable(): never {
  throw new Unreadable();
}

function slept(forS: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, forS * 1000));
}

/** Never resolves; rejects with the reason of a signal. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener("abort", () => reject(reasonOf(signal)), { once: true }));
}

function reasonOf(signal: AbortSignal): Error {
  return signal.reason as Error;
}

async function digest(bytes: ArrayBuffer): Promise<string> {
  return hexadecimal(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
}

function hexadecimal(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
