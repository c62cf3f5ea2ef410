/** `npm run page` serves this folder; `npm run build:page` writes a static site to dist/page. */
import { fileURLToPath } from "node:url";
import type { Plugin, UserConfig } from "vite";

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

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

const config: UserConfig = {
  root: path("."),
  base: "./",
  // The bundled model is served next to the page.
  publicDir: path("../../models"),
  plugins: [withPolicy],
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: path("../../dist/page"),
    emptyOutDir: true,
    target: "es2022",
    cssTarget: ["chrome123", "firefox120", "safari17.5"],
    modulePreload: false,
    assetsInlineLimit: 0,
  },
  worker: { format: "es" },
  server: { fs: { allow: [path("../..")] } },
};

export default config;
