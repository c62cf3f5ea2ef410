/**
 * A chain of samplers as data: `[name, …arguments]` with the names and arguments of llama.cpp's
 * constructors, and the steps that such a list stands for. Whatever a step remembers (accepted
 * tokens, mirostat's mu) lives in the step.
 */
import { breakersOf } from "./breakers.ts";
import type { Candidates } from "./candidates.ts";
import { dry } from "./dry.ts";
import { createHistory } from "./history.ts";
import { logitBias } from "./logit-bias.ts";
import { minP } from "./min-p.ts";
import { mirostat, mirostatV2, nextMu } from "./mirostat.ts";
import { penalize } from "./penalties.ts";
import type { SampledToken } from "./sample-token.ts";
import { dynamicTemperature, temperature } from "./temperature.ts";
import { topK } from "./top-k.ts";
import { topNSigma } from "./top-n-sigma.ts";
import { topP } from "./top-p.ts";
import { typicalP } from "./typ-p.ts";
import { xtc } from "./xtc.ts";

export type ChainEntry =
  | readonly ["logit_bias", biases: readonly (readonly [token: number, bias: number])[]]
  | readonly ["penalties", lastN: number, repeat: number, frequency: number, presence: number]
  | readonly [
      "dry",
      multiplier: number,
      base: number,
      allowedLength: number,
      lastN: number,
      breakers: readonly (readonly number[])[],
    ]
  | readonly ["top_n_sigma", n: number]
  | readonly ["top_k", k: number]
  | readonly ["typical", p: number, minKeep: number]
  | readonly ["top_p", p: number, minKeep: number]
  | readonly ["min_p", p: number, minKeep: number]
  | readonly ["xtc", probability: number, threshold: number, minKeep: number]
  | readonly ["temp", temperature: number]
  | readonly ["temp_ext", temperature: number, range: number, exponent: number]
  | readonly ["mirostat", tau: number, eta: number, m: number]
  | readonly ["mirostat_v2", tau: number, eta: number]
  | readonly ["greedy"];

/** What a chain must know besides its entries. */
export interface ChainContext {
  readonly vocabulary: number;
  /** Stands for a `lastN` of -1. */
  readonly contextLength: number;
  /** The random number in [0, 1) of a step for XTC's decision. */
  readonly random: (sequence: number, step: number) => number;
}

/** One sampler of a chain. */
export interface ChainStep {
  apply(c: Candidates, sequence: number, step: number): void;
  /** Called with the token sampled from the candidates that the chain left. */
  sampled?(token: SampledToken): void;
  /** Called with each token that joins the text, sampled or not. */
  accept?(token: number): void;
  reset?(): void;
}

/** False for an entry that changes nothing whatever the logits and the text. */
export function isActive(entry: ChainEntry): boolean {
  switch (entry[0]) {
    case "logit_bias":
      return entry[1].length > 0;
    case "penalties":
      return entry[1] !== 0 && !(entry[2] === 1 && entry[3] === 0 && entry[4] === 0);
    case "dry":
      return entry[1] !== 0 && entry[2] >= 1 && entry[4] !== 0;
    case "top_n_sigma":
    case "top_k":
    case "min_p":
      return entry[1] > 0;
    case "typical":
    case "top_p":
      return entry[1] < 1;
    case "xtc":
      return entry[1] > 0 && entry[2] <= 0.5;
    case "temp":
      return entry[1] !== 1;
    case "temp_ext":
      return entry[1] !== 1 || entry[2] > 0;
    default:
      return true;
  }
}

/** The steps of a chain, in order; inactive entries and `greedy`, which only chooses, have none. */
export function chain(entries: readonly ChainEntry[], context: ChainContext): ChainStep[] {
  return entries
    .filter((entry) => isActive(entry) && entry[0] !== "greedy")
    .map((entry) => stepOf(entry, context));
}

function stepOf(entry: ChainEntry, context: ChainContext): ChainStep {
  switch (entry[0]) {
    case "logit_bias":
      return { apply: (c) => logitBias(c, entry[1]) };
    case "penalties":
      return penaltiesStep(entry, context);
    case "dry":
      return dryStep(entry, context);
    case "top_n_sigma":
      return { apply: (c) => topNSigma(c, entry[1]) };
    case "top_k":
      return { apply: (c) => topK(c, entry[1]) };
    case "typical":
      return { apply: (c) => typicalP(c, entry[1], entry[2]) };
    case "top_p":
      return { apply: (c) => topP(c, entry[1], entry[2]) };
    case "min_p":
      return { apply: (c) => minP(c, entry[1], entry[2]) };
    case "xtc":
      return {
        apply: (c, sequence, step) =>
          xtc(c, entry[1], entry[2], entry[3], () => context.random(sequence, step)),
      };
    case "temp":
      return { apply: (c) => temperature(c, entry[1]) };
    case "temp_ext":
      return { apply: (c) => dynamicTemperature(c, entry[1], entry[2], entry[3]) };
    case "mirostat":
      return mirostatStep(entry[1], entry[2], (c, mu) =>
        mirostat(c, mu, context.vocabulary, entry[3]),
      );
    case "mirostat_v2":
      return mirostatStep(entry[1], entry[2], mirostatV2);
    case "greedy":
      return { apply() {} };
  }
}

/** Tokens that a `lastN` looks back at. */
function reach(lastN: number, context: ChainContext): number {
  return lastN < 0 ? context.contextLength : lastN;
}

function penaltiesStep(
  [, lastN, repeat, frequency, presence]: ChainEntry & readonly ["penalties", ...unknown[]],
  context: ChainContext,
): ChainStep {
  const history = createHistory(reach(lastN, context));
  return {
    apply: (c) => penalize(c, history.counts, { repeat, frequency, presence }),
    accept: history.push,
    reset: history.clear,
  };
}

function dryStep(
  [, multiplier, base, allowedLength, lastN, sequences]: ChainEntry &
    readonly ["dry", ...unknown[]],
  context: ChainContext,
): ChainStep {
  const history = createHistory(reach(lastN, context));
  const breakers = breakersOf(sequences);
  return {
    apply: (c) => dry(c, history, breakers, { multiplier, base, allowedLength }),
    accept: history.push,
    reset: history.clear,
  };
}

/**
 * Mirostat's mu changes when the sampled token is accepted, not when it is sampled: sampling twice for
 * one step gives the same token twice, and tokens that were not sampled (a prompt) leave mu alone.
 */
function mirostatStep(
  tau: number,
  eta: number,
  truncate: (c: Candidates, mu: number) => void,
): ChainStep {
  let mu = 2 * tau;
  let pending: SampledToken | undefined;
  return {
    apply: (c) => truncate(c, mu),
    sampled(token) {
      pending = token;
    },
    accept(token) {
      if (pending?.token === token) mu = nextMu(mu, pending.probability, tau, eta);
      pending = undefined;
    },
    reset() {
      mu = 2 * tau;
      pending = undefined;
    },
  };
}
