import type { Mutant } from "./mutant.ts";

const open = { file: "src/session/open.ts", tests: ["test/session/open"] } as const;

export const mutants: readonly Mutant[] = [
  {
    ...open,
    fault: "devices stay open when the measurement fails",
    from: "if (device !== chosen) device.dispose();",
    to: "if (chosen && device !== chosen) device.dispose();",
  },
  {
    ...open,
    fault: "the device that was not taken stays open",
    from: "for (const device of devices) if (device !== chosen) device.dispose();",
    to: "if (!chosen) for (const device of devices) device.dispose();",
  },
  {
    ...open,
    fault: "the device stays open when loading fails",
    from: "} catch (error) {\n    device.dispose();",
    to: "} catch (error) {",
  },
  {
    ...open,
    fault: "after a loss another adapter than the named one is opened",
    from: 'chosen: wanted === "auto" ? kind : wanted,',
    to: "chosen: kind,",
  },
  {
    ...open,
    fault: "a real GPU is measured too",
    from: "if (device.software && ",
    to: "if (",
  },
  {
    ...open,
    fault: "the measurement decides nothing",
    from: "devices[seconds.indexOf(least)]",
    to: "devices[0]",
  },
  {
    file: "src/session/backends.ts",
    tests: ["test/session/open"],
    fault: '"gpu" is taken for an adapter\'s name',
    from: '["auto", "gpu", "cpu"].includes(device)',
    to: '["auto", "cpu"].includes(device)',
  },
];
