/** `webgguf devices`: what this machine and runtime offer, and what the engine will use. */
import { devices as look } from "../../mod.ts";
import type { Command } from "../command.ts";
import { print } from "../terminal.ts";

export const devices: Command = {
  name: "devices",
  summary: "Show the GPU adapter, its features and limits, and what will be used",
  examples: ["webgguf devices", "webgguf devices --json"],
  flags: [
    { names: ["-dev", "--device"], value: "NAME", help: "part of an adapter's name" },
    { names: ["--json"], help: "one JSON object" },
  ],
  async run(values) {
    const report = await look(values.text("device"));
    if (values.switch("json")) {
      await print(`${JSON.stringify(report)}\n`);
      return 0;
    }
    const lines: string[] = [];
    for (const [name, value] of Object.entries(report.facts)) lines.push(`${name}: ${value}`);
    lines.push("", `cpu: ${report.cpu}`, `adapters: ${report.adapters.join("; ") || "none"}`);
    const { gpu } = report;
    if (gpu) {
      const yes = (on: boolean, what: string, otherwise: string): string =>
        on ? `yes: ${what}` : `no: ${otherwise}`;
      lines.push(
        `adapter: ${gpu.name}${gpu.software ? " (software emulation)" : ""}`,
        `f16: ${yes(gpu.f16, "kernels may compute with 16-bit floats", "f16 data is unpacked to f32")}`,
        `subgroups: ${yes(
          gpu.subgroups,
          `reductions by subgroups of ${gpu.subgroupMinSize} to ${gpu.subgroupMaxSize}`,
          "reductions through workgroup memory",
        )}`,
        `packed int8 dot product: ${yes(gpu.packedDot, "in the language", "not in the language")}`,
        `timestamps: ${yes(gpu.timestamps, "kernels can be timed", "kernels cannot be timed")}`,
        `features: ${gpu.features.join(", ")}`,
        "limits:",
        ...Object.entries(gpu.limits).map(([name, value]) => `  ${name}: ${value}`),
      );
    }
    lines.push("", report.verdict);
    await print(`${lines.join("\n")}\n`);
    return 0;
  },
};
