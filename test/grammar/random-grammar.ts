/** Random grammars that are no left recursion, with a recogniser that tries everything. */

export type Node =
  | { kind: "text"; text: string }
  | { kind: "class"; characters: string; not: boolean }
  | { kind: "rule"; name: string }
  | { kind: "repeat"; of: Node; min: number; max: number }
  | { kind: "group"; alternatives: Node[][] };

export interface RandomGrammar {
  readonly source: string;
  /** Whether the grammar derives the text, and whether a text that begins with it. */
  accepts(text: string): boolean;
}

const LETTERS = ["a", "b", "c", "é", "東"];

export function randomGrammar(random: () => number): RandomGrammar {
  const below = (count: number): number => Math.floor(random() * count);
  const rules = new Map<string, Node[][]>();
  const count = 1 + below(4);
  const names = Array.from({ length: count }, (_, i) => (i === 0 ? "root" : `r${i}`));
  const leaf = (): Node => {
    if (below(3) > 0)
      return {
        kind: "text",
        text: Array.from({ length: 1 + below(2) }, () => LETTERS[below(5)]).join(""),
      };
    const characters = LETTERS.filter(() => random() < 0.5).join("") || "a";
    return { kind: "class", characters, not: below(4) === 0 };
  };
  const node = (depth: number, later: string[]): Node => {
    const what = below(10);
    if (depth > 2 || what < 4) return leaf();
    if (what < 6 && later.length > 0) return { kind: "rule", name: later[below(later.length)] };
    if (what < 8) {
      const min = below(3);
      const max = below(3) === 0 ? Number.POSITIVE_INFINITY : Math.max(1, min + below(3));
      return { kind: "repeat", of: node(depth + 1, later), min, max };
    }
    return { kind: "group", alternatives: alternatives(depth + 1, later) };
  };
  const alternatives = (depth: number, later: string[]): Node[][] =>
    Array.from({ length: 1 + below(3) }, () =>
      Array.from({ length: below(depth > 0 ? 3 : 4) }, () => node(depth, later)),
    );
  for (const [i, name] of names.entries()) {
    const made = alternatives(0, names.slice(i + 1));
    // Behind a text that cannot be empty any rule may come.
    if (below(2) === 0) {
      const again: Node = { kind: "rule", name: names[below(count)] };
      made.push([leaf(), again, ...(below(2) === 0 ? [leaf()] : [])]);
    }
    made.push([leaf()]);
    rules.set(name, made);
  }
  const source = names.map((name) => `${name} ::= ${print(rules.get(name)!)}`).join("\n");
  return { source, accepts: (text) => recognise(rules, text) };
}

const printed = (node: Node): string => {
  switch (node.kind) {
    case "text":
      return `"${node.text}"`;
    case "class":
      return `[${node.not ? "^" : ""}${node.characters}]`;
    case "rule":
      return node.name;
    case "group":
      return `(${print(node.alternatives)})`;
    case "repeat":
      return `(${printed(node.of)}){${node.min},${Number.isFinite(node.max) ? node.max : ""}}`;
  }
};
const print = (alternatives: Node[][]): string =>
  alternatives.map((nodes) => nodes.map(printed).join(" ")).join(" | ");

function recognise(rules: Map<string, Node[][]>, text: string): boolean {
  const characters = [...text];
  const known = new Map<string, Set<number>>();
  const sequence = (nodes: Node[], from: number): Set<number> => {
    let ends = new Set([from]);
    for (const node of nodes) {
      const next = new Set<number>();
      for (const end of ends) for (const one of match(node, end)) next.add(one);
      ends = next;
    }
    return ends;
  };
  const any = (alternatives: Node[][], from: number): Set<number> =>
    new Set(alternatives.flatMap((nodes) => [...sequence(nodes, from)]));
  const match = (node: Node, from: number): Set<number> => {
    switch (node.kind) {
      case "text": {
        const length = [...node.text].length;
        const fits = characters.slice(from, from + length).join("") === node.text;
        return new Set(fits ? [from + length] : []);
      }
      case "class": {
        const fits =
          from < characters.length && node.characters.includes(characters[from]) !== node.not;
        return new Set(fits ? [from + 1] : []);
      }
      case "group":
        return any(node.alternatives, from);
      case "rule": {
        const key = `${node.name} ${from}`;
        let ends = known.get(key);
        if (!ends) known.set(key, (ends = any(rules.get(node.name)!, from)));
        return ends;
      }
      case "repeat": {
        const ends = new Set<number>();
        let now = new Set([from]);
        const most = Math.min(node.max, node.min + characters.length);
        for (let times = 0; times <= most && now.size > 0; times++) {
          if (times >= node.min) for (const end of now) ends.add(end);
          now = new Set([...now].flatMap((end) => [...match(node.of, end)]));
        }
        return ends;
      }
    }
  };
  return any(rules.get("root")!, 0).has(characters.length);
}
