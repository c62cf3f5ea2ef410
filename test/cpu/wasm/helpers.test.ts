/** Helpers that cannot start cost a notice and nothing else; those that have started end with the model. */
import { describe, expect, it } from "vitest";
import { platform } from "#platform";
import { type ModelShape, writeRandomModel } from "../../../bench/models.ts";
import { bufferSource } from "../../../src/bytes/buffer.ts";
import { type CpuDevice, openCpu } from "../../../src/cpu/open.ts";
import type { ModelFile } from "../../../src/file/types.ts";
import { readGguf } from "../../../src/gguf/read.ts";
import { buildGraph } from "../../../src/models/index.ts";
import type { Platform } from "../../../src/platform/types.ts";

const shape: ModelShape = {
  ...{ architecture: "llama", layers: 1, width: 64, heads: 2, kvHeads: 1, headWidth: 32 },
  ...{ feedForward: 96, vocabulary: 300, tied: true, context: 32, ropeBase: 10000, epsilon: 1e-5 },
};
type Start = NonNullable<Platform["startThread"]>;

const hooked = platform as { startThread?: Start };
const real = platform.startThread;

/** Calls `work` while threads are started by `start`, where they are started by the platform at all. */
async function startedBy(start: Start, work: () => Promise<void>): Promise<void> {
  if (!real) return;
  hooked.startThread = start;
  try {
    await work();
  } finally {
    hooked.startThread = real;
  }
}

type Made = Awaited<ReturnType<CpuDevice["create"]>>;

async function make(
  threads: number,
  { file, signal }: { file?: ModelFile; signal?: AbortSignal } = {},
): Promise<[Made, string[]]> {
  const own =
    file ?? (await readGguf(bufferSource(await writeRandomModel({ shape, type: "q8_0" }))));
  const options = { contextLength: 32, threads } as const;
  const notices: string[] = [];
  const hooks = { signal, onNotice: (notice: string) => notices.push(notice) };
  const device = await openCpu();
  return [await device.create(buildGraph(own, options), own, options, hooks), notices];
}

const logits = async (executor: Made): Promise<Float32Array> =>
  (await executor.step([{ sequence: 0, input: [1, 2, 3], outputs: "last", read: true }]))[0].rows;

describe("helpers", () => {
  const missing: Start = (module, ...rest) =>
    (real as Start)(module.replace("work.mjs", "missing.mjs"), ...rest);
  const forbidden: Start = () => {
    throw new Error("workers are forbidden");
  };

  it.each([
    ["whose module is missing", missing, "missing.mjs"],
    ["that are forbidden", forbidden, "workers are forbidden"],
  ] as const)("%s are told of once, and one thread answers", (_, start, reason) =>
    startedBy(start, async () => {
      const [one] = await make(1);
      const [executor, notices] = await make(3);
      expect(notices).toHaveLength(1);
      expect(notices[0]).toMatch(/^Computing with one thread/);
      expect(notices[0]).toContain(reason);
      expect(executor.adapter).toBe(one.adapter);
      expect(await logits(executor)).toEqual(await logits(one));
      await executor.dispose();
      await one.dispose();
    }),
  );

  it("end with the model, and with a model that cannot be loaded", async () => {
    let [started, ended] = [0, 0];
    const counted: Start = (...args) => {
      started++;
      const thread = (real as Start)(...args);
      return {
        end() {
          ended++;
          thread.end();
        },
      };
    };
    await startedBy(counted, async () => {
      const [executor] = await make(3);
      expect(started).toBe(2);
      await executor.dispose();
      expect(ended).toBe(2);
      await expect(make(3, { signal: AbortSignal.abort(new Error("enough")) })).rejects.toThrow(
        "enough",
      );
      expect(ended).toBe(started);
    });
  });
});
