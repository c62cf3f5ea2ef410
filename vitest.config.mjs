/**
 * The same test files in Node and in headless Chromium; test/run/deno.mjs runs them in Deno.
 * `x.test.ts` runs everywhere, `x.node.test.ts`, `x.deno.test.ts` and `x.browser.test.ts` in one.
 */
import { playwright } from "@vitest/browser-playwright";
import { defineConfig } from "vitest/config";
import { unpackChromium } from "./scripts/unpack.mjs";
import { vulkanEnvironment } from "./scripts/vulkan.mjs";

// Test processes and the commands that they start inherit this environment; it cannot be changed once they run.
const polling = new URL("test/run/patient-polling.mjs", import.meta.url).href;
Object.assign(process.env, vulkanEnvironment(), {
  NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ""} --import ${polling}`,
});

const browser = process.argv.some((arg) => arg.includes("chromium")) ? unpackChromium() : undefined;

export default defineConfig({
  test: {
    testTimeout: 900_000,
    hookTimeout: 300_000,
    projects: [
      {
        extends: true,
        test: {
          name: "node",
          include: ["test/**/*.test.ts"],
          exclude: ["test/**/*.deno.test.ts", "test/**/*.browser.test.ts"],
          pool: "forks",
        },
      },
      {
        extends: true,
        test: {
          name: "chromium",
          include: ["test/**/*.test.ts"],
          // Slow sweeps run in Node and Deno: the compilers are the same as in the browser.
          exclude: ["test/**/*.node.test.ts", "test/**/*.deno.test.ts", "test/**/*.slow.test.ts"],
          // One page for all files: its modules, device and pipelines are loaded once.
          isolate: false,
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            instances: [{ browser: "chromium" }],
            provider: playwright({
              launchOptions: {
                ...(browser && { executablePath: browser.executable }),
                args: ["--enable-unsafe-webgpu"],
                env: {
                  ...process.env,
                  ...(browser && { LD_LIBRARY_PATH: browser.libraries }),
                },
              },
            }),
          },
        },
      },
    ],
  },
});
