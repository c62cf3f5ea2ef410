/**
 * A chat with a GGUF model in one short program:
 *   npx tsx main.ts MODEL.gguf
 *   deno run --allow-read main.ts MODEL.gguf
 */
import process from "node:process";
import { createInterface } from "node:readline";
import { type ChatMessage, loadModel } from "webgguf";

const path = process.argv[2];
if (!path) {
  console.error("Usage: main.ts MODEL.gguf");
  process.exit(2);
}

try {
  const model = await loadModel(path, { onNotice: (text) => console.error(text) });
  const session = model.session();
  const messages: ChatMessage[] = [];
  console.error(`${model.architecture} on ${model.device.name}. Ctrl-D leaves.`);

  const input = createInterface({ input: process.stdin });
  process.stdout.write("> ");
  for await (const line of input) {
    if (line.trim() !== "") {
      messages.push({ role: "user", content: line });
      const answer = session.generate(messages);
      for await (const piece of answer) process.stdout.write(piece.text);
      messages.push((await answer).message);
    }
    process.stdout.write("\n> ");
  }
  await model.dispose();
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
