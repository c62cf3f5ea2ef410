/** Reads that follow each other: how few requests they take, and that every byte is right whatever the order. */
import { describe, expect, it } from "vitest";
import { platform } from "#platform";
import { loadModel } from "../../mod.ts";
import { httpSource } from "../../src/bytes/http.ts";
import type { Platform } from "../../src/platform/types.ts";
import { fixture } from "../fixture.ts";
import { random } from "../fuzz/mutate.ts";
import { countingBytes, type FakeServer, fakeServer } from "./fake-server.ts";

const url = "https://models.example/model.gguf";
const MIB = 2 ** 20;

/** Longer than what is cached. */
const content = countingBytes(20 * MIB);

const opened = async (server: FakeServer) =>
  httpSource(url, { fetch: server.fetch, retries: 3, firstPause: 1 });

describe("reads in order", () => {
  it("take a request for each sixteenfold of what was read", async () => {
    const server = fakeServer(content, { piece: 100_000 });
    const source = await opened(server);
    // As models are read: a few KiB to a few MiB each, with padding between them.
    const below = random(3);
    let read = 0;
    for (let at = 0; at < content.length; ) {
      const length = Math.min(content.length - at, 1 + below(below(2) ? 3000 : 2 * MIB));
      const bytes = await source.read(at, length);
      expect(bytes[length - 1]).toBe(content[at + length - 1]);
      at += length + below(32);
      read++;
    }
    expect(read).toBeGreaterThan(15);
    expect(server.requests.length).toBeLessThanOrEqual(5);
    expect(server.sent).toBeLessThan(1.01 * content.length);
    expect(server.open).toBe(0);
  });

  it("come no faster than they are asked for", async () => {
    const server = fakeServer(content);
    const source = await opened(server);
    await source.read(0, 1000);
    for (let at = 1000; at < 1_000_000; at += 12_345) {
      await source.read(at, 10_000);
      expect(server.sent).toBeLessThanOrEqual(at + 10_000 + 1001);
    }
    expect(server.requests.length).toBe(3);
    await source.close();
    expect(server.open).toBe(0);
  });

  it("step back as far as 8 MiB without a request, and begin anew further away", async () => {
    const server = fakeServer(content, { piece: MIB });
    const source = await opened(server);
    await source.read(0, MIB);
    await source.read(MIB, 9 * MIB);
    expect(server.requests.slice(1)).toEqual([
      `bytes=0-${MIB - 1}`,
      `bytes=${MIB}-${17 * MIB - 1}`,
    ]);
    expect(await source.read(4 * MIB, 8)).toEqual(content.slice(4 * MIB, 4 * MIB + 8));
    expect(server.requests.length).toBe(3);
    expect(await source.read(5, 8)).toEqual(content.slice(5, 13));
    expect(server.requests[3]).toBe("bytes=5-12");
    expect(await source.read(19 * MIB, 8)).toEqual(content.slice(19 * MIB, 19 * MIB + 8));
    expect(server.requests.length).toBe(5);
    await source.close();
  });
});

describe("reads in any order", () => {
  it.each([true, false])(
    "give the right bytes over broken connections, ranges %s",
    async (ranges) => {
      const below = random(ranges ? 5 : 6);
      for (let round = 0; round < 12; round++) {
        const server = fakeServer(content, { ranges, piece: 1 + below(300_000) });
        const source = await opened(server);
        const cut = () => ({ after: 1 + below(MIB), how: below(2) ? "end" : "error" }) as const;
        if (ranges) server.faults.cuts = Array.from({ length: below(6) }, cut);
        const one = async (): Promise<void> => {
          let at = below(content.length);
          for (let times = 1 + below(4); times > 0; times--) {
            const length = Math.min(content.length - at, below(below(2) ? 3000 : MIB));
            const stop = new AbortController();
            if (below(5) === 0) setTimeout(() => stop.abort("enough"), below(3));
            const bytes = await source.read(at, length, stop.signal).catch((error) => {
              if (error !== "enough" && !(ranges === false && error.code === "source/network"))
                throw error;
            });
            const right = content.subarray(at, at + length);
            if (bytes?.some((byte, i) => byte !== right[i]))
              throw new Error(`wrong bytes at ${at}`);
            at = below(3) ? at + length : below(content.length);
          }
        };
        await Promise.all(Array.from({ length: 1 + below(3) }, one));
        await source.close();
        await new Promise((resolve) => setTimeout(resolve, 0));
        // What an aborted reader of its own left behind goes by itself.
        for (let i = 0; i < 150 && server.open > 0; i++)
          await new Promise((resolve) => setTimeout(resolve, 10));
        expect(server.open).toBe(0);
      }
    },
  );
});

describe("what is given up", () => {
  it("is the body, when its only reader is aborted, and all of it when the source is closed", async () => {
    const server = fakeServer(content);
    const source = await opened(server);
    const stop = new AbortController();
    const stream = source.stream(0, MIB, stop.signal)[Symbol.asyncIterator]();
    await stream.next();
    expect(server.open).toBe(1);
    stop.abort("enough");
    await expect(stream.next()).rejects.toBe("enough");
    expect(server.open).toBe(0);
    const other = source.stream(0, MIB)[Symbol.asyncIterator]();
    await other.next();
    await source.close();
    expect(server.open).toBe(0);
    await expect(other.next()).rejects.toMatchObject({ code: "source/io", file: url });
    await expect(source.read(0, 5)).rejects.toMatchObject({ code: "source/io", file: url });
  });
});

describe("a model over HTTP", () => {
  it("loads with five requests, from a real server", async () => {
    const file = await fixture("tiny-model/webgguf-tale-q4_k_m.gguf");
    const { address, stop } = await serve("tiny-model/webgguf-tale-q4_k_m.gguf", file);
    const changeable = platform as { fetch: Platform["fetch"] };
    const { fetch } = changeable;
    let requests = 0;
    changeable.fetch = (...args) => {
      requests++;
      return fetch(...args);
    };
    try {
      const model = await loadModel(address, {
        ...{ device: "cpu", contextLength: 64 },
        // The requests are counted, not what the store saves of them.
        cache: false,
      });
      expect(model.file.sources[0].size).toBe(file.length);
      const tensors = [...model.file.tensors.values()].reduce((sum, { bytes }) => sum + bytes, 0);
      expect(tensors).toBeGreaterThan(0.9 * file.length);
      expect(model.memory.weights).toBeGreaterThanOrEqual(tensors);
      await model.dispose();
    } finally {
      changeable.fetch = fetch;
      await stop();
    }
    expect(requests).toBeLessThanOrEqual(5);
  });
});

/** An address of a fixture: a browser asks the server that its page came from. */
async function serve(
  name: string,
  file: Uint8Array,
): Promise<{ address: string; stop: () => Promise<void> }> {
  if (platform.runtime === "browser") {
    const address = new URL(`/test/fixtures/${name}`, globalThis.location.href).href;
    return { address, stop: async () => {} };
  }
  const { createServer } = await import("node:http");
  const server = createServer(({ headers }, response) => {
    const [from, to] = (headers.range ?? "").slice("bytes=".length).split("-").map(Number);
    const body = file.subarray(from, to + 1);
    response.writeHead(206, {
      "content-length": body.length,
      "content-range": `bytes ${from}-${to}/${file.length}`,
    });
    response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  return {
    address: `http://127.0.0.1:${port}/${name}`,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
