/** Paths that are no regular files, also as parts, and opening that is stopped. */
import { describe, expect, it } from "vitest";
import { platform } from "#platform";
import { loadModel, openSource } from "../../mod.ts";
import type { ByteSource } from "../../src/base/source.ts";
import { bufferSource } from "../../src/bytes/buffer.ts";
import { ggufBytes } from "../../src/gguf/write.ts";
import type { Platform } from "../../src/platform/types.ts";
import { fixture } from "../fixture.ts";

const within = <T>(promise: Promise<T>): Promise<T> =>
  Promise.race([
    promise,
    new Promise<T>((_, reject) => setTimeout(() => reject(new Error("it hangs")), 5000)),
  ]);

const here = platform.runtime === "browser" ? "" : (await import("node:process")).platform;

describe.skipIf(here !== "linux" && here !== "darwin")("a path that is no regular file", () => {
  it("is a typed error at once, by itself and as a part", async () => {
    const { execFileSync } = await import("node:child_process");
    const { mkdir, mkdtemp, rm, symlink, writeFile } = await import("node:fs/promises");
    const { createServer } = await import("node:net");
    const { tmpdir } = await import("node:os");
    const folder = await mkdtemp(`${tmpdir()}/webgguf-`);
    const first = `${folder}/m-00001-of-00002.gguf`;
    const second = `${folder}/m-00002-of-00002.gguf`;
    const split = { metadata: [["split.count", 2] as const], tensors: [] };
    await writeFile(first, await ggufBytes(split));
    const socket = createServer();
    const kinds: [string, () => Promise<unknown>][] = [
      ["pipe", async () => execFileSync("mkfifo", [second])],
      ["folder", () => mkdir(second)],
      ["device", () => symlink("/dev/zero", second)],
      ["terminal", () => symlink("/dev/tty", second)],
      ["socket", () => new Promise<void>((resolve) => void socket.listen(second, resolve))],
    ];
    for (const [kind, make] of kinds) {
      await make();
      for (const path of [second, first])
        await expect([
          kind,
          await within(loadModel(path, { device: "cpu" }).catch((error) => error)),
        ]).toMatchObject([kind, { code: "source/io", file: second }]);
      if (kind === "socket") await new Promise((resolve) => socket.close(resolve));
      await rm(second, { recursive: true, force: true });
    }
    await rm(folder, { recursive: true });
  });
});

describe.skipIf(platform.runtime === "browser")("opening", () => {
  it("ends with its signal, on a disk that does not answer, and closes what comes late", async () => {
    const open = platform.openFile;
    let closed = 0;
    let answer = (_: ByteSource): void => {};
    (platform as { openFile: Platform["openFile"] }).openFile = () =>
      new Promise((resolve) => {
        answer = resolve;
      });
    try {
      const calls: ((signal: AbortSignal) => Promise<unknown>)[] = [
        (signal) => openSource("/disk/model.gguf", signal),
        (signal) => loadModel("/disk/model.gguf", { device: "cpu", signal }),
      ];
      for (const call of calls) {
        const stop = new AbortController();
        const opening = call(stop.signal);
        setTimeout(() => stop.abort("enough"), 10);
        await expect(within(opening)).rejects.toBe("enough");
        answer({ ...bufferSource(new Uint8Array(1)), close: async () => void closed++ });
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      expect(closed).toBe(2);
    } finally {
      (platform as { openFile: Platform["openFile"] }).openFile = open;
    }
  });
});

describe.skipIf(platform.runtime === "browser")(
  "a file that is written after its model was loaded",
  () => {
    it("is an error of restore(), never a mixture of two files", async () => {
      const { mkdtemp, rm, writeFile } = await import("node:fs/promises");
      const { tmpdir } = await import("node:os");
      const folder = await mkdtemp(`${tmpdir()}/webgguf-`);
      const path = `${folder}/model.gguf`;
      const bytes = await fixture("reference/archs/llama.gguf");
      await writeFile(path, bytes);
      const model = await loadModel(path, { device: "cpu", contextLength: 32 });
      await model.restore();
      expect((await model.session().logits([1])).length).toBe(96);
      await writeFile(path, (await fixture("reference/archs/qwen3.gguf")).slice(0, bytes.length));
      const changed = { code: "source/changed", file: path };
      await expect(model.restore()).rejects.toMatchObject(changed);
      await model.dispose();
      await rm(folder, { recursive: true });
    });
  },
);

describe("reading a header", () => {
  it("ends with its signal, however deep the source is asleep", async () => {
    const source: ByteSource = {
      ...bufferSource(await fixture("reference/archs/llama.gguf")),
      read: () => new Promise(() => {}),
      close: () => new Promise(() => {}),
    };
    const stop = new AbortController();
    setTimeout(() => stop.abort("enough"), 10);
    const loading = loadModel(source, { device: "cpu", signal: stop.signal });
    await expect(within(loading)).rejects.toBe("enough");
  });
});
