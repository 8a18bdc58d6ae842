import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TestApplication } from '../support/application.js';

describe('the documentation of the API', () => {
  let application: TestApplication;

  beforeAll(async () => {
    application = await TestApplication.start();
  });

  afterAll(async () => {
    await application.stop();
  });

  it('is a page that loads its scripts from here and reads the document', async () => {
    const page = await application.http.get('/api/docs/').expect(200).expect('content-type', /html/);
    expect(page.text).toContain('<title>Hithe API</title>');
    const scripts = [...page.text.matchAll(/<script src="([^"]+)"/g)].map(([, source]) => source ?? '');
    expect(scripts).not.toHaveLength(0);
    for (const script of scripts) {
      expect(script).toMatch(/^\.\//);
      await application.http
        .get(`/api/docs/${script}`)
        .expect(200)
        .expect('content-type', /javascript/);
    }
    expect((await application.http.get('/api/docs/swagger-ui-init.js').expect(200)).text).toContain('/api/openapi.json');
  });

  it('leads to the page without a slash, too', async () => {
    await application.http.get('/api/docs').redirects(1).expect(200);
  });
});
