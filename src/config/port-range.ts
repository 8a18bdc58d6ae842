import { ValidateBy } from 'class-validator';

/** Inclusive range of network ports. */
export interface PortRange {
  first: number;
  last: number;
}

/** Reads `FIRST-LAST`; anything else becomes a range that `IsPortRange` refuses. */
export function parsePortRange(text: string): PortRange {
  const match = /^\s*(\d{1,5})\s*-\s*(\d{1,5})\s*$/.exec(text);
  return { first: Number(match?.[1]), last: Number(match?.[2]) };
}

/** Accepts a `PortRange` of unprivileged network ports in ascending order. */
export function IsPortRange(): PropertyDecorator {
  return ValidateBy({
    name: 'isPortRange',
    validator: {
      validate: (value: PortRange) => value.first >= 1024 && value.first <= value.last && value.last <= 65_535,
      defaultMessage: () => 'must be FIRST-LAST within 1024-65535',
    },
  });
}
