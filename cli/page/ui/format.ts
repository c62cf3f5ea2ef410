/** Numbers in words of a reader. */

export function bytes(count: number): string {
  if (count < 1e6) return `${Math.ceil(count / 1e3)} KB`;
  if (count < 1e9) return `${(count / 1e6).toFixed(count < 1e7 ? 1 : 0)} MB`;
  return `${(count / 1e9).toFixed(count < 1e10 ? 2 : 1)} GB`;
}

export function seconds(count: number): string {
  if (count < 1) return "under a second";
  if (count < 90) return `${Math.round(count)} s`;
  if (count < 5400) return `${Math.round(count / 60)} min`;
  return `${(count / 3600).toFixed(1)} h`;
}

export const duration = (ms: number): string =>
  ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`;

export const thousands = (count: number): string => count.toLocaleString("en");

/** Tokens a second of all tokens but the first, which belongs to the prompt's time. */
export function speed(tokens: number, ms: number): string | undefined {
  if (tokens < 2 || ms <= 0) return undefined;
  const rate = ((tokens - 1) / ms) * 1000;
  return `${rate >= 100 ? Math.round(rate) : rate.toFixed(1)} tokens/s`;
}

const DAY = 86_400_000;

/** The heading under which a conversation stands. */
export function ageGroup(time: number, now: number): string {
  const today = new Date(now).setHours(0, 0, 0, 0);
  if (time >= today) return "Today";
  if (time >= today - DAY) return "Yesterday";
  if (time >= today - 7 * DAY) return "Last seven days";
  if (time >= today - 30 * DAY) return "Last thirty days";
  return "Older";
}
