import { renderUnicodeCompact } from 'uqr';

/** The text as a QR code for a terminal: two rows of it in each line, dark on light, which scanners want. */
export function qrCode(text: string): string {
  return renderUnicodeCompact(text, { border: 2 });
}
