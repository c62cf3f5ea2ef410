/** llama.cpp's mixtures: which tensors of a recipe get another type than most. */
import type { Kind } from "./names.ts";
import type { Recipe } from "./recipes.ts";

/** What a mixture depends on, besides the tensor. */
export interface Model {
  readonly architecture: string;
  readonly experts: number;
  /** Query heads that share a key head, of the first layer. */
  readonly sharing: number;
  /** Has eight query heads that share values, and 80 layers, so that those matrices are small. */
  readonly is70b: boolean;
  /** Whether there is importance. */
  readonly important: boolean;
  /** Whether the output is the token embeddings. */
  readonly tied: boolean;
}

/** A tensor in the order of the file. */
export interface Place {
  readonly kind: Kind;
  /** Row length. */
  readonly columns: number;
  /** Matrices stacked. */
  readonly stacked: number;
  /** Number among those of its kind that a mixture was asked for (attn_v, attn_qkv and attn_kv_b are one kind). */
  readonly number: number;
  /** The layer in the feed-forward part of models with experts, else {@link number}. */
  readonly index: number;
  /** How many there are of its kind. */
  readonly count: number;
}

type Name = string;
const among = (recipe: Recipe, ...names: Name[]): boolean => names.includes(recipe.name);

/** The lowest-bit recipes, which have rules of their own. */
const isTiny = (recipe: Recipe): boolean =>
  among(recipe, "IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ2_M", "IQ1_S", "IQ1_M");
/** Of those the larger ones. */
const isTwoBit = (recipe: Recipe): boolean => among(recipe, "IQ2_S", "IQ2_M");

const eighth = (count: number): number => Math.floor(count / 8);

/** The first and last eighths, and every third between. */
function moreBits(index: number, count: number): boolean {
  const first = eighth(count);
  return index < first || index >= Math.floor((7 * count) / 8) || (index - first) % 3 === 2;
}

function ofOutput(recipe: Recipe, type: Name, model: Model, blocks: boolean): Name {
  if (recipe.name === "MXFP4_MOE" || model.architecture === "falcon" || !blocks) return "Q8_0";
  if (isTiny(recipe) || recipe.name === "IQ3_XXS") return "Q5_K";
  return type === "Q8_0" ? type : "Q6_K";
}

function ofEmbedding(recipe: Recipe, type: Name): Name {
  if (among(recipe, "IQ2_XXS", "IQ2_XS", "IQ1_S", "IQ1_M")) return "Q2_K";
  if (among(recipe, "IQ2_S", "IQ2_M", "IQ3_XXS")) return "IQ3_S";
  return among(recipe, "TQ1_0", "TQ2_0", "Q2_0") ? "Q4_K" : type;
}

function ofTiny(recipe: Recipe, type: Name, { kind, number, count }: Place, model: Model): Name {
  const better = isTwoBit(recipe) ? "IQ3_S" : "Q2_K";
  switch (kind) {
    case "attn_v":
    case "attn_qkv":
    case "attn_kv_b":
      return model.sharing >= 4 || model.experts >= 4 ? "Q4_K" : better;
    case "attn_k":
      return model.experts === 8 ? "Q4_K" : type;
    case "ffn_down":
      return number < eighth(count) ? better : type;
    case "attn_output":
      if (model.experts === 8) return "Q5_K";
      if (among(recipe, "IQ1_S", "IQ1_M")) return "IQ2_XXS";
      return isTwoBit(recipe) ? "IQ3_S" : type;
    default:
      return type;
  }
}

function ofValues(recipe: Recipe, type: Name, { index, count }: Place, model: Model): Name {
  if (model.experts === 8) return "Q8_0";
  const shared = model.sharing >= 4;
  const plain = ((): Name => {
    switch (recipe.name) {
      case "Q2_K":
        return shared ? "Q4_K" : "Q3_K";
      case "IQ3_XXS":
        return shared ? "Q4_K" : model.important ? "IQ3_XXS" : "IQ3_S";
      case "Q2_K_S":
      case "IQ3_XS":
      case "IQ3_S":
        return shared ? "Q4_K" : type;
      case "IQ3_M":
        return "Q4_K";
      case "Q3_K_M":
        return index < 2 ? "Q5_K" : "Q4_K";
      case "Q3_K_L":
        return "Q5_K";
      case "IQ4_NL":
      case "IQ4_XS":
        return shared ? "Q5_K" : type;
      case "Q4_K_M":
      case "Q5_K_M":
        return moreBits(index, count) ? "Q6_K" : type;
      case "Q4_K_S":
        return index < 4 ? "Q5_K" : type;
      default:
        return type;
    }
  })();
  return model.is70b && (plain === "Q3_K" || plain === "Q4_K") ? "Q5_K" : plain;
}

function ofDown(recipe: Recipe, type: Name, { index, count }: Place, model: Model): Name {
  const falcon = model.architecture === "falcon";
  const early = index < eighth(count);
  switch (recipe.name) {
    case "Q2_K":
      return "Q3_K";
    case "Q2_K_S":
      return early ? "Q4_K" : type;
    case "IQ3_XXS":
      return model.important ? type : early ? "Q4_K" : "Q3_K";
    case "Q3_K_M":
      if (index < Math.floor(count / 16)) return "Q5_K";
      return !falcon || moreBits(index, count) ? "Q4_K" : "Q3_K";
    case "IQ3_M":
      return early || (model.experts === 8 && moreBits(index, count)) ? "Q4_K" : type;
    case "Q3_K_L":
      return falcon ? "Q4_K" : "Q5_K";
    case "Q4_K_M":
      if (!falcon) return moreBits(index, count) ? "Q6_K" : type;
      if (index < Math.floor(count / 16)) return "Q6_K";
      return moreBits(index, count) ? "Q5_K" : "Q4_K";
    case "IQ4_NL":
    case "IQ4_XS":
      return early && !model.important ? "Q5_K" : type;
    case "Q5_K_M":
      return moreBits(index, count) ? "Q6_K" : type;
    case "Q4_K_S":
      return early && !falcon ? "Q5_K" : type;
    case "Q4_0":
      return early && model.important ? "Q4_1" : type;
    case "Q5_0":
      return early && model.important ? "Q5_1" : type;
    default:
      return type;
  }
}

function ofAttentionOutput(recipe: Recipe, type: Name, model: Model): Name {
  if (model.architecture === "falcon") return recipe.name === "Q3_K_L" ? "Q4_K" : type;
  if (model.experts === 8) {
    const five = /^(Q2_K|IQ3_(XS|XXS|S|M)|Q3_K_[SM]|IQ4_(NL|XS)|Q4_K_[SM])$/.test(recipe.name);
    return five ? "Q5_K" : type;
  }
  switch (recipe.name) {
    case "Q2_K":
      return "Q3_K";
    case "IQ3_XXS":
      return "IQ3_S";
    case "Q3_K_M":
    case "IQ3_M":
      return "Q4_K";
    case "Q3_K_L":
      return "Q5_K";
    default:
      return type;
  }
}

/** The type that a recipe gives a tensor, before its shape is asked; `block` is the length of a block of most tensors' type. */
export function mixed(recipe: Recipe, block: number, place: Place, model: Model): Name {
  const type = recipe.type as Name;
  const { kind, index, count } = place;
  if (kind === "output" || (kind === "token_embd" && model.tied))
    return ofOutput(recipe, type, model, place.columns % block === 0);
  if (recipe.name === "MXFP4_MOE") {
    // Projections of some attentions are stacked too.
    const expert = model.architecture !== "bailingmoe3" || kind.startsWith("ffn_");
    return place.stacked > 1 && expert ? "MXFP4" : "Q8_0";
  }
  if (kind === "token_embd") return ofEmbedding(recipe, type);
  if (isTiny(recipe)) return ofTiny(recipe, type, place, model);
  const middle = index >= eighth(count) && index < Math.floor((7 * count) / 8);
  switch (kind) {
    case "attn_v":
    case "attn_qkv":
    case "attn_kv_b":
      return ofValues(recipe, type, place, model);
    case "attn_k":
      if (model.experts === 8) return "Q8_0";
      return recipe.name === "IQ3_XS" ? "IQ3_XXS" : recipe.name === "IQ3_XXS" ? "IQ2_S" : type;
    case "attn_q":
      return recipe.name === "IQ3_XS" ? "IQ3_XXS" : recipe.name === "IQ3_XXS" ? "IQ2_S" : type;
    case "ffn_down":
      return ofDown(recipe, type, place, model);
    case "attn_output":
      return ofAttentionOutput(recipe, type, model);
    case "ffn_gate":
    case "ffn_up":
      return recipe.name === "IQ3_XS" && middle ? "IQ3_XXS" : type;
    default:
      return type;
  }
}

/** Types of blocks of 32 for rows that are no multiple of the type's blocks; others have none. */
const fallbacks: Readonly<Record<string, string>> = {
  ...{ IQ1_S: "IQ4_NL", IQ1_M: "IQ4_NL", IQ2_XXS: "IQ4_NL", IQ2_XS: "IQ4_NL", IQ2_S: "IQ4_NL" },
  ...{ IQ3_XXS: "IQ4_NL", IQ3_S: "IQ4_NL", IQ4_XS: "IQ4_NL" },
  ...{ Q2_0: "Q4_0", Q2_K: "Q4_0", Q3_K: "Q4_0", TQ1_0: "Q4_0", TQ2_0: "Q4_0" },
  ...{ Q4_K: "Q5_0", Q5_K: "Q5_1", Q6_K: "Q8_0" },
};

/** What stands in for a type whose blocks do not fit a row; undefined: nothing does. */
export function fallbackOf(type: Name): Name | undefined {
  return fallbacks[type];
}
