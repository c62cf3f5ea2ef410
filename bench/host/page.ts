/** The measurement of the host's part in a browser; bench/host.ts drives it. */
import { platform } from "#platform";
import { type HostReport, measureHost } from "./measure.ts";

declare global {
  /** `idle`: every dispatch asks for no workgroups, so that a software adapter leaves the processor and its caches alone. */
  var measureHostCost: (idle: boolean) => Promise<HostReport>;
}

globalThis.measureHostCost = async (idle) => {
  const gpu = await platform.openGpu();
  const { prototype } = GPUComputePassEncoder;
  const { dispatchWorkgroups } = prototype;
  if (idle)
    prototype.dispatchWorkgroups = function (this: GPUComputePassEncoder) {
      return dispatchWorkgroups.call(this, 0, 0, 0);
    };
  try {
    const report = await measureHost(gpu);
    return idle ? { ...report, adapter: `${report.adapter}, given no workgroups` } : report;
  } finally {
    prototype.dispatchWorkgroups = dispatchWorkgroups;
    gpu.dispose();
  }
};
