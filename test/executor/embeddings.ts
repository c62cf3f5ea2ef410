import { dequantize } from "../../src/file/decode/index.ts";
import type { ModelFile } from "../../src/file/types.ts";
import { joined } from "../plan/models.ts";

/** The embeddings of tokens in a model's table, [tokens][width], as its first op looks them up. */
export const embeddingsOf =
  (file: ModelFile) =>
  async (tokens: readonly number[]): Promise<Float32Array> => {
    const table = file.tensors.get("token_embd.weight")!;
    const values = new Float32Array(table.elements);
    const bytes = await file.sources[table.part].read(table.offset, table.bytes);
    dequantize(table.type, bytes, values, table.elements);
    const width = table.shape[0];
    return joined(tokens.map((token) => values.subarray(token * width, (token + 1) * width)));
  };
