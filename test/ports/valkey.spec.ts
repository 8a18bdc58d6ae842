import { expect, it } from '@jest/globals';
import { describeLifecycle } from './support/lifecycle.js';
import type { PortInstance } from './support/port-instance.js';
import { valkeyCommands } from './support/resp.js';

async function send(instance: PortInstance, ...commands: string[][]): Promise<string> {
  return valkeyCommands(instance.networkPort, instance.secrets[0] ?? '', commands);
}

async function write(instance: PortInstance, value: string): Promise<void> {
  await send(instance, ['SET', 'kept', value], ['WAITAOF', '1', '0', '5000']);
}

async function read(instance: PortInstance): Promise<string | undefined> {
  return /^\$\d+\r\n(.*)\r\n$/.exec(await send(instance, ['GET', 'kept']))?.[1];
}

const PROVISION = { PROVISION_DATABASE: 'extra', PROVISION_USER: 'extra_user', PROVISION_PASSWORD: `it's $secret` };

for (const version of ['9', '8']) {
  describeLifecycle({ port: 'valkey', version, write, read }, (instance) => {
    it('lets nobody in without the password', async () => {
      await expect(valkeyCommands(instance().networkPort, 'wrong', [])).rejects.toThrow('WRONGPASS');
    });

    it('goes to a newer version, and refuses an older one', async () => {
      const [older, newer] = ['8', '9'];
      expect((await instance().run('upgrade.sh', { FROM_VERSION: older, TO_VERSION: newer })).code).toBe(0);
      expect((await instance().run('upgrade.sh', { FROM_VERSION: newer, TO_VERSION: older })).code).toBe(1);
    });

    it('provides a part of the keys to another project, and takes it back', async () => {
      const login = ['AUTH', PROVISION.PROVISION_USER, PROVISION.PROVISION_PASSWORD];
      await instance().succeed('provision.sh', PROVISION);
      await instance().stop();
      await instance().startHealthy();
      await instance().succeed('provision.sh', PROVISION);
      expect(await send(instance(), login, ['SET', 'extra:1', 'x'])).toBe('+OK\r\n');
      await expect(send(instance(), login, ['GET', 'kept'])).rejects.toThrow('NOPERM');
      await instance().succeed('provision.sh', PROVISION, {}, ['drop']);
      await expect(send(instance(), login)).rejects.toThrow('WRONGPASS');
      expect(await send(instance(), ['EXISTS', 'extra:1'])).toBe(':0\r\n');
      expect(await read(instance())).toBe('first');
    });
  });
}
