/**
 * Whether this Linux machine has Vulkan at all. Dawn prints a warning of its own to stderr when
 * it has not; so we look before we ask. Node only.
 */
import { existsSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import os from "node:os";
import path from "node:path";

const loader = "libvulkan.so.1";

const systemFolders = [
  "/lib",
  "/lib64",
  "/usr/lib",
  "/usr/lib64",
  "/usr/local/lib",
  `/usr/lib/${os.machine()}-linux-gnu`,
  `/lib/${os.machine()}-linux-gnu`,
  "/run/opengl-driver/lib",
];

function list(value: string | undefined): string[] {
  return (value ?? "").split(":").filter((part) => part !== "");
}

/** Whether the dynamic linker would find the loader by its cache; the cache holds plain names. */
function inLinkerCache(): boolean {
  try {
    return readFileSync("/etc/ld.so.cache").includes(`${loader}\0`);
  } catch {
    return false;
  }
}

/** Where the Vulkan loader looks for drivers: folders that hold a `vulkan/icd.d`. */
function driverFolders(): string[] {
  const { env } = process;
  const home = os.homedir();
  return [
    env["XDG_CONFIG_HOME"] ?? path.join(home, ".config"),
    ...list(env["XDG_CONFIG_DIRS"] ?? "/etc/xdg"),
    "/etc",
    "/usr/local/etc",
    env["XDG_DATA_HOME"] ?? path.join(home, ".local/share"),
    ...list(env["XDG_DATA_DIRS"]),
    "/usr/local/share",
    "/usr/share",
    "/run/opengl-driver/share",
  ].map((folder) => path.join(folder, "vulkan/icd.d"));
}

function holdsManifest(folder: string): boolean {
  try {
    return readdirSync(folder).some((name) => name.endsWith(".json"));
  } catch {
    return false;
  }
}

/** What is missing and what to install, as a sentence's end; undefined when Vulkan may work. */
export function missingVulkan(): string | undefined {
  if (process.platform !== "linux") return undefined;
  const { env } = process;
  const file = [...list(env["LD_LIBRARY_PATH"]), ...systemFolders]
    .map((folder) => path.join(folder, loader))
    .find((candidate) => existsSync(candidate));
  if (file === undefined && !inLinkerCache()) {
    return "there is no Vulkan loader (libvulkan.so.1); install it and your graphics card's driver (Debian, Ubuntu: apt install libvulkan1 mesa-vulkan-drivers), or in a clone start the program with node scripts/run.mjs";
  }
  // A driver may stand in for the loader under the loader's name; it needs no manifest.
  const standsIn = file !== undefined && !path.basename(realpathSync(file)).startsWith("libvulkan");
  const named = env["VK_DRIVER_FILES"] ?? env["VK_ICD_FILENAMES"] ?? env["VK_ADD_DRIVER_FILES"];
  if (standsIn || named !== undefined || driverFolders().some(holdsManifest)) return undefined;
  return "there is no Vulkan driver; install your graphics card's (Debian, Ubuntu: apt install mesa-vulkan-drivers)";
}
