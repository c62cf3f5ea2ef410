/**
 * Texts ranked by how close they are to a question, with an embedding model such as EmbeddingGemma or BGE:
 *   npx tsx main.ts MODEL.gguf "a question" "one text" "another text"
 */
import process from "node:process";
import { loadModel } from "webgguf";

const [path, question, ...texts] = process.argv.slice(2);
if (!path || !question || texts.length === 0) {
  console.error('Usage: main.ts MODEL.gguf "QUESTION" "TEXT" …');
  process.exit(2);
}

const model = await loadModel(path);
const [asked, ...others] = await model.embed([question, ...texts]);
await model.dispose();

/** Vectors come with a length of 1, so that their product is the cosine of the angle between them. */
const similarity = (a: Float32Array, b: Float32Array): number =>
  a.reduce((sum, value, i) => sum + value * b[i]!, 0);

const ranked = texts.map((text, i) => ({
  text,
  score: similarity(asked!.vector, others[i]!.vector),
}));
for (const { text, score } of ranked.sort((a, b) => b.score - a.score))
  console.log(`${score.toFixed(4)}  ${text}`);
