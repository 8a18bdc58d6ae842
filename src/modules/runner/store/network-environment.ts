const NAMES = ['http_proxy', 'https_proxy', 'ftp_proxy', 'all_proxy', 'no_proxy', 'ssl_cert_file', 'ssl_cert_dir'];

/** What the tools that download may see of the agent's environment: proxies and certificate authorities, in either case. */
export function networkEnvironment(environment: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const passed: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment)) {
    if (value !== undefined && value !== '' && NAMES.includes(name.toLowerCase())) passed[name] = value;
  }
  return passed;
}
