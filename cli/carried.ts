/**
 * Flags that scripts for llama.cpp carry along and that have nothing to set here: memory
 * mapping, several GPUs, logs. They are taken, and named in one notice.
 */

/** How many words a flag takes after it: none, one, or one of a few if it stands there. */
type Takes = "nothing" | "value" | "choice";

const list = (takes: Takes, names: string): [string, Takes][] =>
  names.split(" ").map((name) => [name, takes]);

const CARRIED: ReadonlyMap<string, Takes> = new Map([
  ...list("value", "-tb --threads-batch -C --cpu-mask -Cr --cpu-range --cpu-strict"),
  ...list("value", "--prio --poll -Cb --cpu-mask-batch -Crb --cpu-range-batch --cpu-strict-batch"),
  ...list("value", "--prio-batch --poll-batch -td --threads-draft -tbd --threads-batch-draft"),
  ...list("value", "-sm --split-mode -ts --tensor-split -mg --main-gpu --numa -np --parallel"),
  ...list("value", "-ot --override-tensor -ncmoe --n-cpu-moe -ngld --gpu-layers-draft --keep"),
  ...list("value", "-cram --cache-ram --ctx-checkpoints --swa-checkpoints -lv --verbosity"),
  ...list("value", "--log-verbosity --log-file -fitt --fit-target -fitc --fit-ctx"),
  ...list("choice", "-fa --flash-attn -co --color --log-colors -fit --fit"),
  ...list("nothing", "--mlock --mmap --no-mmap -dio --direct-io -ndio --no-direct-io --warmup"),
  ...list(
    "nothing",
    "--no-warmup -kvo --kv-offload -nkvo --no-kv-offload --repack -nr --no-repack",
  ),
  ...list("nothing", "--no-host -cb --cont-batching -nocb --no-cont-batching --perf --log-disable"),
  ...list("nothing", "--log-prefix --log-timestamps --swa-full -kvu --kv-unified -no-kvu"),
  ...list("nothing", "--no-kv-unified --op-offload --no-op-offload --check-tensors"),
  ...list("nothing", "-cmoe --cpu-moe --verbose-prompt -i --interactive -if --interactive-first"),
]);

const CHOICES = /^(on|off|auto|true|false|enabled|disabled|0|1)$/;

/** How many words of `args` the flag at the front takes up; undefined if it is none of these. */
export function carriedLength(
  [spelling, next]: readonly string[],
  hasValue: boolean,
): number | undefined {
  const takes = CARRIED.get(spelling) ?? CARRIED.get(spelling.replaceAll("_", "-"));
  if (takes === undefined) return undefined;
  if (hasValue || takes === "nothing") return 1;
  return takes === "value" || CHOICES.test(next ?? "") ? 2 : 1;
}
