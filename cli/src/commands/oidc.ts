import { createHash, randomBytes } from 'node:crypto';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type HitheClient, dataOf } from '@hithe/client';
import { CliError } from '../cli-error.js';
import type { Context } from '../context.js';
import { EXIT } from '../exit-codes.js';
import { openBrowser } from '../ui/browser.js';
import { ask } from '../ui/prompt.js';
import { sanitizeLine } from '../ui/sanitize.js';

/** What the browser brought, with the secret that makes it worth something. */
export interface OidcCode {
  code: string;
  codeVerifier: string;
}

const DONE =
  '<!doctype html><title>Hithe</title><p style="font-family:sans-serif">You can close this window and go back to the terminal.</p>';

/**
 * Has somebody log in at the server's OIDC provider, in the browser of this machine, or with `browser: false` in any, from where
 * the code is copied.
 */
export async function codeFromProvider(context: Context, client: HitheClient, options: { browser: boolean }): Promise<OidcCode> {
  const codeVerifier = randomBytes(32).toString('base64url');
  const codeChallenge = createHash('sha256').update(codeVerifier).digest('base64url');
  return {
    codeVerifier,
    code: options.browser ? await byLoopback(context, client, codeChallenge) : await byHand(context, client, codeChallenge),
  };
}

/** Only what a browser would open by itself is handed to one, whatever the server says. */
async function begin(client: HitheClient, body: { codeChallenge: string; redirectUri?: string }) {
  const answered = await dataOf(client.api.POST('/api/v1/auth/oidc/authorizations', { body }));
  const { authorizationUrl } = answered;
  if (URL.canParse(authorizationUrl) && /^https?:$/.test(new URL(authorizationUrl).protocol))
    return { ...answered, authorizationUrl: new URL(authorizationUrl).href };
  throw failed(`The server names no web address to log in at: ${sanitizeLine(authorizationUrl, false)}`, 'OIDC_ADDRESS_INVALID');
}

async function byHand(context: Context, client: HitheClient, codeChallenge: string): Promise<string> {
  const { authorizationUrl } = await begin(client, { codeChallenge });
  context.io.stderr.write(`Open this address in a browser, log in, and copy the code that it shows:\n\n  ${authorizationUrl}\n\n`);
  return ask(context.io, 'Code: ');
}

async function byLoopback(context: Context, client: HitheClient, codeChallenge: string): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  try {
    const redirectUri = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const body = { codeChallenge, redirectUri };
    const { authorizationUrl, expiresIn } = await begin(client, body);
    const code = answer(server, expiresIn);
    const opened = await openBrowser(context, authorizationUrl);
    context.io.stderr.write(
      `${opened ? 'Log in in the browser. If none has opened' : 'Open this in a browser of this machine'}:\n\n  ${authorizationUrl}\n\n`,
    );
    return await code;
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

/** Waits for the browser to come back. */
function answer(server: Server, seconds: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => {
      reject(failed('The browser did not come back in time.', 'OIDC_TIMEOUT'));
    }, seconds * 1000);
    server.on('request', (request, response) => {
      const { searchParams } = new URL(request.url ?? '/', 'http://127.0.0.1');
      const [code, error] = [searchParams.get('code'), searchParams.get('error')];
      if (code === null && error === null) {
        response.writeHead(404).end();
        return;
      }
      clearTimeout(late);
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', connection: 'close' });
      response.end(DONE, () => {
        if (code !== null) resolve(code);
        else reject(failed(`The log-in at the provider failed: ${(error ?? '').replaceAll(/[^A-Z_]/g, '')}.`, 'OIDC_FAILED'));
      });
    });
  });
}

function failed(message: string, code: string): CliError {
  return new CliError(EXIT.notLoggedIn, message, {
    code,
    fix: 'Try again; on a machine without a browser: hithe login --oidc --no-browser',
  });
}
