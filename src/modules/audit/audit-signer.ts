import { type KeyObject, createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { appendFile, link, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Injectable } from '@nestjs/common';
import { DomainError } from '../../common/domain-error.js';
import { newId } from '../../common/ids.js';
import { codeOf } from '../../common/thrown.js';
import { Config } from '../../config/config.js';
import {
  type SegmentManifest,
  type SignedHead,
  keyIdOf,
  publicKeysOf,
  signatureOf,
  textOfHead,
  textOfSegment,
} from './domain/signed-statement.js';

/**
 * Signs heads and archives with an Ed25519 key of its own: a file of mode 0600 outside of the database, made once. Its public half is
 * appended to `public-keys.pem`, where former ones stay, so that what they signed can still be checked.
 */
@Injectable()
export class AuditSigner {
  private loading: Promise<{ privateKey: KeyObject; keyId: string }> | undefined;

  constructor(private readonly config: Config) {}

  async head(head: Omit<SignedHead, 'keyId' | 'signature'>): Promise<SignedHead> {
    const { privateKey, keyId } = await this.key();
    return { ...head, keyId, signature: signatureOf(textOfHead(head), privateKey) };
  }

  async segment(segment: Omit<SegmentManifest, 'keyId' | 'signature'>): Promise<SegmentManifest> {
    const { privateKey, keyId } = await this.key();
    return { ...segment, keyId, signature: signatureOf(textOfSegment(segment), privateKey) };
  }

  /** PEM of every key that this installation has signed with. */
  async publicPem(): Promise<string> {
    await this.key();
    return readFile(this.config.paths.control.audit.publicKeys, 'utf8');
  }

  /** Every key that this installation has signed with, by id. */
  async publicKeys(): Promise<Map<string, KeyObject>> {
    return publicKeysOf(await this.publicPem());
  }

  private key(): Promise<{ privateKey: KeyObject; keyId: string }> {
    this.loading ??= this.load().catch((error: unknown) => {
      this.loading = undefined;
      throw error;
    });
    return this.loading;
  }

  private async load(): Promise<{ privateKey: KeyObject; keyId: string }> {
    const { auditKey, audit } = this.config.paths.control;
    const privateKey = createPrivateKey(await readOrCreate(auditKey));
    if (privateKey.asymmetricKeyType !== 'ed25519') {
      throw new DomainError('internal', 'AUDIT_KEY_INVALID', `${auditKey} does not hold an Ed25519 key.`, {
        fix: 'Restore it from a backup.',
      });
    }
    const publicKey = createPublicKey(privateKey);
    await mkdir(audit.root, { recursive: true, mode: 0o700 });
    const known = await readFile(audit.publicKeys, 'utf8').catch(absentAsEmpty);
    const keyId = keyIdOf(publicKey);
    if (!publicKeysOf(known).has(keyId))
      await appendFile(audit.publicKeys, publicKey.export({ type: 'spki', format: 'pem' }), { mode: 0o644 });
    return { privateKey, keyId };
  }
}

function absentAsEmpty(error: unknown): string {
  if (codeOf(error) !== 'ENOENT') throw error;
  return '';
}

/** Of several processes that start at once, the first link wins, and everybody reads that one. */
async function readOrCreate(file: string): Promise<string> {
  try {
    if (((await stat(file)).mode & 0o077) !== 0) {
      throw new DomainError('internal', 'AUDIT_KEY_EXPOSED', `${file} can be read by others.`, { fix: `Run: chmod 600 ${file}` });
    }
    return await readFile(file, 'utf8');
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const aside = `${file}.${newId()}`;
  const { privateKey } = generateKeyPairSync('ed25519');
  await writeFile(aside, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600, flush: true });
  try {
    await link(aside, file);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  } finally {
    await rm(aside);
  }
  return readFile(file, 'utf8');
}
