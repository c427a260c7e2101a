import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

const ASSETS = join(import.meta.dirname, "../src/veche/server/assets");
/** The home server that `npm run dev` talks to. */
const SERVER = process.env["VECHE_SERVER"] ?? "https://127.0.0.1:3215";
const COMPRESSIBLE = /\.(html|js|css|svg|json|webmanifest|txt)$/;

/** Writes `.br` and `.gz` beside what is built, where they save a tenth or more. */
function compressed(): Plugin {
  return {
    name: "compressed",
    apply: "build",
    closeBundle() {
      for (const name of readdirSync(ASSETS, { recursive: true, encoding: "utf8" })) {
        const path = join(ASSETS, name);
        if (!COMPRESSIBLE.test(name) || !statSync(path).isFile()) continue;
        const plain = readFileSync(path);
        for (const [end, pack] of [
          [".br", brotliCompressSync],
          [".gz", (bytes: Buffer) => gzipSync(bytes, { level: 9 })],
        ] as const) {
          const packed = pack(plain);
          if (packed.length < plain.length * 0.9) writeFileSync(path + end, packed);
        }
      }
    },
  };
}

export default defineConfig({
  plugins: [svelte(), compressed()],
  build: {
    outDir: ASSETS,
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      checks: { pluginTimings: false },
      input: { index: "index.html", worker: "worker/worker.ts" },
      output: { entryFileNames: ({ name }) => (name === "worker" ? "worker.js" : "assets/[name]-[hash].js") },
    },
  },
  server: {
    fs: { allow: [".."] },
    proxy: { "/ws": { target: SERVER, ws: true, secure: false, changeOrigin: true, rewriteWsOrigin: true } },
  },
  test: { include: ["src/**/*.test.ts"], environment: "node" },
});
