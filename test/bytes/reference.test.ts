/** References: every form is read, and nothing else passes as one. */
import { describe, expect, it } from "vitest";
import { parseReference, referenceText } from "../../src/bytes/reference.ts";

const digest = "0123456789abcdef".repeat(4);

describe("references", () => {
  it.each([
    ["model.gguf", { kind: "path", path: "model.gguf" }],
    ["C:\\models\\a.gguf", { kind: "path", path: "C:\\models\\a.gguf" }],
    ["./hf:x", { kind: "path", path: "./hf:x" }],
    ["a/b&sha256=1.gguf", { kind: "path", path: "a/b&sha256=1.gguf" }],
    ["https://x.example/m.gguf?a=b", { kind: "url", url: "https://x.example/m.gguf?a=b" }],
    [
      `https://x.example/m.gguf?a=b&sha256=${digest}`,
      { kind: "url", url: "https://x.example/m.gguf?a=b", sha256: digest },
    ],
    [
      `HTTP://x.example/m.gguf#sha256=${digest.toUpperCase()}`,
      { kind: "url", url: "HTTP://x.example/m.gguf", sha256: digest },
    ],
    ["hf:user/repo", { kind: "hub", repo: "user/repo" }],
    ["hf:user/repo:Q4_K_M", { kind: "hub", repo: "user/repo", quant: "Q4_K_M" }],
    ["hf:user/repo@v1.0", { kind: "hub", repo: "user/repo", revision: "v1.0" }],
    [
      "hf:user/repo:iq2_xxs@refs/pr/3",
      { kind: "hub", repo: "user/repo", quant: "iq2_xxs", revision: "refs/pr/3" },
    ],
    ["hf:user/re.po-GGUF/m.gguf", { kind: "hub", repo: "user/re.po-GGUF", file: "m.gguf" }],
    [
      `hf:user/repo/Q8/m-00001-of-00002.GGUF@${"a".repeat(40)}&sha256=${digest}`,
      {
        kind: "hub",
        repo: "user/repo",
        file: "Q8/m-00001-of-00002.GGUF",
        revision: "a".repeat(40),
        sha256: digest,
      },
    ],
  ])("%s is read", (text, expected) => {
    const reference = parseReference(text);
    expect(reference).toEqual(expected);
    if (reference.kind === "hub" && reference.sha256 === undefined)
      expect(referenceText(reference)).toBe(text);
  });

  it.each([
    "hf:",
    "hf:repo",
    "hf:user/",
    "hf:user/repo/",
    "hf:user/repo/notes.txt",
    "hf:user/repo/../x.gguf",
    "hf:user/repo//x.gguf",
    "hf:user/repo/a\\b.gguf",
    "hf:user/repo/C:/x.gguf",
    "hf:../repo",
    "hf:user/re po",
    "hf:-user/repo",
    "hf:user/repo-",
    "hf:us..er/repo",
    "hf:user/repo:",
    "hf:user/repo:Q4:Q8",
    "hf:user/repo/x.gguf:Q4",
    "hf:user/repo@",
    "hf:user/repo@../../x",
    "hf:user/repo@/etc/passwd",
    "hf:user/repo&sha256=12",
    "https://x.example/m.gguf&sha256=xyz",
  ])("%s is refused with what one looks like", (text) => {
    expect(() => parseReference(text)).toThrow(/Cannot read the reference .*hf:USER\/REPO/);
  });
});
