/** What an engine must do to be compared. */

/** One prompt with its answer, by the same clock for every engine. */
export interface PeerRun {
  readonly promptTokens: number;
  /** From the call to the first token. */
  readonly promptSeconds: number;
  /** Tokens after the first, and the seconds they took. */
  readonly tokens: number;
  readonly decodeSeconds: number;
}

/** Calls to WebGPU since the page was opened, by name. */
export type PeerCounts = Readonly<Record<string, number>>;

export interface Engine {
  readonly name: string;
  /** Computes a prompt that shares no beginning with the one before, then `tokens` tokens, greedily. */
  run(prompt: string, tokens: number): Promise<PeerRun>;
  /** Undefined where no WebGPU is used. */
  counts?(): Promise<PeerCounts>;
  close(): Promise<void>;
}

/** What `bench:peers --json` says of an engine: each run, and its calls to WebGPU for a token. */
export interface PeerResult {
  readonly engine: string;
  readonly promptTokensPerSecond: readonly number[];
  readonly tokensPerSecond: readonly number[];
  readonly calls?: PeerCounts;
}
