/** Things on the earth: a plain projection, and those that are close together as one. */

import { niceStep } from "./axis.ts";
import type { Thing } from "./model.ts";

/** A thing and where it is, in degrees (WGS 84). */
export interface Placed {
  id: string;
  name: string;
  latitude: number;
  longitude: number;
}

/** A part of the earth, degrees. */
export interface Extent {
  west: number;
  east: number;
  south: number;
  north: number;
}

/** Places that would overlap, drawn as one. */
export interface Cluster {
  x: number;
  y: number;
  members: Placed[];
}

/** Where a thing says it is, if it does; both coordinates must be on the earth. */
export function placed(thing: Thing): Placed | undefined {
  const status = (thing as { status?: { place?: unknown } }).status;
  const place = status?.place as { latitude?: unknown; longitude?: unknown } | undefined;
  const [latitude, longitude] = [Number(place?.latitude), Number(place?.longitude)];
  if (!(Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180)) return undefined;
  return { id: thing.id, name: thing.title || thing.name, latitude, longitude };
}

/** Smallest extent that is shown, degrees: about a hundred metres. */
const SPAN_MIN = 0.001;

/** What holds all places, with a margin; the whole earth if there are none. */
export function extentOf(places: readonly Placed[], margin = 0.12): Extent {
  if (places.length === 0) return { west: -180, east: 180, south: -90, north: 90 };
  const [first] = places as [Placed];
  const found = { west: first.longitude, east: first.longitude, south: first.latitude, north: first.latitude };
  for (const { latitude, longitude } of places) {
    found.west = Math.min(found.west, longitude);
    found.east = Math.max(found.east, longitude);
    found.south = Math.min(found.south, latitude);
    found.north = Math.max(found.north, latitude);
  }
  const widen = (low: number, high: number): [number, number] => {
    const by = Math.max(SPAN_MIN, high - low) * margin + Math.max(0, SPAN_MIN - (high - low)) / 2;
    return [low - by, high + by];
  };
  const [west, east] = widen(found.west, found.east);
  const [south, north] = widen(found.south, found.north);
  return { west, east, south: Math.max(-90, south), north: Math.min(90, north) };
}

/** Degrees to pixels and back: equirectangular, true to shape at the middle of the extent. */
export class Projection {
  readonly #scale: number;
  readonly #shrink: number;
  readonly #middle: { latitude: number; longitude: number };

  constructor(extent: Extent, readonly width: number, readonly height: number) {
    this.#middle = { latitude: (extent.south + extent.north) / 2, longitude: (extent.west + extent.east) / 2 };
    this.#shrink = Math.max(0.05, Math.cos((this.#middle.latitude * Math.PI) / 180));
    this.#scale = Math.min(width / ((extent.east - extent.west) * this.#shrink), height / (extent.north - extent.south));
  }

  x(longitude: number): number {
    return this.width / 2 + (longitude - this.#middle.longitude) * this.#shrink * this.#scale;
  }

  y(latitude: number): number {
    return this.height / 2 - (latitude - this.#middle.latitude) * this.#scale;
  }

  /** What is in sight. */
  seen(): Extent {
    const wide = this.width / 2 / this.#scale / this.#shrink;
    const high = this.height / 2 / this.#scale;
    const { latitude, longitude } = this.#middle;
    return { west: longitude - wide, east: longitude + wide, south: latitude - high, north: latitude + high };
  }

  /** Metres that a pixel stands for, north to south. */
  get metres(): number {
    return 111_320 / this.#scale;
  }
}

/** Puts places into cells of a grid; what shares a cell is one cluster, at the middle of its members. */
export function clustered(places: readonly Placed[], projection: Projection, cell: number): Cluster[] {
  const cells = new Map<string, Cluster>();
  for (const place of places) {
    const [x, y] = [projection.x(place.longitude), projection.y(place.latitude)];
    if (x < 0 || y < 0 || x > projection.width || y > projection.height) continue;
    const key = `${Math.floor(x / cell)} ${Math.floor(y / cell)}`;
    const found = cells.get(key);
    if (!found) cells.set(key, { x, y, members: [place] });
    else {
      const n = found.members.push(place);
      found.x += (x - found.x) / n;
      found.y += (y - found.y) / n;
    }
  }
  return [...cells.values()];
}

/** Lines of the graticule from `low` to `high`, degrees, with at most `most` of them. */
export function graticule(low: number, high: number, most: number): number[] {
  const step = niceStep(high - low, most);
  const first = Math.ceil(low / step);
  const last = Math.floor(high / step);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, at) => Number(((first + at) * step).toPrecision(10)));
}

/** `44.97° N`, with as many decimals as neighbours need to differ. */
export function degrees(value: number, axis: "latitude" | "longitude", step: number): string {
  const decimals = Math.min(6, Math.max(0, -Math.floor(Math.log10(step) + 1e-9)));
  const letter = value === 0 ? "" : axis === "latitude" ? (value > 0 ? " N" : " S") : value > 0 ? " E" : " W";
  return `${Math.abs(value).toFixed(decimals)}°${letter}`;
}
