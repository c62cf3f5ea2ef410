/**
 * One loop over all sequences: an executor in front of another that builds each step of what the sequences at work
 * need next. The rows of all that generate share a small step, up to as many as the executor says; beside it goes at
 * most one chunk of one prompt, those of several prompts in turn. A step waits for a sequence at work as long as
 * something is in flight, and never by the clock. Rows do not depend on what else is in their step, so no text changes.
 *
 * When the pool of pages runs dry, sequences that do nothing give theirs back first, then the one whose work is
 * youngest; what it lost is computed again, in the same way, when there is room.
 */
import { WebggufError } from "../base/errors.ts";
import { joinRows } from "../base/join.ts";
import type { Executor } from "../graph/executor.ts";
import {
  checkRequests,
  poolFull,
  type ResultOf,
  type SequenceId,
  StepOrder,
  type StepRequest,
  type StepResult,
  shortenedError,
} from "../graph/requests.ts";
import type { SavedRows, Saving } from "../graph/saved.ts";
import { type Ask, type Call, Line, type Part } from "./line.ts";

/** Turns of waiting promises in which those that were answered can ask again: a reader's and a session's own. */
const TURNS = 64;

/** The same executor, whose callers share it: each has sequences of its own, and none waits for a step that others fill. */
export function scheduled(inner: Executor): Executor {
  const { kind, adapter, stepsInFlight, instruments } = inner;
  const { contextLength, maxSequences, vocabulary, causal, chunk, outputChunk, givenWidth } = inner;
  const { uniform, smallRows } = inner;
  const scheduler = new Scheduler(inner);
  const length = (sequence: SequenceId): number => scheduler.line(sequence).length;
  return {
    ...{ kind, adapter, stepsInFlight, uniform, smallRows },
    ...{ contextLength, maxSequences, vocabulary, causal, chunk, outputChunk, givenWidth },
    instruments: instruments && {
      ...instruments,
      async fill(sequence, count) {
        await instruments.fill(sequence, count);
        scheduler.line(sequence).fill(count);
      },
    },
    get memory() {
      return inner.memory;
    },
    get pages() {
      return inner.pages;
    },
    pagesFor: (sequence, count) => inner.pagesFor(sequence, count),
    length,
    async step<const R extends StepRequest>(requests: readonly R[], signal?: AbortSignal) {
      signal?.throwIfAborted();
      scheduler.check();
      // Here, so that a wrong request is not the fault of a step that others share.
      checkRequests(requests, inner, length);
      return scheduler.add(requests, signal) as Promise<ResultOf<R>[]>;
    },
    rewind: (sequence, length) => scheduler.rewind(sequence, length),
    publish: (sequence) => scheduler.line(sequence).publish(),
    begin(sequence, text) {
      const line = scheduler.line(sequence);
      return line.asks.length > 0 ? line.length : line.begin(text);
    },
    texts: {
      of: (sequence) => scheduler.line(sequence).text,
      resume(sequence, text) {
        scheduler.rewind(sequence, 0);
        scheduler.line(sequence).resume(text, 0);
      },
    },
    saving:
      inner.saving &&
      (async (): Promise<Saving> => {
        const saving = await inner.saving!();
        return {
          forms: saving.forms,
          save: (sequence) => scheduler.save(sequence, saving),
          load: (sequence, text, saved) => scheduler.load(sequence, text, saved, saving),
        };
      }),
    dispose: () => scheduler.dispose(),
  };
}

class Scheduler {
  readonly #inner: Executor;
  readonly #lines: readonly Line[];
  readonly #order = new StepOrder();
  /** Steps in flight, and those of them that are chunks of prompts. */
  #flying = 0;
  #chunks = 0;
  /** A chunk was sent since the last small step. */
  #chunkSent = false;
  #settling = false;
  #works = 0;
  #steps = 0;
  #disposed = false;

  constructor(inner: Executor) {
    this.#inner = inner;
    this.#lines = Array.from({ length: inner.maxSequences }, (_, id) => new Line(id, inner));
  }

  line(sequence: SequenceId): Line {
    // The executor knows which there are.
    this.#inner.length(sequence);
    return this.#lines[sequence];
  }

  add(requests: readonly StepRequest[], signal: AbortSignal | undefined): Promise<StepResult[]> {
    this.#order.call(requests);
    return new Promise((resolve, reject) => {
      const abort = (): void => this.#drop(call, signal?.reason);
      const ended = (): void => signal?.removeEventListener("abort", abort);
      const call: Call = {
        signal,
        resolve: (results) => {
          ended();
          resolve(results);
        },
        reject: (reason) => {
          ended();
          reject(reason);
        },
        asks: [],
        settled: false,
      };
      signal?.addEventListener("abort", abort);
      for (const request of requests) {
        const line = this.#lines[request.sequence];
        const before = line.length;
        const idle = line.asks.length === 0;
        line.take(call, request);
        if (line.age === 0 || (idle && line.length - before > this.#inner.smallRows))
          line.age = ++this.#works;
      }
      // Those who were served last ask at the same moment: their rows share the step.
      if (this.#flying === 0 && this.#lines.some((line) => this.#justServed(line))) this.#later();
      else this.#pump(false);
    });
  }

  /** A line that was in the last steps and asks for nothing yet. */
  #justServed({ asks, sent, served }: Line): boolean {
    return asks.length === 0 && sent > 0 && served >= this.#steps - 1;
  }

  rewind(sequence: SequenceId, length: number): number {
    const line = this.line(sequence);
    // A profile leaves rows of its own.
    if (length >= line.length && length >= line.sent) return line.length;
    if (line.length - length > this.#inner.smallRows || length === 0) line.publish();
    const reached = line.sent > length ? this.#inner.rewind(sequence, length) : length;
    if (reached === 0) line.age = 0;
    this.#order.shortened(sequence);
    this.#refuse(line.cut(reached), () => shortenedError(sequence));
    line.expected = false;
    // Others may have waited for its pages, or for its next step.
    this.#later();
    // Rows of a call that is refused go too.
    return line.length;
  }

  async save(sequence: SequenceId, saving: Saving): Promise<SavedRows> {
    const line = this.line(sequence);
    // Those that were given up may be kept yet.
    if (this.#inner.causal) line.adopt();
    // Nobody takes its pages meanwhile.
    line.flying++;
    try {
      return await saving.save(sequence);
    } finally {
      line.flying--;
      this.#later();
    }
  }

  /** Where there is no room for the rows, they are computed when they are needed. */
  load(sequence: SequenceId, text: readonly number[], saved: SavedRows, saving: Saving): boolean {
    this.rewind(sequence, 0);
    const needed = (): number => this.#inner.pagesFor(sequence, saved.length);
    while (needed() > this.#inner.pages.free) {
      const idle = this.#idle();
      if (idle.length === 0) break;
      idle[0].giveUp();
    }
    const loaded =
      saved.length > 0 && needed() <= this.#inner.pages.free && saving.load(sequence, text, saved);
    this.line(sequence).resume(text, loaded ? saved.length : 0);
    return loaded;
  }

  async dispose(): Promise<void> {
    this.#disposed = true;
    await this.#inner.dispose();
    for (const line of this.#lines) this.#refuse(line.asks.splice(0), disposedError);
  }

  check(): void {
    if (this.#disposed) throw disposedError();
  }

  /** Sends what can be sent. `all`: nobody who asks for nothing yet is waited for any more. */
  #pump(all: boolean): void {
    if (all) for (const line of this.#lines) if (line.flying === 0) line.expected = false;
    while (this.#sendSmall() || this.#sendChunk());
    const waits = this.#lines.some(({ asks }) => asks.length > 0);
    if (this.#flying === 0 && waits && !all) this.#later();
    else if (this.#flying === 0 && waits) this.#refuseStuck();
  }

  /** Sends a small step of the lines that are ready, unless it pays to wait for others. */
  #sendSmall(): boolean {
    const parts: Part[] = [];
    let missing = false;
    for (const line of this.#lines) {
      const part = line.asks.length > 0 ? line.next() : undefined;
      if (part?.small) parts.push(part);
      else if (line.expected && !part) missing = true;
    }
    if (parts.length === 0) return false;
    // Whoever waits longest comes first.
    parts.sort((a, b) => a.line.served - b.line.served || a.line.age - b.line.age);
    let rows = 0;
    const chosen = parts.filter(({ from, to }) => {
      const fits = rows + to - from <= this.#inner.smallRows;
      if (fits) rows += to - from;
      return fits;
    });
    if (missing && chosen.length === parts.length && rows < this.#inner.smallRows) return false;
    const sent = this.#withRoom(chosen);
    if (sent.length === 0) return false;
    this.#chunkSent = false;
    for (const { line } of sent) line.expected = true;
    const [{ ask }] = sent;
    // A shared step is small, and to stop it is one caller's wish only.
    const alone = sent.every((part) => part.ask?.call === ask?.call);
    void this.#send(sent, alone ? ask?.call.signal : undefined, false);
    return true;
  }

  /** Sends a chunk of the prompt whose turn it is. */
  #sendChunk(): boolean {
    const generates = this.#lines.some(({ expected }) => expected);
    if (generates && this.#chunkSent) return false;
    const prompts = this.#lines.filter(
      (line) => line.asks.length > 0 && line.next() !== undefined && !line.next()!.small,
    );
    if (this.#chunks >= (generates || prompts.length > 1 ? 1 : 2)) return false;
    prompts.sort((a, b) => a.served - b.served || a.age - b.age);
    let adopted = false;
    for (const line of prompts) {
      if (line.flying === 0 && this.#inner.causal) this.#adopt(line);
      const part = line.next();
      if (!part || part.small) {
        adopted = true;
        continue;
      }
      if (this.#withRoom([part]).length === 0) continue;
      this.#chunkSent = true;
      void this.#send([part], part.ask?.call.signal, true);
      return true;
    }
    // What was taken over and found no room for its last rows may be given up at once: only a step is progress.
    return adopted && this.#sendSmall();
  }

  /** A prompt takes what others have computed of it. */
  #adopt(line: Line): void {
    for (const other of this.#lines) if (other !== line) other.publish();
    line.adopt();
    for (const ask of [...line.asks]) if (ask.end <= line.sent && !ask.done) this.#finish(ask);
  }

  /** Those of the parts that find pages, after others gave theirs back. */
  #withRoom(parts: readonly Part[]): readonly Part[] {
    let left = parts;
    for (;;) {
      const needed = left.reduce(
        (sum, { line, from, to }) => sum + this.#inner.pagesFor(line.id, to - from),
        0,
      );
      if (needed <= this.#inner.pages.free) return left;
      const victim = this.#victim(left);
      if (!victim) return [];
      victim.giveUp();
      left = left.filter(({ line }) => line !== victim);
    }
  }

  /** Who gives its pages back: the one that does nothing longest, then the youngest but for the oldest of all. */
  #victim(parts: readonly Part[]): Line | undefined {
    const [idle] = this.#idle();
    if (idle) return idle;
    const holders = this.#lines.filter(holds);
    const oldest = Math.min(
      ...this.#lines.flatMap((line) => (line.asks.length > 0 ? [line.age] : [])),
    );
    // Nobody gives way to somebody younger.
    const asking = Math.min(...parts.map(({ line }) => line.age));
    return holders
      .filter(({ age }) => age > oldest && age >= asking)
      .sort((a, b) => b.age - a.age)[0];
  }

  /** Lines that have pages and do nothing, those that do so longest first. */
  #idle(): Line[] {
    return this.#lines
      .filter((line) => holds(line) && line.asks.length === 0 && !line.expected)
      .sort((a, b) => a.served - b.served);
  }

  async #send(
    parts: readonly Part[],
    signal: AbortSignal | undefined,
    chunk: boolean,
  ): Promise<void> {
    const requests = parts.flatMap((part) => part.requests);
    const epochs = parts.map(({ line }) => line.epoch);
    this.#steps++;
    for (const part of parts) {
      part.line.send(part);
      part.line.served = this.#steps;
    }
    this.#flying++;
    if (chunk) this.#chunks++;
    try {
      const step = this.#inner.step(requests, signal);
      // A step that was refused at once took no rows: they are not sent again before that is known.
      for (const { line, to } of parts) line.refused = line.sent < to;
      const results = await step;
      parts.forEach((part, i) => {
        const own = results.splice(0, part.requests.length);
        if (part.line.epoch === epochs[i]) this.#computed(part, own);
      });
    } catch (error) {
      const code = error instanceof WebggufError ? error.code : undefined;
      const over = code === "session/disposed" || code === "device/lost";
      for (const [i, { line, ask }] of parts.entries()) {
        if (line.epoch !== epochs[i]) continue;
        // Rows that were not computed do not count.
        this.#order.shortened(line.id);
        const lost = line.cut(line.sent);
        const first = (lost[0] ?? ask)?.call;
        // The rows of a lost device still count, and their call ends all the same.
        const ended = new Set([...(ask ? [ask] : []), ...lost, ...(over ? line.asks : [])]);
        this.#refuse([...ended], (call) =>
          over || call === first ? error : shortenedError(line.id),
        );
      }
    }
    for (const { line } of parts) {
      line.flying--;
      line.refused = false;
    }
    this.#flying--;
    if (chunk) this.#chunks--;
    this.#later();
  }

  /** Hands the results of a part out. */
  #computed(part: Part, results: readonly StepResult[]): void {
    const { line, ask, to } = part;
    let token: number | undefined;
    for (const { rows, tokens } of results) {
      if (rows) ask?.rows.push(rows);
      for (const one of tokens ?? []) {
        ask?.tokens.push(one);
        token = one;
      }
    }
    line.computed(part, token);
    if (ask && to === ask.end) this.#finish(ask);
  }

  /** All rows of a request are there. */
  #finish(ask: Ask): void {
    ask.done = true;
    const { call, line } = ask;
    line.asks = line.asks.filter((one) => one !== ask);
    if (call.settled || !call.asks.every(({ done }) => done)) return;
    call.settled = true;
    call.resolve(call.asks.map(resultOf));
  }

  /** Ends the calls that these requests are of, and what else they ask for. */
  #refuse(asks: readonly Ask[], reason: (call: Call) => unknown): void {
    for (const { call } of asks) {
      if (call.settled) continue;
      call.settled = true;
      call.reject(reason(call));
      this.#withdraw(call);
    }
  }

  /** A call is stopped: its rows that were not sent are forgotten, and all that would follow on them is refused. */
  #drop(call: Call, reason: unknown): void {
    if (call.settled) return;
    call.settled = true;
    call.reject(reason);
    this.#withdraw(call);
    this.#later();
  }

  /** Forgets what a call asks for and was not sent. */
  #withdraw(call: Call): void {
    for (const { line, start, end, done } of call.asks) {
      if (done || line.length <= start) continue;
      this.#order.shortened(line.id);
      const lost = line.cut(Math.min(end, Math.max(start, line.sent)));
      // Its rows in flight may fail: nobody waits for them.
      line.asks = line.asks.filter((ask) => ask.call !== call);
      this.#refuse(lost, () => shortenedError(line.id));
    }
  }

  /** What finds no room although nothing is in flight never will. */
  #refuseStuck(): void {
    const waiting = this.#lines.filter(({ asks }) => asks.length > 0);
    for (const line of waiting) {
      const part = line.next();
      const needed = part ? this.#inner.pagesFor(line.id, part.to - part.from) : 0;
      this.#order.shortened(line.id);
      const lost = line.cut(line.asks[0]?.start ?? line.length);
      this.#refuse(lost, () => poolFull(needed, this.#inner.pages.free));
    }
  }

  /** Goes on when those that were answered have had their turn. */
  #later(): void {
    if (this.#settling) return;
    this.#settling = true;
    void this.#settle();
  }

  async #settle(): Promise<void> {
    for (let turn = 0; turn < TURNS; turn++) await undefined;
    this.#settling = false;
    this.#pump(this.#flying === 0);
  }
}

const disposedError = (): WebggufError =>
  new WebggufError("session/disposed", "Cannot use the model: it has been disposed");

const holds = (line: Line): boolean => line.sent > 0 && line.flying === 0;

function resultOf({ request, rows, tokens, cached, asked, sent }: Ask): StepResult {
  return {
    ...(request.read && { rows: joinRows(rows) }),
    ...(request.sample && { tokens: Int32Array.from(tokens) }),
    ...(cached !== 0 && { cached }),
    ...(sent - asked >= 1 && { waited: sent - asked }),
  };
}
