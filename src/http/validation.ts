import { type ArgumentMetadata, type ValidationError, ValidationPipe } from '@nestjs/common';
import { DomainError, type Fault } from '../common/domain-error.js';

/** Validates bodies and queries against their DTO classes; whatever a DTO does not declare is refused, not dropped. */
export function validationPipe(): ValidationPipe {
  return new StrictValidationPipe({
    transform: true,
    whitelist: true,
    forbidNonWhitelisted: true,
    forbidUnknownValues: true,
    stopAtFirstError: false,
    exceptionFactory: (errors) => invalidRequest(errors.flatMap((error) => faultsOf(error, ''))),
  });
}

/** Names that the library leaves out without a word. */
const SILENTLY_DROPPED = ['__proto__', 'constructor'];

class StrictValidationPipe extends ValidationPipe {
  override transform(value: unknown, metadata: ArgumentMetadata): Promise<unknown> {
    const named = typeof value === 'object' && value !== null ? SILENTLY_DROPPED.filter((name) => Object.hasOwn(value, name)) : [];
    if (named.length > 0) throw invalidRequest(named.map((name) => faultOf(name, 'whitelistValidation', '')));
    return super.transform(value, metadata);
  }
}

/** The error of a request whose parts break their rules. */
export function invalidRequest(faults: Fault[]): DomainError {
  const where = [...new Set(faults.map((fault) => fault.path))].join(', ');
  return new DomainError('invalid', 'REQUEST_INVALID', `The request is not valid: ${where}.`, { faults });
}

function faultsOf(error: ValidationError, parent: string): Fault[] {
  const path = /^\d+$/.test(error.property)
    ? `${parent}[${error.property}]`
    : parent === ''
      ? error.property
      : `${parent}.${error.property}`;
  const own = Object.entries(error.constraints ?? {}).map(([rule, message]) => faultOf(path, rule, message));
  return [...own, ...(error.children ?? []).flatMap((child) => faultsOf(child, path))];
}

function faultOf(path: string, rule: string, message: string): Fault {
  if (rule === 'whitelistValidation')
    return { path, code: 'UNKNOWN_FIELD', message: `"${path}" is not a known field.`, fix: 'Leave it out.' };
  return { path, code: rule.replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2').toUpperCase(), message };
}
