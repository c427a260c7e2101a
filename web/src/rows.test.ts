/** A row imports the rows below it, never above; what is pure knows no clock, no chance, no page (web/README.md). */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const ROWS = ["protocol", "core", "net", "media", "ui"];
const SOURCES = readdirSync(import.meta.dirname, { recursive: true, encoding: "utf8" })
  .map((name) => name.replaceAll("\\", "/"))
  .filter((name) => /\.(ts|svelte)$/.test(name) && !name.includes(".test."));

function text(name: string): string {
  return readFileSync(join(import.meta.dirname, name), "utf8");
}

test.each(SOURCES.filter((name) => ROWS.includes(name.split("/")[0]!)))("%s imports what is below it", (name) => {
  const row = ROWS.indexOf(name.split("/")[0]!);
  for (const [, path] of text(name).matchAll(/(?:from|import)\s*\(?\s*"\.\.\/(?:\.\.\/)*([a-z]+)/g)) {
    if (ROWS.includes(path!)) expect(ROWS.indexOf(path!), path).toBeLessThanOrEqual(row);
  }
});

const IMPURE =
  /Date\.now|new Date\(\)|performance\.|Math\.random|getRandomValues|setTimeout|fetch\(|WebSocket\(|indexedDB|document\.|globalThis|localStorage|navigator/;

test.each(SOURCES.filter((name) => /^(core|protocol)\//.test(name)))("%s is pure", (name) => {
  const code = text(name).replace(/\/\*[^]*?\*\/|\/\/.*/g, "");
  expect(IMPURE.exec(code)?.[0]).toBeUndefined();
});
