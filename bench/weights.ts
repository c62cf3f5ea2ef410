/**
 * Speed of quantising, by type, on one thread:
 *   npm run bench:weights [-- TYPE,TYPE] [--seconds N] [--json]
 * beside the speed of llama.cpp's own C (scalar, one thread) on the machine of the references, in million weights a second.
 */
import { parseArgs } from "node:util";
import { type QuantType, quantByName, rowBytes } from "../src/file/quants.ts";
import { quantizeRows } from "../src/quantize/rows.ts";

/** llama.cpp's C, and the share of it that this engine is to reach. */
const reference: Readonly<Record<string, readonly [speed: number, share: number]>> = {
  ...{ Q8_0: [111, 0.2], Q4_0: [487, 0.2], Q6_K: [23, 0.5], Q5_K: [10, 0.5], Q4_K: [6.1, 0.5] },
  ...{ Q3_K: [42, 0.5], Q2_K: [9.6, 0.5], IQ4_XS: [2.3, 0.5], IQ3_XXS: [1.1, 0.5] },
  IQ2_XXS: [1.0, 0.5],
};
const needsImportance = new Set(["IQ2_XXS", "IQ2_XS", "IQ1_S"]);

const { values, positionals } = parseArgs({
  options: {
    seconds: { type: "string", default: "1" },
    json: { type: "boolean", default: false },
  },
  allowPositionals: true,
});
const names = positionals[0]?.split(",") ?? Object.keys(reference);

/** Normally distributed, the same each time. */
function gauss(count: number): Float32Array {
  let state = 1;
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
  return Float32Array.from(
    { length: count },
    () => 0.02 * Math.sqrt(-2 * Math.log(next())) * Math.cos(2 * Math.PI * next()),
  );
}

const columns = 4096;

/** Million weights a second, the best of rounds. */
function measure(type: QuantType, seconds: number): number {
  const importance = needsImportance.has(type.name)
    ? Float32Array.from({ length: columns }, (_, i) => 1 + (i % 7))
    : undefined;
  const once = (rows: number): number => {
    const x = gauss(rows * columns);
    const out = new Uint8Array(rows * rowBytes(type, columns));
    const since = performance.now();
    quantizeRows(type, x, columns, out, importance);
    return (x.length / (performance.now() - since)) * 1e-3;
  };
  for (let i = 0; i < 3; i++) once(2);
  const rows = Math.max(2, Math.min(256, Math.round((once(2) * 1e6 * seconds) / 8 / columns)));
  const until = performance.now() + 1000 * seconds;
  let best = 0;
  while (performance.now() < until) best = Math.max(best, once(rows));
  return best;
}

for (const name of names) {
  const type = quantByName(name);
  if (!type) throw new Error(`no tensor type ${name}`);
  const speed = measure(type, Number(values.seconds));
  const [own, share] = reference[type.name] ?? [];
  const ratio = own && speed / own;
  const line = { type: type.name, speed, llamacpp: own, ratio, wanted: share };
  const text =
    `${type.name.padEnd(8)}${speed.toFixed(2).padStart(8)} M weights/s` +
    (own ? `  llama.cpp's C ${own}: ${ratio?.toFixed(2)} ×, wanted ${share} ×` : "");
  console.log(values.json ? JSON.stringify(line) : text);
}
