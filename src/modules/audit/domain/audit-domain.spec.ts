import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type AuditRecord, GENESIS_HASH, hashOfRecord, jsonLineOf, recordOfJsonLine } from './audit-record.js';
import { ChainCheck, Problems } from './chain-check.js';
import { changesBetween } from './changes.js';
import { csvCell } from '../../../common/csv.js';
import { CSV_HEADER, csvLineOf } from './csv.js';
import { isSignedBy, keyIdOf, publicKeysOf, signatureOf, textOfHead } from './signed-statement.js';

function record(seq: number, previousHash: string, change: Partial<AuditRecord> = {}): AuditRecord {
  const event: AuditRecord = {
    seq,
    id: '0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55',
    at: '2026-01-31T09:30:00.123456Z',
    actorKind: 'user',
    actorId: '0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c56',
    actorEmail: 'zoë@example.org',
    sessionId: null,
    tokenId: null,
    part: null,
    address: '192.0.2.7',
    requestId: 'request-1',
    action: 'project.applied',
    outcome: 'success',
    teamId: null,
    projectId: null,
    subjectType: 'project',
    subjectId: '1',
    subjectName: 'guestbook',
    before: '{"version":1}',
    after: '{"version":2}',
    details: null,
    previousHash,
    hash: '',
    ...change,
  };
  return { ...event, hash: hashOfRecord(event) };
}

function chain(length: number): AuditRecord[] {
  const records: AuditRecord[] = [];
  for (let seq = 1; seq <= length; seq += 1) records.push(record(seq, records.at(-1)?.hash ?? GENESIS_HASH));
  return records;
}

function check(records: AuditRecord[], head = records.at(-1)): [string, number][] {
  const problems = new Problems();
  const walk = new ChainCheck({ seq: 0, hash: GENESIS_HASH }, problems);
  for (const each of records) walk.add(each);
  if (head) walk.end(head);
  return problems.found.map(({ problem, seq }) => [problem, seq]);
}

describe('the hash of an event', () => {
  it('is of a documented form', () => {
    // From docs/audit.md's recipe by other means: printf and sha256sum.
    expect(hashOfRecord(record(1, GENESIS_HASH))).toBe('5a037dad95865ae60f33dbe4d85027a863d66ec9ef01a24e4796d5faa23456af');
  });

  it('changes with every field, and with what moves from one field into the next', () => {
    const base = record(1, GENESIS_HASH);
    const hashes = new Set([base.hash]);
    const keys = Object.keys(base).filter((key) => key !== 'hash' && key !== 'previousHash' && key !== 'seq');
    for (const key of keys) hashes.add(hashOfRecord({ ...base, [key]: 'x' }));
    hashes.add(hashOfRecord({ ...base, seq: 2 }));
    hashes.add(hashOfRecord({ ...base, previousHash: 'f'.repeat(64) }));
    hashes.add(hashOfRecord({ ...base, before: null, after: '' }));
    hashes.add(hashOfRecord({ ...base, before: '', after: null }));
    hashes.add(hashOfRecord({ ...base, subjectId: '1,2:ab', subjectName: 'c' }));
    hashes.add(hashOfRecord({ ...base, subjectId: '1', subjectName: '2:ab,c' }));
    expect(hashes.size).toBe(keys.length + 7);
  });

  it('survives a line of JSON, whatever is in it', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 3 }), fc.string({ unit: 'binary' }), (json, text) => {
        const event = record(7, GENESIS_HASH, { before: JSON.stringify(JSON.parse(json)), subjectName: text });
        // null is how JSON says that a part is absent.
        if (event.before === 'null') return;
        expect(recordOfJsonLine(jsonLineOf(event))).toEqual(event);
      }),
      { numRuns: 50 },
    );
  });
});

describe('the check of a chain', () => {
  it('finds nothing in a whole one', () => {
    expect(check(chain(5))).toEqual([]);
  });

  it('R40: names an edited event, a replaced one and missing ones', () => {
    const records = chain(9);
    const edited = records.map((each) => (each.seq === 3 ? { ...each, actorEmail: 'mallory@example.org' } : each));
    expect(check(edited)).toEqual([['edited', 3]]);
    const replaced = records.map((each) => (each.seq === 4 ? record(4, each.previousHash, { action: 'nothing.happened' }) : each));
    expect(check(replaced)).toEqual([['edited', 4]]);
    expect(check(records.filter(({ seq }) => seq !== 2 && seq !== 3 && seq !== 7))).toEqual([
      ['missing', 2],
      ['missing', 7],
    ]);
    expect(check(records.filter(({ seq }) => seq !== 1))).toEqual([['missing', 1]]);
  });

  it('R41: finds a cut tail, and a head that was turned back', () => {
    const records = chain(5);
    expect(check(records.slice(0, 3), records[4])).toEqual([['cut', 4]]);
    expect(check(records, records[2])).toEqual([['head-mismatch', 3]]);
  });
});

describe('changes', () => {
  it.each([
    [
      { a: 1, b: { c: 2, d: 3 } },
      { a: 1, b: { c: 4, d: 3 } },
      { before: { b: { c: 2 } }, after: { b: { c: 4 } } },
    ],
    [{ a: 1 }, { b: 2 }, { before: { a: 1 }, after: { b: 2 } }],
    [{ a: [1, { x: 1 }] }, { a: [1, { x: 1 }] }, {}],
    [{ a: [1] }, { a: [1, 2] }, { before: { a: [1] }, after: { a: [1, 2] } }],
    [{ a: null }, { a: undefined }, { before: { a: null } }],
    [undefined, { a: 1 }, { after: { a: 1 } }],
    [{ a: { b: 1 } }, { a: 'b' }, { before: { a: { b: 1 } }, after: { a: 'b' } }],
  ])('between %j and %j are %j', (before, after, expected) => {
    expect(changesBetween(before, after)).toEqual(expected);
  });
});

describe('a line of CSV', () => {
  it('has a cell for each column, and no formula', () => {
    const line = csvLineOf(record(1, GENESIS_HASH, { subjectName: '=HYPERLINK("http://example.org")', part: 'a\nb' }));
    expect(line).toContain(`"'=HYPERLINK(""http://example.org"")"`);
    expect(line).toContain('"a\nb"');
    expect(CSV_HEADER.split(',')).toHaveLength(23);
  });

  it.each(['=1', '+1', '-1', '@x', '\tx', '\rx'])('starts %j with an apostrophe', (text) => {
    expect(csvCell(text)).toMatch(/^"'/);
  });
});

describe('a signed head', () => {
  const head = { installation: '0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55', seq: 7, hash: 'ab', at: '2026-01-31T09:30:00.000Z' };
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const keys = publicKeysOf(publicKey.export({ type: 'spki', format: 'pem' }).toString());
  const signed = { ...head, keyId: keyIdOf(publicKey), signature: signatureOf(textOfHead(head), privateKey) };

  it('is known by its key, and by nothing else', () => {
    expect(isSignedBy(keys, signed, textOfHead(signed))).toBe(true);
    expect(isSignedBy(keys, signed, textOfHead({ ...signed, seq: 6 }))).toBe(false);
    expect(isSignedBy(keys, { ...signed, keyId: 'another' }, textOfHead(signed))).toBe(false);
    expect(isSignedBy(keys, { ...signed, signature: 'AAAA' }, textOfHead(signed))).toBe(false);
  });
});
