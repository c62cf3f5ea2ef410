/** `npm start`: the bundled model answers one question on the GPU path, and says what did it. */
import process from "node:process";
import { fileURLToPath } from "node:url";
import { loadModel } from "../mod.ts";
import { loadReporting, note, print } from "./terminal.ts";

const QUESTION = "Tell me a story about a fox who lost a hat.";
const path = fileURLToPath(new URL("../models/webgguf-tale-q8_0.gguf", import.meta.url));

try {
  const model = await loadModel(path, { device: "gpu", ...loadReporting() });
  const { name, software } = model.device;
  const session = model.session();
  note(`> ${QUESTION}\n`);
  const messages = [{ role: "user", content: QUESTION }];
  for await (const piece of session.generate(messages, { temperature: 0 })) await print(piece.text);
  const { completionTokens, completionMs } = session.stats();
  const rate = ((completionTokens - 1) / completionMs) * 1000;
  note(
    `\n\nThis is a demonstration model of 1.8 million parameters, made for this project.\n` +
      `Computed by WGSL kernels on ${name}${software ? " (software emulation: no GPU driver here)" : ""}, ` +
      `${rate.toFixed(1)} tokens/s.\n` +
      `Your own file: npm run -s webgguf -- chat -m model.gguf`,
  );
  await model.dispose();
} catch (error) {
  note(`webgguf: ${(error as Error).message}`);
  process.exitCode = 1;
}
process.stdout.write("", () => process.exit());
