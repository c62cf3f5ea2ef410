import type { Mutant } from "./mutant.ts";

const session = { file: "src/session/session.ts", tests: ["test/session/calls"] } as const;
const sampling = { file: "src/session/sampling.ts", tests: ["test/session/calls"] } as const;
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
    tests: ["test/session/speculate.test"],
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
    fault: "failed logits() leaves rows behind",
    from: "if (executor.length(sequence) > valid) executor.rewind(sequence, valid);\n        model.sequences.release(this);",
    to: "model.sequences.release(this);",
  },
  {
    ...session,
    fault: "a failed answer leaves rows behind",
    from: "if (executor.length(sequence) > valid) executor.rewind(sequence, valid);\n        if (this.#closing",
    to: "if (this.#closing",
  },
  {
    ...session,
    fault: "dispose of an idle session keeps its sequence",
    from: "if (!this.#busy) this.#model.sequences.drop(this);",
    to: "",
  },
  {
    ...session,
    fault: "dispose in the middle of an answer keeps the sequence",
    from: "if (this.#closing.signal.aborted) model.sequences.drop(this);\n        else model",
    to: "model",
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
    from: "promptTokens: items.length, cachedTokens: cached",
    to: "promptTokens: items.length - cached, cachedTokens: cached",
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
    from: "await this.draftModel?.restore();",
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
];
