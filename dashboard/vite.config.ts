import { defineConfig } from "vite";
import { leanNoble } from "./noble.ts";
import order from "./order.json" with { type: "json" };

declare const process: { env: Record<string, string | undefined> };

/** The peer that `npm run dev` and `npm run preview` pass requests on to. */
const peer = process.env["ALTHING_PEER"] ?? "http://127.0.0.1:4464";

const proxy = { "/v1": peer, "/metrics": peer, "/openapi.json": peer };

/** Imports as they are: there is one file to wait for, and no style of its own to fetch before. */
const plainImports = {
  name: "plain-imports",
  enforce: "pre" as const,
  load: (id: string) => (id.includes("vite/preload-helper") ? "export const __vitePreload = (load) => load();" : undefined),
};

/** Elements by calls without a field for their children: one part in ninety smaller. */
const plainElements = {
  name: "plain-elements",
  enforce: "pre" as const,
  transform: (code: string, id: string) =>
    /dashboard\/.*\.tsx$/.test(id) ? { code: `import { h as _h, Fragment as _F } from "preact";${code}`, map: null } : undefined,
};

/** Like beside like, as `scripts/order.mjs` found it: the modules of a file, imported in the order in which they compress best. */
const likeBesideLike = {
  name: "like-beside-like",
  enforce: "pre" as const,
  async transform(this: { resolve(path: string): Promise<{ id: string } | null> }, code: string, id: string) {
    const first: string[] = id.endsWith("dashboard/src/main.tsx") ? order.base : id.endsWith("src/views/index.ts") ? order.rest : [];
    const known = await Promise.all(first.map((path) => this.resolve(new URL(`../${path}`, import.meta.url).pathname)));
    const imports = known.filter((one) => one !== null && one.id !== id).map((one) => `import ${JSON.stringify(one?.id)};`);
    return imports.length === 0 ? undefined : { code: imports.join("") + code, map: null };
  },
};

type Chunk = { type: string; fileName: string; code: string };

/**
 * The two files call what they hand each other by one name, that of who takes it: a hundred names are said once less, in the same order on both sides. Done when all else is:
 * the minifier names what each file has by itself. The names of the files follow from what both hold, so that no cache has one that does not fit the other.
 */
const oneName = {
  name: "one-name",
  enforce: "post" as const,
  generateBundle(_: unknown, bundle: Record<string, Chunk>) {
    const chunks = Object.values(bundle).filter((one) => one.type === "chunk");
    const takers = chunks.filter((one) => TAKES.test(one.code));
    const giver = chunks.find((one) => one.fileName.endsWith(TAKES.exec(takers[0]?.code ?? "")?.[2] ?? "none"));
    if (takers.length !== 1 || !takers[0] || !giver) throw new Error("there are other files than the two that hand each other names");
    const names = new Map<string, string>();
    takers[0].code = takers[0].code.replace(TAKES, (_whole, list: string, from: string) => {
      for (const [name, as = name] of list.split(",").map((one) => one.split(" as ") as [string, string?])) names.set(name, as);
      return `import{${[...names.values()].sort().join()}}from"./${from}"`;
    });
    giver.code = giver.code.replace(/export\{([^}]*)\}/, (_whole, list: string) => {
      const all = list.split(",").map((one) => one.split(" as ") as [string, string?]).map(([name, as = name]) => [names.get(as) ?? as, name] as const);
      if (new Set(all.map(([as]) => as)).size !== names.size) throw new Error("what is handed on is not what is taken");
      return `export{${all.sort(([a], [b]) => (a < b ? -1 : 1)).map(([as, name]) => (as === name ? name : `${name} as ${as}`)).join()}}`;
    });
  },
};
/** What the second file takes from the first. */
const TAKES = /import\{([^}]*)\}from"\.\/(base-[^"]+)"/;

export default defineConfig({
  plugins: [plainImports, leanNoble, plainElements, likeBesideLike, oneName],
  // One folder for what the program embeds; names carry a digest of the content.
  build: {
    target: "es2022",
    outDir: "dist",
    assetsDir: "assets",
    // Nothing inline: the content security policy admits files of this origin only.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    // One part in fifty smaller than without, which is a page more.
    minify: "terser",
    terserOptions: { module: true, ecma: 2020, compress: { passes: 6, keep_fargs: false, unsafe_arrows: true, inline: 1, pure_getters: true } },
    rolldownOptions: {
      output: {
        // Each of the two finds what the other leaves.
        minify: true,
        // Few files compress better than many: what looks at the ledger, and what checks and signs.
        codeSplitting: {
          groups: [
            // What the first view needs, before anything that would draw it in elsewhere.
            { name: "base", priority: 9, test: /node_modules\/(@?preact)|sdk\/typescript\/src\/(client|text|cbor\/(writer|codec))|src\/lib\/(amount|client|feed|find|format|happened|history|metrics|model|names|network|now|offered|query|sentence|state|turns)\.ts|src\/router\.ts|ui\/(basics|ring|search|spark|tagged|theme)\.tsx|src\/(app|main)\.tsx|views\/overview\.tsx/ },
            // All else in one file: one page that is opened is rarely the only one, and each name that files hand each other is said twice.
            { name: "rest", test: /sdk\/typescript|@noble|src\/(views|ui|lib)\// },
          ],
        },
      },
    },
  },
  // The library beside this folder, from its sources: one build, nothing to keep in step.
  resolve: { conditions: ["source", "module", "browser", "development|production"] },
  oxc: { jsx: { runtime: "classic", pragma: "_h", pragmaFrag: "_F" } },
  server: { proxy },
  preview: { proxy },
  ssr: { resolve: { conditions: ["source", "module", "node", "development|production"] } },
  test: { server: { deps: { inline: ["althing"] } }, include: ["test/unit/**/*.test.{ts,tsx,mjs}"] },
} as Parameters<typeof defineConfig>[0]);
