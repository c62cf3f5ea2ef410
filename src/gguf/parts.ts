/** The parts of a split model, checked against the first as they come. */
import { WebggufError } from "../base/errors.ts";
import { longestHeader } from "./cursor.ts";
import type { Part } from "./read-part.ts";
import { mostTensors } from "./read-tensors.ts";
import { siblingName, splitKeys, stemOf } from "./split.ts";

/** An error that names a part. */
export const malformed = (
  part: Part,
  problem: string,
  key: string,
  expected: unknown,
  actual: unknown,
): WebggufError =>
  new WebggufError("gguf/malformed", `Cannot read ${part.source.name}: ${problem}`, {
    file: part.source.name,
    key,
    expected,
    actual,
  });

/** Merged files keep the keys of their parts, with a count of 0 or 1: only more than one part counts. */
const countOf = (part: Part): number => Math.max(1, part.metadata.integer(splitKeys.count, 1));
/** The number of a part, from 0. */
export const numberOf = (part: Part): number => part.metadata.integer(splitKeys.no, 0);

const kind = (count: number): string => (count === 1 ? "a whole model" : `one of ${count} parts`);

/** More than any model has: whoever answers for every name of a part is not asked for ever. */
const mostParts = 4096;

/** Parts as they come, by their numbers: what does not belong to the first is refused at once. */
export class Parts {
  readonly count: number;
  readonly #first: Part;
  readonly #ordered: Part[] = [];
  readonly #announced: number;
  #tensors = 0;
  #header = 0;

  constructor(first: Part) {
    this.#first = first;
    this.count = countOf(first);
    // A single file is not split, whatever its keys say.
    this.#announced = this.count === 1 ? -1 : first.metadata.integer(splitKeys.tensors, -1);
    if (this.count > mostParts)
      throw malformed(
        first,
        `it is one of ${this.count} parts, at most ${mostParts} can be`,
        splitKeys.count,
        mostParts,
        this.count,
      );
  }

  add(part: Part): void {
    const [no, count] = [this.count === 1 ? 0 : numberOf(part), countOf(part)];
    if (count !== this.count)
      throw malformed(
        part,
        `it is ${kind(count)}, but ${this.#first.source.name} is ${kind(this.count)}`,
        splitKeys.count,
        this.count,
        count,
      );
    if (no >= count)
      throw malformed(
        part,
        `it is part ${no + 1} of ${count}, which cannot be`,
        splitKeys.no,
        count - 1,
        no,
      );
    const same = this.#ordered[no];
    if (same)
      throw malformed(
        part,
        `it is ${count === 1 ? kind(1) : `part ${no + 1} of ${count}`}, and so is ${same.source.name}; leave one of them out`,
        splitKeys.no,
        undefined,
        no,
      );
    const [stem, its] = [stemOf(this.#first.source.name), stemOf(part.source.name)];
    if (stem !== undefined && its !== undefined && stem !== its)
      throw malformed(
        part,
        `by its name it is part of another model than ${this.#first.source.name}; leave it out`,
        splitKeys.no,
        stem,
        its,
      );
    for (const key of ["general.architecture", splitKeys.tensors]) {
      const [own, other] = [this.#first.metadata.get(key), part.metadata.get(key)];
      if (own !== undefined && other !== undefined && own !== other)
        throw malformed(
          part,
          `it is part of another model than ${this.#first.source.name}: "${key}" differs`,
          key,
          own,
          other,
        );
    }
    this.#ordered[no] = part;
    this.#tensors += part.tensors.length;
    this.#header += part.dataOffset;
    const most = this.#announced < 0 ? mostTensors : this.#announced;
    if (this.#tensors > most) this.#wrongTensors(most);
    if (this.#header > longestHeader)
      throw malformed(
        part,
        `the headers of its parts have more than ${longestHeader} bytes`,
        splitKeys.count,
        longestHeader,
        this.#header,
      );
  }

  /** All of them in order, when the last has been added. */
  all(): readonly Part[] {
    this.#checkMissing();
    if (this.#announced >= 0 && this.#tensors !== this.#announced)
      this.#wrongTensors(this.#announced);
    return this.#ordered;
  }

  /** Names the first few that are not there. */
  #checkMissing(): void {
    const { name } = this.#first.source;
    const missing: string[] = [];
    for (let no = 0; no < this.count; no++)
      if (!this.#ordered[no]) missing.push(siblingName(name, no) ?? `part ${no + 1}`);
    if (missing.length === 0) return;
    const named = missing.slice(0, 3).join(", ");
    const more = missing.length > 3 ? ` and ${missing.length - 3} more` : "";
    throw malformed(
      this.#first,
      `it is one of ${this.count} parts, without ${named}${more}; give all of them`,
      splitKeys.count,
      this.count,
      this.count - missing.length,
    );
  }

  #wrongTensors(expected: number): never {
    throw malformed(
      this.#first,
      `its parts hold ${this.#tensors} tensors, but ${expected} are announced`,
      splitKeys.tensors,
      expected,
      this.#tensors,
    );
  }
}
