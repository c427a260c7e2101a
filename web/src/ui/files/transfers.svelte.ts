/** Direct transfers of this tab: what the packets say of them (core/transfers.ts), and the moving of their bytes. */
import { SvelteMap, SvelteSet } from "svelte/reactivity";
import type { Progress } from "../../core/files";
import {
  completed,
  failed,
  foldTransfers,
  forgotten,
  isOver,
  NO_TRANSFERS,
  type Transfer,
  type Transfers,
} from "../../core/transfers";
import { LinkLost, RequestFailed } from "../../net/client";
import { hashOf, pull, push } from "../../net/files";
import { client } from "../client.svelte";
import { attempt, tell } from "../notices.svelte";
import { oneLine } from "../text";
import { byBrowser, drop, isWanted, keep, type Target, targetFor } from "./saving.svelte";
import { problemText } from "./sizes";

/** What the server calls too long, and a little: whoever lost the link may not have been told. */
const ANSWER_MS = 310_000;

class Running {
  all = $state.raw<Transfers>(NO_TRANSFERS);
  readonly progress = new SvelteMap<string, Progress>();
  /** Files that are made ready to be offered, and to whom. */
  readonly prepared = new SvelteMap<File, string>();
  /** Ids of those that the browser itself downloads. */
  readonly byBrowser = new SvelteSet<string>();
  private readonly files = new Map<string, File>();
  private readonly targets = new Map<string, Target>();
  private readonly endings = new Map<string, AbortController>();

  constructor() {
    client.listen((packet, { request }) => {
      const before = this.all;
      this.become(foldTransfers(before, packet, request));
      const isTold = packet.type === "SEND-FILE-PROXY-OK" || packet.type === "SEND-FILE-PROXY-READY";
      // what a page that was reloaded knows nothing of
      if (isTold && !before.has(packet["transfer-id"])) void this.refuse(packet["transfer-id"]);
    });
  }

  /** Those with somebody, in the order of asking. */
  with(peer: string): Transfer[] {
    return [...this.all.values()].filter((one) => one.peer === peer);
  }

  /** What others wait for me to answer. */
  get waiting(): Transfer[] {
    return [...this.all.values()].filter((one) => !one.isMine && one.stage === "asked");
  }

  get areMoving(): boolean {
    return [...this.all.values()].some((one) => one.stage === "accepted" || one.stage === "moving");
  }

  /** Offer somebody a file; what goes wrong is told. */
  async offer(peer: string, file: File): Promise<void> {
    this.prepared.set(file, peer);
    try {
      const most = client.hello?.limits.file_bytes ?? Infinity;
      if (file.size > most) throw new RequestFailed("too-large");
      const sha256 = await hashOf(file, { signal: new AbortController().signal });
      const filename = file.name.slice(0, 1000).toWellFormed() || "file";
      const asked = await client.request({ type: "SEND-FILE-PROXY", to: peer, filename, size: file.size, sha256 });
      const id = asked["transfer-id"];
      this.files.set(id, file);
      setTimeout(() => {
        if (this.all.get(id)?.stage === "asked") this.become(failed(this.all, id, "no-answer"));
      }, ANSWER_MS);
      this.work();
    } catch (error) {
      tell(`${oneLine(file.name, 80)}: ${problemText(error)}`, true);
    } finally {
      this.prepared.delete(file);
    }
  }

  /** Say yes, and choose where it goes; must be called while the person clicks. */
  async accept({ id, name, size, warning }: Transfer): Promise<void> {
    if (!(await isWanted({ name, warning }))) return;
    const target = await targetFor(name, size);
    if (target === null) return;
    this.targets.set(id, target);
    if (await attempt(client.request({ type: "SEND-FILE-PROXY-ACCEPT", "transfer-id": id }))) return;
    drop(target);
    this.dismiss(id);
  }

  async reject({ id }: Transfer): Promise<void> {
    if (!(await attempt(client.request({ type: "SEND-FILE-PROXY-REJECT", "transfer-id": id })))) this.dismiss(id);
  }

  /** Either side may end it. */
  async cancel({ id }: Transfer): Promise<void> {
    this.endings.get(id)?.abort();
    await this.refuse(id);
    this.become(failed(this.all, id, "mine"));
  }

  dismiss(id: string): void {
    this.become(forgotten(this.all, id));
  }

  clear(): void {
    this.become(NO_TRANSFERS);
  }

  private refuse(id: string): Promise<unknown> {
    return client.request({ type: "SEND-FILE-PROXY-CANCEL", "transfer-id": id }).catch(() => {});
  }

  private become(all: Transfers): void {
    if (all === this.all) return;
    this.all = all;
    for (const [id, ending] of this.endings) {
      const one = all.get(id);
      if (one === undefined || (isOver(one) && one.stage !== "completed")) ending.abort();
    }
    for (const kept of [this.files, this.progress, this.byBrowser]) {
      for (const id of kept.keys()) if (!all.has(id) || isOver(all.get(id)!)) kept.delete(id);
    }
    this.work();
  }

  /** Move the bytes of all that may move and does not yet. */
  private work(): void {
    for (const one of this.all.values()) {
      if (one.stage !== "moving" || this.endings.has(one.id)) continue;
      if (one.isMine ? this.files.has(one.id) : this.targets.has(one.id)) void this.move(one);
    }
  }

  private async move(one: Transfer): Promise<void> {
    const { id } = one;
    const ending = new AbortController();
    this.endings.set(id, ending);
    const how = { signal: ending.signal, tell: (progress: Progress) => void this.progress.set(id, progress) };
    try {
      if (one.isMine) {
        await push(one.url, this.files.get(id)!, how);
        this.files.delete(id); // it is completed once the other has all of it
      } else {
        await this.receive(one, this.targets.get(id)!, how);
      }
    } catch (error) {
      if (ending.signal.aborted) return;
      if (!(error instanceof RequestFailed && error.code === "unknown-id")) void this.refuse(id);
      const code = error instanceof RequestFailed ? error.code : error instanceof LinkLost ? "no-answer" : "withdrawn";
      this.become(failed(this.all, id, code === "unknown-id" ? "no-answer" : code));
      if (!(error instanceof RequestFailed || error instanceof LinkLost)) tell(problemText(error), true);
    } finally {
      this.endings.delete(id);
      this.targets.delete(id);
    }
  }

  private async receive(one: Transfer, target: Target, how: Parameters<typeof pull>[3]): Promise<void> {
    if (target.kind === "browser") {
      this.byBrowser.add(one.id);
      byBrowser(one.url, one.name);
      await this.told(one.id, how.signal);
      return this.become(completed(this.all, one.id));
    }
    try {
      const found = await pull(one.url, one.size, target.sink, how);
      const wanted = this.all.get(one.id)?.sha256 || (await this.told(one.id, how.signal));
      if (found !== wanted) throw new RequestFailed("wrong-hash");
      await keep(target, one.name);
      this.become(completed(this.all, one.id));
    } catch (error) {
      drop(target);
      throw error;
    }
  }

  /** The SHA-256 that the server has seen, once it tells. */
  private told(id: string, signal: AbortSignal): Promise<string> {
    return new Promise((resolve, reject) => {
      const end = client.listen((packet) => {
        if (packet.type !== "SEND-FILE-PROXY-COMPLETED" || packet["transfer-id"] !== id) return;
        end();
        resolve(packet.sha256);
      });
      signal.addEventListener("abort", () => {
        end();
        reject(signal.reason as Error);
      });
    });
  }
}

export const transfers = new Running();
