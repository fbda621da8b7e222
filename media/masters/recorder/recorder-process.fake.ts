/**
 * Records a take of a test source in a process of its own: `<folder> <strategy>`. Prints `frames N` as they come, ends the take
 * when it reads `stop`, and prints `done`, or `failed` and why.
 */
import { once } from 'node:events';
import { join } from 'node:path';
import { describeError } from '../../../common/errors.ts';
import { Take } from '../take/take.ts';
import { Recorder } from './recorder.ts';
import type { MasterStrategy } from './recorder-command.ts';
import { RecordingRig } from './recording-rig.fake.ts';

const [folder = '', strategy = 'direct'] = process.argv.slice(2);
const say = (text: string) => void process.stdout.write(`${text}\n`);

await using rig = await RecordingRig.open(folder);
const take = await Take.create(join(folder, 'takes', 'take'), {
  version: 1,
  id: 'take',
  startedAt: new Date().toISOString(),
  stoppedAt: null,
  wanted: true,
  state: 'starting',
  cameras: {},
});
await rig.startCapture();
const stop = new AbortController();
let frames = 0;
const recorder = new Recorder(take, {
  host: rig.host,
  logger: rig.logger,
  camera: 'cam0',
  pipe: () => rig.pipe,
  raw: rig.command().raw,
  codec: 'ffv1',
  strategy: strategy as MasterStrategy,
  strategyReason: 'test',
  threads: 2,
  reserveBytes: 1,
  onProgress: (progress) => {
    if (progress.frames !== frames) say(`frames ${progress.frames}`);
    frames = progress.frames;
  },
});
const done = recorder.run(stop.signal, new AbortController().signal).then(
  () => say('done'),
  (error: unknown) => say(`failed ${describeError(error)}`),
);
process.stdin.resume();
await Promise.race([once(process.stdin, 'data'), done]);
stop.abort();
await done;
process.stdin.destroy();
