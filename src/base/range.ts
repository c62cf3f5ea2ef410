/** What all sources share: the check of a range. */
import { WebggufError } from "./errors.ts";

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

/** Throws `source/io` unless as many bytes came as were asked for. */
export function checkCame(name: string, offset: number, length: number, came: number): void {
  if (came === length) return;
  throw new WebggufError(
    "source/io",
    `Cannot read ${length} bytes at ${offset} of ${name}: ${came} came`,
    { file: name, offset, expected: length, actual: came },
  );
}
