/**
 * Finds accesses to workgroup memory that no barrier separates, from a shader's text alone: a run on a software
 * adapter, whose threads take turns, does not show them.
 *
 * A shader is walked as a thread would walk it, both branches of what is not constant, each loop twice. Two accesses
 * to a variable, one of them a write, must have a barrier in between unless they are the same thread's: the same
 * index, made from `thread`, or both behind `thread == 0u`.
 */

type Node =
  | { readonly kind: "statement"; readonly text: string }
  | { readonly kind: "block"; readonly head: string; readonly body: readonly Node[] };

/** What has happened to a variable since the last barrier. */
interface Access {
  readonly index: string;
  readonly how: "read" | "write" | "atomic";
}
type State = Map<string, Access[]>;

/** What is done to an atomic by these functions; by the others `atomic`, which no barrier need separate from its like. */
const hows: Readonly<Record<string, Access["how"]>> = {
  atomicLoad: "read",
  atomicStore: "write",
  atomicAdd: "atomic",
};

/** Splits a body into statements and blocks; the head of a block is what stands in front of its brace. */
function parse(text: string): Node[] {
  const nodes: Node[] = [];
  let from = 0;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (char === "(" || char === "[") depth++;
    if (char === ")" || char === "]") depth--;
    if (depth > 0) continue;
    if (char === ";") {
      nodes.push({ kind: "statement", text: text.slice(from, at).trim() });
      from = at + 1;
    }
    if (char === "{") {
      let end = at + 1;
      for (let open = 1; open > 0; end++) {
        if (text[end] === "{") open++;
        if (text[end] === "}") open--;
      }
      const head = text.slice(from, at).trim();
      nodes.push({ kind: "block", head, body: parse(text.slice(at + 1, end - 1)) });
      at = end - 1;
      from = end;
    }
  }
  return nodes;
}

/** The text between a bracket at `at` and its partner. */
function inside(text: string, at: number): string {
  const pairs: Readonly<Record<string, string>> = { "(": ")", "[": "]" };
  const open = text[at] as string;
  let depth = 0;
  for (let end = at; end < text.length; end++) {
    if (text[end] === open) depth++;
    if (text[end] === pairs[open] && --depth === 0) return text.slice(at + 1, end);
  }
  return text.slice(at + 1);
}

class Walk {
  readonly hazards = new Set<string>();
  readonly #shared = new Set<string>();
  readonly #functions = new Map<string, { readonly params: string[]; readonly body: Node[] }>();
  readonly #constants = new Map<string, string>();
  #state: State = new Map();
  /** Whether only one thread gets here. */
  #alone = false;

  constructor(shader: string) {
    for (const [, name] of shader.matchAll(/\bvar<workgroup> (\w+)/g)) this.#shared.add(name);
    for (const [, name, value] of shader.matchAll(/^const (\w+)(?:: ?\w+)? ?= ?(.*);$/gm))
      this.#constants.set(name, value);
    for (const match of shader.matchAll(/\bfn (\w+)\(/g)) {
      const at = match.index + match[0].length - 1;
      const list = inside(shader, at);
      const open = shader.indexOf("{", at + list.length);
      let end = open + 1;
      for (let depth = 1; depth > 0; end++) {
        if (shader[end] === "{") depth++;
        if (shader[end] === "}") depth--;
      }
      const params = Array.from(list.matchAll(/(\w+)\s*:/g), (one) => one[1]);
      this.#functions.set(match[1], { params, body: parse(shader.slice(open + 1, end - 1)) });
    }
    const main = this.#functions.get("main");
    if (main) this.#run(main.body, new Map([["thread", "thread"]]));
  }

  /** Follows `body`; `names` says what its local names stand for. */
  #run(body: readonly Node[], names: Map<string, string>): void {
    const outside = this.#alone;
    for (let i = 0; i < body.length; i++) {
      const node = body[i];
      if (node.kind === "statement") {
        this.#statement(node.text, names);
        continue;
      }
      const { head } = node;
      if (/^if\b/.test(head)) {
        const chain = [node];
        while (
          body[i + 1]?.kind === "block" &&
          (body[i + 1] as typeof node).head.startsWith("else")
        )
          chain.push(body[++i] as typeof node);
        this.#branches(chain, names);
        // What follows `if (thread > 0u) { return; }` is one thread's.
        if (/^if ?\(thread ?> ?0u\)/.test(head) && /return/.test(JSON.stringify(node.body)))
          this.#alone = true;
      } else if (/^(for|while|loop)\b/.test(head)) this.#loop(node, names);
      else if (head.startsWith("switch")) {
        this.#expression(head.slice(6), names);
        this.#either(node.body.map((one) => () => this.#run([one], new Map(names))));
      } else this.#run(node.body, new Map(names));
    }
    this.#alone = outside;
  }

  #branches(chain: readonly (Node & { kind: "block" })[], names: Map<string, string>): void {
    const ways: (() => void)[] = [];
    let open = true;
    for (const { head, body } of chain) {
      const at = head.indexOf("(");
      const condition = at < 0 ? "true" : inside(head, at);
      this.#expression(condition, names);
      const known = this.#known(condition);
      if (known === false) continue;
      const alone =
        this.#alone || this.#rename(condition, names).replaceAll(" ", "") === "thread==0u";
      ways.push(() => {
        const before = this.#alone;
        this.#alone = alone;
        this.#run(body, new Map(names));
        this.#alone = before;
      });
      if (known === true) {
        open = false;
        break;
      }
    }
    this.#either(open ? [...ways, () => {}] : ways);
  }

  /** Goes each of several ways from here; afterwards any of them may have been gone. */
  #either(ways: readonly (() => void)[]): void {
    const before = this.#state;
    const after: State = new Map();
    for (const go of ways) {
      this.#state = new Map(Array.from(before, ([name, list]) => [name, [...list]]));
      go();
      for (const [name, list] of this.#state) {
        const known = after.get(name) ?? [];
        for (const one of list)
          if (!known.some((two) => two.index === one.index && two.how === one.how)) known.push(one);
        after.set(name, known);
      }
    }
    this.#state = after;
  }

  #loop(node: Node & { kind: "block" }, outer: Map<string, string>): void {
    const names = new Map(outer);
    const at = node.head.indexOf("(");
    const [init = "", condition = "", step = ""] = at < 0 ? [] : inside(node.head, at).split(";");
    const variable = /^var (\w+) ?= ?(.*)$/.exec(init.trim());
    // A loop's variable stands for all that it runs through.
    if (variable) names.set(variable[1], `<${this.#rename(`${variable[2]};${step}`, outer)}>`);
    this.#expression(init, outer);
    for (let turn = 0; turn < 2; turn++) {
      this.#expression(condition, names);
      this.#run(node.body, new Map(names));
      this.#expression(step, names);
    }
  }

  #statement(text: string, names: Map<string, string>): void {
    if (/^workgroupBarrier\(\)$/.test(text)) {
      this.#state = new Map();
      return;
    }
    const declared = /^(let|var)(?:<\w+>)? (\w+)(?::[^=]+)? ?= ?([\s\S]*)$/.exec(text);
    const assigned = /^([A-Za-z_]\w*)((?:\[[\s\S]*?\])*(?:\.\w+)*) ?([-+*/|&]?=) ?([\s\S]*)$/.exec(
      text,
    );
    if (declared) {
      // It is a barrier before it reads, and another one behind.
      if (declared[3].startsWith("workgroupUniformLoad(")) this.#state = new Map();
      else this.#expression(declared[3], names);
      // What a variable becomes later is not followed: it stands for itself.
      const [, word, name, value] = declared;
      names.set(name, word === "let" ? `(${this.#rename(value, names)})` : `${name}!`);
    } else if (assigned && this.#shared.has(assigned[1])) {
      const open = text.indexOf("[");
      const index = open === assigned[1].length ? inside(text, open) : "";
      this.#expression(index, names);
      this.#expression(assigned[4], names);
      if (assigned[3] !== "=") this.#access(assigned[1], index, "read", names);
      this.#access(assigned[1], index, "write", names);
    } else this.#expression(text, names);
  }

  /** Reads what an expression reads, and goes into the functions that it calls. */
  #expression(text: string, names: Map<string, string>): void {
    for (const match of text.matchAll(/(&?)\b([A-Za-z_]\w*)\b(?=(\[|\()?)/g)) {
      const [whole, address, name, bracket] = match;
      const at = match.index + whole.length;
      if (this.#shared.has(name) && text[match.index - 1] !== ".") {
        const index = bracket === "[" ? inside(text, at) : "";
        const by = address ? /(\w+)\($/.exec(text.slice(0, match.index))?.[1] : undefined;
        this.#access(name, index, hows[by ?? ""] ?? "read", names);
      }
      const called = bracket === "(" ? this.#functions.get(name) : undefined;
      if (called) {
        const given = splitList(inside(text, at)).map((one) => this.#rename(one, names));
        this.#run(called.body, new Map(called.params.map((param, i) => [param, given[i]])));
      }
    }
  }

  #access(name: string, index: string, how: Access["how"], names: Map<string, string>): void {
    const mine: Access = { index: this.#alone ? "thread: one" : this.#rename(index, names), how };
    const list = this.#state.get(name) ?? [];
    for (const other of list) {
      const own = other.index === mine.index && mine.index.includes("thread");
      // Two writes are taken for writes to two places.
      if (!own && other.how !== how) this.hazards.add(name);
    }
    list.push(mine);
    this.#state.set(name, list);
  }

  #rename(text: string, names: ReadonlyMap<string, string>): string {
    return text.replace(/\b[A-Za-z_]\w*\b/g, (name) => names.get(name) ?? name).trim();
  }

  /** What a condition of constants is. */
  #known(condition: string): boolean | undefined {
    let text = condition;
    for (let depth = 0; depth < 4; depth++)
      text = text.replace(/\b[A-Za-z_]\w*\b/g, (name) => this.#constants.get(name) ?? name);
    text = text.replace(/(\d)u\b/g, "$1");
    if (/[A-Za-z_]/.test(text.replace(/\b(true|false)\b/g, ""))) return undefined;
    return Boolean(new Function(`return ${text};`)());
  }
}

/** Splits at commas that stand outside of brackets. */
function splitList(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let from = 0;
  for (let at = 0; at <= text.length; at++) {
    if (at === text.length || (text[at] === "," && depth === 0)) {
      parts.push(text.slice(from, at).trim());
      from = at + 1;
    } else if ("([<".includes(text[at])) depth++;
    else if (")]>".includes(text[at])) depth--;
  }
  return parts;
}

/** Variables in workgroup memory with accesses that no barrier separates. */
export const hazards = (shader: string): string[] => [...new Walk(shader).hazards].sort();
