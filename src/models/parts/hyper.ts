/** Hyperparameters: typed getters of `{architecture}.{key}`, and what nearly every model has. */
import { WebggufError } from "../../base/errors.ts";
import { quoted } from "../../base/text.ts";
import type { ModelFile } from "../../file/types.ts";

/** Bounds that no model comes near; they keep hostile files from asking for memory. */
const limits = { layers: 4096, heads: 65536, width: 1 << 24, context: 1 << 30 };

export class Hyper {
  readonly file: ModelFile;
  readonly architecture: string;
  /** Tokens of context that the caller wants. */
  readonly contextLength: number;
  readonly layers: number;
  readonly width: number;
  readonly trainedContext: number;
  /** Query heads, by layer. */
  readonly headsOf: readonly number[];
  /** Key/value heads, by layer; 0 where a layer has no attention. */
  readonly kvHeadsOf: readonly number[];
  /** The same of the first layer that has any. */
  readonly heads: number;
  readonly kvHeads: number;
  /** Elements of one head's key and value. */
  readonly keyWidth: number;
  readonly valueWidth: number;

  constructor(file: ModelFile, contextLength: number) {
    this.file = file;
    this.contextLength = contextLength;
    this.architecture = file.metadata.string("general.architecture");
    const blocks = this.within("block_count", 1, limits.layers);
    // Layers that predict further tokens stand after the model's own.
    this.layers = blocks - this.within("nextn_predict_layers", 0, blocks - 1, 0);
    this.width = this.within("embedding_length", 1, limits.width);
    this.trainedContext = this.within("context_length", 1, limits.context);
    this.headsOf = this.perLayer("attention.head_count", 0);
    this.kvHeadsOf = this.has("attention.head_count_kv")
      ? this.perLayer("attention.head_count_kv")
      : this.headsOf;
    this.heads = this.headsOf.find((n) => n > 0) ?? 0;
    this.kvHeads = this.kvHeadsOf.find((n) => n > 0) ?? 0;
    const share = this.heads > 0 ? Math.floor(this.width / this.heads) : 0;
    this.keyWidth = this.integer("attention.key_length", share);
    this.valueWidth = this.integer("attention.value_length", share);
    this.#checkHeads();
  }

  /** Full name of a key. */
  key(name: string): string {
    return `${this.architecture}.${name}`;
  }
  has(name: string): boolean {
    return this.file.metadata.has(this.key(name));
  }
  integer(name: string, fallback?: number): number {
    return this.file.metadata.integer(this.key(name), fallback);
  }
  number(name: string, fallback?: number): number {
    const value = this.file.metadata.number(this.key(name), fallback);
    if (!Number.isFinite(value)) this.fail(name, value, "a finite number");
    return value;
  }
  string(name: string, fallback?: string): string {
    return this.file.metadata.string(this.key(name), fallback);
  }
  boolean(name: string, fallback?: boolean): boolean {
    return this.file.metadata.boolean(this.key(name), fallback);
  }
  numbers(name: string, fallback?: ArrayLike<number>): number[] {
    return Array.from(this.file.metadata.numbers(this.key(name), fallback));
  }
  /** A number a layer, given as an array or as one for all. */
  perLayer(name: string, fallback?: number): number[] {
    const all = this.file.metadata.perLayer(this.key(name), this.layers, fallback);
    const wrong = all.find((n) => !Number.isInteger(n) || n < 0 || n > 0x7fffffff);
    if (wrong !== undefined) this.fail(name, wrong, "whole numbers");
    return all;
  }
  /** A whole number between two bounds. */
  within(name: string, min: number, max: number, fallback?: number): number {
    const value = this.integer(name, fallback);
    if (value < min || value > max) this.fail(name, value, `between ${min} and ${max}`);
    return value;
  }
  /** Refuses a value: `model/invalid`, naming key, value and architecture. */
  fail(name: string, value: unknown, expected: string): never {
    const key = this.key(name);
    const found = typeof value === "string" ? quoted(value) : String(value);
    throw new WebggufError(
      "model/invalid",
      `Cannot build the ${this.architecture} model ${this.file.name}: ` +
        `"${key}" is ${found}, expected ${expected}`,
      { file: this.file.name, key, expected, actual: value },
    );
  }

  #checkHeads(): void {
    for (let layer = 0; layer < this.layers; layer++) {
      const [heads, kv] = [this.headsOf[layer], this.kvHeadsOf[layer]];
      if (heads > limits.heads)
        this.fail("attention.head_count", heads, `at most ${limits.heads} in layer ${layer}`);
      if (kv > 0 && heads % kv !== 0)
        this.fail("attention.head_count_kv", kv, `a divisor of ${heads} heads in layer ${layer}`);
    }
    if (this.keyWidth > limits.width) this.fail("attention.key_length", this.keyWidth, "less");
    if (this.valueWidth > limits.width)
      this.fail("attention.value_length", this.valueWidth, "less");
  }
}
