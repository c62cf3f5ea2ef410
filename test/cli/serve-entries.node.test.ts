/** Which models a server has, by the flags and by a file of presets. */
import { describe, expect, it } from "vitest";
import { serve } from "../../cli/commands/serve.ts";
import { parseFlags } from "../../cli/flags.ts";
import { entriesOf, nameOf, readPresets } from "../../cli/server/entries.ts";

const values = (...args: string[]) => parseFlags(args, serve.flags);

describe("the models of a server", () => {
  it("is one by -m, -hf or -mu, named by its file, its repository or the alias", async () => {
    const cases: [string[], string, string][] = [
      [["-m", "a/b.gguf"], "a/b.gguf", "b"],
      [["x-00001-of-00003.gguf"], "x-00001-of-00003.gguf", "x"],
      [["-hf", "user/repo:Q8_0"], "hf:user/repo:Q8_0", "user/repo:Q8_0"],
      [["-mu", "https://example.com/m.gguf?x=1"], "https://example.com/m.gguf?x=1", "m"],
      [["-m", "b.gguf", "--alias", "one,two"], "b.gguf", "one"],
    ];
    for (const [args, source, id] of cases)
      expect(await entriesOf(values(...args))).toMatchObject([{ source, id }]);
    expect((await entriesOf(values("-m", "b.gguf", "--alias", "one,two")))[0].aliases).toEqual([
      "two",
    ]);
    await expect(entriesOf(values("-m", "a", "--models-dir", "b"))).rejects.toThrow(/exclude/);
    expect(nameOf("hf:user/repo/file-Q4_0.gguf@main")).toBe("file-Q4_0");
  });

  it("are sections of a file, with what is for all before them", () => {
    const text =
      "; a comment\n[*]\nc = 128\n[small]\nmodel = s.gguf\nalias = fast\npin = true\n" +
      "[large]\nmodel = hf:user/repo\nparallel = 1\nctx-size = 64\n";
    expect(readPresets(text, "/p/list.ini", values("-np", "2"))).toMatchObject([
      {
        ...{ id: "small", source: "/p/s.gguf", aliases: ["fast"], pinned: true, parallel: 2 },
        options: { contextLength: 128 },
      },
      { id: "large", source: "hf:user/repo", parallel: 1, options: { contextLength: 64 } },
    ]);
    for (const wrong of ["x", "a = b", "[m]\nmodel", "[m]\nc = 1", "[m]\nmodel = a\nnope = 1"])
      expect(() => readPresets(wrong, "list.ini", values())).toThrow();
  });
});
