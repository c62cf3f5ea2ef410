/** Threads that compute one job after the other over the same memories, the calling one among them. */
import { type Helper, startHelper } from "./start.ts";
import { at, work } from "./work.mjs";

/** How a kernel's rows are divided. */
export interface Split {
  /** Which argument is the number of rows. */
  readonly count: number;
  /** By argument: how far it moves a row. */
  readonly steps: readonly number[];
  /** By argument: how far it moves a thread. */
  readonly lanes: readonly number[];
}

/** Integers for the arguments of items. */
const tableLength = 2 ** 14;
/** Rows that are claimed at once, at least. */
const leastRows = 32;
/** Parts a thread takes, where all are as fast. */
const parts = 4;
/** Milliseconds that helpers may take to start. */
const startMs = 5000;
/** Milliseconds of the measurement of what helpers are worth. */
const probeMs = 20;

export interface PoolSettings {
  readonly threads: number;
  readonly module: WebAssembly.Module;
  readonly memories: readonly WebAssembly.Memory[];
  readonly kernels: readonly Readonly<Record<string, (...args: number[]) => void>>[];
}

export class Pool {
  /** Threads that compute: 1 until the helpers have shown what they are worth. */
  threads = 1;
  /** Arguments of items, to be filled before `list`. */
  readonly table: Int32Array;
  readonly #control: Int32Array;
  readonly #numbers = new Map<string, number>();
  readonly #kernels: readonly (readonly ((...args: number[]) => void)[])[];
  readonly #helpers: Helper[] = [];
  #trouble: string | undefined;

  constructor({ threads, module, memories, kernels }: PoolSettings) {
    const bytes = 4 * (at.table + tableLength);
    this.#control = new Int32Array(new SharedArrayBuffer(bytes));
    this.table = this.#control.subarray(at.table);
    const names = WebAssembly.Module.exports(module).map(({ name }) => name);
    names.forEach((name, number) => this.#numbers.set(name, number));
    this.#kernels = kernels.map((own) => names.map((name) => own[name]));
    const failed = (reason: string): void => {
      this.#trouble ??= reason;
    };
    try {
      for (let thread = 1; thread < threads; thread++) {
        const data = { control: this.#control, module, memories, names, thread };
        this.#helpers.push(startHelper(data, failed));
      }
    } catch (error) {
      failed((error as Error).message);
    }
  }

  /**
   * Waits for the helpers to start, and keeps them if `work` is at least `gain` times as fast with them.
   * Resolves with why there are none, where that is not for lack of gain.
   */
  async settle(work: () => void, gain: number): Promise<string | undefined> {
    const control = this.#control;
    const until = performance.now() + startMs;
    const all = this.#helpers.length;
    while (!this.#trouble && Atomics.load(control, at.ready) < all) {
      if (performance.now() > until) this.#trouble = `they did not start in ${startMs / 1000} s`;
      else await new Promise((resolve) => setTimeout(resolve, 2));
    }
    if (!this.#trouble && all > 0 && this.#gain(work) >= gain) this.threads = all + 1;
    else this.end();
    return this.#trouble;
  }

  /** How many times as fast `work` is with the helpers. */
  #gain(work: () => void): number {
    const spent = [0, 0];
    const begun = performance.now();
    // The first turns wake the helpers and compile the kernels.
    for (let turn = 0; turn < 2 || performance.now() - begun < probeMs; turn++)
      for (const together of [0, 1]) {
        this.threads = together ? this.#helpers.length + 1 : 1;
        const since = performance.now();
        work();
        if (turn > 0) spent[together] += performance.now() - since;
      }
    this.threads = 1;
    return spent[0] / spent[1];
  }

  /** A kernel's rows. */
  rows(memory: number, kernel: string, args: readonly number[], split: Split): void {
    const control = this.#control;
    control.set(args, at.args);
    control.set(split.steps, at.steps);
    control.set(split.lanes, at.lanes);
    const total = args[split.count];
    const even = 2 * Math.ceil(total / (2 * parts * this.threads));
    this.#run(memory, kernel, split.count, args.length, total, Math.max(leastRows, even));
  }

  /** Items that fit the table, where each has `length` arguments. */
  itemsOf(length: number): number {
    return Math.floor(tableLength / length);
  }

  /** Calls of a kernel with arguments from the table. */
  list(memory: number, kernel: string, count: number, lanes: readonly number[]): void {
    this.#control.set(lanes, at.lanes);
    const chunk = Math.max(1, Math.ceil(count / (parts * this.threads)));
    this.#run(memory, kernel, -1, lanes.length, count, chunk);
  }

  #run(
    memory: number,
    kernel: string,
    count: number,
    length: number,
    total: number,
    chunk: number,
  ): void {
    const control = this.#control;
    control[at.memory] = memory;
    control[at.kernel] = this.#numbers.get(kernel) as number;
    control[at.count] = count;
    control[at.length] = length;
    control[at.total] = total;
    control[at.chunk] = chunk;
    Atomics.store(control, at.next, 0);
    Atomics.store(control, at.open, 1);
    Atomics.add(control, at.generation, 1);
    if (Atomics.load(control, at.sleeping) > 0) Atomics.notify(control, at.generation);
    try {
      work(control, this.#kernels, 0);
    } finally {
      Atomics.store(control, at.open, 0);
      this.#await();
    }
    if (control[at.failed]) throw new Error(`a thread failed in ${kernel}`);
  }

  /** Until no helper is at the job. */
  #await(): void {
    const control = this.#control;
    for (let turn = 0; ; turn++) {
      const inside = Atomics.load(control, at.inside);
      if (inside === 0) return;
      if (turn > 1000) Atomics.wait(control, at.inside, inside, 1);
    }
  }

  /** Ends the helpers; what is computed from then on is computed by the calling thread. */
  end(): void {
    this.threads = 1;
    Atomics.store(this.#control, at.stop, 1);
    Atomics.add(this.#control, at.generation, 1);
    Atomics.notify(this.#control, at.generation);
    for (const helper of this.#helpers.splice(0)) helper.end();
  }
}
