import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { pageDto } from '../../../http/pagination.js';
import type { User } from '../user.entity.js';
import type { OpenedAccount } from '../users.service.js';

/** A user, as the API shows one. */
export class UserDto {
  @ApiProperty({ format: 'uuid', example: '0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55' })
  id: string;
  @ApiProperty({ example: 'ada@example.org' })
  email: string;
  @ApiProperty({ example: false, description: 'Whether they administer the platform: users and nodes' })
  platformAdmin: boolean;
  @ApiProperty({ example: false, description: 'A disabled user cannot log in, and their sessions have ended' })
  disabled: boolean;
  @ApiProperty({ format: 'date-time', example: '2026-01-01T00:00:00.000Z' })
  createdAt: string;

  static from(user: User): UserDto {
    return {
      id: user.id,
      email: user.email,
      platformAdmin: user.platformAdmin,
      disabled: user.disabledAt !== null,
      createdAt: user.createdAt.toISOString(),
    };
  }
}

/** A user who has just been created. */
export class CreatedUserDto extends UserDto {
  @ApiPropertyOptional({ example: 'kfReT-9aXmw-Q3bnH-yLe4z', description: 'Shown this once, and only when no password was given' })
  initialPassword?: string;

  static of({ user, initialPassword }: OpenedAccount): CreatedUserDto {
    return Object.assign(new CreatedUserDto(), UserDto.from(user), initialPassword === undefined ? {} : { initialPassword });
  }
}

/** One page of users. */
export class UserPageDto extends pageDto(UserDto) {}
