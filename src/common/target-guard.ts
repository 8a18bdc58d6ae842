import { lookup as resolve } from 'node:dns';
import { BlockList, type LookupFunction, isIP } from 'node:net';
import { DomainError } from './domain-error.js';

/** IANA's special-purpose registries: loopback, private, link-local, shared, documentation, multicast and reserved networks. */
const NOT_PUBLIC_4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
];
/** Of IPv6 only 2000::/3 is given out; these parts of it lead elsewhere: Teredo and others, documentation, 6to4. */
const NOT_PUBLIC_6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'];

/**
 * Decides which addresses the control plane may connect to on behalf of a configured URL: public ones, and the private networks that the
 * operator allowed. Its `lookup` resolves and decides in one, so that the address that was checked is the one that is used.
 */
export class TargetGuard {
  private readonly refused4 = blockListOf(NOT_PUBLIC_4);
  private readonly refused6 = blockListOf(NOT_PUBLIC_6);
  private readonly global6 = blockListOf(['2000::/3']);
  private readonly allowed: BlockList;

  constructor(allowedNetworks: readonly string[]) {
    this.allowed = blockListOf(allowedNetworks);
  }

  /** Whether the operator has named the network of this address. */
  isAllowedPrivate(address: string): boolean {
    return this.allowed.check(address, familyOf(address));
  }

  /** Whether a connection to this address may be made. */
  permits(address: string): boolean {
    if (isIP(address) === 0) return false;
    if (this.isAllowedPrivate(address)) return true;
    if (isIP(address) === 4) return !this.refused4.check(address, 'ipv4');
    return this.global6.check(address, 'ipv6') && !this.refused6.check(address, 'ipv6');
  }

  /** Throws `TARGET_REFUSED` when the host of a URL is an address that may not be connected to; names are for `lookup`. */
  assertHost(hostname: string): void {
    const address = hostname.replace(/^\[|\]$/g, '');
    if (isIP(address) !== 0 && !this.permits(address)) throw targetRefused(hostname, address);
  }

  /** For `net`, `tls`, `http` and `https`: resolves a name, and fails when any of its addresses is refused. */
  readonly lookup: LookupFunction = (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) {
        callback(error, '', 0);
        return;
      }
      const refused = addresses.find(({ address }) => !this.permits(address));
      const [first] = addresses;
      if (first === undefined) callback(new Error(`${hostname} has no address`), '', 0);
      else if (refused !== undefined) callback(targetRefused(hostname, refused.address), '', 0);
      else if (options.all === true) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
}

function targetRefused(hostname: string, address: string): DomainError {
  return new DomainError('invalid', 'TARGET_REFUSED', `${hostname} is ${address}, which is not a public address.`, {
    fix: 'If it is meant, the operator allows its network with HITHE_PRIVATE_TARGETS.',
  });
}

function blockListOf(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', prefix = ''] = network.split('/');
    list.addSubnet(address, Number(prefix), familyOf(address));
  }
  return list;
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return address.includes(':') ? 'ipv6' : 'ipv4';
}
