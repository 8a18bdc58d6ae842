import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, type Server, type Socket, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer, getCACertificates, setDefaultCACertificates } from 'node:tls';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { Webhook } from 'standardwebhooks';
import { asSystem } from '../../src/common/request-context.js';
import type { Config } from '../../src/config/config.js';
import { AuditArchives } from '../../src/modules/audit/audit-archives.js';
import { AuditLog } from '../../src/modules/audit/audit-log.js';
import { AuditReader } from '../../src/modules/audit/audit-reader.js';
import { AuditSigner } from '../../src/modules/audit/audit-signer.js';
import { AuditVerifier } from '../../src/modules/audit/audit-verifier.js';
import { type AuditRecord, hashOfRecord, recordOfJsonLine } from '../../src/modules/audit/domain/audit-record.js';
import {
  type SegmentManifest,
  type SignedHead,
  isSignedBy,
  textOfHead,
  textOfSegment,
} from '../../src/modules/audit/domain/signed-statement.js';
import { TestApplication } from '../support/application.js';
import { superuserUrl } from '../support/database.js';
import { until } from '../support/until.js';

/** What a server shows to its clients. */
interface Credentials {
  key: string;
  cert: string;
}

/** A self-signed certificate for one name (as openssl spells it: `IP:127.0.0.1`, `DNS:logs.example.org`). */
async function certificateFor(name: string, directory: string): Promise<Credentials> {
  const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
  const shape = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1', '-subj', '/CN=hithe test'];
  await promisify(execFile)('openssl', ['req', '-x509', ...shape, '-addext', `subjectAltName=${name}`, '-keyout', key, '-out', cert]);
  return { key: await readFile(key, 'utf8'), cert: await readFile(cert, 'utf8') };
}

/** A server that understands octet counting (RFC 6587): over TLS with credentials, else over TCP. */
class SyslogServer {
  readonly messages: string[] = [];
  private readonly sockets = new Set<Socket>();
  private readonly server: Server;

  constructor(credentials?: Credentials) {
    const take = (socket: Socket): void => {
      this.take(socket);
    };
    this.server = credentials === undefined ? createTcpServer(take) : createTlsServer(credentials, take);
    // Clients that do not trust the certificate.
    this.server.on('tlsClientError', () => undefined);
  }

  private take(socket: Socket): void {
    this.sockets.add(socket);
    let buffer = Buffer.alloc(0);
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      buffer = Buffer.concat([buffer, chunk]);
      for (;;) {
        const blank = buffer.indexOf(' ');
        const length = Number(buffer.subarray(0, Math.max(0, blank)).toString());
        if (blank < 1 || buffer.length < blank + 1 + length) return;
        this.messages.push(buffer.subarray(blank + 1, blank + 1 + length).toString());
        buffer = buffer.subarray(blank + 1 + length);
      }
    });
  }

  async listen(port = 0): Promise<number> {
    this.server.listen(port, '127.0.0.1');
    await once(this.server, 'listening');
    return (this.server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

const HEADER = /^<(\d+)>1 (\S+) (\S+) hithe (\d+) (\S+) (\[hithe@32473(?: [A-Za-z]+="(?:[^"\\\]]|\\.)*")*\]) \uFEFF(.*)$/s;

/** The event or head in a syslog message. */
function contentOf(message: string): { head?: SignedHead; record?: AuditRecord } {
  const json = HEADER.exec(message)?.[7] ?? '';
  const { head } = JSON.parse(json) as { head?: SignedHead };
  return head === undefined ? { record: recordOfJsonLine(json) } : { head };
}

describe('streams of the audit log', () => {
  let directory: string;
  let application: TestApplication;
  const stops: (() => Promise<void>)[] = [];

  const start = async (overrides: Partial<Config>): Promise<void> => {
    application = await TestApplication.start({ auditHeadInterval: 1, ...overrides });
    stops.push(() => application.stop());
  };
  const record = (name: string, details = {}): Promise<void> =>
    asSystem('test', () =>
      application.app.get(AuditLog).recordNow({ action: 'test.happened', subject: { type: 'test', id: name }, details }),
    );
  const auditIsWell = async (): Promise<boolean> =>
    ((await application.http.get('/api/v1/health')).body as { parts: { audit: { ok: boolean } } }).parts.audit.ok;
  const stored = (): Promise<AuditRecord[]> => asSystem('test', () => application.app.get(AuditReader).after(0, 10_000));

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'hithe-streams-'));
  });

  afterEach(async () => {
    for (const stop of stops.splice(0).reverse()) await stop();
    await rm(directory, { recursive: true });
  });

  it('send syslog over UDP as RFC 5424, with structured data that cannot be broken out of', async () => {
    const receiver = createSocket('udp4');
    const messages: string[] = [];
    receiver.on('message', (message) => messages.push(message.toString()));
    receiver.bind(0, '127.0.0.1');
    await once(receiver, 'listening');
    stops.push(async () => {
      receiver.close();
      await once(receiver, 'close');
    });
    await start({ auditStreams: [`siem=syslog+udp://127.0.0.1:${receiver.address().port}`] });
    await record('quote " bracket ] back\\slash\nline');
    await until(() => messages.some((message) => message.includes('back')));
    const message = messages.find((each) => each.includes('back')) ?? '';
    const [, priority, at, , , id, data] = HEADER.exec(message) ?? [];
    expect([priority, id]).toEqual(['109', 'test.happened']);
    expect(at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
    expect(data).toContain(String.raw`subjectId="quote \" bracket \] back\\slash`);
    const { record: event } = contentOf(message);
    expect(event && hashOfRecord(event)).toBe(event?.hash);
  });

  it('send syslog over TCP in order, without a loss, while the far end goes away and comes back', async () => {
    let server = new SyslogServer();
    const port = await server.listen();
    await start({ auditStreams: [`siem=syslog+tcp://127.0.0.1:${port}`] });
    for (let index = 0; index < 20; index += 1) await record(`a${index}`);
    await until(() => server.messages.some((message) => message.includes('"a19"')));
    const heard = [...server.messages];
    await server.close();
    for (let index = 0; index < 20; index += 1) await record(`b${index}`);
    await until(async () => !(await auditIsWell()));
    server = new SyslogServer();
    stops.push(() => server.close());
    await server.listen(port);
    await until(() => server.messages.some((message) => message.includes('"b19"')));
    heard.push(...server.messages);
    const events = heard.flatMap((message) => contentOf(message).record ?? []);
    // Twice is allowed; too few, or in another order, is not.
    const firsts = [...new Map(events.map((event) => [event.seq, event])).values()];
    expect(firsts.map(({ seq }) => seq)).toEqual(firsts.map((_, index) => index + 1));
    await until(auditIsWell);
    // It is noted after the far end has the batch.
    const noted = async (): Promise<string[]> => (await stored()).map(({ action }) => action);
    await until(async () => (await noted()).includes('audit.stream-recovered'));
    expect(await noted()).toContain('audit.stream-failed');
  });

  describe('send syslog over TLS', () => {
    const trusted = getCACertificates();

    afterEach(() => {
      setDefaultCACertificates(trusted);
    });

    /** What NODE_EXTRA_CA_CERTS does when a process starts. */
    const trust = (...certificates: string[]): void => {
      setDefaultCACertificates([...trusted, ...certificates]);
    };
    const serve = async (credentials: Credentials): Promise<{ server: SyslogServer; stream: string }> => {
      const server = new SyslogServer(credentials);
      stops.push(() => server.close());
      return { server, stream: `siem=syslog+tls://127.0.0.1:${await server.listen()}` };
    };

    it('to a server whose certificate is trusted and names it', async () => {
      const credentials = await certificateFor('IP:127.0.0.1', directory);
      trust(credentials.cert);
      const { server, stream } = await serve(credentials);
      await start({ auditStreams: [stream] });
      for (let index = 0; index < 20; index += 1) {
        await record(`a${index}`);
        // Each in a batch of its own, over one connection.
        await until(() => server.messages.some((message) => message.includes(`"a${index}"`)));
      }
      const events = server.messages.flatMap((message) => contentOf(message).record ?? []);
      for (const event of events) expect(hashOfRecord(event)).toBe(event.hash);
    });

    it.each([
      ['that nobody vouches for', 'IP:127.0.0.1', false, /self-signed certificate/],
      ['that names another server', 'DNS:logs.example.org', true, /does not match certificate's altnames/],
    ])('never to a server with a certificate %s', async (_what, name, isTrusted, reason) => {
      const credentials = await certificateFor(name, directory);
      if (isTrusted) trust(credentials.cert);
      const { server, stream } = await serve(credentials);
      await start({ auditStreams: [stream] });
      await record('not sent');
      await until(async () => (await stored()).some(({ action }) => action === 'audit.stream-failed'));
      expect((await stored()).find(({ action }) => action === 'audit.stream-failed')?.details).toMatch(reason);
      expect(server.messages).toEqual([]);
    });
  });

  it('write a file that may be rotated, with signed heads between the events', async () => {
    const file = join(directory, 'audit.jsonl');
    await start({ auditStreams: [`copy=file://${file}`] });
    await record('before');
    await until(async () => (await readFile(file, 'utf8').catch(() => '')).includes('"head"'));
    await rename(file, `${file}.1`);
    await record('after');
    await until(async () => (await readFile(file, 'utf8').catch(() => '')).includes('"after"'));
    const lines = `${await readFile(`${file}.1`, 'utf8')}${await readFile(file, 'utf8')}`.trim().split('\n');
    const keys = await application.app.get(AuditSigner, { strict: false }).publicKeys();
    const hashes = new Map((await stored()).map(({ seq, hash }) => [seq, hash]));
    let heads = 0;
    for (const line of lines) {
      const { head } = JSON.parse(line) as { head?: SignedHead };
      if (head === undefined) continue;
      heads += 1;
      expect(isSignedBy(keys, head, textOfHead(head))).toBe(true);
      expect(hashes.get(head.seq)).toBe(head.hash);
    }
    expect(heads).toBeGreaterThan(0);
  });

  it('resume where they were after a restart, also when events came while nobody served them', async () => {
    const file = join(directory, 'audit.jsonl');
    await start({ auditStreams: [`copy=file://${file}`] });
    await record('one');
    await until(async () => (await readFile(file, 'utf8').catch(() => '')).includes('"one"'));
    const { config, app } = application;
    await app.close();
    stops.splice(0);
    const again = { databaseUrl: config.databaseUrl, paths: config.paths };
    await start({ ...again, roles: ['api'], auditStreams: config.auditStreams });
    await record('two');
    await application.app.close();
    stops.splice(0);
    await start({ ...again, auditStreams: config.auditStreams });
    await record('three');
    await until(async () => (await readFile(file, 'utf8')).includes('"three"'));
    const seqs = (await readFile(file, 'utf8'))
      .trim()
      .split('\n')
      .flatMap((line) => (JSON.parse(line) as { seq?: number }).seq ?? []);
    expect(seqs).toEqual(seqs.map((_, index) => index + 1));
  });

  it('post signed batches to a webhook, again until it takes them', async () => {
    const bodies: { id: string; body: string; headers: Record<string, string> }[] = [];
    let refusals = 2;
    const server = createHttpServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        refusals -= 1;
        response.statusCode = refusals >= 0 ? 503 : 204;
        if (refusals < 0)
          bodies.push({ id: String(request.headers['webhook-id']), body, headers: request.headers as Record<string, string> });
        response.end();
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    stops.push(async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/audit`;
    await start({ auditStreams: [`hook=${url}`], privateTargets: ['127.0.0.0/8'] });
    await record('sent');
    await until(() => bodies.some(({ body }) => body.includes('"sent"')));
    const secret = (await readFile(application.config.paths.control.auditWebhookKey, 'utf8')).trim();
    for (const { body, headers } of bodies) new Webhook(secret).verify(body, headers);
    const events = bodies.flatMap(({ body }) => (JSON.parse(body) as { events: { seq: number }[] }).events);
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
    expect(new Set(bodies.map(({ id }) => id)).size).toBe(bodies.length);
  });

  it.each(['http://127.0.0.1:9/x', 'https://127.1:9/x', 'https://[::ffff:127.0.0.1]:9/x', 'https://localhost:9/x', 'http://example.org/x'])(
    'R35, R36: never post to %s, and block nothing by that',
    async (url) => {
      await start({ auditStreams: [`hook=${url}`] });
      await record('not sent');
      await until(async () => (await stored()).some(({ action }) => action === 'audit.stream-failed'));
      const failed = (await stored()).find(({ action }) => action === 'audit.stream-failed');
      expect(failed?.details).toMatch(/not a public address|not HTTPS/);
    },
  );
});

describe('an archive of the audit log', () => {
  let application: TestApplication;
  let superuser: pg.Client;
  const archives = () => application.app.get(AuditArchives, { strict: false });
  const verify = (archivesToo = false) => application.app.get(AuditVerifier, { strict: false }).verify({ archives: archivesToo });
  const system = <T>(work: () => Promise<T>): Promise<T> => asSystem('test', work);
  const record = (name: string): Promise<void> =>
    system(() => application.app.get(AuditLog).recordNow({ action: 'test.happened', subject: { type: 'test', id: name } }));

  beforeEach(async () => {
    application = await TestApplication.start();
    superuser = new pg.Client({ connectionString: superuserUrl(new URL(application.config.requireDatabaseUrl()).pathname.slice(1)) });
    await superuser.connect();
    for (let index = 0; index < 12; index += 1) await record(`${index}`);
  });

  afterEach(async () => {
    await superuser.end();
    await application.stop();
  });

  it('holds the oldest events, signed, and the chain goes on across it', async () => {
    const first = await system(async () => archives().archive(await afterNow()));
    expect(first).toMatchObject({ firstSeq: 1, lastSeq: 12 });
    for (let index = 0; index < 5; index += 1) await record(`later ${index}`);
    const second = await system(async () => archives().archive(await afterNow()));
    expect(second).toMatchObject({ firstSeq: 13, previousHash: first.lastHash });
    expect(await verify(true)).toMatchObject({ ok: true, problems: [], archived: second.lastSeq });
    const directory = application.config.paths.control.audit.archive;
    const lines = gunzipSync(await readFile(join(directory, first.file)))
      .toString()
      .trim()
      .split('\n')
      .map(recordOfJsonLine);
    expect(lines.map(({ seq }) => seq)).toEqual(Array.from({ length: 12 }, (_, index) => index + 1));
    for (const line of lines) expect(hashOfRecord(line)).toBe(line.hash);
    const manifest = JSON.parse(await readFile(join(directory, `${first.file}.manifest.json`), 'utf8')) as SegmentManifest;
    const keys = await application.app.get(AuditSigner, { strict: false }).publicKeys();
    expect(isSignedBy(keys, manifest, textOfSegment(manifest))).toBe(true);
    await expect(system(() => archives().archive(new Date('2020-01-01')))).rejects.toMatchObject({ code: 'NOTHING_TO_ARCHIVE' });
  });

  it('that was damaged, or a segment that was forged, is found', async () => {
    const { file, lastSeq } = await system(async () => archives().archive(await afterNow()));
    await record('later');
    await writeFile(join(application.config.paths.control.audit.archive, file), 'nothing');
    expect((await verify(true)).problems).toEqual([expect.objectContaining({ problem: 'archive-damaged', seq: 1 })]);
    await superuser.query('SET session_replication_role = replica');
    await superuser.query('UPDATE audit_segments SET last_seq = last_seq - 1');
    expect((await verify()).problems).toEqual([expect.objectContaining({ problem: 'missing', seq: lastSeq })]);
  });

  it('is refused for a chain that does not hold, and nothing is removed', async () => {
    await superuser.query('SET session_replication_role = replica');
    await superuser.query(`UPDATE audit_events SET subject_id = 'x' WHERE seq = 5`);
    await expect(system(async () => archives().archive(await afterNow()))).rejects.toMatchObject({ code: 'AUDIT_CHAIN_BROKEN' });
    const { rows } = await superuser.query('SELECT count(*)::int AS n FROM audit_events');
    expect(rows).toEqual([{ n: 12 }]);
  });

  it('is the only way out: the function takes nothing that is not the oldest part, whole and as it was', async () => {
    const take = (first: number, last: number, hash: string): Promise<unknown> =>
      superuser.query(`SELECT audit_archive($1, $2, decode(repeat('00', 32), 'hex'), decode($3, 'hex'), 'f', '\\x00')`, [
        first,
        last,
        hash,
      ]);
    const records = await system(() => application.app.get(AuditReader).after(0, 100));
    await superuser.query(`SET hithe.teams = 'all'`);
    const hash = records[3]?.hash ?? '';
    await expect(take(2, 4, hash)).rejects.toThrow('does not follow');
    await expect(take(1, 4, '00'.repeat(32))).rejects.toThrow('not what was archived');
    await expect(take(1, 400, hash)).rejects.toThrow('not what was archived');
    await take(1, 4, hash);
    await expect(superuser.query('DELETE FROM audit_events WHERE seq = 5')).rejects.toThrow('append-only');
  });

  it('leaves what a stream has not had yet', async () => {
    const { config } = application;
    const stalled = await TestApplication.start({
      databaseUrl: config.databaseUrl,
      paths: config.paths,
      auditStreams: ['hook=https://127.0.0.1:9/'],
    });
    try {
      const archive = stalled.app.get(AuditArchives, { strict: false });
      await expect(system(() => archive.archive(new Date()))).rejects.toMatchObject({ code: 'NOTHING_TO_ARCHIVE' });
    } finally {
      await stalled.app.close();
    }
  });
});

/** A moment after everything so far: the database counts microseconds, a Date only milliseconds. */
async function afterNow(): Promise<Date> {
  const now = Date.now();
  await until(() => Date.now() > now + 1);
  return new Date();
}
