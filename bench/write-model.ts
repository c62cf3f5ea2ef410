/**
 * Writes a random-weight model of a real shape, streaming:
 *   npx tsx bench/write-model.ts --shape smollm2-135m --type q8_0 --out model.gguf [--layers N]
 *     [--seed N] [--tensors-per-part N] [--sparse]
 * `--sparse` leaves the tensor data out as a hole in the file: right sizes, zeros, no disk space.
 */
import { type FileHandle, open } from "node:fs/promises";
import { parseArgs } from "node:util";
import { ggufHeader, type Sink, writeGguf, writeSplitGguf } from "../src/gguf/write.ts";
import { randomModel, shapes } from "./models.ts";

const { values } = parseArgs({
  options: {
    shape: { type: "string", default: "smollm2-135m" },
    type: { type: "string", default: "q8_0" },
    out: { type: "string" },
    layers: { type: "string" },
    seed: { type: "string", default: "1" },
    "tensors-per-part": { type: "string" },
    sparse: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

const sinkOf =
  (file: FileHandle): Sink =>
  async (bytes) => {
    await file.writeFile(bytes);
  };

async function writeWhole(path: string, sparse: boolean): Promise<number> {
  const file = await open(path, "w");
  try {
    if (!sparse) return await writeGguf(sinkOf(file), model);
    const header = ggufHeader(model);
    await file.writeFile(header.bytes);
    await file.truncate(header.size);
    return header.size;
  } finally {
    await file.close();
  }
}

if (values.help || !values.out) {
  console.error("npx tsx bench/write-model.ts --shape NAME --type TYPE --out FILE [--layers N]");
  console.error(`shapes: ${Object.keys(shapes).join(", ")}; types: any tensor type, or q4_k_m`);
  process.exit(values.help ? 0 : 2);
}

const { out } = values;
const model = randomModel({
  shape: values.shape,
  type: values.type,
  seed: Number(values.seed),
  ...(values.layers && { layers: Number(values.layers) }),
});
const start = performance.now();
if (values["tensors-per-part"]) {
  const tensorsPerPart = Number(values["tensors-per-part"]);
  await writeSplitGguf(out.replace(/\.gguf$/, ""), { ...model, tensorsPerPart }, async (name) => {
    const file = await open(name, "w");
    return { write: sinkOf(file), close: () => file.close() };
  });
} else {
  const size = await writeWhole(out, values.sparse);
  const seconds = (performance.now() - start) / 1000;
  console.error(`${out}: ${(size / 1e6).toFixed(1)} MB in ${seconds.toFixed(1)} s`);
}
