import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, expect, it } from '@jest/globals';
import { newId } from '../common/ids.js';
import { assertIfMatch, etagOf } from './etag.js';
import { encodeEvent } from './event-streams.js';
import { REDACTED } from './logging.js';
import { decodeCursor, encodeCursor } from './pagination.js';
import { assignRequestId } from './request-id.js';

describe('cursors', () => {
  it('come back as they went', () => {
    const id = newId();
    expect(decodeCursor(encodeCursor(id))).toBe(id);
  });

  it.each(['', 'abc', Buffer.from("' OR 1=1").toString('base64url')])('that we did not make are refused: %s', (cursor) => {
    expect(() => decodeCursor(cursor)).toThrow(expect.objectContaining({ code: 'CURSOR_INVALID' }));
  });
});

describe('assertIfMatch', () => {
  it.each([
    [undefined, undefined],
    [undefined, 3],
    ['"3"', 3],
    ['"1", "3"', 3],
    ['*', 3],
  ])('lets %s pass for version %s', (header, version) => {
    expect(() => {
      assertIfMatch(header, version);
    }).not.toThrow();
  });

  it.each([
    ['"2"', 3],
    ['3', 3],
    ['*', undefined],
    [etagOf(1), undefined],
  ])('refuses %s for version %s', (header, version) => {
    expect(() => {
      assertIfMatch(header, version);
    }).toThrow(expect.objectContaining({ kind: 'precondition' }));
  });
});

describe('request ids', () => {
  const assign = (given?: string) => {
    const headers: Record<string, string> = {};
    const id = assignRequestId(
      { headers: given === undefined ? {} : { 'x-request-id': given } } as unknown as IncomingMessage,
      { setHeader: (name: string, value: string) => (headers[name] = value) } as unknown as ServerResponse,
    );
    return { id, header: headers['X-Request-Id'] };
  };

  it('are taken from the client when they are harmless', () => {
    expect(assign('client-request-1')).toEqual({ id: 'client-request-1', header: 'client-request-1' });
  });

  it.each(['short', 'line\nbreak-in-it', 'x'.repeat(65), '<script>alert(1)'])('are ours when the client’s is not: %j', (given) => {
    expect(assign(given).id).not.toBe(given);
  });
});

describe('events', () => {
  it('are written by the standard', () => {
    expect(encodeEvent({ id: 7, event: 'state', data: { text: 'a\nb' } })).toBe('id: 7\nevent: state\ndata: {"text":"a\\nb"}\n\n');
  });

  it('cannot be forged by a line break', () => {
    expect(encodeEvent({ id: '7\ndata: evil', event: 'a\rb', data: 1 })).toBe('id: 7 data: evil\nevent: a b\ndata: 1\n\n');
  });
});

describe('log redaction', () => {
  it('covers secrets at the top and below', () => {
    expect(REDACTED).toEqual(expect.arrayContaining(['password', '*.refreshToken', '*.*.authorization']));
  });
});
