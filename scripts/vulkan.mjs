/**
 * The environment in which programs of a clone find a GPU. A driver that works is always preferred;
 * where there is none, SwiftShader from the npm packages answers as the Vulkan loader.
 * LD_LIBRARY_PATH is read when a process starts, so this must be decided before the child does.
 */
import { spawnSync } from "node:child_process";
import { root, unpackVulkan } from "./unpack.mjs";

/** Marks an environment that was decided already, so that children do not ask again. */
const decided = "WEBGGUF_VULKAN";

const probe = `
  const { create } = await import("webgpu");
  const gpu = create([]);
  process.exit((await gpu.requestAdapter()) ? 0 : 1);
`;

/** Whether Dawn finds an adapter in this environment: a driver file alone says little. */
function adapterFound() {
  const options = { cwd: root, stdio: "ignore", timeout: 60_000 };
  return spawnSync(process.execPath, ["--input-type=module", "-e", probe], options).status === 0;
}

/** A copy of the environment, with software Vulkan where no other driver works. */
export function vulkanEnvironment() {
  const env = { ...process.env };
  if (process.platform !== "linux" || env[decided]) return env;
  env[decided] = "system";
  if (adapterFound()) return env;
  const folder = unpackVulkan();
  if (folder === undefined) return env;
  env[decided] = "software";
  env.LD_LIBRARY_PATH = env.LD_LIBRARY_PATH ? `${folder}:${env.LD_LIBRARY_PATH}` : folder;
  return env;
}
