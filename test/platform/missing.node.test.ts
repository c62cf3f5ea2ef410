import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { root } from "../checks/sources.ts";

/** What a program that opens a GPU says in this environment. */
function adapterLine(
  env: Record<string, string | undefined>,
  ...flags: string[]
): { stdout: string; stderr: string } {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [...flags, "--import", "tsx", "test/run/adapter.ts"],
    { cwd: root, encoding: "utf8", env: { ...process.env, ...env } as NodeJS.ProcessEnv },
  );
  expect(status).toBe(0);
  return { stdout, stderr };
}

const noVulkan = { LD_LIBRARY_PATH: "", VK_ICD_FILENAMES: undefined, VK_DRIVER_FILES: undefined };
/** Set where scripts/vulkan.mjs found no driver of the machine's own. */
const onlySoftware = process.env["WEBGGUF_VULKAN"] === "software";

describe("a machine", () => {
  it.skipIf(!onlySoftware)("without Vulkan is told what to install, with no other noise", () => {
    const { stdout, stderr } = adapterLine(noVulkan);
    expect(stdout).toContain(
      "Cannot use a GPU: there is no Vulkan loader (libvulkan.so.1); install",
    );
    expect(stdout.trim().split("\n")).toHaveLength(1);
    expect(stderr).toBe("");
  });

  it.skipIf(!onlySoftware)("with a loader and no driver is told so, with no other noise", () => {
    const loader = process.env["LD_LIBRARY_PATH"]!.split(":")[0]!.replace(/\/ss$/, "");
    const { stdout, stderr } = adapterLine({ ...noVulkan, LD_LIBRARY_PATH: loader });
    expect(stdout).toContain("Cannot use a GPU: there is no Vulkan driver; install");
    expect(stderr).toBe("");
  });

  it.skipIf(!onlySoftware)("with a driver hears nothing from it", () => {
    expect(adapterLine({}).stderr).toBe("");
  });

  it.skipIf(!onlySoftware).each([
    ["not installed", "the optional package webgpu is not installed; run npm install webgpu@0.6.2"],
    ["no build", `the package webgpu has no build for ${process.platform}-${process.arch}`],
    ["old C library", "the package webgpu needs a newer C library (GLIBC 2.34)"],
    ["something else", "(/x/dawn.node: invalid ELF header)"],
  ])("on which webgpu is %s is told so", (way, words) => {
    const hook = "./test/platform/without-webgpu.mjs";
    const { stdout, stderr } = adapterLine({ WITHOUT_WEBGPU: way }, "--import", hook);
    expect(stdout).toContain(words);
    expect(stdout.trim().split("\n")).toHaveLength(1);
    expect(stderr).toBe("");
  });
});
