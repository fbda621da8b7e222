import assert from 'node:assert/strict';
import { readSlots } from '../lib/slots.ts';
import type { TestCase } from '../lib/test-case.ts';

/** What the slots do around a start, without an update: both have the same system. Updates have tests of their own. */
export const slotTests: readonly TestCase[] = [
  {
    name: 'power is cut in a trial: the committed slot comes back',
    selection: 'long',
    needs: 'trial',
    timeoutMs: 150_000,
    async run({ rig, note, ready }) {
      const trial = await readSlots(rig);
      assert.notEqual(trial.booted, trial.committed, 'the trial is not judged yet');
      await rig.network.forget();
      await rig.power.off();
      await rig.power.on();
      note(`ready ${(await ready()).toFixed(0)} s after the cut`);
      const after = await readSlots(rig);
      assert.equal(after.booted, trial.committed, 'the committed slot runs');
      assert.equal(after.committed, trial.committed, 'it still is the committed one');
      assert.equal(after.pending, '', 'nothing is armed any more');
      assert.equal(after.note, `failed-${trial.booted}`);
    },
  },
  {
    name: 'a trial that works is committed, and stays after a power cut',
    selection: 'long',
    needs: 'committed',
    timeoutMs: 150_000,
    async run({ rig, note, ready }) {
      const { committed } = await readSlots(rig);
      await rig.network.forget();
      await rig.power.off();
      await rig.power.on();
      note(`ready in slot ${committed} ${(await ready()).toFixed(0)} s after the cut`);
      const after = await readSlots(rig);
      assert.deepEqual([after.booted, after.committed], [committed, committed]);
    },
  },
];
