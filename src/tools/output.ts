/** Files that stand under their name only when they are whole. */
import { platform } from "#platform";
import { WebggufError } from "../base/errors.ts";
import type { OpenedFile } from "../platform/types.ts";

/** Takes a file's bytes in order. */
export type OutputSink = (bytes: Uint8Array) => void | Promise<void>;

/**
 * Writes a file beside its place and moves it there in the end; if `write` throws, nothing is left. Where files cannot
 * be written by path it is `input/invalid`.
 */
export async function writeOutput<T>(
  path: string,
  write: (sink: OutputSink) => Promise<T>,
): Promise<T> {
  const files = await platform.files();
  if (!files)
    throw new WebggufError(
      "input/invalid",
      `Cannot write ${path}: files cannot be written by path here; give a function that takes the bytes`,
      { file: path },
    );
  const beside = `${path}.${crypto.randomUUID()}.tmp`;
  let file: OpenedFile | undefined;
  try {
    const opened = await files.open(beside);
    file = opened;
    let at = 0;
    const result = await write(async (bytes) => {
      await opened.write(bytes as Uint8Array<ArrayBuffer>, at);
      at += bytes.length;
    });
    await file.close();
    file = undefined;
    await files.move(beside, path);
    return result;
  } catch (error) {
    await file?.close().catch(() => {});
    await files.remove(beside).catch(() => {});
    const reason = (error as { code?: string }).code;
    if (error instanceof WebggufError || typeof reason !== "string") throw error;
    throw new WebggufError(
      "source/io",
      `Cannot write ${path}: the system refused (${reason}); check the path and the room on the disk`,
      { file: path, cause: error },
    );
  }
}

/** Whether two paths lead to the same file. */
export async function samePlace(a: string, b: string): Promise<boolean> {
  const files = await platform.files();
  const real = async (path: string): Promise<string> =>
    files ? files.real(path).catch(() => path) : path;
  return (await real(a)) === (await real(b));
}
