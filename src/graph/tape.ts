/** The graph while it is built: ops with the widths of their values, and the slots of sequences. */

import type { CacheSlot, Graph } from "./graph.ts";
import { weightGroups } from "./groups.ts";
import type { Op, OpBody, Ref } from "./ops.ts";
import { inputsOf } from "./ops.ts";
import type { Scope } from "./scope.ts";

/** What a graph says of itself besides its ops. */
export interface GraphFacts {
  readonly architecture: string;
  readonly layers: number;
  readonly trainedContext: number;
  /** Epsilons of rmsNorm and layerNorm. */
  readonly rmsEps: number;
  readonly normEps: number;
  /** False where rows attend to later ones too. @default true */
  readonly causal?: boolean;
}

/** What the last value of a graph is; causal as the facts say, unless said otherwise. */
export type GraphEnd = Pick<Graph, "outputKind" | "pooling"> & { readonly causal?: boolean };

/** Records ops in order. What does not fit is refused through the scope, which knows the layer. */
export class Tape {
  readonly scope: Scope;
  readonly #slots: CacheSlot[] = [];
  readonly #ops: Op[] = [];
  readonly #widths: number[] = [];
  readonly #selected: boolean[] = [];
  #given: Ref | undefined;

  constructor(scope: Scope) {
    this.scope = scope;
  }

  /** Width of a value. */
  width(x: Ref): number {
    return this.#widths[x];
  }
  /** The op that makes a value. */
  op(x: Ref): Op {
    return this.#ops[x];
  }
  /** Adds an op whose value has `width` elements; `name` is for people. */
  append(body: OpBody, width: number, name: string = body.op): Ref {
    if (!Number.isInteger(width) || width < 1 || width > 2 ** 31)
      this.scope.fail(`${body.op} "${name}" would be ${width} elements wide`);
    const op: Op = { layer: this.scope.layer, name, ...body };
    this.#selected.push(op.op === "select" || this.#readsSelected(op));
    this.#widths.push(width);
    return this.#ops.push(op) - 1;
  }
  /** Given rows take the place of this value. @default the first, if it is the embeddings of tokens */
  takeGiven(x: Ref): Ref {
    return (this.#given = x);
  }
  /** Refuses a value whose width is no multiple of `part`. */
  divides(part: number, x: Ref): void {
    if (!Number.isInteger(part) || part < 1 || this.width(x) % part !== 0)
      this.scope.fail(`a width of ${this.width(x)} is no multiple of ${part}`);
  }

  /** A slot of the sequences' caches by its number. */
  slot(slot: number): CacheSlot | undefined {
    return this.#slots[slot];
  }
  /** A new slot; returns its number. */
  addSlot(slot: CacheSlot): number {
    return this.#slots.push(slot) - 1;
  }
  /** `size` elements of the layer's state slot, which grows with each claim. */
  claimState(size: number): { slot: number; slotOffset: number } {
    const { layer } = this.scope;
    if (!Number.isInteger(size) || size < 0)
      this.scope.fail(`a state of ${size} elements cannot be stored`);
    const last = this.#slots.length - 1;
    const old = this.#slots[last];
    if (old?.kind !== "state" || old.layer !== layer)
      return { slot: this.addSlot({ kind: "state", layer, size }), slotOffset: 0 };
    this.#slots[last] = { ...old, size: old.size + size };
    return { slot: last, slotOffset: old.size };
  }

  /** The finished graph, whose result is the value `output`. */
  finish(facts: GraphFacts, output: Ref, end: GraphEnd): Graph {
    const { architecture, layers, trainedContext, causal = true } = facts;
    const [width, vocabulary] = this.scope.shape("token_embd");
    const [first] = this.#ops;
    const embeds = first.op === "embed" && first.by === "token";
    if (end.outputKind === "logits" && this.width(output) !== vocabulary)
      this.scope.fail(
        `it has ${this.width(output)} logits for the ${vocabulary} tokens of "token_embd.weight"`,
        "output",
      );
    if (!causal && this.#slots.some(({ kind }) => kind === "state"))
      this.scope.fail("its attention is not causal, which its recurrent layers cannot follow");
    return {
      architecture,
      ops: this.#ops,
      widths: this.#widths,
      selected: this.#selected,
      slots: this.#slots,
      output,
      outputKind: end.outputKind,
      layers,
      vocabulary,
      width,
      trainedContext,
      causal: end.causal ?? causal,
      groups: weightGroups(this.#ops),
      pooling: end.pooling,
      given: this.#given ?? (embeds ? 0 : undefined),
    };
  }

  /** Whether the op's inputs have only the wanted rows; all of them must agree. */
  #readsSelected(op: Op): boolean {
    const inputs = inputsOf(op);
    const selected = inputs.filter((x) => this.#selected[x]).length;
    if (selected > 0 && selected < inputs.length)
      this.scope.fail(`${op.op} mixes all rows with selected rows`);
    return selected > 0;
  }
}
