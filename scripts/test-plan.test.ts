import { expect, test } from 'vitest';
import { setUp, testPlan, withSetUp } from './test-plan.mjs';

const endToEnd = ['end-to-end tests', 'end-to-end tests that need the machine for themselves'];
const checks = ['types', 'types of the pages', 'types of the scripts', 'lint'];

test('runs everything on this system by default', () => {
  expect(testPlan([], false)).toMatchObject({ here: [...checks, 'unit tests', ...endToEnd], inRoot: [] });
});

test("CI and --all-systems run the short part here and everything on the product's system", () => {
  const plan = testPlan(['--all-systems'], false);
  expect(plan).toMatchObject({
    here: [...checks, 'unit tests'],
    inRoot: ['unit tests', ...endToEnd],
    keepGoing: true,
  });
  expect(testPlan([], true)).toEqual(plan);
});

test('leaves nothing out without a root', () => {
  const plan = testPlan(['--all-systems'], false);
  expect([...plan.here, ...(plan.elsewhere ?? [])]).toEqual(testPlan([], false).here);
});

test('passes files and options to vitest in the chosen system', () => {
  const words = ['media/rtp', '-t', 'wraps'];
  expect(testPlan(words, true)).toMatchObject({ here: ['chosen tests'], inRoot: [], chosen: words });
  for (const debian of [['--debian', '13'], ['--debian=13']])
    expect(testPlan([...debian, ...words], false)).toMatchObject({
      here: [],
      inRoot: ['chosen tests'],
      chosen: words,
    });
});

test.each([['--debian', '12'], ['--debian'], ['--debian=sid']])(
  'rejects %s %s, for which there is no root',
  (...words) => {
    expect(testPlan(words, false).problem).toContain('npm test -- --debian 13');
  },
);

test('--only runs one part here', () => {
  expect(testPlan(['--only', 'types'], false).here).toEqual(checks.slice(0, 3));
  expect(testPlan(['--only', 'lint'], true).here).toEqual(['lint', 'import rules']);
  expect(testPlan(['--only', 'e2e'], false).here).toEqual(endToEnd);
  expect(testPlan(['--only', 'coverage'], false).here).toEqual(['unit tests with coverage']);
  for (const words of [['--only'], ['--only', 'constructor'], ['--only', 'all']])
    expect(testPlan(words, false).problem).toContain('types, lint, unit, e2e');
});

test('types and lint run before anything needs system packages', () => {
  for (const isCi of [false, true])
    expect(withSetUp(testPlan([], isCi).here).slice(0, 6)).toEqual([...checks, setUp, 'unit tests']);
  for (const part of ['types', 'lint'])
    expect(withSetUp(testPlan(['--only', part], false).here)).not.toContain(setUp);
  for (const words of [['--only', 'unit'], ['--only', 'e2e'], ['--only', 'coverage'], ['media/rtp']])
    expect(withSetUp(testPlan(words, false).here)[0]).toBe(setUp);
});
