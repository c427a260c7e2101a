/**
 * The Markdown of messages, read into a tree that Svelte shows; never into HTML.
 *
 * Blocks: fenced code, quotes, lists, text.  In a line: `code`, **strong**, *emphasis*, _emphasis_, ~~strike~~,
 * [links](https://...) and bare links.  Line ends stay.  What is not closed stands as it was typed.
 *
 * Any text gives a tree, in time linear in its length: a mark that has no end is looked for once, nesting ends at
 * `DEPTH`.
 */
import { manyLines } from "../text";

export type Inline =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "code"; readonly text: string }
  | { readonly kind: "strong" | "em" | "strike"; readonly inner: readonly Inline[] }
  | { readonly kind: "link"; readonly href: string; readonly text: string };

export type Block =
  | { readonly kind: "text"; readonly inner: readonly Inline[] }
  | { readonly kind: "code"; readonly text: string }
  | { readonly kind: "quote"; readonly blocks: readonly Block[] }
  | { readonly kind: "list"; readonly start: number | null; readonly items: readonly (readonly Inline[])[] };

const DEPTH = 6;
const LONGEST_LABEL = 500;
const LONGEST_LINK = 2000;

const FENCE = /^\s{0,3}```/;
const QUOTE = /^\s{0,3}> ?/;
const ITEM = /^\s{0,3}(?:[-*+]|(\d{1,9})[.)])\s+(?=\S)/;

/** The tree of a message. */
export function markdown(text: string): Block[] {
  return blocksOf(manyLines(text).split("\n"), 0);
}

function blocksOf(lines: readonly string[], depth: number): Block[] {
  const blocks: Block[] = [];
  let index = 0;
  /** The lines from here on that pass. */
  const take = (passes: (line: string) => boolean) => {
    const start = index;
    while (index < lines.length && passes(lines[index]!)) index++;
    return lines.slice(start, index);
  };
  const isQuote = (line: string) => depth < DEPTH && QUOTE.test(line);
  while (index < lines.length) {
    const line = lines[index]!;
    if (FENCE.test(line)) {
      index++;
      blocks.push({ kind: "code", text: take((one) => !FENCE.test(one)).join("\n") });
      index++;
    } else if (isQuote(line)) {
      const inner = take(isQuote).map((one) => one.replace(QUOTE, ""));
      blocks.push({ kind: "quote", blocks: blocksOf(inner, depth + 1) });
    } else if (ITEM.test(line)) {
      const start = ITEM.exec(line)![1];
      const isAlike = (one: string) => ITEM.test(one) && (ITEM.exec(one)![1] === undefined) === (start === undefined);
      const items = take(isAlike).map((one) => inlineOf(one.replace(ITEM, ""), 0));
      blocks.push({ kind: "list", start: start === undefined ? null : Number(start), items });
    } else {
      const plain = take((one) => !FENCE.test(one) && !isQuote(one) && !ITEM.test(one));
      const inner = plain.join("\n").replace(/^\n+|\s+$/g, "");
      if (inner !== "") blocks.push({ kind: "text", inner: inlineOf(inner, 0) });
    }
  }
  return blocks;
}

const MARK = /[`*_~[\\]|https?:\/\//g;
const STYLES = { "**": "strong", __: "strong", "~~": "strike", "*": "em", _: "em" } as const;
const WORD = /[\p{L}\p{N}]/u;
const ESCAPED = /[!-/:-@[-`{-~]/;
const BARE_LINK = /https?:\/\/[^\s<>"`]+/y;

function inlineOf(text: string, depth: number): Inline[] {
  const found: Inline[] = [];
  /** Marks of which no end follows. */
  const endless = new Set<string>();
  let done = 0; // everything before is in `found`
  let index = 0;
  const put = (start: number, end: number, node: Inline) => {
    if (start > done) found.push({ kind: "text", text: text.slice(done, start) });
    found.push(node);
    done = index = end;
  };
  for (;;) {
    MARK.lastIndex = index;
    const mark = MARK.exec(text);
    if (mark === null) break;
    const at = mark.index;
    const char = mark[0][0]!;
    index = at + 1;
    if (char === "\\") {
      if (ESCAPED.test(text[at + 1] ?? "")) put(at, at + 2, { kind: "text", text: text[at + 1]! });
    } else if (char === "`") {
      const ticks = runAt(text, at);
      const end = endless.has(ticks) ? -1 : endOfRun(text, ticks, at + ticks.length);
      index = at + ticks.length;
      if (end < 0) endless.add(ticks);
      else put(at, end + ticks.length, { kind: "code", text: text.slice(index, end).trim() || " " });
    } else if (char === "[") {
      const link = labelledLink(text, at);
      if (link !== null) put(at, link.end, link.node);
    } else if (char === "h") {
      const link = bareLink(text, at);
      if (link !== null) put(at, link.end, link.node);
    } else {
      const run = runAt(text, at);
      index = at + run.length;
      const kind = STYLES[run as keyof typeof STYLES];
      if (kind === undefined || depth >= DEPTH || endless.has(run)) continue;
      if (WORD.test(text[at - 1] ?? "") || /\s|^$/.test(text[index] ?? "")) continue;
      const end = endOfStyle(text, run, index + 1);
      if (end < 0) endless.add(run);
      else put(at, end + run.length, { kind, inner: inlineOf(text.slice(index, end), depth + 1) });
    }
  }
  if (done < text.length) found.push({ kind: "text", text: text.slice(done) });
  return found;
}

/** The same character as often as it stands here. */
function runAt(text: string, at: number): string {
  let end = at + 1;
  while (text[end] === text[at]) end++;
  return text.slice(at, end);
}

/** Where exactly this run of one character stands, from `from` on; -1: nowhere. */
function endOfRun(text: string, run: string, from: number): number {
  let at = text.indexOf(run, from);
  while (at >= 0) {
    const there = runAt(text, at);
    if (there === run) return at;
    at = text.indexOf(run, at + there.length);
  }
  return -1;
}

/** The same, where a word ends. */
function endOfStyle(text: string, run: string, from: number): number {
  let at = endOfRun(text, run, from);
  while (at >= 0) {
    if (!/\s/.test(text[at - 1]!) && !WORD.test(text[at + run.length] ?? "")) return at;
    at = endOfRun(text, run, at + run.length);
  }
  return -1;
}

interface FoundLink {
  node: Inline;
  end: number;
}

function labelledLink(text: string, at: number): FoundLink | null {
  const middle = text.slice(at, at + LONGEST_LABEL).indexOf("](");
  if (middle < 2) return null;
  const start = at + middle + 2;
  const length = text.slice(start, start + LONGEST_LINK).search(/[)\s]/);
  if (length < 1 || text[start + length] !== ")") return null;
  const href = webAddress(text.slice(start, start + length));
  if (href === null) return null;
  const label = text.slice(at + 1, at + middle);
  // what looks like an address must not lead to another one
  const looksLikeAddress = /:\/\/|[\p{L}\p{N}]\.\p{L}/u.test(label);
  return { node: { kind: "link", href, text: looksLikeAddress ? href : label }, end: start + length + 1 };
}

function bareLink(text: string, at: number): FoundLink | null {
  BARE_LINK.lastIndex = at;
  let link = (BARE_LINK.exec(text)?.[0] ?? "").slice(0, LONGEST_LINK);
  for (;;) {
    const last = link.at(-1) ?? "";
    const isOpen = last === ")" && link.split("(").length < link.split(")").length;
    if (!isOpen && !/[.,;:!?'*_~\]]/.test(last)) break;
    link = link.slice(0, -1);
  }
  const href = webAddress(link);
  return href === null ? null : { node: { kind: "link", href, text: link }, end: at + link.length };
}

/** A link that may be followed; null for any other, such as javascript: ones. */
function webAddress(text: string): string | null {
  try {
    const url = new URL(text);
    return ["http:", "https:", "mailto:"].includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

const FEW_EMOJI =
  /^(?:\p{Extended_Pictographic}[\p{Emoji_Modifier}\ufe0f]?(?:\u200d\p{Extended_Pictographic}\ufe0f?)*|\p{Regional_Indicator}{2}){1,3}$/u;

/** Whether a text is one to three emoji and nothing else, which are shown large. */
export function isFewEmoji(text: string): boolean {
  return text.length <= 40 && FEW_EMOJI.test(text.trim());
}

const LABELLED = /\[([^\]]+)\]\(https?:[^)\s]*\)/g;
const PLAIN_MARKS = /```\w*\n?|[*_~`]{1,3}|^\s{0,3}>+ ?/gm;

/** A message in one line, without its marks, for lists and notifications. */
export function preview(text: string): string {
  return text.slice(0, 400).replace(LABELLED, "$1").replace(PLAIN_MARKS, "").replace(/\s+/g, " ").trim();
}
