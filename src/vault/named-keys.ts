import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { Envelopes, placeOf } from './envelopes.js';
import { NamedKey } from './named-key.entity.js';
import { KEY_BYTES } from './seal.js';

/**
 * Keys of 256 bits for single purposes (`audit-fingerprints`), each made up on its first use and the same for good: a rotation of the
 * platform key does not change them.
 */
@Injectable()
export class NamedKeys {
  private readonly known = new Map<string, Promise<Buffer>>();

  constructor(
    @InjectRepository(NamedKey) private readonly keys: Repository<NamedKey>,
    private readonly envelopes: Envelopes,
  ) {}

  get(name: string): Promise<Buffer> {
    const known = this.known.get(name);
    if (known) return known;
    const loading = this.load(name);
    this.known.set(name, loading);
    loading.catch(() => this.known.delete(name));
    return loading;
  }

  private async load(name: string): Promise<Buffer> {
    const place = placeOf('named-key', name);
    const found = await this.keys.findOneBy({ name });
    if (found) return Buffer.from(await this.envelopes.decrypt(place, found.ciphertext), 'base64');
    const ciphertext = await this.envelopes.encrypt(place, randomBytes(KEY_BYTES).toString('base64'));
    // Of two processes that make it up at once, the first one's is everybody's.
    await this.keys.createQueryBuilder().insert().values({ name, ciphertext }).orIgnore().execute();
    const stored = await this.keys.findOneByOrFail({ name });
    return Buffer.from(await this.envelopes.decrypt(place, stored.ciphertext), 'base64');
  }
}
