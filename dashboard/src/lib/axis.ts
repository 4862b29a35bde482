/** Where the marks of an axis stand, and what is written beside them. */

/** A mark: its place in the units of the axis, and its text. */
export interface Tick {
  at: number;
  text: string;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** Distances between marks of time that people count in, ms. */
const STEPS = [
  1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 15_000, 30_000,
  MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE,
  HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 14 * DAY,
];
/** Beyond days people count in months. */
const MONTHS_STEPS = [1, 2, 3, 6, 12, 24, 60, 120];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** The step of 1, 2 or 5 times a power of ten that gives at most `most` marks. */
export function niceStep(span: number, most: number): number {
  const least = span / Math.max(1, most);
  const power = 10 ** Math.floor(Math.log10(least));
  return power * ([1, 2, 5, 10].find((factor) => power * factor >= least) ?? 10);
}

/** Marks of numbers from `low` to `high`. */
export function numberTicks(low: number, high: number, most: number): Tick[] {
  if (!(high > low)) return [];
  const step = niceStep(high - low, most);
  const decimals = Math.min(20, Math.max(0, -Math.floor(Math.log10(step) + 1e-9)));
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, at) => {
    const value = (first + at) * step;
    return { at: value, text: value.toLocaleString("en", { minimumFractionDigits: decimals, maximumFractionDigits: decimals }) };
  });
}

function clock(at: Date, step: number): string {
  return at.toISOString().slice(11, step < 1000 ? 23 : step < MINUTE ? 19 : 16);
}

const day = (at: Date) => `${at.getUTCDate()} ${MONTHS[at.getUTCMonth()]}`;

/** Marks of time in UTC: the day where it changes, the hour within it. Times are ms. */
export function timeTicks(from: number, until: number, most: number): Tick[] {
  if (!(until > from)) return [];
  const step = STEPS.find((one) => (until - from) / one <= most);
  if (step === undefined) return monthTicks(from, until, most);
  const ticks: Tick[] = [];
  let before = "";
  for (let at = Math.ceil(from / step) * step; at <= until; at += step) {
    const date = new Date(at);
    const today = day(date);
    ticks.push({ at, text: step >= DAY ? today : today === before ? clock(date, step) : `${clock(date, step)}\n${today}` });
    before = today;
  }
  return ticks;
}

function monthTicks(from: number, until: number, most: number): Tick[] {
  const start = new Date(from);
  const index = (date: Date) => date.getUTCFullYear() * 12 + date.getUTCMonth();
  const span = index(new Date(until)) - index(start) + 1;
  const step = MONTHS_STEPS.find((one) => span / one <= most) ?? 120;
  const ticks: Tick[] = [];
  for (let month = Math.ceil(index(start) / step) * step; ; month += step) {
    const at = Date.UTC(Math.floor(month / 12), month % 12);
    if (at > until) return ticks;
    const year = String(Math.floor(month / 12));
    if (at >= from) ticks.push({ at, text: step >= 12 ? year : `${MONTHS[month % 12]} ${year}` });
  }
}
