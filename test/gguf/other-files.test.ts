/** Files that are no GGUF files are named, as they lie on disks. */
import { describe, expect, it } from "vitest";
import { random } from "../fuzz/mutate.ts";
import { refusal } from "./raw.ts";

const utf8 = new TextEncoder();

/** A magic number of llama.cpp's earlier formats, as little-endian machines wrote it. */
const magicNumber = (letters: string): Uint8Array<ArrayBuffer> => {
  const bytes = new Uint8Array(64);
  const number = [...letters].reduce((sum, letter) => 256 * sum + letter.charCodeAt(0), 0);
  new DataView(bytes.buffer).setUint32(0, number, true);
  return bytes;
};

/** The header of a safetensors file. */
function safetensors(json: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(8 + json.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(utf8.encode(json), 8);
  return bytes;
}

describe("what stands there instead of a model", () => {
  it.each([
    ["ggml", magicNumber("ggml"), "format from before GGUF"],
    ["ggmf", magicNumber("ggmf"), "format from before GGUF"],
    ["ggjt", magicNumber("ggjt"), "format from before GGUF"],
    ["an adapter of those days", magicNumber("ggla"), "adapter in a format from before GGUF"],
    ["a session", magicNumber("ggsn"), "saved session"],
    ["a sequence", magicNumber("ggsq"), "saved session"],
    ["safetensors", safetensors('{"__metadata__":{}}'), "safetensors"],
    ["padded safetensors", safetensors('{"a":{}}'.padEnd(64)), "converter"],
    ["PyTorch's zip", Uint8Array.of(0x50, 0x4b, 3, 4, 0, 0), "PyTorch"],
    ["a pickle", Uint8Array.of(0x80, 2, 0x7d, 0x71), "PyTorch"],
    ["gzip", Uint8Array.of(0x1f, 0x8b, 8, 0), "unpack it"],
    ["zstd", Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd), "unpack it"],
    ["xz", Uint8Array.of(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0), "unpack it"],
    ["7z", Uint8Array.of(0x37, 0x7a, 0xbc, 0xaf), "unpack it"],
    ["bzip2", utf8.encode("BZh91AY"), "unpack it"],
    ["a Git LFS pointer", utf8.encode("version https://git-lfs.github.com/spec/v1\n"), "lfs pull"],
    ["a web page", utf8.encode("<!DOCTYPE html>"), "download address"],
    ["a bare web page", utf8.encode("\n\n <html lang=en>"), "download address"],
    ["a page with a mark", utf8.encode("\ufeff<!doctype html>"), "download address"],
    ["an answer of a store", utf8.encode('<?xml version="1.0"?><Error>'), "download address"],
    ["a missing page", utf8.encode("Entry not found"), "download address"],
    ["a download that broke off", new Uint8Array(4096), "fetch it again"],
  ])("is named: %s", async (_, bytes, hint) => {
    const error = await refusal(bytes as Uint8Array<ArrayBuffer>);
    expect(error).toMatchObject({ code: "gguf/malformed", offset: 0 });
    expect(error.message).toContain(hint);
  });

  it.each([
    ["GGUF of a version to come", utf8.encode("GGUF\u0009\0\0\0")],
    ["a number that is no magic", magicNumber("ggxx")],
    ["half a magic", utf8.encode("GG")],
    ["nothing", new Uint8Array(0)],
    ["a number before no JSON", Uint8Array.of(9, 0, 0, 0, 0, 0, 0, 0, 91, 34)],
  ])("is not guessed: %s", async (_, bytes) => {
    expect((await refusal(bytes as Uint8Array<ArrayBuffer>)).message).not.toContain("looks like");
  });

  it("is a typed error for any first bytes", async () => {
    const below = random(3);
    for (let i = 0; i < 2000; i++) {
      const error = await refusal(Uint8Array.from({ length: below(40) }, () => below(256)));
      expect(error.message).not.toMatch(/\p{Cc}/u);
    }
  });
});
