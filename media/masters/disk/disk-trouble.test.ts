import pino from 'pino';
import { expect, it } from 'vitest';
import { FfmpegError, NoAnswerError } from '../errors.ts';
import { diskReason, isDiskComplaint, isDiskTrouble, withPatience } from './disk-trouble.ts';

const logger = pino({ level: 'silent' });
const systemError = (code: string) => Object.assign(new Error(code), { code, syscall: 'write' });

it('distinguishes temporary disk errors from permanent ones', () => {
  for (const code of ['EIO', 'ENOSPC', 'EROFS', 'ENODEV'])
    expect(isDiskTrouble(systemError(code))).toBe(true);
  expect(isDiskTrouble(new NoAnswerError('met a disk error'))).toBe(true);
  expect(isDiskTrouble(new SuppressedError(systemError('EIO'), systemError('EBADF')))).toBe(true);
  for (const error of [systemError('ENOENT'), new FfmpegError('ended with 1'), new TypeError(), undefined])
    expect(isDiskTrouble(error)).toBe(false);
});

it('distinguishes ffmpeg’s disk errors from damaged pictures', () => {
  for (const line of [
    '[error] Error writing trailer of file:out: Input/output error',
    '[out#0/framemd5 @ 0x5599871843c0] [error] Error closing file: No space left on device',
    '[matroska,webm @ 0x55b5dea849c0] [error] Read error at pos. 3110898 (0x2f77f2)',
  ])
    expect(isDiskComplaint(line)).toBe(true);
  for (const line of [
    '[ffv1 @ 0x1] [error] slice CRC mismatch 4B0AD5B6! at 0.033 sec',
    '[matroska,webm @ 0x1] [error] File ended prematurely at pos. 76543 (0x12aff)',
    'file:0001.mkv: Invalid data found when processing input',
  ])
    expect(isDiskComplaint(line)).toBe(false);
});

it('says what to do about a disk', () => {
  expect(diskReason(systemError('EROFS'))).toMatch(/can only be read.*use another disk \(EROFS\)$/);
  expect(diskReason(systemError('EIO'))).toMatch(/failed or was taken away.*\(EIO\)$/);
  expect(diskReason(new Error('something else'))).toBeUndefined();
});

it('retries only while the disk fails', async () => {
  const how = { signal: new AbortController().signal, logger };
  let tries = 0;
  const answer = withPatience(async ({ number, isLast }) => {
    tries += 1;
    expect([number, isLast]).toEqual([tries, false]);
    if (tries < 2) throw systemError('EIO');
    return 'there';
  }, how);
  await expect(answer).resolves.toBe('there');
  const other = withPatience(async () => {
    tries += 1;
    throw new TypeError('a fault of ours');
  }, how);
  await expect(other).rejects.toThrow(TypeError);
  expect(tries).toBe(3);
});
