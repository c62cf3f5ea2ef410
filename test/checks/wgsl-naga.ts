/** The half of wgsl.ts that runs in Deno, PART of PARTS: one line of JSON before and after each variant. */
import { platform } from "#platform";
import { compileAll } from "./compile.ts";

const gpu = await platform.openGpu();
const [part, parts] = process.argv.slice(2).map(Number);
const begin = (begun: string): void => print({ begun });
for await (const outcome of compileAll(gpu.device, begin, part, parts)) print(outcome);
gpu.dispose();

function print(value: object): void {
  console.log(JSON.stringify(value));
}
