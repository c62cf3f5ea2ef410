/**
 * `format`: what it says is enforced. Sources: RFC 3339 (dates, times, durations), RFC 5321 and 6531
 * (mail), RFC 1123 (host names), RFC 3986, 3987 and 6570 (URIs, IRIs, templates), RFC 4291 (IPv6),
 * RFC 6901 (JSON pointers), RFC 9562 (UUIDs).
 */
import type { Regex } from "../regex/regex.ts";
import type { Expressions } from "./expressions.ts";
import { compilePattern } from "./pattern.ts";
import { malformed, refuse } from "./refuse.ts";

const any = (...parts: readonly string[]): string => `(?:${parts.join("|")})`;

const MONTH_DAY = any(
  "(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])",
  "(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)",
  "02-(?:0[1-9]|1\\d|2[0-8])",
);
const LEAP_YEAR = any("\\d\\d(?:0[48]|[2468][048]|[13579][26])", "(?:[02468][048]|[13579][26])00");
const DATE = any(`\\d{4}-${MONTH_DAY}`, `${LEAP_YEAR}-02-29`);
const HOUR = "(?:[01]\\d|2[0-3])";
const FRACTION = "(?:\\.\\d+)?";
const TIME = any(
  `${HOUR}:[0-5]\\d:[0-5]\\d${FRACTION}(?:[Zz]|[+-]${HOUR}:[0-5]\\d)`,
  // A leap second, which comes before midnight of UTC, at offsets of whole and half hours.
  `23:59:60${FRACTION}[Zz]`,
  ...Array.from({ length: 24 }, (_, hour) => {
    const two = (value: number): string => String(value % 24).padStart(2, "0");
    return [
      `${two(23 + hour)}:59:60${FRACTION}\\+${two(hour)}:00`,
      `${two(24 + hour)}:29:60${FRACTION}\\+${two(hour)}:30`,
      `${two(47 - hour)}:59:60${FRACTION}-${two(hour)}:00`,
      `${two(47 - hour)}:29:60${FRACTION}-${two(hour)}:30`,
    ].join("|");
  }),
);
const DAYS = "\\d+D";
const CLOCK = any("\\d+H(?:\\d+M(?:\\d+S)?)?", "\\d+M(?:\\d+S)?", "\\d+S");
const DURATION = `P${any(
  "\\d+W",
  `${any(`\\d+Y(?:\\d+M(?:${DAYS})?)?`, `\\d+M(?:${DAYS})?`, DAYS)}(?:T${CLOCK})?`,
  `T${CLOCK}`,
)}`;

const OCTET = "(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
const IPV4 = `${OCTET}(?:\\.${OCTET}){3}`;
const H16 = "[0-9A-Fa-f]{1,4}";
const LS32 = any(`${H16}:${H16}`, IPV4);
const IPV6 = any(
  `(?:${H16}:){6}${LS32}`,
  `::(?:${H16}:){5}${LS32}`,
  ...[4, 3, 2, 1, 0].map(
    (after) => `(?:(?:${H16}:){0,${4 - after}}${H16})?::(?:${H16}:){${after}}${LS32}`,
  ),
  `(?:(?:${H16}:){0,5}${H16})?::${H16}`,
  `(?:(?:${H16}:){0,6}${H16})?::`,
);

const LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?";
// Two hyphens in the third place mark names in Punycode, whose soundness no expression can tell.
const HOST = `(?=.{1,253}$)(?!(?:.*\\.)?[^.]{2}--)${LABEL}(?:\\.${LABEL})*`;
const ATOM = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+";
const mail = (atom: string, label: string, more: string): string =>
  `${any(`${atom}(?:\\.${atom})*`, `"(?:[ !#-[\\]-~${more}]|\\\\[ -~])*"`)}@${any(
    `${label}(?:\\.${label})*`,
    `\\[(?:${IPV4}|IPv6:${IPV6})\\]`,
  )}`;
const NOT_ASCII = "\u{80}-\u{10FFFF}";
/** What RFC 3987 adds: in every plane all but what is private or no character. */
const OTHER = [
  "\u{A0}-\u{D7FF}\u{F900}-\u{FDCF}\u{FDF0}-\u{FFEF}",
  ...Array.from({ length: 14 }, (_, plane) => {
    const at = (rest: string): string => `\\u{${(plane + 1).toString(16)}${rest}}`;
    return `${at(plane === 13 ? "1000" : "0000")}-${at("FFFD")}`;
  }),
].join("");
const PRIVATE = "\u{E000}-\u{F8FF}\u{F0000}-\u{FFFFD}\u{100000}-\u{10FFFD}";

/** A URI, or with more characters an IRI. */
function uri(more: string, inQuery: string, reference: boolean): string {
  const coded = "%[0-9A-Fa-f]{2}";
  const plain = `A-Za-z0-9._~!$&'()*+,;=${more}-`;
  const pchar = any(`[:@${plain}]`, coded);
  const host = any(`\\[(?:${IPV6}|[vV][0-9A-Fa-f]+\\.[:${plain}]+)\\]`, `(?:[${plain}]|${coded})*`);
  const authority = `(?:(?:[:${plain}]|${coded})*@)?${host}(?::\\d*)?`;
  const path = `(?:/${pchar}*)*`;
  const rootless = `${pchar}+${path}`;
  const absolute = `/(?:${pchar}+${path})?`;
  const tail = `(?:\\?(?:${pchar}|[/?${inQuery}])*)?(?:#(?:${pchar}|[/?])*)?`;
  const full = `[A-Za-z][A-Za-z0-9+.-]*:${any(`//${authority}${path}`, absolute, rootless, "")}${tail}`;
  if (!reference) return full;
  const first = any(`[@${plain}]`, coded);
  return any(full, `${any(`//${authority}${path}`, absolute, `${first}+${path}`, "")}${tail}`);
}

const NAME = "(?:[A-Za-z0-9_]|%[0-9A-Fa-f]{2})+(?:\\.(?:[A-Za-z0-9_]|%[0-9A-Fa-f]{2})+)*";
const VARIABLE = `${NAME}(?::[1-9]\\d{0,3}|\\*)?`;
const TEMPLATE = `(?:[^\\x00-\\x20"%<>\\\\^\`{|}\\x7f]|%[0-9A-Fa-f]{2}|\\{[+#./;?&]?${VARIABLE}(?:,${VARIABLE})*\\})*`;
const POINTER = "(?:/(?:[^~/]|~[01])*)*";

const FORMATS: Readonly<Record<string, () => string>> = {
  date: () => DATE,
  time: () => TIME,
  "date-time": () => `${DATE}[Tt]${TIME}`,
  duration: () => DURATION,
  email: () => mail(ATOM, LABEL, ""),
  "idn-email": () => {
    const letter = `A-Za-z0-9${NOT_ASCII}`;
    const label = `[${letter}](?:[${letter}-]{0,61}[${letter}])?`;
    return mail(ATOM.replace("[", `[${NOT_ASCII}`), label, NOT_ASCII);
  },
  hostname: () => HOST,
  ipv4: () => IPV4,
  ipv6: () => IPV6,
  uri: () => uri("", "", false),
  "uri-reference": () => uri("", "", true),
  iri: () => uri(OTHER, PRIVATE, false),
  "iri-reference": () => uri(OTHER, PRIVATE, true),
  "uri-template": () => TEMPLATE,
  uuid: () => "[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}",
  "json-pointer": () => POINTER,
  "relative-json-pointer": () => `(?:0|[1-9]\\d*)(?:#|${POINTER})`,
  // OpenAPI's, which say nothing of the text.
  byte: () => "(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?",
};

/** Formats of numbers (OpenAPI's): their bounds. */
export const NUMBER_FORMATS: Readonly<Record<string, readonly [number, number] | undefined>> = {
  int32: [-(2 ** 31), 2 ** 31 - 1],
  int64: [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
  float: undefined,
  double: undefined,
};

/** Formats that ask for nothing. */
const FREE = ["password", "binary"];

/** The strings that are of the format, as JSON writes them. */
export function formatExpression(use: Expressions, format: unknown, pointer: string): Regex {
  if (typeof format !== "string") malformed("format", pointer, "a format is a string");
  if (FREE.includes(format) || Object.hasOwn(NUMBER_FORMATS, format)) return use.strings.any;
  if (!Object.hasOwn(FORMATS, format))
    refuse(
      "format",
      pointer,
      `${JSON.stringify(format)} is none of ${Object.keys(FORMATS).join(", ")}; say it with "pattern"`,
    );
  return compilePattern(use, `^(?:${FORMATS[format]()})$`);
}
