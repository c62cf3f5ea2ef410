/** Models whose parts are real but for what computes: for tests of what sessions leave behind, and in which order. */
import { Metadata } from "../../src/file/metadata.ts";
import type { ModelFile } from "../../src/file/types.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { type Backend, backends, type LoadHooks } from "../../src/session/backends.ts";
import { DraftModel } from "../../src/session/draft-model.ts";
import { Loaded } from "../../src/session/loaded.ts";
import type { Opened } from "../../src/session/open.ts";
import { createSession } from "../../src/session/session.ts";
import type { Session } from "../../src/session/types.ts";
import { FAKE_VOCABULARY, FakeExecutor, type FakeOptions } from "./fake-executor.ts";

const openedOf = (executor: FakeExecutor): Opened =>
  ({ executor, dispose: () => executor.dispose() }) as unknown as Opened;

/** Sessions on an executor, which has no file and no tokenizer; on another one a draft model. */
export function fakeModel(
  executor: FakeExecutor,
  drafting?: FakeExecutor,
): { model: Loaded; open(): Session } {
  const { givenWidth } = executor;
  const given = givenWidth > 0 && { given: 0, widths: [givenWidth] };
  const graph = { vocabulary: FAKE_VOCABULARY, outputKind: "logits", ...given };
  const model = new Loaded({
    file: { metadata: new Metadata("fake", new Map()), sources: [] } as unknown as ModelFile,
    graph: graph as unknown as Graph,
    tokenizer: undefined,
    opened: openedOf(executor),
    options: { contextLength: 1 },
    speculation: { kind: "none", draftMax: 7, draftMin: 1 },
    draftModel:
      drafting &&
      new DraftModel(
        {} as ModelFile,
        {} as Graph,
        openedOf(drafting),
        { contextLength: 1 },
        FAKE_VOCABULARY,
      ),
  });
  return { model, open: () => createSession(model) };
}

export interface Counted {
  readonly backend: Backend;
  /** Devices opened so far, and those of them that are open. */
  opened: number;
  open: number;
  /** Executors loaded and not disposed of. */
  executors: number;
  /** Awaited by every load. */
  loading: (hooks: LoadHooks) => Promise<void>;
}

/** A CPU backend that computes nothing and counts what is open. */
export function countedBackend(options: FakeOptions = {}): Counted {
  const counted: Counted = {
    backend: {
      name: "cpu",
      async open() {
        counted.opened++;
        counted.open++;
        let disposed = false;
        return {
          kind: "cpu",
          name: "counted",
          needs: () => ({ weights: 0, cache: 0, arena: 0 }),
          software: false,
          async load(_graph, _file, _options, hooks) {
            await counted.loading(hooks);
            const executor = new FakeExecutor(options);
            counted.executors++;
            let live = true;
            const dispose = executor.dispose.bind(executor);
            executor.dispose = () => {
              if (live) counted.executors--;
              live = false;
              return dispose();
            };
            return executor;
          },
          dispose() {
            if (!disposed) counted.open--;
            disposed = true;
          },
        };
      },
    },
    opened: 0,
    open: 0,
    executors: 0,
    loading: async ({ signal }) => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      signal?.throwIfAborted();
    },
  };
  return counted;
}

/** Puts backends in place of the real ones while `work` runs. */
export async function withBackends<T>(
  fakes: readonly Backend[],
  work: () => Promise<T>,
): Promise<T> {
  const list = backends as Backend[];
  const real = list.splice(0, list.length, ...fakes);
  try {
    return await work();
  } finally {
    list.splice(0, list.length, ...real);
  }
}
