import { expect, test } from 'vitest';
import { avahiServiceFile } from './avahi.ts';

test('the service file carries the contract of the TXT record, escaped', () => {
  const file = avahiServiceFile('a<b>&"c', 443, {
    id: '10000000abcd',
    role: 'camera',
    ver: '0.1.0',
    path: '/',
    tls: null,
  });
  expect(file).toContain('<name>a&#60;b&#62;&#38;&#34;c</name>');
  expect(file).toContain('<type>_rushlight._tcp</type>');
  expect(file).toContain('<port>443</port>');
  expect(file.match(/<txt-record>[^<]*/g)).toEqual([
    '<txt-record>id=10000000abcd',
    '<txt-record>role=camera',
    '<txt-record>ver=0.1.0',
    '<txt-record>path=/',
    '<txt-record>tls=',
  ]);
});
