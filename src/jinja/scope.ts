/** Variables of a template, of the block they are set in and of those around it. */
import { UNDEFINED, type Value } from "./values.ts";

export class Scope {
  readonly #outer: Scope | undefined;
  readonly #variables = new Map<string, Value>();

  constructor(outer?: Scope) {
    this.#outer = outer;
  }

  set(name: string, value: Value): void {
    this.#variables.set(name, value);
  }

  /** The variable of the nearest block that has it; undefined if there is none. */
  get(name: string): Value {
    for (let scope: Scope | undefined = this; scope !== undefined; scope = scope.#outer) {
      const value = scope.#variables.get(name);
      if (value !== undefined) return value;
    }
    return UNDEFINED;
  }
}
