/** `npm run page` serves this folder; `npm run build:page` writes a static site to dist/page. */
import { createHash } from "node:crypto";
import { copyFileSync, createReadStream } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Plugin, UserConfig } from "vite";

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

const BUNDLED = "webgguf-tale-q8_0.gguf";
const model = path(`../../models/${BUNDLED}`);

/**
 * What the page may do: nothing but its own files, and no text becomes code. Models come through the store's worker,
 * which does not have the page's policy.
 */
export const policy: string = [
  "default-src 'self'",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types default dompurify",
].join("; ");

/** Puts the policy into the built page; the development server's own scripts would not pass it. */
const withPolicy: Plugin = {
  name: "webgguf-policy",
  apply: "build",
  transformIndexHtml: () => [
    {
      tag: "meta",
      attrs: { "http-equiv": "Content-Security-Policy", content: policy },
      injectTo: "head-prepend",
    },
  ],
};

/** Tells the service worker which files the page has. */
const withFiles: Plugin = {
  name: "webgguf-files",
  apply: "build",
  enforce: "post",
  generateBundle(_options, bundle) {
    const worker = bundle["sw.js"];
    if (worker?.type !== "chunk") throw new Error("The build has no sw.js");
    const files = Object.keys(bundle)
      .filter((name) => !["sw.js", "index.html"].includes(name))
      .concat("icon.svg", "manifest.webmanifest")
      .sort();
    const page = bundle["index.html"];
    const text = page?.type === "asset" ? String(page.source) : "";
    const release = createHash("sha256")
      .update(files.join() + text)
      .digest("hex")
      .slice(0, 16);
    worker.code = worker.code
      .replaceAll(/\bFILES\b/g, JSON.stringify(files))
      .replaceAll(/\bRELEASE\b/g, JSON.stringify(release));
  },
};

/** The bundled model stands next to the page. */
const withModel: Plugin = {
  name: "webgguf-model",
  configureServer(server) {
    server.middlewares.use(`/${BUNDLED}`, (_request, response) => {
      createReadStream(model).pipe(response);
    });
  },
  writeBundle({ dir }) {
    if (dir !== undefined) copyFileSync(model, `${dir}/${BUNDLED}`);
  },
};

const config = ({ command }: { command: string }): UserConfig => ({
  // The service worker would keep what the development server changes.
  define: { BUILT: String(command === "build") },
  root: path("."),
  base: "./",
  publicDir: path("public"),
  plugins: [withPolicy, withFiles, withModel],
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: path("../../dist/page"),
    emptyOutDir: true,
    target: "es2022",
    cssTarget: ["chrome123", "firefox120", "safari17.5"],
    modulePreload: false,
    assetsInlineLimit: 0,
    rolldownOptions: {
      input: { index: path("index.html"), sw: path("sw.ts") },
      output: {
        entryFileNames: ({ name }) => (name === "sw" ? "sw.js" : "assets/[name]-[hash].js"),
      },
    },
  },
  worker: {
    format: "es",
    // What several parts of the engine share is one file: many small ones would be many requests.
    rolldownOptions: {
      output: { codeSplitting: { groups: [{ name: "engine", minShareCount: 2 }] } },
    },
  },
  server: { fs: { allow: [path("../..")] } },
});

export default config;
