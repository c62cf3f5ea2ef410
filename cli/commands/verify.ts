/** `webgguf verify`: whether a file is what its digest says. */
import { models } from "../../mod.ts";
import type { Command } from "../command.ts";
import { usage } from "../flags.ts";
import { interruptible } from "../model.ts";
import { MODEL_FLAGS } from "../model-flags.ts";
import { loadReporting, note, print } from "../terminal.ts";

export const verify: Command = {
  name: "verify",
  summary: "Compute a model's SHA-256 and compare it with the one that it should have",
  examples: [
    "webgguf verify hf:USER/REPO:Q4_K_M",
    "webgguf verify model.gguf",
    "webgguf verify model.gguf --sha256 HEX",
  ],
  flags: [
    ...MODEL_FLAGS,
    { names: ["--sha256"], value: "HEX", help: "the digest that it should have" },
    { names: ["--json"], help: "one JSON object a file" },
  ],
  async run(values) {
    const reference = values.model();
    const wanted = values.text("sha256")?.toLowerCase();
    if (wanted !== undefined && !/^[0-9a-f]{64}$/.test(wanted))
      throw usage("--sha256 wants 64 hexadecimal digits");
    const all = await interruptible((signal) =>
      models.verify(reference, { ...loadReporting(), signal }),
    );
    if (wanted !== undefined && all.length > 1)
      throw usage(`--sha256 is of one file, and ${reference} has ${all.length}`);
    let good = true;
    for (const one of all) {
      const expected = wanted ?? one.expected;
      const ok = expected === undefined || expected === one.sha256;
      good &&= ok;
      if (values.switch("json")) await print(`${JSON.stringify({ ...one, expected, ok })}\n`);
      else await print(`${one.sha256}  ${one.file}\n`);
      if (!ok) note(`${one.file}: wrong, its SHA-256 should be ${expected}`);
      else if (expected === undefined) note(`${one.file}: nobody has said what it should be`);
      else note(`${one.file}: right`);
    }
    return good ? 0 : 1;
  },
};
