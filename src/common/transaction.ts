/**
 * An open database transaction, as far as domain code may know it. `database/transaction-runner.ts` makes one;
 * persistence turns it back into an entity manager with `managerOf`.
 */
export interface Transaction {
  query<T = unknown>(sql: string, parameters?: unknown[]): Promise<T>;
}
