import { NotFoundException, PayloadTooLargeException } from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import { DomainError, ERROR_KINDS } from '../common/domain-error.js';
import { PROBLEMS, problemOf } from './problem.js';

const of = (error: unknown) => problemOf(error, '/api/v1/x', 'request-1');

describe('problemOf', () => {
  it.each(ERROR_KINDS)('gives %s its status', (kind) => {
    expect(of(new DomainError(kind, 'SOME_CODE', 'message')).status).toBe(PROBLEMS[kind].status);
  });

  it('carries code, message, mend and faults', () => {
    const faults = [{ path: 'a', code: 'B', message: 'c' }];
    expect(of(new DomainError('invalid', 'SOME_CODE', 'message', { fix: 'do this', faults }))).toEqual({
      type: 'urn:hithe:problem:some-code',
      title: 'The request is not valid',
      status: 400,
      code: 'SOME_CODE',
      detail: 'message',
      instance: '/api/v1/x',
      requestId: 'request-1',
      fix: 'do this',
      errors: faults,
    });
  });

  it.each([
    ['an ordinary error', new Error('password=hunter2')],
    ['an internal one', new DomainError('internal', 'LEAK', 'password=hunter2')],
    ['an error of the database', Object.assign(new Error('duplicate key (hunter2)'), { code: '23505' })],
    ['a server error of the library', Object.assign(new Error('hunter2'), { status: 502 })],
    ['something that is no error', 'hunter2'],
  ])('masks %s', (_name, error) => {
    const problem = of(error);
    expect(problem).toMatchObject({ status: 500, code: 'INTERNAL', fix: expect.stringContaining('request-1') });
    expect(JSON.stringify(problem)).not.toContain('hunter2');
  });

  it('keeps what a library blames on the client', () => {
    expect(of(new NotFoundException('Cannot GET /x'))).toMatchObject({ status: 404, code: 'ROUTE_NOT_FOUND' });
    expect(of(new PayloadTooLargeException())).toMatchObject({ status: 413, code: 'BODY_TOO_LARGE' });
    expect(of(Object.assign(new Error('bad'), { status: 400 }))).toMatchObject({ status: 400, code: 'REQUEST_INVALID' });
  });
});
