import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { RigError } from '../lib/errors.ts';
import type { TestContext } from '../lib/test-case.ts';
import { waitFor } from '../lib/wait.ts';
import { BundleServer } from './bundle-server.ts';
import { BundleKitchen, type Variant } from './bundles.ts';

const image =
  process.env.RUSHLIGHT_UPDATE_IMAGE ?? join(import.meta.dirname, '../../image/out/virt-amd64/disk.img');
/** A minute in milliseconds. */
export const minute = 60_000;

/** The rig's own machine, as a guest on QEMU's user network sees it. */
export const rigAddress = '10.0.2.2';

/** See {@link updateOf}. */
export type Update = Awaited<ReturnType<typeof updateOf>>;

/** The device's `GET /api/update`. */
export const updateOf = ({ api, rig }: TestContext) =>
  api.json('getUpdate', { timeoutMs: 5_000 * rig.slowness });

/** Makes bundles from the image under test. */
export const openKitchen = (): BundleKitchen => new BundleKitchen(dirname(image));

/** Requests an installation and waits for its end; notes how long its stages took, and what was written to the card. */
export async function update(
  context: TestContext,
  url: string,
  done: (update: Update) => boolean,
): Promise<Update> {
  return await followed(context, done, () =>
    context.api.json('installUpdate', { body: { url, force: false, allowDowngrade: false } }),
  );
}

/** The same of what the device offers by itself, as the page's button does. */
export async function updateToOffer(
  context: TestContext,
  done: (update: Update) => boolean,
): Promise<Update> {
  return await followed(context, done, () =>
    context.api.json('installUpdate', { body: { force: false, allowDowngrade: false } }),
  );
}

/** Back to the other slot, by a trial of its own. */
export async function goBack(context: TestContext, done: (update: Update) => boolean): Promise<Update> {
  return await followed(context, done, () => context.api.json('rollbackUpdate', { body: {} }));
}

async function followed(
  context: TestContext,
  done: (update: Update) => boolean,
  begin: () => Promise<unknown>,
): Promise<Update> {
  const { rig, note, signal } = context;
  const startedAt = Date.now();
  const starts = rig.starts?.length ?? 0;
  const writtenBefore = rig.starts?.at(-1)?.writtenBytes ?? 0;
  const seconds = () => ((Date.now() - startedAt) / 1000).toFixed(0);
  const earlier = (await updateOf(context)).lastAttempt?.at;
  await begin();
  let noted = '';
  const end = await waitFor(
    'the end of the update',
    async () => {
      const now = await updateOf(context);
      if (now.state !== noted) note(`${seconds()} s: ${now.state}`);
      noted = now.state;
      if (done(now)) return now;
      const { lastAttempt } = now;
      const over = now.state === 'idle' && lastAttempt?.at !== earlier && lastAttempt?.outcome != null;
      return over ? now : undefined;
    },
    { timeoutMs: 20 * minute * rig.slowness, pollMs: 2_000, signal },
  );
  if (!done(end))
    throw new RigError('RIG_DEVICE', `the update ended differently: ${JSON.stringify(end.lastAttempt)}`);
  for (const { name, at, ok, detail } of end.lastAttempt?.stages ?? [])
    note(`${at} ${ok ? '✓' : '✗'} ${name}${detail === null ? '' : `: ${detail}`}`);
  const used = rig.starts
    ?.slice(starts)
    .map(({ partition, tryboot }) => `${partition}${tryboot ? ' (trial)' : ''}`);
  note(`${seconds()} s from the request to the end; starts: ${used?.join(', ')}`);
  const written = (rig.starts ?? []).slice(Math.max(starts - 1, 0)).map(({ writtenBytes }) => writtenBytes);
  const [first = 0, ...later] = written;
  note(
    `written to the card meanwhile: ${[first - writtenBefore, ...later].map(mebibytes).join(' + ')}, by start`,
  );
  return end;
}

/** Makes a bundle and serves it while the task runs. */
export async function withBundle(
  variant: Variant,
  task: (url: string, server: BundleServer, bytes: number) => Promise<void>,
): Promise<void> {
  await using kitchen = openKitchen();
  const bundle = await kitchen.make(variant);
  await using server = new BundleServer((path) => (path === '/next.raucb' ? bundle : null));
  const port = await server.listen();
  await task(`http://${rigAddress}:${port}/next.raucb`, server, (await stat(bundle)).size);
}

/** Bytes in words. */
export const mebibytes = (bytes: number): string => `${(bytes / 1048576).toFixed(1)} MiB`;

/** Who runs where, and what the selector holds: what a refusal must leave alone. */
export const selectorOf = ({ rig }: TestContext): Promise<string> =>
  rig.network.shell('cat /boot/rushlight/autoboot.txt; /usr/libexec/rushlight/selector show');

/** Whether a version was committed and nothing else is under way. */
export const committed = (version: string) => (now: Update) =>
  now.state === 'idle' && now.installedVersion === version && now.lastAttempt?.outcome === 'committed';
