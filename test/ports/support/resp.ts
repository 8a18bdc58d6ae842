import { connect } from 'node:net';
import { once } from 'node:events';

/** Sends commands to a Valkey server in its own protocol and gives the last answer, raw; rejects on an error answer. */
export async function valkeyCommands(networkPort: number, password: string, commands: string[][]): Promise<string> {
  const socket = connect(networkPort, '127.0.0.1');
  await once(socket, 'connect');
  try {
    let answer = '';
    for (const command of [['AUTH', password], ...commands]) {
      socket.write(`*${command.length}\r\n${command.map((part) => `$${Buffer.byteLength(part)}\r\n${part}\r\n`).join('')}`);
      const [chunk] = (await once(socket, 'data')) as [Buffer];
      answer = chunk.toString('utf8');
      if (answer.startsWith('-')) throw new Error(answer.trim());
    }
    return answer;
  } finally {
    socket.destroy();
  }
}
