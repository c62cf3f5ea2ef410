/** A device that is lost, or a signal that fires, while a model is loaded: whatever is waited for, it ends and leaves nothing. */
import { describe, expect, it } from "vitest";
import { bufferSource } from "../../src/bytes/buffer.ts";
import { readGguf } from "../../src/gguf/read.ts";
import { createGpuExecutor } from "../../src/gpu/open.ts";
import { buildGraph } from "../../src/models/index.ts";
import { fixture } from "../fixture.ts";
import { type StuckGpu, stuckGpu, WAITS } from "./fake-device.ts";

const cache = { cacheTypeK: "f32", cacheTypeV: "f32" } as const;
const options = { contextLength: 64, maxSequences: 1, chunk: 8, ...cache };

async function load(
  { gpu, source }: StuckGpu,
  signal?: AbortSignal,
): Promise<{ dispose(): Promise<void> }> {
  const file = await readGguf(bufferSource(await fixture("reference/archs/llama.gguf")));
  const stuck = { ...file, sources: file.sources.map(source) };
  return createGpuExecutor(buildGraph(file, options), stuck, gpu, options, { signal });
}

const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

describe("loading", () => {
  it("comes to its end where everything answers", async () => {
    const stuck = stuckGpu(undefined);
    const executor = await load(stuck);
    expect(stuck.live.size).toBeGreaterThan(0);
    await executor.dispose();
    expect(stuck.live.size).toBe(0);
  });

  it.each(WAITS)("ends with the device while %s is waited for", async (wait) => {
    const stuck = stuckGpu(wait);
    const loading = load(stuck);
    loading.catch(() => {});
    await Promise.race([stuck.asked, loading]);
    stuck.lose();
    await expect(loading).rejects.toMatchObject({ code: "device/lost" });
    expect(stuck.live.size).toBe(0);
  });

  it.each(WAITS)(
    "ends with its signal while %s is waited for, and does nothing more",
    async (wait) => {
      const stuck = stuckGpu(wait);
      const stop = new AbortController();
      const loading = load(stuck, stop.signal);
      loading.catch(() => {});
      await Promise.race([stuck.asked, loading]);
      await turn();
      stop.abort("enough");
      await expect(loading).rejects.toBe("enough");
      expect(stuck.live.size).toBe(0);
      await turn();
      const calls = stuck.calls();
      stuck.answerAtLast();
      for (let i = 0; i < 5; i++) await turn();
      expect([stuck.live.size, stuck.calls()]).toEqual([0, calls]);
    },
  );
});
