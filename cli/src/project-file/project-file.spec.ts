import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CliError } from '../cli-error.js';
import { type ProjectFile, findProjectFile, readProjectFile } from './project-file.js';

describe('readProjectFile', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'hithe-yaml-'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  const read = async (text: string): Promise<ProjectFile> => {
    const path = join(directory, 'hithe.yaml');
    await writeFile(path, text);
    return readProjectFile(path, directory);
  };
  const faultOf = async (text: string): Promise<CliError> => {
    try {
      await read(text);
    } catch (error) {
      if (error instanceof CliError) return error;
      throw error;
    }
    throw new Error('the file was accepted');
  };

  it('reads a good file', async () => {
    const file = await read('name: x\ncomponents:\n  db: {port: postgres, version: "17"}\n');
    expect(file.name).toBe('x');
    expect(file.spec).toEqual({ name: 'x', components: { db: { port: 'postgres', version: '17' } } });
  });

  it('names line, column and mend of a duplicate key', async () => {
    const { faults, exitCode } = await faultOf('name: x\ncomponents:\n  db: {port: postgres}\n  db: {port: valkey}\n');
    expect(exitCode).toBe(2);
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatchObject({ place: 'hithe.yaml:4:3', message: 'The key "db" is here a second time.' });
    expect(faults[0]?.fix).toMatch(/Rename/);
    expect(faults[0]?.excerpt).toContain('4 |   db: {port: valkey}');
  });

  it.each([
    ['a tab', 'name: x\ncomponents:\n\tdb: 1\n', /hithe\.yaml:3:/, /spaces/],
    ['an open bracket', 'name: x\ncomponents: {db: {port: postgres}\n', /hithe\.yaml:\d+:\d+/, /missing "}"/],
    ['an open quote', 'name: "x\ncomponents: {}\n', /hithe\.yaml:\d+:\d+/, /quote/],
    ['two documents', 'name: x\n---\nname: y\n', /hithe\.yaml:2:/, /one project per file/],
  ])('places %s and says how to mend it', async (_what, text, place, mend) => {
    const { faults } = await faultOf(text);
    expect(faults[0]?.place).toMatch(place);
    expect(faults[0]?.fix).toMatch(mend);
  });

  it.each([
    ['', /empty/],
    ['- a\n- b\n', /not a mapping/],
  ])('refuses %j', async (text, message) => {
    expect((await faultOf(text)).message).toMatch(message);
  });

  it('refuses aliases that grow without end', async () => {
    const levels = Array.from({ length: 9 }, (_, level) => `l${level + 1}: &l${level + 1} [${Array(9).fill(`*l${level}`).join(', ')}]`);
    expect((await faultOf(`l0: &l0 [x]\n${levels.join('\n')}\n`)).code).toBe('YAML_INVALID');
  });

  it('places the faults that the server names by path', async () => {
    const file = await read('name: x\ncomponents:\n  web:\n    port: nodejs-app\n    needs: [db, cach]\n');
    const places = file
      .place([
        { place: 'components.web.needs[1]', message: 'm' },
        { place: 'components.web.source', message: 'm' },
        { place: 'components.web', message: 'm' },
        { place: 'unknown', message: 'm' },
      ])
      .map(({ place }) => place);
    expect(places).toEqual(['hithe.yaml:5:17', 'hithe.yaml:3:3', 'hithe.yaml:3:3', 'unknown']);
  });

  it('finds the file of a directory, and says when there is none', async () => {
    await expect(findProjectFile(directory, '.')).rejects.toThrow('There is no hithe.yaml in .');
    await expect(findProjectFile(directory, 'nope.yaml')).rejects.toThrow('There is no file nope.yaml');
    expect(await findProjectFile(directory, undefined)).toBeUndefined();
    await writeFile(join(directory, 'hithe.yml'), 'name: x\n');
    expect(await findProjectFile(directory, undefined)).toBe(join(directory, 'hithe.yml'));
  });
});
