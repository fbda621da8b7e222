import { mkdir, mkdtemp, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { ProvisionPaths } from './device.ts';
import { configuredName, hostName, withOwnerName } from './identity.ts';
import { accessPointSettings, hasNetwork } from './network-settings.ts';
import { provision } from './provision.ts';

const disk = vi.hoisted(() => ({ refuses: '' }));
vi.mock(import('../../common/files.ts'), async (original) => {
  const real = await original();
  const writeFileAtomic: typeof real.writeFileAtomic = async (file, ...rest) => {
    if (file === disk.refuses) throw new Error('EROFS: read-only file system');
    await real.writeFileAtomic(file, ...rest);
  };
  return { ...real, writeFileAtomic };
});

let root = '';
let paths: ProvisionPaths;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'rushlight-provision-'));
  paths = {
    card: join(root, 'card'),
    state: join(root, 'state'),
    run: join(root, 'run'),
    sysroot: join(root, 'sys'),
  };
  for (const folder of [paths.card, paths.state, paths.run, join(paths.sysroot, 'etc')]) {
    await mkdir(folder, { recursive: true });
  }
  await writeFile(
    join(paths.sysroot, 'etc/passwd'),
    'root:x:0:0::/root:/bin/bash\nowner:x:1000:1000::/data/home:/bin/bash\n',
  );
  await writeFile(join(paths.sysroot, 'etc/machine-id'), '0123456789abcdef0123456789abcdef\n');
});

afterEach(() => rm(root, { recursive: true }));

test('an empty fresh card makes a device with defaults', async () => {
  const result = await provision(paths);
  expect(result).toMatchObject({ hostname: 'rushlight-cdef', notes: [] });
  expect(await readFile(join(paths.state, 'ssh/authorized_keys'), 'utf8')).toBe('');
  expect(await readlink(join(paths.run, 'rushlight-localtime'))).toBe('/usr/share/zoneinfo/Etc/UTC');
});

test('passes the name of the machine to the product if the settings have none', async () => {
  const name = () => readFile(join(paths.run, 'rushlight-name'), 'utf8');
  expect((await provision(paths)).hostname).toBe('rushlight-cdef');
  expect(await name()).toBe('rushlight-cdef\n');
  await writeFile(join(paths.card, 'custom.toml'), '[system]\nhostname = "stage-left"\n');
  await writeFile(join(paths.card, 'rushlight.toml'), 'name = "wall"\n');
  expect((await provision(paths)).hostname).toBe('wall');
  expect(await name()).toBe('stage-left\n');
});

test('stores secrets before it removes them from the card, and they survive', async () => {
  const card = join(paths.card, 'network-config');
  await writeFile(
    card,
    'wifis:\n  wlan0:\n    access-points:\n      Van:\n        password: tune in tokyo\n',
  );
  await provision(paths);
  expect(await readFile(card, 'utf8')).not.toContain('tokyo');
  expect((await stat(join(paths.state, 'provision/settings.json'))).mode & 0o777).toBe(0o600);
  await provision(paths);
  const conf = await readFile(join(paths.run, 'rushlight-wifi/station.conf'), 'utf8');
  expect(conf).toContain('psk="tune in tokyo"');
  expect(conf).toContain(`ssid=${Buffer.from('Van').toString('hex')}`);
});

test('keeps the network if the card is read-only; only the secrets stay on it', async () => {
  const card = join(paths.card, 'network-config');
  await writeFile(
    card,
    'wifis:\n  wlan0:\n    access-points:\n      Van:\n        password: tune in tokyo\n',
  );
  disk.refuses = card;
  const { notes } = await provision(paths);
  expect(notes).toEqual([expect.stringMatching(/^secrets are still in network-config: /)]);
  expect(await readFile(join(paths.run, 'rushlight-wifi/station.conf'), 'utf8')).toContain('tune in tokyo');
  disk.refuses = '';
  expect((await provision(paths)).notes).toEqual([]);
  expect(await readFile(card, 'utf8')).not.toContain('tokyo');
});

test('leaves on the card what cannot be stored, and still uses it', async () => {
  const card = join(paths.card, 'network-config');
  const text = 'wifis:\n  wlan0:\n    access-points:\n      Van:\n        password: tune in tokyo\n';
  await writeFile(card, text);
  await writeFile(join(paths.state, 'provision'), 'no folder');
  const { hostname, notes } = await provision(paths);
  expect(hostname).toBe('rushlight-cdef');
  expect(notes).toEqual([expect.stringMatching(/^the settings from the card could not be kept: /)]);
  expect(await readFile(card, 'utf8')).toBe(text);
  expect(await readFile(join(paths.run, 'rushlight-wifi/station.conf'), 'utf8')).toContain('tune in tokyo');
});

test('writes nothing if a boot brings nothing new', async () => {
  await provision(paths);
  const kept = join(paths.state, 'provision/settings.json');
  const { ino } = await stat(kept);
  await provision(paths);
  expect((await stat(kept)).ino).toBe(ino);
});

test('boots with unreadable stored settings', async () => {
  await mkdir(join(paths.state, 'provision'));
  await writeFile(join(paths.state, 'provision/settings.json'), '{"wifi": 3');
  expect((await provision(paths)).notes).toEqual(['the settings kept from the card were unreadable']);
});

test('drops only those stored values that this version no longer accepts', async () => {
  await mkdir(join(paths.state, 'provision'));
  const wifi = [
    { ssid: 'あ'.repeat(18), psk: '12345678' },
    { ssid: 'Van', psk: 'tune in tokyo' },
  ];
  await writeFile(
    join(paths.state, 'provision/settings.json'),
    JSON.stringify({ hostname: 'left', wifi, new: 1 }),
  );
  const { hostname, settings, notes } = await provision(paths);
  expect({ hostname, wifi: settings.wifi.map(({ ssid }) => ssid) }).toEqual({
    hostname: 'left',
    wifi: ['Van'],
  });
  expect(notes.join('\n')).toMatch(/^settings kept from the card: wifi is not usable/);
  expect(notes.join('\n')).not.toContain('12345678');
});

test('takes the name from the file, then from Imager, then from the serial number', () => {
  const sources = { configured: 'a', imported: 'b', serial: '10000000deadBEEF', machineId: 'x' };
  expect(hostName(sources)).toBe('a');
  expect(hostName({ ...sources, configured: undefined })).toBe('b');
  expect(hostName({ ...sources, configured: undefined, imported: undefined })).toBe('rushlight-beef');
  expect(configuredName('role = "hub"\nname = "left" # mine\n[x]\nname = "no"\n')).toBe('left');
  expect(configuredName('[x]\nname = "no"\n')).toBeUndefined();
  expect(configuredName('name = "Not A Name"\n')).toBeUndefined();
});

test("gives the owner's account a second name, never somebody else's", () => {
  const passwd = 'root:x:0:0::/root:/bin/bash\nowner:x:1000:1000::/data/home:/bin/bash\n';
  expect(withOwnerName(passwd, 'alice')).toBe(`${passwd}alice:x:1000:1000::/data/home:/bin/bash\n`);
  expect(withOwnerName(passwd, 'root')).toBe(passwd);
});

test('decides what counts as a network', () => {
  const address = (family: string, text: string) => ({ family, address: text, internal: false });
  expect(hasNetwork({ lo: [{ family: 'IPv4', address: '127.0.0.1', internal: true }] })).toBe(false);
  expect(hasNetwork({ eth0: [address('IPv4', '169.254.3.4'), address('IPv6', 'fe80::1')] })).toBe(false);
  expect(hasNetwork({ wlan0: [address('IPv4', '10.42.0.1')] })).toBe(false);
  expect(hasNetwork({ eth0: [address('IPv4', '192.168.1.9')] })).toBe(true);
  expect(hasNetwork({ eth0: [address('IPv6', '2001:db8::1')] })).toBe(true);
});

test("applies the owner's setting for the access point", () => {
  expect(accessPointSettings('[network]\naccess_point = "never"\n', 'left').enabled).toBe(false);
  expect(accessPointSettings('[network]\naccess_point_after_s = 60\n', 'left')).toEqual({
    enabled: true,
    afterMs: 60_000,
    ssid: 'left',
  });
  expect(accessPointSettings('not toml at all [', 'left').enabled).toBe(true);
});
