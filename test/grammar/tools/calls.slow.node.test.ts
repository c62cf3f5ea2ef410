/** Required calls of every template, with many tools. */
import { describe, it } from "vitest";
import { readBack, styled } from "./read-back.ts";

describe("required calls", () => {
  it.each(styled)("of $name are read back, and validate", (one) => {
    readBack(one, 12, 4);
  });
});
