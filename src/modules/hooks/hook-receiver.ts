import { Injectable } from '@nestjs/common';
import { ActorLoader } from '../../auth/actor-loader.js';
import type { Actor } from '../../auth/actor.js';
import { Throttle } from '../../auth/throttle/throttle.js';
import { DomainError } from '../../common/domain-error.js';
import { asSystem, requestContext, withRequestContext } from '../../common/request-context.js';
import { DeploymentsService } from '../deployments/deployments.service.js';
import type { DeployHook } from './hook.entities.js';
import { HookJournal } from './hook-journal.js';
import { type SignedHeaders, isSigned, newHookSecret, signedHeadersOf } from './hook-signature.js';
import { HooksService } from './hooks.service.js';

/** One delivery as it came in. */
export interface Delivery {
  hookId: string;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  body: Buffer;
  address: string;
}

/** What a delivery started. */
export interface Started {
  deploymentId: string;
  kind: string;
}

/** Lets signed deliveries start deployments, each once. Strangers learn nothing of which hooks there are. */
@Injectable()
export class HookReceiver {
  /** Stands in for the secret of a hook that is not there, so that its refusal takes the same work. */
  private readonly nobodysSecret = newHookSecret();

  constructor(
    private readonly hooks: HooksService,
    private readonly journal: HookJournal,
    private readonly actors: ActorLoader,
    private readonly deployments: DeploymentsService,
    private readonly throttle: Throttle,
  ) {}

  /** Throws `HOOK_HEADERS_MISSING`, `HOOK_REFUSED`, `HOOK_DISABLED`, `HOOK_REPEATED`, `HOOK_FORBIDDEN`, or what starting the deployment throws. */
  receive(delivery: Delivery): Promise<Started> {
    return asSystem('hooks', async () => {
      const headers = signedHeadersOf(delivery.headers);
      if (headers === undefined) throw headersMissing();
      const counted = { address: delivery.address, account: delivery.hookId };
      await this.throttle.count('deploy-hook', counted);
      const hook = await this.authenticate(delivery, headers);
      await this.throttle.forget('deploy-hook', counted);
      const claimed = await this.journal.claim(hook, headers.id);
      if (claimed === null) throw repeated();
      return this.start(hook, claimed);
    });
  }

  private async authenticate(delivery: Delivery, headers: SignedHeaders): Promise<DeployHook> {
    const hook = await this.hooks.byId(delivery.hookId);
    const secret = hook === null ? this.nobodysSecret : await this.hooks.secretOf(hook);
    const signed = isSigned(secret, headers, delivery.body);
    if (hook === null) throw refused();
    if (!signed) {
      await this.journal.refuse(hook, 'HOOK_REFUSED');
      throw refused();
    }
    if (hook.enabled) return hook;
    await this.journal.refuse(hook, 'HOOK_DISABLED');
    throw forbidden(hook, 'HOOK_DISABLED', 'This hook is switched off.', 'hithe hooks enable');
  }

  private async start(hook: DeployHook, claimed: string): Promise<Started> {
    try {
      const { actor, deployment } = await this.startAsCreator(hook);
      await withRequestContext(contextOf(actor), () => this.journal.finish(hook, claimed, 'started', { deploymentId: deployment.id }));
      return { deploymentId: deployment.id, kind: deployment.kind };
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      await this.journal.finish(hook, claimed, error.kind === 'forbidden' ? 'refused' : 'failed', { code: error.code });
      throw error;
    }
  }

  private async startAsCreator(hook: DeployHook): Promise<{ actor: Actor; deployment: { id: string; kind: string } }> {
    const { id, projectId, teamId, createdBy, kind } = hook;
    const actor = await this.actors.loadForToken({ id, userId: createdBy, teamId, scopes: [`deploy:${projectId}`] });
    if (actor === null) throw creatorMayNot(hook);
    const deployment = await withRequestContext(contextOf(actor), () =>
      this.deployments.start(actor, projectId, { kind, components: [] }),
    ).catch((error: unknown) => {
      const refusal = error instanceof DomainError && (error.kind === 'forbidden' || error.kind === 'not-found');
      throw refusal ? creatorMayNot(hook, actor) : error;
    });
    return { actor, deployment };
  }
}

/** The rest of the request is done as the hook's creator, with the hook as their credential. */
function contextOf(actor: Actor): Parameters<typeof withRequestContext>[0] {
  const { requestId, address } = requestContext() ?? {};
  const { userId, email, credential } = actor;
  return {
    ...(requestId === undefined ? {} : { requestId }),
    ...(address === undefined ? {} : { address }),
    actor: {
      userId,
      email,
      ...(credential.kind === 'token' ? { tokenId: credential.tokenId } : {}),
      teams: actor.memberships.map((membership) => membership.teamId),
    },
  };
}

function headersMissing(): DomainError {
  return new DomainError(
    'invalid',
    'HOOK_HEADERS_MISSING',
    'A delivery needs the headers webhook-id, webhook-timestamp and webhook-signature.',
    {
      fix: 'Sign it as https://www.standardwebhooks.com says; docs/api-tokens.md has an example.',
    },
  );
}

/** One answer for an unknown hook, a wrong signature and a wrong time. */
function refused(): DomainError {
  return new DomainError(
    'unauthenticated',
    'HOOK_REFUSED',
    'There is no such hook, or the signature does not fit, or it is older than five minutes.',
    {
      fix: 'Check the address, the secret, and the clock of the sender.',
    },
  );
}

function repeated(): DomainError {
  return new DomainError('conflict', 'HOOK_REPEATED', 'A delivery with this webhook-id has come before; each works once.', {
    fix: 'Use a new webhook-id for each intent.',
  });
}

function creatorMayNot(hook: DeployHook, actor?: Actor): DomainError {
  const what = `Whoever made this hook may not ${hook.kind} this project any more.`;
  return forbidden(hook, 'HOOK_FORBIDDEN', what, 'Have somebody who may rotate its secret: hithe hooks rotate', actor);
}

function forbidden(hook: DeployHook, code: string, message: string, fix: string, actor?: Actor): DomainError {
  const { id, name, teamId, projectId } = hook;
  const audit = {
    teamId,
    projectId,
    subject: { type: 'hook', id, name },
    ...(actor === undefined ? {} : { actor: { userId: actor.userId, email: actor.email } }),
  };
  return new DomainError('forbidden', code, message, { fix, details: { audit } });
}
