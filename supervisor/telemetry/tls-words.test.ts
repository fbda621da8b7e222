import { expect, test } from 'vitest';
import { BrokerLostError } from './errors.ts';
import { connectionWords } from './tls-words.ts';

const lost = (code: string, message: string) =>
  new BrokerLostError('cannot connect to the broker', { cause: Object.assign(new Error(message), { code }) });

test.each([
  [
    'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED',
    '4027A2:error:0A00045C:SSL routines:ssl3_read_bytes:tlsv13 alert certificate required',
    /wants a client certificate; set mqtt.cert_file/,
  ],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'self-signed certificate', /mqtt.ca_file/],
  ['ERR_SSL_WRONG_VERSION_NUMBER', '40:error:0A00010B:SSL routines::wrong version number', /8883/],
  ['ECONNREFUSED', 'connect ECONNREFUSED 127.0.0.1:1883', /does not run/],
])("%s says what to do, without the library's words", (code, message, expected) => {
  const words = connectionWords(lost(code, message));
  expect(words).toMatch(expected);
  expect(words).not.toMatch(/error:0A|SSL routines|ECONN/);
  expect(words).toMatch(/^cannot connect to the broker: /);
});

test('leaves unknown messages unchanged', () => {
  expect(connectionWords(lost('EWEIRD', 'odd'))).toBe('cannot connect to the broker: odd');
  expect(connectionWords('text')).toBe('text');
  expect(connectionWords(lost('constructor', 'odd'))).toBe('cannot connect to the broker: odd');
});
