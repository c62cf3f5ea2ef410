/** Answers with the bundled model from a local file; prints the text. In Node and Deno. */
import { loadModel } from "../../mod.ts";

const path = decodeURIComponent(
  new URL("../../models/webgguf-tale-q8_0.gguf", import.meta.url).pathname,
);
const model = await loadModel(path, { device: "cpu" });
const session = model.session();
const question = [{ role: "user", content: "What is 7 + 5?" }];
let text = "";
for await (const piece of session.generate(question, { temperature: 0, maxTokens: 12 })) {
  text += piece.text;
}
await model.dispose();
console.log(text);
