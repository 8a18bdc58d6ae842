import { Injectable, Logger } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import {
  type AuthenticationResponseJSON,
  type PublicKeyCredentialCreationOptionsJSON,
  type PublicKeyCredentialRequestOptionsJSON,
  type RegistrationResponseJSON,
  generateAuthenticationOptions,
  generateRegistrationOptions,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from '@simplewebauthn/server';
import { Repository } from 'typeorm';
import { DomainError, notFound } from '../../common/domain-error.js';
import { messageOf } from '../../common/thrown.js';
import type { Transaction } from '../../common/transaction.js';
import { managerOf, violates } from '../../database/transaction-runner.js';
import { type Page, type PageQuery, pageOf } from '../../http/pagination.js';
import { Passkey, type WebauthnPurpose } from './factor.entities.js';
import { RELYING_PARTY_NAME, RelyingParty } from './relying-party.js';
import { CEREMONY_SECONDS, WebauthnChallenges } from './webauthn-challenges.js';
import { challengeOf } from './webauthn-json.js';

const TIMEOUT_MS = CEREMONY_SECONDS * 1000;

/** Public keys of users' devices. User verification (a finger, a face, a PIN) is always required. */
@Injectable()
export class Passkeys {
  private readonly logger = new Logger(Passkeys.name);

  constructor(
    @InjectRepository(Passkey) private readonly passkeys: Repository<Passkey>,
    private readonly challenges: WebauthnChallenges,
    private readonly relyingParty: RelyingParty,
  ) {}

  any(userId: string): Promise<boolean> {
    return this.passkeys.existsBy({ userId });
  }

  page(userId: string, page: PageQuery): Promise<Page<Passkey>> {
    return pageOf(this.passkeys.createQueryBuilder('passkey').where('passkey.userId = :userId', { userId }), page);
  }

  /** The user's own passkey, held until the transaction ends, or `PASSKEY_NOT_FOUND`. */
  async own(tx: Transaction, userId: string, id: string): Promise<Passkey> {
    const found = await managerOf(tx).findOne(Passkey, { where: { id, userId }, lock: { mode: 'pessimistic_write' } });
    if (!found) throw notFound('passkey', id);
    return found;
  }

  async rename(tx: Transaction, passkey: Passkey, name: string): Promise<Passkey> {
    return managerOf(tx).save(Object.assign(passkey, { name }));
  }

  async remove(tx: Transaction, passkey: Passkey): Promise<void> {
    await managerOf(tx).delete(Passkey, { id: passkey.id });
  }

  async removeAll(tx: Transaction, userId: string): Promise<void> {
    await managerOf(tx).delete(Passkey, { userId });
  }

  /** What the browser asks a device for: a discoverable key, on none of the devices that have one already. */
  async registrationOptions(user: { id: string; email: string }): Promise<PublicKeyCredentialCreationOptionsJSON> {
    const present = await this.passkeys.findBy({ userId: user.id });
    return generateRegistrationOptions({
      rpName: RELYING_PARTY_NAME,
      rpID: this.relyingParty.id,
      userName: user.email,
      userDisplayName: user.email,
      userID: new Uint8Array(Buffer.from(user.id)),
      challenge: bytesOf(await this.challenges.issue('register', user.id)),
      timeout: TIMEOUT_MS,
      attestationType: 'none',
      excludeCredentials: present.map(({ credentialId, transports }) => ({ id: credentialId, transports })),
      authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
    });
  }

  /** Stores the key that a device has made; null when the device's answer is not right. Throws `PASSKEY_TAKEN`. */
  async register(tx: Transaction, userId: string, name: string, response: RegistrationResponseJSON): Promise<Passkey | null> {
    const challenge = await this.spentChallenge(tx, response.response.clientDataJSON, 'register', userId);
    if (challenge === undefined) return null;
    const result = await verifyRegistrationResponse({ response, ...this.expected(challenge) }).catch((error: unknown) =>
      this.refused(error),
    );
    if (result?.verified !== true) return null;
    const { credential, credentialBackedUp } = result.registrationInfo;
    const manager = managerOf(tx);
    const passkey = manager.create(Passkey, {
      userId,
      name,
      credentialId: credential.id,
      publicKey: Buffer.from(credential.publicKey),
      counter: String(credential.counter),
      transports: response.response.transports ?? [],
      backedUp: credentialBackedUp,
      lastUsedAt: null,
    });
    try {
      return await manager.save(passkey);
    } catch (error) {
      if (!violates(error, 'uq_passkeys_credential_id')) throw error;
      throw new DomainError('conflict', 'PASSKEY_TAKEN', 'This passkey is registered already.', {
        fix: 'Use another device.',
        cause: error,
      });
    }
  }

  /** What the browser asks a device to sign: by a key of this user, or by any key that the device has for us. */
  async loginOptions(userId: string | null): Promise<PublicKeyCredentialRequestOptionsJSON> {
    const allowed = userId === null ? [] : await this.passkeys.findBy({ userId });
    return generateAuthenticationOptions({
      rpID: this.relyingParty.id,
      challenge: bytesOf(await this.challenges.issue(purposeFor(userId), userId)),
      timeout: TIMEOUT_MS,
      userVerification: 'required',
      allowCredentials: allowed.map(({ credentialId, transports }) => ({ id: credentialId, transports })),
    });
  }

  /**
   * The passkey that has signed, after its counter went on; null when anything is not right: an unknown or deleted key, a
   * challenge that was used or issued for somebody else, another site, a wrong signature, a counter that stands still.
   */
  async verify(tx: Transaction, userId: string | null, response: AuthenticationResponseJSON): Promise<Passkey | null> {
    const challenge = await this.spentChallenge(tx, response.response.clientDataJSON, purposeFor(userId), userId);
    const passkey = await managerOf(tx).findOne(Passkey, { where: { credentialId: response.id }, lock: { mode: 'pessimistic_write' } });
    if (challenge === undefined || !passkey || (userId !== null && passkey.userId !== userId)) return null;
    const handle = response.response.userHandle;
    if (handle !== undefined && Buffer.from(handle, 'base64url').toString() !== passkey.userId) return null;
    const credential = { id: passkey.credentialId, publicKey: new Uint8Array(passkey.publicKey), counter: Number(passkey.counter) };
    const result = await verifyAuthenticationResponse({ response, credential, ...this.expected(challenge) }).catch((error: unknown) =>
      this.refused(error),
    );
    if (result?.verified !== true) return null;
    const { newCounter, credentialBackedUp } = result.authenticationInfo;
    Object.assign(passkey, { counter: String(newCounter), backedUp: credentialBackedUp, lastUsedAt: new Date() });
    return managerOf(tx).save(passkey);
  }

  private async spentChallenge(
    tx: Transaction,
    clientDataJSON: string,
    purpose: WebauthnPurpose,
    userId: string | null,
  ): Promise<string | undefined> {
    const challenge = challengeOf(clientDataJSON);
    return challenge !== undefined && (await this.challenges.spend(tx, challenge, purpose, userId)) ? challenge : undefined;
  }

  private expected(challenge: string) {
    const { id, origin } = this.relyingParty;
    return { expectedChallenge: challenge, expectedOrigin: origin, expectedRPID: id, requireUserVerification: true };
  }

  /** The library throws for whatever is wrong with an answer; the reason helps an operator, and tells an attacker too much. */
  private refused(error: unknown): null {
    this.logger.warn(`A passkey was refused: ${messageOf(error)}`);
    return null;
  }
}

function purposeFor(userId: string | null): WebauthnPurpose {
  return userId === null ? 'login' : 'second-factor';
}

/** The library encodes the bytes as base64url again, which is the text that the challenge was issued as. */
function bytesOf(challenge: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(challenge, 'base64url'));
}
