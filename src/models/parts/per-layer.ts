/** Embeddings that each layer gets of its own (Gemma 3n and 4). */
import type { Ref } from "../../graph/ops.ts";
import type { ModelBuilder } from "./model.ts";

/** (norm(projection of the stream) + table row) / √2: `width` elements for each layer. */
export function perLayerInputs(m: ModelBuilder, stream: Ref, width: number): Ref {
  const table = m.scale(m.embed("per_layer_token_embd"), Math.sqrt(width));
  const projected = m.scale(
    m.linear(stream, "per_layer_model_proj"),
    1 / Math.sqrt(m.width(stream)),
  );
  const normed = m.rmsNorm(projected, "per_layer_proj_norm", width);
  return m.scale(m.add(normed, table), Math.SQRT1_2);
}

/** What a layer makes of its own embedding: norm(proj(gelu(gate(x)) · input)). */
export function perLayerBlock(m: ModelBuilder, x: Ref, inputs: Ref, layer: number): Ref {
  const gate = m.linear(x, "inp_gate");
  const width = m.width(gate);
  const gated = m.gated(gate, m.slice(inputs, layer * width, width), "gelu");
  return m.rmsNorm(m.linear(gated, "proj"), "post_norm");
}
