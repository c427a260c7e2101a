/**
 * What this browser keeps: the device and its place, people, conversations, drafts, what is not sent yet.
 *
 * In IndexedDB; in memory, until the tab is closed, where that is forbidden or full (row M38).  Losing the store
 * is harmless: the next login makes a new device, and the server has everything.
 */
import type { KeptConversation, KeptPeople } from "../core/kept";
import type { Place } from "../core/login";
import type { Asked } from "../core/outbox";

/** What was kept.  outbox: oldest first. */
export interface Kept {
  readonly place: Place | null;
  readonly people: KeptPeople | null;
  readonly conversations: readonly KeptConversation[];
  readonly drafts: ReadonlyMap<string, string>;
  readonly outbox: readonly Asked[];
}

/** What is new; everything in it is kept at once, or nothing. */
export interface Changes {
  /** The conversations that were kept are forgotten. */
  isFresh: boolean;
  place: Place;
  people?: KeptPeople;
  conversations: KeptConversation[];
  /** By peer; null: gone. */
  drafts: Map<string, string | null>;
  /** By key; null: answered. */
  outbox: Map<string, Asked | null>;
}

export interface Store {
  /** Whether it survives the tab. */
  readonly isKept: boolean;
  /** Be the only one who writes, from now on. */
  claim(): Promise<void>;
  load(): Promise<Kept>;
  /** Resolves once the changes are kept; rejects when they cannot be, and with StoreTaken when somebody else writes now. */
  write(changes: Changes): Promise<void>;
  /** Forget everything. */
  clear(): Promise<void>;
  close(): void;
}

/** Another tab writes to the store now. */
export class StoreTaken extends Error {}

const NOTHING: Kept = { place: null, people: null, conversations: [], drafts: new Map(), outbox: [] };

/** Keeps nothing. */
export const FORGETFUL: Store = {
  isKept: false,
  claim: () => Promise.resolve(),
  load: () => Promise.resolve(NOTHING),
  write: () => Promise.resolve(),
  clear: () => Promise.resolve(),
  close: () => {},
};

const NAME = "veche";
const VERSION = 1;
const FACTS = "facts";
const CONVERSATIONS = "conversations";
const DRAFTS = "drafts";
const OUTBOX = "outbox";
const ALL = [FACTS, CONVERSATIONS, DRAFTS, OUTBOX];

/** The database of this origin; FORGETFUL when there may be none. */
export async function openStore(factory: IDBFactory | undefined = globalThis.indexedDB): Promise<Store> {
  try {
    const request = factory!.open(NAME, VERSION);
    request.onupgradeneeded = () => {
      request.result.createObjectStore(CONVERSATIONS, { keyPath: "peer" });
      for (const name of [FACTS, DRAFTS, OUTBOX]) request.result.createObjectStore(name);
    };
    // another tab has the database in an older version open, and does not let go
    const blocked = new Promise<never>((_, reject) => (request.onblocked = () => reject(new Error("blocked"))));
    const store = new DatabaseStore(await Promise.race([done(request), blocked]));
    await store.load(); // some browsers open what they do not let anybody read
    return store;
  } catch {
    return FORGETFUL;
  }
}

class DatabaseStore implements Store {
  readonly isKept = true;
  private readonly database: IDBDatabase;
  /** Whose turn it is to write: each claim makes the next. */
  private turn = 0;

  constructor(database: IDBDatabase) {
    this.database = database;
    database.onversionchange = () => database.close();
  }

  async claim(): Promise<void> {
    const transaction = this.database.transaction(FACTS, "readwrite");
    const facts = transaction.objectStore(FACTS);
    this.turn = ((await done<number | undefined>(facts.get("turn"))) ?? 0) + 1;
    facts.put(this.turn, "turn");
    await committed(transaction);
  }

  async load(): Promise<Kept> {
    const transaction = this.database.transaction(ALL);
    const [facts, conversations, drafts, outbox] = ALL.map((name) => transaction.objectStore(name)) as Four;
    const [place, people, all, peers, texts, left] = await Promise.all([
      done<Place | undefined>(facts.get("place")),
      done<KeptPeople | undefined>(facts.get("people")),
      done<KeptConversation[]>(conversations.getAll()),
      done(drafts.getAllKeys()),
      done<string[]>(drafts.getAll()),
      done<Asked[]>(outbox.getAll()), // in the order of their keys, which is that of asking
    ]);
    return {
      place: place ?? null,
      people: people ?? null,
      conversations: all,
      drafts: new Map(texts.map((text, i) => [String(peers[i]), text])),
      outbox: left,
    };
  }

  async write({ isFresh, place, people, conversations, drafts, outbox }: Changes): Promise<void> {
    // strict: what is acknowledged to the server must not be lost with the power
    const transaction = this.database.transaction(ALL, "readwrite", { durability: "strict" });
    const end = committed(transaction);
    const put = (name: string, value: unknown, key?: string) => transaction.objectStore(name).put(value, key);
    const putOrDelete = (name: string, entries: Map<string, unknown>) => {
      for (const [key, value] of entries) {
        if (value === null) transaction.objectStore(name).delete(key);
        else put(name, value, key);
      }
    };
    try {
      // a tab that was frozen must not write over what another has written since
      const turn = await done<number | undefined>(transaction.objectStore(FACTS).get("turn"));
      if ((turn ?? 0) !== this.turn) throw new StoreTaken();
      if (isFresh) transaction.objectStore(CONVERSATIONS).clear();
      put(FACTS, place, "place");
      if (people !== undefined) put(FACTS, people, "people");
      for (const one of conversations) put(CONVERSATIONS, one);
      putOrDelete(DRAFTS, drafts);
      putOrDelete(OUTBOX, outbox);
    } catch (error) {
      end.catch(() => {}); // why it ends is known better here
      transaction.abort();
      throw error;
    }
    return end;
  }

  clear(): Promise<void> {
    const transaction = this.database.transaction(ALL, "readwrite");
    for (const name of ALL) transaction.objectStore(name).clear();
    transaction.objectStore(FACTS).put(this.turn, "turn");
    return committed(transaction);
  }

  close(): void {
    this.database.close();
  }
}

type Four = [IDBObjectStore, IDBObjectStore, IDBObjectStore, IDBObjectStore];

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("IndexedDB"));
  });
}

function committed(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error ?? new Error("IndexedDB"));
  });
}
