/**
 * Which part of a conversation can be scrolled through: without gaps, around a message or up to the newest.
 *
 * Usually that is what the state has in one piece.  After a jump to an old message it is an island: what was fetched
 * around it, until that has grown together with the rest.  What a device was told before it asked for any history is in
 * one piece too, since it is told everything.
 */
import { visible } from "../../core/select";
import type { Conversation } from "../../core/state";
import type { HistoryGetOk } from "../../protocol";
import { client } from "../client.svelte";

const PAGE = 50;

/** Ids of the first and the last message.  from 0: the beginning.  to null: the newest. */
interface Island {
  readonly from: number;
  readonly to: number | null;
}

export class Span {
  private island = $state.raw<Island | null>(null);
  private isLoading = false;
  private readonly peer: string;

  constructor({ peer, posts, completeFrom }: Conversation) {
    this.peer = peer;
    if (completeFrom === null && posts.first !== undefined) this.island = { from: posts.first.id, to: null };
  }

  /** The indices in `posts` from `start` up to, without, `end`. */
  bounds(talk: Conversation): { start: number; end: number } {
    const all = visible(talk);
    if (this.island === null) return all;
    const end = this.island.to === null ? all.end : talk.posts.indexOf(this.island.to + 1);
    return { start: Math.min(talk.posts.indexOf(this.from(talk) ?? 0), end), end };
  }

  /** It reaches to the newest message. */
  get isNewest(): boolean {
    return this.island === null || this.island.to === null;
  }

  /** It begins where the conversation does. */
  isWhole(talk: Conversation): boolean {
    return this.from(talk) === 0;
  }

  /** Back to what reaches to the newest. */
  leave(): void {
    if (!this.isNewest) this.island = null;
  }

  /** Have messages before the first. */
  older(talk: Conversation): Promise<void> {
    return this.load(async () => {
      const { island } = this;
      if (island === null) return void (await client.loadOlder(this.peer));
      const from = this.from(talk)!;
      const page = await this.page({ before: from });
      this.set(talk, { ...island, from: firstOf(page, from) });
    });
  }

  /** Have messages after the last. */
  newer(talk: Conversation): Promise<void> {
    return this.load(async () => {
      const { island } = this;
      if (island === null || island.to === null) return;
      const page = await this.page({ after: island.to });
      this.set(talk, { ...island, to: page.more ? (page.messages.at(-1)?.id ?? island.to) : null });
    });
  }

  /** Have this message and what is around it.  False: there is no such message. */
  async around(talk: Conversation, id: number): Promise<boolean> {
    const { start, end } = this.bounds(talk);
    const index = talk.posts.indexOf(id);
    if (index >= start && index < end && talk.posts.get(id) !== undefined) return true;
    const [before, after] = await Promise.all([this.page({ before: id + 1 }), this.page({ after: id })]);
    if (before.messages.at(-1)?.id !== id) return false;
    this.set(talk, { from: firstOf(before, id), to: after.more ? (after.messages.at(-1)?.id ?? id) : null });
    return true;
  }

  /** The id of the first message; null: not known. */
  private from({ completeFrom }: Conversation): number | null {
    if (this.island === null) return completeFrom;
    return this.island.to === null ? Math.min(this.island.from, completeFrom ?? Infinity) : this.island.from;
  }

  private set({ completeFrom }: Conversation, { from, to }: Island): void {
    const isJoined = to === null || (completeFrom !== null && to >= completeFrom);
    this.island = { from, to: isJoined ? null : to };
  }

  private page(range: { before: number } | { after: number }): Promise<HistoryGetOk> {
    return client.request({ type: "HISTORY-GET", peer: this.peer, limit: PAGE, ...range });
  }

  private async load(work: () => Promise<void>): Promise<void> {
    if (this.isLoading) return;
    this.isLoading = true;
    try {
      await work();
    } finally {
      this.isLoading = false;
    }
  }
}

function firstOf(page: HistoryGetOk, otherwise: number): number {
  return page.more ? (page.messages[0]?.id ?? otherwise) : 0;
}
