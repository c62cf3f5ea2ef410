/** Fixture models with changes, for what a builder must refuse. */
import { bufferSource } from "../../src/bytes/buffer.ts";
import type { MetadataValue } from "../../src/file/metadata.ts";
import { Metadata } from "../../src/file/metadata.ts";
import type { ModelFile, TensorInfo } from "../../src/file/types.ts";
import { readGguf } from "../../src/gguf/read.ts";
import { fixture } from "../fixture.ts";

export async function archFile(name: string): Promise<ModelFile> {
  return readGguf(bufferSource(await fixture(`reference/archs/${name}.gguf`), `${name}.gguf`));
}

/** The file with other metadata (undefined = without the key) and tensors (undefined = without). */
export function altered(
  file: ModelFile,
  metadata: Record<string, MetadataValue | undefined> = {},
  tensors: Record<string, Partial<TensorInfo> | undefined> = {},
): ModelFile {
  const values = new Map(file.metadata);
  for (const [key, value] of Object.entries(metadata)) {
    if (value === undefined) values.delete(key);
    else values.set(key, value);
  }
  const table = new Map(file.tensors);
  for (const [name, change] of Object.entries(tensors)) {
    const old = table.get(name);
    if (change === undefined || !old) table.delete(name);
    else table.set(name, { ...old, ...change });
  }
  return { ...file, metadata: new Metadata(file.name, values), tensors: table };
}
