import type { Mutant } from "./mutant.ts";

const settings = { file: "src/plan/settings.ts", tests: ["test/plan/settings"] } as const;

const linear = { file: "src/plan/fuse/linear.ts", tests: ["test/plan/fuse.test"] } as const;
const norm = { file: "src/plan/fuse/norm.ts", tests: ["test/plan/fuse.test"] } as const;

export const mutants: readonly Mutant[] = [
  {
    file: "src/plan/tuning.ts",
    tests: ["test/plan/tuning"],
    fault: "int8 is taken for faster without the instruction for it",
    from: "int8: packedDot && own?.int8 === true,",
    to: "int8: own?.int8 === true,",
  },
  {
    ...linear,
    fault: "fusion drops a value that another op reads",
    from: "if (uses.get(op.gate) !== 1 || uses.get(op.up) !== 1) return node;",
    to: "if (uses.get(op.gate) !== 1) return node;",
  },
  {
    ...linear,
    fault: "a scaled map is dropped although another op reads it",
    from: "source.parts[0].bias !== undefined || uses.get(op.x) !== 1) return node;",
    to: "source.parts[0].bias !== undefined) return node;",
  },
  {
    file: "src/plan/fuse/experts.ts",
    tests: ["test/plan/fuse.test"],
    fault: "experts that another op reads are dropped",
    from: "if (uses.get(op.gate) !== 1 || uses.get(op.up) !== 1) return node;",
    to: "if (uses.get(op.up) !== 1) return node;",
  },
  {
    ...norm,
    fault: "a norm that other ops read too is dropped",
    from: "if (mine.length === 0 || mine.length !== uses.get(ref)) continue;",
    to: "if (mine.length === 0) continue;",
  },
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
