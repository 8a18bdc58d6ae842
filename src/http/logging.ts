import { Logger, type Params } from 'nestjs-pino';
import { requestContext } from '../common/request-context.js';
import type { Config } from '../config/config.js';

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

/**
 * JSON log lines on stdout, none with a secret; those of a request have its id. Requests themselves are the business of `accessLog`: a child logger for each
 * request, as nestjs-pino makes them, cost a tenth of reading a project.
 */
export function loggingOptions(config: Config): Params {
  return {
    forRoutes: [],
    pinoHttp: {
      level: config.logLevel,
      redact: { paths: REDACTED, censor: '[redacted]' },
      autoLogging: false,
      mixin: () => {
        const requestId = requestContext()?.requestId;
        return requestId === undefined ? {} : { requestId };
      },
    },
  };
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
