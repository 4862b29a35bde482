/** What a chart draws: readings as points, aggregates as a band, gaps as gaps. */

import type { Aggregates, Reading } from "./model.ts";

type Column = (number | null)[];

export interface Line {
  kind: "line";
  /** Claimed times, ms. */
  times: number[];
  values: Column;
  /** Sequence numbers, to find the reading behind a point. */
  seqs: (number | null)[];
}

export interface Band {
  kind: "band";
  times: number[];
  min: Column;
  max: Column;
  mean: Column;
  counts: number[];
}

export type Series = Line | Band;

/** How many times the usual distance between readings makes a gap. */
const GAP_FACTOR = 4;

/** The usual distance: the median, which a few long silences do not move. */
export function usualStep(times: readonly number[]): number {
  const steps = times.slice(1).map((time, at) => time - (times[at] ?? time)).filter((step) => step > 0);
  steps.sort((a, b) => a - b);
  return steps[Math.floor(steps.length / 2)] ?? Number.POSITIVE_INFINITY;
}

/** Numbers as they are, booleans as 0 and 1; what is no number cannot be drawn. */
export function drawn(value: string, kind: string): number | null {
  if (kind === "boolean") return value === "true" ? 1 : 0;
  const number = Number(value);
  return value !== "" && Number.isFinite(number) ? number : null;
}

/** Readings as a line, broken where numbers are missing from the sequence or time passed without a reading. */
export function toLine(readings: readonly Reading[], kind: string): Line {
  const ordered = [...readings].sort((a, b) => a.claimed.ms - b.claimed.ms || a.seq - b.seq);
  const limit = usualStep(ordered.map((one) => one.claimed.ms)) * GAP_FACTOR;
  const line: Line = { kind: "line", times: [], values: [], seqs: [] };
  ordered.forEach((reading, at) => {
    const before = ordered[at - 1];
    const missing = before && (reading.seq > before.seq + 1 || reading.claimed.ms - before.claimed.ms > limit);
    if (missing) {
      line.times.push((reading.claimed.ms + before.claimed.ms) / 2);
      line.values.push(null);
      line.seqs.push(null);
    }
    line.times.push(reading.claimed.ms);
    line.values.push(drawn(reading.value, kind));
    line.seqs.push(reading.seq);
  });
  return line;
}

/** Buckets as a band from smallest to largest, broken where buckets are empty for longer than readings usually lie apart. */
export function toBand(aggregates: Aggregates): Band {
  const items = aggregates.items.filter((one) => one.of.count > 0);
  const total = items.reduce((sum, one) => sum + one.of.count, 0);
  const span = items.length * aggregates.bucket_ms;
  const limit = Math.max(aggregates.bucket_ms * 1.5, (span / Math.max(1, total)) * GAP_FACTOR);
  const band: Band = { kind: "band", times: [], min: [], max: [], mean: [], counts: [] };
  const push = (ms: number, min: number | null, max: number | null, mean: number | null, readings: number) => {
    band.times.push(ms);
    band.min.push(min);
    band.max.push(max);
    band.mean.push(mean);
    band.counts.push(readings);
  };
  items.forEach((item, at) => {
    const before = items[at - 1];
    if (before && item.from.ms - before.from.ms > limit) push((item.from.ms + before.from.ms + aggregates.bucket_ms) / 2, null, null, null, 0);
    const middle = item.from.ms + aggregates.bucket_ms / 2;
    push(middle, Number(item.of.min), Number(item.of.max), Number(item.of.mean), item.of.count);
  });
  return band;
}

/** The stretches without a gap: the first and last index of each. */
export function runs(series: Series): [number, number][] {
  const values = series.kind === "line" ? series.values : series.mean;
  const found: [number, number][] = [];
  values.forEach((value, at) => {
    if (value === null) return;
    const last = found.at(-1);
    if (last && last[1] === at - 1) last[1] = at;
    else found.push([at, at]);
  });
  return found;
}

/** The index whose time is nearest; times ascend. */
export function nearestAt(times: readonly number[], ms: number): number | undefined {
  let [low, high] = [0, times.length - 1];
  if (high < 0) return undefined;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((times[middle] ?? 0) <= ms) low = middle;
    else high = middle;
  }
  return ms - (times[low] ?? 0) <= (times[high] ?? 0) - ms ? low : high;
}

/** A window moved or scaled, kept within the times there are. */
export function moved(window: Window, by: number, scale: number, whole: Window): Window {
  const span = Math.max(1, Math.min((window.until - window.from) * scale, whole.until - whole.from));
  const middle = (window.from + window.until) / 2 + by * (window.until - window.from);
  const from = Math.min(Math.max(whole.from, middle - span / 2), whole.until - span);
  return { from: Math.round(from), until: Math.round(from + span) };
}

/** Claimed times in milliseconds, both ends included. */
export interface Window {
  from: number;
  until: number;
}
