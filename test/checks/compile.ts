/** Compiles every kernel variant on one device and tells what the compiler said. */
import { allVariants, type Variant } from "./variants.ts";

/** WGSL extensions by the feature that a device must have for them. */
const features: Readonly<Record<string, GPUFeatureName>> = {
  f16: "shader-f16",
  subgroups: "subgroups",
};

export interface Outcome {
  readonly name: string;
  /** What the device lacks for this variant, or the compiler's complaint; neither when it is fine. */
  readonly lacks?: string;
  readonly error?: string;
}

function missing(code: string, device: GPUDevice): string | undefined {
  for (const [, extension] of code.matchAll(/^enable (\w+);/gm)) {
    const feature = features[extension!];
    if (feature === undefined || !device.features.has(feature)) return extension;
  }
  return undefined;
}

async function complaint(
  device: GPUDevice,
  { code, source }: Variant,
): Promise<string | undefined> {
  device.pushErrorScope("validation");
  const module = device.createShaderModule({ code });
  const { messages } = await module.getCompilationInfo();
  const errors = messages.filter((message) => message.type === "error");
  let failed: unknown;
  if (errors.length === 0) {
    await device
      .createComputePipelineAsync({ layout: "auto", compute: { module } })
      .catch((error: unknown) => {
        failed = error;
      });
  }
  const scope = await device.popErrorScope();
  if (errors.length > 0)
    return errors.map((one) => `${source(one.lineNum)}: ${one.message}`).join("; ");
  return (failed as Error | undefined)?.message ?? scope?.message;
}

/**
 * Compiles variants in turn, module and pipeline: those whose number leaves `part` when it is divided by `parts`.
 * `begin` hears each name before it starts.
 */
export async function* compileAll(
  device: GPUDevice,
  begin: (name: string) => void,
  part = 0,
  parts = 1,
): AsyncGenerator<Outcome> {
  let number = 0;
  for (const variant of allVariants()) {
    if (number++ % parts !== part) continue;
    const { name, code } = variant;
    const lacks = missing(code, device);
    if (lacks !== undefined) {
      yield { name, lacks };
      continue;
    }
    begin(name);
    const error = await complaint(device, variant);
    yield error === undefined ? { name } : { name, error };
  }
}
