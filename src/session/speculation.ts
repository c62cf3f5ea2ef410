/** How a model was loaded to draft tokens, and which drafter an answer uses. */
import { WebggufError } from "../base/errors.ts";
import type { SequenceId } from "../graph/requests.ts";
import type { DraftModel } from "./draft-model.ts";
import type { NgramDrafter } from "./ngram.ts";
import { type Drafter, MAX_DRAFT } from "./speculate.ts";
import type { GenerateOptions, LoadOptions, ModelSource } from "./types.ts";

/** {@link LoadOptions.speculation} with the defaults filled in. */
export interface Speculation {
  readonly kind: "none" | "ngram" | "draft";
  readonly draftMax: number;
  readonly draftMin: number;
}

/** Reads the option, a draft model's file apart. */
export function speculationOf(
  option: LoadOptions["speculation"] = "none",
): Speculation & { readonly model?: ModelSource } {
  const { model, draftMax = MAX_DRAFT, draftMin = 1 } = typeof option === "string" ? {} : option;
  const kind = typeof option === "string" ? option : model === undefined ? "ngram" : "draft";
  const most = Math.min(draftMax, MAX_DRAFT);
  return { kind, model, draftMax: most, draftMin: Math.min(draftMin, most) };
}

/** What drafts for an answer on `sequence`; undefined where nothing does. */
export function drafterFor(
  wanted: GenerateOptions["speculation"],
  speculation: Speculation,
  draftModel: DraftModel | undefined,
  ngram: NgramDrafter,
  sequence: SequenceId,
): Drafter | undefined {
  switch (wanted ?? speculation.kind) {
    case "none":
      return undefined;
    case "ngram":
      return ngram;
    case "draft":
      if (draftModel) return draftModel.drafter(sequence);
      throw new WebggufError(
        "input/invalid",
        "This model was loaded without a draft model; give loadModel one in its option speculation",
      );
  }
}
