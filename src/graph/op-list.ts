/** The graph while it is being built: ops with their widths, and what sequences keep. */
import type { ModelFile } from "../file/types.ts";
import { weightGroups } from "./groups.ts";
import { type CacheSlot, type Graph, inputsOf, type Op, type OpBody, type Ref } from "./ops.ts";
import { TensorScope } from "./scope.ts";

/** What a graph says of itself besides its ops. */
export interface GraphFacts {
  readonly architecture: string;
  readonly layers: number;
  readonly trainedContext: number;
  /** Epsilons of rmsNorm and layerNorm. */
  readonly rmsEps: number;
  readonly normEps: number;
}

export class OpList extends TensorScope {
  readonly facts: GraphFacts;
  protected readonly slotList: CacheSlot[] = [];
  readonly #ops: Op[] = [];
  readonly #widths: number[] = [];
  readonly #selected: boolean[] = [];

  constructor(file: ModelFile, facts: GraphFacts) {
    super(file, facts.architecture);
    this.facts = facts;
  }

  /** How many cache slots there are so far; the one made last has the number before. */
  get slots(): number {
    return this.slotList.length;
  }
  /** Width of a value. */
  width(x: Ref): number {
    return this.#widths[x];
  }

  /** The finished graph, whose result is the value `output`. */
  build(output: Ref, kind: Pick<Graph, "outputKind" | "pooling"> & { causal?: boolean }): Graph {
    const { architecture, layers, trainedContext } = this.facts;
    const table = this.file.tensors.get(this.tensor("token_embd"));
    return {
      architecture,
      ops: this.#ops,
      widths: this.#widths,
      selected: this.#selected,
      slots: this.slotList,
      output,
      outputKind: kind.outputKind,
      layers,
      vocabulary: table?.shape[1] ?? 0,
      width: table?.shape[0] ?? 0,
      trainedContext,
      causal: kind.causal ?? true,
      groups: weightGroups(this.#ops),
      pooling: kind.pooling,
    };
  }

  /** Adds an op whose value has `width` elements; `name` is for people. */
  protected append(body: OpBody, width: number, name: string = body.op): Ref {
    if (!Number.isInteger(width) || width < 1 || width > 2 ** 31)
      this.fail(`${body.op} "${name}" would be ${width} elements wide`);
    const selected = body.op === "select" || this.#rowsOf(body);
    this.#ops.push({ layer: this.layer, name, ...body });
    this.#widths.push(width);
    this.#selected.push(selected);
    return this.#ops.length - 1;
  }
  /** Whether the inputs have only the wanted rows; all of them must agree. */
  #rowsOf(body: OpBody): boolean {
    const inputs = inputsOf({ layer: this.layer, name: "", ...body });
    const selected = inputs.filter((x) => this.#selected[x]).length;
    if (selected > 0 && selected < inputs.length)
      this.fail(`${body.op} mixes all rows with selected rows`);
    return selected > 0;
  }
  /** The op that makes a value. */
  protected op(x: Ref): Op {
    return this.#ops[x];
  }
  /** A part of the layer's state slot, which grows with each part. */
  protected claim(size: number): { slot: number; slotOffset: number } {
    if (!Number.isInteger(size) || size < 0)
      this.fail(`a state of ${size} elements cannot be kept`);
    const last = this.slotList.length - 1;
    const old = this.slotList[last];
    if (old?.kind === "state" && old.layer === this.layer) {
      this.slotList[last] = { ...old, size: old.size + size };
      return { slot: last, slotOffset: old.size };
    }
    return {
      slot: this.slotList.push({ kind: "state", layer: this.layer, size }) - 1,
      slotOffset: 0,
    };
  }
  protected divides(part: number, x: Ref): void {
    if (!Number.isInteger(part) || part < 1 || this.width(x) % part !== 0)
      this.fail(`a width of ${this.width(x)} is no multiple of ${part}`);
  }
}
