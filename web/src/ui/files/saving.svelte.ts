/**
 * Files that are fetched to be saved.
 *
 * A small one is fetched into memory and checked before it is saved.  A larger one goes straight to the disk, where the
 * browser lets the person choose a place (File System Access), and is checked before it stays there.  Where it does not,
 * the browser's own download takes it; what is certain then, says `linkTo`.
 *
 * Source: rows M48, M55, M58.
 */
import { SvelteMap } from "svelte/reactivity";
import { plainName, type Progress } from "../../core/files";
import { RequestFailed } from "../../net/client";
import { DiskSink, download, linkTo, MemorySink } from "../../net/files";
import type { FileInfo } from "../../protocol";
import { client } from "../client.svelte";
import { ask, tell } from "../notices.svelte";
import { oneLine } from "../text";
import { say } from "../words.svelte";
import { problemText } from "./sizes";

/** Files up to this size are fetched into memory. */
export const MEMORY_BYTES = 32 * 1024 * 1024;
/** The browser takes a blob some moments after it was told to. */
const REVOKE_MS = 60_000;

/** What of the File System Access API is used; not all browsers have it. */
interface Picking {
  showSaveFilePicker?: (options: { suggestedName: string }) => Promise<FileSystemFileHandle>;
}

/** Where a file goes; null: the person does not want it after all. */
export type Target =
  | { readonly kind: "memory"; readonly sink: MemorySink }
  | { readonly kind: "disk"; readonly sink: DiskSink }
  | { readonly kind: "browser" };

/** A place for a file of this size; must be called while the person clicks.  null: they think better of it. */
export async function targetFor(name: string, size: number): Promise<Target | null> {
  if (size <= MEMORY_BYTES) return { kind: "memory", sink: new MemorySink() };
  const { showSaveFilePicker } = globalThis as Picking;
  if (showSaveFilePicker === undefined) return { kind: "browser" };
  try {
    const handle = await showSaveFilePicker({ suggestedName: plainName(name) });
    return { kind: "disk", sink: await DiskSink.open(handle) };
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") return null;
    return { kind: "browser" }; // the page may not ask now
  }
}

/** All is there and checked: it stays. */
export async function keep(target: Exclude<Target, { kind: "browser" }>, name: string): Promise<void> {
  if (target.kind === "disk") return target.sink.keep();
  const url = URL.createObjectURL(target.sink.blob());
  byBrowser(url, name);
  setTimeout(() => URL.revokeObjectURL(url), REVOKE_MS);
}

/** Nothing of it stays. */
export function drop(target: Target): void {
  if (target.kind === "disk") void target.sink.drop().catch(() => {});
}

/** The browser's own download. */
export function byBrowser(url: string, name: string): void {
  const link = document.createElement("a");
  link.href = url;
  link.download = plainName(name);
  link.click();
}

/** Whether the person wants a file although it may be a program. */
export async function isWanted({ name, warning }: Pick<FileInfo, "name" | "warning">): Promise<boolean> {
  return !warning || ask(say.programAsk, say.programText(oneLine(name, 200)), say.download);
}

class Saving {
  private readonly running = new SvelteMap<string, Progress>();
  private readonly endings = new Map<string, AbortController>();
  /** Ids of files that the server no longer has. */
  private readonly gone = new SvelteMap<string, true>();

  /** How the download of a file fares; undefined: there is none. */
  of(id: string): Progress | undefined {
    return this.running.get(id);
  }

  get isRunning(): boolean {
    return this.running.size > 0;
  }

  isGone(id: string): boolean {
    return this.gone.has(id);
  }

  /** Fetch a file and save it; what goes wrong is told. */
  async start(file: FileInfo): Promise<void> {
    if (this.running.has(file.id) || !(await isWanted(file))) return;
    const target = await targetFor(file.name, file.bytes);
    if (target === null) return;
    const ending = new AbortController();
    this.endings.set(file.id, ending);
    const report = (progress: Progress) => void this.running.set(file.id, progress);
    report({ done: 0, total: file.bytes, speed: null, leftS: null });
    try {
      if (target.kind === "browser") {
        byBrowser(await linkTo(client, file.id), file.name);
      } else {
        await download(client, file, target.sink, { signal: ending.signal, tell: report });
        await keep(target, file.name);
      }
    } catch (error) {
      drop(target);
      if (ending.signal.aborted) return;
      if (error instanceof RequestFailed && error.code === "unknown-id") {
        this.gone.set(file.id, true);
        tell(say.fileGoneNow(oneLine(file.name, 80)), true);
      } else tell(`${oneLine(file.name, 80)}: ${problemText(error)}`, true);
    } finally {
      this.running.delete(file.id);
      this.endings.delete(file.id);
    }
  }

  stop(id: string): void {
    this.endings.get(id)?.abort();
  }

  clear(): void {
    for (const id of [...this.endings.keys()]) this.stop(id);
    this.gone.clear();
  }
}

export const saving = new Saving();
