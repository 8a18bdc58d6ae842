import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { Injectable } from '@nestjs/common';
import { JwtService } from '@nestjs/jwt';
import { codeOf } from '../../common/thrown.js';
import { newId } from '../../common/ids.js';
import { Config } from '../../config/config.js';

export const TOKEN_ALGORITHM = 'ES256';
export const TOKEN_ISSUER = 'hithe';
export const TOKEN_AUDIENCE = 'hithe-api';
export const ACCESS_TOKEN_TYPE = 'access';

/** What an access token says; everything else is looked up on each request. */
export interface AccessTokenClaims {
  /** User. */
  sub: string;
  /** Session. */
  sid: string;
  /** Keeps tokens of other kinds, signed by the same key, from being used as access tokens. */
  type: typeof ACCESS_TOKEN_TYPE;
}

/** Signs access tokens with the installation's own ES256 key, which is made on the first boot (mode 0600). */
@Injectable()
export class AccessTokens {
  private keys: { privateKey: string; publicKey: string } | undefined;

  constructor(
    private readonly jwt: JwtService,
    private readonly config: Config,
  ) {}

  sign(userId: string, sessionId: string): Promise<string> {
    const claims: AccessTokenClaims = { sub: userId, sid: sessionId, type: ACCESS_TOKEN_TYPE };
    return this.jwt.signAsync(claims, {
      algorithm: TOKEN_ALGORITHM,
      privateKey: this.load().privateKey,
      issuer: TOKEN_ISSUER,
      audience: TOKEN_AUDIENCE,
      expiresIn: this.config.accessTokenTtl,
      jwtid: newId(),
    });
  }

  /** PEM of the key that verifies. */
  get publicKey(): string {
    return this.load().publicKey;
  }

  private load(): { privateKey: string; publicKey: string } {
    this.keys ??= loadKeys(this.config.paths.control.jwtKey);
    return this.keys;
  }
}

function loadKeys(file: string): { privateKey: string; publicKey: string } {
  const privateKey = readOrCreate(file);
  const key = createPrivateKey(privateKey);
  if (key.asymmetricKeyDetails?.namedCurve !== 'prime256v1')
    throw new TypeError(`${file} does not hold a P-256 key; move it away to have a new one made`);
  return { privateKey, publicKey: createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString() };
}

/** Several processes may boot at once: the first link wins, and everybody reads that one. */
function readOrCreate(file: string): string {
  const fresh = `${file}.${process.pid}`;
  try {
    if ((statSync(file).mode & 0o077) !== 0) throw new TypeError(`${file} can be read by others; run: chmod 600 ${file}`);
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  writeFileSync(fresh, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  try {
    linkSync(fresh, file);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  } finally {
    rmSync(fresh);
  }
  return readFileSync(file, 'utf8');
}
