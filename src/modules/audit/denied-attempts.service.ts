import { type BeforeApplicationShutdown, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { type RequestContext, asSystem, requestContext, withRequestContext } from '../../common/request-context.js';
import { stackOf } from '../../common/thrown.js';
import { type DeniedAttempt, DeniedAttempts } from '../../http/denied-attempts.js';
import { AuditLog } from './audit-log.js';
import type { AuditEntry } from './domain/audit-entry.js';

const WINDOW_MS = 60_000;
const ANONYMOUS_WINDOW_MS = 60 * 60_000;
/** Different refusals that one process writes in a minute; the rest is counted together, so that nobody fills the log. */
const MOST_A_WINDOW = 500;
const MOST_ADDRESSES = 20;

interface Repeated {
  entry: AuditEntry;
  context: RequestContext | undefined;
  more: number;
}

/**
 * Records refused requests: the first of its kind (who, what, why) at once, its repetitions of the same minute as one event with their
 * number. Callers without any credential are only counted, and written once an hour: scanners are many, and say nothing.
 */
@Injectable()
export class AuditedDenials extends DeniedAttempts implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('Audit');
  private readonly window = new Map<string, Repeated>();
  private readonly anonymous = new Map<string, number>();
  private timers: NodeJS.Timeout[] = [];

  constructor(
    private readonly audit: AuditLog,
    private readonly dataSource: DataSource,
  ) {
    super();
  }

  onApplicationBootstrap(): void {
    this.timers = [
      setInterval(() => void this.closeWindow(), WINDOW_MS).unref(),
      setInterval(() => void this.writeAnonymous(), ANONYMOUS_WINDOW_MS).unref(),
    ];
  }

  async beforeApplicationShutdown(): Promise<void> {
    for (const timer of this.timers) clearInterval(timer);
    await this.closeWindow();
    await this.writeAnonymous();
  }

  override async note(attempt: DeniedAttempt): Promise<void> {
    const context = requestContext();
    if (attempt.status === 401 && !attempt.credentialPresented) {
      this.countAnonymous(context?.address ?? 'unknown');
      return;
    }
    const key = this.keyOf(attempt, context);
    const known = this.window.get(key);
    if (known !== undefined) {
      known.more += 1;
      return;
    }
    // Taken before anything is awaited: a rival that comes meanwhile counts.
    const repeated: Repeated = { entry: entryOf(attempt), context, more: 0 };
    this.window.set(key, repeated);
    await this.guarded(async () => {
      repeated.entry.teamId ??= await this.teamOf(attempt.file.projectId);
      await this.audit.recordNow(repeated.entry);
    });
  }

  /** Writes what repeated since the last call. */
  async closeWindow(): Promise<void> {
    const repeated = [...this.window.values()].filter(({ more }) => more > 0);
    this.window.clear();
    for (const { entry, context, more } of repeated) {
      const write = (): Promise<void> => this.audit.recordNow({ ...entry, details: { ...entry.details, repeated: more } });
      await this.guarded(() => (context === undefined ? write() : withRequestContext(context, write)));
    }
  }

  /** Writes how many came without a credential since the last call. */
  async writeAnonymous(): Promise<void> {
    if (this.anonymous.size === 0) return;
    const count = [...this.anonymous.values()].reduce((sum, each) => sum + each, 0);
    const addresses = [...this.anonymous.keys()].filter((address) => address !== 'others');
    this.anonymous.clear();
    await this.guarded(() =>
      asSystem('http', () =>
        this.audit.recordNow({
          action: 'access.refused',
          outcome: 'denied',
          subject: { type: 'route', id: '*' },
          details: { status: 401, withoutCredential: count, addresses },
        }),
      ),
    );
  }

  private countAnonymous(address: string): void {
    const key = this.anonymous.has(address) || this.anonymous.size < MOST_ADDRESSES ? address : 'others';
    this.anonymous.set(key, (this.anonymous.get(key) ?? 0) + 1);
  }

  private keyOf(attempt: DeniedAttempt, context: RequestContext | undefined): string {
    const who = context?.actor?.tokenId ?? context?.actor?.userId ?? attempt.file.actor?.userId;
    // Who cannot say who they are is one and the same, whatever they try.
    const what = attempt.status === 401 ? [] : [attempt.method, attempt.path];
    const key = JSON.stringify([attempt.status, attempt.code, who ?? context?.address, ...what]);
    return this.window.has(key) || this.window.size < MOST_A_WINDOW ? key : 'overflow';
  }

  private async teamOf(projectId: string | undefined): Promise<string | null> {
    if (projectId === undefined) return null;
    const find = (): Promise<{ team: string }[]> =>
      this.dataSource.query<{ team: string }[]>('SELECT team_id AS team FROM projects WHERE id = $1', [projectId]);
    return (await asSystem('audit', find))[0]?.team ?? null;
  }

  /** Nothing was changed by a refused request, so it stays refused also when that cannot be recorded. */
  private async guarded(work: () => Promise<void>): Promise<void> {
    await work().catch((error: unknown) => {
      this.logger.error('A refused request could not be recorded', stackOf(error));
    });
  }
}

function entryOf({ status, code, method, path, route, file }: DeniedAttempt): AuditEntry {
  return {
    action: status === 401 ? 'access.refused' : 'access.denied',
    outcome: 'denied',
    ...(file.teamId === undefined ? {} : { teamId: file.teamId }),
    ...(file.projectId === undefined ? {} : { projectId: file.projectId }),
    ...(file.actor === undefined ? {} : { actor: file.actor }),
    subject: file.subject ?? { type: 'route', id: `${method} ${route}` },
    details: { status, code, method, path, route },
  };
}
