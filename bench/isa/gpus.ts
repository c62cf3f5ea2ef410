/** The GPUs whose drivers can be asked, and what is known of these cards. */
import type { Style } from "./listing.ts";

export interface IsaGpu {
  /** How the driver prints code; undefined: it is not read. */
  readonly style?: Style;
  readonly icd: string;
  readonly shim: string;
  readonly env: Readonly<Record<string, string>>;
  /** Units (CU, SM, core), each with a first-level cache, times GHz. */
  readonly clocks: number;
  /** 10¹² instructions of a thread a second. */
  readonly tera: number;
  /** 10⁹ bytes of memory a second. */
  readonly gbps: number;
  /** Threads or waves that a unit holds at the most, as `waves` of the table counts them. */
  readonly full: number;
  readonly what: string;
}

const amd = (id: string, units: number, ghz: number, gbps: number, card: string): IsaGpu => ({
  style: "amd",
  icd: "radeon",
  shim: "amdgpu",
  env: { AMDGPU_GPU_ID: id },
  clocks: units * ghz,
  tera: (units * 64 * ghz) / 1000,
  gbps,
  full: 16,
  what: `${card}: ${units} CU x 64 lanes x ${ghz} GHz`,
});
const nvidia = (id: string, units: number, ghz: number, gbps: number, card: string): IsaGpu => ({
  style: "nvidia",
  icd: "nouveau",
  shim: "nouveau",
  env: { NOUVEAU_CHIPSET: id, NVK_I_WANT_A_BROKEN_VULKAN_DRIVER: "1" },
  clocks: units * ghz,
  tera: (units * 128 * ghz) / 1000,
  gbps,
  full: 48,
  what: `${card}: ${units} SM x 128 x ${ghz} (Mesa's compiler, not NVIDIA's)`,
});

export const gpus: Readonly<Record<string, IsaGpu>> = {
  navi33: amd("navi33", 32, 2.6, 288, "RX 7600"),
  navi31: amd("navi31", 96, 2.5, 960, "RX 7900 XTX"),
  navi21: amd("navi21", 72, 2.25, 512, "RX 6800 XT"),
  navi10: amd("navi10", 40, 1.9, 448, "RX 5700 XT"),
  gfx1201: amd("gfx1201", 64, 2.9, 640, "RX 9070 XT"),
  phoenix: amd("phoenix", 12, 2.7, 90, "Radeon 780M"),
  vangogh: amd("vangogh", 8, 1.6, 88, "Steam Deck"),
  vega10: amd("vega10", 64, 1.5, 484, "Vega 64"),
  ampere: nvidia("176", 28, 1.78, 360, "RTX 3060"),
  turing: nvidia("166", 36, 1.62, 448, "RTX 2070"),
  m1: {
    style: "apple",
    icd: "asahi",
    shim: "asahi",
    env: { AGX_MESA_DEBUG: "shaders" },
    clocks: 8 * 1.28,
    tera: 1.31,
    gbps: 68,
    full: 1024,
    what: "M1: 8 cores x 128 x 1.28 (Mesa's compiler, not Apple's)",
  },
  adreno: {
    icd: "freedreno",
    shim: "freedreno",
    env: { FD_GPU_ID: "730" },
    clocks: 0,
    tera: 0.63,
    gbps: 51,
    full: 16,
    what: "Adreno 730",
  },
};
