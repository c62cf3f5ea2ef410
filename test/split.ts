/** Models in several files, as people choose them in a browser. */
import { readGguf } from "../mod.ts";
import { bufferSource } from "../src/bytes/buffer.ts";
import { writeSplitGguf } from "../src/gguf/write.ts";

/** The model in files of `tensorsPerPart` tensors, named after the stem. */
export async function splitFiles(
  bytes: Uint8Array<ArrayBuffer>,
  stem: string,
  tensorsPerPart: number,
): Promise<File[]> {
  const source = bufferSource(bytes);
  const { metadata, tensors } = await readGguf(source);
  const files: File[] = [];
  const options = {
    tensorsPerPart,
    metadata,
    tensors: Array.from(tensors.values(), (tensor) => ({
      ...tensor,
      data: bytes.subarray(tensor.offset, tensor.offset + tensor.bytes),
    })),
  };
  await writeSplitGguf(stem, options, async (name) => {
    const pieces: BlobPart[] = [];
    return {
      write: (piece) => void pieces.push(piece.slice()),
      close: async () => void files.push(new File(pieces, name)),
    };
  });
  return files;
}
