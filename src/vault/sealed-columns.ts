/** A column of envelopes. Rotation of the platform key rewraps what is in it. */
export interface SealedColumn {
  table: string;
  /** Of type bytea; may be null. */
  column: string;
  /** One column that identifies a row; `id` when absent. */
  key: string;
}

const declared = new Map<string, SealedColumn>();
const IDENTIFIER = /^[a-z][a-z0-9_]*$/;

/** Declares that a column holds envelopes of `Envelopes`: `defineSealedColumn({table: 'totp_factors', column: 'secret'})`, beside the entity. */
export function defineSealedColumn(column: Omit<SealedColumn, 'key'> & { key?: string }): SealedColumn {
  const full = { key: 'id', ...column };
  for (const name of Object.values(full)) if (!IDENTIFIER.test(name)) throw new TypeError(`"${name}" is not the name of a table or column`);
  const name = `${full.table}.${full.column}`;
  if (declared.has(name)) throw new TypeError(`The sealed column ${name} is declared twice`);
  declared.set(name, full);
  return full;
}

/** Every column of envelopes. */
export function sealedColumns(): SealedColumn[] {
  return [...declared.values()];
}
