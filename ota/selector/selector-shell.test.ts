import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OtaError } from '../errors.ts';
import { parseAutoboot, renderAutoboot } from './autoboot.ts';
import { decide, type SelectorEvent, type SelectorFiles } from './selector.ts';
import { cuts, factoryWorld, keyOf, rots, successors, type World } from './selector-model.fake.ts';
import type { SlotName } from './slot.ts';
import { emptyState, renderState } from './state.ts';

const script = join(import.meta.dirname, '../../overlays/rootfs/usr/libexec/rushlight/selector');
/** The device's initramfs has busybox or klibc for a shell, the running system dash. */
const shells: string[][] = [['sh'], ['bash', '--posix']];
let root: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'selector-'));
});
afterAll(async () => rm(root, { recursive: true, force: true }));

interface Outcome {
  readonly files: SelectorFiles;
  readonly output: string;
  readonly exit: 'ok' | 'reboot' | 'refused';
}

function argvOf(event: SelectorEvent): string[] {
  if (event.type === 'boot') return ['early'];
  if (event.type === 'get-primary') return ['get-primary'];
  if (event.type === 'set-state') return ['set-state', event.slot, event.state];
  return [event.type, event.slot];
}

let serial = 0;

async function runShell(
  files: SelectorFiles,
  event: SelectorEvent,
  shell: string[],
  path = process.env.PATH ?? '',
): Promise<Outcome & { stderr: string }> {
  const folder = join(root, String(serial++));
  const paths = {
    config: join(folder, 'config'),
    state: join(folder, 'state'),
    cmdline: join(folder, 'cmdline'),
  };
  await mkdir(paths.config, { recursive: true });
  await mkdir(paths.state);
  if (files.autoboot !== null) await writeFile(join(paths.config, 'autoboot.txt'), files.autoboot);
  if (files.state !== null) await writeFile(join(paths.state, 'state'), files.state);
  const booted = 'booted' in event ? event.booted : 'A';
  await writeFile(paths.cmdline, `console=ttyS0 rauc.slot=${booted} quiet\n`);
  const [program = 'sh', ...args] = shell;
  const env = {
    PATH: path,
    SELECTOR_CONFIG_DIR: paths.config,
    SELECTOR_STATE_DIR: paths.state,
    SELECTOR_CMDLINE: paths.cmdline,
  };
  const { code, stdout, stderr } = await run(program, [...args, script, ...argvOf(event)], env);
  const after = {
    autoboot: await readOrNull(join(paths.config, 'autoboot.txt')),
    state: await readOrNull(join(paths.state, 'state')),
  };
  await rm(folder, { recursive: true, force: true });
  const exit = code === 0 ? 'ok' : code === 10 ? 'reboot' : 'refused';
  return { files: after, output: stdout.trim(), exit, stderr };
}

function run(program: string, args: string[], env: Record<string, string>) {
  return new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) => {
    const child = execFile(program, args, { env, timeout: 60_000 }, (_error, stdout, stderr) => {
      resolve({ code: child.exitCode, stdout, stderr });
    });
  });
}

async function readOrNull(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

function oracle(files: SelectorFiles, event: SelectorEvent): Outcome {
  try {
    const { writes, output, reboot } = decide(files, event);
    const after: Record<keyof SelectorFiles, string | null> = { ...files };
    for (const write of writes) after[write.file] = write.content;
    return { files: after, output, exit: reboot ? 'reboot' : 'ok' };
  } catch (error) {
    if (!(error instanceof OtaError)) throw error;
    return { files, output: '', exit: 'refused' };
  }
}

/** A state that was lost and one that says nothing are the same; the shell writes it out, the oracle need not. */
function comparable(outcome: Outcome): Outcome {
  const state = outcome.files.state ?? renderState(emptyState);
  return { files: { ...outcome.files, state }, output: outcome.output, exit: outcome.exit };
}

/** Every question that the model's histories put to the selector, each once. */
function askedInTheModel(): [SelectorFiles, SelectorEvent][] {
  const slots: SlotName[] = ['A', 'B'];
  const events: SelectorEvent[] = [
    { type: 'get-primary' },
    ...slots.flatMap((slot): SelectorEvent[] => [
      { type: 'boot', booted: slot },
      { type: 'set-primary', slot },
      { type: 'get-state', slot },
      ...slots.flatMap((booted): SelectorEvent[] => [
        { type: 'set-state', slot, state: 'good', booted },
        { type: 'set-state', slot, state: 'bad', booted },
      ]),
    ]),
  ];
  const files = new Map<string, SelectorFiles>();
  const seen = new Set<string>();
  const queue: World[] = [factoryWorld];
  while (queue.length > 0) {
    const world = queue.pop() as World;
    if (seen.has(keyOf(world))) continue;
    seen.add(keyOf(world));
    files.set(JSON.stringify(world.files), world.files);
    queue.push(...successors(world), ...cuts(world), ...rots(world));
  }
  return [...files.values()].flatMap((each) =>
    events.map((event): [SelectorFiles, SelectorEvent] => [each, event]),
  );
}

describe('the selector in shell, compared with the one in TypeScript', () => {
  it('answers and writes the same in every reachable state', { timeout: 280_000 }, async () => {
    const all = askedInTheModel();
    expect(all.length).toBeGreaterThan(1_000);
    for (const [index, shell] of shells.entries()) {
      // The second shell is there for its dialect: every seventh question will do.
      const asked = all.filter((_question, position) => index === 0 || position % 7 === 0);
      for (let at = 0; at < asked.length; at += 16) {
        await Promise.all(
          asked.slice(at, at + 16).map(async ([files, event]) => {
            const actual = comparable(await runShell(files, event, shell));
            expect(actual, `${JSON.stringify(files)} ${JSON.stringify(event)}`).toEqual(
              comparable(oracle(files, event)),
            );
          }),
        );
      }
    }
  });

  it('judges damaged files in the same way', { timeout: 120_000 }, async () => {
    const text = fc
      .array(
        fc.constantFrom(
          '[all]',
          '[tryboot]',
          ' [ tryboot ] ',
          '[pi5]',
          'boot_partition=2',
          'boot_partition=3',
          ' boot_partition = 02 # two',
          'boot_partition=',
          'boot_partition=2x',
          'boot_partitions=2',
          'tryboot_a_b=1',
          '# boot_partition=2',
          '',
          '#'.repeat(300),
        ),
        { maxLength: 7 },
      )
      .chain((lines) =>
        fc.constantFrom(lines.join('\n'), `${lines.join('\n')}\n`, `${lines.join('\r\n')}\r\n`),
      );
    const state = fc.oneof(
      fc.constant(null),
      fc.tuple(fc.nat(130), fc.constantFrom('', 'x', '\n', '=', '4')).map(([at, insert]) => {
        const whole = renderState({
          ...emptyState,
          pending: 'B',
          boots: 3,
          marks: { A: 'good', B: 'trial' },
        });
        return whole.slice(0, at) + insert + (insert === '' ? '' : whole.slice(at));
      }),
    );
    const event = fc.constantFrom<SelectorEvent>(
      { type: 'boot', booted: 'A' },
      { type: 'boot', booted: 'B' },
      { type: 'set-state', slot: 'A', state: 'good', booted: 'A' },
    );
    await fc.assert(
      fc.asyncProperty(text, state, event, async (autoboot, stateText, asked) => {
        const files = { autoboot, state: stateText };
        const actual = comparable(await runShell(files, asked, ['sh']));
        const expected = comparable(oracle(files, asked));
        if (expected.exit === 'ok' && actual.files.state !== expected.files.state) {
          // Untouched garbage stays garbage for the oracle if nothing was written.
          expect(expected.files.state).toBe(stateText);
        } else expect(actual).toEqual(expected);
      }),
      { numRuns: 150 },
    );
  });
});

describe('the shell selector killed before each of its steps', () => {
  const trial = renderState({ ...emptyState, pending: 'B', started: true, marks: { A: 'good', B: 'trial' } });
  const worn = renderState({ ...emptyState, boots: 3, marks: { A: 'good', B: 'good' } });
  const cases: [string, SelectorFiles, SelectorEvent][] = [
    [
      'commit',
      { autoboot: renderAutoboot('A'), state: trial },
      { type: 'set-state', slot: 'B', state: 'good', booted: 'B' },
    ],
    ['repair', { autoboot: renderAutoboot('A'), state: worn }, { type: 'boot', booted: 'A' }],
    ['arm', { autoboot: renderAutoboot('A'), state: null }, { type: 'set-primary', slot: 'B' }],
  ];

  it.each(cases)(
    'leaves %s undone or done, never half done',
    { timeout: 60_000 },
    async (_name, files, event) => {
      const whole = oracle(files, event);
      const { writes } = decide(files, event);
      // What each file may be: as before, or as one of its writes made it.
      const allowed = new Map<keyof SelectorFiles, Set<string | null>>([
        ['autoboot', new Set([files.autoboot])],
        ['state', new Set([files.state])],
      ]);
      for (const write of writes) allowed.get(write.file)?.add(write.content);
      let finished = false;
      for (let step = 1; step < 40 && !finished; step++) {
        const shims = await killingShims(step);
        const outcome = await runShell(files, event, ['sh'], `${shims}:${process.env.PATH}`);
        finished = (await readOrNull(join(shims, 'killed'))) === null;
        expect(() => parseAutoboot(outcome.files.autoboot ?? '')).not.toThrow();
        for (const file of ['autoboot', 'state'] as const) {
          expect([...(allowed.get(file) ?? [])]).toContain(outcome.files[file]);
        }
        if (finished) expect(outcome.files).toEqual(whole.files);
      }
      expect(finished).toBe(true);
    },
  );

  /** `mv` and `sync` that count their calls and kill the caller before the given one does its work. */
  async function killingShims(step: number): Promise<string> {
    const folder = await mkdtemp(join(root, 'shims-'));
    for (const program of ['mv', 'sync', 'mkdir']) {
      const body = [
        '#!/bin/sh',
        `echo x >> ${folder}/calls`,
        `if [ "$(wc -l < ${folder}/calls)" -eq ${step} ]; then : > ${folder}/killed; kill -9 $PPID; exit 1; fi`,
        `PATH=/usr/bin:/bin exec ${program} "$@"`,
        '',
      ];
      await writeFile(join(folder, program), body.join('\n'), { mode: 0o755 });
    }
    return folder;
  }
});
