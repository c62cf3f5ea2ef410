import { describe, expect, it } from "vitest";
import { Pipelines } from "../../src/gpu/pipelines.ts";
import { ALL_ROWS, kernel, perRow, read, write } from "../../src/kernels/call.ts";
import { wgsl } from "../../wgsl/mod.ts";
import { gpuAvailable, openTestGpu } from "../gpu.ts";

const params = { width: 1, groups: 1, domain: ALL_ROWS, x_offset: 0, x_stride: 1 };
const rest = { x_run: 0, out_offset: 0, out_stride: 1, out_run: 0 };

describe.skipIf(!gpuAvailable)("a shader that does not compile", () => {
  it("is reported with the file and line that the compiler means", async () => {
    const { device } = await openTestGpu();
    // Without the constant SELECT, which copy.wgsl wants.
    const call = kernel("copy", "test", {
      params: { ...params, ...rest },
      bindings: [read("x"), write("out")],
      grid: perRow(1, 0),
    });
    const error = await Pipelines.of(device)
      .compile([call])
      .then(
        () => undefined,
        (refused: Error) => refused,
      );
    const line = Number(/wgsl\/copy\.wgsl:(\d+)/.exec(error?.message ?? "")?.[1]);
    expect(wgsl.copy.text.split("\n")[line - 1]).toContain("SELECT");
  });
});
