/** Serves a folder over HTTP on this machine, and opens it in the packaged browser. Node only. */
import { createReadStream, existsSync, statSync } from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { type Browser, chromium } from "playwright-core";
import { unpackChromium } from "../../scripts/unpack.mjs";

const types: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".webmanifest": "application/manifest+json",
};

export interface Site {
  /** Ends without a slash. */
  readonly origin: string;
  close(): void;
}

/** A server of the files in `folder`, without ranges or compression, with further `headers`. */
export async function serve(
  folder: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Site> {
  const server = http.createServer((request, response) => {
    const { pathname } = new URL(request.url!, "http://localhost");
    const file = path.join(folder, path.normalize(pathname === "/" ? "/index.html" : pathname));
    if (!file.startsWith(folder) || !existsSync(file)) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, {
      ...headers,
      "Content-Type": types[path.extname(file)] ?? "application/octet-stream",
      "Content-Length": statSync(file).size,
    });
    createReadStream(file).pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { origin: `http://127.0.0.1:${port}`, close: () => server.close() };
}

/** The packaged Chromium with WebGPU on. */
export async function openBrowser(): Promise<Browser> {
  const { executable, libraries } = unpackChromium()!;
  return chromium.launch({
    executablePath: executable,
    args: ["--enable-unsafe-webgpu"],
    env: { ...process.env, LD_LIBRARY_PATH: libraries } as Record<string, string>,
  });
}
