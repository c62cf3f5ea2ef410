/** Writes a random-weight model to disk with flat memory. */
import { open } from "node:fs/promises";
import { writeGguf } from "../src/gguf/write.ts";
import { type RandomModelOptions, randomModel } from "./models.ts";

/** Returns the file's size in bytes. */
export async function writeModelFile(path: string, options: RandomModelOptions): Promise<number> {
  const file = await open(path, "w");
  try {
    return await writeGguf(async (bytes) => {
      await file.writeFile(bytes);
    }, randomModel(options));
  } finally {
    await file.close();
  }
}
