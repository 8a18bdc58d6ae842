import 'reflect-metadata';
import { writeFile } from 'node:fs/promises';
import { buildOpenApiDocument } from './openapi-application.js';

/** Writes the OpenAPI document to the file named by the first argument. */
await writeFile(process.argv[2] ?? 'openapi.json', `${JSON.stringify(await buildOpenApiDocument(), undefined, 2)}\n`);
