/** One fault within a larger input, as the server names it. */
export interface ProblemFault {
  path: string;
  code: string;
  message: string;
  fix?: string;
}

/** The body of an `application/problem+json` answer (RFC 9457) with Hithe's own fields. */
export interface Problem {
  type?: string;
  title: string;
  status: number;
  /** Stable and upper case, e.g. `DEPLOYMENT_ALREADY_ACTIVE`. */
  code: string;
  detail?: string;
  instance?: string;
  requestId?: string;
  /** What the reader can do next. */
  fix?: string;
  errors?: ProblemFault[];
}

/** The server answered, and the answer is an error. `message` is the problem's detail. */
export class HitheApiError extends Error {
  constructor(readonly problem: Problem) {
    super(problem.detail ?? problem.title);
    this.name = 'HitheApiError';
  }

  get status(): number {
    return this.problem.status;
  }

  get code(): string {
    return this.problem.code;
  }
}

/** No answer came: the server is away, its name is unknown, or the connection broke. `cause` is the reason. */
export class HitheConnectionError extends Error {
  constructor(
    readonly server: string,
    cause: unknown,
  ) {
    super(`${server} does not answer: ${reason(cause)}`, { cause });
    this.name = 'HitheConnectionError';
  }
}

/** The error code of the operating system (`ECONNREFUSED`) behind an error, if there is one. */
export function systemCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  if ('code' in error && typeof error.code === 'string') return error.code;
  if ('errors' in error && Array.isArray(error.errors) && error.errors.length > 0) return systemCode(error.errors[0]);
  return 'cause' in error ? systemCode(error.cause) : undefined;
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ENOTFOUND: 'the host name is unknown',
  EAI_AGAIN: 'the host name could not be looked up',
  ECONNRESET: 'the connection was closed before the answer',
  ETIMEDOUT: 'the connection timed out',
  EHOSTUNREACH: 'there is no route to the host',
  ENETUNREACH: 'there is no route to the network',
  EPROTO: 'it does not speak TLS',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is signed by itself',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is signed by an unknown authority',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is signed by an unknown authority',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
};

function reason(cause: unknown): string {
  const code = systemCode(cause);
  const known = code === undefined ? undefined : REASONS[code];
  if (known !== undefined) return known;
  return cause instanceof Error ? cause.message : String(cause);
}

/** Reads the error that a response with a status of 300 or more carries; never throws for a malformed body. */
export async function problemOf(response: Response): Promise<HitheApiError> {
  const text = await response.text();
  const body = parseObject(text);
  if (body !== undefined && typeof body['title'] === 'string' && typeof body['code'] === 'string') {
    return new HitheApiError({ ...(body as unknown as Problem), status: response.status });
  }
  const location = response.headers.get('location');
  const detail =
    location === null
      ? `The server answered ${response.status} without saying why${text === '' ? '.' : `: ${text.slice(0, 200)}`}`
      : `The server redirects to ${location}; use that address as the server.`;
  return new HitheApiError({ title: `HTTP ${response.status}`, status: response.status, code: `HTTP_${response.status}`, detail });
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    // A proxy's HTML page, for instance: the caller shows its beginning.
    return undefined;
  }
}
