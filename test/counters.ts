/** The counters that tests and benches share: the engine's calls to WebGPU, seen from outside. */
export { type Counter, type Counts, countCalls } from "../src/platform/counters.ts";
