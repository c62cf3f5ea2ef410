/** Tensors that the graph has no use for are told of; those that published files carry along are not. */
import { describe, expect, it } from "vitest";
import { loadModel, type ModelFile, type TensorInfo } from "../../mod.ts";
import { bufferSource } from "../../src/bytes/buffer.ts";
import { readGguf } from "../../src/gguf/read.ts";
import { ggufBytes } from "../../src/gguf/write.ts";
import { architectures, buildGraph } from "../../src/models/index.ts";
import { unreadTensors } from "../../src/session/unread.ts";
import { fixture } from "../fixture.ts";
import { familyFile } from "../models/headers.ts";

/** The file with these tensors beside its own; nothing reads their data. */
function withTensors(file: ModelFile, more: readonly string[]): ModelFile {
  const [any] = file.tensors.values();
  const table = new Map<string, TensorInfo>(file.tensors);
  for (const name of more) table.set(name, { ...any, name });
  return { ...file, tensors: table };
}

const unread = (file: ModelFile, contextLength: number): string[] =>
  unreadTensors(file, buildGraph(file, { contextLength }));

describe("the tensors of a file", () => {
  it.each(architectures())("of %s are all read or known; others are found", (name) => {
    const file = familyFile(name, {});
    for (const contextLength of [32, 256]) expect(unread(file, contextLength)).toEqual([]);
    const layers = file.metadata.integer(
      `${file.metadata.string("general.architecture")}.block_count`,
    );
    const strange = [
      "blk.0.attn_strange.weight",
      `blk.${layers - 1}.ffn_strange.bias`,
      `blk.${layers}.attn_norm.weight`,
      "dense.0.weight",
      "v.patch_embd.weight",
    ];
    expect(unread(withTensors(file, strange), 32)).toEqual(strange);
  });

  it("that draft tokens, or are for another context or for activations, are carried along", () => {
    const file = familyFile("llama", {});
    const carried = [
      "blk.1.nextn.eh_proj.weight",
      "mtp.0.norm.weight",
      "rope_factors_long.weight",
      "blk.0.attn_q.input_scale",
    ];
    expect(unread(withTensors(file, carried), 32)).toEqual([]);
  });
});

describe("loading", () => {
  it("tells of them in one notice, and of nothing else", async () => {
    const bytes = await fixture("reference/archs/llama.gguf");
    const file = await readGguf(bufferSource(bytes));
    const write = (more: readonly string[]): Promise<Uint8Array<ArrayBuffer>> => {
      const tensors = Array.from(file.tensors.values(), (tensor) => ({
        ...tensor,
        data: bytes.subarray(tensor.offset, tensor.offset + tensor.bytes),
      }));
      const [any] = tensors;
      return ggufBytes({
        metadata: file.metadata,
        tensors: [...tensors, ...more.map((name) => ({ ...any, name }))],
      });
    };
    const notices = async (more: readonly string[]): Promise<string[]> => {
      const told: string[] = [];
      const model = await loadModel(await write(more), {
        device: "cpu",
        onNotice: (text) => told.push(text),
      });
      await model.dispose();
      return told;
    };
    expect(await notices([])).toEqual([]);
    const one = await notices(["blk.0.attn_strange.weight"]);
    expect(one).toEqual([
      expect.stringMatching(/memory has a tensor .*blk\.0\.attn_strange\.weight/),
    ]);
    const many = Array.from({ length: 1000 }, (_, i) => `strange.${i}\u001b[2J.weight`);
    const [notice, ...others] = await notices(many);
    expect(others).toEqual([]);
    expect(notice).toContain("1000 tensors");
    expect(notice.length).toBeLessThan(400);
    expect(notice).not.toMatch(/\p{Cc}/u);
  });
});
