import type { Fault } from '../../../common/domain-error.js';
import type { PortInfo } from './port-lookup.js';
import type { ComponentSpec } from './project-spec.js';

/** What is wrong with the source of a component. */
export function sourceFaults(
  name: string,
  component: ComponentSpec,
  port: PortInfo,
  context: { hasSource: (digest: string) => boolean },
): Fault[] {
  const path = `components.${name}.source`;
  const { source } = component;
  if (source === undefined) {
    if (port.hithe.source !== 'required') return [];
    return [
      {
        path,
        code: 'SOURCE_REQUIRED',
        message: `The port "${port.name}" runs your code, and no source is given.`,
        fix: 'Add `source: {path: ./app}` or `source: {git: https://…, ref: main}`.',
      },
    ];
  }
  if (port.hithe.source === 'none') {
    return [
      {
        path,
        code: 'SOURCE_UNEXPECTED',
        message: `The port "${port.name}" takes no source.`,
        fix: 'Remove `source`, or use a port that runs code, such as nodejs-app.',
      },
    ];
  }
  if ('git' in source) return gitFaults(path, source.git, source.ref);
  if (source.digest === undefined) {
    return [
      {
        path,
        code: 'SOURCE_NOT_UPLOADED',
        message: `The directory "${source.path}" has not been uploaded.`,
        fix: 'Use the `hithe` command, which uploads it, or POST the archive to /teams/{teamId}/sources and set `digest`.',
      },
    ];
  }
  if (context.hasSource(source.digest)) return [];
  return [
    {
      path: `${path}.digest`,
      code: 'SOURCE_UNKNOWN',
      message: `No archive ${source.digest} has been uploaded for this team.`,
      fix: 'Upload it to /teams/{teamId}/sources, then apply again.',
    },
  ];
}

/** Only https and ssh leave the machine safely; everything else git understands can run commands or read files. */
function gitFaults(path: string, address: string, ref: string): Fault[] {
  const faults: Fault[] = [];
  const scp = /^[A-Za-z0-9._][A-Za-z0-9._-]*@[A-Za-z0-9][A-Za-z0-9.-]*:(?!\/\/)[^\s-][^\s]*$/;
  if (!/^(?:https|ssh):\/\/[^\s-][^\s]*$/.test(address) && !scp.test(address)) {
    faults.push({
      path: `${path}.git`,
      code: 'SOURCE_ADDRESS',
      message: 'A git source must be an https:// or ssh:// address.',
      fix: 'Write it like https://example.com/team/app.git.',
    });
  }
  if (!/^[A-Za-z0-9_][A-Za-z0-9._/+-]*$/.test(ref) || ref.includes('..')) {
    faults.push({
      path: `${path}.ref`,
      code: 'SOURCE_REF',
      message: `"${ref}" is not a branch, tag or commit.`,
      fix: 'Write a branch, tag or commit, e.g. main.',
    });
  }
  return faults;
}
