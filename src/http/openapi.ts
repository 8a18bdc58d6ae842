import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
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

/** Serves the document at `/api/openapi.json` and Swagger UI at `/api/docs`; made when first asked for. */
export function serveOpenApi(app: INestApplication): void {
  let document: OpenAPIObject | undefined;
  SwaggerModule.setup('api/docs', app, () => (document ??= openApiDocument(app)), {
    jsonDocumentUrl: 'api/openapi.json',
    customSiteTitle: 'Hithe API',
    raw: ['json'],
    swaggerOptions: { persistAuthorization: false, displayOperationId: true },
  });
}
