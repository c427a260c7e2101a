/** Short news for the person, and questions that must be answered before something is done. */
import { RequestFailed } from "../net/client";
import { ERROR_TEXT, type ErrorCode } from "../protocol";
import { language } from "./settings.svelte";
import { say } from "./words.svelte";

export interface Notice {
  readonly id: number;
  readonly text: string;
  readonly isError: boolean;
}

export interface Question {
  readonly title: string;
  readonly text: string;
  readonly yes: string;
  readonly answer: (isYes: boolean) => void;
}

const SHOWN_MS = 6000;

class Notices {
  list = $state.raw<readonly Notice[]>([]);
  question = $state.raw<Question | null>(null);
}

export const notices = new Notices();

let count = 0;

/** Tell something, for some seconds. */
export function tell(text: string, isError = false): void {
  const id = ++count;
  notices.list = [...notices.list.slice(-2), { id, text, isError }];
  setTimeout(() => dismiss(id), SHOWN_MS);
}

export function dismiss(id: number): void {
  notices.list = notices.list.filter((one) => one.id !== id);
}

/** Ask whether to do what cannot be undone. */
export function ask(title: string, text: string, yes: string): Promise<boolean> {
  return new Promise((resolve) => {
    const answer = (isYes: boolean) => {
      notices.question = null;
      resolve(isYes);
    };
    notices.question = { title, text, yes, answer };
  });
}

/** What went wrong, as a sentence in the person's language. */
export function explain(error: unknown): string {
  if (!(error instanceof RequestFailed)) return say.linkLost;
  const { code, message, retryAfterS } = error;
  const text = code === "bad-request" || language() === "en" ? message : say.errors[code];
  return retryAfterS === null ? text : `${text} ${say.waitS(Math.ceil(retryAfterS))}`;
}

/** An English reason of the core, in the person's language when it is one of the catalogue's. */
export function translated(reason: string): string {
  const code = (Object.keys(ERROR_TEXT) as ErrorCode[]).find((one) => ERROR_TEXT[one] === reason);
  return code === undefined ? reason : say.errors[code];
}

/** Do something, and tell what goes wrong.  Returns whether it went well. */
export async function attempt(work: Promise<unknown>): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (error) {
    tell(explain(error), true);
    return false;
  }
}
