/**
 * Regular expressions over bytes as data, with intersection and complement. Equal expressions are
 * one object, so that derivatives ({@link derive}) are few and remembered (Brzozowski 1964; Owens,
 * Reppy and Turon 2009).
 */
import {
  type ByteSet,
  byteSet,
  hasByte,
  otherCharacters,
  type Range,
  utf8,
  utf8Sequences,
} from "./bytes.ts";

export type RegexKind =
  | "empty"
  | "never"
  | "bytes"
  | "concat"
  | "or"
  | "and"
  | "not"
  | "repeat"
  | "multiple";

/** Decimal digits, with or without a point, that are a multiple of `unit` / 10^`scale`. */
export interface Multiple {
  readonly unit: number;
  readonly scale: number;
  /** The remainder of what was read. */
  readonly rest: number;
  /** Digits that still count; undefined before the point. */
  readonly left: number | undefined;
}

/** An expression. Made by {@link RegexBuilder} only; compare with `===`. */
export interface Regex {
  readonly kind: RegexKind;
  /** Of its builder, in the order of making. */
  readonly id: number;
  /** Whether the empty text matches. */
  readonly nullable: boolean;
  /** Nodes in it, shared ones counted each time. */
  readonly size: number;
  /** Whether it may match nothing at all although it is not `never`: it holds an intersection or complement. */
  readonly doubtful: boolean;
  /** `concat`: head and rest; `or`, `and`: all; `not`, `repeat`: one. */
  readonly parts: readonly Regex[];
  /** Of `bytes`. */
  readonly set: ByteSet | undefined;
  /** Of `multiple`. */
  readonly multiple: Multiple | undefined;
  /** Of `repeat`; max may be Infinity. */
  readonly min: number;
  readonly max: number;
  /** What follows a byte of each class, where that was asked. */
  readonly derivatives: (Regex | undefined)[];
  /** Whether anything matches, where that was asked. */
  alive: boolean | undefined;
  /** The bytes that a match may begin with, where that was asked. */
  first: ByteSet | undefined;
}

const NO_PARTS: readonly Regex[] = [];

/** Makes expressions. Those of different builders must not be mixed. */
export class RegexBuilder {
  readonly #known = new Map<string, Regex>();
  readonly #single: Regex[] = [];
  readonly #characters = new Map<string, Regex>();
  #made = 0;
  /** The class of each byte; bytes of one class are in the same sets of all expressions. */
  readonly classOf: Uint8Array = new Uint8Array(256);
  /** Nodes of an expression at most: what grows beyond that while it is matched matches nothing. */
  mostNodes = 5000;
  /** A byte of each class. */
  readonly classBytes: number[] = [0];
  /** Matches the empty text alone. */
  readonly empty: Regex;
  /** Matches nothing. */
  readonly never: Regex;
  /** Any bytes, also such as are no UTF-8. */
  readonly anything: Regex;
  /** One character, as UTF-8. */
  readonly anyCharacter: Regex;

  constructor() {
    this.empty = this.#node("empty", "empty", { nullable: true });
    this.never = this.#node("never", "never", {});
    this.anything = this.not(this.never);
    this.anyCharacter = this.characters([[0, 0x10ffff]]);
  }

  /** How many expressions were made. */
  get made(): number {
    return this.#made;
  }

  /** Forgets which expressions there are: equal ones made later are other objects. Frees memory. */
  forget(): void {
    for (const one of this.#known.values()) one.derivatives.length = 0;
    this.#known.clear();
    this.#single.length = 0;
    this.#characters.clear();
    for (const one of [this.empty, this.never]) this.#known.set(one.kind, one);
    this.#known.set(`!${this.never.id}`, this.anything);
  }

  /** One byte in any of the ranges. */
  bytes(ranges: readonly Range[]): Regex {
    return this.#bytes(byteSet(ranges));
  }

  /** The UTF-8 of a text. */
  text(text: string): Regex {
    return this.byteText(utf8(text));
  }

  /** These bytes in this order. */
  byteText(bytes: Iterable<number>): Regex {
    return this.concat(...Array.from(bytes, (byte) => this.#byte(byte)));
  }

  #byte(byte: number): Regex {
    return (this.#single[byte] ??= this.bytes([[byte, byte]]));
  }

  /** Any of the texts; many of them share their beginnings, so that steps stay cheap. */
  texts(texts: Iterable<string>): Regex {
    return this.#trie(
      Array.from(new Set(texts), (text) => utf8(text)),
      0,
    );
  }

  #trie(texts: readonly Uint8Array[], at: number): Regex {
    if (texts.length === 1) return this.byteText(texts[0].subarray(at));
    const byFirst = new Map<number, Uint8Array[]>();
    const parts: Regex[] = [];
    for (const text of texts) {
      if (text.length === at) parts.push(this.empty);
      else {
        const group = byFirst.get(text[at]);
        if (group) group.push(text);
        else byFirst.set(text[at], [text]);
      }
    }
    for (const group of byFirst.values()) {
      let end = at + 1;
      const shared = (text: Uint8Array): boolean =>
        end < text.length && text[end] === group[0][end];
      while (group.every(shared)) end++;
      parts.push(this.concat(this.byteText(group[0].subarray(at, end)), this.#trie(group, end)));
    }
    return this.or(...parts);
  }

  /** One character in any of the ranges of code points. */
  characters(ranges: readonly Range[]): Regex {
    const key = ranges.join();
    let known = this.#characters.get(key);
    if (!known) {
      const ways = utf8Sequences(ranges).map((sequence) =>
        this.concat(...sequence.map((range) => this.bytes([range]))),
      );
      this.#characters.set(key, (known = this.or(...ways)));
    }
    return known;
  }

  /** One character in none of the ranges of code points. */
  otherCharacters(ranges: readonly Range[]): Regex {
    return this.characters(otherCharacters(ranges));
  }

  /** One after the other. */
  concat(...parts: readonly Regex[]): Regex {
    if (parts.includes(this.never)) return this.never;
    let rest = this.empty;
    for (let i = parts.length; i-- > 0; ) {
      const part = parts[i];
      if (rest === this.empty) rest = part;
      else if (part.kind === "concat") {
        const heads: Regex[] = [];
        let at = part;
        for (; at.kind === "concat"; at = at.parts[1]) heads.push(at.parts[0]);
        rest = this.#pair(at, rest);
        for (let j = heads.length; j-- > 0; ) rest = this.#pair(heads[j], rest);
      } else if (part !== this.empty) rest = this.#pair(part, rest);
    }
    return rest;
  }

  #pair(head: Regex, rest: Regex): Regex {
    return this.#node(`.${head.id},${rest.id}`, "concat", {
      nullable: head.nullable && rest.nullable,
      parts: [head, rest],
    });
  }

  /** Any of them. */
  or(...parts: readonly Regex[]): Regex {
    const flat = this.#flat("or", parts);
    if (flat.has(this.anything)) return this.anything;
    if (flat.has(this.empty) && [...flat].some((part) => part !== this.empty && part.nullable))
      flat.delete(this.empty);
    return this.#many("or", "|", flat, this.never);
  }

  /** All of them at once. */
  and(...parts: readonly Regex[]): Regex {
    const flat = this.#flat("and", parts);
    if (flat.has(this.never)) return this.never;
    if (flat.has(this.empty))
      return [...flat].every((part) => part.nullable) ? this.empty : this.never;
    for (const part of flat) if (part.kind === "not" && flat.has(part.parts[0])) return this.never;
    return this.#many("and", "&", flat, this.anything);
  }

  /** Parts of parts of the kind as one set, and all sets of bytes as one; what changes nothing is left out. */
  #flat(kind: "or" | "and", parts: readonly Regex[]): Set<Regex> {
    const flat = new Set<Regex>();
    const none = kind === "or" ? this.never : this.anything;
    let first: Regex | undefined;
    let bytes: ByteSet | undefined;
    for (const part of parts)
      for (const one of part.kind === kind ? part.parts : [part]) {
        if (one.kind !== "bytes") {
          if (one !== none) flat.add(one);
        } else if (!first) first = one;
        else {
          bytes ??= first.set!.slice();
          for (let i = 0; i < 8; i++)
            if (kind === "or") bytes[i] |= one.set![i];
            else bytes[i] &= one.set![i];
        }
      }
    if (first) flat.add(bytes ? this.#bytes(bytes) : first);
    return flat;
  }

  #many(kind: "or" | "and", mark: string, set: Set<Regex>, none: Regex): Regex {
    if (set.size === 0) return none;
    if (set.size === 1) return set.values().next().value!;
    const parts = [...set].sort((a, b) => a.id - b.id);
    let nullable = kind === "and";
    let key = mark;
    for (const part of parts) {
      if (part.nullable !== nullable) nullable = kind === "or";
      key += `${part.id},`;
    }
    return this.#node(key, kind, { nullable, parts });
  }

  /** Any bytes that do not match, also such as are no UTF-8: intersect it with the texts that you mean. */
  not(part: Regex): Regex {
    if (part.kind === "not") return part.parts[0];
    return this.#node(`!${part.id}`, "not", { nullable: !part.nullable, parts: [part] });
  }

  /** `min` to `max` times, one after the other. */
  repeat(part: Regex, min: number, max: number = Number.POSITIVE_INFINITY): Regex {
    if (max < min) return this.never;
    if (max === 0 || part === this.empty) return this.empty;
    if (part === this.never) return min === 0 ? this.empty : this.never;
    if (min === 1 && max === 1) return part;
    if (part.nullable) min = 0;
    if (max === Number.POSITIVE_INFINITY && min <= 1 && part.kind === "repeat" && part.min <= 1)
      if (part.max === max)
        return min === 0 || part.min === 0 ? this.repeat(part.parts[0], 0) : part;
    const nullable = min === 0;
    return this.#node(`*${part.id},${min},${max}`, "repeat", { nullable, parts: [part], min, max });
  }

  optional(part: Regex): Regex {
    return this.or(this.empty, part);
  }

  /**
   * Digits, a point and more digits or none, that are a multiple of `unit` / 10^`scale`. What else
   * a number looks like is not asked: intersect it with that. `unit` is below 9e14.
   */
  multiple(unit: number, scale: number): Regex {
    this.text("0123456789.");
    return this.#multiple({ unit, scale, rest: 0, left: undefined });
  }

  #multiple(multiple: Multiple): Regex {
    const { unit, scale, rest, left } = multiple;
    let remainder = rest % unit;
    for (let i = left ?? scale; i > 0; i--) remainder = (remainder * 10) % unit;
    const key = `%${unit},${scale},${rest},${left}`;
    return this.#node(key, "multiple", { nullable: remainder === 0, multiple });
  }

  /** What is left of a `multiple` after a byte. */
  multipleAfter(multiple: Multiple, byte: number): Regex {
    const { unit, rest, left } = multiple;
    if (byte === 0x2e)
      return left === undefined
        ? this.#multiple({ ...multiple, left: multiple.scale })
        : this.never;
    if (byte < 0x30 || byte > 0x39) return this.never;
    if (left === 0) return byte === 0x30 && rest === 0 ? this.#multiple(multiple) : this.never;
    return this.#multiple({
      ...multiple,
      rest: (rest * 10 + byte - 0x30) % unit,
      left: left === undefined ? left : left - 1,
    });
  }

  #bytes(set: ByteSet): Regex {
    if (set.every((word) => word === 0)) return this.never;
    const key = `[${set.join()}`;
    const known = this.#known.get(key);
    if (known) return known;
    this.#refine(set);
    return this.#node(key, "bytes", { set });
  }

  /** Splits the classes that the set does not hold, or lack, as a whole. */
  #refine(set: ByteSet): void {
    const { classOf, classBytes } = this;
    const split = new Map<number, number>();
    for (let byte = 0; byte < 256; byte++) {
      const of = classOf[byte];
      const first = classBytes[of];
      if (hasByte(set, byte) === hasByte(set, first)) continue;
      let other = split.get(of);
      if (other === undefined) {
        other = classBytes.length;
        classBytes.push(byte);
        split.set(of, other);
      }
      classOf[byte] = other;
    }
  }

  #node(key: string, kind: RegexKind, fields: Partial<Regex>): Regex {
    const known = this.#known.get(key);
    if (known) return known;
    const { nullable = false, parts = NO_PARTS, set, min = 0, max = 0, multiple } = fields;
    let size = 1;
    let doubtful =
      kind === "and" || kind === "multiple" || (kind === "not" && parts[0] !== this.never);
    for (const part of parts) {
      size += part.size;
      doubtful ||= part.doubtful;
    }
    const id = this.#made++;
    const derivatives: Regex["derivatives"] = [];
    const alive = doubtful ? undefined : kind !== "never";
    const rest = { set, multiple, min, max, derivatives, alive, first: undefined };
    const node: Regex = { kind, id, nullable, size, doubtful, parts, ...rest };
    this.#known.set(key, node);
    return node;
  }
}
