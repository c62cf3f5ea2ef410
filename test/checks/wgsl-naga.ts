/** The half of wgsl.ts that runs in Deno: one line of JSON before and after each variant. */
import { platform } from "#platform";
import { compileAll } from "./compile.ts";

const gpu = await platform.openGpu();
for await (const outcome of compileAll(gpu.device, (begun) => print({ begun }))) print(outcome);
gpu.dispose();

function print(value: object): void {
  console.log(JSON.stringify(value));
}
