import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const root = join(import.meta.dirname, '../../..');
const ACTION = /\baction\b[^\n]*?('[a-z-]+\.[a-z-]+'(?:\s*:\s*'[a-z-]+\.[a-z-]+')?)/g;

function actionsIn(text: string): string[] {
  return [...text.matchAll(ACTION)].flatMap(([, found = '']) => [...found.matchAll(/'([^']+)'/g)].flatMap(([, action]) => action ?? []));
}

describe('the catalogue in docs/audit.md', () => {
  it('has every action that the code records', () => {
    const catalogue = readFileSync(join(root, 'docs/audit.md'), 'utf8');
    const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).filter((file) => /(?<!\.spec)\.ts$/.test(file));
    const recording = files.map((file) => readFileSync(join(root, 'src', file), 'utf8')).filter((text) => text.includes('audit'));
    const actions = new Set(recording.flatMap(actionsIn));
    expect(actions.size).toBeGreaterThan(40);
    expect([...actions].filter((action) => !catalogue.includes(`\`${action}\``)).sort()).toEqual([]);
  });
});
