/** Borders of the samplers on the device, where a token is just in or just out. What else they draw is in test/gpu. */

import { describe, expect, it } from "vitest";
import type { DeviceSampling } from "../../src/graph/requests.ts";
import { OUTPUT_ROWS } from "../../src/kernels/call.ts";
import { sample, sampleScratch } from "../../src/kernels/sample.ts";
import { gpuAvailable } from "../gpu.ts";
import { placeOf, poisoned, rowsOf, runCalls, spread } from "./run.ts";

const SEQUENCES = 1;
const CONTEXT = 256;
const ROWS = 100;
const open: DeviceSampling = { temperature: 1, topK: 100, topP: 1, minP: 0, seed: 1 };

/** The tokens that are ever sampled from a row of logits, at 100 positions. */
async function sampled(logits: readonly number[], sampling: DeviceSampling): Promise<number[]> {
  const width = logits.length;
  const x = placeOf("logits", width, { domain: OUTPUT_ROWS });
  const scratch = placeOf("scratch", sampleScratch(width), { domain: OUTPUT_ROWS });
  const rows = rowsOf(ROWS).map((row) => ({ ...row, sampling }));
  const { bits } = await runCalls(
    {
      calls: sample(x, scratch, SEQUENCES, CONTEXT),
      buffers: {
        logits: spread(
          x,
          Float32Array.from({ length: ROWS * width }, (_, i) => logits[i % width]),
        ),
        scratch: poisoned(scratch.stride * ROWS + 64),
        sampled: new Uint32Array(SEQUENCES + ROWS),
        history: new Uint32Array(SEQUENCES * CONTEXT),
      },
      rows,
    },
    "sampled",
  );
  return [...new Set(bits.slice(SEQUENCES, SEQUENCES + ROWS))].sort((a, b) => a - b);
}

const below = (x: number): number => {
  const float = Float32Array.of(x);
  new Uint32Array(float.buffer)[0] += x < 0 ? 1 : -1;
  return float[0];
};

describe.skipIf(!gpuAvailable)("sampleToken.wgsl", () => {
  it("keeps a token at the border of min-p and drops the next one below", async () => {
    const border = Math.fround(Math.log(0.25));
    const minP = { ...open, minP: 0.25 };
    expect(await sampled([0, border, -30], minP)).toEqual([0, 1]);
    expect(await sampled([0, below(border), -30], minP)).toEqual([0]);
    expect(await sampled([border, 0, border], minP)).toEqual([0, 1, 2]);
  });
  it("keeps as many tokens as top-k says, equal ones by number", async () => {
    expect(await sampled([1, 1, 1, 1], { ...open, topK: 3 })).toEqual([0, 1, 2]);
    expect(await sampled([0, 1, 1, 1], { ...open, topK: 2 })).toEqual([1, 2]);
  });
  it("keeps tokens until their sum reaches top-p", async () => {
    // Of four equal tokens two are half.
    expect(await sampled([2, 2, 2, 2], { ...open, topP: 0.5 })).toEqual([0, 1]);
    expect(await sampled([2, 2, 2, 2], { ...open, topP: 0.51 })).toEqual([0, 1, 2]);
    expect(await sampled([2, 2, 2, 2], { ...open, topP: 0 })).toEqual([0]);
  });
});
