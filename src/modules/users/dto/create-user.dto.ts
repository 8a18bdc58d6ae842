import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsBoolean, IsEmail, IsOptional, IsString, MaxLength, ValidateIf } from 'class-validator';
import { LONGEST_PASSWORD, SHORTEST_PASSWORD } from '../../../auth/passwords/password-policy.js';

/** The request to open an account. */
export class CreateUserDto {
  @ApiProperty({ example: 'ada@example.org', description: 'Address to log in with; compared in lower case' })
  @IsEmail({ require_tld: false })
  @MaxLength(254)
  email: string;

  @ApiPropertyOptional({
    example: 'correct horse battery staple',
    minLength: SHORTEST_PASSWORD,
    maxLength: LONGEST_PASSWORD,
    description: 'First password; generated when absent',
  })
  @IsOptional()
  @IsString()
  @MaxLength(LONGEST_PASSWORD)
  password?: string;
}

/** Unlike `@IsOptional()` it lets no null through. */
const isGiven = (_body: unknown, value: unknown): boolean => value !== undefined;

/** The request to change an account; what is absent stays. */
export class ChangeUserDto {
  @ApiPropertyOptional({ example: true, description: 'A disabled user cannot log in, and their sessions and API tokens stop working' })
  @ValidateIf(isGiven)
  @IsBoolean()
  disabled?: boolean;

  @ApiPropertyOptional({ example: false, description: 'Whether they administer the platform' })
  @ValidateIf(isGiven)
  @IsBoolean()
  platformAdmin?: boolean;
}
