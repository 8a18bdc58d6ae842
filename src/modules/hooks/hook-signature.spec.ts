import { describe, expect, it } from '@jest/globals';
import { Webhook } from 'standardwebhooks';
import { isSigned, newHookSecret, signedHeadersOf } from './hook-signature.js';

const secret = newHookSecret();
const body = Buffer.from('{"ref":"main"}');

function signed(at: Date, id = 'msg_1', text: Buffer = body): { id: string; timestamp: string; signature: string } {
  return { id, timestamp: String(Math.floor(at.getTime() / 1_000)), signature: new Webhook(secret).sign(id, at, text) };
}
const minutes = (count: number): Date => new Date(Date.now() + count * 60_000);

describe('R39: signatures of deploy hooks', () => {
  it('are good for five minutes, from either side', () => {
    expect(isSigned(secret, signed(minutes(0)), body)).toBe(true);
    expect(isSigned(secret, signed(minutes(-4.9)), body)).toBe(true);
    expect(isSigned(secret, signed(minutes(-5.1)), body)).toBe(false);
    expect(isSigned(secret, signed(minutes(5.1)), body)).toBe(false);
  });

  it('cover the id, the time and every byte of the body', () => {
    const good = signed(minutes(0));
    expect(isSigned(secret, { ...good, id: 'msg_2' }, body)).toBe(false);
    expect(isSigned(secret, { ...good, timestamp: String(Number(good.timestamp) + 1) }, body)).toBe(false);
    expect(isSigned(secret, good, Buffer.from('{"ref":"main" }'))).toBe(false);
    expect(isSigned(newHookSecret(), good, body)).toBe(false);
    expect(isSigned(secret, { ...good, signature: '' }, body)).toBe(false);
    expect(isSigned(secret, { ...good, signature: 'v1,AAAA v1a,xyz v1' }, body)).toBe(false);
    expect(isSigned(secret, { ...good, signature: `v1,AAAA ${good.signature}` }, body)).toBe(true);
  });

  it('work for a body that is empty or no JSON', () => {
    for (const text of ['', 'ref=main', '{'])
      expect(isSigned(secret, signed(minutes(0), 'm', Buffer.from(text)), Buffer.from(text))).toBe(true);
  });

  it('are read from exactly the three headers', () => {
    const headers = { 'webhook-id': 'm', 'webhook-timestamp': '1700000000', 'webhook-signature': 'v1,x' };
    expect(signedHeadersOf(headers)).toEqual({ id: 'm', timestamp: '1700000000', signature: 'v1,x' });
    for (const name of Object.keys(headers)) expect(signedHeadersOf({ ...headers, [name]: undefined })).toBeUndefined();
    for (const id of ['', 'a b', 'x'.repeat(201), 'é']) expect(signedHeadersOf({ ...headers, 'webhook-id': id })).toBeUndefined();
    for (const timestamp of ['', '1e9', ' 1', '-1', '12abc'])
      expect(signedHeadersOf({ ...headers, 'webhook-timestamp': timestamp })).toBeUndefined();
  });

  it('come from secrets of 256 bits', () => {
    expect(Buffer.from(secret.slice('whsec_'.length), 'base64')).toHaveLength(32);
    expect(newHookSecret()).not.toBe(secret);
  });
});
