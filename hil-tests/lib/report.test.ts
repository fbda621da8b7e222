import { expect, test } from 'vitest';
import { junit, type Run, summary, tailOf } from './report.ts';

const run: Run = {
  lab: 'virt-amd64',
  seed: 7,
  results: [
    {
      name: 'boots',
      outcome: 'passed',
      seconds: 61.25,
      notes: ['ready after 61 s'],
      serial: 'ok \u0007 <tag>',
    },
    { name: 'role & jumper', outcome: 'failed', seconds: 2, notes: [], serial: '', error: 'Error: a < b' },
    { name: 'board only', outcome: 'skipped', seconds: 0, notes: ['needs gpio'], serial: '' },
  ],
};

test('writes well-formed JUnit with counts, failures and the console', () => {
  const xml = junit(run);
  expect(xml).toContain('tests="3" failures="1" skipped="1" time="63.3"');
  expect(xml).toContain('<failure>Error: a &lt; b</failure>');
  expect(xml).toContain('ok ? &lt;tag&gt;');
  expect(xml).toContain('name="role &amp; jumper"');
});

test('ends the summary with the line of counts', () => {
  expect(summary(run).trimEnd().split('\n').at(-1)).toBe('1 passed, 1 failed, 1 skipped');
});

test('mentions a second attempt', () => {
  const late = {
    name: 'late',
    outcome: 'passed',
    seconds: 9,
    notes: [],
    serial: '',
    firstError: 'too <late>',
  } as const;
  const text = summary({ ...run, results: [late] });
  expect(text).toContain('second attempt; the first: too <late>');
  expect(text.trimEnd().split('\n').at(-1)).toBe('1 passed, 0 failed, 0 skipped, 1 tried twice');
  expect(junit({ ...run, results: [late] })).toContain('<flakyFailure>too &lt;late&gt;</flakyFailure>');
});

test('keeps the tail of a console', () => {
  expect(tailOf('1\n2\n3\n\n', 2)).toBe('2\n3');
});
