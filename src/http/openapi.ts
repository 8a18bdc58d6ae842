import type { INestApplication } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import swaggerUi from 'swagger-ui-express';
import { addExamples } from './openapi-examples.js';

const DESCRIPTION = `Hithe runs projects as native processes. Log in with \`POST /api/v1/auth/login\` and send the access token as
\`Authorization: Bearer …\`. Lists are paged by cursor. Errors are \`application/problem+json\` with a stable \`code\` and, where there is
one, a \`fix\`. Long work answers 202 with a deployment to follow.`;

/** `identifier` (SPDX) instead of an address: the builder of the library only knows addresses. */
const LICENSE = { name: 'Apache-2.0 OR MIT', identifier: 'Apache-2.0 OR MIT' };

/** The OpenAPI 3.1 document of all routes. */
export function openApiDocument(app: INestApplication): OpenAPIObject {
  const config = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('Hithe')
    .setDescription(DESCRIPTION.replaceAll('\n', ' '))
    .setVersion('1')
    .addServer('/', 'This server')
    .addBearerAuth({ type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'Access token of a user' })
    .addSecurity('node', { type: 'http', scheme: 'bearer', description: "Credential of a node's agent" })
    .build();
  const document = SwaggerModule.createDocument(app, config);
  document.info = {
    title: document.info.title,
    version: document.info.version,
    ...(document.info.description === undefined ? {} : { description: document.info.description }),
    license: LICENSE,
  };
  return addExamples(document);
}

/** Serves the document at `/api/openapi.json`, made when first asked for, and Swagger UI on it at `/api/docs`. */
export function serveOpenApi(app: NestExpressApplication): void {
  let document: OpenAPIObject | undefined;
  const express = app.getHttpAdapter().getInstance();
  express.get('/api/openapi.json', (_request: Request, response: Response) => {
    response.json((document ??= openApiDocument(app)));
  });
  const swaggerOptions = { url: '/api/openapi.json', persistAuthorization: false, displayOperationId: true };
  const options = { customSiteTitle: 'Hithe API', swaggerOptions };
  app.use('/api/docs', swaggerUi.serveFiles(undefined, options), swaggerUi.setup(undefined, options));
}
