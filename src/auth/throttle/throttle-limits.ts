/** What is counted together: one account from one address, one account from everywhere, one address for all accounts. */
export type ThrottleScope = 'pair' | 'account' | 'address';

interface Limits {
  /** Length of the window. */
  seconds: number;
  /** Most attempts in it. */
  limits: Partial<Record<ThrottleScope, number>>;
}

const QUARTER_OF_AN_HOUR = 15 * 60;
const HOUR = 60 * 60;

/**
 * Everything that somebody could try again and again. Attempts that succeed are taken back where `Throttle.forget` is called, so an
 * office behind one address is not locked out by its own log-ins.
 */
export const LIMITS = {
  'log-in': { seconds: QUARTER_OF_AN_HOUR, limits: { pair: 5, account: 50, address: 100 } },
  refresh: { seconds: QUARTER_OF_AN_HOUR, limits: { address: 300 } },
  'second-factor': { seconds: QUARTER_OF_AN_HOUR, limits: { account: 10, address: 100 } },
  /** Each is a row that nobody has proved anything for. */
  'passkey-options': { seconds: QUARTER_OF_AN_HOUR, limits: { address: 300 } },
  oidc: { seconds: QUARTER_OF_AN_HOUR, limits: { address: 100 } },
  'password-change': { seconds: QUARTER_OF_AN_HOUR, limits: { account: 10 } },
  'sign-up': { seconds: HOUR, limits: { account: 5, address: 20 } },
  'reset-request': { seconds: HOUR, limits: { account: 5, address: 20 } },
  /** Links of invitations, of resets and of sign-ups, whose tokens have 256 bits: this bounds the work, not the guessing. */
  'token-confirm': { seconds: QUARTER_OF_AN_HOUR, limits: { address: 50 } },
  /** Mails to addresses of somebody's choice, for whom everybody can found a team. */
  invitation: { seconds: HOUR, limits: { account: 50 } },
  /** Deliveries to deploy hooks that were refused; those that were right are taken back. */
  'deploy-hook': { seconds: QUARTER_OF_AN_HOUR, limits: { pair: 30, address: 120 } },
} as const satisfies Record<string, Limits>;

export type ThrottledKind = keyof typeof LIMITS;
