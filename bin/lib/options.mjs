import { Failure } from './failure.mjs';

export const HELP = `Usage: npm start [-- OPTIONS]

Installs what is missing, builds, and runs Hithe in the foreground: its own PostgreSQL, the control plane and the agent.
Ctrl-C stops all of it, your components too. SIGTERM stops Hithe and leaves the components running; the next start
finds them again.

Options:
  --no-example   do not deploy examples/guestbook on the very first start
  --help         show this text

Environment (all of it: .env.example):
  HITHE_HOME             everything that this installation keeps (/var/lib/hithe as root, else ~/.local/share/hithe)
  HITHE_HTTP_PORT        network port of the API (7070)
  HITHE_HTTP_ADDRESS     address to listen on (127.0.0.1)
  HITHE_DATABASE_URL     a PostgreSQL of your own instead of the embedded one; with HITHE_DATABASE_OWNER_URL beside it,
                         Hithe serves with the one and migrates with the other
  HITHE_ADMIN_EMAIL      the first administrator (admin@hithe.local)
  HITHE_ADMIN_PASSWORD   its password (generated when absent)
`;

/** The launchers need a Node.js of the host to begin with; everything else runs on the project's own. */
export function assertNodeVersion() {
  if (Number(process.versions.node.split('.')[0]) >= 20) return;
  throw new Failure(`Node.js ${process.versions.node} is too old to install Hithe`, 'Install Node.js 20 or later, with npm.');
}

/** The launcher's arguments. Fails on one that it does not know. */
export function parseOptions(args) {
  const options = { help: false, example: true };
  for (const arg of args) {
    if (arg === '--help' || arg === '-h') options.help = true;
    else if (arg === '--no-example') options.example = false;
    else throw new Failure(`unknown option ${arg}`, HELP);
  }
  return options;
}

/** What the launcher itself needs of the configuration; the rest is the business of who it starts. */
export function settings(environment = process.env) {
  const port = Number(environment.HITHE_HTTP_PORT || 7070);
  if (!Number.isInteger(port) || port < 1 || port > 65535) {
    throw new Failure(`HITHE_HTTP_PORT is ${environment.HITHE_HTTP_PORT}`, 'Set a network port from 1 to 65535.');
  }
  const address = environment.HITHE_HTTP_ADDRESS || '127.0.0.1';
  // Who listens on every address is reached on this one.
  const host = { '0.0.0.0': '127.0.0.1', '::': '[::1]' }[address] ?? (address.includes(':') ? `[${address}]` : address);
  const databaseUrl = environment.HITHE_DATABASE_URL || undefined;
  const databaseOwnerUrl = environment.HITHE_DATABASE_OWNER_URL || undefined;
  return { port, address, url: `http://${host}:${port}`, databaseUrl, databaseOwnerUrl };
}
