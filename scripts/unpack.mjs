/**
 * Unpacks the software Vulkan driver (SwiftShader) and the headless browser that the development
 * dependency @sparticuz/chromium carries, so that clones and tests need nothing but npm.
 * Each goes to its own folder below node_modules/.cache/webgguf-tools, once; several processes
 * may do so at the same time. Plain JavaScript, because it runs before anything that knows types.
 */
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import zlib from "node:zlib";

export const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const source = path.join(root, "node_modules/@sparticuz/chromium");

/** Entries of a tar archive that are plain files: base name and bytes. */
function* tarFiles(archive) {
  const text = (from, length) =>
    archive.toString("latin1", from, from + length).replace(/\0.*$/s, "");
  let at = 0;
  while (at + 512 <= archive.length && archive[at] !== 0) {
    const name = text(at, 100);
    const size = Number.parseInt(text(at + 124, 12), 8);
    const kind = String.fromCharCode(archive[at + 156]);
    at += 512;
    if (kind === "0" || kind === "\0") yield [path.basename(name), archive.subarray(at, at + size)];
    at += Math.ceil(size / 512) * 512;
  }
}

/** Makes `name` below the cache with `fill(folder)`, unless it is there already; returns its path. */
function once(name, announcement, fill) {
  const version = JSON.parse(fs.readFileSync(path.join(source, "package.json"), "utf8")).version;
  const parent = path.join(root, "node_modules/.cache/webgguf-tools", version);
  const target = path.join(parent, name);
  if (fs.existsSync(target)) return target;
  process.stderr.write(`${announcement}\n`);
  fs.mkdirSync(parent, { recursive: true });
  const draft = fs.mkdtempSync(path.join(parent, `.${name}-`));
  try {
    fill(draft);
    fs.chmodSync(draft, 0o755);
    fs.renameSync(draft, target);
  } catch (error) {
    fs.rmSync(draft, { recursive: true, force: true });
    // Somebody else was faster: theirs is as good as ours.
    if (!fs.existsSync(target)) throw error;
  }
  return target;
}

function expand(file) {
  return zlib.brotliDecompressSync(fs.readFileSync(path.join(source, "bin", file)));
}

function expandTar(file, folder) {
  for (const [name, bytes] of tarFiles(expand(file))) {
    fs.writeFileSync(path.join(folder, name), bytes, { mode: 0o755 });
  }
}

/** Whether the packages carry programs for this machine. */
export function toolsFit() {
  return process.platform === "linux" && process.arch === "x64" && fs.existsSync(source);
}

/**
 * The folder to put on LD_LIBRARY_PATH for software Vulkan: SwiftShader itself under the name of
 * the loader, which Dawn and wgpu open directly. Undefined where it cannot run.
 */
export function unpackVulkan() {
  if (!toolsFit()) return undefined;
  const folder = once("vulkan", "Unpacking a software Vulkan driver (once, 1 second) …", (to) => {
    expandTar("swiftshader.tar.br", to);
    fs.mkdirSync(path.join(to, "ss"));
    fs.symlinkSync("../libvk_swiftshader.so", path.join(to, "ss/libvulkan.so.1"));
  });
  return path.join(folder, "ss");
}

/**
 * The headless browser: `executable`, and the `libraries` folder to put on LD_LIBRARY_PATH.
 * Undefined where it cannot run.
 */
export function unpackChromium() {
  if (!toolsFit()) return undefined;
  const folder = once("chromium", "Unpacking a headless browser (once, 5 seconds) …", (to) => {
    expandTar("swiftshader.tar.br", to);
    expandTar("al2023.tar.br", to);
    fs.writeFileSync(path.join(to, "chromium"), expand("chromium.br"), { mode: 0o755 });
  });
  return { executable: path.join(folder, "chromium"), libraries: folder };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (toolsFit()) console.log(`${unpackVulkan()}\n${unpackChromium().executable}`);
  else console.log("Nothing to unpack: the packaged programs are for Linux on x86-64.");
}
