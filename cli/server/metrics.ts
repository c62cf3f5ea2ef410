/** Counts of what was served, in Prometheus' text format under llama-server's names. */
import type { Answer } from "../../mod.ts";

/** Upper bounds of the histograms' buckets, in seconds. */
const BUCKETS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

class Histogram {
  readonly #counts = new Array<number>(BUCKETS.length).fill(0);
  #sum = 0;
  #count = 0;

  add(seconds: number): void {
    this.#sum += seconds;
    this.#count++;
    for (let i = 0; i < BUCKETS.length; i++) if (seconds <= BUCKETS[i]) this.#counts[i]++;
  }

  lines(name: string, help: string): string[] {
    return [
      `# HELP ${name} ${help}`,
      `# TYPE ${name} histogram`,
      ...BUCKETS.map((bound, i) => `${name}_bucket{le="${bound}"} ${this.#counts[i]}`),
      `${name}_bucket{le="+Inf"} ${this.#count}`,
      `${name}_sum ${this.#sum}`,
      `${name}_count ${this.#count}`,
    ];
  }
}

/** What is counted over the life of a server. */
export class Metrics {
  promptTokens = 0;
  promptMs = 0;
  predictedTokens = 0;
  predictedMs = 0;
  mostTokens = 0;
  drafted = 0;
  accepted = 0;
  readonly #firstToken = new Histogram();
  readonly #interToken = new Histogram();
  readonly #queue = new Histogram();

  queued(ms: number): void {
    this.#queue.add(ms / 1000);
  }
  firstToken(ms: number): void {
    this.#firstToken.add(ms / 1000);
  }
  nextToken(ms: number): void {
    this.#interToken.add(ms / 1000);
  }
  answered({ usage }: Answer): void {
    this.promptTokens += usage.promptTokens - usage.cachedTokens;
    this.promptMs += usage.promptMs;
    this.predictedTokens += usage.completionTokens;
    this.predictedMs += usage.completionMs;
    this.mostTokens = Math.max(this.mostTokens, usage.promptTokens + usage.completionTokens);
    this.drafted += usage.speculation?.drafted ?? 0;
    this.accepted += usage.speculation?.accepted ?? 0;
  }

  text(running: number, waiting: number): string {
    const rate = (tokens: number, ms: number): number => (ms > 0 ? (tokens / ms) * 1000 : 0);
    const one = (type: string, name: string, help: string, value: number): string[] => [
      `# HELP llamacpp:${name} ${help}`,
      `# TYPE llamacpp:${name} ${type}`,
      `llamacpp:${name} ${value}`,
    ];
    return [
      ...one("counter", "prompt_tokens_total", "Prompt tokens computed.", this.promptTokens),
      ...one("counter", "prompt_seconds_total", "Time spent on prompts.", this.promptMs / 1000),
      ...one("counter", "tokens_predicted_total", "Tokens generated.", this.predictedTokens),
      ...one(
        "counter",
        "tokens_predicted_seconds_total",
        "Time spent generating.",
        this.predictedMs / 1000,
      ),
      ...one("counter", "n_tokens_max", "Most tokens of one context.", this.mostTokens),
      ...one("counter", "spec_decode_num_draft_tokens_total", "Tokens drafted.", this.drafted),
      ...one(
        "counter",
        "spec_decode_num_accepted_tokens_total",
        "Drafted tokens accepted.",
        this.accepted,
      ),
      ...one(
        "gauge",
        "prompt_tokens_seconds",
        "Prompt tokens a second.",
        rate(this.promptTokens, this.promptMs),
      ),
      ...one(
        "gauge",
        "predicted_tokens_seconds",
        "Generated tokens a second.",
        rate(this.predictedTokens, this.predictedMs),
      ),
      ...one("gauge", "requests_processing", "Requests that run.", running),
      ...one("gauge", "requests_deferred", "Requests that wait.", waiting),
      ...this.#firstToken.lines(
        "webgguf:time_to_first_token_seconds",
        "From the start of a request to its first token.",
      ),
      ...this.#interToken.lines("webgguf:inter_token_seconds", "Between two tokens of an answer."),
      ...this.#queue.lines("webgguf:queue_seconds", "Until a request had a slot."),
      "",
    ].join("\n");
  }
}
