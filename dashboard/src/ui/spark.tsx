/** Small pictures of a few numbers: bars for rates, a line for values. */

/** Bars, the newest at the right. */
export function Bars(props: { values: number[]; slots: number; label: string }) {
  const top = Math.max(1e-9, ...props.values);
  const width = 100 / props.slots;
  const offset = props.slots - props.values.length;
  return (
    <svg class="bars" viewBox="0 0 100 28" preserveAspectRatio="none" role="img" aria-label={props.label}>
      {props.values.map((value, at) => {
        const height = Math.max(value > 0 ? 1 : 0.4, (value / top) * 27);
        return <rect key={at} x={(offset + at) * width} y={28 - height} width={width * 0.72} height={height} rx="0.4" />;
      })}
    </svg>
  );
}

/** A line through values, scaled to fill its box. */
export function Spark(props: { values: number[] }) {
  const { values } = props;
  if (values.length < 2) return <svg class="spark" viewBox="0 0 100 28" aria-hidden="true" />;
  const low = Math.min(...values);
  const span = Math.max(...values) - low || 1;
  const points = values.map((value, at) => {
    const x = (at / (values.length - 1)) * 100;
    return `${x.toFixed(1)},${(25 - ((value - low) / span) * 22).toFixed(1)}`;
  });
  return (
    <svg class="spark" viewBox="0 0 100 28" preserveAspectRatio="none" aria-hidden="true">
      <polyline points={points.join(" ")} />
    </svg>
  );
}
