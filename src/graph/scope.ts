/**
 * Names of tensors while a model is built: a short stem such as `attn_q` means the tensor of the layer
 * that is being built (`blk.{i}.attn_q.weight`).
 */
import { WebggufError } from "../base/errors.ts";
import type { ModelFile } from "../file/types.ts";

export class Scope {
  readonly file: ModelFile;
  readonly architecture: string;
  #layer = -1;
  #prefix = "";

  constructor(file: ModelFile, architecture: string) {
    this.file = file;
    this.architecture = architecture;
  }

  /** The layer being built, −1 outside of layers. */
  get layer(): number {
    return this.#layer;
  }
  /** Layer numbers in order; while one is handed out, names mean its tensors (`blk.{i}.…`). */
  *layers(count: number, prefix = "blk"): Generator<number, void, void> {
    for (let layer = 0; layer < count; layer++) {
      this.#layer = layer;
      this.#prefix = `${prefix}.${layer}.`;
      yield layer;
    }
    this.#layer = -1;
    this.#prefix = "";
  }

  /** Whether the file has the tensor: `{stem}.weight`, or the stem itself. */
  has(stem: string): boolean {
    return this.#find(stem) !== undefined;
  }
  /** Full name of a tensor that must be there. */
  tensor(stem: string): string {
    const missing = `tensor "${this.#prefix}${stem}.weight" is missing`;
    const name = this.#find(stem) ?? this.fail(missing, stem);
    const type = this.file.tensors.get(name)?.type;
    if (type?.data) this.fail(`"${name}" holds plain ${type.name} data, not weights`, stem);
    return name;
  }
  /** Full name of a tensor of `size` elements, if it is there. */
  optional(stem: string, size: number): string | undefined {
    const name = this.#find(stem);
    if (name !== undefined) this.expect(name, size);
    return name;
  }
  /** GGUF shape of a tensor that must be there, padded with ones to three dimensions. */
  shape(stem: string): readonly [number, number, number] {
    const name = this.tensor(stem);
    const [a = 1, b = 1, c = 1, ...rest] = this.file.tensors.get(name)?.shape ?? [];
    if (rest.some((n) => n !== 1)) this.fail(`"${name}" has more than three dimensions`, stem);
    return [a, b, c];
  }

  /** Refuses the file: `model/invalid`, naming architecture, layer and tensor. */
  fail(problem: string, stem?: string): never {
    const where = this.#layer < 0 ? "" : `layer ${this.#layer} of `;
    const tensor =
      stem === undefined ? undefined : (this.#find(stem) ?? `${this.#prefix}${stem}.weight`);
    throw new WebggufError(
      "model/invalid",
      `Cannot build ${where}the ${this.architecture} model ${this.file.name}: ${problem}`,
      { file: this.file.name, tensor },
    );
  }

  /** Number of elements of a tensor given by its full name. */
  elements(name: string): number | undefined {
    return this.file.tensors.get(name)?.elements;
  }
  /** Full name of the bias or scale that stands beside a tensor, if one does. */
  beside(stem: string, suffix: "bias" | "scale"): string | undefined {
    const name = `${this.#prefix}${stem}.${suffix}`;
    return this.file.tensors.has(name) ? name : undefined;
  }
  /** The same, refused unless it has one of `sizes` elements. */
  sizedBeside(stem: string, suffix: "bias" | "scale", ...sizes: number[]): string | undefined {
    const name = this.beside(stem, suffix);
    if (name !== undefined) this.expect(name, ...sizes);
    return name;
  }
  /** Refuses the tensor of a full name unless it has one of `sizes` elements. */
  expect(name: string, ...sizes: number[]): void {
    const actual = this.elements(name);
    if (actual === undefined || !sizes.includes(actual))
      this.fail(`"${name}" has ${actual} elements, expected ${sizes.join(" or ")}`, name);
  }

  #find(stem: string): string | undefined {
    const names = [`${this.#prefix}${stem}.weight`, `${this.#prefix}${stem}`, stem];
    return names.find((name) => this.file.tensors.has(name));
  }
}
