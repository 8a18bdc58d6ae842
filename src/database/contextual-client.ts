import { Client, type Connection, Query } from 'pg';
import { requestContext } from '../common/request-context.js';
import { HotStatements } from './hot-statements.js';
import { type RowAccess, rowAccessOf } from './row-access.js';
import { sqlState } from './sql-state.js';

/** Transaction-local: whatever ends the transaction takes the context off the connection. */
const SET_CONTEXT = `SELECT set_config('hithe.teams', $1, true), set_config('hithe.user', $2, true)`;
const STATEMENT = 'hithe_context';

/** Reads no row; and a transaction that has failed accepts nothing but its end. */
const CONTROLS_TRANSACTION = /^\s*(?:START\s+TRANSACTION|SET\s+TRANSACTION|BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE)\b/i;

type Callback = (error: Error | undefined, result: unknown) => void;

/** The parts of pg's `Query` and `Connection` that their declarations leave out. */
interface ProtocolQuery {
  submit(connection: Connection): void;
  prepare(connection: ProtocolConnection): void;
  handleDataRow(message: unknown): void;
  handleCommandComplete(message: unknown, connection: ProtocolConnection): void;
  handleError(error: Error & { code?: string }, connection: ProtocolConnection): void;
}
interface ProtocolConnection {
  /** Texts of the statements that the server has under a name. */
  readonly parsedStatements: Record<string, string>;
  parse(message: { name: string; text: string }): void;
  bind(message: { portal: string; statement: string; values: string[] }): void;
  execute(message: { portal: string; rows: number }): void;
  close(message: { type: 'S'; name: string }): void;
}
const ExtendedQuery = Query as unknown as new (
  config: { text: string; values: unknown; queryMode: 'extended'; name?: string },
  callback: Callback,
) => ProtocolQuery;

/** Connections on which the statement that sets the context is prepared. */
const prepared = new WeakSet<ProtocolConnection>();

const hot = new HotStatements();
/** "Cached plan must not change result type", after a migration, and "prepared statement does not exist". */
const OUTDATED = new Set(['0A000', '26000']);
const isOutdated = (error: unknown): boolean => OUTDATED.has(sqlState(error) ?? '');

/**
 * A statement that travels together with its context: both are sent at once, and the extended protocol runs what stands before
 * one Sync in one implicit transaction. So the context costs no round trip, and ends with the statement (or with the transaction
 * that is open around it, where each statement brings its own).
 */
class ContextualQuery extends ExtendedQuery {
  private contextIsSet = false;
  private readonly hotName: string | undefined;

  constructor(
    text: string,
    values: unknown,
    private readonly access: RowAccess,
    callback: Callback,
  ) {
    const name = hot.nameOf(text);
    super({ text, values, queryMode: 'extended', ...(name === undefined ? {} : { name }) }, callback);
    this.hotName = name;
  }

  override prepare(connection: ProtocolConnection): void {
    if (!prepared.has(connection)) {
      // The attempt before this one may have been cancelled half-way.
      connection.close({ type: 'S', name: STATEMENT });
      connection.parse({ name: STATEMENT, text: SET_CONTEXT });
    }
    connection.bind({ portal: '', statement: STATEMENT, values: [this.access.teams, this.access.user] });
    connection.execute({ portal: '', rows: 0 });
    // Closing what is not there is no error; preparing what is there would be one.
    if (this.hotName !== undefined && connection.parsedStatements[this.hotName] === undefined)
      connection.close({ type: 'S', name: this.hotName });
    super.prepare(connection);
  }

  override handleDataRow(message: unknown): void {
    if (this.contextIsSet) super.handleDataRow(message);
  }

  override handleCommandComplete(message: unknown, connection: ProtocolConnection): void {
    if (this.contextIsSet) {
      super.handleCommandComplete(message, connection);
      return;
    }
    this.contextIsSet = true;
    prepared.add(connection);
  }

  override handleError(error: Error & { code?: string }, connection: ProtocolConnection): void {
    if (this.hotName !== undefined && isOutdated(error)) Reflect.deleteProperty(connection.parsedStatements, this.hotName);
    super.handleError(error, connection);
  }
}

/**
 * A connection whose every statement sees the rows of the request context it was asked in, and no others. Nobody can forget
 * it: TypeORM's pool consists of these. One statement at a time; texts of several statements are refused by the server.
 */
export class ContextualClient extends Client {
  /** Its declared type fits every overload of pg's; what comes back is what pg gives. */
  override query(...input: unknown[]): never {
    const [text, values, callback] = input;
    const plain = typeof text !== 'string' || typeof values === 'function' || callback !== undefined || CONTROLS_TRANSACTION.test(text);
    return (plain ? this.send(...input) : this.sendInContext(text, values)) as never;
  }

  private async sendInContext(text: string, values: unknown): Promise<unknown> {
    // Read here and now: by the time of the answer, this is the context of whoever used the socket first.
    const access = rowAccessOf(requestContext());
    const alone = this.getTransactionStatus() === 'I';
    try {
      return await this.attempt(text, values, access);
    } catch (error) {
      // A migration has changed what the statement was prepared for; a transaction around it is lost already.
      if (alone && isOutdated(error)) return this.attempt(text, values, access);
      throw error;
    }
  }

  private attempt(text: string, values: unknown, access: RowAccess): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const query = new ContextualQuery(text, values, access, (error, result) => {
        if (error) reject(error);
        else resolve(result);
      });
      this.send(query);
    });
  }

  private send(...input: unknown[]): unknown {
    return (super.query as (...given: unknown[]) => unknown).apply(this, input);
  }
}
