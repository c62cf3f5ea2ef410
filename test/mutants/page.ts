import type { Mutant } from "./mutant.ts";

const blocks = { file: "cli/page/markdown/blocks.ts", tests: ["test/page/markdown"] } as const;
const tree = { file: "cli/page/store/tree.ts", tests: ["test/page/store"] } as const;
const transfer = { file: "cli/page/store/transfer.ts", tests: ["test/page/store"] } as const;

export const mutants: readonly Mutant[] = [
  {
    ...blocks,
    fault: "a line that has only begun closes the block before it",
    from: "shown.at(begun ? -2 : -1)",
    to: "shown.at(-1)",
  },
  {
    ...blocks,
    fault: "a carriage return at a cut counts as a line of its own",
    from: 'this.#held = all.endsWith("\\r") ? "\\r" : "";',
    to: 'this.#held = "";',
  },
  {
    ...blocks,
    fault: "names of links are forgotten with their block",
    from: "this.#links[token.tag] ??=",
    to: '({} as TokensList["links"])[token.tag] ??=',
  },
  {
    ...tree,
    fault: "the oldest branch is shown",
    from: "children.get(leaf)?.at(-1)",
    to: "children.get(leaf)?.at(0)",
  },
  {
    ...tree,
    fault: "a message that follows itself is followed for ever",
    from: "id !== null && !seen.has(id);",
    to: "id !== null && path.length < 99;",
  },
  {
    ...transfer,
    fault: "a message may follow one that is missing",
    from: "if (parent !== null && !ids.has(parent)) refuse",
    to: "if (parent === undefined) refuse",
  },
  {
    ...transfer,
    fault: "the first message of the prompt is lost",
    from: "...(start !== undefined && ids.has(start) && { start }),",
    to: "",
  },
];
