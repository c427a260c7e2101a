/**
 * Which tab of the browser holds the link, and writes to the store.
 *
 * The holder has a Web Lock.  A tab that wants it asks the holder over a BroadcastChannel to let go, and takes it by
 * force when nobody answers, as from a tab that the browser has frozen.  Where there are no locks each tab goes its own
 * way; the server then closes the older link (`replaced`).
 */

const NAME = "veche-link";
/** The holder is given so long to finish writing. */
const PATIENCE_MS = 2000;

export class Tabs {
  private readonly onTaken: () => Promise<void>;
  private readonly locks: LockManager | undefined;
  private readonly patienceMs: number;
  private readonly channel: BroadcastChannel | null;
  private release: (() => void) | null = null;

  /** onTaken: another tab wants to be the holder; once it resolves, or without waiting for it, that tab is. */
  constructor(onTaken: () => Promise<void>, locks = globalThis.navigator?.locks, patienceMs = PATIENCE_MS) {
    this.onTaken = onTaken;
    this.patienceMs = patienceMs;
    this.locks = locks;
    this.channel = "BroadcastChannel" in globalThis ? new BroadcastChannel(NAME) : null;
    if (this.channel !== null) this.channel.onmessage = () => void this.letGo();
  }

  /** Become the holder. */
  async take(): Promise<void> {
    const { locks } = this;
    if (locks === undefined || this.release !== null) return;
    this.channel?.postMessage("let go");
    const patience = new AbortController();
    const timer = setTimeout(() => patience.abort(), this.patienceMs);
    try {
      await this.hold(locks, { signal: patience.signal });
    } catch {
      await this.hold(locks, { steal: true });
    } finally {
      clearTimeout(timer);
    }
  }

  close(): void {
    this.channel?.close();
    this.release?.();
  }

  private async letGo(): Promise<void> {
    const { release } = this;
    if (release === null) return;
    this.release = null;
    await this.onTaken();
    release();
  }

  /** Resolves once the lock is ours; holds it until `release`, or until it is stolen. */
  private hold(locks: LockManager, options: LockOptions): Promise<void> {
    return new Promise((resolve, reject) => {
      const held = locks.request(NAME, options, () => {
        return new Promise<void>((release) => {
          this.release = release;
          resolve();
        });
      });
      held.catch((error: unknown) => {
        reject(error); // harmless when it was ours already
        void this.letGo();
      });
    });
  }
}
