/** Which type each tensor of a file gets: a recipe with its options, as llama-quantize decides. */
import { WebggufError } from "../base/errors.ts";
import { quoted } from "../base/text.ts";
import type { Metadata } from "../file/metadata.ts";
import { type QuantType, quantByName, rowBytes } from "../file/quants.ts";
import type { TensorInfo } from "../file/types.ts";
import { fallbackOf, type Model, mixed } from "./mixture.ts";
import {
  byLayer,
  dimensions,
  isEmbedding,
  isQuantized,
  type Kind,
  kindOf,
  layerOf,
} from "./names.ts";
import type { Recipe } from "./recipes.ts";
import { canQuantize } from "./rows.ts";

export interface PlanOptions {
  /** Leaves `output.weight` as it is. */
  readonly leaveOutput?: boolean;
  /** No mixture: all matrices get the recipe's type. */
  readonly pure?: boolean;
  readonly outputType?: QuantType;
  readonly embeddingType?: QuantType;
  /** The first pattern that is found in a tensor's name decides its type. */
  readonly tensorTypes?: readonly (readonly [pattern: string, type: QuantType])[];
  /** Whether there is importance. */
  readonly important?: boolean;
  /** Keeps the order of the file instead of llama.cpp's by layers. */
  readonly keepOrder?: boolean;
}

/** What becomes of a tensor. */
export interface PlannedTensor {
  readonly from: TensorInfo;
  readonly type: QuantType;
  readonly bytes: number;
  /** Lengths without trailing ones. */
  readonly shape: readonly number[];
  /** The type that was chosen first, where rows do not fit its blocks. */
  readonly insteadOf?: QuantType;
  /** Whether the type makes no sense without importance. */
  readonly needsImportance: boolean;
}

/** The blocks of these say little of what their weights were: importance has to tell which errors matter. */
const importantTypes: ReadonlySet<string> = new Set([
  "IQ3_XXS",
  "IQ2_XXS",
  "IQ2_XS",
  "IQ2_S",
  "IQ1_M",
  "IQ1_S",
]);

/** Layers of the models in which values are shared by so many heads that their matrices are small. */
const large: Readonly<Record<string, number>> = { llama: 80, qwen2: 80, deci: 80, jais2: 68 };

/** The value of a key, the first of one that has an entry a layer. */
function first(metadata: Metadata, key: string, fallback: number): number {
  const value = metadata.get(key);
  if (typeof value === "number") return value;
  if (typeof value !== "object") return fallback;
  return Number(value[0] ?? fallback);
}

function modelOf(metadata: Metadata, names: Iterable<string>, important: boolean): Model {
  const architecture = metadata.string("general.architecture", "");
  const key = (name: string): string => `${architecture}.${name}`;
  const heads = first(metadata, key("attention.head_count"), 0);
  const keyHeads = first(metadata, key("attention.head_count_kv"), heads);
  const layers = metadata.integer(key("block_count"), 0);
  return {
    architecture,
    experts: metadata.integer(key("expert_count"), 0),
    sharing: keyHeads > 0 ? Math.floor(heads / keyHeads) : 0,
    is70b: layers === large[architecture] && (architecture !== "llama" || heads !== keyHeads),
    important,
    tied: ![...names].includes("output.weight"),
  };
}

function typeNamed(name: string): QuantType {
  const type = quantByName(name);
  if (!type) throw new Error(`No tensor type ${name}`);
  return type;
}

/** How tensors of a kind are counted. */
const countedAs = (kind: Kind): Kind =>
  kind === "attn_qkv" || kind === "attn_kv_b" ? "attn_v" : kind;

/** A type whose blocks fit the rows: the type itself, its fallback, or F16. */
function fitting(type: QuantType, columns: number, tensor: TensorInfo): QuantType {
  if (columns % type.elements === 0) return type;
  const name = fallbackOf(type.name);
  if (name === undefined)
    throw new WebggufError(
      "input/invalid",
      `Cannot quantise ${quoted(tensor.name)} to ${type.name}: its rows of ${columns} are no multiple of ${type.elements}, and no type stands in; choose another type`,
      { tensor: tensor.name, expected: type.elements, actual: columns },
    );
  const fallback = typeNamed(name);
  return columns % fallback.elements === 0 ? fallback : typeNamed("F16");
}

/** Decides for all tensors, in the order in which they are to be written. */
export function planTypes(
  metadata: Metadata,
  tensors: Iterable<TensorInfo>,
  recipe: Recipe,
  options: PlanOptions = {},
): PlannedTensor[] {
  const sorted = [...tensors];
  if (!options.keepOrder) sorted.sort((a, b) => byLayer(a.name, b.name));
  const names = sorted.map(({ name }) => name);
  const model = modelOf(metadata, names, options.important ?? false);
  const layers = metadata.integer(`${model.architecture}.block_count`, 0);
  const values = names.filter((name) => countedAs(kindOf(name)) === "attn_v").length;
  const patterns = (options.tensorTypes ?? []).map(
    ([pattern, type]) => [regularExpression(pattern), type] as const,
  );
  const asked = new Map<Kind, number>();

  function wanted(tensor: TensorInfo, basic: QuantType): QuantType {
    const { name, shape } = tensor;
    const kind = kindOf(name);
    if (options.embeddingType && kind === "token_embd") return options.embeddingType;
    if (options.outputType && kind === "output") return options.outputType;
    if (basic.elements === 1) return basic;
    const own = patterns.find(([pattern]) => pattern.test(name));
    if (own) return own[1];
    if (options.pure) return basic;
    if (options.outputType && kind === "token_embd" && model.tied) return options.outputType;
    const counted = countedAs(kind);
    const number = asked.get(counted) ?? 0;
    asked.set(counted, number + 1);
    const index = kind.startsWith("ffn_") && model.experts > 1 ? layerIn(tensor, layers) : number;
    const place = {
      ...{ kind, number, index },
      columns: shape[0],
      stacked: shape[2] ?? 1,
      count: counted === "attn_v" ? values : layers,
    };
    return typeNamed(mixed(recipe, basic.elements, place, model));
  }

  return sorted.map((from) => {
    const shape = dimensions(from.shape);
    const kept =
      recipe.type === undefined ||
      !isQuantized(from.name, from.shape) ||
      (options.leaveOutput === true && from.name === "output.weight");
    const chosen = kept ? from.type : wanted(from, typeNamed(recipe.type));
    const type = kept ? chosen : fitting(chosen, shape[0], from);
    if (!kept && !canQuantize(type))
      throw new WebggufError(
        "input/invalid",
        `Cannot quantise ${quoted(from.name)} to ${type.name}: that is no type of weights`,
        { tensor: from.name, actual: type.name },
      );
    const low = importantTypes.has(type.name) || (type.name === "Q2_K" && recipe.name === "Q2_K_S");
    return {
      from,
      type,
      shape,
      bytes: rowBytes(type, from.elements),
      ...(type !== chosen && { insteadOf: chosen }),
      needsImportance: !kept && low && !isEmbedding(from.name) && from.name !== "output.weight",
    };
  });
}

function layerIn({ name }: TensorInfo, layers: number): number {
  const layer = layerOf(name);
  if (layer !== undefined && layer < layers) return layer;
  throw new WebggufError(
    "model/invalid",
    `Cannot choose a type for ${quoted(name)}: its name says no layer below ${layers}`,
    { tensor: name, expected: layers, actual: layer },
  );
}

/** As llama.cpp takes them: in lower case, found anywhere in a name. */
function regularExpression(pattern: string): RegExp {
  try {
    return new RegExp(pattern.toLowerCase());
  } catch (cause) {
    throw new WebggufError(
      "input/invalid",
      `Cannot read ${quoted(pattern)} as a regular expression of tensor names`,
      { actual: pattern, cause },
    );
  }
}
