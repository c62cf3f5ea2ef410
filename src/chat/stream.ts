/**
 * Bytes of tokens → text, piece by piece. Half a UTF-8 character is held back until it is whole;
 * bytes that are not UTF-8 become U+FFFD as `TextDecoder` does it; what may still become a stop
 * string is held back, exactly that.
 */

export interface TextPiece {
  /** Text that is certain now. */
  readonly text: string;
  /** The stop string that was found; nothing comes after it. */
  readonly stopped?: string;
}

/** A stop string in the search of Knuth, Morris and Pratt. */
interface Stop {
  readonly text: string;
  /** Length of the longest proper beginning that also ends the first n units, by n: for what matched so far. */
  readonly fallback: number[];
  /** So many of its units are the last ones that came. */
  matched: number;
}

/**
 * Turns the bytes of tokens into text. A stop string ends the text in front of its first character as
 * soon as its last one has come; of several that end together the longest counts.
 */
export class TextStream {
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  readonly #stops: readonly Stop[];
  /** Text that begins a stop string. */
  #held = "";
  #stopped: string | undefined;
  /** The last bytes: a character may begin there. */
  #recent: Uint8Array = new Uint8Array();

  /** @param stops empty strings among them are ignored */
  constructor(stops: string | readonly string[] = []) {
    const texts = [stops].flat().filter(Boolean);
    this.#stops = texts.map((text) => ({ text, fallback: [0, 0], matched: 0 }));
  }

  /** Takes the next bytes. After a stop, more bytes change nothing. */
  push(bytes: Uint8Array): TextPiece {
    if (this.#stopped !== undefined) return { text: "", stopped: this.#stopped };
    const text = this.#decoder.decode(bytes, { stream: true });
    this.#recent = joined(this.#recent, bytes).slice(-3);
    const all = this.#held + text;
    for (let at = 0; at < text.length; at++) {
      let found = "";
      for (const stop of this.#stops)
        if (advance(stop, text[at]) && stop.text.length > found.length) found = stop.text;
      if (found === "") continue;
      const end = this.#held.length + at + 1;
      this.end();
      this.#stopped = found;
      return { text: all.slice(0, end - found.length), stopped: found };
    }
    const certain = all.length - Math.max(0, ...this.#stops.map(({ matched }) => matched));
    this.#held = all.slice(certain);
    return { text: all.slice(0, certain) };
  }

  /** The bytes of what is held back: text that begins a stop string, and an unfinished character. */
  get held(): Uint8Array {
    const text = new TextEncoder().encode(this.#held);
    for (let at = 0; at < this.#recent.length; at++) {
      const end = this.#recent.subarray(at);
      if (new TextDecoder().decode(end, { stream: true }) === "") return joined(text, end);
    }
    return text;
  }

  /**
   * The text that was still held back. The stream starts anew. An unfinished character becomes U+FFFD; of
   * an answer that was `cut` off it stays in {@link held}.
   */
  end(cut = false): string {
    const rest = this.#decoder.decode();
    const text = this.#held + (cut ? "" : rest);
    if (!cut) this.#recent = new Uint8Array();
    for (const stop of this.#stops) stop.matched = 0;
    this.#held = "";
    this.#stopped = undefined;
    return text;
  }
}

/** Bytes, and those behind them. */
export function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const all = new Uint8Array(first.length + second.length);
  all.set(first);
  all.set(second, first.length);
  return all;
}

/** Takes one more unit; true if the stop string is complete. */
function advance(stop: Stop, unit: string): boolean {
  const { text, fallback } = stop;
  const longest = (from: number, next: string): number => {
    let length = from;
    while (length > 0 && text[length] !== next) length = fallback[length];
    return text[length] === next ? length + 1 : length;
  };
  stop.matched = longest(stop.matched, unit);
  const known = fallback.length - 1;
  if (known < stop.matched) fallback.push(longest(fallback[known], text[known]));
  return stop.matched === text.length;
}
