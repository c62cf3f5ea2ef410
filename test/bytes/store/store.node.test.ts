/** The store over a hub on this machine: where files come to stand, that they are fetched once, and whole or not at all. */
import {
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { readdir, readFile, readlink } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Store } from "../../../src/bytes/store/store.ts";
import type { StoreOptions } from "../../../src/bytes/store/types.ts";
import { disk } from "../../../src/platform/disk.ts";
import type { Files } from "../../../src/platform/types.ts";
import { COMMIT, type FakeHub, fakeFile, fakeHub, repoOf } from "../../downloads/fake-hub.ts";
import { filesIn, KIB, noise, SMALL, storeOn, temporaryFolder } from "../../downloads/kit.ts";
import { random } from "../../fuzz/mutate.ts";

const OTHER = "f".repeat(40);
const content = noise(700 * KIB + 13);
const parts = [noise(90 * KIB, 2), noise(70 * KIB, 3), noise(5, 4)];
const small = { "README.md": fakeFile(noise(10)), "mmproj-F16.gguf": fakeFile(noise(11)) };
const partName = (i: number): string => `Q8_0/big-Q8_0-0000${i + 1}-of-00003.gguf`;

let hub: FakeHub;
beforeAll(async () => {
  hub = await fakeHub({
    "user/tale-GGUF": repoOf({
      ...small,
      "tale-Q4_K_M.gguf": fakeFile(content),
      "tale-Q8_0.gguf": fakeFile(noise(200 * KIB, 9)),
    }),
    "user/big": {
      branches: { main: COMMIT, dev: OTHER },
      tags: { "v1.0": OTHER },
      commits: {
        [COMMIT]: Object.fromEntries(parts.map((part, i) => [partName(i), fakeFile(part)])),
        [OTHER]: { "old-F16.gguf": fakeFile(noise(1000, 7)) },
      },
    },
    "user/torn": repoOf({ "x-00001-of-00002.gguf": fakeFile(noise(5)) }),
    "user/words": repoOf({ "README.md": fakeFile(noise(10)) }),
  });
});
afterAll(() => hub.close());

let folder: string;
let files: Files;
let store: Store;
let options: StoreOptions;
let notices: string[];
beforeEach(() => {
  folder = temporaryFolder();
  files = filesIn(folder);
  store = storeOn(files);
  notices = [];
  options = { endpoint: hub.endpoint, onNotice: (text) => void notices.push(text) };
  hub.requests.length = 0;
  hub.sent = 0;
  hub.faults = {};
});

/** All files below the folder, links with where they lead. */
async function tree(below = folder): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await readdir(below, { withFileTypes: true })) {
    const name = path.join(below, entry.name);
    if (entry.isDirectory()) found.push(...(await tree(name)));
    else if (entry.isSymbolicLink())
      found.push(`${path.relative(folder, name)} -> ${await readlink(name)}`);
    else found.push(path.relative(folder, name));
  }
  return found.sort();
}

const { sha256 } = fakeFile(content);
const repo = "hub/models--user--tale-GGUF";

async function bytesOf(reference: string, more: StoreOptions = {}): Promise<Uint8Array> {
  const source = await store.open(reference, { ...options, ...more });
  try {
    const bytes = await source.read(0, source.size);
    await source.whole();
    return bytes;
  } finally {
    await source.close();
  }
}

describe("a model from a hub", () => {
  it("comes to stand by the hub's rules, and is found there without a request", async () => {
    expect(Buffer.compare(await bytesOf("hf:user/tale-GGUF"), content)).toBe(0);
    expect(await tree()).toEqual([
      `${repo}/blobs/${sha256}`,
      `${repo}/refs/main`,
      `${repo}/snapshots/${COMMIT}/tale-Q4_K_M.gguf -> ../../blobs/${sha256}`,
      `own/listings/${COMMIT}.json`,
    ]);
    expect(await readFile(`${folder}/${repo}/refs/main`, "utf8")).toBe(COMMIT);
    hub.requests.length = 0;
    store = storeOn(files);
    for (const reference of [
      "hf:user/tale-GGUF",
      "hf:user/tale-GGUF:q4_k_m",
      "hf:user/tale-GGUF/TALE-q4_K_M.gguf",
      `hf:user/tale-GGUF@${COMMIT}`,
      `hf:user/tale-GGUF@main&sha256=${sha256}`,
    ])
      expect(Buffer.compare(await bytesOf(reference), content)).toBe(0);
    await bytesOf("hf:user/tale-GGUF", { offline: true });
    expect(hub.requests).toEqual([]);
  });

  it("is the file itself where there are no links", async () => {
    files = filesIn(folder, { link: async () => false });
    store = storeOn(files);
    await bytesOf("hf:user/tale-GGUF");
    expect(await tree()).toEqual([
      `${repo}/refs/main`,
      `${repo}/snapshots/${COMMIT}/tale-Q4_K_M.gguf`,
      `own/listings/${COMMIT}.json`,
    ]);
    hub.requests.length = 0;
    store = storeOn(files);
    await bytesOf("hf:user/tale-GGUF", { offline: true });
    expect(await store.verify("hf:user/tale-GGUF", options)).toMatchObject([{ ok: true, sha256 }]);
    expect(hub.requests).toEqual([]);
  });

  it.each([
    // What Python and llama.cpp leave: refs, links or copies; a nested file; another branch.
    ["hf:a/b", "main", "x-Q4_K_M.gguf", true],
    ["hf:a/b:Q8_0", "main", "x.Q8_0.gguf", false],
    ["hf:a/b", "main", "anything.gguf", false],
    ["hf:a/b:UD-Q2", "main", "UD-Q2/x-UD-Q2-0.gguf", true],
    ["hf:a/b/deep/er/x.gguf", "main", "deep/er/x.gguf", true],
    ["hf:a/b:Q8_0@dev", "dev", "x-Q8_0.gguf", true],
    ["hf:a/b@refs/pr/3", "refs/pr/3", "x.gguf", true],
    [`hf:a/b@${COMMIT}`, undefined, "x.gguf", true],
    // llama.cpp takes any branch where there is no main.
    ["hf:a/b", "trunk", "x.gguf", true],
  ])("that others laid out is found: %s at %s as %s", async (reference, ref, name, link) => {
    const at = `${folder}/hub/models--a--b`;
    const file = `${at}/snapshots/${COMMIT}/${name}`;
    mkdirSync(path.dirname(file), { recursive: true });
    mkdirSync(`${at}/blobs`);
    if (ref) {
      mkdirSync(path.dirname(`${at}/refs/${ref}`), { recursive: true });
      writeFileSync(`${at}/refs/${ref}`, `${COMMIT}${link ? "" : "\n"}`);
    }
    if (link) {
      writeFileSync(`${at}/blobs/${sha256}`, content);
      symlinkSync(path.relative(path.dirname(file), `${at}/blobs/${sha256}`), file);
    } else writeFileSync(file, content);
    expect(Buffer.compare(await bytesOf(reference), content)).toBe(0);
    expect(hub.requests).toEqual([]);
    expect(await store.list()).toMatchObject([{ bytes: content.length, commit: COMMIT }]);
  });

  it("in parts comes whole, each part of the same commit", async () => {
    const first = await store.open("hf:user/big", options);
    const others = await Promise.all([1, 2].map((i) => first.beside(`hf:user/big/${partName(i)}`)));
    for (const [i, source] of [first, ...others].entries()) {
      expect(Buffer.compare(await source.read(0, source.size), parts[i])).toBe(0);
      expect(await source.whole()).toBe(true);
      await source.close();
    }
    const bytes = parts.reduce((sum, { length }) => sum + length, 0);
    const kept = { reference: `hf:user/big/${partName(0)}`, bytes, loaded: bytes };
    expect(await store.list()).toMatchObject([kept]);
    expect(await store.pull("hf:user/big:Q8_0", options)).toMatchObject(kept);
    expect(await store.verify("hf:user/big", options)).toMatchObject(
      parts.map(() => ({ ok: true })),
    );
    expect(await store.remove("hf:user/big:Q8_0")).toBe(bytes);
    expect(await store.list()).toEqual([]);
  });

  it("is of the revision that is asked for", async () => {
    for (const revision of ["dev", "v1.0", OTHER])
      expect((await bytesOf(`hf:user/big@${revision}`)).length).toBe(1000);
    expect((await tree()).filter((name) => name.includes("/refs/"))).toEqual([
      "hub/models--user--big/refs/dev",
      "hub/models--user--big/refs/v1.0",
    ]);
  });

  it("is chosen from the hub's listing, not from what happens to be there", async () => {
    await bytesOf("hf:user/tale-GGUF:Q8_0");
    expect((await bytesOf("hf:user/tale-GGUF")).length).toBe(content.length);
  });

  it("is fetched anew by pull when its branch has moved, and used as it is by others", async () => {
    await store.pull("hf:user/tale-GGUF", options);
    const repo = hub.repos["user/tale-GGUF"];
    const newer = noise(50 * KIB, 21);
    hub.repos["user/tale-GGUF"] = repoOf({ "tale-Q4_K_M.gguf": fakeFile(newer) }, OTHER);
    try {
      expect((await bytesOf("hf:user/tale-GGUF")).length).toBe(content.length);
      const pulled = await store.pull("hf:user/tale-GGUF", options);
      expect(pulled).toMatchObject({ commit: OTHER, bytes: newer.length });
      expect(Buffer.compare(readFileSync(pulled.path), newer)).toBe(0);
    } finally {
      hub.repos["user/tale-GGUF"] = repo;
    }
  });

  it("goes nowhere with a token but to the hub", async () => {
    hub.faults = { token: "hf_secret" };
    const gated = store.open("hf:user/tale-GGUF", options);
    await expect(gated).rejects.toMatchObject({ code: "source/network", actual: 401 });
    await expect(gated).rejects.toThrow(/gated.*HF_TOKEN/);
    const bytes = await bytesOf("hf:user/tale-GGUF", { token: "hf_secret" });
    expect(bytes.length).toBe(content.length);
    const asked: string[] = [];
    const spied = storeOn(
      filesIn(temporaryFolder(), { env: (n) => (n === "HF_TOKEN" ? "hf_secret" : undefined) }),
      SMALL,
      (url, headers) => {
        if (headers.has("authorization")) asked.push(new URL(url).origin);
      },
    );
    await (await spied.open("hf:user/tale-GGUF", options)).whole();
    expect([...new Set(asked)]).toEqual([hub.endpoint]);
  });
});

describe("a model from a URL", () => {
  const url = (): string => `${hub.cdn}/user/tale-GGUF/${COMMIT}/tale-Q4_K_M.gguf?token=hush`;

  it("is fetched once, and its version asked for after that", async () => {
    expect(Buffer.compare(await bytesOf(url()), content)).toBe(0);
    expect((await tree()).join()).toMatch(
      /^own\/models\/[0-9a-f]{32}\/model\.gguf,own\/models\/[0-9a-f]{32}\/source\.json$/,
    );
    const sent = hub.sent;
    expect((await bytesOf(url())).length).toBe(content.length);
    expect(hub.sent).toBeLessThan(sent + 10);
    hub.requests.length = 0;
    await bytesOf(url(), { offline: true });
    await bytesOf(`${url()}&sha256=${sha256}`);
    expect(hub.requests).toEqual([]);
    const [kept] = await store.list();
    expect(kept.reference).not.toContain("hush");
    expect(await store.verify(url(), options)).toMatchObject([{ ok: true, sha256 }]);
    expect(await store.remove(kept.reference)).toBe(content.length);
    expect(await store.list()).toEqual([]);
  });

  it("is fetched anew when it has changed, and used when nobody answers", async () => {
    await bytesOf(url());
    hub.faults = { etag: '"another"' };
    const sent = hub.sent;
    await bytesOf(url());
    expect(hub.sent - sent).toBeGreaterThan(content.length);
    hub.faults = { answers: [{ path: /./, status: 503 }] };
    await bytesOf(url());
    expect(notices.some((text) => text.startsWith("Using what was kept of"))).toBe(true);
    expect(notices.join()).not.toContain("hush");
  });

  it("is refused, and nothing kept, where its digest is another than the pinned one", async () => {
    const source = await store.open(`${url()}&sha256=${"0".repeat(64)}`, options);
    await expect(source.whole()).rejects.toMatchObject({
      code: "source/corrupt",
      expected: "0".repeat(64),
      actual: sha256,
    });
    await expect(source.read(0, 5)).rejects.toMatchObject({ code: "source/corrupt" });
    await source.close();
    expect(await tree()).toEqual([]);
  });
});

describe("a download", () => {
  it("goes on after 50 random breaks, fetches at most one window again, and is bit-exact", async () => {
    const below = random(5);
    const window = SMALL.connections * SMALL.most;
    for (let round = 0; round < 50; round++) {
      files = filesIn(temporaryFolder());
      hub.sent = 0;
      hub.faults = {};
      const [stops, cuts] = [below(3), 1 + below(2)];
      hub.faults.cuts = Array.from({ length: cuts }, () => below(64 * KIB));
      for (let i = 0; i < stops; i++) {
        // As a process that ends in the middle: what it had written is there, and no more.
        const stop = new AbortController();
        const most = below(content.length);
        const onProgress = ({ loaded }: { loaded: number }): void => {
          if (loaded >= most) stop.abort("enough");
        };
        store = storeOn(files);
        const source = await store
          .open("hf:user/tale-GGUF", { ...options, onProgress, signal: stop.signal })
          .catch((error) => expect(error).toBe("enough"));
        if (!source) continue;
        await source.whole().catch((error) => expect(error).toBe("enough"));
        await source.close();
      }
      store = storeOn(files);
      expect(Buffer.compare(await bytesOf("hf:user/tale-GGUF"), content)).toBe(0);
      expect(hub.sent - content.length).toBeLessThanOrEqual(
        // And a byte each time, to ask for the version.
        (stops + cuts) * window + 2 * (stops + 1),
      );
      expect((await store.verify("hf:user/tale-GGUF", options))[0].ok).toBe(true);
    }
  });

  it("reads bytes before all of them are there, in any order", async () => {
    hub.faults = { rate: 1_000_000 };
    const source = await store.open("hf:user/tale-GGUF", options);
    let ended = false;
    source.whole().then(() => (ended = true));
    const below = random(3);
    for (let i = 0; i < 8; i++) {
      const at = i === 0 ? 0 : below(content.length - 100);
      expect(Buffer.compare(await source.read(at, 100), content.subarray(at, at + 100))).toBe(0);
      if (i < 2) expect(ended).toBe(false);
    }
    await source.whole();
    expect(hub.sent).toBeLessThan(1.02 * content.length);
    let at = 0;
    for await (const piece of source.stream(0, source.size)) {
      expect(Buffer.compare(piece, content.subarray(at, at + piece.length))).toBe(0);
      at += piece.length;
    }
    expect(at).toBe(content.length);
    await source.close();
  });

  it("is one for two that want the same, and both have it", async () => {
    hub.faults = { rate: 2_000_000 };
    const all = await Promise.all(
      [storeOn(files), storeOn(files)].map(async (one) => {
        const source = await one.open("hf:user/tale-GGUF", options);
        const bytes = await source.read(0, source.size);
        expect(await source.whole()).toBe(true);
        await source.close();
        return bytes;
      }),
    );
    for (const bytes of all) expect(Buffer.compare(bytes, content)).toBe(0);
    expect(hub.sent).toBeLessThan(content.length + 10);
    expect(notices).toEqual(["Waiting for another download of hf:user/tale-GGUF/tale-Q4_K_M.gguf"]);
  });

  it("leaves nothing where the digest is wrong, and says so to every reader", async () => {
    const real = hub.repos["user/tale-GGUF"];
    const wrong = { ...fakeFile(content), sha256: "1".repeat(64) };
    hub.repos["user/tale-GGUF"] = repoOf({ "tale-Q4_K_M.gguf": wrong });
    try {
      const source = await store.open("hf:user/tale-GGUF", options);
      await expect(source.whole()).rejects.toMatchObject({ code: "source/corrupt" });
      await source.close();
      expect(
        (await tree()).filter((name) => name.includes("blobs") || name.includes("snap")),
      ).toEqual([]);
      // Once more by itself, and no more than that.
      hub.sent = 0;
      await expect(store.pull("hf:user/tale-GGUF", options)).rejects.toMatchObject({
        code: "source/corrupt",
      });
      expect(hub.sent).toBeLessThan(2.1 * content.length);
    } finally {
      hub.repos["user/tale-GGUF"] = real;
    }
  });

  it.each(["ENOSPC", "EDQUOT"])(
    "goes on without the store when the disk is full: %s",
    async (code) => {
      files = filesIn(folder, {
        async open(name) {
          const file = await disk.open(name);
          return {
            ...file,
            async write(bytes, offset) {
              if (offset > 300 * KIB) throw Object.assign(new Error("full"), { code });
              return file.write(bytes, offset);
            },
          };
        },
      });
      store = storeOn(files);
      const source = await store.open("hf:user/tale-GGUF", options);
      expect(Buffer.compare(await source.read(0, source.size), content)).toBe(0);
      expect(await source.whole()).toBe(false);
      await source.close();
      expect(notices).toEqual(["Not keeping hf:user/tale-GGUF/tale-Q4_K_M.gguf: the disk is full"]);
      expect((await tree()).filter((name) => !/refs|listings/.test(name))).toEqual([]);
      await expect(store.pull("hf:user/tale-GGUF", options)).rejects.toMatchObject({
        code: "source/io",
      });
    },
  );

  it("does not begin where there is no room for it", async () => {
    store = storeOn(filesIn(folder, { space: async () => ({ free: 100 * KIB }) }));
    expect(Buffer.compare(await bytesOf("hf:user/tale-GGUF"), content)).toBe(0);
    expect(notices.join()).toMatch(/^Not keeping .*: it needs 1 MiB, and 1 MiB are free$/);
    expect((await tree()).filter((name) => !/refs|listings/.test(name))).toEqual([]);
  });

  it("is taken over from a process that died, and not from one that lives", async () => {
    const lock = `${folder}/${repo}/blobs/${sha256}.webgguf.lock`;
    mkdirSync(path.dirname(lock), { recursive: true });
    const { hostname } = await import("node:os");
    writeFileSync(lock, `${hostname()} 4194303 x`);
    await bytesOf("hf:user/tale-GGUF");
    expect(existsSync(lock)).toBe(false);
    await store.remove("hf:user/tale-GGUF");
    mkdirSync(path.dirname(lock), { recursive: true });
    writeFileSync(lock, `${hostname()} ${process.pid} x`);
    await expect(
      store.open("hf:user/tale-GGUF", { ...options, signal: AbortSignal.timeout(600) }),
    ).rejects.toMatchObject({ name: "TimeoutError" });
    // Without a sign of life for long, whoever it was.
    const { utimesSync } = await import("node:fs");
    utimesSync(lock, 1, 1);
    await bytesOf("hf:user/tale-GGUF");
    expect(statSync(`${folder}/${repo}/blobs/${sha256}`).size).toBe(content.length);
  });

  it("leaves nothing beside it, wherever the process that brought it died", async () => {
    const { hostname } = await import("node:os");
    const blob = `${folder}/${repo}/blobs/${sha256}`;
    await bytesOf("hf:user/tale-GGUF");
    for (const linked of [true, false]) {
      if (!linked) rmSync(`${folder}/${repo}/snapshots/${COMMIT}/tale-Q4_K_M.gguf`);
      writeFileSync(`${blob}.webgguf.lock`, `${hostname()} 4194303 x`);
      writeFileSync(`${blob}.webgguf.json`, "{}");
      writeFileSync(`${blob}.webgguf.json.0.tmp`, "{");
      hub.sent = 0;
      await store.pull("hf:user/tale-GGUF", options);
      expect(hub.sent).toBe(0);
      expect((await tree()).filter((name) => name.includes(".webgguf"))).toEqual([]);
    }
  });
});

describe("what goes wrong", () => {
  const answer = (path: RegExp, status: number, headers = {}, body = "no"): void => {
    hub.faults = { answers: Array.from({ length: 9 }, () => ({ path, status, headers, body })) };
  };
  const html = { "content-type": "text/html" };

  it.each([
    ["hf:user/tale-GUFF", "source/not-found", /no such repository; did you mean user\/tale-GGUF\?/],
    ["hf:user/tale-GGUF@mian", "source/not-found", /revision "mian".*did you mean main\?/],
    ["hf:user/tale-GGUF:Q5_K_M", "source/not-found", /no file of "Q5_K_M"; there is Q4_K_M, Q8_0/],
    ["hf:user/tale-GGUF/tale-Q4_K_N.gguf", "source/not-found", /there is tale-Q4_K_M\.gguf/],
    ["hf:user/words", "source/not-found", /no GGUF file/],
    ["hf:user/torn", "source/not-found", /has 2 parts, and the repository 1/],
    [`hf:user/tale-GGUF&sha256=${"0".repeat(64)}`, "source/corrupt", /pins 000/],
    ["hf:user", "input/invalid", /USER\/REPO/],
  ])("%s is %s", async (reference, code, message) => {
    const opening = store.open(reference, options);
    await expect(opening).rejects.toMatchObject({ code });
    await expect(opening).rejects.toThrow(message);
    expect(hub.sent).toBe(0);
  });

  it.each([
    ["gated", /refs/, 401, { "x-error-code": "GatedRepo" }, "", /gated.*HF_TOKEN/],
    [
      "private or none",
      /refs/,
      401,
      { "x-error-code": "RepoNotFound" },
      "",
      /no such repository, or it is private/,
    ],
    ["without access", /refs/, 403, {}, "", /no access.*HF_TOKEN/],
    ["gated at the file", /resolve/, 403, {}, "", /gated.*HF_TOKEN/],
    ["too many requests", /tree/, 429, { "retry-after": "3600" }, "", /3600 seconds \(HTTP 429\)/],
    [
      "too many at the file",
      /resolve/,
      429,
      { "retry-after": "77" },
      "",
      /77 seconds \(HTTP 429\)/,
    ],
    ["a web page", /refs/, 200, html, "<html>log in", /web page/],
    ["a page for a file", /resolve/, 200, html, "<html>log in", /web page/],
    ["no JSON", /tree/, 200, {}, "what?", /no JSON/],
    ["an odd status", /tree/, 418, {}, "", /HTTP 418/],
  ])("%s says what to do", async (_, path, status, headers, body, message) => {
    answer(path, status, headers, body);
    const opening = store.open("hf:user/tale-GGUF", options);
    await expect(opening).rejects.toMatchObject({ code: "source/network" });
    await expect(opening).rejects.toThrow(message);
    expect((await tree()).filter((name) => name.includes("lock"))).toEqual([]);
  });

  it("redirects in a circle end after few requests", async () => {
    hub.faults = { loop: true };
    await expect(store.open("hf:user/tale-GGUF", options)).rejects.toThrow(
      /redirects lead nowhere/,
    );
    expect(hub.requests.length).toBeLessThan(15);
  });

  it("nobody listening is said at once, and what is there is used", async () => {
    const nobody = { ...options, endpoint: "http://127.0.0.1:9" };
    const since = performance.now();
    let first = Number.POSITIVE_INFINITY;
    const onNotice = (): void => {
      first = Math.min(first, performance.now() - since);
    };
    const opening = store.open("hf:user/tale-GGUF", { ...nobody, onNotice });
    await expect(opening).rejects.toMatchObject({ code: "source/network" });
    onNotice();
    expect(first).toBeLessThan(2000);
    await bytesOf("hf:user/tale-GGUF");
    await bytesOf("hf:user/tale-GGUF", nobody);
  });

  it("offline, what is not there is an error without a request", async () => {
    for (const reference of ["hf:user/tale-GGUF", `${hub.cdn}/x.gguf`])
      await expect(store.open(reference, { ...options, offline: true })).rejects.toThrow(/offline/);
    expect(hub.requests).toEqual([]);
  });

  it.each([
    ["a wrong length", { wrongLength: 5 }, /source\/(changed|network)/],
    ["ranges ignored", { noRanges: true }, undefined],
    ["ranges ignored and a cut", { noRanges: true, cuts: [300 * KIB] }, undefined],
    ["compression", { gzip: true, noRanges: true }, undefined],
    ["compressed ranges", { gzip: true }, /source\/network/],
    ["a body without end", { endless: true, noRanges: true }, /source\/(changed|network)/],
    ["ranges without end", { endless: true }, undefined],
    ["another ETag each time", { etag: () => `"${Math.random()}"` }, /source\/changed/],
  ])("%s gives a typed error or the right bytes", async (_, faults, code) => {
    hub.faults = faults;
    for (const reference of [
      "hf:user/tale-GGUF",
      `${hub.cdn}/user/tale-GGUF/${COMMIT}/tale-Q4_K_M.gguf`,
    ]) {
      const got = await bytesOf(reference).then(
        (bytes) => Buffer.compare(bytes, content),
        (error) => error,
      );
      if (got !== 0) expect(got.code).toMatch(code ?? /source\/network/);
      // Where the size is known from the hub, what can be read is.
      if (code === undefined && reference.startsWith("hf:")) expect(got).toBe(0);
    }
    // What broke off for want of bytes goes on the next time.
    if ("wrongLength" in faults) return;
    expect(
      (await tree()).filter(
        (name) => /webgguf$|json$|lock$/.test(name) && !/listings|source/.test(name),
      ),
    ).toEqual([]);
  });
});

describe("the hub's cache", () => {
  it.each([
    [{ LLAMA_CACHE: "/a", HF_HUB_CACHE: "/b", HF_HOME: "/c" }, "/a"],
    [{ HF_HUB_CACHE: "/b", HUGGINGFACE_HUB_CACHE: "/c", HF_HOME: "/d" }, "/b"],
    [{ HUGGINGFACE_HUB_CACHE: "/c", HF_HOME: "/d" }, "/c"],
    [{ HF_HOME: "/d", XDG_CACHE_HOME: "/e" }, "/d/hub"],
    [{ XDG_CACHE_HOME: "/e", HOME: "/f" }, "/e/huggingface/hub"],
    [{ LLAMA_CACHE: "", HOME: "/f" }, "/f/.cache/huggingface/hub"],
  ])("of %j is %s", (set, expected) => {
    const names = [
      "LLAMA_CACHE",
      "HF_HUB_CACHE",
      "HUGGINGFACE_HUB_CACHE",
      "HF_HOME",
      "XDG_CACHE_HOME",
      "HOME",
    ];
    const before = names.map((name) => [name, process.env[name]] as const);
    try {
      for (const name of names) delete process.env[name];
      Object.assign(process.env, set);
      expect(disk.folders().hub).toBe(expected);
    } finally {
      for (const [name, value] of before)
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
    }
  });
});
