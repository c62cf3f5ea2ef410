/** Headers of a tiny model of each family (test/fixtures/family-headers.json), as files without data. */

import { Metadata, type MetadataValue } from "../../src/file/metadata.ts";
import { quantByName } from "../../src/file/quants.ts";
import type { ModelFile, TensorInfo } from "../../src/file/types.ts";
import { fixtureJson } from "../fixture.ts";

type Plain = string | number | boolean | readonly number[] | readonly boolean[];

interface Header {
  /** Without the architecture in front. */
  readonly metadata: Readonly<Record<string, Plain>>;
  /** Shapes by name, "blk." without number for all layers, "@1-3" for some. */
  readonly tensors: Readonly<Record<string, string>>;
}

export const headers: Readonly<Record<string, Header>> = await fixtureJson("family-headers.json");

function metadataValue(value: Plain): MetadataValue {
  if (typeof value !== "object") return value;
  if (value.every((one) => typeof one === "boolean")) return value as readonly boolean[];
  return Float64Array.from(value as readonly number[]);
}

/** Apertus has keys that do not begin with the architecture. */
const fullKey = (architecture: string, key: string): string =>
  key.startsWith("xielu.") ? key : `${architecture}.${key}`;

/** Whether "0-2,5" names the layer; nothing names all. */
const names = (ranges: string | undefined, layer: number): boolean =>
  ranges === undefined ||
  ranges.split(",").some((range) => {
    const [from, to = from] = range.split("-").map(Number);
    return layer >= from && layer <= to;
  });

/**
 * The model file of a family with other hyperparameters (undefined = without the key; keys without the
 * architecture) and other tensors (as in the header; undefined = without). With more layers, those
 * beyond the header's have the tensors that all layers have. `read` is told each key that is looked up.
 */
export function familyFile(
  architecture: string,
  changes: Readonly<Record<string, Plain | undefined>> = {},
  read?: (key: string) => void,
  changedTensors: Readonly<Record<string, string | undefined>> = {},
): ModelFile {
  const header = headers[architecture];
  const values = new Map<string, MetadataValue>([["general.architecture", architecture]]);
  for (const [key, value] of Object.entries({ ...header.metadata, ...changes }))
    if (value !== undefined) values.set(fullKey(architecture, key), metadataValue(value));
  const layers = Number(values.get(`${architecture}.block_count`));
  const tensors = new Map<string, TensorInfo>();
  const type = quantByName("F32")!;
  for (const [key, text] of Object.entries({ ...header.tensors, ...changedTensors })) {
    if (text === undefined) continue;
    const [name, ranges] = key.split("@");
    const shape = text.split("x").map(Number);
    const elements = shape.reduce((product, n) => product * n, 1);
    const add = (full: string): void => {
      tensors.set(full, {
        name: full,
        type,
        shape,
        elements,
        offset: 0,
        bytes: 4 * elements,
        part: 0,
      });
    };
    if (!name.startsWith("blk.")) add(name);
    else
      for (let layer = 0; layer < layers; layer++)
        if (names(ranges, layer)) add(name.replace("blk.", `blk.${layer}.`));
  }
  const watched = {
    get(key: string): MetadataValue | undefined {
      read?.(key);
      return values.get(key);
    },
    has(key: string): boolean {
      read?.(key);
      return values.has(key);
    },
    entries: () => values.entries(),
    size: values.size,
  } as unknown as ReadonlyMap<string, MetadataValue>;
  const metadata = new Metadata(architecture, watched);
  return {
    name: architecture,
    version: 3,
    alignment: 32,
    metadata,
    tensors,
    dataOffsets: [0],
    sources: [],
  };
}
