import assert from 'node:assert/strict';
import { cardConfig, rigLines, writeConfigCommand } from '../lib/config.ts';
import type { TestCase, TestContext } from '../lib/test-case.ts';
import { waitFor } from '../lib/wait.ts';

async function roleIs({ api, rig, signal }: TestContext, role: 'hub' | 'camera'): Promise<string> {
  const status = await waitFor(
    `the role is ${role}`,
    async () => {
      const now = await api.json('getStatus');
      return now.device.role === role && now.device;
    },
    { timeoutMs: 30_000 * rig.slowness, signal },
  );
  return `${role}: ${status.roleReason}`;
}

async function configure({ rig }: TestContext, role: 'hub' | 'camera' | 'auto'): Promise<void> {
  await rig.network.shell(writeConfigCommand(), { input: cardConfig({ role }) });
}

/** Tests of the jumper. */
export const roleTests: readonly TestCase[] = [
  {
    name: 'role by file, by jumper, and both in conflict, while running',
    selection: 'ci',
    needs: 'booted',
    timeoutMs: 90_000,
    uses: ['gpio'],
    async run(context) {
      const { rig, note } = context;
      assert.ok(rig.gpio);
      await configure(context, 'hub');
      note(await roleIs(context, 'hub'));
      await configure(context, 'camera');
      note(await roleIs(context, 'camera'));
      await rig.gpio.set(rigLines.jumper, 'closed');
      await configure(context, 'auto');
      note(await roleIs(context, 'hub'));
      await rig.gpio.set(rigLines.jumper, 'open');
      note(await roleIs(context, 'camera'));
      await rig.gpio.set(rigLines.jumper, 'closed');
      note(await roleIs(context, 'hub'));
      await configure(context, 'camera');
      note(`in conflict, the file: ${await roleIs(context, 'camera')}`);
      await configure(context, 'hub');
      await rig.gpio.set(rigLines.jumper, 'open');
      note(`in conflict, the file: ${await roleIs(context, 'hub')}`);
    },
  },
  {
    name: 'role is kept across a restart',
    selection: 'long',
    needs: 'booted',
    timeoutMs: 150_000,
    async run(context) {
      const { rig, note, ready } = context;
      await configure(context, 'camera');
      await roleIs(context, 'camera');
      const since = rig.console.log.length;
      await rig.network.shell('sync; systemctl --no-block reboot');
      await rig.network.forget();
      await rig.console.expect(/reboot: Restarting system/, {
        timeoutMs: 30_000 * rig.slowness,
        since,
      });
      await ready();
      note(await roleIs(context, 'camera'));
    },
  },
  {
    name: 'a broken config file changes nothing and is reported',
    selection: 'ci',
    needs: 'booted',
    timeoutMs: 60_000,
    async run(context) {
      const { rig, api, note, signal } = context;
      await configure(context, 'hub');
      await roleIs(context, 'hub');
      await rig.network.shell(writeConfigCommand(), {
        input: `${cardConfig({ role: 'camera' })}\nrole_ = "camera"\n`,
      });
      const [error] = await waitFor(
        'the mistake is on the page',
        async () => {
          const { errors } = await api.json('getConfig');
          return errors.length > 0 && errors;
        },
        { timeoutMs: 20_000 * rig.slowness, signal },
      );
      assert.ok(error);
      note(`line ${error.line}, ${error.key}: ${error.message}`);
      assert.equal((await api.json('getStatus')).device.role, 'hub', 'the last good settings stay in force');
      const file = await rig.network.shell('cat /boot/rushlight/rushlight-config-error.txt');
      assert.match(file, /role_/);
      await configure(context, 'hub');
      await waitFor(
        'the mistake is gone',
        async () =>
          (await rig.network.shell('ls /boot/rushlight')).includes('rushlight-config-error.txt') === false,
        { timeoutMs: 20_000 * rig.slowness, signal },
      );
    },
  },
];
