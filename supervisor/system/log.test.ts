import { Writable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { describeError, errorCode, RushlightError } from '../../common/errors.ts';
import { LogLimiter } from '../../common/log-limiter.ts';
import { createLogger } from './log.ts';

class TestError extends RushlightError {
  readonly code = 'TEST';
}

function capture() {
  const lines: Record<string, unknown>[] = [];
  const destination = new Writable({
    write(chunk, _encoding, done) {
      lines.push(JSON.parse(String(chunk)));
      done();
    },
  });
  return { lines, logger: createLogger({ level: 'info', destination }) };
}

describe('createLogger', () => {
  it('writes one JSON object for each line, with words for levels and the fields of children', () => {
    const { lines, logger } = capture();
    logger.child({ component: 'media' }).warn({ feed: 'cam0' }, 'stalled');
    logger.debug('not at this level');
    expect(lines).toEqual([
      {
        level: 'warn',
        time: expect.stringMatching(/^\d{4}-.*Z$/),
        component: 'media',
        feed: 'cam0',
        msg: 'stalled',
      },
    ]);
  });

  it('writes no secrets', () => {
    const { lines, logger } = capture();
    logger.info(
      { token: 't0', broker: { password: 'p1' }, request: { headers: { authorization: 'Bearer b2' } } },
      'x',
    );
    expect(JSON.stringify(lines)).not.toMatch(/t0|p1|b2/);
  });

  it('shows code, hint and causes of an error', () => {
    const { lines, logger } = capture();
    const error = new TestError('no picture', { cause: new TypeError('bad lens'), hint: 'Clean it.' });
    logger.error({ err: error }, 'failed');
    expect(lines[0]?.err).toMatchObject({
      type: 'TestError',
      code: 'TEST',
      message: 'no picture',
      hint: 'Clean it.',
      cause: { type: 'TypeError', message: 'bad lens' },
      stack: expect.stringContaining('log.test'),
    });
    expect(describeError(error)).toBe('no picture: bad lens');
    expect([errorCode(error), errorCode({ code: 5 }), errorCode(null)]).toEqual([
      'TEST',
      undefined,
      undefined,
    ]);
  });
});

describe('LogLimiter', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('writes the first, counts the rest and reports the total for each key', () => {
    const { lines, logger } = capture();
    const limiter = new LogLimiter({ logger, burst: 2, windowMs: 1000 });
    for (let index = 0; index < 100; index += 1) limiter.log('warn', 'loss', { index }, 'packet lost');
    limiter.log('info', 'other', {}, 'other');
    expect(lines.map(({ msg }) => msg)).toEqual(['packet lost', 'packet lost', 'other']);
    vi.advanceTimersByTime(1000);
    expect(lines.slice(3)).toMatchObject([{ level: 'warn', msg: 'packet lost (repeated)', repeated: 98 }]);
    limiter.log('warn', 'loss', {}, 'packet lost');
    expect(lines).toHaveLength(5);
    for (let index = 0; index < 4; index += 1) limiter.log('warn', 'loss', {}, 'packet lost');
    limiter[Symbol.dispose]();
    limiter[Symbol.dispose]();
    expect(lines.slice(6)).toMatchObject([{ repeated: 3 }]);
  });
});

const refused = () => Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:9'), { code: 'ECONNREFUSED' });

it.each([
  [
    'its causes follow',
    new Error('cannot start ffmpeg', { cause: new Error('ENOENT') }),
    'cannot start ffmpeg: ENOENT',
  ],
  ['fetch says nothing itself', new TypeError('fetch failed', { cause: refused() }), refused().message],
  [
    'what was said already is not said again',
    new Error(`the hub cannot be reached: ${refused().message}`, { cause: refused() }),
    `the hub cannot be reached: ${refused().message}`,
  ],
  [
    'each address is named',
    new TypeError('fetch failed', {
      cause: new AggregateError([new Error('connect ECONNREFUSED ::1:9'), refused(), refused()], ''),
    }),
    'connect ECONNREFUSED ::1:9, connect ECONNREFUSED 127.0.0.1:9',
  ],
  [
    'a sentence goes on',
    new Error('The port is taken.', { cause: new Error('EADDRINUSE') }),
    'The port is taken: EADDRINUSE',
  ],
  ['nothing at all', new TypeError(''), 'TypeError'],
  ['no error', 'late', 'late'],
])('%s', (_, error, text) => expect(describeError(error)).toBe(text));
