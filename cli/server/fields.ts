/** A request's body: its size and time are bounded, and every field is read by name and checked. */
import { ApiError, refuse } from "./errors.ts";

/** The fields of a JSON object; null counts as left out, as OpenAI's clients send it. */
export class Fields {
  readonly values: Readonly<Record<string, unknown>>;
  readonly #path: string;

  constructor(value: unknown, path = "") {
    if (!isObject(value)) refuse(path || "the body", "a JSON object", value);
    this.values = value;
    this.#path = path === "" ? "" : `${path}.`;
  }

  /** A field's name with where it stands. */
  name(key: string): string {
    return this.#path + key;
  }
  /** A field as it came. */
  any(key: string): unknown {
    return Object.hasOwn(this.values, key) ? (this.values[key] ?? undefined) : undefined;
  }
  has(key: string): boolean {
    return this.any(key) !== undefined;
  }
  #read<T>(key: string, expected: string, is: (value: unknown) => boolean): T | undefined {
    const value = this.any(key);
    if (value !== undefined && !is(value)) refuse(this.name(key), expected, value);
    return value as T | undefined;
  }
  text(key: string): string | undefined {
    return this.#read(key, "a text", (value) => typeof value === "string");
  }
  flag(key: string): boolean | undefined {
    return this.#read(key, "true or false", (value) => typeof value === "boolean");
  }
  number(key: string, least: number = -Infinity, most: number = Infinity): number | undefined {
    return this.#read(
      key,
      least === -Infinity && most === Infinity ? "a number" : `a number ${range(least, most)}`,
      (value) => typeof value === "number" && value >= least && value <= most,
    );
  }
  whole(key: string, least: number = -(2 ** 31), most: number = 2 ** 31 - 1): number | undefined {
    return this.#read(
      key,
      `a whole number ${range(least, most)}`,
      (value) => Number.isInteger(value) && Number(value) >= least && Number(value) <= most,
    );
  }
  oneOf<T extends string>(key: string, ...names: readonly T[]): T | undefined {
    return this.#read(key, `one of ${names.join(", ")}`, (value) => names.includes(value as T));
  }
  list(key: string): readonly unknown[] | undefined {
    return this.#read(key, "a list", Array.isArray);
  }
  texts(key: string): readonly string[] | undefined {
    return this.#read(key, "a list of texts", isTexts);
  }
  /** A text or a list of them, as a list. */
  textOrTexts(key: string): readonly string[] | undefined {
    const value = this.#read<string | readonly string[]>(
      key,
      "a text or a list of texts",
      (value) => typeof value === "string" || isTexts(value),
    );
    return typeof value === "string" ? [value] : value;
  }
  object(key: string): Readonly<Record<string, unknown>> | undefined {
    return this.#read(key, "an object", isObject);
  }
  fields(key: string): Fields | undefined {
    const value = this.object(key);
    return value && new Fields(value, this.name(key));
  }
  /** Refuses the request unless the field is there. */
  required<T>(key: string, value: T | undefined): T {
    if (value === undefined)
      throw new ApiError(400, `Cannot answer: ${this.name(key)} is missing`, {
        param: this.name(key),
      });
    return value;
  }
}

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isTexts = (value: unknown): boolean =>
  Array.isArray(value) && value.every((one) => typeof one === "string");

const range = (least: number, most: number): string =>
  most === Infinity || most === 2 ** 31 - 1
    ? least === -(2 ** 31)
      ? ""
      : `of at least ${least}`
    : `from ${least} to ${most}`;

/** What a body may take. */
export interface BodyLimits {
  /** Bytes at most. */
  readonly maxBody: number;
  /** Milliseconds within which the whole of it must come. */
  readonly bodyTimeout: number;
}

/** Reads a JSON object. Errors: 400, 408, 413. */
export async function readFields(request: Request, limits: BodyLimits): Promise<Fields> {
  const bytes = await readBody(request, limits);
  if (isDeeper(bytes, MOST_DEPTH))
    throw new ApiError(400, `Cannot read the body: it is nested more than ${MOST_DEPTH} deep`);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    const reason = error instanceof SyntaxError ? error.message : "it is not UTF-8";
    throw new ApiError(400, `Cannot read the body as JSON: ${reason.slice(0, 200)}`);
  }
  return new Fields(value);
}

/** Levels of a body's lists and objects: what walks them, and says what is wrong in them, has a stack that ends. */
const MOST_DEPTH = 1000;

/** Whether a JSON text has more than `most` lists and objects in one another. */
function isDeeper(json: Uint8Array, most: number): boolean {
  let depth = 0;
  let inText = false;
  for (let i = 0; i < json.length; i++) {
    const byte = json[i];
    if (byte === 0x22) inText = !inText;
    else if (inText) i += Number(byte === 0x5c);
    else if (byte === 0x5b || byte === 0x7b) {
      if (++depth > most) return true;
    } else if (byte === 0x5d || byte === 0x7d) depth--;
  }
  return false;
}

async function readBody(
  request: Request,
  { maxBody, bodyTimeout }: BodyLimits,
): Promise<Uint8Array> {
  const tooLarge = (): ApiError =>
    new ApiError(413, `Cannot read the body: it has more than ${maxBody} bytes`);
  if (Number(request.headers.get("content-length") ?? 0) > maxBody) throw tooLarge();
  const parts: Uint8Array[] = [];
  let size = 0;
  const reader = request.body?.getReader();
  if (!reader) return new Uint8Array(0);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new ApiError(408, `The body did not come within ${bodyTimeout / 1000} s`)),
      bodyTimeout,
    );
  });
  try {
    for (;;) {
      const { done, value } = await Promise.race([reader.read(), late]);
      if (done) break;
      size += value.length;
      if (size > maxBody) throw tooLarge();
      parts.push(value);
    }
  } catch (error) {
    reader.cancel().catch(() => {});
    throw error instanceof ApiError ? error : new ApiError(400, "The body broke off");
  } finally {
    clearTimeout(timer);
  }
  const whole = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
