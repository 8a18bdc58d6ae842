import { Injectable } from '@nestjs/common';
import { Config } from '../../config/config.js';

export const RELYING_PARTY_NAME = 'Hithe';

/** Which web site passkeys belong to: the one that users see in their browser (`HITHE_PUBLIC_URL`). */
@Injectable()
export class RelyingParty {
  constructor(private readonly config: Config) {}

  /** The host name; passkeys are bound to it for ever. */
  get id(): string {
    return this.url.hostname;
  }

  /** Scheme, host and port. */
  get origin(): string {
    return this.url.origin;
  }

  private get url(): URL {
    return new URL(this.config.publicUrl);
  }
}
