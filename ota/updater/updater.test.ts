import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { FakeMachine, healthy } from './machine.fake.ts';
import {
  asked,
  channelServer,
  code,
  committed,
  idle,
  machineWithBundle,
  updaterOf,
} from './updater-rig.fake.ts';

describe('an update', { timeout: 60_000 }, () => {
  it('goes A → B → A, and each slot is committed once it has passed', async () => {
    const { machine, url } = await machineWithBundle();
    await using _machine = machine;
    for (const [version, slot] of [
      ['1.1.0', 'B'],
      ['1.2.0', 'A'],
    ] as const) {
      await machine.prepare({ version });
      await updaterOf(machine).install({ ...asked, url });
      await machine.followRestart();
      expect(machine.booted).toBe(slot);
      await idle(machine);
      expect(await committed(machine)).toBe(slot);
      expect(updaterOf(machine).status()).toMatchObject({
        installedVersion: version,
        state: 'idle',
        lastAttempt: { version, outcome: 'committed', reason: null },
      });
      const stages = updaterOf(machine)
        .status()
        .lastAttempt?.stages.map(({ name }) => name);
      expect(stages).toEqual([
        'baseline',
        'look at the bundle',
        'install',
        'restart into the trial',
        'trial boot',
        'health',
        'commit',
      ]);
    }
  });

  it.each([
    ['a camera without frames', { ...healthy, cameras: { cam0: false } }, 'no frames from cam0'],
    [
      'a dead page',
      { ...healthy, page: { ok: false, detail: 'refused' } },
      'the page does not answer: refused',
    ],
    ['a failed unit', { ...healthy, failedUnits: ['x.service'] }, 'failed: x.service'],
  ])('with %s is rolled back, and the old slot says why', async (_name, health, reason) => {
    const { machine, url } = await machineWithBundle();
    await using _machine = machine;
    await machine.prepare({ health: () => health });
    await updaterOf(machine).install({ ...asked, url });
    await machine.followRestart();
    expect(machine.booted).toBe('B');
    await machine.followRestart();
    expect(machine.booted).toBe('A');
    await idle(machine);
    expect(await committed(machine)).toBe('A');
    expect(updaterOf(machine).status()).toMatchObject({
      installedVersion: '1.0.0',
      state: 'rolled-back',
      reason,
      lastAttempt: { version: '1.1.0', outcome: 'rolled-back', reason },
    });
    expect(updaterOf(machine).status().slots[1]).toMatchObject({ name: 'B', state: 'bad' });
  });

  it('that does not boot at all is reported by the old slot', async () => {
    const { machine, url } = await machineWithBundle();
    await using _machine = machine;
    await machine.prepare({ boots: false });
    await updaterOf(machine).install({ ...asked, url });
    await machine.followRestart();
    await idle(machine);
    expect(machine.booted).toBe('A');
    expect(updaterOf(machine).status()).toMatchObject({
      state: 'rolled-back',
      reason: 'the trial did not start: its kernel or boot files do not work',
    });
  });

  it('whose trial loses power is rolled back and reported', async () => {
    const { machine, url } = await machineWithBundle();
    await using _machine = machine;
    await machine.prepare({ health: () => ({ ...healthy, cameras: {} }) });
    await updaterOf(machine).install({ ...asked, url });
    await machine.followRestart();
    await machine.until(() => updaterOf(machine).status().state === 'trial');
    await machine.powerOn();
    await idle(machine);
    expect(machine.booted).toBe('A');
    expect(updaterOf(machine).status().lastAttempt).toMatchObject({
      outcome: 'rolled-back',
      reason: 'the trial ended before its verdict: it crashed, hung, or lost its power',
    });
  });

  it('interrupted during installation leaves everything unchanged', async () => {
    const { machine, url } = await machineWithBundle();
    await using _machine = machine;
    await machine.prepare({}, 'sleep 30');
    await updaterOf(machine).install({ ...asked, url });
    await machine.until(() => updaterOf(machine).status().state === 'installing');
    await machine.powerOn();
    await idle(machine);
    expect(await committed(machine)).toBe('A');
    expect(updaterOf(machine).status().lastAttempt).toMatchObject({
      outcome: 'failed',
      reason: expect.stringMatching(/^interrupted after: (look at the bundle|install)$/),
    });
  });

  it('on trial survives a crash of the product: it is judged again', async () => {
    const { machine, url } = await machineWithBundle();
    await using _machine = machine;
    let camera = false;
    await machine.prepare({ health: () => ({ ...healthy, cameras: { cam0: camera } }) });
    await updaterOf(machine).install({ ...asked, url });
    await machine.followRestart();
    await machine.cut();
    camera = true;
    await machine.startProduct();
    await idle(machine);
    expect(await committed(machine)).toBe('B');
  });

  it('on trial is not disturbed by a newer one that is found meanwhile', async () => {
    const { machine, url } = await machineWithBundle();
    await using _machine = machine;
    await using channel = await channelServer(machine, '1.4.0');
    let camera = false;
    await machine.prepare({ health: () => ({ ...healthy, cameras: { cam0: camera } }) });
    machine.timing = { gate: { deadlineMs: 60_000, stableMs: 40, intervalMs: 10, probeTimeoutMs: 5_000 } };
    await updaterOf(machine).install({ ...asked, url });
    await machine.followRestart();
    machine.settings = { ...machine.settings, url: channel.url, install: 'idle' };
    expect(await updaterOf(machine).check()).toMatchObject({ state: 'trial' });
    await expect(updaterOf(machine).install(asked)).rejects.toThrow(code('TRIAL_RUNNING'));
    machine.settings = { ...machine.settings, install: 'never' };
    camera = true;
    await idle(machine);
    expect(await committed(machine)).toBe('B');
    expect(updaterOf(machine).status().lastAttempt).toMatchObject({ outcome: 'committed' });
  });

  it('is committed if the selector says so, whatever RAUC reports', async () => {
    const { machine, url } = await machineWithBundle();
    await using _machine = machine;
    await updaterOf(machine).install({ ...asked, url });
    await machine.until(() => machine.restarts.length > 0);
    await machine.cut();
    // RAUC notes what it did on a disk that is full by then.
    const rauc = await readFile(machine.path('bin/rauc'), 'utf8');
    await writeFile(machine.path('bin/rauc'), rauc.replace('" good ;;', '" good; exit 1 ;;'));
    await machine.followRestart();
    await idle(machine);
    expect(await committed(machine)).toBe('B');
    expect(updaterOf(machine).status()).toMatchObject({
      state: 'idle',
      lastAttempt: { outcome: 'committed' },
    });
    expect(machine.restarts).toEqual([]);
  });

  it('is judged even if the disk is read-only', async () => {
    const { machine, url } = await machineWithBundle();
    await using _machine = machine;
    await updaterOf(machine).install({ ...asked, url });
    await machine.until(() => machine.restarts.length > 0);
    await machine.cut();
    await mkdir(machine.path('ota/.black-box.json.new'));
    await machine.followRestart();
    await idle(machine);
    expect(await committed(machine)).toBe('B');
  });

  it("is rejected with its reason: wrong board, older, and RAUC's message", async () => {
    const { machine, url } = await machineWithBundle();
    await using _machine = machine;
    const attempt = async () => {
      await updaterOf(machine).install({ ...asked, url });
      await machine.until(() => updaterOf(machine).status().state === 'idle');
      await machine.until(() => updaterOf(machine).status().lastAttempt !== null);
      return updaterOf(machine).status().lastAttempt;
    };
    await machine.prepare({ compatible: 'another' });
    expect(await attempt()).toMatchObject({
      outcome: 'refused',
      reason: 'the bundle is for another, this is board',
    });
    await machine.prepare({ compatible: 'board', version: '0.9.0' });
    expect(await attempt()).toMatchObject({ outcome: 'refused', reason: '0.9.0 is older than 1.0.0' });
    await machine.prepare(
      { version: '1.1.0' },
      'echo "LastError: Verify error: certificate revoked"; exit 1',
    );
    expect(await attempt()).toMatchObject({ outcome: 'refused', reason: "the bundle's signer was revoked" });
    await machine.prepare({}, 'echo "LastError: No space left on device"; exit 1');
    expect(await attempt()).toMatchObject({ outcome: 'failed', reason: 'there is no room for the bundle' });
    expect(machine.restarts).toEqual([]);
    expect(await committed(machine)).toBe('A');
    expect(updaterOf(machine).status().slots[1]?.state).toBe('bad');
  });

  it('does not restart into a slot that RAUC did not arm', async () => {
    const { machine, url } = await machineWithBundle();
    await using _machine = machine;
    // As after a bundle that brought a boot partition alone.
    await machine.prepare({}, 'echo "100% Installing done."; exit 0');
    await updaterOf(machine).install({ ...asked, url });
    await machine.until(() => updaterOf(machine).status().lastAttempt !== null);
    expect(updaterOf(machine).status().lastAttempt).toMatchObject({
      outcome: 'failed',
      reason: 'the other slot was not armed',
    });
    expect(machine.restarts).toEqual([]);
  });

  it('goes back to an older version on request', async () => {
    const { machine, url } = await machineWithBundle();
    await using _machine = machine;
    await machine.prepare({ version: '0.9.0' });
    await updaterOf(machine).install({ force: false, allowDowngrade: true, url });
    await machine.followRestart();
    await idle(machine);
    expect(updaterOf(machine).status().installedVersion).toBe('0.9.0');
  });
});

describe('a take', { timeout: 60_000 }, () => {
  it('is never interrupted: rejects an update before, waits for the take after', async () => {
    const { machine, url } = await machineWithBundle();
    await using _machine = machine;
    machine.take = true;
    await expect(updaterOf(machine).install({ ...asked, url })).rejects.toThrow(code('TAKE_RUNNING'));
    machine.take = false;
    await updaterOf(machine).install({ ...asked, url });
    machine.take = true;
    await machine.until(() => updaterOf(machine).status().reason === 'waits for the end of the take');
    expect(machine.restarts).toEqual([]);
    machine.take = false;
    await machine.followRestart();
    expect(machine.booted).toBe('B');
  });

  it('that begins during a trial is not interrupted by its end: neither by a failure nor by a request', async () => {
    const { machine, url } = await machineWithBundle();
    await using _machine = machine;
    await machine.prepare({ health: () => ({ ...healthy, cameras: { cam0: false } }) });
    await updaterOf(machine).install({ ...asked, url });
    await machine.followRestart();
    await machine.until(() => updaterOf(machine).status().state === 'trial');
    machine.take = true;
    await expect(updaterOf(machine).rollback()).rejects.toThrow(code('TAKE_RUNNING'));
    await machine.until(
      () => updaterOf(machine).status().reason === 'goes back to the other slot after the take',
    );
    expect(machine.restarts).toEqual([]);
    // The image's own guard of the trial hears that a take runs, as long as it does.
    const note = machine.path('ota/trial-take');
    const touchedAt = async () => (await stat(note).catch(() => null))?.ctimeMs ?? 0;
    await expect.poll(touchedAt).toBeGreaterThan(0);
    const first = await touchedAt();
    await expect.poll(touchedAt).toBeGreaterThan(first);
    machine.take = false;
    await expect.poll(touchedAt).toBe(0);
    await machine.followRestart();
    expect(machine.booted).toBe('A');
  });

  it('that begins while the restart is queued is waited for, too', async () => {
    const { machine, url } = await machineWithBundle();
    await using _machine = machine;
    let turns = 0;
    machine.beforeTask = () => {
      turns += 1;
      if (turns === 2) machine.take = true;
    };
    await updaterOf(machine).install({ ...asked, url });
    await machine.until(() => updaterOf(machine).status().reason === 'waits for the end of the take');
    expect(machine.restarts).toEqual([]);
    machine.take = false;
    await machine.followRestart();
    expect(machine.booted).toBe('B');
  });
});

describe('a boot of the committed slot', { timeout: 60_000 }, () => {
  it('counts as good even if a disk fails its unit: the other slot would not be better', async () => {
    const machine = await FakeMachine.create();
    await using _machine = machine;
    machine.slots.A.health = () => ({ ...healthy, failedUnits: ['rushlight-ssd@sda1.service'] });
    await machine.boot('A');
    await machine.until(() => updaterOf(machine).status().slots[0]?.state === 'good');
  });

  it('reports nothing but continues if its own files are unreadable, and is settled once they can be read', async () => {
    const { machine } = await machineWithBundle();
    await using _machine = machine;
    await machine.cut();
    const text = await readFile(machine.path('config/autoboot.txt'));
    await rm(machine.path('config/autoboot.txt'));
    // Cannot be read as a file, as on a card that is damaged there.
    await mkdir(machine.path('config/autoboot.txt'));
    const running = machine.startProduct();
    await machine.until(() => updaterOf(machine).status().reason?.startsWith('could not read') === true);
    await rm(machine.path('config/autoboot.txt'), { recursive: true });
    await writeFile(machine.path('config/autoboot.txt'), text);
    await running;
    await idle(machine);
  });
});

describe('rolling back', { timeout: 60_000 }, () => {
  it('returns to the slot that was good before, by a trial', async () => {
    const { machine, url } = await machineWithBundle();
    await using _machine = machine;
    await expect(updaterOf(machine).rollback()).rejects.toThrow(code('NOTHING_TO_ROLL_BACK'));
    await updaterOf(machine).install({ ...asked, url });
    await machine.followRestart();
    await idle(machine);
    await updaterOf(machine).rollback();
    await machine.followRestart();
    await idle(machine);
    expect(await committed(machine)).toBe('A');
  });

  it('ends a trial', async () => {
    const { machine, url } = await machineWithBundle();
    await using _machine = machine;
    await machine.prepare({ health: () => ({ ...healthy, cameras: {} }) });
    await updaterOf(machine).install({ ...asked, url });
    await machine.followRestart();
    await machine.until(() => updaterOf(machine).status().state === 'trial');
    await expect(updaterOf(machine).install({ ...asked, url })).rejects.toThrow(code('TRIAL_RUNNING'));
    await updaterOf(machine).rollback();
    await machine.followRestart();
    await idle(machine);
    expect(updaterOf(machine).status().lastAttempt?.outcome).toBe('rolled-back');
    expect(machine.booted).toBe('A');
  });
});
