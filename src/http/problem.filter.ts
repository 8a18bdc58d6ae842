import { type ArgumentsHost, Catch, type ExceptionFilter, Logger } from '@nestjs/common';
import type { Request, Response } from 'express';
import { DomainError } from '../common/domain-error.js';
import { stackOf } from '../common/thrown.js';
import { DeniedAttempts, deniedAttemptOf } from './denied-attempts.js';
import { type Problem, problemOf } from './problem.js';
import { requestIdOf } from './request-id.js';

/** Answers every thrown error as `application/problem+json`; logs the cause of what it masks, and has what it refuses recorded. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly logger = new Logger('Http');

  constructor(private readonly denied: DeniedAttempts) {}

  async catch(error: unknown, host: ArgumentsHost): Promise<void> {
    const http = host.switchToHttp();
    const request = http.getRequest<Request>();
    const response = http.getResponse<Response>();
    const problem = problemOf(error, request.originalUrl.split('?', 1)[0] ?? '', requestIdOf(request));
    this.log(problem, error);
    const attempt = deniedAttemptOf(request, problem, error);
    if (attempt !== undefined) await this.denied.note(attempt);
    // A stream that has begun cannot carry another answer: cutting it tells the client that it is incomplete.
    if (response.headersSent) {
      response.destroy();
      return;
    }
    if (problem.status === 401) response.setHeader('WWW-Authenticate', 'Bearer');
    const retryAfter = error instanceof DomainError ? error.details['retryAfterSeconds'] : undefined;
    if (typeof retryAfter === 'number') response.setHeader('Retry-After', String(Math.ceil(retryAfter)));
    response.status(problem.status).type('application/problem+json').send(JSON.stringify(problem));
  }

  private log(problem: Problem, error: unknown): void {
    if (problem.status < 500) return;
    const cause = error instanceof DomainError && error.cause !== undefined ? `\ncaused by ${stackOf(error.cause)}` : '';
    this.logger.error(`${problem.code}: ${problem.detail}`, `${stackOf(error)}${cause}`);
  }
}
