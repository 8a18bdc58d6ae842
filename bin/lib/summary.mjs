/** What the user needs to know once everything runs. */
export async function summary({ settings, admin, adminIsNew, paths, home, exampleAddress, progress }) {
  const bold = (text) => progress.bold(text);
  const lines = ['', `${bold('Hithe runs')} at ${bold(settings.url)}`, ''];
  lines.push(`  API and its documentation   ${settings.url}/api/docs`);
  if (admin?.email !== undefined) {
    lines.push(`  Log-in                      ${admin.email}`);
    // Shown once, and not at all when somebody chose it.
    const shown = adminIsNew && !process.env.HITHE_ADMIN_PASSWORD;
    const kept = `in ${paths.initialAdmin}`;
    lines.push(`  Password                    ${shown ? `${admin.password}  (also ${kept})` : kept}`);
  }
  if (exampleAddress !== undefined) lines.push(`  The example, a guestbook    ${exampleAddress}`);
  lines.push(`  Everything is kept in       ${home}`, '', 'Next, in another terminal:', '');
  const email = admin?.email ?? 'you@example.org';
  lines.push(`  ./bin/hithe login --server ${settings.url} --email ${email}`);
  lines.push(
    '  ./bin/hithe status guestbook',
    '  ./bin/hithe logs -f guestbook',
    '  ./bin/hithe apply -f examples/node-red/hithe.yaml && ./bin/hithe deploy node-red',
  );
  lines.push('', 'Ctrl-C stops Hithe and your components; SIGTERM leaves the components running.', '');
  return lines.join('\n');
}
