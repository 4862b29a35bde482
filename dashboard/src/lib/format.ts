/** How numbers, times, units and ids are shown. */

const INTEGER = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

/** 12345 as 12,345. */
export function count(value: number | bigint): string {
  return INTEGER.format(value);
}

/** `one thing`, `2 things`. */
export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** A rate per second: 0.4, 23, 1,234. */
export function rate(perSecond: number): string {
  if (perSecond <= 0) return "0";
  return perSecond < 10 ? perSecond.toFixed(1) : count(perSecond);
}

/** Rounds an exact decimal to at most so many places, half away from zero, without a binary float in between. */
export function decimal(text: string, places = 2): string {
  const match = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text);
  if (!match) return text;
  const [, sign = "", whole = "0", fraction = ""] = match;
  let digits = BigInt(whole + fraction.slice(0, places).padEnd(places, "0"));
  if ((fraction[places] ?? "0") >= "5") digits += 1n;
  const all = digits.toString().padStart(places + 1, "0");
  const head = all.slice(0, all.length - places).replace(/\B(?=(\d{3})+$)/g, ",");
  const tail = all.slice(all.length - places).replace(/0+$/, "");
  const minus = digits === 0n ? "" : sign;
  return `${minus}${head}${tail ? `.${tail}` : ""}`;
}

/** Units of UCUM as people write them; others as they are. */
const UNITS: Record<string, string> = {
  "[degF]": "°F",
  Cel: "°C",
  degC: "°C",
  "1": "",
  "%": "%",
  "[mi_i]/h": "mph",
  "m/s": "m/s",
  "m/s2": "m/s²",
  "m2": "m²",
  "m3": "m³",
  "kW.h": "kWh",
  "W.h": "Wh",
  "W/m2": "W/m²",
  "ug/m3": "µg/m³",
  um: "µm",
  Ohm: "Ω",
  deg: "°",
  "[ppm]": "ppm",
};

/** A unit as people write it. */
export function unit(code: string): string {
  return UNITS[code] ?? code;
}

/** A value with its unit, rounded for display; only numbers are rounded. */
export function quantity(value: string, kind: string, code: string, places = 2): string {
  const shown = kind === "number" ? decimal(value, places) : value;
  const name = unit(code);
  if (!name) return shown;
  return name === "%" || name === "°" ? `${shown}${name}` : `${shown}\u202f${name}`;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const two = (value: number) => String(value).padStart(2, "0");

/** `2 Dec 2013, 21:15:00` in UTC. */
export function instant(ms: number): string {
  const at = new Date(ms);
  if (Number.isNaN(at.getTime())) return "—";
  return `${at.getUTCDate()} ${MONTHS[at.getUTCMonth()]} ${at.getUTCFullYear()}, ${clock(ms)}`;
}

/** `21:15:00` in UTC. */
export function clock(ms: number): string {
  const at = new Date(ms);
  return `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}:${two(at.getUTCSeconds())}`;
}

/** A length of time in its largest unit: `480 ms`, `3.2 s`, `5 min`, `2 h`, `3 d`. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`;
  if (ms < 90_000) return `${Math.round(ms / 1000)} s`;
  if (ms < 5_400_000) return `${Math.round(ms / 60_000)} min`;
  if (ms < 129_600_000) return `${Math.round(ms / 3_600_000)} h`;
  return `${count(Math.round(ms / 86_400_000))} d`;
}

/** `just now`, `12 s ago`. */
export function ago(ms: number): string {
  return ms < 1500 ? "just now" : `${duration(ms)} ago`;
}

/** 2,370 B, 1.2 kB, 3.4 MB. */
export function bytes(value: number): string {
  if (value < 1000) return `${value} B`;
  const names = ["kB", "MB", "GB", "TB"];
  let scaled = value / 1000;
  let at = 0;
  while (scaled >= 1000 && at < names.length - 1) {
    scaled /= 1000;
    at += 1;
  }
  return `${scaled < 10 ? scaled.toFixed(1) : Math.round(scaled)} ${names[at]}`;
}

/** The ends of an id, enough to compare by eye: the whole is in the title and copied. */
export function short(id: string): string {
  const tail = id.startsWith("did:") ? (id.split(":").at(-1) ?? id) : id;
  return tail.length <= 14 ? tail : `${tail.slice(0, 6)}…${tail.slice(-4)}`;
}

/** A height that stands for "without end" (the largest a ledger can have, and whatever no double holds exactly). */
export function endless(height: number): boolean {
  return height > Number.MAX_SAFE_INTEGER;
}

/** `register_thing` as `register thing`. */
export function words(code: string): string {
  return code.replaceAll("_", " ");
}

/** What stands between commas. */
export function listed(text: string): string[] {
  return text.split(",").map((one) => one.trim()).filter(Boolean);
}

/** Text from the ledger made safe to set between other text: no line breaks, no marks that turn the direction, bounded. */
export function plain(text: string, max = 120): string {
  // eslint-disable-next-line no-control-regex
  const clean = text.replace(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g, "\u00b7");
  return clean.length > max ? `${clean.slice(0, max)}…` : clean;
}
