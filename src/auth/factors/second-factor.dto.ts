import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsObject, IsOptional, IsString, Length, MaxLength, MinLength } from 'class-validator';
import { IsPrintable } from '../../http/printable.js';
import { pageDto } from '../../http/pagination.js';
import { invalidRequest } from '../../http/validation.js';
import { LONGEST_PASSWORD } from '../passwords/password-policy.js';
import type { Passkey } from './factor.entities.js';
import { SECOND_FACTOR_METHODS, type SecondFactorChallenge, type SecondFactorMethod } from './login-proof.js';
import type { SecondFactorStatus, SecondProof } from './second-factors.js';
import { assertionOf } from './webauthn-json.js';

const CHALLENGE = 'hithe_lc_3q2vQm3k5s1rC0pTn6yXe7zLdJ4bHfGa9uUiOqWcRtE';
const CREDENTIAL = {
  id: 'mX2sLr0Zy1k',
  rawId: 'mX2sLr0Zy1k',
  type: 'public-key',
  response: { clientDataJSON: 'eyJ0eXBlIjoid2ViYXV0aG4uZ2V0In0', authenticatorData: 'SZYN5Q', signature: 'MEUCIQ', userHandle: 'MDE5OQ' },
};
const REQUEST = { challenge: 'q83vASNFZ4k', rpId: 'localhost', userVerification: 'required', allowCredentials: [], timeout: 300_000 };
const CODES = ['k3vp-x7md-92hq-acwt', 'p8dn-4jyx-rt6k-w2vm'];

/** A log-in whose password was right and that needs one more proof. */
export class SecondFactorChallengeDto {
  @ApiProperty({ example: CHALLENGE, description: 'Send it with the second proof; it works once' })
  challenge: string;
  @ApiProperty({ enum: SECOND_FACTOR_METHODS, enumName: 'SecondFactorMethod', isArray: true, example: ['totp', 'recovery-code'] })
  methods: SecondFactorMethod[];
  @ApiProperty({ type: 'integer', example: 300, description: 'Seconds in which the second proof must come' })
  expiresIn: number;

  static from(challenge: SecondFactorChallenge): SecondFactorChallengeDto {
    return { challenge: challenge.challenge, methods: challenge.methods, expiresIn: challenge.expiresIn };
  }
}

/** The challenge alone, to ask what a passkey has to sign. */
export class ChallengeDto {
  @ApiProperty({ example: CHALLENGE, description: 'From the answer of the log-in' })
  @IsString()
  @Length(1, 128)
  challenge: string;
}

/** One proof by a second factor: exactly one of the fields. */
export class ProofDto {
  @ApiPropertyOptional({ example: '492039', description: 'The code that the authenticator app shows now; each works once' })
  @IsOptional()
  @IsString()
  @Length(6, 16)
  totp?: string;

  @ApiPropertyOptional({ example: CODES[0], description: 'A recovery code; each works once' })
  @IsOptional()
  @IsString()
  @Length(16, 64)
  recoveryCode?: string;

  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: true,
    example: CREDENTIAL,
    description: 'What `navigator.credentials.get` gave, by its `toJSON()`',
  })
  @IsOptional()
  @IsObject()
  passkey?: object;
}

/** The second proof of a log-in. */
export class SecondFactorDto extends ProofDto {
  @ApiProperty({ example: CHALLENGE, description: 'From the answer of the log-in' })
  @IsString()
  @Length(1, 128)
  challenge: string;
}

/** Another proof of who one is: exactly one of the fields. */
export class ReauthenticateDto extends ProofDto {
  @ApiPropertyOptional({ example: 'correct horse battery staple', format: 'password', description: 'The password of the account' })
  @IsOptional()
  @IsString()
  @MinLength(1)
  @MaxLength(LONGEST_PASSWORD)
  password?: string;
}

/** The one proof that a request holds; `PROOF_AMBIGUOUS` for none and for several. */
export function proofOf(body: ProofDto & { password?: string }): SecondProof | { password: string } {
  const { totp, recoveryCode, passkey, password } = body;
  const given = [
    ...(totp === undefined ? [] : [{ totp }]),
    ...(recoveryCode === undefined ? [] : [{ recoveryCode }]),
    ...(password === undefined ? [] : [{ password }]),
    ...(passkey === undefined ? [] : [{ passkey: assertionOf(passkey, 'passkey') }]),
  ];
  const [only, second] = given;
  if (only !== undefined && second === undefined) return only;
  throw invalidRequest([
    {
      path: 'totp',
      code: 'PROOF_AMBIGUOUS',
      message: 'Exactly one proof is needed.',
      fix: 'Send one of totp, recoveryCode, passkey or, where it is taken, password.',
    },
  ]);
}

/** The answer of a passkey. */
export class PasskeyAssertionDto {
  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    example: CREDENTIAL,
    description: 'What `navigator.credentials.get` gave, by its `toJSON()`',
  })
  @IsObject()
  passkey: object;
}

/** What a passkey has to sign. */
export class PasskeyRequestDto {
  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    example: REQUEST,
    description: 'For `PublicKeyCredential.parseRequestOptionsFromJSON`, and then `navigator.credentials.get`',
  })
  publicKey: object;
}

/** What a new passkey is to be like. */
export class PasskeyCreationDto {
  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    example: { challenge: 'q83vASNFZ4k', rp: { id: 'localhost', name: 'Hithe' }, user: { id: 'MDE5OQ', name: 'ada@example.org' } },
    description: 'For `PublicKeyCredential.parseCreationOptionsFromJSON`, and then `navigator.credentials.create`',
  })
  publicKey: object;
}

/** The request to register a passkey. */
export class RegisterPasskeyDto {
  @ApiProperty({ example: 'Laptop', description: 'How its owner knows it' })
  @IsString()
  @Length(1, 64)
  @IsPrintable()
  name: string;

  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    example: { ...CREDENTIAL, response: { clientDataJSON: 'eyJ0eXBlIjoid2ViYXV0aG4uY3JlYXRlIn0', attestationObject: 'o2NmbXRkbm9uZQ' } },
    description: 'What `navigator.credentials.create` gave, by its `toJSON()`',
  })
  @IsObject()
  passkey: object;
}

/** The request to rename a passkey. */
export class RenamePasskeyDto {
  @ApiProperty({ example: 'Old laptop', description: 'How its owner knows it' })
  @IsString()
  @Length(1, 64)
  @IsPrintable()
  name: string;
}

/** A passkey of the caller's. */
export class PasskeyDto {
  @ApiProperty({ format: 'uuid', example: '0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55', description: 'Names it in requests' })
  id: string;
  @ApiProperty({ example: 'Laptop', description: 'How its owner knows it' })
  name: string;
  @ApiProperty({ example: true, description: "Whether the device's maker keeps a copy, so that it survives the device" })
  backedUp: boolean;
  @ApiProperty({ format: 'date-time', example: '2026-01-01T00:00:00.000Z', description: 'When it was registered' })
  createdAt: string;
  @ApiProperty({ type: String, format: 'date-time', nullable: true, example: null, description: 'When it was last used; null: never' })
  lastUsedAt: string | null;

  static from(passkey: Passkey): PasskeyDto {
    return {
      id: passkey.id,
      name: passkey.name,
      backedUp: passkey.backedUp,
      createdAt: passkey.createdAt.toISOString(),
      lastUsedAt: passkey.lastUsedAt?.toISOString() ?? null,
    };
  }
}

/** One page of passkeys. */
export class PasskeyPageDto extends pageDto(PasskeyDto) {}

/** Recovery codes, shown this once. */
export class RecoveryCodesDto {
  @ApiProperty({ type: [String], example: CODES, description: 'Each stands in for the second factor once; they are shown only now' })
  recoveryCodes: string[];
}

/** What enabling a second factor gives. */
export class EnabledFactorDto {
  @ApiPropertyOptional({
    type: [String],
    example: CODES,
    description: 'With the first factor: codes that stand in for it, each once; they are shown only now',
  })
  recoveryCodes?: string[];
}

/** A passkey that was just registered. */
export class RegisteredPasskeyDto extends PasskeyDto {
  @ApiPropertyOptional({
    type: [String],
    example: CODES,
    description: 'With the first factor: codes that stand in for it, each once; they are shown only now',
  })
  recoveryCodes?: string[];
}

/** A secret for an authenticator app. */
export class TotpEnrolmentDto {
  @ApiProperty({ example: 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP', description: 'Base32; for typing it into the app' })
  secret: string;
  @ApiProperty({
    example: 'otpauth://totp/Hithe:ada%40example.org?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Hithe',
    description: 'For showing it as a QR code',
  })
  uri: string;
}

/** A code of an authenticator app. */
export class TotpCodeDto {
  @ApiProperty({ example: '492039', description: 'The code that the app shows now' })
  @IsString()
  @Length(6, 16)
  code: string;
}

/** The caller's second factors. */
export class SecondFactorsDto {
  @ApiProperty({ example: true, description: 'Whether an authenticator app is in use' })
  totp: boolean;
  @ApiProperty({ example: false, description: 'Whether there is a passkey' })
  passkeys: boolean;
  @ApiProperty({ type: 'integer', example: 9, description: 'Recovery codes that are not used yet' })
  recoveryCodesLeft: number;
  @ApiProperty({ example: false, description: 'Whether the operator demands a second factor of the caller' })
  required: boolean;

  static from(status: SecondFactorStatus): SecondFactorsDto {
    return {
      totp: status.totp,
      passkeys: status.passkeys,
      recoveryCodesLeft: status.recoveryCodesLeft,
      required: status.required,
    };
  }
}
