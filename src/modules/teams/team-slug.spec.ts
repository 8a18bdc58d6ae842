import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { LONGEST_SLUG, SLUG_PATTERN, slugOf, withTail } from './team-slug.js';

describe('slugOf', () => {
  it.each([
    ["Ada's Team", 'ada-s-team'],
    ['Zoë Ünal', 'zoe-unal'],
    ['42 answers', 'answers'],
    ['日本', 'team'],
    ['--', 'team'],
  ])('makes %s into %s', (name, slug) => {
    expect(slugOf(name)).toBe(slug);
  });

  it('always makes a slug, with a tail too', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 80, unit: 'binary' }), (name) => {
        for (const slug of [slugOf(name), withTail(slugOf(name))]) {
          expect(slug).toMatch(SLUG_PATTERN);
          expect(slug.length).toBeLessThanOrEqual(LONGEST_SLUG);
        }
      }),
    );
  });
});
