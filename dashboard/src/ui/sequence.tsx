/** A sequence diagram: who speaks with whom, each message linked to what came of it on the ledger. */

import type { ComponentChildren } from "preact";

/** A lifeline. */
export interface Lane {
  role: string;
  name: string;
  /** Whether it is of the network itself, rather than of who uses it. */
  inside: boolean;
}

/** A message between two lanes. */
export interface Message {
  step: string;
  from: number;
  to: number;
  text: string;
  link: string;
  /** Several peers at once: a band rather than an arrow. */
  wide?: boolean;
}

const COLUMN = 200;
/** Widest a lane is drawn, px. */
const COLUMN_MAX = 264;
const TOP = 74;
const ROW = 56;

function Arrow({ message, row, x, y }: { message: Message; row: number; x: (column: number) => number; y: number }) {
  const [from, to] = [x(message.from), x(message.to)];
  const [left, right] = [Math.min(from, to), Math.max(from, to)];
  const towards = to > from ? -2 : 2;
  const wide = message.step.length > 2;
  // Clear of the tip of an arrow that points here.
  const at = left + (to < from && !message.wide ? 14 : 0);
  return (
    <a href={message.link} class="arrow" style={{ animationDelay: `${row * 120}ms` }}>
      <rect class="arrow-hit" x={left - 4} y={y - 32} width={right - left + 8} height="50" rx="8" />
      {message.wide ? (
        <>
          <rect class="arrow-band" x={left - 14} y={y - 29} width={right - left + 28} height="46" rx="23" />
          <line x1={left + 8} x2={right - 8} y1={y + 8} y2={y + 8} marker-end="url(#tip)" marker-start="url(#tip)" />
        </>
      ) : (
        <line x1={from} x2={to + towards} y1={y + 2} y2={y + 2} marker-end="url(#tip)" />
      )}
      {wide ? <rect class="arrow-mark" x={at + 9} y={y - 25} width="34" height="22" rx="11" /> : <circle cx={at + 20} cy={y - 14} r="11" />}
      <text x={at + (wide ? 26 : 20)} y={y - 10} text-anchor="middle" class="arrow-step">{message.step}</text>
      <text x={at + (wide ? 50 : 38)} y={y - 10} class="arrow-text">{message.text}</text>
    </a>
  );
}

export function Sequence({ label, lanes, messages, children }: { label: string; lanes: readonly Lane[]; messages: readonly Message[]; children?: ComponentChildren }) {
  const x = (column: number) => COLUMN / 2 + column * COLUMN;
  const y = (row: number) => TOP + 62 + row * ROW;
  const height = y(messages.length) - 20;
  return (
    <div class="sequence" tabIndex={0} role="region" aria-label={label}>
      <svg viewBox={`0 0 ${lanes.length * COLUMN} ${height}`} role="group" style={{ maxWidth: `${lanes.length * COLUMN_MAX}px` }} aria-label={messages.map((one) => `step ${one.step}, ${one.text}`).join("; ")}>
        <defs>
          <marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" orient="auto-start-reverse"><path d="M1 1 9 5 1 9" class="tip" /></marker>
        </defs>
        {lanes.map((lane, at) => (
          <g key={at} class={`lifeline ${lane.inside ? "bot" : "dapp"}`}>
            <line x1={x(at)} x2={x(at)} y1={TOP} y2={height - 6} />
            <rect x={x(at) - 88} y="8" width="176" height={TOP - 12} rx="11" />
            <text x={x(at)} y="31" text-anchor="middle" class="life-role">{lane.role}</text>
            <text x={x(at)} y="51" text-anchor="middle" class="life-name">{lane.name}</text>
          </g>
        ))}
        {messages.map((message, row) => <Arrow key={row} message={message} row={row} x={x} y={y(row)} />)}
      </svg>
      {children}
    </div>
  );
}
