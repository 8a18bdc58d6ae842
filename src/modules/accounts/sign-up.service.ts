import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { MoreThan, Repository } from 'typeorm';
import { AuthService, type Grant } from '../../auth/auth.service.js';
import { randomToken, sha256 } from '../../common/random-token.js';
import type { ClientInfo } from '../../auth/sessions/client-info.js';
import { Throttle } from '../../auth/throttle/throttle.js';
import { DomainError } from '../../common/domain-error.js';
import { asSystem } from '../../common/request-context.js';
import type { Transaction } from '../../common/transaction.js';
import { Config } from '../../config/config.js';
import { TransactionRunner, managerOf } from '../../database/transaction-runner.js';
import { MailQueue } from '../../mail/mail-queue.js';
import { UserDirectory, normalEmail } from '../users/user-directory.js';
import type { User } from '../users/user-accounts.js';
import { UsersService } from '../users/users.service.js';
import { alreadySignedUpMail, signUpMail } from './account-mails.js';
import { linkInvalid, linkOf } from './links.js';
import { NewPasswords } from './new-passwords.js';
import { SignUp } from './sign-up.entity.js';

const PREFIX = 'hithe_su_';
const LIFE_MS = 24 * 60 * 60 * 1000;

/** Sign-ups that wait until their address is confirmed. There is no account before, so none that somebody else's password opens. */
@Injectable()
export class SignUps {
  constructor(
    @InjectRepository(SignUp) private readonly signUps: Repository<SignUp>,
    private readonly directory: UserDirectory,
    private readonly mails: MailQueue,
    private readonly config: Config,
  ) {}

  /** Whether an address has to be confirmed before there is an account. */
  get needMail(): boolean {
    return this.mails.configured;
  }

  /** Throws `SIGN_UP_CLOSED` where accounts come by invitation or from the OIDC provider. */
  assertOpen(): void {
    if (this.config.signUp === 'open') return;
    throw new DomainError('forbidden', 'SIGN_UP_CLOSED', 'This installation opens no accounts by sign-up.', {
      fix: this.config.signUp === 'oidc' ? 'Log in through your organisation.' : 'Ask somebody who has an account here for an invitation.',
    });
  }

  /** Keeps the sign-up, and mails its link; whoever has an account is told so by mail. The newest sign-up of an address counts. */
  async keep(tx: Transaction, email: string, passwordHash: string): Promise<void> {
    const manager = managerOf(tx);
    const token = randomToken(PREFIX);
    const expiresAt = new Date(Date.now() + LIFE_MS);
    await manager.upsert(SignUp, manager.create(SignUp, { email, passwordHash, tokenHash: sha256(token), expiresAt }), ['email']);
    const known = (await this.directory.findByEmail(email)) !== null;
    const link = linkOf(this.config.publicUrl, 'sign-up', token);
    await this.mails.enqueue(tx, known ? alreadySignedUpMail(email, this.config.publicUrl) : signUpMail(email, link));
  }

  find(token: string): Promise<SignUp | null> {
    return this.signUps.findOneBy({ tokenHash: sha256(token), expiresAt: MoreThan(new Date()) });
  }

  /** Uses the sign-up up; false when somebody was faster. */
  async spend(tx: Transaction, signUp: SignUp): Promise<boolean> {
    return (await managerOf(tx).delete(SignUp, { id: signUp.id, tokenHash: signUp.tokenHash })).affected === 1;
  }
}

/** Accounts for whoever wants one, where the operator allows it (`HITHE_SIGN_UP=open`). */
@Injectable()
export class SignUpService {
  constructor(
    private readonly signUps: SignUps,
    private readonly users: UsersService,
    private readonly newPasswords: NewPasswords,
    private readonly auth: AuthService,
    private readonly throttle: Throttle,
    private readonly transactions: TransactionRunner,
  ) {}

  /**
   * Where mail is sent: keeps the sign-up until its link comes back, and answers null, also for an address that has an account.
   * Elsewhere: opens the account and logs in; throws `EMAIL_TAKEN`.
   */
  async signUp(email: string, password: string, client: ClientInfo): Promise<Grant | null> {
    this.signUps.assertOpen();
    await this.throttle.count('sign-up', { address: client.address, account: email });
    const passwordHash = await this.newPasswords.hashOf(password, email, 'password');
    if (this.signUps.needMail) {
      await asSystem('sign-up', () => this.transactions.run((tx) => this.signUps.keep(tx, normalEmail(email), passwordHash)));
      return null;
    }
    const user = await this.transactions.run((tx) => this.create(tx, { email, passwordHash, emailVerified: false }));
    return this.auth.admit(user, { methods: ['password'], secondFactor: false }, client);
  }

  /** Opens the account whose link this is, for whoever knows the password that it was asked for with. Throws `LINK_INVALID`. */
  async confirm(token: string, password: string, client: ClientInfo): Promise<Grant> {
    await this.throttle.count('token-confirm', client);
    const signUp = await asSystem('sign-up', () => this.signUps.find(token));
    // Somebody else may have signed up with this address: whoever only reads its mail must not open an account with their password.
    if (!signUp || !(await this.newPasswords.matches(signUp.passwordHash, password))) throw linkInvalid();
    const user = await asSystem('sign-up', () =>
      this.transactions.run(async (tx) => {
        if (!(await this.signUps.spend(tx, signUp))) throw linkInvalid();
        return this.create(tx, { email: signUp.email, passwordHash: signUp.passwordHash, emailVerified: true });
      }),
    );
    await this.throttle.forget('token-confirm', client);
    return this.auth.admit(user, { methods: ['password'], secondFactor: false }, client);
  }

  private create(tx: Transaction, account: { email: string; passwordHash: string; emailVerified: boolean }): Promise<User> {
    return this.users.create(tx, { ...account, platformAdmin: false, via: 'sign-up' });
  }
}
