/** Prints, in one line, the adapter that tests of this runtime use. */
import { platform } from "#platform";
import { WebggufError } from "../../src/base/errors.ts";

try {
  const gpu = await platform.openGpu();
  const { name, software, f16, subgroups, subgroupMinSize, subgroupMaxSize } = gpu.capabilities;
  const size =
    subgroupMinSize === subgroupMaxSize
      ? `${subgroupMinSize}`
      : `${subgroupMinSize} to ${subgroupMaxSize}`;
  console.log(
    [
      `${name}${software ? " (software)" : ""}`,
      f16 ? "f16" : "no f16",
      subgroups ? `subgroups of ${size}` : "no subgroups",
    ].join(", "),
  );
  gpu.dispose();
} catch (error) {
  if (!(error instanceof WebggufError)) throw error;
  console.log(`no adapter, GPU tests are skipped: ${error.message}`);
}
