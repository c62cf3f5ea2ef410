/**
 * Rotation angles: the one place where llama.cpp's rope formulas stand, for the CPU and for the
 * GPU's tables.
 */
import type { RopeTable } from "./ops.ts";

/**
 * YaRN's border: the pair that makes `turns` full turns within the original context
 * (https://arxiv.org/abs/2309.00071, equation 17 solved for the dimension).
 */
function pairOfTurns(table: RopeTable, turns: number): number {
  const { rotated, originalContext, base } = table;
  return (rotated * Math.log(originalContext / (turns * 2 * Math.PI))) / (2 * Math.log(base));
}

/** Radians that each pair turns per position, [rotated / 2], in double precision. */
export function ropeFrequencies(table: RopeTable, factors?: ArrayLike<number>): Float64Array {
  const pairs = table.rotated / 2;
  const low = Math.max(0, Math.floor(pairOfTurns(table, table.betaFast)));
  const high = Math.min(table.rotated - 1, Math.ceil(pairOfTurns(table, table.betaSlow)));
  return Float64Array.from({ length: pairs }, (_, pair) => {
    const plain = table.base ** ((-2 * pair) / table.rotated) / (factors?.[pair] ?? 1);
    if (table.extFactor === 0) return plain * table.freqScale;
    // Fast pairs keep their angle (extrapolate), slow ones are interpolated, a ramp lies between.
    const ramp = Math.min(1, Math.max(0, (pair - low) / Math.max(0.001, high - low)));
    const mix = (1 - ramp) * table.extFactor;
    return plain * (table.freqScale * (1 - mix) + mix);
  });
}

/** What cos and sin are multiplied by. */
export function ropeMagnitude(table: RopeTable): number {
  if (table.extFactor === 0) return table.attnFactor;
  return table.attnFactor * (1 + 0.1 * Math.log(1 / table.freqScale));
}

/**
 * Cos and sin of positions `from` … `from + positions − 1`: [positions][rotated / 2][cos, sin],
 * computed in double precision and rounded once. `factors` are the numbers of `table.factors`.
 * With sections, look each pair up at its own component's position ({@link pairComponents}).
 */
export function ropeAngles(
  table: RopeTable,
  positions: number,
  factors?: ArrayLike<number>,
  from = 0,
): Float32Array {
  const frequencies = ropeFrequencies(table, factors);
  const magnitude = ropeMagnitude(table);
  const angles = new Float32Array(positions * table.rotated);
  let at = 0;
  for (let row = 0; row < positions; row++) {
    for (const frequency of frequencies) {
      const angle = (from + row) * frequency;
      angles[at++] = Math.cos(angle) * magnitude;
      angles[at++] = Math.sin(angle) * magnitude;
    }
  }
  return angles;
}

/**
 * Which position component (0 … 3) turns each pair. Sections are consecutive runs of pairs, or
 * interleaved: pair i belongs to component i mod 3 as long as that section is not used up, else to 3.
 */
export function pairComponents(table: RopeTable): Uint8Array {
  const components = new Uint8Array(table.rotated / 2);
  const sections = table.sections;
  if (!sections) return components;
  const total = sections.reduce((sum, length) => sum + length, 0);
  if (total === 0) return components;
  for (let pair = 0; pair < components.length; pair++) {
    const sector = pair % total;
    if (table.interleaved) {
      const component = sector % 3;
      components[pair] = sector < 3 * (sections[component] ?? 0) ? component : 3;
      continue;
    }
    let component = 0;
    for (let end = sections[0]; component < 3 && sector >= end; end += sections[component] ?? 0)
      component++;
    components[pair] = component;
  }
  return components;
}

/**
 * Position component of a plain token row: text moves time, height and width together; the fourth
 * stays 0.
 */
export function tokenPosition(position: number, component: number): number {
  return component === 3 ? 0 : position;
}

/**
 * {@link ropeAngles} from position 0 as token rows use them, each pair at the row's one position: those
 * of the fourth component, which token rows leave at 0, do not turn.
 */
export function tokenAngles(
  table: RopeTable,
  positions: number,
  factors?: ArrayLike<number>,
): Float32Array {
  const angles = ropeAngles(table, positions, factors);
  const components = pairComponents(table);
  components.forEach((component, pair) => {
    if (tokenPosition(1, component) !== 0) return;
    for (let at = 2 * pair; at < angles.length; at += table.rotated)
      angles.set(angles.subarray(2 * pair, 2 * pair + 2), at);
  });
  return angles;
}
