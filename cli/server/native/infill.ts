/** `/infill`: the text between a beginning and an end, for models that were trained to fill in. */
import type { Model } from "../../../mod.ts";
import type { Call } from "../context.ts";
import { requireRoom } from "../conversation.ts";
import { ApiError } from "../errors.ts";
import { Fields, readFields } from "../fields.ts";
import { answerNative } from "./completion.ts";

/** Keys of the ids in a file, and how the vocabularies that have no keys spell them. */
const TOKENS = {
  prefix: ["fim_pre_token_id", "<|fim_prefix|>", "<fim_prefix>", "<fim-prefix>", "<PRE>", "▁<PRE>"],
  suffix: ["fim_suf_token_id", "<|fim_suffix|>", "<fim_suffix>", "<fim-suffix>", "<SUF>", "▁<SUF>"],
  middle: ["fim_mid_token_id", "<|fim_middle|>", "<fim_middle>", "<fim-middle>", "<MID>", "▁<MID>"],
  file: ["fim_sep_token_id", "<|file_sep|>"],
} as const;

function tokenOf({ file, tokenizer }: Model, kind: keyof typeof TOKENS): number | undefined {
  const [key, ...spellings] = TOKENS[kind];
  const id = file.metadata.get(`tokenizer.ggml.${key}`);
  if (typeof id === "number") return id;
  for (const spelling of spellings) {
    const ids = tokenizer.encode(spelling, { addSpecial: false, parseSpecial: true });
    if (ids.length === 1 && tokenizer.isSpecial(ids[0])) return ids[0];
  }
  return undefined;
}

export async function infill(call: Call): Promise<Response> {
  const body = await readFields(call.request, call.options);
  const before = body.required("input_prefix", body.text("input_prefix"));
  const after = body.required("input_suffix", body.text("input_suffix"));
  const begun = body.text("prompt") ?? "";
  const extra = (body.list("input_extra") ?? []).map((value, i) => {
    const file = new Fields(value, `input_extra[${i}]`);
    return { name: file.text("filename") ?? "", text: file.required("text", file.text("text")) };
  });
  return answerNative(call, body, (model) => {
    const [pre, suf, mid] = (["prefix", "suffix", "middle"] as const).map((kind) =>
      tokenOf(model, kind),
    );
    if (pre === undefined || suf === undefined || mid === undefined)
      throw new ApiError(501, "This model was not trained to fill in: it has no tokens for that");
    const { tokenizer } = model;
    const encode = (text: string): number[] => [...tokenizer.encode(text, { addSpecial: false })];
    const separator = tokenOf(model, "file");
    const files = extra.flatMap(({ name, text }) => [
      ...(separator === undefined ? encode("\n\n--- snippet ---\n\n") : [separator]),
      ...encode(separator === undefined ? text : `${name}\n${text}`),
    ]);
    const tokens = [
      ...(tokenizer.addBos && tokenizer.bos !== undefined ? [tokenizer.bos] : []),
      ...[...files, pre, ...encode(before), suf, ...encode(after), mid, ...encode(begun)],
    ];
    requireRoom(model, tokens.length);
    return { prompts: [tokens], many: false };
  });
}
