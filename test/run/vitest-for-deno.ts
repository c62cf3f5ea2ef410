/**
 * What the tests use of vitest, over Deno.test: deno.json maps `vitest` to this file.
 * The matchers are vitest's own. Suites are flattened into test names; hooks of a suite run
 * before its first and after its last test.
 */
import {
  ASYMMETRIC_MATCHERS_OBJECT,
  chai,
  type ExpectStatic,
  JestAsymmetricMatchers,
  JestChaiExpect,
  JestExtend,
} from "@vitest/expect";

chai.use(JestExtend);
chai.use(JestChaiExpect);
chai.use(JestAsymmetricMatchers);

const asymmetric = (globalThis as unknown as Record<symbol, object>)[ASYMMETRIC_MATCHERS_OBJECT];
export const expect: ExpectStatic = Object.assign(chai.expect, asymmetric) as ExpectStatic;

type Body = (...values: never[]) => unknown;
type Hook = () => unknown;

declare const Deno: {
  test(definition: {
    name: string;
    ignore: boolean;
    fn: () => Promise<void>;
    sanitizeOps: boolean;
    sanitizeResources: boolean;
    sanitizeExit: boolean;
  }): void;
};

/** A `describe` block, or the file. */
interface Suite {
  readonly name: string;
  readonly parent?: Suite;
  readonly skipped: boolean;
  readonly hooks: Record<"beforeAll" | "afterAll" | "beforeEach" | "afterEach", Hook[]>;
  /** The outcome of beforeAll, once begun. */
  begun?: Promise<void>;
  /** Tests in it and below that have not ended. */
  open: number;
}

function suite(name: string, skipped: boolean, parent?: Suite): Suite {
  const hooks = { beforeAll: [], afterAll: [], beforeEach: [], afterEach: [] };
  return { name, skipped, open: 0, hooks, ...(parent && { parent }) };
}

let current = suite("", false);

/** A suite and those around it, the outermost first. */
function lineage(of: Suite): Suite[] {
  return of.parent === undefined ? [of] : [...lineage(of.parent), of];
}

async function runAll(hooks: readonly Hook[]): Promise<void> {
  for (const hook of hooks) await hook();
}

function register(name: string, body: Hook, skipped: boolean): void {
  const suites = lineage(current);
  const inner = [...suites].reverse();
  const ignore = skipped || suites.some((one) => one.skipped);
  if (!ignore) for (const one of suites) one.open++;
  const title = [...suites.map((one) => one.name), name].filter((part) => part !== "").join(" > ");
  Deno.test({
    name: title,
    ignore,
    sanitizeOps: false,
    sanitizeResources: false,
    sanitizeExit: false,
    async fn(): Promise<void> {
      try {
        for (const one of suites) {
          one.begun ??= runAll(one.hooks.beforeAll);
          await one.begun;
        }
        for (const one of suites) await runAll(one.hooks.beforeEach);
        try {
          await body();
        } finally {
          for (const one of inner) await runAll(one.hooks.afterEach);
        }
      } finally {
        for (const one of inner) if (--one.open === 0) await runAll(one.hooks.afterAll);
      }
    },
  });
}

/** vitest's titles: %s, %i, %d, %f, %j, %o, %#, %% in order, then $name from an object's fields. */
function title(pattern: string, values: readonly unknown[], index: number): string {
  let next = 0;
  const filled = pattern.replace(/%([sidfjoO#%])/g, (_, kind: string) => {
    if (kind === "%") return "%";
    if (kind === "#") return String(index);
    const value = values[next++];
    return "joO".includes(kind) ? (JSON.stringify(value) ?? "undefined") : String(value);
  });
  const first = values[0];
  if (typeof first !== "object" || first === null) return filled;
  return filled.replace(/\$([\w.]+)/g, (whole, path: string) => {
    let value: unknown = first;
    for (const key of path.split(".")) value = (value as Record<string, unknown>)?.[key];
    return value === undefined ? whole : String(value);
  });
}

type Define = (name: string, body: Hook, skipped: boolean) => void;

/** `it` or `describe` with what hangs on them. */
interface Definer {
  (name: string, body?: Body | object, rest?: Body | object | number): void;
  readonly skip: Definer;
  skipIf(condition: unknown): Definer;
  runIf(condition: unknown): Definer;
  each(
    rows: readonly unknown[],
  ): (name: string, body: Body | object, rest?: Body | object | number) => void;
}

/** The function among a definition's arguments: options may stand before or after it. */
function bodyOf(a: unknown, b: unknown): Body {
  return (typeof a === "function" ? a : b) as Body;
}

function definer(define: Define, skipped: boolean): Definer {
  const call = (name: string, a?: unknown, b?: unknown): void =>
    define(name, bodyOf(a, b) as Hook, skipped);
  return Object.assign(call, {
    skip: skipped ? call : definer(define, true),
    skipIf: (condition: unknown) => definer(define, skipped || Boolean(condition)),
    runIf: (condition: unknown) => definer(define, skipped || !condition),
    each: (rows: readonly unknown[]) => (name: string, a: unknown, b?: unknown) => {
      rows.forEach((row, index) => {
        const values = Array.isArray(row) ? row : [row];
        const body = bodyOf(a, b);
        define(title(name, values, index), () => body(...(values as never[])), skipped);
      });
    },
  }) as Definer;
}

export const it: Definer = definer(register, false);
export const test: Definer = it;

export const describe: Definer = definer((name, body, skipped) => {
  const outer = current;
  current = suite(name, skipped, outer);
  try {
    body();
  } finally {
    current = outer;
  }
}, false);

function hook(kind: keyof Suite["hooks"]): (run: Hook) => void {
  return (run) => {
    current.hooks[kind].push(run);
  };
}

export const beforeAll: (run: Hook) => void = hook("beforeAll");
export const afterAll: (run: Hook) => void = hook("afterAll");
export const beforeEach: (run: Hook) => void = hook("beforeEach");
export const afterEach: (run: Hook) => void = hook("afterEach");
