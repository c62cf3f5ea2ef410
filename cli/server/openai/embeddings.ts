/** `/v1/embeddings` and llama-server's `/embedding`. */
import type { Embedding, Model } from "../../../mod.ts";
import { type Call, json, withLease } from "../context.ts";
import { refuse } from "../errors.ts";
import { type Fields, readFields } from "../fields.ts";
import type { Served } from "../host.ts";

/** A text, or its token ids. */
type Text = string | readonly number[];

/** The texts of a field, or their ids. */
function textsOf(body: Fields, key: string, { tokenizer }: Model): Text[] {
  const given = body.required(key, body.any(key));
  const name = body.name(key);
  const many = Array.isArray(given) && !given.every((one) => typeof one === "number");
  const list = many ? (given as unknown[]) : [given];
  if (list.length === 0) refuse(name, "at least one text", given);
  return list.map((one, i) => {
    if (typeof one === "string") {
      if (one === "") refuse(many ? `${name}[${i}]` : name, "a text that is not empty", one);
      return one;
    }
    const isIds =
      Array.isArray(one) &&
      one.length > 0 &&
      one.every((id) => Number.isInteger(id) && id >= 0 && id < tokenizer.size);
    if (!isIds) return refuse(many ? `${name}[${i}]` : name, "a text or a list of token ids", one);
    return one as number[];
  });
}

/** The vectors of texts. */
export const vectorsOf = (
  { signal }: Call,
  { model, revival }: Served,
  texts: readonly Text[],
): Promise<Embedding[]> => revival.run(() => model.embed(texts, { signal }), signal);

/** A vector cut to `dimensions`, at length 1 again. */
function shortened(vector: Float32Array, dimensions: number | undefined): Float32Array {
  if (dimensions === undefined || dimensions >= vector.length) return vector;
  const cut = vector.slice(0, dimensions);
  const length = Math.hypot(...cut) || 1;
  return cut.map((value) => value / length);
}

function base64(vector: Float32Array): string {
  const bytes = new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength);
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

export async function embeddings(call: Call): Promise<Response> {
  const body = await readFields(call.request, call.options);
  const wanted = body.text("model");
  return withLease(call, wanted, async ({ served }) => {
    const key = body.has("input") ? "input" : body.has("content") ? "content" : "input";
    const texts = textsOf(body, key, served.model);
    const format = body.oneOf("encoding_format", "float", "base64") ?? "float";
    const dimensions = body.whole("dimensions", 1);
    const found = await vectorsOf(call, served, texts);
    const width = found[0].vector.length;
    if (dimensions !== undefined && dimensions > width)
      refuse("dimensions", `at most ${width}, the width of this model's vectors`, dimensions);
    const tokens = found.reduce((sum, one) => sum + one.tokens, 0);
    return json({
      object: "list",
      model: wanted ?? served.id,
      data: found.map(({ vector }, index) => {
        const cut = shortened(vector, dimensions);
        return {
          object: "embedding",
          index,
          embedding: format === "base64" ? base64(cut) : Array.from(cut),
        };
      }),
      usage: { prompt_tokens: tokens, total_tokens: tokens },
    });
  });
}

/** llama-server's own form: a list with one vector for each text. */
export async function embedding(call: Call): Promise<Response> {
  const body = await readFields(call.request, call.options);
  return withLease(call, body.text("model"), async ({ served }) => {
    const texts = textsOf(body, body.has("content") ? "content" : "input", served.model);
    const found = await vectorsOf(call, served, texts);
    return json(found.map(({ vector }, index) => ({ index, embedding: [Array.from(vector)] })));
  });
}
