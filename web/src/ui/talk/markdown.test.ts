import { describe, expect, test } from "vitest";
import { type Block, type Inline, isFewEmoji, markdown, preview } from "./markdown";

/** The tree as short text: strong(...), a line per block. */
function shown(text: string): string {
  return markdown(text).map(block).join("\n");
}

function block(one: Block): string {
  switch (one.kind) {
    case "text":
      return inlines(one.inner);
    case "code":
      return `code{${one.text}}`;
    case "quote":
      return `quote{${one.blocks.map(block).join("|")}}`;
    case "list":
      return `list${one.start ?? ""}{${one.items.map(inlines).join("|")}}`;
  }
}

function inlines(all: readonly Inline[]): string {
  return all
    .map((one) => {
      if (one.kind === "text") return one.text;
      if (one.kind === "code") return `code(${one.text})`;
      if (one.kind === "link") return `link(${one.text} -> ${one.href})`;
      return `${one.kind}(${inlines(one.inner)})`;
    })
    .join("");
}

describe("what is marked", () => {
  test.each([
    ["plain text", "plain text"],
    ["**bold** and *slanted* and _so too_", "strong(bold) and em(slanted) and em(so too)"],
    ["~~gone~~", "strike(gone)"],
    ["**bold *both* bold**", "strong(bold em(both) bold)"],
    ["run `rm -rf *` now", "run code(rm -rf *) now"],
    ["``a ` b``", "code(a ` b)"],
    ["2*3*4 and snake_case_name", "2*3*4 and snake_case_name"],
    ["**never closed", "**never closed"],
    ["\\*not slanted\\*", "*not slanted*"],
    ["> said\n> twice\nanswer", "quote{said\ntwice}\nanswer"],
    ["- one\n- **two**", "list{one|strong(two)}"],
    ["3. three\n4. four", "list3{three|four}"],
    ["```\n**as it is**\n```\nafter", "code{**as it is**}\nafter"],
    ["```\nopen to the end", "code{open to the end}"],
    ["line\n\nline", "line\n\nline"],
  ])("%j", (text, expected) => expect(shown(text)).toBe(expected));
});

describe("links", () => {
  test.each([
    ["see https://example.org/a_b_c.", "see link(https://example.org/a_b_c -> https://example.org/a_b_c)."],
    ["(https://example.org/x(y))", "(link(https://example.org/x(y) -> https://example.org/x(y)))"],
    ["[the page](https://example.org/)", "link(the page -> https://example.org/)"],
    ["[bank.example](https://evil.example/)", "link(https://evil.example/ -> https://evil.example/)"],
    ["[x](javascript:alert(1))", "[x](javascript:alert(1))"],
    ["[x](data:text/html,hi)", "[x](data:text/html,hi)"],
  ])("%j", (text, expected) => expect(shown(text)).toBe(expected));
});

test("what nobody would see is shown as what it is", () => {
  expect(shown("a\u0000b\u001b[31m\u202etxt.exe")).toBe("a␀b␛[31m\ufffdtxt.exe");
});

test("any text gives a tree with all of its letters, before the test times out", () => {
  for (const part of ["*", "_a", "[", "](", "> ", "`", "~~x", "http://", "- ", "\\", "**a_b`", "[a](", "```\n"]) {
    expect(markdown(part.repeat(30_000 / part.length))).not.toHaveLength(0);
  }
  expect(shown("x".repeat(30_000))).toHaveLength(30_000);
});

test("a message in one line has no marks", () => {
  expect(preview("> **bold**\n`code` ~~x~~ [a page](https://example.org)")).toBe("bold code x a page");
});

test("few emoji and nothing else are few emoji", () => {
  expect(["👍", "👩‍🚀", "🇫🇷🔔", "❤️", "👍🏽"].every(isFewEmoji)).toBe(true);
  expect(["", "1", "a 👍", "👍👍👍👍"].some(isFewEmoji)).toBe(false);
});
