/**
 * Required calls in the format of every template: what the grammar allows is read back by the
 * answer parser as calls of the tools that were offered, with arguments that validate.
 */
import { describe, expect, it } from "vitest";
import { formatsOf } from "../../../src/chat/formats/index.ts";
import { readBack, styled, templates } from "./read-back.ts";

/** One template of each way to write calls. */
const different = new Map(styled.map((one) => [JSON.stringify(one.style), one]));

describe("required calls", () => {
  it("are known for every template whose calls are read", () => {
    const known = new Set(styled.map(({ name }) => name));
    const unknown = templates
      .filter(([, source]) =>
        formatsOf(source).some((one) => one.kind === "headers" || one.channel === "tool"),
      )
      .filter(([name]) => !known.has(name));
    expect(unknown.map(([name]) => name)).toEqual([]);
    expect(known.size).toBeGreaterThan(50);
  });

  it.each([...different.values()])("as of $name are read back, and validate", (one) => {
    readBack(one, 2, 3);
  });
});
