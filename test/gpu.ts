/** The GPU that tests share: one device for each process or page. */
import { platform } from "#platform";
import { WebggufError } from "../src/base/errors.ts";
import type { Gpu } from "../src/platform/types.ts";

let opened: Promise<Gpu> | undefined;

/** Opens the shared device, or a new one after it was lost or disposed of. */
export function openTestGpu(): Promise<Gpu> {
  opened ??= platform.openGpu().then((gpu) => {
    void gpu.lost.then(() => {
      opened = undefined;
    });
    return gpu;
  });
  return opened;
}

async function available(): Promise<boolean> {
  try {
    await openTestGpu();
    return true;
  } catch (error) {
    if (error instanceof WebggufError && error.code === "device/no-adapter") return false;
    throw error;
  }
}

/** Whether this machine has an adapter; for `it.skipIf(!gpuAvailable)`. */
export const gpuAvailable: boolean = await available();
