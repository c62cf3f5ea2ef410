/** Reads what drivers print of machine code: instructions by kind, and the loops among them. Pure. */

export type Style = "amd" | "nvidia" | "apple";
type Kind = "valu" | "salu" | "vmem" | "store" | "lds" | "smem" | "scratch" | "branch" | "wait";

interface Instruction {
  readonly op: string;
  readonly kind: Kind;
  /** Of a load or store. */
  readonly bits?: number;
}
interface Block {
  readonly name: string;
  readonly items: Instruction[];
  readonly next: string[];
}

/** How many instructions of each kind, and loads by their width in bits. */
export interface Counts extends Record<Kind, number> {
  readonly instructions: number;
  readonly widths: Record<string, number>;
  readonly ldsWidths: Record<string, number>;
  /** By name. */
  readonly ops: Record<string, number>;
}
export interface Loop extends Counts {
  readonly id: number;
  readonly depth: number;
  /** The loops around it. */
  readonly parents: readonly number[];
}
export interface Listing {
  readonly all: Counts;
  /** Outer before inner; what is inside a loop's loops is counted there too. */
  readonly loops: readonly Loop[];
}

type Rule = readonly [pattern: RegExp, kind: Kind];
const kindOf = (op: string, rules: readonly Rule[]): Kind =>
  rules.find(([pattern]) => pattern.test(op))?.[1] ?? "valu";

const amdRules: readonly Rule[] = [
  [/^(s_delay_alu|s_waitcnt|s_clause|s_nop|s_wait_|s_barrier)/, "wait"],
  [/^s_c?branch/, "branch"],
  [/^(s_buffer_load|s_load)/, "smem"],
  [/^s_/, "salu"],
  [/^scratch_/, "scratch"],
  [/^(global|buffer|flat|image)_store/, "store"],
  [/^(global|buffer|flat|image)_/, "vmem"],
  [/^ds_/, "lds"],
];
function amd(text: string): Instruction {
  const op = text.trim().split(/\s/)[0];
  return { op, kind: kindOf(op, amdRules), bits: amdBits(op) };
}
function amdBits(op: string): number {
  const [, two, width] = /(2addr_)?(?:stride64_)?[bu](\d+)$/.exec(op) ?? [];
  if (width) return Number(width) * (two ? 2 : 1);
  const [, words] = /dword(x\d)?$/.exec(op) ?? [];
  return 32 * Number((words ?? "x1").slice(1));
}

const nvidiaRules: readonly Rule[] = [
  [/^(bra|bssy|bsync|bclear|exit|warpsync|break)/, "branch"],
  [/^(nop|bar|membar|depbar)/, "wait"],
  [/^ld\.(global|const)/, "vmem"],
  [/^ldc/, "smem"],
  [/^st\.global/, "store"],
  [/^(ld|st)\.local/, "scratch"],
  [/^(ld|st)\.shared|^atoms/, "lds"],
];
function nvidia(text: string): Instruction {
  const bare = text
    .replace(/\/\/.*/, "")
    .replace(/^\s*@\S+/, "")
    .replace(/^.*= /, "");
  const op = bare.trim().split(/\s/)[0];
  const bits = Number(/[bui](\d+)(?!.*[bui]\d)/.exec(op)?.[1] ?? 32);
  return { op, kind: kindOf(op, nvidiaRules), bits };
}

const appleRules: readonly Rule[] = [
  [/^(jmp|while|pop_exec|push_exec|else_|if_|stop|break|begin|end|call|ret)/, "branch"],
  [/^(wait|nop|.*barrier)/, "wait"],
  [/^(load|device_load)/, "vmem"],
  [/^(store|device_store)/, "store"],
  [/^(lload|lstore|.*local)/, "lds"],
  [/^stack/, "scratch"],
];
function apple(text: string): Instruction {
  const op = text
    .replace(/^\s*[0-9a-f]+: [0-9a-f]+\s+/, "")
    .trim()
    .split(/\s/)[0];
  const mask = /, ([xyzw]+), [a-z]\s*$/.exec(text.trimEnd())?.[1].length;
  const count = mask ?? /\b(r\d+)_[r\d_]+/.exec(text)?.[0].split("_").length ?? 1;
  return { op, kind: kindOf(op, appleRules), bits: 32 * count };
}

/** The blocks of code in the text's order. */
const parsers: Readonly<Record<Style, (text: string) => Block[]>> = {
  amd(text) {
    const blocks: Block[] = [];
    let open: Block | undefined;
    let closed = false;
    let branched = false;
    const begin = (name: string): Block => {
      if (open && !closed) open.next.push(name);
      blocks.push((open = { name, items: [], next: [] }));
      closed = branched = false;
      return open;
    };
    for (const line of text.split("\n")) {
      const label = /^(BB\d+):/.exec(line)?.[1];
      if (label) begin(label);
      const code = line.replace(/;.*/, "");
      if (label || !/^\s+\S/.test(line) || !code.trim()) continue;
      const block = !open || closed || branched ? begin(`after ${blocks.length}`) : open;
      block.items.push(amd(code));
      const target = /s_c?branch\S*\s+(BB\d+)/.exec(code)?.[1];
      if (target) {
        block.next.push(target);
        branched = true;
        closed = /s_branch/.test(code);
      }
      if (/s_endpgm/.test(code)) closed = true;
    }
    return blocks;
  },
  nvidia(text) {
    const blocks: Block[] = [];
    const edges: [string, string][] = [];
    for (const line of text.split("\n")) {
      const [, name, before] = /^block\S* (\d+) L\d+ \[([\d, ]*)\]/.exec(line) ?? [];
      if (name !== undefined) {
        blocks.push({ name, items: [], next: [] });
        for (const from of before.split(",")) if (from.trim()) edges.push([from.trim(), name]);
      } else if (/delay=/.test(line)) blocks.at(-1)?.items.push(nvidia(line));
    }
    const byName = new Map(blocks.map((block) => [block.name, block]));
    for (const [from, to] of edges) byName.get(from)?.next.push(to);
    return blocks;
  },
  apple(text) {
    const targets = new Set<string>();
    const lines = text.split("\n").flatMap((line) => {
      const [, at] = /^\s*([0-9a-f]+): [0-9a-f]+\s/.exec(line) ?? [];
      if (!at) return [];
      const one = apple(line);
      const target = /^jmp/.test(one.op) ? appleTarget(Number.parseInt(at, 16), line) : undefined;
      if (target) targets.add(target);
      return [{ at: `@${Number.parseInt(at, 16)}`, one, target }];
    });
    const blocks: Block[] = [];
    let open: Block | undefined;
    let branched = false;
    for (const { at, one, target } of lines) {
      if (!open || branched || targets.has(at)) {
        open?.next.push(at);
        blocks.push((open = { name: at, items: [], next: [] }));
      }
      open.items.push(one);
      branched = target !== undefined;
      if (target) open.next.push(target);
    }
    return blocks;
  },
};
/** Where a jump goes: hexadecimal numbers are addresses, or distances behind a sign; decimal ones are distances. */
function appleTarget(at: number, line: string): string | undefined {
  const [, sign, hex] = /\b(-?)0x([0-9a-f]+)\s*$/.exec(line.trim()) ?? [];
  if (hex) return `@${sign ? at - Number.parseInt(hex, 16) : Number.parseInt(hex, 16)}`;
  const [, number] = /(-?\d+)\s*$/.exec(line.trim()) ?? [];
  return number ? `@${at + Number(number)}` : undefined;
}

/** The blocks without which each block cannot be reached, by the simple iteration. */
function dominatorsOf(before: readonly (readonly number[])[]): Set<number>[] {
  const all = new Set(before.keys());
  const dominators = before.map((_, i) => (i === 0 ? new Set([0]) : all));
  for (let changed = true; changed; ) {
    changed = false;
    for (let i = 1; i < before.length; i++) {
      const lists = before[i].map((j) => dominators[j]);
      if (lists.length === 0) continue;
      const both = new Set([...lists[0]].filter((d) => lists.every((list) => list.has(d))));
      both.add(i);
      if (both.size !== dominators[i].size) {
        dominators[i] = both;
        changed = true;
      }
    }
  }
  return dominators;
}

/** Natural loops: for each header all blocks from which a back edge to it can be reached without it. */
function loopsOf(blocks: readonly Block[]): { header: number; body: Set<number> }[] {
  const index = new Map(blocks.map((block, i) => [block.name, i]));
  const next = blocks.map((b) => [...new Set(b.next)].flatMap((name) => index.get(name) ?? []));
  const before: number[][] = blocks.map(() => []);
  next.forEach((list, i) => {
    for (const j of list) before[j].push(i);
  });
  const dominators = dominatorsOf(before);
  const loops = new Map<number, Set<number>>();
  next.forEach((list, from) => {
    for (const header of list) {
      if (!dominators[from].has(header)) continue;
      const body = loops.get(header) ?? new Set([header]);
      const waiting = [from];
      while (waiting.length > 0) {
        const one = waiting.pop()!;
        if (body.has(one)) continue;
        body.add(one);
        waiting.push(...before[one]);
      }
      loops.set(header, body);
    }
  });
  return Array.from(loops, ([header, body]) => ({ header, body }));
}

function count(items: readonly Instruction[]): Counts {
  const sums = {
    valu: 0,
    salu: 0,
    vmem: 0,
    store: 0,
    lds: 0,
    smem: 0,
    scratch: 0,
    branch: 0,
    wait: 0,
  };
  const [widths, ldsWidths, ops]: Record<string, number>[] = [{}, {}, {}];
  const add = (to: Record<string, number>, name: string | number = 32): void => {
    to[name] = (to[name] ?? 0) + 1;
  };
  for (const one of items) {
    sums[one.kind]++;
    if (one.kind === "vmem") add(widths, one.bits);
    if (one.kind === "lds") add(ldsWidths, one.bits);
    add(ops, one.op.replace(/_e(32|64)$/, ""));
  }
  return { ...sums, instructions: items.length, widths, ldsWidths, ops };
}

export function readListing(style: Style, text: string): Listing {
  const blocks = parsers[style](text);
  const loops = loopsOf(blocks);
  type Body = (typeof loops)[number];
  const within = (inner: Body, outer: Body): boolean =>
    inner.body.size < outer.body.size && [...inner.body].every((one) => outer.body.has(one));
  const items = (some: Set<number>): Instruction[] =>
    [...some].sort((a, b) => a - b).flatMap((i) => blocks[i].items);
  return {
    all: count(blocks.flatMap((block) => block.items)),
    loops: loops
      .map((loop) => {
        const parents = loops.filter((other) => within(loop, other)).map(({ header }) => header);
        return { id: loop.header, depth: parents.length, parents, ...count(items(loop.body)) };
      })
      .sort((a, b) => a.id - b.id || a.depth - b.depth),
  };
}
