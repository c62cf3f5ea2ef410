/** Every weight type on the GPU against llama.cpp's own values, bit for bit. */
import { describe, expect, it } from "vitest";
import { stored } from "../../bench/stored.ts";
import { quantTables } from "../../src/file/grids.ts";
import { quantByName, quants } from "../../src/file/quants.ts";
import { compose } from "../../src/kernels/compose.ts";
import { hasQuantKernel, pairConsts, quantKernel } from "../../src/kernels/quants.ts";
import { encodeStep, type Row, SAMPLED, slotBytes } from "../../src/plan/steps.ts";
import { wgsl } from "../../wgsl/mod.ts";
import { fixture, fixtureJson } from "../fixture.ts";
import { gpuAvailable, openTestGpu } from "../gpu.ts";

interface Reference {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
}
/** Blocks of one type as stored, and their values. */
interface Sample {
  readonly name: string;
  readonly blocks: Uint8Array<ArrayBuffer>;
  readonly values: Uint32Array<ArrayBuffer>;
}

const folder = "reference/quants/";
const { types } = await fixtureJson<{ types: Reference[] }>(`${folder}index.json`);
const cases = types.flatMap(({ name, files }) => [
  { name, title: name, blocks: files.blocks, values: files.dequantized },
  { name, title: `${name}, random`, blocks: files.rand_blocks, values: files.rand_dequantized },
]);

async function sample(one: (typeof cases)[number]): Promise<Sample> {
  const values = await fixture(folder + one.values);
  return {
    name: one.name,
    blocks: await fixture(folder + one.blocks),
    values: new Uint32Array(values.buffer),
  };
}

const sampleOf = (name: string): Promise<Sample> =>
  sample(cases.find((one) => one.title === name) ?? cases[0]);

const UNIFORM = 0x40 | 0x8;
const STORAGE = 0x80 | 0x4 | 0x8;

interface Dispatch {
  readonly code: string;
  /** Contents by group and binding; undefined where there is none, and for the output. */
  readonly bindings: Readonly<
    Record<number, readonly (ArrayBufferView<ArrayBuffer> | undefined)[]>
  >;
  /** What `out` holds before. */
  readonly out: Uint32Array<ArrayBuffer>;
  readonly grid: readonly [number, number];
}

/** Runs a shader once; group 1 binding 0 is the uniform, binding 2 the output. */
async function run({ code, bindings, out, grid }: Dispatch): Promise<Uint32Array> {
  const gpu = await openTestGpu();
  const { device } = gpu;
  const module = device.createShaderModule({ code });
  const pipeline = await device.createComputePipelineAsync({ layout: "auto", compute: { module } });
  const made: GPUBuffer[] = [];
  const upload = (data: ArrayBufferView<ArrayBuffer>, usage: number): GPUBuffer => {
    const padded = new Uint8Array(Math.max(16, (data.byteLength + 3) & ~3));
    padded.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    const buffer = device.createBuffer({ size: padded.length, usage });
    device.queue.writeBuffer(buffer, 0, padded);
    made.push(buffer);
    return buffer;
  };
  const result = upload(out, STORAGE);
  const staging = device.createBuffer({ size: result.size, usage: 0x1 | 0x8 });
  made.push(staging);
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  for (const [group, contents] of Object.entries(bindings)) {
    const entries = contents.flatMap((data, binding) => {
      if (group === "1" && binding === 2) return [{ binding, resource: { buffer: result } }];
      if (data === undefined) return [];
      const usage = group === "1" && binding === 0 ? UNIFORM : STORAGE;
      return [{ binding, resource: { buffer: upload(data, usage) } }];
    });
    const layout = pipeline.getBindGroupLayout(Number(group));
    pass.setBindGroup(Number(group), device.createBindGroup({ layout, entries }));
  }
  pass.dispatchWorkgroups(...grid);
  pass.end();
  encoder.copyBufferToBuffer(result, 0, staging, 0, result.size);
  device.queue.submit([encoder.finish()]);
  await staging.mapAsync(1);
  const copy = new Uint32Array(staging.getMappedRange().slice(0, out.byteLength));
  for (const buffer of made) buffer.destroy();
  gpu.check();
  return copy;
}

const typeOf = (name: string) => quantByName(name) ?? quants[0];

/** The tables' group, for types that read them. */
const tableGroup = (name: string): Dispatch["bindings"] =>
  quantKernel(typeOf(name)).usesTables ? { 2: [quantTables()] } : {};

/** Words in front of a tensor: a multiple of 4, as the placement's 256 bytes are, because some types are read by four. */
const FRONT = 12;

/** Blocks behind `words` words of something else, as in a buffer of several tensors. */
function behind(blocks: Uint8Array, words: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(blocks.length + 4 * words).fill(0xa5);
  bytes.set(blocks, 4 * words);
  return bytes;
}

/** Elements `first` … `first + count` of a tensor, by dequant.wgsl; fresh output is poisoned. */
function dequantise(from: Sample, first: number, count: number): Promise<Uint32Array> {
  const { snippet } = quantKernel(typeOf(from.name));
  return run({
    code: compose({ snippets: [snippet], kernel: "dequant" }),
    bindings: {
      1: [
        new Uint32Array([FRONT, first, count, 0]),
        behind(stored(typeOf(from.name), from.blocks), FRONT),
        undefined,
      ],
      ...tableGroup(from.name),
    },
    out: new Uint32Array(count).fill(0x7fc00000),
    grid: [Math.ceil(count / 1024), 1],
  });
}

/** The first place where two arrays differ, for people, or undefined. */
function difference(actual: Uint32Array, expected: Uint32Array): string | undefined {
  const at = expected.findIndex((bits, i) => bits !== actual[i]);
  if (at < 0) return undefined;
  const count = expected.filter((bits, i) => bits !== actual[i]).length;
  const float = (bits: number): number => new Float32Array(new Uint32Array([bits]).buffer)[0];
  return `${count} of ${expected.length}, first ${at}: ${float(actual[at])} for ${float(expected[at])}`;
}

describe("quant types", () => {
  it("have a snippet each, unless they carry data", () => {
    for (const type of quants)
      expect([type.name, hasQuantKernel(type)]).toEqual([type.name, !type.data]);
    expect(() => quantKernel(typeOf("I32"))).toThrow("I32 tensors cannot be used as weights");
  });
  it("are all in the reference", () => {
    const names = types.map((type) => type.name.toUpperCase()).sort();
    expect(names).toEqual(quants.flatMap((type) => (type.data ? [] : type.name)).sort());
  });
});

describe.skipIf(!gpuAvailable)("dequant.wgsl", () => {
  it.each(cases)("gives llama.cpp's bits: $title", async (one) => {
    const from = await sample(one);
    expect(difference(await dequantise(from, 0, from.values.length), from.values)).toBeUndefined();
  });
  it.each(["q4_0", "q6_K", "mxfp4"])(
    "takes a range whose end is no multiple of 16: %s",
    async (name) => {
      const from = await sampleOf(name);
      const part = await dequantise(from, 48, 1029);
      expect(difference(part, from.values.slice(48, 48 + 1029))).toBeUndefined();
    },
  );
  it.each(["f32", "f16", "bf16"])("takes a range that starts anywhere: %s", async (name) => {
    const from = await sampleOf(name);
    for (const first of [1, 24, 25]) {
      const part = await dequantise(from, first, 77);
      expect(difference(part, from.values.slice(first, first + 77))).toBeUndefined();
    }
  });
  it("would show a swapped nibble, a wrong scale and a wrong offset", async () => {
    const from = await sampleOf("q4_0");
    const { values } = from;
    for (const [at, bit] of [
      [2, 4],
      [0, 1],
      [19, 3],
    ]) {
      const blocks = from.blocks.slice();
      blocks[at] ^= 1 << bit;
      const actual = await dequantise({ ...from, blocks }, 0, values.length);
      expect(difference(actual, values)).toBeDefined();
    }
  });
});

describe.skipIf(!gpuAvailable)("decode_i8", () => {
  const kernel = `
struct Params { base: u32, count: u32 }
@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> weights: array<Word>;
@group(1) @binding(2) var<storage, read_write> out: array<f32>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let unit = unit_of(id.x << 4u);
  let run = decode_i8(params.base, unit.x, unit.y);
  store_run(id.x * 16u, affine_i8(run), params.count - min(params.count, id.x * 16u));
}
fn affine_i8(run: Int8Run) -> mat4x4<f32> {
  return mat4x4<f32>(
    run.scale * bytes_i8(run.q.x) + run.minimum, run.scale * bytes_i8(run.q.y) + run.minimum,
    run.scale * bytes_i8(run.q.z) + run.minimum, run.scale * bytes_i8(run.q.w) + run.minimum,
  );
}
`;
  const able = cases.filter(({ name }) =>
    wgsl[`quant/${name.toLowerCase()}`].text.includes("decode_i8"),
  );
  it("is there for the types of the integer variant", () => {
    const names = able.map(({ name }) => name);
    const wanted = "q8_0 q4_0 q4_1 q5_0 q5_1 q4_K q5_K q6_K q2_K q3_K iq4_nl iq4_xs mxfp4";
    for (const name of wanted.split(" ")) expect(names).toContain(name);
  });
  it.each(able)("gives the same values: $title", async (one) => {
    const from = await sample(one);
    const quant = quantKernel(typeOf(from.name));
    const snippets = [quant.snippet, "lib/pairs"];
    const count = from.values.length;
    const bits = await run({
      code:
        compose({ snippets, kernel: "lib/store-run", consts: pairConsts(quant, 0, 1) }) + kernel,
      bindings: {
        1: [
          new Uint32Array([FRONT, count, 0, 0]),
          behind(stored(typeOf(from.name), from.blocks), FRONT),
          undefined,
        ],
      },
      out: new Uint32Array(count).fill(0x7fc00000),
      grid: [Math.ceil(count / 1024), 1],
    });
    // As numbers, because a minimum of 0 turns -0 into 0 and GPUs may take subnormals for 0.
    const actual = new Float32Array(bits.buffer);
    const expected = new Float32Array(from.values.buffer);
    const wrong = actual.findIndex((value, i) => !(Math.abs(value - expected[i]) < 1e-36));
    expect([wrong, actual[wrong], expected[wrong]]).toEqual([-1, undefined, undefined]);
  });
});

describe.skipIf(!gpuAvailable)("embed.wgsl", () => {
  const POISON = 0x7fc00000;
  /** Rows of a table of `rowElements` elements a row; records are [sequence, position, token]. */
  async function gather(options: {
    from: Sample;
    width: number;
    records: readonly (readonly [sequence: number, position: number, token: number])[];
    sampled?: readonly number[];
    held?: readonly [first: number, count: number];
    by?: number;
    offset?: number;
  }): Promise<Uint32Array> {
    const { from, width, records, sampled = [0], by = 0, offset = 0 } = options;
    const type = typeOf(from.name);
    const rowBytes = (width / type.elements) * type.bytes;
    const [first, count] = options.held ?? [0, Math.floor(from.blocks.length / rowBytes)];
    const step = new Uint32Array(slotBytes(records.length) / 4);
    const rows = records.map(([sequence, position, token]): Row => {
      return { sequence, position, token, end: position + 1, output: false };
    });
    encodeStep(step, 0, rows, 0);
    const held = from.blocks.slice(first * rowBytes, (first + count) * rowBytes);
    const stride = width + 3;
    const params = [width, FRONT, first, count, stride, by, offset, 0, 16, 0, 0, 0];
    return run({
      code: compose({ snippets: [quantKernel(type).snippet], kernel: "embed" }),
      bindings: {
        0: [step],
        1: [
          new Uint32Array(params),
          behind(stored(type, held), FRONT),
          undefined,
          new Uint32Array(sampled),
          new Uint32Array(3 * 16),
        ],
        ...tableGroup(from.name),
      },
      out: new Uint32Array(stride * records.length).fill(POISON),
      grid: [Math.ceil(width / 1024), records.length],
    });
  }
  /** What gather should give for table rows `rows` (-1: untouched). */
  function rowsOf(from: Sample, width: number, rows: readonly number[]): Uint32Array {
    const out = new Uint32Array((width + 3) * rows.length).fill(POISON);
    rows.forEach((row, i) => {
      if (row >= 0) out.set(from.values.subarray(row * width, (row + 1) * width), i * (width + 3));
    });
    return out;
  }

  it.each(["f32", "q8_0", "q4_K", "iq3_s", "tq1_0"])(
    "gathers tokens, given and sampled: %s",
    async (name) => {
      const from = await sampleOf(name);
      const records: [number, number, number][] = [
        [0, 0, 11],
        [0, 1, 0],
        [2, 9, SAMPLED],
        [1, 4, SAMPLED],
      ];
      const actual = await gather({ from, width: 512, records, sampled: [1, 3, 7] });
      expect(difference(actual, rowsOf(from, 512, [11, 0, 7, 3]))).toBeUndefined();
    },
  );
  it.each(["f32", "f16", "bf16"])("takes rows of any length: %s", async (name) => {
    const from = await sampleOf(name);
    for (const width of [24, 25, 1100]) {
      const actual = await gather({
        from,
        width,
        records: [
          [0, 0, 4],
          [0, 1, 1],
        ],
      });
      expect(difference(actual, rowsOf(from, width, [4, 1]))).toBeUndefined();
    }
  });
  it("leaves rows alone that a piece of the table does not hold", async () => {
    const from = await sampleOf("q6_K");
    const records = [2, 3, 5, 6, 11].map((token) => [0, 0, token] as const);
    const actual = await gather({ from, width: 512, records, held: [3, 3] });
    expect(difference(actual, rowsOf(from, 512, [-1, 3, 5, -1, -1]))).toBeUndefined();
  });
  it("gathers by position with an offset, and the first row", async () => {
    const from = await sampleOf("f16");
    const records: [number, number, number][] = [
      [0, 5, 1],
      [0, 6, 1],
    ];
    const byPosition = await gather({ from, width: 512, records, by: 1, offset: 2 });
    expect(difference(byPosition, rowsOf(from, 512, [7, 8]))).toBeUndefined();
    const first = await gather({ from, width: 512, records, by: 2 });
    expect(difference(first, rowsOf(from, 512, [0, 0]))).toBeUndefined();
  });
});
