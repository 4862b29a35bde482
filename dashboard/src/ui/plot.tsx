/** Draws a series: a line or a band, gaps as gaps, and what lies under the pointer. */

import { useMemo, useRef, useState } from "preact/hooks";
import { numberTicks, timeTicks } from "../lib/axis.ts";
import { nearestAt, runs, type Series, type Window } from "../lib/series.ts";

/** Room for the axes, px. */
const [LEFT, RIGHT, TOP, BOTTOM] = [62, 20, 10, 38];
/** Room for half a dot on either side of what is drawn, px. */
const EDGE = 5;
/** Distance between marks, px. */
const [TICK_X, TICK_Y] = [92, 36];
/** Up to so many readings have a dot each. */
const DOTS_MAX = 90;
/** A drag shorter than this is a click, px. */
const DRAG_MIN = 6;

interface Scale {
  x: (ms: number) => number;
  y: (value: number) => number;
  ms: (x: number) => number;
  low: number;
  high: number;
}

function scaleOf(series: Series, span: Window, width: number, height: number): Scale {
  const values = (series.kind === "line" ? series.values : [...series.min, ...series.max]).filter((value) => value !== null);
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) [low, high] = [Math.min(low, value), Math.max(high, value)];
  if (values.length === 0) [low, high] = [0, 1];
  const margin = (high - low) * 0.08 || Math.abs(high) * 0.05 || 1;
  [low, high] = [low - margin, high + margin];
  const inner = { width: width - LEFT - RIGHT, height: height - TOP - BOTTOM };
  const time = Math.max(1, span.until - span.from);
  return {
    x: (ms) => LEFT + ((ms - span.from) / time) * inner.width,
    y: (value) => TOP + ((high - value) / (high - low)) * inner.height,
    ms: (x) => span.from + ((x - LEFT) / inner.width) * time,
    low,
    high,
  };
}

const place = (x: number, y: number) => `${x.toFixed(1)} ${y.toFixed(1)}`;

/** A stroke through the values of each run; a single one becomes a dot. */
function stroke(series: Series, scale: Scale, stepped: boolean): string {
  const values = series.kind === "line" ? series.values : series.mean;
  return runs(series).map(([first, last]) => {
    let path = "";
    for (let at = first; at <= last; at += 1) {
      const [x, y] = [scale.x(series.times[at] ?? 0), scale.y(values[at] ?? 0)];
      path += at === first ? `M${place(x, y)}${first === last ? "h0" : ""}` : stepped ? `H${x.toFixed(1)}V${y.toFixed(1)}` : `L${place(x, y)}`;
    }
    return path;
  }).join("");
}

/** From the largest values there and along the smallest back. */
function area(series: Series, scale: Scale): string {
  if (series.kind === "line") return "";
  return runs(series).map(([first, last]) => {
    const points: string[] = [];
    for (let at = first; at <= last; at += 1) points.push(place(scale.x(series.times[at] ?? 0), scale.y(series.max[at] ?? 0)));
    for (let at = last; at >= first; at -= 1) points.push(place(scale.x(series.times[at] ?? 0), scale.y(series.min[at] ?? 0)));
    return `M${points.join("L")}Z`;
  }).join("");
}

/** What lies between runs: times for which nothing came. */
function gaps(series: Series, scale: Scale): { x: number; width: number }[] {
  const found = runs(series);
  return found.slice(1).map(([next], at) => {
    const x = scale.x(series.times[found[at]?.[1] ?? 0] ?? 0);
    return { x, width: Math.max(1, scale.x(series.times[next] ?? 0) - x) };
  });
}

export interface PlotProps {
  series: Series;
  span: Window;
  width: number;
  height: number;
  stepped: boolean;
  onSelect: (window: Window) => void;
  onUnder: (index: number | undefined) => void;
  onOpen: (index: number) => void;
}

function Drawing({ series, span, width, height, stepped }: PlotProps) {
  return useMemo(() => {
    const scale = scaleOf(series, span, width, height);
    const bottom = height - BOTTOM;
    const dots = series.kind === "line" && series.times.length < DOTS_MAX;
    return (
      <>
        {numberTicks(scale.low, scale.high, (bottom - TOP) / TICK_Y).map((tick) => (
          <g key={`y${tick.at}`} class="tick">
            <line x1={LEFT} x2={width - RIGHT} y1={scale.y(tick.at)} y2={scale.y(tick.at)} />
            <text x={LEFT - 8} y={scale.y(tick.at) + 4} text-anchor="end">{tick.text}</text>
          </g>
        ))}
        {timeTicks(span.from, span.until, (width - LEFT - RIGHT) / TICK_X).map((tick) => (
          <g key={`x${tick.at}`} class="tick">
            <line x1={scale.x(tick.at)} x2={scale.x(tick.at)} y1={TOP} y2={bottom} />
            {tick.text.split("\n").map((line, row) => <text key={row} x={scale.x(tick.at)} y={bottom + 16 + row * 15} text-anchor="middle">{line}</text>)}
          </g>
        ))}
        <svg x={LEFT - EDGE} y="0" width={Math.max(0, width - LEFT - RIGHT + 2 * EDGE)} height={bottom} viewBox={`${LEFT - EDGE} 0 ${Math.max(1, width - LEFT - RIGHT + 2 * EDGE)} ${bottom}`}>
          {gaps(series, scale).map((gap) => <rect key={gap.x} class="plot-gap" x={gap.x} y={TOP} width={gap.width} height={bottom - TOP} />)}
          <path class="plot-area" d={area(series, scale)} />
          <path class="plot-line" d={stroke(series, scale, stepped)} />
          {dots && series.times.map((ms, at) => series.values[at] !== null && <circle key={at} class="plot-dot" cx={scale.x(ms)} cy={scale.y(series.values[at] ?? 0)} r="2.6" />)}
        </svg>
      </>
    );
  }, [series, span.from, span.until, width, height]);
}

export function Plot(props: PlotProps) {
  const { series, span, width, height } = props;
  const [under, setUnder] = useState<number | undefined>(undefined);
  const [drag, setDrag] = useState<{ from: number; to: number } | undefined>(undefined);
  const svg = useRef<SVGSVGElement>(null);
  const scale = scaleOf(series, span, width, height);
  const within = (x: number) => Math.min(width - RIGHT, Math.max(LEFT, x));
  const xOf = (event: PointerEvent) => within(event.clientX - (svg.current?.getBoundingClientRect().left ?? 0));
  const point = (index: number | undefined) => {
    setUnder(index);
    props.onUnder(index);
  };
  const follow = (event: PointerEvent) => {
    const x = xOf(event);
    point(nearestAt(series.times, scale.ms(x)));
    if (drag) setDrag({ ...drag, to: x });
  };
  const release = (event: PointerEvent) => {
    if (!drag) return;
    setDrag(undefined);
    const [from, to] = [Math.min(drag.from, drag.to), Math.max(drag.from, drag.to)];
    if (to - from >= DRAG_MIN) return props.onSelect({ from: Math.round(scale.ms(from)), until: Math.round(scale.ms(to)) });
    const index = nearestAt(series.times, scale.ms(xOf(event)));
    if (index !== undefined) props.onOpen(index);
  };
  const value = under === undefined ? null : series.kind === "line" ? series.values[under] : series.mean[under];
  const x = under === undefined ? 0 : scale.x(series.times[under] ?? 0);
  return (
    <svg
      ref={svg}
      class="plot"
      width={width}
      height={height}
      aria-hidden="true"
      onPointerDown={(event) => {
        if (event.button !== 0 || event.pointerType === "touch") return follow(event);
        event.currentTarget.setPointerCapture(event.pointerId);
        setDrag({ from: xOf(event), to: xOf(event) });
      }}
      onPointerMove={follow}
      onPointerUp={release}
      onPointerLeave={() => !drag && point(undefined)}
      onPointerCancel={() => setDrag(undefined)}
    >
      <Drawing {...props} />
      {drag && <rect class="plot-select" x={Math.min(drag.from, drag.to)} y={TOP} width={Math.abs(drag.to - drag.from)} height={height - TOP - BOTTOM} />}
      {under !== undefined && <line class="plot-cursor" x1={x} x2={x} y1={TOP} y2={height - BOTTOM} />}
      {value !== null && value !== undefined && <circle class="plot-point" cx={x} cy={scale.y(value)} r="4.5" />}
    </svg>
  );
}
