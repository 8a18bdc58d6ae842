import { ApiProperty } from '@nestjs/swagger';
import { IsEmail, IsString, MaxLength, MinLength } from 'class-validator';
import { LONGEST_PASSWORD, SHORTEST_PASSWORD } from '../../../auth/passwords/password-policy.js';
import type { NewPasswordResult } from '../new-passwords.js';
import type { ResetLink } from '../password-reset.service.js';

const EXAMPLE = 'tulips never dance alone';
const ID = '0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55';
const TOKEN = 'hithe_pr_8w2vQm3k5s1rC0pTn6yXe7zLdJ4bHfGa9uUiOqWcRtE';

/** The request to change one's own password. */
export class ChangePasswordDto {
  @ApiProperty({ example: 'correct horse battery staple', format: 'password' })
  @IsString()
  @MinLength(1)
  @MaxLength(LONGEST_PASSWORD)
  currentPassword: string;

  @ApiProperty({ example: EXAMPLE, format: 'password', minLength: SHORTEST_PASSWORD, maxLength: LONGEST_PASSWORD })
  @IsString()
  @MaxLength(LONGEST_PASSWORD)
  newPassword: string;
}

/** The request for a link by mail. */
export class RequestPasswordResetDto {
  @ApiProperty({ example: 'ada@example.org' })
  @IsEmail({ require_tld: false })
  @MaxLength(254)
  email: string;
}

/** A new password by a link. */
export class ConfirmPasswordResetDto {
  @ApiProperty({ example: TOKEN, description: 'What stands behind the # of the link' })
  @IsString()
  @MinLength(1)
  @MaxLength(128)
  token: string;

  @ApiProperty({ example: EXAMPLE, format: 'password', minLength: SHORTEST_PASSWORD, maxLength: LONGEST_PASSWORD })
  @IsString()
  @MaxLength(LONGEST_PASSWORD)
  password: string;
}

/** An API token that goes on working. */
export class RemainingTokenDto {
  @ApiProperty({ format: 'uuid', example: ID })
  id: string;
  @ApiProperty({ example: 'nightly deploy' })
  name: string;
}

/** What a new password has ended, and what it has not. */
export class NewPasswordDto {
  @ApiProperty({ type: 'integer', example: 2, description: 'Sessions that have ended' })
  endedSessions: number;
  @ApiProperty({
    type: [RemainingTokenDto],
    description: 'API tokens that still work: machines depend on them. Revoke those that somebody else may know.',
  })
  remainingTokens: RemainingTokenDto[];
  @ApiProperty({ type: [String], example: ['laptop'], description: 'Passkeys that still log in; delete those that you do not know' })
  remainingPasskeys: string[];
  @ApiProperty({
    type: [String],
    example: ['ada@id.example.org'],
    description: 'Identities at the OIDC provider that still log in; unlink those that you do not know',
  })
  remainingIdentities: string[];

  static from(result: NewPasswordResult): NewPasswordDto {
    const { endedSessions, remainingPasskeys, remainingIdentities } = result;
    const remainingTokens = result.remainingTokens.map(({ id, name }) => ({ id, name }));
    return { endedSessions, remainingTokens, remainingPasskeys, remainingIdentities };
  }
}

/** A link with which a user chooses a new password. */
export class PasswordResetLinkDto {
  @ApiProperty({ example: `https://hithe.example.org/password-reset#${TOKEN}`, description: 'Works once; shown this once' })
  link: string;
  @ApiProperty({ format: 'date-time', example: '2026-01-01T01:00:00.000Z' })
  expiresAt: string;
  @ApiProperty({ example: false, description: 'Whether it was also mailed to the user' })
  mailed: boolean;

  static from({ link, expiresAt, mailed }: ResetLink): PasswordResetLinkDto {
    return { link, expiresAt: expiresAt.toISOString(), mailed };
  }
}
