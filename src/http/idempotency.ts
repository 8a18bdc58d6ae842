import { createHash } from 'node:crypto';
import {
  type CallHandler,
  type ExecutionContext,
  Injectable,
  type NestInterceptor,
  UseInterceptors,
  applyDecorators,
} from '@nestjs/common';
import { ApiHeader } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { type Observable, catchError, from, mergeMap, of } from 'rxjs';
import type { Actor } from '../auth/actor.js';
import { DomainError } from '../common/domain-error.js';
import { ApiProblem } from './api.decorators.js';
import { IdempotencyStore } from './idempotency-store.js';

const ACCEPTABLE = /^[\x21-\x7e]{1,255}$/;

/** Makes a POST safe to repeat: the same `Idempotency-Key` within a day gets the first answer again, and nothing starts twice. */
export function Idempotent(): MethodDecorator {
  return applyDecorators(
    UseInterceptors(IdempotencyInterceptor),
    ApiHeader({
      name: 'Idempotency-Key',
      required: false,
      description: 'Any text of your own, new for each intent; a repetition with the same key gets the same answer',
      example: '7d4f2a9e-deploy-guestbook',
    }),
    ApiProblem('conflict'),
  );
}

/** Keeps answers by actor and key. A failed request is not kept: its repetition tries again. */
@Injectable()
export class IdempotencyInterceptor implements NestInterceptor {
  constructor(private readonly store: IdempotencyStore) {}

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const request = context.switchToHttp().getRequest<Request & { user?: Actor }>();
    const response = context.switchToHttp().getResponse<Response>();
    const key = request.headers['idempotency-key'];
    if (key === undefined || !request.user) return next.handle();
    if (typeof key !== 'string' || !ACCEPTABLE.test(key)) {
      throw new DomainError('invalid', 'IDEMPOTENCY_KEY_INVALID', 'An Idempotency-Key is 1 to 255 visible ASCII characters.', {
        fix: 'Use a UUID.',
      });
    }
    const claim = await this.store.claim(request.user.userId, key, hashOf(request));
    if (claim.answer) {
      response.status(claim.answer.status).setHeader('Idempotency-Replayed', 'true');
      return of(claim.answer.body);
    }
    return next.handle().pipe(
      mergeMap(async (body: unknown) => {
        await this.store.complete(claim.id, { status: response.statusCode, body });
        return body;
      }),
      catchError((error: unknown) => from(this.store.release(claim.id).then(() => Promise.reject(error as Error)))),
    );
  }
}

/** What makes two requests the same: method, path, query and body. */
function hashOf(request: Request): Buffer {
  return createHash('sha256')
    .update(JSON.stringify([request.method, request.originalUrl, request.body]))
    .digest();
}
