import { describe, expect, it } from '@jest/globals';
import { type Amounts, effectiveLimits, violationsOf } from './quota.js';

const NOTHING: Amounts = { projects: 0, components: 0, memory: 0, cpu: 0, disk: 0, listenPorts: 0 };
const GIGABYTE = 1024 ** 3;

function ask(limits: Parameters<typeof effectiveLimits>[1], before: Partial<Amounts>, after: Partial<Amounts>) {
  return violationsOf({
    team: 'shop',
    limits: effectiveLimits({}, limits),
    before: { ...NOTHING, ...before },
    after: { ...NOTHING, ...after },
  });
}

describe('a quota', () => {
  it("is the team's own, else the platform's, else none", () => {
    const limits = effectiveLimits({ projects: 10, memory: 5 }, { memory: null, cpu: 2 });
    expect(limits).toMatchObject({
      projects: { limit: 10, source: 'platform' },
      memory: { limit: null, source: 'team' },
      cpu: { limit: 2, source: 'team' },
      disk: { limit: null, source: 'none' },
    });
  });

  it('says what a team may have, has, and what a change adds', () => {
    expect(ask({ components: 20 }, { components: 19 }, { components: 22 })).toEqual([
      {
        resource: 'components',
        message: 'Team shop may have 20 components, has 19, this adds 3.',
        fix: 'Ask a platform administrator for more (hithe quota set --team shop --components 22), or remove components that are not needed.',
      },
    ]);
    expect(ask({ memory: 8 * GIGABYTE }, { memory: 7.5 * GIGABYTE }, { memory: 8.5 * GIGABYTE })[0]).toMatchObject({
      message: 'Team shop may ask for 8 GB of memory, has 7.5 GB, this adds 1 GB.',
      fix: expect.stringContaining('--memory 9G'),
    });
    expect(ask({ cpu: 1 }, { cpu: 0.75 }, { cpu: 1.25 })[0]?.message).toBe('Team shop may ask for 1 CPU core, has 0.75, this adds 0.5.');
  });

  it('allows what fits exactly, and what does not grow beyond a limit that was lowered', () => {
    expect(ask({ components: 20 }, { components: 19 }, { components: 20 })).toEqual([]);
    expect(ask({ components: 5 }, { components: 19 }, { components: 19 })).toEqual([]);
    expect(ask({ components: 5 }, { components: 19 }, { components: 18 })).toEqual([]);
    expect(ask({ components: 0 }, {}, { components: 1 })).toHaveLength(1);
  });

  it('names every limit that would be broken', () => {
    expect(ask({ components: 1, listenPorts: 1 }, {}, { components: 2, listenPorts: 2 }).map(({ resource }) => resource)).toEqual([
      'components',
      'listenPorts',
    ]);
  });

  it('on disk stops every change, though the change itself adds nothing', () => {
    expect(ask({ disk: GIGABYTE }, { disk: 2 * GIGABYTE }, { disk: 2 * GIGABYTE })).toEqual([
      expect.objectContaining({ resource: 'disk', message: 'Team shop may store 1 GB and stores 2 GB.' }),
    ]);
  });
});
