import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { httpSource } from "../../src/bytes/http.ts";
import { platform } from "../../src/platform/node.ts";
import { countingBytes } from "./fake-server.ts";

const content = countingBytes(3_000_000);

describe("httpSource over real sockets", () => {
  let server: Server;
  let url: string;
  let requests = 0;

  beforeAll(async () => {
    server = createServer((request, response) => {
      requests++;
      const [from, to] = (request.headers.range ?? "")
        .slice("bytes=".length)
        .split("-")
        .map(Number);
      const body = content.subarray(from, to + 1);
      response.writeHead(206, {
        "Content-Length": body.length,
        "Content-Range": `bytes ${from}-${to}/${content.length}`,
        ETag: '"one"',
      });
      // Every second large answer breaks in its middle.
      if (body.length > 100_000 && requests % 2 === 0)
        response.write(body.subarray(0, 70_000), () => response.destroy());
      else response.end(body);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/model.gguf`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  it("reads ranges, and goes on after broken connections", async () => {
    const source = await httpSource(url, { fetch: platform.fetch, firstPause: 1 });
    expect(source.size).toBe(content.length);
    const read = await source.read(10, 1_000_000);
    expect(Buffer.compare(read, content.subarray(10, 1_000_010))).toBe(0);
    expect(requests > 2).toBe(true);
    await source.close();
  });

  it("says that nothing listens there", async () => {
    const opening = httpSource("http://127.0.0.1:9/model.gguf", {
      fetch: platform.fetch,
      retries: 1,
      firstPause: 1,
    });
    await expect(opening).rejects.toMatchObject({ code: "source/network" });
  });
});
