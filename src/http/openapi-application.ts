import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { OpenAPIObject } from '@nestjs/swagger';
import { AppModule } from '../app.module.js';
import { loadConfig } from '../config/config.js';
import { configureHttp } from './application.js';
import { openApiDocument } from './openapi.js';

/** The OpenAPI document, made without a database and without listening: Nest's preview mode creates no provider. */
export async function buildOpenApiDocument(): Promise<OpenAPIObject> {
  const config = loadConfig({ HITHE_HOME: '/nonexistent', HITHE_LOG_LEVEL: 'silent' });
  const app = await NestFactory.create<NestExpressApplication>(AppModule.with(config), {
    preview: true,
    logger: false,
    abortOnError: false,
  });
  configureHttp(app);
  return openApiDocument(app);
}
