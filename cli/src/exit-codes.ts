/** What a script can tell from the end of a command. Stable; shown by `hithe help exit-codes`. */
export const EXIT = {
  ok: 0,
  /** The work itself failed: a deployment, an unhealthy project, an error of the server. */
  failed: 1,
  /** The command line, hithe.yaml or another input is wrong; nothing was changed. */
  usage: 2,
  notLoggedIn: 3,
  notFound: 4,
  /** Something else is going on, or exists already. */
  conflict: 5,
  forbidden: 6,
  /** The server does not answer, or answers that it cannot work now. */
  unavailable: 7,
  interrupted: 130,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export const EXIT_HELP = `Exit codes:
  0    done
  1    failed: the deployment failed, the project is unhealthy, or the server had an error
  2    bad input: the command line, hithe.yaml or a value is wrong; nothing was changed
  3    not logged in
  4    not found, or not visible to you
  5    conflict: another deployment is active, or the name is taken
  6    forbidden: your role does not allow it
  7    unavailable: the server does not answer or cannot work now
  130  interrupted by Ctrl-C`;
