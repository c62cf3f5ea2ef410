import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { root } from "./checks/sources.ts";

describe("the engine bundled for browsers", () => {
  it("is small and holds no code for Node", () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, ["scripts/bundle.mjs"], {
      cwd: root,
      encoding: "utf8",
    });
    expect(stderr).toBe("");
    expect(stdout).toMatch(/^worker: gzipped [\d.]+ KB more$/m);
    expect(stdout).toMatch(/^tools: gzipped [\d.]+ KB more$/m);
    expect(stdout).toMatch(/^quantize: gzipped [\d.]+ KB more of at most [\d.]+ KB$/m);
    expect(stdout).toMatch(/^engine: gzipped [\d.]+ KB of at most [\d.]+ KB$/m);
    expect(stdout).toMatch(/^wasm: gzipped [\d.]+ KB of at most 15.0 KB$/m);
    // The CPU path, its kernels, what few models need of them and its threads, the decoders of quantised vectors, the grids of the IQ types, grammars with schemas and calls apart,
    // the store, alone and with its worker, what fits, and saved sessions with the rows of GPUs.
    expect(stdout.match(/^\S+: .* KB, fetched where it is needed$/gm)).toHaveLength(15);
    expect(stdout).not.toContain("code for Node");
    expect(status).toBe(0);
  });
});
