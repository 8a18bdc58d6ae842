import { expect, it } from '@jest/globals';
import { describeLifecycle } from './support/lifecycle.js';
import { getText } from './support/http.js';
import { writeFiles } from './support/source-files.js';

/** A web server in a few lines of gawk: /keep/VALUE keeps a value in a file, everything else answers it. */
const SERVER = String.raw`BEGIN {
  listen = "/inet/tcp/" ENVIRON["PORT"] "/0/0"
  kept = ENVIRON["DATA_DIR"] "/kept"
  while (1) {
    RS = "\r\n"
    listen |& getline request
    split(request, part, " ")
    while ((listen |& getline line) > 0 && line != "") { }
    RS = "\n"
    if (match(part[2], /^\/keep\//)) { print substr(part[2], 7) > kept; close(kept) }
    value = ""
    getline value < kept
    close(kept)
    printf "HTTP/1.0 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", length(value), value |& listen
    close(listen)
  }
}
`;

describeLifecycle(
  {
    port: 'command',
    version: '13',
    vars: { BUILD_COMMAND: 'cp server.txt server.awk', START_COMMAND: 'gawk -f server.awk', HEALTH_KIND: 'http' },
    source: (directory) => writeFiles(directory, { 'server.txt': SERVER }),
    write: (instance, value) => getText(`${instance.url}/keep/${value}`),
    read: (instance) => getText(instance.url),
    ends: { signal: 'SIGTERM' },
  },
  (instance) => {
    it.each(['none', 'http'])('is healthy by %s', async (kind) => {
      instance().setVar('HEALTH_KIND', kind);
      expect((await instance().run('test.sh')).code).toBe(0);
    });

    it('is as healthy as its own command says', async () => {
      instance().setVar('HEALTH_KIND', 'command');
      instance().setVar('HEALTH_COMMAND', '[ -f server.awk ]');
      expect((await instance().run('test.sh')).code).toBe(0);
      instance().setVar('HEALTH_COMMAND', 'printf "the queue is stuck\\n" >&2; exit 4');
      const ill = await instance().run('test.sh');
      expect([ill.code, ill.tail.at(-1)]).toEqual([4, 'the queue is stuck']);
    });

    it('tells a taken connection from a refused one', async () => {
      instance().setVar('HEALTH_KIND', 'tcp');
      expect((await instance().run('test.sh')).code).toBe(0);
      await instance().stop();
      const ill = await instance().run('test.sh');
      expect([ill.code, ill.tail.at(-1)]).toEqual([1, `error: nothing listens on 127.0.0.1:${instance().networkPort}`]);
      await instance().start();
      await instance().untilHealthy();
    });
  },
);
