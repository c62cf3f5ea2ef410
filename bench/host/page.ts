/** The measurement of the host's part in a browser; bench/host.ts drives it. */
import { platform } from "#platform";
import { type HostReport, measureHost } from "./measure.ts";

declare global {
  var measureHostCost: () => Promise<HostReport>;
}

globalThis.measureHostCost = async () => measureHost(await platform.openGpu());
