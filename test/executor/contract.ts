/** The executors' contract (src/graph/executor.ts) as tests: whatever computes a model passes all of them. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Executor, shorten } from "../../src/graph/executor.ts";
import {
  type DeviceSampling,
  type GivenRows,
  GREEDY,
  MAX_DEVICE_LAST_N,
  MAX_DEVICE_TOP_K,
  rowItem,
  type SequenceId,
  type StepRequest,
} from "../../src/graph/requests.ts";
import { nmse } from "../conformance/archs.ts";
import { joined } from "../plan/models.ts";

/** What the suite asks of the executors that it opens. */
export const TERMS = { contextLength: 256, maxSequences: 3, chunk: 16 } as const;

export interface Opened {
  readonly executor: Executor;
  /** The embeddings of tokens as the model looks them up, [count][givenWidth]; where rows can be given. */
  readonly embeddings?: (tokens: readonly number[]) => Promise<Float32Array>;
  /** Takes the device away; where there is one. */
  readonly lose?: () => void;
}

/** What an executor has besides. */
export interface Has {
  /** It takes given rows, and {@link Opened.embeddings} is there. */
  readonly rows?: boolean;
  /** Sequences that do nothing give their pages to those that need them. */
  readonly gives?: boolean;
  /** Its device can be lost, and {@link Opened.lose} is there. */
  readonly device?: boolean;
}

const codeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => "nothing was refused",
    (error: { code?: unknown }) => error.code ?? error,
  );

const random: DeviceSampling = { temperature: 1, topK: 4, topP: 1, minP: 0, seed: 3 };

/** Tests of executors that `open` makes by {@link TERMS}, each new and empty. */
export function contract(name: string, open: () => Promise<Opened>, has: Has = {}): void {
  describe(name, () => {
    let executor: Executor;
    let embeddings: Opened["embeddings"];
    let text: readonly number[];
    /** The output row of each token of `text`, computed in steps of 8. */
    let whole: Float32Array;
    let width: number;

    beforeAll(async () => {
      ({ executor, embeddings } = await open());
      text = Array.from({ length: 100 }, (_, i) => (i * 37 + (i >> 3)) % executor.vocabulary);
      whole = await rowsOf(0, text, 8);
      width = whole.length / text.length;
      executor.rewind(0, 0);
    });
    afterAll(() => executor.dispose());

    const empty = (): void => {
      for (let s = 0; s < TERMS.maxSequences; s++) executor.rewind(s, 0);
    };
    const lengths = (): number[] => [0, 1, 2].map((s) => executor.length(s));
    const read = (sequence: SequenceId, tokens: ArrayLike<number>) =>
      ({ sequence, input: tokens, outputs: "all", read: true }) as const;
    async function rowsOf(
      sequence: SequenceId,
      tokens: readonly number[],
      size: number,
    ): Promise<Float32Array> {
      const parts: Float32Array[] = [];
      for (let at = 0; at < tokens.length; at += size) {
        const [result] = await executor.step([read(sequence, tokens.slice(at, at + size))]);
        parts.push(result.rows);
      }
      return joined(parts);
    }
    /** Whether rows are those of `text` from number `from` on. */
    const expectRows = (rows: Float32Array, from: number): void => {
      const count = rows.length / width;
      expect(nmse(rows, whole.subarray(from * width, (from + count) * width))).toBeLessThan(1e-9);
    };
    const argmax = (row: Float32Array): number => row.indexOf(Math.max(...row));

    it("keeps its facts", () => {
      expect(executor.contextLength).toBe(TERMS.contextLength);
      expect(executor.maxSequences).toBe(TERMS.maxSequences);
      for (const fact of ["vocabulary", "chunk", "outputChunk", "stepsInFlight"] as const)
        expect(executor[fact]).toBeGreaterThan(0);
      expect(executor.causal).toBe(true);
      expect(lengths()).toEqual([0, 0, 0]);
    });

    it("advances lengths at the call, in call order", async () => {
      empty();
      const steps = [4, 1, 20, 3].map((count) => {
        const from = executor.length(1);
        const step = executor.step([read(1, text.slice(from, from + count))]);
        expect(executor.length(1)).toBe(from + count);
        return step.then(([{ rows }]) => expectRows(rows, from));
      });
      await Promise.all(steps);
    });

    it("gives what was asked for, and nothing else", async () => {
      empty();
      const tokens = text.slice(0, 3);
      const sample = GREEDY;
      const [none] = await executor.step([{ sequence: 0, input: tokens, outputs: "none" }]);
      expect([none.rows, none.tokens]).toEqual([undefined, undefined]);
      const [last, all, sampled] = await executor.step([
        { sequence: 0, input: tokens, outputs: "last", read: true },
        { sequence: 1, input: tokens, outputs: "all", read: true, sample },
        { sequence: 2, input: tokens, outputs: "last", sample },
      ] as StepRequest[]);
      expect([last.rows?.length, last.tokens]).toEqual([width, undefined]);
      expect([all.rows?.length, all.tokens?.length]).toEqual([3 * width, 3]);
      expect([sampled.rows, sampled.tokens?.length]).toEqual([undefined, 1]);
      expectRows(all.rows!, 0);
      expect([...all.tokens!]).toEqual(
        [0, 1, 2].map((i) => argmax(all.rows!.subarray(i * width, (i + 1) * width))),
      );
      expect(sampled.tokens![0]).toBe(all.tokens![2]);
    });

    it("feeds the token that it sampled last, with steps in flight", async () => {
      empty();
      const feed = text.slice(0, 5);
      const steps = Array.from({ length: 6 }, (_, i) =>
        executor.step([
          { sequence: 2, input: i === 0 ? feed : "sampled", outputs: "last", sample: GREEDY },
        ]),
      );
      const sampled = (await Promise.all(steps)).map(([{ tokens }]) => tokens[0]);
      expect(executor.length(2)).toBe(10);
      const rows = await rowsOf(1, [...feed, ...sampled], 8);
      const chosen = sampled.map((_, i) => argmax(rows.subarray((4 + i) * width, (5 + i) * width)));
      expect(sampled).toEqual(chosen);
    });

    it("samples by position and seed, on any sequence", async () => {
      empty();
      const texts = await Promise.all(
        [0, 1, 2].map(async (sequence) => {
          const sample = random;
          const [first] = await executor.step([
            { sequence, input: text.slice(0, 9), outputs: "all", sample },
          ]);
          const [next] = await executor.step([
            { sequence, input: "sampled", outputs: "last", sample },
          ]);
          return [...first.tokens, ...next.tokens];
        }),
      );
      expect(texts[0].length).toBe(10);
      expect(texts[1]).toEqual(texts[0]);
      expect(texts[2]).toEqual(texts[0]);
    });

    it("computes several sequences, and one sequence twice, in one step", async () => {
      empty();
      const [a, b, c, d] = await executor.step([
        read(0, text.slice(0, 3)),
        read(1, text.slice(0, 20)),
        read(0, text.slice(3, 7)),
        read(2, text.slice(0, 1)),
      ]);
      expect(lengths()).toEqual([7, 20, 1]);
      for (const [{ rows }, from] of [
        [a, 0],
        [b, 0],
        [c, 3],
        [d, 0],
      ] as const)
        expectRows(rows, from);
    });

    const penalties = { lastN: 4, repeat: 1.1, frequency: 0, presence: 0 };
    const refused: [string, string, (vocabulary: number) => Partial<StepRequest>][] = [
      ["a token behind the vocabulary", "input/invalid", (v) => ({ input: [1, v] })],
      ["a negative token", "input/invalid", () => ({ input: [-1] })],
      ["half a token", "input/invalid", () => ({ input: [0.5] })],
      ["no number", "input/invalid", () => ({ input: [Number.NaN] })],
      ["no tokens", "input/invalid", () => ({ input: [] })],
      ["a sequence that is not there", "input/invalid", () => ({ sequence: TERMS.maxSequences })],
      ["a negative sequence", "input/invalid", () => ({ sequence: -1 })],
      ["half a sequence", "input/invalid", () => ({ sequence: 0.5 })],
      [
        "a token that the step itself samples",
        "input/invalid",
        () => ({ sequence: 0, input: "sampled" }),
      ],
      [
        "more than the context",
        "context/overflow",
        () => ({ input: Array.from({ length: TERMS.contextLength + 1 }, () => 1) }),
      ],
      [
        "more than the context together with the request before",
        "context/overflow",
        () => ({ sequence: 0, input: Array.from({ length: TERMS.contextLength - 5 }, () => 1) }),
      ],
      [
        "rows that penalties change",
        "input/invalid",
        () => ({ read: true, sample: { ...GREEDY, penalties } }),
      ],
      [
        "too many candidates",
        "input/invalid",
        () => ({ sample: { ...random, topK: MAX_DEVICE_TOP_K + 1 } }),
      ],
      ["no candidates", "input/invalid", () => ({ sample: { ...random, topK: 0 } })],
      [
        "penalties of too many tokens",
        "input/invalid",
        () => ({
          sample: { ...GREEDY, penalties: { ...penalties, lastN: MAX_DEVICE_LAST_N + 1 } },
        }),
      ],
      [
        "penalties of no tokens",
        "input/invalid",
        () => ({ sample: { ...GREEDY, penalties: { ...penalties, lastN: 0 } } }),
      ],
    ];
    it.each(refused)("refuses %s (%s) and keeps nothing of that step", async (_, code, wrong) => {
      empty();
      await executor.step([{ sequence: 0, input: text.slice(0, 2), outputs: "none" }]);
      const tokens = text.slice(2, 6);
      const good = { sequence: 0, input: tokens, outputs: "last", sample: GREEDY } as const;
      const bad = { sequence: 1, input: [1], outputs: "last", ...wrong(executor.vocabulary) };
      expect(await codeOf(executor.step([good, bad as StepRequest]))).toBe(code);
      if (bad.input !== "sampled")
        expect(await codeOf(executor.step([bad as StepRequest, good]))).toBe(code);
      expect(lengths()).toEqual([2, 0, 0]);
      const results = await executor.step([read(0, text.slice(2, 6)), read(1, text.slice(0, 3))]);
      expectRows(results[0].rows, 2);
      expectRows(results[1].rows, 0);
    });

    it("fills the context to its last row", async () => {
      empty();
      const tokens = Array.from({ length: TERMS.contextLength }, () => 1);
      await executor.step([{ sequence: 1, input: tokens, outputs: "none" }]);
      const one = { sequence: 1, input: [1], outputs: "none" } as const;
      expect(await codeOf(executor.step([one]))).toBe("context/overflow");
      expect(executor.length(1)).toBe(TERMS.contextLength);
    });

    const items = (count: number): number[] =>
      text.slice(0, count).map((token) => rowItem(token, false));

    it("begins with what another sequence has, and neither notices what the other writes", async () => {
      empty();
      const { free } = executor.pages;
      await executor.step([{ sequence: 0, input: text.slice(0, 69), outputs: "none" }]);
      expect(executor.pages.free).toBe(free - 3);
      executor.publish(0, items(69));
      const begun = [1, 2].map((sequence) => executor.begin(sequence, items(80)));
      // All of it or, with recurrent state, what there is a copy of.
      expect([64, 69]).toContain(begun[0]);
      expect(begun[1]).toBe(begun[0]);
      expect(executor.begin(1, items(80))).toBe(begun[0]);
      expect(lengths()).toEqual([69, ...begun]);
      if (begun[0] === 69) expect(executor.pages.free).toBe(free - 5);
      const other = [1, 2, 3];
      await executor.step([
        { sequence: 0, input: other, outputs: "none" },
        { sequence: 2, input: other, outputs: "none" },
      ]);
      const [{ rows }] = await executor.step([read(1, text.slice(begun[0], 90))]);
      expectRows(rows, begun[0]);
      executor.rewind(0, 60);
      const [again] = await executor.step([read(0, text.slice(executor.length(0), 70))]);
      expectRows(again.rows, 70 - again.rows.length / width);
      empty();
      expect(executor.pages.free).toBe(free);
    });

    it("keeps what nobody has any more until the pages are needed", async () => {
      empty();
      await executor.step([{ sequence: 0, input: text.slice(0, 96), outputs: "none" }]);
      executor.publish(0, items(96));
      executor.rewind(0, 0);
      const begun = executor.begin(2, items(100));
      expect([64, 96]).toContain(begun);
      const sample = {
        ...GREEDY,
        penalties: { lastN: 64, repeat: 1.5, frequency: 0, presence: 0 },
      };
      const ask = { outputs: "last", sample } as const;
      const [a] = await executor.step([{ sequence: 2, input: text.slice(begun, 99), ...ask }]);
      await executor.step([{ sequence: 1, input: text.slice(0, 98), outputs: "none" }]);
      const [b] = await executor.step([{ sequence: 1, input: text.slice(98, 99), ...ask }]);
      expect(a.tokens[0], "penalties know the tokens of other's rows").toBe(b.tokens[0]);
      const [{ rows }] = await executor.step([read(2, text.slice(99, 100))]);
      expectRows(rows, 99);
      executor.rewind(1, 0);
      executor.rewind(2, 0);
      const many = Array.from({ length: TERMS.contextLength }, () => 1);
      await executor.step([{ sequence: 0, input: many, outputs: "none" }]);
      expect(executor.begin(1, items(100))).toBe(0);
    });

    it.skipIf(has.gives)(
      "refuses rows that find no pages, and keeps nothing of that step",
      async () => {
        empty();
        const many = (count: number) => Array.from({ length: count }, () => 1);
        await executor.step([{ sequence: 0, input: many(200), outputs: "none" }]);
        expect([
          executor.pagesFor(1, 32),
          executor.pagesFor(1, 33),
          executor.pagesFor(0, 24),
        ]).toEqual([1, 2, 0]);
        const step = codeOf(
          executor.step([
            { sequence: 0, input: many(25), outputs: "none" },
            { sequence: 1, input: many(1), outputs: "none" },
          ]),
        );
        expect(await step).toBe("context/overflow");
        expect(lengths()).toEqual([200, 0, 0]);
        const [{ rows }] = await executor.step([read(1, text.slice(0, 32))]);
        expectRows(rows, 0);
      },
    );

    it("takes rows back and goes on from where it really is", async () => {
      empty();
      await executor.step([{ sequence: 0, input: text.slice(0, 70), outputs: "none" }]);
      await executor.step([{ sequence: 1, input: text.slice(0, 40), outputs: "none" }]);
      expect(executor.rewind(0, 90)).toBe(70);
      for (const wanted of [69, 66, 41, 33, 7]) {
        const reached = executor.rewind(0, wanted);
        expect(reached).toBeLessThanOrEqual(wanted);
        expect(executor.length(0)).toBe(reached);
        const next = text.slice(reached, wanted + 2);
        const [{ rows }] = await executor.step([read(0, next)]);
        expectRows(rows, reached);
        expect(shorten(executor, 0, wanted + 5)).toBe(wanted + 2);
      }
      const [{ rows }] = await executor.step([read(1, text.slice(40, 44))]);
      expectRows(rows, 40);
      expect(executor.rewind(0, 0)).toBe(0);
      expect(executor.length(0)).toBe(0);
    });

    it.skipIf(!has.rows)(
      "computes given rows as the tokens whose embeddings they are",
      async () => {
        empty();
        const tokens = text.slice(0, 60);
        const rows = await embeddings!(tokens);
        const wide = executor.givenWidth;
        expect(rows.length).toBe(60 * wide);
        const given = (sequence: SequenceId, from: number, to: number) =>
          ({
            sequence,
            input: { rows: rows.subarray(from * wide, to * wide) },
            outputs: "all",
            read: true,
          }) as const;
        // A chunk and more, a few rows, one row, among tokens and other sequences, and with steps in flight.
        const results = await Promise.all([
          executor.step([given(0, 0, 40)]),
          executor.step([given(0, 40, 41)]),
          executor.step([read(1, tokens.slice(0, 3)), given(2, 0, 2), given(1, 3, 6)]),
          executor.step([read(0, tokens.slice(41, 44)), given(0, 44, 47)]),
          executor.step([read(0, tokens.slice(47, 48))]),
          executor.step([given(0, 48, 60)]),
        ]);
        expect(lengths()).toEqual([60, 6, 2]);
        const starts = [[0], [40], [0, 0, 3], [41, 44], [47], [48]];
        for (const [i, step] of results.entries())
          for (const [j, result] of step.entries()) expectRows(result.rows, starts[i][j]);
      },
    );

    it.skipIf(!has.rows)(
      "places given rows at their own position, and refuses what is none",
      async () => {
        empty();
        const rows = await embeddings!(text.slice(0, 3));
        const step = (sequence: SequenceId, input: GivenRows) =>
          codeOf(executor.step([{ sequence, input, outputs: "none" }]));
        const own = (start: number) => Array.from({ length: 12 }, (_, i) => start + (i >> 2));
        expect(await step(0, { rows, positions: own(1) })).toBe("model/unsupported");
        expect(await step(0, { rows, positions: own(0).slice(1) })).toBe("input/invalid");
        expect(await step(0, { rows: rows.subarray(1) })).toBe("input/invalid");
        expect(await step(0, { rows: new Float32Array(0) })).toBe("input/invalid");
        expect(executor.length(0)).toBe(0);
        expect(await step(0, { rows, positions: own(0) })).toBe("nothing was refused");
        expect(await step(0, { rows, positions: own(3) })).toBe("nothing was refused");
        expect(executor.length(0)).toBe(6);
      },
    );

    it.skipIf(!has.rows)("penalizes tokens, and no given row", async () => {
      empty();
      const tokens = text.slice(0, 12);
      const rows = await embeddings!(tokens.slice(0, 9));
      const harsh = { lastN: 64, repeat: 1, frequency: 0, presence: 1e6 };
      const sample = { ...GREEDY, penalties: harsh };
      const ask = { outputs: "last", sample } as const;
      await executor.step([{ sequence: 0, input: { rows }, outputs: "none" }]);
      const [penalized] = await executor.step([{ sequence: 0, input: tokens.slice(9), ...ask }]);
      await executor.step([{ sequence: 1, input: tokens.slice(0, 11), outputs: "none" }]);
      const [last] = await executor.step([read(1, tokens.slice(11))]);
      // The best of those tokens that were fed as such in neither way.
      const free = last.rows.map((logit, id) => (tokens.indexOf(id, 9) >= 0 ? -1e30 : logit));
      expect(penalized.tokens[0]).toBe(argmax(free));
    });

    it("takes back rows whose tokens are still to be sampled", async () => {
      empty();
      await executor.step([{ sequence: 0, input: text.slice(0, 40), outputs: "none" }]);
      const sample = GREEDY;
      const inFlight = [40, 41].map((at) =>
        codeOf(executor.step([{ sequence: 0, input: [text[at]], outputs: "last", sample }])),
      );
      const reached = executor.rewind(0, 40);
      const [{ rows }] = await executor.step([read(0, text.slice(reached, reached + 5))]);
      expectRows(rows, reached);
      await Promise.all(inFlight);
    });

    it("goes back while steps are in flight", async () => {
      empty();
      await executor.step([{ sequence: 0, input: text.slice(0, 40), outputs: "none" }]);
      const inFlight = [
        codeOf(executor.step([read(0, text.slice(40, 42))])),
        codeOf(executor.step([read(0, text.slice(42, 43))])),
      ];
      const reached = executor.rewind(0, 41);
      expect(reached).toBeLessThanOrEqual(41);
      const behind = executor.step([read(0, text.slice(reached, 70))]);
      for (const outcome of await Promise.all(inFlight))
        expect(["nothing was refused", "input/invalid"]).toContain(outcome);
      expectRows((await behind)[0].rows, reached);
      expect(executor.length(0)).toBe(70);
    });

    it("goes back in the middle of a long step", async () => {
      empty();
      const long = codeOf(
        executor.step([{ sequence: 0, input: text.slice(0, 98), outputs: "none" }]),
      );
      await Promise.resolve();
      const reached = executor.rewind(0, 90);
      expect(executor.length(0)).toBe(reached);
      const [{ rows }] = await executor.step([read(0, text.slice(reached, 98))]);
      expectRows(rows, reached);
      await long;
      expect(executor.length(0)).toBe(98);
    });

    it("does not feed a token that was not sampled by the step before", async () => {
      empty();
      const feed = (tokens: number[] | "sampled", sample?: DeviceSampling) =>
        codeOf(executor.step([{ sequence: 0, input: tokens, outputs: "last", sample }]));
      expect(await feed("sampled", GREEDY)).toBe("input/invalid");
      await feed([1, 2], GREEDY);
      const reached = executor.rewind(0, 1);
      expect(await feed("sampled", GREEDY)).toBe("input/invalid");
      await feed([2], GREEDY);
      await feed([1]);
      expect(await feed("sampled", GREEDY)).toBe("input/invalid");
      expect(executor.length(0)).toBe(reached + 2);
    });

    it("knows no sequence that is not there", () => {
      for (const sequence of [-1, TERMS.maxSequences, 0.5, Number.NaN]) {
        expect(() => executor.length(sequence)).toThrow("sequence");
        expect(() => executor.rewind(sequence, 0)).toThrow("sequence");
      }
    });

    it("takes nothing of a step whose signal is aborted already", async () => {
      empty();
      const reason = new Error("enough");
      const step = executor.step([read(0, text.slice(0, 4))], AbortSignal.abort(reason));
      expect(await codeOf(step)).toBe(reason);
      expect(executor.length(0)).toBe(0);
      const [{ rows }] = await executor.step([read(0, text.slice(0, 4))]);
      expectRows(rows, 0);
    });

    it("counts the rows that were computed of a long step that is aborted", async () => {
      empty();
      await executor.step([{ sequence: 0, input: text.slice(0, 3), outputs: "none" }]);
      const controller = new AbortController();
      const reason = new Error("enough");
      const long = executor.step(
        [{ sequence: 0, input: text.slice(3, 98), outputs: "none" }],
        controller.signal,
      );
      controller.abort(reason);
      expect([reason, "nothing was refused"]).toContain(await codeOf(long));
      const reached = executor.length(0);
      expect(reached).toBeGreaterThanOrEqual(0);
      expect(reached).toBeLessThanOrEqual(98);
      const [{ rows }] = await executor.step([read(0, text.slice(reached, reached + 2))]);
      expectRows(rows, reached);
    });

    it("refuses the steps that would follow on rows that were not computed, and no others", async () => {
      empty();
      const controller = new AbortController();
      const reason = new Error("enough");
      const { signal } = controller;
      const long = executor.step([read(0, text.slice(0, 90)), read(2, text.slice(0, 8))], signal);
      const behind = codeOf(executor.step([read(0, text.slice(90, 92))]));
      const further = codeOf(executor.step([read(0, text.slice(92, 94))]));
      const other = executor.step([read(1, text.slice(0, 5))]);
      controller.abort(reason);
      expect(await codeOf(long)).toBe(reason);
      expect([await behind, await further]).toEqual(["input/invalid", "input/invalid"]);
      expectRows((await other)[0].rows, 0);
      for (const sequence of [0, 2]) {
        const reached = executor.length(sequence);
        expect(reached).toBeLessThan(90);
        const [{ rows }] = await executor.step([read(sequence, text.slice(reached, reached + 8))]);
        expectRows(rows, reached);
      }
    });

    it("settles what is pending when it is disposed of, and refuses what comes later", async () => {
      const { executor: other } = await open();
      const step = (sequence: SequenceId): Promise<unknown> =>
        codeOf(other.step([{ sequence, input: [1, 2], outputs: "last", sample: GREEDY }]));
      const pending = [step(0), step(1), step(0)];
      const disposed = other.dispose();
      for (const outcome of await Promise.all(pending))
        expect(["nothing was refused", "session/disposed"]).toContain(outcome);
      await disposed;
      expect(await step(0)).toBe("session/disposed");
      await other.dispose();
    });

    it.skipIf(!has.device)("settles what is pending when its device is lost", async () => {
      const { executor: other, lose } = await open();
      const step = (): Promise<unknown> =>
        codeOf(other.step([{ sequence: 0, input: [1], outputs: "last", sample: GREEDY }]));
      await step();
      const pending = [step(), step(), step()];
      lose!();
      for (const outcome of await Promise.all(pending))
        expect(["nothing was refused", "device/lost"]).toContain(outcome);
      expect(await step()).toBe("device/lost");
      await other.dispose();
    });
  });
}

/** Tests of executors of a bidirectional model: a text comes whole. */
export function bidirectionalContract(name: string, open: () => Promise<Opened>): void {
  describe(name, () => {
    it("takes a text in one request, and another one after a rewind", async () => {
      const { executor } = await open();
      const tokens = Array.from({ length: 12 }, (_, i) => (i * 7) % executor.vocabulary);
      const request = { sequence: 0, input: tokens, outputs: "all", read: true } as const;
      const [first] = await executor.step([request]);
      const more = { sequence: 0, input: [1], outputs: "all", read: true } as const;
      expect(await codeOf(executor.step([more]))).toBe("input/invalid");
      expect(
        await codeOf(
          executor.step([
            { ...more, sequence: 1 },
            { ...more, sequence: 1 },
          ]),
        ),
      ).toBe("input/invalid");
      expect([executor.length(0), executor.length(1)]).toEqual([12, 0]);
      executor.rewind(0, 0);
      const [again] = await executor.step([request]);
      expect(nmse(again.rows, first.rows)).toBeLessThan(1e-12);
      const long = Array.from({ length: executor.outputChunk + 1 }, () => 1);
      expect(await codeOf(executor.step([{ ...request, sequence: 1, input: long }]))).toBe(
        "context/overflow",
      );
      expect(executor.length(1)).toBe(0);
      await executor.dispose();
    });
  });
}
