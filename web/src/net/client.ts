/**
 * `Client`: one device of one account, as the UI sees it.
 *
 * The shell around core/session.ts: it dials, feeds lines in slices so that no task is long, folds what arrives, keeps
 * it, acknowledges what is kept, and tells its subscribers once a frame.
 *
 * Source: web/README.md; rows A03, M13-M23, M37, M38, T29, X05.
 */
import type { AnswerTo, ClientPacket, ErrorCode, RequestPacket, ServerHello, ServerPacket } from "../protocol";
import { ERROR_TEXT } from "../protocol";
import { keptConversation, keptPeople, restored } from "../core/kept";
import type { Place } from "../core/login";
import { type Asked, isKept, NotAPacket } from "../core/outbox";
import { isThere, unseen } from "../core/people";
import { ScramFailed } from "../core/scram";
import { Core, type CoreEvent, UNREACHABLE } from "../core/session";
import type { Arrival, State } from "../core/state";
import { conversation, discarded, EMPTY, fold, foldAll, sending, signedOut, typingEnded } from "../core/state";
import { type Environment, page, type Socket } from "./environment";
import { type Changes, FORGETFUL, type Kept, type Store, StoreTaken } from "./store";
import type { Tabs } from "./tabs";

/** A slice of work on what has arrived takes at most so long. */
const SLICE_S = 0.008;
/** What is new is kept, and then acknowledged, at most so often. */
const KEEP_EVERY_S = 0.3;
/** That one is writing is told at most so often. */
const TYPING_AGAIN_S = 4;
const PAGE = 50;
const NAME = "veche-web";
/** What of a state is kept. */
const KEPT_FIELDS = ["me", "keepsCase", "contacts", "profile", "blocked", "conversations"] as const;
/** Logging out waits so long for the server. */
const GOODBYE_S = 3;

/** Where the client stands; see web/README.md. */
export type Connection =
  | { readonly phase: "starting" | "connecting" | "catching-up" | "online" | "elsewhere" }
  | { readonly phase: "signed-out"; readonly reason: string }
  | { readonly phase: "waiting"; readonly reason: string; readonly retryAt: number }
  | { readonly phase: "ended"; readonly code: ErrorCode; readonly reason: string };

/** A request was refused; the message is a sentence in English, `code` is for translation. */
export class RequestFailed extends Error {
  readonly code: ErrorCode;
  readonly retryAfterS: number | null;

  constructor(code: ErrorCode, reason = "", retryAfterS: number | null = null) {
    super(reason || ERROR_TEXT[code]);
    this.code = code;
    this.retryAfterS = retryAfterS;
  }
}

/** The link was lost before the answer came, and nobody knows whether the request was done. */
export class LinkLost extends Error {}

/** request: what the packet answers. */
type Listener = (packet: ServerPacket, context: { isLive: boolean; request: ClientPacket | undefined }) => void;

/** A promise that somebody waits for. */
interface Waiter<T> {
  resolve(value: T): void;
  reject(error: Error): void;
}

export class Client {
  state: State = EMPTY;
  connection: Connection = { phase: "starting" };
  hello: ServerHello | null = null;

  private readonly page: Environment;
  private readonly tabs: Pick<Tabs, "take">;
  private core: Core;
  private store: Store = FORGETFUL;
  private socket: Socket | null = null;
  /** Counts who has held the link; a start whose turn is over does not go on. */
  private turn = 0;
  private stopTimer = () => {};

  private lines: string[] = [];
  private batch: (CoreEvent & { kind: "arrived" })[] = [];
  private isWorking = false;
  private isTelling = false;
  private readonly subscribers = new Set<() => void>();
  private readonly listeners = new Set<Listener>();
  private readonly answers = new Map<string, Waiter<ServerPacket>>();
  private loggingIn: Waiter<void> | null = null;
  private readonly pages = new Map<string, Promise<boolean>>();
  private readonly toldTyping = new Map<string, number>();
  private readonly drafts = new Map<string, string>();

  /** What the store has. */
  private written: State = EMPTY;
  private writtenPlace = "";
  private newDrafts: Changes["drafts"] = new Map();
  private newOutbox: Changes["outbox"] = new Map();
  private isForgetting = false;
  /** A new device is being kept; null when the link it came by is lost. */
  private entering: Promise<void> | null = null;
  /** The last entry that was folded and is not acknowledged. */
  private folded = 0;
  /** The last write; writes come one after another. */
  private keeping: Promise<void> = Promise.resolve();
  private isKeeping = false;

  constructor(environment: Environment = page()) {
    this.page = environment;
    this.tabs = environment.makeTabs(() => this.taken());
    this.core = this.makeCore(null);
    environment.watch({ woke: () => this.wake(), leaving: () => void this.keepNow() });
  }

  /** Whether what is kept survives the tab. */
  get isKept(): boolean {
    return this.store.isKept;
  }

  /** Seconds on the clock of `Connection.retryAt`. */
  now(): number {
    return this.page.now();
  }

  /** Be told when `state`, `connection` or `hello` is new.  Returns how to end it. */
  subscribe(subscriber: () => void): () => void {
    this.subscribers.add(subscriber);
    return () => this.subscribers.delete(subscriber);
  }

  /** Be told of every packet once it is in the state.  Returns how to end it. */
  listen(listener: Listener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  // -- coming and going

  /** Become the tab that holds the link, show what is kept, and connect when there is an account. */
  async start(): Promise<void> {
    const turn = ++this.turn;
    this.stand({ phase: "starting" });
    await this.tabs.take();
    if (turn !== this.turn) return;
    this.store.close();
    const store = await this.page.openStore();
    const kept = await store.claim().then(
      () => store.load(),
      () => null, // what cannot be written to is not read either: it would not stay true
    );
    if (turn !== this.turn) return store.close();
    this.store = kept === null ? FORGETFUL : store;
    this.begun(kept ?? (await FORGETFUL.load()));
  }

  /** The same, after another tab took over. */
  async takeOver(): Promise<void> {
    if (this.connection.phase === "elsewhere") await this.start();
  }

  /** Make an account and log in.  code: of an invitation or the set-up link.  Throws RequestFailed, LinkLost. */
  async register(login: string, password: string, code?: string): Promise<void> {
    this.renew();
    const packet = { type: "REGISTER", login, password, ...(code ? { code } : {}) } as const;
    const key = this.checked(() => this.core.register(packet, this.now()));
    await this.answer(key);
    await this.login(login, password);
  }

  /** Log in by password.  Throws RequestFailed, LinkLost. */
  login(login: string, password: string): Promise<void> {
    this.renew();
    this.loggingIn?.reject(new LinkLost("Another login has begun."));
    return new Promise((resolve, reject) => {
      this.loggingIn = { resolve, reject };
      this.core.connect({ login, password }, this.now());
      this.pump();
    });
  }

  /** End this device's session and forget all that is kept. */
  async logout(): Promise<void> {
    if (this.core.phase === "online") {
      const revoked = this.request({ type: "SESSIONS-REVOKE", device: this.core.place.device }).catch(() => {});
      await Promise.race([revoked, new Promise<void>((resolve) => this.page.later(resolve, GOODBYE_S))]);
    }
    this.core.sayGoodbye();
    this.pump();
    this.dropLink();
    await this.forget();
    this.core.dial(this.now());
    this.pump();
  }

  /** Do not wait any longer for the next link, or try again after all. */
  retryNow(): void {
    if (this.core.isFinal) this.replaceCore(this.core.place);
    if (this.core.place.resume !== null) this.stand({ phase: "connecting" });
    this.core.dial(this.now());
    this.pump();
  }

  // -- asking

  /** Ask for something.  Throws RequestFailed, LinkLost. */
  async request<P extends RequestPacket>(packet: P): Promise<AnswerTo<P>> {
    const asked = this.submit(packet);
    if (asked === null) throw new LinkLost("There is no link.");
    return (await this.answer(asked.key)) as AnswerTo<P>;
  }

  /** Say what is never answered, or whose answer nobody waits for. */
  post(packet: ClientPacket): void {
    this.submit(packet);
    this.pump();
  }

  /**
   * Send a message, sooner or later and once; returns its key in `pending`.  Throws RequestFailed when it is too long.
   *
   * files: ids of complete uploads.
   */
  send(peer: string, text: string, replyTo: number | null = null, files: readonly string[] = []): string {
    const reply = replyTo === null ? {} : { reply_to: replyTo };
    const attached = files.length === 0 ? {} : { files: [...files] };
    const asked = this.submit({ type: "MESSAGE", to: peer, text, ...reply, ...attached })!;
    if (asked.packet.type === "MESSAGE") this.show(sending(this.state, asked.packet, asked.key));
    this.toldTyping.delete(peer);
    this.pump();
    return asked.key;
  }

  /** Change a message of one's own.  Throws RequestFailed. */
  async edit(id: number, text: string): Promise<void> {
    await this.request({ type: "EDIT", id, text });
  }

  /** Take a message of one's own back.  Throws RequestFailed. */
  async retract(id: number): Promise<void> {
    await this.request({ type: "RETRACT", id });
  }

  /** Give a reaction to a message, or take it back.  Throws RequestFailed. */
  async react(id: number, emoji: string, remove = false): Promise<void> {
    await this.request({ type: "REACT", id, emoji, ...(remove ? { remove } : {}) });
  }

  /** Send a message that failed once more, as a new one. */
  retry(peer: string, key: string): void {
    const pending = conversation(this.state, peer).pending.get(key);
    if (pending === undefined || pending.failed === "") return;
    this.discard(peer, key);
    this.send(peer, pending.text, pending.replyTo, pending.files);
  }

  /** Forget a message that failed. */
  discard(peer: string, key: string): void {
    if (conversation(this.state, peer).pending.get(key)?.failed) this.show(discarded(this.state, peer, key));
  }

  /** Everything known of a conversation is read. */
  read(peer: string): void {
    const { posts, readId } = conversation(this.state, peer);
    let index = posts.length - 1;
    while (index >= 0 && posts.at(index)!.author !== peer) index--;
    const id = posts.at(index)?.id ?? 0;
    if (id <= readId) return;
    this.show(fold(this.state, { type: "MESSAGE-READ", id, peer, by: this.state.me }));
    this.post({ type: "MESSAGE-READ", id });
  }

  /** Ask for the newest page of a conversation, then for older ones.  False: there is nothing older.  Throws LinkLost. */
  loadOlder(peer: string): Promise<boolean> {
    const { completeFrom } = conversation(this.state, peer);
    if (completeFrom === 0) return Promise.resolve(false);
    let loading = this.pages.get(peer);
    if (loading === undefined) {
      const before = completeFrom === null ? {} : { before: completeFrom };
      loading = this.request({ type: "HISTORY-GET", peer, limit: PAGE, ...before })
        .then(({ more = false }) => more)
        .finally(() => this.pages.delete(peer));
      this.pages.set(peer, loading);
    }
    return loading;
  }

  /** Tell somebody that one is writing to them, or no longer; may be called at every key. */
  typing(peer: string, isTyping: boolean): void {
    const told = this.toldTyping.get(peer);
    if (!isTyping) {
      if (this.toldTyping.delete(peer)) this.post({ type: "TYPING-END", to: peer });
    } else if (told === undefined || this.now() - told >= TYPING_AGAIN_S) {
      this.toldTyping.set(peer, this.now());
      this.post({ type: "TYPING-STARTED", to: peer });
    }
  }

  /** What was being written to somebody. */
  draft(peer: string): string {
    return this.drafts.get(peer) ?? "";
  }

  setDraft(peer: string, text: string): void {
    if (text === "") this.drafts.delete(peer);
    else this.drafts.set(peer, text);
    this.newDrafts.set(peer, text === "" ? null : text);
    this.keep();
  }

  private submit(packet: ClientPacket): Asked | null {
    const asked = this.checked(() => this.core.submit(packet));
    if (asked !== null && isKept(asked.packet)) this.newOutbox.set(asked.key, asked);
    return asked;
  }

  /** The answer under a key, once it comes. */
  private answer(key: string): Promise<ServerPacket> {
    return new Promise((resolve, reject) => {
      this.answers.set(key, { resolve, reject });
      this.pump();
    });
  }

  private checked<T>(ask: () => T): T {
    try {
      return ask();
    } catch (error) {
      if (error instanceof NotAPacket) throw new RequestFailed(error.code, error.message);
      throw error;
    }
  }

  // -- the link

  /** What was kept is shown, and the link is dialled. */
  private begun(kept: Kept): void {
    this.state = this.written = restored(kept.people, kept.conversations);
    this.folded = 0;
    this.newDrafts.clear();
    this.newOutbox.clear();
    this.drafts.clear();
    for (const [peer, text] of kept.drafts) this.drafts.set(peer, text);
    this.core = this.makeCore(kept.place, kept.outbox);
    this.showOutbox();
    this.stand(kept.place?.resume ? { phase: "connecting" } : { phase: "signed-out", reason: "" });
    this.core.dial(this.now());
    this.pump();
  }

  private makeCore(place: Place | null, left: readonly Asked[] = []): Core {
    const { random, chance } = this.page;
    const core = new Core({
      run: `${this.page.instant().replace(/\D/g, "")}${random(6)}`,
      client: NAME,
      chance,
      nonce: () => random(24),
      place: place ?? { device: `web-${random(6)}`, resume: null, cursor: 0 },
    });
    core.outbox.restore(left);
    return core;
  }

  /** A core that can log in, in place of one whose session has ended. */
  private renew(): void {
    if (this.core.isFinal) this.replaceCore({ ...this.core.place, resume: null });
  }

  private replaceCore(place: Place): void {
    const { left } = this.core.outbox;
    const isLeft = new Set(left.map(({ key }) => key));
    this.core = this.makeCore(place, left);
    for (const [key, waiter] of this.answers) {
      if (isLeft.has(key)) continue;
      this.answers.delete(key);
      waiter.reject(new LinkLost(UNANSWERED));
    }
  }

  private dial(): void {
    let isOpen = false;
    const socket = this.page.dial({
      opened: () => {
        if (this.socket !== socket) return socket.close();
        isOpen = true;
        this.core.linkMade(this.now());
        this.pump();
      },
      received: (line) => {
        if (this.socket !== socket) return;
        this.lines.push(line);
        if (!this.isWorking) this.workSoon();
      },
      closed: () => {
        if (this.socket !== socket) return;
        this.work(Infinity);
        this.socket = null;
        if (isOpen) this.core.linkLost(this.now(), "The link is lost.");
        else this.core.dialFailed(this.now(), UNREACHABLE);
        this.pump();
      },
    });
    this.socket = socket;
  }

  private dropLink(): void {
    const { socket } = this;
    this.entering = null;
    this.socket = null;
    this.lines = [];
    socket?.close();
  }

  private workSoon(): void {
    this.isWorking = true;
    this.page.soon(() => {
      this.isWorking = false;
      this.work(SLICE_S);
      if (this.lines.length > 0) this.workSoon();
    });
  }

  /** Handle what has arrived, for so many seconds. */
  private work(forS: number): void {
    const now = this.now();
    const until = now + forS;
    let count = 0;
    while (count < this.lines.length && (count === 0 || this.now() < until)) {
      this.core.receiveLine(this.lines[count++]!, now);
    }
    this.lines.splice(0, count);
    this.pump();
  }

  /** Carry out what the core wants, and arm its timer. */
  private pump(): void {
    for (const event of this.core.events()) {
      if (event.kind === "arrived") {
        this.batch.push(event);
      } else {
        this.foldBatch();
        this.happen(event);
      }
    }
    this.foldBatch();
    for (const line of this.core.linesToSend()) this.socket?.send(line);
    this.stopTimer();
    const deadlines = [this.core.nextDeadline() ?? Infinity, ...this.state.typing.values()];
    const next = Math.min(...deadlines);
    if (next < Infinity) this.stopTimer = this.page.later(() => this.due(), Math.max(0, next - this.now()));
    if (this.isUnkept()) this.keep();
  }

  private due(): void {
    this.core.handleTimer(this.now());
    this.show(typingEnded(this.state, this.now()));
    this.pump();
  }

  private wake(): void {
    this.core.wake(this.now());
    this.pump();
  }

  private happen(event: Exclude<CoreEvent, { kind: "arrived" }>): void {
    switch (event.kind) {
      case "dial":
        if (this.connection.phase === "waiting") this.stand({ phase: "connecting" });
        return this.dial();
      case "challenged": {
        const { scram, packet } = event;
        const { core } = this;
        const failed = (error: unknown) => (error instanceof ScramFailed ? error : new ScramFailed(String(error)));
        void scram
          .answer(packet.salt, packet.iterations, packet.nonce)
          .then((proof) => core.prove(proof))
          .catch((error: unknown) => core.prove(failed(error)))
          .then(() => this.pump());
        return;
      }
      case "logged-in":
        if (event.isFresh) this.begin(event.packet.login);
        return this.enter(event.isFresh);
      case "refused":
        this.loggingIn?.reject(new RequestFailed(event.code, event.reason, event.retryAfterS));
        this.loggingIn = null;
        if (this.core.place.resume === null) this.signOut(event.reason);
        return;
      case "unanswered":
        this.answers.get(event.asked.key)?.reject(new LinkLost(UNANSWERED));
        this.answers.delete(event.asked.key);
        return;
      case "lost":
        return this.lost(event);
    }
  }

  private lost({ code, reason, retryInS }: CoreEvent & { kind: "lost" }): void {
    this.dropLink();
    this.loggingIn?.reject(code === null ? new LinkLost(reason) : new RequestFailed(code, reason));
    this.loggingIn = null;
    if ([...this.state.contacts.values()].some(isThere)) this.show(unseen(this.state, this.page.instant()));
    if (retryInS !== null) this.stand({ phase: "waiting", reason, retryAt: this.now() + retryInS });
    else if (code === "replaced") this.stand({ phase: "elsewhere" });
    else if (code === "account-deleted") void this.forget(reason);
    else if (this.connection.phase === "signed-out") this.signOut(this.hello === null ? reason : "");
    else if (this.core.place.resume === null) this.signOut(reason);
    else this.stand({ phase: "ended", code: code ?? "internal-error", reason });
  }

  /** A session begins by password: of what was kept stays what was not sent yet, if it is the same person. */
  private begin(address: string): void {
    if (this.state.me !== "" && this.state.me !== address) {
      for (const { key } of this.core.outbox.left) this.newOutbox.set(key, null);
      for (const peer of this.drafts.keys()) this.newDrafts.set(peer, null);
      this.drafts.clear();
      this.core.outbox.clear();
    }
    this.isForgetting = true;
    this.show(signedOut({ ...this.state, me: address }));
    this.showOutbox();
  }

  /** The session has ended: nothing of it stays readable but what was not sent yet. */
  private signOut(reason: string): void {
    for (const waiter of this.answers.values()) waiter.reject(new LinkLost(reason));
    this.answers.clear();
    if (this.state.conversations.size > 0 || this.state.contacts.size > 0) {
      this.isForgetting = true;
      this.show(signedOut(this.state));
      this.showOutbox();
    }
    this.stand({ phase: "signed-out", reason });
  }

  /** Forget everything, here and in the store; the next login makes a new device. */
  private async forget(reason = ""): Promise<void> {
    this.core.outbox.clear();
    this.replaceCore(this.makeCore(null).place);
    this.state = this.written = EMPTY;
    this.folded = 0;
    this.writtenPlace = JSON.stringify(this.core.place);
    this.drafts.clear();
    this.newDrafts.clear();
    this.newOutbox.clear();
    this.stand({ phase: "signed-out", reason });
    await this.inTurn(() => this.store.clear().catch(() => {}));
  }

  private showOutbox(): void {
    for (const { key, packet } of this.core.outbox.left) {
      if (packet.type === "MESSAGE") this.show(sending(this.state, packet, key));
    }
  }

  // -- what arrives

  private foldBatch(): void {
    const { batch } = this;
    if (batch.length === 0) return;
    this.batch = [];
    const now = this.now();
    const known = batch.filter((event): event is typeof event & { packet: ServerPacket } => event.packet !== null);
    this.show(
      folded(
        this.state,
        known.map(({ packet, asked }) => ({ packet, request: asked?.packet, now })),
      ),
    );
    for (const event of batch) this.arrived(event);
  }

  private arrived({ packet, asked }: CoreEvent & { kind: "arrived" }): void {
    if (asked !== undefined) {
      if (isKept(asked.packet)) this.newOutbox.set(asked.key, null);
      const waiter = this.answers.get(asked.key);
      this.answers.delete(asked.key);
      const refusal = refusalOf(packet);
      if (refusal === null) waiter?.resolve(packet!);
      else waiter?.reject(refusal);
    }
    if (packet === null) return;
    switch (packet.type) {
      case "HELLO":
        this.hello = packet;
        this.tell();
        break;
      case "MESSAGE":
      case "EDITED":
      case "RETRACTED":
      case "REACTED":
        this.folded = packet.id;
        break;
      case "REPLAY-END":
        void this.caughtUp();
    }
    const isLive = this.connection.phase === "online";
    for (const listener of this.listeners) safely(() => listener(packet, { isLive, request: asked?.packet }));
  }

  /** Logged in.  A new device says so once it is kept: from then on a reload stays signed in. */
  private enter(isNew: boolean): void {
    const entered = () => {
      this.loggingIn?.resolve();
      this.loggingIn = null;
      this.stand({ phase: "catching-up" });
    };
    this.entering = null;
    if (!isNew) return entered();
    const entering = this.keepNow().then(() => {
      if (this.entering === entering) entered();
    });
    this.entering = entering;
  }

  /** All that was missed is there. */
  private async caughtUp(): Promise<void> {
    const { entering } = this;
    if (entering !== null) await entering;
    if (this.entering !== entering) return;
    this.stand({ phase: "online" });
    this.readAgain();
  }

  /** Tell the server what was read while it could not be told. */
  private readAgain(): void {
    for (const { readId, snapshot } of this.state.conversations.values()) {
      if (snapshot !== null && readId > snapshot.read_id) this.core.submit({ type: "MESSAGE-READ", id: readId });
    }
  }

  private show(state: State): void {
    if (state === this.state) return;
    this.state = state;
    this.tell();
  }

  private stand(connection: Connection): void {
    this.connection = connection;
    this.tell();
  }

  private tell(): void {
    if (this.isTelling) return;
    this.isTelling = true;
    this.page.frame(() => {
      this.isTelling = false;
      for (const subscriber of this.subscribers) safely(subscriber);
    });
  }

  // -- keeping

  private isUnkept(): boolean {
    const isNew = this.newDrafts.size > 0 || this.newOutbox.size > 0 || this.folded > 0 || this.isForgetting;
    const isOther = KEPT_FIELDS.some((field) => this.state[field] !== this.written[field]);
    return isNew || isOther || JSON.stringify(this.core.place) !== this.writtenPlace;
  }

  /** Keep what is new, soon. */
  private keep(): void {
    if (this.isKeeping || this.connection.phase === "starting" || this.connection.phase === "elsewhere") return;
    this.isKeeping = true;
    void this.keepNow().then(() =>
      this.page.later(() => {
        this.isKeeping = false;
        if (this.isUnkept()) this.keep();
      }, KEEP_EVERY_S),
    );
  }

  /** Keep what is new, and acknowledge it.  Resolves once that is done. */
  private keepNow(): Promise<void> {
    return this.inTurn(async () => {
      if (!this.isUnkept() || this.connection.phase === "starting" || this.connection.phase === "elsewhere") return;
      const { core, folded: upto } = this;
      const changes = this.changes(upto);
      this.folded = 0;
      try {
        await this.store.write(changes);
      } catch (error) {
        if (error instanceof StoreTaken) return this.leaveLink();
        // forbidden or full: what is there must not be taken for the truth later
        await this.store.clear().catch(() => {});
        this.store.close();
        this.store = FORGETFUL;
        this.tell();
      }
      core.handled(upto);
      this.pump();
    });
  }

  private inTurn(write: () => Promise<void>): Promise<void> {
    this.keeping = this.keeping.then(write);
    return this.keeping;
  }

  /** What the store does not have yet; from now on it counts as kept. */
  private changes(upto: number): Changes {
    const { state, written } = this;
    const place = { ...this.core.place, cursor: Math.max(this.core.place.cursor, upto) };
    const isSame = KEPT_FIELDS.every((field) => field === "conversations" || state[field] === written[field]);
    const changes: Changes = {
      isFresh: this.isForgetting,
      place,
      ...(isSame ? {} : { people: keptPeople(state) }),
      conversations: [...state.conversations.values()]
        .filter((one) => this.isForgetting || written.conversations.get(one.peer) !== one)
        .map(keptConversation),
      drafts: this.newDrafts,
      outbox: this.newOutbox,
    };
    this.written = state;
    this.writtenPlace = JSON.stringify(place);
    this.newDrafts = new Map();
    this.newOutbox = new Map();
    this.isForgetting = false;
    return changes;
  }

  /** Another tab becomes the holder: it finds in the store all that this one had. */
  private async taken(): Promise<void> {
    this.core.sayGoodbye();
    this.pump();
    await this.keepNow();
    this.leaveLink();
  }

  /** Another tab is the holder. */
  private leaveLink(): void {
    this.turn++;
    this.core.sayGoodbye();
    this.dropLink();
    this.stopTimer();
    this.store.close();
    this.store = FORGETFUL;
    this.stand({ phase: "elsewhere" });
  }
}

const UNANSWERED = "The link was lost before the answer came; look whether it was done.";

/** Why an answer is a refusal; null when it is none. */
function refusalOf(packet: ServerPacket | null): RequestFailed | null {
  if (packet === null) return new RequestFailed("internal-error");
  if (packet.type === "ERROR-NOT-IMPLEMENTED") return new RequestFailed("not-implemented");
  if (packet.type === "ERROR" || packet.type.endsWith("-FAILED")) {
    const { code, reason, retry_after_s } = packet as ServerPacket & { type: "CONNECT-FAILED" };
    return new RequestFailed(code, reason, retry_after_s ?? null);
  }
  return null;
}

/** The state after a batch; a packet that cannot be folded is left out, and no other with it. */
function folded(state: State, arrivals: readonly Arrival[]): State {
  try {
    return foldAll(state, arrivals);
  } catch (error) {
    if (arrivals.length > 1) return arrivals.reduce((one, arrival) => folded(one, [arrival]), state);
    complain(error);
    return state;
  }
}

function safely(call: () => void): void {
  try {
    call();
  } catch (error) {
    complain(error);
  }
}

/** Let the page's own handler of errors see it, without stopping what goes on here. */
function complain(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
