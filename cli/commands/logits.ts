/** `webgguf logits`: the raw logits of every position, for comparison with other engines. */
import { writeFile } from "node:fs/promises";
import type { Command } from "../command.ts";
import { usage } from "../flags.ts";
import { interruptible, withModel } from "../model.ts";
import { DEVICE_FLAGS } from "../model-flags.ts";
import { note } from "../terminal.ts";

export const logits: Command = {
  name: "logits",
  summary: "Write the logits of every position of some tokens",
  examples: ["webgguf logits -m model.gguf --tokens 1,2,3 -o out.f32 -ctk f32 -ctv f32"],
  flags: [
    { names: ["--tokens"], value: "1,2,3", help: "token ids" },
    { names: ["-o", "--output"], value: "FILE", help: "little-endian f32, [tokens][vocabulary]" },
    ...DEVICE_FLAGS,
  ],
  async run(values) {
    const out = values.required("output", "-o out.f32");
    const tokens = values
      .required("tokens", "--tokens 1,2,3")
      .split(/[\s,]+/)
      .filter(Boolean)
      .map((text) => {
        if (!/^\d+$/.test(text)) throw usage(`--tokens wants ids such as 1,2,3, not "${text}"`);
        return Number(text);
      });
    return withModel(values, {}, async (model) => {
      const rows = await interruptible((signal) => model.session().logits(tokens, { signal }));
      const bytes = new DataView(new ArrayBuffer(rows.length * 4));
      for (let i = 0; i < rows.length; i++) bytes.setFloat32(i * 4, rows[i], true);
      await writeFile(out, new Uint8Array(bytes.buffer));
      note(
        `${tokens.length} × ${rows.length / tokens.length} logits in ${out} (${model.device.name})`,
      );
      return 0;
    });
  },
};
