import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsEmail, IsOptional, IsString, MaxLength } from 'class-validator';
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
