import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { createTlsIdentity } from '../system/tls-identity.ts';
import { appliance } from './reconciler-rig.fake.ts';
import { change, otherValue, read, settings, type Toml } from './settings-of-schema.fake.ts';

const folder = mkdtempSync(join(tmpdir(), 'restarts-'));
for (const name of ['a', 'b']) {
  writeFileSync(join(folder, name), name);
  writeFileSync(join(folder, `${name}.pem`), (await createTlsIdentity(name, new Date())).certPem);
}
afterAll(() => rmSync(folder, { recursive: true }));

/** Settings under which every service has something to do. */
const base = {
  role: 'auto',
  name: 'stage',
  camera: { hub: 'http://hub', token_file: 'a', tls_fingerprint: 'aa'.repeat(32) },
  record_button: { gpio: 5 },
  status_light: { gpio: 6 },
  tally_light: { gpio: 13 },
  mqtt: { url: 'mqtt://a', cert_file: 'a', key_file: 'a' },
  gateway: { upstream: 'http://old' },
  http: { cert_file: 'a', key_file: 'a' },
  update: { hawkbit_url: 'http://hawkbit', hawkbit_token_file: 'a' },
} as const;
/** What a source of each kind needs beside its name. */
const needed: Readonly<Record<string, Toml>> = {
  rtsp: { url: 'rtsp://a/1', username: 'a' },
  // A file that is copied has a small layer only if the settings say so.
  file: { path: 'a', small: 'on', small_width: 64 },
};
/** What an output needs; its secrets and pins are set, so that their change is seen. */
const output = {
  id: 'cloud',
  feed: 'cam0',
  url: 'https://a/{feed}',
  tls_fingerprint: 'aa'.repeat(32),
  ca_file: 'a.pem',
};
describe('docs/reference/config.md says what a change restarts', () => {
  const all = settings();

  test('every setting is covered', () => {
    expect(all.length).toBeGreaterThan(100);
    expect(new Set(all.map(({ kind }) => kind)).size).toBeGreaterThan(5);
  });

  test('adding or removing an output affects no other part', async () => {
    const source = [{ id: 'cam0', kind: 'test' }];
    const before = { ...base, source, role: 'auto' };
    const here = appliance(before, folder);
    try {
      await here.apply();
      const one = { ...output, token: 'a' };
      expect(await here.changeTo({ ...before, output: [one] })).toEqual(['outputs']);
      expect(await here.changeTo({ ...before, output: [one, { ...one, id: 'other' }] })).toEqual(['outputs']);
      expect(await here.changeTo(before)).toEqual(['outputs']);
    } finally {
      await here.close();
    }
  });

  test.each(all.map((setting) => [`${setting.kind ?? ''} ${setting.path}`, setting] as const))(
    '%s',
    async (_name, setting) => {
      const { kind, path, list } = setting;
      const source = kind === null ? {} : { source: [{ id: 'cam0', kind, ...needed[kind] }] };
      const secret = path === 'output.token_file' ? { token_file: 'a' } : { token: 'a' };
      const sent = list === 'output' ? { output: [{ ...output, ...secret }] } : {};
      const restarted = new Set<string>();
      // A setting of one role shows what it does in that role.
      for (const role of path === 'role' ? ['auto'] : ['auto', 'camera']) {
        // The announcement names the HTTP port only if there is no HTTPS.
        const http = path === 'http.port' ? { http: { ...base.http, tls: false } } : {};
        const before = { ...base, ...source, ...sent, ...http, role };
        const here = appliance(before, folder);
        try {
          await here.apply();
          expect(await here.changeTo(before)).toEqual([]);
          const value = otherValue(setting, read(before, setting));
          for (const part of await here.changeTo(change(before, setting, value))) restarted.add(part);
        } finally {
          await here.close();
        }
      }
      expect([...restarted].sort()).toEqual([...setting.published].sort());
    },
  );
});
