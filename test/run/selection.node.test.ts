/** Nothing is dropped: what `npm test` leaves out is in `npm run test:all`. */
import { describe, expect, it } from "vitest";
import { leftOut, selection } from "./selection.mjs";

const runtimes = ["node", "deno", "chromium"] as const;

describe.each(runtimes)("the test files of %s", (runtime) => {
  const first = selection(runtime, "first");
  const rest = selection(runtime, "rest");
  const all = selection(runtime, "all");

  it("run once each in npm test and what test:all adds", () => {
    expect([...first, ...rest].sort()).toEqual(all);
    expect(new Set(all).size).toBe(all.length);
    expect(first.length).toBeGreaterThan(20);
  });

  it("are found by a part of their names, in npm test or not", () => {
    for (const file of [...first, ...rest]) {
      expect(selection(runtime, "first", [file])).toContain(file);
    }
    expect(selection(runtime, "all", ["test/no-such-test"])).toEqual([]);
  });

  it("leave to test:all only what is there", () => {
    for (const name of leftOut[runtime]) {
      expect(
        rest.filter((file) => file.startsWith(name)),
        name,
      ).not.toEqual([]);
    }
  });
});

describe("npm test", () => {
  it("runs in Node all that another runtime leaves to test:all, sweeps aside", () => {
    const node = new Set(selection("node", "first"));
    const left = runtimes.flatMap((runtime) => selection(runtime, "rest"));
    const nowhere = left.filter((file) => !node.has(file) && !file.includes(".slow."));
    expect(nowhere).toEqual([]);
  });
});
