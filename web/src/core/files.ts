/**
 * Files as people see them: what kind they are, how their names are cut, how a transfer fares.
 *
 * What a file is called and what it is says the server; its name is made plain here all the same, before anything is
 * saved under it.  Source: rows M48, M58; docs/protocol.md, "Files".
 */
import type { FileInfo } from "../protocol";

export const MAX_FILES = 10;

/** Types that a browser shows as a picture and that cannot act in a page; SVG can. */
export const PICTURE_TYPES: ReadonlySet<string> = new Set([
  ...["image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"],
]);

export type Kind = "picture" | "sound" | "film" | "document" | "archive" | "program" | "file";

/** What a file is to people; a program first, whatever else it is. */
export function kindOf({ type = "", warning = "" }: Pick<FileInfo, "type" | "warning">): Kind {
  if (warning !== "") return "program";
  if (PICTURE_TYPES.has(type)) return "picture";
  if (type.startsWith("audio/")) return "sound";
  if (type.startsWith("video/")) return "film";
  if (type === "application/pdf") return "document";
  return type === "application/zip" ? "archive" : "file";
}

/** A file that is shown as a picture: it has a preview, and its sides are known. */
export interface PictureInfo extends FileInfo {
  readonly width: number;
  readonly height: number;
}

export function isPicture(file: FileInfo): file is PictureInfo {
  return Boolean(file.preview && file.width && file.height);
}

/** The sides of a picture in a box, never enlarged; so small that it could not be pointed at: cut to `least`. */
export function fitted(
  { width, height }: Pick<PictureInfo, "width" | "height">,
  box: { width: number; height: number; least: number },
): { width: number; height: number } {
  const scale = Math.min(1, box.width / width, box.height / height);
  const side = (length: number) => Math.max(box.least, Math.round(length * scale));
  return { width: side(width), height: side(height) };
}

const PATH = /^.*[/\\](?=.)/s;
/** Control characters, those that turn the direction of text, and what some system forbids in names. */
const NOT_IN_NAMES =
  /[\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb<>:"/\\|?*]+/g;

/** A name to save a file under: no path, nothing unseen, not empty. */
export function plainName(name: string): string {
  const plain = name
    .toWellFormed()
    .replace(PATH, "")
    .replace(NOT_IN_NAMES, "_")
    .replace(/^[. ]+|[. ]+$/g, "");
  return plain || "file";
}

const EXTENSION_CHARS = 12;
const KEPT_BEFORE = 5;
/** Names up to this length are not cut. */
const SHORT_CHARS = 20;

/** A name in two parts: one that may be cut at its end, and one with the extension that is always seen. */
export function nameParts(name: string): readonly [string, string] {
  const letters = [...name];
  if (letters.length <= SHORT_CHARS) return ["", name];
  const dot = letters.lastIndexOf(".");
  const extension = dot > 0 && letters.length - dot <= EXTENSION_CHARS ? letters.length - dot : 0;
  const at = letters.length - extension - KEPT_BEFORE;
  return [letters.slice(0, at).join(""), letters.slice(at).join("")];
}

/** How a transfer fares.  done, total: bytes, those of earlier attempts too; speed: bytes a second. */
export interface Progress {
  readonly done: number;
  readonly total: number;
  /** null, as the other: nobody knows yet. */
  readonly speed: number | null;
  readonly leftS: number | null;
}

/** The speed is that of the last seconds. */
const WINDOW_S = 5;
const LEAST_S = 0.4;

/** Counts the bytes of one transfer.  now: seconds on one monotonic clock. */
export class Meter {
  /** Where the last attempt could begin: what was sent and did not arrive is no progress. */
  reached = -1;
  private readonly total: number;
  private samples: { at: number; done: number }[] = [];

  constructor(total: number) {
    this.total = total;
  }

  /** An attempt goes on from here. */
  begin(done: number, now: number): Progress {
    this.reached = Math.max(this.reached, done);
    this.samples = [];
    return this.moved(done, now);
  }

  /** So many bytes are done. */
  moved(done: number, now: number): Progress {
    const { samples, total } = this;
    samples.push({ at: now, done });
    while (samples.length > 2 && samples[1]!.at <= now - WINDOW_S) samples.shift();
    const [first] = samples;
    const tookS = now - first!.at;
    const speed = tookS >= LEAST_S ? (done - first!.done) / tookS : null;
    return { done, total, speed, leftS: speed ? (total - done) / speed : null };
  }
}
