/**
 * Bytes of tokens → text, piece by piece. Half a UTF-8 character is held back until it is whole;
 * bytes that are not UTF-8 become U+FFFD as `TextDecoder` does it; what may still become a stop
 * string is held back, exactly that. All of it is linear in the bytes, however they are cut.
 */

export interface TextPiece {
  /** Text that is certain now. */
  readonly text: string;
  /** The stop string that was found; nothing comes after it. */
  readonly stopped?: string;
  /** When stopped: bytes received that are not part of the text, the stop string's own included. */
  readonly cut?: number;
}

/** A state of the search: the bytes read last are the first `depth` bytes of some stop string. */
interface Node {
  readonly depth: number;
  readonly next: Map<number, Node>;
  /** Where to go on when no byte fits: the longest proper suffix that also begins a stop string. */
  fallback: Node | undefined;
  /** The stop string that ends here, the longest of them. */
  stop: { readonly text: string; readonly bytes: number } | undefined;
}

/**
 * Turns the bytes of tokens into text. A stop string ends the text in front of its first byte as
 * soon as its last byte has come; of several that end at the same byte the longest counts.
 */
export class TextStream {
  #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  readonly #root: Node;
  #state: Node;
  /** Bytes received but not decoded yet: `#held[#start … #end)`; they begin a stop string. */
  #held = new Uint8Array(64);
  #start = 0;
  #end = 0;
  #stopped: string | undefined;

  /** @param stops empty strings among them are ignored */
  constructor(stops: readonly string[] = []) {
    this.#root = automaton(stops);
    this.#state = this.#root;
  }

  /** Takes the next bytes. After a stop, more bytes change nothing. */
  push(bytes: Uint8Array): TextPiece {
    if (this.#stopped !== undefined) return { text: "", stopped: this.#stopped, cut: 0 };
    if (this.#root.next.size === 0) return { text: this.#decoder.decode(bytes, { stream: true }) };
    this.#append(bytes);
    const first = this.#end - bytes.length;
    for (let at = first; at < this.#end; at++) {
      this.#state = step(this.#root, this.#state, this.#held[at]);
      const stop = this.#state.stop;
      if (stop === undefined) continue;
      const textEnd = at + 1 - stop.bytes;
      const text = this.#decoder.decode(this.#held.subarray(this.#start, textEnd));
      const cut = this.#end - textEnd;
      this.#stopped = stop.text;
      this.#start = this.#end;
      return { text, stopped: stop.text, cut };
    }
    const certain = this.#end - this.#state.depth;
    const text = this.#decoder.decode(this.#held.subarray(this.#start, certain), { stream: true });
    this.#start = certain;
    return { text };
  }

  /** The text that was still held back; an unfinished character becomes U+FFFD. The stream starts anew. */
  end(): string {
    const text = this.#decoder.decode(this.#held.subarray(this.#start, this.#end));
    this.#start = this.#end = 0;
    this.#state = this.#root;
    this.#stopped = undefined;
    return text;
  }

  /** Adds bytes behind the held ones; moves or grows so rarely that it costs a constant a byte. */
  #append(bytes: Uint8Array): void {
    if (this.#end + bytes.length > this.#held.length) {
      const live = this.#held.subarray(this.#start, this.#end);
      const needed = 2 * (live.length + bytes.length);
      if (needed > this.#held.length) {
        const larger = new Uint8Array(needed);
        larger.set(live);
        this.#held = larger;
      } else this.#held.copyWithin(0, this.#start, this.#end);
      this.#end -= this.#start;
      this.#start = 0;
    }
    this.#held.set(bytes, this.#end);
    this.#end += bytes.length;
  }
}

/**
 * The Aho–Corasick automaton of the stop strings' bytes. Bytes serve as well as characters: in
 * UTF-8 no character's bytes occur inside those of others.
 */
function automaton(stops: readonly string[]): Node {
  const root: Node = { depth: 0, next: new Map(), fallback: undefined, stop: undefined };
  const encoder = new TextEncoder();
  for (const text of stops) {
    const bytes = encoder.encode(text);
    let node = root;
    for (const byte of bytes) {
      let child = node.next.get(byte);
      if (child === undefined) {
        child = { depth: node.depth + 1, next: new Map(), fallback: root, stop: undefined };
        node.next.set(byte, child);
      }
      node = child;
    }
    if (node !== root) node.stop = { text, bytes: bytes.length };
  }
  // Breadth first, so that the fallbacks of shorter strings are there when longer ones need them.
  const queue = [...root.next.values()];
  for (let i = 0; i < queue.length; i++) {
    const node = queue[i];
    for (const [byte, child] of node.next) {
      child.fallback = step(root, node.fallback as Node, byte);
      child.stop ??= child.fallback.stop;
      queue.push(child);
    }
  }
  return root;
}

/** The state after one more byte; a constant number of moves a byte on average. */
function step(root: Node, from: Node, byte: number): Node {
  for (let node: Node | undefined = from; node !== undefined; node = node.fallback) {
    const child = node.next.get(byte);
    if (child !== undefined) return child;
  }
  return root;
}
