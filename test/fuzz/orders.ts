/**
 * Random orders of everything that begins and ends: load, session, generate, next, break, abort, reset, restore,
 * dispose, terminate. Every call must settle in time, with a result, a typed error or the
 * reason of its own signal, and nothing may be left.
 */
import { getEventListeners } from "node:events";
import { MessageChannel } from "node:worker_threads";
import { platform } from "#platform";
import { loadModel, type Model, type Session, WebggufError } from "../../mod.ts";
import type { Platform } from "../../src/platform/types.ts";
import { type Backend, backends } from "../../src/session/backends.ts";
import type { AnswerStream, LoadOptions } from "../../src/session/types.ts";
import { loadModelInWorker, serveModel } from "../../src/worker/mod.ts";
import type { Port } from "../../src/worker/protocol.ts";

/** What is open now, over all backends. */
export interface Open {
  devices: number;
  executors: number;
  readonly buffers: Set<GPUBuffer>;
  readonly gpus: Set<GPUDevice>;
}

/** Counts what the backends open while `work` runs. */
export async function counting<T>(work: (open: Open) => Promise<T>): Promise<T> {
  const open: Open = { devices: 0, executors: 0, buffers: new Set(), gpus: new Set() };
  const list = backends as Backend[];
  const real = list.splice(0, list.length, ...backends.map((backend) => watched(backend, open)));
  const changeable = platform as { openGpu: Platform["openGpu"] };
  const { openGpu } = changeable;
  changeable.openGpu = async (options) => {
    const gpu = await openGpu(options);
    const { device } = gpu;
    open.gpus.add(device);
    const create = device.createBuffer.bind(device);
    device.createBuffer = (descriptor) => {
      const buffer = create(descriptor);
      open.buffers.add(buffer);
      const destroy = buffer.destroy.bind(buffer);
      buffer.destroy = () => {
        open.buffers.delete(buffer);
        return destroy();
      };
      return buffer;
    };
    const dispose = gpu.dispose.bind(gpu);
    gpu.dispose = () => {
      open.gpus.delete(device);
      dispose();
    };
    return gpu;
  };
  try {
    return await work(open);
  } finally {
    list.splice(0, list.length, ...real);
    changeable.openGpu = openGpu;
  }
}

function watched(backend: Backend, open: Open): Backend {
  /** Counts one that is there until its `dispose`. */
  const count = <D extends { dispose(): unknown }>(one: D, name: "devices" | "executors"): D => {
    open[name]++;
    const dispose = one.dispose.bind(one);
    let live = true;
    one.dispose = () => {
      if (live) open[name]--;
      live = false;
      return dispose();
    };
    return one;
  };
  return {
    name: backend.name,
    async open(name, instruments) {
      const device = count(await backend.open(name, instruments), "devices");
      const load = device.load.bind(device);
      device.load = async (...args) => count(await load(...args), "executors");
      return device;
    },
  };
}

export interface OrdersOptions {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly load: LoadOptions;
  readonly inWorker: boolean;
  readonly steps: number;
  /** Random whole numbers below a limit. */
  readonly below: (limit: number) => number;
  /** Milliseconds within which every call settles. */
  readonly limit: number;
  /** Devices are lost now and then: what goes on then settles within 5 s. Between steps there is time for a GPU. */
  readonly lose?: boolean;
}

/** Milliseconds within which everything settles when its device was lost. */
const AFTER_LOSS = 5000;

export interface OrdersReport {
  steps: number;
  /** How often calls ended how. */
  readonly outcomes: Map<string, number>;
  /** What must not happen, a line each. */
  readonly faults: string[];
  /** Milliseconds of the call that took longest. */
  longest: number;
}

const REASON = "stopped by the order";
const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Plays one order to its end, disposes of everything, and looks at what is left. */
export async function playOrder(how: OrdersOptions, open: Open): Promise<OrdersReport> {
  const { below, inWorker } = how;
  const report: OrdersReport = { steps: 0, outcomes: new Map(), faults: [], longest: 0 };
  const pending = new Map<Promise<void>, string>();
  const signals: AbortSignal[] = [];
  const controllers: AbortController[] = [];
  const models: Model[] = [];
  const sessions: Session[] = [];
  const streams: AnswerStream[] = [];
  let channel = newChannel();

  function newChannel(): MessageChannel {
    const made = new MessageChannel();
    if (inWorker) serveModel(made.port1 as unknown as Port);
    return made;
  }
  const pick = <T>(list: readonly T[]): T | undefined => list[below(list.length || 1)];
  const own = (): AbortSignal | undefined => {
    if (below(3) > 0) return undefined;
    const controller = new AbortController();
    controllers.push(controller);
    signals.push(controller.signal);
    if (below(8) === 0) controller.abort(REASON);
    else if (below(3) === 0) setTimeout(() => controller.abort(REASON), below(8));
    return controller.signal;
  };
  const note = (name: string, error?: unknown): void => {
    const typed = error instanceof WebggufError ? error.code : error === REASON ? "aborted" : "ok";
    const outcome = `${name}: ${typed}`;
    report.outcomes.set(outcome, (report.outcomes.get(outcome) ?? 0) + 1);
    if (error !== undefined && typed === "ok")
      report.faults.push(`${name} threw ${(error as Error)?.stack ?? String(error)}`);
  };
  function call<T>(name: string, work: () => PromiseLike<T>, done?: (value: T) => void): void {
    const started = performance.now();
    const settled = Promise.resolve()
      .then(work)
      .then(
        (value) => {
          note(name);
          done?.(value);
        },
        (error: unknown) => note(name, error ?? "nothing"),
      );
    const timed = Promise.race([settled, wait(how.limit).then(() => "late" as const)]).then(
      (end) => {
        if (end === "late") report.faults.push(`${name} did not settle within ${how.limit} ms`);
        report.longest = Math.max(report.longest, performance.now() - started);
        pending.delete(timed);
      },
    );
    pending.set(timed, name);
  }

  const load = (): void => {
    if (models.length > 2) return;
    const options = { ...how.load, maxSequences: 1 + below(2), signal: own() };
    const port = channel.port2 as unknown as Port;
    call(
      "load",
      () =>
        inWorker ? loadModelInWorker(port, how.bytes, options) : loadModel(how.bytes, options),
      (model) => models.push(model),
    );
  };
  const session = (): void => {
    const model = pick(models);
    if (!model || sessions.length > 8) return;
    try {
      sessions.push(model.session());
    } catch (error) {
      note("session", error);
    }
  };
  const options = () => ({
    ...{ maxTokens: 1 + below(12), ignoreEos: true, temperature: below(2), signal: own() },
    ...(below(4) === 0 && { logprobs: 1 }),
    ...(below(4) === 0 && { speculation: "ngram" as const }),
  });
  const prompt = () => Array.from({ length: 1 + below(20) }, () => below(32));
  const actions: (() => void)[] = [
    load,
    session,
    session,
    () => {
      const stream = pick(sessions)?.generate(prompt(), options());
      if (!stream) return;
      streams.push(stream);
      call("first", () => stream.next());
    },
    () => {
      const stream = pick(streams);
      if (stream) call("next", () => stream.next());
    },
    () => {
      const stream = pick(streams);
      if (stream) call("break", () => stream.return());
    },
    () => {
      const one = pick(sessions);
      if (one) call("answer", () => one.generate(prompt(), options()));
    },
    () => {
      const one = pick(sessions);
      if (one) call("logits", () => one.logits(prompt(), { signal: own() }));
    },
    () => {
      const model = pick(models);
      if (model) call("embed", () => model.embed(["a"], { signal: own() }));
    },
    () => pick(controllers)?.abort(REASON),
    () => {
      try {
        pick(sessions)?.reset();
      } catch (error) {
        note("reset", error);
      }
    },
    () => {
      const one = pick(sessions);
      if (!one || below(2) > 0) return;
      call("end session", () => one.dispose());
      if (below(2) > 0) sessions.splice(sessions.indexOf(one), 1);
    },
    () => {
      const model = pick(models);
      if (model && below(3) === 0) call("restore", () => model.restore({ signal: own() }));
    },
    () => {
      const model = pick(models);
      if (!model || below(6) > 0) return;
      call("end model", () => model.dispose());
      if (below(2) > 0) models.splice(models.indexOf(model), 1);
    },
    () => {
      if (below(4) > 0) return;
      if (inWorker) channel.port2.postMessage(pick([null, 7, { id: 1 }, { abort: below(99) }]));
    },
    () => {
      if (!inWorker || below(12) > 0) return;
      channel.port1.close();
      channel = newChannel();
    },
  ];

  const lose = (): void => {
    if (below(4) > 0 || open.gpus.size === 0) return;
    for (const device of open.gpus) device.destroy();
    note("lose");
    const lost = new Map(pending);
    call("settling after a loss", async () => {
      const all = Promise.all(lost.keys());
      await Promise.race([all, wait(AFTER_LOSS)]);
      const late = [...lost].filter(([one]) => pending.has(one)).map(([, name]) => name);
      if (late.length > 0) report.faults.push(`${late} did not settle after a loss`);
    });
  };
  if (how.lose) actions.push(lose);

  while (report.steps < how.steps) {
    report.steps++;
    actions[below(actions.length)]();
    if (below(2) === 0) await wait(below(how.lose ? 200 : 4));
    // Loading takes most of the time: nothing else could happen.
    if (how.lose && models.length === 0 && pending.size > 0 && below(4) === 0)
      await Promise.race(pending.keys());
    while (pending.size > 10) await Promise.race(pending.keys());
  }
  // Whoever has models left has all their sequences left, when the sessions have ended.
  for (const stream of streams) if (below(2) > 0) call("break", () => stream.return());
  for (const one of sessions) call("end session", () => one.dispose());
  await Promise.all(pending.keys());
  for (const model of models)
    for (let i = 0; i < 3; i++) {
      const one = await Promise.resolve()
        .then(() => model.session())
        .catch(() => undefined);
      if (one) call("last", () => one.generate([1, 2], { maxTokens: 2, ignoreEos: true }));
    }
  await Promise.all(pending.keys());
  for (const model of models) call("end model", () => model.dispose());
  await Promise.all(pending.keys());
  for (const stream of streams) call("after", () => stream.next());
  await Promise.all(pending.keys());
  channel.port1.close();
  channel.port2.close();
  const left = (): string[] => [
    ...(open.devices > 0 ? [`${open.devices} devices`] : []),
    ...(open.executors > 0 ? [`${open.executors} executors`] : []),
    ...(open.buffers.size > 0 ? [`${open.buffers.size} buffers`] : []),
    ...(open.gpus.size > 0 ? [`${open.gpus.size} GPU devices`] : []),
  ];
  // A worker frees what it has when its port is closed.
  for (let i = 0; i < 100 && left().length > 0; i++) await wait(10);
  report.faults.push(...left().map((what) => `${what} left`));
  const listeners = signals.reduce((n, one) => n + getEventListeners(one, "abort").length, 0);
  if (listeners > 0) report.faults.push(`${listeners} listeners left on signals`);
  return report;
}
