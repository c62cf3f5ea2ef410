/** Tensors by short name, with the layer that is being built. */
import { WebggufError } from "../base/errors.ts";
import type { ModelFile } from "../file/types.ts";

export class TensorScope {
  readonly file: ModelFile;
  readonly architecture: string;
  /** The layer being built, −1 outside of layers. */
  protected layer = -1;
  #prefix = "";

  constructor(file: ModelFile, architecture: string) {
    this.file = file;
    this.architecture = architecture;
  }

  /** Layer numbers in order; while one is handed out, names mean its tensors (`blk.{i}.…`). */
  *layers(count: number, prefix = "blk"): Generator<number, void, void> {
    for (let layer = 0; layer < count; layer++) {
      this.layer = layer;
      this.#prefix = `${prefix}.${layer}.`;
      yield layer;
    }
    this.layer = -1;
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
    const where = this.layer < 0 ? "" : `layer ${this.layer} of `;
    const tensor =
      stem === undefined ? undefined : (this.#find(stem) ?? `${this.#prefix}${stem}.weight`);
    throw new WebggufError(
      "model/invalid",
      `Cannot build ${where}the ${this.architecture} model ${this.file.name}: ${problem}`,
      { file: this.file.name, tensor },
    );
  }

  /** Full name of the tensor with another suffix, if it is there. */
  protected optionalBeside(stem: string, suffix: string): string | undefined {
    const name = `${this.#prefix}${stem}.${suffix}`;
    return this.file.tensors.has(name) ? name : undefined;
  }
  /** Full name of the bias or scale beside a tensor, which must have one of `sizes` elements. */
  protected beside(stem: string, suffix: string, ...sizes: number[]): string | undefined {
    const name = this.optionalBeside(stem, suffix);
    if (name !== undefined) this.expect(name, ...sizes);
    return name;
  }
  /** Checks the number of elements of a tensor given by its full name. */
  protected expect(name: string, ...sizes: number[]): void {
    const actual = this.file.tensors.get(name)?.elements;
    if (actual === undefined || !sizes.includes(actual))
      this.fail(`"${name}" has ${actual} elements, expected ${sizes.join(" or ")}`, name);
  }

  #find(stem: string): string | undefined {
    const names = [`${this.#prefix}${stem}.weight`, `${this.#prefix}${stem}`, stem];
    return names.find((name) => this.file.tensors.has(name));
  }
}
