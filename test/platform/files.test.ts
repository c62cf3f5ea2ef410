import { describe, expect, it } from "vitest";
import { platform } from "#platform";
import { fileSource, type OpenFile, openError } from "../../src/platform/files.ts";
import { fixture } from "../fixture.ts";

const name = "reference/quants/index.json";
const path = decodeURIComponent(new URL(`../fixtures/${name}`, import.meta.url).pathname);

describe.skipIf(platform.runtime === "browser")("a local file", () => {
  it("is read in ranges, also at the same time", async () => {
    const whole = await fixture(name);
    const source = await platform.openFile(path);
    expect(source.size).toBe(whole.length);
    expect(await source.read(0, whole.length)).toEqual(whole);
    const starts = [0, 40, 7, 100, 3];
    const parts = await Promise.all(starts.map((start) => source.read(start, 20)));
    expect(parts).toEqual(starts.map((start) => whole.slice(start, start + 20)));
    expect(await source.read(whole.length, 0)).toEqual(new Uint8Array(0));
    await source.close();
    await source.close();
    await expect(source.read(0, 1)).rejects.toMatchObject({ code: "source/io" });
  });

  it("refuses ranges past its end", async () => {
    const source = await platform.openFile(path);
    for (const [offset, length] of [
      [0, source.size + 1],
      [source.size, 1],
      [-1, 1],
      [0, -1],
      [0.5, 1],
      [2 ** 53, 1],
      [0, Number.NaN],
    ] as const) {
      await expect(source.read(offset, length)).rejects.toMatchObject({ code: "source/io" });
    }
    await source.close();
  });

  it("says when there is none, or none that can be read", async () => {
    await expect(platform.openFile(`${path}.none`)).rejects.toMatchObject({
      code: "source/not-found",
      file: `${path}.none`,
    });
    const folder = path.slice(0, path.lastIndexOf("/"));
    await expect(platform.openFile(folder)).rejects.toMatchObject({ code: "source/io" });
  });

  it("says when it changed after it was opened, however it was written", async () => {
    const { appendFile, mkdtemp, rm, truncate, utimes, writeFile } = await import(
      "node:fs/promises"
    );
    const { tmpdir } = await import("node:os");
    const folder = await mkdtemp(`${tmpdir()}/webgguf-`);
    const file = `${folder}/model.gguf`;
    const ways: (() => Promise<void>)[] = [
      () => appendFile(file, "more"),
      () => truncate(file, 500),
      // Of the same length, at another time.
      () => writeFile(file, new Uint8Array(1000).fill(1)).then(() => utimes(file, 1, 2)),
    ];
    for (const change of ways) {
      await writeFile(file, new Uint8Array(1000));
      const source = await platform.openFile(file);
      expect((await source.read(0, 10)).length).toBe(10);
      await change();
      await expect(source.read(0, 10)).rejects.toMatchObject({ code: "source/changed", file });
      const stream = source.stream(0, 10)[Symbol.asyncIterator]();
      await expect(stream.next()).rejects.toMatchObject({ code: "source/changed", file });
      await source.close();
    }
    // A file that takes its place is another one: the open one is as it was.
    await writeFile(file, new Uint8Array(1000));
    const source = await platform.openFile(file);
    await rm(file);
    await writeFile(file, new Uint8Array(1000).fill(9));
    expect((await source.read(990, 10))[0]).toBe(0);
    await source.close();
    await rm(folder, { recursive: true });
  });
});

describe.skipIf(platform.runtime !== "browser")("a path in a browser", () => {
  it("is refused", async () => {
    await expect(platform.openFile(path)).rejects.toMatchObject({ code: "input/invalid" });
  });
});

describe("a file source", () => {
  const size = 10 * 2 ** 20 + 5;
  /** Reads give at most 1 MB at a time, like some systems; bytes are a function of their place. */
  function slow(upTo = size): OpenFile & { reads: number } {
    const file = {
      size,
      reads: 0,
      async readAt(into: Uint8Array, offset: number): Promise<number> {
        file.reads++;
        const count = Math.max(0, Math.min(into.length, 1_000_000, upTo - offset));
        for (let i = 0; i < count; i += 1000) into[i] = (offset + i) % 251;
        return count;
      },
      unchanged: async () => true,
      async close(): Promise<void> {},
    };
    return file;
  }

  it("streams pieces in order with flat memory", async () => {
    const source = fileSource("slow", slow());
    const buffers = new Set<ArrayBuffer>();
    let at = 3;
    for await (const piece of source.stream(3, size - 3)) {
      expect(piece[0]).toBe(at % 251);
      expect(piece.length).toBeLessThanOrEqual(8 * 2 ** 20);
      buffers.add(piece.buffer);
      at += piece.length;
    }
    expect(at).toBe(size);
    expect(buffers.size).toBe(1);
  });

  it("stops at a signal, with its reason", async () => {
    const file = slow();
    const source = fileSource("slow", file);
    const reason = new Error("enough");
    const controller = new AbortController();
    let pieces = 0;
    const run = async (): Promise<void> => {
      for await (const _ of source.stream(0, size, controller.signal)) {
        pieces++;
        controller.abort(reason);
      }
    };
    await expect(run()).rejects.toBe(reason);
    expect(pieces).toBe(1);
    await expect(source.read(0, 1, controller.signal)).rejects.toBe(reason);
  });

  it("is closed once, and read no more", async () => {
    let closed = 0;
    let reads = 0;
    const source = fileSource("some.gguf", {
      size: 10,
      async readAt(into) {
        reads++;
        return into.length;
      },
      unchanged: async () => true,
      async close() {
        closed++;
      },
    });
    await source.close();
    await source.close();
    expect(closed).toBe(1);
    const refusal = { code: "source/io", message: expect.stringMatching(/some\.gguf.*closed/) };
    await expect(source.read(0, 1)).rejects.toMatchObject(refusal);
    await expect(source.stream(0, 1)[Symbol.asyncIterator]().next()).rejects.toMatchObject(refusal);
    expect(reads).toBe(0);
  });

  it("says when the file shrinks meanwhile", async () => {
    const source = fileSource("slow", slow(1_500_000));
    await expect(source.read(0, 2_000_000)).rejects.toMatchObject({
      code: "source/changed",
      offset: 1_500_000,
    });
  });

  it("says when the file is written meanwhile, before it gives out a byte of that", async () => {
    let looks = 0;
    const source = fileSource("slow", { ...slow(), unchanged: async () => ++looks < 6 });
    let bytes = 0;
    const run = async (): Promise<void> => {
      for await (const piece of source.stream(0, size)) bytes += piece.length;
    };
    await expect(run()).rejects.toMatchObject({ code: "source/changed", file: "slow" });
    // A piece of 4 MiB takes five reads.
    expect(bytes).toBe(4 * 2 ** 20);
  });
});

describe("a file that does not open", () => {
  it.each([
    ["ENOENT", "source/not-found", "no such file"],
    ["ENOTDIR", "source/not-found", "no such file"],
    ["NotFound", "source/not-found", "no such file"],
    ["EACCES", "source/io", "permissions"],
    ["EPERM", "source/io", "permissions"],
    ["PermissionDenied", "source/io", "permissions"],
    ["NotCapable", "source/io", "--allow-read"],
    ["EMFILE", "source/io", "EMFILE"],
  ])("for %s is %s and says what to do", (word, code, text) => {
    const cause = new Error(word);
    const error = openError("a.gguf", word, cause);
    expect(error).toMatchObject({ code, file: "a.gguf", cause });
    expect(error.message).toMatch(/^Cannot open a\.gguf: /);
    expect(error.message).toContain(text);
  });
});

describe("the platform", () => {
  it("tells facts", async () => {
    const facts = await platform.facts();
    expect(String(facts["runtime"])).toContain(platform.runtime);
    expect(facts["wasmSimd"]).toBe(true);
    expect(typeof facts["sharedArrayBuffer"]).toBe("boolean");
  });
});
