/** A sequence as its caller knows it: its rows, those that nobody computed yet and those that were given up included. */
import { joinRows } from "../base/join.ts";
import type { Executor } from "../graph/executor.ts";
import {
  givenRows,
  itemToken,
  rowItem,
  rowsOf,
  type SequenceId,
  type StepInput,
  type StepRequest,
  type StepResult,
} from "../graph/requests.ts";

/** A call of `step`: it is answered when all of its requests are. */
export interface Call {
  readonly signal: AbortSignal | undefined;
  readonly resolve: (results: StepResult[]) => void;
  readonly reject: (reason: unknown) => void;
  readonly asks: Ask[];
  settled: boolean;
}

/** One request of a call, for the rows [start, end) of its line. */
export interface Ask {
  readonly call: Call;
  readonly line: Line;
  readonly request: StepRequest;
  readonly start: number;
  readonly end: number;
  readonly rows: Float32Array[];
  readonly tokens: number[];
  /** Rows that were found computed, less those before them that are computed again for its sake. */
  cached: number;
  /** When it was asked, and when its first row was sent. */
  readonly asked: number;
  sent: number;
  done: boolean;
}

/** Rows of a line that are computed in one go. */
export interface Part {
  readonly line: Line;
  readonly from: number;
  readonly to: number;
  /** Whose rows they are; undefined for rows that are computed again. */
  readonly ask: Ask | undefined;
  readonly requests: readonly StepRequest[];
  /** One of the few rows that lines share a step for. */
  readonly small: boolean;
}

/** The item of a row whose token is not known, or that was given. */
const UNKNOWN = Number.NaN;

/** Rows at the beginning of `count` new ones that are computed the way of prompts: all chunks but a short last one. */
function promptRows(count: number, { chunk, smallRows }: Executor): number {
  if (count <= smallRows) return 0;
  const rest = count % chunk;
  return rest <= smallRows ? count - rest : count;
}

export class Line {
  readonly id: SequenceId;
  readonly #executor: Executor;
  readonly #items: number[] = [];
  readonly #given = new Map<number, Float32Array>();
  /** In order; those in flight included. */
  asks: Ask[] = [];
  /** Steps in flight. */
  flying = 0;
  /** Changes when rows are taken back. */
  epoch = 0;
  /** That of the steps in flight. */
  sentEpoch = 0;
  /** When its work began, as a number in a row; 0: not yet. */
  age = 0;
  /** When its rows were sent last, as a number in a row. */
  served = 0;
  /** Its step was refused at once, and who asked is about to be told. */
  refused = false;
  /** Its next small step is waited for. */
  expected = false;
  /** Rows that are computed, and how many of these others were told of. */
  #done = 0;
  #published = 0;
  #sampled = 0;

  constructor(id: SequenceId, executor: Executor) {
    this.id = id;
    this.#executor = executor;
  }

  get length(): number {
    return this.#items.length;
  }
  /** Rows that were sent to the executor and that it still has. */
  get sent(): number {
    return this.#executor.length(this.id);
  }

  /** Takes the rows of a request. */
  take(call: Call, request: StepRequest): void {
    const { givenWidth, uniform } = this.#executor;
    const { input } = request;
    const start = this.length;
    const vectors = givenRows(input)?.rows;
    const count = rowsOf(request, givenWidth);
    const prompts = request.prompt === undefined ? promptRows(count, this.#executor) : count;
    for (let i = 0; i < count; i++) {
      if (vectors) {
        this.#given.set(start + i, vectors.subarray(i * givenWidth, (i + 1) * givenWidth));
        this.#items.push(UNKNOWN);
        continue;
      }
      const small = !uniform && (request.prompt === undefined ? i >= prompts : !request.prompt);
      const known = input !== "sampled" || this.asks.length === 0;
      const token = input === "sampled" ? this.#sampled : (input as ArrayLike<number>)[i];
      this.#items.push(known ? rowItem(token, small) : UNKNOWN);
    }
    const end = this.length;
    const ask = {
      call,
      line: this,
      request,
      start,
      end,
      rows: [],
      tokens: [],
      cached: 0,
      asked: performance.now(),
      sent: 0,
      done: false,
    };
    this.asks.push(ask);
    call.asks.push(ask);
  }

  /** What its rows are, up to the first of which nothing is known. */
  get text(): readonly number[] {
    const unknown = this.#items.findIndex(Number.isNaN);
    return unknown < 0 ? this.#items.slice() : this.#items.slice(0, unknown);
  }

  /** Gives an empty line the rows of a text; the first `done` of them are computed. */
  resume(text: readonly number[], done: number): void {
    this.epoch++;
    this.#items.push(...text);
    this.#done = done;
  }

  /** Appends rows that somebody wrote, of which nothing is known. */
  fill(count: number): void {
    for (let i = 0; i < count; i++) this.#items.push(UNKNOWN);
    this.#done = this.length;
  }

  /** What is to be computed next, if there is anything. */
  next(): Part | undefined {
    const from = this.sent;
    if (this.refused || from >= this.length) return undefined;
    // What is in flight may yet fail, and take the rows behind it along.
    if (this.flying > 0 && this.sentEpoch !== this.epoch) return undefined;
    const ask = this.asks.find(({ end }) => end > from);
    const own = ask && from >= ask.start ? ask : undefined;
    const { chunk, outputChunk, smallRows, uniform, causal } = this.#executor;
    const end = own?.end ?? ask?.start ?? this.length;
    const all = own?.request.outputs === "all";
    const prompt = !uniform && this.#isPrompt(from);
    let most = all && end - from > smallRows ? outputChunk : chunk;
    if (!uniform && !prompt) most = Math.min(most, smallRows);
    if (!causal) most = end - from;
    let to = Math.min(end, from + most);
    if (!uniform) for (let at = from + 1; at < to; at++) if (this.#isPrompt(at) !== prompt) to = at;
    const given = this.#given.size > 0 && this.#given.has(from);
    const small =
      own !== undefined && !prompt && !given && causal && to === end && to - from <= smallRows;
    return {
      line: this,
      from,
      to,
      ask: own,
      requests: this.#requests(from, to, own, prompt),
      small,
    };
  }

  /** Rows that may be taken from others: up to the first whose output is asked for. */
  get adoptable(): number {
    for (const { request, start, end } of this.asks) {
      if (request.fresh) return start;
      if (request.outputs === "all") return start;
      if (request.outputs === "last") return end - 1;
    }
    return this.length;
  }

  /** A part was sent. */
  send({ from, to, ask }: Part): void {
    this.flying++;
    this.sentEpoch = this.epoch;
    // Rows that are computed again are so for the first that is asked for.
    if (!ask) this.asks[0].cached -= to - from;
    else if (ask.sent === 0) ask.sent = performance.now();
  }

  /** Takes over what others have computed of the rows that are next. */
  adopt(): void {
    const before = this.sent;
    const most = this.adoptable;
    if (most <= before) return;
    const after = this.#executor.begin(this.id, this.#items.slice(0, most));
    if (after <= before) return;
    this.#done = after;
    this.#published = after;
    for (const ask of this.asks)
      ask.cached += Math.max(0, Math.min(after, ask.end) - Math.max(before, ask.start));
  }

  /** Gives an idle line the longest computed beginning of `text`; returns its length then. */
  begin(text: readonly number[]): number {
    if (this.sent < this.length) return this.length;
    const length = this.#executor.begin(this.id, text);
    if (length <= this.length) return this.length;
    this.epoch++;
    this.#items.splice(0, this.length, ...text.slice(0, length));
    this.#given.clear();
    this.#done = length;
    this.#published = length;
    return length;
  }

  /** Tells others what is computed. */
  publish(): void {
    if (this.#done <= this.#published || this.sent < this.#done) return;
    this.#published = this.#done;
    const unknown = this.#items.findIndex(Number.isNaN);
    const known = unknown < 0 ? this.#done : Math.min(this.#done, unknown);
    if (known > 0) this.#executor.publish(this.id, this.#items.slice(0, known));
  }

  /** A part is computed: `token` is what it sampled last. */
  computed({ to }: Part, token: number | undefined): void {
    this.#done = Math.max(this.#done, to);
    if (token === undefined) return;
    this.#sampled = token;
    if (to < this.length && Number.isNaN(this.#items[to]) && !this.#given.has(to))
      this.#items[to] = rowItem(token, !this.#executor.uniform);
  }

  /** Forgets the rows from `length` on; returns the requests that asked for any of them. */
  cut(length: number): Ask[] {
    this.epoch++;
    this.#items.length = Math.min(length, this.length);
    this.#done = Math.min(this.#done, length);
    this.#published = Math.min(this.#published, length);
    for (const at of this.#given.keys()) if (at >= length) this.#given.delete(at);
    const lost = this.asks.filter(({ end }) => end > length);
    this.asks = this.asks.filter(({ end }) => end <= length);
    return lost;
  }

  /** Gives its pages back; its rows are computed again when they are needed. */
  giveUp(): void {
    this.publish();
    this.#executor.rewind(this.id, 0);
    this.#done = 0;
    this.#published = 0;
  }

  #isPrompt(at: number): boolean {
    const item = this.#items[at];
    // Given rows and unknown ones come with tokens: a sampled token is of a small step.
    return Number.isNaN(item) ? this.#given.has(at) : item % 2 === 0;
  }

  #requests(from: number, to: number, ask: Ask | undefined, prompt: boolean): StepRequest[] {
    const requests: StepRequest[] = [];
    for (let at = from; at < to; ) {
      const given = this.#given.has(at);
      let end = at + 1;
      while (end < to && this.#given.has(end) === given) end++;
      const last = end === ask?.end;
      const asked = ask?.request;
      const outputs = asked?.outputs === "all" || (asked?.outputs === "last" && last);
      requests.push({
        sequence: this.id,
        input: this.#input(at, end, given),
        outputs: outputs && asked ? asked.outputs : "none",
        ...(outputs && asked?.read && { read: true }),
        ...(outputs && asked?.sample && { sample: asked.sample }),
        ...(prompt && { prompt }),
      });
      at = end;
    }
    return requests;
  }

  #input(from: number, to: number, given: boolean): StepInput {
    if (given)
      return {
        rows: joinRows(Array.from({ length: to - from }, (_, i) => this.#given.get(from + i)!)),
      };
    if (Number.isNaN(this.#items[from])) return "sampled";
    return this.#items.slice(from, to).map(itemToken);
  }
}
