/** Whether a loop's entries matter to what its body does. */
import type { Expression, If, Target } from "./nodes.ts";

/**
 * Whether the first `tests` tests of a choice come out for a loop's next entry as for this one, where
 * nothing else is done in between: they look at neither, and call nothing.
 */
export const sameForAll = ({ branches }: If, tests: number, target: Target): boolean => {
  const names = new Set(["loop", ...namesOf(target)]);
  return branches.slice(0, tests).every(({ test }) => looksAway(test, names));
};

const namesOf = (target: Target): string[] =>
  target.kind === "targets" ? target.targets.flatMap(namesOf) : [target.name];

function looksAway(node: Expression, names: ReadonlySet<string>): boolean {
  const all = (...nodes: readonly Expression[]): boolean =>
    nodes.every((one) => looksAway(one, names));
  switch (node.kind) {
    case "literal":
      return true;
    case "name":
      return !names.has(node.name);
    case "member":
      return all(node.object);
    case "subscript":
      return all(node.object, node.key);
    case "unary":
      return all(node.operand);
    case "binary":
      return all(node.left, node.right);
    case "test":
      return all(node.operand, ...node.test.args.map(({ value }) => value));
    default:
      return false;
  }
}
