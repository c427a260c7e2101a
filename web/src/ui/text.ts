/**
 * Text of other people, made harmless to show.
 *
 * Svelte writes it as text, never as markup.  What is left to do: characters that turn the direction of what follows, or
 * that nobody sees, so that a name could look like another; and names that are longer than any line.
 *
 * Source: row T39; Unicode Technical Report 36 §2.
 */

/** Control characters, and those that turn or isolate the direction of text. */
const UNSEEN =
  /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb]+/g;
/** In a text that may have lines: the same without line ends, tabs and isolates, which a paragraph ends by itself. */
const UNSEEN_IN_TEXT = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\ufeff\ufff9-\ufffb]/g;

/** A name or another text of one line. */
export function oneLine(text: string, limit = 200): string {
  const plain = text
    .slice(0, limit + 1)
    .replace(UNSEEN, " ")
    .trim();
  return plain.length <= limit ? plain : `${plain.slice(0, limit - 1).trimEnd()}…`;
}

/** A text of several lines: what would not be seen is shown as what it is. */
export function manyLines(text: string): string {
  return text.replace(/\r\n?/g, "\n").replace(UNSEEN_IN_TEXT, shown);
}

function shown(char: string): string {
  const code = char.charCodeAt(0);
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  return code === 0x7f ? "␡" : "\ufffd";
}

const graphemes = new Intl.Segmenter();

/** One or two letters that stand for a name. */
export function initials(name: string): string {
  const words = name.split(/[\s._-]+/).filter((word) => /[\p{L}\p{N}\p{Extended_Pictographic}]/u.test(word));
  const firsts = words.slice(0, 2).map((word) => [...graphemes.segment(word.slice(0, 16))][0]?.segment ?? "");
  return firsts.join("").toLocaleUpperCase() || "?";
}

/** A number from 0 up to, without, `count` that stays the same for a text. */
export function spread(text: string, count: number): number {
  let hash = 0x811c9dc5; // FNV-1a
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return (hash >>> 16) % count;
}
