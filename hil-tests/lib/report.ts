/** How a test ended. */
export type Outcome = 'passed' | 'failed' | 'skipped';

/** A test and how it ended. */
export interface TestResult {
  readonly name: string;
  readonly outcome: Outcome;
  readonly seconds: number;
  readonly notes: readonly string[];
  readonly error?: string;
  /** The failure of the first attempt, if this is the result of a second one. */
  readonly firstError?: string;
  /** The console's text while the test ran. */
  readonly serial: string;
}

/** A run of the rig. */
export interface Run {
  readonly lab: string;
  readonly seed: number;
  readonly results: readonly TestResult[];
}

/** JUnit's XML of a run, with notes and the serial log of each test. */
export function junit(run: Run): string {
  const count = (outcome: Outcome): number => run.results.filter((one) => one.outcome === outcome).length;
  const total = run.results.reduce((sum, one) => sum + one.seconds, 0);
  const head = `name="rushlight-hil.${escapeXml(run.lab)}" tests="${run.results.length}" failures="${count('failed')}" skipped="${count('skipped')}" time="${total.toFixed(1)}"`;
  const cases = run.results.map((one) => {
    const inner = [
      ...(one.outcome === 'skipped' ? ['    <skipped/>'] : []),
      ...(one.error === undefined ? [] : [`    <failure>${escapeXml(one.error)}</failure>`]),
      ...(one.firstError === undefined
        ? []
        : [`    <flakyFailure>${escapeXml(one.firstError)}</flakyFailure>`]),
      `    <system-out>${escapeXml([...one.notes, one.serial].join('\n'))}</system-out>`,
    ];
    const name = `name="${escapeXml(one.name)}" classname="${escapeXml(run.lab)}" time="${one.seconds.toFixed(1)}"`;
    return [`  <testcase ${name}>`, ...inner, '  </testcase>'].join('\n');
  });
  return `${['<?xml version="1.0" encoding="UTF-8"?>', `<testsuite ${head}>`, ...cases, '</testsuite>'].join('\n')}\n`;
}

/** The run for people; its last line is the one that counts. */
export function summary(run: Run): string {
  const marks = { passed: 'ok  ', failed: 'FAIL', skipped: 'skip' } as const;
  const lines = run.results.flatMap((one) => [
    `${marks[one.outcome]} ${one.name} (${one.seconds.toFixed(0)} s)`,
    ...one.notes.map((note) => `       ${note}`),
    ...(one.error === undefined ? [] : [indented(one.error)]),
    ...(one.firstError === undefined ? [] : [indented(`second attempt; the first: ${one.firstError}`)]),
  ]);
  const count = (outcome: Outcome): number => run.results.filter((one) => one.outcome === outcome).length;
  const head = `Lab ${run.lab}, seed ${run.seed}`;
  const again = run.results.filter((one) => one.firstError !== undefined).length;
  const more = again === 0 ? '' : `, ${again} tried twice`;
  const counts = `${count('passed')} passed, ${count('failed')} failed, ${count('skipped')} skipped${more}`;
  return `${[head, ...lines, '', counts].join('\n')}\n`;
}

/** The end of a console's text. */
export function tailOf(serial: string, lines = 60): string {
  return serial.trimEnd().split('\n').slice(-lines).join('\n');
}

function indented(text: string): string {
  return `       ${text.split('\n').join('\n       ')}`;
}

function escapeXml(text: string): string {
  return (
    text
      // biome-ignore lint/suspicious/noControlCharactersInRegex: XML 1.0 allows none of them
      .replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '?')
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      .replaceAll('"', '&quot;')
  );
}
