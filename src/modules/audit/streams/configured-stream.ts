import { randomBytes } from 'node:crypto';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { newId } from '../../../common/ids.js';
import { TargetGuard } from '../../../common/target-guard.js';
import { codeOf } from '../../../common/thrown.js';
import type { Config } from '../../../config/config.js';
import { FileSink } from './file.sink.js';
import type { AuditSink } from './sink.js';
import { TcpSyslogSink, UdpSyslogSink } from './syslog.sink.js';
import { WebhookSink } from './webhook.sink.js';

/** A stream that the operator named in HITHE_AUDIT_STREAMS. */
export interface ConfiguredStream {
  name: string;
  url: URL;
}

/** The streams of the configuration. */
export function configuredStreams(config: Pick<Config, 'auditStreams'>): ConfiguredStream[] {
  return config.auditStreams.map((text) => {
    const [name = '', ...rest] = text.split('=');
    return { name, url: new URL(rest.join('=')) };
  });
}

/** The far end of a stream. */
export async function sinkOf({ name, url }: ConfiguredStream, config: Pick<Config, 'privateTargets' | 'paths'>): Promise<AuditSink> {
  if (url.protocol === 'syslog+udp:') return new UdpSyslogSink(url);
  if (url.protocol.startsWith('syslog+')) return new TcpSyslogSink(url);
  if (url.protocol === 'file:') return new FileSink(url);
  return new WebhookSink(url, name, await webhookSecret(config.paths.control.auditWebhookKey), new TargetGuard(config.privateTargets));
}

const SECRET_BYTES = 32;

/** The key that receivers check signatures with, `whsec_…`: a file of mode 0600, made once, from which the operator takes it. */
async function webhookSecret(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const aside = `${file}.${newId()}`;
  await writeFile(aside, `whsec_${randomBytes(SECRET_BYTES).toString('base64')}\n`, { mode: 0o600, flush: true });
  // Of several processes that start at once, the first link wins, and everybody reads that one.
  await link(aside, file).catch((error: unknown) => {
    if (codeOf(error) !== 'EEXIST') throw error;
  });
  await rm(aside);
  return (await readFile(file, 'utf8')).trim();
}
