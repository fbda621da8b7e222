import { describe, expect, test } from 'vitest';
import { describeError } from './errors.ts';

describe('describeError', () => {
  test('names the causes, each text once', () => {
    const cause = new Error('spawn ffmpeg ENOENT');
    expect(describeError(new Error('cannot start ffmpeg.', { cause }))).toBe(
      'cannot start ffmpeg: spawn ffmpeg ENOENT',
    );
    expect(describeError(new Error('no ffmpeg: spawn ffmpeg ENOENT', { cause }))).toBe(
      'no ffmpeg: spawn ffmpeg ENOENT',
    );
  });

  test('leaves out wrappers without a text of their own', () => {
    const refused = new Error('connect ECONNREFUSED 127.0.0.1:80');
    expect(describeError(new TypeError('fetch failed', { cause: refused }))).toBe(refused.message);
    expect(describeError(new AggregateError([refused, refused]))).toBe(refused.message);
  });

  test('names what failed first, then what failed while clearing up', () => {
    const write = new Error('EIO: i/o error, write');
    expect(describeError(new SuppressedError(new Error('EIO: i/o error, unlink'), write))).toBe(
      'EIO: i/o error, write, then EIO: i/o error, unlink',
    );
    expect(describeError(new SuppressedError(new Error(write.message), write))).toBe(write.message);
  });

  test('takes anything thrown', () => {
    expect(describeError('a text')).toBe('a text');
    expect(describeError(new RangeError(''))).toBe('RangeError');
  });
});
