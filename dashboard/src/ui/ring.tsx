/** The network as an assembly: its peers in a ring, by organisation, around the block they agree on. */

import { count, duration, plain } from "../lib/format.ts";
import type { Block, Peer } from "../lib/model.ts";
import { silence, SILENT_MS } from "../lib/sentence.ts";
import { href } from "../router.ts";

const SIZE = { width: 600, height: 380 };
const CENTRE = { x: SIZE.width / 2, y: SIZE.height / 2 };
const RING = 132;
/** Beyond so many peers only the picture is drawn; the names are in the list beside it. */
const NAMED_MAX = 12;

interface Seat {
  peer: Peer;
  angle: number;
  x: number;
  y: number;
}

/** Peers of one organisation sit side by side; organisations follow each other by name. */
export function seats(peers: readonly Peer[]): Seat[] {
  const order = [...peers].sort(
    (a, b) => a.organisation_name.localeCompare(b.organisation_name) || a.organisation.localeCompare(b.organisation) || a.name.localeCompare(b.name),
  );
  return order.map((peer, at) => {
    const angle = (at / order.length) * 2 * Math.PI - Math.PI / 2 - (order.length === 4 ? Math.PI / 4 : 0);
    return { peer, angle, x: CENTRE.x + RING * Math.cos(angle), y: CENTRE.y + RING * Math.sin(angle) };
  });
}

interface Arc {
  organisation: string;
  from: number;
  to: number;
}

/** Where each organisation sits: from its first peer to its last. */
export function arcs(placed: readonly Seat[]): Arc[] {
  const found: Arc[] = [];
  for (const { peer, angle } of placed) {
    const last = found.at(-1);
    if (last?.organisation === peer.organisation) last.to = angle;
    else found.push({ organisation: peer.organisation, from: angle, to: angle });
  }
  return found;
}

function along(angle: number): string {
  return `${(CENTRE.x + RING * Math.cos(angle)).toFixed(1)} ${(CENTRE.y + RING * Math.sin(angle)).toFixed(1)}`;
}

/** The bench of an organisation; that of a single peer is a round spot. */
function Bench({ arc }: { arc: Arc }) {
  const large = arc.to - arc.from > Math.PI ? 1 : 0;
  const path = arc.from === arc.to ? `M${along(arc.from)}h0.01` : `M${along(arc.from)}A${RING} ${RING} 0 ${large} 1 ${along(arc.to)}`;
  return <path class="bench" d={path} />;
}

type Part = "proposed" | "signed" | "idle" | "silent";

const SAID: Record<Part, string> = {
  proposed: "proposed",
  signed: "signed",
  idle: "not in this quorum",
  silent: "silent",
};

function partOf(peer: Peer, block: Block | undefined, peers: readonly Peer[]): Part {
  if (peer.role === "validator" && silence(peer, peers) > SILENT_MS) return "silent";
  if (block?.proposer === peer.key) return "proposed";
  return block?.signers.includes(peer.key) ? "signed" : "idle";
}

/** What each peer did, in words; the proposer as a rule signs too. */
function saying(peer: Peer, part: Part, block: Block | undefined): string {
  if (part === "proposed" && block?.signers.includes(peer.key)) return "proposed, signed";
  return SAID[part];
}

function Label({ seat, text }: { seat: Seat; text: string }) {
  const out = RING + 40;
  const x = CENTRE.x + out * Math.cos(seat.angle);
  const y = CENTRE.y + out * Math.sin(seat.angle);
  const side = Math.cos(seat.angle);
  const anchor = side > 0.25 ? "start" : side < -0.25 ? "end" : "middle";
  const shift = anchor === "middle" ? (Math.sin(seat.angle) < 0 ? -14 : 16) : 0;
  return (
    <text x={x} y={y + shift} text-anchor={anchor} class="seat-label">
      <tspan x={x} class="seat-name">{plain(seat.peer.organisation_name, 22)}</tspan>
      <tspan x={x} dy="16" class="seat-said">{plain(seat.peer.name, 18)} · {text}</tspan>
    </text>
  );
}

export function Ring({ peers, block }: { peers: Peer[]; block: Block | undefined }) {
  const placed = seats(peers);
  const validators = peers.filter((peer) => peer.role === "validator").length;
  const said = block
    ? `Block ${block.height}: signed by ${block.signers.length} of ${validators} peers.`
    : "No block is known yet.";
  return (
    <figure class="ring">
      <svg viewBox={`0 0 ${SIZE.width} ${SIZE.height}`} role="group" aria-label={said}>
        <circle class="ring-line" cx={CENTRE.x} cy={CENTRE.y} r={RING} />
        {arcs(placed).map((arc) => <Bench key={arc.organisation} arc={arc} />)}
        {placed.map((seat) => {
          const part = partOf(seat.peer, block, peers);
          const signed = block?.signers.includes(seat.peer.key) ?? false;
          return (
            <line
              // A new block draws its lines anew, which starts their animation.
              key={`${seat.peer.key}-${block?.height}`}
              class={`vote ${part} ${signed ? "yes" : ""}`}
              x1={seat.x}
              y1={seat.y}
              x2={CENTRE.x + 56 * Math.cos(seat.angle)}
              y2={CENTRE.y + 56 * Math.sin(seat.angle)}
            />
          );
        })}
        <a href={block ? href.block(block.height) : "/ledger"}>
          <circle class="hub" cx={CENTRE.x} cy={CENTRE.y} r="56" />
          <circle class="hub-pulse" key={block?.height} cx={CENTRE.x} cy={CENTRE.y} r="56" />
          <text class="hub-small" x={CENTRE.x} y={CENTRE.y - 20} text-anchor="middle">block</text>
          <text class={`hub-height ${(block?.height ?? 0) > 9_999_999 ? "long" : ""}`} x={CENTRE.x} y={CENTRE.y + 8} text-anchor="middle">
            {block ? count(block.height) : "—"}
          </text>
          <text class="hub-small" x={CENTRE.x} y={CENTRE.y + 28} text-anchor="middle">
            {block ? `${block.signers.length} of ${validators} signed` : ""}
          </text>
        </a>
        {placed.map((seat) => {
          const part = partOf(seat.peer, block, peers);
          return (
            <g key={seat.peer.key} class={`seat ${part} ${seat.peer.role}`}>
              <circle class="seat-halo" cx={seat.x} cy={seat.y} r="22" />
              <circle class="seat-stone" cx={seat.x} cy={seat.y} r="14" />
              {part === "proposed" && <circle class="seat-crown" cx={seat.x} cy={seat.y} r="5" />}
              {part === "signed" && <path class="seat-tick" d={`m${seat.x - 5} ${seat.y + 0.5} 3.600 3.800 6.800-8`} />}
              {placed.length <= NAMED_MAX && <Label seat={seat} text={saying(seat.peer, part, block)} />}
              <title>{`${plain(seat.peer.name)}, ${plain(seat.peer.organisation_name)}: ${SAID[part]}`}</title>
            </g>
          );
        })}
      </svg>
      <figcaption>
        <ul class={`seats ${placed.length <= NAMED_MAX ? "narrow-only" : ""}`}>
          {placed.map((seat) => {
            const part = partOf(seat.peer, block, peers);
            const ms = silence(seat.peer, peers);
            const late = part === "silent" && Number.isFinite(ms) ? ` ${duration(ms)}` : "";
            return (
              <li key={seat.peer.key} class={part}>
                <span class="stone" aria-hidden="true" />
                <a href={href.entity(seat.peer.id)}><bdi>{plain(seat.peer.name, 40)}</bdi></a>{" "}
                <span class="muted"><bdi>{plain(seat.peer.organisation_name, 40)}</bdi> · {saying(seat.peer, part, block)}{late}</span>
              </li>
            );
          })}
        </ul>
      </figcaption>
    </figure>
  );
}
