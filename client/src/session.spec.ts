import { describe, expect, it } from '@jest/globals';
import { MemoryTokenStore, Session, type Tokens } from './session.js';

const NOW = 1_000_000;
const later = (milliseconds: number): number => NOW + milliseconds;

function sessionOf(tokens: Tokens | undefined): { session: Session; refreshed: string[]; store: MemoryTokenStore } {
  const store = new MemoryTokenStore(tokens);
  const refreshed: string[] = [];
  const refresh = (refreshToken: string): Promise<Tokens> => {
    refreshed.push(refreshToken);
    return Promise.resolve({ accessToken: `new-${refreshed.length}`, refreshToken: `r${refreshed.length}`, expiresAt: later(600_000) });
  };
  return { session: new Session(store, refresh, () => NOW), refreshed, store };
}

describe('Session', () => {
  it('hands out a token that is good, and asks for no other', async () => {
    const { session, refreshed } = sessionOf({ accessToken: 'a', refreshToken: 'r', expiresAt: later(120_000) });
    expect(await session.accessToken()).toBe('a');
    expect(refreshed).toEqual([]);
  });

  it('renews a token that is about to end, once for all who ask at the same time', async () => {
    const { session, refreshed, store } = sessionOf({ accessToken: 'a', refreshToken: 'r', expiresAt: later(10_000) });
    const all = await Promise.all([session.accessToken(), session.accessToken(), session.accessToken()]);
    expect(all).toEqual(['new-1', 'new-1', 'new-1']);
    expect(refreshed).toEqual(['r']);
    expect((await store.read())?.refreshToken).toBe('r1');
  });

  it('renews a token that the server has rejected, but not one that somebody else has renewed since', async () => {
    const { session, refreshed } = sessionOf({ accessToken: 'a', refreshToken: 'r', expiresAt: later(600_000) });
    expect(await session.accessToken('a')).toBe('new-1');
    expect(await session.accessToken('a')).toBe('new-1');
    expect(refreshed).toEqual(['r']);
  });

  it('forgets tokens whose refresh token is refused', async () => {
    const store = new MemoryTokenStore({ accessToken: 'a', refreshToken: 'r', expiresAt: NOW });
    const session = new Session(
      store,
      () => Promise.resolve(undefined),
      () => NOW,
    );
    expect(await session.accessToken()).toBeUndefined();
    expect(await store.read()).toBeUndefined();
  });

  it('uses a token without a refresh token as long as it is not rejected', async () => {
    const { session } = sessionOf({ accessToken: 'given' });
    expect(await session.accessToken()).toBe('given');
    expect(await session.accessToken('given')).toBeUndefined();
  });
});
