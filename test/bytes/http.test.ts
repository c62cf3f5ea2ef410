import { describe, expect, it } from "vitest";
import { httpSource } from "../../src/bytes/http.ts";
import { countingBytes, type Faults, fakeServer } from "./fake-server.ts";

const url = "https://models.example/model.gguf";
const content = countingBytes(50_000);

async function opened(faults: Faults = {}, retries = 3) {
  const server = fakeServer(content, faults);
  const source = await httpSource(url, { fetch: server.fetch, retries, firstPause: 1 });
  return { server, source };
}

/** What an asynchronous call throws. */
async function thrown(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}

describe("httpSource with ranges", () => {
  it("learns the size from one small request and reads ranges exactly", async () => {
    const { server, source } = await opened();
    expect([source.name, source.size]).toEqual([url, 50_000]);
    expect(server.requests).toEqual(["bytes=0-0"]);
    expect(await source.read(1234, 5678)).toEqual(content.slice(1234, 1234 + 5678));
    expect(server.requests).toEqual(["bytes=0-0", "bytes=1234-6911"]);
    expect((await source.read(50_000, 0)).length).toBe(0);
    await source.close();
  });

  it("refuses ranges outside of the file without a request", async () => {
    const { server, source } = await opened();
    expect(await thrown(source.read(49_999, 2))).toMatchObject({ code: "source/io" });
    expect(server.requests.length).toBe(1);
  });

  it("goes on from the byte that was reached when connections break or end early", async () => {
    const { server, source } = await opened();
    server.faults.cuts = [
      { after: 1500, how: "error" },
      { after: 2000, how: "end" },
    ];
    expect(await source.read(100, 10_000)).toEqual(content.slice(100, 10_100));
    expect(server.requests.slice(1)).toEqual([
      "bytes=100-10099",
      "bytes=1600-10099",
      "bytes=3600-10099",
    ]);
  });

  it("tries again after errors that pass, and counts anew after progress", async () => {
    const { server, source } = await opened({ statuses: [503, 429] }, 3);
    server.faults.statuses = [500, 502, 200, 503, 503, 200];
    server.faults.cuts = [{ after: 1000, how: "error" }];
    expect(await source.read(0, 3000)).toEqual(content.slice(0, 3000));
  });

  it("gives up when all tries fail", async () => {
    const { server, source } = await opened({}, 2);
    server.faults.statuses = [503, 503, 503, 200];
    expect(await thrown(source.read(0, 10))).toMatchObject({ code: "source/network", file: url });
    expect(server.requests.length).toBe(4);
  });

  it.each([
    [404, "source/not-found"],
    [410, "source/not-found"],
    [403, "source/network"],
    [400, "source/network"],
  ])("HTTP %i is %s at once", async (status, code) => {
    const server = fakeServer(content, { statuses: [status] });
    expect(await thrown(httpSource(url, { fetch: server.fetch }))).toMatchObject({ code });
    expect(server.requests.length).toBe(1);
  });

  it("notices a changed ETag, date and size, and a file that became shorter", async () => {
    const changed = { code: "source/changed", file: url };
    const first = await opened({ etag: '"a"' });
    first.server.faults.etag = '"b"';
    expect(await thrown(first.source.read(0, 10))).toMatchObject(changed);

    const second = await opened({ modified: "Mon, 01 Jan 2024 00:00:00 GMT" });
    second.server.faults.modified = "Tue, 02 Jan 2024 00:00:00 GMT";
    expect(await thrown(second.source.read(0, 10))).toMatchObject(changed);

    const third = await opened();
    third.server.content = countingBytes(60_000);
    expect(await thrown(third.source.read(0, 10))).toMatchObject(changed);

    const fourth = await opened();
    fourth.server.content = countingBytes(10);
    expect(await thrown(fourth.source.read(20_000, 10))).toMatchObject(changed);
  });

  it("takes another date for the same file when the ETags agree", async () => {
    const { server, source } = await opened({ etag: '"a"', modified: "Monday" });
    server.faults.modified = "Tuesday";
    expect(await source.read(5, 5)).toEqual(content.slice(5, 10));
  });

  it("asks with HEAD where Content-Range is hidden", async () => {
    const { server, source } = await opened({ hidden: true });
    expect(source.size).toBe(50_000);
    expect(server.requests).toEqual(["bytes=0-0", "HEAD"]);
    expect(await source.read(7, 9)).toEqual(content.slice(7, 16));
  });

  it("opens an empty file", async () => {
    const server = fakeServer(new Uint8Array(0));
    const source = await httpSource(url, { fetch: server.fetch });
    expect(source.size).toBe(0);
  });

  it("cuts large pieces, and stops asking when the reader stops", async () => {
    const server = fakeServer(countingBytes(5_000_000), { piece: 5_000_000 });
    const source = await httpSource(url, { fetch: server.fetch });
    const lengths: number[] = [];
    for await (const piece of source.stream(0, 5_000_000)) lengths.push(piece.length);
    expect(Math.max(...lengths) <= 4 * 1024 * 1024).toBe(true);
    expect(lengths.reduce((sum, length) => sum + length, 0)).toBe(5_000_000);

    const other = fakeServer(countingBytes(5_000_000));
    const stopped = await httpSource(url, { fetch: other.fetch });
    for await (const piece of stopped.stream(0, 5_000_000)) if (piece.length > 0) break;
    expect(other.sent > 0 && other.sent < 10_000).toBe(true);
    await stopped.close();
  });
});

describe("aborting", () => {
  it("throws the signal's reason before, during and between tries", async () => {
    const reason = new Error("stop");
    const { server, source } = await opened();
    expect(await thrown(source.read(0, 10, AbortSignal.abort(reason)))).toBe(reason);

    const during = new AbortController();
    const reading = source.stream(0, 50_000, during.signal)[Symbol.asyncIterator]();
    await reading.next();
    during.abort(reason);
    expect(await thrown(reading.next())).toBe(reason);

    const between = new AbortController();
    server.faults.statuses = [503];
    const slow = await httpSource(url, { fetch: server.fetch, firstPause: 1 });
    server.faults.statuses = [503, 503, 503, 503, 503];
    const waiting = thrown(slow.read(0, 10, between.signal));
    between.abort(reason);
    expect(await waiting).toBe(reason);
    expect(await thrown(httpSource(url, { fetch: server.fetch, signal: between.signal }))).toBe(
      reason,
    );
  });

  it("ends a wait for a server that never answers", async () => {
    const never = (() => new Promise<Response>(() => {})) as typeof fetch;
    const controller = new AbortController();
    const opening = thrown(httpSource(url, { fetch: never, signal: controller.signal }));
    controller.abort("enough");
    expect(await opening).toBe("enough");
  });

  it("counts silence as a broken connection", async () => {
    const never = (() => new Promise<Response>(() => {})) as typeof fetch;
    const opening = httpSource(url, { fetch: never, silence: 5, retries: 1, firstPause: 1 });
    expect(await thrown(opening)).toMatchObject({ code: "source/network" });
  });
});

describe("httpSource without ranges", () => {
  it("reads once, in order, from the answer to the first request", async () => {
    const { server, source } = await opened({ ranges: false });
    expect(source.size).toBe(50_000);
    expect(await source.read(10, 3000)).toEqual(content.slice(10, 3010));
    expect(server.sent < 6000).toBe(true);
    expect(await source.read(20_000, 5000)).toEqual(content.slice(20_000, 25_000));
    expect(await source.read(24_000, 2000)).toEqual(content.slice(24_000, 26_000));
    expect(server.requests).toEqual(["bytes=0-0"]);
    await source.close();
  });

  it("keeps the last 8 MiB, asks again for what lies further back, and not for ever", async () => {
    const large = countingBytes(20_000_000);
    const server = fakeServer(large, { ranges: false, piece: 1 << 20 });
    const source = await httpSource(url, { fetch: server.fetch });
    const at = (offset: number) => source.read(offset, 4).then((bytes) => [...bytes]);
    expect(await at(15_000_000)).toEqual([...large.slice(15_000_000, 15_000_004)]);
    expect(await at(9_000_000)).toEqual([...large.slice(9_000_000, 9_000_004)]);
    expect(server.requests.length).toBe(1);
    for (let i = 1; i <= 4; i++) {
      expect(await at(5)).toEqual([...large.slice(5, 9)]);
      expect(await at(15_000_000)).toEqual([...large.slice(15_000_000, 15_000_004)]);
      expect(server.requests.length).toBe(1 + i);
    }
    expect(await thrown(at(5))).toMatchObject({ code: "source/network" });
    await source.close();
  });

  it("reads the body again up to where it broke", async () => {
    const { server, source } = await opened({
      ranges: false,
      cuts: [
        { after: 5000, how: "error" },
        { after: 2000, how: "end" },
      ],
    });
    expect(await source.read(0, 20_000)).toEqual(content.slice(0, 20_000));
    expect(server.requests).toEqual(["bytes=0-0", "whole", "whole"]);
    await source.close();
  });

  it("loses no piece when one of two readers gives up", async () => {
    const { source } = await opened({ ranges: false });
    const controller = new AbortController();
    const first = thrown(source.read(0, 40_000, controller.signal));
    const second = source.read(0, 45_000);
    controller.abort("first");
    expect(await first).toBe("first");
    expect(await second).toEqual(content.slice(0, 45_000));
    await source.close();
  });

  it("notices another file", async () => {
    const { server, source } = await opened({
      ranges: false,
      etag: '"a"',
      cuts: [{ after: 5000, how: "error" }],
    });
    server.faults.etag = '"b"';
    expect(await thrown(source.read(0, 20_000))).toMatchObject({ code: "source/changed" });
    await source.close();
  });

  it("needs to be told the size", async () => {
    const unknown = (async () => new Response("text")) as typeof fetch;
    expect(await thrown(httpSource(url, { fetch: unknown }))).toMatchObject({
      code: "source/network",
    });
  });
});
