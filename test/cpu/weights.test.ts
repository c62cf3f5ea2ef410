/** Weights in pieces, as tensors of more bytes than an array holds are. */
import { describe, expect, it } from "vitest";
import type { ByteSource } from "../../src/base/source.ts";
import { bufferSource } from "../../src/bytes/buffer.ts";
import { loadCpuWeights, plainStore, planCpuWeights } from "../../src/cpu/weights.ts";
import type { ModelFile } from "../../src/file/types.ts";
import { readGguf } from "../../src/gguf/read.ts";
import { matricesOf, tensorsOf } from "../../src/graph/ops.ts";
import { buildGraph } from "../../src/models/index.ts";
import { fixture } from "../fixture.ts";

const bytes = await fixture("tiny-model/webgguf-tale-q4_k_m.gguf");
const file = await readGguf(bufferSource(bytes));
const graph = buildGraph(file, { contextLength: 32 });
const names = [...new Set(graph.ops.flatMap(matricesOf))];
const plan = planCpuWeights(graph, file);

describe("weights of the CPU path", () => {
  it("are the same however they are cut into pieces", async () => {
    const whole = await loadCpuWeights(file, plan, plainStore(plan));
    for (const pieceBytes of [1, 1000, 100_000]) {
      const sizes: number[] = [];
      const cut = await loadCpuWeights(
        { ...file, sources: [watched(file, sizes)] },
        plan,
        plainStore(plan, pieceBytes),
      );
      expect(cut.bytes).toBe(whole.bytes);
      for (const name of names) {
        const [a, b] = [whole.matrix(name), cut.matrix(name)];
        expect([b.rows, b.width]).toEqual([a.rows, a.width]);
        const [x, y] = [new Float32Array(a.width), new Float32Array(a.width)];
        for (let row = 0; row < a.rows; row += 7) {
          a.load(row, x);
          b.load(row, y);
          expect(y).toEqual(x);
        }
      }
      // Of a row at least, else of no more than was said.
      const all = graph.ops.flatMap(tensorsOf);
      const widest = Math.max(...all.map((name) => rowBytesOf(file, name)));
      expect(Math.max(...sizes)).toBeLessThanOrEqual(Math.max(pieceBytes, widest));
    }
  });

  it.each([
    ["too few", (length: number) => length - 1],
    ["too many", (length: number) => length + 1],
    ["no", () => 0],
  ])("are refused where %s bytes come", async (_, count) => {
    const inner = bufferSource(bytes, "odd.gguf");
    const source: ByteSource = {
      ...inner,
      async *stream(_offset, length) {
        if (count(length) > 0) yield new Uint8Array(count(length));
      },
    };
    await expect(
      loadCpuWeights({ ...file, sources: [source] }, plan, plainStore(plan)),
    ).rejects.toMatchObject({
      code: "source/io",
      file: "odd.gguf",
      expected: expect.any(Number),
    });
  });
});

function rowBytesOf({ tensors }: ModelFile, name: string): number {
  const { type, shape } = tensors.get(name)!;
  return (shape[0] / type.elements) * type.bytes;
}

/** The file's source, noting how much is asked for at once. */
function watched({ sources: [inner] }: ModelFile, sizes: number[]): ByteSource {
  return {
    ...inner,
    stream(offset, length, signal) {
      sizes.push(length);
      return inner.stream(offset, length, signal);
    },
  };
}
