/** Things where they are: no tiles from elsewhere, a graticule to read places by. */

import { useEffect, useRef, useState } from "preact/hooks";
import { count, plain, plural } from "../lib/format.ts";
import { clustered, degrees, extentOf, graticule, Projection, type Extent, type Placed } from "../lib/places.ts";
import { href } from "../router.ts";

const HEIGHT = 460;
/** Places nearer than this are one, px. */
const CELL = 44;
/** Distance between lines of the graticule, px. */
const LINE = 110;
/** How many of a cluster that cannot be spread are named. */
const NAMED_MAX = 20;

function Lines({ projection }: { projection: Projection }) {
  const seen = projection.seen();
  const across = graticule(seen.west, seen.east, projection.width / LINE);
  const down = graticule(Math.max(-90, seen.south), Math.min(90, seen.north), projection.height / LINE);
  const step = (lines: number[]) => (lines.length > 1 ? (lines[1] as number) - (lines[0] as number) : 1);
  return (
    <g class="graticule">
      {across.map((at) => (
        <g key={`e${at}`}>
          <line x1={projection.x(at)} x2={projection.x(at)} y1="0" y2={projection.height} />
          <text x={projection.x(at) + 5} y={projection.height - 8}>{degrees(at, "longitude", step(across))}</text>
        </g>
      ))}
      {down.map((at) => (
        <g key={`n${at}`}>
          <line y1={projection.y(at)} y2={projection.y(at)} x1="0" x2={projection.width} />
          <text x="8" y={projection.y(at) - 5}>{degrees(at, "latitude", step(down))}</text>
        </g>
      ))}
    </g>
  );
}

/** A length that is round and about a hundred pixels long. */
function Ruler({ projection }: { projection: Projection }) {
  const metres = projection.metres * 110;
  const round = 10 ** Math.floor(Math.log10(metres));
  const length = [5, 2, 1].map((factor) => factor * round).find((one) => one <= metres) ?? round;
  const width = length / projection.metres;
  const [x, y] = [projection.width - width - 16, projection.height - 30];
  return (
    <g class="ruler">
      <path d={`M${x} ${y}v6h${width}v-6`} />
      <text x={x + width / 2} y={y - 2} text-anchor="middle">{length >= 1000 ? `${count(length / 1000)} km` : `${count(length)} m`}</text>
    </g>
  );
}

export function PlacesMap({ places }: { places: readonly Placed[] }) {
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  const [zoom, setZoom] = useState<Extent | undefined>(undefined);
  const [chosen, choose] = useState<readonly Placed[]>([]);
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    setWidth(element.clientWidth);
    const observer = new ResizeObserver(() => setWidth(element.clientWidth));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  const projection = new Projection(zoom ?? extentOf(places), Math.max(1, width), HEIGHT);
  const open = (members: readonly Placed[]) => {
    const extent = extentOf(members);
    const seen = projection.seen();
    // What stands on one spot cannot be spread any further: it is named instead.
    if (extent.east - extent.west > (seen.east - seen.west) * 0.9) return choose(members);
    choose([]);
    setZoom(extent);
  };
  return (
    <div class="map">
      <div ref={box}>
        {width > 0 && (
          <svg width={width} height={HEIGHT} role="group" aria-label={`Map of ${plural(places.length, "thing")}`}>
            <Lines projection={projection} />
            {clustered(places, projection, CELL).map(({ x, y, members }) => {
              const [only] = members as [Placed];
              if (members.length === 1) {
                return (
                  <a key={only.id} href={href.thing(only.id)} class="place">
                    <circle cx={x} cy={y} r="7" />
                    <text x={x + 12} y={y + 4}>{plain(only.name, 28)}</text>
                  </a>
                );
              }
              const say = `${plural(members.length, "thing")}: look closer`;
              return (
                <a
                  key={members.map((one) => one.id).slice(0, 3).join()}
                  href="/things?show=map"
                  role="button"
                  class="place many"
                  aria-label={say}
                  onClick={(event) => {
                    event.preventDefault();
                    event.stopPropagation();
                    open(members);
                  }}
                >
                  <title>{say}</title>
                  <circle cx={x} cy={y} r={Math.min(21, 11 + Math.log2(members.length) * 1.6)} />
                  <text x={x} y={y + 4.5} text-anchor="middle">{members.length > 999 ? `${Math.round(members.length / 1000)}k` : members.length}</text>
                </a>
              );
            })}
            <Ruler projection={projection} />
          </svg>
        )}
      </div>
      <div class="row map-foot">
        <button type="button" class="button small" disabled={!zoom} onClick={() => { setZoom(undefined); choose([]); }}>All places</button>
        {chosen.length > 0 && (
          <p>At one place: {chosen.slice(0, NAMED_MAX).map((one, at) => <span key={one.id}>{at > 0 && ", "}<a href={href.thing(one.id)}><bdi>{plain(one.name, 40)}</bdi></a></span>)}{chosen.length > NAMED_MAX && ` and ${count(chosen.length - NAMED_MAX)} more`}</p>
        )}
      </div>
    </div>
  );
}
