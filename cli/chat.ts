/**
 * A chat with a GGUF model in one short program:
 *   deno run --allow-read cli/chat.ts MODEL.gguf
 *   npx tsx cli/chat.ts MODEL.gguf
 */
import process from "node:process";
import { createInterface } from "node:readline";
import { type ChatMessage, loadModel } from "../mod.ts";

const path = process.argv[2];
if (!path) {
  console.error("Which model? For example: cli/chat.ts models/webgguf-tale-q8_0.gguf");
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
      let answer = "";
      for await (const piece of session.generate(messages)) {
        process.stdout.write(piece.text);
        if (piece.channel === "content") answer += piece.text;
      }
      messages.push({ role: "assistant", content: answer });
    }
    process.stdout.write("\n> ");
  }
  await model.dispose();
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
