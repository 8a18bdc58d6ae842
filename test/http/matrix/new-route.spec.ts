import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { ApiTags } from '@nestjs/swagger';
import request from 'supertest';
import { AppModule } from '../../../src/app.module.js';
import { Authenticated } from '../../../src/auth/auth.decorators.js';
import { asSystem } from '../../../src/common/request-context.js';
import type { Config } from '../../../src/config/config.js';
import { configureHttp } from '../../../src/http/application.js';
import { openApiDocument } from '../../../src/http/openapi.js';
import { bearer, TestApplication, type TestUser } from '../../support/application.js';
import { operationsWithoutCase } from './coverage.js';
import type { Document } from './operations.js';

/** A route that somebody adds and forgets to protect, and one that they protect and forget to tell the matrix. */
@ApiTags('forgotten')
@Controller('forgotten')
class ForgottenController {
  @Get('bare')
  bare(): { secret: string } {
    return { secret: 'everything' };
  }

  @Get('protected')
  @Authenticated()
  protected(): { fine: boolean } {
    return { fine: true };
  }
}

describe('a route that is added', () => {
  let application: TestApplication;
  let extended: NestExpressApplication;
  let admin: TestUser;

  beforeAll(async () => {
    application = await TestApplication.start();
    admin = await application.user('admin@routes.test', { platformAdmin: true });
    extended = await withForgottenRoutes(application.config);
  });

  afterAll(async () => {
    await extended.close();
    await application.stop();
  });

  it('without a policy is closed to everybody, platform administrators too', async () => {
    const answer = await request(extended.getHttpServer()).get('/api/v1/forgotten/bare').set(bearer(admin));
    expect({ status: answer.status, body: answer.body as unknown }).toMatchObject({ status: 403, body: { code: 'ROUTE_WITHOUT_POLICY' } });
    await request(extended.getHttpServer()).get('/api/v1/forgotten/protected').set(bearer(admin)).expect(200);
  });

  it('is named by the matrix until it has a case', () => {
    const missing = operationsWithoutCase(openApiDocument(extended) as unknown as Document);
    expect(missing).toEqual(expect.arrayContaining([expect.stringContaining('/api/v1/forgotten/bare')]));
    expect(missing).toEqual(expect.arrayContaining([expect.stringContaining('/api/v1/forgotten/protected')]));
  });
});

async function withForgottenRoutes(config: Config): Promise<NestExpressApplication> {
  @Module({ imports: [AppModule.with(config)], controllers: [ForgottenController] })
  class ExtendedModule {}
  const app = await NestFactory.create<NestExpressApplication>(ExtendedModule, { bodyParser: false, logger: false });
  configureHttp(app);
  await asSystem('start', () => app.init());
  return app;
}
