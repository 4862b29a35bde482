// Exact decimals: a mantissa at a scale, never a binary float.

/** The text of a mantissa at a scale: 2150 at scale 2 is `21.50`. */
export function toDecimal(mantissa: bigint, scale: number): string {
  const digits = (mantissa < 0n ? -mantissa : mantissa).toString().padStart(scale + 1, '0');
  const sign = mantissa < 0n ? '-' : '';
  const whole = digits.slice(0, digits.length - scale);
  return scale === 0 ? sign + whole : `${sign}${whole}.${digits.slice(digits.length - scale)}`;
}

/** Longest text looked at: a longer one is no number a sensor sends. */
const CHARS_MAX = 64;
/** Farthest a number can be moved by its exponent and still have a meaning here. */
const SHIFT_MAX = 100;

/**
 * The mantissa of a decimal text at a scale: `21.5` at scale 2 is 2150. Accepts JSON's numbers.
 * Throws `RangeError` if it is no number, has more places than the scale, or exceeds 64 bits.
 */
export function parseDecimal(text: string, scale: number): bigint {
  const match = /^([+-]?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,4}))?$/.exec(text.slice(0, CHARS_MAX + 1));
  if (!match || text.length > CHARS_MAX) throw new RangeError(`\`${text.slice(0, CHARS_MAX)}\` is no decimal number`);
  const [, sign, whole = '', fraction = '', exponent = '0'] = match;
  const digits = BigInt(whole + fraction);
  const shift = Number(exponent) - fraction.length + scale;
  const magnitude = digits === 0n ? 0n : shifted(digits, shift, text);
  const mantissa = sign === '-' ? -magnitude : magnitude;
  if (BigInt.asIntN(64, mantissa) !== mantissa) throw new RangeError(`${text} does not fit 64 bits at scale ${scale}`);
  return mantissa;
}

function shifted(digits: bigint, shift: number, text: string): bigint {
  if (shift > SHIFT_MAX) throw new RangeError(`${text} is too large`);
  if (shift >= 0) return digits * 10n ** BigInt(shift);
  const divisor = 10n ** BigInt(-shift);
  if (digits % divisor !== 0n) throw new RangeError(`${text} has more decimal places than the scale`);
  return digits / divisor;
}
