/** The beginning of a file on a server, for who looks at headers alone: a few ranges, and no byte beyond them. */
import { WebggufError } from "../../base/errors.ts";
import { checkRange } from "../../base/range.ts";
import type { ByteSource } from "../../base/source.ts";
import { type HttpOptions, HttpResource } from "../http-resource.ts";
import { withRetries } from "../retry.ts";

/** Bytes of the first range, by which each further one is longer, and of all together. */
const FIRST = 256 << 10;
const GROWTH = 3;
const LONGEST = 8 << 20;

/** Opens it with one small request; reading past the first 8 MiB is `source/network`. */
export async function headerSource(
  url: string,
  options: HttpOptions,
  longest: number = LONGEST,
): Promise<ByteSource> {
  const resource = new HttpResource(url, options);
  const body = await resource.open(options.signal);
  const { name, size } = resource;
  let there: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  let growing: Promise<void> = Promise.resolve();

  async function fetch(to: number, signal: AbortSignal | undefined): Promise<void> {
    const grown = new Uint8Array(to);
    const retry = withRetries(name, options, signal);
    let at = 0;
    const add = (piece: Uint8Array): void => {
      const room = piece.subarray(0, to - at);
      grown.set(room, at);
      at += room.length;
    };
    if (body) {
      // Once, as far as a header may go: the rest of the answer is not waited for.
      for await (const piece of resource.pieces(body, signal)) {
        add(piece);
        if (at === to) break;
      }
      if (at < to)
        throw new WebggufError(
          "source/network",
          `Cannot read ${name}: the connection ended at byte ${at}`,
          { file: name },
        );
    } else add(there);
    while (at < to)
      try {
        for await (const piece of resource.range(at, to, signal)) {
          add(piece);
          retry.reset();
        }
        if (at < to) throw new Error(`the connection ended at byte ${at}`);
      } catch (error) {
        await retry.after(error, at);
      }
    there = grown;
  }

  async function grow(end: number, signal: AbortSignal | undefined): Promise<void> {
    const most = Math.min(size, longest);
    if (end > most)
      throw new WebggufError(
        "source/network",
        `Cannot look at ${name} from afar: its header is longer than ${longest >> 20} MiB; fetch it first`,
        { file: name, expected: longest, actual: end },
      );
    while (there.length < end) {
      const next = body ? most : Math.max(end, FIRST, GROWTH * there.length);
      await fetch(Math.min(most, next), signal);
    }
  }

  const source: ByteSource = {
    name,
    size,
    async read(offset, length, signal) {
      signal?.throwIfAborted();
      checkRange(source, offset, length);
      growing = growing.catch(() => {}).then(() => grow(offset + length, signal));
      await growing;
      return there.subarray(offset, offset + length);
    },
    async *stream(offset, length, signal) {
      yield await source.read(offset, length, signal);
    },
    async close() {
      await body?.body?.cancel().catch(() => {});
    },
  };
  return source;
}
