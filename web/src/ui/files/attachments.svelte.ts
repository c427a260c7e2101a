/**
 * Files that are to go with the next message to somebody: they are uploaded at once, and wait for the message.
 *
 * They outlive the view of a conversation, not the tab.
 */
import { SvelteMap } from "svelte/reactivity";
import { MAX_FILES, PICTURE_TYPES, type Progress } from "../../core/files";
import { RequestFailed } from "../../net/client";
import { upload } from "../../net/files";
import type { FileInfo } from "../../protocol";
import { client } from "../client.svelte";
import { tell } from "../notices.svelte";
import { oneLine } from "../text";
import { say } from "../words.svelte";
import { problemText } from "./sizes";

/** So many uploads at once: a browser has few connections to one server. */
const AT_ONCE = 2;
/** Pictures up to this size are shown small while they are attached. */
const SHOWN_BYTES = 25_000_000;
/** What browsers call a picture that was pasted. */
const PASTED_NAME = "image.png";

const turns: (() => void)[] = [];
let running = 0;

/** Do something when it is its turn. */
async function inTurn<T>(work: () => Promise<T>): Promise<T> {
  if (running >= AT_ONCE) await new Promise<void>((resolve) => turns.push(resolve));
  running++;
  try {
    return await work();
  } finally {
    running--;
    turns.shift()?.();
  }
}

let count = 0;

/** One file on its way. */
export class Attachment {
  readonly key = ++count;
  readonly file: File;
  readonly name: string;
  /** Address of the picture, "" for what is none. */
  readonly picture: string;
  stage = $state<"waiting" | "sending" | "done" | "failed">("waiting");
  progress = $state.raw<Progress | null>(null);
  /** Why it failed, as a sentence. */
  problem = $state("");
  /** Whether it may go better another time. */
  mayRetry = $state(false);
  info = $state.raw<FileInfo | null>(null);
  private ending = new AbortController();

  constructor(file: File) {
    this.file = file;
    this.name = oneLine(file.name) || say.fileNamed("");
    const isShown = PICTURE_TYPES.has(file.type) && file.size <= SHOWN_BYTES;
    this.picture = isShown ? URL.createObjectURL(file) : "";
  }

  async start(): Promise<void> {
    const ending = (this.ending = new AbortController());
    this.stage = "waiting";
    this.progress = null;
    try {
      const most = client.hello?.limits.file_bytes ?? Infinity;
      if (this.file.size > most) throw new RequestFailed("too-large");
      const how = { signal: ending.signal, tell: (progress: Progress) => (this.progress = progress) };
      this.info = await inTurn(() => {
        ending.signal.throwIfAborted();
        this.stage = "sending";
        return upload(client, this.file, how);
      });
      this.stage = "done";
    } catch (error) {
      if (ending.signal.aborted) return;
      this.stage = "failed";
      this.problem = problemText(error);
      this.mayRetry = !(error instanceof RequestFailed && error.code === "too-large");
    }
  }

  /** It is not needed any more. */
  end(): void {
    this.ending.abort();
    if (this.picture) URL.revokeObjectURL(this.picture);
  }
}

/** What has gone with messages, by id, so that one that waits to be sent can say what it holds. */
const sent = new Map<string, FileInfo>();

/** Files of a message that is not stored yet, as far as this tab knows them. */
export function sentFiles(ids: readonly string[]): FileInfo[] {
  return ids.flatMap((id) => sent.get(id) ?? []);
}

class Attachments {
  private readonly byPeer = new SvelteMap<string, readonly Attachment[]>();

  of(peer: string): readonly Attachment[] {
    return this.byPeer.get(peer) ?? [];
  }

  /** Whether something would be lost with the tab. */
  get areUnsent(): boolean {
    return [...this.byPeer.values()].some((list) => list.length > 0);
  }

  /** Attach files, as many as a message takes. */
  add(peer: string, files: readonly File[]): void {
    const old = this.of(peer);
    const added = files.slice(0, MAX_FILES - old.length).map((file) => new Attachment(named(file)));
    if (added.length < files.length) tell(say.tooManyFiles(MAX_FILES), true);
    this.byPeer.set(peer, [...old, ...added]);
    for (const one of added) void one.start();
  }

  remove(peer: string, one: Attachment): void {
    one.end();
    this.byPeer.set(
      peer,
      this.of(peer).filter((other) => other !== one),
    );
  }

  /** The ids of those that are whole. */
  idsOf(peer: string): string[] {
    return [...new Set(this.of(peer).flatMap(({ info }) => info?.id ?? []))];
  }

  /** They have gone with a message, or nobody may see them any more. */
  take(peer: string): void {
    for (const { info } of this.of(peer)) if (info !== null) sent.set(info.id, info);
    for (const one of this.of(peer)) one.end();
    this.byPeer.delete(peer);
  }

  clear(): void {
    for (const peer of [...this.byPeer.keys()]) this.take(peer);
    sent.clear();
  }
}

export const attachments = new Attachments();

/** A pasted picture gets the moment as its name. */
function named(file: File): File {
  if (file.name !== PASTED_NAME) return file;
  const moment = new Date().toLocaleString("sv-SE").replaceAll(":", ".");
  return new File([file], `${say.picture} ${moment}.png`, { type: file.type });
}

/** The files of a drop or of the clipboard; folders are told of and left out. */
export function filesOf({ files, items }: DataTransfer): File[] {
  const folders = [...items].filter((item) => item.kind === "file" && item.webkitGetAsEntry()?.isDirectory);
  if (folders.length > 0) tell(say.noFolders, true);
  if (folders.length === 0) return [...files];
  return [...items]
    .filter((item) => item.kind === "file" && !folders.includes(item))
    .flatMap((item) => item.getAsFile() ?? []);
}
