import { HitheApiError } from '@hithe/client';
import { usageError } from '../cli-error.js';
import type { Context } from '../context.js';
import { ask, askSecret, readSecretFromStdin } from './prompt.js';

/** One proof of who one is, as the API takes it. */
export type Proof = { password: string } | { totp: string } | { recoveryCode: string };

export interface ProofOptions {
  /** Read the proof from the standard input. */
  proofStdin?: boolean;
  /** Read the proof from the next line of the standard input: more follows. */
  proofLine?: boolean;
}

/** What a code is, by its form: six digits of an authenticator app, or a recovery code. */
export function codeProof(text: string): { totp: string } | { recoveryCode: string } {
  const plain = text.replaceAll(/\s/g, '');
  if (/^\d{6}$/.test(plain)) return { totp: plain };
  if (/^(?:[a-z0-9]{4}-?){4}$/i.test(plain)) return { recoveryCode: plain };
  throw usageError('This is neither a code of six digits nor a recovery code.', {
    code: 'CODE_MALFORMED',
    fix: 'Type what the authenticator app shows, or a recovery code such as k3vp-x7md-92hq-acwt.',
  });
}

/** Runs `work`; when the server wants a fresh proof first, asks for the password or a code, and runs it again. */
export async function withProof<T>(context: Context, options: ProofOptions, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof HitheApiError && error.code === 'REAUTHENTICATION_REQUIRED')) throw error;
  }
  const { api } = await context.client();
  await api.POST('/api/v1/me/reauthenticate', { body: await askProof(context, options) });
  return work();
}

async function askProof(context: Context, options: ProofOptions): Promise<Proof> {
  const text = await textOfProof(context, options);
  try {
    return codeProof(text);
  } catch {
    return { password: text };
  }
}

function textOfProof(context: Context, { proofStdin, proofLine }: ProofOptions): Promise<string> {
  if (proofLine === true) return ask(context.io, 'Password or code: ');
  return proofStdin === true ? readSecretFromStdin(context.io) : askOnTerminal(context);
}

function askOnTerminal(context: Context): Promise<string> {
  if (context.io.stdin.isTTY === true) return askSecret(context.io, 'Password or code: ');
  throw usageError('The server wants a proof of who you are, and there is no terminal to ask for it on.', {
    code: 'PROOF_MISSING',
    fix: 'printf \'%s\' "$PASSWORD" | hithe … --proof-stdin',
  });
}
