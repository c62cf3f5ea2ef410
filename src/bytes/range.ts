/** What all sources share: the check of a range, and pieces of bounded size. */
import { WebggufError } from "../base/errors.ts";

/** Largest piece of a stream, in bytes. */
export const pieceBytes: number = 2 * 1024 * 1024;

/** Throws `source/io` unless the range lies within the source. */
export function checkRange(
  source: { readonly name: string; readonly size: number },
  offset: number,
  length: number,
): void {
  const whole = Number.isSafeInteger(offset) && Number.isSafeInteger(length);
  if (whole && offset >= 0 && length >= 0 && offset + length <= source.size) return;
  throw new WebggufError(
    "source/io",
    `Cannot read ${length} bytes at ${offset} of ${source.name}: it has ${source.size} bytes`,
    { file: source.name, offset, expected: source.size, actual: offset + length },
  );
}

/** Cuts a range into pieces of at most {@link pieceBytes}, in order. */
export function* pieces(
  offset: number,
  length: number,
): Generator<{ readonly offset: number; readonly length: number }> {
  for (let done = 0; done < length; done += pieceBytes)
    yield { offset: offset + done, length: Math.min(pieceBytes, length - done) };
}
