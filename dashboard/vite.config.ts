import { defineConfig } from "vite";

declare const process: { env: Record<string, string | undefined> };

/** The peer that `npm run dev` and `npm run preview` pass requests on to. */
const peer = process.env["ALTHING_PEER"] ?? "http://127.0.0.1:4464";

const proxy = { "/v1": peer, "/metrics": peer, "/openapi.json": peer };

export default defineConfig({
  // One folder for what the program embeds; names carry a digest of the content.
  build: {
    target: "es2022",
    outDir: "dist",
    assetsDir: "assets",
    // Nothing inline: the content security policy admits files of this origin only.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  // The library beside this folder, from its sources: one build, nothing to keep in step.
  resolve: { conditions: ["source", "module", "browser", "development|production"] },
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  server: { proxy },
  preview: { proxy },
  test: { include: ["test/unit/**/*.test.{ts,tsx}"] },
} as Parameters<typeof defineConfig>[0]);
