import assert from 'node:assert/strict';
import { stat } from 'node:fs/promises';
import type { TestCase, TestContext } from '../lib/test-case.ts';
import { BundleServer } from '../update/bundle-server.ts';
import { committed, mebibytes, minute, openKitchen, rigAddress, update } from '../update/update-run.ts';
import { showCamera } from './media.ts';

/**
 * Two updates in a row, each of one small change, with the block hash index of a release. Before the first, the device has no
 * index, and RAUC hashes both slots; the second finds the index of the first.
 */
async function smallChanges(context: TestContext): Promise<void> {
  const { rig, note } = context;
  await showCamera(context);
  await using kitchen = openKitchen();
  const bundles = new Map<string, string>();
  await using server = new BundleServer((path) => bundles.get(path.slice(1)) ?? null);
  const base = `http://${rigAddress}:${await server.listen()}`;
  for (const version of ['0.3.0', '0.3.1']) {
    const bundle = await kitchen.make({ version, index: true, root: `echo ${version} > etc/update-mark` });
    bundles.set(version, bundle);
    const { size } = await stat(bundle);
    server.sentBytes = 0;
    server.requests = 0;
    await update(context, `${base}/${version}`, committed(version));
    assert.equal((await rig.network.shell('cat /etc/update-mark')).trim(), version);
    const { sentBytes, requests } = server;
    const share = ((100 * sentBytes) / size).toFixed(1);
    note(
      `${version}: ${mebibytes(sentBytes)} of ${mebibytes(size)} travelled (${share} %), ${requests} requests`,
    );
    assert.ok(sentBytes < size / 2, `${sentBytes} of ${size} bytes travelled`);
  }
}

/** Tests of how much an update transfers. */
export const updateSmallChangeTests: readonly TestCase[] = [
  {
    name: 'update: a small change travels as its blocks alone',
    selection: 'long',
    needs: 'booted',
    timeoutMs: 15 * minute,
    run: smallChanges,
  },
];
