// The guestbook's web server: a page, a form, a style sheet and a health check.
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { Cache } from './cache.js';
import { Entries } from './entries.js';
import { errorPage, guestbookPage } from './page.js';
import { readForm, validateEntry } from './form.js';

const host = process.env.HOST ?? '127.0.0.1';
const port = Number(process.env.PORT ?? 3000);
const startedAt = new Date();

const entries = new Entries(process.env.DATABASE_URL);
const cache = new Cache(process.env.VALKEY_URL);
const style = readFile(new URL('./style.css', import.meta.url));

const SECURITY_HEADERS = {
  'content-security-policy':
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'same-origin',
};

function send(response, status, type, body, headers = {}) {
  response.writeHead(status, { ...SECURITY_HEADERS, 'content-type': type, 'content-length': Buffer.byteLength(body), ...headers });
  response.end(body);
}

function sendHtml(response, status, html) {
  send(response, status, 'text/html; charset=utf-8', html, { 'cache-control': 'no-store' });
}

/** The newest entries: from Valkey when it has them, otherwise from PostgreSQL and then into Valkey. */
async function newestEntries() {
  const cached = await cache.entries();
  if (cached !== undefined) return { list: cached, from: 'Valkey' };
  const list = await entries.newest();
  await cache.keepEntries(list);
  return { list, from: 'PostgreSQL' };
}

async function showPage(request, response, form = {}, status = 200) {
  const began = performance.now();
  const isCheck = request.headers['user-agent'] === 'hithe-health';
  const [visits, newest, total] = await Promise.all([isCheck ? cache.visits() : cache.countVisit(), newestEntries(), entries.count()]);
  const milliseconds = performance.now() - began;
  sendHtml(response, status, guestbookPage({ ...newest, visits, total, milliseconds, startedAt, form }));
}

async function sign(request, response) {
  const fields = await readForm(request);
  const { entry, faults } = validateEntry(fields);
  if (faults.length > 0) return showPage(request, response, { fields, faults }, 422);
  await entries.add(entry);
  await cache.forgetEntries();
  response.writeHead(303, { ...SECURITY_HEADERS, location: '/#entries' });
  response.end();
}

async function health(response) {
  const [database, valkey] = await Promise.all([entries.check(), cache.check()]);
  const ok = database === 'ok' && valkey === 'ok';
  send(response, ok ? 200 : 503, 'application/json', `${JSON.stringify({ ok, database, cache: valkey })}\n`);
}

async function route(request, response) {
  const { pathname } = new URL(request.url, 'http://localhost');
  const call = `${request.method} ${pathname}`;
  if (call === 'GET /' || call === 'HEAD /') return showPage(request, response);
  if (call === 'POST /sign') return sign(request, response);
  if (call === 'GET /healthz') return health(response);
  if (call === 'GET /style.css') return send(response, 200, 'text/css; charset=utf-8', await style, { 'cache-control': 'no-cache' });
  return sendHtml(response, 404, errorPage('There is nothing here', 'The page that you asked for does not exist.'));
}

function logRequest(request, response, began) {
  if (request.headers['user-agent'] === 'hithe-health' && response.statusCode < 400) return;
  const path = request.url.replace(/[^\x21-\x7e]/g, '?').slice(0, 200);
  console.log(`${request.method} ${path} ${response.statusCode} ${(performance.now() - began).toFixed(1)}ms`);
}

const server = createServer((request, response) => {
  const began = performance.now();
  response.on('finish', () => logRequest(request, response, began));
  route(request, response).catch((error) => {
    const status = error.status ?? 503;
    console.error(`${request.method} ${request.url.split('?')[0]}: ${error.message}`);
    if (response.headersSent) return response.destroy();
    const title = status === 503 ? 'The book cannot be opened right now' : 'This cannot be done';
    return sendHtml(
      response,
      status,
      errorPage(title, status === 503 ? 'Its database does not answer. Please try again in a moment.' : error.message),
    );
  });
});

/** Answers what has begun, closes the connections, and ends. */
function shutDown(signal) {
  console.log(`${signal}: shutting down`);
  server.close(() => {
    Promise.allSettled([entries.close(), cache.close()]).then(() => process.exit(0));
  });
  server.closeIdleConnections();
  setTimeout(() => server.closeAllConnections(), 5_000).unref();
}
for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, shutDown);

server.on('error', (error) => {
  console.error(`cannot listen on ${host}:${port}: ${error.message}`);
  process.exit(1);
});
server.listen(port, host, () => console.log(`guestbook listens on http://${host}:${port}`));
// The clients are loaded once the port is open, so that the first request finds them on their way.
entries.prepare();
cache.prepare();
