import type { IncomingMessage, ServerResponse } from 'node:http';
import { Logger, type Params } from 'nestjs-pino';
import type { Config } from '../config/config.js';
import { assignRequestId } from './request-id.js';

const SECRET_KEYS = [
  'password',
  'initialPassword',
  'refreshToken',
  'accessToken',
  'token',
  'credential',
  'secret',
  'authorization',
  'cookie',
];

/** Paths that pino blanks out, at the top and one and two levels down. */
export const REDACTED: string[] = SECRET_KEYS.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]);

const QUIET = /^\/api\/v1\/health(?:\/|$)/;

/** JSON log lines on stdout: one per answered request, all with its request id, none with a secret or a query string. */
export function loggingOptions(config: Config): Params {
  return {
    pinoHttp: {
      level: config.logLevel,
      redact: { paths: REDACTED, censor: '[redacted]' },
      genReqId: assignRequestId,
      quietReqLogger: true,
      customAttributeKeys: { reqId: 'requestId' },
      autoLogging: { ignore: (request: IncomingMessage) => QUIET.test(request.url ?? '') },
      customLogLevel: (_request: IncomingMessage, response: ServerResponse, error?: Error) => levelOf(response.statusCode, error),
      serializers: {
        req: (request: { method: string; url: string; remoteAddress?: string }) => ({
          method: request.method,
          path: request.url.split('?', 1)[0],
          remoteAddress: request.remoteAddress,
        }),
        res: (response: { statusCode: number }) => ({ status: response.statusCode }),
      },
    },
  };
}

function levelOf(status: number, error?: Error): 'info' | 'warn' | 'error' {
  if (error || status >= 500) return 'error';
  return status >= 400 ? 'warn' : 'info';
}

/** What Nest says of each module and route while it starts; of interest only when one is missing. */
const DETAILS_OF_START = new Set<unknown>(['InstanceLoader', 'RoutesResolver', 'RouterExplorer', 'NestFactory', 'NestApplication']);

/** Nest's logger on pino; what Nest says of itself while it starts is for `debug`. */
export class ControlPlaneLogger extends Logger {
  override log(message: unknown, ...parameters: unknown[]): void {
    if (DETAILS_OF_START.has(parameters.at(-1))) super.debug(message, ...parameters);
    else super.log(message, ...parameters);
  }
}
