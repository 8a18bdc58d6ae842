/** Names of tokens, service accounts and hooks, for people and commands alike. */
export const NAME_PATTERN = /^[a-z0-9](?:[a-z0-9._-]{0,61}[a-z0-9])?$/;
export const NAME_MESSAGE = 'must be 1 to 63 lower-case letters, digits, dots, hyphens and underscores, from and to a letter or digit';
