import type { IncomingMessage } from 'node:http';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import helmet from 'helmet';
import { PinoLogger } from 'nestjs-pino';
import { AppModule } from '../app.module.js';
import { asSystem } from '../common/request-context.js';
import type { Config } from '../config/config.js';
import { assertServingRole } from '../database/serving-role.js';
import { accessLog } from './access-log.js';
import { refuseDeepBodies } from './body-depth.middleware.js';
import { ControlPlaneLogger } from './logging.js';
import { serveOpenApi } from './openapi.js';
import { refuseNulInAddress, refuseSecretsInQuery } from './query-secrets.middleware.js';
import { requestContextMiddleware } from './request-context.middleware.js';
import { requestIdMiddleware } from './request-id.js';
import { compareBeginningsFirst } from './route-beginnings.js';

export const API_PREFIX = 'api/v1';
const LARGEST_JSON_BODY = '1mb';
const LARGEST_HOOK_BODY = '256kb';
const HOOK_PATH = /^\/api\/v1\/hooks\/[^/?]+\/?(?:\?|$)/;

/** The control plane's application with everything in front of its routes, started; it does not listen yet. */
export async function createApplication(config: Config): Promise<NestExpressApplication> {
  await assertServingRole(config.requireDatabaseUrl(), config.paths.control.databaseUrl);
  const app = await NestFactory.create<NestExpressApplication>(AppModule.with(config), {
    bufferLogs: true,
    bodyParser: false,
    abortOnError: false,
  });
  app.useLogger(new ControlPlaneLogger(await app.resolve(PinoLogger), {}));
  app.set('trust proxy', config.trustProxy);
  app.use(accessLog(config.logLevel));
  configureHttp(app);
  serveOpenApi(app);
  // The modules' own start reaches all rows. Listening comes later, outside of this: no connection inherits it.
  await asSystem('start', () => app.init());
  return app;
}

/** Middleware and prefix, shared by the server, the tests and the generator of openapi.json. */
export function configureHttp(app: NestExpressApplication): void {
  app.setGlobalPrefix(API_PREFIX);
  app.disable('x-powered-by');
  // Entity tags are versions of specifications here, not hashes of bodies.
  app.disable('etag');
  compareBeginningsFirst(app.getHttpAdapter().getInstance());
  app.use(requestIdMiddleware);
  app.use(
    helmet({
      // The platform itself speaks plain HTTP behind a proxy; these two would lock out a browser that comes directly.
      strictTransportSecurity: false,
      contentSecurityPolicy: { directives: { upgradeInsecureRequests: null } },
    }),
  );
  // What a signature covers is the body as it came, whatever its type.
  app.useBodyParser('raw', { limit: LARGEST_HOOK_BODY, type: isHookDelivery });
  app.useBodyParser('json', { limit: LARGEST_JSON_BODY });
  // After the body: what calls back when a body has been read is in another context.
  app.use(requestContextMiddleware);
  app.use(refuseNulInAddress);
  app.use(refuseDeepBodies);
  app.use(refuseSecretsInQuery);
}

function isHookDelivery(request: IncomingMessage): boolean {
  return request.method === 'POST' && HOOK_PATH.test(request.url ?? '');
}
