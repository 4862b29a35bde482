/** A chart of one stream: as much as there are pixels for, the peer thins out the rest. */

import { useEffect, useRef, useState } from "preact/hooks";
import { explained, peer } from "../lib/client.ts";
import { count, decimal, duration, instant, plural, unit as unitName } from "../lib/format.ts";
import type { Stream } from "../lib/model.ts";
import { useQuery } from "../lib/query.ts";
import { moved, toBand, toLine, type Series, type Window } from "../lib/series.ts";
import { go, href } from "../router.ts";
import { Plot } from "./plot.tsx";

/** Up to so many readings each is a point of its own. */
const POINTS_MAX = 1200;
/** Most readings a page of the interface holds. */
const PAGE = 5000;
const HEIGHT = 240;
const BUCKETS_MAX = 2000;

/** The window of a stream that a chart shows; the whole while nobody zooms. */
async function load(stream: Stream, window: Window | undefined, width: number, signal: AbortSignal): Promise<{ series: Series; inside: number }> {
  const bounds = window && { from: String(window.from), until: String(window.until) };
  const whole = stream.total?.count ?? 0;
  if (stream.kind === "boolean" || (!window && whole <= POINTS_MAX)) {
    const readings = await peer.readings(stream.id, { ...bounds, limit: PAGE }, { signal });
    return { series: toLine(readings.items, stream.kind), inside: readings.items.length };
  }
  const buckets = Math.min(BUCKETS_MAX, Math.max(60, Math.round(width / 2)));
  const aggregates = await peer.aggregates(stream.id, { ...bounds, buckets }, { signal });
  const inside = aggregates.items.reduce((sum, one) => sum + one.of.count, 0);
  if (inside > POINTS_MAX) return { series: toBand(aggregates), inside };
  const readings = await peer.readings(stream.id, { ...bounds, limit: PAGE }, { signal });
  return { series: toLine(readings.items, stream.kind), inside };
}

/** What lies under the pointer, in words. */
function described(series: Series, index: number | undefined, stream: Stream): string | undefined {
  if (index === undefined) return undefined;
  const time = instant(series.times[index] ?? 0);
  const name = unitName(stream.unit);
  if (series.kind === "line") {
    const value = series.values[index];
    if (value === null || value === undefined) return `${time}: nothing came`;
    const shown = stream.kind === "boolean" ? (value === 1 ? "true" : "false") : `${decimal(String(value), 3)} ${name}`;
    return `${time}: ${shown}, number ${series.seqs[index] ?? ""}`;
  }
  const number = (value: number | null | undefined) => (value === null || value === undefined ? "—" : decimal(value.toFixed(6), 3));
  if (series.mean[index] === null) return `${time}: nothing came`;
  return `${time}: ${number(series.min[index])} to ${number(series.max[index])} ${name}, mean ${number(series.mean[index])}, ${plural(series.counts[index] ?? 0, "reading")}`;
}

export function Chart({ stream }: { stream: Stream }) {
  const box = useRef<HTMLDivElement>(null);
  const [zoom, setZoom] = useState<Window | undefined>(undefined);
  const [under, setUnder] = useState<number | undefined>(undefined);
  const [width, setWidth] = useState(0);
  const total = stream.total;
  const whole: Window = { from: total?.earliest.ms ?? 0, until: total?.latest.ms ?? 1 };
  // Zoomed in on the past, news do not matter.
  const { data, last, error } = useQuery(
    `chart ${stream.id} ${zoom?.from} ${zoom?.until}`,
    async (signal) => (total && box.current ? load(stream, zoom, box.current.clientWidth, signal) : undefined),
    undefined,
    zoom ? 0 : total?.count,
  );
  const shown = data ?? last;
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    setWidth(element.clientWidth);
    const observer = new ResizeObserver(() => setWidth(element.clientWidth));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  if (!total) return <p class="empty">No reading has come yet.</p>;
  const window = zoom ?? whole;
  const change = (by: number, scale: number) => {
    const next = moved(window, by, scale, whole);
    setZoom(next.from <= whole.from && next.until >= whole.until ? undefined : next);
  };
  const open = (index: number) => {
    const seq = shown?.series.kind === "line" ? shown.series.seqs[index] : undefined;
    if (seq !== null && seq !== undefined) go(href.reading(stream.id, seq));
  };
  const times = shown?.series.times ?? [];
  const span: Window = zoom ?? { from: times[0] ?? whole.from, until: times.at(-1) ?? whole.until };
  const onKeyDown = (event: KeyboardEvent) => {
    const steps: Record<string, [number, number]> = { ArrowLeft: [-0.25, 1], ArrowRight: [0.25, 1], "+": [0, 0.5], "=": [0, 0.5], "-": [0, 2] };
    const step = steps[event.key];
    if (step) change(...step);
    else if (event.key === "0" || event.key === "Escape") setZoom(undefined);
    else return;
    event.preventDefault();
  };
  const summary = `${plural(shown?.inside ?? total.count, "reading")} from ${instant(window.from)} to ${instant(window.until)} UTC`;
  const said = shown && described(shown.series, under, stream);
  return (
    <div class="chart">
      <div
        class={`chart-box ${shown?.series.kind === "line" ? "points" : ""}`}
        ref={box}
        tabIndex={0}
        role="img"
        aria-label={`Chart of ${stream.property}: ${summary}, between ${total.min ?? "—"} and ${total.max ?? "—"} ${unitName(stream.unit)}. Keys: plus and minus zoom, arrows move, 0 shows all.`}
        onKeyDown={onKeyDown}
      >
        {shown && width > 0 && (
          <Plot series={shown.series} span={span} width={width} height={HEIGHT} stepped={stream.kind === "boolean"} onSelect={setZoom} onUnder={setUnder} onOpen={open} />
        )}
      </div>
      <div class="chart-foot">
        <p class="chart-said" aria-live="off">
          {error && !data ? explained(error).what : (said ?? summary)}
          {!said && shown?.series.kind === "line" && <span class="muted"> · drag to zoom, click a point to verify it</span>}
          {!said && shown?.series.kind === "band" && <span class="muted"> · each point: smallest, mean and largest of {duration((window.until - window.from) / Math.max(1, shown.series.times.length))}</span>}
        </p>
        <div class="row">
          <button type="button" class="button small" onClick={() => change(-0.25, 1)} disabled={!zoom} aria-label="Earlier">←</button>
          <button type="button" class="button small" onClick={() => change(0, 0.5)} aria-label="Zoom in">+</button>
          <button type="button" class="button small" onClick={() => change(0, 2)} disabled={!zoom} aria-label="Zoom out">−</button>
          <button type="button" class="button small" onClick={() => change(0.25, 1)} disabled={!zoom} aria-label="Later">→</button>
          <button type="button" class="button small" onClick={() => setZoom(undefined)} disabled={!zoom}>All{zoom ? "" : `, ${count(total.count)}`}</button>
          <a class="button small" href={href.range(stream.id, window.from, window.until)}>Prove this range</a>
        </div>
      </div>
    </div>
  );
}
