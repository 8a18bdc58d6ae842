import { Injectable } from '@nestjs/common';
import type {
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
  RegistrationResponseJSON,
} from '@simplewebauthn/server';
import { DomainError } from '../../common/domain-error.js';
import type { Transaction } from '../../common/transaction.js';
import { TransactionRunner } from '../../database/transaction-runner.js';
import type { Page, PageQuery } from '../../http/pagination.js';
import { AuditLog } from '../../modules/audit/audit-log.js';
import type { Actor } from '../actor.js';
import { Sessions } from '../sessions/sessions.js';
import type { Passkey } from './factor.entities.js';
import { Passkeys } from './passkeys.js';
import { sessionOf, subjectOf } from './reauthentication.js';
import { RecoveryCodes } from './recovery-codes.js';
import { SecondFactors } from './second-factors.js';
import { TotpFactor } from './totp-factor.js';
import { assertWayIn, lockUser } from './ways-in.js';

/** What users do with their own second factors. The first one brings recovery codes, and the last one takes them away. */
@Injectable()
export class MyFactors {
  constructor(
    private readonly totp: TotpFactor,
    private readonly recoveryCodes: RecoveryCodes,
    private readonly passkeys: Passkeys,
    private readonly factors: SecondFactors,
    private readonly sessions: Sessions,
    private readonly transactions: TransactionRunner,
    private readonly audit: AuditLog,
  ) {}

  beginTotp(actor: Actor): Promise<{ secret: string; uri: string }> {
    return this.transactions.run((tx) => this.totp.begin(tx, { id: actor.userId, email: actor.email }));
  }

  /** Puts the authenticator app into use; recovery codes when it is the first factor. Throws `CODE_WRONG`. */
  async confirmTotp(actor: Actor, code: string): Promise<string[] | undefined> {
    return this.transactions.run(async (tx) => {
      const first = await this.isFirst(tx, actor);
      if (!(await this.totp.confirm(tx, actor.userId, code))) {
        throw new DomainError('invalid', 'CODE_WRONG', 'This is not the code of that secret at this moment.', {
          fix: 'Type the code that the app shows now. If it goes on, set the clocks of the device and of the server.',
        });
      }
      const codes = await this.begin(tx, actor, first);
      await this.audit.record(tx, { action: 'totp.enabled', subject: subjectOf(actor) });
      return codes;
    });
  }

  /** Throws `TOTP_NOT_ENABLED`. */
  async disableTotp(actor: Actor): Promise<void> {
    await this.transactions.run(async (tx) => {
      if (!(await this.totp.remove(tx, actor.userId))) {
        throw new DomainError('conflict', 'TOTP_NOT_ENABLED', 'No authenticator app is in use.');
      }
      await this.end(tx, actor);
      await this.audit.record(tx, { action: 'totp.disabled', subject: subjectOf(actor) });
    });
  }

  /** New codes; the former ones are void. Throws `SECOND_FACTOR_MISSING` when there is nothing that they could stand in for. */
  async renewRecoveryCodes(actor: Actor): Promise<string[]> {
    if ((await this.factors.methodsOf(actor.userId)).length === 0) {
      throw new DomainError('conflict', 'SECOND_FACTOR_MISSING', 'Recovery codes stand in for a second factor, and there is none.', {
        fix: 'Set up an authenticator app or a passkey first.',
      });
    }
    return this.transactions.run(async (tx) => {
      const codes = await this.recoveryCodes.replace(tx, actor.userId);
      await this.audit.record(tx, { action: 'recovery-codes.regenerated', subject: subjectOf(actor) });
      return codes;
    });
  }

  listPasskeys(actor: Actor, page: PageQuery): Promise<Page<Passkey>> {
    return this.passkeys.page(actor.userId, page);
  }

  passkeyOptions(actor: Actor): Promise<PublicKeyCredentialCreationOptionsJSON> {
    return this.passkeys.registrationOptions({ id: actor.userId, email: actor.email });
  }

  /** What one of the caller's passkeys has to sign to prove that it is them. */
  proofOptions(actor: Actor): Promise<PublicKeyCredentialRequestOptionsJSON> {
    return this.passkeys.loginOptions(actor.userId);
  }

  /** Stores a passkey; recovery codes when it is the first factor. Throws `PASSKEY_REFUSED`. */
  async registerPasskey(
    actor: Actor,
    name: string,
    response: RegistrationResponseJSON,
  ): Promise<{ passkey: Passkey; recoveryCodes?: string[] }> {
    const registered = await this.transactions.run(async (tx) => {
      const first = await this.isFirst(tx, actor);
      const passkey = await this.passkeys.register(tx, actor.userId, name, response);
      // The challenge stays used, so the transaction has to commit.
      if (passkey === null) return null;
      const recoveryCodes = await this.begin(tx, actor, first);
      await this.audit.record(tx, { action: 'passkey.registered', subject: { type: 'passkey', id: passkey.id, name } });
      return { passkey, ...(recoveryCodes === undefined ? {} : { recoveryCodes }) };
    });
    if (registered !== null) return registered;
    throw new DomainError(
      'invalid',
      'PASSKEY_REFUSED',
      'The answer of the device is not valid: another site, no user verification, or too late.',
      {
        fix: 'Begin again with POST /api/v1/me/passkeys/options, on the address that HITHE_PUBLIC_URL names.',
      },
    );
  }

  renamePasskey(actor: Actor, id: string, name: string): Promise<Passkey> {
    return this.transactions.run(async (tx) => {
      const passkey = await this.passkeys.own(tx, actor.userId, id);
      const before = { name: passkey.name };
      const renamed = await this.passkeys.rename(tx, passkey, name);
      await this.audit.record(tx, { action: 'passkey.renamed', subject: { type: 'passkey', id, name }, before, after: { name } });
      return renamed;
    });
  }

  async deletePasskey(actor: Actor, id: string): Promise<void> {
    await this.transactions.run(async (tx) => {
      const passkey = await this.passkeys.own(tx, actor.userId, id);
      await this.passkeys.remove(tx, passkey);
      await this.end(tx, actor);
      await assertWayIn(tx, actor.userId);
      await this.audit.record(tx, { action: 'passkey.deleted', subject: { type: 'passkey', id, name: passkey.name } });
    });
  }
  /** Takes all second factors of another user away, who has lost them; every session of theirs ends. */
  async reset(user: { id: string; email: string }): Promise<void> {
    await this.transactions.run(async (tx) => {
      await lockUser(tx, user.id);
      await this.totp.remove(tx, user.id);
      await this.passkeys.removeAll(tx, user.id);
      await this.recoveryCodes.clear(tx, user.id);
      await this.sessions.endAll(tx, user.id, 'second-factor-reset');
      await this.audit.record(tx, { action: 'second-factors.reset', subject: subjectOf({ userId: user.id, email: user.email }) });
    });
  }

  private async isFirst(tx: Transaction, actor: Actor): Promise<boolean> {
    await lockUser(tx, actor.userId);
    return !(await this.factors.hasAny(tx, actor.userId));
  }

  /** A user with a second factor has recovery codes, and this session counts as proved by it. */
  private async begin(tx: Transaction, actor: Actor, first: boolean): Promise<string[] | undefined> {
    await this.sessions.markSecondFactor(tx, sessionOf(actor));
    return first ? this.recoveryCodes.replace(tx, actor.userId) : undefined;
  }

  private async end(tx: Transaction, actor: Actor): Promise<void> {
    if (!(await this.factors.hasAny(tx, actor.userId))) await this.recoveryCodes.clear(tx, actor.userId);
  }
}
