import { mkdir, mkdtemp, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ProvisionPaths } from './device.ts';
import { importFiles } from './import.ts';
import { provision } from './provision.ts';
import { deviceSettingsSchema } from './settings.ts';

const nothing = deviceSettingsSchema.parse({});
const key = `ssh-ed25519 ${'A'.repeat(68)} owner@laptop`;
const otherKey = `ssh-ed25519 ${'B'.repeat(68)}`;
const imported = (name: string, text: string) => importFiles(new Map([[name, text]]), nothing);

describe('files from older guides', () => {
  test('reads a wpa_supplicant.conf next to the settings', () => {
    const text =
      'country=de\r\nctrl_interface=x\r\nnetwork={\r\n\tssid="Van"\r\n\tpsk="tune in tokyo"\r\n}\r\n';
    const { settings, notes, redacted } = imported('wpa_supplicant.conf', text);
    expect(settings).toMatchObject({
      country: 'DE',
      wifi: [{ ssid: 'Van', psk: 'tune in tokyo', hidden: false }],
    });
    expect(notes).toEqual([]);
    expect(redacted.get('wpa_supplicant.conf')).not.toContain('tokyo');
  });

  test.each(['$6$salt$0123456789abcdef', 'aQ3xDEShash12', 'x'])(
    'takes the account name from userconf.txt and leaves no hash behind (%s)',
    (hash) => {
      const { settings, notes, redacted } = imported('userconf.txt', `alice:${hash}\n`);
      expect(settings.user).toBe('alice');
      expect(redacted.get('userconf.txt')).toBe('alice:\n');
      expect(notes).toEqual(['userconf.txt: a password for SSH is not done by this appliance']);
      const again = imported('userconf.txt', redacted.get('userconf.txt') ?? '');
      expect([again.settings.user, again.notes, again.redacted.size]).toEqual(['alice', [], 0]);
    },
  );
});

describe('files written by hand', () => {
  test('accepts several keys in one text, with comments between them', () => {
    const lines = [key, '# the other laptop', '', otherKey, ''].join('\n    ');
    const { settings, notes } = imported('user-data', `ssh_authorized_keys:\n  - |\n    ${lines}`);
    expect(settings.sshKeys).toEqual([key, otherKey]);
    expect(notes).toEqual([]);
  });

  test.each([
    ['user-data', 'hostname: Stage-Left.local\n'],
    ['custom.toml', '[system]\nhostname = "Stage-Left.local"\n'],
    ['firstrun.sh', "/usr/lib/raspberrypi-sys-mods/imager_custom set_hostname 'Stage-Left.local'\n"],
  ])('accepts a name with its domain (%s)', (name, text) => {
    expect(imported(name, text).settings.hostname).toBe('stage-left');
  });

  test.each(['true', 'yes', 'on', 'True', '"yes"'])('accepts "%s" for a hidden network', (word) => {
    const point = `{hidden: ${word}, password: topsecret1}`;
    const { settings } = imported(
      'network-config',
      `version: 2\nwifis: {w: {access-points: {Van: ${point}}}}\n`,
    );
    expect(settings.wifi).toEqual([{ ssid: 'Van', psk: 'topsecret1', hidden: true }]);
  });

  test('uses the last value of a duplicate key and keeps everything else', () => {
    const text =
      'version: 2\nwifis:\n  w:\n    access-points:\n      Van: {password: topsecret1}\n      Van: {password: topsecret2}\n';
    expect(imported('network-config', text).settings.wifi).toMatchObject([{ psk: 'topsecret2' }]);
  });

  test('an empty password field never makes an open network', () => {
    const text = 'version: 2\nwifis:\n  w:\n    access-points:\n      Van:\n        password:\n';
    const { settings, notes } = imported('network-config', text);
    expect(settings.wifi).toEqual([]);
    expect(notes).toEqual(['network-config: the password of a Wi-Fi network cannot be read']);
  });

  test.each([
    ['hostname', 'hostname: "my cam"\n', 'a name of at most 63 letters'],
    ['user', 'user: {name: "Älex"}\n', 'a name of at most 32 lower-case letters'],
    ['timeZone', 'timezone: "Berlin (CET)"\n', 'a time zone such as Europe/Berlin'],
    ['keymap', 'keyboard: {layout: "Deutsch!"}\n', 'a keyboard layout such as de'],
  ])('explains why %s cannot be used', (what, text, words) => {
    const { notes } = imported('user-data', text);
    expect(notes).toEqual([expect.stringContaining(`user-data: ${what} is not usable: ${words}`)]);
  });
});

describe('files as editors save them on the card', () => {
  let root = '';
  let paths: ProvisionPaths;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'rushlight-older-'));
    const folder = (name: string) => join(root, name);
    paths = { card: folder('card'), state: folder('state'), run: folder('run'), sysroot: folder('sys') };
    for (const one of [paths.card, paths.state, paths.run, join(paths.sysroot, 'etc')])
      await mkdir(one, { recursive: true });
    const zones = join(paths.sysroot, 'usr/share/zoneinfo');
    await mkdir(join(zones, 'Europe'), { recursive: true });
    await writeFile(join(zones, 'Europe/Berlin'), 'TZif');
  });

  afterEach(() => rm(root, { recursive: true }));

  const userData = '#cloud-config\nhostname: stage-left\ntimezone: Europe/Berlin\n';

  test.each([
    ['with a mark of UTF-8', Buffer.from(`\ufeff${userData}`, 'utf8')],
    ['as UTF-16', Buffer.from(`\ufeff${userData.replaceAll('\n', '\r\n')}`, 'utf16le')],
    ['as UTF-16, the other way round', Buffer.from(`\ufeff${userData}`, 'utf16le').swap16()],
  ])('%s', async (_how, bytes) => {
    await writeFile(join(paths.card, 'user-data'), bytes);
    const { hostname, notes } = await provision(paths);
    expect([hostname, notes]).toEqual(['stage-left', []]);
    expect(await readlink(join(paths.run, 'rushlight-localtime'))).toBe('/usr/share/zoneinfo/Europe/Berlin');
  });

  test('reads a custom.toml with a UTF-8 byte order mark', async () => {
    await writeFile(join(paths.card, 'custom.toml'), '\ufeff[system]\nhostname = "stage-mid"\n');
    expect((await provision(paths)).hostname).toBe('stage-mid');
  });

  test('names files that have a second extension', async () => {
    for (const name of ['user-data.txt', 'rushlight.toml.txt', 'Wpa_Supplicant.conf.TXT', 'readme.txt'])
      await writeFile(join(paths.card, name), '');
    const { notes } = await provision(paths);
    expect(notes.toSorted()).toEqual([
      'Wpa_Supplicant.conf.TXT is not read: rename it to wpa_supplicant.conf',
      'rushlight.toml.txt is not read: rename it to rushlight.toml',
      'user-data.txt is not read: rename it to user-data',
    ]);
  });

  test('a file named ssh explains how to open SSH, unless there is a key', async () => {
    await writeFile(join(paths.card, 'ssh'), '');
    expect((await provision(paths)).notes).toEqual([expect.stringContaining('a public key opens SSH')]);
    await writeFile(join(paths.card, 'user-data'), `ssh_authorized_keys: ["${key}"]\n`);
    expect((await provision(paths)).notes).toEqual([]);
    expect(await readFile(join(paths.state, 'ssh/authorized_keys'), 'utf8')).toContain(key);
  });

  test('notes a time zone that the system does not have and uses UTC', async () => {
    await writeFile(join(paths.card, 'user-data'), 'timezone: US/Pacific\n');
    expect((await provision(paths)).notes).toEqual([expect.stringContaining('the time zone is not known')]);
    expect(await readlink(join(paths.run, 'rushlight-localtime'))).toBe('/usr/share/zoneinfo/Etc/UTC');
  });
});
