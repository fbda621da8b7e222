import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { TestCase, TestContext } from '../lib/test-case.ts';
import { waitFor } from '../lib/wait.ts';
import { BundleKitchen, type Variant } from '../update/bundles.ts';

const image =
  process.env.RUSHLIGHT_UPDATE_IMAGE ?? join(import.meta.dirname, '../../image/out/virt-amd64/disk.img');
const shelf = '/data/rushlight/bundles';
const minute = 60_000;

/** Puts a bundle where the device looks for them, as a stick would. */
async function hand({ rig }: TestContext, bundle: string): Promise<string> {
  const path = `${shelf}/next.raucb`;
  await rig.network.shell(`install -d -m 755 ${shelf}; cat > ${path}; chmod 644 ${path}; sync ${path}`, {
    input: await readFile(bundle),
    timeoutMs: 5 * minute * rig.slowness,
  });
  return path;
}

type Update = Awaited<ReturnType<typeof updateOf>>;
const updateOf = ({ api, rig }: TestContext) => api.json('getUpdate', { timeoutMs: 5_000 * rig.slowness });

/** Asks for an installation and waits for how it ends; notes how long its stages took. */
async function update(context: TestContext, url: string, done: (update: Update) => boolean): Promise<Update> {
  const { api, rig, note, signal } = context;
  const startedAt = Date.now();
  const starts = rig.starts?.length ?? 0;
  await api.json('installUpdate', { body: { url, force: false, allowDowngrade: false } });
  let told = '';
  const end = await waitFor(
    'the end of the update',
    async () => {
      const now = await updateOf(context);
      if (now.state !== told) note(`${((Date.now() - startedAt) / 1000).toFixed(0)} s: ${now.state}`);
      told = now.state;
      return done(now) ? now : undefined;
    },
    { timeoutMs: 20 * minute * rig.slowness, pollMs: 2_000, signal },
  );
  const stages = end.lastAttempt?.stages ?? [];
  for (const { name, at, ok, detail } of stages)
    note(`${at} ${ok ? '✓' : '✗'} ${name}${detail === null ? '' : `: ${detail}`}`);
  const used = rig.starts
    ?.slice(starts)
    .map(({ partition, tryboot }) => `${partition}${tryboot ? ' (trial)' : ''}`);
  note(
    `${((Date.now() - startedAt) / 1000).toFixed(0)} s from the request to the end; starts: ${used?.join(', ')}`,
  );
  return end;
}

async function withBundle(variant: Variant, task: (bundle: string) => Promise<void>): Promise<void> {
  await using kitchen = new BundleKitchen(dirname(image));
  await task(await kitchen.make(variant));
}

/** A bundle that must not survive its trial, and the word it must leave. */
function sabotage(name: string, variant: Variant, reason: RegExp): TestCase {
  return {
    name: `update: ${name} rolls back`,
    selection: 'long',
    needs: 'booted',
    timeoutMs: 8 * minute,
    run: (context) =>
      withBundle(variant, async (bundle) => {
        const before = await updateOf(context);
        const end = await update(
          context,
          await hand(context, bundle),
          ({ state, installedVersion, lastAttempt }) => {
            const closed = lastAttempt?.version === variant.version && lastAttempt.outcome !== 'committed';
            return state === 'rolled-back' && installedVersion === before.installedVersion && closed;
          },
        );
        assert.equal(end.lastAttempt?.outcome, 'rolled-back');
        assert.match(end.lastAttempt?.reason ?? '', reason);
        assert.deepEqual(
          end.slots.map(({ name: slot, booted }) => [slot, booted]),
          before.slots.map(({ name: slot, booted }) => [slot, booted]),
        );
      }),
  };
}

export const updateTests: readonly TestCase[] = [
  {
    name: 'update: A to B and back to A, each committed',
    selection: 'long',
    needs: 'booted',
    timeoutMs: 15 * minute,
    run: async (context) => {
      for (const [version, slot] of [
        ['0.2.0', 'B'],
        ['0.3.0', 'A'],
      ] as const) {
        await withBundle({ version, root: `echo ${version} > etc/update-mark` }, async (bundle) => {
          const end = await update(context, await hand(context, bundle), ({ state, installedVersion }) => {
            return state === 'idle' && installedVersion === version;
          });
          assert.equal(end.lastAttempt?.outcome, 'committed');
          assert.equal(end.slots.find(({ booted }) => booted)?.name, slot);
          assert.equal((await context.rig.network.shell('cat /etc/update-mark')).trim(), version);
        });
      }
    },
  },
  {
    name: 'update: what must be refused is refused, and nothing changes',
    selection: 'long',
    needs: 'booted',
    timeoutMs: 4 * minute,
    run: async (context) => {
      const { rig, api, note } = context;
      const selector = () =>
        rig.network.shell('cat /boot/rushlight/autoboot.txt; cat /data/system/selector/state');
      const refused = async (prepare: string, reason: RegExp) => {
        await rig.network.shell(`install -d -m 755 ${shelf}; cd ${shelf}; ${prepare}`);
        const body = { url: `${shelf}/next.raucb`, force: false, allowDowngrade: false };
        const at = (await updateOf(context)).lastAttempt?.at;
        await api.json('installUpdate', { body });
        const end = await waitFor(
          'the refusal',
          async () => {
            const now = await updateOf(context);
            return now.state === 'idle' && now.lastAttempt !== null && now.lastAttempt.at !== at
              ? now
              : undefined;
          },
          { timeoutMs: 2 * minute * rig.slowness },
        );
        note(`${end.lastAttempt?.outcome}: ${end.lastAttempt?.reason}`);
        assert.match(end.lastAttempt?.reason ?? '', reason);
      };
      const before = await selector();
      await refused('head -c 3000000 /dev/urandom > next.raucb', /no bundle|not complete/);
      await refused('printf x > next.raucb', /no bundle|not complete/);
      assert.equal(await selector(), before);
    },
  },
  sabotage(
    'a supervisor that crashes',
    {
      version: '0.4.0',
      root: 'echo "throw new Error(\'sabotage\');" > usr/lib/rushlight/supervisor/main.ts',
    },
    /did not come up|did not end within/,
  ),
  sabotage(
    'a kernel panic',
    {
      version: '0.4.1',
      boot: 'mtype -i "$1" ::/cmdline.txt | sed "s|$| init=/bin/false|" > /tmp/cmdline.$$; mcopy -D o -i "$1" /tmp/cmdline.$$ ::/cmdline.txt; rm /tmp/cmdline.$$',
    },
    /did not come up|did not start/,
  ),
  sabotage(
    'a system without its camera driver',
    {
      version: '0.4.2',
      root: 'printf "install vivid /bin/false\\nblacklist vivid\\n" > etc/modprobe.d/no-camera.conf',
    },
    /no frames from/,
  ),
];
