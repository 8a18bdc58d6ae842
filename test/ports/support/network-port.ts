import { createServer } from 'node:net';
import { once } from 'node:events';

/** Below the range from which the kernel takes the ports of outgoing connections. */
const FIRST = 20_000;
const COUNT = 9_000;

/** A free network port of the loopback address. */
export async function freeNetworkPort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = FIRST + Math.floor(Math.random() * COUNT);
    if (await isFree(port)) return port;
  }
  throw new Error('no free network port was found');
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    server.close();
    await once(server, 'close');
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return false;
    throw error;
  }
}
