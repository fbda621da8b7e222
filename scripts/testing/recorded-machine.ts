import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { Appliance } from '../../supervisor/appliance.ts';
import { FixtureMachine } from '../../supervisor/platform/cameras/fixture-machine.fake.ts';
import { fakeUdev } from '../../supervisor/platform/cameras/udev.fake.ts';
import { LogRing } from '../../supervisor/system/log-ring.ts';
import { freePort } from './appliance-process.ts';

const patientMs = 60_000;

/** An appliance in this process. Its cameras are those of a recorded machine. */
export interface RecordedMachine extends AsyncDisposable {
  readonly url: string;
  readonly data: string;
  /** From now on the machine has other cameras; udev reports it. */
  become(fixture: string): Promise<void>;
}

/** What it starts with. */
export interface RecordedMachineOptions {
  /** Name of the recording in `supervisor/platform/cameras/fixtures/`. */
  readonly fixture: string;
  /** Text of rushlight.toml. */
  readonly config: string;
  /** Scripts by the name of the program that they replace for the appliance. */
  readonly programs?: Readonly<Record<string, string>>;
}

/** Starts the appliance, and returns once it answers. */
export async function openRecordedMachine(options: RecordedMachineOptions): Promise<RecordedMachine> {
  await using stack = new AsyncDisposableStack();
  const data = await mkdtemp(join(tmpdir(), 'rushlight-'));
  stack.defer(() => rm(data, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 }));
  stack.defer(await replacePrograms(join(data, 'bin'), options.programs ?? {}));
  await writeFile(join(data, 'rushlight.toml'), options.config);
  const udev = await fakeUdev(data);
  const machine = stack.use(await new FixtureMachine(options.fixture).open());
  const port = await freePort();
  const logRing = new LogRing();
  const { run, roots } = machine;
  const appliance = new Appliance({
    configFile: join(data, 'rushlight.toml'),
    dataFolder: data,
    port,
    simulation: true,
    logRing,
    log: pino(logRing),
    cameraEdge: { run, roots, hotplug: udev.hotplug },
  });
  const stop = new AbortController();
  const running = appliance.run(stop.signal);
  stack.defer(async () => {
    stop.abort();
    await running;
  });
  const url = `http://localhost:${port}`;
  await Promise.race([answers(url), running]);
  const resources = stack.move();
  return {
    url,
    data,
    async become(fixture) {
      await machine.become(fixture);
      await udev.event();
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

/** Puts scripts first on PATH. Returns what takes them away. */
async function replacePrograms(
  folder: string,
  programs: Readonly<Record<string, string>>,
): Promise<() => void> {
  const before = process.env.PATH;
  await mkdir(folder);
  for (const [name, script] of Object.entries(programs)) {
    await writeFile(join(folder, name), script, { mode: 0o755 });
  }
  if (Object.keys(programs).length > 0) process.env.PATH = `${folder}:${before}`;
  return () => {
    process.env.PATH = before;
  };
}

async function answers(url: string): Promise<void> {
  const deadline = Date.now() + patientMs;
  for (;;) {
    const ok = await fetch(url).then(
      (response) => response.ok,
      () => false,
    );
    if (ok) return;
    if (Date.now() > deadline)
      throw new Error(`The appliance did not answer at ${url} within ${patientMs} ms.`);
    await sleep(200);
  }
}
