import type { Mutant } from "./mutant.ts";

const session = { file: "src/session/session.ts", tests: ["test/session/calls"] } as const;
const sampling = { file: "src/session/sampling.ts", tests: ["test/session/calls"] } as const;
const lifecycle = ["test/session/lifecycle"];
const sequences = { file: "src/session/sequences.ts", tests: lifecycle } as const;
const loaded = { file: "src/session/loaded.ts", tests: lifecycle } as const;
const answer = { file: "src/session/answer.ts", tests: ["test/session/answer"] } as const;
const history = { file: "src/session/history.ts", tests: ["test/session/history"] } as const;
const open = { file: "src/session/open.ts", tests: ["test/session/open"] } as const;

export const mutants: readonly Mutant[] = [
  {
    file: "src/session/open.ts",
    fault: "a model that cannot fit is read all the same",
    from: "await checkFits(device, graph, file, options);",
    to: "",
  },
  {
    file: "src/session/open.ts",
    fault: "a real GPU has the machine's memory",
    from: 'device.kind === "cpu" || device.software',
    to: 'device.kind === "cpu" || device.kind === "gpu"',
  },
  {
    file: "src/session/memory.ts",
    fault: "the CPU path is told as a GPU",
    from: 'device === "cpu" || (device === "auto"',
    to: 'device === "none" || (device === "auto"',
  },
  {
    ...history,
    fault: "rows of one digest are one row",
    from: "if (!other || sameBits(other, vector)) break;",
    to: "break;",
  },
  {
    ...history,
    fault: "a run of tokens goes on through given rows",
    from: "items[end] < 0 === given",
    to: "(given ? items[end] < 0 : true)",
  },
  {
    ...history,
    fault: "the vectors of rows in the history are forgotten",
    from: "if (!used.has(item)) this.#vectors.delete(item);",
    to: "this.#vectors.delete(item);",
  },
  {
    ...sampling,
    tests: ["test/session/history"],
    fault: "given rows are places that penalties look back upon",
    from: "&& wanted === undefined && !given)",
    to: "&& wanted === undefined)",
  },
  {
    file: "src/session/speculate.ts",
    tests: ["test/session/history"],
    fault: "rows taken back are computed as tokens",
    from: "requestsFor(sequence, items, run.vectors, asked)",
    to: "requestsFor(sequence, items, undefined, asked)",
  },
  {
    file: "src/session/speculate.ts",
    tests: ["test/session/history"],
    fault: "a draft is verified behind a last given row",
    from: "feed.length > 1 || feed[0] < 0;",
    to: "feed.length > 1;",
  },
  {
    file: "src/session/ngram.ts",
    tests: ["test/session/history"],
    fault: "given rows are drafted",
    from: "if (item < 0) break;",
    to: "",
  },
  {
    file: "src/session/draft-model.ts",
    tests: ["test/session/history"],
    fault: "a draft model is fed the numbers of given rows",
    from: "token < 0 || token >= this.#shared)) return [];",
    to: "token >= this.#shared)) return [];",
  },
  {
    ...open,
    fault: "devices stay open when the measurement fails",
    from: "if (device !== chosen) device.dispose();",
    to: "if (chosen && device !== chosen) device.dispose();",
  },
  {
    ...open,
    fault: "the device that was not taken stays open",
    from: "for (const device of devices) if (device !== chosen) device.dispose();",
    to: "if (!chosen) for (const device of devices) device.dispose();",
  },
  {
    ...open,
    fault: "the device stays open when loading fails",
    from: "} catch (error) {\n    device.dispose();",
    to: "} catch (error) {",
  },
  {
    ...open,
    fault: "after a loss another adapter than the named one is opened",
    from: 'chosen: wanted === "auto" ? kind : wanted,',
    to: "chosen: kind,",
  },
  {
    ...open,
    fault: "a real GPU is measured too",
    from: "if (device.software && ",
    to: "if (",
  },
  {
    ...open,
    fault: "the measurement decides nothing",
    from: "devices[seconds.indexOf(least)]",
    to: "devices[0]",
  },
  {
    file: "src/session/backends.ts",
    tests: ["test/session/open"],
    fault: '"gpu" is taken for an adapter\'s name',
    from: '["auto", "gpu", "cpu"].includes(device)',
    to: '["auto", "cpu"].includes(device)',
  },
  {
    ...session,
    fault: "full context is not an overflow",
    from: "if (room < 0 || (room === 0 && maxTokens !== 0))",
    to: "if (room < 0)",
  },
  {
    ...session,
    fault: "as many tokens as fit are said to be ended by the context",
    from: "maxTokens > room\n",
    to: "maxTokens >= room\n",
  },
  {
    ...session,
    fault: "what failed leaves rows behind",
    from: "if (executor.length(sequence) > valid) executor.rewind(sequence, valid);",
    to: "",
  },
  {
    ...session,
    fault: "dispose of an idle session keeps its sequence",
    from: "if (!this.#model.sequences.isBusy(this)) this.#model.sequences.drop(this);",
    to: "",
  },
  {
    ...session,
    tests: lifecycle,
    fault: "rows are taken back on a sequence that is another's",
    from: "if (place && this.#model.resume(this, place)) {",
    to: "if (place) {",
  },
  {
    ...session,
    tests: lifecycle,
    fault: "a reader that stops keeps its sequence",
    from: "model.sequences.pause(this);",
    to: "",
  },
  {
    ...session,
    tests: lifecycle,
    fault: "a reader that stops stays a listener",
    from: "follower.rest();\n        model",
    to: "model",
  },
  {
    ...session,
    tests: lifecycle,
    fault: "an answer does not see what happened while its reader was away",
    from: "follower.follow();\n        signal.throwIfAborted();",
    to: "",
  },
  {
    ...sequences,
    fault: "a sequence is taken from a reader at once",
    from: "const GRACE = 250;",
    to: "const GRACE = 0;",
  },
  {
    ...sequences,
    fault: "nobody looks again whether a reader has stopped",
    from: "this.#timer = setTimeout(() => this.#serve(), wait);",
    to: "",
  },
  {
    ...sequences,
    fault: "who waited for a sequence stays a listener",
    from: 'signal.removeEventListener("abort", abort);',
    to: "",
  },
  {
    ...loaded,
    fault: "every restore() opens a device",
    from: "this.#restoring ??= this.#startRestoring();",
    to: "this.#restoring = this.#startRestoring();",
  },
  {
    ...loaded,
    fault: "a restore() that nobody waits for goes on",
    from: "restoring.stop.abort(signal?.reason);",
    to: "",
  },
  {
    ...loaded,
    fault: "restore() goes on after dispose()",
    from: "this.#restoring?.stop.abort(reason);",
    to: "",
  },
  {
    ...loaded,
    fault: "after a failed restore() the model seems disposed of",
    from: "if (this.#lost)\n        throw",
    to: "if (this.#lost && this.#restoring)\n        throw",
  },
  {
    ...loaded,
    fault: "an answer goes on, on an executor that is gone",
    from: "!this.#lost && place.executor === this.executor",
    to: "!this.#lost",
  },
  {
    ...session,
    fault: "the prompt's last token is taken from the cache",
    from: "Math.min(common, items.length - 1)",
    to: "Math.min(common, items.length)",
  },
  {
    ...session,
    fault: "cached tokens are not counted among the prompt's",
    from: "promptTokens: items.length, cachedTokens: valid",
    to: "promptTokens: items.length - valid, cachedTokens: valid",
  },
  {
    ...sampling,
    fault: "the host's sampler does not see the prompt",
    from: "for (const item of items) if (item >= 0) sampler.accept(item);",
    to: "",
  },
  {
    file: "src/session/loaded.ts",
    tests: ["test/session/calls"],
    fault: "restore forgets the draft model",
    from: "await this.draftModel?.restore(signal);",
    to: "",
  },
  {
    ...answer,
    fault: "a whole call has another id than its parts",
    from: "const id = this.#calls.get(index)?.id ?? this.#newId(index);",
    to: "const id = this.#newId(index);",
  },
  {
    ...answer,
    fault: "a message of tool calls alone has content",
    from: 'this.#content === "" && calls.length > 0 ? null : this.#content',
    to: "this.#content",
  },
  {
    ...answer,
    fault: "text that a stop string could have begun is lost at the end",
    from: 'over && stopped === undefined ? this.#stream.end() : ""',
    to: '""',
  },
  {
    file: "src/session/session.ts",
    tests: ["test/session/goes-on"],
    fault: "an answer that goes on forgets the channel where it stood",
    from: "read.parser ?? (goesOn ? this.#parser : undefined)",
    to: "read.parser",
  },
];
