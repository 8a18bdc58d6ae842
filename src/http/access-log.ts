import type { IncomingMessage, ServerResponse } from 'node:http';
import { pino } from 'pino';
import type { LogLevel } from '../config/config.js';
import { requestIdOf } from './request-id.js';

const QUIET = /^\/api\/v1\/health(?:\/|$)/;

/**
 * One JSON line on stdout for each answered request: id, method, path without its query, client, status, milliseconds. A logger of its own, since there
 * is nothing in these lines that would have to be blanked out; lines are written together, after 200 ms at the latest, and at the end.
 */
export function accessLog(level: LogLevel): (request: IncomingMessage, response: ServerResponse, next: () => void) => void {
  const logger = pino({ level }, pino.destination({ fd: 1, sync: false, minLength: 4_096, periodicFlush: 200 }));
  return (request, response, next) => {
    const path = (request.url ?? '').split('?', 1)[0] ?? '';
    if (!QUIET.test(path)) {
      const began = performance.now();
      const { remoteAddress } = request.socket;
      response.once('close', () => {
        logger[levelOf(response.statusCode)](
          {
            requestId: requestIdOf(request),
            req: { method: request.method, path, remoteAddress },
            res: { status: response.statusCode },
            responseTime: Math.round(performance.now() - began),
          },
          response.writableFinished ? 'request completed' : 'request aborted',
        );
      });
    }
    next();
  };
}

function levelOf(status: number): 'info' | 'warn' | 'error' {
  if (status >= 500) return 'error';
  return status >= 400 ? 'warn' : 'info';
}
