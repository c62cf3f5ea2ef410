/**
 * Numbers as JSON writes them, as expressions. What is bounded or excluded is written without an
 * exponent, so that a comparison is one of digits; zero has no sign.
 */
import type { Regex, RegexBuilder } from "../regex/regex.ts";

/** A number as decimal digits, without an exponent: 1e-7 is 0.0000001. */
export function plainDecimal(value: number): string {
  const text = String(value);
  const match = /^(-?)(\d+)(?:\.(\d+))?e([+-]\d+)$/.exec(text);
  if (!match) return text;
  const [, sign, whole, fraction = "", power] = match;
  const digits = whole + fraction;
  const point = whole.length + Number(power);
  if (point <= 0) return `${sign}0.${"0".repeat(-point)}${digits}`;
  if (point >= digits.length) return sign + digits + "0".repeat(point - digits.length);
  return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
}

/** The expressions of numbers, all of one builder. */
export class Numbers {
  readonly #r: RegexBuilder;
  readonly #digit: Regex;
  readonly #digits: Regex;
  readonly #some: Regex;
  readonly #whole: Regex;
  readonly #positive: Regex;
  /** Any number; the only one that may have an exponent, of two digits, so that none is infinite. */
  readonly any: Regex;
  /** Any number without an exponent. */
  readonly plain: Regex;
  readonly integer: Regex;

  constructor(r: RegexBuilder) {
    this.#r = r;
    this.#digit = r.bytes([[0x30, 0x39]]);
    this.#digits = r.repeat(this.#digit, 0);
    this.#some = r.repeat(this.#digit, 1);
    const natural = r.concat(r.bytes([[0x31, 0x39]]), this.#digits);
    this.#whole = r.or(r.text("0"), natural);
    const fraction = r.concat(r.text("."), this.#some);
    this.#positive = r.concat(this.#whole, r.optional(fraction));
    const power = r.bytes([
      [0x45, 0x45],
      [0x65, 0x65],
    ]);
    const sign = r.bytes([
      [0x2b, 0x2b],
      [0x2d, 0x2d],
    ]);
    const exponent = r.concat(power, r.optional(sign), r.repeat(this.#digit, 1, 2));
    this.any = r.concat(r.optional(r.text("-")), this.#positive, r.optional(exponent));
    this.plain = this.#signed(this.#positive, this.#above("0", true));
    this.integer = r.or(this.#whole, r.concat(r.text("-"), natural));
  }

  /** All numbers of at least, or more than, `bound`. */
  from(bound: number, exclusive: boolean): Regex {
    const text = plainDecimal(bound);
    if (bound < 0)
      return this.#signed(
        this.#positive,
        this.#r.and(this.#below(text.slice(1), exclusive), this.#above("0", true)),
      );
    return this.#above(text, exclusive);
  }

  /** All numbers of at most, or less than, `bound`. */
  upTo(bound: number, exclusive: boolean): Regex {
    const text = plainDecimal(bound);
    const negative = this.#above("0", true);
    if (bound > 0) return this.#signed(this.#below(text, exclusive), negative);
    if (bound === 0)
      return this.#signed(exclusive ? this.#r.never : this.#below("0", false), negative);
    return this.#signed(this.#r.never, this.#above(text.slice(1), exclusive));
  }

  /** All ways to write the number without an exponent. */
  equal(value: number): Regex {
    const [whole, fraction = ""] = plainDecimal(value).split(".");
    const r = this.#r;
    const zeros = r.repeat(r.text("0"), fraction ? 0 : 1);
    const tail = r.concat(r.text(fraction ? `${whole}.${fraction}` : `${whole}.`), zeros);
    return fraction ? tail : r.or(r.text(whole), tail);
  }

  /** All multiples of `step`, which is above 0. */
  multiples(step: number): Regex {
    const r = this.#r;
    const [whole, fraction = ""] = plainDecimal(step).split(".");
    const natural = r.multiple(Number(whole + fraction), fraction.length);
    return r.and(this.plain, r.concat(r.optional(r.text("-")), natural));
  }

  #signed(positive: Regex, negative: Regex): Regex {
    return this.#r.or(positive, this.#r.concat(this.#r.text("-"), negative));
  }

  /** Numbers without sign that are at least, or more than, a bound without sign. */
  #above(bound: string, exclusive: boolean): Regex {
    const r = this.#r;
    const [whole, fraction = ""] = bound.split(".");
    const greater = (digits: string): Regex =>
      digits === ""
        ? exclusive
          ? r.concat(this.#digits, r.bytes([[0x31, 0x39]]), this.#digits)
          : this.#digits
        : r.or(
            r.concat(this.#over(digits[0]), this.#digits),
            r.concat(r.text(digits[0]), greater(digits.slice(1))),
          );
    const same = this.#after(greater(fraction.replace(/0+$/, "")));
    const longer = r.concat(
      r.bytes([[0x31, 0x39]]),
      r.repeat(this.#digit, whole.length),
      this.#after(this.#digits),
    );
    return r.or(
      longer,
      this.#compared(whole, (digit) => this.#over(digit), same),
    );
  }

  /** Numbers without sign that are at most, or less than, a bound without sign. */
  #below(bound: string, exclusive: boolean): Regex {
    const r = this.#r;
    const [whole, fraction = ""] = bound.split(".");
    const less = (digits: string): Regex =>
      digits === ""
        ? exclusive
          ? r.never
          : r.repeat(r.text("0"), 0)
        : r.or(
            r.empty,
            r.concat(this.#under(digits[0]), this.#digits),
            r.concat(r.text(digits[0]), less(digits.slice(1))),
          );
    const same = this.#after(less(fraction.replace(/0+$/, "")));
    const lower = this.#compared(whole, (digit) => this.#under(digit), same);
    if (whole.length === 1) return lower;
    const shorter = r.or(
      r.text("0"),
      r.concat(r.bytes([[0x31, 0x39]]), r.repeat(this.#digit, 0, whole.length - 2)),
    );
    return r.or(r.concat(shorter, this.#after(this.#digits)), lower);
  }

  /** As many digits as `whole`: the first other one is one of `differs`; all the same, `same` follows. */
  #compared(whole: string, differs: (digit: string) => Regex, same: Regex): Regex {
    const r = this.#r;
    let out = same;
    for (let i = whole.length; i-- > 0; ) {
      let other = differs(whole[i]);
      // No leading zero, but in zero itself.
      if (i === 0 && whole.length > 1) other = r.and(other, r.bytes([[0x31, 0x39]]));
      const rest = r.repeat(this.#digit, whole.length - 1 - i, whole.length - 1 - i);
      out = r.or(r.concat(other, rest, this.#after(this.#digits)), r.concat(r.text(whole[i]), out));
    }
    return out;
  }

  /** The point and the digits after it, of which `digits` says which are wanted; none is no point. */
  #after(digits: Regex): Regex {
    const r = this.#r;
    const point = r.concat(r.text("."), r.and(digits, this.#some));
    return digits.nullable ? r.optional(point) : point;
  }

  #over(digit: string): Regex {
    return this.#r.bytes(digit === "9" ? [] : [[digit.charCodeAt(0) + 1, 0x39]]);
  }

  #under(digit: string): Regex {
    return this.#r.bytes(digit === "0" ? [] : [[0x30, digit.charCodeAt(0) - 1]]);
  }
}
