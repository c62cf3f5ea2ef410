/** Pieces of bounded size. */

/** Largest piece of a stream, in bytes. */
export const pieceBytes: number = 2 * 1024 * 1024;

/** Cuts a range into pieces of at most {@link pieceBytes}, in order. */
export function* pieces(
  offset: number,
  length: number,
): Generator<{ readonly offset: number; readonly length: number }> {
  for (let done = 0; done < length; done += pieceBytes)
    yield { offset: offset + done, length: Math.min(pieceBytes, length - done) };
}
