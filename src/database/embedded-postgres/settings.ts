/** The server's settings: small, local, durable. `local.conf` in the data directory, if there is one, has the last word. */
export function serverSettings(socketDirectory: string, durable: boolean): string {
  const settings: Record<string, string> = {
    // Tenants share the host's network: the platform's database must not be on it.
    listen_addresses: '',
    unix_socket_directories: socketDirectory,
    port: '5432',
    max_connections: '80',
    shared_buffers: '32MB',
    maintenance_work_mem: '32MB',
    min_wal_size: '32MB',
    max_wal_size: '256MB',
    huge_pages: 'off',
    jit: 'off',
    io_method: 'sync',
    max_parallel_workers_per_gather: '0',
    max_logical_replication_workers: '0',
    autovacuum_max_workers: '2',
    password_encryption: 'scram-sha-256',
    log_checkpoints: 'off',
    log_line_prefix: '%m [%p] %d ',
    log_timezone: 'UTC',
    timezone: 'UTC',
    cluster_name: 'hithe',
    ...(durable ? {} : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = '${value.replaceAll("'", "''")}'`);
  return [
    '# Written by Hithe at each start. Put settings of your own into local.conf.',
    ...lines,
    "include_if_exists = 'local.conf'",
    '',
  ].join('\n');
}
