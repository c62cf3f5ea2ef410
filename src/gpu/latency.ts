/** How long results take to come back, and how many steps must fly meanwhile. */
import { MOST_STEPS_IN_FLIGHT } from "../plan/settings.ts";
import { type Buffers, BufferUsage, MapMode } from "../platform/buffers.ts";
import { lostMeanwhile } from "./pipelines.ts";

/** Milliseconds from a finished piece of work to its bytes on the host: the best of three empty rounds. */
async function readbackLatency(
  device: GPUDevice,
  buffers: Buffers,
  signal: AbortSignal | undefined,
): Promise<number> {
  const { storage, copySource, copyTarget, mapRead } = BufferUsage;
  const source = buffers.allocate("latency", 4, storage | copySource);
  const staging = buffers.allocate("latency", 4, mapRead | copyTarget);
  let best = Number.POSITIVE_INFINITY;
  try {
    for (let round = 0; round < 3; round++) {
      const start = performance.now();
      const encoder = device.createCommandEncoder();
      encoder.copyBufferToBuffer(source, 0, staging, 0, 4);
      device.queue.submit([encoder.finish()]);
      await staging.mapAsync(MapMode.read).catch((cause) => {
        throw lostMeanwhile(cause);
      });
      // The buffers may be gone.
      signal?.throwIfAborted();
      staging.unmap();
      best = Math.min(best, performance.now() - start);
    }
  } finally {
    buffers.free(source);
    buffers.free(staging);
  }
  return best;
}

/**
 * Two where results come back at once (one computes while the other lands), up to eight where they
 * take as long as a few steps of a small model (Deno polls every 10 ms).
 */
export async function chooseStepsInFlight(
  device: GPUDevice,
  buffers: Buffers,
  signal?: AbortSignal,
): Promise<number> {
  const latency = await readbackLatency(device, buffers, signal);
  return Math.min(MOST_STEPS_IN_FLIGHT, 2 + Math.floor(latency / 1.5));
}
