import type { Rig } from '../rig.ts';
import { Strategy } from '../strategies/strategy.ts';
import { apiOf, type DeviceApi } from './device-api.ts';
import { RigError } from './errors.ts';
import { seededRandom } from './random.ts';
import type { TestResult } from './report.ts';
import type { TestCase, TestContext } from './test-case.ts';

const maxSerialChars = 60_000;
/**
 * A PC's kernel rewrites its own code with a breakpoint; QEMU 7.2 with several processors may reach it after the kernel has
 * forgotten it. No board does that, so such a crash counts like a timeout.
 */
const emulatorsFault = /Oops: int3/;

/** How tests are run. */
export interface RunOptions {
  readonly seed: number;
  readonly signal: AbortSignal;
  /** Called with each note at once: some tests take long. */
  readonly onNote?: (text: string) => void;
  /** Called with each result as it comes, and with all so far. */
  readonly onResult: (result: TestResult, sofar: readonly TestResult[]) => Promise<void> | void;
}

/** Runs tests one after the other on one rig. A failed test loses the device's state, but the other tests still run. */
export async function runTests(
  rig: Rig,
  tests: readonly TestCase[],
  options: RunOptions,
): Promise<TestResult[]> {
  const api = apiOf(rig);
  const strategy = new Strategy(rig, api);
  const results: TestResult[] = [];
  for (const [index, test] of tests.entries()) {
    if (options.signal.aborted) break;
    const seeded = { ...options, seed: options.seed + index };
    const attempt = (): Promise<Attempt> => runTest(rig, api, strategy, test, seeded);
    const { late, ...first } = await attempt();
    if (first.outcome === 'failed') strategy.forget();
    let result = first;
    if (late && test.retry !== false && !options.signal.aborted) {
      options.onNote?.(`tried once more; the first attempt: ${first.error}`);
      // A busy host may be late; a wrong answer is wrong at once, and is not tried twice.
      const { late: _, ...second } = await attempt();
      if (second.outcome === 'failed') strategy.forget();
      const serial = (first.serial + second.serial).slice(-maxSerialChars);
      const seconds = first.seconds + second.seconds;
      result = { ...second, seconds, serial, firstError: first.error ?? '' };
    }
    results.push(result);
    await options.onResult(result, results);
  }
  return results;
}

/** A result, and whether it failed because something did not come in time. */
type Attempt = TestResult & { readonly late: boolean };

async function runTest(
  rig: Rig,
  api: DeviceApi,
  strategy: Strategy,
  test: TestCase,
  options: RunOptions,
): Promise<Attempt> {
  const missing = (test.uses ?? []).filter((part) => rig[part] === null);
  const base = { name: test.name, notes: [] as string[] };
  if (missing.length > 0) {
    const notes = [`needs ${missing.join(', ')}`];
    return { ...base, outcome: 'skipped', seconds: 0, notes, serial: '', late: false };
  }
  const serialFrom = rig.console.log.length;
  const startedAt = Date.now();
  const note = (text: string): void => {
    base.notes.push(text);
    options.onNote?.(text);
  };
  let error: string | undefined;
  let late = false;
  try {
    await strategy.reach(test.needs, options.signal);
    // From here on: the test's time does not include a start that had to come first.
    const signal = AbortSignal.any([options.signal, AbortSignal.timeout(test.timeoutMs * rig.slowness)]);
    const context: TestContext = {
      rig,
      api,
      signal,
      random: seededRandom(options.seed),
      note,
      ready: () => strategy.ready(signal),
    };
    await Promise.race([test.run(context), aborted(signal)]);
  } catch (cause) {
    error = describe(cause);
    late = isLate(cause) || emulatorsFault.test(rig.console.log.slice(serialFrom));
    for (const line of await diagnosis(rig)) note(line);
  }
  return {
    ...base,
    outcome: error === undefined ? 'passed' : 'failed',
    seconds: (Date.now() - startedAt) / 1000,
    serial: rig.console.log.slice(serialFrom).slice(-maxSerialChars),
    late,
    ...(error === undefined ? {} : { error }),
  };
}

/** Whether it, or its cause, is a timeout. */
function isLate(error: unknown): boolean {
  for (let one = error; one instanceof Error; one = one.cause) {
    if (one instanceof RigError && one.code === 'RIG_TIMEOUT') return true;
    if (one.name === 'TimeoutError') return true;
  }
  return false;
}

function aborted(signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  return promise;
}

/** The error with its causes, without the rig's own stack. */
function describe(error: unknown): string {
  const lines: string[] = [];
  for (let one: unknown = error; one instanceof Error && lines.length < 5; one = one.cause) {
    lines.push(`${one.name}: ${one.message}`);
  }
  return lines.length > 0 ? lines.join('\ncaused by ') : String(error);
}

/** What a person would ask the device first. Empty if it does not answer any more. */
async function diagnosis(rig: Rig): Promise<string[]> {
  const command =
    'systemctl --failed --no-legend --plain; journalctl -b -u "rushlight*" --no-pager -o cat | tail -n 25; true';
  try {
    return (await rig.network.shell(command, { timeoutMs: 15_000 * rig.slowness })).trim().split('\n');
  } catch {
    return ['the device does not answer by SSH'];
  }
}
