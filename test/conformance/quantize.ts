/** Quantised bytes, types by recipe and importance matrices, as llama.cpp has them. */
import { bufferSource } from "../../src/bytes/buffer.ts";
import { Metadata } from "../../src/file/metadata.ts";
import { type QuantType, quantByName, rowBytes } from "../../src/file/quants.ts";
import type { ModelFile, TensorInfo } from "../../src/file/types.ts";
import { readGguf } from "../../src/gguf/read.ts";
import { type Importance, importanceOf, readImportance } from "../../src/quantize/importance.ts";
import { type PlanOptions, planTypes } from "../../src/quantize/plan.ts";
import { planFile, writePart } from "../../src/quantize/quantize.ts";
import { recipeOf } from "../../src/quantize/recipes.ts";
import { quantizeRows } from "../../src/quantize/rows.ts";
import { imatrix } from "../../src/tools/mod.ts";
import {
  atMost,
  type Case,
  differences,
  ifThere,
  type Outcome,
  type Reader,
  readFloats,
  readJson,
  type Setup,
} from "./case.ts";

type Kind = "plain" | "imatrix";
interface TypeEntry {
  readonly order: readonly string[];
  readonly plain?: { readonly file?: string; readonly the_same_as?: Kind };
  readonly imatrix?: { readonly file?: string; readonly the_same_as?: Kind };
}
interface Index {
  readonly matrices: Readonly<Record<string, { rows: number; columns: number }>>;
  readonly types: Readonly<Record<string, TypeEntry>>;
}
type Types = Readonly<Record<string, string>>;
interface RecipeModel {
  readonly file?: string;
  readonly kv?: Readonly<Record<string, string | number>>;
  readonly tensors?: readonly (readonly [string, readonly number[]])[];
  readonly recipes: Readonly<Record<string, { plain: Types | null; imatrix?: Types | null }>>;
  readonly options: Readonly<Record<string, Types | null>>;
}
interface Written {
  readonly file_type: number;
  readonly quantize_keys: Readonly<Record<string, unknown>>;
  readonly tensors: Readonly<Record<string, readonly [type: string, sha256: string]>>;
}

/** Reads `quantize/…` of a reference folder; `tinyModel` reads the model that the recipes were tried on. */
export async function quantizeCases(reference: Reader, tinyModel: Reader): Promise<Case[]> {
  const read: Reader = (path) => reference(`quantize/${path}`);
  const index = await ifThere(readJson<Index>(read, "index.json"));
  const recipes = await ifThere(
    readJson<{ models: Record<string, RecipeModel> }>(read, "recipes.json"),
  );
  const written = await ifThere(
    readJson<{ recipes: Record<string, Written | null> }>(read, "tiny-model.json"),
  );
  const computes = false;
  const measured = "tiny-model.imatrix-f32.gguf";
  return [
    ...((await ifThere(read(measured)))
      ? [
          {
            name: "quantize/imatrix",
            computes: true,
            run: ({ device }: Setup) => importance(read, tinyModel, measured, device),
          },
        ]
      : []),
    ...Object.entries(index?.types ?? {}).map(([name, entry]) => ({
      name: `quantize/${name}`,
      computes,
      run: () => rows(read, index as Index, named(name), entry),
    })),
    ...Object.entries(recipes?.models ?? {}).map(([name, model]) => ({
      name: `quantize/recipes-${name}`,
      computes,
      run: () => types(model, tinyModel),
    })),
    ...Object.entries(written?.recipes ?? {}).map(([name, expected]) => ({
      name: `quantize/tiny-model-${name}`,
      computes,
      run: () => files(read, tinyModel, name, expected),
    })),
  ];
}

function named(name: string): QuantType {
  const type = quantByName(name);
  if (!type) throw new Error(`unsupported type ${name}`);
  return type;
}

/** Bytes of a type that differ, without and with importance. */
async function rows(
  read: Reader,
  { matrices }: Index,
  type: QuantType,
  entry: TypeEntry,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const kind of ["plain", "imatrix"] as const) {
    const given = entry[kind];
    const file = given?.file ?? (given?.the_same_as && entry[given.the_same_as]?.file);
    if (!file) continue;
    const expected = await read(file);
    let at = 0;
    let wrong = 0;
    for (const name of entry.order) {
      const { rows: count, columns } = matrices[name];
      const out = new Uint8Array(count * rowBytes(type, columns));
      const importance =
        kind === "imatrix" ? await readFloats(read, `${name}.imatrix.f32`) : undefined;
      quantizeRows(type, await readFloats(read, `${name}.f32`), columns, out, importance);
      for (let i = 0; i < out.length; i++) if (out[i] !== expected[at + i]) wrong++;
      at += out.length;
    }
    if (at !== expected.length) wrong += Math.abs(at - expected.length);
    outcomes.push(differences(`bytes that differ, ${kind}`, wrong));
  }
  return outcomes;
}

async function readModel(read: Reader, path: string): Promise<ModelFile> {
  return readGguf(bufferSource(await read(path), path));
}

/** Metadata and tensors of a model of which the reference says shapes alone: F16 but for vectors and routers. */
function made({ kv = {}, tensors = [] }: RecipeModel): [Metadata, TensorInfo[]] {
  const infos = tensors.map(([name, shape]) => ({
    ...{ name, shape, offset: 0, bytes: 0, part: 0 },
    type: named(shape.length > 1 && !name.includes("ffn_gate_inp") ? "F16" : "F32"),
    elements: shape.reduce((product, length) => product * length, 1),
  }));
  return [new Metadata("recipe", new Map(Object.entries(kv))), infos];
}

/** llama-quantize's flags as options. */
function optionsOf(flag: string, value: string): PlanOptions {
  const [pattern, type] = value.split(/=(?=[^=]*$)/);
  switch (flag) {
    case "--leave-output-tensor":
      return { leaveOutput: true };
    case "--pure":
      return { pure: true };
    case "--output-tensor-type":
      return { outputType: named(value) };
    case "--token-embedding-type":
      return { embeddingType: named(value) };
    case "--tensor-type":
      return { tensorTypes: [[pattern, named(type)]] };
    default:
      throw new Error(`unsupported option ${flag}`);
  }
}

/** Types of tensors that differ, of all recipes and options of a model; a refusal counts as one. */
async function types(model: RecipeModel, tinyModel: Reader): Promise<Outcome[]> {
  const file =
    model.file && (await readModel(tinyModel, model.file.slice(model.file.lastIndexOf("/") + 1)));
  const [metadata, tensors] = file ? [file.metadata, [...file.tensors.values()]] : made(model);
  const wrong = (recipe: string, options: PlanOptions, expected: Types | null): number => {
    let chosen: Map<string, string> | undefined;
    try {
      const plan = planTypes(metadata, tensors, recipeOf(recipe), options);
      chosen = new Map(plan.map(({ from, type }) => [from.name, type.name.toLowerCase()]));
    } catch {}
    if (!expected || !chosen) return Number(Boolean(expected) !== Boolean(chosen));
    return Object.entries(expected).filter(([name, type]) => chosen.get(name) !== type).length;
  };
  let differing = 0;
  for (const [recipe, { plain, imatrix = plain }] of Object.entries(model.recipes)) {
    differing += wrong(recipe, {}, plain);
    differing += wrong(recipe, { important: true }, imatrix);
  }
  let withOptions = 0;
  for (const [words, changed] of Object.entries(model.options)) {
    const [recipe, flag, ...rest] = words.split(" ");
    const expected = changed && { ...model.recipes[recipe].plain, ...changed };
    withOptions += wrong(recipe, optionsOf(flag, rest.join(" ")), expected);
  }
  return [
    differences("types that differ", differing),
    differences("types that differ with options", withOptions),
  ];
}

/** Tensors and keys of a whole file that differ; with importance, also between its two formats. */
async function files(
  read: Reader,
  tinyModel: Reader,
  name: string,
  expected: Written | null,
): Promise<Outcome[]> {
  const [recipe, important] = name.split("+");
  const model = await readModel(tinyModel, "webgguf-tale-f16.gguf");
  const matrix = async (file: string): Promise<Importance> =>
    importanceOf(await readImportance(bufferSource(await read(file), file)));
  const outcomes: Outcome[] = [];
  for (const format of important ? ["gguf", "dat"] : ["none"]) {
    const importance = important ? await matrix(`tiny-model.imatrix.${format}`) : undefined;
    const given = { importance, importanceName: "imatrix.gguf" };
    let written: Uint8Array<ArrayBuffer> | undefined;
    try {
      const plan = await planFile(model, recipeOf(recipe), given);
      const pieces: Uint8Array[] = [];
      await writePart(model, plan.parts[0], (piece) => void pieces.push(piece.slice()), given);
      written = new Uint8Array(await new Blob(pieces as BlobPart[]).arrayBuffer());
    } catch (error) {
      if (expected) throw error;
    }
    const wrong = expected && written ? await differing(written, expected) : Number(!!written);
    outcomes.push(differences(`tensors and keys that differ, importance ${format}`, wrong));
  }
  return outcomes;
}

/** Importance of the tiny model over its held-out text, with an f32 cache: relative errors of sums, and counts. */
async function importance(
  read: Reader,
  tinyModel: Reader,
  file: string,
  device: "cpu" | "gpu",
): Promise<Outcome[]> {
  const expected = await readImportance(bufferSource(await read(file), file));
  const text = new TextDecoder().decode(await tinyModel("heldout.txt"));
  const actual = await imatrix(await tinyModel("webgguf-tale-f16.gguf"), text, {
    ...{ device, cacheTypeK: "f32", cacheTypeV: "f32" },
    ...{ context: expected.chunkSize, chunks: expected.chunks },
  });
  let worst = 0;
  let counts = Math.abs(actual.entries.size - expected.entries.size);
  for (const [name, entry] of expected.entries) {
    const own = actual.entries.get(name);
    if (!own || entry.counts.some((count, i) => own.counts[i] !== count)) counts++;
    for (const [i, sum] of entry.sums.entries())
      worst = Math.max(worst, Math.abs((own?.sums[i] ?? 0) / sum - 1));
  }
  return [
    atMost("relative error of sums", worst, 1e-5),
    differences("counts and entries that differ", counts),
  ];
}

async function differing(bytes: Uint8Array<ArrayBuffer>, expected: Written): Promise<number> {
  const file = await readGguf(bufferSource(bytes));
  let wrong = Number(file.metadata.get("general.file_type") !== expected.file_type);
  for (const [key, value] of Object.entries(expected.quantize_keys))
    if (file.metadata.get(key) !== value) wrong++;
  for (const [name, [type, hash]] of Object.entries(expected.tensors)) {
    const tensor = file.tensors.get(name);
    const data = tensor && bytes.slice(tensor.offset, tensor.offset + tensor.bytes);
    const digest = data && new Uint8Array(await crypto.subtle.digest("SHA-256", data));
    const hex = digest && Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
    if (tensor?.type.name !== type || hex !== hash) wrong++;
  }
  return wrong;
}
