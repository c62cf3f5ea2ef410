/** `/rerank`: documents by how well they answer a query, for models that give such scores. */
import type { Model } from "../../../mod.ts";
import { type Call, json, withLease } from "../context.ts";
import { ApiError, refuse } from "../errors.ts";
import { readFields } from "../fields.ts";
import { vectorsOf } from "../openai/embeddings.ts";

/** `pooling_type` of models that give scores. */
const RANK = 4;

function requireRanks({ file, architecture }: Model): void {
  const family = file.metadata.get("general.architecture") ?? architecture;
  if (file.metadata.get(`${family}.pooling_type`) !== RANK)
    throw new ApiError(
      501,
      "This model gives no scores: reranking takes a model whose pooling is rank, such as bge-reranker or Qwen3-Reranker",
    );
}

/** The tokens of a query with a document: by the file's template for it, else one behind the other as BERT has them. */
function pairOf({ file, tokenizer }: Model, query: string, document: string): number[] {
  const template = file.metadata.get("tokenizer.chat_template.rerank");
  if (typeof template === "string") {
    const text = template.replaceAll(/\{(query|document)\}/g, (_, name) =>
      name === "query" ? query : document,
    );
    return [...tokenizer.encode(text, { addSpecial: false, parseSpecial: true })];
  }
  const { bos, eos, addBos, addEos } = tokenizer;
  const encode = (text: string): number[] => [...tokenizer.encode(text, { addSpecial: false })];
  const separator = idOf(file.metadata.get("tokenizer.ggml.seperator_token_id"));
  const end = addEos ? (eos ?? separator) : undefined;
  const adds = file.metadata.get("tokenizer.ggml.add_sep_token") === true;
  const some = (id: number | undefined): number[] => (id === undefined ? [] : [id]);
  return [
    ...some(addBos ? bos : undefined),
    ...[...encode(query), ...some(end), ...some(adds ? separator : undefined)],
    ...[...encode(document), ...some(end)],
  ];
}

const idOf = (value: unknown): number | undefined =>
  typeof value === "number" ? value : undefined;

export async function rerank(call: Call): Promise<Response> {
  const body = await readFields(call.request, call.options);
  const query = body.required("query", body.text("query"));
  // Text Embeddings Inference's field, with an answer in its form.
  const inTexts = body.has("texts");
  const key = inTexts ? "texts" : "documents";
  const documents = body.required(key, body.texts(key));
  if (documents.length === 0) refuse(key, "a list of at least one text", documents);
  const most = body.whole("top_n", 1) ?? documents.length;
  const withText = body.flag("return_text") ?? false;
  const wanted = body.text("model");
  return withLease(call, wanted, async ({ served }) => {
    requireRanks(served.model);
    const pairs = documents.map((document) => pairOf(served.model, query, document));
    const found = await vectorsOf(call, served, pairs);
    const results = found
      .map(({ vector }, index) => ({ index, score: vector[0] }))
      .sort((a, b) => b.score - a.score)
      .slice(0, most);
    if (inTexts)
      return json(
        results.map(({ index, score }) => ({
          ...{ index, score },
          ...(withText && { text: documents[index] }),
        })),
      );
    const tokens = pairs.reduce((sum, pair) => sum + pair.length, 0);
    return json({
      model: wanted ?? served.id,
      object: "list",
      usage: { prompt_tokens: tokens, total_tokens: tokens },
      results: results.map(({ index, score }) => ({ index, relevance_score: score })),
    });
  });
}
