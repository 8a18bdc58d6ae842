import { Param, ParseUUIDPipe } from '@nestjs/common';
import { ApiParam } from '@nestjs/swagger';
import { invalidRequest } from './validation.js';

const EXAMPLE = '0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55';

/** A path parameter that is the id of something: a UUID, otherwise 400. Documents itself. */
export function IdParam(name: string): ParameterDecorator {
  const pipe = new ParseUUIDPipe({
    exceptionFactory: () =>
      invalidRequest([{ path: name, code: 'ID_INVALID', message: `"${name}" must be a UUID.`, fix: 'Take the id from a list.' }]),
  });
  return (target, key, index) => {
    Param(name, pipe)(target, key, index);
    if (key === undefined) return;
    const descriptor = Object.getOwnPropertyDescriptor(target, key);
    if (descriptor) ApiParam({ name, type: String, format: 'uuid', example: EXAMPLE })(target, key, descriptor);
  };
}
