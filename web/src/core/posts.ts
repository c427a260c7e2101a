/**
 * The messages of one conversation: immutable, ascending by id, in chunks.
 *
 * A new message copies the last chunk and the list of chunks, so that adding to 100,000 messages costs microseconds and
 * whoever holds the old sequence still has it.
 */
import type { Post } from "./state";

/** A chunk has at most so many posts. */
export const CHUNK = 256;

type Chunk = readonly Post[];

export class Posts implements Iterable<Post> {
  static readonly empty = new Posts([], 0);

  /** The index of each chunk's first post; made when somebody asks. */
  private starts: readonly number[] | null = null;
  private readonly chunks: readonly Chunk[];
  readonly length: number;

  private constructor(chunks: readonly Chunk[], length: number) {
    this.chunks = chunks;
    this.length = length;
  }

  /** posts: in any order, ids unique. */
  static of(posts: Iterable<Post>): Posts {
    const sorted = [...posts].sort((one, other) => one.id - other.id);
    const chunks: Chunk[] = [];
    for (let start = 0; start < sorted.length; start += CHUNK) chunks.push(sorted.slice(start, start + CHUNK));
    return new Posts(chunks, sorted.length);
  }

  get first(): Post | undefined {
    return this.chunks[0]?.[0];
  }

  get last(): Post | undefined {
    return this.chunks.at(-1)?.at(-1);
  }

  /** The post of this id, if it is here. */
  get(id: number): Post | undefined {
    const chunk = this.chunks[this.chunkOf(id)];
    const post = chunk?.[place(chunk, id)];
    return post?.id === id ? post : undefined;
  }

  /** The post at this index, counted from 0. */
  at(index: number): Post | undefined {
    if (index < 0 || index >= this.length) return undefined;
    const starts = this.chunkStarts();
    const which = search(starts.length, (i) => starts[i]! > index) - 1;
    return this.chunks[which]![index - starts[which]!];
  }

  /** The index of the first post whose id is not less than this one; `length` when there is none. */
  indexOf(id: number): number {
    const which = this.chunkOf(id);
    const chunk = this.chunks[which];
    return chunk === undefined ? this.length : this.chunkStarts()[which]! + place(chunk, id);
  }

  /** The posts from one index up to, without, another. */
  slice(start: number, end: number): Post[] {
    const from = Math.max(0, start);
    const to = Math.min(this.length, end);
    const found: Post[] = [];
    if (from >= to) return found;
    const starts = this.chunkStarts();
    let which = search(starts.length, (i) => starts[i]! > from) - 1;
    for (; which < this.chunks.length && starts[which]! < to; which++) {
      found.push(...this.chunks[which]!.slice(Math.max(0, from - starts[which]!), to - starts[which]!));
    }
    return found;
  }

  *[Symbol.iterator](): Iterator<Post> {
    for (const chunk of this.chunks) yield* chunk;
  }

  /** The posts with this one added, or in place of the one of its id. */
  with(post: Post): Posts {
    const which = Math.min(this.chunkOf(post.id), this.chunks.length - 1);
    const chunk = this.chunks[which];
    if (chunk === undefined) return new Posts([[post]], 1);
    const index = place(chunk, post.id);
    const isNew = chunk[index]?.id !== post.id;
    const chunks = [...this.chunks];
    if (isNew && index === CHUNK) {
      chunks.push([post]); // behind the last full chunk: what was before stays whole
    } else {
      const changed = [...chunk];
      changed.splice(index, isNew ? 0 : 1, post);
      if (changed.length <= CHUNK) chunks[which] = changed;
      else chunks.splice(which, 1, changed.slice(0, CHUNK / 2), changed.slice(CHUNK / 2));
    }
    return new Posts(chunks, this.length + (isNew ? 1 : 0));
  }

  /**
   * How many posts with an id above `after` pass a test.
   *
   * cache: results of that very test for whole chunks, which stay what they are.
   */
  count(after: number, test: (post: Post) => boolean, cache: WeakMap<Chunk, number>): number {
    let found = 0;
    for (let which = this.chunkOf(after + 1); which < this.chunks.length; which++) {
      const chunk = this.chunks[which]!;
      if (chunk[0]!.id <= after) {
        found += chunk.filter((post) => post.id > after && test(post)).length;
        continue;
      }
      let all = cache.get(chunk);
      if (all === undefined) cache.set(chunk, (all = chunk.filter(test).length));
      found += all;
    }
    return found;
  }

  /** The index of the chunk in which a post of this id is or would be; the number of chunks behind the last id. */
  private chunkOf(id: number): number {
    const last = this.last;
    if (last === undefined || id > last.id) return this.chunks.length;
    return search(this.chunks.length, (i) => this.chunks[i]!.at(-1)!.id >= id);
  }

  private chunkStarts(): readonly number[] {
    if (this.starts === null) {
      let next = 0;
      this.starts = this.chunks.map((chunk) => (next += chunk.length) - chunk.length);
    }
    return this.starts;
  }
}

/** Where in a chunk a post of this id is or would be. */
function place(chunk: Chunk, id: number): number {
  return search(chunk.length, (i) => chunk[i]!.id >= id);
}

/** The first of `length` indices that passes a test which all behind it pass too; `length` when none does. */
function search(length: number, passes: (index: number) => boolean): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (passes(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
