/** A chart of one stream: as much as there are pixels for, the peer thins out the rest. */

import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { peer } from "../lib/client.ts";
import { count, decimal, duration, instant, plural, unit as unitName } from "../lib/format.ts";
import type { Stream } from "../lib/model.ts";
import { moved, toBand, toLine, type Series, type Window } from "../lib/series.ts";
import { go, href } from "../router.ts";
import { theme } from "./theme.tsx";

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

/** Colours as they are now: the chart is drawn, not styled. */
function colours(element: HTMLElement) {
  const probe = document.createElement("span");
  element.append(probe);
  const of = (name: string) => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  };
  const found = { line: of("--moss"), soft: of("--ice"), grid: of("--line"), text: of("--muted"), point: of("--surface") };
  probe.remove();
  return found;
}

function faded(colour: string): string {
  return colour.startsWith("rgb(") ? colour.replace("rgb(", "rgba(").replace(")", ", 0.22)") : `color-mix(in srgb, ${colour} 22%, transparent)`;
}

function data(series: Series): uPlot.AlignedData {
  return series.kind === "line" ? [series.times, series.values] : [series.times, series.max, series.min, series.mean];
}

function options(element: HTMLElement, series: Series, stream: Stream, onSelect: (window: Window) => void): uPlot.Options {
  const tone = colours(element);
  const axis = { stroke: tone.text, grid: { stroke: tone.grid, width: 1 }, ticks: { stroke: tone.grid, width: 1 }, font: "12px Inter, system-ui, sans-serif" };
  const steps = stream.kind === "boolean" && uPlot.paths.stepped ? { paths: uPlot.paths.stepped({ align: 1 }) } : {};
  const drawnSeries: uPlot.Series[] =
    series.kind === "line"
      ? [{}, { stroke: tone.line, width: 1.6, points: { show: series.times.length < 90, size: 5, stroke: tone.line, fill: tone.point }, ...steps }]
      : [{}, { stroke: "transparent", points: { show: false } }, { stroke: "transparent", points: { show: false } }, { stroke: tone.line, width: 1.6, points: { show: false } }];
  return {
    width: element.clientWidth,
    height: HEIGHT,
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
    legend: { show: false },
    padding: [10, 8, 0, 0],
    cursor: { drag: { x: true, y: false, setScale: false }, points: { size: 8 } },
    scales: { y: { range: (_chart, low, high) => uPlot.rangeNum(low, high, 0.08, false) } },
    axes: [{ ...axis, values: (_chart, splits, _axis, _space, step) => times(splits, step) }, { ...axis, size: 58 }],
    series: drawnSeries,
    ...(series.kind === "band" ? { bands: [{ series: [1, 2] as [number, number], fill: faded(tone.soft) }] } : {}),
    hooks: {
      setSelect: [
        (chart) => {
          if (chart.select.width < 6) return;
          const at = (px: number) => Math.round(chart.posToVal(px, "x") * 1000);
          onSelect({ from: at(chart.select.left), until: at(chart.select.left + chart.select.width) });
          chart.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        },
      ],
    },
  };
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** Times along the axis, in UTC: the day where it changes, the hour within it. */
function times(splits: number[], step: number): string[] {
  let before = "";
  return splits.map((seconds) => {
    const at = new Date(seconds * 1000);
    const day = `${at.getUTCDate()} ${MONTHS[at.getUTCMonth()]}`;
    const dated = step >= 28 * 86_400 ? `${MONTHS[at.getUTCMonth()]} ${at.getUTCFullYear()}` : day;
    if (step >= 86_400) return dated;
    const clock = at.toISOString().slice(11, step < 60 ? 19 : 16);
    const shown = day === before ? clock : `${clock}\n${day}`;
    before = day;
    return shown;
  });
}

/** What lies under the pointer, in words. */
function described(series: Series, index: number | null | undefined, stream: Stream): string | undefined {
  if (index === null || index === undefined) return undefined;
  const time = instant((series.times[index] ?? 0) * 1000);
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

interface Shown {
  series: Series;
  inside: number;
  tookMs: number;
}

export function Chart({ stream, fresh }: { stream: Stream; fresh: number }) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const pressed = useRef(0);
  const [zoom, setZoom] = useState<Window | undefined>(undefined);
  const [shown, setShown] = useState<Shown | undefined>(undefined);
  const [failed, setFailed] = useState(false);
  const [under, setUnder] = useState<string | undefined>(undefined);
  const total = stream.total;
  const whole: Window = { from: total?.earliest.ms ?? 0, until: total?.latest.ms ?? 1 };
  // Zoomed in on the past, news do not matter.
  const version = zoom ? 0 : fresh;
  useEffect(() => {
    const element = box.current;
    if (!element || !total) return;
    const abort = new AbortController();
    const began = performance.now();
    load(stream, zoom, element.clientWidth, abort.signal).then(
      ({ series, inside }) => {
        if (abort.signal.aborted) return;
        setFailed(false);
        setShown({ series, inside, tookMs: performance.now() - began });
      },
      () => !abort.signal.aborted && setFailed(true),
    );
    return () => abort.abort();
  }, [stream.id, zoom?.from, zoom?.until, version]);
  useEffect(() => {
    const element = box.current;
    if (!element || !shown) return;
    const kind = shown.series.kind;
    const old = plot.current as (uPlot & { althing?: string }) | undefined;
    const same = `${kind} ${theme.value} ${stream.id} ${shown.series.times.length < 90}`;
    if (old && old.althing === same) return old.setData(data(shown.series));
    old?.destroy();
    const made = new uPlot(options(element, shown.series, stream, setZoom), data(shown.series), element) as uPlot & { althing?: string };
    made.althing = same;
    plot.current = made;
  }, [shown, theme.value]);
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const observer = new ResizeObserver(() => plot.current?.setSize({ width: element.clientWidth, height: HEIGHT }));
    observer.observe(element);
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    const redraw = () => {
      plot.current?.destroy();
      plot.current = undefined;
      setShown((old) => old && { ...old });
    };
    scheme.addEventListener("change", redraw);
    return () => {
      observer.disconnect();
      scheme.removeEventListener("change", redraw);
      plot.current?.destroy();
      plot.current = undefined;
    };
  }, []);
  if (!total) return <p class="empty">No reading has come yet.</p>;
  const window = zoom ?? whole;
  const change = (by: number, scale: number) => {
    const next = moved(window, by, scale, whole);
    setZoom(next.from <= whole.from && next.until >= whole.until ? undefined : next);
  };
  const follow = () => shown && setUnder(described(shown.series, plot.current?.cursor.idx, stream));
  const open = () => {
    const index = plot.current?.cursor.idx;
    if (shown?.series.kind !== "line" || index === null || index === undefined) return;
    const seq = shown.series.seqs[index];
    if (seq !== null && seq !== undefined) go(href.reading(stream.id, seq));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const steps: Record<string, [number, number]> = { ArrowLeft: [-0.25, 1], ArrowRight: [0.25, 1], "+": [0, 0.5], "=": [0, 0.5], "-": [0, 2] };
    const step = steps[event.key];
    if (step) change(...step);
    else if (event.key === "0" || event.key === "Escape") setZoom(undefined);
    else return;
    event.preventDefault();
  };
  const summary = `${plural(shown?.inside ?? total.count, "reading")} from ${instant(window.from)} to ${instant(window.until)} UTC`;
  return (
    <div class="chart">
      <div
        class={`chart-box ${shown?.series.kind === "line" ? "points" : ""}`}
        ref={box}
        tabIndex={0}
        role="img"
        aria-label={`Chart of ${stream.property}: ${summary}, between ${total.min ?? "—"} and ${total.max ?? "—"} ${unitName(stream.unit)}. Keys: plus and minus zoom, arrows move, 0 shows all.`}
        onMouseMove={follow}
        onMouseLeave={() => setUnder(undefined)}
        onMouseDown={(event) => {
          pressed.current = event.clientX;
        }}
        onClick={(event) => Math.abs(event.clientX - pressed.current) < 4 && open()}
        onKeyDown={onKeyDown}
      />
      <div class="chart-foot">
        <p class="chart-said" aria-live="off">
          {failed ? "The peer does not answer; this is what was there before." : (under ?? summary)}
          {!under && shown?.series.kind === "line" && <span class="muted"> · drag to zoom, click a point to verify it</span>}
          {!under && shown?.series.kind === "band" && <span class="muted"> · each point: smallest, mean and largest of {duration((window.until - window.from) / Math.max(1, shown.series.times.length))}</span>}
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
