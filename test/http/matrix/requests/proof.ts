import type { Caller, Sent } from '../route-case.js';
import type { Stage } from '../stage.js';

/** `TestApplication.user` gives it to everybody. */
export const PASSWORD = 'a rather long passphrase';

/** Proves first who the caller is; whoever has no session gets no further. */
export async function proved(stage: Stage, caller: Caller, sent: Sent): Promise<Sent> {
  await stage.call('POST', { path: '/api/v1/me/reauthenticate', body: { password: PASSWORD } }, caller.authorization);
  return sent;
}
