const UNITS = ['K', 'M', 'G', 'T'] as const;
const QUANTITY = /^(\d{1,9}(?:\.\d{1,3})?)([KMGT])$/;

/** How an amount of memory or disk is written: a number and a unit, `512M`, `1.5G`. */
export const MEMORY_PATTERN = QUANTITY;

/** The bytes of `512M`; units are powers of 1024. Throws on anything else: check with `MEMORY_PATTERN` before. */
export function bytesOf(text: string): number {
  const [, number, unit] = QUANTITY.exec(text) ?? [];
  const power = UNITS.findIndex((each) => each === unit) + 1;
  if (number === undefined || power === 0) throw new TypeError(`"${text}" is not an amount such as 512M`);
  return Math.round(Number(number) * 1024 ** power);
}

/** Bytes as people read them: `1.5 GB`, `512 MB`; units are powers of 1024. */
export function humanBytes(bytes: number): string {
  let value = bytes;
  let unit = 'bytes';
  for (const next of UNITS) {
    if (Math.abs(value) < 1024) break;
    value /= 1024;
    unit = `${next}B`;
  }
  return `${Number(value.toFixed(value < 10 ? 2 : 1))} ${unit}`;
}
