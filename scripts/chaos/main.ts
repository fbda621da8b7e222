// A chaos run on two machines in network namespaces; docs/contribute/chaos.md says what it does. `npm run chaos` starts it.
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { describeError } from '../../common/errors.ts';
import { pause } from '../../common/pause.ts';
import { netnsObstacle } from '../../supervisor/testing/netns.ts';
import { Actors } from './actors.ts';
import { BrokerKeeper } from './broker-keeper.ts';
import { KeyBook } from './key-book.ts';
import { kinds, makePlan, type Step, wordsOf } from './plan.ts';
import { ProcessWatch } from './process-watch.ts';
import { Report } from './report.ts';
import { type Player, Stage } from './stage.ts';
import { Verdict } from './verdict.ts';

const interrupted = 130;

interface Options {
  readonly lengthMs: number;
  readonly seed: number;
  /** Folder for what the supervisors print, and for the takes; null: nowhere. */
  readonly keep: string | null;
}

function optionsOf(args: readonly string[]): Options | string {
  const { values } = parseArgs({
    args: [...args],
    options: {
      minutes: { type: 'string', default: '10' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      keep: { type: 'string' },
    },
  });
  const [minutes, seed] = [Number(values.minutes), Number(values.seed)];
  if (!(minutes > 0 && minutes <= 24 * 60)) return `--minutes ${values.minutes}: give a number above 0.`;
  if (!Number.isSafeInteger(seed) || seed < 0) return `--seed ${values.seed}: give a whole number.`;
  return { lengthMs: minutes * 60_000, seed, keep: values.keep ?? null };
}

async function main(): Promise<number> {
  const options = optionsOf(process.argv.slice(2));
  const problem = typeof options === 'string' ? options : await netnsObstacle();
  if (problem !== null || typeof options === 'string') {
    process.stderr.write(`${problem}\n`);
    return 2;
  }
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => stop.abort());
  const report = new Report((text) => process.stdout.write(text));
  report.say(`seed ${options.seed}, ${options.lengthMs / 60_000} minutes`);
  try {
    await run(options, report, stop.signal);
  } catch (error) {
    // After Ctrl-C everything that waits for a machine fails: that is not a finding.
    if (!stop.signal.aborted) report.fault(`the run broke off: ${describeError(error)}`);
  }
  const end = stop.signal.aborted ? ', interrupted: what is checked at the end was not' : '';
  process.stdout.write(
    `\nseed ${options.seed}, ${options.lengthMs / 60_000} minutes${end}\n${report.table()}`,
  );
  if (stop.signal.aborted) return interrupted;
  return report.wrong.length === 0 ? 0 : 1;
}

async function run({ lengthMs, seed, keep }: Options, report: Report, signal: AbortSignal): Promise<void> {
  await using stage = new Stage();
  await stage.open();
  const broken = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  broken.catch(() => undefined); // Looked at below.
  const work = async () => {
    const watch = new ProcessWatch(report);
    const broker = new BrokerKeeper(stage, report);
    const keys = new KeyBook(stage.player('hub').machine, report);
    const actors = new Actors({ stage, watch, broker, keys, report });
    const verdict = new Verdict({ stage, watch, report });
    const ended = new AbortController();
    const whole = AbortSignal.any([signal, ended.signal]);
    const brokerRuns = broker.run(whole);
    await stage.boot();
    await Promise.all([keys.prepare(), actors.prepare()]);
    report.say('the camera is adopted, and its pictures arrive');
    const watching = watch.run(stage.players, whole);
    const startedAtMs = performance.now();
    const lane = async (steps: readonly Step[]) => {
      for (const { atMs, deed } of steps) {
        await pause(startedAtMs + atMs - performance.now(), whole);
        if (whole.aborted) return;
        const outcome = await actors.act(deed, whole);
        report.count(
          deed.kind === 'kill' ? `kill ${deed.victim}` : `lane ${deed.kind}`,
          deed.kind === 'kill' ? outcome : 'done',
        );
        report.say(`${wordsOf(deed)}: ${outcome}`);
      }
    };
    const plan = makePlan(seed, lengthMs);
    try {
      await Promise.race([Promise.all(kinds.map((kind) => lane(plan[kind]))), watching]);
      report.say('the run is over; both machines come to rest');
      await verdict.settle();
      await verdict.oneMoreTake();
      await verdict.takes();
      await keys.check();
    } finally {
      ended.abort();
      for (const player of keep === null ? [] : stage.players)
        await keepAll(player, join(keep ?? '', player.name));
      await Promise.all([watching, brokerRuns]);
    }
  };
  await Promise.race([work(), broken]);
}

/** What a machine printed, and its takes, for somebody who looks for the cause. */
async function keepAll({ machine, disk }: Player, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'output.log'), machine.output);
  await cp(disk.folder, join(folder, 'disk'), { recursive: true });
}

process.exit(await main());
