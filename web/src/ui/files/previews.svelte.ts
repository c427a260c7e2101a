/**
 * The small pictures of files: fetched when they are seen, kept while they are shown and for a while after.
 *
 * Source: row M48.
 */
import { SvelteMap } from "svelte/reactivity";
import { RequestFailed } from "../../net/client";
import { preview } from "../../net/files";
import { client } from "../client.svelte";

/** So many that nobody looks at are kept: some MB. */
const KEPT = 100;
/** A browser has six connections to one server. */
const AT_ONCE = 3;

class Previews {
  /** Addresses of pictures in this page by id of the file; "": it is gone from the server. */
  private readonly urls = new SvelteMap<string, string>();
  /** Who looks at them; those at whom nobody does stand in the order in which they were left. */
  private readonly holders = new Map<string, number>();
  private wanted: string[] = [];
  private running = 0;
  private ending = new AbortController();

  /** undefined: not here; "": no longer anywhere. */
  get(id: string): string | undefined {
    return this.urls.get(id);
  }

  /** See that it comes, and stays while it is looked at; returns how to look away. */
  hold(id: string): () => void {
    const held = this.holders.get(id) ?? 0;
    this.holders.delete(id);
    this.holders.set(id, held + 1);
    if (!this.urls.has(id) && !this.wanted.includes(id)) this.wanted.push(id);
    this.work();
    return () => this.leave(id);
  }

  /** Forget all: somebody else may sign in here. */
  clear(): void {
    this.ending.abort();
    this.ending = new AbortController();
    this.wanted = [];
    for (const id of [...this.urls.keys()]) this.forget(id);
    this.holders.clear();
  }

  private leave(id: string): void {
    const held = this.holders.get(id) ?? 1;
    this.holders.delete(id);
    this.holders.set(id, held - 1);
    if (held === 1) this.wanted = this.wanted.filter((one) => one !== id);
    const left = [...this.holders].filter(([, count]) => count <= 0).map(([one]) => one);
    for (const one of left.slice(0, Math.max(0, left.length - KEPT))) this.forget(one);
  }

  private forget(id: string): void {
    const url = this.urls.get(id);
    if (url) URL.revokeObjectURL(url);
    this.urls.delete(id);
    if (!this.holders.get(id)) this.holders.delete(id);
  }

  private work(): void {
    while (this.running < AT_ONCE) {
      const id = this.wanted.pop(); // what was seen last is looked at now
      if (id === undefined) return;
      this.running++;
      void this.fetch(id).finally(() => {
        this.running--;
        this.work();
      });
    }
  }

  private async fetch(id: string): Promise<void> {
    const { signal } = this.ending;
    try {
      const picture = await preview(client, id, { signal });
      if (!signal.aborted) this.urls.set(id, URL.createObjectURL(picture));
    } catch (error) {
      // anything else: it is asked for again when somebody looks again
      if (error instanceof RequestFailed && error.code === "unknown-id") this.urls.set(id, "");
    }
  }
}

export const previews = new Previews();
