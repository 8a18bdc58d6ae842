import { describe, expect, it } from '@jest/globals';
import { parseSocketTable } from './listeners.js';

const HEADER = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode';

describe('parseSocketTable', () => {
  it('reads IPv4 listeners and leaves connections out', () => {
    const text = [
      HEADER,
      '   0: 0100007F:1538 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1900000001        0 23966 1 0000000000000000 100 0 0 10 0',
      '   1: 0100007F:1538 0100007F:D431 01 00000000:00000000 00:00000000 00000000     0        0 23967 1 0000000000000000 20 4 30 10 -1',
    ].join('\n');
    expect(parseSocketTable(text)).toEqual([{ address: '127.0.0.1', port: 5432, uid: 1900000001, inode: 23966 }]);
  });

  it('reads IPv6 listeners in their short form', () => {
    const row = (address: string) =>
      `${HEADER}\n   0: ${address}:1B9E 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000  0  0 5 1 0`;
    expect(parseSocketTable(row('00000000000000000000000000000000'))[0]?.address).toBe('::');
    expect(parseSocketTable(row('00000000000000000000000001000000'))[0]).toEqual({ address: '::1', port: 7070, uid: 0, inode: 5 });
  });
});
