import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DiscoveryService, MetadataScanner, Reflector } from '@nestjs/core';
import { PATH_METADATA } from '@nestjs/common/constants.js';
import type { OpenAPIObject } from '@nestjs/swagger';
import { routePolicyOf } from '../../src/auth/access.guard.js';
import type { RoutePolicy } from '../../src/auth/auth.decorators.js';
import { TestApplication } from '../support/application.js';

interface Operation {
  operationId?: string;
  summary?: string;
  description?: string;
  tags?: string[];
  parameters?: { in: string; name: string; example?: unknown; schema?: { example?: unknown; default?: unknown; enum?: unknown } }[];
  requestBody?: { content: Record<string, { example?: unknown }> };
  responses: Record<string, { description?: string; content?: Record<string, { example?: unknown }> }>;
  security?: unknown[];
}

/** Routes that anybody may call, each for a reason; a new one is a decision. */
const PUBLIC_ROUTES = [
  // Whoever has no account yet, or cannot log in to it; what opens something needs a token from a link.
  'AcceptingController.accept',
  'AcceptingController.lookup',
  'AccountsController.confirmReset',
  'AccountsController.confirmSignUp',
  'AccountsController.options',
  'AccountsController.requestReset',
  'AccountsController.signUp',
  // Public keys.
  'SigningKeysController.jwks',
  'AuthController.login',
  'AuthController.logout',
  'AuthController.refresh',
  'HealthController.live',
  'HealthController.ready',
  'HealthController.report',
  // The signature of a delivery is its credential.
  'HookReceiverController.receive',
  // Editors fetch it without a log-in.
  'ProjectsController.schema',
  'OidcController.begin',
  'OidcController.callback',
  'OidcController.logout',
  'OidcController.token',
  'SecondFactorLoginController.complete',
  'SecondFactorLoginController.options',
  'SecondFactorLoginController.secondFactorOptions',
  'SecondFactorLoginController.verify',
];

describe('every route', () => {
  let application: TestApplication;
  let routes: { name: string; policy: RoutePolicy | undefined }[];
  let operations: { name: string; operation: Operation }[];

  beforeAll(async () => {
    application = await TestApplication.start();
    routes = routesOf(application);
    const document = (await application.http.get('/api/openapi.json').expect(200)).body as OpenAPIObject;
    operations = Object.entries(document.paths).flatMap(([path, item]) =>
      Object.entries(item as Record<string, Operation>).map(([method, operation]) => ({
        name: `${method.toUpperCase()} ${path}`,
        operation,
      })),
    );
  });

  afterAll(async () => {
    await application.stop();
  });

  it('declares its policy', () => {
    expect(routes.length).toBeGreaterThan(10);
    expect(routes.filter((route) => route.policy === undefined).map((route) => route.name)).toEqual([]);
  });

  it('is closed to strangers, except for the known few', () => {
    const open = routes.filter((route) => route.policy?.kind === 'public').map((route) => route.name);
    expect(open.sort()).toEqual(expect.arrayContaining(PUBLIC_ROUTES));
    expect(open.filter((name) => !PUBLIC_ROUTES.includes(name))).toEqual([]);
  });

  it('answers 401 to a stranger, or is public', async () => {
    const id = '0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55';
    for (const { name, operation } of operations) {
      if (!operation.security) continue;
      const [method = '', path = ''] = name.split(' ');
      const url = path.replaceAll(/\{\w+\}/g, id);
      const answer = await application.http[method.toLowerCase() as 'get'](url);
      expect({ name, status: answer.status, code: (answer.body as { code?: string }).code }).toEqual({
        name,
        status: 401,
        code: 'UNAUTHENTICATED',
      });
    }
  });

  it('is in the OpenAPI document with an operationId of its own, a summary, a description and a tag', () => {
    const lacking = operations.filter(
      ({ operation: { operationId, summary, description, tags } }) => !operationId || !summary || !description || !tags?.length,
    );
    expect(lacking.map(({ name }) => name)).toEqual([]);
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.every((id) => /^[a-z][A-Za-z]+$/.test(id ?? ''))).toBe(true);
    expect(operations).toHaveLength(routes.length);
  });

  it('documents an example of what goes in and what comes out', () => {
    const lacking = operations.flatMap(({ name, operation }) => [
      ...bodiesWithoutExample(name, operation),
      ...(operation.parameters ?? [])
        .filter(
          ({ in: place, example, schema }) =>
            place !== 'header' &&
            example === undefined &&
            schema?.example === undefined &&
            schema?.default === undefined &&
            schema?.enum === undefined,
        )
        .map((parameter) => `${name} ${parameter.name}`),
    ]);
    expect(lacking).toEqual([]);
  });

  it('documents its errors as application/problem+json', () => {
    for (const { name, operation } of operations) {
      const errors = Object.entries(operation.responses).filter(([status]) => Number(status) >= 400);
      const wrong = errors.filter(([, response]) => !response.content?.['application/problem+json']).map(([status]) => status);
      expect({ name, wrong }).toEqual({ name, wrong: [] });
      if (operation.security) expect(Object.keys(operation.responses)).toContain('401');
    }
  });
});

function bodiesWithoutExample(name: string, operation: Operation): string[] {
  const bodies = [operation.requestBody, ...Object.values(operation.responses)];
  return bodies.flatMap((body) =>
    Object.entries(body?.content ?? {})
      .filter(([type, media]) => type === 'application/json' && media.example === undefined)
      .map(([type]) => `${name} ${type}`),
  );
}

function routesOf({ app }: TestApplication): { name: string; policy: RoutePolicy | undefined }[] {
  const discovery = app.get(DiscoveryService, { strict: false });
  const reflector = app.get(Reflector);
  const scanner = new MetadataScanner();
  return discovery.getControllers().flatMap(({ instance, metatype }) => {
    const controller = metatype as new () => object;
    return scanner
      .getAllMethodNames(Object.getPrototypeOf(instance) as object)
      .map((method) => ({ method, handler: (instance as Record<string, () => unknown>)[method] }))
      .filter(
        (route): route is { method: string; handler: () => unknown } =>
          route.handler !== undefined && Reflect.hasMetadata(PATH_METADATA, route.handler),
      )
      .map(({ method, handler }) => ({
        name: `${controller.name}.${method}`,
        policy: routePolicyOf(reflector, handler, controller),
      }));
  });
}
