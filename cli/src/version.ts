declare const HITHE_CLI_VERSION: string | undefined;

/** Version of the CLI; `cli/build.mjs` fills it in, unbundled code has none. */
export const version = typeof HITHE_CLI_VERSION === 'string' ? HITHE_CLI_VERSION : '0.0.0-dev';
