/** With what a log-in begins. A passkey stands for both factors: the device, and the finger or PIN that unlocked it. */
export type FirstFactor = 'password' | 'oidc';

export const SECOND_FACTOR_METHODS = ['totp', 'passkey', 'recovery-code'] as const;
export type SecondFactorMethod = (typeof SECOND_FACTOR_METHODS)[number];

/** How somebody has proved who they are, before a session is opened for them. */
export interface LoginProof {
  methods: (FirstFactor | SecondFactorMethod)[];
  /** Whether two factors were shown, here or at the OIDC provider. */
  secondFactor: boolean;
}

/** What a log-in that needs one more proof is answered with. */
export interface SecondFactorChallenge {
  /** Secret of whoever gave the first proof; works once, for `expiresIn` seconds. */
  challenge: string;
  methods: SecondFactorMethod[];
  expiresIn: number;
}
