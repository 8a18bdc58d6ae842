import { ApiProperty } from '@nestjs/swagger';
import { IsEmail, IsString, MaxLength, MinLength } from 'class-validator';
import { LONGEST_PASSWORD, SHORTEST_PASSWORD } from '../../../auth/passwords/password-policy.js';
import { SIGN_UP_MODES, type SignUpMode } from '../../../config/config.js';

const TOKEN = 'hithe_su_8w2vQm3k5s1rC0pTn6yXe7zLdJ4bHfGa9uUiOqWcRtE';

/** The request for an account. */
export class SignUpDto {
  @ApiProperty({ example: 'ada@example.org', description: 'Address to log in with; compared in lower case' })
  @IsEmail({ require_tld: false })
  @MaxLength(254)
  email: string;

  @ApiProperty({
    example: 'correct horse battery staple',
    format: 'password',
    minLength: SHORTEST_PASSWORD,
    maxLength: LONGEST_PASSWORD,
    description: 'Any characters; nothing that is easy to guess',
  })
  @IsString()
  @MaxLength(LONGEST_PASSWORD)
  password: string;
}

/** The end of a sign-up. */
export class ConfirmSignUpDto {
  @ApiProperty({ example: TOKEN, description: 'What stands behind the # of the mailed link' })
  @IsString()
  @MinLength(1)
  @MaxLength(128)
  token: string;

  @ApiProperty({ example: 'correct horse battery staple', format: 'password', description: 'The one that was chosen at the sign-up' })
  @IsString()
  @MinLength(1)
  @MaxLength(LONGEST_PASSWORD)
  password: string;
}

/** What happens next; the same whatever is known of the address. */
export class AcceptedRequestDto {
  @ApiProperty({ example: true, description: 'Whether this installation sends mail' })
  mail: boolean;
  @ApiProperty({ example: 'If the address is right, a mail with a link is on its way.' })
  message: string;
}

/** The OIDC provider, as people know it. */
export class OidcOptionDto {
  @ApiProperty({ example: 'Harbour account', description: 'For the button that logs in with it' })
  name: string;
}

/** How people can get in. Clients ask it before anybody is logged in. */
export class AuthOptionsDto {
  @ApiProperty({ enum: SIGN_UP_MODES, enumName: 'SignUpMode', example: 'invite', description: 'Who gets an account' })
  signUp: SignUpMode;
  @ApiProperty({ example: true, description: 'Whether mail is sent: links to reset a password, and to confirm an address' })
  mail: boolean;
  @ApiProperty({ type: OidcOptionDto, nullable: true, description: 'The OIDC provider with which one may log in; null when there is none' })
  oidc: OidcOptionDto | null;
  @ApiProperty({ type: 'integer', example: SHORTEST_PASSWORD })
  shortestPassword: number;
  @ApiProperty({ type: 'integer', example: LONGEST_PASSWORD })
  longestPassword: number;
}
