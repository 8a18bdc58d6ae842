import { spawn } from 'node:child_process';
import type { Context } from '../context.js';

/** Opens an address in the user's browser, if there is one; `BROWSER` names another program. Whether a program could be started. */
export function openBrowser(context: Context, url: string): Promise<boolean> {
  const { BROWSER: chosen } = context.io.env;
  const program = chosen !== undefined && chosen !== '' ? chosen : process.platform === 'darwin' ? 'open' : 'xdg-open';
  return new Promise((resolve) => {
    const child = spawn(program, [url], { stdio: 'ignore', detached: true });
    child.once('error', () => {
      resolve(false);
    });
    child.once('spawn', () => {
      child.unref();
      resolve(true);
    });
  });
}
