import { DataSource } from 'typeorm';
import { asSystem } from '../../src/common/request-context.js';
import { type TestApplication, type TestUser, bearer } from './application.js';

/** A token as it is shown once. */
export interface TestToken {
  id: string;
  token: string;
  scopes: string[];
  teamId: string | null;
  expiresAt: string;
}

/** A new API token of a user's own. */
export async function tokenOf(
  application: TestApplication,
  user: TestUser,
  scopes: readonly string[],
  more: { teamId?: string; name?: string; expiresInDays?: number } = {},
): Promise<TestToken> {
  const body = { name: 'ci', ...more, scopes };
  return (await application.http.post('/api/v1/me/tokens').set(bearer(user)).send(body).expect(201)).body as TestToken;
}

/** The header of a request that is made with a token. */
export function withToken({ token }: { token: string }): Record<string, string> {
  return { Authorization: `Bearer ${token}` };
}

/** Runs SQL as the platform itself. */
export function sql<T>(application: TestApplication, text: string, parameters: unknown[] = []): Promise<T> {
  return asSystem('test', () => application.app.get(DataSource).query<T>(text, parameters));
}

/** Puts the end of a token into the past. */
export async function expire(application: TestApplication, { id }: { id: string }): Promise<void> {
  await sql(application, `UPDATE api_tokens SET expires_at = now() - interval '1 second' WHERE id = $1`, [id]);
}
