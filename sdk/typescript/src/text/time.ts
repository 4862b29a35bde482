// Times: milliseconds since 1970 (UTC) and RFC 3339.

const DAY_MS = 86_400_000n;
/** Days of 400 years of the Gregorian calendar, after which it repeats. */
const ERA_DAYS = 146_097n;

/**
 * Milliseconds since 1970 in the form of RFC 3339, UTC. Unlike `Date` it takes any number: a
 * hostile time is shown, not thrown at the reader.
 */
export function toRfc3339(ms: bigint | number): string {
  const total = BigInt(ms);
  const days = divideDown(total, DAY_MS);
  const rest = Number(total - days * DAY_MS);
  const [year, month, day] = date(days);
  const clock = [Math.floor(rest / 3_600_000), Math.floor(rest / 60_000) % 60, Math.floor(rest / 1000) % 60];
  const time = clock.map((part) => part.toString().padStart(2, '0')).join(':');
  return `${padded(year)}-${padded(month, 2)}-${padded(day, 2)}T${time}.${(rest % 1000).toString().padStart(3, '0')}Z`;
}

/** Milliseconds since 1970 of an RFC 3339 time; `undefined` if the text is none. */
export function fromRfc3339(text: string): number | undefined {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/.test(text)) return undefined;
  const ms = Date.parse(text);
  // `Date.parse` accepts the 31st of every month; what it makes of it has another day.
  const sound = new Date(`${text.slice(0, 10)}T00:00:00Z`).toJSON()?.startsWith(text.slice(0, 10)) === true;
  return Number.isNaN(ms) || !sound ? undefined : ms;
}

/** Year, month and day. Counts years that begin with March, so that the leap day is the last. */
function date(days: bigint): [bigint, bigint, bigint] {
  const shifted = days + 719_468n;
  const era = divideDown(shifted, ERA_DAYS);
  const inEra = shifted - era * ERA_DAYS;
  const year = (inEra - inEra / 1460n + inEra / 36_524n - inEra / (ERA_DAYS - 1n)) / 365n;
  const inYear = inEra - (365n * year + year / 4n - year / 100n);
  const month = (5n * inYear + 2n) / 153n;
  const day = inYear - (153n * month + 2n) / 5n + 1n;
  return month < 10n ? [era * 400n + year, month + 3n, day] : [era * 400n + year + 1n, month - 9n, day];
}

function divideDown(a: bigint, b: bigint): bigint {
  const quotient = a / b;
  return a % b < 0n ? quotient - 1n : quotient;
}

function padded(number: bigint, width = 4): string {
  const sign = number < 0n ? '-' : '';
  return sign + (number < 0n ? -number : number).toString().padStart(width - sign.length, '0');
}
