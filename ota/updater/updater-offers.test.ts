import { readFile, rm, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { FakeMachine } from './machine.fake.ts';
import { asked, channelServer, code, idle, machineWithBundle, updaterOf } from './updater-rig.fake.ts';

describe('offers', { timeout: 60_000 }, () => {
  it('come from a stick and are installed on request', async () => {
    const { machine } = await machineWithBundle();
    await using _machine = machine;
    await machine.until(() => updaterOf(machine).status().latestVersion === '1.1.0');
    await updaterOf(machine).install(asked);
    await machine.followRestart();
    await idle(machine);
    expect(updaterOf(machine).status().installedVersion).toBe('1.1.0');
  });

  it('come from a signed channel and are deferred during a take', async () => {
    const machine = await FakeMachine.create();
    await using _machine = machine;
    await using channel = await channelServer(machine, '1.4.0');
    const { url } = channel;
    machine.settings = { ...machine.settings, url, install: 'idle' };
    machine.take = true;
    await machine.prepare({ version: '1.4.0' });
    await machine.boot('A');
    await machine.until(() => updaterOf(machine).status().state === 'deferred');
    expect(updaterOf(machine).status()).toMatchObject({
      latestVersion: '1.4.0',
      releaseNotes: 'News.',
      reason: 'a take is running',
    });
    machine.take = false;
    await machine.followRestart();
    await idle(machine);
    expect(updaterOf(machine).status().installedVersion).toBe('1.4.0');
  });

  it('are looked up at once when the owner asks, and a failure is explained', async () => {
    const { machine } = await machineWithBundle();
    await using _machine = machine;
    await rm(machine.path('media/new.raucb'));
    const check = () => updaterOf(machine).check();
    await expect(check()).rejects.toThrow(code('NO_CHANNEL'));
    const channel = await channelServer(machine, '1.4.0');
    machine.settings = { ...machine.settings, url: channel.url, install: 'ask' };
    expect(await check()).toMatchObject({ state: 'idle', latestVersion: '1.4.0', releaseNotes: 'News.' });
    await channel[Symbol.asyncDispose]();
    await expect(check()).rejects.toThrow(code('CHANNEL_UNREACHABLE'));
    expect(updaterOf(machine).status().latestVersion).toBe('1.4.0');
  });

  it('are retried automatically after an interrupted download, but not forever', async () => {
    const machine = await FakeMachine.create();
    await using _machine = machine;
    await using channel = await channelServer(machine, '1.4.0');
    machine.settings = { ...machine.settings, url: channel.url, install: 'idle' };
    machine.timing = { retryMs: 50 };
    const count = `echo x >> ${machine.path('tries')}`;
    await machine.prepare({ version: '1.4.0' }, `${count}; echo "LastError: timed out"; exit 1`);
    await machine.boot('A');
    const tries = async () => (await readFile(machine.path('tries'), 'utf8').catch(() => '')).length / 2;
    await vi.waitFor(async () => expect(await tries()).toBe(3), { timeout: 60_000 });
    await idle(machine);
    await machine.until(() => updaterOf(machine).status().latestVersion === '1.4.0');
    await sleep(500);
    expect(await tries()).toBe(3);
    await machine.prepare({ version: '1.4.0' });
    await updaterOf(machine).install(asked);
    await machine.followRestart();
    await idle(machine);
    expect(updaterOf(machine).status().installedVersion).toBe('1.4.0');
  });

  it('are only searched for in the expected places', async () => {
    const { machine } = await machineWithBundle();
    await using _machine = machine;
    for (const url of [
      '/etc/passwd',
      'file:///etc/shadow',
      `${machine.path('media')}/../ota/x.raucb`,
      'ftp://x/y',
    ]) {
      await expect(updaterOf(machine).install({ ...asked, url })).rejects.toThrow(code('BUNDLE_NOT_FOUND'));
    }
  });
});

it('a machine without slots reports that it cannot be updated', async () => {
  const machine = await FakeMachine.create();
  await using _machine = machine;
  await writeFile(machine.path('system.conf'), 'nothing');
  await writeFile(machine.path('cmdline'), 'quiet');
  const starting = machine.startProduct();
  await machine.until(() => machine.updater?.status().reason === 'This machine does not run from the image.');
  expect(updaterOf(machine).status()).toMatchObject({ state: 'unsupported', slots: [] });
  await expect(updaterOf(machine).install({ ...asked, url: 'http://x/y' })).rejects.toThrow(
    code('UPDATE_UNSUPPORTED'),
  );
  starting.catch(() => undefined); // It waits for a state that will not come.
});
