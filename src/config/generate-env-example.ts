import { writeFile } from 'node:fs/promises';
import { envExample } from './env-example.js';

/** Writes `.env.example` to the file named by the first argument. */
await writeFile(process.argv[2] ?? '.env.example', envExample());
