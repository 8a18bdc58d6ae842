import type { Adapter, AdapterFactory, AdapterPayload } from 'oidc-provider';

/** What a provider of the tests remembers, for as long as it lives. Its own adapter does the same, and warns against itself. */
export function rememberedInMemory(): AdapterFactory {
  const payloads = new Map<string, AdapterPayload>();
  const find = (wanted: (key: string, payload: AdapterPayload) => boolean): [string, AdapterPayload][] =>
    [...payloads].filter(([key, payload]) => wanted(key, payload));
  const forget = (wanted: (key: string, payload: AdapterPayload) => boolean): void => {
    for (const [key] of find(wanted)) payloads.delete(key);
  };
  return (model): Adapter => {
    const keyOf = (id: string): string => `${model}:${id}`;
    const first = (member: 'uid' | 'userCode', value: string): Promise<AdapterPayload | undefined> =>
      Promise.resolve(find((key, payload) => key.startsWith(`${model}:`) && payload[member] === value)[0]?.[1]);
    return {
      upsert: (id, payload) => Promise.resolve(void payloads.set(keyOf(id), payload)),
      find: (id) => Promise.resolve(payloads.get(keyOf(id))),
      findByUid: (uid) => first('uid', uid),
      findByUserCode: (userCode) => first('userCode', userCode),
      consume: (id) => {
        const payload = payloads.get(keyOf(id));
        if (payload) payload.consumed = Math.floor(Date.now() / 1_000);
        return Promise.resolve();
      },
      destroy: (id) => Promise.resolve(void payloads.delete(keyOf(id))),
      revokeByGrantId: (grantId) => {
        forget((_key, payload) => payload.grantId === grantId);
        return Promise.resolve();
      },
    };
  };
}
