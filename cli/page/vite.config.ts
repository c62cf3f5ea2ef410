/** `npm run page` serves this folder; `npx vite build cli/page` writes a static site to dist/page. */
import { fileURLToPath } from "node:url";
import type { UserConfig } from "vite";

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

const config: UserConfig = {
  root: path("."),
  base: "./",
  // The bundled model is served next to the page.
  publicDir: path("../../models"),
  build: { outDir: path("../../dist/page"), emptyOutDir: true, target: "es2022" },
  worker: { format: "es" },
  server: { fs: { allow: [path("../..")] } },
};

export default config;
