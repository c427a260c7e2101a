/** What `Client` needs of the page it lives in; a test gives its own. */
import { openStore, type Store } from "./store";
import { Tabs } from "./tabs";

/** What happens on a WebSocket.  closed: also when it never opened. */
export interface SocketEvents {
  opened(): void;
  received(line: string): void;
  closed(): void;
}

export interface Socket {
  send(line: string): void;
  close(): void;
}

export interface Environment {
  openStore(): Promise<Store>;
  makeTabs(onTaken: () => Promise<void>): Pick<Tabs, "take">;
  dial(events: SocketEvents): Socket;
  /** Seconds on a monotonic clock. */
  now(): number;
  /** The instant, as packets write it. */
  instant(): string;
  /** Numbers from 0 to 1. */
  chance(): number;
  /** Random letters and digits, of 6 bits each. */
  random(length: number): string;
  /** Call soon, when other tasks have had their turn. */
  soon(call: () => void): void;
  /** Call before the next frame is drawn, or a little later when nobody looks. */
  frame(call: () => void): void;
  later(call: () => void, afterS: number): () => void;
  /** Calls when the page is seen again or the network is back, and when the page is about to go. */
  watch(events: { woke(): void; leaving(): void }): void;
}

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const UNSEEN_FRAME_MS = 200;

/** The browser's page, and the server that it came from. */
export function page(): Environment {
  const channel = new MessageChannel(); // its tasks are not slowed down in tabs that nobody looks at
  const calls: (() => void)[] = [];
  channel.port1.onmessage = () => calls.shift()?.();
  return {
    openStore: () => openStore(),
    makeTabs: (onTaken) => new Tabs(onTaken),
    dial: (events) => webSocket(new URL("/ws", location.href.replace(/^http/, "ws")), events),
    now: () => performance.now() / 1000,
    instant: () => new Date().toISOString(),
    chance: () => Math.random(),
    random: (length) => {
      const bytes = crypto.getRandomValues(new Uint8Array(length));
      return Array.from(bytes, (byte) => DIGITS[byte % 64]).join("");
    },
    soon: (call) => {
      calls.push(call);
      channel.port2.postMessage(null);
    },
    frame: (call) => {
      let isDue = true;
      const once = () => {
        if (isDue) call();
        isDue = false;
      };
      requestAnimationFrame(once); // which waits for ever in a tab that nobody looks at
      setTimeout(once, UNSEEN_FRAME_MS);
    },
    later: (call, afterS) => {
      const timer = setTimeout(call, afterS * 1000);
      return () => clearTimeout(timer);
    },
    watch: ({ woke, leaving }) => {
      addEventListener("online", woke);
      addEventListener("pageshow", woke);
      addEventListener("pagehide", leaving);
      document.addEventListener("visibilitychange", () =>
        document.visibilityState === "visible" ? woke() : leaving(),
      );
    },
  };
}

/** A link over a WebSocket: one packet a message, either way. */
export function webSocket(url: URL, events: SocketEvents): Socket {
  const socket = new WebSocket(url);
  socket.onopen = () => events.opened();
  socket.onmessage = ({ data }) => events.received(String(data));
  socket.onclose = () => events.closed();
  return {
    send: (line) => socket.send(line),
    close: () => socket.close(),
  };
}
