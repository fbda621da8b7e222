import assert from 'node:assert/strict';
import { cameraSource, cardConfig, writeConfigCommand } from '../lib/config.ts';
import type { TestCase, TestContext } from '../lib/test-case.ts';
import { waitFor } from '../lib/wait.ts';
import type { Variant } from '../update/bundles.ts';
import { RigBroker } from '../update/rig-broker.ts';
import { minute, rigAddress, update, updateOf, withBundle } from '../update/update-run.ts';
import { feedOnline } from './media.ts';

/** The guard's deadline is ten minutes; a bundle may bring another one. */
const shortDeadline = 'systemd.setenv=TRIAL_DEADLINE_S=240';

/** What Home Assistant gets about an update, as far as the tests check it. */
interface UpdateNews {
  readonly installed_version: string;
  readonly release_summary: string;
  readonly in_progress: boolean;
}

/** A bundle that must not survive its trial, and the reason it must leave: in the API, the black box, and MQTT. */
function sabotage(name: string, variant: Variant, reason: RegExp): TestCase {
  return {
    name: `update: ${name} rolls back`,
    selection: 'long',
    needs: 'booted',
    timeoutMs: 8 * minute,
    run: (context) =>
      withBundle(variant, async (url) => {
        const { rig, api, note, signal } = context;
        const topic = `rushlight/${(await api.json('getStatus')).device.id}/update/state`;
        await using broker = await RigBroker.start(topic, signal);
        await showCameraTellingBroker(context, broker);
        const before = await updateOf(context);
        await waitFor('the broker has the news', () => broker.messagesOn(topic).length > 0, {
          timeoutMs: minute * rig.slowness,
          signal,
        });
        const since = broker.messages.length;
        const end = await update(context, url, ({ state, installedVersion, lastAttempt }) => {
          const closed = lastAttempt?.outcome !== null && lastAttempt?.at !== before.lastAttempt?.at;
          return state === 'rolled-back' && installedVersion === before.installedVersion && closed;
        });
        note(`${end.lastAttempt?.outcome}: ${end.lastAttempt?.reason}`);
        assert.equal(end.lastAttempt?.outcome, 'rolled-back');
        assert.match(end.lastAttempt?.reason ?? '', reason);
        assert.equal(await reasonInBlackBox(context, end.lastAttempt?.at), end.lastAttempt?.reason);
        const news = () => broker.messagesOn(topic, since).map((payload): UpdateNews => JSON.parse(payload));
        const last = await waitFor('the broker has the reason', () => lastNews(news()), {
          timeoutMs: minute * rig.slowness,
          signal,
        });
        note(`MQTT: ${last.release_summary}`);
        assert.match(last.release_summary, reason);
        assert.equal(last.installed_version, before.installedVersion);
        assert.deepEqual(
          end.slots.map(({ name: slot, booted }) => [slot, booted]),
          before.slots.map(({ name: slot, booted }) => [slot, booted]),
        );
      }),
  };
}

/** The last message of a broker that got news of an update; undefined before any, or while one is in progress. */
function lastNews(news: readonly UpdateNews[]): UpdateNews | undefined {
  const last = news.at(-1);
  const heard = news.some(({ in_progress }) => in_progress);
  return heard && last?.in_progress === false && last.release_summary !== '' ? last : undefined;
}

async function showCameraTellingBroker(context: TestContext, { port }: RigBroker): Promise<void> {
  const more = `[mqtt]\nurl = "mqtt://${rigAddress}:${port}"\n\n${cameraSource}`;
  await context.rig.network.shell(writeConfigCommand(), { input: cardConfig({ more }) });
  await feedOnline(context, 'cam0');
}

/** Why the attempt that began then ended, according to the file that outlives every slot. */
async function reasonInBlackBox({ rig }: TestContext, at: string | undefined): Promise<string | undefined> {
  const box: { attempts: { at: string; reason: string; outcome: string }[] } = JSON.parse(
    await rig.network.shell('cat /data/rushlight/ota/black-box.json'),
  );
  const last = box.attempts.at(-1);
  assert.deepEqual([last?.at, last?.outcome], [at, 'rolled-back']);
  return last?.reason;
}

/** Tests of bundles that must fail. */
export const updateSabotageTests: readonly TestCase[] = [
  sabotage('a kernel panic', { version: '9.0.1', cmdline: 'init=/bin/false' }, /did not come up/),
  sabotage('an emergency', { version: '9.0.2', cmdline: 'systemd.unit=emergency.target' }, /did not come up/),
  // Node.js answers every request with status 431.
  sabotage(
    'a page that is dead',
    { version: '9.0.3', cmdline: 'systemd.setenv=NODE_OPTIONS=--max-http-header-size=1' },
    /the page does not answer/,
  ),
  sabotage(
    'a system without its camera driver',
    { version: '9.0.4', cmdline: 'module_blacklist=vivid' },
    /no frames from cam0/,
  ),
  // Every Node.js program ends at once; nothing but the guard is left to end the trial.
  sabotage(
    'a supervisor that crashes',
    { version: '9.0.5', cmdline: `systemd.setenv=NODE_OPTIONS=--sabotage ${shortDeadline}` },
    /did not end within 240 s/,
  ),
  sabotage(
    'a start that hangs',
    { version: '9.0.6', cmdline: `systemd.unit=sysinit.target ${shortDeadline}` },
    /did not end within 240 s/,
  ),
];
