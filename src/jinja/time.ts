/** `strftime_now` of chat templates: C's strftime with English names, in local time. */

// Read in UTC: they are given a time that says the local one there.
const name = (now: Date, options: Intl.DateTimeFormatOptions): string =>
  now.toLocaleString("en-US", { ...options, timeZone: "UTC" });
const two = (n: number): string => String(n).padStart(2, "0");
const hour12 = (now: Date): number => now.getUTCHours() % 12 || 12;

/** Day of the year, 1 to 366. */
function dayOfYear(now: Date): number {
  const start = Date.UTC(now.getUTCFullYear(), 0, 1);
  const day = Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate());
  return 1 + Math.round((day - start) / 86_400_000);
}

const FIELDS: ReadonlyMap<string, (now: Date) => string> = new Map<string, (now: Date) => string>([
  ["Y", (now) => String(now.getUTCFullYear())],
  ["y", (now) => two(now.getUTCFullYear() % 100)],
  ["m", (now) => two(now.getUTCMonth() + 1)],
  ["B", (now) => name(now, { month: "long" })],
  ["b", (now) => name(now, { month: "short" })],
  ["d", (now) => two(now.getUTCDate())],
  ["e", (now) => String(now.getUTCDate()).padStart(2)],
  ["j", (now) => String(dayOfYear(now)).padStart(3, "0")],
  ["A", (now) => name(now, { weekday: "long" })],
  ["a", (now) => name(now, { weekday: "short" })],
  ["H", (now) => two(now.getUTCHours())],
  ["I", (now) => two(hour12(now))],
  ["p", (now) => (now.getUTCHours() < 12 ? "AM" : "PM")],
  ["M", (now) => two(now.getUTCMinutes())],
  ["S", (now) => two(now.getUTCSeconds())],
  ["F", (now) => now.toISOString().slice(0, 10)],
  ["T", (now) => now.toISOString().slice(11, 19)],
  ["%", () => "%"],
]);

/** `now` in local time as `format` says; `%-d` and the like leave out padding, unknown fields stay. */
export function strftime(now: Date, format: string): string {
  const local = new Date(now.getTime() - now.getTimezoneOffset() * 60_000);
  return format.replace(/%(-?)([A-Za-z%])/g, (field, bare: string, letter: string) => {
    const write = FIELDS.get(letter);
    if (write === undefined) return field;
    return bare === "" ? write(local) : write(local).replace(/^[0 ]+(?=\d)/, "");
  });
}
