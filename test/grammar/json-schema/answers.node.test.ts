/** Every answer of a model under a schema validates. */
import { it } from "vitest";
import { validateAnswers } from "./answers.ts";

it("answers under random schemas validate, also at temperature 1.5", async () => {
  await validateAnswers(1, 8);
});
