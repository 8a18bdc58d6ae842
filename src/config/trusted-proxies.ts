import { isIP } from 'node:net';
import { ValidateBy } from 'class-validator';

/** How many proxies stand in front, or which; in the form that Express takes. Empty: none is believed. */
export type TrustedProxies = number | string[];

const NAMED_NETWORKS = ['loopback', 'linklocal', 'uniquelocal'];

/** Reads a number of hops, or a list of addresses and networks. */
export function parseTrustedProxies(text: string): TrustedProxies {
  if (/^\s*\d+\s*$/.test(text)) return Number(text);
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

/** Accepts `TrustedProxies`: at most 10 hops, or addresses, networks in CIDR notation and the names of networks. */
export function IsTrustedProxies(): PropertyDecorator {
  return ValidateBy({
    name: 'isTrustedProxies',
    validator: {
      validate: (value: TrustedProxies) => (typeof value === 'number' ? value <= 10 : value.every(isAddressOrNetwork)),
      defaultMessage: () => 'must be a number of proxies up to 10, or addresses and networks',
    },
  });
}

function isAddressOrNetwork(text: string): boolean {
  if (NAMED_NETWORKS.includes(text)) return true;
  const [address = '', length, ...rest] = text.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0) return false;
  return length === undefined || (/^\d{1,3}$/.test(length) && Number(length) <= (version === 4 ? 32 : 128));
}
