import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { readSlots } from '../lib/slots.ts';
import type { TestCase, TestContext } from '../lib/test-case.ts';
import { waitFor } from '../lib/wait.ts';

/**
 * Cuts the power again and again: of a device that just became ready, while the product writes, or during the start, at moments
 * spread evenly from the firmware's first moment on. After the last cut it has to start.
 */
async function cutPower({ rig, random, note, ready, signal }: TestContext, times: number): Promise<void> {
  let startMs = 10_000 * rig.slowness;
  let isUp = true;
  for (let count = 1; count <= times; count++) {
    const afterMs = random() * (isUp ? 5000 : startMs);
    await sleep(afterMs, undefined, { signal });
    await rig.network.forget();
    await rig.power.off();
    await rig.power.on();
    note(`cut ${count}: ${(afterMs / 1000).toFixed(1)} s after ${isUp ? 'ready' : 'the start'}`);
    isUp = count === times || random() < 0.5;
    if (!isUp) continue;
    const seconds = await ready();
    startMs = seconds * 1000;
    note(`ready ${seconds.toFixed(0)} s after cut ${count}`);
  }
  const problems = await rig.network.shell(
    'journalctl -b -u rushlight-storage --no-pager -o cat; dmesg | grep -i -E "EXT4-fs error|squashfs error" || true',
  );
  assert.ok(!/errors left|could not/.test(problems), problems);
  assert.ok(!/EXT4-fs error|SQUASHFS error/i.test(problems), problems);
}

/** Tests of recovery. */
export const recoveryTests: readonly TestCase[] = [
  {
    name: 'factory reset forgets everything and comes back',
    selection: 'ci',
    needs: 'booted',
    timeoutMs: 150_000,
    async run({ rig, api, note, ready }) {
      const since = rig.console.log.length;
      const before = (
        await rig.network.shell(
          'cat /data/rushlight/owner-token; cat /etc/machine-id; touch /data/rushlight/mark',
        )
      ).split('\n');
      const { status } = await api.call('factoryReset', { body: {} });
      assert.equal(status, 202);
      await rig.network.forget();
      await rig.console.expect(/reboot: Restarting system/, { timeoutMs: 60_000 * rig.slowness, since });
      await rig.console.expect(/formatting/, { timeoutMs: 60_000 * rig.slowness, since });
      note(`ready ${(await ready()).toFixed(0)} s after the restart`);
      const after = (
        await rig.network.shell('cat /data/rushlight/owner-token; cat /etc/machine-id; ls /data/rushlight')
      ).split('\n');
      assert.notEqual(after[0], before[0], 'there is a new owner token');
      assert.equal(after[1], before[1], 'the machine is the same');
      assert.ok(!after.includes('mark'), 'what was kept is gone');
    },
  },
  {
    name: 'power is cut twice at random instants',
    selection: 'ci',
    needs: 'booted',
    timeoutMs: 200_000,
    retry: false,
    run: (context) => cutPower(context, 2),
  },
  {
    name: 'power is cut ten times at random instants',
    selection: 'long',
    needs: 'booted',
    timeoutMs: 900_000,
    retry: false,
    run: (context) => cutPower(context, 10),
  },
  {
    name: 'a hung system is restarted by the watchdog',
    selection: 'long',
    needs: 'booted',
    timeoutMs: 150_000,
    uses: ['watchdog'],
    async run({ rig, ready, note, signal }) {
      const before = await readSlots(rig);
      assert.match(
        await rig.network.shell('cat /sys/class/watchdog/watchdog0/state'),
        /active/,
        'the watchdog is armed',
      );
      // The kernel schedules only this: systemd no longer feeds the watchdog.
      await rig.network.shell(
        'echo 0 > /proc/sys/kernel/panic; (sleep 2; echo c > /proc/sysrq-trigger) > /dev/null 2>&1 &',
      );
      const crashedAt = Date.now();
      const again = async (): Promise<boolean> => {
        await rig.network.forget();
        return (await readSlots(rig)).bootId !== before.bootId;
      };
      await waitFor('another start', again, { timeoutMs: 120_000 * rig.slowness, signal });
      await ready();
      note(`ready ${((Date.now() - crashedAt) / 1000).toFixed(0)} s after the crash`);
      assert.equal((await readSlots(rig)).booted, before.booted, 'the same slot runs');
    },
  },
];
