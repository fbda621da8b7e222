import { expect, test } from 'vitest';
import { SerialLog } from './serial-log.ts';

test('escape sequences are dropped, also where a chunk cuts them', () => {
  const log = new SerialLog(async () => {});
  for (const chunk of ['a\u001b[', '0;32mb\u001b[0', 'm\r\nc']) log.append(chunk);
  expect(log.log).toBe('ab\nc');
});

test('what is expected is found, whether it was said or comes', async () => {
  const log = new SerialLog(async () => {});
  log.append('login: ');
  expect((await log.expect(/login/, { timeoutMs: 1000 }))[0]).toBe('login');
  const since = log.log.length;
  const later = log.expect(/login (\d)/, { timeoutMs: 5000, since });
  log.append('again: login 2');
  expect((await later)[1]).toBe('2');
});

test('what does not come is a timeout', async () => {
  const log = new SerialLog(async () => {});
  await expect(log.expect(/never/, { timeoutMs: 20 })).rejects.toMatchObject({ code: 'RIG_TIMEOUT' });
});
