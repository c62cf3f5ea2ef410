/** Drawing tokens on the GPU against the same chain on the host, which test/sample holds to llama.cpp. */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Pipelines } from "../../src/gpu/pipelines.ts";
import { Replay } from "../../src/gpu/replay.ts";
import type { DeviceSampling } from "../../src/graph/requests.ts";
import { argmax, argmaxScratch } from "../../src/kernels/argmax.ts";
import type { Place } from "../../src/kernels/call.ts";
import { OUTPUT_ROWS } from "../../src/kernels/call.ts";
import { compose } from "../../src/kernels/compose.ts";
import { sample, sampleScratch } from "../../src/kernels/sample.ts";
import type { Plan } from "../../src/plan/plan.ts";
import { encodeStep, slotBytes } from "../../src/plan/steps.ts";
import { Buffers, BufferUsage } from "../../src/platform/buffers.ts";
import type { Gpu } from "../../src/platform/types.ts";
import { createCandidates, loadLogits, weight } from "../../src/sample/candidates.ts";
import { minP } from "../../src/sample/min-p.ts";
import { penalize } from "../../src/sample/penalties.ts";
import { philox, uniform } from "../../src/sample/random.ts";
import { createRowSampler } from "../../src/sample/row.ts";
import { temperature } from "../../src/sample/temperature.ts";
import { topK } from "../../src/sample/top-k.ts";
import { topP } from "../../src/sample/top-p.ts";
import { gpuAvailable, openTestGpu } from "../gpu.ts";

const defaults: DeviceSampling = { temperature: 0.8, topK: 40, topP: 0.95, minP: 0.05, seed: 0 };
const SEQUENCES = 3;

/** One row to draw for. */
interface Draw {
  readonly sampling: DeviceSampling;
  /** The position that the token will have; at least 1. */
  readonly position: number;
  readonly sequence?: number;
}

/** Words of a sequence's history. */
const CONTEXT = 2048;

/** The two tails of a plan over a vocabulary, for up to `rows` rows. */
class Tails {
  readonly #gpu: Gpu;
  readonly #buffers: Buffers;
  readonly #named = new Map<string, GPUBuffer>();
  readonly #width: number;
  readonly #rows: number;
  readonly #pipelines: Pipelines;
  #replay: Replay | undefined;
  #step: GPUBindGroup | undefined;

  constructor(gpu: Gpu, width: number, rows: number) {
    this.#gpu = gpu;
    this.#buffers = new Buffers(gpu);
    this.#width = width;
    this.#rows = rows;
    this.#pipelines = Pipelines.of(gpu.device);
  }

  async open(): Promise<this> {
    const width = this.#width;
    const place = (buffer: number, floats: number): Place => {
      const stride = Math.ceil(floats / 4) * 4;
      return { buffer: `arena:${buffer}`, offset: 0, stride, width: floats, domain: OUTPUT_ROWS };
    };
    const logits = place(0, width);
    const greedy = place(1, argmaxScratch(width));
    const drawn = place(2, sampleScratch(width));
    const { storage, copyTarget, copySource } = BufferUsage;
    const sizes = {
      "arena:0": logits.stride * this.#rows,
      "arena:1": greedy.stride * this.#rows,
      "arena:2": drawn.stride * this.#rows,
      sampled: SEQUENCES + this.#rows,
      history: SEQUENCES * CONTEXT,
      step: slotBytes(this.#rows) / 4,
      pages: 4,
    };
    for (const [name, words] of Object.entries(sizes)) {
      const usage = storage | copyTarget | copySource;
      this.#named.set(name, this.#buffers.allocate(name, 4 * words, usage));
    }
    const plan: Plan = {
      rowClass: { rows: this.#rows, outputs: this.#rows },
      calls: argmax(logits, greedy, SEQUENCES),
      sampling: sample(logits, drawn, SEQUENCES, CONTEXT),
      bodyLength: 0,
      outputLength: 0,
      arena: [],
      output: logits,
    };
    await this.#pipelines.compile([...plan.calls, ...plan.sampling]);
    const { device } = this.#gpu;
    this.#replay = new Replay(plan, device, this.#buffers, this.#pipelines, this.#named);
    const records = this.#buffer("step");
    this.#step = this.#pipelines.stepGroup(records, records.size, this.#buffer("pages"));
    return this;
  }

  /** What stands in a sequence so far. */
  remember(sequence: number, text: readonly number[]): void {
    const { queue } = this.#gpu.device;
    queue.writeBuffer(this.#buffer("history"), 4 * sequence * CONTEXT, new Uint32Array(text));
  }

  /** The tokens of rows of `logits`, then what the sequences remember as sampled. */
  async run(
    logits: readonly Float32Array[],
    draws: readonly Draw[],
    greedy = false,
  ): Promise<{ tokens: number[]; sampled: number[] }> {
    const { device } = this.#gpu;
    const stride = Math.ceil(this.#width / 4) * 4;
    logits.forEach((row, i) => {
      device.queue.writeBuffer(
        this.#buffer("arena:0"),
        4 * stride * i,
        row as Float32Array<ArrayBuffer>,
      );
    });
    const words = new Uint32Array(slotBytes(draws.length) / 4).fill(0xdeadbeef);
    const rows = draws.map(({ sampling, position, sequence = 0 }) => {
      const row = { sequence, position: position - 1, token: 0, end: position, output: true };
      return { ...row, sampling };
    });
    encodeStep(words, 0, rows, 0);
    device.queue.writeBuffer(this.#buffer("step"), 0, words);
    const sampled = this.#buffer("sampled");
    device.queue.writeBuffer(sampled, 0, new Uint32Array(sampled.size / 4).fill(0xffff));
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setBindGroup(0, this.#step as GPUBindGroup, [0]);
    const replay = this.#replay as Replay;
    const penalized = draws.some(({ sampling }) => sampling.penalties);
    const sampling = greedy ? "greedy" : penalized ? "penalized" : "random";
    const end = greedy ? replay.plan.calls.length : 0;
    replay.encode(pass, { rows, outputs: rows.length, end, sampling });
    pass.end();
    const staging = device.createBuffer({ size: sampled.size, usage: 0x1 | 0x8 });
    encoder.copyBufferToBuffer(sampled, 0, staging, 0, sampled.size);
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(1);
    const all = [...new Int32Array(staging.getMappedRange())];
    staging.destroy();
    this.#gpu.check();
    return {
      tokens: all.slice(SEQUENCES, SEQUENCES + rows.length),
      sampled: all.slice(0, SEQUENCES),
    };
  }

  dispose(): void {
    this.#buffers.disposeAll();
  }

  #buffer(name: string): GPUBuffer {
    return this.#named.get(name) as GPUBuffer;
  }
}

/** How far the drawn number lies from the nearest border between two tokens. */
function borderDistance(
  logits: Float32Array,
  { sampling, position }: Draw,
  text: readonly number[],
): number {
  const c = createCandidates(logits.length);
  loadLogits(c, logits);
  const { penalties } = sampling;
  if (penalties) {
    const counts = new Map<number, number>();
    for (const token of text.slice(Math.max(0, position - penalties.lastN), position))
      counts.set(token, (counts.get(token) ?? 0) + 1);
    penalize(c, counts, penalties);
  }
  topK(c, sampling.topK);
  topP(c, sampling.topP, 0);
  minP(c, sampling.minP, 0);
  temperature(c, sampling.temperature);
  const weights = [...c.logits.subarray(0, c.size)].map((logit) => weight(logit, c.logits[0]));
  const sum = weights.reduce((a, b) => a + b, 0);
  const u = uniform(sampling.seed, 0, position);
  let running = 0;
  return Math.min(...weights.map((w) => Math.abs((running += w) / sum - u)));
}

/** Compares with the host: how many differ near a border, and the first that differs elsewhere. */
function compare(
  rows: readonly Float32Array[],
  draws: readonly Draw[],
  tokens: readonly number[],
  text: readonly number[] = [],
): { near: number; wrong: unknown[] } {
  const sampler = createRowSampler(rows[0].length);
  let near = 0;
  const wrong: unknown[] = [];
  draws.forEach((one, i) => {
    const logits = rows[i % rows.length];
    const expected = sampler(logits, one.sampling, one.position, text);
    if (expected === tokens[i]) return;
    const distance = borderDistance(logits, one, text);
    if (distance <= 1e-5) near++;
    else wrong.push({ ...one, expected, actual: tokens[i], distance });
  });
  return { near, wrong };
}

/** Numbers in [0, 1) that are the same in every run. */
function numbers(seed: number): () => number {
  let at = 0;
  return () => (philox([at++, 7, 7, 7], [seed, 0])[0] + 0.5) / 2 ** 32;
}

/** Logits as models give them: normal, with a few tokens far above. */
function modelLogits(width: number, seed: number): Float32Array {
  const next = numbers(seed);
  const normal = () => Math.sqrt(-2 * Math.log(next())) * Math.cos(2 * Math.PI * next());
  return Float32Array.from({ length: width }, () => {
    const tail = next() < 30 / width ? 6 + 4 * next() : 0;
    return 2 * normal() + tail - 3;
  });
}

const shapes: Record<string, (width: number) => Float32Array> = {
  random: (width) => modelLogits(width, 1),
  // Few distinct values: the K-th place is tied with very many.
  ties: (width) => modelLogits(width, 2).map((x) => Math.round(x / 4)),
  equal: (width) => new Float32Array(width).fill(-1.5),
  impossible: (width) =>
    modelLogits(width, 3).map((x, i) => (i % 3 === 0 ? x : i % 3 === 1 ? -Infinity : Number.NaN)),
  "few possible": (width) =>
    new Float32Array(width).fill(-Infinity).map((x, i) => (i % (width >> 3) === 5 ? i / width : x)),
  peaked: (width) => modelLogits(width, 4).map((x, i) => (i === width - 3 ? 60 : x)),
  rising: (width) => Float32Array.from({ length: width }, (_, i) => i / 1000),
  zeros: (width) => new Float32Array(width).map((_, i) => (i % 2 ? 0 : -0)),
};

const settings: readonly DeviceSampling[] = [
  defaults,
  { ...defaults, topK: 128, topP: 1, minP: 0, temperature: 1.5 },
  { ...defaults, topK: 1 },
  { ...defaults, topK: 5, topP: 0.5, minP: 0, temperature: 1 },
  { ...defaults, topK: 100, topP: 1, minP: 0.3, temperature: 3 },
  { ...defaults, topK: 64, topP: 0.999, minP: 0.001, temperature: 0.1 },
  { ...defaults, topK: 77, topP: 0, minP: 2 },
  { ...defaults, topK: 48, topP: 0.5, minP: 0, temperature: 0.7, seed: 2 ** 53 - 1 },
];

describe.skipIf(!gpuAvailable)("drawing on the GPU", () => {
  let gpu: Gpu;
  beforeAll(async () => {
    gpu = await openTestGpu();
  });

  describe.each([96, 1000, 4096, 49152, 151936])("from %i logits", (width) => {
    const batch = width > 10_000 ? 8 : 64;
    let tails: Tails;
    beforeAll(async () => {
      tails = await new Tails(gpu, width, batch).open();
    });
    afterAll(() => tails?.dispose());

    it.each(Object.keys(shapes))("gives the host's tokens: %s", async (shape) => {
      const logits = shapes[shape](width);
      const rows = Array.from({ length: batch }, () => logits);
      for (let at = 0; at < settings.length; at += batch) {
        const draws = Array.from({ length: batch }, (_, i) => {
          const sampling = settings[(at + i) % settings.length];
          const seed = sampling.seed || 1000 + i;
          return { sampling: { ...sampling, seed }, position: 1 + at + i };
        });
        const { tokens } = await tails.run(rows, draws);
        expect(compare(rows, draws, tokens).wrong).toEqual([]);
      }
    });

    // A large vocabulary takes software adapters and the host's oracle long.
    const steps = width > 10_000 ? 10 : 50;
    it(`gives the host's tokens for 20 seeds and ${steps} steps`, async () => {
      const vocabularies = Array.from({ length: batch }, (_, i) => modelLogits(width, 10 + i));
      const draws = Array.from({ length: 20 * steps }, (_, i) => ({
        sampling: { ...defaults, seed: i % 20 },
        position: 1 + Math.floor(i / 20),
      }));
      let near = 0;
      for (let at = 0; at < draws.length; at += batch) {
        const some = draws.slice(at, at + batch);
        const { tokens } = await tails.run(at === 0 ? vocabularies : [], some);
        const result = compare(vocabularies, some, tokens);
        expect(result.wrong).toEqual([]);
        near += result.near;
      }
      // 1e-5 from a border: about one draw in 1,000 has one of 20 tokens' borders that near.
      expect(near).toBeLessThanOrEqual(5);
    });

    it("leaves greedy choices as they are, alone and among draws", async () => {
      const vocabularies = Array.from({ length: batch }, (_, i) => modelLogits(width, 30 + i));
      const draws = vocabularies.map((_, i) => ({
        sampling: { ...defaults, temperature: i % 2 ? 0 : 1, seed: i },
        position: 9,
      }));
      const best = vocabularies.map((row) => row.indexOf(row.reduce((a, b) => Math.max(a, b))));
      const alone = await tails.run(vocabularies, draws, true);
      expect(alone.tokens).toEqual(best);
      const mixed = await tails.run([], draws);
      expect(mixed.tokens.filter((_, i) => i % 2)).toEqual(best.filter((_, i) => i % 2));
      const drawn = draws
        .map((one, i) => (i % 2 ? undefined : one))
        .filter((one) => one !== undefined);
      const rows = vocabularies.filter((_, i) => i % 2 === 0);
      const tokens = mixed.tokens.filter((_, i) => i % 2 === 0);
      expect(compare(rows, drawn, tokens).wrong).toEqual([]);
    });
  });

  it.each([0, 5, 10, 15])("draws 1,000 tokens as the host does, 5 seeds from %i", async (first) => {
    const width = 300;
    const batch = 1000;
    const tails = await new Tails(gpu, width, batch).open();
    const vocabularies = Array.from({ length: batch }, (_, i) => modelLogits(width, 100 + i));
    let near = 0;
    for (let seed = first; seed < first + 5; seed++) {
      const sampling = { ...defaults, seed: seed * 0x1_2345_6789, minP: 0.01, temperature: 1.2 };
      const draws = vocabularies.map((_, i) => ({ sampling, position: 1 + i }));
      const { tokens } = await tails.run(seed === first ? vocabularies : [], draws);
      const result = compare(vocabularies, draws, tokens);
      expect(result.wrong).toEqual([]);
      near += result.near;
    }
    tails.dispose();
    expect(near).toBeLessThanOrEqual(5);
  });

  it.each([
    ["as people set them", { lastN: 64, repeat: 1.1, frequency: 0, presence: 0 }],
    ["of any kind, far back", { lastN: 1024, repeat: 1.37, frequency: 0.21, presence: 0.4 }],
    ["that reward", { lastN: 7, repeat: 0.8, frequency: -0.3, presence: 0 }],
  ])("penalizes as the host does: %s", async (_, penalties) => {
    const width = 300;
    const batch = 500;
    const tails = await new Tails(gpu, width, batch).open();
    const vocabularies = Array.from({ length: batch }, (_, i) => modelLogits(width, 700 + i));
    // Infinite logits stay what they are.
    for (const row of vocabularies.slice(0, 20)) row[5] = Number.NEGATIVE_INFINITY;
    const next = numbers(9);
    const text = Array.from({ length: 1500 }, () => Math.floor(40 * next() ** 2));
    tails.remember(1, text);
    for (let i = 0; i < 4; i++) {
      const sampling = { ...defaults, seed: i, temperature: i === 3 ? 0 : 1.2, penalties };
      const draws = vocabularies.map((_, row) => {
        // Texts of every length, and the positions' borders among them.
        const position = row < 100 ? row + 1 : 1 + ((row * 37 + 100 * i) % text.length);
        return { sampling, position, sequence: 1 };
      });
      // Penalties change the logits in place.
      const { tokens } = await tails.run(vocabularies, draws);
      const result = compare(vocabularies, draws, tokens, text);
      expect(result.wrong).toEqual([]);
      expect(result.near).toBeLessThanOrEqual(3);
      const plain = draws.map((one) => ({
        ...one,
        sampling: { ...sampling, penalties: undefined },
      }));
      const without = await tails.run(vocabularies, plain);
      expect(tokens).not.toEqual(without.tokens);
    }
    tails.dispose();
  });

  it("remembers the last row of each sequence, and draws the same in any company", async () => {
    const tails = await new Tails(gpu, 300, 8).open();
    const logits = modelLogits(300, 50);
    const sampling = { ...defaults, seed: 77, temperature: 2, minP: 0 };
    const at = (sequence: number, position: number): Draw => ({ sampling, sequence, position });
    const draws = [at(0, 4), at(2, 4), at(2, 5), at(2, 6), at(2, 7)];
    const rows = draws.map(() => logits);
    const { tokens, sampled } = await tails.run(rows, draws);
    expect(sampled).toEqual([tokens[0], 0xffff, tokens[4]]);
    expect(tokens[0]).toBe(tokens[1]);
    const alone = await tails.run([logits], [at(1, 7)]);
    expect(alone.tokens).toEqual([tokens[4]]);
    expect(new Set(tokens).size).toBeGreaterThan(2);
    tails.dispose();
  });
});

describe.skipIf(!gpuAvailable)("philox.wgsl", () => {
  it("gives the published vectors and the host's numbers", async () => {
    const { device, check } = await openTestGpu().then((gpu) => ({
      device: gpu.device,
      check: () => gpu.check(),
    }));
    const ones = 0xffffffff;
    const published = [
      [0, 0, 0, 0, 0, 0],
      [ones, ones, ones, ones, ones, ones],
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0],
    ];
    const next = numbers(5);
    const more = Array.from({ length: 253 }, () =>
      Array.from({ length: 6 }, () => Math.floor(next() * 2 ** 32)),
    );
    const inputs = new Uint32Array([...published, ...more].flat());
    const code = `${compose({ snippets: [], kernel: "lib/philox" })}
@group(0) @binding(0) var<storage, read> inputs: array<u32>;
@group(0) @binding(1) var<storage, read_write> outputs: array<vec4<u32>>;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let at = 6u * id.x;
  let counter = vec4(inputs[at], inputs[at + 1u], inputs[at + 2u], inputs[at + 3u]);
  outputs[id.x] = philox(counter, vec2(inputs[at + 4u], inputs[at + 5u]));
}`;
    const module = device.createShaderModule({ code });
    const pipeline = await device.createComputePipelineAsync({
      layout: "auto",
      compute: { module },
    });
    const source = device.createBuffer({ size: inputs.byteLength, usage: 0x80 | 0x8 });
    const out = device.createBuffer({ size: 16 * 256, usage: 0x80 | 0x4 });
    const staging = device.createBuffer({ size: out.size, usage: 0x1 | 0x8 });
    device.queue.writeBuffer(source, 0, inputs);
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    const layout = pipeline.getBindGroupLayout(0);
    const entries = [source, out].map((buffer, binding) => ({ binding, resource: { buffer } }));
    pass.setBindGroup(0, device.createBindGroup({ layout, entries }));
    pass.dispatchWorkgroups(4);
    pass.end();
    encoder.copyBufferToBuffer(out, 0, staging, 0, out.size);
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(1);
    const words = new Uint32Array(staging.getMappedRange().slice(0));
    for (const buffer of [source, out, staging]) buffer.destroy();
    check();
    const hex = [...words.subarray(0, 12)].map((word) => word.toString(16)).join(" ");
    expect(hex).toBe(
      "6627e8d5 e169c58d bc57ac4c 9b00dbd8 408f276d 41c83b0e a20bc7c6 6d5451fd d16cfe09 94fdcceb 5001e420 24126ea1",
    );
    for (let i = 0; i < 256; i++) {
      const [a, b, c, d, e, f] = inputs.subarray(6 * i, 6 * i + 6);
      expect([...words.subarray(4 * i, 4 * i + 4)]).toEqual(philox([a, b, c, d], [e, f]));
    }
  });
});
