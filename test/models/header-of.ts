/** What test/fixtures/family-headers.json keeps of a model file. */
import type { ModelFile } from "../../src/file/types.ts";

/** "0-2,5" for 0, 1, 2 and 5. */
function ranges(layers: readonly number[]): string {
  const parts: [number, number][] = [];
  for (const layer of layers) {
    const last = parts.at(-1);
    if (last && last[1] === layer - 1) last[1] = layer;
    else parts.push([layer, layer]);
  }
  return parts.map(([from, to]) => (from === to ? from : `${from}-${to}`)).join(",");
}

/**
 * The metadata that belongs to the architecture, and the tensors' shapes: one line for all layers of the
 * same shape, with their numbers behind an @ where they are not all.
 */
export function headerOf(file: ModelFile): {
  metadata: Record<string, unknown>;
  tensors: Record<string, string>;
} {
  const prefix = `${file.metadata.string("general.architecture")}.`;
  const metadata: Record<string, unknown> = {};
  for (const [key, value] of file.metadata) {
    if (/^(general|tokenizer)\./.test(key)) continue;
    const plain = typeof value === "bigint" ? Number(value) : value;
    const name = key.startsWith(prefix) ? key.slice(prefix.length) : key;
    metadata[name] = typeof plain === "object" ? Array.from<unknown>(plain) : plain;
  }
  const blocks = file.metadata.integer(`${prefix}block_count`);
  const layersOf = new Map<string, Map<string, number[]>>();
  for (const [full, { shape }] of file.tensors) {
    const [, layer, stem] = /^blk\.(\d+)\.(.*)$/.exec(full) ?? [];
    const name = stem === undefined ? full : `blk.${stem}`;
    const shapes = layersOf.get(name) ?? new Map<string, number[]>();
    const text = shape.join("x");
    shapes.set(text, [...(shapes.get(text) ?? []), ...(layer === undefined ? [] : [+layer])]);
    layersOf.set(name, shapes);
  }
  const tensors: Record<string, string> = {};
  for (const [name, shapes] of layersOf)
    for (const [shape, layers] of shapes) {
      const whole = layers.length === 0 || layers.length === blocks;
      tensors[whole ? name : `${name}@${ranges(layers)}`] = shape;
    }
  return { metadata, tensors };
}
