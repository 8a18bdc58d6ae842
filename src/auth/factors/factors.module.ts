import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { LoginChallenge, Passkey, RecoveryCode, TotpCredential, WebauthnChallenge } from './factor.entities.js';
import { LoginChallenges } from './login-challenges.js';
import { Passkeys } from './passkeys.js';
import { RecoveryCodes } from './recovery-codes.js';
import { RelyingParty } from './relying-party.js';
import { SecondFactors } from './second-factors.js';
import { TotpFactor } from './totp-factor.js';
import { WebauthnChallenges } from './webauthn-challenges.js';

/** What second factors are kept in; no routes, so that the log-in can ask it. */
@Module({
  imports: [TypeOrmModule.forFeature([TotpCredential, RecoveryCode, Passkey, LoginChallenge, WebauthnChallenge])],
  providers: [TotpFactor, RecoveryCodes, Passkeys, LoginChallenges, WebauthnChallenges, RelyingParty, SecondFactors],
  exports: [TotpFactor, RecoveryCodes, Passkeys, LoginChallenges, WebauthnChallenges, SecondFactors],
})
export class FactorsModule {}
