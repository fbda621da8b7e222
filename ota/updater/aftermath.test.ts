import { describe, expect, it } from 'vitest';
import type { Attempt } from '../black-box.ts';
import { failedVersionOf } from './aftermath.ts';

const attempt = (outcome: Attempt['outcome'], version = '1.1.0'): Attempt => ({
  version,
  fromVersion: '1.0.0',
  slot: 'B',
  at: '2026-11-22T12:00:00.000Z',
  outcome,
  reason: null,
  stages: [],
  log: [],
});

describe('the decision not to install something again automatically', () => {
  it.each<[string, Attempt[], boolean, string | null]>([
    ['nothing, where nothing was tried', [], true, null],
    ['nothing, while it is under way', [attempt(null)], true, null],
    ['nothing, where it is committed', [attempt('failed'), attempt('committed')], true, null],
    ['what was taken back', [attempt('rolled-back')], true, '1.1.0'],
    ['what was refused', [attempt('refused')], true, '1.1.0'],
    ['what broke off, until it is time', [attempt('failed')], false, '1.1.0'],
    ['not what broke off, once it is time', [attempt('failed'), attempt('failed')], true, null],
    ['what broke off three times', [attempt('failed'), attempt('failed'), attempt('failed')], true, '1.1.0'],
    [
      'not what broke off after another version had',
      [attempt('failed', '1.0.5'), attempt('failed'), attempt('failed')],
      true,
      null,
    ],
  ])('%s', (_name, attempts, mayRetry, expected) => {
    expect(failedVersionOf(attempts, mayRetry)).toBe(expected);
  });
});
