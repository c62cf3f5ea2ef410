/** Every tensor type in matvec.wgsl and matmul.wgsl against the CPU path, over odd shapes. */
import { describe, it } from "vitest";
import { quants } from "../../src/file/quants.ts";
import { hasQuantKernel } from "../../src/kernels/quants.ts";
import { gpuAvailable } from "../gpu.ts";
import { type LinearOptions, linearCase } from "./linear-case.ts";
import { expectRows, Numbers, runCalls } from "./run.ts";

async function check(options: LinearOptions): Promise<void> {
  const { job, made, expected } = linearCase(options);
  expectRows(made, (await runCalls(job, "out")).bits, expected);
}

const types = quants.filter(hasQuantKernel);

describe.skipIf(!gpuAvailable)("every type", () => {
  it.each(types.map((type) => type.name))("%s: odd shapes, every block multiple", async (name) => {
    const type = types.find((one) => one.name === name) ?? types[0];
    const numbers = new Numbers(type.id + 1);
    const unit = Math.max(type.elements, 32);
    for (let blocks = 1; blocks <= 4; blocks++) {
      const common = { type: name, k: blocks * unit, seed: blocks };
      const odd = (): number => 2 * numbers.integer(0, 20) + 1;
      for (const rows of [1, 3, 7])
        await check({ ...common, parts: [odd(), odd()], rows, most: 8, tuning: { lanes: 2 } });
      await check({ ...common, parts: [odd(), odd()], rows: 8 + odd() });
    }
  });
});
