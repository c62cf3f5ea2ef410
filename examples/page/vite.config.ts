import type { UserConfig } from "vite";

const config: UserConfig = {
  base: "./",
  worker: { format: "es" },
  // In a clone of webgguf tsconfig.json says where its sources are; a project of your own needs no such line.
  resolve: { tsconfigPaths: true },
};

export default config;
