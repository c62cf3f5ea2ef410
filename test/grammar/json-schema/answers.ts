/** Answers of the bundled model under random schemas, checked by ajv. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import { loadModel, WebggufError } from "../../../mod.ts";
import { randomSchema } from "./random-schema.ts";
import { validator } from "./validator.ts";

const bundled = fileURLToPath(new URL("../../../models/webgguf-tale-q8_0.gguf", import.meta.url));

/** `count` schemas, each with both temperatures: every answer ends by itself, and validates. */
export async function validateAnswers(first: number, count: number): Promise<void> {
  const model = await loadModel(new Blob([readFileSync(bundled)]), {
    device: "cpu",
    contextLength: 2048,
  });
  let [ended, refused] = [0, 0];
  const cut: unknown[] = [];
  for (let seed = first; seed < first + count; seed++) {
    const schema = randomSchema(seed, { bounded: true }) as object;
    const valid = validator(schema);
    for (const temperature of [1, 1.5]) {
      const session = model.session();
      try {
        const { message, finishReason } = await session.generate("Once upon a time", {
          ...{ jsonSchema: schema, temperature, seed, maxTokens: 1900 },
        });
        const text = message.content as string;
        if (finishReason === "stop") {
          ended++;
          expect({ schema, text, valid: valid(JSON.parse(text)) }).toEqual({
            ...{ schema, text, valid: true },
          });
        } else cut.push({ seed, temperature, schema, text });
      } catch (error) {
        if (!(error instanceof WebggufError)) throw error;
        expect(error.code).toMatch(/^grammar\//);
        refused++;
      } finally {
        await session.dispose();
      }
    }
  }
  await model.dispose();
  expect(cut).toEqual([]);
  // Some schemas contradict themselves.
  expect(refused).toBeLessThan(0.5 * ended);
}
