/** node-llama-cpp: llama.cpp itself, on the CPU or through Vulkan or CUDA. */
import path from "node:path";
import { pathToFileURL } from "node:url";
import type { Engine } from "./engine.ts";
import { folder, installed } from "./install.ts";

/** The part of its interface that is used. */
interface Llama {
  loadModel(options: object): Promise<LlamaModel>;
  dispose(): Promise<void>;
}
interface LlamaModel {
  tokenize(text: string): readonly number[];
  createContext(options: object): Promise<{ getSequence(): LlamaSequence }>;
}
interface LlamaSequence {
  evaluate(tokens: readonly number[], options: object): AsyncIterable<number>;
  clearHistory(): Promise<void>;
}

export async function openNative(
  model: string,
  gpu: false | "vulkan" | "cuda",
  threads: number,
  context: number,
): Promise<Engine> {
  if (!installed("node-llama-cpp")) throw new Error("not installed (--install)");
  const entry = path.join(folder, "node_modules/node-llama-cpp/dist/index.js");
  const { getLlama } = (await import(pathToFileURL(entry).href)) as {
    getLlama(options: object): Promise<Llama>;
  };
  const llama = await getLlama({
    gpu,
    build: "never",
    skipDownload: true,
    maxThreads: threads,
    logLevel: "error",
  });
  const loaded = await llama.loadModel({
    modelPath: model,
    ...(gpu === false && { gpuLayers: 0 }),
  });
  const made = await loaded.createContext({
    contextSize: context,
    threads,
    batchSize: 512,
    sequences: 1,
    flashAttention: true,
  });
  const sequence = made.getSequence();
  return {
    name: `node-llama-cpp ${gpu === false ? `CPU, ${threads} threads` : gpu}`,
    async run(prompt, tokens) {
      await sequence.clearHistory();
      const ids = loaded.tokenize(prompt);
      const start = performance.now();
      let first = 0;
      let count = 0;
      for await (const _ of sequence.evaluate(ids, { temperature: 0, yieldEogToken: true })) {
        if (++count === 1) first = performance.now();
        if (count === tokens) break;
      }
      return {
        promptTokens: ids.length,
        promptSeconds: (first - start) / 1000,
        tokens: count - 1,
        decodeSeconds: (performance.now() - first) / 1000,
      };
    },
    close: () => llama.dispose(),
  };
}
