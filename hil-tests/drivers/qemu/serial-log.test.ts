import { expect, test } from 'vitest';
import { SerialLog } from './serial-log.ts';

test('drops escape sequences, even split across chunks', () => {
  const log = new SerialLog(async () => {});
  for (const chunk of ['a\u001b[', '0;32mb\u001b[0', 'm\r\nc']) log.append(chunk);
  expect(log.log).toBe('ab\nc');
});

test('finds expected text, whether already printed or still to come', async () => {
  const log = new SerialLog(async () => {});
  log.append('login: ');
  expect((await log.expect(/login/, { timeoutMs: 1000 }))[0]).toBe('login');
  const since = log.log.length;
  const later = log.expect(/login (\d)/, { timeoutMs: 5000, since });
  log.append('again: login 2');
  expect((await later)[1]).toBe('2');
});

test('times out if the text never comes', async () => {
  const log = new SerialLog(async () => {});
  await expect(log.expect(/never/, { timeoutMs: 20 })).rejects.toMatchObject({ code: 'RIG_TIMEOUT' });
});
