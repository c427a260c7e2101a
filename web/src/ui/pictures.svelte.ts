/**
 * The pictures of people, by their hash: asked for once, and kept beside the pages for reading offline.
 *
 * A hash names one picture for ever, so nothing here ever becomes old.
 */
import { SvelteMap } from "svelte/reactivity";
import { client } from "./client.svelte";

const CACHE = "veche-pictures";

class Pictures {
  /** Addresses of pictures in this page, by hash. */
  private readonly urls = new SvelteMap<string, string>();
  private readonly wanted = new Set<string>();

  /** The address of a picture; undefined: it is not here. */
  get(hash: string): string | undefined {
    return this.urls.get(hash);
  }

  /** See that the picture of this hash comes, which is that of `address`. */
  want(address: string, hash: string): void {
    if (this.wanted.has(hash)) return;
    this.wanted.add(hash);
    void this.find(address, hash)
      .then((picture) => this.urls.set(hash, URL.createObjectURL(picture)))
      .catch(() => this.wanted.delete(hash)); // asked again when somebody looks again
  }

  /** Forget all: somebody else may sign in here. */
  async clear(): Promise<void> {
    for (const url of this.urls.values()) URL.revokeObjectURL(url);
    this.urls.clear();
    this.wanted.clear();
    await globalThis.caches?.delete(CACHE).catch(() => false);
  }

  private async find(address: string, hash: string): Promise<Blob> {
    const cache = await globalThis.caches?.open(CACHE).catch(() => undefined);
    const key = `/pictures/${encodeURIComponent(hash)}`;
    const kept = await cache?.match(key);
    if (kept !== undefined) return kept.blob();
    const { avatar = "", avatar_type: type = "" } = await client.request({ type: "PROFILE-GET", login: address });
    if (!/^image\/(png|jpeg|webp)$/.test(type)) throw new Error("no picture");
    const picture = new Blob([Uint8Array.from(atob(avatar), (char) => char.charCodeAt(0))], { type });
    await cache?.put(key, new Response(picture)).catch(() => {});
    return picture;
  }
}

export const pictures = new Pictures();
