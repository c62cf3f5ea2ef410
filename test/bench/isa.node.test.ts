/** What bench:isa makes of drivers' listings and of kernels' loads; the drivers themselves are not needed. */
import { describe, expect, it } from "vitest";
import { type Load, linesFor, linesOf } from "../../bench/isa/lines.ts";
import { readListing } from "../../bench/isa/listing.ts";
import { quantByName } from "../../src/file/quants.ts";
import { ALL_ROWS, type Place, read } from "../../src/kernels/call.ts";
import { linear } from "../../src/kernels/linear.ts";
import { gpuAvailable, openTestGpu } from "../gpu.ts";

describe("listings", () => {
  it("AMD's: a loop in a loop, kinds and widths", () => {
    const { all, loops } = readListing(
      "amd",
      `BB0:
	s_load_b64 s[0:1], s[2:3], 0x0        ; f4040000
	v_mov_b32_e32 v0, 0
BB1:
	buffer_load_b128 v[0:3], v4, s[0:3], 0 offen
BB2:
	global_load_b32 v1, v2, s[0:1]
	s_waitcnt vmcnt(0)
	v_fma_f32 v0, v1, v1, v0
	s_cbranch_scc1 BB2
	ds_load_2addr_b32 v[0:1], v2
	s_cbranch_scc0 BB1
	global_store_b32 v0, v1, s[0:1]
	s_endpgm
`,
    );
    expect(all).toMatchObject({ instructions: 11, smem: 1, vmem: 2, store: 1, lds: 1, branch: 2 });
    expect(all.ldsWidths).toEqual({ 64: 1 });
    expect(loops).toMatchObject([
      { depth: 0, instructions: 7, widths: { 32: 1, 128: 1 } },
      { depth: 1, instructions: 4, valu: 1, wait: 1, parents: [loops[0].id] },
    ]);
  });
  it("NVIDIA's: the blocks before each block", () => {
    const { loops } = readListing(
      "nvidia",
      `block_seq 0 L0 [] {
  r0 = mov 0 // delay=1
}
block 1 L1 [0, 1] {
  r1 = ld.global.a64.b128 [r2] // delay=2 wr:0
  r0 = ffma r1 r1 r0 // delay=4
  st.local.b32 [0x4] r0 // delay=1
  @!p0 bra L1 // delay=5
}
block 2 L2 [1] {
  exit // delay=1
}`,
    );
    expect(loops).toMatchObject([
      { instructions: 4, vmem: 1, valu: 1, scratch: 1, branch: 1, widths: { 128: 1 } },
    ]);
  });
  it("Apple's: jumps by address and by distance", () => {
    for (const jump of ["jmp_exec_any 0x2", "jmp_exec_any -8"]) {
      const { loops } = readListing(
        "apple",
        `   0: 6200            mov_imm r0, 0x0
   2: 0511            device_load 0, i32, xyzw, r0_r1_r2_r3
   6: 9a85            ffma32 r0, r0, r0, r0
   a: 20c0            ${jump}
   c: 8800            stop`,
      );
      expect(loops).toMatchObject([{ instructions: 3, vmem: 1, valu: 1, widths: { 128: 1 } }]);
    }
  });
});

describe("cache lines", () => {
  /** One load of 32 threads, `step` bytes apart. */
  const loads = (step: number, bytes: number, site = 0): Load[][] =>
    Array.from({ length: 32 }, (_, thread) => [{ site, at: thread * step, bytes }]);
  it("are counted once for 32 neighbours, and for each that is far away", () => {
    expect(linesOf(loads(4, 4))).toBe(1);
    expect(linesOf(loads(16, 16))).toBe(4);
    expect(linesOf(loads(128, 16))).toBe(32);
    expect(linesOf(loads(0, 4))).toBe(1);
    // A load that crosses a border.
    expect(linesOf([[{ site: 0, at: 120, bytes: 16 }]])).toBe(2);
  });
  it("are not looked up again for what all threads have loaded, or by other threads' turn", () => {
    const [once, again] = [loads(128, 16), loads(128, 16, 1)];
    expect(linesOf(once.map((one, i) => [...one, ...again[i]]))).toBe(32);
    expect(linesOf([...once, ...once])).toBe(64);
    const other = loads(128, 16, 1 << 16);
    expect(linesOf(once.map((one, i) => [...one, ...other[i]]))).toBe(64);
  });

  const place = (width: number): Place => {
    return { buffer: "arena:0", offset: 0, stride: width, width, domain: ALL_ROWS };
  };
  /** Of a mat-vec as a plan makes it, for 4,096 weights. */
  async function lines(type: string, rows: number, lanes: number, norm: boolean): Promise<number> {
    const call = linear(
      {
        type: quantByName(type)!,
        weights: read("weights"),
        segments: [{ base: 0, start: 0, end: 64, bias: 0xffffffff }],
        k: 4096,
        first: 0,
        count: 64,
        x: place(4096),
        out: place(64),
        ...(norm && { norm: { weight: 0, eps: 0 } }),
        scale: 1,
        label: "test",
        layer: 0,
      },
      rows,
      {
        threads: 64,
        lanes,
        weightRows: 4,
        batchWeightRows: 4,
        unroll: false,
        subgroup: 0,
        tile: 64,
      },
    );
    return (await linesFor(await openTestGpu(), call, rows, 4096))!;
  }
  it.skipIf(!gpuAvailable)("of a kernel are those of its layout", async () => {
    // 16 columns a lane: two neighbours share a line of F32 weights, as they do of x.
    expect(await lines("F32", 1, 32, false)).toBe(4 * 32 * 16 + 128);
    expect(await lines("Q4_K", 1, 32, true)).toBe((await lines("Q4_K", 1, 32, false)) + 128);
    // Eight rows of x cost eight times the look-ups; fewer lanes share what they read of it.
    const one = await lines("Q4_K", 1, 32, false);
    expect(await lines("Q4_K", 8, 32, false)).toBe(one + 7 * 128);
    // What real GPUs' plans have.
    expect(await lines("Q4_K", 1, 8, false)).toBeLessThanOrEqual(100);
    expect(await lines("Q4_K", 1, 8, true)).toBeLessThanOrEqual(150);
    expect(await lines("Q4_K", 8, 8, false)).toBeLessThanOrEqual(400);
  });
});
