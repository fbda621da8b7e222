import assert from 'node:assert/strict';
import type { TestCase } from '../lib/test-case.ts';

export const bootTests: readonly TestCase[] = [
  {
    name: 'boots to ready',
    selection: 'ci',
    needs: 'booted',
    timeoutMs: 30_000,
    async run({ rig, note }) {
      const failed = (await rig.network.shell('systemctl --failed --no-legend --plain')).trim();
      assert.equal(failed, '', 'units failed');
      const times = await rig.network.shell(
        'systemd-analyze time; systemd-analyze critical-chain --no-pager | head -n 12',
      );
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
];
