/** What a step leaves to be collected: what its call returns, and nothing that grows with the model. */
import { expect, it } from "vitest";
import { writeRandomModel } from "../../../bench/models.ts";
import { bufferSource } from "../../../src/bytes/buffer.ts";
import { type CpuDevice, openCpu } from "../../../src/cpu/open.ts";
import { readGguf } from "../../../src/gguf/read.ts";
import { buildGraph } from "../../../src/models/index.ts";

/** Bytes of the heap and of arrays that a step takes, on average of `steps`. */
async function taken(device: CpuDevice, layers: number, steps: number): Promise<number> {
  const shape = {
    ...({ architecture: "qwen3", layers, width: 256, heads: 4, kvHeads: 2 } as const),
    ...{ headWidth: 64, feedForward: 512, vocabulary: 300, tied: true, context: 2048 },
    ...{ ropeBase: 10000, epsilon: 1e-5 },
  };
  const file = await readGguf(bufferSource(await writeRandomModel({ shape, type: "q4_0" })));
  const options = { contextLength: 2048 };
  const graph = buildGraph(file, options);
  const executor = await device.create(graph, file, options);
  const step = () => executor.step([{ sequence: 0, input: [7], outputs: "last" }]);
  for (let i = 0; i < 100; i++) await step();
  const used = (): number => {
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };
  let sum = 0;
  let before = used();
  for (let i = 0; i < steps; i += 10) {
    for (let n = 0; n < 10; n++) await step();
    const after = used();
    // Less than before: it was collected in between, and this stretch does not count.
    sum += Math.max(0, after - before);
    before = after;
  }
  await executor.dispose();
  return sum / steps;
}

it("a step leaves little, and a layer next to nothing", async () => {
  const device = await openCpu();
  const one = await taken(device, 1, 300);
  const eight = await taken(device, 8, 300);
  // In plain TypeScript a layer of this model leaves 90,000 bytes.
  expect(one).toBeLessThan(30_000);
  expect((eight - one) / 7).toBeLessThan(2500);
});
