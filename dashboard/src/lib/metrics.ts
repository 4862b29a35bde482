/** Figures without labels from the text form of Prometheus. */
export function parseMetrics(text: string): Map<string, number> {
  const figures = new Map<string, number>();
  for (const line of text.split("\n")) {
    const match = /^([a-z_]+) ([0-9.e+-]+)$/.exec(line);
    if (match?.[1]) figures.set(match[1], Number(match[2]));
  }
  return figures;
}
