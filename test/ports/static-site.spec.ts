import { expect, it } from '@jest/globals';
import { describeLifecycle } from './support/lifecycle.js';
import { writeFiles } from './support/source-files.js';

const LARGE = 'const text = "so large that it is worth compressing";\n'.repeat(100);

for (const version of ['1.26', '1.22']) {
  describeLifecycle(
    {
      port: 'static-site',
      version,
      source: (directory) =>
        writeFiles(directory, {
          'index.html': '<h1>start</h1>',
          'about.html': 'about',
          'docs/index.html': 'docs',
          'app.js': LARGE,
          '404.html': 'nothing here',
          '.env': 'SECRET=1',
          '.well-known/security.txt': 'contact',
        }),
    },
    (instance) => {
      it.each([
        ['/', 200, '<h1>start</h1>', 'text/html; charset=utf-8'],
        ['/about', 200, 'about', 'text/html; charset=utf-8'],
        ['/docs/', 200, 'docs', 'text/html; charset=utf-8'],
        ['/docs', 200, 'docs', 'text/html; charset=utf-8'],
        ['/app.js', 200, LARGE, 'text/javascript; charset=utf-8'],
        ['/.well-known/security.txt', 200, 'contact', 'text/plain; charset=utf-8'],
        ['/nowhere', 404, 'nothing here', 'text/html; charset=utf-8'],
        ['/.env', 404, 'nothing here', 'text/html; charset=utf-8'],
      ])('answers %s with %i', async (path, status, body, type) => {
        const response = await fetch(`${instance().url}${path}`);
        expect([response.status, await response.text(), response.headers.get('content-type')]).toEqual([status, body, type]);
      });

      it('sends compressed what is large, and nothing that the browser has', async () => {
        const first = await fetch(`${instance().url}/app.js`);
        expect(first.headers.get('content-encoding')).toBe('gzip');
        expect(first.headers.get('cache-control')).toBe('no-cache');
        const tag = first.headers.get('etag') ?? '';
        expect(tag).not.toBe('');
        const again = await fetch(`${instance().url}/app.js`, { headers: { 'If-None-Match': tag } });
        expect(again.status).toBe(304);
      });

      it('logs what people ask for, and not the health checks', () => {
        expect(instance().output).toContain('"GET /about HTTP/1.1" 200');
        expect(instance().output).not.toContain('hithe-health');
      });

      it('sends the fallback for an app that routes in the browser', async () => {
        instance().setVar('SITE_FALLBACK', 'index.html');
        await instance().stop();
        await instance().startHealthy();
        const response = await fetch(`${instance().url}/some/view`);
        expect([response.status, await response.text()]).toEqual([200, '<h1>start</h1>']);
      });
    },
  );
}
