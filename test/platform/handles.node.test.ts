/** Files that are opened are closed, also when they are refused. */
import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { platform } from "#platform";

const here = new URL(".", import.meta.url);
/** Open files of this process, by the system's own list. */
const openHandles = (): number => readdirSync("/proc/self/fd").length;

describe.skipIf(process.platform !== "linux")("no handle stays open", () => {
  it.each([
    ["a folder", here.pathname],
    ["a device", "/dev/null"],
  ])("of %s, which is refused", async (_, path) => {
    const before = openHandles();
    for (let i = 0; i < 20; i++)
      await expect(platform.openFile(path)).rejects.toMatchObject({
        code: "source/io",
        file: path,
      });
    expect(openHandles()).toBeLessThan(before + 10);
  });

  it("of a file that was closed", async () => {
    const path = decodeURIComponent(new URL(import.meta.url).pathname);
    const before = openHandles();
    for (let i = 0; i < 20; i++) {
      const source = await platform.openFile(path);
      await source.read(0, 1);
      await source.close();
    }
    expect(openHandles()).toBeLessThan(before + 10);
  });
});
