/** No registry gives out `.service`, so a service account's address is nobody's; no person may have one. */
const SUFFIX = '.service';

/** The address of a service account: `deployer@web-shop.service`. */
export function serviceAddress(name: string, teamSlug: string): string {
  return `${name}@${teamSlug}${SUFFIX}`;
}

/** Whether an address is that of a service account. */
export function isServiceAddress(email: string): boolean {
  return email.endsWith(SUFFIX);
}
