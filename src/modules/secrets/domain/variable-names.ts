import type { Fault } from '../../../common/domain-error.js';

/** Most bytes of one value. */
export const LARGEST_VALUE_BYTES = 64 * 1024;
/** Most variables of one project. */
export const MOST_VARIABLES = 500;

const LONGEST_NAME = 128;
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
/** What the contract of ports sets for every script; another value would break a component in ways that nobody looks for. */
const RESERVED = new Set([
  'PATH',
  'HOME',
  'TMPDIR',
  'IFS',
  'ENV',
  'BASH_ENV',
  'PORT',
  'PREFIX',
  'PROJECT_NAME',
  'COMPONENT_NAME',
  'COMPONENT_DIR',
  'INSTALL_DIR',
  'HERMETIC_BUILD',
  'DATA_DIR',
  'LOG_DIR',
  'BUILD_DIR',
  'DOWNLOAD_DIR',
  'SOURCE_DIR',
  'RUN_DIR',
  'RELEASE_DIR',
]);
const RESERVED_PREFIXES = ['HITHE_', 'LIBSCRIPT_', 'LD_'];

/** What is wrong with the name of a variable, if anything; `path` is its place in the request. */
export function nameFault(name: string, path: string): Fault | undefined {
  if (!NAME.test(name) || name.length > LONGEST_NAME) {
    return {
      path,
      code: 'VARIABLE_NAME_INVALID',
      message: `A name is letters, digits and "_", does not begin with a digit, and has at most ${LONGEST_NAME} characters.`,
      fix: 'Rename it, e.g. API_KEY.',
    };
  }
  const prefix = RESERVED_PREFIXES.find((reserved) => name.startsWith(reserved));
  if (!RESERVED.has(name) && prefix === undefined) return undefined;
  return {
    path,
    code: 'VARIABLE_NAME_RESERVED',
    message: prefix === undefined ? `${name} is set by Hithe itself.` : `Names that begin with ${prefix} belong to the platform.`,
    fix: name === 'PORT' ? 'Leave it out: Hithe chooses it; `listen` in hithe.yaml fixes it.' : 'Choose another name.',
  };
}

/** What is wrong with a value, if anything. Its text is never part of the message. */
export function valueFault(value: string, path: string): Fault | undefined {
  const bytes = Buffer.byteLength(value);
  if (bytes > LARGEST_VALUE_BYTES) {
    return {
      path,
      code: 'VARIABLE_TOO_LARGE',
      message: `The value has ${bytes} bytes; at most ${LARGEST_VALUE_BYTES} are allowed.`,
      fix: 'Keep it in a file of the source or in object storage, and set its address.',
    };
  }
  if (!value.includes('\0')) return undefined;
  return { path, code: 'VARIABLE_HAS_NUL', message: 'No environment can hold a NUL character.', fix: 'Encode it, e.g. as base64.' };
}
