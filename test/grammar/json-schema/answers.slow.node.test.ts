/** Every answer of a model under a schema validates: 500 schemas. */
import { it } from "vitest";
import { validateAnswers } from "./answers.ts";

it("answers under 500 random schemas validate, also at temperature 1.5", async () => {
  await validateAnswers(5000, 500);
});
