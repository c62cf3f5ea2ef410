import { describe, expect, it } from "vitest";
import { toolCallIds } from "../../src/chat/tool-call-ids.ts";

describe("ids of tool calls", () => {
  it("are 9 letters and digits, each its own, and the same for the same seed", () => {
    const [one, again, other] = [7, 7, 8].map((seed) => toolCallIds(seed));
    const ids = Array.from({ length: 200 }, (_, i) => one(i));
    expect(new Set(ids).size).toBe(200);
    for (const id of ids) expect(id).toMatch(/^[A-Za-z0-9]{9}$/);
    expect(Array.from({ length: 200 }, (_, i) => again(i))).toEqual(ids);
    expect(ids).not.toContain(other(0));
  });

  it("differ from answer to answer without a seed", () => {
    expect(toolCallIds()(0)).not.toBe(toolCallIds()(0));
    expect(toolCallIds(-1)(0)).not.toBe(toolCallIds(-1)(0));
  });
});
