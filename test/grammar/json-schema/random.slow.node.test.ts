/** The grammars of random schemas derive valid values only, and every valid one. */
import { it } from "vitest";
import { compareWithAjv } from "./against-ajv.ts";

it("the grammar of a random schema derives valid values only, and every valid one", () => {
  compareWithAjv(1000, 700);
});
