import type { Mutant } from "./mutant.ts";

const settings = { file: "src/plan/settings.ts", tests: ["test/plan/settings"] } as const;

export const mutants: readonly Mutant[] = [
  {
    ...settings,
    fault: "tuning of another adapter",
    from: "options.tuning?.find(({ adapter }) => adapter === name)",
    to: "options.tuning?.at(0)",
  },
  {
    ...settings,
    fault: "signed bytes without packed products",
    from: "const int8 = wanted && packedDot;",
    to: "const int8 = wanted;",
  },
  {
    ...settings,
    fault: "a norm of its own beside signed bytes",
    from: "tuning.fuseNorm || int8 ?",
    to: "tuning.fuseNorm ?",
  },
  {
    ...settings,
    fault: "fusions that the device is slower with replace those switched off",
    from: "noFuse: [...(options.noFuse ?? []), ...apart]",
    to: "noFuse: apart",
  },
];
