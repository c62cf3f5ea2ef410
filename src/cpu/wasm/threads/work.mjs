/**
 * What the threads of a model do: they claim parts of a job and compute them. Plain JavaScript, because workers
 * load it as it is in every build. work.d.mts says its types.
 *
 * A job stands in shared integers. Before a helper reads them it counts itself in, and the thread that puts jobs there
 * waits until all are out, so that a helper that wakes late meets a whole job or none.
 */

/** Where what stands in the integers. */
export const at = {
  /** Jobs so far. */
  generation: 0,
  /** 1 while parts of the job can be claimed. */
  open: 1,
  /** Helpers that may be at it. */
  inside: 2,
  /** Helpers that must be woken. */
  sleeping: 3,
  /** Helpers that have started. */
  ready: 4,
  stop: 5,
  failed: 6,
  /** The first row that nobody has claimed, their number, and how many are claimed at once. */
  next: 7,
  total: 8,
  chunk: 9,
  kernel: 10,
  memory: 11,
  /** Which argument is the number of rows; -1: each item has arguments of its own in the table. */
  count: 12,
  /** Number of arguments. */
  length: 13,
  /** Arguments of the first row, by how much they move a row, and a thread. */
  args: 16,
  steps: 32,
  lanes: 48,
  table: 64,
};

/** Computes parts of the job until all are claimed; `kernels` are lists of functions by memory. */
export function work(control, kernels, thread) {
  const run = kernels[control[at.memory]][control[at.kernel]];
  const total = control[at.total];
  const chunk = control[at.chunk];
  const count = control[at.count];
  const length = control[at.length];
  const own = new Array(length).fill(0);
  for (;;) {
    const from = Atomics.add(control, at.next, chunk);
    if (from >= total) return;
    const to = Math.min(total, from + chunk);
    for (let item = from; item < to; item = count < 0 ? item + 1 : to) {
      const first = count < 0 ? at.table + item * length : at.args;
      const moved = count < 0 ? 0 : item;
      for (let i = 0; i < length; i++)
        own[i] =
          control[first + i] + moved * control[at.steps + i] + thread * control[at.lanes + i];
      if (count >= 0) own[count] = to - from;
      run(...own);
    }
  }
}

/** Milliseconds that a helper looks for the next job of a step before it sleeps. */
const patience = 0.05;

/** A helper's life: it ends when it is told to stop. */
export function help({ control, module, memories, names, thread }) {
  const kernels = memories.map((memory) => {
    const { exports } = new WebAssembly.Instance(module, { env: { memory } });
    return names.map((name) => exports[name]);
  });
  let seen = Atomics.load(control, at.generation);
  Atomics.add(control, at.ready, 1);
  for (;;) {
    const since = performance.now();
    while (Atomics.load(control, at.generation) === seen) {
      if (Atomics.load(control, at.stop)) return;
      if (performance.now() - since < patience) continue;
      Atomics.add(control, at.sleeping, 1);
      Atomics.wait(control, at.generation, seen);
      Atomics.sub(control, at.sleeping, 1);
    }
    seen = Atomics.load(control, at.generation);
    Atomics.add(control, at.inside, 1);
    try {
      if (Atomics.load(control, at.open)) work(control, kernels, thread);
    } catch {
      Atomics.store(control, at.failed, 1);
    }
    if (Atomics.sub(control, at.inside, 1) === 1) Atomics.notify(control, at.inside);
  }
}
