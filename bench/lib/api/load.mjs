// A process of its own: sends GET requests over some kept connections for some time and prints what came back, as JSON.
// It speaks just enough HTTP/1.1 over raw sockets, so that the machine's time goes into the server and not into its client.
import { createConnection } from 'node:net';
import { json } from 'node:stream/consumers';

const input = await json(process.stdin);
const { host, port, connections, milliseconds, warmUp, requests } = input;

const messages = requests.map(({ path, token }) =>
  Buffer.from(`GET ${path} HTTP/1.1\r\nHost: ${host}:${port}\r\n${token === undefined ? '' : `Authorization: Bearer ${token}\r\n`}\r\n`),
);
const HEAD_END = Buffer.from('\r\n\r\n');
let next = 0;
let measuring = false;
let stopped = false;
const times = [];
const failures = new Map();

/** One connection: a request, its answer, the next request. */
function connect() {
  const socket = createConnection({ host, port, noDelay: true });
  let began = 0;
  let buffered = Buffer.alloc(0);
  let expected = -1;
  const send = () => {
    if (stopped) {
      socket.end();
      return;
    }
    began = performance.now();
    socket.write(messages[next++ % messages.length]);
  };
  const answered = (status) => {
    if (status !== 200) failures.set(status, (failures.get(status) ?? 0) + 1);
    else if (measuring) times.push(performance.now() - began);
    send();
  };
  let status = 0;
  socket.on('connect', send);
  socket.on('data', (chunk) => {
    buffered = buffered.length === 0 ? chunk : Buffer.concat([buffered, chunk]);
    if (expected < 0) {
      const end = buffered.indexOf(HEAD_END);
      if (end < 0) return;
      const head = buffered.latin1Slice(0, end);
      status = Number(head.slice(9, 12));
      expected = end + 4 + Number(/content-length: (\d+)/i.exec(head)?.[1] ?? Number.NaN);
      if (Number.isNaN(expected)) throw new Error(`An answer without a length:\n${head}`);
    }
    if (buffered.length < expected) return;
    buffered = buffered.subarray(expected);
    expected = -1;
    answered(status);
  });
  return new Promise((resolve, reject) => socket.on('close', resolve).on('error', reject));
}

const all = Array.from({ length: connections }, connect);
await new Promise((resolve) => setTimeout(resolve, warmUp));
measuring = true;
const began = performance.now();
await new Promise((resolve) => setTimeout(resolve, milliseconds));
measuring = false;
stopped = true;
const seconds = (performance.now() - began) / 1_000;
await Promise.all(all);
times.sort((a, b) => a - b);
const at = (share) => times[Math.min(times.length - 1, Math.floor(times.length * share))];
console.log(
  JSON.stringify({
    perSecond: times.length / seconds,
    answers: times.length,
    p50: at(0.5),
    p99: at(0.99),
    failures: Object.fromEntries(failures),
  }),
);
