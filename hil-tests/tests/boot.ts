import assert from 'node:assert/strict';
import { cameraSource, cardConfig } from '../lib/config.ts';
import type { TestCase } from '../lib/test-case.ts';
import { feedOnline, view } from './media.ts';

const analysis = 'systemd-analyze time; systemd-analyze critical-chain --no-pager | head -n 12';

/** Tests of the start. */
export const bootTests: readonly TestCase[] = [
  {
    name: 'boots to ready',
    selection: 'ci',
    needs: 'booted',
    timeoutMs: 30_000,
    async run({ rig, note }) {
      const failed = (await rig.network.shell('systemctl --failed --no-legend --plain')).trim();
      assert.equal(failed, '', 'units failed');
      const times = await rig.network.shell(analysis);
      for (const line of times.trim().split('\n')) note(line);
    },
  },
  {
    name: 'page answers by HTTPS',
    selection: 'ci',
    needs: 'booted',
    timeoutMs: 10_000,
    async run({ api }) {
      const page = await api.send('GET', '/', null);
      assert.equal(page.status, 200);
      assert.match(String(page.headers['content-type']), /text\/html/);
      assert.match(page.body.toString('utf8'), /<script[^>]+src=/);
    },
  },
  {
    name: 'the manual is on the appliance',
    selection: 'ci',
    needs: 'booted',
    timeoutMs: 10_000,
    async run({ api }) {
      const manual = await api.send('GET', '/docs/', null);
      assert.equal(manual.status, 200);
      assert.match(manual.body.toString('utf8'), /Rushlight manual/);
      assert.match(String(manual.headers['content-security-policy']), /default-src 'none'/);
      const page = await api.send('GET', '/docs/operate/troubleshooting.html', null);
      assert.equal(page.status, 200);
    },
  },
  {
    name: 'time to the first picture, against bare Debian on the same machine',
    selection: 'long',
    needs: 'off',
    timeoutMs: 600_000,
    uses: ['reference', 'video'],
    async run(context) {
      const { rig, note, ready, signal } = context;
      assert.ok(rig.reference);
      const before = await rig.reference.start(signal);
      await rig.storage.writeCard('rushlight.toml', cardConfig({ more: cameraSource }));
      // The first start formats, and has no compiled code yet: the second one is what an owner sees every day.
      await rig.power.on();
      await ready();
      await feedOnline(context, 'cam0');
      await rig.network.shell('sync');
      await rig.network.forget();
      await rig.power.off();
      const startedAt = Date.now();
      await rig.power.on();
      const readyS = await ready();
      await feedOnline(context, 'cam0');
      await using viewer = await view(context, 'cam0');
      await viewer.pictures(1, 20_000 * rig.slowness);
      const pictureS = (Date.now() - startedAt) / 1000;
      const ours = await rig.network.shell(analysis, { timeoutMs: 120_000 * rig.slowness });
      await viewer[Symbol.asyncDispose]();
      await rig.network.forget();
      await rig.power.off();
      const after = await rig.reference.start(signal);
      // The two starts around it, so that a machine that gets busier affects both.
      const bareS = (before.multiUserS + after.multiUserS) / 2;
      note(
        `bare Debian: multi-user after ${before.multiUserS.toFixed(0)} and ${after.multiUserS.toFixed(0)} s`,
      );
      for (const line of after.analysis) note(`  ${line}`);
      note(
        `Rushlight: ready after ${readyS.toFixed(0)} s, first picture outside after ${pictureS.toFixed(0)} s`,
      );
      for (const line of ours.trim().split('\n')) note(`  ${line}`);
      note(`ratio: ready ${(readyS / bareS).toFixed(2)}, first picture ${(pictureS / bareS).toFixed(2)}`);
    },
  },
];
